//! Puts lines together again that something on the way cut into parts, before anybody reads them.
//!
//! | parts | look like |
//! |---|---|
//! | Kubernetes CRI | `2026-11-17T00:00:05Z stdout P Nov 17 00:00:05 lab postf` … `2026-11-17T00:00:05Z stdout F ix/smtp[1]: …` |
//! | Docker json-file | `{"log":"Nov 17 00:00:05 lab postf","stream":"stdout",…}` … `{"log":"ix/smtp[1]: …\n","stream":"stdout",…}` |
//! | Exim through a syslog | `Nov 22 13:07:02 mx exim[7]: [1/2] 2026-11-22 13:07:02 1xV7…` … `Nov 22 13:07:02 mx exim[7]: [2/2] …` |
//! | the journal's export | `__CURSOR=…`, `MESSAGE=…` and so on, one line a field, a blank line behind each record |
//!
//! A line that is whole stands where its last part stood, so that it does not matter where a file is cut into chunks. Parts whose end
//! never comes are handed on as they are. What is not here: lines that were cut and whose rest is gone (their readers count them), and
//! a line that a rotation cut in two (`run::halves`).

mod export;
mod parts;

use std::sync::LazyLock;

use memchr::{memchr, memmem};

use export::Taken;
use parts::Part;

/// Where the lines of a piece stand in their file.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The place of the piece's first byte in the text of the file after lines were put together.
    base: u64,
    /// The place of the piece's first byte in the file itself, where the piece is as it was read.
    offset: u64,
    /// Its lines, where some of them were put together.
    rejoined: Option<Vec<Place>>,
    /// How many lines were put together from parts that somebody cut.
    pub(crate) joined: u64,
}

/// One line that may have been several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// Where its last part begins.
    offset: u64,
    /// How many lines of the file it is.
    lines: u64,
}

impl From<u64> for Places {
    fn from(offset: u64) -> Self {
        Self { base: offset, offset, rejoined: None, joined: 0 }
    }
}

impl Places {
    /// Of the line with this number, which begins at `at` in the piece: its position for clocks, its offset in the file, and how many
    /// lines of the file it is.
    pub(crate) fn of(&self, number: usize, at: usize) -> (u64, u64, u64) {
        let position = self.base + at as u64;
        match self.rejoined.as_ref().and_then(|places| places.get(number)) {
            Some(place) => (position, place.offset, place.lines),
            None => (position, self.offset + at as u64, 1),
        }
    }

    /// The position of the piece for clocks.
    pub(crate) fn base(&self) -> u64 {
        self.base
    }
}

/// The parts of one line, so far.
#[derive(Clone, Debug)]
struct Open {
    key: Vec<u8>,
    /// The line as far as it is known.
    text: Vec<u8>,
    /// The parts as they were read, with their places.
    raw: Vec<(u64, Vec<u8>)>,
    /// The number of the part that comes next; 0 where parts have no numbers.
    next: u32,
}

/// Puts the lines of one file together, chunk by chunk.
#[derive(Clone, Debug, Default)]
pub struct Joiner {
    open: Vec<Open>,
    /// The beginning of a record of the journal, and its place.
    record: Option<(u64, Vec<u8>)>,
    /// How much longer the text is than what was read, without holes.
    shift: i64,
}

/// So many lines may be open at once; nobody writes so many at the same time.
const MOST_OPEN: usize = 256;
/// No line that a server writes is longer.
const LONGEST: usize = 1 << 20;
/// No record of the journal that a mail server writes is longer; a core dump may be.
const LONGEST_RECORD: usize = 16 << 20;

/// What a joiner holds between two runs over a file that grows: parts that wait for their end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The parts as they were read, each with its place, line after line.
    pub parts: Vec<(u64, Vec<u8>)>,
    /// The beginning of a record of the journal, and its place.
    pub record: Option<(u64, Vec<u8>)>,
    /// How much longer the text is than what was read.
    pub shift: i64,
}

impl Joiner {
    /// Goes on where another one stopped.
    pub fn resume(held: Held) -> Self {
        let mut joiner = Self::default();
        let mut nothing = Out::new(0);
        held.parts.iter().for_each(|(place, line)| joiner.line(line, *place, &mut nothing));
        Self { record: held.record, shift: held.shift, ..joiner }
    }

    /// What it holds, to go on later.
    pub fn held(&self) -> Held {
        let parts = self.open.iter().flat_map(|open| open.raw.iter().cloned()).collect();
        Held { parts, record: self.record.clone(), shift: self.shift }
    }

    /// Takes the next chunk, which begins at `offset`; gives it back with lines put together.
    pub fn take(&mut self, chunk: Vec<u8>, offset: u64) -> (Vec<u8>, Places) {
        if !self.is_open() && !may_hold_parts(&chunk) {
            let base = offset.saturating_add_signed(self.shift);
            return (chunk, Places { base, offset, rejoined: None, joined: 0 });
        }
        let read = chunk.len() as i64;
        let mut out = Out::new(offset.saturating_add_signed(self.shift));
        let (mut text, mut offset) = (chunk, offset);
        if let Some((begin, mut record)) = self.record.take() {
            record.extend_from_slice(&text);
            (text, offset) = (record, begin);
        }
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let place = offset + at as u64;
            if export::begins(rest) {
                match export::record(rest) {
                    Taken::Whole(length, line) => {
                        let lines = memchr::memchr_iter(b'\n', &rest[..length]).count() as u64;
                        out.push(&line, place, lines);
                        at += length;
                        continue;
                    }
                    Taken::GoesOn if rest.len() <= LONGEST_RECORD => {
                        self.record = Some((place, rest.to_vec()));
                        break;
                    }
                    Taken::GoesOn | Taken::None => {}
                }
            }
            let length = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            self.line(&rest[..length], place, &mut out);
            at += length;
        }
        self.shift += out.text.len() as i64 - read;
        out.give()
    }

    /// Whether parts wait for their end.
    pub fn is_open(&self) -> bool {
        !self.open.is_empty() || self.record.is_some()
    }

    /// What is still open when the file ends: the parts as they were.
    pub fn finish(&mut self, offset: u64) -> Option<(Vec<u8>, Places)> {
        if !self.is_open() {
            return None;
        }
        let mut out = Out::new(offset.saturating_add_signed(self.shift));
        for open in std::mem::take(&mut self.open) {
            open.raw.iter().for_each(|(place, line)| out.push(line, *place, 1));
        }
        if let Some((place, record)) = self.record.take() {
            // The last record of an export may lack its blank line.
            let ended = [&record[..], b"\n\n"].concat();
            match export::record(&ended) {
                Taken::Whole(_, line) => {
                    let open_end = u64::from(!record.ends_with(b"\n"));
                    out.push(&line, place, memchr::memchr_iter(b'\n', &record).count() as u64 + open_end);
                }
                _ => {
                    record.split_inclusive(|b| *b == b'\n').fold(place, |at, line| {
                        out.push(line, at, 1);
                        at + line.len() as u64
                    });
                }
            }
        }
        self.shift += out.text.len() as i64;
        Some(out.give())
    }

    /// Takes one line with its end.
    fn line(&mut self, raw: &[u8], place: u64, out: &mut Out) {
        let bare = raw.strip_suffix(b"\n").unwrap_or(raw);
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        let Some(part) = Part::read(bare) else { return out.push(raw, place, 1) };
        let known = self.open.iter().position(|open| open.key == part.key);
        match known {
            Some(at) if part.number == self.open[at].next => {
                let open = &mut self.open[at];
                open.text.extend_from_slice(part.text);
                open.raw.push((place, raw.to_vec()));
                if part.is_last {
                    let mut open = self.open.remove(at);
                    open.text.push(b'\n');
                    out.joined += 1;
                    out.push(&open.text, place, open.raw.len() as u64);
                } else {
                    open.text.extend_from_slice(part.gap);
                    open.next = part.next();
                    if open.text.len() > LONGEST {
                        let open = self.open.remove(at);
                        open.raw.iter().for_each(|(place, line)| out.push(line, *place, 1));
                    }
                }
            }
            _ if part.begins() && !part.is_last => {
                // The parts before were never ended, or there are too many: the oldest gives way.
                let gives_way = known.or_else(|| (self.open.len() >= MOST_OPEN).then_some(0));
                if let Some(at) = gives_way {
                    let lost = self.open.remove(at);
                    lost.raw.iter().for_each(|(place, line)| out.push(line, *place, 1));
                }
                self.open.push(Open {
                    key: part.key.to_vec(),
                    text: [part.head, part.mark, part.text, part.gap].concat(),
                    raw: vec![(place, raw.to_vec())],
                    next: part.next(),
                });
            }
            _ => out.push(raw, place, 1),
        }
    }
}

/// What comes out.
struct Out {
    base: u64,
    text: Vec<u8>,
    places: Vec<Place>,
    joined: u64,
}

impl Out {
    fn new(base: u64) -> Self {
        Self { base, text: Vec::new(), places: Vec::new(), joined: 0 }
    }

    fn push(&mut self, line: &[u8], offset: u64, lines: u64) {
        self.text.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            self.text.push(b'\n');
        }
        self.places.push(Place { offset, lines });
    }

    fn give(self) -> (Vec<u8>, Places) {
        (self.text, Places { base: self.base, offset: 0, rejoined: Some(self.places), joined: self.joined })
    }
}

/// Whether a chunk holds what may be the first part of something. Most hold nothing of the kind, and are not looked at any closer.
fn may_hold_parts(chunk: &[u8]) -> bool {
    static MARKS: LazyLock<[memmem::Finder<'static>; 5]> =
        LazyLock::new(|| ["stdout P ", "stderr P ", " [1/", " [1\\", "__CURSOR="].map(memmem::Finder::new));
    static RECORD: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(parts::DOCKER_STREAM));
    MARKS.iter().any(|mark| mark.find(chunk).is_some())
        || RECORD.find_iter(chunk).any(|end| !parts::ends_with_line_end(&chunk[..end]))
}

/// A text at the beginning or end of a file, with its lines put together.
pub fn text(text: Vec<u8>) -> Vec<u8> {
    if !may_hold_parts(&text) {
        return text;
    }
    let mut joiner = Joiner::default();
    let (mut whole, _) = joiner.take(text, 0);
    if let Some((rest, _)) = joiner.finish(0) {
        whole.extend_from_slice(&rest);
    }
    whole
}

#[cfg(test)]
mod tests;
