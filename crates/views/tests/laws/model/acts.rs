//! What a generated history is made of: every kind of event, by those who may and those who may not.

use domain::settings::SettingsPatch;
use domain::{FlagCategory, Hold, Mode, Role, Vote};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// How many people there are: few, so that they meet.
pub(crate) const READERS: u8 = 5;
/// The number of a comment that no thread has.
pub(crate) const UNKNOWN: u8 = u8::MAX;

/// Who does something, and as what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who {
    pub(crate) number: u8,
    pub(crate) role: Option<Role>,
}

/// Somebody does something somewhere. What is about the whole site passes over the thread.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) by: Who,
    pub(crate) thread: u8,
    pub(crate) what: What,
}

/// What is done. Comments are counted from 0 in their thread and taken modulo how many there are; times are seconds
/// from now.
#[derive(Clone, Debug)]
pub(crate) enum What {
    OpenSite,
    SetSite(Box<SettingsPatch>),
    OpenThread {
        address: u8,
        closes: Option<i64>,
    },
    UpdateThread {
        headline: Option<u8>,
        published: Option<i64>,
        closes: Option<Closes>,
    },
    SetMode {
        whole_site: bool,
        mode: Mode,
    },
    Move(u8),
    Name {
        author: u8,
        name: u8,
    },
    Ban {
        author: u8,
        until: Option<i64>,
    },
    Unban(u8),
    Post {
        parent: Option<u8>,
        quote: Option<Quoted>,
        held: Option<Hold>,
    },
    Edit {
        comment: u8,
        own: bool,
        ahead: u32,
        quote: Option<Quoted>,
        held: Option<Hold>,
    },
    Delete {
        comment: u8,
        own: bool,
    },
    Hold(u8),
    /// The comment, and whether the revision that is named is the current one.
    Approve(u8, Option<bool>),
    Remove(u8),
    Restore(u8),
    Feature(u8, bool),
    Flag(u8, FlagCategory),
    Withdraw(u8),
    Resolve {
        comment: u8,
        upheld: bool,
        statement: bool,
    },
    Vote(u8, Vote),
    /// Of these voters, a bit for each; only what was cast since then.
    Void {
        voters: u8,
        since: Option<i64>,
    },
    Unvoid(u8),
    RemoveAll {
        author: u8,
        whole_site: bool,
        since: Option<i64>,
    },
    /// One of the removals that there were, or one that there was not, in its place or in another.
    UndoRemoval {
        which: u8,
        elsewhere: bool,
    },
    EraseComment(u8),
    EraseAuthor {
        author: u8,
        comments_kept: bool,
    },
    EraseMessages,
    /// What cannot be read, in the thread or in the whole site.
    Poison {
        whole_site: bool,
    },
    /// A message under a wrong subject: of another partition, or of none.
    Stray {
        foreign: bool,
    },
    /// An earlier message once more.
    Repeat(u8),
    /// Nothing but that time goes on.
    Wait(i64),
}

/// When a thread is said to close.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Closes {
    Never,
    In(i64),
}

/// What is quoted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quoted {
    pub(crate) comment: u8,
    pub(crate) revision: u32,
    pub(crate) end: u32,
}

impl What {
    /// Done by a reader, in the first thread.
    pub(crate) fn by(self, number: u8) -> Act {
        Act { by: Who { number, role: None }, thread: 0, what: self }
    }

    /// Done by somebody in a role, in the first thread.
    pub(crate) fn by_role(self, role: Role) -> Act {
        Act { by: Who { number: 0, role: Some(role) }, thread: 0, what: self }
    }

    /// A comment without anything.
    pub(crate) fn post() -> Self {
        Self::Post { parent: None, quote: None, held: None }
    }

    /// Opens a thread that never closes.
    pub(crate) fn open(thread: u8) -> Act {
        let opened = Self::OpenThread { address: thread, closes: None };
        Act { thread, ..opened.by_role(Role::Administrator) }
    }
}

/// A history: two threads are open from the start, a third perhaps one day.
pub(crate) fn acts(acts_max: usize) -> impl Strategy<Value = Vec<Act>> {
    vec(act(), 1..acts_max).prop_map(|mut acts| {
        acts.splice(0..0, [What::open(0), What::open(1)]);
        acts
    })
}

/// A history in which much is undone in the end.
pub(crate) fn undone_acts() -> impl Strategy<Value = Vec<Act>> {
    let act = |(what, by, thread)| Act { by, thread, what };
    let undone = prop_oneof![
        4 => (moderators_undo(), who([1, 9, 1, 0]), thread()).prop_map(act),
        3 => (erase(), who([1, 0, 5, 5]), thread()).prop_map(act),
    ];
    (acts(120), vec(undone, 0..12)).prop_map(|(acts, undone)| [acts, undone].concat())
}

fn act() -> impl Strategy<Value = Act> {
    let act = |(what, by, thread)| Act { by, thread, what };
    prop_oneof![
        52 => (readers_do(), who([20, 2, 1, 1]), thread()).prop_map(act),
        26 => (moderators_do(), who([2, 14, 2, 2]), thread()).prop_map(act),
        8 => (editors_do(), who([1, 2, 10, 3]), thread()).prop_map(act),
        6 => (happens(), who([1, 1, 1, 1]), thread()).prop_map(act),
    ]
}

fn who([reader, moderator, administrator, service]: [u32; 4]) -> impl Strategy<Value = Who> {
    let role = prop_oneof![
        reader => Just(None),
        moderator => Just(Some(Role::Moderator)),
        administrator => Just(Some(Role::Administrator)),
        service => Just(Some(Role::Service)),
    ];
    (0..READERS, role).prop_map(|(number, role)| Who { number, role })
}

fn thread() -> impl Strategy<Value = u8> {
    prop_oneof![7 => Just(0), 3 => Just(1), 1 => Just(2)]
}

/// The first one is hot, so that much happens to it.
fn comment() -> impl Strategy<Value = u8> {
    prop_oneof![16 => Just(0), 24 => 0..5u8, 1 => Just(UNKNOWN)]
}

fn quoted() -> impl Strategy<Value = Option<Quoted>> {
    let revision = prop_oneof![4 => Just(0), 2 => Just(1), 1 => Just(2)];
    let end = prop_oneof![9 => Just(4), 1 => Just(400)];
    let quoted = (comment(), revision, end);
    option::weighted(0.3, quoted.prop_map(|(comment, revision, end)| Quoted { comment, revision, end }))
}

fn held() -> impl Strategy<Value = Option<Hold>> {
    let every = [Hold::Mode, Hold::NewAuthor, Hold::Link, Hold::Word];
    option::weighted(0.15, proptest::sample::select(every.to_vec()))
}

fn readers_do() -> impl Strategy<Value = What> {
    let categories = [
        FlagCategory::Spam,
        FlagCategory::Abuse,
        FlagCategory::OffTopic,
        FlagCategory::Misinformation,
        FlagCategory::Illegal,
        FlagCategory::Other,
    ];
    let ahead = prop_oneof![1 => Just(0), 8 => Just(1), 1 => Just(2)];
    prop_oneof![
        12 => (option::weighted(0.3, comment()), quoted(), held())
            .prop_map(|(parent, quote, held)| What::Post { parent, quote, held }),
        8 => (comment(), prop::bool::weighted(0.9), ahead, quoted(), held())
            .prop_map(|(comment, own, ahead, quote, held)| What::Edit { comment, own, ahead, quote, held }),
        1 => (comment(), prop::bool::weighted(0.7)).prop_map(|(comment, own)| What::Delete { comment, own }),
        9 => (comment(), proptest::sample::select(categories.to_vec()))
            .prop_map(|(comment, category)| What::Flag(comment, category)),
        4 => comment().prop_map(What::Withdraw),
        13 => (comment(), proptest::sample::select(vec![Vote::Up, Vote::Down, Vote::None]))
            .prop_map(|(comment, vote)| What::Vote(comment, vote)),
        2 => (0..READERS, 0..4u8).prop_map(|(author, name)| What::Name { author, name }),
    ]
}

fn moderators_do() -> impl Strategy<Value = What> {
    let mode = prop_oneof![
        5 => Just(Mode::Open),
        2 => Just(Mode::Premoderated),
        1 => Just(Mode::ReadOnly),
        1 => Just(Mode::Hidden),
    ];
    prop_oneof![
        3 => comment().prop_map(What::Hold),
        7 => (comment(), any::<Option<bool>>()).prop_map(|(at, current)| What::Approve(at, current)),
        6 => comment().prop_map(What::Remove),
        8 => comment().prop_map(What::Restore),
        2 => (comment(), any::<bool>()).prop_map(|(comment, featured)| What::Feature(comment, featured)),
        5 => (comment(), any::<bool>(), any::<bool>())
            .prop_map(|(comment, upheld, statement)| What::Resolve { comment, upheld, statement }),
        2 => (0..READERS, option::weighted(0.7, -20..200i64)).prop_map(|(author, until)| What::Ban { author, until }),
        3 => (0..READERS).prop_map(What::Unban),
        3 => (prop::bool::weighted(0.3), mode).prop_map(|(whole_site, mode)| What::SetMode { whole_site, mode }),
        17 => moderators_undo(),
    ]
}

fn moderators_undo() -> impl Strategy<Value = What> {
    prop_oneof![
        5 => (1..1_u8 << READERS, since()).prop_map(|(voters, since)| What::Void { voters, since }),
        4 => (1..1_u8 << READERS).prop_map(|voters| What::Unvoid(1 << (voters % READERS))),
        4 => (0..READERS, any::<bool>(), since())
            .prop_map(|(author, whole_site, since)| What::RemoveAll { author, whole_site, since }),
        4 => (any::<u8>(), prop::bool::weighted(0.2))
            .prop_map(|(which, elsewhere)| What::UndoRemoval { which, elsewhere }),
    ]
}

/// Seconds from now; most that is undone lies a while back.
fn since() -> impl Strategy<Value = Option<i64>> {
    option::weighted(0.5, -150..20i64)
}

fn editors_do() -> impl Strategy<Value = What> {
    let closes = option::weighted(0.2, -20..300i64);
    let closing = prop_oneof![4 => Just(Closes::Never), 1 => (-20..300i64).prop_map(Closes::In)];
    prop_oneof![
        1 => Just(What::OpenSite),
        5 => settings().prop_map(|patch| What::SetSite(Box::new(patch))),
        3 => (0..4u8, closes).prop_map(|(address, closes)| What::OpenThread { address, closes }),
        2 => (option::of(0..3u8), option::of(-9..9i64), option::of(closing)).prop_map(
            |(headline, published, closes)| What::UpdateThread { headline, published, closes }
        ),
        2 => (0..4u8).prop_map(What::Move),
        2 => (0..READERS, 0..4u8).prop_map(|(author, name)| What::Name { author, name }),
        3 => erase(),
        1 => Just(What::EraseMessages),
    ]
}

fn erase() -> impl Strategy<Value = What> {
    prop_oneof![
        2 => comment().prop_map(What::EraseComment),
        1 => (0..READERS, any::<bool>())
            .prop_map(|(author, comments_kept)| What::EraseAuthor { author, comments_kept }),
    ]
}

fn happens() -> impl Strategy<Value = What> {
    prop_oneof![
        10 => (0..200i64).prop_map(What::Wait),
        12 => any::<u8>().prop_map(What::Repeat),
        1 => prop::bool::weighted(0.1).prop_map(|whole_site| What::Poison { whole_site }),
        1 => any::<bool>().prop_map(|foreign| What::Stray { foreign }),
    ]
}

fn settings() -> impl Strategy<Value = SettingsPatch> {
    let words = || option::weighted(0.2, vec("[a-z]{1,9}", 0..4));
    let boxed = |words: Vec<String>| words.into_iter().map(Into::into).collect();
    let of_rules = (
        option::weighted(0.6, 0..4u32),
        option::weighted(0.2, proptest::sample::select(vec![0, 10, 300, 31_536_000])),
        option::weighted(0.1, proptest::sample::select(vec![3, 10_000])),
    );
    let of_pages =
        (option::weighted(0.1, "[A-C]"), option::weighted(0.1, "Asia/[A-C]"), option::weighted(0.1, "d[a-c]"));
    let of_writers = (
        option::weighted(0.1, 0..9u32),
        option::weighted(0.1, any::<bool>()),
        option::weighted(0.1, 0..9u32),
        option::weighted(0.1, 0..9u32),
    );
    (of_rules, of_pages, of_writers, words(), words()).prop_map(move |(rules, pages, writers, words, names)| {
        SettingsPatch {
            name: pages.0.map(Into::into),
            zone: pages.1.map(Into::into),
            locale: pages.2.map(Into::into),
            edit_window_secs: rules.1,
            text_chars_max: rules.2,
            report_threshold: rules.0,
            premoderate_first: writers.0,
            premoderate_links: writers.1,
            premoderate_words: words.map(boxed),
            reserved_names: names.map(boxed),
            comments_per_minute: writers.2,
            votes_per_minute: writers.3,
        }
    })
}
