//! `bouncestat rejects`: what our own servers refused. What must come of the samples was counted by hand in their NOTES.md.

use serde_json::Value;

use crate::common::{Folder, Ran, command, finish, run, run_with, sample};

const EXIM: [&str; 2] = ["samples/exim/rejects/mainlog", "samples/exim/rejects/rejectlog"];

fn rejects(args: &[&str]) -> Ran {
    run(&[&["rejects", "--tz", "UTC"], args].concat()).exits(0)
}

fn json(args: &[&str]) -> Value {
    rejects(&[&["--format", "json"], args].concat()).json()
}

#[track_caller]
fn sums(report: &Value, rejects: u64, temporary: u64) {
    for table in ["reject_totals", "reject_hosts", "reject_reasons", "reject_networks", "reject_domains"] {
        let rows = report[table].as_array().unwrap_or_else(|| panic!("no {table}"));
        let sum = |name: &str| rows.iter().map(|row| row[name].as_u64().expect("a number")).sum::<u64>();
        assert_eq!((sum("rejects"), sum("temporary")), (rejects, temporary), "{table}");
    }
}

#[track_caller]
fn row<'v>(report: &'v Value, table: &str, keys: &[(&str, &str)]) -> &'v Value {
    let rows = report[table].as_array().unwrap_or_else(|| panic!("no {table}"));
    let found = rows.iter().find(|row| keys.iter().all(|(key, value)| row[*key] == *value));
    found.unwrap_or_else(|| panic!("no {keys:?} in {table}: {rows:#?}"))
}

#[test]
fn every_sample_gives_what_its_notes_say() {
    let postfix = json(&[&sample("postfix/rejects")]);
    sums(&postfix, 12, 5);
    assert_eq!(row(&postfix, "reject_reasons", &[("reason", "greylisted")])["rejects"], 3, "one line, and one repeated twice");
    assert_eq!(row(&postfix, "reject_blocklists", &[("blocklist", "spamhaus-zen"), ("state", "listed")])["rejects"], 2);
    assert_eq!(row(&postfix, "reject_networks", &[("network", "198.51.100.0/24")])["client"], "mail.shop.example");
    assert_eq!(row(&postfix, "reject_domains", &[("recipient_domain", "elsewhere.test")])["rejects"], 1);

    let exim = json(&EXIM);
    sums(&exim, 8, 2);
    assert_eq!(exim["excluded"]["duplicates"], 8);
    assert_eq!(row(&exim, "reject_reasons", &[("reason", "virus"), ("stage", "end_of_data")])["rejects"], 1);

    let exchange = json(&["--recursive", &sample("exchange/rejects")]);
    sums(&exchange, 9, 2);
    assert_eq!(row(&exchange, "reject_hosts", &[("log_host", "MBX1")])["rejects"], 8);
    assert_eq!(row(&exchange, "reject_reasons", &[("reason", "user_unknown"), ("stage", "rcpt")])["rejects"], 2);
}

#[test]
fn an_example_stands_where_it_is_said_to_stand() {
    for paths in [vec!["samples/postfix/rejects".to_owned()], vec!["samples/exchange/rejects".to_owned()]] {
        let report = json(&[&paths[0]]);
        for reason in report["reject_reasons"].as_array().expect("rows") {
            let log = std::fs::read(crate::common::root().join(reason["source_file"].as_str().unwrap())).unwrap();
            let line = &log[reason["source_offset"].as_u64().unwrap() as usize..];
            let line = String::from_utf8_lossy(line.split(|b| *b == b'\n').next().unwrap()).into_owned();
            let words: Vec<_> = reason["example"].as_str().unwrap().split(' ').collect();
            // What is said in a header's reject stands in two parts of the line.
            assert!(line.contains(words[words.len() - 1]), "{line} | {reason}");
        }
    }
}

#[test]
fn every_format_and_every_table() {
    let sample = sample("postfix/rejects");
    for (format, word) in [
        ("table", "mail.shop.example"),
        ("markdown", "# Rejects"),
        ("html", "<title>Rejects, "),
        ("jsonl", "{\"table\": \"reject_networks\""),
        ("csv", "reason,stage,rejects,"),
    ] {
        let ran = rejects(&["--format", format, &sample]);
        assert!(ran.text().contains(word), "{format}: {}", ran.text());
    }
    for table in ["totals", "hosts", "reasons", "blocklists", "networks", "domains"] {
        let ran = rejects(&["--format", "csv", "--table", &format!("reject_{table}"), &sample]);
        assert!(ran.text().lines().count() > 1, "{table}");
    }
    assert!(rejects(&["--format", "parquet", &sample]).out.starts_with(b"PAR1"));
    let folder = Folder::new();
    rejects(&["--export", &folder.path("bi"), &sample]).says(&["wrote 13 files"]);
    run(&["rejects", "--table", "domains", "--format", "csv", &sample]).exits(2).says(&["reject_domains"]);
    run(&["rejects", "--format", "prometheus", &sample]).exits(2).says(&["prometheus"]);
    assert_eq!(json(&["--top", "2", &sample])["reject_reasons"].as_array().map(Vec::len), Some(2));
}

#[test]
fn windows_domains_and_nothing() {
    let sample = sample("postfix/rejects");
    let window = json(&["--since", "2026-11-22T06:02:00Z", "--until", "2026-11-22T06:03:00Z", &sample]);
    sums(&window, 3, 0);
    assert_eq!(window["coverage"]["outside_window"], 8, "lines; one of them tells of two");
    sums(&json(&["--domain", "elsewhere.test", &sample]), 1, 0);
    let none = rejects(&["--since", "2026-11-23", &sample]).says(&["no reject in the window", "2026-11-22T06:07:00Z"]);
    assert!(none.text().contains("Rejects"));
    rejects(&[&crate::common::sample("postfix/sink")]).says(&["no reject in these logs"]);
    let report = run(&["--format", "json", "--tz", "UTC", &sample]).exits(0).json();
    assert_eq!(report["totals"]["deliveries"], 0, "no bounce of ours");
}

#[test]
fn no_address_is_left() {
    for case in ["postfix/rejects", "exim/rejects/mainlog", "exchange/rejects"] {
        for (how, domains) in [("local", true), ("address", false)] {
            let mut command = command();
            command.env("BOUNCESTAT_REDACT_KEY", "a key of a test, long enough");
            let ran = finish(command.args(["rejects", "--recursive", "--format", "json", "--redact", how, &sample(case)]), b"")
                .exits(0);
            for name in ["ann@", "annn", "bob@", "carl@", "win@", "nobody@"] {
                assert!(!ran.text().to_lowercase().contains(name), "{name} in {case}, {how}");
            }
            let domain =
                ran.json()["reject_domains"].as_array().expect("rows").iter().any(|r| r["recipient_domain"] == "home.test");
            assert_eq!(domain, domains, "{case}, {how}");
        }
    }
}

#[test]
fn standard_input_and_threads_change_nothing() {
    let log = std::fs::read(crate::common::root().join(sample("postfix/rejects/mail.log"))).expect("the sample");
    let one = rejects(&["--format", "csv", "--threads", "1", &sample("postfix/rejects")]);
    let four = rejects(&["--format", "csv", "--threads", "4", &sample("postfix/rejects")]);
    assert_eq!(one.text(), four.text());
    let piped = run_with(&["rejects", "--tz", "UTC", "--format", "csv", "-"], &log).exits(0);
    assert_eq!(piped.text().lines().count(), one.text().lines().count());
}

#[test]
fn a_report_without_rejects_says_so() {
    for (format, words) in [("table", "  no rejects"), ("markdown", ". no rejects."), ("html", "Rejects, no rejects")] {
        let report = rejects(&["--format", format, &sample("postfix/instances")]);
        assert!(report.text().contains(words) && !report.text().contains("no attempts"), "{}", report.text());
    }
}
