//! Whether what is served is what must have come of the load: a benchmark that does not look measures nothing.

use anyhow::{bail, ensure};
use client::{Client, PageOf};
use domain::Tally;

use crate::limits::TALLIES_CHECKED;
use crate::load::Load;

/// Compares tallies and counts, the longest threads first.
pub(crate) async fn tallies(koe: &Client, load: &Load, at_least: &str) -> anyhow::Result<()> {
    let expected = load.expected(None);
    some_tallies(koe, load, &expected, (at_least, TALLIES_CHECKED)).await
}

/// Compares every tally and count, where the votes of somebody may count for nothing.
pub(crate) async fn all_tallies(
    koe: &Client,
    load: &Load,
    void: Option<u32>,
    at_least: &str,
) -> anyhow::Result<()> {
    some_tallies(koe, load, &load.expected(void), (at_least, usize::MAX)).await
}

async fn some_tallies(
    koe: &Client,
    load: &Load,
    expected: &[Vec<Tally>],
    (at_least, most): (&str, usize),
) -> anyhow::Result<()> {
    let mut threads: Vec<_> = expected.iter().enumerate().collect();
    threads.sort_by_key(|(_, tallies)| std::cmp::Reverse(tallies.len()));
    let mut checked = 0;
    for (index, tallies) in threads {
        if checked >= most {
            return Ok(());
        }
        checked += thread(koe, load, index, (tallies, at_least, most)).await?;
    }
    ensure!(checked > 0, "there was nothing to check");
    Ok(())
}

async fn thread(
    koe: &Client,
    load: &Load,
    index: usize,
    (tallies, at_least, most): (&[Tally], &str, usize),
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
        if reply.next.is_empty() || checked >= most {
            return Ok(checked);
        }
        page.after = reply.next;
    }
}
