//! Every folder `samples/<server>/<case>`: its logs, what is known of them (NOTES.md), the report that they give
//! (expected/report.json), and where that is known by other means, what must come out (expected/truth.json).
//!
//! The report is rewritten with BLESS=1; the truth never is. A case is read with all folders in it but `expected`.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::common::{case_paths, cases, golden, root, run, sample, without_versions};

/// The report of a case.
fn report_of(case: &str) -> String {
    let paths = case_paths(case);
    let mut args = vec!["--tz", "UTC", "--format", "json"];
    args.extend(paths.iter().map(String::as_str));
    run(&args).exits(0).text().to_owned()
}

#[test]
fn every_case_has_notes() {
    for case in cases() {
        let notes = fs::read_to_string(root().join(sample(&case)).join("NOTES.md")).unwrap_or_default();
        assert!(notes.len() > 100, "samples/{case}/NOTES.md says whose log this is, and what is known of it");
    }
}

#[test]
fn every_case_gives_its_golden_report() {
    for case in cases() {
        golden(format!("{}/expected/report.json", sample(&case)), without_versions(&report_of(&case)).as_bytes());
    }
}

#[test]
fn every_report_keeps_its_identities() {
    for case in cases() {
        let report: Value = serde_json::from_str(&report_of(&case)).expect("JSON");
        let coverage = &report["coverage"];
        let n = |row: &Value, name: &str| row[name].as_u64().unwrap_or_else(|| panic!("{case}: {name} in {row}"));
        assert_eq!(n(coverage, "lines"), n(coverage, "used") + n(coverage, "irrelevant") + n(coverage, "unrecognised"), "{case}");
        let tables = ["domains", "providers", "sources", "sender_domains"];
        for table in tables {
            let rows = report[table].as_array().unwrap_or_else(|| panic!("{case}: no {table}"));
            for row in rows.iter().chain([&report["totals"]]) {
                assert_eq!(
                    n(row, "deliveries"),
                    n(row, "delivered") + n(row, "bounced") + n(row, "expired") + n(row, "deferred"),
                    "{case}: {row}"
                );
                assert_eq!(
                    n(row, "bounced") + n(row, "expired") + n(row, "deferred"),
                    n(row, "hard") + n(row, "soft"),
                    "{case}: {row}"
                );
            }
            for name in ["deliveries", "delivered", "delayed", "bounced", "expired", "deferred", "hard", "soft", "attempts"] {
                let sum: u64 = rows.iter().map(|row| n(row, name)).sum();
                assert_eq!(sum, n(&report["totals"], name), "{case}: the {name} of {table} are not those of the totals");
            }
        }
        let failed: u64 = report["reasons"].as_array().expect("reasons").iter().map(|row| n(row, "deliveries")).sum();
        assert_eq!(failed, n(&report["totals"], "hard") + n(&report["totals"], "soft"), "{case}: reasons");
    }
}

/// A truth has the shape of the report, and only the numbers that are known without this program.
#[test]
fn every_truth_comes_true() {
    let mut checked = 0;
    for case in cases() {
        let Ok(truth) = fs::read_to_string(root().join(sample(&case)).join("expected/truth.json")) else { continue };
        let truth: Value = serde_json::from_str(&truth).unwrap_or_else(|e| panic!("{case}/expected/truth.json: {e}"));
        let report: Value = serde_json::from_str(&report_of(&case)).expect("JSON");
        for part in ["totals", "excluded", "coverage"] {
            for (name, number) in truth[part].as_object().into_iter().flatten() {
                assert_eq!(&report[part][name], number, "{case}: {part}.{name}");
                checked += 1;
            }
        }
        for (domain, row) in truth["domains"].as_object().into_iter().flatten() {
            let rows = report["domains"].as_array().expect("domains");
            let ours = rows.iter().find(|row| row["domain"] == **domain);
            for (name, number) in row.as_object().into_iter().flatten() {
                let ours = ours.map_or(&Value::Null, |row| &row[name]);
                assert!(ours == number || (ours.is_null() && *number == 0), "{case}: {domain}: {name} is {ours}, not {number}");
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "only {checked} numbers were compared");
}

/// A count of the same logs by a program of other authors' making, where it lies beside the project.
#[test]
fn an_independent_count_agrees() {
    let shared = std::env::var_os("BOUNCESTAT_SHARED").map_or_else(|| root().join("../shared"), Into::into);
    let oracle = shared.join("oracles/postfix_oracle.py");
    if !oracle.exists() {
        eprintln!("skipped: no independent count beside the project (BOUNCESTAT_SHARED names its folder)");
        return;
    }
    for case in ["postfix/lab-long", "postfix/lab-short", "postfix/sink"] {
        let log = root().join(sample(case)).join("maillog");
        let counted = Command::new("python3").arg(&oracle).arg("--json").arg(&log).output().expect("python3 runs");
        assert!(counted.status.success(), "{}", String::from_utf8_lossy(&counted.stderr));
        let theirs: Value = serde_json::from_slice(&counted.stdout).expect("JSON");
        let ours: Value = serde_json::from_str(&report_of(case)).expect("JSON");
        let rows = ours["domains"].as_array().expect("domains");
        let domains = theirs["domains"].as_object().expect("domains");
        assert_eq!(rows.len(), domains.len(), "{case}");
        for row in rows {
            // The other count keeps international names as they are logged; there is one of them.
            let name = row["domain"].as_str().expect("a name");
            let international = || domains.iter().find(|(domain, _)| name.starts_with("xn--") && !domain.is_ascii());
            let row_of_theirs = domains.get(name).or_else(|| Some(international()?.1)).expect(name);
            for name in ["deliveries", "delivered", "delayed", "bounced", "expired", "deferred", "attempts"] {
                let n = |row: &Value| row[name].as_u64().unwrap_or(0);
                assert_eq!(n(row), n(row_of_theirs), "{case}: {name} of {row} beside {row_of_theirs}");
            }
        }
    }
}
