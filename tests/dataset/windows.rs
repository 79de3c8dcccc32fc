//! `--since`, `--until` and `--compare` over a dataset: what is outside is not read, and the answer is that of the logs.

use super::answers::Answers;
use super::collect;
use super::logs::lines_of;
use crate::common::{Folder, sample};

/// Collects a log in some runs, so that the dataset has segments that end before a window.
fn in_runs(file: &str, runs: usize) -> Folder {
    let lines = lines_of(file);
    let name = file.rsplit('/').next().expect("a name");
    let folder = Folder::new();
    for run in 1..=runs {
        folder.file(&format!("mx/{name}"), lines[..lines.len() * run / runs].concat());
        collect(&[&folder.path("mx")], &folder.path("ds")).exits(0);
    }
    folder
}

/// Demands the same of logs and dataset for windows. One with a beginning has an end, so that the present plays no part.
#[track_caller]
fn same_in_windows(logs: &str, dataset: &str, windows: &[(&str, &str)]) {
    let mut different = std::collections::BTreeSet::new();
    for (since, until) in windows {
        let mut options = Vec::new();
        if !since.is_empty() {
            options.extend(["--since", since]);
        }
        if !until.is_empty() {
            options.extend(["--until", until]);
        }
        let (batch, answers) = (Answers::with(&[logs], &options), Answers::with(&[dataset], &options));
        let what = format!("{since} to {until}");
        // Lines and files that a window does not need are not counted by a dataset.
        let answers = answers.without_places().without_coverage();
        batch.without_places().without_coverage().equal(&answers, &what);
        different.insert(answers.report("report")["totals"].to_string());
        if !since.is_empty() {
            options.push("--compare");
            let report = |path: &str| {
                let mut report = crate::common::report(&[&options[..], &[path]].concat());
                report.as_object_mut().expect("a report").remove("coverage");
                report["excluded"].as_object_mut().expect("counters").remove("duplicates");
                crate::common::without_places(report)
            };
            assert_eq!(report(logs), report(dataset), "{what}, compared");
        }
    }
    assert!(different.len() > 1, "all windows hold the same");
}

#[test]
fn postfix_ten_days() {
    let folder = in_runs("postfix/suppress/maillog", 6);
    let days = [
        ("", ""),
        ("2026-11-02", "2026-11-03"),
        ("2026-11-03", "2026-11-21"),
        ("2026-11-05", "2026-11-08"),
        ("2026-11-06 12:00", "2026-11-10"),
        ("2026-11-09", "2026-11-10"),
        ("2026-11-11", "2026-11-12"),
        ("", "2026-11-06"),
    ];
    same_in_windows(&folder.path("mx"), &folder.path("ds"), &days);
}

#[test]
fn postfix_two_days() {
    let folder = in_runs("postfix/suspects/maillog", 4);
    let hours = [
        ("2026-11-20", "2026-11-21"),
        ("", "2026-11-20"),
        ("2026-11-19 12:00", "2026-11-20 12:00"),
        ("2026-11-20 08:00", "2026-11-20 10:00"),
        ("2026-11-20 14:59", "2026-11-21"),
    ];
    same_in_windows(&folder.path("mx"), &folder.path("ds"), &hours);
}

/// Messages that began before the window, and whose cause stands before it.
#[test]
fn causes_in_earlier_days() {
    for (case, first) in [("postfix/cause-in-an-earlier-file", "17"), ("exim/cause-in-an-earlier-file", "18")] {
        let folder = Folder::new();
        let files = std::fs::read_dir(crate::common::root().join(sample(case))).expect("a sample");
        let mut files: Vec<_> = files.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file()).collect();
        files.retain(|path| path.extension().is_none_or(|extension| extension != "md"));
        files.sort();
        assert_eq!(files.len(), 3);
        for file in files.iter().rev() {
            let name = file.file_name().expect("a name").to_str().expect("UTF-8");
            folder.file(&format!("mx/{name}"), std::fs::read(file).expect("a log"));
            collect(&[&folder.path("mx")], &folder.path("ds")).exits(0);
        }
        let (first, next) = (format!("2026-11-{first}"), "2026-11-19");
        let days = [("", ""), (&*first, next), (next, "2026-11-20"), ("2026-11-20", "2026-11-21"), ("", next)];
        same_in_windows(&folder.path("mx"), &folder.path("ds"), &days);
    }
}

/// Six days of six servers, each server a run of its own.
#[test]
fn exchange_six_days() {
    let folder = Folder::new();
    let servers =
        ["EX19", "EDGE1", "EX16A", "EX10", "EX13", "EXSE", "EX16B"].map(|name| sample(&format!("exchange/fleet/{name}")));
    for server in &servers {
        collect(&[server], &folder.path("ds")).exits(0);
    }
    let all = sample("exchange/fleet/E*");
    let days = [
        ("", ""),
        ("2025-03-05", "2025-03-08"),
        ("2025-03-04 02:00", "2025-03-06"),
        ("2025-03-06", "2025-03-07"),
        ("", "2025-03-04 01:00"),
    ];
    same_in_windows(&all, &folder.path("ds"), &days);
}
