//! `bouncestat classify`: replies, one a line, to verdicts.

use serde_json::Value;

use crate::common::{run, run_with};

fn classify(args: &[&str], input: &str) -> Vec<Value> {
    let ran = run_with(&[&["classify"], args].concat(), input.as_bytes()).exits(0);
    ran.text().lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect()
}

#[track_caller]
fn check(reply: &str, class: &str, reason: &str) {
    let verdicts = classify(&[], &format!("{reply}\n"));
    assert_eq!((&verdicts[0]["class"], &verdicts[0]["reason"]), (&Value::from(class), &Value::from(reason)), "{}", verdicts[0]);
}

#[test]
fn the_class_follows_the_code_unless_the_reason_passes() {
    check(
        "550 5.1.1 <bob@example.com>: Recipient address rejected: User unknown in virtual mailbox table",
        "hard",
        "user_unknown",
    );
    check(
        "450 4.1.1 <bob@example.com>: Recipient address rejected: User unknown in virtual mailbox table",
        "soft",
        "user_unknown",
    );
    check("552 5.2.2 <bob@example.com>: Mailbox full", "soft", "mailbox_full");
    check("550 Rejected", "hard", "unknown");
    check("connect to mx.example.com[192.0.2.1]:25: Connection timed out", "soft", "connection_failed");
}

#[test]
fn line_n_answers_line_n() {
    let input = "550 5.1.1 no such user\r\n\n250 ok\nnot a reply at all";
    let verdicts = classify(&[], input);
    let inputs: Vec<&str> = verdicts.iter().map(|v| v["input"].as_str().unwrap()).collect();
    assert_eq!(inputs, ["550 5.1.1 no such user", "", "250 ok", "not a reply at all"]);
    assert_eq!(verdicts[2]["class"], "none");
}

#[test]
fn a_verdict_has_the_fields_of_the_contract() {
    let verdict =
        classify(&[], "554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.spamhaus.org\n").remove(0);
    let fields: Vec<&str> = verdict.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "input smtp_code enhanced_code reply_class class reason disposition rule_id level matched runner_up blocklist \
        blocklist_state listed provider advice delist_url";
    assert_eq!(fields, expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!((&verdict["smtp_code"], &verdict["enhanced_code"]), (&Value::from(554), &Value::from("5.7.1")));
    assert_eq!((&verdict["reason"], &verdict["listed"]), (&Value::from("blocklisted"), &Value::from("192.0.2.9")));
    assert!(verdict["blocklist"].as_str().unwrap().starts_with("spamhaus"), "{verdict}");
}

#[test]
fn objects_tell_more_than_lines() {
    let verdicts = classify(
        &["--jsonl"],
        "{\"text\": \"User unknown\", \"code\": 550, \"enhanced\": \"5.1.1\", \"rhost\": \"mx.example.com\"}\n",
    );
    assert_eq!((&verdicts[0]["smtp_code"], &verdicts[0]["class"]), (&Value::from(550), &Value::from("hard")));
}

/// A line that cannot be read is answered too, so that the lines still belong together; the rest is read.
#[test]
fn an_object_that_is_none() {
    let input = b"{\"text\": \"550 a\"}\nno object\n{\"x\": 1}\n{\"text\": \"550 b\"}\n";
    let ran = run_with(&["classify", "--jsonl"], input).exits(3).says(&["line 2", "{\"text\":", "line 3"]);
    let answers: Vec<Value> = ran.text().lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect();
    let inputs: Vec<&str> = answers.iter().map(|answer| answer["input"].as_str().unwrap()).collect();
    assert_eq!(inputs, ["550 a", "no object", "{\"x\": 1}", "550 b"]);
    let wrong: Vec<bool> = answers.iter().map(|answer| answer.get("error").is_some()).collect();
    assert_eq!(wrong, [false, true, true, false]);
}

#[test]
fn bytes_that_are_no_text() {
    let verdicts = run_with(&["classify"], b"550 5.1.1 \xff\xfe unknown user\n").exits(0);
    assert_eq!(verdicts.text().lines().count(), 1);
    assert!(run_with(&["classify"], b"").exits(0).out.is_empty());
}

#[test]
fn a_missing_file_is_named() {
    run(&["classify", "no/such/file"]).exits(2).says(&["no/such/file"]);
}
