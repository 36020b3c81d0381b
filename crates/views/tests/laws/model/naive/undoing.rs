//! The same for what is undone and forgotten.

use domain::{AuthorId, CommandId, Content, Envelope, Event, Role, State, Timestamp, Vote};

use super::{Author, Broken, Comment, Naive, Note, Removal, Thread, has, is_staff, need};

pub(super) fn is_undoing(event: &Event) -> bool {
    matches!(
        event,
        Event::VotesVoided { .. }
            | Event::VotesUnvoided { .. }
            | Event::CommentsRemoved { .. }
            | Event::RemovalUndone { .. }
            | Event::CommentErased { .. }
            | Event::AuthorErased { .. }
            | Event::MessagesErased { .. }
    )
}

fn lone(ids: &[AuthorId]) -> String {
    if ids.len() == 1 { ids[0].to_string() } else { String::new() }
}

fn replace(name: &mut String, from: &str, to: &str) {
    if name == from {
        to.clone_into(name);
    }
}

impl Comment {
    /// Voters for it and against it, of those whose votes count.
    pub(crate) fn counted(&self) -> (u32, u32) {
        let of = |side| self.votes.iter().filter(|(by, vote)| **vote == side && !self.void.contains(*by)).count();
        (of(Vote::Up) as u32, of(Vote::Down) as u32)
    }

    pub(super) fn vote(&mut self, by: String, vote: Vote, (now, void_since): (i64, Option<i64>)) {
        self.cast.insert(by.clone(), now);
        if void_since.is_some_and(|since| since <= now) {
            self.void.insert(by.clone());
        } else {
            self.void.remove(&by);
        }
        self.votes.insert(by, vote);
    }

    fn judge(&mut self, voter: &str, void_since: Option<i64>) {
        let Some(cast) = self.cast.get(voter) else { return };
        if void_since.is_some_and(|since| since <= *cast) {
            self.void.insert(voter.to_owned());
        } else {
            self.void.remove(voter);
        }
    }

    fn cover(&mut self, by: CommandId, rule: &str) {
        if self.covers.is_empty() {
            (self.under, self.own_rule) = (self.state, self.rule.clone());
        }
        self.covers.push((by, rule.to_owned()));
        self.stand();
    }

    fn uncover(&mut self, by: CommandId) {
        let covered = !self.covers.is_empty();
        self.covers.retain(|(known, _)| *known != by);
        if covered {
            self.stand();
        }
    }

    /// How it stands below the removals that cover it.
    fn stand(&mut self) {
        let hides = matches!(self.under, State::Visible | State::Held | State::Removed);
        (self.state, self.rule) = match self.covers.last() {
            Some((_, rule)) if hides => (State::Removed, rule.clone()),
            _ => (self.under, self.own_rule.clone()),
        };
    }

    pub(super) fn blank(&mut self) {
        self.revisions.iter_mut().for_each(|revision| revision.text.clear());
    }

    fn erase(&mut self) {
        self.blank();
        self.covers.clear();
        (self.state, self.held, self.featured, self.rule) = (State::Erased, None, false, String::new());
    }

    fn rename(&mut self, from: &str, to: &str) {
        replace(&mut self.author, from, to);
        if let Some(vote) = self.votes.remove(from) {
            self.votes.insert(to.to_owned(), vote);
        }
        if let Some(cast) = self.cast.remove(from) {
            self.cast.insert(to.to_owned(), cast);
        }
        if self.void.remove(from) {
            self.void.insert(to.to_owned());
        }
        if let Some(mut flag) = self.flags.remove(from) {
            flag.words.clear();
            self.flags.insert(to.to_owned(), flag);
        }
        for flag in self.flags.values_mut() {
            if let Some((_, _, by)) = &mut flag.decided {
                replace(by, from, to);
            }
        }
    }
}

impl Naive {
    /// Who did something, as they are called since.
    pub(super) fn called(envelope: &Envelope) -> String {
        match &envelope.event {
            Event::AuthorErased { author, .. } if *author == envelope.actor.id => {
                AuthorId::pseudonym(envelope.id).to_string()
            }
            _ => envelope.actor.id.to_string(),
        }
    }

    fn is_void_since(&self, voter: &str) -> Option<i64> {
        self.authors.get(voter).and_then(|author| author.void_since)
    }

    pub(super) fn void_since(&self, voter: &str) -> Option<i64> {
        self.is_void_since(voter)
    }

    fn void(&mut self, voters: &[AuthorId], since: Option<i64>) {
        for voter in voters {
            self.authors.entry(voter.to_string()).or_default().void_since = since;
            let moving = self.threads.values_mut().filter(|thread| !thread.frozen);
            moving
                .flat_map(|thread| &mut thread.comments)
                .for_each(|comment| comment.judge(voter.as_str(), since));
        }
    }

    /// Since when comments wait is looked at again, as of their thread's last event.
    fn look_at_queues(&mut self) {
        let Self { threads, lists, .. } = self;
        for thread in threads.values() {
            let Some(last) = thread.last else { continue };
            for comment in &thread.comments {
                lists.queue(comment, last);
            }
        }
    }

    fn cover(&mut self, envelope: &Envelope, thread: Option<&str>) -> Result<Option<Note>, Broken> {
        let Event::CommentsRemoved { author, since, reason, rule } = &envelope.event else { unreachable!() };
        need(is_staff(&envelope.actor))?;
        let covered = |comment: &&mut Comment| {
            comment.author == author.as_str() && since.is_none_or(|since| comment.judged >= since)
        };
        let threads = self.threads.iter_mut().filter(|(name, _)| thread.is_none_or(|thread| thread == *name));
        let moving = threads.map(|(_, thread)| thread).filter(|thread| !thread.frozen);
        let comments = moving.flat_map(|thread| &mut thread.comments).filter(covered);
        comments.for_each(|comment| comment.cover(envelope.id, rule));
        self.removals.push(Removal {
            id: envelope.id,
            thread: thread.map(str::to_owned),
            author: author.to_string(),
            undone: false,
        });
        let after = since.map_or("removed".to_owned(), |Timestamp(since)| format!("removed since {since}"));
        Ok(Some(Note { author: author.to_string(), reason: reason.to_string(), before: String::new(), after }))
    }

    fn uncover(&mut self, envelope: &Envelope, thread: Option<&str>) -> Result<Option<Note>, Broken> {
        let Event::RemovalUndone { removal, reason } = &envelope.event else { unreachable!() };
        let known = self.removals.iter_mut().find(|of| of.id == *removal && of.thread.as_deref() == thread);
        need(is_staff(&envelope.actor) && known.as_ref().is_some_and(|known| !known.undone))?;
        let known = known.unwrap();
        known.undone = true;
        let author = known.author.clone();
        let threads = self.threads.iter_mut().filter(|(name, _)| thread.is_none_or(|thread| thread == *name));
        let moving = threads.map(|(_, thread)| thread).filter(|thread| !thread.frozen);
        moving.flat_map(|thread| &mut thread.comments).for_each(|comment| comment.uncover(*removal));
        let (reason, before, after) = (reason.to_string(), removal.to_string(), "undone".to_owned());
        Ok(Some(Note { author, reason, before, after }))
    }

    pub(super) fn undo_in_thread(&mut self, name: &str, envelope: &Envelope) -> Result<Option<Note>, Broken> {
        let Event::CommentErased { comment, reason } = &envelope.event else {
            let removes = matches!(envelope.event, Event::CommentsRemoved { .. });
            return if removes { self.cover(envelope, Some(name)) } else { self.uncover(envelope, Some(name)) };
        };
        let Thread { comments, .. } = self.threads.get_mut(name).unwrap();
        let found = comments.iter_mut().find(|known| known.id == *comment).ok_or(Broken)?;
        need(has(&envelope.actor, &[Role::Administrator, Role::Service]) && found.state != State::Erased)?;
        let before = found.state.as_str().to_owned();
        found.erase();
        let (author, reason) = (found.author.clone(), reason.to_string());
        Ok(Some(Note { author, reason, before, after: "erased".to_owned() }))
    }

    pub(super) fn undo_in_site(&mut self, envelope: &Envelope) -> Result<Option<Note>, Broken> {
        need(self.site.opened)?;
        let note = match &envelope.event {
            Event::VotesVoided { voters, since, reason } => {
                need(is_staff(&envelope.actor))?;
                self.void(voters, Some(since.map_or(i64::MIN, |since| since.0)));
                let since = since.map_or(String::new(), |Timestamp(since)| format!(" since {since}"));
                let after = format!("the votes of {}{since} count for nothing", voters.len());
                Some(Note { author: lone(voters), reason: reason.to_string(), before: String::new(), after })
            }
            Event::VotesUnvoided { voters, reason } => {
                let all_void = voters.iter().all(|voter| self.is_void_since(voter.as_str()).is_some());
                need(is_staff(&envelope.actor) && all_void)?;
                self.void(voters, None);
                let after = format!("the votes of {} count again", voters.len());
                Some(Note { author: lone(voters), reason: reason.to_string(), before: String::new(), after })
            }
            Event::CommentsRemoved { .. } => self.cover(envelope, None)?,
            Event::RemovalUndone { .. } => self.uncover(envelope, None)?,
            Event::AuthorErased { author, comments_kept, reason } => {
                need(has(&envelope.actor, &[Role::Administrator, Role::Service]))?;
                need(!self.authors.get(author.as_str()).is_some_and(|author| author.erased))?;
                let to = AuthorId::pseudonym(envelope.id).to_string();
                self.erase_author(author.as_str(), &to, *comments_kept);
                let after = if *comments_kept { "erased, comments kept" } else { "erased" }.to_owned();
                Some(Note { author: to, reason: reason.to_string(), before: String::new(), after })
            }
            Event::MessagesErased { .. } => {
                need(has(&envelope.actor, &[Role::Administrator, Role::Service]))?;
                None
            }
            other => unreachable!("{} is of no site", other.kind()),
        };
        self.look_at_queues();
        Ok(note)
    }

    fn erase_author(&mut self, from: &str, to: &str, kept: bool) {
        let known = self.authors.remove(from).unwrap_or_default();
        let gone = Author { name: String::new(), former_names: Vec::new(), erased: true, ..known };
        self.authors.insert(to.to_owned(), gone);
        for thread in self.threads.values_mut() {
            let frozen = thread.frozen;
            for comment in &mut thread.comments {
                if comment.author == from && !kept {
                    if frozen { comment.blank() } else { comment.erase() }
                }
                comment.rename(from, to);
            }
        }
        for noted in &mut self.audit {
            if noted.note.author == from && noted.kind == "author-named" {
                (noted.note.before, noted.note.after) = (String::new(), String::new());
            }
            replace(&mut noted.by, from, to);
            replace(&mut noted.note.author, from, to);
        }
        self.removals.iter_mut().for_each(|removal| replace(&mut removal.author, from, to));
        self.lists.posts.iter_mut().for_each(|(author, _, _)| replace(author, from, to));
    }

    /// Words go where nothing else happens any more.
    pub(super) fn forget_all_the_same(&mut self, thread: Option<&str>, content: &Content) {
        let (Some(thread), Content::Event(envelope)) = (thread, content) else { return };
        let Event::CommentErased { comment, .. } = &envelope.event else { return };
        if has(&envelope.actor, &[Role::Administrator, Role::Service]) {
            let comments = self.threads.get_mut(thread).into_iter().flat_map(|thread| &mut thread.comments);
            comments.filter(|known| known.id == *comment).for_each(Comment::blank);
        }
    }
}
