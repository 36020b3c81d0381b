//! The readers' page as a browser without scripts uses it: forms, a cookie, redirects.

use std::path::Path;
use std::process::Command;

use reqwest::header::{CONTENT_SECURITY_POLICY, ORIGIN, SET_COOKIE};
use reqwest::{Client, Response, StatusCode};

use crate::operators::up;
use crate::sandbox::{koe, text};

/// Somebody with a browser.
pub(crate) struct Reader {
    pub(crate) http: Client,
    pub(crate) site: String,
}

impl Reader {
    fn new(address: &str) -> Self {
        let http = Client::builder().cookie_store(true).build().unwrap();
        Self { http, site: format!("http://{address}") }
    }

    pub(crate) async fn logged_in(address: &str, data: &Path, words: &[&str]) -> Self {
        let token = token(data, words);
        let reader = Self::new(address);
        let page = reader.submit("/login", &[("token", &token), ("next", THREAD)]).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert!(page.url().path().ends_with(THREAD), "a login leads back to where it began");
        reader
    }

    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let form = self.http.post(format!("{}{path}", self.site)).header(ORIGIN, &self.site);
        form.form(fields).send().await.unwrap()
    }

    pub(crate) async fn page(&self) -> String {
        self.look(THREAD).await
    }

    /// Posts from the page of the thread, with these marks in its address.
    pub(crate) async fn post(&self, marks: &str, words: &str) -> String {
        let form = self.look(&format!("{THREAD}{marks}")).await;
        let value = |name| field(&form, &format!("action=\"{THREAD}/comments\""), name);
        let mut fields = vec![("id", value("id")), ("text", words.to_owned())];
        if form.contains("name=\"quote_comment\"") {
            for name in ["quote_comment", "quote_revision", "quote_start", "quote_end"] {
                fields.push((name, value(name)));
            }
        }
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = self.submit(&format!("{THREAD}/comments"), &fields).await;
        assert_eq!(page.status(), StatusCode::OK);
        page.text().await.unwrap()
    }

    /// A page, whatever it says.
    pub(crate) async fn look(&self, path: &str) -> String {
        self.http.get(format!("{}{path}", self.site)).send().await.unwrap().text().await.unwrap()
    }
}

/// A token for the site of the demonstration.
pub(crate) fn token(data: &Path, words: &[&str]) -> String {
    let mut token = Command::new(koe());
    token.args(["token", "--site", "demo"]).args(words).arg("--data").arg(data);
    text(&token.output().unwrap().stdout).trim().to_owned()
}

pub(crate) const THREAD: &str = "/sites/demo/threads/memorial-service";
pub(crate) const QUEUE: &str = "/sites/demo/queue";

/// What a hidden field of the page holds, the first of its name after a place.
pub(crate) fn field(page: &str, after: &str, name: &str) -> String {
    let (_, rest) = page.split_once(after).unwrap_or_else(|| panic!("{after} is not on the page"));
    let (_, rest) = rest.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

/// The part of a page that is about one comment.
pub(crate) fn article(page: &str, number: u32) -> &str {
    let (_, rest) = page.split_once(&format!("<article id=\"comment-{number}\"")).unwrap();
    rest.split_once("</article>").unwrap().0
}

/// The path that an edit of a comment goes to, and the id and the quotes of its form.
fn edit_of(page: &str, number: u32) -> (String, String, String) {
    let article = article(page, number);
    let (path, _) = article.split_once("/edit\"").unwrap_or_else(|| panic!("no form to edit: {article}"));
    let (_, path) = path.rsplit_once('"').unwrap();
    let quotes = field(article, "/edit\"", "quotes").replace("&#34;", "\"");
    (format!("{path}/edit"), field(article, "/edit\"", "id"), quotes)
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
    let page = vote("up").await;
    assert!(page.contains("-8 ( +8 / -16 )"));
    assert_eq!(page.matches("aria-pressed=\"true\"").count(), 1, "one's own vote is pressed");
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
    let token = token(&data, &["--author", "ben"]);
    let login = out.post(format!("{}/login", ann.site)).header(ORIGIN, &ann.site);
    let login = login.form(&[("token", token.as_str()), ("next", "//evil.example")]).send().await.unwrap();
    let cookie = login.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let next = login.headers().get("location").unwrap().to_str().unwrap();
    assert!(next.starts_with('/') && !next.starts_with("//"), "{next}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_edits_and_deletes_from_the_page_and_quotes_follow() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let up = up(&data, &["--demo"]).await;
    let ann = Reader::logged_in(&up.http, &data, &["--author", "ann", "--name", "Ann Onuma"]).await;
    let ben = Reader::logged_in(&up.http, &data, &["--author", "ben", "--name", "Ben"]).await;
    // Ann quotes comment 1, Ben quotes Ann.
    let page = ann.post("?quote=1", "Frist words").await;
    assert_eq!(page.matches("<summary>Edit").count(), 1, "her own alone");
    let page = ben.post("?quote=23", "Indeed").await;
    assert_eq!(page.matches("Frist words").count(), 2, "the quote is drawn");

    let (path, id, quotes) = edit_of(&ann.page().await, 23);
    let fields =
        [("id", id.as_str()), ("number", "23"), ("revision", "0"), ("quotes", &quotes), ("text", "First words")];
    for _ in 0..2 {
        let page = ann.submit(&path, &fields).await;
        assert_eq!(page.status(), StatusCode::OK, "a form sent twice edits once");
        let page = page.text().await.unwrap();
        assert!(page.contains("First words") && page.contains(">edited <time"), "{page}");
        let (_, own) = page.split_once("id=\"comment-23\"").unwrap();
        assert!(own.contains("Three days of closed roads"), "what it quotes stays");
        assert!(page.contains("wrote (edited since):"), "Ben's quote says so");
        assert!(page.contains("Frist words"), "and shows what was quoted");
    }
    let stale = ann.submit(&path, &[("number", "23"), ("revision", "0"), ("text", "Other words")]).await;
    assert_eq!(stale.status(), StatusCode::CONFLICT);
    let stale = stale.text().await.unwrap();
    assert!(stale.contains("revision-stale") && stale.contains("Other words"), "what was typed is kept");

    let deletion = path.replace("/edit", "/deletion");
    assert_eq!(ben.submit(&deletion, &[("number", "23")]).await.status(), StatusCode::FORBIDDEN);
    let page = ann.submit(&deletion, &[("number", "23")]).await.text().await.unwrap();
    assert!(page.contains("This comment was deleted by its author."));
    assert!(page.contains("The quoted comment was deleted by its author."));
    assert!(page.contains("24 Comments") && !page.contains("First words") && !page.contains("Frist words"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_edits_and_deletes_what_waits_and_a_quote_of_a_removed_comment_stays() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let up = up(&data, &["--demo"]).await;
    let ann = Reader::logged_in(&up.http, &data, &["--author", "ann", "--name", "Ann Onuma"]).await;
    let ben = Reader::logged_in(&up.http, &data, &["--author", "ben"]).await;
    let desk = Reader::logged_in(&up.http, &data, &["--author", "desk", "--role", "moderator"]).await;
    let page = ann.post("?quote=1", "Frist words").await;
    let (edit, _, _) = edit_of(&page, 23);
    let removal = votes_of(&page, 1).replace("/vote", "/removal");
    assert_eq!(desk.submit(&removal, &[("number", "1"), ("reason", "a trial")]).await.status(), StatusCode::OK);
    let hold = [("number", "23"), ("reason", "a look")];
    assert_eq!(desk.submit(&edit.replace("/edit", "/hold"), &hold).await.status(), StatusCode::OK);

    let others = ben.page().await;
    assert!(
        article(&others, 23).contains("This comment waits for a moderator.") && !others.contains("Frist words")
    );
    let page = ann.page().await;
    let own = article(&page, 23);
    assert!(own.contains("This comment waits for a moderator. Other readers do not see it meanwhile."), "{own}");
    assert!(
        own.contains("Frist words") && own.contains("The quoted comment was removed by a moderator."),
        "{own}"
    );
    let (path, id, quotes) = edit_of(&page, 23);
    let fields =
        [("id", id.as_str()), ("number", "23"), ("revision", "0"), ("quotes", &quotes), ("text", "First words")];
    let page = ann.submit(&path, &fields).await.text().await.unwrap();
    assert!(page.contains("waits for a moderator: it is shown once it is approved"), "{page}");
    let own = article(&page, 23);
    assert!(
        own.contains("First words") && own.contains("The quoted comment was removed by a moderator."),
        "{own}"
    );
    // With the comment the words of the quote come back: it was kept, not drawn into the edit.
    let restoration = removal.replace("/removal", "/restoration");
    assert_eq!(desk.submit(&restoration, &[("reason", "it was one")]).await.status(), StatusCode::OK);
    assert!(article(&ann.page().await, 23).contains("Three days of closed roads"));

    let page = ann.submit(&path.replace("/edit", "/deletion"), &[("number", "23")]).await.text().await.unwrap();
    assert!(article(&page, 23).contains("This comment was deleted by its author."));
    assert!(!desk.look(QUEUE).await.contains("First words"), "nothing waits any more");
}
