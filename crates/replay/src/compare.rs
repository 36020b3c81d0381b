//! Two folds of one log, place by place. Pure: what was read on both sides comes in, differences come out.

use std::collections::BTreeMap;

use domain::Place;
use views::{Digest, Error, View};

/// Digests of places, in the order of places.
pub(crate) type Digests = BTreeMap<Place, Digest>;

/// How a place is not the same on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// The log gives it, and it is not served.
    NotServed,
    /// It is served, and the log does not give it.
    NotInLog,
    /// Both have it, with other contents.
    Contents,
}

/// Where in a thread the contents differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    /// In the comment of this number, which both have.
    Comment(u32),
    /// The served thread ends before the comment of this number.
    NotServed(u32),
    /// The served thread has a comment of this number, and the log does not give it.
    NotInLog(u32),
    /// In what is not a comment: headline, standing, names, commands.
    Outside,
}

/// The places of a view after one and up to another, with their digests.
pub(crate) fn digests(
    view: &View<'_>,
    after: Option<&Place>,
    up_to: Option<&Place>,
    page: usize,
) -> Result<Digests, Error> {
    let mut digests = Digests::new();
    let mut after = after.cloned();
    loop {
        let places = view.places(after.as_ref(), page)?;
        let is_last = places.len() < page;
        after = places.last().cloned();
        for place in places {
            if up_to.is_some_and(|up_to| place > *up_to) {
                return Ok(digests);
            }
            let digest = view.digest(&place)?;
            digests.insert(place, digest);
        }
        if is_last {
            return Ok(digests);
        }
    }
}

/// What differs, in the order of places.
pub(crate) fn places(folded: &Digests, served: &Digests) -> Vec<(Place, Difference)> {
    let missing_or_other = folded.iter().filter_map(|(place, digest)| match served.get(place) {
        None => Some((place.clone(), Difference::NotServed)),
        Some(other) if other != digest => Some((place.clone(), Difference::Contents)),
        Some(_) => None,
    });
    let extra = served.keys().filter(|place| !folded.contains_key(*place));
    let extra = extra.map(|place| (place.clone(), Difference::NotInLog));
    let mut differences: Vec<_> = missing_or_other.chain(extra).collect();
    differences.sort_by(|(left, _), (right, _)| left.cmp(right));
    differences
}

/// The first spot where the contents of a thread differ, by the digests of its comments in the order of numbers.
pub(crate) fn spot(folded: &[Digest], served: &[Digest]) -> Spot {
    let differs = folded.iter().zip(served).position(|(folded, served)| folded != served);
    let number = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
    match differs {
        Some(index) => Spot::Comment(number(index)),
        None if served.len() < folded.len() => Spot::NotServed(number(served.len())),
        None if served.len() > folded.len() => Spot::NotInLog(number(folded.len())),
        None => Spot::Outside,
    }
}

#[cfg(test)]
mod tests {
    use domain::Recorded;
    use views::Store;

    use super::*;
    use crate::refold::tests::{Life, place};

    /// A store of its own, folded in batches of this size.
    fn folded(log: &[Recorded], batch: usize) -> (Store, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), views::Options::default()).unwrap();
        for batch in log.chunks(batch) {
            store.fold(batch, ("test", 0, 1)).unwrap();
        }
        (store, dir)
    }

    fn compared(folded: &Store, served: &Store) -> Vec<(Place, Difference)> {
        let all = |store: &Store| digests(&store.view(), None, None, 2).unwrap();
        places(&all(folded), &all(served))
    }

    #[test]
    fn the_same_log_in_other_batches_is_equal() {
        let log = Life::of_two_threads().recorded();
        let ((left, _left), (right, _right)) = (folded(&log, 1), folded(&log, 100));
        assert_eq!(compared(&left, &right), []);
    }

    #[test]
    fn a_planted_vote_is_found_in_its_comment() {
        let life = Life::of_two_threads();
        let log = life.recorded();
        let mut other = log.clone();
        other.extend(life.vote_on_second_comment(log.len()));
        let ((left, _left), (right, _right)) = (folded(&log, 3), folded(&other, 3));
        let thread = place(Some("b"));
        assert_eq!(compared(&left, &right), [(thread.clone(), Difference::Contents)]);
        let comments = |store: &Store| store.view().comment_digests(&thread).unwrap();
        assert_eq!(spot(&comments(&left), &comments(&right)), Spot::Comment(2));
    }

    #[test]
    fn a_place_that_one_side_lacks_is_a_difference() {
        let log = Life::of_two_threads().recorded();
        let without: Vec<_> = log.iter().filter(|event| event.place != Some(place(Some("a")))).cloned().collect();
        let ((whole, _whole), (part, _part)) = (folded(&log, 3), folded(&without, 3));
        assert_eq!(compared(&whole, &part), [(place(Some("a")), Difference::NotServed)]);
        assert_eq!(compared(&part, &whole), [(place(Some("a")), Difference::NotInLog)]);
    }

    #[test]
    fn a_page_is_compared_within_its_borders() {
        let log = Life::of_two_threads().recorded();
        let (store, _dir) = folded(&log, 3);
        let view = store.view();
        let (site, a, b) = (place(None), place(Some("a")), place(Some("b")));
        let between = |after: Option<&Place>, up_to: Option<&Place>| -> Vec<_> {
            digests(&view, after, up_to, 2).unwrap().into_keys().collect()
        };
        assert_eq!(between(None, Some(&a)), [site.clone(), a.clone()]);
        assert_eq!(between(Some(&site), None), [a.clone(), b.clone()]);
        assert_eq!(between(Some(&a), Some(&b)), [b]);
        assert_eq!(between(Some(&site), Some(&a)), [a]);
    }

    #[test]
    fn the_first_spot_is_named() {
        let [x, y] = [[1; 32], [2; 32]];
        assert_eq!(spot(&[x, x, y], &[x, y, x]), Spot::Comment(2));
        assert_eq!(spot(&[x, x], &[x]), Spot::NotServed(2));
        assert_eq!(spot(&[], &[x]), Spot::NotInLog(1));
        assert_eq!(spot(&[x], &[x]), Spot::Outside);
    }
}
