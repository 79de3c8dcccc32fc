//! `follow`: logs that grow and rotate while it runs. What it wrote is what one run over the whole log says.
//!
//! Nothing is timed: a test waits until a condition holds, with a generous limit.
#![cfg(unix)]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Folder, bytes_of, command, report, run, sample, without_places};

const LIMIT: Duration = Duration::from_secs(60);

/// A run of `follow` into a dataset; killed where a test fails.
struct Follow {
    child: Child,
    dataset: String,
}

impl Follow {
    fn start(logs: &str, dataset: &str) -> Self {
        let mut command = command();
        command.args(["follow", logs, "--into", dataset, "--every", "1s", "--tz", "UTC", "--quiet"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        Self { child, dataset: dataset.to_owned() }
    }

    /// Waits until the dataset holds so many lines; more are as wrong as fewer.
    #[track_caller]
    fn holds(&mut self, lines: usize) {
        let begun = Instant::now();
        loop {
            let there = bouncestat_store::is_dataset(self.dataset.as_ref()).then(|| report(&[&self.dataset]));
            let now = there.map_or(0, |report| report["coverage"]["lines"].as_u64().expect("a number"));
            if now == lines as u64 {
                return;
            }
            assert!(begun.elapsed() < LIMIT, "{now} lines, and {lines} were written");
            assert!(self.child.try_wait().expect("a state").is_none(), "it ended");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Ends it as a service manager does.
    fn stop(mut self) {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill is everywhere");
        assert!(killed.success());
        assert!(self.child.wait().expect("it ends").success());
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A report without what names of files change.
fn plain(path: &str) -> Value {
    let mut report = without_places(report(&[path]));
    report.as_object_mut().expect("a report").remove("coverage");
    report
}

fn lines() -> Vec<Vec<u8>> {
    let log = bytes_of(&format!("{}/maillog", sample("postfix/sink")));
    log.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
}

fn append(path: &str, bytes: &[u8]) {
    OpenOptions::new().create(true).append(true).open(path).expect("a log").write_all(bytes).expect("room");
}

/// Writes a log in thirds, and rotates between them; the dataset must say what the log says.
#[track_caller]
fn rotated(rotate: impl Fn(&Folder, usize) -> String) {
    let folder = Folder::new();
    let (lines, logs) = (lines(), folder.path("logs"));
    fs::create_dir(&logs).expect("a folder");
    let mut follow = Follow::start(&logs, &folder.path("dataset"));
    let third = lines.len() / 3;
    for part in 0..3 {
        let name = rotate(&folder, part);
        // An empty file that is looked into is no log of anybody yet.
        append(&name, b"");
        let until = if part == 2 { lines.len() } else { (part + 1) * third };
        let text = lines[part * third..until].concat();
        // A write ends where a buffer does.
        append(&name, &text[..text.len() / 2]);
        append(&name, &text[text.len() / 2..]);
        follow.holds(until);
    }
    follow.stop();
    assert_eq!(plain(&folder.path("dataset")), plain(&folder.file("all/maillog", lines.concat())));
}

#[test]
fn renamed() {
    rotated(|folder, part| {
        let log = folder.path("logs/mail.log");
        (0..part).rev().for_each(|n| {
            let old = if n == 0 { log.clone() } else { format!("{log}.{n}") };
            fs::rename(old, format!("{log}.{}", n + 1)).expect("a rename");
        });
        log
    });
}

#[test]
fn copied_and_emptied() {
    rotated(|folder, part| {
        let log = folder.path("logs/mail.log");
        if part > 0 {
            fs::copy(&log, format!("{log}.{}", 3 - part)).expect("a copy");
            fs::write(&log, "").expect("emptied");
        }
        log
    });
}

#[test]
fn dated_names() {
    rotated(|folder, part| folder.path(&format!("logs/mail-2026110{}.log", part + 1)));
}

/// A server goes on in the renamed file until it is told; its buffer ends in the middle of a line meanwhile.
#[test]
fn a_renamed_file_that_goes_on() {
    let folder = Folder::new();
    let (lines, logs) = (lines(), folder.path("logs"));
    fs::create_dir(&logs).expect("a folder");
    let (log, old) = (folder.path("logs/mail.log"), folder.path("logs/mail.log.1"));
    append(&log, &lines[..20].concat());
    let mut follow = Follow::start(&logs, &folder.path("dataset"));
    follow.holds(20);
    fs::rename(&log, &old).expect("a rename");
    let late = lines[20..30].concat();
    append(&old, &late[..late.len() - 40]);
    append(&log, &lines[30..].concat());
    // All but the line that has no end yet.
    follow.holds(lines.len() - 1);
    append(&old, &late[late.len() - 40..]);
    follow.holds(lines.len());
    follow.stop();
    assert_eq!(plain(&folder.path("dataset")), plain(&folder.file("all/maillog", lines.concat())));
}

#[test]
fn killed_and_started_again() {
    let folder = Folder::new();
    let (lines, log) = (lines(), folder.path("mail.log"));
    let mut written = 0;
    for part in 1..=4 {
        let until = lines.len() * part / 4;
        append(&log, &lines[written..until].concat());
        written = until;
        let mut follow = Follow::start(&log, &folder.path("dataset"));
        follow.holds(written);
    }
    assert_eq!(plain(&folder.path("dataset")), plain(&folder.file("all/maillog", lines.concat())));
}

#[test]
fn what_cannot_be_followed_is_said_before_anything_is_made() {
    let folder = Folder::with("logs/mail.log", lines().concat());
    let dataset = folder.path("dataset");
    for format in ["json", "csv", "parquet"] {
        run(&["follow", &folder.path("logs"), "--into", &dataset, "--format", format]).exits(2).says(&["lines (table) or jsonl"]);
    }
    run(&["follow", "-", "--into", &dataset]).exits(2).says(&["standard input", "bouncestat attempts -"]);
    assert!(!fs::exists(&dataset).expect("a state"));
}
