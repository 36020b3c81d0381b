//! Who a request comes from, and whether a browser was led here by somebody else's page.
//!
//! Programs send `Authorization: Bearer TOKEN`. Browsers send the cookie `koe_session`; since a browser sends it
//! whoever asks it to, a change that is asked for with a cookie must come from our own pages.

use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};
use domain::{Actor, AuthorId, Rejection, Role, SiteId};

use crate::problem::{HttpCode, Problem};
use crate::session::{Key, Session};

/// The cookie that holds a browser's token.
const COOKIE_NAME: &str = "koe_session";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Who a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visitor {
    /// Their session, if they have one that is good.
    pub(crate) session: Option<Session>,
    /// A program that shows its token with every request, and so cannot be led here by a page.
    bearer: bool,
}

impl Visitor {
    /// Who sends these headers. A bad Bearer token is refused, a bad cookie is none.
    pub(crate) fn of(headers: &HeaderMap, key: &Key) -> Result<Self, Problem> {
        if let Some(shown) = headers.get(AUTHORIZATION) {
            let token = shown.to_str().ok().and_then(bearer_token);
            let session = token.and_then(|token| key.verify(token));
            let session = session.ok_or_else(|| {
                Problem::from(HttpCode::Unauthenticated).saying("the token is not good, or no longer good")
            })?;
            return Ok(Self { session: Some(session), bearer: true });
        }
        let session = cookie_token(headers).and_then(|token| key.verify(token));
        Ok(Self { session, bearer: false })
    }

    /// The session, where it is good for this site.
    pub(crate) fn session_at(&self, site: &SiteId) -> Option<&Session> {
        self.session.as_ref().filter(|session| session.site == *site)
    }

    /// Who they are at this site, if they have a session there.
    pub(crate) fn id_at(&self, site: &SiteId) -> Option<AuthorId> {
        self.session_at(site).map(|session| session.actor.id.clone())
    }

    /// Who asks a question that is not everybody's, with a session of this site. No change comes of it, so it may come
    /// from any page: browsers let no other site read the answer.
    pub(crate) fn asker(&self, site: &SiteId) -> Result<&Actor, Problem> {
        let session = self.need_session()?;
        need_site(session, site)?;
        Ok(&session.actor)
    }

    /// A moderator or administrator of this site, who asks a question.
    pub(crate) fn moderator(&self, site: &SiteId) -> Result<&Actor, Problem> {
        let actor = self.asker(site)?;
        if is_moderator(actor) { Ok(actor) } else { Err(Rejection::NotPermitted.into()) }
    }

    /// Refuses somebody without a session.
    pub(crate) fn need_session(&self) -> Result<&Session, Problem> {
        self.session.as_ref().ok_or_else(|| HttpCode::Unauthenticated.into())
    }

    /// Who asks for a change to this site, if they may ask at all.
    pub(crate) fn actor(&self, headers: &HeaderMap, site: &SiteId) -> Result<Actor, Problem> {
        let session = self.need_session()?;
        if !self.bearer {
            need_same_origin(headers)?;
        }
        need_site(session, site)?;
        Ok(session.actor.clone())
    }
}

fn need_site(session: &Session, site: &SiteId) -> Result<(), Problem> {
    if session.site == *site {
        return Ok(());
    }
    let message = format!("this session is good for the site {} only", session.site);
    Err(Problem::from(Rejection::NotPermitted).saying(message))
}

/// Whether this is somebody from whom nothing is kept.
pub(crate) fn is_moderator(actor: &Actor) -> bool {
    [Role::Moderator, Role::Administrator].into_iter().any(|role| actor.roles.has(role))
}

fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie_token(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, token)| token)
}

/// Refuses what another site's page made a browser send. `Sec-Fetch-Site` cannot be set by a page; browsers leave it
/// out on plain HTTP, where `Origin` must name the host that was asked.
pub(crate) fn need_same_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let same = if headers.contains_key(&SEC_FETCH_SITE) {
        matches!(text(&SEC_FETCH_SITE), Some("same-origin" | "none"))
    } else {
        let origin = text(&ORIGIN).and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
        matches!((origin, text(&HOST)), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
    };
    if same { Ok(()) } else { Err(HttpCode::OriginRefused.into()) }
}

/// The cookie that begins a session. `Secure` when a proxy in front says that the reader came by https.
pub(crate) fn session_cookie(headers: &HeaderMap, token: &str, seconds: i64) -> String {
    let https =
        headers.get(X_FORWARDED_PROTO).is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
    let secure = if https { "; Secure" } else { "" };
    format!("{COOKIE_NAME}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}", seconds.max(0))
}

/// The cookie that ends a session.
pub(crate) fn no_session_cookie(headers: &HeaderMap) -> String {
    session_cookie(headers, "", 0)
}

/// Where to go after a login: a path of this host, or the front page. Browsers take `//` and `\` for another host and
/// drop control characters before they look.
pub(crate) fn local_path(next: &str) -> &str {
    let visible = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if visible && next.starts_with('/') && !next.starts_with("//") { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Claims;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn key_and_token() -> (Key, String) {
        let directory = tempfile::tempdir().unwrap();
        let key = Key::create_new(&directory.path().join("key")).unwrap();
        let (site, author) = ("demo".parse().unwrap(), "ann".parse().unwrap());
        let now = jiff::Timestamp::now().as_second();
        let token = key.sign(&Claims::new(&site, &author, None, domain::Roles::default(), now, 60));
        (key, token)
    }

    fn code(result: Result<Actor, Problem>) -> String {
        result.unwrap_err().code
    }

    #[test]
    fn a_token_comes_as_bearer_or_cookie() {
        let (key, token) = key_and_token();
        let of = |pairs: &[(&'static str, &str)]| Visitor::of(&headers(pairs), &key);
        assert!(of(&[("authorization", &format!("bearer {token}"))]).unwrap().session.is_some());
        assert!(of(&[("cookie", &format!("a=b; koe_session={token}; c=d"))]).unwrap().session.is_some());
        assert!(of(&[]).unwrap().session.is_none());
        assert!(of(&[("cookie", "koe_session=old")]).unwrap().session.is_none());
        assert_eq!(of(&[("authorization", "Bearer old")]).unwrap_err().code, "unauthenticated");
        assert_eq!(of(&[("authorization", "Basic eDp5")]).unwrap_err().code, "unauthenticated");
    }

    #[test]
    fn a_change_needs_a_session_of_its_site_and_with_a_cookie_our_own_page() {
        let (key, token) = key_and_token();
        let asked = |pairs: &[(&'static str, &str)], site: &str| {
            let headers = headers(pairs);
            Visitor::of(&headers, &key).unwrap().actor(&headers, &site.parse().unwrap())
        };
        let (bearer, cookie) = (format!("Bearer {token}"), format!("koe_session={token}"));
        assert!(asked(&[("authorization", &bearer)], "demo").is_ok(), "a program needs no origin");
        assert_eq!(code(asked(&[("authorization", &bearer)], "other")), "not-permitted");
        assert_eq!(code(asked(&[], "demo")), "unauthenticated");
        assert_eq!(code(asked(&[("cookie", &cookie)], "demo")), "origin-refused");
        assert!(asked(&[("cookie", &cookie), ("sec-fetch-site", "same-origin")], "demo").is_ok());
        let from = |origin| [("cookie", cookie.as_str()), ("origin", origin), ("host", "news.example:8080")];
        assert!(asked(&from("http://news.example:8080"), "demo").is_ok());
        for foreign in
            ["http://evil.example", "http://news.example", "null", "http://news.example:8080.evil.example"]
        {
            assert_eq!(code(asked(&from(foreign), "demo")), "origin-refused", "{foreign}");
        }
        let mixed =
            [("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site"), ("origin", "http://h"), ("host", "h")];
        assert_eq!(code(asked(&mixed, "demo")), "origin-refused");
        let sibling = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-site")];
        assert_eq!(code(asked(&sibling, "demo")), "origin-refused");
    }

    #[test]
    fn after_a_login_one_stays_on_this_host() {
        for local in ["/", "/sites/demo/threads/a?after=x#comment-3"] {
            assert_eq!(local_path(local), local);
        }
        for foreign in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\/x",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x",
            "/ ",
        ] {
            assert_eq!(local_path(foreign), "/", "{foreign:?}");
        }
    }

    #[test]
    fn a_cookie_is_secure_behind_https() {
        let plain = session_cookie(&headers(&[]), "t", 60);
        assert_eq!(plain, "koe_session=t; Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
        assert!(session_cookie(&headers(&[("x-forwarded-proto", "https")]), "t", 60).ends_with("; Secure"));
    }
}
