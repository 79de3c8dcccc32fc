//! The Exim reader: mainlogs of every era from 4.69 to 4.100, as files of their own or through a syslog.
//!
//! `2026-11-22 13:06:15 1xV7Gp-0005rN-2i => ok1@twohost.test R=twohost T=remote_smtp_two H=127.0.0.1 [127.0.0.1] C="250 Ok"`
//!
//! A line is one of ours when a message id follows stamp and pid, and a flag (`<=`, `=>`, `->`, `>>`, `*>`, `**`, `==`) or a word such as
//! `Completed` follows the id: position decides, so that flags inside subjects and replies do not count. Per-host lines, queue runs,
//! rejects and `cwd=` lines are irrelevant.
//!
//! What is not here: rejoining lines that a syslog split (the first part is read, the others are irrelevant), rejects, and the join.

mod address;
mod detect;
mod fields;
mod flags;
mod frame;
mod id;
mod reject;
#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;
use std::sync::Arc;

use bouncestat_record::time::{Micros, SECOND};

pub use detect::detect;
pub use id::{id_epoch, is_message_id};

use super::FileFacts;
use crate::clock::Clock;
use crate::event::{Fields, Key, Sink, Sort};
use crate::framing::Stamp;
use crate::lines::{last_line, lines};
use crate::reject::Reject;
use frame::Frame;

/// Reads the lines of one file.
#[derive(Clone)]
pub struct Reader {
    /// The log host of lines that name none.
    folder: Arc<str>,
    clock: Clock,
    /// Whether the first lines have stamps without a year: only they move the clock.
    yearless: bool,
}

impl Reader {
    /// A reader that stands before the first line of the file.
    pub fn new(facts: FileFacts) -> Self {
        let yearless = lines(&facts.head).any(|(_, line)| is_yearless(line));
        Self { folder: facts.folder, clock: facts.clock, yearless }
    }

    /// Moves over a chunk: where stamps lack the year, a few of them tell when a year begins.
    pub fn skip(&mut self, chunk: &[u8]) {
        const STEP: usize = 64 * 1024;
        let Some((last, _)) = last_line(chunk) else {
            return;
        };
        if !self.yearless && !is_yearless(&chunk[last..]) {
            return;
        }
        let mut at = 0;
        loop {
            let line = lines(&chunk[at..]).next().map_or(&b""[..], |(_, line)| line);
            if let Some(stamp) = Frame::of(line).and_then(|frame| frame.stamp) {
                stamp.at(&mut self.clock);
            }
            if at == last {
                break;
            }
            let after = chunk.get(at + STEP..).and_then(|rest| memchr::memchr(b'\n', rest));
            at = after.map_or(last, |end| (at + STEP + end + 1).min(last));
        }
    }

    /// Reads one line (without its line end).
    pub fn line<'a, S: Sink<'a>>(&mut self, line: &'a [u8], sink: &mut S) -> Sort {
        let Some(frame) = Frame::of(line) else {
            return Sort::Irrelevant;
        };
        if frame.part > 1 {
            return Sort::Irrelevant;
        }
        if sink.wants_rejects()
            && let Some(sort) = self.reject(&frame, sink)
        {
            return sort;
        }
        let Some(said) = frame::said(frame.body) else {
            return Sort::Irrelevant;
        };
        if said.stamp.is_none() && frame.stamp.is_none() {
            return Sort::Irrelevant;
        }
        let fields = match flags::read(said.rest) {
            Ok(fields) => fields,
            Err(sort) => return sort,
        };
        let Some(at) = self.moment(said.stamp, frame.stamp) else {
            return Sort::Unrecognised;
        };
        // A syslog's later parts of a line are not joined yet, and Exim's buffer ends somewhere.
        let cut = frame.part == 1 || line.ends_with(b"**** log string overflowed log buffer ****");
        sink.push(self.key(frame.host, said.id), Fields { at, cut, ..fields });
        Sort::Used
    }

    /// Reads a reject of ours; `None` where the line tells of none.
    fn reject<'a, S: Sink<'a>>(&mut self, frame: &Frame<'a>, sink: &mut S) -> Option<Sort> {
        let (stamp, rest) = frame::take_stamp(frame.body);
        let rest = frame::after_pid(rest);
        let rest = id::take(rest).map_or(rest, |(_, rest)| rest);
        let reject = reject::read(rest)?;
        let Some(at) = self.moment(stamp, frame.stamp) else {
            return Some(Sort::Unrecognised);
        };
        let Key { host, .. } = self.key(frame.host, b"");
        sink.reject(Reject { at, host, ..reject });
        Some(Sort::Used)
    }

    /// The moment by Exim's own stamp, else by the syslog's, which lends its zone to one that has none.
    fn moment(&mut self, own: Option<Stamp>, syslog: Option<Stamp>) -> Option<Micros> {
        match (own, syslog) {
            (Some(own), Some(syslog)) if own.offset.is_none() && syslog.offset.is_some() => {
                let offset = self.lent_offset(own, syslog);
                Stamp { offset, ..own }.at(&mut self.clock)
            }
            (Some(own), _) => own.at(&mut self.clock),
            (None, Some(syslog)) => syslog.at(&mut self.clock),
            (None, None) => None,
        }
    }

    /// How far from UTC Exim's stamps are, by the syslog's moment: zones are quarters of an hour apart, and the two stamps seconds.
    fn lent_offset(&mut self, own: Stamp, syslog: Stamp) -> Option<i32> {
        const QUARTER: i64 = 900;
        let wall = Stamp { offset: Some(0), ..own }.at(&mut self.clock)?;
        let ahead = (wall - syslog.at(&mut self.clock)?) / SECOND;
        let offset = (ahead + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
        let plausible = (ahead - offset).abs() <= 120 && offset.abs() <= 14 * 3600;
        plausible.then(|| i32::try_from(offset).ok())?
    }

    fn key<'a>(&self, host: &'a [u8], id: &'a [u8]) -> Key<'a> {
        let host = match host {
            b"" => Cow::Owned(self.folder.as_bytes().to_vec()),
            named => Cow::Borrowed(named),
        };
        Key { host, id: Cow::Borrowed(id) }
    }
}

/// Whether a line has only a syslog's stamp without a year.
fn is_yearless(line: &[u8]) -> bool {
    Frame::of(line).and_then(|frame| frame.stamp).is_some_and(|stamp| stamp.year.is_none())
}
