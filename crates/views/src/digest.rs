//! Digests of what is stored: equal for equal content, whatever the batches and the history of the store were.
//!
//! They cover logical records by place, comment numbers among them, recomputed from stored values; no sequences, no
//! internal numbers of places or voters, no counters of what had no effect.

mod fields;
mod voters;

use domain::{AuthorId, CommandId, Place, Tally};

use crate::ballots::Ballots;
use crate::error::Error;
use crate::keys::{Key, KeyBytes, PlaceNo, WordList, container_tail, number_tail, prefix};
use crate::laws::{BrokenLaw, Laws};
use crate::pages::{View, id_of};
use crate::records::{
    Audit, Author, Command, Comment, Flag, Flags, FormerName, Removal, Resolution, Rules, Settings, Site, Thread,
    Words,
};

use fields::{Fields, Sum};
pub use voters::Voters;

/// 32 bytes of BLAKE3.
pub type Digest = [u8; 32];

impl View<'_> {
    /// Places after one, in the order of keys: each site and then its threads.
    pub fn places(&self, after: Option<&Place>, limit: usize) -> Result<Vec<Place>, Error> {
        let mut places = Vec::new();
        let mut last = after.cloned();
        while places.len() < limit {
            let Some(next) = self.next_place(last.as_ref())? else { break };
            let Some(id) = &next.thread else {
                places.push(next.clone());
                last = Some(next);
                continue;
            };
            // The threads of a site stand side by side.
            let prefix = prefix::threads(&next.site);
            for entry in self.tree.range(Key::Thread(&next.site, id).encode()..).take(limit - places.len()) {
                let (key, _) = entry?;
                let Some(id) = key.strip_prefix(prefix.as_slice()) else { break };
                places.push(Place { site: next.site.clone(), thread: Some(parse(id)?) });
            }
            last = places.last().cloned();
        }
        Ok(places)
    }

    /// The place after one: the first or next thread of its site, or else the next site.
    fn next_place(&self, after: Option<&Place>) -> Result<Option<Place>, Error> {
        let from = match after {
            Some(after) => {
                let prefix = prefix::threads(&after.site);
                let from = match &after.thread {
                    Some(thread) => behind(Key::Thread(&after.site, thread).encode()),
                    None => prefix.clone(),
                };
                let found = self.tree.range(from..).next().transpose()?;
                if let Some(id) = found.as_ref().and_then(|(key, _)| key.strip_prefix(prefix.as_slice())) {
                    return Ok(Some(Place { site: after.site.clone(), thread: Some(parse(id)?) }));
                }
                behind(Key::Site(&after.site).encode())
            }
            None => prefix::sites(),
        };
        let found = self.tree.range(from..).next().transpose()?;
        let id = found.as_ref().and_then(|(key, _)| key.strip_prefix(prefix::sites().as_slice()));
        id.map(|id| Ok(Place { site: parse(id)?, thread: None })).transpose()
    }

    /// The digest of all that is stored of a place, or of nothing.
    pub fn digest(&self, place: &Place, voters: &mut Voters) -> Result<Digest, Error> {
        self.checked_digest(place, voters).map(|(digest, _)| digest)
    }

    /// The same, and the laws that do not hold there.
    pub fn checked_digest(&self, place: &Place, voters: &mut Voters) -> Result<(Digest, Vec<BrokenLaw>), Error> {
        let nothing = (Digest::default(), Vec::new());
        let Some(site) = self.site(&place.site)? else { return Ok(nothing) };
        match &place.thread {
            Some(id) => match self.thread(&place.site, id)? {
                Some(thread) => self.thread_digest(place, &site, &thread, voters),
                None => Ok(nothing),
            },
            None => Ok((self.site_digest(place, &site)?, Vec::new())),
        }
    }

    /// The digests of a thread's comments after a number, and whether more follow.
    pub fn comment_digests(
        &self,
        place: &Place,
        after: u32,
        limit: u32,
        voters: &mut Voters,
    ) -> Result<(Vec<Digest>, bool), Error> {
        let (Some(id), Some(site)) = (&place.thread, self.site(&place.site)?) else {
            return Ok((Vec::new(), false));
        };
        let Some(thread) = self.thread(&place.site, id)? else { return Ok((Vec::new(), false)) };
        voters.begin(&site);
        let end = thread.posted.min(after.saturating_add(limit));
        let no = PlaceNo(thread.place);
        let digests = (after.saturating_add(1)..=end).map(|number| {
            let comment = self.row(no, number)?;
            self.comment_digest(no, number, &comment, voters).map(|(digest, _)| digest)
        });
        Ok((digests.collect::<Result<_, _>>()?, end < thread.posted))
    }

    fn site_digest(&self, place: &Place, site: &Site) -> Result<Digest, Error> {
        let no = PlaceNo(site.place);
        let mut fields = Fields::of("site");
        fields.text(place.site.as_str());
        fields.number(u8::from(site.frozen));
        fields.number(u8::from(site.opened.is_some()));
        if let Some(opened) = &site.opened {
            fields.text(&opened.name);
            fields.text(&opened.zone);
        }
        let Rules { edit_window_secs, text_chars_max, report_threshold } = site.rules;
        for number in [edit_window_secs, text_chars_max, report_threshold, site.bans] {
            fields.number(number);
        }
        fields.mode(&site.mode);
        let settings: Settings = self.get(&Key::Settings(no))?.unwrap_or_default();
        fields.text(&settings.locale);
        fields.number(settings.premoderate_first);
        fields.number(u8::from(settings.premoderate_links));
        fields.number(settings.comments_per_minute);
        fields.number(settings.votes_per_minute);
        for list in [WordList::Premoderate, WordList::Reserved] {
            let words = self.word_list(no, &settings, list)?;
            fields.count(words.len());
            for word in words {
                fields.text(&word);
            }
        }
        for entry in self.scan::<Author>(prefix::authors(no)) {
            let (key, author) = entry?;
            let id = parse(key.get(5..).unwrap_or_default())?;
            self.add_author(no, &id, &author, &mut fields)?;
        }
        self.add_removals(no, &mut fields)?;
        self.add_audit(no, &mut fields)?;
        self.add_commands(no, &mut fields)?;
        Ok(fields.finish())
    }

    fn add_author(&self, site: PlaceNo, id: &AuthorId, author: &Author, fields: &mut Fields) -> Result<(), Error> {
        // What comes of threads (the number as a voter, how many comments were shown) is not the site's, so that a site has
        // one digest whichever of its threads a store folds.
        let said_nothing = author.name.is_empty() && author.ban.is_none();
        if said_nothing && author.votes_void_since.is_none() && !author.erased {
            return Ok(());
        }
        fields.text("author");
        fields.text(id.as_str());
        fields.text(&author.name);
        fields.number(author.former_names);
        fields.number(u8::from(author.ban.is_some()));
        if let Some(ban) = &author.ban {
            fields.text(&ban.reason);
            fields.optional(ban.until_millis);
        }
        fields.optional(author.votes_void_since);
        fields.number(u8::from(author.erased));
        for entry in self.scan::<FormerName>(prefix::former_names(site, id)) {
            let (_, former) = entry?;
            fields.text("former name");
            fields.text(&former.name);
            fields.number(former.until_millis);
        }
        Ok(())
    }

    fn thread_digest(
        &self,
        place: &Place,
        site: &Site,
        thread: &Thread,
        voters: &mut Voters,
    ) -> Result<(Digest, Vec<BrokenLaw>), Error> {
        let no = PlaceNo(thread.place);
        voters.begin(site);
        let mut fields = Fields::of("thread");
        fields.text(place.site.as_str());
        fields.text(place.thread.as_ref().map_or("", domain::ThreadId::as_str));
        fields.number(u8::from(thread.frozen));
        fields.number(thread.posted);
        fields.number(thread.count);
        fields.number(thread.latest_millis);
        fields.number(u8::from(thread.opened.is_some()));
        if let Some(opened) = &thread.opened {
            fields.text(&opened.headline);
            fields.text(&opened.address);
            fields.text(&opened.category);
            fields.optional(opened.published_millis);
            fields.optional(opened.closes_at_millis);
        }
        fields.mode(&thread.mode);
        fields.number(thread.moves);
        for entry in self.scan::<String>(prefix::former_addresses(no)) {
            fields.text("former address");
            fields.text(&entry?.1);
        }
        let mut laws = Laws::default();
        for entry in self.scan::<Comment>(prefix::comments(no)) {
            let (key, comment) = entry?;
            let number = number_tail(&key).ok_or(Error::Damaged("a comment's key"))?;
            let (digest, tallies) = self.comment_digest(no, number, &comment, voters)?;
            fields.bytes(&digest);
            laws.comment(number, comment.shown, tallies);
        }
        if laws.comments() != thread.posted {
            return Err(Error::Damaged("a comment is missing"));
        }
        self.add_removals(no, &mut fields)?;
        self.add_audit(no, &mut fields)?;
        self.add_commands(no, &mut fields)?;
        Ok((fields.finish(), laws.broken(thread.count)))
    }

    /// The digest of a comment, its tally, and what its voters come to.
    fn comment_digest(
        &self,
        thread: PlaceNo,
        number: u32,
        comment: &Comment,
        voters: &mut Voters,
    ) -> Result<(Digest, [Tally; 2]), Error> {
        let mut fields = Fields::of("comment");
        fields.number(number);
        fields.text(&id_of(comment).to_string());
        fields.text(&comment.author);
        fields.number(comment.time_millis);
        fields.optional(comment.original_millis);
        fields.number(comment.parent);
        fields.count(comment.lengths.len());
        for length in &comment.lengths {
            fields.number(*length);
        }
        fields.count(comment.unseen.len());
        for revision in &comment.unseen {
            fields.number(*revision);
        }
        for byte in [comment.own_state, u8::from(comment.shown), comment.held, u8::from(comment.featured)] {
            fields.number(byte);
        }
        fields.optional(comment.edited_millis);
        fields.number(u8::from(comment.removed.is_some()));
        if let Some(removed) = &comment.removed {
            fields.text(&removed.by);
            fields.text(&removed.reason);
            fields.text(&removed.rule);
            fields.number(removed.time_millis);
        }
        for cover in &comment.covers {
            fields.text("cover");
            fields.number(u8::from(cover.of_site));
            fields.bytes(&cover.id.to_be_bytes());
        }
        self.add_flags(thread, number, comment, &mut fields)?;
        for entry in self.scan::<Words>(prefix::revisions(thread, number)) {
            fields.text("revision");
            fields.words(&entry?.1);
        }
        fields.words(&self.words(thread, number)?);
        let tally = self.tally(thread, number)?;
        fields.number(tally.up);
        fields.number(tally.down);
        let voted = self.add_voters((thread, number), voters, &mut fields)?;
        Ok((fields.finish(), [tally, voted]))
    }

    fn add_flags(
        &self,
        thread: PlaceNo,
        number: u32,
        comment: &Comment,
        fields: &mut Fields,
    ) -> Result<(), Error> {
        let Flags { open, illegal, counted, round, resolved, since_millis } = comment.flags;
        for number in [open, illegal, counted, round] {
            fields.number(number);
        }
        fields.optional(resolved.map(i64::from));
        fields.optional(since_millis);
        for entry in self.scan::<Flag>(prefix::flags(thread, number)) {
            let (key, flag) = entry?;
            fields.text("flag");
            fields.bytes(key.get(9..).unwrap_or_default());
            fields.number(flag.category);
            fields.text(&flag.words);
            fields.number(flag.time_millis);
            fields.number(flag.round);
        }
        for entry in self.scan::<Resolution>(prefix::resolutions(thread, number)) {
            let (_, resolution) = entry?;
            fields.text("resolution");
            fields.number(u8::from(resolution.upheld));
            fields.text(&resolution.statement);
            fields.text(&resolution.by);
            fields.number(resolution.time_millis);
        }
        Ok(())
    }

    /// Removals of many comments are kept by id.
    fn add_removals(&self, place: PlaceNo, fields: &mut Fields) -> Result<(), Error> {
        for entry in self.scan::<Removal>(prefix::removals(place)) {
            let (key, removal) = entry?;
            fields.text("removal");
            fields.bytes(key.get(5..).unwrap_or_default());
            fields.text(&removal.author);
            fields.text(&removal.rule);
            fields.number(u8::from(removal.undone));
        }
        Ok(())
    }

    /// Decisions in their order, without their places in the log.
    fn add_audit(&self, place: PlaceNo, fields: &mut Fields) -> Result<(), Error> {
        for entry in self.scan::<Audit>(prefix::audits(place)) {
            let (_, audit) = entry?;
            fields.text("audit");
            fields.number(audit.time_millis);
            let texts = [&audit.by, &audit.kind, &audit.author, &audit.reason, &audit.before, &audit.after];
            for text in texts {
                fields.text(text);
            }
            fields.bytes(&audit.comment.to_be_bytes());
        }
        Ok(())
    }

    fn add_voters(
        &self,
        (thread, number): (PlaceNo, u32),
        known: &mut Voters,
        fields: &mut Fields,
    ) -> Result<Tally, Error> {
        let (mut sums, mut voted) = ([Sum::default(), Sum::default(), Sum::default()], Tally::default());
        for entry in self.scan::<Ballots>(prefix::ballots(thread, number)) {
            let (key, ballots) = entry?;
            let container = container_tail(&key).ok_or(Error::Damaged("a key of votes"))?;
            ballots.add_to(&mut voted)?;
            for (side, sum) in ballots.sides().into_iter().zip(&mut sums) {
                for low in side {
                    sum.add(&known.digest(self, u32::from(container) << 16 | low)?);
                }
            }
        }
        for sum in sums {
            sum.into_fields(fields);
        }
        Ok(voted)
    }

    /// Commands are kept by id, and each has one outcome.
    fn add_commands(&self, place: PlaceNo, fields: &mut Fields) -> Result<(), Error> {
        for entry in self.scan::<Command>(prefix::commands(place)) {
            let (key, command) = entry?;
            fields.text("command");
            let id: [u8; 16] = *key.last_chunk().ok_or(Error::Damaged("a command's key"))?;
            fields.text(&CommandId::from_u128(u128::from_be_bytes(id)).to_string());
            fields.text(command.void.as_deref().unwrap_or_default());
        }
        Ok(())
    }
}

/// The first key that may stand behind one: ids hold no zero byte.
fn behind(mut key: KeyBytes) -> KeyBytes {
    key.push(0);
    key
}

pub(crate) fn parse<T: std::str::FromStr>(id: &[u8]) -> Result<T, Error> {
    let text = std::str::from_utf8(id).or(Err(Error::Damaged("an id")))?;
    text.parse().or(Err(Error::Damaged("an id")))
}
