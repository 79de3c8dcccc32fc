//! Times as people type them: `24h`, `7d`, `2w`, `today`, `yesterday`, `13:42`, `2026-11-20`, `2026-11-20 13:00`, RFC 3339.

use anyhow::{Result, anyhow};
use bouncestat_ingest::clock::Zone;
use bouncestat_record::time::{DAY, Micros, SECOND};
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime};

/// What `--option TEXT` means when it is `now`, in the zone of the user.
pub fn parse(option: &str, text: &str, now: Micros, zone: Zone) -> Result<Micros> {
    read(text.trim(), now, zone).ok_or_else(|| {
        anyhow!(
            "{option} {text:?} is no time; write a span back from now (24h, 7d, 2w, 90m), today, yesterday, \
             a time of day (13:42), a date (2026-11-20), a date and time (\"2026-11-20 13:00\") or RFC 3339 (2026-11-20T13:00:00Z)"
        )
    })
}

fn read(text: &str, now: Micros, zone: Zone) -> Option<Micros> {
    let today = zone.to_wall(now).date();
    let midnight = |day: NaiveDate| day.and_hms_opt(0, 0, 0).map(|wall| zone.to_utc(wall));
    match text {
        "now" => return Some(now),
        "today" => return midnight(today),
        "yesterday" => return midnight(today.checked_sub_days(Days::new(1))?),
        _ => {}
    }
    if let Some(span) = span(text) {
        return now.checked_sub(span);
    }
    if let Some(clock) = time_of_day(text) {
        // The last one that is over: at 9 in the morning, 13:42 is yesterday's.
        let at = |day: NaiveDate| zone.to_utc(day.and_time(clock));
        return Some(at(today)).filter(|at| *at <= now).or_else(|| Some(at(today.checked_sub_days(Days::new(1))?)));
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return midnight(day);
    }
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.timestamp_micros());
    }
    ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|wall| zone.to_utc(wall))
}

/// `13:42`, `13:42:10`.
pub fn time_of_day(text: &str) -> Option<NaiveTime> {
    ["%H:%M", "%H:%M:%S"].iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok())
}

/// `24h`, `7d`, `2w`, `90m`, `30s`, and several together (`1d12h`).
pub fn span(text: &str) -> Option<Micros> {
    let mut total: Micros = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: Micros = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes().get(digits)? {
            b's' => SECOND,
            b'm' => 60 * SECOND,
            b'h' => 3600 * SECOND,
            b'd' => DAY,
            b'w' => 7 * DAY,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        let at = |t: &str| DateTime::parse_from_rfc3339(t).unwrap().timestamp_micros();
        let zone = Zone::parse("Europe/Berlin").unwrap();
        let got = parse("--since", text, at("2026-11-22T15:00:00Z"), zone).ok();
        assert_eq!(got, want.map(at), "{text}");
    }

    #[test]
    fn forms() {
        check("24h", Some("2026-11-21T15:00:00Z"));
        check("1d12h", Some("2026-11-21T03:00:00Z"));
        check("2w", Some("2026-11-08T15:00:00Z"));
        check("today", Some("2026-11-21T23:00:00Z"));
        check("yesterday", Some("2026-11-20T23:00:00Z"));
        check("13:42", Some("2026-11-22T12:42:00Z"));
        check("16:42:10", Some("2026-11-21T15:42:10Z"));
        check("2026-07-20", Some("2026-07-19T22:00:00Z"));
        check("2026-11-20 13:00", Some("2026-11-20T12:00:00Z"));
        check("2026-11-20T13:00:00+03:00", Some("2026-11-20T10:00:00Z"));
        for wrong in ["", "24", "h", "tomorrow", "2026-13-01", "-5h", "99999999999999999999d", "9999999999w", "24x", "25:00", "ä"]
        {
            check(wrong, None);
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in ".{0,40}") {
            let _ = parse("--since", &text, 0, Zone::UTC);
        }
    }
}
