//! Changes, made known after the step that made them can be read.

use bytes::Bytes;
use prost::Message as _;
use views::{CommentChange, Step, ThreadChange};
use wire::{Position, subject, v1};

use crate::answers;
use crate::limits::ANNOUNCED_COMMENTS_MAX;
use crate::shared::Shared;

/// Publishes what a step changed. Nobody may be listening, and nobody relies on it: it may get lost.
pub(crate) async fn announce(shared: &Shared, step: &Step, epoch: u64) {
    let position = Position { epoch, sequence: step.sequence }.to_string();
    for change in &step.changes {
        for comments in change.comments.chunks(ANNOUNCED_COMMENTS_MAX) {
            let message = message(change, comments, position.clone());
            let subject = subject::change(&change.site, &change.thread);
            let sent = shared.nats.publish(subject, Bytes::from(message.encode_to_vec())).await;
            if let Err(error) = sent {
                tracing::debug!(%error, "a change could not be announced");
            }
        }
    }
}

fn message(change: &ThreadChange, comments: &[CommentChange], position: String) -> v1::ThreadChanged {
    v1::ThreadChanged { position, count: change.count, comments: comments.iter().map(answers::changed).collect() }
}
