//! Stamps to moments: zones, and years for stamps that have none.
//!
//! `Nov 22 13:42:06` has neither year nor zone. The year of a file's first line comes from evidence outside the stamp (`evidence`). From
//! there on it runs along *anchors*: the first line behind every 64 KiB of the file is put into the year that is nearest to the anchor
//! before, and all lines up to the next one into the year that is nearest to it. Anchors stand at fixed places of the file, so that it
//! does not matter how the file is cut into chunks; and a single line with a wrong stamp moves nothing but itself. Which of the two moments
//! a stamp of the repeated hour of autumn means is told by the order of lines (`repeat`). What is not here: finding the evidence.

mod repeat;

use std::str::FromStr;
use std::sync::Arc;

use bouncestat_record::time::{Micros, SECOND};
use chrono::{DateTime, Datelike, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::framing::Stamp;
use crate::input::lines;
use repeat::{Place, Repeats};

/// The zone of stamps that have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// An IANA zone with its summer times.
    Named(Tz),
    /// Always the same distance from UTC.
    Fixed(FixedOffset),
}

impl Zone {
    /// UTC.
    pub const UTC: Zone = Zone::Named(Tz::UTC);

    /// Reads an IANA name (`Europe/Berlin`), `UTC`, `Z`, or an offset (`+01:00`, `-0530`).
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("z") {
            return Some(Self::UTC);
        }
        if text.starts_with(['+', '-']) {
            return FixedOffset::from_str(text).ok().map(Self::Fixed);
        }
        Tz::from_str(text).ok().map(Self::Named)
    }

    /// The moment of a wall-clock time. In the repeated hour of autumn the earlier one; a time that spring left out, as if the clock had not been changed yet.
    pub fn to_utc(self, wall: NaiveDateTime) -> Micros {
        fn pick<T: TimeZone>(zone: &T, wall: NaiveDateTime) -> Option<DateTime<T>> {
            match zone.from_local_datetime(&wall) {
                LocalResult::Single(t) | LocalResult::Ambiguous(t, _) => Some(t),
                LocalResult::None => None,
            }
        }
        let utc = wall.and_utc().timestamp_micros();
        match self {
            Self::Fixed(offset) => utc - i64::from(offset.local_minus_utc()) * SECOND,
            Self::Named(Tz::UTC) => utc,
            Self::Named(tz) => match pick(&tz, wall) {
                Some(t) => t.timestamp_micros(),
                None => {
                    let before = wall - chrono::Duration::hours(3);
                    let offset = tz.offset_from_local_datetime(&before).earliest().map_or(0, |o| o.fix().local_minus_utc());
                    utc - i64::from(offset) * SECOND
                }
            },
        }
    }

    /// The wall-clock time of a moment.
    pub fn to_wall(self, at: Micros) -> NaiveDateTime {
        let utc = DateTime::from_timestamp_micros(at).unwrap_or_default();
        match self {
            Self::Fixed(offset) => utc.with_timezone(&offset).naive_local(),
            Self::Named(tz) => utc.with_timezone(&tz).naive_local(),
        }
    }
}

/// Year, where it is written, month and day.
pub type Date = (Option<i32>, u32, u32);

/// Turns the stamps of one file into moments, in the order of its lines.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The zone of stamps without one.
    pub zone: Zone,
    /// Year and day of the year (of a leap year) of the last anchor.
    anchor: (i32, u32),
    /// Where in the file the next anchor may stand.
    next_anchor: u64,
    /// Where the line stands that is read.
    position: u64,
    /// The year in which the last stamp without one was put.
    year: i32,
    /// The last second worked out: neighbours share it.
    last: Option<(u64, Micros)>,
    /// The last midnight worked out, UTC.
    midnight: Option<((i32, u32, u32), Micros)>,
    /// The hours that happen twice in its zone.
    repeats: Arc<Repeats>,
    /// Where the file stands in the last of them.
    place: Option<Place>,
}

/// How far anchors stand apart, in bytes of the file.
const STEP: u64 = 64 * 1024;

impl Clock {
    /// A clock whose first stamp without a year is in the year that puts it nearest to the day `start` (in its own zone).
    pub fn new(zone: Zone, start: NaiveDate) -> Self {
        let anchor = (start.year(), ordinal(start.month(), start.day()).unwrap_or(1));
        let repeats = match zone {
            Zone::Named(tz) => Repeats::of(tz),
            Zone::Fixed(_) => Arc::default(),
        };
        Self { zone, anchor, next_anchor: 0, position: 0, year: start.year(), last: None, midnight: None, repeats, place: None }
    }

    /// Says where in the file the next line stands.
    pub fn seek(&mut self, position: u64) {
        self.position = position;
    }

    /// Whether the line that is read is the next anchor, if it has a stamp.
    pub fn is_due(&self) -> bool {
        self.position >= self.next_anchor
    }

    /// Takes the stamp of the line that is read as an anchor: its year, where it has one, month and day.
    pub fn anchor(&mut self, year: Option<i32>, month: u32, day: u32) {
        self.next_anchor = (self.position / STEP + 1) * STEP;
        if let Some(ordinal) = ordinal(month, day) {
            self.anchor = (year.unwrap_or_else(|| self.nearest_year(ordinal)), ordinal);
        }
    }

    /// Takes note of the stamp of the line that is read, where it is the clock of that line: which of its two moments a stamp of a repeated
    /// hour means is told by the lines before it. Every line that has a stamp comes here, and before its moment is asked for.
    pub fn watch(&mut self, stamp: &Stamp) {
        if stamp.offset.is_some() || !self.repeats.has_hour(stamp.hour) {
            return Place::leave(&mut self.place);
        }
        let year = stamp.year.or_else(|| Some(self.nearest_year(ordinal(stamp.month, stamp.day)?)));
        let date = year.and_then(|year| NaiveDate::from_ymd_opt(year, stamp.month, stamp.day));
        let wall = date.and_then(|date| date.and_hms_opt(stamp.hour, stamp.minute, stamp.second.min(59)));
        if wall.is_some_and(|wall| Place::step(&mut self.place, &self.repeats, wall)) {
            self.last = None;
        }
    }

    /// The line that is read has no stamp of a repeated hour.
    pub fn leave_repeat(&mut self) {
        Place::leave(&mut self.place);
    }

    /// Whether the line that was watched last stands in a repeated hour, and then whether the order of lines shows that it is of the second time.
    pub fn repeated_hour(&self) -> Option<bool> {
        Place::of_line(self.place)
    }

    /// Whether a stamp of this hour of the day may be of a repeated hour: only such lines need to be watched, and those behind them.
    pub fn may_repeat(&self, hour: u32) -> bool {
        self.repeats.has_hour(hour)
    }

    /// Moves over a chunk that begins at `offset`, from anchor to anchor. `stamp` gives the clock of a line that has one: the date of an anchor, and
    /// the stamp to watch.
    pub fn skip(&mut self, chunk: &[u8], offset: u64, stamp: impl Fn(&[u8]) -> Option<(Date, Option<Stamp>)>) {
        let end = offset + chunk.len() as u64;
        let mut hours = self.repeated_hours(chunk).into_iter().peekable();
        let mut watch = |clock: &mut Self, until: usize| {
            while let Some(at) = hours.next_if(|at| *at < until) {
                let (_, line) = lines(&chunk[at..]).next().unwrap_or_default();
                if let Some((_, Some(stamp))) = stamp(line) {
                    clock.watch(&stamp);
                }
            }
        };
        while self.next_anchor < end {
            let from = self.next_anchor.saturating_sub(offset) as usize;
            let start = memchr::memrchr(b'\n', &chunk[..from]).map_or(0, |i| i + 1);
            let behind = lines(&chunk[start..]).filter(|(at, _)| start + at >= from);
            let found = behind.filter_map(|(at, line)| Some((at, stamp(line)?.0))).next();
            let Some((at, (year, month, day))) = found else { break };
            watch(self, start + at);
            self.seek(offset + (start + at) as u64);
            self.anchor(year, month, day);
        }
        watch(self, usize::MAX);
    }

    /// Where lines of a chunk begin that may have a stamp of a repeated hour.
    fn repeated_hours(&self, chunk: &[u8]) -> Vec<usize> {
        let mut starts: Vec<usize> = Vec::new();
        for mark in self.repeats.marks() {
            let mut line_end = 0;
            for at in memchr::memmem::find_iter(chunk, mark.as_bytes()) {
                if at < line_end {
                    continue;
                }
                starts.push(memchr::memrchr(b'\n', &chunk[..at]).map_or(0, |i| i + 1));
                line_end = memchr::memchr(b'\n', &chunk[at..]).map_or(chunk.len(), |i| at + i);
            }
        }
        starts.sort_unstable();
        starts.dedup();
        starts
    }

    /// The year that puts a day nearest to the anchor.
    fn nearest_year(&self, ordinal: u32) -> i32 {
        let (year, anchor) = self.anchor;
        match i64::from(ordinal) - i64::from(anchor) {
            ..-183 => year + 1,
            184.. => year - 1,
            _ => year,
        }
    }

    /// A stamp that has its year.
    pub fn full(&mut self, year: i32, month: u32, day: u32, hour: u32, minute: u32, second: u32) -> Option<Micros> {
        let key = (year as u64) << 40
            | u64::from(month) << 32
            | u64::from(day) << 24
            | u64::from(hour) << 16
            | u64::from(minute) << 8
            | u64::from(second);
        if let Some((last, at)) = self.last
            && last == key
        {
            return Some(at);
        }
        // A leap second (60) is the second before it.
        let wall = NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, minute, second.min(59))?;
        let at = self.zone.to_utc(wall) + Place::later_by(self.place, wall);
        self.last = Some((key, at));
        Some(at)
    }

    /// A stamp that has year and zone: `offset` is in seconds east of UTC.
    #[expect(clippy::too_many_arguments, reason = "the seven numbers of a stamp")]
    pub fn at_offset(
        &mut self,
        year: i32,
        month: u32,
        day: u32,
        hour: u32,
        minute: u32,
        second: u32,
        offset: i32,
    ) -> Option<Micros> {
        let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second.min(59));
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let date = (year, month, day);
        let midnight = match self.midnight {
            Some((last, at)) if last == date => at,
            _ => {
                let at = NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros();
                self.midnight = Some((date, at));
                at
            }
        };
        Some(midnight + (seconds - i64::from(offset)) * SECOND)
    }

    /// A stamp without a year: in the year that is nearest to the last anchor.
    pub fn yearless(&mut self, month: u32, day: u32, hour: u32, minute: u32, second: u32) -> Option<Micros> {
        self.year = self.nearest_year(ordinal(month, day)?);
        self.full(self.year, month, day, hour, minute, second)
    }

    /// The year in which the last stamp without one was put.
    pub fn year(&self) -> i32 {
        self.year
    }
}

/// The day's number in a leap year, so that 29 February counts too.
fn ordinal(month: u32, day: u32) -> Option<u32> {
    Some(NaiveDate::from_ymd_opt(2000, month, day)?.ordinal())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).unwrap()
    }

    #[test]
    fn the_year_runs_on_over_new_year_and_back_for_a_late_line() {
        let mut clock = Clock::new(Zone::UTC, day(2026, 12, 31));
        let before = clock.yearless(12, 31, 23, 59, 59).unwrap();
        let after = clock.yearless(1, 1, 0, 0, 1).unwrap();
        assert_eq!(after - before, 2 * SECOND);
        assert_eq!(clock.yearless(12, 31, 23, 59, 59), Some(before));
        assert_eq!(clock.yearless(1, 1, 0, 0, 1), Some(after));
    }

    /// A line a day over three years, with a line far off now and then: read at once, or passed over in pieces.
    #[test]
    fn anchors_hold_the_year_over_years_however_the_file_is_cut() {
        let stamp = |line: &[u8]| {
            let text = std::str::from_utf8(line).ok()?;
            let (month, day) = text.split_once(' ')?.0.split_once('-')?;
            Some(((None, month.parse().ok()?, day.parse().ok()?), None))
        };
        let padding = "x".repeat(10_000);
        let days: Vec<NaiveDate> = day(2023, 11, 1).iter_days().take(1100).collect();
        let off = |i: usize| i % 50 == 49;
        let line = |(i, d): (usize, &NaiveDate)| {
            let shown = if off(i) { *d + chrono::Duration::days(170) } else { *d };
            format!("{}-{} {padding}\n", shown.month(), shown.day())
        };
        let log: String = days.iter().enumerate().map(line).collect();
        let mut whole = Clock::new(Zone::UTC, days[0]);
        let mut at = 0;
        for (i, text) in log.lines().enumerate() {
            whole.seek(at);
            at += text.len() as u64 + 1;
            let ((_, month, day), _) = stamp(text.as_bytes()).unwrap();
            if whole.is_due() {
                whole.anchor(None, month, day);
            }
            let moment = whole.yearless(month, day, 0, 0, 0).unwrap();
            if !off(i) {
                assert_eq!(moment, days[i].and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp_micros(), "{}", days[i]);
            }
        }
        for piece in [1, 7, 100] {
            let mut cut = Clock::new(Zone::UTC, days[0]);
            let mut offset = 0;
            let texts: Vec<&str> = log.split_inclusive('\n').collect();
            for chunk in texts.chunks(piece) {
                let chunk = chunk.concat();
                cut.skip(chunk.as_bytes(), offset, stamp);
                offset += chunk.len() as u64;
            }
            assert_eq!((cut.anchor, cut.next_anchor), (whole.anchor, whole.next_anchor), "{piece}");
        }
    }

    #[test]
    fn leap_days_and_bad_dates() {
        let mut clock = Clock::new(Zone::UTC, day(2024, 2, 28));
        assert!(clock.yearless(2, 29, 1, 0, 0).is_some());
        assert!(clock.yearless(2, 30, 1, 0, 0).is_none());
        assert!(clock.yearless(6, 1, 25, 0, 0).is_none());
    }

    #[test]
    fn zones() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let wall = day(2026, 7, 1).and_hms_opt(12, 0, 0).unwrap();
        assert_eq!(berlin.to_utc(wall), Zone::parse("+02:00").unwrap().to_utc(wall));
        assert_eq!(berlin.to_wall(berlin.to_utc(wall)), wall);
        assert!(Zone::parse("Europe/Atlantis").is_none());
        // Left out by spring, repeated in autumn: still a moment.
        let gap = day(2026, 3, 29).and_hms_opt(2, 30, 0).unwrap();
        assert_eq!(berlin.to_utc(gap), Zone::parse("+01:00").unwrap().to_utc(gap));
    }
}
