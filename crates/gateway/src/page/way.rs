//! How somebody reads a thread: what the addresses and forms of its page carry from one to the next.

use client::Reading;
use domain::{Order, Rejection};
use wire::error::Failure;
use wire::values::optional_comment;

use super::address;
use crate::problem::Problem;

/// An order, flat or as a tree, and the page of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) order: Order,
    pub(super) tree: bool,
    /// The cursor of the page; empty for the first.
    pub(super) after: String,
    /// The id of the comment that the page is around; empty for none.
    pub(super) around: String,
}

impl Way {
    /// A way by the words in an address or a form.
    pub(super) fn of(order: &str, tree: &str) -> Result<Self, Problem> {
        let order = if order.is_empty() { Some(Order::default()) } else { Order::from_word(order) };
        let order = order.ok_or(Failure::OrderInvalid)?;
        Ok(Self { order, tree: tree == "1", ..Self::default() })
    }

    /// The same order from the beginning.
    pub(super) fn start(&self) -> Self {
        Self { order: self.order, tree: self.tree, ..Self::default() }
    }

    /// The page at a cursor.
    pub(super) fn after(&self, cursor: &str) -> Self {
        Self { after: cursor.to_owned(), ..self.start() }
    }

    /// The page around a comment.
    pub(super) fn around(&self, comment: &str) -> Self {
        Self { around: comment.to_owned(), ..self.start() }
    }

    /// Whether the page stays where it is: oldest first, at a short cursor. Of all others the cursors are long and what stands
    /// there changes, so forms lead back around their comment.
    pub(super) fn stays(&self) -> bool {
        self.order == Order::Oldest && !self.tree && self.around.is_empty()
    }

    /// The page on which a comment of this page is found again.
    pub(super) fn back_to(&self, comment: &str) -> Self {
        if self.stays() { self.clone() } else { self.around(comment) }
    }

    /// What forms carry along beside the cursor of a page that stays.
    pub(super) fn fields(&self) -> Vec<(&'static str, &'static str)> {
        let order = if self.order == Order::default() { "" } else { self.order.as_str() };
        let around = if self.around.is_empty() { "" } else { "1" };
        let fields = [("order", order), ("tree", if self.tree { "1" } else { "" }), ("around", around)];
        fields.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The cursor that forms carry along.
    pub(super) fn kept_cursor(&self) -> &str {
        if self.stays() { &self.after } else { "" }
    }

    /// An address of this page, with more parameters.
    pub(super) fn address(&self, path: &str, more: &[(&str, &str)], fragment: &str) -> String {
        let order = if self.order == Order::default() { "" } else { self.order.as_str() };
        let tree = if self.tree { "1" } else { "" };
        let own =
            [("order", order), ("tree", tree), ("after", self.after.as_str()), ("around", self.around.as_str())];
        let parameters: Vec<_> = own.iter().chain(more).copied().collect();
        address(path, &parameters, fragment)
    }

    /// What to ask for.
    pub(super) fn reading(&self) -> Result<Reading, Rejection> {
        Ok(Reading { order: self.order, tree: self.tree, around: optional_comment(&self.around)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_what_is_not_as_always() {
        let way = Way::of("", "").unwrap();
        assert_eq!(way.address("/t", &[], "comments"), "/t#comments");
        assert_eq!(way.after("50").address("/t", &[("moderate", "1")], ""), "/t?after=50&moderate=1");
        let hot = Way::of("hot", "1").unwrap();
        assert_eq!(hot.around("c").address("/t", &[], ""), "/t?order=hot&tree=1&around=c");
        assert_eq!(Way::of("hottest", "").unwrap_err().code, "order-invalid");
    }

    #[test]
    fn a_form_leads_back_to_its_page_or_around_its_comment() {
        let first = Way::of("", "").unwrap();
        assert_eq!((first.after("50").back_to("c").after.as_str(), first.fields()), ("50", vec![]));
        let top = Way::of("top", "").unwrap().after("long");
        assert_eq!((top.back_to("c").around.as_str(), top.kept_cursor()), ("c", ""));
        assert_eq!(first.around("c").fields(), [("around", "1")]);
    }
}
