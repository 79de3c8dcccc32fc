//! Exchange's stamp to a moment. Not here: zones; tracking is always UTC.
//!
//! `2025-03-04T07:21:33.118Z`

use bouncestat_record::time::{DAY, Micros, SECOND};

/// Reads `yyyy-MM-ddTHH:mm:ss[.fraction][Z]` and nothing else.
pub(super) fn read(stamp: &[u8]) -> Option<Micros> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', i0, i1, b':', s0, s1, rest @ ..] = stamp else {
        return None;
    };
    let year = two(*y0, *y1)? * 100 + two(*y2, *y3)?;
    let (month, day) = (two(*m0, *m1)?, two(*d0, *d1)?);
    let (hour, minute, second) = (two(*h0, *h1)?, two(*i0, *i1)?, two(*s0, *s1)?);
    if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let rest = rest.strip_suffix(b"Z").unwrap_or(rest);
    let fraction = match rest {
        [] => 0,
        [b'.', digits @ ..] if !digits.is_empty() => micros(digits)?,
        _ => return None,
    };
    Some(days(year, month, day) * DAY + ((hour * 60 + minute) * 60 + second) * SECOND + fraction)
}

fn two(a: u8, b: u8) -> Option<i64> {
    (a.is_ascii_digit() && b.is_ascii_digit()).then(|| i64::from(a - b'0') * 10 + i64::from(b - b'0'))
}

/// A fraction of a second in microseconds; finer digits are cut off.
fn micros(digits: &[u8]) -> Option<Micros> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let six = digits.iter().copied().chain(std::iter::repeat(b'0')).take(6);
    Some(six.fold(0, |n, digit| n * 10 + i64::from(digit - b'0')))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a day of the Gregorian calendar, counted in years that begin in March: the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, NaiveDate};

    #[test]
    fn every_day_is_as_the_calendar_library_has_it() {
        for (date, n) in NaiveDate::from_ymd_opt(1899, 12, 28).unwrap().iter_days().zip(0..).take(100_000) {
            let stamp = format!("{date}T00:00:00Z");
            assert_eq!(read(stamp.as_bytes()), Some((n - 25_571) * DAY), "{date}");
        }
    }

    #[test]
    fn moments_and_nonsense() {
        let exact = DateTime::parse_from_rfc3339("2025-03-04T07:21:33.118Z").unwrap().timestamp_micros();
        for same in ["2025-03-04T07:21:33.118Z", "2025-03-04T07:21:33.118", "2025-03-04T07:21:33.1180000Z"] {
            assert_eq!(read(same.as_bytes()), Some(exact), "{same}");
        }
        for no in [
            "",
            "2025-03-04",
            "2025-03-04 07:21:33Z",
            "2025-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-03-04T24:00:00Z",
            "2025-03-04T07:21:33.Z",
            "2025-03-04T07:21:33.1x8Z",
            "2025-03-04T07:21:33.118+01:00",
            "2025-03-04T07:2é:33Z",
        ] {
            assert_eq!(read(no.as_bytes()), None, "{no}");
        }
    }
}
