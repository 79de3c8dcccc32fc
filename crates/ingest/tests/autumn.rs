//! The hour that autumn repeats: a log without offsets gives what the same log gives with them, however it is cut.

mod harness;

use std::fs;

use bouncestat_ingest::clock::Zone;
use bouncestat_ingest::join::remarks::Remarks;
use bouncestat_ingest::join::window::Window;
use chrono::{DateTime, Duration, FixedOffset};

use harness::{Part, read, read_in, sample};

/// Stamps of Postfix through a syslog, with the year in the file's name; Exim's own; the same with an offset.
#[derive(Clone, Copy)]
enum Form {
    Syslog,
    Exim,
    EximInSyslog,
}

/// A night in Berlin: a delivery every `step` minutes from 00:00 UTC on the 24th to the 26th, with `padding` lines of no interest behind each.
fn night(form: Form, step: i64, padding: usize, offsets: bool) -> String {
    let mut at = DateTime::parse_from_rfc3339("2026-10-24T12:00:00Z").unwrap();
    let end = DateTime::parse_from_rfc3339("2026-10-26T00:00:00Z").unwrap();
    let back = DateTime::parse_from_rfc3339("2026-10-25T01:00:00Z").unwrap();
    let mut log = String::new();
    let mut n = 0;
    while at < end {
        let zone = FixedOffset::east_opt(if at < back { 7200 } else { 3600 }).unwrap();
        let wall = at.with_timezone(&zone);
        let syslog = wall.format(if offsets { "%Y-%m-%dT%H:%M:%S%:z" } else { "%b %e %H:%M:%S" });
        let exim = wall.format(if offsets { "%Y-%m-%d %H:%M:%S %z" } else { "%Y-%m-%d %H:%M:%S" });
        // Two lines that a syslog wrote out of order by some seconds.
        let late = (wall - Duration::seconds(if n % 3 == 1 { 7 } else { 0 })).format("%b %e %H:%M:%S");
        let late = if offsets { syslog.to_string() } else { late.to_string() };
        log += &match form {
            Form::Syslog => format!(
                "{syslog} mx postfix/qmgr[1]: {n:05X}0000000: from=<s@s.test>, size=1, nrcpt=1 (queue active)\n\
                 {late} mx postfix/anvil[2]: statistics\n\
                 {syslog} mx postfix/smtp[3]: {n:05X}0000000: to=<r{n}@a.test>, relay=mx.a.test[192.0.2.1]:25, delay=1, \
                 delays=1/0/0/0, dsn=2.0.0, status=sent (250 ok)\n{syslog} mx postfix/qmgr[1]: {n:05X}0000000: removed\n"
            ),
            Form::Exim | Form::EximInSyslog => {
                let front = if matches!(form, Form::Exim) {
                    String::new()
                } else {
                    format!("{} mx exim[7]: ", wall.format("%b %e %H:%M:%S"))
                };
                let id = format!("1xV{:03}-00060W-1p", n);
                format!(
                    "{front}{exim} {id} <= s@s.test U=s P=local S=9\n{front}{exim} {id} => r{n}@a.test R=r T=t H=h [192.0.2.1] C=\"250 ok\"\n{front}{exim} {id} Completed\n"
                )
            }
        };
        for i in 0..padding {
            log += &format!("{late} mx other[{i}]: at 02:00:00 nothing was said of any mail, and at length\n");
        }
        n += 1;
        at += Duration::minutes(step);
    }
    log
}

fn read_night(log: &str, chunk: usize) -> (Part, Remarks) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mx").join("maillog-20261026");
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, log).unwrap();
    let (part, summary) = read_in(Zone::parse("Europe/Berlin").unwrap(), &[path], chunk, Window::default());
    assert_eq!(summary.problems, []);
    (part, summary.remarks)
}

#[test]
fn the_second_time_is_told_by_the_order_of_lines() {
    for form in [Form::Syslog, Form::Exim, Form::EximInSyslog] {
        for (step, padding) in [(7, 0), (7, 40), (1, 3)] {
            let (want, known) = read_night(&night(form, step, padding, true), 1 << 20);
            let log = night(form, step, padding, false);
            if !matches!(form, Form::EximInSyslog) {
                assert!(known.repeated_hours.is_empty(), "offsets leave nothing to tell");
            }
            assert!(want.outcomes["delivered"] > 300);
            for chunk in [1 << 20, 10_000, 300] {
                let (got, remarks) = read_night(&log, chunk);
                assert_eq!(got.deliveries, want.deliveries, "every {step} minutes, in chunks of {chunk}");
                let (before, behind) = remarks.repeated_hours[&0];
                assert!(before > 0 && before.abs_diff(behind) <= 3, "{before} {behind}");
            }
        }
    }
}

/// A line in each of the two hours, and the second one later on the clock: nothing steps back.
#[test]
fn what_cannot_be_told_is_the_earlier_one_and_said() {
    let line = |stamp: &str, id: &str| {
        format!(
            "{stamp} mx postfix/smtp[3]: {id}: to=<r@a.test>, relay=h[192.0.2.1]:25, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 ok)\n"
        )
    };
    let log = line("Oct 25 02:10:00", "AAAAA0000001") + &line("Oct 25 02:40:00", "AAAAA0000002");
    let (got, remarks) = read_night(&log, 1 << 20);
    assert_eq!(remarks.repeated_hours[&0], (2, 0));
    let first = DateTime::parse_from_rfc3339("2026-10-25T00:10:00Z").unwrap().timestamp();
    assert!(got.deliveries[0].ends_with(&format!("Some({first})")), "{:?}", got.deliveries);
}

/// Of a log of another day only the moments are others.
#[test]
fn other_days_say_nothing_of_it() {
    let path = [sample("postfix/lab-short/maillog")];
    let (utc, _) = read(&path, 1 << 20, Window::default());
    let (berlin, summary) = read_in(Zone::parse("Europe/Berlin").unwrap(), &path, 1 << 20, Window::default());
    assert_eq!(berlin.outcomes, utc.outcomes);
    assert_ne!(berlin.deliveries, utc.deliveries);
    assert_eq!(summary.remarks, Remarks::default());
}
