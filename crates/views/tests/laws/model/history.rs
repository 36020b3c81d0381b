//! Turns acts into a log. The naive model goes along, so that acts find what they are about: the author of a comment,
//! its revision.

use domain::event::Timestamp;
use domain::moderation::{Ban, ModeChange};
use domain::settings::{Closing, ThreadPatch};
use domain::text::Text;
use domain::{
    Actor, AuthorId, CommandId, CommentId, Content, Envelope, Event, Hold, Mode, Place, Quote, Recorded, Role,
    Unreadable,
};

use super::acts::{Act, Closes, Quoted, UNKNOWN, What, Who};
use super::naive::{Comment, Naive};

/// When every history begins.
const BEGAN_MILLIS: i64 = 1_700_000_000_000;

pub(crate) fn place(thread: Option<u8>) -> Place {
    Place { site: "s".parse().unwrap(), thread: thread.map(|thread| format!("t{thread}").parse().unwrap()) }
}

/// One of few addresses, and sometimes none.
pub(crate) fn address(number: u8) -> Box<str> {
    if number == 3 { "".into() } else { format!("https://news.example/{number}").into() }
}

fn id(number: u8) -> AuthorId {
    format!("reader-{number}").parse().unwrap()
}

/// Those whose bit is set.
fn ids(voters: u8) -> Vec<AuthorId> {
    (0..8).filter(|number| voters >> number & 1 == 1).map(id).collect()
}

fn actor(who: Who) -> Actor {
    Actor { id: id(who.number), roles: who.role.into_iter().collect() }
}

/// Turns acts into a log: the site first, then one message for each act, but for waiting.
pub(crate) fn history(acts: &[Act]) -> Vec<Recorded> {
    let mut writer = Writer { log: Vec::new(), naive: Naive::default(), now_millis: BEGAN_MILLIS };
    writer.act(&What::OpenSite.by_role(Role::Administrator));
    for act in acts {
        writer.act(act);
    }
    writer.log
}

struct Writer {
    log: Vec<Recorded>,
    naive: Naive,
    now_millis: i64,
}

impl Writer {
    fn sequence(&self) -> u64 {
        self.log.len() as u64 + 1
    }

    fn push(&mut self, place: Option<Place>, content: Content) {
        let recorded = Recorded { sequence: self.sequence(), place, content };
        self.naive.fold(&recorded);
        self.log.push(recorded);
    }

    fn act(&mut self, act: &Act) {
        let at = Some(place(Some(act.thread)));
        match &act.what {
            What::Wait(secs) => self.now_millis += secs * 1_000,
            What::Poison { whole_site } => {
                let unreadable = Unreadable { message_id: "poison".into(), reason: "unknown".into() };
                let at = if *whole_site { Some(place(None)) } else { at };
                self.push(at, Content::Unreadable(unreadable));
            }
            What::Stray { foreign } => {
                let at = if *foreign { None } else { at };
                self.push(at, Content::Misplaced { message_id: "stray".into() });
            }
            What::Repeat(earlier) => {
                let earlier = &self.log[*earlier as usize % self.log.len()];
                // A late repeat of a vote does not reach the log: the door refuses it.
                if !is_vote(earlier) {
                    let Recorded { place, content, .. } = earlier.clone();
                    self.push(place, content);
                }
            }
            what => {
                let (event, by) = self.event(act, what);
                let whole_site = match &event {
                    Event::ThreadModeSet(_) => matches!(what, What::SetMode { whole_site: true, .. }),
                    Event::SiteOpened { .. }
                    | Event::SiteSet(_)
                    | Event::AuthorNamed { .. }
                    | Event::AuthorBanned { .. }
                    | Event::AuthorUnbanned { .. }
                    | Event::VotesVoided { .. }
                    | Event::VotesUnvoided { .. }
                    | Event::AuthorErased { .. }
                    | Event::MessagesErased { .. } => true,
                    Event::CommentsRemoved { .. } => matches!(what, What::RemoveAll { whole_site: true, .. }),
                    Event::RemovalUndone { removal, .. } => {
                        let of = self.naive.removals.iter().find(|of| of.id == *removal);
                        let elsewhere = matches!(what, What::UndoRemoval { elsewhere: true, .. });
                        of.is_some_and(|of| of.thread.is_none()) != elsewhere
                    }
                    _ => false,
                };
                let at = match &event {
                    Event::RemovalUndone { removal, .. } if !whole_site => {
                        let of = self.naive.removals.iter().find(|of| of.id == *removal);
                        let thread = of.and_then(|of| of.thread.as_ref()).map(|thread| thread.parse().unwrap());
                        thread.map(|thread| Place { thread: Some(thread), ..place(None) }).or(at)
                    }
                    _ => at,
                };
                let sequence = self.sequence();
                let id = CommandId::from_u128(u128::from(sequence) << 64 | 1);
                self.now_millis += 1_000;
                // Clocks of writers differ: times run back now and then.
                let skew_millis = (sequence as i64 * 7_919) % 10_007;
                let time = Timestamp(self.now_millis + skew_millis);
                let at = if whole_site { Some(place(None)) } else { at };
                self.push(at, Content::Event(Envelope { id, time, actor: by, event }));
            }
        }
    }

    fn event(&self, act: &Act, what: &What) -> (Event, Actor) {
        let by = actor(act.by);
        let find = |comment: u8| self.find(act.thread, comment);
        let comment = |comment: u8| find(comment).map_or(CommentId(CommandId::from_u128(99)), |found| found.id);
        // What only an author may do is mostly done by the author.
        let own = |at: u8, own: bool| match find(at).filter(|_| own) {
            Some(found) => Actor { id: found.author.parse().unwrap(), ..by.clone() },
            None => by.clone(),
        };
        match *what {
            What::Post { parent, quote, held } => {
                (self.post(parent.map(comment), quote.map(|quote| (comment(quote.comment), quote)), held), by)
            }
            What::Edit { comment: at, own: is_own, ahead, quote, held } => {
                let revision = find(at).map_or(0, |found| found.revisions.len() as u32 - 1) + ahead;
                let quote = quote.map(|quote| (comment(quote.comment), quote));
                let Event::CommentPosted { text, quotes, length, .. } = self.post(None, quote, None) else {
                    unreachable!()
                };
                (
                    Event::CommentEdited { comment: comment(at), revision, text, quotes, length, held },
                    own(at, is_own),
                )
            }
            What::Delete { comment: at, own: is_own } => {
                (Event::CommentDeleted { comment: comment(at) }, own(at, is_own))
            }
            What::Hold(at) => (Event::CommentHeld { comment: comment(at), reason: "h".into() }, by),
            What::Approve(at, current) => {
                let latest = find(at).map_or(0, |found| found.revisions.len() as u32 - 1);
                let revision = current.map(|current| latest + u32::from(!current));
                (Event::CommentApproved { comment: comment(at), revision }, by)
            }
            What::Remove(at) => {
                (Event::CommentRemoved { comment: comment(at), reason: "r".into(), rule: "4".into() }, by)
            }
            What::Restore(at) => (Event::CommentRestored { comment: comment(at), reason: "s".into() }, by),
            What::Feature(at, featured) => (Event::CommentFeatured { comment: comment(at), featured }, by),
            What::Flag(at, category) => {
                let words = format!("by {}", by.id).into();
                (Event::CommentFlagged { comment: comment(at), category, words }, by)
            }
            What::Withdraw(at) => (Event::FlagWithdrawn { comment: comment(at) }, by),
            What::Resolve { comment: at, upheld, statement } => {
                let statement = if statement { "because".into() } else { "".into() };
                (Event::FlagsResolved { comment: comment(at), upheld, statement }, by)
            }
            What::Vote(at, vote) => (Event::VoteCast { comment: comment(at), vote }, by),
            What::EraseComment(at) => (Event::CommentErased { comment: comment(at), reason: "e".into() }, by),
            _ => (self.of_place(what), by),
        }
    }

    /// What happens to sites, threads and authors.
    fn of_place(&self, what: &What) -> Event {
        let at = |secs: i64| Timestamp(self.now_millis + secs * 1_000);
        match *what {
            What::OpenSite => Event::SiteOpened { name: "S".into(), zone: "UTC".into() },
            What::SetSite(ref patch) => Event::SiteSet(patch.clone()),
            What::OpenThread { address: number, closes } => Event::ThreadOpened {
                headline: "H".into(),
                address: address(number),
                category: "".into(),
                published: None,
                closes_at: closes.map(at),
            },
            What::UpdateThread { headline, published, closes } => Event::ThreadUpdated(ThreadPatch {
                headline: headline.map(|number| format!("H{number}").into()),
                category: headline.map(|number| format!("C{number}").into()),
                published: published.map(at),
                closing: closes.map(|closes| match closes {
                    Closes::Never => Closing::Never,
                    Closes::In(secs) => Closing::At(at(secs)),
                }),
            }),
            What::SetMode { whole_site, mode } => {
                let successor = mode == Mode::ReadOnly && !whole_site;
                let reason = if whole_site { "of the site" } else { "of the thread" }.into();
                let successor = successor.then(|| "t1".parse().unwrap());
                Event::ThreadModeSet(ModeChange { mode, reason, successor })
            }
            What::Move(number) => Event::ThreadMoved { address: address(number) },
            What::Name { author, name } => {
                let author = id(author);
                let name = format!("N{name} of {author}").into();
                Event::AuthorNamed { author, name }
            }
            What::Ban { author, until } => {
                let ban = Ban { until: until.map(at), reason: "b".into() };
                Event::AuthorBanned { author: id(author), ban }
            }
            What::Unban(author) => Event::AuthorUnbanned { author: id(author), reason: "u".into() },
            What::Void { voters, since } => {
                Event::VotesVoided { voters: ids(voters), since: since.map(at), reason: "v".into() }
            }
            What::Unvoid(voters) => Event::VotesUnvoided { voters: ids(voters), reason: "w".into() },
            What::RemoveAll { author, since, .. } => Event::CommentsRemoved {
                author: id(author),
                since: since.map(at),
                reason: "all".into(),
                rule: "5".into(),
            },
            What::UndoRemoval { which, .. } => {
                let removals = &self.naive.removals;
                let known = removals.get(which as usize % (removals.len() + 1));
                let removal = known.map_or(CommandId::from_u128(98), |removal| removal.id);
                Event::RemovalUndone { removal, reason: "undo".into() }
            }
            What::EraseAuthor { author, comments_kept } => {
                Event::AuthorErased { author: id(author), comments_kept, reason: "f".into() }
            }
            What::EraseMessages => Event::MessagesErased { messages: Vec::new() },
            _ => unreachable!("it is about a comment"),
        }
    }

    fn post(&self, parent: Option<CommentId>, quote: Option<(CommentId, Quoted)>, held: Option<Hold>) -> Event {
        let text = Text::parse(&format!("word {}.", self.sequence())).unwrap();
        let quotes =
            quote.map(|(comment, Quoted { revision, end, .. })| Quote { comment, revision, start: 0, end, at: 0 });
        let length = text.length();
        // Some were imported, from before and from behind.
        let original_time = match self.sequence() % 7 {
            0 => Some(Timestamp(1_000_000 - i64::try_from(self.sequence()).unwrap())),
            1 => Some(Timestamp(4_000_000_000_000)),
            _ => None,
        };
        Event::CommentPosted { parent, text, quotes: quotes.into_iter().collect(), length, held, original_time }
    }

    fn find(&self, thread: u8, comment: u8) -> Option<&Comment> {
        let comments = &self.naive.threads.get(&format!("t{thread}"))?.comments;
        if comment == UNKNOWN || comments.is_empty() {
            return None;
        }
        comments.get(comment as usize % comments.len())
    }
}

fn is_vote(recorded: &Recorded) -> bool {
    matches!(&recorded.content, Content::Event(envelope) if matches!(envelope.event, Event::VoteCast { .. }))
}
