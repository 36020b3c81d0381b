//! Real HTTP over a real port, for all that is answered before Koe is asked. What Koe answers is a matter of the
//! scenarios in `tests/`, with all roles running.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::*;
use crate::metrics::Metrics;
use crate::session::{Claims, Key};

/// A gateway on a port of its own, whose NATS is not there.
struct Served {
    address: SocketAddr,
    token: String,
    registry: prometheus::Registry,
    _tasks: JoinSet<()>,
}

async fn served() -> Served {
    let directory = tempfile::tempdir().unwrap();
    let key = Key::create_new(&directory.path().join("key")).unwrap();
    let (site, author) = ("demo".parse().unwrap(), "ann".parse().unwrap());
    let now = jiff::Timestamp::now().as_second();
    let token = key.sign(&Claims::new(&site, &author, None, domain::Roles::default(), now, 60));
    let nats = async_nats::ConnectOptions::new().retry_on_initial_connect().connect("nats://127.0.0.1:1").await;
    let registry = prometheus::Registry::new();
    let app = App::new(client::Client::new(nats.unwrap()), key, Metrics::new(&registry).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        axum::serve(service::Listening::new(listener, 8, std::time::Duration::from_mins(1)), router(app))
            .await
            .unwrap();
    });
    Served { address, token, registry, _tasks: tasks }
}

impl Served {
    /// Sends a request as it stands and gives back the whole answer.
    async fn ask(&self, head: &str, headers: &[(&str, &str)], body: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let lines = lines.concat();
        let length = body.len();
        let request = format!(
            "{head} HTTP/1.1\r\nhost: koe.example\r\nconnection: close\r\n{lines}content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn is_refused(&self, head: &str, headers: &[(&str, &str)], body: &str, (status, code): (u16, &str)) {
        let answer = self.ask(head, headers, body).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head} {body}: {answer}");
        assert!(answer.contains("content-type: application/json"), "{head}: {answer}");
        assert!(answer.contains(&format!("{{\"code\":\"{code}\",\"message\":\"")), "{head} {body}: {answer}");
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const COMMENTS: &str = "POST /v1/sites/demo/threads/t/comments";

#[tokio::test]
async fn addresses_and_questions_are_refused_with_a_stable_code() {
    let served = served().await;
    let many = format!("GET /v1/sites/demo/counts?thread=a{}", "&thread=a".repeat(100));
    for (head, answer) in [
        ("GET /v1/nothing", (404, "not-found")),
        ("DELETE /v1/sites", (405, "method-not-allowed")),
        ("GET /v1/sites/a.b/threads", (400, "site-invalid")),
        ("GET /v1/sites/demo/threads/all", (400, "thread-invalid")),
        ("GET /v1/sites/demo/threads/t?limt=3", (400, "malformed")),
        ("GET /v1/sites/demo/threads/t?limit=-1", (400, "malformed")),
        ("GET /v1/sites/demo/counts?thred=a", (400, "malformed")),
        ("GET /v1/sites/demo/commands/x", (400, "command-id-invalid")),
        ("GET /v1/sites/demo/threads/t/changes", (400, "malformed")),
        ("GET /v1/sites/demo/threads/t/comments", (405, "method-not-allowed")),
        ("GET /v1/sites/demo/queue", (401, "unauthenticated")),
        ("GET /v1/sites/demo/threads?order=best", (400, "order-invalid")),
        ("GET /v1/sites/demo/threads/t/comments/1/view", (400, "comment-invalid")),
        ("GET /v1/sites/demo/authors/ann/own-data", (401, "unauthenticated")),
        (&many, (400, "limit-exceeded")),
    ] {
        served.is_refused(head, &[], "", answer).await;
    }
}

/// The methods and addresses that the document of the API names, each with ids in it.
fn documented() -> Vec<String> {
    let document = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/http-api.md");
    let document = std::fs::read_to_string(document).unwrap();
    let mut heads = Vec::new();
    for row in document.lines().filter_map(|line| line.strip_prefix("| `")) {
        let Some((method, path)) = row.split_once('`').and_then(|(head, _)| head.split_once(' ')) else {
            continue;
        };
        let path = path.replace("…/comments", "…/threads/{thread}/comments").replace('…', "/v1/sites/{site}");
        let path = path.replace("{site}", "demo").replace("{thread}", "t").replace("{author}", "ann");
        let path = path.replace("{removal}", "{id}");
        let id = "019a3c5e-7d00-7000-8000-000000000001";
        heads.push(format!("{method} {}", path.replace("{comment}", id).replace("{id}", id)));
    }
    heads
}

#[tokio::test]
async fn every_address_of_the_document_is_there() {
    let served = served().await;
    let heads = documented();
    assert!(heads.len() > 30, "{heads:?}");
    for head in heads {
        // An unknown parameter, so that nobody behind is asked.
        let answer = served.ask(&format!("{head}?unknown=1"), &[JSON], "{}").await;
        let there = ["HTTP/1.1 400 ", "HTTP/1.1 401 "].iter().any(|status| answer.starts_with(status));
        assert!(there, "{head}: {answer}");
    }
}

#[tokio::test]
async fn commands_are_refused_with_a_stable_code() {
    let served = served().await;
    let of_bytes = |bytes| format!("{{\"text\":\"\",\"x\":\"{}\"}}", "x".repeat(bytes));
    let (large, larger) = (of_bytes(REQUEST_BYTES_MAX - 18), of_bytes(REQUEST_BYTES_MAX - 17));
    assert_eq!((large.len(), larger.len()), (REQUEST_BYTES_MAX, REQUEST_BYTES_MAX + 1));
    let other = "POST /v1/sites/other/threads";
    let of = |method: &str, rest: &str| {
        format!("{method} /v1/sites/demo/threads/t/comments/019a3c5e-7d00-7000-8000-000000000001{rest}")
    };
    let vote = &of("PUT", "/vote");
    let bearer = format!("Bearer {}", served.token);
    let cases: &[(&str, &str, (u16, &str))] = &[
        (COMMENTS, "{", (400, "malformed")),
        (COMMENTS, "{\"text\":\"a\",\"x\":1}", (400, "malformed")),
        (COMMENTS, "{\"text\":\" \"}", (400, "text-empty")),
        (COMMENTS, "{\"text\":\"a\\u0007\"}", (400, "text-control-characters")),
        (COMMENTS, &large, (400, "malformed")),
        (COMMENTS, &larger, (413, "request-too-large")),
        (vote, "{\"vote\":\"sideways\"}", (400, "vote-invalid")),
        (&of("PATCH", ""), "{\"text\":\"a\"}", (400, "malformed")),
        (&of("DELETE", "?id=x"), "", (400, "command-id-invalid")),
        (&of("DELETE", "?reason=x"), "", (400, "malformed")),
        (&of("POST", "/flags"), "{\"category\":\"dull\"}", (400, "flag-category-invalid")),
        (&of("POST", "/flags"), "{\"category\":\"illegal\"}", (400, "flag-words-invalid")),
        (&of("POST", "/hold"), "{\"reason\":\"\"}", (400, "reason-invalid")),
        ("PUT /v1/sites/demo/mode", "{\"mode\":\"shut\"}", (400, "mode-invalid")),
        ("PUT /v1/sites/demo/mode", "{\"mode\":\"read-only\",\"successor\":\"t\"}", (400, "successor-invalid")),
        ("PATCH /v1/sites/demo", "{}", (400, "nothing-to-set")),
        ("PATCH /v1/sites/demo", "{\"text_chars_max\":0}", (400, "setting-invalid")),
        ("PATCH /v1/sites/demo/threads/t", "{\"closes_at\":\"soon\"}", (400, "time-invalid")),
        ("POST /v1/sites/demo/authors/ben/ban", "{}", (400, "malformed")),
        ("POST /v1/sites/demo/votes/void", "{\"voters\":[],\"reason\":\"r\"}", (400, "voters-invalid")),
        (
            "POST /v1/sites/demo/votes/void",
            "{\"voters\":[\"ben\"],\"since\":\"once\",\"reason\":\"r\"}",
            (400, "time-invalid"),
        ),
        ("POST /v1/sites/demo/votes/unvoid", "{\"voters\":[\"b.\"],\"reason\":\"r\"}", (400, "actor-invalid")),
        ("POST /v1/sites/demo/removals", "{\"author\":\"ben\",\"reason\":\"\"}", (400, "reason-invalid")),
        ("POST /v1/sites/demo/threads/t/removals", "{\"reason\":\"r\"}", (400, "malformed")),
        ("POST /v1/sites/demo/removals/7/undo", "{\"reason\":\"r\"}", (400, "command-id-invalid")),
        ("POST /v1/sites/demo/threads/t/removals/7/undo", "{\"reason\":\"r\"}", (400, "command-id-invalid")),
        (&of("POST", "/erasure"), "{\"reason\":\" \"}", (400, "reason-invalid")),
        ("POST /v1/sites/demo/authors/ben/erasure", "{\"reason\":\"r\"}", (400, "malformed")),
        (other, "{}", (403, "not-permitted")),
    ];
    for (head, body, answer) in cases {
        served.is_refused(head, &[("authorization", &bearer), JSON], body, *answer).await;
    }
    served.is_refused(COMMENTS, &[("authorization", &bearer)], "{}", (415, "unsupported-media-type")).await;
    served.is_refused(COMMENTS, &[("authorization", "Bearer x"), JSON], "{}", (401, "unauthenticated")).await;
    served.is_refused(COMMENTS, &[JSON], "{\"text\":\"a\"}", (401, "unauthenticated")).await;
    let cookie = format!("koe_session={}", served.token);
    let foreign = [("cookie", cookie.as_str()), JSON, ("origin", "https://evil.example")];
    served.is_refused(COMMENTS, &foreign, "{\"text\":\"a\"}", (403, "origin-refused")).await;
}

#[tokio::test]
async fn every_answer_forbids_scripts_and_is_counted() {
    let served = served().await;
    for head in
        ["GET /livez", "GET /login", "GET /nothing", "GET /v1/nothing", "DELETE /login", "GET /assets/koe.css"]
    {
        let answer = served.ask(head, &[], "").await;
        assert!(answer.contains("content-security-policy: default-src 'none'; style-src 'self';"), "{answer}");
        assert!(answer.contains("x-content-type-options: nosniff"), "{answer}");
    }
    let families = served.registry.gather();
    let requests = families.iter().find(|family| family.name() == "koe_gateway_requests_total").unwrap();
    let counted = |route: &str, code: &str| {
        requests.get_metric().iter().any(|metric| {
            let has = |value: &str| metric.get_label().iter().any(|label| label.value() == value);
            has(route) && has(code)
        })
    };
    assert!(counted("GET /login", "ok") && counted("other", "not-found") && counted("GET /assets/{file}", "ok"));
}

#[tokio::test]
async fn a_login_sets_the_cookie_and_leads_to_this_host_only() {
    let served = served().await;
    let own = ("sec-fetch-site", "same-origin");
    let body = |next: &str| format!("token={}&next={next}", served.token);
    let answer = served.ask("POST /login", &[FORM, own], &body("%2Fsites%2Fdemo")).await;
    assert!(answer.starts_with("HTTP/1.1 303 ") && answer.contains("location: /sites/demo\r\n"), "{answer}");
    assert!(answer.contains("; Path=/; HttpOnly; SameSite=Lax; Max-Age="), "{answer}");
    let answer = served.ask("POST /login", &[FORM, own], &body("%2F%2Fevil.example")).await;
    assert!(answer.contains("location: /\r\n"), "{answer}");
    let answer = served.ask("POST /login", &[FORM, own], "token=bad&next=%2Fx").await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("<code>unauthenticated</code>"), "{answer}");
    assert!(answer.contains("value=\"/x\"") && !answer.contains("set-cookie"), "{answer}");
    let answer = served.ask("POST /login", &[FORM], &body("%2F")).await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("origin-refused"), "{answer}");
    let answer = served.ask("POST /logout", &[FORM, own], "next=%2F").await;
    assert!(answer.contains("koe_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"), "{answer}");
}

#[tokio::test]
async fn a_reader_without_a_session_keeps_what_was_typed() {
    let served = served().await;
    let post = "POST /sites/demo/threads/t/comments";
    let answer = served.ask(post, &[FORM], "text=many+%3Cwords%3E").await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("text/html"), "{answer}");
    assert!(answer.contains("many &#60;words&#62;") || answer.contains("many &lt;words&gt;"), "{answer}");
    assert!(answer.contains("href=\"/sites/demo/threads/t#post\""), "{answer}");
}

#[tokio::test]
async fn a_form_about_the_author_of_a_comment_needs_a_session() {
    let served = served().await;
    for deed in ["removals", "void-votes"] {
        let head = format!("POST /sites/demo/threads/t/comments/019a3c5e-7d00-7000-8000-000000000001/{deed}");
        let answer = served.ask(&head, &[FORM], "author=ben&reason=r").await;
        assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("text/html"), "{deed}: {answer}");
    }
}

#[tokio::test]
async fn a_stylesheet_is_kept_for_ever_under_its_hash() {
    let served = served().await;
    let page = served.ask("GET /login", &[], "").await;
    let (_, rest) = page.split_once("rel=\"stylesheet\" href=\"").unwrap();
    let (path, _) = rest.split_once('"').unwrap();
    let answer = served.ask(&format!("GET {path}"), &[], "").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("immutable"), "{path}: {answer}");
}
