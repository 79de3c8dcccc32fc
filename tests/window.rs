//! `--since`, `--until`, `--as-of`: what counts when only a part of the log is looked at.
//!
//! One handmade log: what happens to each recipient stands in its lines.

use serde_json::Value;

use crate::common::{Folder, Ran, run, total};

/// Stamps with year and zone, so that no evidence is needed.
const LOG: &str = "\
2026-11-20T10:00:00+00:00 mx1 postfix/smtpd[7]: AAAA000001: client=app[192.0.2.7]
2026-11-20T10:00:00+00:00 mx1 postfix/qmgr[1]: AAAA000001: from=<news@sender.example>, size=900, nrcpt=1 (queue active)
2026-11-20T10:00:05+00:00 mx1 postfix/smtp[2]: AAAA000001: to=<slow@late.example>, relay=none, delay=5, delays=0/0/5/0, dsn=4.4.1, status=deferred (connect to mx.late.example[192.0.2.1]:25: Connection refused)
2026-11-20T11:00:00+00:00 mx1 postfix/smtpd[7]: BBBB000001: client=app[192.0.2.7]
2026-11-20T11:00:00+00:00 mx1 postfix/qmgr[1]: BBBB000001: from=<news@sender.example>, size=900, nrcpt=1 (queue active)
2026-11-20T11:00:05+00:00 mx1 postfix/smtp[2]: BBBB000001: to=<gone@dead.example>, relay=none, delay=5, delays=0/0/5/0, dsn=4.4.1, status=deferred (connect to mx.dead.example[192.0.2.2]:25: Connection timed out)
2026-11-20T12:00:00+00:00 mx1 postfix/qmgr[1]: CCCC000001: from=<>, size=900, nrcpt=1 (queue active)
2026-11-20T12:00:05+00:00 mx1 postfix/smtp[2]: CCCC000001: to=<note@sender.example>, relay=none, delay=5, delays=0/0/5/0, dsn=4.4.1, status=deferred (connect to mx.sender.example[192.0.2.3]:25: Connection refused)
2026-11-21T10:00:00+00:00 mx1 postfix/smtp[2]: AAAA000001: to=<slow@late.example>, relay=mx.late.example[192.0.2.1]:25, delay=86400, delays=86399/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)
2026-11-21T10:00:00+00:00 mx1 postfix/qmgr[1]: AAAA000001: removed
2026-11-21T11:00:00+00:00 mx1 postfix/qmgr[1]: BBBB000001: from=<news@sender.example>, status=expired, returned to sender
2026-11-21T11:00:00+00:00 mx1 postfix/qmgr[1]: BBBB000001: removed
2026-11-21T12:00:00+00:00 mx1 postfix/smtp[2]: CCCC000001: to=<note@sender.example>, relay=mx.sender.example[192.0.2.3]:25, delay=86400, delays=86399/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)
2026-11-21T12:00:00+00:00 mx1 postfix/qmgr[1]: CCCC000001: removed
2026-11-21T13:00:00+00:00 mx1 postfix/smtpd[7]: DDDD000001: client=app[192.0.2.7]
2026-11-21T13:00:00+00:00 mx1 postfix/qmgr[1]: DDDD000001: from=<news@sender.example>, size=900, nrcpt=1 (queue active)
2026-11-21T13:00:01+00:00 mx1 postfix/smtp[2]: DDDD000001: to=<who@hard.example>, relay=mx.hard.example[192.0.2.4]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.hard.example[192.0.2.4] said: 550 5.1.1 User unknown (in reply to RCPT TO command))
2026-11-21T13:00:01+00:00 mx1 postfix/qmgr[1]: DDDD000001: removed
";

fn look(args: &[&str]) -> Ran {
    let folder = Folder::with("mail.log", LOG);
    run(&[&["--tz", "UTC", "--format", "json", &folder.path("mail.log")], args].concat()).exits(0)
}

/// deliveries, delivered, delayed, bounced, expired, deferred, attempts
#[track_caller]
fn check(args: &[&str], want: [u64; 7]) -> Value {
    let ran = look(args);
    let report = ran.json();
    let names = ["deliveries", "delivered", "delayed", "bounced", "expired", "deferred", "attempts"];
    assert_eq!(names.map(|name| total(&report, name)), want, "{args:?} {}", ran.err);
    report
}

fn outside(report: &Value) -> u64 {
    report["coverage"]["outside_window"].as_u64().unwrap()
}

#[test]
fn everything() {
    let report = check(&[], [3, 1, 1, 1, 1, 0, 4]);
    assert_eq!((outside(&report), report["excluded"]["notifications"].as_u64()), (0, Some(1)));
    assert_eq!(report["window"]["first_event"], "2026-11-20T10:00:05Z");
    assert_eq!(report["window"]["last_event"], "2026-11-21T13:00:01Z");
}

#[test]
fn deferred_before_and_delivered_inside_is_delivered_and_not_delayed() {
    let report = check(&["--since", "2026-11-21"], [3, 1, 0, 1, 1, 0, 2]);
    // What was read before still holds: the notification has a null sender, the expired one a cause.
    assert_eq!(report["excluded"]["notifications"], 1);
    let reasons = report["reasons"].as_array().unwrap();
    assert!(reasons.iter().any(|row| row["reason"] == "connection_failed" && row["deliveries"] == 1), "{reasons:?}");
    assert_eq!(report["window"]["since"], "2026-11-21T00:00:00Z");
}

/// Those of deliveries: a notification's are nowhere in `attempts` either.
#[test]
fn attempts_outside_the_window_are_counted_apart() {
    assert_eq!(outside(&check(&["--since", "2026-11-21"], [3, 1, 0, 1, 1, 0, 2])), 2);
    assert_eq!(outside(&check(&["--until", "2026-11-21"], [2, 0, 0, 0, 0, 2, 2])), 2);
}

#[test]
fn what_comes_later_has_not_happened_yet() {
    check(&["--until", "2026-11-21"], [2, 0, 0, 0, 0, 2, 2]);
    check(&["--as-of", "2026-11-20T10:30:00Z"], [1, 0, 0, 0, 0, 1, 1]);
}

#[test]
fn an_expiry_alone_brings_its_delivery_into_the_window() {
    let report = check(&["--since", "2026-11-21T10:30:00Z", "--until", "2026-11-21T11:30:00Z"], [1, 0, 0, 0, 1, 0, 0]);
    assert_eq!(report["domains"][0]["domain"], "dead.example");
    assert_eq!(report["reasons"][0]["reason"], "connection_failed");
}

#[test]
fn the_end_is_outside_and_now_is_inside() {
    check(&["--since", "2026-11-21T13:00:01Z"], [1, 0, 0, 1, 0, 0, 1]);
    check(&["--since", "2026-11-21T12:30:00Z", "--until", "2026-11-21T13:00:01Z"], [0; 7]);
    check(&["--since", "2026-11-21T12:30:00Z", "--as-of", "2026-11-21T13:00:01Z"], [1, 0, 0, 1, 0, 0, 1]);
}

#[test]
fn spans_go_back_from_what_now_is() {
    check(&["--as-of", "last", "--since", "1h"], [1, 0, 0, 1, 0, 0, 1]);
    check(&["--as-of", "last", "--since", "today"], [3, 1, 0, 1, 1, 0, 2]);
    check(&["--as-of", "last", "--since", "2d"], [3, 1, 1, 1, 1, 0, 4]);
}

#[test]
fn typed_dates_are_in_the_zone_that_is_given() {
    // Midnight of the 21st in Tokyo is 15:00 UTC of the 20th.
    let folder = Folder::with("mail.log", LOG);
    let ran = run(&["--tz", "Asia/Tokyo", "--format", "json", "--since", "2026-11-21", &folder.path("mail.log")]).exits(0);
    assert_eq!(ran.json()["window"]["since"], "2026-11-20T15:00:00Z");
}

#[test]
fn an_empty_window_is_zeros_with_a_hint_that_names_the_newest_event() {
    let ran = look(&["--since", "2026-12-24"]).says(&["no delivery in the window", "2026-11-21T13:00:01Z"]);
    let report = ran.json();
    assert_eq!(total(&report, "deliveries"), 0);
    assert_eq!(report["totals"]["hard_rate"], Value::Null, "a rate of nothing is null, not 0");
    assert_eq!(report["domains"].as_array().map(Vec::len), Some(0));
    assert_eq!(outside(&report), 4);
}

#[test]
fn standard_input_has_no_last_event_before_it_is_read() {
    let ran = crate::common::run_with(&["--tz", "UTC", "--as-of", "last", "-"], LOG.as_bytes());
    ran.exits(2).says(&["--as-of last", "not standard input"]);
}

#[test]
fn attempts_obey_the_window_too() {
    let folder = Folder::with("mail.log", LOG);
    let args = ["attempts", "--tz", "UTC", "--format", "jsonl", "--since", "2026-11-21", &folder.path("mail.log")];
    assert_eq!(run(&args).exits(0).text().lines().count(), 2);
}
