//! Reads Postfix's lines, of all its programs and under any `syslog_name`.
//!
//! `Nov 22 13:42:06 lab postfix/smtp[294]: 4jXVcG2tc6z1XXTY: to=<u0@ok.test>, relay=mx.ok.test[127.0.1.10]:25, … status=sent (250 …)`
//!
//! What a line says is told by its payload, not by its tag. What is not here: joining lines by queue id.

mod attempt;
mod queue_id;
mod reject;
mod tag;

pub use queue_id::{is_queue_id, long_id_seconds, message_id_moment};

use std::borrow::Cow;

use bouncestat_record::time::Micros;

use super::FileFacts;
use crate::clock::Clock;
use crate::event::{Fields, Key, Kind, Remark, Sink, Sort};
use crate::framing::{self, Frame, Stamp, wrap};
use crate::reject::Reject;
use tag::Tag;

/// Reads the lines of one file.
#[derive(Clone)]
pub struct Reader {
    clock: Clock,
}

/// What a line says after its queue id.
#[expect(clippy::large_enum_variant, reason = "lives on the stack for one line; a box would cost an allocation a line")]
pub(super) enum Said<'a> {
    /// One event.
    Event(Fields<'a>),
    /// Something that changes no delivery.
    Nothing,
    /// A delivery line that is not understood.
    Unclear,
}

impl Reader {
    /// A reader that stands at the start of its file.
    pub fn new(facts: FileFacts) -> Self {
        Self { clock: facts.clock }
    }

    /// Says where in the file the next line stands.
    pub fn seek(&mut self, position: u64) {
        self.clock.seek(position);
    }

    /// Moves the clock over a chunk.
    pub fn skip(&mut self, chunk: &[u8], offset: u64) {
        self.clock.skip(chunk, offset, |line| {
            let bare = wrap::inner(line);
            framing::syslog(bare.as_deref().unwrap_or(line)).map(|frame| (frame.stamp.date(), Some(frame.stamp)))
        });
    }

    /// Whether the line that was read last stands in an hour that autumn repeats: see [`Clock::repeated_hour`].
    pub fn repeated_hour(&self) -> Option<bool> {
        self.clock.repeated_hour()
    }

    /// Reads one line.
    pub fn line<'a, S: Sink<'a>>(&mut self, line: &'a [u8], sink: &mut S) -> Sort {
        let Some(frame) = framing::syslog(line) else { return Sort::Irrelevant };
        if self.clock.is_due() {
            let (year, month, day) = frame.stamp.date();
            self.clock.anchor(year, month, day);
        }
        self.clock.watch(&frame.stamp);
        let (text, count) = repeated(frame.text);
        if sink.wants_rejects()
            && let Some(reject) = reject::read(text)
        {
            let Some(at) = frame.stamp.at(&mut self.clock) else { return Sort::Unrecognised };
            sink.reject(Reject { at, host: Cow::Borrowed(frame.host), count, ..reject });
            return Sort::Used;
        }
        let Some((id, rest)) = split_queue_id(text) else {
            if let Some(lines) = framing::loss::lost(&frame) {
                sink.remark(Remark::Lost(frame.tag, lines));
            }
            return Sort::Irrelevant;
        };
        let tag = Tag::read(frame.tag);
        let clock = &mut self.clock;
        let mut moment = || frame.stamp.at(clock);
        let said = match rest.first() {
            Some(b't') if rest.starts_with(b"to=<") => match moment() {
                Some(at) => attempt::read(rest, &tag, at),
                None => Said::Unclear,
            },
            Some(b'f') if rest.starts_with(b"from=<") => moment().map_or(Said::Unclear, |at| from(rest, at)),
            Some(b'c') if rest.starts_with(b"client=") => moment().map_or(Said::Unclear, |at| client(rest, at)),
            Some(b'm' | b'r') => match about(rest, &tag) {
                Some(make) => moment().map_or(Said::Unclear, make),
                None => Said::Nothing,
            },
            Some(b'u') if rest.starts_with(b"uid=") => match moment() {
                Some(at) => {
                    if let Some(old) = requeued_from(rest) {
                        let mut fields = Fields::new(Kind::Requeued, at);
                        fields.next_id = Cow::Borrowed(id);
                        sink.push(Key { host: Cow::Borrowed(frame.host), id: Cow::Borrowed(old) }, fields);
                    }
                    uid(rest, at)
                }
                None => Said::Unclear,
            },
            Some(b's' | b'p') => return notification(frame, rest, clock, sink),
            _ => Said::Nothing,
        };
        match said {
            Said::Event(mut fields) => {
                fields.count = count;
                fields.instance = Cow::Borrowed(tag.instance);
                fields.from_queue_manager = tag.is_queue_manager();
                sink.push(Key { host: Cow::Borrowed(frame.host), id: Cow::Borrowed(id) }, fields);
                Sort::Used
            }
            Said::Nothing => Sort::Irrelevant,
            Said::Unclear => Sort::Unrecognised,
        }
    }
}

/// No syslog counts further before it writes; a line that says more was not written by one.
const MOST_REPEATS: u32 = 65_536;

/// `message repeated N times: [ … ]` (rsyslog), taken off.
fn repeated(text: &[u8]) -> (&[u8], u32) {
    let whole = (text, 1);
    let Some(rest) = text.strip_prefix(b"message repeated ") else { return whole };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let Some(inner) = rest[digits..].strip_prefix(b" times: [") else { return whole };
    let count = std::str::from_utf8(&rest[..digits]).ok().and_then(|n| n.parse().ok()).filter(|n| *n <= MOST_REPEATS);
    let Some(count) = count else { return whole };
    let inner = inner.strip_suffix(b"]").unwrap_or(inner);
    (inner.trim_ascii_start(), count)
}

/// `4jXVcG2tc6z1XXTY: rest`.
fn split_queue_id(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().take(40).position(|&b| b == b':')?;
    let id = &text[..end];
    let rest = text[end..].strip_prefix(b": ")?;
    is_queue_id(id).then_some((id, rest))
}

/// `from=<A>, size=N, nrcpt=N (queue active)`, `from=<A>, status=expired, returned to sender`.
fn from(rest: &[u8], at: Micros) -> Said<'_> {
    let rest = &rest[b"from=<".len()..];
    // A quoted local part may hold what looks like the end.
    let quoted = attempt::after_quoted(rest);
    let find = |words: &[u8]| memchr::memmem::find(&rest[quoted..], words).map(|at| at + quoted);
    if let Some(end) = find(b">, size=") {
        let mut fields = Fields::new(Kind::About, at);
        fields.sender = Some(Cow::Borrowed(&rest[..end]));
        fields.size = leading_number(&rest[end + b">, size=".len()..]);
        return Said::Event(fields);
    }
    if let Some(end) = find(b">, status=") {
        let status = &rest[end + b">, status=".len()..];
        if status.starts_with(b"expired") || status.starts_with(b"force-expired") {
            let mut fields = Fields::new(Kind::GaveUp, at);
            fields.sender = Some(Cow::Borrowed(&rest[..end]));
            return Said::Event(fields);
        }
        return Said::Unclear;
    }
    Said::Nothing
}

/// `client=N[A][, …][, orig_queue_id=ID, orig_client=N[A]]`.
fn client(rest: &[u8], at: Micros) -> Said<'_> {
    let mut fields = Fields::new(Kind::Born, at);
    if let Some(start) = memchr::memmem::find(rest, b", orig_queue_id=") {
        let id = &rest[start + b", orig_queue_id=".len()..];
        let id = &id[..memchr::memchr(b',', id).unwrap_or(id.len())];
        fields.next_id = Cow::Borrowed(id);
    }
    Said::Event(fields)
}

/// `uid=N from=<A>[ orig_id=X]`.
fn uid(rest: &[u8], at: Micros) -> Said<'_> {
    let mut fields = Fields::new(Kind::Born, at);
    if let Some(start) = memchr::memmem::find(rest, b" from=<")
        && let Some(end) = memchr::memrchr(b'>', rest)
        && start + 7 <= end
    {
        fields.sender = Some(Cow::Borrowed(&rest[start + 7..end]));
    }
    Said::Event(fields)
}

/// The id of the message that `postsuper -r` put into the queue anew: ` orig_id=X` at the end.
fn requeued_from(rest: &[u8]) -> Option<&[u8]> {
    let start = memchr::memmem::rfind(rest, b" orig_id=")?;
    let id = &rest[start + b" orig_id=".len()..];
    is_queue_id(id).then_some(id)
}

/// `message-id=<…>`, `removed`, `removed (canceled)`: what needs only the moment.
fn about<'a>(rest: &'a [u8], tag: &Tag<'_>) -> Option<impl FnOnce(Micros) -> Said<'a> + use<'a>> {
    let (kind, message_id): (_, &[u8]) = if let Some(id) = rest.strip_prefix(b"message-id=") {
        (Kind::About, id)
    } else if rest == b"removed" || rest.starts_with(b"removed (") {
        (if tag.daemon == b"postsuper" { Kind::RemovedByHand } else { Kind::Removed }, b"")
    } else {
        return None;
    };
    Some(move |at| {
        let mut fields = Fields::new(kind, at);
        fields.message_id = Cow::Borrowed(message_id);
        Said::Event(fields)
    })
}

/// `sender non-delivery notification: NEWID`: the message NEWID has the null sender.
fn notification<'a, S: Sink<'a>>(frame: Frame<'a>, rest: &'a [u8], clock: &mut Clock, sink: &mut S) -> Sort {
    let Some(start) = memchr::memmem::find(rest, b" notification: ") else { return Sort::Irrelevant };
    let id = &rest[start + b" notification: ".len()..];
    if !is_queue_id(id) || !(rest.starts_with(b"sender ") || rest.starts_with(b"postmaster ")) {
        return Sort::Irrelevant;
    }
    let Some(at) = frame.stamp.at(clock) else { return Sort::Unrecognised };
    let mut fields = Fields::new(Kind::About, at);
    fields.sender = Some(Cow::Borrowed(b""));
    sink.push(Key { host: Cow::Borrowed(frame.host), id: Cow::Borrowed(id) }, fields);
    Sort::Used
}

/// The number that `text` begins with.
fn leading_number(text: &[u8]) -> Option<i64> {
    let digits = text.iter().take(18).take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(&text[..digits]).ok()?.parse().ok()
}

/// How many lines of `head` only Postfix writes.
pub fn detect(head: &[u8]) -> usize {
    head.split(|&b| b == b'\n').filter(|line| is_postfix_line(line)).count()
}

/// Whether only Postfix writes such a line.
fn is_postfix_line(line: &[u8]) -> bool {
    let Some(frame) = framing::syslog(line.strip_suffix(b"\r").unwrap_or(line)) else { return false };
    let tag = Tag::read(frame.tag);
    if tag.instance.starts_with(b"postfix") {
        return true;
    }
    tag.is_known_daemon() && !tag.instance.is_empty() && split_queue_id(frame.text).is_some()
}

/// The first stamp of a syslog that can be read, with its line.
pub fn first_stamp(head: &[u8]) -> Option<Stamp> {
    head.split(|&b| b == b'\n').find_map(framing::syslog).map(|frame| frame.stamp)
}

#[cfg(test)]
mod tests;
