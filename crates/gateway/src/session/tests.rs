//! What a token and its key hold against: another key, a change, time.

use super::*;

const KEY: [u8; KEY_BYTES] = [7; KEY_BYTES];

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn claims() -> Claims {
    let (site, author) = ("demo".parse().unwrap(), "ann".parse().unwrap());
    let roles = [Role::Moderator].into_iter().collect();
    Claims::new(&site, &author, Some("Ann"), roles, now(), 3_600)
}

fn verified(claims: &Claims) -> Option<Session> {
    let key = Key::from_bytes(&KEY);
    key.verify(&key.sign(claims))
}

#[test]
fn a_token_says_who_where_as_what_and_how_long() {
    let session = verified(&claims()).unwrap();
    assert_eq!(session.actor.id.as_str(), "ann");
    assert!(session.actor.roles.has(Role::Moderator) && !session.actor.roles.has(Role::Administrator));
    assert_eq!((session.site.as_str(), session.name.as_deref()), ("demo", Some("Ann")));
    assert_eq!(session.expires, claims().exp);
}

#[test]
fn a_token_that_was_changed_or_signed_by_another_key_is_refused() {
    let (key, other) = (Key::from_bytes(&KEY), Key::from_bytes(&[8; KEY_BYTES]));
    let token = key.sign(&claims());
    assert_eq!(other.verify(&token), None);
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let administrator = Claims { roles: vec!["administrator".into()], ..claims() };
    parts[1] = other.sign(&administrator).split('.').nth(1).unwrap().to_owned();
    assert_eq!(key.verify(&parts.join(".")), None);
    assert_eq!(key.verify(""), None);
    assert_eq!(key.verify(&"x".repeat(TOKEN_BYTES_MAX + 1)), None);
}

#[test]
fn a_token_without_a_signature_or_of_another_algorithm_is_refused() {
    let key = Key::from_bytes(&KEY);
    let payload = key.sign(&claims()).split('.').nth(1).unwrap().to_owned();
    // {"alg":"none","typ":"JWT"}
    assert_eq!(key.verify(&format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.")), None);
    let other = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims(), &EncodingKey::from_secret(&KEY));
    assert_eq!(key.verify(&other.unwrap()), None);
}

#[test]
fn a_token_ends() {
    let ended = Claims { exp: now() - 3_600, ..claims() };
    assert_eq!(verified(&ended), None);
}

#[test]
fn a_token_names_one_site_known_roles_and_our_issuer() {
    assert_eq!(verified(&Claims { site: "*".into(), ..claims() }), None);
    assert_eq!(verified(&Claims { site: "all".into(), ..claims() }), None);
    assert_eq!(verified(&Claims { sub: "a.b".into(), ..claims() }), None);
    assert_eq!(verified(&Claims { roles: vec!["king".into()], ..claims() }), None);
    assert_eq!(verified(&Claims { iss: "other".into(), ..claims() }), None);
}

#[test]
fn the_same_token_names_its_author_once() {
    let one = claims();
    let naming = |claims: &Claims| verified(claims).unwrap().naming;
    assert_eq!(naming(&one), naming(&one.clone()));
    assert_ne!(naming(&one), naming(&Claims { sub: "ben".into(), ..one.clone() }));
    assert_ne!(naming(&one), naming(&Claims { name: Some("Anna".into()), ..one.clone() }));
    assert_eq!(naming(&one).made_at_millis(), Some(one.iat * 1_000));
}

#[test]
fn a_new_key_file_is_its_owners_and_is_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("session.key");
    let made = Key::create_new(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(&path).unwrap().trim().len(), KEY_HEX_CHARS);
    assert!(Key::load(&path).unwrap().verify(&made.sign(&claims())).is_some());
    assert!(matches!(Key::create_new(&path), Err(Error::File { .. })));
    std::fs::write(&path, "too short").unwrap();
    assert!(matches!(Key::load(&path), Err(Error::NotAKey { .. })));
    let message = Key::load(&directory.path().join("none")).unwrap_err().to_string();
    assert!(message.contains("--session-key-file"), "{message}");
}
