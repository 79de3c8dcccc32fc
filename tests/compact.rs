//! `bouncestat compact`: few files, by day, and the same answers.

use std::fs;

use crate::common::run;
use crate::kept::{bytes, collected, files, killed_at_every_step, log, rows, told};

#[test]
fn reports_stay_the_same_and_a_second_time_changes_nothing() {
    let folder = collected(12);
    let dir = folder.path("ds");
    let since = ["report", "-q", "--format", "json", "--since", "2026-11-23", "--tz", "UTC", &dir];
    let (before, late, parquet) = (told(&dir), run(&since).exits(0).out, rows(&dir));
    let done = run(&["compact", "-q", "--format", "json", &dir]).exits(0).json();
    assert!(done["segments"].as_u64() < done["segments_before"].as_u64() && done["merged"].as_u64() >= Some(8), "{done}");
    assert_eq!(told(&dir), before);
    assert_eq!(rows(&dir), parquet, "Parquet files hold the same attempts");
    assert_eq!(run(&since).exits(0).out, late, "a window that begins with a day counts the same lines");
    // A file of messages a day, as each ends on one day only.
    let bins = files(folder.path("ds/messages").as_ref()).into_iter().filter(|file| file.extension().is_some_and(|e| e == "bin"));
    assert_eq!(bins.count(), 5);
    let once = bytes(&dir);
    run(&["compact", &dir]).exits(0).says(&["is compact: nothing was merged"]);
    assert_eq!(bytes(&dir), once);
    run(&["verify", "--deep", &dir]).exits(0).says(&["is sound"]);
}

#[test]
fn it_is_whole_wherever_it_is_stopped() {
    killed_at_every_step(&collected(3), &["compact", "DIR"]);
}

/// Many small runs leave few files, without being asked; and what is collected afterwards joins what is open.
#[test]
fn collect_merges_small_files() {
    let lines = log().len();
    let (often, once) = (collected(lines / 2), collected(1));
    let segments = fs::read_to_string(often.path("ds/bouncestat-dataset.json")).unwrap().matches("\"number\"").count();
    assert!(segments < 40, "{segments} of {} runs", lines / 2);
    assert_eq!(rows(&often.path("ds")).len(), rows(&once.path("ds")).len());
    run(&["verify", "--deep", &often.path("ds")]).exits(0);
    let report = |dir: &str| crate::common::report(&[dir])["totals"].clone();
    assert_eq!(report(&often.path("ds")), report(&once.path("ds")));
}

#[test]
fn what_is_damaged_is_left_alone_and_named() {
    let folder = collected(6);
    let file =
        files(folder.path("ds/messages").as_ref()).into_iter().find(|f| f.extension().is_some_and(|e| e == "bin")).unwrap();
    let mut damaged = fs::read(&file).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&file, &damaged).unwrap();
    run(&["compact", &folder.path("ds")]).exits(3).says(&[file.file_name().unwrap().to_str().unwrap(), "is damaged", "verify"]);
    assert_eq!(fs::read(&file).unwrap(), damaged);
}

#[test]
fn only_datasets_are_compacted() {
    let folder = crate::common::Folder::new();
    for command in ["compact", "reclassify", "verify"] {
        run(&[command, &folder.path("")]).exits(2).says(&["is no dataset"]);
    }
    assert!(files(folder.path("").as_ref()).is_empty());
}
