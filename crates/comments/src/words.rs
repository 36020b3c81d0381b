//! Finds listed words in a text, through the simple disguises that people write them in.
//!
//! Words and texts are read alike: compatibility forms, accents, case, look-alikes and invisible characters are folded
//! away and what is left is compared as runs of one letter, so that a letter drawn out is one run. Deliberately not
//! here: what the lists are for, spelling mistakes, words torn apart in other ways than letter by letter, and emoji,
//! which are as good as spaces.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// From so many in a row on, a letter counts as drawn out. Two are too common for that: "ass" is not "as".
const DRAWN_OUT_MIN: usize = 3;

/// Between the words of a phrase, whatever the text has there.
const GAP: Unit = Unit { sign: ' ', written: ' ', kind: Kind::Gap };

/// Listed words, made ready to be looked for all at once.
///
/// A word counts only as a whole word, unless it ends in `*` (then words that begin with it count too) or holds a
/// character of a script that does not separate words (then it counts anywhere). A phrase counts across any white
/// space and punctuation. A number is never taken for a word, nor a word for a number.
pub(crate) struct WordList {
    /// By pattern of the automaton: those that differ in how often their signs are repeated, as they were listed.
    entries: Vec<Vec<Entry>>,
    automaton: Option<AhoCorasick>,
}

struct Entry {
    listed: Box<str>,
    /// How often each sign is repeated.
    counts: Vec<usize>,
    lettered: bool,
    anywhere: bool,
    prefix: bool,
}

impl WordList {
    /// Words without a letter or a digit are ignored. Takes time and memory in proportion to the words.
    pub(crate) fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut by_signs = BTreeMap::<String, Vec<Entry>>::new();
        for (signs, entry) in words.into_iter().filter_map(Entry::parse) {
            by_signs.entry(signs).or_default().push(entry);
        }
        let (signs, entries): (Vec<_>, Vec<_>) = by_signs.into_iter().unzip();
        // Not the faster DFA, which takes a kilobyte for each letter of the list. Building fails only beyond 2^31
        // states, a list of gigabytes; a service that then finds nothing is better than one that does not start.
        let automaton = AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(signs).ok();
        Self { entries, automaton }
    }

    /// Whether a listed word would find nothing, for want of a letter or a digit.
    pub(crate) fn finds_nothing(word: &str) -> bool {
        Entry::parse(word).is_none()
    }

    /// The listed word that ends first in the text, as it was listed; words spelt out letter by letter come after the
    /// others. Takes time in proportion to the text, whatever the text is.
    pub(crate) fn first_in(&self, text: &str) -> Option<&str> {
        if self.entries.is_empty() {
            return None;
        }
        let units = units(text);
        let words = words(&units);
        self.find(&Skeleton::of(&words.join(&GAP)), false)
            .or_else(|| self.find(&Skeleton::of(&spelt_out(&words)), true))
    }

    fn find(&self, text: &Skeleton, anywhere: bool) -> Option<&str> {
        self.automaton.as_ref()?.find_overlapping_iter(&text.signs).find_map(|hit| {
            let entries = self.entries.get(hit.pattern().as_usize())?;
            let at = text.runs.partition_point(|run| run.starts_at_byte < hit.start());
            let end = text.runs.partition_point(|run| run.starts_at_byte < hit.end());
            let found = text.runs.get(at..end)?;
            let (first, before, after) = (found.first()?, text.runs.get(..at)?.last(), text.runs.get(end));
            let anywhere = anywhere || entries.first()?.anywhere;
            let opens = anywhere || before.is_none_or(|run| run.parts || run.symbols_after > 0);
            let closes = anywhere || after.is_none_or(|run| run.parts || run.symbols_before > 0);
            if !opens && first.symbols_before == 0 {
                return None;
            }
            entries.iter().find(|entry| entry.is_in(found, opens, closes, anywhere)).map(|entry| &*entry.listed)
        })
    }
}

impl Entry {
    /// The entry and its signs.
    fn parse(listed: &str) -> Option<(String, Self)> {
        let whole = listed.trim_end();
        let stem = whole.trim_end_matches('*');
        let units = units(stem);
        let words = words(&units);
        let units = if words.iter().all(|word| is_single(word)) { words.concat() } else { words.join(&GAP) };
        let Skeleton { signs, runs } = Skeleton::of(&units);
        let entry = Self {
            listed: listed.into(),
            counts: runs.iter().map(|run| run.count).collect(),
            lettered: runs.iter().any(|run| run.lettered),
            anywhere: units.iter().any(|unit| unit.kind == Kind::Unseparated),
            prefix: stem.len() < whole.len(),
        };
        (!signs.is_empty()).then_some((signs, entry))
    }

    /// Whether these runs of the entry's signs are the entry, and not a part of something longer.
    fn is_in(&self, found: &[Run], opens: bool, closes: bool, anywhere: bool) -> bool {
        let last = found.len() - 1;
        let is_in = |index: usize, run: &Run, count: usize| {
            // What a run has beyond the word: symbols, or letters of another word where that does not matter.
            let spare = |is_edge: bool, is_open: bool, symbols: usize| match is_edge {
                true if is_open => run.count,
                true => symbols,
                false => 0,
            };
            let before = spare(index == 0, anywhere, run.symbols_before);
            let after = spare(index == last, anywhere || self.prefix, run.symbols_after);
            let fits = run.drawn_out || (count..=count + before + after).contains(&run.count);
            let starts = index > 0 || opens || before > 0 && run.count > count;
            let ends = index < last || closes || self.prefix || after > 0 && run.count > count;
            fits && starts && ends
        };
        found.iter().zip(&self.counts).enumerate().all(|(index, (run, &count))| is_in(index, run, count))
            && self.lettered == found.iter().any(|run| run.lettered)
    }
}

/// A text as the automaton reads it: each run of one sign is a single character.
struct Skeleton {
    signs: String,
    runs: Vec<Run>,
}

struct Run {
    starts_at_byte: usize,
    count: usize,
    drawn_out: bool,
    lettered: bool,
    /// No word goes on from here into its neighbour.
    parts: bool,
    /// `@`, `$` and their like may be a letter of the word or stand beside it ("a$$", "@all"), so both must do.
    symbols_before: usize,
    symbols_after: usize,
}

impl Skeleton {
    fn of(units: &[Unit]) -> Self {
        let mut signs = String::new();
        let mut runs = Vec::new();
        for run in units.chunk_by(|a, b| a.sign == b.sign) {
            let has = |kind| run.iter().any(|unit| unit.kind == kind);
            // By what was written, since "ill" has three signs alike but no letter drawn out; "1000" has neither.
            let mut repeats = run.chunk_by(|a, b| a.written == b.written && a.kind != Kind::Digit);
            runs.push(Run {
                starts_at_byte: signs.len(),
                count: run.len(),
                drawn_out: repeats.any(|repeat| repeat.len() >= DRAWN_OUT_MIN),
                lettered: has(Kind::Letter) || has(Kind::Unseparated),
                parts: has(Kind::Gap) || has(Kind::Unseparated),
                symbols_before: run.iter().take_while(|unit| unit.kind == Kind::Symbol).count(),
                symbols_after: run.iter().rev().take_while(|unit| unit.kind == Kind::Symbol).count(),
            });
            signs.extend(run.first().map(|unit| unit.sign));
        }
        Self { signs, runs }
    }
}

/// A character of a word, or what is between words.
#[derive(Clone, Copy)]
struct Unit {
    /// What it is taken for.
    sign: char,
    /// What it is, but for its case.
    written: char,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    /// A letter of a script that does not separate words.
    Unseparated,
    Digit,
    Symbol,
    Gap,
}

fn unit(written: char) -> Unit {
    let kind = match written {
        '@' | '$' | '!' | '|' => Kind::Symbol,
        _ if !written.is_alphanumeric() && !is_combining_mark(written) => return GAP,
        _ if is_within(written, UNSEPARATED) => Kind::Unseparated,
        _ if written.is_numeric() => Kind::Digit,
        _ => Kind::Letter,
    };
    Unit { sign: LETTERS.get(&written).copied().unwrap_or(written), written, kind }
}

fn units(text: &str) -> Vec<Unit> {
    let mut base = '\0';
    let is_visible = |c: &char| !is_within(*c, INVISIBLE) && (!c.is_control() || c.is_whitespace());
    let bare = text.nfkd().filter(is_visible).filter(move |&c| {
        if !is_combining_mark(c) {
            base = c;
            return true;
        }
        // From Latin to Arabic marks are accents and points. Later scripts write vowels with them.
        base >= '\u{700}' && !is_within(c, ACCENTS)
    });
    // Composed again, lest the Korean 시 be found in 신. A kana's voicing on something else is decoration.
    let composed = bare.nfc().filter(|c| !matches!(c, '\u{3099}' | '\u{309A}'));
    // There and back, so that ẞ and ß are ss, ς is σ and ı is i.
    let lower = composed.flat_map(char::to_lowercase);
    let folded = lower.flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    let mut units: Vec<_> = folded.map(unit).collect();
    let mut before_word = false;
    for unit in units.iter_mut().rev() {
        // These end a sentence far more often than a word.
        if matches!(unit.written, '!' | '|') && !before_word {
            *unit = GAP;
        }
        before_word = unit.kind != Kind::Gap;
    }
    units
}

fn words(units: &[Unit]) -> Vec<&[Unit]> {
    units.split(|unit| unit.kind == Kind::Gap).filter(|word| !word.is_empty()).collect()
}

/// The words whose letters stand alone, and nothing else of the text. Such a word has no edges: in "what a s p a m",
/// nothing tells which single letter is a word of its own.
fn spelt_out(words: &[&[Unit]]) -> Vec<Unit> {
    let chunks = words.chunk_by(|a, b| is_single(a) && is_single(b));
    chunks.filter(|chunk| chunk.len() > 1).map(<[_]>::concat).collect::<Vec<_>>().join(&GAP)
}

fn is_single(word: &[Unit]) -> bool {
    word.chunk_by(|a, b| a.written == b.written).count() == 1 && (word.len() == 1 || word.len() >= DRAWN_OUT_MIN)
}

/// Letters, each with what it may be written as, in lower case. The letters of Russian and of Greek stay apart, so that
/// their lists stay sharp; i and l fall together, as 1, | and a capital I stand for either.
const LOOK_ALIKES: &str = "a4@аαɑᴀ bвβʙ cсϲᴄ dԁđᴅ e3еεᴇ fꜰ gɡɢ hнһħʜ i1l|!іӏιłɪʟ jјᴊ kкκᴋ mмμᴍ nпηɴ o0оοøᴏ pрρᴘ qԛ rгʀ \
     s5$ѕꜱ t7тτŧᴛ uυᴜ vνѵᴠ wԝωᴡ xхχ yуγʏ zζᴢ";

static LETTERS: LazyLock<HashMap<char, char, foldhash::fast::RandomState>> = LazyLock::new(|| {
    let letters = LOOK_ALIKES.split(' ').filter_map(|row| row.chars().next().map(|letter| (letter, row)));
    letters.flat_map(|(letter, row)| row.chars().map(move |c| (c, letter))).collect()
});

/// Whether the ranges, each given as its first code point and the one after its last, hold the character.
fn is_within(c: char, ranges: &[u32]) -> bool {
    ranges.partition_point(|&edge| edge <= u32::from(c)) % 2 == 1
}

/// Thai to Burmese, Hangul, the scripts of Cambodia and the islands, kana, Han, Yi, and the later blocks of these.
const UNSEPARATED: &[u32] = &[
    0xE00, 0x10A0, 0x1100, 0x1200, 0x1780, 0x1800, 0x1950, 0x1AB0, 0x1B00, 0x1B50, 0x2E80, 0xA4D0, 0xA960, 0xAA00,
    0xAA60, 0xAA80, 0xAC00, 0xD800, 0xF900, 0xFB00, 0x1AFF0, 0x1B170, 0x20000, 0x40000,
];

/// What Unicode calls default ignorable, and the Arabic tatweel, which only widens.
const INVISIBLE: &[u32] = &[
    0xAD, 0xAE, 0x61C, 0x61D, 0x640, 0x641, 0x115F, 0x1161, 0x17B4, 0x17B6, 0x180B, 0x1810, 0x200B, 0x2010,
    0x202A, 0x202F, 0x2060, 0x2070, 0xFE00, 0xFE10, 0xFEFF, 0xFF00, 0xFFF0, 0xFFFC, 0x1BCA0, 0x1BCA4, 0x1D173,
    0x1D17B, 0xE0000, 0xE1000,
];

/// The marks that go on any letter.
const ACCENTS: &[u32] =
    &[0x300, 0x370, 0x483, 0x48A, 0x1AB0, 0x1B00, 0x1DC0, 0x1E00, 0x20D0, 0x2100, 0xFE20, 0xFE30];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::WordList;

    #[track_caller]
    fn check(word: &str, in_these: &[&str], in_none_of_these: &[&str]) {
        let list = WordList::new([word]);
        let found = in_these.iter().map(|text| (text, Some(word)));
        for (text, answer) in found.chain(in_none_of_these.iter().map(|text| (text, None))) {
            assert_eq!(list.first_in(text), answer, "{word:?} in {text:?}");
        }
    }

    #[test]
    fn a_word_is_found_across_case_width_accents_and_the_invisible() {
        check("Spam", &["Cheap SPAM here", "ＳＰＡＭ", "𝓢𝓹𝓪𝓶", "ⓢⓟⓐⓜ", "(spam)"], &["spa", ""]);
        check("scheiße", &["SCHEISSE", "SCHEIẞE"], &["scheie"]);
        check("ΣΟΦΟΣ", &["σοφος", "Σοφός"], &[]);
        check("ｶﾞｷ", &["あのガキだ"], &["カキ"]);
        check("creme", &["Crème", "cre\u{300}me", "c\u{336}r\u{489}e\u{20DD}me"], &[]);
        check("spam", &["s\u{200B}p\u{AD}a\u{FEFF}m", "s\u{0}pam", "\u{202E}spam", "s\u{3099}p\u{E31}am"], &[]);
    }

    #[test]
    fn a_word_is_found_through_digits_symbols_and_look_alikes() {
        check("asshole", &["a55h0le", "@$$h013", "аѕѕноӏе", "αѕѕhοlε"], &["a66hole"]);
        check("idiot", &["!diot", "1d10t", "ldi07", "|D|OT", "IDlOT", "ıdıot"], &[]);
        check("хуй", &["xyй", "ХУИ"], &[]);
    }

    #[test]
    fn symbols_may_be_of_a_word_or_beside_it() {
        check("ass", &["a$$", "a$$!", "@ss", "$ass"], &["cl@ss", "cla$$"]);
        check("nazi", &["nazi!", "Nazi!!!", "@nazi", "nazi|x", "x!nazi", "nazi@example.org"], &[]);
        check("admin", &["@admin", "@@admin$"], &[]);
    }

    #[test]
    fn a_letter_drawn_out_is_one_or_two_but_one_is_not_two() {
        check("spam", &["spaaaam", "SSSpAaAMMMM"], &["spaam"]);
        check("ass", &["asssss", "aaass"], &["as"]);
        check("bi", &["biii"], &["bill", "bii"]);
    }

    #[test]
    fn a_word_spelt_out_is_found() {
        let spelt = ["s p a m", "s.p.a.m.", "S-P-A-M!", "a\ns  p\ta _m", "what a s p a m, I say", "s😀p😀4😀m"];
        check("spam", &spelt, &["s p a", "sp am", "s pa m", "s p x a m"]);
        check("U.S.A.", &["the USA", "u s a", "U.S.A."], &[]);
    }

    #[test]
    fn a_word_within_a_longer_one_is_not_meant_unless_a_star_ends_it() {
        check("ass", &["a class, an ass", "«ass»", "これはassです"], &["class", "assess", "glass!", "ass2"]);
        check("cunt", &[], &["Scunthorpe"]);
        check("admin*", &["administrator", "ADMIN", "4dm1n99", "@admins", "adminn"], &["badmin", "admi n"]);
    }

    #[test]
    fn a_word_of_a_script_that_does_not_separate_words_is_found_anywhere() {
        check("死ね", &["お前は死ねばいい", "死 ね", "死死ねね"], &["死"]);
        check("バカ", &["このバカヤロウ"], &["ハカ", "パカ"]);
        check("시", &["아시발놈", "ㅅㅣ"], &["신"]);
        check("ควาย", &["ไอ้ควายโง่"], &[]);
    }

    #[test]
    fn a_phrase_is_found_across_what_separates_its_words() {
        let apart = ["Buy! Now!", "buy...now", "buy -- \n now", "please buy/now ok", "bbbuy n0w"];
        check("buy now", &apart, &["buynow", "buy it now", "rebuy now", "buy nowhere"]);
    }

    #[test]
    fn a_number_is_not_a_word() {
        check("ass", &[], &["455 people", "$455", "4 5 5"]);
        check("1488", &["1488", "1 4 8 8", "#1488"], &["14888", "21488"]);
    }

    #[test]
    fn the_word_that_ends_first_is_named_as_it_was_listed() {
        let list = WordList::new(["last", "Spám", "spaam"]);
        assert_eq!(list.first_in("the spam is the last"), Some("Spám"));
        assert_eq!(list.first_in("spaam, spam"), Some("spaam"));
    }

    #[test]
    fn what_has_no_letter_or_digit_is_ignored() {
        let list = WordList::new(["", " ", "*", "...", "\u{200B}", "!"]);
        assert!(list.first_in("! * ... x").is_none());
        assert!(
            ["*", "!!!", "\u{1f600}"].into_iter().all(WordList::finds_nothing) && !WordList::finds_nothing("x*")
        );
    }

    #[test]
    fn ten_thousand_words_are_looked_for_in_ten_thousand_characters() {
        // Words that differ only in which letters are doubled are the hardest.
        let words = (0..10_000_u32).map(|n| format!("{n:016b}").replace('0', "ab").replace('1', "ba"));
        let words: Vec<_> = words.collect();
        let list = WordList::new(words.iter().map(String::as_str));
        for filler in ["ab".repeat(4_950), "abba".repeat(2_475), "ab ".repeat(3_300)] {
            assert_eq!(list.first_in(&filler), None);
            for word in [&words[0], &words[7_777], &words[9_999]] {
                assert_eq!(list.first_in(&format!("{filler} {}", word.to_uppercase())), Some(word.as_str()));
            }
        }
    }

    proptest! {
        #[test]
        fn a_word_of_letters_is_found_whatever_its_case(word in "[a-zA-ZÀ-ÖØ-öø-žΑ-Ρά-ώА-яѐ-џ]{1,64}", upper: u64) {
            let recase = |(n, c): (usize, char)| {
                let c = c.to_string();
                if upper >> n & 1 == 1 { c.to_uppercase() } else { c.to_lowercase() }
            };
            let recased: String = word.chars().enumerate().map(recase).collect();
            check(&word, &[&format!(" {recased} ")], &[]);
        }

        #[test]
        fn nothing_panics(words in prop::collection::vec(any::<String>(), 0..20), text in any::<String>()) {
            let list = WordList::new(words.iter().map(String::as_str));
            list.first_in(&text);
            list.first_in(&words.join(&text));
        }
    }
}
