//! Exim's events counted by a program of other authors' making, where it lies beside the project: ours are the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::{env, fs};

use bouncestat_ingest::clock::{Clock, Zone};
use bouncestat_ingest::event::{Fields, Key, Kind};
use bouncestat_ingest::mta::{FileFacts, LineReader};
use bouncestat_record::Mta;
use chrono::NaiveDate;
use serde_json::Value;

/// Our events by kind.
fn ours(log: &[u8]) -> BTreeMap<&'static str, u64> {
    let clock = Clock::new(Zone::UTC, NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date"));
    let mut reader = LineReader::new(Mta::Exim, FileFacts { folder: Arc::from("h"), clock, head: Arc::from(log) });
    let mut events: Vec<(Key<'_>, Fields<'_>)> = Vec::new();
    for line in log.split(|b| *b == b'\n') {
        reader.line(line, &mut events);
    }
    let mut counts = BTreeMap::new();
    for (_, fields) in &events {
        let name = match fields.kind {
            Kind::Born => "arrivals",
            Kind::Sent | Kind::Discarded => "deliveries",
            Kind::Bounced | Kind::GaveUp => "failed",
            Kind::Deferred => "deferred",
            Kind::Waiting => "waiting",
            Kind::Suppressed => "suppressed",
            Kind::Removed => "completed",
            Kind::RemovedByHand => "by hand",
            _ => "other",
        };
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// The other program's counts of the same things.
fn theirs(oracle: &Path, log: &Path) -> BTreeMap<&'static str, u64> {
    let ran = Command::new("python3").arg(oracle).arg("--json").arg(log).output().expect("python3 runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let all: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    let counts = &all.as_object().and_then(|files| files.values().next()).expect("a file")["counts"];
    let sum = |names: &[&str]| names.iter().map(|name| counts[*name].as_u64().unwrap_or(0)).sum::<u64>();
    [
        ("arrivals", sum(&["arrivals"])),
        ("deliveries", sum(&["deliv", "deliv_addl", "deliv_cutthrough"])),
        ("failed", sum(&["failed"])),
        ("deferred", sum(&["deferred_real"])),
        ("waiting", sum(&["deferred_pseudo"])),
        ("suppressed", sum(&["deliv_suppressed"])),
        ("completed", sum(&["completed"])),
        ("by hand", sum(&["cancelled", "removed"])),
    ]
    .into_iter()
    .filter(|(_, n)| *n > 0)
    .collect()
}

#[test]
fn of_exims_events_agrees() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = env::var_os("BOUNCESTAT_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let oracle = shared.join("oracles/exim_oracle.py");
    if !oracle.exists() {
        eprintln!("skipped: no independent count beside the project (BOUNCESTAT_SHARED names its folder)");
        return;
    }
    let mut compared = 0;
    for folder in [shared.join("logs"), root.join("samples/exim")] {
        let cases = fs::read_dir(&folder).expect("a folder").map(|case| case.expect("an entry").path());
        let mut logs: Vec<PathBuf> = cases.map(|case| case.join("mainlog")).filter(|log| log.exists()).collect();
        logs.sort();
        for log in logs {
            let (ours, theirs) = (ours(&fs::read(&log).expect("a log")), theirs(&oracle, &log));
            println!("{}: {ours:?}", log.display());
            assert_eq!(ours, theirs, "{}", log.display());
            compared += 1;
        }
    }
    assert!(compared >= 8, "{compared}");
}
