//! Rules of sites, threads and authors.

use super::*;
use crate::limits::MOVES_MAX;
use crate::moderation::ModeChange;
use crate::settings::{SettingsPatch, ThreadPatch};

#[test]
fn an_administrator_opens_a_site_once() {
    let open = || CommandBody::OpenSite { name: "News".into(), zone: "UTC".into() };
    assert_eq!(refused("cy", &[Role::Moderator], open(), &Facts::default()), Some(Rejection::NotPermitted));
    assert_eq!(refused("cy", &[Role::Administrator], open(), &Facts::default()), None);
    assert_eq!(refused("cy", &[Role::Administrator], open(), &given()), Some(Rejection::SiteExists));
}

#[test]
fn only_an_administrator_sets_a_site() {
    let set =
        || CommandBody::SetSite(Box::new(SettingsPatch { report_threshold: Some(3), ..SettingsPatch::default() }));
    assert_eq!(refused("cy", &[Role::Moderator, Role::Service], set(), &given()), Some(Rejection::NotPermitted));
    assert_eq!(refused("cy", &[Role::Administrator], set(), &given()), None);
    assert_eq!(refused("cy", &[Role::Administrator], set(), &Facts::default()), Some(Rejection::SiteUnknown));
    assert_eq!(SettingsPatch::default().with_something(), Err(Rejection::NothingToSet));
    assert_eq!(ThreadPatch::default().with_something(), Err(Rejection::NothingToSet));
}

#[test]
fn staff_and_services_open_threads_in_a_known_site() {
    let open = || CommandBody::OpenThread {
        headline: "H".into(),
        address: "".into(),
        category: "".into(),
        published: None,
        closes_at: None,
    };
    let empty = Facts { thread: None, comments: vec![], ..given() };
    assert_eq!(refused("cy", &[], open(), &empty), Some(Rejection::NotPermitted));
    for role in [Role::Moderator, Role::Administrator, Role::Service] {
        assert_eq!(refused("cy", &[role], open(), &empty), None);
    }
    assert_eq!(refused("cy", &[Role::Service], open(), &given()), Some(Rejection::ThreadExists));
    assert_eq!(refused("cy", &[Role::Service], open(), &Facts::default()), Some(Rejection::SiteUnknown));
}

#[test]
fn staff_and_services_update_and_move_threads() {
    let update =
        || CommandBody::UpdateThread(ThreadPatch { headline: Some("H".into()), ..ThreadPatch::default() });
    let relocate = || CommandBody::MoveThread { address: "https://a.example".into() };
    for body in [update(), relocate()] {
        assert_eq!(refused("cy", &[], body.clone(), &given()), Some(Rejection::NotPermitted));
        assert_eq!(refused("cy", &[Role::Service], body.clone(), &given()), None);
        let no_thread = Facts { thread: None, ..given() };
        assert_eq!(refused("cy", &[Role::Service], body, &no_thread), Some(Rejection::ThreadUnknown));
    }
    let moved = Facts { moves: MOVES_MAX, ..given() };
    assert_eq!(refused("cy", &STAFF, relocate(), &moved), Some(Rejection::MovesTooMany));
}

#[test]
fn a_service_sets_the_mode_of_a_thread_and_only_staff_that_of_a_site() {
    let set = || CommandBody::SetThreadMode(ModeChange { mode: Mode::Hidden, ..ModeChange::default() });
    let site = Facts { whole_site: true, thread: None, ..given() };
    assert_eq!(refused("cy", &[], set(), &given()), Some(Rejection::NotPermitted));
    assert_eq!(refused("cy", &[Role::Service], set(), &given()), None);
    assert_eq!(refused("cy", &[Role::Service], set(), &site), Some(Rejection::NotPermitted));
    assert_eq!(refused("cy", &[Role::Moderator], set(), &site), None);
    let no_thread = Facts { thread: None, ..given() };
    assert_eq!(refused("cy", &STAFF, set(), &no_thread), Some(Rejection::ThreadUnknown));
}

#[test]
fn authors_name_themselves_and_only_staff_name_others() {
    let name = |author: &str| CommandBody::NameAuthor { author: author.parse().unwrap(), name: "N".into() };
    assert_eq!(refused("cy", &[], name("cy"), &given()), None);
    assert_eq!(refused("cy", &[Role::Moderator], name("ann"), &given()), Some(Rejection::NotPermitted));
    assert_eq!(refused("cy", &[Role::Service], name("ann"), &given()), None);
    assert_eq!(refused("cy", &[], name("cy"), &Facts::default()), Some(Rejection::SiteUnknown));
}

#[test]
fn staff_ban_authors_until_a_time_to_come_or_for_good() {
    let ban = |until: Option<i64>| CommandBody::BanAuthor {
        author: "ann".parse().unwrap(),
        ban: Ban { until: until.map(Timestamp), reason: "r".into() },
    };
    for role in STAFF {
        assert_eq!(refused("cy", &[role], ban(None), &given()), None);
        assert_eq!(refused("cy", &[role], ban(Some(NOW.0 + 1)), &given()), None);
    }
    assert_eq!(refused("cy", &[Role::Service], ban(None), &given()), Some(Rejection::NotPermitted));
    assert_eq!(refused("cy", &STAFF, ban(Some(NOW.0)), &given()), Some(Rejection::BanOver));
    assert_eq!(refused("cy", &STAFF, ban(None), &Facts::default()), Some(Rejection::SiteUnknown));
}

#[test]
fn staff_take_back_a_ban_that_holds() {
    let unban = || CommandBody::UnbanAuthor { author: "ann".parse().unwrap(), reason: "r".into() };
    assert_eq!(refused("cy", &[Role::Moderator], unban(), &given_banned(None)), None);
    assert_eq!(refused("ann", &[], unban(), &given_banned(None)), Some(Rejection::NotPermitted));
    assert_eq!(refused("cy", &STAFF, unban(), &given()), Some(Rejection::NotBanned));
    assert_eq!(refused("cy", &STAFF, unban(), &given_banned(Some(NOW.0))), Some(Rejection::NotBanned));
}
