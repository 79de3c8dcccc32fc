//! `bouncestat suppress`: whom to stop mailing, and never anyone who was refused for the sender's fault.
//!
//! `samples/postfix/suppress` is a handmade log; what happens to each recipient stands in its NOTES.md.

use serde_json::Value;

use crate::common::{Folder, Ran, golden, run, run_with, sample, without_versions};

fn look(args: &[&str]) -> Ran {
    run(&[&["suppress", "--tz", "UTC"], args, &[&sample("postfix/suppress")]].concat()).exits(0)
}

fn rows(args: &[&str]) -> Vec<Value> {
    look(&[&["--format", "json"], args].concat()).json()["suppress"].as_array().unwrap().clone()
}

/// The entries, sorted.
fn entries(args: &[&str]) -> Vec<String> {
    let mut entries: Vec<String> = rows(args).iter().map(|row| row["entry"].as_str().unwrap().to_owned()).collect();
    entries.sort();
    entries
}

/// With the default policy.
const LISTED: [&str; 13] = [
    "\"two words\"@alpha.example",
    "full@charlie.example",
    "gone@alpha.example",
    "h0@hiccup.example",
    "h20@hiccup.example",
    "left@alpha.example",
    "nodomain.example",
    "nomail.example",
    "x@nodomain.example",
    "x@nomail.example",
    "x@typo.example",
    "y@nodomain.example",
    "z@nomail.example",
];

#[test]
fn who_is_listed_and_who_is_not() {
    assert_eq!(entries(&[]), LISTED);
}

#[test]
fn reason_evidence_count_and_dates() {
    let all = rows(&[]);
    let row = |entry: &str| all.iter().find(|row| row["entry"] == entry).unwrap_or_else(|| panic!("no {entry}"));
    let check = |entry: &str, want: &[(&str, Value)]| {
        for (column, value) in want {
            assert_eq!(&row(entry)[*column], value, "{column} of {entry}");
        }
    };
    check(
        "gone@alpha.example",
        &[
            ("kind", "address".into()),
            ("reason", "user_unknown".into()),
            ("policy", "hard".into()),
            ("failures", 2.into()),
            ("first_failed", "2026-11-02T10:00:00Z".into()),
            ("last_failed", "2026-11-09T10:00:00Z".into()),
            ("last_delivered", Value::Null),
            ("smtp_code", 550.into()),
            ("enhanced_code", "5.1.1".into()),
        ],
    );
    check("full@charlie.example", &[("policy", "soft".into()), ("soft", 5.into()), ("hard", 0.into())]);
    check("left@alpha.example", &[("last_delivered", "2026-11-02T12:00:00Z".into()), ("reason", "mailbox_disabled".into())]);
    check("nomail.example", &[("kind", "domain".into()), ("failures", 3.into()), ("policy", "domain".into())]);
    let log = crate::common::bytes_of(&sample("postfix/suppress/maillog"));
    for row in &all {
        let line = log[row["source_offset"].as_u64().unwrap() as usize..].split(|b| *b == b'\n').next().unwrap();
        let line = String::from_utf8_lossy(line);
        assert!(line.contains(row["reply_text"].as_str().unwrap()), "{row} is not of {line}");
    }
}

#[test]
fn policies() {
    let without = |names: &[&str]| LISTED.iter().filter(|l| !names.contains(l)).map(|l| (*l).to_owned()).collect::<Vec<_>>();
    // Four failures over nine days are enough, five in a day are not, and what a delivery cleared stays cleared.
    let mut four = without(&[]);
    four.push("four@charlie.example".to_owned());
    four.sort();
    assert_eq!(entries(&["--soft", "4"]), four);
    let mut one_day = without(&[]);
    one_day.push("oneday@charlie.example".to_owned());
    one_day.sort();
    assert_eq!(entries(&["--soft-days", "0"]), one_day);
    assert_eq!(entries(&["--soft", "0"]), without(&["full@charlie.example"]));
    assert_eq!(entries(&["--hard", "0", "--dead-domain", "0"]), ["full@charlie.example"]);
    assert_eq!(entries(&["--dead-domain", "3"]), without(&["nodomain.example"]));
    assert_eq!(entries(&["--hard", "2", "--soft", "0", "--dead-domain", "0"]), ["gone@alpha.example", "x@nomail.example"]);
    // Before the later delivery, the address was to be listed.
    assert!(entries(&["--until", "2026-11-03"]).contains(&"back@alpha.example".to_owned()));
}

#[test]
fn piped_and_threaded_logs_give_the_same() {
    let plain = look(&["--format", "csv", "--threads", "1"]);
    assert_eq!(look(&["--format", "csv", "--threads", "7"]).out, plain.out);
    let log = crate::common::bytes_of(&sample("postfix/suppress/maillog"));
    let piped = run_with(&["suppress", "--tz", "UTC", "--format", "csv", "-"], &log).exits(0);
    let cells = |ran: &Ran| ran.text().lines().map(|l| l.split(',').take(11).collect::<Vec<_>>().join(",")).collect::<Vec<_>>();
    assert_eq!(cells(&piped), cells(&plain));
    let lines: Vec<&[u8]> = log.split_inclusive(|b| *b == b'\n').collect();
    let folder = Folder::with("mx/mail.log.1", lines[..90].concat());
    folder.file("mx/mail.log", lines[90..].concat());
    let cut = run(&["suppress", "--tz", "UTC", "--format", "csv", &folder.path("mx")]).exits(0);
    assert_eq!(cells(&cut), cells(&plain));
}

#[test]
fn every_import_shape() {
    let lines = |shape: &str| look(&["--for", shape]).text().lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines("plain").len(), 11);
    let access = lines("postfix-access");
    assert_eq!(access[0], "nomail.example\t550 5.1.2 suppressed: domain_invalid, 3 failures, the last 2026-11-06");
    assert_eq!(access.len(), 12, "a key of a map holds no space");
    assert!(lines("postfix-transport")[2].starts_with("full@charlie.example\terror:5.1.1 suppressed: mailbox_full, 5 failures"));
    assert_eq!(lines("exim")[..2], ["*@nomail.example", "*@nodomain.example"]);
    let mailgun = lines("mailgun");
    assert_eq!(mailgun[0], "address,code,error,created_at");
    assert!(mailgun[1].starts_with("full@charlie.example,552,") && mailgun[1].ends_with("\"Tue, 10 Nov 2026 09:00:00 +0000\""));
    assert_eq!(lines("ses")[0], "full@charlie.example,BOUNCE");
    assert_eq!(lines("mailchimp")[0], "Email Address");
    let sendgrid: Value = serde_json::from_str(look(&["--for", "sendgrid"]).text()).unwrap();
    assert_eq!(sendgrid["recipient_emails"].as_array().map(Vec::len), Some(11));
    let postmark: Value = serde_json::from_str(&lines("postmark")[0]).unwrap();
    assert_eq!(postmark["Suppressions"][0]["EmailAddress"], "full@charlie.example");
    look(&["--for", "ses"]).says(&["2 whole domains are left out"]);
    look(&["--for", "postfix-access"]).says(&["1 entry is left out", "postmap"]);
    run(&["suppress", "--for", "nosuch", &sample("postfix/suppress")]).exits(2).says(&["nosuch", "postfix-access"]);
    run(&["suppress", "--for", "ses", "--format", "csv", &sample("postfix/suppress")]).exits(2);
}

#[test]
fn nobody_is_a_result() {
    let ran = run(&["suppress", "--tz", "UTC", "--hard", "0", "--soft", "0", "--dead-domain", "0", &sample("postfix/suppress")])
        .exits(0);
    assert!(ran.text().ends_with("\nNobody to stop mailing.\n"));
    look(&["--since", "2030-01-01"]).says(&["no delivery in the window"]);
}

#[test]
fn every_format_and_the_screen() {
    assert_eq!(look(&["--format", "csv"]).text().lines().count(), 14);
    assert_eq!(look(&["--format", "jsonl", "--top", "2"]).text().lines().count(), 2);
    assert!(look(&["--format", "parquet"]).out.starts_with(b"PAR1"));
    assert!(look(&["--format", "markdown"]).text().contains("## To stop mailing"));
    let folder = Folder::new();
    look(&["--export", &folder.path("bi")]).says(&["wrote 3 files"]);
    look(&["-o", &folder.path("stop.csv")]);
    assert!(std::fs::read_to_string(folder.path("stop.csv")).unwrap().starts_with("kind,entry,"));
    for line in look(&[]).text().lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn golden_of_the_sample() {
    let folder = sample("postfix/suppress/expected");
    golden(format!("{folder}/suppress.json"), without_versions(look(&["--format", "json"]).text()).as_bytes());
}
