//! Cuts the text of one source into owned pieces at line ends, so that threads can work on them.
//!
//! A line is never split between chunks. A line longer than the limit (a binary file may have no line end at all) is
//! cut there, counted, and its rest skipped, so that memory is bounded. A run of NULs as long as that is the hole that
//! `logrotate`'s copytruncate leaves under a writer that does not append: it is dropped, and the line after it kept.
//! Not here: what a line means, threads, and the joining of lines that a syslog cut.
//!
//! ```text
//! 2026-11-22 13:07:02 1xV7aB-0001Qz-2C ** user@example.com R=dnslookup T=remote_smtp: 550 5.1.1 no such user\r\n
//! ```

use memchr::{Memchr, memchr, memchr_iter, memrchr};

use super::decompress::Reader;
use super::problem::{Problem, ProblemKind};

/// How large pieces and lines may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkOptions {
    /// The wanted size of a chunk in bytes. Only a longer line makes a longer chunk.
    pub target: usize,
    /// The longest line in bytes, without its line end.
    pub max_line: usize,
}

impl Default for ChunkOptions {
    fn default() -> Self {
        Self { target: 1 << 20, max_line: 8 << 20 }
    }
}

/// Whole lines of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The lines with their line ends; the last line of a source, and a line that was cut, may lack its own.
    pub data: Vec<u8>,
    /// The place of the first byte in the unpacked text.
    pub offset: u64,
    /// True for the last chunk of the source.
    pub last: bool,
}

/// The chunks of one source, in order. An empty source has none.
#[derive(Debug)]
pub struct Chunks {
    reader: Reader,
    options: ChunkOptions,
    /// The beginning of the next line, already read.
    carry: Vec<u8>,
    offset: u64,
    ended: bool,
    oversized: u64,
    first_oversized: u64,
    spare: Vec<Vec<u8>>,
}

impl Chunks {
    /// Cuts what `reader` gives from here on.
    pub fn new(reader: Reader, options: ChunkOptions) -> Self {
        let max_line = options.max_line.max(1);
        let target = options.target.clamp(1, max_line);
        Self {
            offset: reader.start_offset(),
            reader,
            options: ChunkOptions { target, max_line },
            carry: Vec::new(),
            ended: false,
            oversized: 0,
            first_oversized: 0,
            spare: Vec::new(),
        }
    }

    /// Gives a used buffer back, so that the next chunk need not allocate one.
    pub fn recycle(&mut self, buffer: Vec<u8>) {
        const KEPT: usize = 16;
        // A buffer that one long line has blown up is better freed.
        if self.spare.len() < KEPT && buffer.capacity() <= self.options.target.saturating_mul(2) {
            self.spare.push(buffer);
        }
    }

    /// The number of lines that were cut so far because they are longer than the limit.
    pub fn oversized(&self) -> u64 {
        self.oversized
    }

    /// The place behind what was handed out so far.
    pub fn position(&self) -> u64 {
        self.offset
    }

    /// Where the bytes come from.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// What went wrong; complete after the last chunk.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.reader.problems().to_vec();
        if self.oversized > 0 {
            let message = format!(
                "{} lines are longer than {} bytes and were cut, the first of them here",
                self.oversized, self.options.max_line
            );
            let remedy = "check that it is a text log";
            let problem = Problem::new(ProblemKind::LongLine, self.reader.path(), message, remedy);
            problems.push(problem.at(self.first_oversized));
        }
        problems
    }

    /// Reads until `buffer` holds `wanted` bytes or the text ends; `filled` of them are there already.
    fn fill(&mut self, buffer: &mut Vec<u8>, mut filled: usize, wanted: usize) -> usize {
        if buffer.len() < wanted {
            buffer.resize(wanted, 0);
        }
        while filled < wanted && !self.ended {
            let n = self.reader.read(&mut buffer[filled..wanted]);
            self.ended = n == 0;
            filled += n;
        }
        filled
    }

    /// Skips from `from` to behind the next line end, keeps what was read beyond it, and tells how far it went.
    fn skip_line(&mut self, buffer: &mut Vec<u8>, from: usize, mut filled: usize) -> u64 {
        let mut skipped = 0;
        loop {
            let rest = &buffer[from..filled];
            if let Some(at) = memchr(b'\n', rest) {
                self.carry.extend_from_slice(&rest[at + 1..]);
                return skipped + at as u64 + 1;
            }
            skipped += rest.len() as u64;
            if self.ended {
                return skipped;
            }
            filled = self.fill(buffer, from, from + self.options.target);
        }
    }

    /// Makes sure that either something is carried or the end is known.
    fn look_ahead(&mut self) {
        if self.carry.is_empty() && !self.ended {
            let mut carry = std::mem::take(&mut self.carry);
            let n = self.fill_once(&mut carry, self.options.target.min(64 << 10));
            carry.truncate(n);
            self.carry = carry;
        }
    }

    fn fill_once(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> usize {
        buffer.resize(wanted, 0);
        let n = self.reader.read(buffer);
        self.ended = n == 0;
        n
    }
}

impl Iterator for Chunks {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let mut buffer = self.spare.pop().unwrap_or_default();
        let mut filled = self.carry.len();
        if buffer.len() < filled {
            buffer.resize(filled, 0);
        }
        buffer[..filled].copy_from_slice(&self.carry);
        self.carry.clear();

        let start = self.offset;
        // One byte more than the longest line, to see its line end. No buffer is ever longer.
        let most = self.options.max_line + 1;
        let mut wanted = self.options.target.max(filled);
        let (cut, too_long) = loop {
            filled = self.fill(&mut buffer, filled, wanted);
            let line_end = memrchr(b'\n', &buffer[..filled]);
            if line_end.is_none() && filled >= most {
                let hole = buffer[..filled].iter().take_while(|b| **b == 0).count();
                if hole == 0 {
                    break (self.options.max_line, true);
                }
                buffer.copy_within(hole..filled, 0);
                filled -= hole;
                self.offset += hole as u64;
                wanted = self.options.target.max(filled);
            } else if self.ended {
                break (filled, false);
            } else if let Some(at) = line_end {
                break (at + 1, false);
            } else {
                wanted = filled.saturating_mul(2).clamp(self.options.target, most);
            }
        };
        let offset = self.offset;
        self.offset += cut as u64;
        if too_long {
            if self.oversized == 0 {
                self.first_oversized = offset;
            }
            self.oversized += 1;
            self.offset += self.skip_line(&mut buffer, cut, filled);
        } else {
            self.carry.extend_from_slice(&buffer[cut..filled]);
        }
        self.look_ahead();
        buffer.truncate(cut);
        // Nothing came, not even a hole: the end was told by the chunk before, or there never was a byte.
        (cut > 0 || offset > start).then_some(Chunk { data: buffer, offset, last: self.ended && self.carry.is_empty() })
    }
}

/// The lines of a chunk: each with its place in it, without `\n` and without one `\r` before it.
///
/// NULs at the beginning of a line are left out: they are a hole in the file, not something that a server wrote.
pub fn lines(data: &[u8]) -> Lines<'_> {
    Lines { data, ends: memchr_iter(b'\n', data), next: 0 }
}

/// See [`lines`].
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    data: &'a [u8],
    ends: Memchr<'a>,
    next: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let mut start = self.next;
        let end = match self.ends.next() {
            Some(end) => end,
            None if start < self.data.len() => self.data.len(),
            None => return None,
        };
        self.next = end + 1;
        let mut line = &self.data[start..end];
        if let [rest @ .., b'\r'] = line {
            line = rest;
        }
        if line.first() == Some(&0) {
            let hole = line.iter().take_while(|b| **b == 0).count();
            start += hole;
            line = &line[hole..];
        }
        Some((start, line))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::path::Path;

    use super::*;

    fn cut(text: &[u8], target: usize, max_line: usize) -> (Vec<Chunk>, Chunks) {
        let reader = Reader::new(Path::new("test"), Box::new(Cursor::new(text.to_vec()))).unwrap();
        let mut chunks = Chunks::new(reader, ChunkOptions { target, max_line });
        let all = chunks.by_ref().collect();
        (all, chunks)
    }

    fn offsets(chunks: &[Chunk]) -> Vec<(u64, &[u8], bool)> {
        chunks.iter().map(|c| (c.offset, &c.data[..], c.last)).collect()
    }

    #[test]
    fn whole_lines_and_the_right_last() {
        let (chunks, _) = cut(b"aa\nbb\ncc\n", 6, 100);
        assert_eq!(offsets(&chunks), [(0, &b"aa\nbb\n"[..], false), (6, b"cc\n", true)]);
        let (chunks, _) = cut(b"aa\nbb\n", 6, 100);
        assert_eq!(offsets(&chunks), [(0, &b"aa\nbb\n"[..], true)]);
        let (chunks, _) = cut(b"a long line and no end", 4, 100);
        assert_eq!(offsets(&chunks), [(0, &b"a long line and no end"[..], true)]);
        assert_eq!(cut(b"", 4, 100).0, []);
        let (chunks, _) = cut(b"\xef\xbb\xbfa\nb\n", 2, 100);
        assert_eq!(offsets(&chunks), [(3, &b"a\n"[..], false), (5, b"b\n", true)]);
    }

    #[test]
    fn a_line_without_end_is_cut_and_counted() {
        let (chunks, state) = cut(b"aa\nxxxxxxxxxxxxxxxxxx\nbb\ncc", 4, 8);
        assert_eq!(
            offsets(&chunks),
            [(0, &b"aa\n"[..], false), (3, b"xxxxxxxx", false), (22, b"bb\n", false), (25, b"cc", true)]
        );
        assert_eq!(state.oversized(), 1);
        assert_eq!(state.problems()[0].kind, ProblemKind::LongLine);
        assert_eq!(state.problems()[0].offset, Some(3));
        // A line of just the limit is whole, with and without its end; one byte more is too long.
        assert_eq!(cut(b"xxxxxxxx\n", 4, 8).1.oversized(), 0);
        assert_eq!(cut(b"xxxxxxxx", 4, 8).1.oversized(), 0);
        let (chunks, state) = cut(b"xxxxxxxxx", 4, 8);
        assert_eq!(offsets(&chunks), [(0, &b"xxxxxxxx"[..], true)]);
        assert_eq!(state.oversized(), 1);
    }

    #[test]
    fn memory_is_bounded_without_line_ends() {
        let (chunks, state) = cut(&vec![b'x'; 1 << 20], 1 << 10, 4 << 10);
        assert_eq!(chunks.len(), 1);
        assert!(chunks[0].data.capacity() < 16 << 10);
        assert_eq!((chunks[0].data.len(), chunks[0].last, state.oversized()), (4 << 10, true, 1));
    }

    #[test]
    fn a_hole_is_no_line() {
        let text = [&[0; 1000][..], b"first\nsecond\n"].concat();
        let (chunks, state) = cut(&text, 4, 8);
        let all: Vec<_> = chunks.iter().flat_map(|c| lines(&c.data).map(|(at, line)| (c.offset + at as u64, line))).collect();
        assert_eq!(all, [(1000, &b"first"[..]), (1006, b"second")]);
        assert_eq!(state.oversized(), 0);
        let (chunks, _) = cut(&[b"a\n", &[0; 100][..]].concat(), 4, 8);
        assert_eq!(chunks.iter().filter(|c| c.last).count(), 1);
        assert!(chunks.last().is_some_and(|c| c.last));
    }

    #[test]
    fn lines_lose_their_ends_only() {
        let all = |data| lines(data).collect::<Vec<_>>();
        assert_eq!(all(b"a\r\nb\n\nc"), [(0, &b"a"[..]), (3, b"b"), (5, b""), (6, b"c")]);
        assert_eq!(all(b"a\r\r\n\r"), [(0, &b"a\r"[..]), (4, b"")]);
        assert_eq!(all(b""), []);
        assert_eq!(all(b"\n"), [(0, &b""[..])]);
    }
}
