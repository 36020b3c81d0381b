//! A place for one scenario: a nats-server, roles as processes, and a client. It does the waiting.
//!
//! Everything it starts listens on free loopback ports and ends, by its id, when the sandbox goes.

use std::cell::OnceCell;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use client::{Client, new_command_id};
use domain::command::Quotes;
use domain::text::Text;
use domain::{Actor, Command as KoeCommand, CommandBody, CommandId, CommentId, Place, Role, Vote};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;
use wire::v1;

pub(crate) use crate::nats::{Nats, operator, operator_with};

/// Whatever a scenario waits for comes within this time, or it fails.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
pub(crate) const TOKEN: &str = "koe_scenario_token";
const POLL: Duration = Duration::from_millis(20);

/// The binary under test, which `make test` and `cargo test --workspace` build beside this one.
pub(crate) fn koe() -> PathBuf {
    let mut dir = std::env::current_exe().unwrap();
    dir.pop();
    dir.pop();
    let koe = dir.join("koe");
    assert!(koe.is_file(), "{} is not there: run `make test`, or `cargo build --bin koe` first", koe.display());
    koe
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A tool that `make test` fetches, or one on the path.
pub(crate) fn tool(name: &str) -> PathBuf {
    let fetched = root().join(".tools").join(name);
    if fetched.exists() { fetched } else { PathBuf::from(name) }
}

/// Waits until a look finds something.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(POLL).await;
    }
}

/// The files below a directory that hold these bytes.
pub(crate) fn files_with(dir: &Path, needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, needle));
        } else if std::fs::read(&path).is_ok_and(|bytes| text(&bytes).contains(needle)) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// A process of ours.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    pub(crate) fn spawn(command: &mut Command, log: PathBuf) -> Self {
        use std::os::unix::process::CommandExt as _;
        let out = File::options().create(true).append(true).open(&log).unwrap();
        let child = command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out).process_group(0);
        Self { child: child.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")), log }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// Ends it and everything in its process group.
    pub(crate) fn kill_group(&mut self) {
        let _ = kill_process_group(self.pid(), Signal::KILL);
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and says how it ended and how long it took.
    pub(crate) async fn stop(&mut self) -> (std::process::ExitStatus, Duration) {
        let began = Instant::now();
        kill_process(self.pid(), Signal::TERM).unwrap();
        let status = eventually("a process stops", async || self.child.try_wait().unwrap()).await;
        (status, began.elapsed())
    }

    pub(crate) fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---- {} ----\n{}", self.log.display(), self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A nats-server, roles, and a site `s` with a thread `t`.
pub(crate) struct Sandbox {
    pub(crate) roles: Vec<(&'static str, Process)>,
    pub(crate) nats: Nats,
    pub(crate) connection: async_nats::Client,
    pub(crate) http: OnceCell<SocketAddr>,
    /// Whether the log is folded again as soon as something was erased.
    pub(crate) forgets_at_once: bool,
    /// Last, so that the others' logs are there when they go.
    pub(crate) dir: TempDir,
}

impl Sandbox {
    /// The writers and the projector, one of each, with the site and the thread open.
    pub(crate) async fn start() -> Self {
        Self::with(&["comments", "votes", "projector"], &journal::Options::default()).await
    }

    /// These roles, over a log that is provisioned like this.
    pub(crate) async fn with(roles: &[&'static str], options: &journal::Options) -> Self {
        let mut sandbox = Self::empty(options).await;
        for role in roles {
            sandbox.run(role);
        }
        sandbox.open_thread("t").await;
        sandbox
    }

    /// The same, with a projector that does not gather erasures.
    pub(crate) async fn forgetting(roles: &[&'static str], options: &journal::Options) -> Self {
        let mut sandbox = Self { forgets_at_once: true, ..Self::empty(options).await };
        for role in roles {
            sandbox.run(role);
        }
        sandbox.open_thread("t").await;
        sandbox
    }

    /// A log and no role.
    pub(crate) async fn empty(options: &journal::Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let nats = Nats::start(dir.path().join("nats")).await;
        let connection = nats.connect().await;
        journal::Journal::open(connection.clone(), options).await.unwrap();
        Self { dir, nats, roles: Vec::new(), connection, http: OnceCell::new(), forgets_at_once: false }
    }

    /// Runs one more process of a role; returns its index.
    pub(crate) fn run(&mut self, role: &'static str) -> usize {
        let process = self.spawn(role, self.roles.len());
        self.roles.push((role, process));
        self.roles.len() - 1
    }

    fn spawn(&self, role: &'static str, index: usize) -> Process {
        let mut command = Command::new(koe());
        command.arg(role).args(["--nats", &self.nats.url(), "--nats-nkey-file"]);
        command.arg(self.nats.keys().join(role).with_extension("nk"));
        if role == "projector" {
            command
                .arg("--data")
                .arg(self.dir.path().join(format!("projector-{index}")))
                .args(["--cache-mib", "32", "--forget-after-secs"])
                .arg(if self.forgets_at_once { "0" } else { "3600" });
        }
        if role == "gateway" {
            command.args(["--http", &self.http().to_string(), "--session-key-file"]).arg(self.session_key());
        }
        if role == "exporter" {
            command.args(["--metrics", "127.0.0.1:0"]);
        }
        if ["comments", "votes"].contains(&role) {
            command.args(["--actor-rate", "100000", "--actor-burst", "100000"]);
        }
        Process::spawn(&mut command, self.dir.path().join(format!("{role}-{index}.log")))
    }

    /// Where the gateway listens: one free port for the life of the sandbox.
    pub(crate) fn http(&self) -> SocketAddr {
        *self.http.get_or_init(|| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
    }

    fn session_key(&self) -> PathBuf {
        let key = self.dir.path().join("session.key");
        if !key.exists() {
            std::fs::write(&key, "0123456789abcdef".repeat(4)).unwrap();
        }
        key
    }

    /// A token that the gateway takes.
    pub(crate) fn token(&self, author: &str) -> String {
        let mut command = Command::new(koe());
        command.args(["token", "--site", "s", "--author", author, "--session-key-file"]).arg(self.session_key());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }

    /// Kills a role as a power cut would and starts it again, on the same data.
    pub(crate) fn kill_and_restart(&mut self, index: usize) {
        let role = self.roles[index].0;
        self.roles[index].1.kill();
        self.roles[index].1 = self.spawn(role, index);
    }

    /// Stops a role as an upgrade would and starts it again, on the same data; waits until it takes its part.
    pub(crate) async fn stop_and_restart(&mut self, index: usize) {
        let role = self.roles[index].0;
        let (status, _) = self.roles[index].1.stop().await;
        assert!(status.success(), "{role}: {}", self.roles[index].1.log());
        self.roles[index].1 = self.spawn(role, index);
        let process = &self.roles[index].1;
        let says = match role {
            "comments" => "comments are taken",
            "votes" => "votes are taken",
            "projector" => "the projector answers",
            _ => "serves",
        };
        eventually(&format!("{role} is back"), async || process.log().contains(says).then_some(())).await;
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.connection.clone())
    }

    pub(crate) async fn journal(&self) -> journal::Journal {
        let options = journal::Options { provision: journal::Provision::Never, ..journal::Options::default() };
        eventually("the log is there", async || {
            journal::Journal::open(self.connection.clone(), &options).await.ok()
        })
        .await
    }

    pub(crate) async fn open_thread(&self, thread: &str) {
        let site = CommandBody::OpenSite { name: "Site".into(), zone: "Asia/Tokyo".into() };
        let body = CommandBody::OpenThread {
            headline: "Headline".into(),
            address: "".into(),
            category: "".into(),
            published: None,
            closes_at: None,
        };
        let opened = self.send(&command(staff(), None, site), false).await;
        assert!(opened.is_ok() || code(&opened) == "site-exists", "{opened:?}");
        self.send(&command(staff(), Some(thread), body), true).await.unwrap();
    }

    /// Sends a command until the services are up and answer it.
    pub(crate) async fn send(&self, command: &KoeCommand, wait: bool) -> Result<v1::CommandReply, client::Error> {
        let client = self.client();
        eventually("the services answer", async || match client.send(command, wait).await {
            Err(error) if error.is_transient() => None,
            answer => Some(answer),
        })
        .await
    }

    /// The code of the rule that a command breaks: the writer refuses it, or, if its facts were a moment old, the fold.
    pub(crate) async fn refused(&self, command: KoeCommand) -> String {
        match self.send(&command, true).await {
            Ok(reply) if reply.outcome() == v1::Outcome::Void => reply.code,
            answer => code(&answer).to_owned(),
        }
    }

    pub(crate) async fn post(&self, author: &str, text: &str) -> CommentId {
        let command = post(author, "t", text);
        self.send(&command, true).await.unwrap();
        CommentId(command.id)
    }

    pub(crate) async fn page(&self, thread: &str, at_least: &str) -> v1::ThreadPageReply {
        let (site, thread) = ("s".parse().unwrap(), thread.parse().unwrap());
        let client = self.client();
        eventually("the projector answers", async || {
            let page = client::PageOf { limit: 200, at_least: at_least.to_owned(), ..client::PageOf::default() };
            match client.thread_page(&site, &thread, page).await {
                Err(error) if error.is_transient() => None,
                answer => Some(answer.unwrap()),
            }
        })
        .await
    }

    /// The position of the log's end, for reading everything that was accepted.
    pub(crate) async fn end(&self) -> String {
        let journal = self.journal().await;
        let head = journal.look().await.unwrap();
        wire::Position { epoch: head.epoch, sequence: head.sequence }.to_string()
    }

    /// `koe replay …` against this sandbox.
    pub(crate) fn replay(&self, words: &[&str]) -> Output {
        let mut command = Command::new(koe());
        command.arg("replay").args(words).args(["--nats", &self.nats.url(), "--nats-token", TOKEN]);
        command.output().unwrap()
    }

    /// Folds the log beside the living view and compares.
    pub(crate) fn verify(&self) {
        let output = self.replay(&["verify"]);
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    }

    /// A request as any NATS client sends it: JSON, subject by hand. The answer's JSON and its error code header.
    pub(crate) async fn raw(&self, subject: &str, body: &str) -> (serde_json::Value, Option<String>) {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("content-type", "application/json");
        let request = async_nats::Request::new().headers(headers).payload(body.to_owned().into());
        let answer = self.connection.send_request(subject.to_owned(), request).await.unwrap();
        let code = answer.headers.as_ref().and_then(|headers| headers.get("Nats-Service-Error"));
        (serde_json::from_slice(&answer.payload).unwrap_or_default(), code.map(ToString::to_string))
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The code of a refusal.
pub(crate) fn code<T: std::fmt::Debug>(answer: &Result<T, client::Error>) -> &'static str {
    match answer {
        Err(error) => error.code().map_or("no code", wire::Code::as_str),
        Ok(_) => "ok",
    }
}

pub(crate) fn staff() -> Actor {
    Actor { id: "staff".parse().unwrap(), roles: [Role::Administrator].into_iter().collect() }
}

pub(crate) fn moderator() -> Actor {
    Actor { id: "mo".parse().unwrap(), roles: [Role::Moderator].into_iter().collect() }
}

pub(crate) fn reader(id: &str) -> Actor {
    Actor { id: id.parse().unwrap(), roles: domain::Roles::default() }
}

pub(crate) fn command(actor: Actor, thread: Option<&str>, body: CommandBody) -> KoeCommand {
    let place = Place { site: "s".parse().unwrap(), thread: thread.map(|thread| thread.parse().unwrap()) };
    KoeCommand { id: new_command_id(), actor, place, body }
}

pub(crate) fn post(author: &str, thread: &str, words: &str) -> KoeCommand {
    let body =
        CommandBody::PostComment { parent: None, text: Text::parse(words).unwrap(), quotes: Quotes::default() };
    command(reader(author), Some(thread), body)
}

pub(crate) fn vote(voter: &str, comment: CommentId, vote: Vote) -> KoeCommand {
    command(reader(voter), Some("t"), CommandBody::CastVote { comment, vote })
}

pub(crate) fn remove(comment: CommentId) -> KoeCommand {
    command(staff(), Some("t"), CommandBody::RemoveComment { comment, reason: "rule 1".into(), rule: "".into() })
}

/// An id of version 7 that was made so long ago.
pub(crate) fn id_made_before(age: Duration) -> CommandId {
    let millis = age.as_millis();
    let now = new_command_id().as_u128();
    CommandId::from_u128(now - (millis << 80))
}

pub(crate) fn tally(row: &v1::Comment) -> (u32, u32) {
    row.tally.as_ref().map_or((0, 0), |tally| (tally.up, tally.down))
}
