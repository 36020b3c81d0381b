//! The rows of one page, drawn one after another until it is full.

use crate::cursor::Cursor;
use crate::error::Error;
use crate::keys::PlaceNo;
use crate::pages::{CommentView, Names, View, Viewer};
use crate::records::Comment;

/// How a row stands in a tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// How many levels below the first of its page.
    pub depth: u32,
    /// How many rows reply to it directly.
    pub replies: u32,
    /// Where those of them begin that are not on this page; `None` if all are.
    pub more: Option<Cursor>,
}

/// A page on the way.
pub(crate) struct Sheet<'v, 's> {
    view: &'v View<'s>,
    /// The site and the thread.
    places: (PlaceNo, PlaceNo),
    viewer: &'v Viewer,
    voter: Option<u32>,
    names: Names,
    limit: usize,
    bytes_max: usize,
    bytes: usize,
    full: bool,
    rows: Vec<CommentView>,
}

impl<'v, 's> Sheet<'v, 's> {
    /// An empty page of at most so many rows and bytes, but one row at least.
    pub(crate) fn new(
        view: &'v View<'s>,
        places: (PlaceNo, PlaceNo),
        (viewer, voter): (&'v Viewer, Option<u32>),
        (limit, bytes_max): (u32, usize),
    ) -> Self {
        let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
        let (names, rows) = (Names::default(), Vec::new());
        Self { view, places, viewer, voter, names, limit, bytes_max, bytes: 0, full: false, rows }
    }

    pub(crate) fn moderator(&self) -> bool {
        self.viewer.moderator
    }

    /// Rows that the page has at most.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full || self.rows.len() >= self.limit
    }

    pub(crate) fn has(&self, number: u32) -> bool {
        self.rows.iter().any(|row| row.number == number)
    }

    /// Draws the next row. `false` if it has no room, and then nothing more has.
    pub(crate) fn draw(&mut self, number: u32) -> Result<bool, Error> {
        if self.is_full() {
            return Ok(false);
        }
        let record = self.view.row(self.places.1, number)?;
        self.put(number, &record)
    }

    /// The same with a record that was read.
    pub(crate) fn put(&mut self, number: u32, record: &Comment) -> Result<bool, Error> {
        if self.is_full() {
            return Ok(false);
        }
        let of = (self.viewer, self.voter);
        let (row, bytes) = self.view.comment(self.places, (number, record), of, &mut self.names)?;
        self.bytes = self.bytes.saturating_add(bytes);
        self.full = self.bytes > self.bytes_max && !self.rows.is_empty();
        if !self.full {
            self.rows.push(row);
        }
        Ok(!self.full)
    }

    /// Says how the row at a place stands in its tree.
    pub(crate) fn set_branch(&mut self, at: usize, branch: Branch) {
        if let Some(row) = self.rows.get_mut(at) {
            row.branch = Some(branch);
        }
    }

    /// How many rows are drawn.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn into_rows(self) -> Vec<CommentView> {
        self.rows
    }
}
