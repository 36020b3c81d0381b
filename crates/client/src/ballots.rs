//! Many votes in one request, for services that pass on what they collected.

use bytes::Bytes;
use domain::{Actor, AuthorId, CommandId, CommentId, SiteId, ThreadId, Vote};
use prost::Message as _;
use wire::command::CAST_VOTES;
use wire::error::Failure;
use wire::v1::ballot_reply::Result as Answer;
use wire::values::{actor_out, vote_out};
use wire::{subject, v1};

use crate::{Client, Error};

/// One vote of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// The command's id, a UUIDv7 made for this vote a moment ago: half a minute later it is `command-expired`.
    pub id: CommandId,
    /// Who votes.
    pub voter: AuthorId,
    /// The thread the comment stands in.
    pub thread: ThreadId,
    /// The comment to vote on.
    pub comment: CommentId,
    /// What the vote shall be.
    pub vote: Vote,
}

impl From<&Ballot> for v1::Ballot {
    fn from(ballot: &Ballot) -> Self {
        Self {
            id: ballot.id.to_string(),
            voter: ballot.voter.to_string(),
            thread: ballot.thread.to_string(),
            comment: ballot.comment.to_string(),
            vote: vote_out(ballot.vote),
        }
    }
}

impl Client {
    /// Casts 1 to 500 votes of a site in one request. `actor` asks for them and must have the role of a service; each
    /// vote is its voter's. The answers are in the order of the ballots, each an answer or an error of its own.
    ///
    /// The whole request is sent again, under the same ids, while it is not answered. As an error of the whole:
    /// `not-permitted` for who is no service, `limit-exceeded` for none or too many.
    ///
    /// ```no_run
    /// # async fn example(koe: client::Client, comment: client::domain::CommentId) -> Result<(), Box<dyn std::error::Error>> {
    /// use client::{Ballot, domain::{Actor, Role, Vote}};
    ///
    /// let us = Actor { id: "poll".parse()?, roles: [Role::Service].into_iter().collect() };
    /// let ballot = Ballot {
    ///     id: client::new_command_id(),
    ///     voter: "ben".parse()?,
    ///     thread: "memorial-service".parse()?,
    ///     comment,
    ///     vote: Vote::Up,
    /// };
    /// for answer in koe.cast_votes(&"demo".parse()?, &us, &[ballot], false).await? {
    ///     println!("{answer:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn cast_votes(
        &self,
        site: &SiteId,
        actor: &Actor,
        ballots: &[Ballot],
        wait: bool,
    ) -> Result<Vec<Result<v1::CommandReply, Error>>, Error> {
        let request = v1::CastVotesRequest {
            actor: Some(actor_out(actor)),
            wait,
            ballots: ballots.iter().map(Into::into).collect(),
        };
        let payload = Bytes::from(request.encode_to_vec());
        let reply: v1::CastVotesReply = self.insist(subject::command(site, CAST_VOTES), payload).await?;
        // Whatever has no answer of its own counts as not answered.
        let mut answers: Vec<_> = reply.replies.into_iter().map(answer).collect();
        answers.truncate(ballots.len());
        answers.resize_with(ballots.len(), || Err(Error::refused(Failure::Internal)));
        Ok(answers)
    }
}

fn answer(reply: v1::BallotReply) -> Result<v1::CommandReply, Error> {
    match reply.result {
        Some(Answer::Accepted(accepted)) => Ok(accepted),
        Some(Answer::Refused(body)) => Err(Error::from_body(&body)),
        None => Err(Error::refused(Failure::Internal)),
    }
}
