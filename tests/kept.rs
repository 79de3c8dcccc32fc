//! Datasets for the commands that keep them tidy: a log of some days, collected in several runs; what reports and Parquet files say of it;
//! and commands that are ended at every step.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::common::{Folder, Ran, command, finish, run};

/// Lines of Postfix from 20 to 24 November: messages that arrive, fail, wait for days, come again under another id, and rejects.
pub fn log() -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut say = |day: u32, minute: u32, what: &str| {
        let (hour, minute) = (8 + minute / 60, minute % 60);
        lines.push(format!("2026-11-{day}T{hour:02}:{minute:02}:00.000000+00:00 mx1 postfix/{what}"));
    };
    let mail = |say: &mut dyn FnMut(u32, u32, &str), day: u32, minute: u32, id: &str, to: &str| {
        say(day, minute, &format!("cleanup[9]: {id}: message-id=<{id}@shop.example>"));
        say(day, minute, &format!("qmgr[7]: {id}: from=<news@shop.example>, size=900, nrcpt=1 (queue active)"));
        say(day, minute, &format!("smtp[8]: {id}: to=<{to}"));
    };
    for day in 20..25 {
        for (n, minute) in (0..30).step_by(10).enumerate() {
            let id = format!("4A{day}B{n}C");
            let (to, dsn, status) = match n {
                0 => ("ann@alpha.example>, relay=mx.alpha.example[192.0.2.1]:25", "2.0.0", "sent (250 2.0.0 ok)".to_owned()),
                1 => {
                    let why =
                        "bounced (host mx.bravo.example[192.0.2.2] said: 550 5.1.1 no such user (in reply to RCPT TO command))";
                    ("bob@bravo.example>, relay=mx.bravo.example[192.0.2.2]:25", "5.1.1", why.to_owned())
                }
                _ => {
                    let next = format!("sent (250 2.0.0 Ok: queued as 4F{day}D0E)");
                    ("cat@shop.example>, relay=relay.shop.example[192.0.2.3]:25", "2.0.0", next)
                }
            };
            mail(&mut say, day, minute, &id, &format!("{to}, delay=1, delays=0/0/0/1, dsn={dsn}, status={status}"));
            say(day, minute, &format!("qmgr[7]: {id}: removed"));
        }
        // The second hop of the third message: it is known only by the next run, where the log is cut before it.
        let (id, to) = (format!("4F{day}D0E"), "cat@charlie.example>, relay=mx.charlie.example[192.0.2.4]:25");
        mail(&mut say, day, 40, &id, &format!("{to}, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 ok)"));
        say(day, 40, &format!("qmgr[7]: {id}: removed"));
        let why = "status=deferred (host mx.delta.example[192.0.2.5] said: 452 4.2.2 mailbox full (in reply to RCPT TO command))";
        let full = format!("dan@delta.example>, relay=mx.delta.example[192.0.2.5]:25, delay=9, delays=0/0/0/9, dsn=4.2.2, {why}");
        mail(&mut say, day, 50, &format!("4D{day}F0A"), &full);
        if day > 21 {
            let id = format!("4D{}F0A", day - 2);
            say(day, 51, &format!("smtp[8]: {id}: to=<{full}"));
            say(day, 52, &format!("qmgr[7]: {id}: from=<news@shop.example>, status=expired, returned to sender"));
            say(day, 53, &format!("qmgr[7]: {id}: removed"));
        }
        let who = "RCPT from unknown[198.51.100.7]: 554 5.7.1 <eve@shop.example>: Relay access denied";
        say(
            day,
            55,
            &format!("smtpd[6]: NOQUEUE: reject: {who}; from=<x@echo.example> to=<eve@shop.example> proto=ESMTP helo=<echo>"),
        );
        say(day, 56, "anvil[5]: statistics: max connection rate 1/60s for (smtp:198.51.100.7)");
    }
    lines
}

/// The folder `ds` with the log, collected in `runs` runs.
pub fn collected(runs: usize) -> Folder {
    let folder = Folder::new();
    let lines = log();
    for n in 1..=runs {
        let log = folder.file("mail.log", lines[..lines.len() * n / runs].join("\n") + "\n");
        run(&["collect", "-q", "--tz", "UTC", &log, "--into", &folder.path("ds")]).exits(0);
    }
    fs::remove_file(folder.path("mail.log")).unwrap();
    folder
}

/// What every command says of a dataset.
#[track_caller]
pub fn told(dir: &str) -> String {
    let mut text = String::new();
    for command in ["report", "suspects", "suppress", "rejects"] {
        text.push_str(run(&[command, "-q", "--format", "json", dir]).exits(0).text());
    }
    let attempts = run(&["attempts", "-q", "--format", "jsonl", dir]).exits(0);
    let mut attempts: Vec<&str> = attempts.text().lines().collect();
    attempts.sort_unstable();
    text + &attempts.join("\n")
}

/// Every row of the Parquet files that other programs see, sorted, with the name of its folder.
pub fn rows(dir: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for file in files(&Path::new(dir).join("attempts")).iter().filter(|file| file.extension().is_some_and(|e| e == "parquet")) {
        let day = file.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let reader = SerializedFileReader::new(File::open(file).unwrap()).unwrap();
        rows.extend(reader.get_row_iter(None).unwrap().map(|row| format!("{day} {}", row.unwrap())));
    }
    rows.sort();
    rows
}

/// All files below a folder.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path),
        }
    }
    found.sort();
    found
}

/// The bytes of all files of a dataset but for its lock.
pub fn bytes(dir: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = files(Path::new(dir)).into_iter().filter(|file| !file.ends_with(".lock"));
    files.map(|file| (file.strip_prefix(dir).unwrap().to_owned(), fs::read(&file).unwrap())).collect()
}

pub fn copy(from: &str, to: &str) {
    let _ = fs::remove_dir_all(to);
    for (name, bytes) in bytes(from) {
        let path = Path::new(to).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Ends a command at every step that it takes: reports say the same before and after, or what they say in the end; no row is ever doubled; and
/// the next run ends as if nothing had been.
#[track_caller]
pub fn killed_at_every_step(folder: &Folder, args: &[&str]) {
    let (from, dir) = (folder.path("ds"), folder.path("killed"));
    let before = told(&from);
    copy(&from, &dir);
    let args: Vec<String> = args.iter().map(|arg| arg.replace("DIR", &dir)).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let whole: Ran = run(&[&args[..], &["-q", "--format", "json"]].concat()).exits(0);
    let (after, rows_after) = (told(&dir), rows(&dir));
    let steps = whole.json()["steps"].as_u64().unwrap();
    assert!(steps > 10, "{}", whole.text());
    for step in 1..=steps {
        copy(&from, &dir);
        let ran = finish(command().args(&args).arg("-q").env("BOUNCESTAT_STOP_AT_STEP", step.to_string()), b"");
        assert_eq!(ran.code, -1, "step {step}: {}", ran.err);
        let now = told(&dir);
        assert!(now == before || now == after, "step {step}");
        let mut rows_now = rows(&dir);
        let all = rows_now.len();
        rows_now.dedup();
        assert_eq!(rows_now.len(), all, "step {step}: rows are doubled");
        run(&[&args[..], &["-q"]].concat()).exits(0);
        assert!(told(&dir) == after && rows(&dir) == rows_after, "step {step}");
        run(&["verify", "-q", "--deep", &dir]).exits(0);
    }
}
