//! Where a form was sent from, and where its answer leads: back there with what was changed, or to the reason why not.

use axum::response::{IntoResponse, Redirect, Response};
use client::{PageOf, Viewer};
use domain::{Rejection, SiteId, ThreadId};
use wire::{Code, v1};

use super::thread::Sight;
use super::view::{Draft, Notice};
use super::way::Way;
use super::{address, problem_with, thread_path};
use crate::handler::{App, new_id};
use crate::problem::Problem;
use crate::visitor::Visitor;
use crate::words;

/// The page that a form was on, by its hidden word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back {
    /// What readers see of the thread.
    Thread,
    /// What a moderator sees of it.
    Moderate,
    /// What waits for a moderator, of a kind.
    Queue(v1::QueueKind),
}

impl Back {
    pub(super) fn of(word: &str) -> Self {
        match word {
            "moderate" => Self::Moderate,
            "queue" => Self::Queue(v1::QueueKind::Unspecified),
            "queue-held" => Self::Queue(v1::QueueKind::Held),
            "queue-flagged" => Self::Queue(v1::QueueKind::Flagged),
            "queue-illegal" => Self::Queue(v1::QueueKind::Illegal),
            _ => Self::Thread,
        }
    }

    /// As a form says it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Thread => "",
            Self::Moderate => "moderate",
            Self::Queue(v1::QueueKind::Unspecified) => "queue",
            Self::Queue(v1::QueueKind::Held) => "queue-held",
            Self::Queue(v1::QueueKind::Flagged) => "queue-flagged",
            Self::Queue(v1::QueueKind::Illegal) => "queue-illegal",
        }
    }
}

/// What the page tells about what was sent, as it stands in its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    /// One's own comment waits for a moderator.
    Waits,
    Flagged,
}

impl Told {
    fn word(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Waits => "waits",
            Self::Flagged => "flagged",
        }
    }

    /// What the word in an address tells.
    pub(super) fn notice(word: &str) -> Option<Notice> {
        let text = match word {
            "waits" => "your comment is recorded and waits for a moderator: it is shown once it is approved",
            "flagged" => "thank you, a moderator will look at it",
            _ => return None,
        };
        Some(Notice::saying(text))
    }

    /// What is to be told of one's own comment as it stands now.
    pub(super) fn of_own(reply: &v1::CommandReply) -> Self {
        if reply.state() == v1::CommentState::Held { Self::Waits } else { Self::Nothing }
    }
}

/// A void command is recorded and has no effect: to a reader that is a refusal.
pub(super) fn applied(sent: Result<v1::CommandReply, Problem>) -> Result<v1::CommandReply, Problem> {
    let reply = sent?;
    if reply.outcome() != v1::Outcome::Void {
        return Ok(reply);
    }
    Err(Code::from_word(&reply.code).unwrap_or(Rejection::NotPermitted.into()).into())
}

/// Where a form was sent from.
pub(super) struct Place<'a> {
    pub(super) app: &'a App,
    pub(super) site: &'a SiteId,
    pub(super) thread: &'a ThreadId,
    pub(super) visitor: &'a Visitor,
    /// The page, or of one that does not stay the place of the comment that the form is about.
    pub(super) way: Way,
    pub(super) back: Back,
}

impl Place<'_> {
    fn moderate(&self) -> &'static str {
        if self.back == Back::Moderate { "1" } else { "" }
    }

    fn thread_address(&self, way: &Way, position: &str, told: Told, fragment: &str) -> String {
        let path = thread_path(self.site, self.thread);
        let parameters = [("at_least", position), ("moderate", self.moderate()), ("told", told.word())];
        way.address(&path, &parameters, fragment)
    }

    fn queue_address(&self, kind: v1::QueueKind, position: &str) -> String {
        let kind = words::queue_word(kind).unwrap_or_default();
        let parameters = [("kind", kind), ("after", self.way.after.as_str()), ("at_least", position)];
        address(&format!("/sites/{}/queue", self.site), &parameters, "main")
    }

    /// To the new comment on its page, so that its writer reads it at once.
    pub(super) async fn to_comment(&self, reply: &v1::CommandReply) -> Response {
        let told = Told::of_own(reply);
        let viewer = Viewer { id: None, moderator: self.back == Back::Moderate };
        // A comment that waits has no row to be led to.
        let found = if told == Told::Waits && !viewer.moderator { None } else { self.find(reply, &viewer).await };
        let (way, fragment) = match found {
            Some((way, number)) => (way, format!("comment-{number}")),
            // Recorded, but not folded yet, or far away: the page says so, or shows the thread from where they were.
            None => (self.way.clone(), "comments".to_owned()),
        };
        Redirect::to(&self.thread_address(&way, &reply.position, told, &fragment)).into_response()
    }

    /// The page that a new comment stands on, and its number.
    async fn find(&self, reply: &v1::CommandReply, viewer: &Viewer) -> Option<(Way, u32)> {
        let place = (self.site, self.thread);
        if self.way.stays() {
            let from = (self.way.after.as_str(), reply.position.as_str());
            let is_it = |comment: &v1::Comment| comment.id == reply.id;
            let found = self.app.find(place, is_it, from, viewer).await.ok()??;
            return Some((self.way.after(&found.after), found.number));
        }
        let way = self.way.around(&reply.id);
        let page = PageOf { limit: 1, at_least: reply.position.clone(), ..PageOf::default() };
        let read = self.app.koe.read_thread(place, page, way.reading().ok()?, viewer).await.ok()?;
        let number = read.comments.iter().find(|comment| comment.id == reply.id)?.number;
        Some((way, number))
    }

    /// Back to the comment that was changed.
    pub(super) fn to_changed(&self, reply: &v1::CommandReply, number: &str, told: Told) -> Response {
        let position = reply.position.as_str();
        let number: Option<u32> = number.parse().ok();
        let to = match (self.back, number) {
            (Back::Queue(kind), _) => self.queue_address(kind, position),
            (_, Some(number)) if told == Told::Nothing => {
                self.thread_address(&self.way, position, told, &format!("comment-{number}"))
            }
            (_, _) => self.thread_address(&self.way, position, told, "comments"),
        };
        Redirect::to(&to).into_response()
    }

    /// The page that the form was on with the reason, or the reason with what was typed.
    pub(super) async fn not_changed(&self, problem: &Problem, typed: String) -> Response {
        if !typed.is_empty() || matches!(self.back, Back::Queue(_)) {
            return self.refused_outright(problem, typed);
        }
        self.refused(problem, Draft { id: new_id().to_string(), ..Draft::default() }).await
    }

    /// The thread's page with the reason and the draft.
    pub(super) async fn refused(&self, problem: &Problem, draft: Draft) -> Response {
        let sight = Sight {
            site: self.site,
            thread: self.thread,
            visitor: self.visitor,
            way: &self.way,
            at_least: "",
            moderate: self.back == Back::Moderate,
        };
        let keeps = |page: &v1::ThreadPageReply| draft.text.is_empty() || sight.has_form(page);
        match sight.read(self.app).await {
            Ok((page, _)) if keeps(&page) => {
                problem.mark(sight.draw(page, draft, Some(Notice::of(problem)), problem.status))
            }
            Ok(_) | Err(_) => self.refused_outright(problem, draft.text),
        }
    }

    /// A page of its own, where the thread's page would show no form: the typed words stay readable.
    pub(super) fn refused_outright(&self, problem: &Problem, typed: String) -> Response {
        if let Back::Queue(kind) = self.back {
            let back = self.queue_address(kind, "");
            return problem_with(problem, typed, (&back, "Back to what waits"));
        }
        let back = self.thread_address(&self.way, "", Told::Nothing, "post");
        problem_with(problem, typed, (&back, "Back to the discussion"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_void_command_is_a_refusal_with_its_code() {
        let reply = |outcome: v1::Outcome, code: &str| v1::CommandReply {
            outcome: outcome.into(),
            code: code.into(),
            ..v1::CommandReply::default()
        };
        let void = applied(Ok(reply(v1::Outcome::Void, "comment-removed"))).unwrap_err();
        assert_eq!((void.status.as_u16(), void.code.as_str()), (409, "comment-removed"));
        assert!(applied(Ok(reply(v1::Outcome::Pending, ""))).is_ok());
    }

    #[test]
    fn what_is_told_has_a_word_in_the_address_that_leads_back() {
        for back in ["", "moderate", "queue", "queue-held", "queue-flagged", "queue-illegal"] {
            assert_eq!(Back::of(back).word(), back);
        }
        for told in [Told::Waits, Told::Flagged] {
            assert!(Told::notice(told.word()).is_some());
        }
        assert!(Told::notice("anything else").is_none());
        let held = v1::CommandReply { state: v1::CommentState::Held.into(), ..v1::CommandReply::default() };
        assert_eq!(Told::of_own(&held), Told::Waits);
        assert_eq!(Told::of_own(&v1::CommandReply::default()), Told::Nothing);
    }
}
