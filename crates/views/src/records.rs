//! What stands under the keys. Stored: a change is a new schema.

mod lists;
mod undoing;

use domain::State;
use domain::settings::SiteRules;
use serde::{Deserialize, Serialize};

use crate::codes;
use crate::error::Error;
use crate::keys::{SCORES_IN_CHUNK, VOTERS_IN_CHUNK};
use crate::value::Plain;
pub(crate) use lists::{Activity, Board, BoardEntry, Hour, Posted, Totals, Waits, begin_of};
pub(crate) use undoing::{Cast, Cover, Decision, Numbers, Removal, RemovalOf, TookPart, VotesCast};

/// What is folded: the end of the prefix of the log that the store is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The name of the stream.
    pub stream: String,
    /// When the stream was made, in nanoseconds since the Unix epoch.
    pub created_nanos: i64,
    /// The log's epoch.
    pub epoch: u64,
    /// The last sequence that is folded.
    pub sequence: u64,
    /// Sites in which not every thread has come to what was decided for the whole site.
    pub open: u32,
    /// The `Nats-Msg-Id` at that sequence, to tell whether the log is still the same.
    pub message_id: String,
    /// The layout that the store was written with.
    pub schema: u32,
}

/// A place that stands still, because one of its events cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// The site.
    pub site: String,
    /// The thread; empty for the whole site.
    pub thread: String,
    /// Where the event stands in the log.
    pub sequence: u64,
    /// The event's `Nats-Msg-Id`.
    pub message_id: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A site. It is known to the store from the first event that names it, and open from its `site-opened`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Site {
    pub(crate) place: u32,
    pub(crate) opened: Option<SiteOpened>,
    pub(crate) frozen: bool,
    /// Events that came after it froze and are not folded.
    pub(crate) skipped: u64,
    /// How many voters have a number.
    pub(crate) voters: u32,
    pub(crate) rules: Rules,
    pub(crate) mode: Mode,
    /// How many bans were spoken.
    pub(crate) bans: u32,
    /// Where the latest `site-set` stands in the log.
    pub(crate) set_at: u64,
    /// Decisions about all of its threads, up to now.
    pub(crate) decisions: u32,
    /// Of these, the ones that every thread has come to.
    pub(crate) swept: u32,
    /// Where the sweep for the next one stands: before the thread that was opened as this number of the site...
    pub(crate) sweep_thread: u32,
    /// ...and, if it is under way there, how far.
    pub(crate) sweep_step: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SiteOpened {
    pub(crate) name: String,
    pub(crate) zone: String,
}

/// What the rules of the fold ask of a site's settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rules {
    pub(crate) edit_window_secs: u32,
    pub(crate) text_chars_max: u32,
    pub(crate) report_threshold: u32,
}

impl Default for Rules {
    fn default() -> Self {
        let SiteRules { edit_window_secs, text_chars_max, report_threshold } = SiteRules::default();
        Self { edit_window_secs, text_chars_max, report_threshold }
    }
}

impl Rules {
    pub(crate) fn get(&self) -> SiteRules {
        let Self { edit_window_secs, text_chars_max, report_threshold } = *self;
        SiteRules { edit_window_secs, text_chars_max, report_threshold }
    }
}

/// The mode of a site or a thread.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Mode {
    pub(crate) code: u8,
    pub(crate) reason: String,
    /// The thread where the discussion goes on, or empty.
    pub(crate) successor: String,
}

/// The settings of a site that only writers and pages ask for. Its lists of words stand under keys of their own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) locale: String,
    pub(crate) premoderate_first: u32,
    pub(crate) premoderate_links: bool,
    pub(crate) comments_per_minute: u32,
    pub(crate) votes_per_minute: u32,
    /// How many chunks each of the two lists has.
    pub(crate) chunks: [u32; 2],
}

/// A thread. It is known to the store from the first event that names it, and open from its `thread-opened`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Thread {
    pub(crate) place: u32,
    pub(crate) opened: Option<ThreadOpened>,
    pub(crate) frozen: bool,
    /// Events that came after it froze and are not folded.
    pub(crate) skipped: u64,
    /// The highest number: its comments, those that were never shown too.
    pub(crate) posted: u32,
    /// Its rows: the comments that were shown once.
    pub(crate) count: u32,
    /// The latest time of its events; rules take no event as earlier.
    pub(crate) latest_millis: i64,
    pub(crate) mode: Mode,
    /// How often its article moved, and so how many former addresses it has.
    pub(crate) moves: u32,
    /// The decisions of its site that it came to ahead of the sweep.
    pub(crate) decisions: u32,
}

impl Thread {
    /// A thread of which nothing is known.
    pub(crate) fn new(place: u32) -> Self {
        Self {
            place,
            opened: None,
            frozen: false,
            skipped: 0,
            posted: 0,
            count: 0,
            latest_millis: i64::MIN,
            mode: Mode::default(),
            moves: 0,
            decisions: 0,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ThreadOpened {
    pub(crate) headline: String,
    pub(crate) address: String,
    pub(crate) category: String,
    pub(crate) published_millis: Option<i64>,
    pub(crate) closes_at_millis: Option<i64>,
}

/// The thread that took an address last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) address: String,
    pub(crate) thread: String,
}

/// An author of a site.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Author {
    /// What they are called, or empty.
    pub(crate) name: String,
    /// How many names they had before.
    pub(crate) former_names: u32,
    /// The ban that was spoken last, unless it was taken back.
    pub(crate) ban: Option<Ban>,
    /// How many of their comments were shown once.
    pub(crate) shown: u32,
    /// Since when their votes are void, if they are.
    pub(crate) votes_void_since: Option<i64>,
    /// Whether this is the pseudonym of somebody who was erased.
    pub(crate) erased: bool,
    /// How many removals of their comments there were.
    pub(crate) removals: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ban {
    pub(crate) until_millis: Option<i64>,
    pub(crate) reason: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FormerName {
    pub(crate) name: String,
    pub(crate) until_millis: i64,
}

/// The ids of voters whose numbers follow one another.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct VoterIds(pub(crate) Vec<String>);

impl VoterIds {
    /// The chunk of a voter's number, and its place there.
    pub(crate) fn place_of(voter: u32) -> (u32, usize) {
        (voter / VOTERS_IN_CHUNK, usize::try_from(voter % VOTERS_IN_CHUNK).expect("below 128"))
    }
}

/// A comment without its words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Comment {
    pub(crate) id: u128,
    pub(crate) author: String,
    /// When it was posted here, which rules judge.
    pub(crate) time_millis: i64,
    /// When it was posted elsewhere, of one that was imported.
    pub(crate) original_millis: Option<i64>,
    /// The number of the comment it replies to; 0 for none.
    pub(crate) parent: u32,
    /// Of each revision, in characters.
    pub(crate) lengths: Vec<u32>,
    /// The revisions that readers never saw.
    pub(crate) unseen: Vec<u32>,
    /// How it stands but for removals of many: [`Comment::state`] knows those too.
    pub(crate) own_state: u8,
    /// Whether it was ever visible, and so has a row.
    pub(crate) shown: bool,
    /// Why it is held; 0 if it is not.
    pub(crate) held: u8,
    pub(crate) removed: Option<Removed>,
    /// The removals of many that cover it.
    pub(crate) covers: Vec<Cover>,
    pub(crate) edited_millis: Option<i64>,
    pub(crate) featured: bool,
    pub(crate) flags: Flags,
}

impl Comment {
    /// When it was posted, as readers see it.
    pub(crate) fn shown_millis(&self) -> i64 {
        self.original_millis.unwrap_or(self.time_millis)
    }

    /// How it stands.
    pub(crate) fn state(&self) -> Result<State, Error> {
        let own = codes::state(self.own_state)?;
        let covered = !self.covers.is_empty() && matches!(own, State::Visible | State::Held);
        Ok(if covered { State::Removed } else { own })
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Removed {
    pub(crate) by: String,
    pub(crate) reason: String,
    pub(crate) rule: String,
    pub(crate) time_millis: i64,
    /// Where in the log; in no digest.
    pub(crate) sequence: u64,
}

/// What a comment's flags come to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Flags {
    /// That wait for a decision.
    pub(crate) open: u32,
    /// Of those, the ones that say that the content is illegal.
    pub(crate) illegal: u32,
    /// Of those that wait, the ones made since a moderator looked last: they count towards holding it.
    pub(crate) counted: u32,
    /// How often a moderator looked: approved it, or decided on its flags.
    pub(crate) round: u32,
    /// The round of the latest resolution: flags of that round and before are decided on.
    pub(crate) resolved: Option<u32>,
    /// When the oldest that waits was made.
    pub(crate) since_millis: Option<i64>,
}

/// A flag.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Flag {
    pub(crate) category: u8,
    pub(crate) words: String,
    pub(crate) time_millis: i64,
    /// The comment's round when it was made. The first resolution of this round or a later one decided on it.
    pub(crate) round: u32,
}

impl Flag {
    /// Whether it waits for a decision, on a comment whose flags come to this.
    pub(crate) fn waits(&self, flags: &Flags) -> bool {
        flags.resolved.is_none_or(|resolved| self.round > resolved)
    }
}

/// A decision on all flags that a comment had.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Resolution {
    pub(crate) upheld: bool,
    pub(crate) statement: String,
    pub(crate) by: String,
    pub(crate) time_millis: i64,
    /// Where in the log; in no digest.
    pub(crate) sequence: u64,
}

/// The words of a comment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Words {
    pub(crate) text: String,
    pub(crate) quotes: Vec<Quote>,
    /// Since when it says this.
    pub(crate) time_millis: i64,
}

/// A quote, by the number of the quoted comment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Quote {
    pub(crate) number: u32,
    pub(crate) revision: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) at: u32,
}

/// A decision, as the audit shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Audit {
    pub(crate) time_millis: i64,
    pub(crate) by: String,
    /// The event's type.
    pub(crate) kind: String,
    /// The thread, or empty.
    pub(crate) thread: String,
    /// The comment, or 0.
    pub(crate) comment: u128,
    /// The author it is about, or empty.
    pub(crate) author: String,
    pub(crate) reason: String,
    pub(crate) before: String,
    pub(crate) after: String,
}

/// What came of a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Command {
    pub(crate) sequence: u64,
    /// The code of the rule that its event broke; `None` if it was applied.
    pub(crate) void: Option<String>,
    /// The number of the comment that it posted; 0 if it posted none.
    pub(crate) comment: u32,
    /// The number of the decision about all threads of its site that it was; 0 if it was none.
    pub(crate) decision: u32,
}

/// Tallies of comments that stand beside one another: up and down of each.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Scores(Vec<(u32, u32)>);

impl Scores {
    /// The chunk of a comment's number, and its place there.
    pub(crate) fn place_of(number: u32) -> (u32, usize) {
        let index = number.saturating_sub(1);
        (index / SCORES_IN_CHUNK, usize::try_from(index % SCORES_IN_CHUNK).expect("below 128"))
    }

    pub(crate) fn get(&self, slot: usize) -> domain::Tally {
        let (up, down) = self.0.get(slot).copied().unwrap_or_default();
        domain::Tally { up, down }
    }

    pub(crate) fn set(&mut self, slot: usize, tally: domain::Tally) {
        if self.0.len() <= slot {
            self.0.resize(slot + 1, (0, 0));
        }
        if let Some(score) = self.0.get_mut(slot) {
            *score = (tally.up, tally.down);
        }
    }
}

/// What votes do not change of comments that stand beside one another, for rankings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outline(pub(crate) Vec<Line>);

/// Of one comment.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) time_millis: i64,
    /// The number of the comment that it stands below in a tree: the one that it replies to, if that had a row; else 0.
    pub(crate) below: u32,
    pub(crate) shown: bool,
}

impl Outline {
    /// The chunk of a comment's number, and its place there: those of its scores.
    pub(crate) fn place_of(number: u32) -> (u32, usize) {
        Scores::place_of(number)
    }

    /// The line at a place below 128.
    pub(crate) fn line(&mut self, slot: usize) -> &mut Line {
        if self.0.len() <= slot {
            self.0.resize(slot + 1, Line::default());
        }
        self.0.get_mut(slot).expect("it is as long as that now")
    }
}

impl Plain for Checkpoint {}
impl Plain for Frozen {}
impl Plain for Site {}
impl Plain for Settings {}
impl Plain for Address {}
impl Plain for Author {}
impl Plain for VoterIds {}
impl Plain for FormerName {}
impl Plain for Flag {}
impl Plain for Resolution {}
impl Plain for Audit {}
impl Plain for Thread {}
impl Plain for Comment {}
impl Plain for Words {}
impl Plain for Command {}
impl Plain for Scores {}
impl Plain for Outline {}

#[cfg(test)]
mod tests;
