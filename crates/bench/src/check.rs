//! Whether what is served is what must have come of the load: a benchmark that does not look measures nothing.

use anyhow::{bail, ensure};
use client::{Client, PageOf};
use domain::Tally;

use crate::limits::TALLIES_CHECKED;
use crate::load::Load;

/// Compares tallies and counts, the longest threads first.
pub(crate) async fn tallies(koe: &Client, load: &Load, at_least: &str) -> anyhow::Result<()> {
    let expected = load.expected();
    let mut threads: Vec<_> = expected.iter().enumerate().collect();
    threads.sort_by_key(|(_, tallies)| std::cmp::Reverse(tallies.len()));
    let mut checked = 0;
    for (index, tallies) in threads {
        if checked >= TALLIES_CHECKED {
            return Ok(());
        }
        checked += thread(koe, load, index, (tallies, at_least)).await?;
    }
    ensure!(checked > 0, "there was nothing to check");
    Ok(())
}

async fn thread(
    koe: &Client,
    load: &Load,
    index: usize,
    (tallies, at_least): (&[Tally], &str),
) -> anyhow::Result<usize> {
    let thread = Load::thread(index);
    let mut page = PageOf { limit: 200, at_least: at_least.to_owned(), ..PageOf::default() };
    let mut expected = tallies.iter();
    let mut checked = 0;
    loop {
        let reply = koe.thread_page(load.site(), &thread, page.clone()).await?;
        ensure!(
            usize::try_from(reply.count)? == tallies.len(),
            "{thread} has {} comments and not {}",
            reply.count,
            tallies.len()
        );
        for comment in &reply.comments {
            let served = comment.tally.as_ref().map_or((0, 0), |tally| (tally.up, tally.down));
            let Some(right) = expected.next() else { bail!("{thread} has more rows than comments") };
            ensure!(
                served == (right.up, right.down),
                "comment {} of {thread} has {served:?} and not {right}",
                comment.number
            );
            checked += 1;
        }
        if reply.next.is_empty() || checked >= TALLIES_CHECKED {
            return Ok(checked);
        }
        page.after = reply.next;
    }
}
