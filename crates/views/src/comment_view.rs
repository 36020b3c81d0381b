//! One comment as readers see it, with the revisions that they saw.

use domain::{CommentId, Mode, Rejection, SiteId, ThreadId, Timestamp};

use crate::error::Error;
use crate::keys::{Key, PlaceNo};
use crate::pages::{CommentView, Names, View, Viewer, article, revision_of};
use crate::records::{Comment, Words};

/// One comment as readers see it.
#[derive(Debug)]
pub struct ReadersComment {
    /// What may happen to its thread now.
    pub mode: Mode,
    /// The comment; `None` in a thread that is hidden.
    pub comment: Option<CommentView>,
    /// The revisions that readers saw, by number: since when and what it said. None of a comment that cannot be read.
    pub revisions: Vec<(u32, Timestamp, String)>,
}

impl View<'_> {
    /// One comment as readers see it; a rejection if there is no such site, thread, or row.
    pub fn readers_comment(
        &self,
        site: &SiteId,
        thread: &ThreadId,
        id: CommentId,
        viewer: &Viewer,
    ) -> Result<Result<ReadersComment, Rejection>, Error> {
        let Some(site_record) = self.site(site)?.filter(|site| site.opened.is_some()) else {
            return Ok(Err(Rejection::SiteUnknown));
        };
        let Some(record) = self.thread(site, thread)? else { return Ok(Err(Rejection::ThreadUnknown)) };
        let Some(article) = article(&site_record, &record)? else { return Ok(Err(Rejection::ThreadUnknown)) };
        let (mode, places) = (article.mode, (PlaceNo(site_record.place), PlaceNo(record.place)));
        if mode == Mode::Hidden {
            // Not even whether it exists, as on the page.
            return Ok(Ok(ReadersComment { mode, comment: None, revisions: Vec::new() }));
        }
        let Some(number) = self.number_of(places.1, id)? else {
            return Ok(Err(Rejection::CommentUnknown));
        };
        let row = self.row(places.1, number)?;
        if !row.shown {
            return Ok(Err(Rejection::CommentUnknown));
        }
        let voter = self.viewer_number(&site_record, viewer)?;
        let (comment, _) = self.comment(places, (number, &row), (viewer, voter), &mut Names::default())?;
        let revisions =
            if comment.said.is_some() { self.seen_revisions(places.1, number, &row)? } else { Vec::new() };
        Ok(Ok(ReadersComment { mode, comment: Some(comment), revisions }))
    }

    fn seen_revisions(
        &self,
        thread: PlaceNo,
        number: u32,
        comment: &Comment,
    ) -> Result<Vec<(u32, Timestamp, String)>, Error> {
        let latest = revision_of(comment);
        let mut revisions = Vec::with_capacity(comment.lengths.len());
        for revision in (0..=latest).filter(|revision| !comment.unseen.contains(revision)) {
            let words = if revision == latest {
                self.words(thread, number)?
            } else {
                let words: Option<Words> = self.get(&Key::Revision(thread, number, revision))?;
                words.ok_or(Error::Damaged("a revision is missing"))?
            };
            revisions.push((revision, Timestamp(words.time_millis), words.text));
        }
        Ok(revisions)
    }
}
