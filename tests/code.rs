//! Checks about the code: the crates' edges, what files open with, limits with reasons, golden files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::sandbox::root;

/// What each crate may use of the workspace, and of the libraries that decide what it can do.
const EDGES: &[(&str, &[&str], &[&str])] = &[
    ("domain", &[], &[]),
    (
        "bench",
        &["domain", "wire", "journal", "client", "service", "projector", "replay"],
        // sled by itself is a ceiling.
        &["async-nats", "sled", "tokio", "clap", "prometheus"],
    ),
    ("wire", &["domain"], &["prost"]),
    ("journal", &["domain", "wire"], &["async-nats", "tokio"]),
    ("views", &["domain"], &["sled", "bincode"]),
    ("client", &["domain", "wire"], &["async-nats", "tokio", "prost"]),
    ("service", &["domain", "wire"], &["async-nats", "axum", "tokio", "prost", "clap", "prometheus"]),
    ("writer", &["domain", "wire", "journal", "client", "service"], &["tokio", "clap", "prometheus"]),
    ("comments", &["domain", "wire", "journal", "client", "service", "writer"], &["tokio", "clap", "prometheus"]),
    ("votes", &["domain", "wire", "journal", "client", "service", "writer"], &["tokio", "clap", "prometheus"]),
    (
        "projector",
        &["domain", "wire", "journal", "views", "service"],
        &["async-nats", "tokio", "prost", "clap", "prometheus"],
    ),
    ("gateway", &["domain", "wire", "client", "service"], &["axum", "tokio", "clap", "prometheus"]),
    (
        "exporter",
        &["domain", "wire", "journal", "client", "service"],
        &["async-nats", "axum", "tokio", "clap", "prometheus"],
    ),
    (
        "replay",
        // The projector's and the gateway's drawing of a thread: what is shown of an earlier moment is what was served then.
        &["domain", "wire", "journal", "views", "client", "service", "projector", "gateway"],
        &["async-nats", "tokio", "clap"],
    ),
    ("example-notifier", &["client"], &["async-nats", "tokio", "clap"]),
    ("example-cloudevents-bridge", &["client"], &["async-nats", "tokio", "clap", "reqwest"]),
];
/// Libraries that decide what a crate can do: nobody has one that is not named above.
const DECISIVE: &[&str] = &[
    "async-nats",
    "axum",
    "bincode",
    "clap",
    "prometheus",
    "prost",
    "reqwest",
    "serde",
    "serde_json",
    "sled",
    "tokio",
];
/// Serialisation is everybody's but the domain's.
const SERIALISATION: &[&str] = &["serde", "serde_json"];

#[test]
fn crates_depend_downwards_and_on_nothing_they_must_not() {
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().current_dir(root()).exec().unwrap();
    let mut seen = BTreeSet::new();
    for package in &metadata.packages {
        let name = package.name.trim_start_matches("koe-").to_owned();
        if ["koe", "scenarios"].contains(&name.as_str()) {
            continue;
        }
        let rule = EDGES.iter().find(|(of, _, _)| *of == name);
        let (_, ours, theirs) = rule.unwrap_or_else(|| panic!("the crate {name} has no place in the map"));
        seen.insert(name.clone());
        for dependency in &package.dependencies {
            if dependency.kind != cargo_metadata::DependencyKind::Normal {
                continue;
            }
            let used = dependency.name.as_str();
            if let Some(used) = used.strip_prefix("koe-") {
                assert!(ours.contains(&used), "{name} must not use {used}");
            } else if DECISIVE.contains(&used) {
                let serialises = SERIALISATION.contains(&used) && name != "domain";
                assert!(serialises || theirs.contains(&used), "{name} must not use {used}");
            }
        }
    }
    assert!(EDGES.iter().all(|(name, _, _)| seen.contains(*name)), "every crate of the map exists");
}

fn rust_files() -> Vec<PathBuf> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join("crates"), &mut found);
    walk(&root().join("tests"), &mut found);
    walk(&root().join("examples"), &mut found);
    found
}

#[test]
fn every_file_opens_with_what_it_is_for_and_has_one_subject() {
    for path in rust_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} does not say what it is for", path.display());
        // A table of cases is one subject however long it is.
        let lines = text.lines().count();
        assert!(lines <= 460, "{} has {lines} lines: it has two subjects", path.display());
        assert!(!text.contains(concat!("TO", "DO")), "{} leaves something to do", path.display());
    }
}

#[test]
fn every_limit_has_its_reason() {
    for path in rust_files() {
        if path.file_name().is_none_or(|name| name != "limits.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut previous = "";
        for line in text.lines() {
            if line.contains("const ") {
                assert!(previous.starts_with("///"), "{}: {line}", path.display());
            }
            previous = line;
        }
    }
}

/// One golden file for each event that was ever written. They must decode for ever.
#[test]
fn every_event_ever_written_decodes_to_what_it_was() {
    let dir = root().join("tests/golden/events");
    let mut kinds = BTreeMap::new();
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "hex") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let kind = name.rsplit_once('.').unwrap().0.to_owned();
        let hex = std::fs::read_to_string(&path).unwrap();
        let hex: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let bytes: Vec<u8> = hex
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let of_sites = [
            "site-opened",
            "site-set",
            "author-named",
            "author-banned",
            "author-unbanned",
            "votes-voided",
            "votes-unvoided",
            "author-erased",
            "messages-erased",
        ];
        let thread = if of_sites.contains(&kind.as_str()) { None } else { Some("t") };
        let place = domain::Place { site: "s".parse().unwrap(), thread: thread.map(|id| id.parse().unwrap()) };
        let recorded = wire::envelope::decode(7, &wire::subject::event(&place, &kind), "id", &bytes);
        let said = format!("{:#?}\n", recorded.content);
        let expected = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        assert_eq!(said, expected, "{name}");
        let domain::Content::Event(envelope) = recorded.content else { panic!("{name} does not decode") };
        assert_eq!(wire::envelope::encode(&envelope), bytes, "{name} is written as it was");
        kinds.insert(kind, name);
    }
    for kind in domain::Event::KINDS {
        assert!(kinds.contains_key(*kind), "{kind} has no golden file");
    }
}

/// What stands below the first `#[cfg(test)]` of a file, or all of a file of tests.
fn test_code(path: &std::path::Path, text: &str) -> String {
    let all = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
    let from = if all { 0 } else { text.find("#[cfg(test)]").unwrap_or(text.len()) };
    text[from..].to_owned()
}

/// Whoever adds a code shows when it comes.
#[test]
fn every_code_comes_in_a_test() {
    let mut tests = String::new();
    for path in rust_files() {
        // This file names none on purpose.
        if !path.ends_with("tests/code.rs") {
            tests += &test_code(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
    let missing: Vec<_> = wire::Code::every()
        .filter(|code| {
            let variant = match code {
                wire::Code::Rejected(rejection) => format!("Rejection::{rejection:?}"),
                wire::Code::Failed(failure) => format!("Failure::{failure:?}"),
            };
            let whole = |found: &str| !found.starts_with(|c: char| c.is_ascii_alphanumeric());
            let named = tests.match_indices(&variant).any(|(at, _)| whole(&tests[at + variant.len()..]));
            !named && !tests.contains(&format!("\"{}\"", code.as_str()))
        })
        .collect();
    assert_eq!(missing, [], "no test shows when these come");
}
