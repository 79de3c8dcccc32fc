//! Copies, other names, other inodes, other times: a line is known by what it says, so nothing is counted twice and nothing is lost.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use super::answers::{Answers, is_tidy, parquet_rows};
use super::collect;
use super::logs::lines_of;
use crate::common::{Folder, PACKED, pack};

/// A log whose first part was collected; what it was then, and what it is now, with more lines.
struct Collected {
    folder: Folder,
    first: Vec<u8>,
    all: Vec<u8>,
}

impl Collected {
    fn new() -> Self {
        let lines = lines_of("postfix/lab-long/maillog");
        let this = Self { folder: Folder::new(), first: lines[..1200].concat(), all: lines.concat() };
        this.folder.file("mx/mail.log", &this.first);
        this.lines(1200);
        this
    }

    fn logs(&self) -> String {
        self.folder.path("mx")
    }

    fn dataset(&self) -> String {
        self.folder.path("ds")
    }

    /// Collects; demands how many lines were new.
    #[track_caller]
    fn lines(&self, new: u64) {
        let told = collect(&[&self.logs()], &self.dataset()).exits(0).json();
        assert_eq!(told["lines"], new, "{told}");
    }

    /// Demands that the dataset says what the whole log says.
    #[track_caller]
    fn is_all(&self, what: &str) {
        let whole = Folder::with("mx/mail.log", &self.all);
        let answers = Answers::of(&[&self.dataset()]);
        assert_eq!(parquet_rows(&self.dataset()).len(), answers.attempts().len(), "{what}");
        Answers::of(&[&whole.path("mx")]).without_places().equal(&answers.without_places(), what);
        is_tidy(&self.dataset());
    }
}

#[test]
fn a_restored_backup_says_nothing_new() {
    let log = Collected::new();
    log.folder.file("mx/mail.log", &log.all);
    log.lines(1003);
    for (name, bytes) in [
        ("mx/mail.log.backup", log.first.clone()),
        ("mx/mail.log.1", log.all.clone()),
        ("mx/restored/mail.log-20261122", log.all[..log.all.len() / 3].to_vec()),
        ("mx/mail.log.2.gz", pack(PACKED[0].0, &log.first)),
        ("mx/old.xz", pack(PACKED[2].0, &log.all)),
    ] {
        log.folder.file(name, bytes);
        log.lines(0);
        log.is_all(name);
    }
}

/// As `rsync` and editors write: the new file is made beside the old one and renamed over it.
#[test]
fn another_inode() {
    let log = Collected::new();
    for (bytes, new) in [(&log.first, 0), (&log.all, 1003), (&log.all, 0)] {
        let beside = log.folder.file("mx/.mail.log.XXXX", bytes);
        fs::rename(beside, log.folder.path("mx/mail.log")).expect("it is renamed");
        log.lines(new);
    }
    log.is_all("another inode");
}

#[test]
fn the_same_file_by_two_paths() {
    let log = Collected::new();
    log.folder.file("mx/mail.log", &log.all);
    let path = log.folder.path("mx/mail.log");
    let roundabout = format!("{}/../mx/mail.*", log.logs());
    let told = collect(&[&path, &log.logs(), &roundabout, &path], &log.dataset()).exits(0).json();
    assert_eq!(told["lines"], 1003);
    log.is_all("many paths at once");
    for other in [&path, &roundabout] {
        assert_eq!(collect(&[other], &log.dataset()).exits(0).json()["lines"], 0);
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&path, log.folder.path("mx/link.log")).expect("a link");
        fs::hard_link(&path, log.folder.path("mx/hard.log")).expect("a link");
        log.lines(0);
    }
    log.is_all("many paths, one by one");
}

/// What was touched is looked into again; a time that goes backwards hides nothing.
#[test]
fn touched_files() {
    let log = Collected::new();
    let touch = |at: SystemTime| {
        let file = File::options().append(true).open(log.folder.path("mx/mail.log")).expect("it is there");
        file.set_modified(at).expect("it is ours");
    };
    let modified = || fs::metadata(log.folder.path("mx/mail.log")).and_then(|m| m.modified()).expect("a time");
    let (day, now) = (Duration::from_secs(86400), modified());
    for at in [now, now - 400 * day, now + day, SystemTime::UNIX_EPOCH] {
        touch(at);
        log.lines(0);
    }
    let modified = modified();
    log.folder.file("mx/mail.log", &log.all);
    touch(modified);
    log.lines(1003);
    log.is_all("touched");
}

/// A log that was packed after it was read to its end, and one that grew before that.
#[test]
fn packed_after_it_was_read() {
    for (how, extension) in PACKED {
        for grows in [false, true] {
            let log = Collected::new();
            if !grows {
                log.folder.file("mx/mail.log", &log.all);
                log.lines(1003);
            }
            fs::remove_file(log.folder.path("mx/mail.log")).expect("it was there");
            log.folder.file(&format!("mx/mail.log.1.{extension}"), pack(how, &log.all));
            log.lines(if grows { 1003 } else { 0 });
            log.is_all(&format!("{extension}, {grows}"));
        }
    }
}
