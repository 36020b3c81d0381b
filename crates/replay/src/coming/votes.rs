//! Plain logs of votes, `timestamp,comment,voter,vote`, with the words of the comments in a second file, `id,text`.

use std::collections::HashMap;
use std::io::Read;

use anyhow::{Context as _, ensure};
use csv::{ReaderBuilder, StringRecord};
use domain::ThreadId;
use domain::text::Text;

use super::intake::Intake;
use super::item::{Author, Ballot, Comment, Fate, Thread, token};
use crate::limits::COMMENTS_AT_ONCE_MAX;
use crate::moment::parse_time;

/// Who posted what nobody is said to have posted.
const AUTHOR: &str = "imported";
/// The longest key of a comment or a voter.
const KEY_BYTES_MAX: usize = 200;

/// Reads both files.
pub(super) fn read(
    votes: impl Read,
    words: Option<impl Read>,
    thread: &ThreadId,
    intake: &mut Intake,
) -> anyhow::Result<()> {
    let key = thread.to_string();
    intake.thread(Thread { key: key.clone(), id: key.clone(), headline: key.clone(), ..Thread::default() })?;
    // When each comment was voted on first: the earliest that is known of it.
    let mut first: HashMap<String, i64> = HashMap::new();
    let mut rows = reader(votes);
    let columns = columns(&mut rows, &["timestamp", "comment", "voter", "vote"])?;
    let mut row = StringRecord::new();
    while let Some(line) = next(&mut rows, &mut row, intake)? {
        let all = row.iter().collect::<Vec<_>>().join(",");
        let [timestamp, comment, voter, vote] = columns.map(|column| row.get(column).unwrap_or_default().trim());
        let Some(time) = time_of(timestamp) else {
            intake.bad(line, "a timestamp that is no time", &all)?;
            continue;
        };
        let vote = match vote {
            "1" | "+1" => 1,
            "0" => 0,
            "-1" => -1,
            _ => {
                intake.bad(line, "a vote that is not 1, 0 or -1", &all)?;
                continue;
            }
        };
        if [comment, voter].iter().any(|key| key.is_empty() || key.len() > KEY_BYTES_MAX) {
            intake.bad(line, "a comment or a voter that is empty or longer than 200 bytes", &all)?;
            continue;
        }
        if let Some(earliest) = first.get_mut(comment) {
            *earliest = time.min(*earliest);
        } else {
            ensure!(
                first.len() < COMMENTS_AT_ONCE_MAX,
                "the file has votes on more than a million comments: split it"
            );
            first.insert(comment.to_owned(), time);
        }
        let (comment, voter) = (comment.to_owned(), token("", voter));
        intake.ballot(Ballot { thread: key.clone(), comment, voter, time, vote })?;
    }
    let earliest = first.values().copied().min().unwrap_or_default();
    intake.author(Author { id: AUTHOR.to_owned(), name: "Imported".to_owned(), time: earliest })?;
    comments(words, &key, first, earliest, intake)
}

/// Gives out the comments: those with words, and then those that were only voted on, each at its first vote.
fn comments(
    words: Option<impl Read>,
    thread: &str,
    mut first: HashMap<String, i64>,
    earliest: i64,
    intake: &mut Intake,
) -> anyhow::Result<()> {
    let comment = |id: String, time, text| Comment {
        thread: thread.to_owned(),
        key: id,
        parent: None,
        author: AUTHOR.to_owned(),
        time,
        text,
        fate: Fate::Shown,
    };
    if let Some(words) = words {
        let (mut rows, mut row) = (reader(words), StringRecord::new());
        let columns = columns(&mut rows, &["id", "text"]).context("in the file of --comments")?;
        while let Some(line) = next(&mut rows, &mut row, intake)? {
            let [id, text] = columns.map(|column| row.get(column).unwrap_or_default());
            let id = id.trim();
            if id.is_empty() || id.len() > KEY_BYTES_MAX {
                intake.bad(line, "in --comments: an id that is empty or longer than 200 bytes", text)?;
                continue;
            }
            match Text::parse(text) {
                Ok(text) => {
                    let time = first.remove(id).unwrap_or(earliest);
                    intake.comment(comment(id.to_owned(), time, text.as_str().to_owned()))?;
                }
                Err(rejection) => intake.bad(line, &format!("in --comments: {}", rejection.code()), text)?,
            }
        }
    }
    // The rest has no words: its own key stands for them, unless it is there already.
    let mut rest: Vec<_> = first.into_iter().collect();
    rest.sort();
    for (id, time) in rest {
        let text = id.clone();
        intake.comment(comment(id, time, text))?;
    }
    Ok(())
}

fn reader<R: Read>(source: R) -> csv::Reader<R> {
    ReaderBuilder::new().flexible(true).from_reader(source)
}

/// Where the columns stand, by the header line.
fn columns<R: Read, const N: usize>(rows: &mut csv::Reader<R>, names: &[&str; N]) -> anyhow::Result<[usize; N]> {
    let header = rows.headers().context("the header line cannot be read")?.clone();
    let mut found = [0; N];
    for (name, place) in names.iter().zip(&mut found) {
        let column = header.iter().position(|column| column.trim().trim_start_matches('\u{feff}') == *name);
        *place = column.with_context(|| {
            format!("the header line has no column `{name}`: it should be {}", names.join(","))
        })?;
    }
    Ok(found)
}

/// The next row and its line; bad ones are told and passed.
fn next<R: Read>(
    rows: &mut csv::Reader<R>,
    row: &mut StringRecord,
    intake: &mut Intake,
) -> anyhow::Result<Option<u64>> {
    loop {
        let line = rows.position().line();
        match rows.read_record(row) {
            Ok(false) => return Ok(None),
            Ok(true) => return Ok(Some(row.position().map_or(line, csv::Position::line))),
            Err(error) if error.is_io_error() => return Err(error).context("the file cannot be read"),
            Err(error) => intake.bad(line, "a row that is no CSV in UTF-8", &error.to_string())?,
        }
    }
}

/// RFC 3339, or seconds or milliseconds since 1970.
fn time_of(text: &str) -> Option<i64> {
    match text.parse::<i64>() {
        Ok(number) if number.unsigned_abs() < 100_000_000_000 => number.checked_mul(1_000),
        Ok(number) => jiff::Timestamp::from_millisecond(number).ok().map(|_| number),
        Err(_) => parse_time(text).ok().map(|time| time.0),
    }
}
