//! The parts of a line: those of Kubernetes' container runtimes and of Docker, and those of Exim through a syslog.
//!
//! `2026-11-17T00:00:05.1Z stdout P Nov 17 00:00:05 lab postfix/smtp[1]: 4jXVcG2tc6z1XXTY: to=<u0@ok.te`
//!
//! Docker cuts what is longer than 16 KiB into records whose text has no line end, but for the last one.
//! Exim cuts what is longer than 870 bytes (`[1/3]`) and at line ends inside it (`[1\3]`); each part is a line of the syslog.

use crate::framing::{self, Stamp};

/// One part of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// What the parts of one line have in common.
    pub key: &'a [u8],
    /// The number of the part, from 1 on; 0 where parts have none.
    pub number: u32,
    /// Whether the line ends with it.
    pub is_last: bool,
    /// What stands before the whole line.
    pub head: &'a [u8],
    /// What marks a whole line behind that.
    pub mark: &'static [u8],
    /// The piece of the line.
    pub text: &'a [u8],
    /// What stood between this part and the next one.
    pub gap: &'static [u8],
}

impl<'a> Part<'a> {
    /// Reads a line (without its end) as a part; `None` where it is a line of its own.
    pub fn read(line: &'a [u8]) -> Option<Self> {
        Self::of_container(line).or_else(|| Self::of_docker(line)).or_else(|| Self::of_exim(line))
    }

    /// Whether a line may begin with it.
    pub fn begins(&self) -> bool {
        self.number <= 1
    }

    /// The number of the part that follows.
    pub fn next(&self) -> u32 {
        if self.number == 0 { 0 } else { self.number + 1 }
    }

    /// `TIME stdout P TEXT`, and the `TIME stdout F TEXT` that ends it.
    fn of_container(line: &'a [u8]) -> Option<Self> {
        if !line.first()?.is_ascii_digit() {
            return None;
        }
        let space = line.iter().take(40).position(|&b| b == b' ')?;
        let stream = line.get(space + 1..space + 7)?;
        if !matches!(stream, b"stdout" | b"stderr") || line.get(space + 7) != Some(&b' ') || line.get(space + 9) != Some(&b' ') {
            return None;
        }
        let is_last = match line[space + 8] {
            b'P' => false,
            b'F' => true,
            _ => return None,
        };
        Some(Self { key: stream, number: 0, is_last, head: &line[..space + 8], mark: b"F ", text: &line[space + 10..], gap: b"" })
    }

    /// `{"log":"TEXT","stream":"stdout",…}`, and the `{"log":"TEXT\n",…}` that ends it. What is whole has the record of its last part around it.
    fn of_docker(line: &'a [u8]) -> Option<Self> {
        let text = line.strip_prefix(DOCKER)?;
        // Quotes inside the text are escaped.
        let end = memchr::memmem::find(text, DOCKER_STREAM)?;
        let stream = &text[end + DOCKER_STREAM.len()..];
        let key = &stream[..memchr::memchr(b'"', stream)?];
        let is_last = ends_with_line_end(&text[..end]);
        let text = if is_last { text } else { &text[..end] };
        Some(Self { key, number: 0, is_last, head: DOCKER, mark: b"", text, gap: b"" })
    }

    /// `Nov 22 13:07:02 mx exim[7]: [1/2] TEXT`.
    fn of_exim(line: &'a [u8]) -> Option<Self> {
        // The mark stands near the front; most lines have none.
        let near = &line[..line.len().min(200)];
        memchr::memchr2_iter(b'/', b'\\', near).find(|at| near[..*at].last().is_some_and(u8::is_ascii_digit))?;
        let text_at = match framing::syslog(line) {
            Some(frame) => line.len() - frame.text.len(),
            // As Exim hands it to the socket: without a host.
            None => memchr::memmem::find(near, b": [")? + 2,
        };
        let (number, of, by_length, text) = mark(&line[text_at..])?;
        let from = if line[0] == b'<' { near.iter().position(|&b| b == b'>')? + 1 } else { 0 };
        let from = if line[from..].starts_with(b"1 ") { from + 2 } else { from };
        let (_, stamp) = Stamp::read(&line[from..])?;
        let key = &line[from + stamp..text_at];
        let gap: &[u8] = if by_length { b"" } else { b" " };
        let head = &line[..text_at];
        (of > 1 && number <= of).then_some(Self { key, number, is_last: number == of, head, mark: b"", text, gap })
    }
}

/// What a record of Docker's json-file begins with, and what ends its text.
const DOCKER: &[u8] = b"{\"log\":\"";
pub(super) const DOCKER_STREAM: &[u8] = b"\",\"stream\":\"";

/// Whether a text inside JSON ends with a line end: `\n`, but not `\\n`.
pub(super) fn ends_with_line_end(text: &[u8]) -> bool {
    let Some(before) = text.strip_suffix(b"n") else { return false };
    before.iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1
}

/// `[1/2] text`, `[1\2] text`: number, how many, whether it was cut for its length, and the text.
fn mark(text: &[u8]) -> Option<(u32, u32, bool, &[u8])> {
    let (number, rest) = leading(text.strip_prefix(b"[")?)?;
    let by_length = rest.first() == Some(&b'/');
    if !by_length && rest.first() != Some(&b'\\') {
        return None;
    }
    let (of, rest) = leading(&rest[1..])?;
    Some((number, of, by_length, rest.strip_prefix(b"] ")?))
}

fn leading(text: &[u8]) -> Option<(u32, &[u8])> {
    let digits = text.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    let number = text[..digits].iter().fold(0, |n, b| n * 10 + u32::from(b - b'0'));
    (number > 0).then_some((number, &text[digits..]))
}
