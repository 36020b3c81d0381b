//! What each NATS user may and may not, tried on a real server, one subject after another; docs/security.md shows the table.

use std::fmt::Write as _;

use async_nats::{Client, ConnectOptions, Event};
use tokio::sync::mpsc;

use crate::sandbox::{Nats, PATIENCE, Process, eventually, koe, operator, root};

/// A user, and how it connects.
struct User {
    name: &'static str,
    client: Client,
    violations: mpsc::UnboundedReceiver<String>,
}

/// Users in the table's order.
const USERS: [&str; 7] = ["operator", "comments", "votes", "projector", "gateway", "exporter", "tenant"];

/// What no role may publish to.
const NOBODY_MAY: &str = "nobody.may";

#[derive(Clone, Copy)]
enum Try {
    Publish,
    Subscribe,
}

/// What is tried: how, on which subject, what that is, and who may, as the letters of [`USERS`]' columns.
const TRIES: [(Try, &str, &str, &str); 27] = [
    (Try::Publish, "koe.v1.command.demo.post-comment", "send a command", "o g t"),
    (Try::Publish, "koe.v1.command.other.post-comment", "send a command about another site", "o g"),
    (Try::Subscribe, "koe.v1.command.*.post-comment", "take commands but votes", "o c"),
    (Try::Subscribe, "koe.v1.command.*.cast-vote", "take votes", "o v"),
    (Try::Publish, "koe.v1.event.demo.1.t.comment-posted", "record an event but a vote", "o c"),
    (Try::Publish, "koe.v1.event.demo.1.t.vote-cast", "record a vote", "o v"),
    (Try::Subscribe, "koe.v1.event.demo.*.*.*", "hear events", "o c v t"),
    (Try::Subscribe, "koe.v1.event.other.*.*.*", "hear events of another site", "o c v"),
    (Try::Publish, "koe.v1.query.demo.1.thread-page", "ask for a page", "o g t"),
    (Try::Publish, "koe.v1.query.other.1.thread-page", "ask for a page of another site", "o g"),
    (Try::Publish, "koe.v1.query.demo.1.facts", "ask for the facts of a decision", "o c v g t"),
    (Try::Publish, "koe.v1.query.all.all.status", "ask for the projector's status", "o g e"),
    (Try::Publish, "koe.v1.query.all.all.rebuild", "order a rebuild", "o"),
    (Try::Publish, "koe.v1.query.all.all.drop-generation", "order a generation away", "o"),
    (Try::Subscribe, "koe.v1.query.*.*.thread-page", "answer queries", "o p"),
    (Try::Publish, "koe.v1.change.demo.t", "announce changes", "o p"),
    (Try::Subscribe, "koe.v1.change.demo.*", "hear of changes", "o g t"),
    (Try::Subscribe, "koe.v1.change.other.*", "hear of changes of another site", "o g"),
    (Try::Publish, "$JS.API.STREAM.INFO.KOE_EVENTS", "look at the log's end", "o c v p e"),
    (Try::Publish, "$JS.API.CONSUMER.CREATE.KOE_EVENTS.x", "follow the log", "o c p e"),
    (Try::Publish, "$JS.API.STREAM.CREATE.KOE_EVENTS", "make the log where there is none", "o c v p"),
    (Try::Publish, "$JS.API.STREAM.UPDATE.KOE_EVENTS", "change the log's configuration", "o c"),
    (Try::Publish, "$JS.API.STREAM.MSG.DELETE.KOE_EVENTS", "delete a message of the log (erasure)", "o c"),
    (Try::Publish, "$JS.API.STREAM.DELETE.KOE_EVENTS", "delete the log", "o"),
    (Try::Publish, "$JS.API.STREAM.PURGE.KOE_EVENTS", "empty the log", "o"),
    (Try::Publish, "$KV.KOE_STATE.epoch", "begin an epoch of the log", "o c v p"),
    (Try::Subscribe, "_INBOX.koe-gateway.>", "hear the gateway's answers", "o g"),
];

async fn connect(nats: &Nats, name: &'static str) -> User {
    let (tell, violations) = mpsc::unbounded_channel();
    let options = match name {
        "operator" => operator(),
        role => {
            let seed = std::fs::read_to_string(nats.keys().join(role).with_extension("nk")).unwrap();
            ConnectOptions::with_nkey(seed.trim().to_owned())
        }
    };
    let options = options.event_callback(move |event| {
        if let Event::ServerError(error) = event {
            tell.send(error.to_string()).ok();
        }
        async {}
    });
    let client = tokio::time::timeout(PATIENCE, options.connect(nats.url())).await.unwrap().unwrap();
    User { name, client, violations }
}

impl User {
    /// Whether the server lets it; a refusal comes before the answer to the ping that `flush` waits for.
    async fn may(&mut self, how: Try, subject: &str) -> bool {
        let (word, quoted) = match how {
            Try::Publish => {
                self.client.publish(subject.to_owned(), "".into()).await.unwrap();
                ("Publish", format!("\"{subject}\""))
            }
            Try::Subscribe => {
                let subscription = self.client.subscribe(subject.to_owned()).await.unwrap();
                self.client.flush().await.unwrap();
                drop(subscription);
                ("Subscription", format!("\"{subject}\""))
            }
        };
        // Violations are told in order: once this one is heard of, so was every one before. The operator has none to wait for.
        self.client.publish(NOBODY_MAY.to_owned(), "".into()).await.unwrap();
        self.client.flush().await.unwrap();
        let mut refused = false;
        while self.name != "operator" {
            let violation = tokio::time::timeout(PATIENCE, self.violations.recv()).await.unwrap().unwrap();
            refused |= violation.contains(word) && violation.contains(&quoted);
            if violation.contains(NOBODY_MAY) {
                break;
            }
        }
        !refused
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_user_may_do_what_it_needs_and_nothing_else_as_the_table_says() {
    let dir = tempfile::tempdir().unwrap();
    let nats = Nats::start(dir.path().join("nats")).await;
    let mut table = String::from("| | subject |");
    for name in USERS {
        write!(table, " {name} |").unwrap();
    }
    table.push_str("\n|---|---|");
    table.push_str(&":-:|".repeat(USERS.len()));
    table.push('\n');
    let mut users = Vec::new();
    for name in USERS {
        users.push(connect(&nats, name).await);
    }
    for (how, subject, what, who) in TRIES {
        let word = if matches!(how, Try::Publish) { "publish" } else { "subscribe" };
        write!(table, "| {what} | {word} `{subject}` |").unwrap();
        for user in &mut users {
            let may = user.may(how, subject).await;
            let expected = who.split(' ').any(|letter| user.name.starts_with(letter));
            assert_eq!(may, expected, "{}: {word} {subject}", user.name);
            table.push_str(if may { " yes |" } else { " |" });
        }
        table.push('\n');
    }
    let documented = std::fs::read_to_string(root().join("docs/security.md")).unwrap();
    assert!(documented.contains(&table), "docs/security.md lacks this table:\n{table}");
    // Nobody comes in without a key, or with a key that nobody knows.
    let stranger = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    for options in [ConnectOptions::new(), ConnectOptions::with_nkey(stranger.to_owned())] {
        let refused = options.connect(nats.url()).await.unwrap_err();
        assert_eq!(refused.kind(), async_nats::ConnectErrorKind::AuthorizationViolation);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_takes_no_less_than_the_tls_it_asks_for() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    // As deploy/ says: the line that includes tls.conf is there, and that names the files.
    let deployed = |file| std::fs::read_to_string(root().join("deploy/nats").join(file)).unwrap();
    let config = deployed("nats.conf").replace("# include \"tls.conf\"", "include \"tls.conf\"");
    assert!(config.contains("\ninclude \"tls.conf\""));
    let named = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let tls = deployed("tls.conf");
    let tls = tls.replace("$KOE_NATS_CERT_FILE", &format!("{:?}", named(&certificate)));
    let tls = tls.replace("$KOE_NATS_CERT_KEY_FILE", &format!("{:?}", named(&key)));
    for (file, text) in [("nats.conf", config), ("tls.conf", tls), ("users.conf", deployed("users.conf"))] {
        std::fs::write(dir.path().join(file), text).unwrap();
    }
    let nats = Nats::start_with(dir.path().join("nats"), dir.path().join("nats.conf")).await;
    let url = nats.url().replace("nats://127.0.0.1", "tls://localhost");
    let role = |words: &[&str]| {
        let mut command = std::process::Command::new(koe());
        command.args(["votes", "--nats", &url, "--nats-nkey-file"]).arg(nats.keys().join("votes.nk"));
        command.args(words);
        Process::spawn(&mut command, dir.path().join("votes.log"))
    };
    let mut trusting = role(&["--nats-ca-file", &named(&certificate)]);
    eventually("votes are taken over TLS", async || trusting.log().contains("votes are taken").then_some(()))
        .await;
    assert!(trusting.stop().await.0.success());
    let mut doubting = role(&[]);
    eventually("a certificate that nobody signed is refused", async || doubting.ended().then_some(())).await;
    assert!(doubting.log().contains("check --nats-ca-file"), "{}", doubting.log());
}
