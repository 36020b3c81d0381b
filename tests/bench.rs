//! `koe bench`: it runs, checks what it times, and speaks to people and to scripts. No figure is asserted.

use std::process::{Command, Output};

use crate::sandbox::{koe, text, tool};

fn bench(words: &[&str]) -> Output {
    Command::new(koe())
        .args(["--log", "warn", "bench"])
        .args(words)
        .arg("--nats-server")
        .arg(tool("nats-server"))
        .output()
        .unwrap()
}

fn figures(output: &Output) -> Vec<serde_json::Value> {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_fold_is_measured_beside_a_raw_read_and_its_tallies_are_checked() {
    let figures = figures(&bench(&["fold", "--events", "5000", "--json"]));
    let names: Vec<_> = figures.iter().map(|figure| figure["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["fold", "fold: disk"]);
    assert!(figures.iter().all(|figure| figure["checked"] == true && figure["value"].as_f64().unwrap() > 0.0));
    assert!(figures[0]["ratio"].as_f64().unwrap() > 0.0 && figures[1]["ratio"].is_null());
}

#[test]
fn votes_are_measured_beside_a_bare_program_and_counted() {
    let output = bench(&["votes", "--events", "1000"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    for line in ["1 in flight", "32 in flight", "256 in flight", "1000 in flight"] {
        assert!(table.contains(line), "{table}");
    }
    assert_eq!(text(&output.stderr), "", "no bar where no terminal is");
}

#[test]
fn what_cannot_be_measured_is_refused() {
    for words in [&["flod"][..], &["fold", "--events", "1"], &["fold", "--events", "x"]] {
        let output = bench(words);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""), "{words:?}");
    }
}
