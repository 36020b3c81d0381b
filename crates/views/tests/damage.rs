//! Damage on the disk: whatever becomes of a store's files, what is read is right as of its checkpoint, or it is refused.
//!
//! sled may panic, abort or never come back over what it finds, so each damaged copy is opened by a process of its own:
//! this test's binary again, told by its environment which copy to read.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect fails on the spot"
)]

#[path = "damage/history.rs"]
mod history;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use domain::Place;
use history::{Random, THREADS, history, site, thread};
use views::{Cursor, Options, Reading, Store, Viewer};

/// Tells the child which store to read.
const STORE: &str = "KOE_DAMAGED_STORE";
/// Stands before what the child read.
const READ: &str = "read: ";
/// Copies that are damaged and read: some ten seconds of processes.
const COPIES: u64 = 240;
/// A store that is not opened and read by then never will be.
const CHILD_MAX: Duration = Duration::from_secs(10);
const SMALL: Options = Options {
    cache_bytes: 8 * 1024 * 1024,
    fold_cache_bytes: 64 * 1024,
    step_events_max: NonZeroUsize::new(3).unwrap(),
    part_cost_max: 100_000,
    flush_every_millis: 500,
};
const LOG: (&str, i64, u64) = ("test", 0, 1);

/// Everything that a reader or a moderator can be shown, in one hash, and the sequence it is of.
fn answers(store: &Store) -> Result<(u64, String), views::Error> {
    let (view, mut said, mut voters) = (store.view(), String::new(), views::Voters::default());
    let viewer = Viewer { id: Some("r7".parse().unwrap()), moderator: true };
    for number in 0..THREADS {
        let page =
            view.comments(&site(), &thread(number), &viewer, Reading::From(Cursor::after(0)), (200, usize::MAX))?;
        write!(said, "{page:?}").unwrap();
    }
    write!(said, "{:?}", view.waiting(&site(), None, 200)?).unwrap();
    let mut after: Option<Place> = None;
    loop {
        let places = view.places(after.as_ref(), 2)?;
        for place in &places {
            write!(said, "{place:?}{:?}", view.digest(place, &mut voters)?).unwrap();
        }
        let Some(last) = places.last() else { break };
        after = Some(last.clone());
    }
    Ok((view.sequence(), blake3::hash(said.as_bytes()).to_string()))
}

/// The child: reads the store it is told of and prints what it found. Nothing to do in an ordinary run.
#[test]
fn a_damaged_store_is_read_in_a_process_of_its_own() {
    let Some(dir) = std::env::var_os(STORE) else { return };
    let read = Store::open(Path::new(&dir), SMALL).and_then(|store| answers(&store));
    match read {
        Ok((sequence, hash)) => println!("{READ}{sequence} {hash}"),
        Err(error) => println!("{READ}refused {error}"),
    }
}

/// What came of a damaged copy.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// An answer, of this sequence.
    Answer(u64, String),
    /// The store says that it cannot be used.
    Refused,
    /// The process died over it, which a projector takes as the same.
    Died,
    /// It never came back.
    Hung,
}

fn read_in_child(dir: &Path) -> Came {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_damaged_store_is_read_in_a_process_of_its_own", "--nocapture"]);
    let output = fs::File::create(dir.with_extension("out")).unwrap();
    let mut child =
        command.env(STORE, dir).stdin(Stdio::null()).stdout(output).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    loop {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        if began.elapsed() > CHILD_MAX {
            child.kill().unwrap();
            child.wait().unwrap();
            return Came::Hung;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let said = fs::read_to_string(dir.with_extension("out")).unwrap_or_default();
    let Some(read) = said.lines().find_map(|line| line.split_once(READ)).map(|(_, read)| read) else {
        return Came::Died;
    };
    match read.split_once(' ').unwrap() {
        ("refused", _) => Came::Refused,
        (sequence, hash) => Came::Answer(sequence.parse().unwrap(), hash.to_owned()),
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in files(from) {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

/// Does a little harm to a store's files: bytes flipped, overwritten or zeroed, a file cut short, or writes that the disk
/// acknowledged and lost, where the file has what it had before. Says how many bytes.
fn damage(dir: &Path, before: &Path, random: &mut Random) -> usize {
    let files = files(dir);
    // The log of sled is nearly all there is; the rest shall have its turn too.
    let file = files.iter().find(|file| file.ends_with("db")).filter(|_| random.below(4) > 0);
    let file = file.unwrap_or_else(|| &files[random.below(files.len())]);
    let mut bytes = fs::read(file).unwrap();
    if bytes.is_empty() {
        return 0;
    }
    let at = random.below(bytes.len());
    let end = (at + 1 + random.below(4_096)).min(bytes.len());
    let harmed = match random.below(8) {
        0 => {
            let lost = bytes.len() - at;
            bytes.truncate(at);
            lost
        }
        1 => {
            bytes[at..end].iter_mut().for_each(|byte| *byte = random.byte());
            end - at
        }
        2 => {
            bytes[at..end].fill(0);
            end - at
        }
        3 => {
            let old = fs::read(before.join(file.file_name().unwrap())).unwrap_or_default();
            let (at, end) = ((at / 4_096 * 4_096).min(old.len()), (at / 4_096 * 4_096 + 16_384).min(old.len()));
            let end = end.min(bytes.len()).max(at);
            bytes[at..end].copy_from_slice(&old[at..end]);
            end - at
        }
        _ => {
            let flips = 1 + random.below(12);
            for _ in 0..flips {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
            flips
        }
    };
    fs::write(file, bytes).unwrap();
    harmed
}

/// A store in two sessions, with a copy of its files from between them, and what it answered after each batch.
fn made(dir: &Path, before: &Path) -> BTreeMap<u64, String> {
    let mut expected = BTreeMap::new();
    let batches = history();
    let (first, second) = batches.split_at(batches.len() / 2);
    for session in [first, second] {
        let store = loop {
            // sled lets go of its files a moment after it was dropped.
            match Store::open(dir, SMALL) {
                Err(views::Error::InUse) => std::thread::yield_now(),
                opened => break opened.unwrap(),
            }
        };
        expected.extend([answers(&store).unwrap()]);
        for batch in session {
            store.fold(batch, LOG).unwrap();
            expected.extend([answers(&store).unwrap()]);
        }
        store.flush().unwrap();
        drop(store);
        if !before.exists() {
            copy(dir, before);
        }
    }
    expected
}

#[test]
fn whatever_is_damaged_no_answer_is_wrong() {
    let root = tempfile::tempdir().unwrap();
    let (store, before) = (root.path().join("store"), root.path().join("before"));
    let expected = made(&store, &before);
    let (last, _) = expected.last_key_value().unwrap();
    println!("{} KiB", fs::metadata(store.join("db")).unwrap().len() / 1024);
    let (next, came) = (Mutex::new(0), Mutex::new(Vec::new()));
    let work = || loop {
        let copy_no = {
            let mut next = next.lock().unwrap();
            *next += 1;
            *next
        };
        if copy_no > COPIES {
            break;
        }
        let dir = root.path().join(format!("copy-{copy_no}"));
        copy(&store, &dir);
        let harmed = damage(&dir, &before, &mut Random(copy_no));
        let what = read_in_child(&dir);
        fs::remove_dir_all(&dir).unwrap();
        came.lock().unwrap().push((copy_no, harmed, what));
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(work);
        }
    });
    let came = came.into_inner().unwrap();
    let count = |is: &dyn Fn(&Came) -> bool| came.iter().filter(|(_, _, what)| is(what)).count();
    let bytes: usize = came.iter().map(|(_, harmed, _)| harmed).sum();
    println!(
        "{bytes} bytes in {} copies: whole {}, an earlier prefix {}, refused {}, died {}, hung {}",
        came.len(),
        count(&|what| matches!(what, Came::Answer(sequence, _) if sequence == last)),
        count(&|what| matches!(what, Came::Answer(sequence, _) if sequence != last)),
        count(&|what| *what == Came::Refused),
        count(&|what| *what == Came::Died),
        count(&|what| *what == Came::Hung),
    );
    let wrong: Vec<_> = came
        .iter()
        .filter(|(_, _, what)| match what {
            Came::Answer(sequence, hash) => expected.get(sequence) != Some(hash),
            _ => false,
        })
        .collect();
    assert!(wrong.is_empty(), "wrong answers: {wrong:?}");
    assert!(count(&|what| *what == Came::Refused) > 0 && count(&|what| matches!(what, Came::Answer(..))) > 0);
}
