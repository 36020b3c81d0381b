//! Moderation over HTTP: the page, the queue page, and who may ask what of the JSON API.

use std::path::{Path, PathBuf};

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::operators::{Up, up};
use crate::page::{QUEUE, Reader, THREAD, article, field, token};

/// A program with a token.
struct Program {
    http: Client,
    base: String,
    token: String,
}

impl Program {
    fn new(up: &Up, data: &Path, words: &[&str]) -> Self {
        let base = format!("http://{}/v1/sites/demo", up.http);
        Self { http: Client::new(), base, token: token(data, words) }
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Response {
        let request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if body.is_null() { request.send().await.unwrap() } else { request.json(body).send().await.unwrap() }
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path, &Value::Null).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    /// Asks for a command and waits until it is applied.
    async fn command(&self, method: Method, path: &str, mut body: Value) -> Value {
        body["wait"] = true.into();
        let answer = self.ask(method, path, &body).await;
        let (status, answer) = (answer.status(), answer.json::<Value>().await.unwrap());
        assert!(status.is_success() && answer["outcome"] == "applied", "{path}: {answer}");
        answer
    }

    async fn post(&self, text: &str) -> Value {
        self.command(Method::POST, COMMENTS, json!({"text": text})).await
    }
}

const COMMENTS: &str = "/threads/memorial-service/comments";

/// The demonstration with an administrator, a moderator and a reader.
struct Office {
    up: Up,
    data: PathBuf,
    admin: Program,
    desk: Reader,
    ann: Reader,
    _dir: TempDir,
}

async fn open() -> Office {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let up = up(&data, &["--demo"]).await;
    let admin = Program::new(&up, &data, &["--author", "root", "--role", "administrator"]);
    let desk = Reader::logged_in(&up.http, &data, &["--author", "desk", "--role", "moderator"]).await;
    let ann = Reader::logged_in(&up.http, &data, &["--author", "ann", "--name", "Ann Onuma"]).await;
    Office { up, data, admin, desk, ann, _dir: dir }
}

/// The path that the first form of this name after a place goes to.
fn form(page: &str, after: &str, name: &str) -> String {
    let (_, rest) = page.split_once(after).unwrap_or_else(|| panic!("{after} is not on the page"));
    let end = rest.find(&format!("/{name}\"")).unwrap_or_else(|| panic!("no form {name} after {after}"));
    let start = rest[..end].rfind('"').unwrap();
    format!("{}/{name}", &rest[start + 1..end])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_holds_a_comment_and_the_queue_page_approves_it() {
    let here = open().await;
    let Office { admin, desk, ann, .. } = &here;
    admin.command(Method::PATCH, "", json!({"report_threshold": 1})).await;
    let page = ann.page().await;
    let flag = form(&page, "id=\"comment-2\"", "flag");
    let words = [("number", "2"), ("category", "illegal"), ("words", "")];
    assert_eq!(ann.submit(&flag, &words).await.status(), StatusCode::BAD_REQUEST, "the law needs words");
    let words = [("number", "2"), ("category", "abuse"), ("words", "It names <names>")];
    let page = ann.submit(&flag, &words).await.text().await.unwrap();
    assert!(page.contains("Thank you, a moderator will look at it."), "{page}");
    assert!(page.contains("This comment waits for a moderator.") && page.contains("22 Comments"));

    assert!(!ann.page().await.contains(QUEUE), "readers see no queue");
    let queue = ann.http.get(format!("{}{QUEUE}", ann.site)).send().await.unwrap();
    assert_eq!(queue.status(), StatusCode::FORBIDDEN);
    assert!(desk.page().await.contains(&format!("href=\"{QUEUE}\"")));
    let queue = desk.look(QUEUE).await;
    assert!(queue.contains("Readers flagged it.") && queue.contains("Flagged by 1 reader."), "{queue}");
    assert!(queue.contains("abuse") && !queue.contains("<names>") && queue.contains("It names "));
    let sent = [("back", "queue"), ("number", "2")];
    let unread: Vec<_> =
        sent.iter().copied().filter(|(name, _)| *name != "revision").chain([("revision", "7")]).collect();
    let stale = desk.submit(&form(&queue, "waiting-1", "approval"), &unread).await.text().await.unwrap();
    assert!(stale.contains("revision-stale"), "what the moderator did not read is not approved: {stale}");
    assert!(queue.contains("name=\"revision\" value=\"0\""), "the form says what was read");
    let approved = desk.submit(&form(&queue, "waiting-1", "approval"), &sent).await;
    assert!(approved.url().path().ends_with(QUEUE), "it leads back to the queue");
    let queue = approved.text().await.unwrap();
    assert!(!queue.contains("/approval\"") && queue.contains("Flagged by 1 reader."), "the flag still waits");
    let resolve = form(&queue, "waiting-1", "resolution");
    let sent = [("back", "queue"), ("number", "2"), ("upheld", "false"), ("statement", "It names the dead.")];
    let queue = desk.submit(&resolve, &sent).await.text().await.unwrap();
    assert!(queue.contains("Nothing waits."), "{queue}");
    assert!(!ann.page().await.contains("This comment waits for a moderator."));
    let again = desk.submit(&resolve, &sent).await;
    assert_eq!(again.status(), StatusCode::CONFLICT);
    let again = again.text().await.unwrap();
    assert!(again.contains("flags-none") && again.contains(QUEUE) && again.contains("It names the dead."));

    let audit = admin.get("/audit?limit=2").await;
    let kinds: Vec<_> = audit["entries"].as_array().unwrap().iter().map(|entry| &entry["type"]).collect();
    assert_eq!(kinds, ["flags-resolved", "comment-approved"], "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_is_taken_back_until_it_is_decided_and_one_about_the_law_needs_reasons() {
    let here = open().await;
    let Office { up, data, admin, desk, ann, .. } = &here;
    let flag = form(&ann.page().await, "id=\"comment-2\"", "flag");
    let illegal = [("number", "2"), ("category", "illegal"), ("words", "Section 130")];
    let page = ann.submit(&flag, &illegal).await.text().await.unwrap();
    let withdrawal = form(article(&page, 2), "<footer>", "withdrawal");
    assert!(!article(&page, 2).contains("/flag\""), "once");
    let page = ann.submit(&withdrawal, &[("number", "2")]).await.text().await.unwrap();
    assert!(article(&page, 2).contains("/flag\"") && !page.contains("/withdrawal\""), "{page}");
    ann.submit(&flag, &illegal).await;

    let moderated = desk.look(&format!("{THREAD}?moderate=1")).await;
    let flagged = article(&moderated, 2);
    assert!(flagged.contains("name=\"statement\" rows=\"3\" required>"), "{flagged}");
    let program = Program::new(up, data, &["--author", "ann"]);
    let row = async |program: &Program, marks: &str| {
        program.get(&format!("/threads/memorial-service?limit=2{marks}")).await["comments"][1].clone()
    };
    let seen = row(admin, "&moderate=true").await;
    assert_eq!((&seen["flags"], &seen["flags_illegal"], &seen["own"]), (&json!(1), &json!(1), &json!(false)));
    let seen = row(&program, "").await;
    assert_eq!((&seen["own_flag"], &seen["own_flag_waits"]), (&json!(true), &json!(true)), "{seen}");
    assert_eq!(seen["flags_illegal"], Value::Null);
    let resolution = form(flagged, "Decide on the flags", "resolution");
    let sent = [("number", "2"), ("back", "moderate"), ("upheld", "false"), ("statement", "It quotes the law.")];
    let page = desk.submit(&resolution, &sent).await.text().await.unwrap();
    assert!(!article(&page, 2).contains("Decide on the flags"), "{page}");
    let page = ann.page().await;
    assert!(!page.contains("/withdrawal\"") && !article(&page, 2).contains("/flag\""), "it is decided");
    let seen = row(&program, "").await;
    assert_eq!((&seen["own_flag"], &seen["own_flag_waits"]), (&json!(true), &json!(false)), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_banned_reads_why_and_may_only_delete() {
    let here = open().await;
    let Office { admin, ann, .. } = &here;
    ann.post("", "Words of Ann").await;
    let ban = json!({"reason": "insults", "until": "2999-01-01T00:00:00Z"});
    admin.command(Method::POST, "/authors/ann/ban", ban).await;
    let page = ann.page().await;
    let notice = "You may not take part here until <time datetime=\"2999-01-01T00:00:00.000Z\">";
    assert!(page.contains(notice) && page.contains("</time>. Insults."), "{page}");
    for form in ["/vote\"", "/flag\"", "/edit\"", "?reply=", "?quote=", "Post comment", "Leave a comment"] {
        assert!(!page.contains(form), "{form}");
    }
    let id = client::new_command_id().to_string();
    let refused = ann.submit(&format!("{THREAD}/comments"), &[("id", &id), ("text", "More words")]).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let refused = refused.text().await.unwrap();
    assert!(refused.contains("<code>banned</code>") && refused.contains("More words"), "what was typed is kept");
    let deletion = form(article(&page, 23), "<footer>", "deletion");
    let page = ann.submit(&deletion, &[("number", "23")]).await.text().await.unwrap();
    assert!(article(&page, 23).contains("This comment was deleted by its author."), "{page}");
    admin.command(Method::POST, "/authors/ann/unban", json!({"reason": "over"})).await;
    let page = ann.page().await;
    assert!(page.contains("Post comment") && !page.contains("You may not take part"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_takes_two_lists_of_words_as_long_as_a_list_may_be() {
    let here = open().await;
    let Office { admin, .. } = &here;
    // 10,000 words and 128 KiB each, the most that there may be of both.
    let short = (0..8_928).map(|number| format!("{number:013}"));
    let words: Vec<String> = short.chain((0..1_072).map(|number| format!("{number:014}"))).collect();
    assert_eq!(words.iter().map(String::len).sum::<usize>(), 128 * 1024);
    let lists = json!({"premoderate_words": words, "reserved_names": words});
    assert!(lists.to_string().len() > 300 * 1024);
    admin.command(Method::PATCH, "", lists.clone()).await;
    let site = admin.get("").await;
    for list in ["premoderate_words", "reserved_names"] {
        assert_eq!(site["settings"][list], lists[list]);
    }
    let held = Program::new(&here.up, &here.data, &["--author", "ben"]).post(&words[9_999]).await;
    assert_eq!(held["state"], "held", "{held}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_of_a_premoderated_thread_waits_and_says_so() {
    let here = open().await;
    let Office { admin, desk, ann, .. } = &here;
    let mode = json!({"mode": "premoderated", "reason": "the funeral is on Monday"});
    admin.command(Method::PUT, "/threads/memorial-service/mode", mode).await;
    let page = ann.page().await;
    assert!(page.contains("once a moderator has read them. The funeral is on Monday."), "{page}");
    assert!(page.contains("A moderator reads your comment before it is shown."));
    let id = field(&page, &format!("action=\"{THREAD}/comments\""), "id");
    let page = ann.submit(&format!("{THREAD}/comments"), &[("id", &id), ("text", "Patience")]).await;
    let page = page.text().await.unwrap();
    assert!(page.contains("Your comment is recorded and waits for a moderator"), "{page}");
    assert!(page.contains("22 Comments") && !page.contains("Patience"));

    let moderated = desk.look(&format!("{THREAD}?moderate=1")).await;
    assert!(moderated.contains("Patience") && moderated.contains("This comment waits for a moderator."));
    assert!(!ann.look(&format!("{THREAD}?moderate=1")).await.contains("Patience"), "a reader's mark does nothing");
    let queue = desk.look(QUEUE).await;
    assert!(queue.contains("Patience") && queue.contains("The thread or the site is premoderated."));
    desk.submit(&form(&queue, "waiting-1", "approval"), &[("back", "queue")]).await;
    let page = ann.page().await;
    assert!(page.contains("23 Comments") && page.contains("Patience"));

    // A moderator features it, removes it with a rule, and puts it back.
    let feature = format!("{THREAD}/comments/{id}/feature");
    let page = desk.submit(&feature, &[("number", "23"), ("featured", "true")]).await.text().await.unwrap();
    assert!(page.contains(">Featured</span>"), "{page}");
    let removal = [("number", "23"), ("reason", "a trial"), ("rule", "No trials")];
    let page = desk.submit(&format!("{THREAD}/comments/{id}/removal"), &removal).await.text().await.unwrap();
    assert!(page.contains("This comment was removed by a moderator. Rule: No trials"), "{page}");
    let restored = [("number", "23"), ("reason", "it was one")];
    let page = desk.submit(&format!("{THREAD}/comments/{id}/restoration"), &restored).await.text().await.unwrap();
    assert!(page.contains("Patience"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_or_closed_thread_has_no_forms_that_would_be_refused() {
    let here = open().await;
    let Office { admin, ann, .. } = &here;
    admin.command(Method::POST, "/threads", json!({"thread": "part-2", "headline": "Part two"})).await;
    let mode = json!({"mode": "read-only", "reason": "long enough", "successor": "part-2"});
    admin.command(Method::PUT, "/threads/memorial-service/mode", mode).await;
    let page = ann.page().await;
    assert!(page.contains(
        "This discussion is read only. Long enough. It goes on in <a href=\"/sites/demo/threads/part-2\">"
    ));
    let none = |page: &str| {
        for form in ["/vote\"", "comments\"><", "?reply=", "?quote=", "Post comment", "Login to comment"] {
            assert!(!page.contains(form), "{form}");
        }
        assert_eq!(page.matches("<summary>Flag<").count(), 21, "what breaks rules can still be flagged");
    };
    none(&page);
    admin.command(Method::PUT, "/threads/memorial-service/mode", json!({"mode": "open"})).await;
    assert!(ann.page().await.contains("Post comment"));
    let closes = json!({"closes_at": "2026-01-01T00:00:00Z"});
    admin.command(Method::PATCH, "/threads/memorial-service", closes).await;
    let page = ann.page().await;
    assert!(
        page.contains("This discussion is closed since <time datetime=\"2026-01-01T00:00:00.000Z\">"),
        "{page}"
    );
    none(&page);
    let json = admin.get("/threads/memorial-service").await;
    assert_eq!((&json["closes_at"], &json["mode"]), (&json!("2026-01-01T00:00:00.000Z"), &json!("open")));
    admin.command(Method::PUT, "/mode", json!({"mode": "hidden", "reason": "maintenance"})).await;
    let page = ann.page().await;
    assert!(
        page.contains("The comments of this discussion are hidden. Maintenance.") && !page.contains("<article")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_moderators_is_refused_to_readers() {
    let here = open().await;
    let Office { up, data, admin, .. } = &here;
    let ben = Program::new(up, data, &["--author", "ben"]);
    let comment = admin.post("words").await["id"].as_str().unwrap().to_owned();
    let of = |rest: &str| format!("{COMMENTS}/{comment}{rest}");
    let reason = json!({"reason": "because"});
    for (method, path, body) in [
        (Method::GET, String::new(), Value::Null),
        (Method::GET, "/queue".into(), Value::Null),
        (Method::GET, "/audit".into(), Value::Null),
        (Method::GET, "/authors/root".into(), Value::Null),
        (Method::GET, "/authors/root/own-data".into(), Value::Null),
        (Method::GET, of(""), Value::Null),
        (Method::GET, "/threads/memorial-service?moderate=true".into(), Value::Null),
        (Method::PATCH, String::new(), json!({"name": "Mine"})),
        (Method::PUT, "/mode".into(), json!({"mode": "open"})),
        (Method::POST, "/threads".into(), json!({"thread": "t", "headline": "H"})),
        (Method::PATCH, "/threads/memorial-service".into(), json!({"headline": "H"})),
        (Method::PUT, "/threads/memorial-service/mode".into(), json!({"mode": "open"})),
        (Method::PUT, "/threads/memorial-service/address".into(), json!({"address": "https://a.example/"})),
        (Method::POST, "/authors/root/ban".into(), reason.clone()),
        (Method::POST, "/authors/root/unban".into(), reason.clone()),
        (Method::POST, of("/hold"), reason.clone()),
        (Method::POST, of("/approve"), json!({})),
        (Method::POST, of("/removal"), reason.clone()),
        (Method::POST, of("/restore"), reason),
        (Method::POST, of("/feature"), json!({"featured": true})),
        (Method::POST, of("/flags/resolution"), json!({"upheld": true})),
    ] {
        let answer = ben.ask(method.clone(), &path, &body).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method} {path}");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], "not-permitted", "{method} {path}");
    }
    for (method, path, body, code) in [
        (Method::DELETE, of("?wait=true"), Value::Null, "not-author"),
        (Method::PATCH, of(""), json!({"revision": 0, "text": "mine"}), "not-author"),
        (Method::DELETE, of("/flags"), Value::Null, "flag-unknown"),
        (Method::DELETE, of("?wiat=true"), Value::Null, "malformed"),
        (Method::PUT, "/mode".into(), json!({"mode": "shut"}), "mode-invalid"),
        (Method::POST, of("/flags"), json!({"category": "dull"}), "flag-category-invalid"),
        (Method::PATCH, "/threads/memorial-service".into(), json!({"closes_at": "soon"}), "time-invalid"),
    ] {
        let answer = ben.ask(method.clone(), &path, &body).await;
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], code, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_and_question_of_moderators_has_its_address() {
    let here = open().await;
    let Office { up, data, admin, .. } = &here;
    let ben = Program::new(up, data, &["--author", "ben"]);
    let posted = ben.post("Frist").await;
    assert_eq!((&posted["state"], &posted["code"]), (&json!("visible"), &Value::Null), "{posted}");
    let (comment, since) = (posted["id"].as_str().unwrap(), posted["position"].as_str().unwrap());
    let of = |rest: &str| format!("{COMMENTS}/{comment}{rest}");
    ben.command(Method::PATCH, &of(""), json!({"revision": 0, "text": "First"})).await;
    admin.command(Method::POST, &of("/flags"), json!({"category": "spam", "words": "twice"})).await;
    let held = admin.command(Method::POST, &of("/hold"), json!({"reason": "a look"})).await;
    assert_eq!(held["state"], "held");
    let queue = admin.get("/queue").await;
    let entry = &queue["entries"][0];
    assert_eq!((&entry["comment"]["body"], &entry["comment"]["held"]), (&json!("First"), &json!("decision")));
    let flagged = admin.get("/queue?kind=flagged").await;
    assert_eq!(flagged["counts"], json!({"held": 1, "flagged": 1, "illegal": 0}));
    assert!(flagged["entries"][0]["since"].is_string() && entry["since"].is_null(), "{flagged}");
    admin.command(Method::POST, &of("/approve"), json!({})).await;
    admin.command(Method::POST, &of("/feature"), json!({"featured": true})).await;
    admin.command(Method::POST, &of("/flags/resolution"), json!({"upheld": false})).await;
    let vote = admin.command(Method::PUT, &of("/vote"), json!({"vote": "up"})).await;
    assert_eq!((&vote["own_vote"], &vote["tally"]["up"]), (&json!("up"), &json!(1)));
    let history = admin.get(&of("")).await;
    let bodies: Vec<_> = history["revisions"].as_array().unwrap().iter().map(|row| &row["body"]).collect();
    assert_eq!(bodies, ["Frist", "First"]);
    assert_eq!(history["flags"][0]["resolution"]["upheld"], false);
    let view = admin.get(&of("/view")).await;
    assert_eq!((&view["comment"]["body"], &view["revisions"][0]["body"]), (&json!("First"), &json!("Frist")));
    let of_ben = admin.get("/authors/ben/comments?limit=1").await;
    assert_eq!(
        (&of_ben["comments"][0]["comment"]["id"], &of_ben["score"]["partial"]),
        (&json!(comment), &json!(false))
    );
    assert_eq!(admin.get("/threads/memorial-service/activity").await["count"], 23);
    assert_eq!(admin.get("/threads?order=trending").await["threads"][0]["thread"], "memorial-service");
    let row = admin.get("/threads/memorial-service?limit=1&after=22").await["comments"][0].clone();
    let seen = (&row["revision"], &row["featured"], &row["own_vote"], &row["own_flag"]);
    assert_eq!(seen, (&json!(1), &json!(true), &json!("up"), &json!(true)), "{row}");
    let changes = admin.get(&format!("/threads/memorial-service/changes?since={since}")).await;
    assert_eq!((&changes["complete"], &changes["comments"][0]["number"]), (&json!(true), &json!(23)), "{changes}");
    let address = json!({"address": "https://news.example/moved"});
    admin.command(Method::PUT, "/threads/memorial-service/address", address).await;
    let found = admin.get("/resolve?address=https://news.example/moved").await;
    assert_eq!(found["thread"], "memorial-service");
    assert_eq!(admin.get("/resolve?address=https://news.example/no").await["thread"], Value::Null);
    let setting = json!({"premoderate_words": ["casino*"], "locale": "ja"});
    admin.command(Method::PATCH, "", setting).await;
    let site = admin.get("").await;
    assert_eq!((&site["settings"]["premoderate_words"], &site["mode"]), (&json!(["casino*"]), &json!("open")));
    let ban = json!({"reason": "a trial", "until": "2999-01-01T00:00:00Z"});
    admin.command(Method::POST, "/authors/ben/ban", ban).await;
    assert_eq!(admin.get("/authors/ben").await["ban"]["until"], "2999-01-01T00:00:00.000Z");
    admin.command(Method::POST, "/authors/ben/unban", json!({"reason": "over"})).await;
    admin.command(Method::POST, &of("/removal"), json!({"reason": "r", "rule": "No trials"})).await;
    admin.command(Method::POST, &of("/restore"), json!({"reason": "r"})).await;
    let deleted = ben.ask(Method::DELETE, &of("?wait=true"), &Value::Null).await.json::<Value>().await.unwrap();
    assert_eq!((&deleted["outcome"], &deleted["state"]), (&json!("applied"), &json!("deleted")), "{deleted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_data_comes_as_lines_for_oneself_and_administrators() {
    let here = open().await;
    let Office { up, data, admin, .. } = &here;
    let ben = Program::new(up, data, &["--author", "ben"]);
    ben.command(Method::POST, "/authors", json!({"name": "Ben"})).await;
    ben.post("words").await;
    let first = admin.get("/threads/memorial-service?limit=1").await["comments"][0]["id"].clone();
    let of = |rest: &str| format!("{COMMENTS}/{}{rest}", first.as_str().unwrap());
    ben.command(Method::PUT, &of("/vote"), json!({"vote": "down"})).await;
    let flagged = ben.command(Method::POST, &of("/flags"), json!({"category": "other"})).await;
    let own = format!("/authors/ben/own-data?at_least={}", flagged["position"].as_str().unwrap());
    for asker in [&ben, admin] {
        let answer = asker.ask(Method::GET, &own, &Value::Null).await;
        assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
        let text = answer.text().await.unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let kinds: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["author", "vote", "flag", "comment"], "{text}");
        assert_eq!(lines[0]["name"], "Ben");
    }
    // More words than one part holds come all the same, in order.
    admin.command(Method::PATCH, "", json!({"comments_per_minute": 6_000})).await;
    let mut last = Value::Null;
    for number in 0..30 {
        last = ben.post(&format!("{number} {}", "x".repeat(9_900))).await["position"].clone();
    }
    let own = format!("/authors/ben/own-data?at_least={}", last.as_str().unwrap());
    let text = ben.ask(Method::GET, &own, &Value::Null).await.text().await.unwrap();
    assert!(text.len() > 290_000 && text.ends_with('\n'));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 34);
    let begins = lines[33]["revisions"][0]["text"].as_str().unwrap();
    assert!(begins.starts_with("29 x"));

    let moderator = Program::new(up, data, &["--author", "desk", "--role", "moderator"]);
    let refused = moderator.ask(Method::GET, &own, &Value::Null).await;
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "not-permitted");
}
