//! `bouncestat suspects`: who refuses us for our reputation, and what only looks so.
//!
//! `samples/postfix/suspects` is a handmade log; what must come of it stands in its NOTES.md and, counted by hand, here.

use serde_json::Value;

use crate::common::{Folder, Ran, golden, run, run_with, sample, without_versions};

const DAY: [&str; 4] = ["--since", "2026-11-20", "--until", "2026-11-21"];

fn look(args: &[&str]) -> Ran {
    run(&[&["suspects", "--tz", "UTC"], args, &[&sample("postfix/suspects")]].concat()).exits(0)
}

fn json(args: &[&str]) -> Value {
    look(&[&["--format", "json"], args].concat()).json()
}

#[track_caller]
fn row<'v>(report: &'v Value, table: &str, column: &str, value: &str) -> &'v Value {
    let rows = report[table].as_array().unwrap_or_else(|| panic!("no {table}"));
    rows.iter().find(|row| row[column] == value).unwrap_or_else(|| panic!("no {table} with {column} {value}"))
}

#[track_caller]
fn check(row: &Value, want: &[(&str, Value)]) {
    for (column, value) in want {
        assert_eq!(&row[*column], value, "{column} of {row}");
    }
}

#[test]
fn a_listing_is_found_through_bounces_greetings_and_echoes() {
    let report = json(&DAY);
    // alpha 5 of 7, bravo 4 of 6, charlie 6 of 8: a greeting that Postfix defers, spoken twice, echoed four times.
    check(
        row(&report, "suspects", "blocklist", "spamhaus-zen"),
        &[
            ("source", "mx1/postfix".into()),
            ("listed", "192.0.2.25".into()),
            ("kind", "listed".into()),
            ("deliveries", 21.into()),
            ("refused", 15.into()),
            ("recipients", 15.into()),
            ("receivers", 3.into()),
            ("replies", 11.into()),
            ("delivered_later", 0.into()),
            ("first_seen", "2026-11-20T02:14:07Z".into()),
            ("last_seen", "2026-11-20T03:05:00Z".into()),
            ("last_accepted", "2026-11-20T02:01:05Z".into()),
            ("deliveries_before", 18.into()),
            ("refused_before", 0.into()),
            ("trend", "new".into()),
            ("score_onset", 1.0.into()),
            ("score_explicit", 1.0.into()),
            ("score_receivers", 0.6.into()),
        ],
    );
}

#[test]
fn a_slow_down_for_complaints_counts_though_half_got_through() {
    let report = json(&DAY);
    check(
        row(&report, "suspects", "provider", "yahoo"),
        &[("deliveries", 8.into()), ("refused", 8.into()), ("delivered_later", 4.into()), ("replies", 16.into())],
    );
    check(
        row(&report, "suspects", "provider", "google"),
        &[("kind", "rate_limit".into()), ("deliveries", 12.into()), ("refused", 3.into()), ("blocklist", Value::Null)],
    );
    assert_eq!(report["suspects"].as_array().unwrap().len(), 3);
}

#[test]
fn what_accuses_nobody_is_kept_apart() {
    let report = json(&DAY);
    let kinds = [
        ("one_recipient", 3),
        ("policy_list", 2),
        ("neighbourhood", 2),
        ("dead_list", 2),
        ("resolver_error", 2),
        ("greylist", 2),
        ("content", 2),
        ("unexplained", 2),
    ];
    for (kind, refused) in kinds {
        check(row(&report, "lookalikes", "kind", kind), &[("refused", refused.into())]);
    }
    assert_eq!(report["lookalikes"].as_array().unwrap().len(), kinds.len());
    check(row(&report, "lookalikes", "kind", "one_recipient"), &[("deliveries", 23.into()), ("recipients", 1.into())]);
}

#[test]
fn evidence_names_its_line() {
    let report = json(&DAY);
    let log = crate::common::bytes_of(&sample("postfix/suspects/maillog"));
    let rows = report["evidence"].as_array().unwrap();
    assert_eq!(rows.len(), 5);
    for row in rows {
        let line = log[row["source_offset"].as_u64().unwrap() as usize..].split(|b| *b == b'\n').next().unwrap();
        let line = String::from_utf8_lossy(line);
        assert!(line.contains(row["example"].as_str().unwrap()), "{row} is not of {line}");
        assert!(row["source_file"].as_str().unwrap().ends_with("postfix/suspects/maillog"));
        let suspect = &report["suspects"][row["suspect"].as_u64().unwrap() as usize - 1];
        assert_eq!((&row["blocklist"], &row["source"]), (&suspect["blocklist"], &suspect["source"]));
    }
}

#[test]
fn without_a_beginning_there_is_no_window_before() {
    let report = json(&[]);
    assert!(report["window_before"].is_null());
    check(row(&report, "suspects", "blocklist", "spamhaus-zen"), &[("trend", Value::Null), ("deliveries", 39.into())]);
    assert_eq!(json(&DAY)["window_before"]["since"], "2026-11-19T00:00:00Z");
}

#[test]
fn thresholds_move_rows_and_lose_none() {
    let all = json(&DAY);
    let rows = |report: &Value| report["suspects"].as_array().unwrap().len() + report["lookalikes"].as_array().unwrap().len();
    for (args, left) in [(["--min-refused", "9"], 1), (["--min-score", "0.65"], 1), (["--min-share", "0.9"], 2)] {
        let report = json(&[&args[..], &DAY].concat());
        assert_eq!(report["suspects"].as_array().unwrap().len(), left, "{args:?}");
        assert_eq!(rows(&report), rows(&all), "{args:?}");
    }
    run(&["suspects", "--min-score", "2", &sample("postfix/suspects")]).exits(2).says(&["not between 0 and 1"]);
}

#[test]
fn no_suspects_is_a_result() {
    let day_before = ["--since", "2026-11-19", "--until", "2026-11-20"];
    assert!(look(&day_before).text().ends_with("\nNo suspects.\n"));
    assert!(look(&[&["--format", "markdown"], &day_before[..]].concat()).text().contains("No suspects."));
    assert_eq!(json(&day_before)["suspects"].as_array().map(Vec::len), Some(0));
    let empty = look(&["--since", "2030-01-01", "--format", "csv"]).says(&["no delivery in the window"]);
    assert_eq!(empty.text().lines().count(), 1);
}

#[test]
fn echoes_alone_make_no_suspect() {
    let folder = Folder::new();
    let mut log = String::new();
    for i in 0..6 {
        let (relay, echo) =
            if i == 0 { ("mx.a.example[192.0.2.9]:25", "") } else { ("none", "delivery temporarily suspended: ") };
        log.push_str(&format!(
            "2026-11-20T10:00:0{i}+00:00 mx1 postfix/smtp[2]: AAAA00000{i}: to=<u{i}@a.example>, relay={relay}, delay=1, \
             delays=0/0/0/1, dsn=4.7.1, status=deferred ({echo}host mx.a.example[192.0.2.9] refused to talk to me: 554 Client host \
             [192.0.2.25] blocked using zen.spamhaus.org)\n"
        ));
    }
    let path = folder.file("mail.log", &log);
    let report = run(&["suspects", "--tz", "UTC", "--format", "json", &path]).exits(0).json();
    assert_eq!(report["suspects"].as_array().map(Vec::len), Some(0));
    check(row(&report, "lookalikes", "kind", "too_few"), &[("refused", 6.into())]);
}

#[test]
fn threads_paths_and_pipes_do_not_show() {
    let path = sample("postfix/suspects/maillog");
    let args = |more: &[&'static str]| [&["suspects", "--tz", "UTC", "--format", "json"][..], more, &DAY].concat();
    let one = run(&[&args(&["--threads", "1"])[..], &[&path]].concat()).exits(0);
    assert_eq!(run(&[&args(&["--threads", "7"])[..], &[&path]].concat()).exits(0).out, one.out);
    let piped = run_with(&[&args(&[])[..], &["-"]].concat(), &crate::common::bytes_of(&path)).exits(0);
    assert_eq!(piped.json()["suspects"], one.json()["suspects"]);
    // Cut by rotation, only the names and offsets of the evidence differ.
    let log = crate::common::bytes_of(&path);
    let lines: Vec<&[u8]> = log.split_inclusive(|b| *b == b'\n').collect();
    let folder = Folder::with("mx/mail.log.1", lines[..300].concat());
    folder.file("mx/mail.log", lines[300..].concat());
    let cut = run(&[&args(&[])[..], &[&folder.path("mx")]].concat()).exits(0).json();
    assert_eq!(cut["suspects"], one.json()["suspects"]);
}

#[test]
fn every_format_and_the_screen() {
    let csv = look(&[&["--format", "csv"], &DAY[..]].concat());
    assert_eq!(csv.text().lines().count(), 4);
    let evidence = look(&[&["--format", "csv", "--table", "evidence"], &DAY[..]].concat());
    assert_eq!(evidence.text().lines().count(), 6);
    let lines = look(&[&["--format", "jsonl", "--top", "1"], &DAY[..]].concat());
    assert_eq!(lines.text().lines().count(), 3);
    assert!(look(&[&["--format", "parquet"], &DAY[..]].concat()).out.starts_with(b"PAR1"));
    look(&[&["--format", "markdown"], &DAY[..]].concat());
    let folder = Folder::new();
    let dir = folder.path("bi");
    look(&["--export", &dir]).says(&["wrote 7 files"]);
    assert!(std::path::Path::new(&dir).join("lookalikes.parquet").exists());
    let out = folder.path("suspects.json");
    look(&["-o", &out]);
    assert!(std::fs::read_to_string(out).unwrap().contains("\"suspects\": ["));
    run(&["suspects", "--table", "domains", &sample("postfix/suspects")]).exits(2).says(&["no table", "lookalikes"]);
    let screen = look(&DAY);
    for line in screen.text().lines() {
        assert!(unicode_width(line) <= 80, "{line}");
    }
}

fn unicode_width(line: &str) -> usize {
    line.chars().count()
}

#[test]
fn goldens() {
    let folder = sample("postfix/suspects/expected");
    golden(format!("{folder}/suspects.txt"), without_versions(look(&DAY).text()).as_bytes());
    golden(
        format!("{folder}/suspects.json"),
        without_versions(look(&[&["--format", "json"], &DAY[..]].concat()).text()).as_bytes(),
    );
}

#[test]
fn the_report_beside_the_window_before() {
    let path = sample("postfix/suspects");
    let report = run(&[&["--tz", "UTC", "--format", "json", "--compare"], &DAY[..], &[&path]].concat()).exits(0).json();
    assert_eq!(report["window_before"]["until"], "2026-11-20T00:00:00Z");
    let plain = run(&[&["--tz", "UTC", "--format", "json"], &DAY[..], &[&path]].concat()).exits(0).json();
    assert!(plain["changes"].is_null() && plain["window_before"].is_null());
    assert_eq!(plain["totals"], report["totals"]);
    // What it says of the window before is what a report of that window says.
    let before =
        run(&["--tz", "UTC", "--format", "json", "--since", "2026-11-19", "--until", "2026-11-20", &path]).exits(0).json();
    let changes = report["changes"].as_array().unwrap();
    let total = |measure: &str| changes.iter().find(|c| c["kind"] == "totals" && c["measure"] == measure).unwrap();
    for measure in ["hard", "soft", "delayed", "reputation"] {
        assert_eq!(total(measure)["count_before"], before["totals"][measure], "{measure}");
        assert_eq!(total(measure)["deliveries_before"], before["totals"]["deliveries"]);
        assert_eq!(total(measure)["count"], report["totals"][measure], "{measure}");
    }
    assert_eq!((&total("hard")["change"], &total("delayed")["change"]), (&"new".into(), &"steady".into()));
    let of = |kind: &str| changes.iter().filter(|c| c["kind"] == kind).collect::<Vec<_>>();
    assert_eq!(of("suspect").len(), 3);
    assert!(of("suspect").iter().all(|c| c["change"] == "new"));
    assert!(of("reason").iter().any(|c| c["name"] == "blocklisted" && c["change"] == "new" && c["rate_before"] == 0.0));
    // Turned round, they are gone.
    let args = ["--tz", "UTC", "--format", "json", "--compare", "--since", "2026-11-21", "--until", "2026-11-22", &path];
    let after = run(&args).exits(0).json();
    assert!(after["changes"].as_array().unwrap().iter().any(|c| c["kind"] == "suspect" && c["change"] == "gone"));
    assert!(
        run(&[&["--tz", "UTC", "--compare"], &DAY[..], &[&path]].concat()).exits(0).text().contains("Against the window before")
    );
    run(&["--compare", &path]).exits(2).says(&["--compare needs --since"]);
}
