//! `bouncestat expire`: old messages leave a dataset.

use serde_json::Value;

use crate::common::{report, run, total};
use crate::kept::{bytes, collected, killed_at_every_step, log, rows, told};

const KEEP: [&str; 6] = ["--keep", "2d", "--as-of", "2026-11-24T12:00:00Z", "--format", "json"];

/// A report but for what lies before its window: that is what was taken away.
fn inside(mut report: Value) -> Value {
    report["coverage"]["outside_window"].take();
    report
}

#[test]
fn what_is_younger_stays_as_it_was() {
    for runs in [1, 5] {
        let folder = collected(runs);
        let dir = folder.path("ds");
        let since = ["report", "-q", "--format", "json", "--since", "2026-11-22", "--tz", "UTC", &dir];
        let (before, young, files) = (told(&dir), inside(run(&since).exits(0).json()), bytes(&dir));
        let dry = run(&[&["expire", "-q", "--dry-run", &dir][..], &KEEP].concat()).exits(0).json();
        assert_eq!((told(&dir), bytes(&dir)), (before, files), "a dry run changes nothing");
        let done = run(&[&["expire", "-q", &dir][..], &KEEP].concat()).exits(0).json();
        // Of 20 and 21 November: four messages a day that ended then. What was deferred ended later.
        assert_eq!((done["messages"].as_u64(), dry["messages"].as_u64()), (Some(8), Some(8)), "{done}");
        assert_eq!(inside(run(&since).exits(0).json()), young);
        assert_eq!(total(&report(&[&dir]), "bounced"), 3);
        assert!(rows(&dir).iter().all(|row| row.contains("4D2") || !row.starts_with("event_date=2026-11-20")));
        run(&["verify", "--deep", &dir]).exits(0);
        // Again there is nothing, and nothing is read again.
        let now = bytes(&dir);
        run(&[&["expire", "-q", &dir][..], &KEEP].concat()).exits(0);
        assert_eq!(bytes(&dir), now);
        let mail = folder.file("mail.log", log().join("\n") + "\n");
        run(&["collect", &mail, "--into", &dir]).exits(0).says(&["collected 0 lines"]);
    }
}

#[test]
fn it_is_whole_wherever_it_is_stopped() {
    killed_at_every_step(&collected(2), &["expire", "--keep", "2d", "--as-of", "2026-11-24T12:00:00Z", "DIR"]);
}

#[test]
fn spans_are_spans() {
    let folder = collected(1);
    run(&["expire", "--keep", "yesterday", &folder.path("ds")]).exits(2).says(&["is no span"]);
    run(&["expire", &folder.path("ds")]).exits(2).says(&["--keep"]);
}
