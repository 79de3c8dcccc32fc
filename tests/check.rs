//! `bouncestat check`: status line, performance data and exit codes; and `--fail-over` of the report.

use serde_json::Value;

use crate::common::{Folder, Ran, run, sample};

fn lab() -> String {
    sample("postfix/lab-long")
}

fn check(args: &[&str], code: i32) -> Ran {
    run(&[&["check", "-q", "--tz", "UTC"], args].concat()).exits(code)
}

/// A status line of the plugin guidelines: words, `|`, performance data; gives its parts.
#[track_caller]
fn status(ran: &Ran) -> (String, Vec<(String, String)>) {
    let first = ran.text().lines().next().expect("a line");
    let (words, data) = first.split_once(" | ").expect(first);
    assert!(!data.contains('|') && words.starts_with("BOUNCESTAT "), "{first}");
    let mut all = Vec::new();
    let mut rest = data;
    while !rest.is_empty() {
        // 'label with blanks'=value[UOM];warn;crit;min;max
        let (label, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once("'=").expect(rest),
            None => rest.split_once('=').expect(rest),
        };
        let (value, next) = after.split_once(' ').unwrap_or((after, ""));
        assert_eq!(value.matches(';').count(), 4, "{value}");
        let number = value.split(';').next().unwrap().trim_end_matches(|c: char| !c.is_ascii_digit());
        assert!(number.parse::<f64>().is_ok(), "{value}");
        all.push((label.to_owned(), value.to_owned()));
        rest = next;
    }
    (words.to_owned(), all)
}

#[test]
fn the_four_states() {
    let ok = check(&["--max", "hard_rate=50%", &lab()], 0);
    let (words, data) = status(&ok);
    assert_eq!(words, "BOUNCESTAT OK - hard_rate is 43.17 %; 139 deliveries");
    assert_eq!(data, [("hard_rate".into(), "43.1655%;;50;0;100".into()), ("deliveries".into(), "139;;;0;".into())]);

    let (words, data) = status(&check(&["--max", "hard_rate=50%", "--warn", "hard_rate=0.4", &lab()], 1));
    assert!(words.starts_with("BOUNCESTAT WARNING - hard_rate is 43.17 % (limit 40 %)"), "{words}");
    assert_eq!(data[0].1, "43.1655%;40;50;0;100");

    let (words, _) = status(&check(&["--max", "hard_rate=5%", "--max", "soft_rate=99%", &lab()], 2));
    assert!(words.starts_with("BOUNCESTAT CRITICAL - hard_rate is 43.17 % (limit 5 %); 139"), "{words}");

    let ran = check(&["--max", "hard_rate=5%", "no/such/mail.log"], 3);
    assert_eq!(ran.text(), "BOUNCESTAT UNKNOWN - nothing could be read\n");
}

/// What could not be read may be what is wrong: never OK, but a crossed limit stays one.
#[test]
fn part_of_the_input_is_unknown_unless_a_limit_is_crossed() {
    let (words, _) = status(&check(&["--max", "hard_rate=50%", &lab(), "no/such"], 3));
    assert!(words.contains("part of the input could not be read: no/such"), "{words}");
    check(&["--max", "hard_rate=5%", &lab(), "no/such"], 2);
}

#[test]
fn wrong_usage_is_unknown() {
    for args in
        [&["--max", "hard_rat=5%"][..], &["--max", "hard_rate=5"], &["--nosuch"], &[], &["--max", "hard=1", "--max", "hard=2"]]
    {
        let ran = check(&[args, &[&lab()]].concat(), 3);
        assert!(ran.text().starts_with("BOUNCESTAT UNKNOWN - "), "{}", ran.text());
        assert_eq!(ran.text().lines().count(), 1);
    }
}

#[test]
fn by_rows_with_enough_deliveries() {
    let args = ["--by", "domain", "--max", "hard_rate=50%", &lab()];
    let few = check(&args, 0);
    assert!(few.text().contains("too few deliveries to compare (--min-deliveries 20)"), "{}", few.text());
    let all = check(&[&["--min-deliveries", "7"], &args[..]].concat(), 2);
    assert!(all.text().contains("CRITICAL: hard_rate of hard.test is 100 % (limit 50 %), 7 deliveries"), "{}", all.text());
    assert!(status(&all).1.iter().any(|(label, value)| label == "hard_rate refused.test" && value == "0%;;50;0;100"));
    assert!(all.text().contains("not compared, with fewer than 7 deliveries"), "{}", all.text());
    // Counts are compared however small the row is.
    assert!(check(&["--by", "domain", "--max", "bounced=6", &lab()], 2).text().contains("bounced of hard.test is 7"));
}

#[test]
fn logs_that_stopped_are_old() {
    let ages = ["--as-of", "2026-11-22T14:42:57Z", "--max", "age=30m", &lab()];
    let (words, data) = status(&check(&ages, 2));
    assert!(words.contains("age is 60 min (limit 30 min)"), "{words}");
    assert!(data[0].1.starts_with("3599") || data[0].1.starts_with("3600"), "{data:?}");
    check(&["--as-of", "last", "--max", "age=30m", &lab()], 0);
    let empty = Folder::with("mail.log", "");
    let (words, _) = status(&check(&["--max", "age=30m", &empty.path("mail.log")], 3));
    assert!(words.contains("no line of a mail server"), "{words}");
}

#[test]
fn an_empty_window_says_so() {
    let (words, _) = status(&check(&["--since", "2030-01-01", "--max", "hard_rate=1%", &lab()], 0));
    assert!(words.contains("no deliveries in the window"), "{words}");
}

#[test]
fn names_from_logs_end_no_line() {
    let line = "Nov 22 13:13:41 mta postfix/smtp[1]: 1A606998B8C: to=<a@b|c'=;d.test>, relay=none, delay=1, dsn=5.1.1, status=bounced (x)\n";
    let folder = Folder::with("mail.log", line.repeat(3));
    let ran = check(&["--by", "domain", "--min-deliveries", "0", "--max", "hard_rate=1%", &folder.path("mail.log")], 2);
    assert_eq!(status(&ran).1[0].0, "hard_rate b_c___d.test");
}

#[test]
fn as_json() {
    let answer = check(&["--format", "json", "--max", "hard_rate=5%", &lab()], 2).json();
    assert_eq!((&answer["state"], &answer["exit_code"]), (&"CRITICAL".into(), &2.into()));
    assert_eq!((&answer["values"][0]["metric"], &answer["values"][0]["max"]), (&"hard_rate".into(), &0.05.into()));
    assert_eq!(check(&["--format", "json", "--max", "hard_rate=5%", "no/such"], 3).json()["file"], "no/such");
    assert_eq!(check(&["--format", "json", "--nosuch"], 3).json()["exit_code"], 3);
}

#[test]
fn fail_over_of_the_report() {
    let report = |limit: &str, code| run(&["--tz", "UTC", "--format", "json", "--fail-over", limit, &lab()]).exits(code);
    let crossed = report("hard_rate=5%", 1).says(&["hard_rate is 43.17 %, over the 5 % of --fail-over"]);
    assert_eq!(crossed.json()["totals"]["hard"], 60, "the report is made all the same");
    report("hard_rate=50%", 0);
    report("hard=60", 0);
    report("hard=59", 1);
    run(&["--fail-over", "age=1h", &lab()]).exits(2).says(&["bouncestat check"]);
}

#[test]
fn a_failed_run_answers_in_json() {
    for args in [
        &["--format", "json", "--since", "nonsense", "x"][..],
        &["--format=jsonl", "--nosuch"],
        &["--format", "json", "-o", "no/such/x", "x"],
    ] {
        let ran = run(args).exits(2);
        let answer: Value = ran.json();
        assert!(answer["error"].as_str().is_some_and(|e| !e.is_empty()) && answer["exit_code"] == 2, "{answer}");
    }
}
