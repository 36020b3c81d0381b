//! Discussions that were held elsewhere: a file in, the thread out, twice the same, interrupted and resumed the same.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::{CommandBody, CommentId, Vote};
use wire::v1::{self, CommentState};

use crate::sandbox::{Sandbox, TOKEN, command, koe, reader, root, tally, text};

/// Of the large export.
const THREADS: u32 = 20;
const POSTS: u32 = 12_000;
const ROLES: [&str; 3] = ["comments", "votes", "projector"];

/// A fixture in a directory of the test's own, where side files go.
fn fixture(dir: &Path, name: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::copy(root().join("tests/fixtures").join(name), &path).unwrap();
    path
}

fn import(sandbox: &Sandbox, format: &str, file: &Path, words: &[&str]) -> Result<serde_json::Value, String> {
    let mut command = Command::new(koe());
    command.args(["import", format]).arg(file).args([
        "--json",
        "--nats",
        &sandbox.nats.url(),
        "--nats-token",
        TOKEN,
    ]);
    let output = command.args(words).output().unwrap();
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        assert_eq!(output.status.code(), Some(2));
        Err(text(&output.stderr))
    }
}

async fn running() -> Sandbox {
    let mut sandbox = Sandbox::empty(&journal::Options::default()).await;
    for role in ROLES {
        sandbox.run(role);
    }
    sandbox
}

type Row = (u32, String, i64, CommentState, String, (u32, u32));

/// Number, author's name, time, state, words and tally of each row.
fn rows(page: &v1::ThreadPageReply) -> Vec<Row> {
    let row = |comment: &v1::Comment| {
        let name = comment.author.as_ref().map_or_else(String::new, |author| author.name.clone());
        let time = comment.time.as_ref().unwrap().seconds;
        (comment.number, name, time, comment.state(), comment.body.clone(), tally(comment))
    };
    page.comments.iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_disqus_becomes_the_thread_it_was() {
    let (dir, sandbox) = (tempfile::tempdir().unwrap(), running().await);
    let file = fixture(dir.path(), "disqus.xml");
    let dry = import(&sandbox, "disqus", &file, &["--site", "s", "--dry-run"]).unwrap();
    assert_eq!((&dry["written"], &dry["fresh"]), (&0.into(), &18.into()));
    let report = import(&sandbox, "disqus", &file, &["--site", "s"]).unwrap();
    assert_eq!((&report["found"]["threads"], &report["carried"]["placeholders"]), (&2.into(), &1.into()));
    assert_eq!(report["not_carried"].as_object().unwrap().len(), 5, "{report}");
    let rejected = std::fs::read_to_string(report["rejected"].as_str().unwrap()).unwrap();
    assert_eq!(rejected.lines().count(), 1);
    assert!(rejected.contains("\"line\":110") && rejected.contains("no time"), "{rejected}");

    let end = sandbox.end().await;
    let page = sandbox.page("harbour-works", &end).await;
    let time = 1_299_229_200;
    let (visible, ann) = (CommentState::Visible, "Ann \"A\" O'Hara");
    let first = "First & foremost: 2 \\* 3 \\* 4.\n\nSee [the plan](https://www.example.org/plan)—all of it.";
    let row = |number, name: &str, time, state, words: &str| {
        (number, name.to_owned(), time, state, words.to_owned(), (0, 0))
    };
    assert_eq!(
        rows(&page),
        [
            row(1, ann, time, visible, first),
            row(2, "Ben", time + 300, visible, "A reply that stands **before** its parent in the file."),
            row(3, "", time + 600, CommentState::Deleted, ""),
            row(4, ann, time + 1_200, visible, "An answer to what was deleted in two pieces"),
            row(5, "", time + 1_800, CommentState::Removed, ""),
            row(6, "Dan", time + 1_800, visible, "An orphan."),
        ]
    );
    let ids: Vec<_> = page.comments.iter().map(|comment| comment.id.as_str()).collect();
    let parents: Vec<_> = page.comments.iter().map(|comment| comment.parent.as_str()).collect();
    assert_eq!(parents, ["", ids[0], "", ids[2], "", ids[4]]);
    assert_eq!((page.headline.as_str(), page.mode()), ("Harbour works & ferries", v1::Mode::ReadOnly));
    let log = text(&sandbox.replay(&["log", "--json"]).stdout);
    for secret in ["taken back", "example.org\"", "192.0.2", "watches", "thread that was deleted"] {
        assert!(!log.contains(secret), "{secret}");
    }

    let again = import(&sandbox, "disqus", &file, &["--site", "s"]).unwrap();
    assert_eq!(again["written"], 0);
    assert_eq!(sandbox.end().await, end);
    sandbox.verify();
    let status = text(&sandbox.replay(&["status", "--json"]).stdout);
    assert!(status.contains("\"void\":{}"), "nothing of it broke a rule: {status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_was_here_before_takes_the_comments_in_and_stays_open() {
    let (dir, sandbox) = (tempfile::tempdir().unwrap(), running().await);
    sandbox.open_thread("harbour-works").await;
    let own = crate::sandbox::post("zoe", "harbour-works", "said here");
    sandbox.send(&own, true).await.unwrap();
    let file = fixture(dir.path(), "disqus.xml");
    import(&sandbox, "disqus", &file, &["--site", "s"]).unwrap();
    let page = sandbox.page("harbour-works", &sandbox.end().await).await;
    assert_eq!((page.comments.len(), page.mode(), page.headline.as_str()), (7, v1::Mode::Open, "Headline"));
    assert_eq!((page.comments[0].body.as_str(), page.comments[6].body.as_str()), ("said here", "An orphan."));
    assert_eq!(import(&sandbox, "disqus", &file, &["--site", "s"]).unwrap()["written"], 0);
    sandbox.verify();
}

/// Every format's arguments, and the thread that comes of its fixture.
fn formats(dir: &Path) -> Vec<(&'static str, PathBuf, Vec<String>, &'static str)> {
    let words = fixture(dir, "comments.csv").to_str().unwrap().to_owned();
    let of_votes = ["--thread", "plain", "--comments", &words].map(str::to_owned).to_vec();
    vec![
        ("disqus", fixture(dir, "disqus.xml"), Vec::new(), "harbour-works"),
        ("wordpress", fixture(dir, "wordpress.xml"), Vec::new(), "wordpress-42"),
        ("votes-csv", fixture(dir, "votes.csv"), of_votes, "plain"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_interrupted_goes_on_wherever_that_was() {
    let dir = tempfile::tempdir().unwrap();
    for (format, file, words, thread) in formats(dir.path()) {
        let words: Vec<_> = ["--site", "s"].into_iter().chain(words.iter().map(String::as_str)).collect();
        let whole = running().await;
        import(&whole, format, &file, &words).unwrap();
        let mut scan = whole.journal().await.scan(vec![wire::subject::EVENTS.to_owned()], 0).await.unwrap();
        let all = scan.next().await.unwrap().unwrap();
        let expected = whole.page(thread, &whole.end().await).await;
        for interrupted in [1, all.len() / 3, all.len() / 2, all.len() - 1] {
            let sandbox = running().await;
            sandbox.journal().await.copy(&all[..interrupted]).await.unwrap();
            let rest = import(&sandbox, format, &file, &words).unwrap();
            assert_eq!(rest["written"], all.len() - interrupted, "{format} after {interrupted}");
            let page = sandbox.page(thread, &sandbox.end().await).await;
            assert_eq!(page.comments, expected.comments, "{format} after {interrupted}");
            sandbox.verify();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_wordpress_becomes_the_thread_it_was() {
    let (dir, sandbox) = (tempfile::tempdir().unwrap(), running().await);
    let file = fixture(dir.path(), "wordpress.xml");
    let report = import(&sandbox, "wordpress", &file, &["--site", "s"]).unwrap();
    assert_eq!(report["found"]["threads"], 1, "an article without comments is no thread");
    let end = sandbox.end().await;
    let page = sandbox.page("wordpress-42", &end).await;
    let said: Vec<_> =
        rows(&page).into_iter().map(|(number, name, _, _, words, _)| (number, name, words)).collect();
    let row = |number, name: &str, words: &str| (number, name.to_owned(), words.to_owned());
    assert_eq!(
        said,
        [
            row(1, "Nora", "The quay was under water.\n\nTwice,  \nas it seems."),
            row(2, "Desk", "> Twice\n\n*Three* times."),
            row(4, "", ""),
            row(5, "Nora", "A reply to what was taken away."),
        ]
    );
    assert_eq!(page.comments[0].time.as_ref().unwrap().seconds, 1_412_146_800);
    assert_eq!(page.comments[3].parent, page.comments[2].id);
    let mut queue = sandbox.replay(&["log", "--type", "comment-posted", "--json"]).stdout;
    queue.retain(|byte| *byte != b' ');
    assert!(text(&queue).contains("HOLD_REASON_DECISION"), "what waited waits");
    assert_eq!(import(&sandbox, "wxr", &file, &["--site", "s"]).unwrap()["written"], 0);
    assert_eq!(sandbox.end().await, end);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_log_of_votes_the_last_by_time_counts_and_nobodys_own_vote_is_touched() {
    let (dir, sandbox) = (tempfile::tempdir().unwrap(), running().await);
    let (file, words) = (fixture(dir.path(), "votes.csv"), fixture(dir.path(), "comments.csv"));
    let words = words.to_str().unwrap();
    let args = ["--site", "s", "--thread", "plain", "--comments", words];
    let report = import(&sandbox, "votes-csv", &file, &args).unwrap();
    assert_eq!((&report["carried"]["votes"], &report["carried"]["comments"]), (&5.into(), &4.into()));
    assert_eq!(std::fs::read_to_string(report["rejected"].as_str().unwrap()).unwrap().lines().count(), 3);
    let end = sandbox.end().await;
    let page = sandbox.page("plain", &end).await;
    let by_words = |page: &v1::ThreadPageReply, words: &str| {
        let row =
            page.comments.iter().find(|row| row.body == words).unwrap_or_else(|| panic!("{words}: {page:?}"));
        (tally(row), row.id.parse::<CommentId>().unwrap())
    };
    assert_eq!(by_words(&page, "First words,\nin two lines").0, (1, 1));
    assert_eq!(by_words(&page, "Second").0, (1, 1));
    assert_eq!(by_words(&page, "c3").0, (0, 1), "of two at the same time the later line");
    assert_eq!(by_words(&page, "Nobody voted here").0, (0, 0));

    // However the file is sorted, it is the same import.
    let mut lines: Vec<_> = std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
    lines[1..9].reverse();
    std::fs::write(&file, lines.join("\n")).unwrap();
    assert_eq!(import(&sandbox, "votes-csv", &file, &args).unwrap()["written"], 0);

    // Somebody votes here; the same file, and a later one, leave that alone.
    let first = by_words(&page, "Second").1;
    let cast = CommandBody::CastVote { comment: first, vote: Vote::Up };
    sandbox.send(&command(reader("fay"), Some("plain"), cast), true).await.unwrap();
    let mut later = std::fs::File::options().append(true).open(&file).unwrap();
    write!(
        later,
        "\n2026-03-01T00:00:00Z,c2,fay,-1\n2026-03-01T00:00:00Z,c2,gus,-1\n2026-03-01T00:00:00Z,{first},hal,1\n"
    )
    .unwrap();
    let report = import(&sandbox, "votes-csv", &file, &args).unwrap();
    assert_eq!(report["written"], 2, "{report}");
    let page = sandbox.page("plain", &sandbox.end().await).await;
    assert_eq!(by_words(&page, "Second").0, (3, 2), "ann, fay and hal up, one voter and gus down");

    // A comment that was posted here is voted on by its own id.
    sandbox.open_thread("t").await;
    let own = sandbox.post("ann", "posted here").await;
    let votes = dir.path().join("own.csv");
    std::fs::write(&votes, format!("timestamp,comment,voter,vote\n1,{own},ben,1\n")).unwrap();
    let report = import(&sandbox, "votes-csv", &votes, &["--site", "s", "--thread", "t"]).unwrap();
    assert_eq!(report["carried"]["comments"], 0);
    let page = sandbox.page("t", &sandbox.end().await).await;
    assert_eq!((page.comments.len(), tally(&page.comments[0])), (1, (1, 0)));
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_and_wrong_files_are_refused_before_anything_is_written() {
    let (dir, sandbox) = (tempfile::tempdir().unwrap(), Sandbox::empty(&journal::Options::default()).await);
    let refused = |format: &str, contents: &str, words: &[&str]| {
        let file = dir.path().join("file");
        std::fs::write(&file, contents).unwrap();
        import(&sandbox, format, &file, &[&["--site", "s"], words].concat()).unwrap_err()
    };
    let bomb =
        "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><disqus><post>&lol2;</post></disqus>";
    for (format, contents, said) in [
        ("disqus", bomb, "document type"),
        ("wordpress", "<!DOCTYPE rss SYSTEM \"http://127.0.0.1:1/x.dtd\"><rss/>", "document type"),
        ("disqus", "<disqus><post><message>&nbsp;</message></post></disqus>", "entity &nbsp;"),
        ("disqus", &format!("<disqus>{}", "<a>".repeat(500)), "nested deeper"),
        ("disqus", "<rss/>", "no export of Disqus"),
        ("wordpress", "<disqus/>", "no WXR export"),
        ("disqus", "", "no export of Disqus"),
        ("disqus", "<disqus><post>", "ends too early"),
    ] {
        let message = refused(format, contents, &[]);
        assert!(message.contains(said) && message.contains("nothing was written"), "{message}");
    }
    let message = refused("votes-csv", "when,who\n1,2\n", &["--thread", "t"]);
    assert!(message.contains("has no column `timestamp`"), "{message}");
    assert!(refused("votes-csv", "", &[]).contains("--thread"));
    assert!(refused("disqus", "<disqus/>", &["--thread", "t"]).contains("--thread"));
    assert_eq!(sandbox.journal().await.look().await.unwrap().sequence, 0);
}

/// Fifty megabytes, with replies, in threads of very different sizes.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_export_goes_in_and_every_comment_of_it_is_there() {
    let (dir, sandbox) = (tempfile::tempdir().unwrap(), running().await);
    let file = dir.path().join("large.xml");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
    writeln!(out, "<disqus xmlns=\"http://disqus.com\" xmlns:dsq=\"http://disqus.com/disqus-internals\">")
        .unwrap();

    for thread in 0..THREADS {
        writeln!(
            out,
            "<thread dsq:id=\"{thread}\"><id>thread-{thread}</id><title>Thread {thread}</title></thread>"
        )
        .unwrap();
    }
    let filler = "<p>Of ships &amp; shoes, and <i>sealing wax</i>. </p>".repeat(76);
    let thread_of = |post: u32| (post * post) % THREADS;
    let mut last = [None; THREADS as usize];
    for post in 0..POSTS {
        let thread = thread_of(post);
        let parent = last[thread as usize].replace(post).filter(|_| post % 3 == 0);
        let parent = parent.map_or_else(String::new, |parent| format!("<parent dsq:id=\"{parent}\"/>"));
        let time = jiff::Timestamp::from_second(1_300_000_000 + i64::from(post)).unwrap();
        writeln!(
            out,
            "<post dsq:id=\"{post}\"><message><![CDATA[<p>Post {post}.</p>{filler}]]></message><createdAt>{time}</createdAt>\
             <isDeleted>false</isDeleted><isSpam>false</isSpam><author><name>Author {}</name><username>author{}</username>\
             </author><thread dsq:id=\"{thread}\"/>{parent}</post>",
            post % 500,
            post % 500
        )
        .unwrap();
    }
    writeln!(out, "</disqus>").unwrap();
    out.flush().unwrap();
    let bytes = std::fs::metadata(&file).unwrap().len();
    assert!(bytes > 48_000_000, "{bytes}");
    let report = import(&sandbox, "disqus", &file, &["--site", "s"]).unwrap();
    assert_eq!((&report["carried"]["comments"], &report["bad"]), (&POSTS.into(), &serde_json::json!({})));
    let end = sandbox.end().await;
    let mut counted = 0;
    for thread in 0..THREADS {
        let expected = (0..POSTS).filter(|post| thread_of(*post) == thread).count();
        if expected > 0 {
            let page = sandbox.page(&format!("thread-{thread}"), &end).await;
            assert_eq!(usize::try_from(page.count).unwrap(), expected);
            counted += expected;
        }
    }
    assert_eq!(counted, POSTS as usize);
    assert_eq!(import(&sandbox, "disqus", &file, &["--site", "s"]).unwrap()["written"], 0);
}
