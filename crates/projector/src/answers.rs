//! Views as the messages of the contract.

use domain::Rejection;
use domain::thread::{CommentFacts, Facts, Standing};
use views::{Author, CommentPage, CommentView, Drawn, Frozen, KnownCommand};
use wire::{Position, envelope, v1};

/// A page of comments.
pub(crate) fn page(page: CommentPage, position: String) -> v1::ThreadPageReply {
    let last = page.comments.last().filter(|_| page.more).map(|comment| comment.number);
    v1::ThreadPageReply {
        position,
        site_name: page.site_name,
        zone: page.zone,
        headline: page.headline,
        address: page.address,
        category: page.category,
        count: page.count,
        comments: page.comments.into_iter().map(comment).collect(),
        next: last.map_or_else(String::new, |last| last.to_string()),
        frozen: page.frozen,
    }
}

fn comment(view: CommentView) -> v1::Comment {
    let (state, said, body, quotes) = words(view.words);
    v1::Comment {
        number: view.number,
        id: view.id.to_string(),
        author: said,
        time: Some(envelope::time_out(view.time)),
        state,
        body,
        quotes,
        tally: Some(v1::Tally { up: view.tally.up, down: view.tally.down }),
        parent: view.parent.map_or_else(String::new, |parent| parent.to_string()),
    }
}

fn words(words: Option<(Author, String, Vec<Drawn>)>) -> (i32, Option<v1::Author>, String, Vec<v1::DrawnQuote>) {
    match words {
        None => (v1::CommentState::Removed.into(), None, String::new(), Vec::new()),
        Some((said, body, quotes)) => {
            let said = v1::Author { id: said.id, name: said.name };
            let quotes = quotes.into_iter().map(quote).collect();
            (v1::CommentState::Visible.into(), Some(said), body, quotes)
        }
    }
}

fn quote(drawn: Drawn) -> v1::DrawnQuote {
    let (state, author, body, quotes) = words(drawn.words);
    v1::DrawnQuote {
        comment: drawn.id.to_string(),
        number: drawn.number,
        state,
        author,
        body,
        quotes,
        at: drawn.at,
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
pub(crate) fn facts(facts: Facts, known: Option<KnownCommand>, position: Position) -> v1::FactsReply {
    let comment = |(id, facts): (domain::CommentId, CommentFacts)| v1::CommentFact {
        id: id.to_string(),
        author: facts.author.to_string(),
        removed: facts.removed,
        length: facts.length,
    };
    let command = known.map(|known| {
        let (outcome, code) = outcome(known.void);
        let position = Position { sequence: known.sequence, ..position }.to_string();
        v1::KnownCommand { position, outcome, code }
    });
    v1::FactsReply {
        position: position.to_string(),
        site_known: facts.site.is_some(),
        site_frozen: facts.site == Some(Standing::Frozen),
        thread_known: facts.thread.is_some(),
        thread_frozen: facts.thread == Some(Standing::Frozen),
        comments: facts.comments.into_iter().map(comment).collect(),
        command,
    }
}

/// A place that stands still.
pub(crate) fn frozen(frozen: Frozen) -> v1::FrozenThread {
    let Frozen { site, thread, sequence, message_id, reason } = frozen;
    v1::FrozenThread { site, thread, sequence, message_id, reason }
}
