//! Items in order, however many there are and however the file has them: sorted in parts of bounded size on the disk, and merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Seek as _, Write as _};

use anyhow::{Context as _, ensure};

use super::item::Item;
use crate::limits::{SORT_BYTES, SORT_PARTS_MAX};

/// Where an item stands: whatever of it comes first is compared first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(Vec<u8>);

impl Key {
    /// Authors come before everything else, with the last name of each last.
    pub(super) fn author(id: &str, time: i64, number: u64) -> Self {
        Self(vec![0]).text(id).time(time).number(number)
    }

    /// A thread itself.
    pub(super) fn thread(thread: &str, number: u64) -> Self {
        Self(vec![1]).text(thread).byte(0).number(number)
    }

    /// That a thread has a comment, before any comment.
    pub(super) fn index(thread: &str, number: u64) -> Self {
        Self(vec![1]).text(thread).byte(1).number(number)
    }

    /// A comment, by its time.
    pub(super) fn comment(thread: &str, time: i64, number: u64) -> Self {
        Self(vec![1]).text(thread).byte(2).time(time).number(number)
    }

    /// A vote, after all comments: by comment and voter, and the last one last.
    pub(super) fn vote(thread: &str, (comment, voter): (&str, &str), time: i64, number: u64) -> Self {
        Self(vec![1]).text(thread).byte(3).text(comment).text(voter).time(time).number(number)
    }

    fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    /// Shorter ones first, so that numbers are in order.
    fn text(mut self, text: &str) -> Self {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.0.extend(length.to_be_bytes());
        self.0.extend(text.as_bytes());
        self
    }

    fn time(mut self, time: i64) -> Self {
        let ordered = time.cast_unsigned() ^ (1 << 63);
        self.0.extend(ordered.to_be_bytes());
        self
    }

    fn number(mut self, number: u64) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }
}

/// An item with its key, as it lies in a part.
type Row = (Vec<u8>, Vec<u8>);

/// Takes items in, in any order.
#[derive(Default)]
pub(super) struct Sorter {
    rows: Vec<Row>,
    bytes: usize,
    parts: Vec<File>,
}

impl Sorter {
    pub(super) fn add(&mut self, key: Key, item: &Item) -> anyhow::Result<()> {
        let item = serde_json::to_vec(item).context("an item cannot be kept")?;
        self.bytes += key.0.len() + item.len() + size_of::<Row>();
        self.rows.push((key.0, item));
        if self.bytes >= SORT_BYTES { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> anyhow::Result<()> {
        ensure!(self.parts.len() < SORT_PARTS_MAX, "the file is too large: split it by threads");
        self.rows.sort_unstable();
        let file =
            tempfile::tempfile().context("no temporary file can be made: set $TMPDIR to where there is room")?;
        let mut out = BufWriter::new(file);
        for (key, item) in self.rows.drain(..) {
            for bytes in [key, item] {
                let length = u32::try_from(bytes.len()).context("an item is too long")?;
                let written = out.write_all(&length.to_be_bytes()).and_then(|()| out.write_all(&bytes));
                written.context("a temporary file cannot be written: set $TMPDIR to where there is room")?;
            }
        }
        let mut file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.parts.push(file);
        self.bytes = 0;
        Ok(())
    }

    /// All items, in the order of their keys.
    pub(super) fn sorted(mut self) -> anyhow::Result<Sorted> {
        if self.parts.is_empty() {
            self.rows.sort_unstable();
            return Ok(Sorted { kept: self.rows, at: 0, parts: Vec::new(), heads: BinaryHeap::new() });
        }
        if !self.rows.is_empty() {
            self.spill()?;
        }
        let parts = self.parts.into_iter().map(BufReader::new).collect();
        let mut sorted = Sorted { kept: Vec::new(), at: 0, parts, heads: BinaryHeap::new() };
        sorted.rewind()?;
        Ok(sorted)
    }
}

/// Items in order.
pub(super) struct Sorted {
    /// All of them, if they are few, and the next one's place.
    kept: Vec<Row>,
    at: usize,
    parts: Vec<BufReader<File>>,
    heads: BinaryHeap<Reverse<(Row, usize)>>,
}

impl Sorted {
    /// Begins again with the first.
    pub(super) fn rewind(&mut self) -> anyhow::Result<()> {
        self.at = 0;
        self.heads.clear();
        for (number, part) in self.parts.iter_mut().enumerate() {
            part.rewind().context("a temporary file cannot be read")?;
            self.heads.extend(next_of(part)?.map(|row| Reverse((row, number))));
        }
        Ok(())
    }

    pub(super) fn next(&mut self) -> anyhow::Result<Option<Item>> {
        let kept = self.kept.get(self.at).map(|(_, item)| serde_json::from_slice(item));
        if let Some(item) = kept {
            self.at += 1;
            return item.map(Some).context("an item is damaged");
        }
        let row = match self.heads.pop() {
            None => None,
            Some(Reverse((row, number))) => {
                if let Some(part) = self.parts.get_mut(number) {
                    self.heads.extend(next_of(part)?.map(|row| Reverse((row, number))));
                }
                Some(row)
            }
        };
        row.map(|(_, item)| serde_json::from_slice(&item).context("a temporary file is damaged")).transpose()
    }
}

fn next_of(part: &mut BufReader<File>) -> anyhow::Result<Option<Row>> {
    let Some(key) = bytes_of(part)? else { return Ok(None) };
    let item = bytes_of(part)?.context("a temporary file ends too early")?;
    Ok(Some((key, item)))
}

fn bytes_of(part: &mut BufReader<File>) -> anyhow::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match part.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error).context("a temporary file cannot be read"),
    }
    let mut bytes = vec![0; usize::try_from(u32::from_be_bytes(length))?];
    part.read_exact(&mut bytes).context("a temporary file cannot be read")?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coming::item::Author;

    fn author(number: i64) -> Item {
        Item::Author(Author { id: format!("a{number}"), name: "n".repeat(100), time: number })
    }

    #[test]
    fn items_come_in_order_from_memory_and_from_parts_alike() {
        for count in [0, 10, 20_000] {
            let mut sorter = Sorter::default();
            for number in 0..count {
                let number = (number * 7_919) % count;
                sorter.add(Key::comment("t", number - 5, 0), &author(number)).unwrap();
                if number % 3_000 == 0 && count > 10 {
                    sorter.spill().unwrap();
                }
            }
            assert_eq!(sorter.parts.is_empty(), count <= 10);
            let mut sorted = sorter.sorted().unwrap();
            for number in 0..count {
                assert_eq!(sorted.next().unwrap(), Some(author(number)));
            }
            assert_eq!(sorted.next().unwrap(), None);
        }
    }

    #[test]
    fn keys_are_in_the_order_of_what_they_say() {
        let keys = [
            Key::author("z", 5, 0),
            Key::thread("9", 3),
            Key::index("9", 0),
            Key::comment("9", -1, 9),
            Key::comment("9", 0, 1),
            Key::comment("9", 0, 2),
            Key::vote("9", ("c", "v"), 0, 0),
            Key::vote("9", ("c", "v"), 1, 0),
            Key::vote("9", ("d", "a"), 0, 0),
            Key::thread("10", 0),
        ];
        assert!(keys.is_sorted(), "{keys:?}");
    }
}
