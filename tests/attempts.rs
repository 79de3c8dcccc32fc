//! `bouncestat attempts`: one row an attempt.

use serde_json::Value;

use crate::common::{report, run, sample, total};

fn rows(case: &str) -> Vec<Value> {
    let ran = run(&["attempts", "--tz", "UTC", "--format", "jsonl", &sample(case)]).exits(0);
    ran.text().lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

#[test]
fn as_many_rows_as_the_report_has_attempts() {
    for case in ["postfix/lab-long", "postfix/sink", "exim/4.96-all-tz", "mixed/all-three"] {
        assert_eq!(rows(case).len() as u64, total(&report(&[&sample(case)]), "attempts"), "{case}");
    }
}

#[test]
fn the_columns_of_the_contract_in_their_order() {
    let ran = run(&["attempts", "--tz", "UTC", "--format", "csv", &sample("postfix/sink")]).exits(0);
    let expected = "event_time,event_date,delivery_id,mta,log_host,instance,queue_id,message_id,sender,sender_domain,recipient,\
        recipient_domain,provider,relay_host,relay_ip,direction,outcome,class,reason,disposition,rule_id,smtp_code,enhanced_code,\
        reply_class,stage,blocklist,listed,reply_text,size_bytes,delay_ms,source_file,source_offset";
    assert_eq!(ran.text().lines().next(), Some(expected));
}

#[test]
fn a_row_points_to_its_line() {
    let log = crate::common::bytes_of(&sample("postfix/sink/maillog"));
    for row in rows("postfix/sink") {
        let at = row["source_offset"].as_u64().unwrap() as usize;
        let line = log[at..].split(|b| *b == b'\n').next().unwrap();
        let line = String::from_utf8_lossy(line);
        let recipient = format!("to=<{}>", row["recipient"].as_str().unwrap());
        assert!(line.contains(&recipient) && line.contains(row["queue_id"].as_str().unwrap()), "{row} is not of {line}");
        assert!(row["source_file"].as_str().unwrap().ends_with("postfix/sink/maillog"));
    }
}

#[test]
fn the_tries_of_one_delivery_have_one_id() {
    let rows = rows("postfix/sink");
    let of: Vec<&Value> = rows.iter().filter(|row| row["recipient_domain"] == "refused.test").collect();
    assert_eq!(of.len(), 6);
    assert!(
        of.iter().all(|row| row["delivery_id"] == of[0]["delivery_id"] && row["outcome"] == "deferred" && row["class"] == "soft")
    );
    let sent = rows.iter().find(|row| row["outcome"] == "delivered").unwrap();
    assert_eq!((&sent["class"], &sent["reason"]), (&Value::Null, &Value::Null));
    assert_ne!(sent["delivery_id"], of[0]["delivery_id"]);
}

#[test]
fn a_failed_run_answers_in_json() {
    let answer = run(&["attempts", "--format", "json", "nope.log"]).exits(2).json();
    assert!(answer["error"].is_string() && answer["exit_code"] == 2, "{answer}");
}

#[test]
fn an_empty_result_still_has_a_header() {
    let args = ["attempts", "--tz", "UTC", "--since", "2030-01-01", "--format", "csv", &sample("postfix/sink")];
    let ran = run(&args).exits(0).says(&["no delivery in the window"]);
    assert_eq!(ran.text().lines().count(), 1);
}

#[test]
fn attempts_by_day_are_all_there_and_say_so() {
    let all = rows("mixed/all-three").len() as u64;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("bi");
    let to = dir.to_str().unwrap();
    for _ in 0..2 {
        run(&["attempts", "--export", to, "--partition-by", "date", &sample("mixed/all-three")]).exits(0);
    }
    let manifest: Value = serde_json::from_slice(&std::fs::read(dir.join("manifest.json")).unwrap()).unwrap();
    let files = manifest["files"].as_array().unwrap();
    assert_eq!(files.iter().map(|file| file["rows"].as_u64().unwrap()).sum::<u64>(), all);
    for file in files {
        let path = file["file"].as_str().unwrap();
        assert!(path.starts_with("event_date=20") && dir.join(path).is_file(), "{path}");
        assert_eq!(std::fs::read_dir(dir.join(path).parent().unwrap()).unwrap().count(), 1, "nothing temporary stays");
        assert!(file["columns"].as_array().unwrap().iter().all(|column| column["name"] != "event_date"));
    }
    run(&["attempts", "--partition-by", "date", &sample("mixed/all-three")]).exits(2).says(&["--export"]);

    // A part of a day replaces no whole one.
    let rows = || {
        let manifest: Value = serde_json::from_slice(&std::fs::read(dir.join("manifest.json")).unwrap()).unwrap();
        let days = manifest["files"].as_array().unwrap().clone();
        days.iter().find(|day| day["file"].as_str().unwrap().contains("2026-11-22")).unwrap()["rows"].as_u64().unwrap()
    };
    let before = rows();
    let part = ["attempts", "--tz", "UTC", "--since", "2026-11-22 13:13:45", "--export", to, "--partition-by", "date"];
    run(&[&part[..], &[&sample("mixed/all-three")]].concat()).exits(0).says(&["event_date=2026-11-22 is left as it is"]);
    assert_eq!(rows(), before);
}
