//! The journal's export format (`journalctl -o export`): one line a field, a blank line behind each record.
//!
//! ```text
//! __CURSOR=s=739ad463348b4ceca5a9e69c95a3c93f;i=4ece7
//! __REALTIME_TIMESTAMP=1795354926423193
//! _HOSTNAME=lab
//! SYSLOG_IDENTIFIER=postfix/smtp
//! MESSAGE=4jXVcG2tc6z1XXTY: to=<u0@ok.test>, relay=mx.ok.test[127.0.1.10]:25, …
//! ```
//!
//! A field that is no text is its name, its length in eight bytes (little end first), its bytes and a line end. The format is
//! documented at <https://systemd.io/JOURNAL_EXPORT_FORMATS/>. What is not here: the journal as JSON (`framing::wrap`).

use chrono::{DateTime, SecondsFormat};
use memchr::memchr;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// A record of so many bytes, and the line that it is.
    Whole(usize, Vec<u8>),
    /// It does not end here.
    GoesOn,
    /// It is no record.
    None,
}

/// Whether a record begins here. The cursor is always its first field.
pub(super) fn begins(text: &[u8]) -> bool {
    text.starts_with(b"__CURSOR=")
}

/// Takes a record off the front of `text`.
pub(super) fn record(text: &[u8]) -> Taken {
    let mut fields = Fields::default();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let Some(end) = memchr(b'\n', rest) else { return Taken::GoesOn };
        let line = &rest[..end];
        if line.is_empty() || line == b"\r" {
            return Taken::Whole(at + end + 1, fields.line());
        }
        if let Some(equals) = memchr(b'=', line) {
            fields.set(&line[..equals], line[equals + 1..].strip_suffix(b"\r").unwrap_or(&line[equals + 1..]));
            at += end + 1;
            continue;
        }
        if !line.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_') {
            return Taken::None;
        }
        let Some(length) = rest.get(end + 1..end + 9) else { return Taken::GoesOn };
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= super::LONGEST_RECORD) else {
            return Taken::None;
        };
        let start = end + 9;
        match rest.get(start + length) {
            Some(b'\n') => fields.set(line, &rest[start..start + length]),
            Some(_) => return Taken::None,
            None => return Taken::GoesOn,
        }
        at += start + length + 1;
    }
}

/// The fields that make a line.
#[derive(Default)]
struct Fields<'a> {
    realtime: &'a [u8],
    source_realtime: &'a [u8],
    host: &'a [u8],
    identifier: &'a [u8],
    command: &'a [u8],
    pid: &'a [u8],
    syslog_pid: &'a [u8],
    message: &'a [u8],
}

impl<'a> Fields<'a> {
    fn set(&mut self, name: &[u8], value: &'a [u8]) {
        let field = match name {
            b"__REALTIME_TIMESTAMP" => &mut self.realtime,
            b"_SOURCE_REALTIME_TIMESTAMP" => &mut self.source_realtime,
            b"_HOSTNAME" => &mut self.host,
            b"SYSLOG_IDENTIFIER" => &mut self.identifier,
            b"_COMM" => &mut self.command,
            b"_PID" => &mut self.pid,
            b"SYSLOG_PID" => &mut self.syslog_pid,
            b"MESSAGE" => &mut self.message,
            _ => return,
        };
        if field.is_empty() {
            *field = value;
        }
    }

    /// The record as a line of a syslog; a blank line where something is missing that makes one.
    fn line(&self) -> Vec<u8> {
        let first = |a: &'a [u8], b: &'a [u8]| if a.is_empty() { b } else { a };
        let micros = std::str::from_utf8(first(self.realtime, self.source_realtime)).ok().and_then(|n| n.parse().ok());
        let tag = first(self.identifier, self.command);
        let Some(at) = micros.and_then(DateTime::from_timestamp_micros).filter(|_| !tag.is_empty()) else {
            return b"\n".to_vec();
        };
        let at = at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let pid = first(first(self.pid, self.syslog_pid), b"0");
        let mut line = [at.as_bytes(), b" ", first(self.host, b"-"), b" ", tag, b"[", pid, b"]: ", self.message].concat();
        // A line end inside is no line end of the log.
        line.iter_mut().filter(|b| **b == b'\n').for_each(|b| *b = b' ');
        line.push(b'\n');
        line
    }
}
