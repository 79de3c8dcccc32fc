//! Years of stamps that have none, over whole rotation sets.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bouncestat_ingest::YearFrom;
use bouncestat_ingest::clock::Zone;
use bouncestat_ingest::input::{DiscoverOptions, discover};
use bouncestat_ingest::plan::{PlanOptions, plan};
use chrono::DateTime;

fn seconds(rfc3339: &str) -> i64 {
    DateTime::parse_from_rfc3339(rfc3339).unwrap().timestamp()
}

/// A log of these days, with one deferral each.
fn log(days: &[&str], id: &str) -> String {
    let line = |day: &&str| {
        format!(
            "{day} 12:00:00 lab postfix/smtp[1]: {id}: to=<a@d.example>, relay=none, delay=1, dsn=4.4.1, status=deferred (connect to mx.d.example[192.0.2.2]:25: Connection refused)\n"
        )
    };
    days.iter().map(line).collect()
}

/// Writes files of the same time; checks the first events and what told the years, in the order of time.
#[track_caller]
fn check(files: &[(&str, String)], modified: &str, want: &[(&str, &str, YearFrom)]) {
    let folder = tempfile::tempdir().unwrap();
    let mut paths: Vec<PathBuf> = Vec::new();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds(modified) as u64);
        fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        paths.push(path);
    }
    let found = discover(&paths, &DiscoverOptions::default());
    let now = seconds("2030-01-01T00:00:00Z") * 1_000_000;
    let options = PlanOptions { zone: Zone::UTC, zone_is_given: false, mta: None, host: None, now, rejects: false };
    let plan = plan(found.sources, &options);
    let got: Vec<_> = plan
        .files
        .iter()
        .map(|f| {
            let day = f.start.map(|at| DateTime::from_timestamp_micros(at).unwrap().date_naive().to_string());
            (f.source.path.file_name().unwrap().to_string_lossy().into_owned(), day.unwrap_or_default(), f.year_from)
        })
        .collect();
    let want: Vec<_> = want.iter().map(|(name, day, from)| ((*name).to_owned(), (*day).to_owned(), *from)).collect();
    assert_eq!(got, want);
}

const SHORT: &str = "AAAAAA00001";
/// Made on 2026-11-22.
const LONG: &str = "4jXVcG2tc6z1XXTY";

#[test]
fn neighbours_tell() {
    check(
        &[
            ("mail.log", log(&["Jan  3"], SHORT)),
            ("mail.log.1", log(&["Dec 20", "Jan  1"], SHORT)),
            ("mail.log.2", log(&["Nov 22", "Dec 19"], LONG)),
            ("mail.log.3", log(&["Jul  1", "Nov 21"], SHORT)),
        ],
        "2029-06-01T00:00:00Z",
        &[
            ("mail.log.3", "2026-07-01", YearFrom::Neighbour),
            ("mail.log.2", "2026-11-22", YearFrom::Id),
            ("mail.log.1", "2026-12-20", YearFrom::Neighbour),
            ("mail.log", "2027-01-03", YearFrom::Neighbour),
        ],
    );
}

#[test]
fn names_tell() {
    check(
        &[("mail.log-20250105", log(&["Dec 30", "Jan  5"], SHORT)), ("mail.log-20250112.1", log(&["Jan  5", "Jan 11"], SHORT))],
        "2029-06-01T00:00:00Z",
        &[("mail.log-20250105", "2024-12-30", YearFrom::Name), ("mail.log-20250112.1", "2025-01-05", YearFrom::Name)],
    );
}

#[test]
fn guesses_stay_guesses_and_in_order() {
    check(
        &[
            ("mail.log", log(&["Feb  3"], SHORT)),
            ("mail.log.1", log(&["Mar  1", "Apr  1"], SHORT)),
            ("mail.log.2", log(&["Feb 28", "Feb 29", "Mar  1"], SHORT)),
        ],
        "2029-06-01T00:00:00Z",
        &[
            ("mail.log.2", "2028-02-28", YearFrom::FileTime),
            ("mail.log.1", "2028-03-01", YearFrom::FileTime),
            ("mail.log", "2029-02-03", YearFrom::FileTime),
        ],
    );
}
