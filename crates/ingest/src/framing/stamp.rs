//! The stamps of syslogs, read by hand: `Nov 22 13:42:06`, `2026-11-17T00:00:05.123456+01:00`, `2013 Jun 10 06:27:30.123`.

use std::fmt::Write as _;

use bouncestat_record::time::{Micros, SECOND};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};

use crate::clock::Clock;

/// A stamp as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The year, where it is written.
    pub year: Option<i32>,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 60.
    pub second: u32,
    /// The fraction in microseconds.
    pub micros: i64,
    /// Seconds east of UTC, where written.
    pub offset: Option<i32>,
}

impl Stamp {
    /// Reads a stamp at the start of `text`; gives it and its length.
    pub fn read(text: &[u8]) -> Option<(Self, usize)> {
        match *text.first()? {
            b'A'..=b'Z' if text.get(8) == Some(&b'-') => Self::weekday_first(text),
            b'A'..=b'Z' => Self::month_first(text, None),
            b'0'..=b'9' if text.get(4) == Some(&b'-') => Self::iso(text),
            b'0'..=b'9' if text.get(4) == Some(&b' ') => {
                let year = number(text, 0, 4)? as i32;
                let (stamp, end) = Self::month_first(&text[5..], Some(year))?;
                Some((stamp, end + 5))
            }
            b'0'..=b'9' if text.get(10) == Some(&b'.') => Self::unix(text),
            _ => None,
        }
    }

    /// `Nov 22 13:42:06[.123]`, the day padded with a blank or a zero.
    fn month_first(text: &[u8], year: Option<i32>) -> Option<(Self, usize)> {
        if text.len() < 15 || text[3] != b' ' || text[6] != b' ' {
            return None;
        }
        let month = month(&text[..3])?;
        let day = if text[4] == b' ' { number(text, 5, 1)? } else { number(text, 4, 2)? };
        let (hour, minute, second) = clock_time(&text[7..])?;
        let (micros, used) = fraction(&text[15..]);
        Some((Self { year, month, day, hour, minute, second, micros, offset: None }, 15 + used))
    }

    /// `2026-11-17T00:00:05[.123456][Z|+01:00|+0100]`; a blank may stand for the `T`.
    fn iso(text: &[u8]) -> Option<(Self, usize)> {
        if text.len() < 19 || text[7] != b'-' || !matches!(text[10], b'T' | b' ' | b't') {
            return None;
        }
        let year = number(text, 0, 4)? as i32;
        let (month, day) = (number(text, 5, 2)?, number(text, 8, 2)?);
        let (hour, minute, second) = clock_time(&text[11..])?;
        let (micros, used) = fraction(&text[19..]);
        let mut end = 19 + used;
        let offset = match text.get(end) {
            Some(b'Z' | b'z') => {
                end += 1;
                Some(0)
            }
            Some(sign @ (b'+' | b'-')) => {
                let hours = number(text, end + 1, 2)?;
                let colon = usize::from(text.get(end + 3) == Some(&b':'));
                let minutes = number(text, end + 3 + colon, 2)?;
                end += 5 + colon;
                let seconds = (hours * 3600 + minutes * 60) as i32;
                Some(if *sign == b'-' { -seconds } else { seconds })
            }
            _ => None,
        };
        Some((Self { year: Some(year), month, day, hour, minute, second, micros, offset }, end))
    }

    /// `Sun 2026-11-22 13:42:06 CET`, of `journalctl -o short-full`. A zone's name is only known where it is that of UTC.
    fn weekday_first(text: &[u8]) -> Option<(Self, usize)> {
        let weekday = text.get(..4)?;
        if weekday[3] != b' ' || !weekday[..3].iter().all(u8::is_ascii_alphabetic) {
            return None;
        }
        let (mut stamp, end) = Self::iso(&text[4..])?;
        let rest = text[4 + end..].strip_prefix(b" ")?;
        let zone = &rest[..rest.iter().take(7).position(|&b| b == b' ')?];
        stamp.offset = match zone {
            b"UTC" | b"GMT" => Some(0),
            [sign @ (b'+' | b'-'), digits @ ..] if matches!(digits.len(), 2 | 4) => {
                let seconds = number(digits, 0, 2)? * 3600 + if digits.len() == 4 { number(digits, 2, 2)? * 60 } else { 0 };
                Some(if *sign == b'-' { -(seconds as i32) } else { seconds as i32 })
            }
            name if name.iter().all(u8::is_ascii_alphabetic) => None,
            _ => return None,
        };
        Some((stamp, 4 + end + 1 + zone.len()))
    }

    /// `1795354926.423193`, of `journalctl -o short-unix`.
    fn unix(text: &[u8]) -> Option<(Self, usize)> {
        let seconds: i64 = std::str::from_utf8(&text[..10]).ok()?.parse().ok()?;
        let wall = DateTime::from_timestamp(seconds, 0)?.naive_utc();
        let (micros, used) = fraction(&text[10..]);
        let stamp = Self {
            year: Some(wall.year()),
            month: wall.month(),
            day: wall.day(),
            hour: wall.hour(),
            minute: wall.minute(),
            second: wall.second(),
            micros,
            offset: Some(0),
        };
        (used > 0).then_some((stamp, 10 + used))
    }

    /// The same stamp with what the stamp of a wrapper around its line knows: the year, and the zone where the two were written together.
    pub fn lent(mut self, outer: &Stamp) -> Self {
        let Some(outer_year) = outer.year else { return self };
        if self.year.is_none() {
            // Written within half a year of each other.
            let months = i64::from(outer.month) - i64::from(self.month);
            self.year = Some(outer_year + i32::from(months > 6) - i32::from(months < -6));
        }
        if let (None, Some(outer_offset), Some(inner), Some(around)) = (self.offset, outer.offset, self.wall(), outer.wall()) {
            // The wrapper writes at once: what is left of whole quarters of an hour is the way between the two.
            let distance = (inner - around).num_seconds() + i64::from(outer_offset);
            let rounded = (distance as f64 / 900.0).round() as i64 * 900;
            if (distance - rounded).abs() <= 120 && rounded.abs() <= 14 * 3600 {
                self.offset = i32::try_from(rounded).ok();
            }
        }
        self
    }

    /// The stamp as RFC 3339 writes it, as far as it is known.
    pub fn rfc3339(&self) -> String {
        let mut text = format!("{:04}-{:02}-{:02}T", self.year.unwrap_or_default(), self.month, self.day);
        let _ = write!(text, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second);
        if self.micros > 0 {
            let _ = write!(text, ".{:06}", self.micros);
        }
        if let Some(offset) = self.offset {
            let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
            let _ = write!(text, "{sign}{:02}:{:02}", minutes / 60, minutes % 60);
        }
        text
    }

    fn wall(&self) -> Option<NaiveDateTime> {
        NaiveDate::from_ymd_opt(self.year?, self.month, self.day)?.and_hms_opt(self.hour, self.minute, self.second.min(59))
    }

    /// Year, month and day, as a clock takes them for an anchor.
    pub fn date(&self) -> (Option<i32>, u32, u32) {
        (self.year, self.month, self.day)
    }

    /// The moment, by the clock of its file. `None` for a date that does not exist.
    pub fn at(&self, clock: &mut Clock) -> Option<Micros> {
        let whole = match (self.year, self.offset) {
            (Some(year), Some(offset)) => {
                clock.at_offset(year, self.month, self.day, self.hour, self.minute, self.second, offset)?
            }
            (Some(year), None) => clock.full(year, self.month, self.day, self.hour, self.minute, self.second)?,
            (None, _) => clock.yearless(self.month, self.day, self.hour, self.minute, self.second)?,
        };
        Some(whole + self.micros)
    }
}

fn clock_time(text: &[u8]) -> Option<(u32, u32, u32)> {
    if text.len() < 8 || text[2] != b':' || text[5] != b':' {
        return None;
    }
    Some((number(text, 0, 2)?, number(text, 3, 2)?, number(text, 6, 2)?))
}

/// `.123456` as microseconds, and its length; digits past the sixth are dropped.
fn fraction(text: &[u8]) -> (Micros, usize) {
    if !matches!(text.first(), Some(b'.' | b',')) {
        return (0, 0);
    }
    let digits = text[1..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut unit = SECOND / 10;
    let mut micros = 0;
    for b in &text[1..1 + digits] {
        micros += i64::from(b - b'0') * unit;
        unit /= 10;
    }
    if digits == 0 { (0, 0) } else { (micros, digits + 1) }
}

fn number(text: &[u8], start: usize, digits: usize) -> Option<u32> {
    let text = text.get(start..start + digits)?;
    text.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
}

fn month(name: &[u8]) -> Option<u32> {
    const NAMES: [&[u8; 3]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    NAMES.iter().position(|n| n.as_slice() == name).map(|i| i as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Zone;

    #[track_caller]
    fn check(text: &str, rfc3339: &str) {
        let (stamp, end) = Stamp::read(text.as_bytes()).expect(text);
        assert_eq!(end, text.len(), "{text}");
        let mut clock = Clock::new(Zone::UTC, NaiveDate::from_ymd_opt(2026, 11, 1).unwrap());
        let want = DateTime::parse_from_rfc3339(rfc3339).unwrap().timestamp_micros();
        assert_eq!(stamp.at(&mut clock), Some(want), "{text}");
    }

    #[test]
    fn forms() {
        check("Nov  2 13:42:06", "2026-11-02T13:42:06Z");
        check("Nov 02 13:42:06", "2026-11-02T13:42:06Z");
        check("2026-11-17T00:00:05.123456+01:00", "2026-11-16T23:00:05.123456Z");
        check("2026-11-17T00:00:05.5-0530", "2026-11-17T05:30:05.5Z");
        check("2026-11-17 00:00:05,123Z", "2026-11-17T00:00:05.123Z");
        check("2013 Jun 10 06:27:30.123", "2013-06-10T06:27:30.123Z");
        check("1795354926.423193", "2026-11-22T13:42:06.423193Z");
    }

    #[test]
    fn a_weekday_and_a_zone() {
        for (text, offset) in [("UTC", Some(0)), ("CET", None), ("+03", Some(10_800)), ("-0330", Some(-12_600))] {
            let line = format!("Sun 2026-11-22 13:42:06 {text} lab x");
            let (stamp, end) = Stamp::read(line.as_bytes()).expect(text);
            assert_eq!((stamp.rfc3339().get(..19), stamp.offset, &line[end..]), (Some("2026-11-22T13:42:06"), offset, " lab x"));
        }
        assert_eq!(Stamp::read(b"Sun 2026-11-22 13:42:06"), None);
        assert_eq!(Stamp::read(b"1795354926.x"), None);
    }

    #[test]
    fn bad_dates_are_no_moments() {
        let mut clock = Clock::new(Zone::UTC, NaiveDate::from_ymd_opt(2026, 11, 1).unwrap());
        let (stamp, _) = Stamp::read(b"2026-02-30T00:00:00Z").unwrap();
        assert_eq!(stamp.at(&mut clock), None);
        assert_eq!(Stamp::read(b"Nov 22 1x:42:06"), None);
    }
}
