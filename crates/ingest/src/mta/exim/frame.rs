//! What stands around the text of an Exim line: a syslog's prefix, Exim's own stamp, pid and message id.
//!
//! `<22>Nov 22 13:07:02 mx1 exim[23814]: 2026-11-22 13:07:02 [23814] 1xV7He-00060W-1p <= sender@local.test U=root P=local S=350`
//!
//! A line of more than 870 bytes comes through a syslog in parts, `[1/2] …` and `[2/2] …` (`\` where the line itself had a line end).
//! What could not be put together (`rejoin`) comes here as parts, and the part's number is told.

use memchr::memchr;

use super::id;
use crate::framing::{self, Stamp};

/// A line without its syslog prefix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    /// The host that the syslog names; empty without one.
    pub host: &'a [u8],
    /// The program's name; empty without a syslog.
    pub tag: &'a [u8],
    /// The syslog's stamp.
    pub stamp: Option<Stamp>,
    /// The number of the part; 0 for a whole line.
    pub part: u32,
    /// What the program wrote.
    pub body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Takes a line's prefix off; `None` where it is neither Exim's own line nor a syslog's.
    pub fn of(line: &'a [u8]) -> Option<Self> {
        if line.get(4) == Some(&b'-') && line.get(10) == Some(&b' ') {
            return Some(Self { host: b"", tag: b"", stamp: None, part: 0, body: line });
        }
        if let Some(frame) = framing::syslog(line) {
            let (part, body) = take_part(frame.text);
            return Some(Self { host: frame.host, tag: frame.tag, stamp: Some(frame.stamp), part, body });
        }
        // As Exim hands it to the socket: without a host.
        let line = after_priority(line);
        let (stamp, end) = Stamp::read(line)?;
        let (tag, rest) = word(line.get(end..)?.strip_prefix(b" ")?)?;
        let tag = tag.strip_suffix(b":")?;
        let tag = &tag[..memchr(b'[', tag).unwrap_or(tag.len())];
        let (part, body) = take_part(rest);
        Some(Self { host: b"", tag, stamp: Some(stamp), part, body })
    }
}

/// What a line says, and of which message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'a> {
    /// Exim's own stamp; absent with `syslog_timestamp = false`.
    pub stamp: Option<Stamp>,
    /// The message id.
    pub id: &'a [u8],
    /// The rest: flag and all.
    pub rest: &'a [u8],
}

/// Takes stamp, pid and message id off; `None` for lines that are about no message.
pub(super) fn said(body: &[u8]) -> Option<Said<'_>> {
    let (stamp, rest) = take_stamp(body);
    let (id, rest) = id::take(after_pid(rest))?;
    Some(Said { stamp, id, rest })
}

/// Takes `2026-11-22 13:06:35.563 +0000 ` off: millisec and zone each only with its selector.
pub(super) fn take_stamp(body: &[u8]) -> (Option<Stamp>, &[u8]) {
    fn stamp(body: &[u8]) -> Option<(Stamp, &[u8])> {
        if body.get(10) != Some(&b' ') {
            return None;
        }
        let (mut stamp, end) = Stamp::read(body)?;
        let rest = body[end..].strip_prefix(b" ")?;
        match zone(rest) {
            Some(offset) => {
                stamp.offset = Some(offset);
                Some((stamp, &rest[6..]))
            }
            None => Some((stamp, rest)),
        }
    }
    match stamp(body) {
        Some((stamp, rest)) => (Some(stamp), rest),
        None => (None, body),
    }
}

/// `+0100 `, in seconds.
fn zone(text: &[u8]) -> Option<i32> {
    let [sign @ (b'+' | b'-'), a, b, c, d, b' ', ..] = text else {
        return None;
    };
    if ![a, b, c, d].iter().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let two = |tens: &u8, ones: &u8| i32::from(tens - b'0') * 10 + i32::from(ones - b'0');
    let seconds = two(a, b) * 3600 + two(c, d) * 60;
    Some(if *sign == b'-' { -seconds } else { seconds })
}

/// Takes `[23814] ` off.
pub(super) fn after_pid(text: &[u8]) -> &[u8] {
    if text.first() != Some(&b'[') {
        return text;
    }
    let length = text[1..].iter().take_while(|b| b.is_ascii_digit()).count();
    match text[1 + length..].strip_prefix(b"] ") {
        Some(rest) if length > 0 => rest,
        _ => text,
    }
}

/// Takes `[1/2] ` or `[1\2] ` off.
fn take_part(text: &[u8]) -> (u32, &[u8]) {
    fn part(text: &[u8]) -> Option<(u32, &[u8])> {
        let (part, rest) = number(text.strip_prefix(b"[")?)?;
        let rest = rest.strip_prefix(b"/").or_else(|| rest.strip_prefix(b"\\"))?;
        let (_of, rest) = number(rest)?;
        Some((part, rest.strip_prefix(b"] ")?))
    }
    part(text).unwrap_or((0, text))
}

fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let length = text.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    let value = text[..length].iter().fold(0, |n, b| n * 10 + u32::from(b - b'0'));
    (length > 0).then_some((value, &text[length..]))
}

/// Takes `<22>` off.
fn after_priority(line: &[u8]) -> &[u8] {
    let Some(rest) = line.strip_prefix(b"<") else {
        return line;
    };
    match number(rest) {
        Some((_, rest)) => rest.strip_prefix(b">").unwrap_or(line),
        None => line,
    }
}

/// A word, and what stands after the one space behind it.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b' ', text).filter(|&n| n > 0)?;
    Some((&text[..end], &text[end + 1..]))
}
