//! Views as the messages of the contract.

pub(crate) mod lists;
pub(crate) mod moderation;
pub(crate) mod own_data;

use domain::moderation::Ban;
use domain::thread::{CommentFacts, Facts, PersonFacts, Standing};
use domain::{AuthorId, Place, Rejection};
use views::{
    Branch, CommentChange, CommentPage, CommentView, Cursor, Drawn, Frozen, KnownCommand, Said, ThreadEntry,
};
use wire::values::{mode_out, optional_hold_out, state_out, time_out, vote_out};
use wire::{Position, v1};

/// A page of comments.
pub fn page(page: CommentPage, place: &Place, position: String) -> v1::ThreadPageReply {
    let text = |cursor: Option<Cursor>| cursor.map_or_else(String::new, |cursor| cursor.to_text(place));
    let row = |mut view: CommentView| match view.branch.take() {
        None => comment(view),
        Some(Branch { depth, replies, more }) => v1::Comment { depth, replies, more: text(more), ..comment(view) },
    };
    v1::ThreadPageReply {
        position,
        site_name: page.site_name,
        zone: page.zone,
        headline: page.article.headline,
        address: page.article.address,
        category: page.article.category,
        count: page.count,
        comments: page.comments.into_iter().map(row).collect(),
        next: text(page.next),
        frozen: page.frozen,
        mode: mode_out(page.article.mode),
        mode_reason: page.mode_reason,
        successor: page.successor,
        published: page.article.published.map(time_out),
        closes_at: page.article.closes_at.map(time_out),
        locale: page.locale,
        edit_window_secs: page.edit_window_secs,
        text_chars_max: page.text_chars_max,
        viewer_ban: page.viewer_ban.as_ref().map(ban),
    }
}

/// A comment.
pub(crate) fn comment(view: CommentView) -> v1::Comment {
    let (author, body, quotes) = words(view.said);
    v1::Comment {
        number: view.number,
        id: view.id.to_string(),
        author,
        time: Some(time_out(view.time)),
        state: state_out(view.state),
        body,
        quotes,
        tally: Some(tally(view.tally)),
        parent: view.parent.map_or_else(String::new, |parent| parent.to_string()),
        revision: view.revision,
        edited: view.edited.map(time_out),
        featured: view.featured,
        own_vote: view.own_vote.map_or(0, vote_out),
        own: view.own,
        own_flag: view.own_flag.is_some(),
        own_flag_waits: view.own_flag.is_some_and(|flag| flag.waits),
        rule: view.rule,
        held: optional_hold_out(view.held),
        flags: view.flags,
        flags_illegal: view.flags_illegal,
        depth: 0,
        replies: 0,
        more: String::new(),
    }
}

fn words(said: Option<Said>) -> (Option<v1::Author>, String, Vec<v1::DrawnQuote>) {
    match said {
        None => (None, String::new(), Vec::new()),
        Some(Said { author, body, quotes }) => {
            let author = v1::Author { id: author.id, name: author.name, erased: author.erased };
            (Some(author), body, quotes.into_iter().map(quote).collect())
        }
    }
}

fn quote(drawn: Drawn) -> v1::DrawnQuote {
    let (author, body, quotes) = words(drawn.said);
    v1::DrawnQuote {
        comment: drawn.id.to_string(),
        number: drawn.number,
        state: state_out(drawn.state),
        author,
        body,
        quotes,
        at: drawn.at,
        revision: drawn.revision,
        edited_since: drawn.edited_since,
        start: drawn.start,
        end: drawn.end,
    }
}

/// Votes.
pub(crate) fn tally(tally: domain::Tally) -> v1::Tally {
    v1::Tally { up: tally.up, down: tally.down }
}

/// A comment that changed.
pub(crate) fn changed(comment: &CommentChange) -> v1::CommentChanged {
    v1::CommentChanged {
        id: comment.id.to_string(),
        number: comment.number,
        state: state_out(comment.state),
        tally: Some(tally(comment.tally)),
    }
}

/// A thread in a list.
pub(crate) fn thread(entry: ThreadEntry) -> v1::ThreadEntry {
    let ThreadEntry { thread, article, count, last_comment } = entry;
    v1::ThreadEntry {
        thread,
        headline: article.headline,
        count,
        address: article.address,
        category: article.category,
        mode: mode_out(article.mode),
        published: article.published.map(time_out),
        closes_at: article.closes_at.map(time_out),
        last_comment: last_comment.map(time_out),
    }
}

/// What became of a command, as outcome and code.
pub(crate) fn outcome(void: Option<Rejection>) -> (i32, String) {
    match void {
        None => (v1::Outcome::Applied.into(), String::new()),
        Some(rejection) => (v1::Outcome::Void.into(), rejection.code().to_owned()),
    }
}

/// What a writer decides on.
pub(crate) fn facts(
    facts: Facts,
    (bans, author_asked): (u32, bool),
    known: Option<KnownCommand>,
    position: Position,
) -> v1::FactsReply {
    let command = known.map(|known| {
        let (outcome, code) = outcome(known.void);
        let position = Position { sequence: known.sequence, ..position }.to_string();
        v1::KnownCommand { position, outcome, code }
    });
    let author = v1::AuthorFact {
        ban: facts.author.ban.as_ref().map(ban),
        shown: facts.author.shown,
        flagged: facts.author.flag.is_some(),
        flag_waits: facts.author.flag.is_some_and(|flag| flag.waits),
    };
    v1::FactsReply {
        position: position.to_string(),
        site_known: facts.site.is_some(),
        site_frozen: facts.site == Some(Standing::Frozen),
        thread_known: facts.thread.is_some(),
        thread_frozen: facts.thread == Some(Standing::Frozen),
        comments: facts.comments.into_iter().map(comment_fact).collect(),
        command,
        site_mode: mode_out(facts.site_mode),
        thread_mode: mode_out(facts.thread_mode),
        closes_at: facts.closes_at.map(time_out),
        edit_window_secs: facts.rules.edit_window_secs,
        text_chars_max: facts.rules.text_chars_max,
        bans,
        author: author_asked.then_some(author),
        moves: facts.moves,
        people: facts.people.iter().map(person_fact).collect(),
        removal: facts.removal.map(|removal| v1::RemovalFact { undone: removal.undone }),
    }
}

fn person_fact((id, facts): &(AuthorId, PersonFacts)) -> v1::PersonFact {
    v1::PersonFact { id: id.to_string(), votes_void: facts.votes_void, erased: facts.erased }
}

fn comment_fact((id, facts): (domain::CommentId, CommentFacts)) -> v1::CommentFact {
    v1::CommentFact {
        id: id.to_string(),
        author: facts.author.to_string(),
        // For writers of the first release, which know no other state in which nobody votes and replies.
        removed: facts.state != domain::State::Visible,
        length: facts.lengths.first().copied().unwrap_or_default(),
        state: state_out(facts.state),
        lengths: facts.lengths,
        unseen: facts.unseen,
        posted: Some(time_out(facts.posted)),
        flags: facts.flags,
        flags_illegal: facts.flags_illegal,
    }
}

/// Until when and why somebody may not take part.
pub(crate) fn ban(ban: &Ban) -> v1::Ban {
    v1::Ban { until: ban.until.map(time_out), reason: ban.reason.to_string() }
}

/// A place that stands still.
pub(crate) fn frozen(frozen: Frozen) -> v1::FrozenThread {
    let Frozen { site, thread, sequence, message_id, reason } = frozen;
    v1::FrozenThread { site, thread, sequence, message_id, reason }
}
