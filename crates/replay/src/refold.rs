//! A fold of the log of one's own, in a temporary store, up to exactly the sequence that is asked for.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use domain::{Content, SiteId};
use journal::{Entry, Journal};
use tempfile::TempDir;
use views::Store;

use crate::archive::Reader;
use crate::following::{Following, LogLost, Read};
use crate::import::chain::{Chain, Left};
use crate::limits::{BATCHES_WAITING_MAX, ERASED_NAMED_MAX};
use crate::progress::Progress;
use crate::thread_fold::temporary_store;

/// A fold that is under way.
pub(crate) struct Refold {
    // The store is closed before its directory goes.
    store: Arc<Store>,
    log: Following,
    /// Read already and not folded yet: beyond the last sequence that was asked for.
    waiting: Vec<Entry>,
    /// Nothing up to here is left to read: the last sequence folded, or the end of a gap behind it.
    passed: u64,
    events: u64,
    /// Messages that could not be read: the first of them, and how many.
    unreadable: (Vec<u64>, u64),
    _dir: TempDir,
}

impl Refold {
    /// Begins with nothing.
    pub(crate) async fn begin(journal: &Journal) -> anyhow::Result<Self> {
        let log = Following::begin(journal, 0).await?;
        let (store, dir) =
            tokio::task::spawn_blocking(temporary_store).await.context("the temporary store broke")??;
        let unreadable = (Vec::new(), 0);
        Ok(Self { store, log, waiting: Vec::new(), passed: 0, events: 0, unreadable, _dir: dir })
    }

    /// The store, to read at the sequence that was folded to.
    pub(crate) fn store(&self) -> Arc<Store> {
        Arc::clone(&self.store)
    }

    /// Folds archives first, and then the log behind them, if it is the one that they are of. Returns the site that they are of, if
    /// they are not of all of it.
    pub(crate) async fn begin_from(
        journal: &Journal,
        archives: &[PathBuf],
        progress: &Progress,
    ) -> anyhow::Result<(Self, Option<SiteId>)> {
        let given = archives.to_vec();
        progress.begin("checking the archive", 0);
        let checked = tokio::task::spawn_blocking(move || Chain::check(&given));
        let chain = checked.await.context("checking broke")??;
        ensure!(
            chain.previous().is_none(),
            "the archive follows another one: name all of its chain, that one first"
        );
        let mut refold = Self::begin(journal).await?;
        let same = chain.is_of(&refold.log.head());
        journal.look_for_erased().await.context("what was erased cannot be seen")?;
        let left = Arc::new(Left::of_chain(&chain));
        let (sender, mut chunks) = tokio::sync::mpsc::channel(BATCHES_WAITING_MAX);
        let (given, reading) = (archives.to_vec(), Arc::clone(&left));
        let reading = tokio::task::spawn_blocking(move || {
            for path in given {
                let mut reader = Reader::open(&path)?;
                while let Some(chunk) = reader.next()? {
                    let entries: Vec<_> = chunk.entries.into_iter().map(|entry| reading.of(entry)).collect();
                    if sender.blocking_send(entries).is_err() {
                        break;
                    }
                }
            }
            Ok::<_, anyhow::Error>(())
        });
        progress.begin("folding the archive", chain.events());
        while let Some(entries) = chunks.recv().await {
            let entries = if same {
                entries.into_iter().map(|entry| journal.without_erased(entry)).collect()
            } else {
                entries
            };
            refold.fold(entries).await?;
            progress.at(refold.events, chain.events());
        }
        reading.await.context("reading the archive broke")??;
        if same {
            refold.log = Following::begin(journal, chain.up_to()).await?;
            refold.passed = chain.up_to();
        } else {
            // Another log goes on as it likes: what is served is compared with the archive alone.
            refold.passed = u64::MAX;
        }
        Ok((refold, chain.site().cloned()))
    }

    /// Messages that could not be read: the first of them, and how many.
    pub(crate) fn unreadable(&self) -> (Vec<u64>, u64) {
        self.unreadable.clone()
    }

    /// Whether nothing will be folded any more: it is of archives of another log.
    pub(crate) fn is_done(&self) -> bool {
        self.passed == u64::MAX
    }

    /// Messages folded so far.
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// The last sequence folded.
    pub(crate) fn sequence(&self) -> u64 {
        self.store.sequence()
    }

    /// Folds everything up to a sequence and nothing beyond it. Gaps are passed.
    pub(crate) async fn fold_to(
        &mut self,
        sequence: u64,
        progress: &Progress,
    ) -> anyhow::Result<Result<(), LogLost>> {
        while self.passed < sequence {
            let next = up_to(&mut self.waiting, sequence);
            self.fold(next).await?;
            self.passed = self.passed.max(self.sequence());
            progress.at(self.sequence(), sequence);
            if self.passed >= sequence || !self.waiting.is_empty() {
                break;
            }
            match self.log.next(sequence).await? {
                Read::Some(entries) => self.waiting = entries,
                Read::Nothing => self.passed = sequence,
                Read::Lost => return Ok(Err(LogLost)),
            }
        }
        Ok(Ok(()))
    }

    async fn fold(&mut self, entries: Vec<Entry>) -> anyhow::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        self.events += u64::try_from(entries.len()).expect("a length fits");
        let (store, stream, head) = (self.store(), self.log.stream().to_owned(), self.log.head());
        let folded = tokio::task::spawn_blocking(move || {
            let recorded: Vec<_> = entries.iter().map(Entry::decode).collect();
            let unreadable = recorded.iter().filter(|it| matches!(it.content, Content::Unreadable(_)));
            let unreadable: Vec<_> = unreadable.map(|recorded| recorded.sequence).collect();
            store.catch_up(&recorded, (&stream, head.created_nanos, head.epoch)).map(|_| unreadable)
        });
        let folded = folded.await.context("the fold broke")?;
        for sequence in folded.context("the temporary store cannot be written")? {
            self.unreadable.1 += 1;
            if self.unreadable.0.len() < ERASED_NAMED_MAX {
                self.unreadable.0.push(sequence);
            }
        }
        Ok(())
    }
}

/// Takes the entries up to a sequence, which may lie inside a batch; what lies beyond it stays.
fn up_to(waiting: &mut Vec<Entry>, sequence: u64) -> Vec<Entry> {
    let border = waiting.partition_point(|entry| entry.sequence <= sequence);
    let beyond = waiting.split_off(border);
    std::mem::replace(waiting, beyond)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use domain::text::Text;
    use domain::{Actor, CommandId, CommentId, Content, Envelope, Event, Place, Recorded, Role, Timestamp, Vote};

    use super::*;

    pub(crate) fn place(thread: Option<&str>) -> Place {
        Place { site: "demo".parse().unwrap(), thread: thread.map(|thread| thread.parse().unwrap()) }
    }

    /// The events of a small site, in log order.
    pub(crate) struct Life(Vec<(Place, Envelope)>);

    impl Life {
        /// A site with threads `a` and `b`, two comments in each and a vote on each first one.
        pub(crate) fn of_two_threads() -> Self {
            let mut life = Self(Vec::new());
            life.add(None, "admin", Event::SiteOpened { name: "Demo".into(), zone: "Asia/Tokyo".into() });
            for thread in ["a", "b"] {
                let (headline, none) = ("Headline".into(), Box::<str>::default());
                let opened = Event::ThreadOpened {
                    headline,
                    address: none.clone(),
                    category: none,
                    published: None,
                    closes_at: None,
                };
                life.add(Some(thread), "cms", opened);
                let post = |text: &str| Event::CommentPosted {
                    parent: None,
                    text: Text::recorded(text),
                    quotes: Vec::new(),
                    length: 5,
                    held: None,
                    original_time: None,
                };
                let first = life.add(Some(thread), "ann", post("first"));
                life.add(Some(thread), "bob", post("other"));
                life.add(Some(thread), "cat", Event::VoteCast { comment: first, vote: Vote::Up });
            }
            life
        }

        fn add(&mut self, thread: Option<&str>, actor: &str, event: Event) -> CommentId {
            let id = CommandId::from_u128(u128::try_from(self.0.len()).unwrap() + 1);
            let roles = [Role::Administrator, Role::Service].into_iter().collect();
            let actor = Actor { id: actor.parse().unwrap(), roles };
            self.0.push((place(thread), Envelope { id, time: Timestamp(1_000), actor, event }));
            CommentId(id)
        }

        /// The events as a log holds them, from sequence 1 on.
        pub(crate) fn recorded(&self) -> Vec<Recorded> {
            let numbered = (1..).zip(&self.0);
            numbered.map(|(sequence, (place, envelope))| recorded(sequence, place, envelope)).collect()
        }

        /// A vote on the last comment of thread `b`, as the event after so many.
        pub(crate) fn vote_on_second_comment(&self, after: usize) -> Option<Recorded> {
            let mut life = Self(self.0.clone());
            let posted =
                |(_, envelope): &&(Place, Envelope)| matches!(envelope.event, Event::CommentPosted { .. });
            let comment = CommentId(self.0.iter().rev().find(posted)?.1.id);
            life.add(Some("b"), "dan", Event::VoteCast { comment, vote: Vote::Down });
            let (place, envelope) = life.0.last()?;
            Some(recorded(u64::try_from(after).ok()? + 1, place, envelope))
        }
    }

    fn recorded(sequence: u64, place: &Place, envelope: &Envelope) -> Recorded {
        Recorded { sequence, place: Some(place.clone()), content: Content::Event(envelope.clone()) }
    }

    async fn journal(life: &Life) -> Journal {
        let journal = Journal::in_memory(Duration::from_mins(1));
        for (place, envelope) in &life.0 {
            journal.append(place, envelope, None).await.unwrap();
        }
        journal
    }

    fn sequences(entries: &[Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.sequence).collect()
    }

    #[tokio::test]
    async fn a_batch_is_split_at_a_sequence_and_at_a_gap_alike() {
        let journal = journal(&Life::of_two_threads()).await;
        let entry = journal.read(1).await.unwrap().unwrap();
        let of = |sequences: &[u64]| -> Vec<Entry> {
            sequences.iter().map(|sequence| Entry { sequence: *sequence, ..entry.clone() }).collect()
        };
        for (sequence, taken, left) in [
            (0, vec![], vec![2, 3, 7, 8]),
            (3, vec![2, 3], vec![7, 8]),
            (5, vec![2, 3], vec![7, 8]),
            (9, vec![2, 3, 7, 8], vec![]),
        ] {
            let mut waiting = of(&[2, 3, 7, 8]);
            assert_eq!(sequences(&up_to(&mut waiting, sequence)), taken, "up to {sequence}");
            assert_eq!(sequences(&waiting), left, "beyond {sequence}");
        }
    }

    #[tokio::test]
    async fn a_fold_stops_exactly_where_it_is_told_and_goes_on_from_there() {
        let life = Life::of_two_threads();
        let journal = journal(&life).await;
        let progress = Progress::new();
        let mut refold = Refold::begin(&journal).await.unwrap();
        for sequence in [1, 4, 4, 9] {
            refold.fold_to(sequence, &progress).await.unwrap().unwrap();
            assert_eq!((refold.sequence(), refold.events()), (sequence, sequence));
            assert_eq!(refold.store().view().sequence(), sequence);
        }
    }

    #[tokio::test]
    async fn a_sequence_beyond_the_logs_end_means_a_lost_log() {
        let journal = journal(&Life::of_two_threads()).await;
        let mut refold = Refold::begin(&journal).await.unwrap();
        assert_eq!(refold.fold_to(99, &Progress::new()).await.unwrap(), Err(LogLost));
        journal.begin_epoch(journal.look().await.unwrap().epoch).await.unwrap();
        assert_eq!(refold.fold_to(99, &Progress::new()).await.unwrap(), Err(LogLost), "and so does another epoch");
    }
}
