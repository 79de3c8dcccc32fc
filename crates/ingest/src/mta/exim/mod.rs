//! The Exim reader: mainlogs of every era from 4.69 to 4.100, as files of their own or through a syslog.
//!
//! `2026-11-22 13:06:15 1xV7Gp-0005rN-2i => ok1@twohost.test R=twohost T=remote_smtp_two H=127.0.0.1 [127.0.0.1] C="250 Ok"`
//!
//! A line is one of ours when a message id follows stamp and pid, and a flag (`<=`, `=>`, `->`, `>>`, `*>`, `**`, `==`) or a word such as
//! `Completed` follows the id: position decides, so that flags inside subjects and replies do not count. Per-host lines, queue runs,
//! rejects and `cwd=` lines are irrelevant.
//!
//! What is not here: putting lines together that a syslog split (`rejoin`; of a line whose parts are lost the first is read, as a cut
//! line), rejects, and the join.

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
use crate::event::{Fields, Key, Remark, Sink, Sort};
use crate::framing::{Stamp, loss, wrap};
use crate::lines::lines;
use crate::reject::Reject;
use frame::Frame;

/// Reads the lines of one file.
#[derive(Clone)]
pub struct Reader {
    /// The log host of lines that name none.
    folder: Arc<str>,
    clock: Clock,
}

impl Reader {
    /// A reader that stands before the first line of the file.
    pub fn new(facts: FileFacts) -> Self {
        Self { folder: facts.folder, clock: facts.clock }
    }

    /// Says where in the file the next line stands.
    pub fn seek(&mut self, position: u64) {
        self.clock.seek(position);
    }

    /// Moves the clock over a chunk.
    pub fn skip(&mut self, chunk: &[u8], offset: u64) {
        self.clock.skip(chunk, offset, |line| {
            let bare = wrap::inner(line);
            Frame::of(bare.as_deref().unwrap_or(line)).map(|frame| (anchor_of(&frame), clock_of(&frame)))
        });
    }

    /// Whether the line that was read last stands in an hour that autumn repeats: see [`Clock::repeated_hour`].
    pub fn repeated_hour(&self) -> Option<bool> {
        self.clock.repeated_hour()
    }

    /// Reads one line (without its line end).
    pub fn line<'a, S: Sink<'a>>(&mut self, line: &'a [u8], sink: &mut S) -> Sort {
        let Some(frame) = Frame::of(line) else {
            return Sort::Irrelevant;
        };
        if self.clock.is_due() {
            let (year, month, day) = anchor_of(&frame);
            self.clock.anchor(year, month, day);
        }
        self.watch(&frame);
        if frame.part > 1 {
            return Sort::Irrelevant;
        }
        if sink.wants_rejects()
            && let Some(sort) = self.reject(&frame, sink)
        {
            return sort;
        }
        let Some(said) = frame::said(frame.body) else {
            if frame.stamp.is_some()
                && let Some(lines) = crate::framing::syslog(line).as_ref().and_then(loss::lost)
            {
                sink.remark(Remark::Lost(frame.tag, lines));
            }
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
        // The other parts of a line are lost, or Exim's buffer ended.
        let cut = frame.part == 1 || line.ends_with(b"**** log string overflowed log buffer ****");
        sink.push(self.key(frame.host, said.id), Fields { at, cut, ..fields });
        Sort::Used
    }

    /// Shows the clock the stamp of a line. Exim's own is only read where its hour may be one that autumn repeats.
    fn watch(&mut self, frame: &Frame<'_>) {
        let hour = frame.body.get(11..13).and_then(|h| std::str::from_utf8(h).ok()?.parse().ok());
        let own_may_repeat = hour.is_some_and(|hour| self.clock.may_repeat(hour));
        let stamp = if own_may_repeat || frame.stamp.is_some() { clock_of(frame) } else { None };
        match stamp {
            Some(stamp) => self.clock.watch(&stamp),
            None => self.clock.leave_repeat(),
        }
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

/// Whether a syslog's stamps are the only ones of some lines of a log (`syslog_timestamp = false`).
pub fn is_stamped_by_syslog(head: &[u8]) -> bool {
    let frames = lines(head).filter_map(|(_, line)| Frame::of(line)).filter(|frame| frame.stamp.is_some());
    frames.filter_map(|frame| frame::said(frame.body)).any(|said| said.stamp.is_none())
}

/// The stamp that is the clock of a line; `None` where the syslog's lends its zone to Exim's own.
fn clock_of(frame: &Frame<'_>) -> Option<Stamp> {
    match (frame::take_stamp(frame.body).0, frame.stamp) {
        (Some(own), Some(syslog)) if own.offset.is_none() && syslog.offset.is_some() => None,
        (own, syslog) => own.or(syslog),
    }
}

/// What a line tells the clock: the date of its syslog's stamp. Exim's own stamp has its year and needs no anchor.
fn anchor_of(frame: &Frame<'_>) -> (Option<i32>, u32, u32) {
    frame.stamp.map_or((None, 0, 0), |stamp| stamp.date())
}
