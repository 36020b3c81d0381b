//! `koe replay verify`: the log folded again, compared with what is served, page by page.
//!
//! The projector folds on meanwhile, so each page says at which sequence these were the places, and each digest at which
//! it was read. These never go back, so that the own fold goes to exactly each one and compares there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use client::Client;
use domain::{Place, SiteId};
use journal::Journal;
use tokio::task::JoinSet;
use views::{BrokenLaw, Digest, View, Voters};
use wire::error::Failure;
use wire::{Code, Position, v1};

use crate::compare::{self, Difference, Spot};
use crate::following::open_log;
use crate::limits::{ATTEMPTS_MAX, PAGE_COMMENTS, PAGE_PLACES, PAGE_PLACES_LEN, SEARCHED_MAX};
use crate::patience::Patience;
use crate::progress::Progress;
use crate::refold::Refold;
use crate::report::Report;

/// What was compared so far says nothing any more: the log lost its tail, or another generation serves from further
/// back.
struct StartOver;

/// Compares until it is done; starts over a few times at most.
pub(crate) async fn run(
    nats: async_nats::Client,
    archives: &[PathBuf],
    progress: &Progress,
) -> anyhow::Result<Report> {
    let journal = open_log(nats.clone()).await?;
    let koe = Client::new(nats);
    for _ in 0..ATTEMPTS_MAX {
        let mut verify = Verify::begin(&koe, &journal, archives, progress).await?;
        if let Ok(()) = verify.compare().await? {
            progress.end();
            verify.report.set_unreadable(verify.refold.unreadable());
            return Ok(verify.report);
        }
        progress.say("another log or generation is served now: starting over");
    }
    bail!("what is served was exchanged {ATTEMPTS_MAX} times meanwhile: verify again when that is over")
}

struct Verify<'a> {
    koe: &'a Client,
    progress: &'a Progress,
    /// Only places of this one are compared.
    site: Option<SiteId>,
    refold: Refold,
    /// The log's end at the beginning: what is served must hold all of that.
    at_least: Position,
    report: Report,
    searched: usize,
    /// Of the own fold.
    voters: Voters,
}

/// A page of served places.
struct Page {
    position: Position,
    /// With the position that each digest was read at.
    digests: BTreeMap<Place, (Position, Digest)>,
    is_last: bool,
}

impl<'a> Verify<'a> {
    async fn begin(
        koe: &'a Client,
        journal: &Journal,
        archives: &[PathBuf],
        progress: &'a Progress,
    ) -> anyhow::Result<Self> {
        let head = journal.look().await.context("the log's end cannot be seen")?;
        let at_least = Position { epoch: head.epoch, sequence: head.sequence };
        let (refold, site) = match archives {
            [] => (Refold::begin(journal).await?, None),
            archives => Refold::begin_from(journal, archives, progress).await?,
        };
        progress.begin("folding", head.sequence);
        Ok(Self {
            koe,
            progress,
            site,
            refold,
            at_least,
            report: Report::new(at_least),
            searched: 0,
            voters: Voters::default(),
        })
    }

    async fn compare(&mut self) -> anyhow::Result<Result<(), StartOver>> {
        let mut after: Option<Place> = None;
        // The projector reads the next page while this one is compared.
        let mut ahead = JoinSet::new();
        loop {
            let asked = ahead.join_next().await.and_then(Result::ok).and_then(Result::ok);
            let page = match asked {
                Some(reply) => Ok(page_in(reply)?),
                None => self.page(after.as_ref()).await?,
            };
            let Ok(mut page) = page else {
                return Ok(Err(StartOver));
            };
            let last = page.digests.keys().next_back().cloned();
            if !page.is_last {
                let (koe, question) = (self.koe.clone(), self.question(last.as_ref()));
                ahead.spawn(async move { koe.digest(&question).await });
            }
            if let Err(over) = self.fold_to(page.position).await? {
                return Ok(Err(over));
            }
            if !page.is_last && last <= after {
                bail!("the projector gives the same places again");
            }
            let up_to = if page.is_last { None } else { last.clone() };
            let mut folded = self.places(after.take(), up_to).await?;
            if let Some(site) = &self.site {
                folded.retain(|place| place.site == *site);
                page.digests.retain(|place, _| place.site == *site);
            }
            let lacking = compare::lacking(&folded, page.digests.keys());
            let extra = lacking.iter().filter(|(_, difference)| *difference == Difference::NotInLog).count();
            for (place, difference) in lacking {
                self.report.add(place, difference, None);
            }
            let mut differing = Vec::new();
            for (place, (position, served)) in &page.digests {
                if let Err(over) = self.fold_to(*position).await? {
                    return Ok(Err(over));
                }
                if !folded.contains(place) {
                    continue;
                }
                let (digest, broken) = self.digest(place).await?;
                for law in broken {
                    self.report.add_broken(place, law);
                }
                if digest != *served {
                    differing.push(place);
                }
            }
            // A search folds to where the projector is by then, which is past the page's other places, and past the next page.
            if !differing.is_empty() {
                ahead.abort_all();
                while ahead.join_next().await.is_some() {}
            }
            for place in differing {
                let spot = self.spot(place).await?;
                self.report.add(place.clone(), Difference::Contents, spot);
                if let Some(Spot::Comment(number)) = spot {
                    self.name_field(place, number).await?;
                }
            }
            self.report.compared(folded.len() + extra, self.refold.events(), page.position);
            if page.is_last {
                return Ok(Ok(()));
            }
            after = last;
        }
    }

    fn question(&self, after: Option<&Place>) -> v1::DigestRequest {
        v1::DigestRequest {
            after: after.map(place_out),
            limit: PAGE_PLACES,
            at_least: self.at_least.to_string(),
            ..v1::DigestRequest::default()
        }
    }

    /// The served page after a place, once the projector has all that the log had at the beginning.
    async fn page(&self, after: Option<&Place>) -> anyhow::Result<Result<Page, StartOver>> {
        let question = self.question(after);
        let mut patience = Patience::new();
        loop {
            match self.koe.digest(&question).await {
                Ok(reply) => return Ok(Ok(page_in(reply)?)),
                Err(error) if error.code() == Some(Code::Failed(Failure::PositionLost)) => {
                    return Ok(Err(StartOver));
                }
                Err(error) if error.is_transient() => patience.wait(self.koe, self.progress).await?,
                Err(error) => return Err(error).context("the projector does not give its digests"),
            }
        }
    }

    /// Folds to the position of an answer and no further.
    async fn fold_to(&mut self, position: Position) -> anyhow::Result<Result<(), StartOver>> {
        if position.epoch != self.at_least.epoch
            || (!self.refold.is_done() && position.sequence < self.refold.sequence())
        {
            return Ok(Err(StartOver));
        }
        let folded = self.refold.fold_to(position.sequence, self.progress).await?;
        Ok(folded.or(Err(StartOver)))
    }

    /// Reads the own fold.
    async fn read<T: Send + 'static>(
        &mut self,
        read: impl FnOnce(&View<'_>, &mut Voters) -> Result<T, views::Error> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (store, mut voters) = (self.refold.store(), std::mem::take(&mut self.voters));
        let read = tokio::task::spawn_blocking(move || {
            let read = read(&store.view(), &mut voters);
            (read, voters)
        });
        let (read, voters) = read.await.context("reading the temporary store broke")?;
        self.voters = voters;
        read.context("the temporary store cannot be read")
    }

    /// The own places between two.
    async fn places(&mut self, after: Option<Place>, up_to: Option<Place>) -> anyhow::Result<BTreeSet<Place>> {
        self.read(move |view, _| compare::places_between(view, after.as_ref(), up_to.as_ref(), PAGE_PLACES_LEN))
            .await
    }

    /// The own digest of a place, and the laws that do not hold there.
    async fn digest(&mut self, place: &Place) -> anyhow::Result<(Digest, Vec<BrokenLaw>)> {
        let place = place.clone();
        self.read(move |view, voters| view.checked_digest(&place, voters)).await
    }

    /// Names the first field of a comment that differs, if the projector tells it. Both sides are read again, later and alike.
    async fn name_field(&mut self, place: &Place, number: u32) -> anyhow::Result<()> {
        let only = v1::DigestRequest {
            only: Some(place_out(place)),
            comments_after: number,
            limit: 1,
            fields_of: number,
            ..v1::DigestRequest::default()
        };
        let Ok(reply) = self.koe.digest(&only).await else { return Ok(()) };
        if self.fold_to(position_in(&reply.position)?).await?.is_err() {
            return Ok(());
        }
        let place = place.clone();
        let folded = self.read(move |view, _| view.comment_fields(&place, number)).await?;
        let differs = folded.iter().zip(&reply.fields).find(|((_, folded), served)| *folded != served.value);
        match differs {
            Some(((name, folded), served)) => self.report.add_field(name, folded, &served.value),
            // Who voted, and not how many.
            None => self.report.add_field("voters, revisions or flags", "some", "others"),
        }
        Ok(())
    }

    /// Where in a place the contents differ, if that can be found out. Both sides are read again, later and alike.
    async fn spot(&mut self, place: &Place) -> anyhow::Result<Option<Spot>> {
        if place.thread.is_none() {
            return Ok(Some(Spot::Outside));
        }
        if self.searched == SEARCHED_MAX {
            return Ok(None);
        }
        self.searched += 1;
        let mut after = 0;
        loop {
            let only = v1::DigestRequest {
                only: Some(place_out(place)),
                comments_after: after,
                limit: PAGE_COMMENTS,
                ..v1::DigestRequest::default()
            };
            // A projector that does not say leaves the thread named, and its comment not.
            let Ok(reply) = self.koe.digest(&only).await else {
                return Ok(None);
            };
            if self.fold_to(position_in(&reply.position)?).await?.is_err() {
                return Ok(None);
            }
            let served = reply.comments.iter().map(|digest| digest_in(digest));
            let served = served.collect::<anyhow::Result<Vec<_>>>()?;
            let place = place.clone();
            let own = move |view: &View<'_>, voters: &mut Voters| {
                view.comment_digests(&place, after, PAGE_COMMENTS, voters)
            };
            let (folded, more) = self.read(own).await?;
            let spot = compare::spot(after, (&folded, more), (&served, !reply.done));
            if spot.is_some() {
                return Ok(spot);
            }
            after = after.saturating_add(PAGE_COMMENTS);
        }
    }
}

fn place_out(place: &Place) -> v1::Place {
    let thread = place.thread.as_ref().map_or_else(String::new, ToString::to_string);
    v1::Place { site: place.site.to_string(), thread }
}

fn place_in(place: &v1::Place) -> anyhow::Result<Place> {
    let parsed = place.site.parse().and_then(|site| {
        let thread = if place.thread.is_empty() { None } else { Some(place.thread.parse()?) };
        Ok(Place { site, thread })
    });
    parsed.context("the projector names a place that cannot be")
}

fn position_in(position: &str) -> anyhow::Result<Position> {
    position.parse().context("the projector's position cannot be read")
}

fn digest_in(digest: &[u8]) -> anyhow::Result<Digest> {
    digest.try_into().context("the projector gives a digest of another length")
}

fn page_in(reply: v1::DigestReply) -> anyhow::Result<Page> {
    let position = position_in(&reply.position)?;
    let digests = reply.places.into_iter().map(|served| {
        let place = place_in(&served.place.unwrap_or_default())?;
        Ok((place, (position_in(&served.position)?, digest_in(&served.digest)?)))
    });
    Ok(Page { position, digests: digests.collect::<anyhow::Result<_>>()?, is_last: reply.done })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refold::tests::place;

    fn served(site: &str, thread: &str, digest: Vec<u8>) -> v1::DigestReply {
        let place = Some(v1::Place { site: site.into(), thread: thread.into() });
        let places = vec![v1::PlaceDigest { place, digest: digest.into(), position: "0-feed-8".into() }];
        v1::DigestReply { position: "0-feed-7".into(), places, done: true, ..v1::DigestReply::default() }
    }

    #[test]
    fn a_page_is_read_or_refused() {
        let page = page_in(served("demo", "a", vec![7; 32])).unwrap();
        let read_at = Position { epoch: 0xfeed, sequence: 8 };
        assert_eq!(page.digests, BTreeMap::from([(place(Some("a")), (read_at, [7; 32]))]));
        assert_eq!((page.position.sequence, page.is_last), (7, true));
        for bad in
            [served("demo", "a", vec![7; 31]), served("", "a", vec![7; 32]), served("demo", "a.b", vec![7; 32])]
        {
            assert!(page_in(bad).is_err());
        }
        assert_eq!(place_in(&place_out(&place(None))).unwrap(), place(None));
    }
}
