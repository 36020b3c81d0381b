//! Two folds of one log, place by place. Pure: what was read on both sides comes in, differences come out.

use std::collections::BTreeSet;

use domain::Place;
use views::{Digest, Error, View};

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

/// The places of a view after one and up to another.
pub(crate) fn places_between(
    view: &View<'_>,
    after: Option<&Place>,
    up_to: Option<&Place>,
    page: usize,
) -> Result<BTreeSet<Place>, Error> {
    let mut found = BTreeSet::new();
    let mut after = after.cloned();
    loop {
        let places = view.places(after.as_ref(), page)?;
        let is_last = places.len() < page;
        after = places.last().cloned();
        for place in places {
            if up_to.is_some_and(|up_to| place > *up_to) {
                return Ok(found);
            }
            found.insert(place);
        }
        if is_last {
            return Ok(found);
        }
    }
}

/// The places that one side lacks, in the order of places.
pub(crate) fn lacking<'a>(
    folded: &BTreeSet<Place>,
    served: impl IntoIterator<Item = &'a Place>,
) -> Vec<(Place, Difference)> {
    let served: BTreeSet<&Place> = served.into_iter().collect();
    let not_served = folded.iter().filter(|place| !served.contains(place));
    let not_served = not_served.map(|place| (place.clone(), Difference::NotServed));
    let not_in_log = served.iter().filter(|place| !folded.contains(**place));
    let not_in_log = not_in_log.map(|place| (Place::clone(place), Difference::NotInLog));
    let mut lacking: Vec<_> = not_served.chain(not_in_log).collect();
    lacking.sort_by(|(left, _), (right, _)| left.cmp(right));
    lacking
}

/// The first spot where the contents of a thread differ, by the digests of its comments after a number, in the order of
/// numbers; `None` if these are the same and more follow on both sides.
pub(crate) fn spot(
    after: u32,
    (folded, folded_more): (&[Digest], bool),
    (served, served_more): (&[Digest], bool),
) -> Option<Spot> {
    let differs = folded.iter().zip(served).position(|(folded, served)| folded != served);
    let number = |index: usize| u32::try_from(index + 1).map_or(u32::MAX, |number| after.saturating_add(number));
    match differs {
        Some(index) => Some(Spot::Comment(number(index))),
        None if served.len() < folded.len() => Some(Spot::NotServed(number(served.len()))),
        None if served.len() > folded.len() => Some(Spot::NotInLog(number(folded.len()))),
        None => match (folded_more, served_more) {
            (true, true) => None,
            (false, false) => Some(Spot::Outside),
            (true, false) => Some(Spot::NotServed(number(served.len()))),
            (false, true) => Some(Spot::NotInLog(number(folded.len()))),
        },
    }
}

#[cfg(test)]
mod tests {
    use domain::Recorded;
    use views::{Store, Voters};

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
        let all = |store: &Store| places_between(&store.view(), None, None, 2).unwrap();
        let mut found = lacking(&all(folded), &all(served));
        let digest = |store: &Store, place| store.view().digest(place, &mut Voters::default()).unwrap();
        for place in all(folded).intersection(&all(served)) {
            if digest(folded, place) != digest(served, place) {
                found.push((place.clone(), Difference::Contents));
            }
        }
        found
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
        let find = |after, limit| {
            let of = |store: &Store| {
                store.view().comment_digests(&thread, after, limit, &mut Voters::default()).unwrap()
            };
            let ((folded, folded_more), (served, served_more)) = (of(&left), of(&right));
            spot(after, (&folded, folded_more), (&served, served_more))
        };
        assert_eq!(find(0, 10), Some(Spot::Comment(2)));
        assert_eq!((find(0, 1), find(1, 1)), (None, Some(Spot::Comment(2))), "page by page");
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
            places_between(&view, after, up_to, 2).unwrap().into_iter().collect()
        };
        assert_eq!(between(None, Some(&a)), [site.clone(), a.clone()]);
        assert_eq!(between(Some(&site), None), [a.clone(), b.clone()]);
        assert_eq!(between(Some(&a), Some(&b)), [b]);
        assert_eq!(between(Some(&site), Some(&a)), [a]);
    }

    #[test]
    fn the_first_spot_is_named() {
        let [x, y] = [[1; 32], [2; 32]];
        let all = |folded: &[Digest], served: &[Digest]| spot(0, (folded, false), (served, false));
        assert_eq!(all(&[x, x, y], &[x, y, x]), Some(Spot::Comment(2)));
        assert_eq!(all(&[x, x], &[x]), Some(Spot::NotServed(2)));
        assert_eq!(all(&[], &[x]), Some(Spot::NotInLog(1)));
        assert_eq!(all(&[x], &[x]), Some(Spot::Outside));
        assert_eq!(spot(7, (&[x], true), (&[x], true)), None, "the next page knows");
        assert_eq!(spot(7, (&[x], true), (&[x], false)), Some(Spot::NotServed(9)));
    }
}
