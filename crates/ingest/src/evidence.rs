//! Where the year and the zone of stamps come from that lack them.
//!
//! Best first: the stamp itself, a long queue id or Exim id, a message id that Postfix made, a neighbour in the rotation set, the date in
//! the file's name, the file's time, "now". The run says which.

use bouncestat_record::time::{Micros, SECOND};
use bouncestat_record::{Mta, named_enum};
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate};

use crate::clock::{Clock, Zone};
use crate::framing::{self, Stamp};
use crate::input::lines;
use crate::lines::last_line;
use crate::mta::{exim, postfix};

named_enum! {
    /// What told the year of a file's stamps.
    pub enum YearFrom {
        /// The stamps have it.
        Stamp = "the stamps",
        /// A queue id or message id of the server holds a clock.
        Id = "queue ids",
        /// The date in a `Message-ID:` that Postfix made.
        MessageId = "message ids",
        /// The years of files of the same rotation set.
        Neighbour = "neighbours in their rotation sets",
        /// The date in the file's name.
        Name = "dates in file names",
        /// The time at which the file was last written: a guess.
        FileTime = "the file's time",
        /// The present: a guess.
        Now = "the present",
    }
}

impl YearFrom {
    /// Whether the year had to be guessed.
    pub fn is_guess(self) -> bool {
        matches!(self, Self::FileTime | Self::Now)
    }
}

/// What other things than a file's lines tell of its place in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// It begins behind the beginning of the file before.
    After(Micros),
    /// It ends before the file behind begins.
    Before(Micros),
    /// It ends before the end of the day in its name.
    Named(Micros),
}

/// What is known around a file.
pub struct Around<'f> {
    /// Its first lines.
    pub head: &'f [u8],
    /// Its last lines, where they are at hand.
    pub tail: Option<&'f [u8]>,
    /// When it was last written.
    pub modified: Option<Micros>,
    /// What its rotation set and its name tell.
    pub bound: Option<Bound>,
    /// "Now".
    pub now: Micros,
}

/// The clock of a syslog file that starts where the evidence says, and what told its year.
pub fn syslog_clock(around: &Around<'_>, zone: Zone) -> (Clock, YearFrom) {
    let Some(first) = first_stamp(around.head) else {
        return (Clock::new(zone, day_of(around.now)), YearFrom::Now);
    };
    if let Some(year) = first.year {
        return (Clock::new(zone, date(year, &first)), YearFrom::Stamp);
    }
    if let Some((year, from)) = id_evidence(around.head, &first) {
        return (Clock::new(zone, date(year, &first)), from);
    }
    let (moment, from) = match (around.bound, around.modified) {
        (Some(Bound::After(start)), _) => {
            let year = year_at_or_after(&first, start - 86_400 * SECOND);
            return (Clock::new(zone, date(year, &first)), YearFrom::Neighbour);
        }
        (Some(Bound::Before(start)), _) => (start, YearFrom::Neighbour),
        (Some(Bound::Named(day)), _) => (day, YearFrom::Name),
        (None, Some(modified)) => (modified, YearFrom::FileTime),
        (None, None) => (around.now, YearFrom::Now),
    };
    // The file was written last at its last line, which is at or before that time.
    let leap_day = around.tail.and_then(leap_day).or_else(|| leap_day(around.head));
    let last = leap_day.or_else(|| around.tail.or(Some(around.head)).and_then(last_stamp)).unwrap_or(first);
    let year = year_at_or_before(&last, moment + 86_400 * SECOND);
    let first_year = if first_is_later(&first, &last) { year - 1 } else { year };
    (Clock::new(zone, date(first_year, &first)), from)
}

/// The day on which a file starts whose stamps tell it, as a clock.
pub fn plain_clock(zone: Zone, now: Micros) -> Clock {
    Clock::new(zone, day_of(now))
}

fn first_is_later(first: &Stamp, last: &Stamp) -> bool {
    (first.month, first.day, first.hour) > (last.month, last.day, last.hour)
}

fn date(year: i32, stamp: &Stamp) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, stamp.month, stamp.day.min(28)).unwrap_or_default()
}

fn day_of(at: Micros) -> NaiveDate {
    DateTime::from_timestamp_micros(at).unwrap_or_default().date_naive()
}

fn first_stamp(head: &[u8]) -> Option<Stamp> {
    lines(head).find_map(|(_, line)| framing::syslog(line)).map(|frame| frame.stamp)
}

fn last_stamp(tail: &[u8]) -> Option<Stamp> {
    let mut rest = tail;
    while let Some((start, line)) = last_line(rest) {
        if let Some(frame) = framing::syslog(line) {
            return Some(frame.stamp);
        }
        rest = &rest[..start];
    }
    None
}

/// The year that puts a stamp soonest at or after a moment (in UTC: a day's slack is the caller's).
fn year_at_or_after(stamp: &Stamp, moment: Micros) -> i32 {
    let around = day_of(moment);
    let years = around.year()..around.year() + 9;
    existing(stamp, years).find(|(_, day)| *day >= around).map_or(around.year(), |(year, _)| year)
}

/// The year that puts a stamp latest at or before a moment.
fn year_at_or_before(stamp: &Stamp, moment: Micros) -> i32 {
    let around = day_of(moment);
    let years = (around.year() - 8..=around.year()).rev();
    existing(stamp, years).find(|(_, day)| *day <= around).map_or(around.year(), |(year, _)| year)
}

/// The years in which a stamp's day exists: 29 February does in every fourth only.
fn existing(stamp: &Stamp, years: impl Iterator<Item = i32>) -> impl Iterator<Item = (i32, NaiveDate)> {
    years.filter_map(move |year| Some((year, NaiveDate::from_ymd_opt(year, stamp.month, stamp.day)?)))
}

/// A stamp of 29 February, which only leap years have.
fn leap_day(head: &[u8]) -> Option<Stamp> {
    let stamps = lines(head).filter_map(|(_, line)| framing::syslog(line)).map(|frame| frame.stamp);
    stamps.filter(|stamp| (stamp.month, stamp.day) == (2, 29)).last()
}

/// The year of a file's first stamp, as its ids tell it: queue ids before message ids.
///
/// Every id votes, and more than half must agree, so that a name that only looks like an id decides nothing.
fn id_evidence(head: &[u8], first: &Stamp) -> Option<(i32, YearFrom)> {
    const ENOUGH: usize = 200;
    let (mut by_id, mut by_message_id) = (Vec::new(), Vec::new());
    for (_, line) in lines(head) {
        let Some(frame) = framing::syslog(line) else { continue };
        let word = &frame.text[..frame.text.iter().take(40).position(|&b| b == b' ').unwrap_or(0)];
        if let Some(seconds) = Some(word).filter(|id| exim::is_message_id(id)).and_then(exim::id_epoch) {
            by_id.push(first_year(first, &frame.stamp, seconds * SECOND));
        }
        let Some(colon) = frame.text.iter().take(40).position(|&b| b == b':') else { continue };
        let id = &frame.text[..colon];
        if let Some(seconds) = postfix::long_id_seconds(id) {
            by_id.push(first_year(first, &frame.stamp, seconds * SECOND));
        }
        if let Some(message_id) = frame.text[colon..].strip_prefix(b": message-id=")
            && let Some(seconds) = postfix::message_id_moment(message_id, id)
        {
            by_message_id.push(first_year(first, &frame.stamp, seconds * SECOND));
        }
        if by_id.len() >= ENOUGH {
            break;
        }
    }
    let majority = |votes: &[Option<i32>]| {
        votes.iter().flatten().copied().find(|year| votes.iter().filter(|v| **v == Some(*year)).count() * 2 > votes.len())
    };
    majority(&by_id).map(|y| (y, YearFrom::Id)).or_else(|| majority(&by_message_id).map(|y| (y, YearFrom::MessageId)))
}

/// The year of the first stamp, told by the line of a message that came at `moment`: the line is at most two months younger than that.
fn first_year(first: &Stamp, line: &Stamp, moment: Micros) -> Option<i32> {
    const SLACK: Micros = 86_400 * SECOND;
    let year = year_at_or_after(line, moment - SLACK);
    let mut clock = Clock::new(Zone::UTC, date(year, line));
    let at = line.at(&mut clock)?;
    if !(moment - SLACK..=moment + 60 * SLACK).contains(&at) {
        return None;
    }
    first.at(&mut clock)?;
    Some(clock.year())
}

/// The distance from UTC at which an Exim log without zones was written, told by its ids: they begin with the second of arrival.
pub fn exim_offset(head: &[u8]) -> Option<FixedOffset> {
    const QUARTER: i64 = 900;
    let mut found: Option<i64> = None;
    for (_, line) in lines(head) {
        let Some((stamp, end)) = Stamp::read(line) else { continue };
        if stamp.offset.is_some() {
            return None;
        }
        let rest = line[end..].trim_ascii_start();
        let rest = match rest.strip_prefix(b"[").and_then(|r| Some(&r[memchr::memchr(b']', r)? + 1..])) {
            Some(after) => after.trim_ascii_start(),
            None => rest,
        };
        let id_end = rest.iter().position(|&b| b == b' ').unwrap_or(rest.len());
        let (id, rest) = rest.split_at(id_end);
        if !rest.starts_with(b" <= ") {
            continue;
        }
        let Some(epoch) = exim::id_epoch(id) else { continue };
        let mut clock = Clock::new(Zone::UTC, NaiveDate::default());
        let Some(at) = stamp.at(&mut clock) else { continue };
        let distance = at / SECOND - epoch;
        let rounded = (distance as f64 / QUARTER as f64).round() as i64 * QUARTER;
        // A slow arrival is logged long after its id was made: such a line tells nothing.
        if (distance - rounded).abs() > 60 {
            continue;
        }
        if found.is_some_and(|f| f != rounded) {
            return None;
        }
        found = Some(rounded);
    }
    FixedOffset::east_opt(i32::try_from(found?).ok()?)
}

/// Whether files of this server may hold stamps without a year.
pub fn is_syslog(mta: Mta, head: &[u8]) -> bool {
    mta == Mta::Postfix || (mta == Mta::Exim && exim::is_stamped_by_syslog(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR_NOW: &str = "2030-06-15T00:00:00Z";

    fn micros(rfc3339: &str) -> Micros {
        DateTime::parse_from_rfc3339(rfc3339).unwrap().timestamp_micros()
    }

    #[track_caller]
    fn check(head: &str, modified: Option<&str>, want: (&str, YearFrom)) {
        let around =
            Around { head: head.as_bytes(), tail: None, modified: modified.map(micros), bound: None, now: micros(FAR_NOW) };
        let (mut clock, from) = syslog_clock(&around, Zone::UTC);
        let first = first_stamp(head.as_bytes()).unwrap().at(&mut clock).unwrap();
        assert_eq!((first, from), (micros(want.0), want.1), "{head}");
    }

    #[test]
    fn long_queue_ids_tell_the_year_even_over_new_year() {
        let line = "Nov 22 13:42:06 lab postfix/smtp[1]: 4jXVcG2tc6z1XXTY: x\n";
        check(line, Some("2029-01-01T00:00:00Z"), ("2026-11-22T13:42:06Z", YearFrom::Id));
        // Deferred mail of November, still in the queue in January.
        let late = "Jan  3 13:42:06 lab postfix/smtp[1]: 4jXVcG2tc6z1XXTY: x\n";
        check(late, None, ("2027-01-03T13:42:06Z", YearFrom::Id));
        // The first line lies before New Year, the id after it.
        let before = "Dec 31 23:00:00 lab kernel: x\nJan  1 13:42:06 lab postfix/smtp[1]: 4jXVcG2tc6z1XXTY: x\n";
        check(before, None, ("2026-12-31T23:00:00Z", YearFrom::Id));
    }

    #[test]
    fn exims_ids_tell_the_year_where_only_the_syslog_stamps() {
        let line = "Nov 22 13:07:02 mx exim[7]: 1xV7He-00060W-1p Completed\n";
        check(line, Some("2029-01-01T00:00:00Z"), ("2026-11-22T13:07:02Z", YearFrom::Id));
        assert!(is_syslog(Mta::Exim, line.as_bytes()));
        let own = "Nov 22 13:07:02 mx exim[7]: 2026-11-22 13:07:02 1xV7He-00060W-1p Completed\n";
        assert!(!is_syslog(Mta::Exim, own.as_bytes()));
    }

    #[test]
    fn message_ids_then_file_time_then_now() {
        let line = "Nov 22 13:13:40 mta postfix/cleanup[1101]: E26A2998B7E: message-id=<20131122131340.E26A2998B7E@mta.test>\n";
        check(line, Some("2029-01-01T00:00:00Z"), ("2013-11-22T13:13:40Z", YearFrom::MessageId));
        let bare = "Dec 30 01:00:00 a b: x\nJan  2 01:00:00 a b: x\n";
        check(bare, Some("2019-01-02T02:00:00Z"), ("2018-12-30T01:00:00Z", YearFrom::FileTime));
        check("Nov  1 01:00:00 a b: x\n", None, ("2029-11-01T01:00:00Z", YearFrom::Now));
        check(
            "Feb 28 01:00:00 a b: x\nFeb 29 01:00:00 a b: x\nMar  1 01:00:00 a b: x\n",
            None,
            ("2028-02-28T01:00:00Z", YearFrom::Now),
        );
    }
}
