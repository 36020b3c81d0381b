//! What it costs to read and write the two events that a log is full of, a vote and a post.

use divan::{Bencher, black_box};
use domain::text::Text;
use domain::{Actor, CommandId, CommentId, Envelope, Event, Place, Roles, Timestamp, Vote};

/// What most logs hold.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Vote,
    Post,
}

const KINDS: [Kind; 2] = [Kind::Vote, Kind::Post];

fn main() {
    divan::main();
}

fn id(number: u128) -> CommandId {
    CommandId::from_u128(1_767_225_600_000 << 80 | 7 << 76 | 2 << 62 | number)
}

fn place() -> Place {
    Place { site: "bench".parse().expect("a token"), thread: Some("thread-17".parse().expect("a token")) }
}

fn envelope(kind: Kind) -> Envelope {
    let event = match kind {
        Kind::Vote => Event::VoteCast { comment: CommentId(id(1)), vote: Vote::Up },
        Kind::Post => {
            let text = Text::recorded(&"What a reader has to say to this is about as long as a line. ".repeat(3));
            let length = text.length();
            Event::CommentPosted {
                parent: Some(CommentId(id(1))),
                text,
                quotes: Vec::new(),
                length,
                held: None,
                original_time: None,
            }
        }
    };
    let actor = Actor { id: "reader-123456".parse().expect("a token"), roles: Roles::default() };
    Envelope { id: id(2), time: Timestamp(1_767_225_600_000), actor, event }
}

#[divan::bench(args = KINDS)]
fn encode(bencher: Bencher<'_, '_>, kind: Kind) {
    let envelope = envelope(kind);
    bencher.bench(|| wire::envelope::encode(black_box(&envelope)));
}

/// With its subject and the id in its header, as the projector reads it.
#[divan::bench(args = KINDS)]
fn decode(bencher: Bencher<'_, '_>, kind: Kind) {
    let envelope = envelope(kind);
    let (payload, id) = (wire::envelope::encode(&envelope), envelope.id.to_string());
    let subject = wire::subject::event(&place(), envelope.event.kind());
    bencher.bench(|| wire::envelope::decode(1, black_box(&subject), &id, black_box(&payload)));
}
