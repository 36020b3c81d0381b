//! The same for comments, votes and flags.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::event::Timestamp;
use domain::{Actor, CommentId, Envelope, Event, FlagCategory, Hold, Mode, Quote, Role, State};

use super::{
    Broken, Comment, Flag, Naive, Note, Revision, Site, Thread, has, is_banned, is_editor, is_staff, need,
};

fn word(state: State) -> String {
    match state {
        State::Visible => "visible",
        State::Held => "held",
        State::Removed => "removed",
        State::Deleted => "deleted",
        State::Erased => "erased",
    }
    .to_owned()
}

fn featured_or_not(featured: bool) -> String {
    if featured { "featured" } else { "not featured" }.to_owned()
}

fn find(comments: &[Comment], id: CommentId) -> Result<usize, Broken> {
    comments.iter().position(|comment| comment.id == id).ok_or(Broken)
}

/// Every quote is of a revision that there is, and does not reach beyond it.
fn can_quote(comments: &[Comment], quotes: &[Quote]) -> bool {
    quotes.iter().all(|quote| {
        let quoted = comments.iter().find(|comment| comment.id == quote.comment);
        let revision = quoted.and_then(|quoted| quoted.revisions.get(quote.revision as usize));
        revision.is_some_and(|revision| revision.seen && quote.end <= revision.length)
    })
}

/// Why what somebody says is held.
fn why_held(site: &Site, thread: &Thread, actor: &Actor, judged: Option<Hold>) -> Option<Hold> {
    // Of the modes that let anybody say something, one is read before.
    let premoderated = site.mode.mode == Mode::Premoderated || thread.mode.mode == Mode::Premoderated;
    if is_staff(actor) {
        None
    } else if judged.is_some() {
        judged
    } else if premoderated {
        Some(Hold::Mode)
    } else {
        None
    }
}

impl Comment {
    fn is_kept(&self) -> bool {
        self.state == State::Visible || self.state == State::Held
    }

    fn show(&mut self) {
        self.covers.clear();
        self.state = State::Visible;
        self.held = None;
        self.has_row = true;
        self.revisions.last_mut().unwrap().seen = true;
    }

    fn hold(&mut self, why: Hold) {
        self.state = State::Held;
        self.held = Some(why);
    }

    pub(crate) fn waiting_flags(&self) -> usize {
        self.flags.values().filter(|flag| flag.decided.is_none()).count()
    }

    pub(crate) fn illegal_flags(&self) -> usize {
        let illegal = |flag: &&Flag| flag.decided.is_none() && flag.category == FlagCategory::Illegal;
        self.flags.values().filter(illegal).count()
    }

    pub(crate) fn waits(&self) -> bool {
        self.state == State::Held || self.waiting_flags() > 0
    }
}

impl Naive {
    /// What happens to a comment of a thread that is open.
    pub(super) fn at_comment(
        &mut self,
        thread: &str,
        envelope: &Envelope,
        now: i64,
    ) -> Result<Option<Note>, Broken> {
        match &envelope.event {
            Event::CommentPosted { .. } => self.post(thread, envelope, now),
            Event::CommentEdited { .. } => self.edit(thread, envelope, now).map(Some),
            Event::CommentDeleted { .. }
            | Event::CommentHeld { .. }
            | Event::CommentApproved { .. }
            | Event::CommentRemoved { .. }
            | Event::CommentRestored { .. }
            | Event::CommentFeatured { .. } => self.decide(thread, envelope).map(Some),
            Event::CommentFlagged { .. } | Event::FlagWithdrawn { .. } | Event::FlagsResolved { .. } => {
                self.flag(thread, envelope, now).map(Some)
            }
            Event::VoteCast { comment, vote } => {
                need(self.may_take_part(thread, &envelope.actor, now))?;
                let comments = &mut self.threads.get_mut(thread).unwrap().comments;
                let at = find(comments, *comment)?;
                let voter = envelope.actor.id.to_string();
                need(comments[at].state == State::Visible && comments[at].author != voter)?;
                let void_since = self.void_since(&voter);
                let comments = &mut self.threads.get_mut(thread).unwrap().comments;
                comments[at].vote(voter, *vote, (now, void_since));
                Ok(None)
            }
            other => unreachable!("{} is of no comment", other.kind()),
        }
    }

    fn is_either(&self, thread: &str, mode: Mode) -> bool {
        self.site.mode.mode == mode || self.threads[thread].mode.mode == mode
    }

    fn may_take_part(&self, thread: &str, actor: &Actor, now: i64) -> bool {
        let closed = self.threads[thread].closes_at.is_some_and(|closes_at| closes_at.0 <= now);
        let shut = self.is_either(thread, Mode::Hidden) || self.is_either(thread, Mode::ReadOnly);
        !closed && !shut && !is_banned(&self.authors, actor.id.as_str(), now)
    }

    fn post(&mut self, name: &str, envelope: &Envelope, now: i64) -> Result<Option<Note>, Broken> {
        let Event::CommentPosted { parent, text, quotes, length, held, original_time } = &envelope.event else {
            unreachable!()
        };
        need(self.may_take_part(name, &envelope.actor, now))?;
        let thread = self.threads.get_mut(name).unwrap();
        if let Some(parent) = parent {
            let parent = find(&thread.comments, *parent)?;
            need(thread.comments[parent].state == State::Visible)?;
        }
        need(*length <= self.site.settings.text_chars_max.unwrap() && can_quote(&thread.comments, quotes))?;
        let held = why_held(&self.site, thread, &envelope.actor, *held);
        let (author, text) = (envelope.actor.id.to_string(), text.as_str().to_owned());
        thread.comments.push(Comment {
            id: CommentId(envelope.id),
            author: author.clone(),
            time: original_time.unwrap_or(Timestamp(now)),
            judged: Timestamp(now),
            parent: *parent,
            revisions: vec![Revision {
                since: original_time.unwrap_or(Timestamp(now)),
                text,
                length: *length,
                quotes: quotes.clone(),
                seen: held.is_none(),
            }],
            state: if held.is_some() { State::Held } else { State::Visible },
            held,
            has_row: held.is_none(),
            rule: String::new(),
            featured: false,
            votes: HashMap::new(),
            cast: HashMap::new(),
            void: HashSet::new(),
            covers: Vec::new(),
            under: State::Visible,
            own_rule: String::new(),
            flags: BTreeMap::new(),
            flagged: None,
        });
        Ok(held.map(|_| Note { author, after: "held".to_owned(), ..Note::default() }))
    }

    fn edit(&mut self, name: &str, envelope: &Envelope, now: i64) -> Result<Note, Broken> {
        let Event::CommentEdited { comment, revision, text, quotes, length, held } = &envelope.event else {
            unreachable!()
        };
        need(self.may_take_part(name, &envelope.actor, now))?;
        let thread = self.threads.get_mut(name).unwrap();
        let at = find(&thread.comments, *comment)?;
        let edited = &thread.comments[at];
        let (settings, before) = (&self.site.settings, edited.revisions.len() - 1);
        need(edited.author == envelope.actor.id.as_str() && edited.is_kept())?;
        need(now - edited.judged.0 <= i64::from(settings.edit_window_secs.unwrap()) * 1_000)?;
        need(*revision as usize == before + 1 && *revision <= 10)?;
        need(*length <= settings.text_chars_max.unwrap() && can_quote(&thread.comments, quotes))?;
        need(quotes.iter().all(|quote| quote.comment != *comment))?;
        let held = why_held(&self.site, thread, &envelope.actor, *held);
        let edited = &mut thread.comments[at];
        let state = edited.state;
        if let (Some(held), State::Visible) = (held, state) {
            edited.hold(held);
        }
        let (since, text) = (Timestamp(now), text.as_str().to_owned());
        let seen = edited.state == State::Visible;
        edited.revisions.push(Revision { since, text, length: *length, quotes: quotes.clone(), seen });
        Ok(Note {
            author: edited.author.clone(),
            reason: String::new(),
            before: format!("revision {before}, {}", word(state)),
            after: format!("revision {revision}, {}", word(edited.state)),
        })
    }

    /// What its author, or a moderator, decides on a comment.
    fn decide(&mut self, name: &str, envelope: &Envelope) -> Result<Note, Broken> {
        let (actor, event) = (&envelope.actor, &envelope.event);
        let comments = &mut self.threads.get_mut(name).unwrap().comments;
        let at = find(comments, event.comment().unwrap())?;
        let comment = &mut comments[at];
        let (mut before, mut why) = (word(comment.state), String::new());
        match event {
            Event::CommentDeleted { .. } => {
                need(comment.author == actor.id.as_str() && comment.is_kept())?;
                (comment.state, comment.held, comment.featured) = (State::Deleted, None, false);
            }
            Event::CommentHeld { reason, .. } => {
                need(is_editor(actor) && comment.state == State::Visible)?;
                comment.hold(Hold::Decision);
                why = reason.to_string();
            }
            Event::CommentApproved { revision, .. } => {
                need(is_staff(actor) && comment.state == State::Held)?;
                need(revision.is_none_or(|revision| revision as usize == comment.revisions.len() - 1))?;
                comment.show();
                comment.flags.values_mut().for_each(|flag| flag.counts = false);
            }
            Event::CommentRemoved { reason, rule, .. } => {
                need(is_staff(actor) && comment.is_kept())?;
                (comment.state, comment.held, comment.rule) = (State::Removed, None, rule.to_string());
                comment.featured = false;
                why = reason.to_string();
            }
            Event::CommentRestored { reason, .. } => {
                need(is_staff(actor) && comment.state == State::Removed)?;
                comment.show();
                comment.flags.values_mut().for_each(|flag| flag.counts = false);
                comment.rule = String::new();
                why = reason.to_string();
            }
            Event::CommentFeatured { featured, .. } => {
                need(is_staff(actor) && comment.state == State::Visible)?;
                before = featured_or_not(comment.featured);
                comment.featured = *featured;
            }
            other => unreachable!("{} is no decision", other.kind()),
        }
        let after = match event {
            Event::CommentFeatured { featured, .. } => featured_or_not(*featured),
            _ => word(comment.state),
        };
        Ok(Note { author: comment.author.clone(), reason: why, before, after })
    }

    fn flag(&mut self, name: &str, envelope: &Envelope, now: i64) -> Result<Note, Broken> {
        let by = envelope.actor.id.to_string();
        let banned = is_banned(&self.authors, &by, now);
        let hidden = self.is_either(name, Mode::Hidden);
        let threshold = self.site.settings.report_threshold.unwrap() as usize;
        let comments = &mut self.threads.get_mut(name).unwrap().comments;
        let at = find(comments, envelope.event.comment().unwrap())?;
        let comment = &mut comments[at];
        let author = comment.author.clone();
        match &envelope.event {
            Event::CommentFlagged { category, words, .. } => {
                need(!hidden && !banned && comment.state == State::Visible)?;
                need(author != by && !comment.flags.contains_key(&by))?;
                let (words, time) = (words.to_string(), Timestamp(now));
                comment.flagged = comment.flagged.or(Some(time));
                let flag = Flag { category: *category, words, time, decided: None, counts: true };
                comment.flags.insert(by, flag);
                if threshold > 0 && comment.flags.values().filter(|flag| flag.counts).count() >= threshold {
                    comment.hold(Hold::Flags);
                }
                let reason = match category {
                    FlagCategory::Spam => "spam",
                    FlagCategory::Abuse => "abuse",
                    FlagCategory::OffTopic => "off-topic",
                    FlagCategory::Misinformation => "misinformation",
                    FlagCategory::Illegal => "illegal",
                    FlagCategory::Other => "other",
                };
                Ok(Note {
                    author,
                    reason: reason.to_owned(),
                    before: "visible".to_owned(),
                    after: word(comment.state),
                })
            }
            Event::FlagWithdrawn { .. } => {
                need(comment.flags.get(&by).is_some_and(|flag| flag.decided.is_none()))?;
                comment.flags.remove(&by);
                if comment.waiting_flags() == 0 {
                    comment.flagged = None;
                }
                Ok(Note { author, ..Note::default() })
            }
            Event::FlagsResolved { upheld, statement, .. } => {
                let waiting = comment.waiting_flags();
                need(has(&envelope.actor, &[Role::Moderator, Role::Administrator]) && waiting > 0)?;
                need(comment.illegal_flags() == 0 || !statement.is_empty())?;
                for flag in comment.flags.values_mut().filter(|flag| flag.decided.is_none()) {
                    flag.decided = Some((*upheld, statement.to_string(), by.clone()));
                    flag.counts = false;
                }
                comment.flagged = None;
                let after = if *upheld { "upheld" } else { "declined" }.to_owned();
                Ok(Note { author, reason: statement.to_string(), before: format!("{waiting} waiting"), after })
            }
            other => unreachable!("{} is no flag", other.kind()),
        }
    }
}
