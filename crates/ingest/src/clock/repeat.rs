//! The hour that autumn repeats: `Oct 25 02:30:00` in Berlin is two moments, and a stamp without an offset does not say which.
//!
//! The order of lines tells: where stamps of such an hour step back, the second time has begun. That needs every line of the hour and no
//! other, so that chunks can be passed over quickly ([`Repeats::marks`]) and yet give the same. Where nothing steps back (a quiet
//! server, a file that begins inside the hour) the earlier moment is a guess, and the run says so. What is not here: hosts whose clocks are set at
//! different moments, in one file.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use bouncestat_record::time::{Micros, SECOND};
use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, Offset, TimeZone, Timelike};
use chrono_tz::Tz;

/// The years in which a zone's repeated hours are looked up.
const YEARS: std::ops::RangeInclusive<i32> = 1990..=2060;

/// Stamps step back by less than this where lines were only written out of order.
const JITTER: i64 = 120;

/// A stretch of wall-clock time that happens twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Repeat {
    /// Where it begins on the wall.
    from: NaiveDateTime,
    /// Where it ends on the wall: there the clock is set back to `from`.
    to: NaiveDateTime,
}

impl Repeat {
    fn holds(&self, wall: NaiveDateTime) -> bool {
        self.from <= wall && wall < self.to
    }
}

/// All repeated hours of a zone.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// In the order of time.
    list: Vec<Repeat>,
    /// The hours of the day in which any of them lies, one bit each.
    hours: u32,
}

impl Repeats {
    /// Those of a zone; none where its clocks are never set back. Looked up once a zone.
    pub fn of(zone: Tz) -> Arc<Self> {
        static KNOWN: LazyLock<Mutex<HashMap<Tz, Arc<Repeats>>>> = LazyLock::new(Mutex::default);
        let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.entry(zone).or_insert_with(|| Arc::new(Self::look_up(zone))).clone()
    }

    fn look_up(zone: Tz) -> Self {
        let mut repeats = Self::default();
        if zone == Tz::UTC {
            return repeats;
        }
        let offset = |at: NaiveDateTime| zone.offset_from_utc_datetime(&at).fix().local_minus_utc();
        let first = NaiveDate::from_ymd_opt(*YEARS.start(), 1, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN);
        let (mut day, mut before) = (first, offset(first));
        while day.year() <= *YEARS.end() {
            let next = day + Duration::days(1);
            let after = offset(next);
            if after < before {
                // The second at which the clock is set back.
                let (mut low, mut high) = (day, next);
                while high - low > Duration::seconds(1) {
                    let middle = low + (high - low) / 2;
                    let middle = middle.with_nanosecond(0).unwrap_or(middle);
                    if offset(middle) == before { low = middle } else { high = middle }
                }
                let at = |seconds: i32| high + Duration::seconds(i64::from(seconds));
                repeats.push(Repeat { from: at(after), to: at(before) });
            }
            (day, before) = (next, after);
        }
        repeats
    }

    fn push(&mut self, repeat: Repeat) {
        let mut wall = repeat.from;
        while wall < repeat.to {
            self.hours |= 1 << wall.hour();
            wall += Duration::minutes(15);
        }
        self.list.push(repeat);
    }

    /// Whether a repeated hour of any day may hold a stamp of this hour.
    pub fn has_hour(&self, hour: u32) -> bool {
        hour < 24 && self.hours & (1 << hour) != 0
    }

    /// What a stamp inside a repeated hour looks like from its hour on: ` 02:` and the like.
    pub fn marks(&self) -> impl Iterator<Item = String> + '_ {
        let hours = (0..24).filter(|hour| self.has_hour(*hour));
        hours.flat_map(|hour| [' ', 'T', 't'].map(|before| format!("{before}{hour:02}:")))
    }

    fn find(&self, wall: NaiveDateTime) -> Option<Repeat> {
        let at = self.list.partition_point(|repeat| repeat.to <= wall);
        self.list.get(at).copied().filter(|repeat| repeat.holds(wall))
    }
}

/// Where a file stands in a repeated hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    repeat: Repeat,
    /// The latest stamp of the first time.
    latest: NaiveDateTime,
    /// Whether stamps stepped back.
    second: bool,
    /// Whether the last line that was looked at stands in it.
    here: bool,
}

impl Place {
    /// Moves on to a line with this stamp; whether the second time begins with it.
    pub fn step(place: &mut Option<Self>, repeats: &Repeats, wall: NaiveDateTime) -> bool {
        let Some(repeat) = repeats.find(wall) else {
            Self::leave(place);
            return false;
        };
        match place {
            Some(place) if place.repeat == repeat => {
                place.here = true;
                let steps_back = !place.second && (place.latest - wall).num_seconds() > JITTER;
                place.second |= steps_back;
                place.latest = place.latest.max(wall);
                steps_back
            }
            _ => {
                *place = Some(Self { repeat, latest: wall, second: false, here: true });
                false
            }
        }
    }

    /// The line that is looked at stands outside.
    pub fn leave(place: &mut Option<Self>) {
        if let Some(place) = place {
            place.here = false;
        }
    }

    /// Whether the last line stands inside, and then whether it is of the second time.
    pub fn of_line(place: Option<Self>) -> Option<bool> {
        place.filter(|place| place.here).map(|place| place.second)
    }

    /// How much later a stamp is than its earlier moment.
    pub fn later_by(place: Option<Self>, wall: NaiveDateTime) -> Micros {
        match place {
            Some(Self { second: true, repeat, .. }) if repeat.holds(wall) => (repeat.to - repeat.from).num_seconds() * SECOND,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_and_their_hours() {
        let shown = |zone: Tz, year: i32| {
            let repeats = Repeats::of(zone);
            let of_year: Vec<_> = repeats.list.iter().filter(|r| r.from.year() == year).map(|r| (r.from, r.to)).collect();
            format!("{of_year:?}")
        };
        assert_eq!(shown(Tz::Europe__Berlin, 2026), "[(2026-10-25T02:00:00, 2026-10-25T03:00:00)]");
        assert_eq!(shown(Tz::America__New_York, 2026), "[(2026-11-01T01:00:00, 2026-11-01T02:00:00)]");
        assert_eq!(shown(Tz::Australia__Lord_Howe, 2026), "[(2026-04-05T01:30:00, 2026-04-05T02:00:00)]");
        assert_eq!(shown(Tz::UTC, 2026), "[]");
        assert_eq!(shown(Tz::Asia__Tokyo, 2026), "[]");
        let berlin = Repeats::of(Tz::Europe__Berlin);
        assert!(berlin.has_hour(2) && !berlin.has_hour(3) && !berlin.has_hour(99));
    }
}
