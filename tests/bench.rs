//! `koe bench`: it runs, checks what it times, and speaks to people and to scripts. No figure is asserted.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::sandbox::{koe, text, tool};

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(koe());
    command.args(["--log", "warn", "bench"]).args(words).arg("--nats-server").arg(tool("nats-server"));
    command
}

fn bench(words: &[&str]) -> Output {
    command(words).output().unwrap()
}

/// The figures of a run by their names, each of them sound.
fn figures(words: &[&str]) -> Vec<(String, Value)> {
    let output = bench(&[words, &["--json"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "no bar where no terminal is, and nothing to warn of");
    let lines: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for figure in &lines {
        let keys: Vec<_> = figure.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["ceiling", "checked", "name", "ratio", "unit", "value"]);
        assert_eq!(figure["checked"], true);
        let least = if figure["unit"] == "events" { 0.0 } else { f64::MIN_POSITIVE };
        assert!(figure["value"].as_f64().unwrap() >= least, "{figure}");
        assert_eq!(figure["ceiling"].is_null(), figure["ratio"].is_null());
    }
    lines.into_iter().map(|figure| (figure["name"].as_str().unwrap().to_owned(), figure)).collect()
}

fn names(figures: &[(String, Value)]) -> Vec<&str> {
    figures.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn the_fold_is_measured_beside_a_raw_read_and_its_tallies_are_checked() {
    let figures = figures(&["fold", "--events", "5000"]);
    assert_eq!(names(&figures), ["fold", "fold: disk"]);
    assert!(figures[0].1["ratio"].as_f64().unwrap() > 0.0 && figures[1].1["ratio"].is_null());
}

#[test]
fn commands_are_measured_in_every_way_of_running_koe() {
    for kind in ["votes", "posts"] {
        let figures = figures(&[kind, "--events", "1000"]);
        let names = names(&figures);
        assert_eq!(names.len(), 4 * 5 + 1, "{names:?}");
        for in_flight in ["1", "32", "256", "1000"] {
            for way in ["", ", lag at the end", ", two writers", ", fold paused", ", facts cold"] {
                let name = format!("{kind}: {in_flight} in flight, sync default{way}");
                assert!(names.contains(&name.as_str()), "{name} in {names:?}");
            }
        }
        assert!(names[1].ends_with(": 1 in flight, sync default, of a bare program"), "{names:?}");
    }
}

#[test]
fn synced_commands_are_measured_beside_publishes_alone_as_well() {
    let figures = figures(&["votes-synced", "--events", "1000"]);
    let names = names(&figures);
    assert_eq!(names.len(), 4 * 5 + 1 + 3, "{names:?}");
    assert!(names.contains(&"votes: 256 in flight, sync always, of publishes alone"), "{names:?}");
}

#[test]
fn the_time_until_a_command_is_seen_is_told_by_percentiles() {
    let figures = figures(&["visible", "--events", "1000"]);
    let expected = ["votes, p50", "votes, p99", "votes, sent", "posts, p50", "posts, p99", "posts, sent"];
    assert_eq!(names(&figures), expected.map(|name| format!("visible: {name}")));
    for (name, figure) in &figures {
        assert_eq!(figure["unit"], if name.ends_with("sent") { "commands/s" } else { "ms" });
    }
}

#[test]
fn a_restart_is_measured_after_a_stop_and_after_a_kill() {
    let figures = figures(&["restart", "--events", "5000"]);
    let expected = ["restart: first page after a clean stop", "restart: first page after kill -9"];
    assert_eq!(names(&figures), expected);
}

#[test]
fn pages_are_measured_in_every_order_with_and_without_what_is_kept_in_memory() {
    let figures = figures(&["pages", "--events", "1000"]);
    let names = names(&figures);
    let of = |page: &str, comments: &str, kept: &str| {
        let begins = format!("pages: {page} of {comments}, ");
        names.iter().filter(|name| name.starts_with(&begins) && name.ends_with(kept)).count()
    };
    for comments in ["22", "50", "100", "1,000"] {
        assert_eq!(of("first", comments, ", ranking cached"), 2 * 6, "{names:?}");
        assert_eq!(of("first", comments, ", ranking not cached"), 2 * 6, "{names:?}");
        assert_eq!(of("tenth", comments, ", ranking cached"), if comments == "1,000" { 2 * 6 } else { 0 });
    }
    for rest in [
        "counts of 100 threads",
        "first of 1,000 over 50, least of all orders, ranking cached",
        "first of 1,000 over 50, least of all orders, trees, ranking not cached",
    ] {
        assert!(names.contains(&format!("pages: {rest}").as_str()), "{rest} in {names:?}");
    }
    assert!(figures.iter().all(|(_, figure)| figure["ratio"].as_f64().unwrap() > 0.0));
}

#[test]
fn growth_is_measured_beside_a_tenth_of_it() {
    let figures = figures(&["growth", "--events", "30000"]);
    assert_eq!(figures.len(), 2 * 5);
    let (small, large) = figures.split_at(5);
    for ((small, _), (large, figure)) in small.iter().zip(large) {
        assert_eq!(small.replace("3,000", "30,000"), *large);
        assert!(figure["ratio"].as_f64().unwrap() > 0.0);
    }
    assert!(small[0].1["ratio"].is_null() && small[4].1["ratio"].as_f64().unwrap() > 0.0);
}

#[test]
fn undoing_is_measured_beside_a_tenth_of_it_and_live_votes_beside_their_usual_wait() {
    let figures = figures(&["undo", "--events", "50000"]);
    let mut expected = Vec::new();
    for case in ["50 votes of 5,000", "50 votes of 50,000", "500 votes of 50,000"] {
        for what in ["voided", "and back"] {
            expected.push(format!("undo: {case} events, {what}"));
            expected.push(format!("undo: {case} events, {what}, longest wait meanwhile"));
        }
    }
    assert_eq!(names(&figures), expected);
    assert!(figures[0].1["ratio"].is_null() && figures[4].1["ratio"].as_f64().unwrap() > 0.0);
}

#[test]
fn archives_and_moments_are_measured_beside_the_same_work_done_raw() {
    let figures = figures(&["archive", "--events", "21000"]);
    let mut expected = Vec::new();
    for size in ["2,100", "21,000"] {
        expected.push(format!("as-of: 1,000 events of {size}"));
        expected.push(format!("as-of: 1,000 events of {size}, the whole command"));
    }
    expected.extend(["export", "size", "import", "verify"].map(|what| format!("archive: {what}")));
    assert_eq!(names(&figures), expected);
    let ratios = figures.iter().filter(|(_, figure)| figure["ratio"].as_f64().is_some_and(|ratio| ratio > 0.0));
    assert_eq!(ratios.count(), 6);
}

#[test]
fn every_benchmark_notices_an_error() {
    for name in ["fold", "votes", "posts", "visible", "restart", "pages", "undo", "archive", "growth"] {
        let output = bench(&[name, "--events", "1000", "--plant-error"]);
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""), "{name}: {said}");
        let noticed = said.contains("comment 1") && said.contains("and not") || said.contains("posted by nobody");
        assert!(noticed && said.contains(name), "{name}: {said}");
    }
}

#[test]
fn figures_are_written_into_a_document_that_has_a_place_for_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("performance.md");
    let path = path.to_str().unwrap();
    std::fs::write(path, "No place.\n").unwrap();
    let refused = bench(&["fold", "--write", path]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("has not both lines"), "{}", text(&refused.stderr));

    let begin = "<!-- figures: `koe bench --write` writes what stands from here to the next such line -->";
    let end = "<!-- end of the figures -->";
    std::fs::write(path, format!("Before.\n{begin}\nold\n{end}\nAfter.\n")).unwrap();
    assert!(bench(&["fold", "--events", "1000", "--write", path]).status.success());
    let written = std::fs::read_to_string(path).unwrap();
    assert!(written.starts_with(&format!("Before.\n{begin}\n")) && written.ends_with(&format!("{end}\nAfter.\n")));
    assert!(written.contains("\n| fold | ") && !written.contains("old\n"), "{written}");
}

/// The document of this repository has that place.
#[test]
fn the_performance_document_has_a_place_for_figures() {
    let document = std::fs::read_to_string(crate::sandbox::root().join("docs/performance.md")).unwrap();
    assert_eq!(document.matches("<!-- figures: `koe bench --write`").count(), 1);
    assert_eq!(document.matches("<!-- end of the figures -->").count(), 1);
}

#[test]
fn a_benchmark_that_is_stopped_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["votes", "restart"] {
        let mut child = command(&[name, "--events", "1000000"]);
        let child = child.env("TMPDIR", dir.path()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let used = || std::fs::read_dir(dir.path()).unwrap().next().is_some();
        while !used() {
            std::thread::sleep(Duration::from_millis(20));
        }
        kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::TERM).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("told to stop"), "{}", text(&output.stderr));
        assert!(!used(), "{name} left its directory");
    }
}

#[test]
fn what_cannot_be_measured_is_refused() {
    for words in [&["flod"][..], &["fold", "--events", "1"], &["fold", "--events", "x"]] {
        let output = bench(words);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""), "{words:?}");
    }
}
