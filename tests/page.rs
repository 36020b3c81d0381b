//! The readers' page as a browser without scripts uses it: forms, a cookie, redirects.

use std::path::Path;
use std::process::Command;

use reqwest::header::{CONTENT_SECURITY_POLICY, ORIGIN, SET_COOKIE};
use reqwest::{Client, Response, StatusCode};

use crate::operators::up;
use crate::sandbox::{koe, text};

/// Somebody with a browser.
struct Reader {
    http: Client,
    site: String,
}

impl Reader {
    fn new(address: &str) -> Self {
        let http = Client::builder().cookie_store(true).build().unwrap();
        Self { http, site: format!("http://{address}") }
    }

    async fn logged_in(address: &str, data: &Path, words: &[&str]) -> Self {
        let mut token = Command::new(koe());
        token.args(["token", "--site", "demo"]).args(words).arg("--data").arg(data);
        let token = text(&token.output().unwrap().stdout).trim().to_owned();
        let reader = Self::new(address);
        let page = reader.submit("/login", &[("token", &token), ("next", THREAD)]).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert!(page.url().path().ends_with(THREAD), "a login leads back to where it began");
        reader
    }

    async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let form = self.http.post(format!("{}{path}", self.site)).header(ORIGIN, &self.site);
        form.form(fields).send().await.unwrap()
    }

    async fn page(&self) -> String {
        self.http.get(format!("{}{THREAD}", self.site)).send().await.unwrap().text().await.unwrap()
    }
}

const THREAD: &str = "/sites/demo/threads/memorial-service";

/// What a hidden field of the page holds, the first of its name after a place.
fn field(page: &str, after: &str, name: &str) -> String {
    let (_, rest) = page.split_once(after).unwrap_or_else(|| panic!("{after} is not on the page"));
    let (_, rest) = rest.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

/// The path that votes on the comment with this number go to.
fn votes_of(page: &str, number: u32) -> String {
    let (_, rest) = page.split_once(&format!("id=\"comment-{number}\"")).unwrap();
    let (_, rest) = rest.split_once("class=\"votes\" method=\"post\" action=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_log_in_post_quote_and_vote_from_the_page_and_a_moderator_removes() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let up = up(&data, &["--demo"]).await;
    let ann = Reader::logged_in(&up.http, &data, &["--author", "ann", "--name", "Ann Onuma"]).await;
    let desk = Reader::logged_in(&up.http, &data, &["--author", "desk", "--role", "moderator"]).await;

    let form = ann.http.get(format!("{}{THREAD}?quote=1", ann.site)).send().await.unwrap();
    let policy = form.headers().get(CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let form = form.text().await.unwrap();
    let value = |name| field(&form, "<form", name);
    let (id, quoted) = (field(&form, &format!("action=\"{THREAD}/comments\""), "id"), value("quote_comment"));
    let (start, end) = (value("quote_start"), value("quote_end"));
    let fields = [
        ("id", id.as_str()),
        ("after", ""),
        ("text", "From <script>alert(1)</script> the *page*"),
        ("quote_comment", &quoted),
        ("quote_start", &start),
        ("quote_end", &end),
    ];
    // Twice, as a double click does: one comment.
    for _ in 0..2 {
        let page = ann.submit(&format!("{THREAD}/comments"), &fields).await;
        assert_eq!(page.status(), StatusCode::OK);
        let page = page.text().await.unwrap();
        assert!(page.contains("23 Comments") && page.contains("Ann Onuma"), "one reads one's own write");
        assert!(page.contains("<em>page</em>") && !page.contains("<script"));
        let (_, last) = page.split_once("id=\"comment-23\"").unwrap();
        assert!(last.contains("Harbour Rat") && last.contains("Three days of closed roads"), "the quote is drawn");
    }

    let votes = votes_of(&ann.page().await, 1);
    let vote = async |vote: &str| {
        let page = ann.submit(&votes, &[("after", ""), ("number", "1"), ("vote", vote)]).await;
        page.text().await.unwrap()
    };
    assert!(vote("up").await.contains("-8 ( +8 / -16 )"));
    assert!(vote("down").await.contains("-10 ( +7 / -17 )"), "a vote is set, not added");
    assert!(vote("none").await.contains("-9 ( +7 / -16 )"));

    let removal = format!("{THREAD}/comments/{id}/removal");
    let fields = [("after", ""), ("number", "23"), ("reason", "a trial")];
    assert_eq!(ann.submit(&removal, &fields).await.status(), StatusCode::FORBIDDEN);
    let page = desk.submit(&removal, &fields).await.text().await.unwrap();
    assert_eq!(page.matches("This comment was removed by a moderator.").count(), 2);
    assert!(page.contains("23 Comments"), "the count is the rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_sites_page_does_nothing_and_a_cookie_is_for_http_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let up = up(&data, &["--demo"]).await;
    let ann = Reader::logged_in(&up.http, &data, &["--author", "ann"]).await;
    let forged = ann.http.post(format!("{}{THREAD}/comments", ann.site)).header(ORIGIN, "https://evil.example");
    let id = client::new_command_id().to_string();
    let forged = forged.form(&[("id", id.as_str()), ("after", ""), ("text", "forged")]).send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    assert!(ann.page().await.contains("22 Comments"));

    let nobody = Reader::new(&up.http);
    assert!(nobody.page().await.contains("Login to comment"));
    let refused = nobody.submit("/login", &[("token", "no token"), ("next", "//evil.example")]).await;
    assert!(refused.status().is_client_error() && refused.headers().get(SET_COOKIE).is_none());
    let out = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let token =
        Command::new(koe()).args(["token", "--site", "demo", "--author", "ben", "--data"]).arg(&data).output();
    let token = text(&token.unwrap().stdout).trim().to_owned();
    let login = out.post(format!("{}/login", ann.site)).header(ORIGIN, &ann.site);
    let login = login.form(&[("token", token.as_str()), ("next", "//evil.example")]).send().await.unwrap();
    let cookie = login.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let next = login.headers().get("location").unwrap().to_str().unwrap();
    assert!(next.starts_with('/') && !next.starts_with("//"), "{next}");
}
