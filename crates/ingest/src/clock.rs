//! Stamps to moments: zones, and years for stamps that have none.
//!
//! `Nov 22 13:42:06` has neither year nor zone. The year comes from evidence outside the stamp (`year::Evidence`), then runs on with the
//! lines: a stamp more than half a year before the last one is in the next year. What is not here: finding the evidence.

use std::str::FromStr;

use bouncestat_record::time::{Micros, SECOND};
use chrono::{DateTime, Datelike, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

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

    /// The moment of a wall-clock time. In the repeated hour of autumn the first one; a time that spring left out, as if the clock had not been changed yet.
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

/// Turns the stamps of one file into moments, in the order of its lines.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The zone of stamps without one.
    pub zone: Zone,
    /// Year and day of the year of the last stamp without a year.
    year: i32,
    ordinal: u32,
    /// The last second worked out: neighbours share it.
    last: Option<(u64, Micros)>,
    /// The last midnight worked out, UTC.
    midnight: Option<((i32, u32, u32), Micros)>,
}

impl Clock {
    /// A clock whose first stamp without a year is nearest after or around the day `start` (in its own zone).
    pub fn new(zone: Zone, start: NaiveDate) -> Self {
        Self { zone, year: start.year(), ordinal: start.ordinal(), last: None, midnight: None }
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
        let at = self.zone.to_utc(wall);
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

    /// A stamp without a year: the year runs on from the stamp before.
    pub fn yearless(&mut self, month: u32, day: u32, hour: u32, minute: u32, second: u32) -> Option<Micros> {
        // Day of a leap year, so that 29 February counts too.
        let ordinal = NaiveDate::from_ymd_opt(2000, month, day)?.ordinal();
        let forward = i64::from(ordinal) - i64::from(self.ordinal);
        if forward < -183 {
            self.year += 1;
        } else if forward > 183 {
            self.year -= 1;
        }
        self.ordinal = ordinal;
        self.full(self.year, month, day, hour, minute, second)
    }

    /// The year in which the last stamp without one was put.
    pub fn year(&self) -> i32 {
        self.year
    }
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
