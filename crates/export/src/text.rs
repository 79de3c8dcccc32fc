//! How single values look: moments, days, numbers, and texts that must not harm what shows them.

use std::borrow::Cow;
use std::fmt::Write;

use bouncestat_aggregation::Value;
use bouncestat_record::time::{DAY, Micros, SECOND};

/// A moment as RFC 3339 in UTC: `2026-11-22T03:04:05Z`, with a fraction only where it is not zero.
///
/// ```
/// assert_eq!(bouncestat_export::rfc3339(1_500_000), "1970-01-01T00:00:01.5Z");
/// ```
pub fn rfc3339(at: Micros) -> String {
    let mut text = String::with_capacity(27);
    push_rfc3339(&mut text, at);
    text
}

/// The same at the end of a text. By hand, as an export has millions of them.
fn push_rfc3339(text: &mut String, at: Micros) {
    let (seconds, micros) = (at.div_euclid(SECOND), at.rem_euclid(SECOND));
    let of_day = seconds.rem_euclid(DAY / SECOND);
    push_date(text, at.div_euclid(DAY));
    for (mark, n) in [('T', of_day / 3600), (':', of_day / 60 % 60), (':', of_day % 60)] {
        text.push(mark);
        push_digits(text, n, 2);
    }
    if micros != 0 {
        text.push('.');
        push_digits(text, micros, 6);
        text.truncate(text.trim_end_matches('0').len());
    }
    text.push('Z');
}

/// A number that is not negative, with leading zeros.
fn push_digits(text: &mut String, n: i64, width: u32) {
    for place in (0..width).rev() {
        text.push(char::from(b'0' + (n / 10i64.pow(place) % 10) as u8));
    }
}

/// A day, counted from 1970-01-01, in the proleptic Gregorian calendar: `2026-11-22`.
///
/// The algorithm is Howard Hinnant's `civil_from_days`, <https://howardhinnant.github.io/date_algorithms.html>.
pub(crate) fn push_date(text: &mut String, days: i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if (0..=9999).contains(&year) {
        push_digits(text, year, 4);
    } else {
        let _ = write!(text, "{year:04}");
    }
    text.push('-');
    push_digits(text, month, 2);
    text.push('-');
    push_digits(text, day, 2);
}

/// A moment as RFC 5322 (once RFC 2822) writes it, in UTC: `Sun, 22 Nov 2026 03:04:05 +0000`.
pub(crate) fn rfc2822(at: Micros) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let whole = rfc3339(at - at.rem_euclid(SECOND));
    let (date, time) = whole.trim_end_matches('Z').split_once('T').unwrap_or_default();
    let mut parts = date.rsplitn(3, '-');
    let (day, month, year) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let month = month.parse::<usize>().ok().and_then(|m| MONTHS.get(m.wrapping_sub(1))).unwrap_or(&"");
    let weekday = DAYS[at.div_euclid(DAY).rem_euclid(7) as usize];
    format!("{weekday}, {day} {month} {year} {time} +0000")
}

/// Writes a value as a flat format holds it at the end of a text; nothing where it is missing. Lists are joined by `"; "`.
pub(crate) fn push_flat(text: &mut String, value: Value<'_>) {
    let _ = match value {
        Value::Null => Ok(()),
        Value::Utf8(value) => text.write_str(value),
        Value::Int64(n) => write!(text, "{n}"),
        // Rust prints the shortest text that reads back as the same number.
        Value::Float64(n) => write!(text, "{n}"),
        Value::Boolean(b) => write!(text, "{b}"),
        Value::Date(days) => {
            push_date(text, i64::from(days));
            Ok(())
        }
        Value::Timestamp(at) => {
            push_rfc3339(text, at);
            Ok(())
        }
        Value::Utf8List(texts) => text.write_str(&texts.join("; ")),
    };
}

/// A count with its thousands parted: `12,345`.
pub fn count(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::from(if n < 0 { "-" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A fraction in percent, two decimals, without the sign.
pub(crate) fn percent(fraction: f64) -> String {
    format!("{:.2}", fraction * 100.0)
}

/// A length of time for people.
pub fn duration(ms: i64) -> String {
    let seconds = ms as f64 / 1000.0;
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{seconds:.1} s"),
        60_000..3_600_000 => format!("{:.1} min", seconds / 60.0),
        3_600_000..86_400_000 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.1} d", seconds / 86_400.0),
    }
}

/// A text from a log on one line, safe for a terminal: control characters, and those that turn the direction of writing, become
/// U+FFFD, so that no reply can move the cursor, colour the screen or hide itself.
pub fn printable(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{061C}' | '\u{FEFF}')
    };
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let shown = text.chars().map(|c| match c {
        '\t' | '\n' | '\r' => ' ',
        c if harmful(c) => '\u{FFFD}',
        c => c,
    });
    Cow::Owned(shown.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_days() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_795_348_799_123_450), "2026-11-22T11:59:59.12345Z");
        assert_eq!(rfc3339(951_782_400 * SECOND), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(rfc3339(4_107_542_400 * SECOND), "2100-03-01T00:00:00Z");
        assert_eq!(rfc2822(1_795_348_799_123_450), "Sun, 22 Nov 2026 11:59:59 +0000");
        assert_eq!(rfc2822(-1), "Wed, 31 Dec 1969 23:59:59 +0000");
        // Every day of 800 years follows the one before it.
        let date = |day| {
            let mut text = String::new();
            push_date(&mut text, day);
            text
        };
        let mut last = date(-146_097);
        for day in -146_096..146_097 {
            let next = date(day);
            assert!(next > last, "{last} {next}");
            last = next;
        }
    }

    #[test]
    fn numbers_for_people() {
        assert_eq!(
            (count(0), count(999), count(1_000), count(-1_234_567)),
            ("0".into(), "999".into(), "1,000".into(), "-1,234,567".into())
        );
        assert_eq!((duration(999), duration(90_000), duration(90_000_000)), ("999 ms".into(), "1.5 min".into(), "1.0 d".into()));
    }

    #[test]
    fn a_reply_cannot_drive_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\u{9b}c\r\nd\u{202e}e"), "a\u{FFFD}[2Jb\u{FFFD}c  d\u{FFFD}e");
        assert_eq!(printable("Grüße 你好"), "Grüße 你好");
    }
}
