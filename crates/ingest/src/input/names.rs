//! What a file's name alone says: which rotation set it belongs to, how old it is in it, whether it can be a log.
//!
//! A name is a hint, never proof: compression is told by content (`decompress`), the server by its lines (`detect`),
//! and the true order of a set by what is inside. So a name that is not understood is a set of one.
//!
//! ```text
//! mail.log-20261122 < mail.log.2.gz < mail.log.1 < mail.log        MSGTRK2026112201-9.LOG < MSGTRK2026112201-10.LOG
//! ```

use std::cmp::Reverse;
use std::sync::LazyLock;

use chrono::{DateTime, Datelike, Timelike};
use regex::Regex;

/// How old a file is within its set; the smaller, the older.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Age {
    /// A date in the name: yyyymmdd (day 0 where there is only a month), then the hour, time or instance.
    Dated(u32, Vec<u64>),
    /// A rotation number: the higher, the older.
    Numbered(Reverse<u64>),
    /// No mark: the file that is being written.
    Current,
}

/// A name taken apart. Sorted: set by set, in each set the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rotation {
    /// The name without rotation and compression marks, in lower case: `mail.log`, `mainlog`, `msgtrkmd.log`.
    pub set: String,
    /// The place in the set.
    pub age: Age,
}

static EXCHANGE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?P<set>[a-z]+)(?P<ymd>(?:19|20)[0-9]{6})(?P<rest>[0-9]{2})?-(?P<n>[0-9]{1,9})$"));
static DATED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"^(?P<set>.*?)[.\-_]?(?P<y>(?:19|20)[0-9][0-9])[.\-_]?(?P<m>0[1-9]|1[0-2])",
        r"(?:[.\-_]?(?P<d>0[1-9]|[12][0-9]|3[01]))?(?P<rest>(?:[.\-_:t]?[0-9]+)*)$"
    ))
});
static EPOCH: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?P<set>.+?)[.\-_](?P<secs>[12][0-9]{9})$"));
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?P<set>.+?)\.(?P<n>[0-9]{1,5})$"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

/// Which set a file name belongs to, and how old it is there.
pub fn rotation_rank(name: &str) -> Rotation {
    let lower = name.to_lowercase();
    let bare = strip_packing(&lower);
    // `mail.log.1`, and with logrotate's `extension .log` or on Windows `mail.1.log`.
    if let Some((set, age)) = split_age(bare) {
        return Rotation { set, age };
    }
    if let Some((stem, extension)) = bare.rsplit_once('.')
        && matches!(extension, "log" | "txt" | "csv")
        && let Some((set, age)) = split_age(stem)
    {
        let set = match set.rsplit_once('.') {
            Some((_, known)) if known == extension => set,
            _ => format!("{set}.{extension}"),
        };
        return Rotation { set, age };
    }
    Rotation { set: bare.to_owned(), age: Age::Current }
}

fn strip_packing(name: &str) -> &str {
    const PACKING: [&str; 9] = [".gz", ".bz2", ".xz", ".zst", ".zstd", ".lzma", ".z", ".gzip", ".bz"];
    PACKING.iter().find_map(|end| name.strip_suffix(end)).filter(|bare| !bare.is_empty()).unwrap_or(name)
}

fn split_age(name: &str) -> Option<(String, Age)> {
    if let Some(set) = name.strip_suffix(".old").or_else(|| name.strip_suffix('~'))
        && !set.is_empty()
    {
        return Some((set.to_owned(), Age::Numbered(Reverse(1))));
    }
    if let Some(c) = EXCHANGE.captures(name) {
        let rest = c.name("rest").map_or(Some(0), |h| h.as_str().parse().ok())?;
        let age = Age::Dated(c["ymd"].parse().ok()?, vec![rest, c["n"].parse().ok()?]);
        return Some((c["set"].to_owned(), age));
    }
    // Ten digits are seconds since 1970 (logrotate's %s) unless they read as a date with an hour.
    if let Some(c) = DATED.captures(name) {
        let day = c.name("d").map_or("00", |d| d.as_str());
        let date = format!("{}{}{}", &c["y"], &c["m"], day).parse().ok()?;
        let rest: Vec<u64> = c["rest"]
            .split(|b: char| !b.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().unwrap_or(u64::MAX))
            .collect();
        return Some((c["set"].to_owned(), Age::Dated(date, rest)));
    }
    if let Some(c) = EPOCH.captures(name) {
        let time = DateTime::from_timestamp(c["secs"].parse().ok()?, 0)?;
        let date = u32::try_from(time.year()).ok()? * 10_000 + time.month() * 100 + time.day();
        let seconds = u64::from(time.num_seconds_from_midnight());
        return Some((c["set"].to_owned(), Age::Dated(date, vec![seconds])));
    }
    let c = NUMBERED.captures(name)?;
    Some((c["set"].to_owned(), Age::Numbered(Reverse(c["n"].parse().ok()?))))
}

/// True for names inside a folder that are surely no mail log. In doubt a file is looked into: false.
pub fn is_foreign_name(name: &str) -> bool {
    const NAMES: [&str; 16] = [
        "wtmp",
        "btmp",
        "utmp",
        "lastlog",
        "faillog",
        "tallylog",
        "package.json",
        "package-lock.json",
        "composer.json",
        "composer.lock",
        "yarn.lock",
        "cargo.lock",
        "cargo.toml",
        "makefile",
        "thumbs.db",
        "desktop.ini",
    ];
    const ENDS: [&str; 45] = [
        "journal",
        "journal~",
        "db",
        "db-wal",
        "db-shm",
        "db-journal",
        "sqlite",
        "sqlite3",
        "mdb",
        "edb",
        "evtx",
        "etl",
        "parquet",
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "ico",
        "webp",
        "bmp",
        "pdf",
        "exe",
        "dll",
        "so",
        "o",
        "a",
        "pyc",
        "class",
        "jar",
        "rpm",
        "deb",
        "pcap",
        "pid",
        "lock",
        "sock",
        "swp",
        "html",
        "css",
        "js",
        "py",
        "sh",
        "md",
        "toml",
        "php",
    ];
    if name.starts_with('.') {
        return true;
    }
    let set = rotation_rank(name).set;
    let end = set.rsplit_once('.').map_or("", |(_, end)| end);
    NAMES.contains(&set.as_str()) || ENDS.contains(&end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every list is in the order of age, oldest first, and one set.
    #[test]
    fn sets_are_in_the_order_of_age() {
        let sets: [&[&str]; 12] = [
            &["mail.log.10", "mail.log.2", "mail.log.1", "mail.log.0", "mail.log"],
            &["mail.log.10.gz", "mail.log.2.xz", "mail.log.1", "mail.log"],
            &["mail.log-20251231", "mail.log-20261122.gz", "mail.log"],
            &["mail.log.2026-11-21.gz", "mail.log.2026-11-22.gz"],
            &["mainlog-202610", "mainlog-20261122", "mainlog"],
            &["mainlog.02", "mainlog.01", "mainlog"],
            &["postfix.log.20261122-091500", "postfix.log.20261122-101010", "postfix.log"],
            &["MSGTRK2026112201-9.LOG", "MSGTRK2026112201-10.LOG", "msgtrk2026112202-1.log"],
            &["MSGTRK20101201-9.LOG", "MSGTRK20101201-10.LOG", "MSGTRK20101202-1.LOG"],
            &["mail.2.log", "mail.1.log.gz", "mail.log"],
            &["mail-20261121.log", "mail-20261122.log.gz"],
            &["mail.log-1763800000", "mail.log-1763886400.gz", "mail.log"],
        ];
        for names in sets {
            let ranks: Vec<_> = names.iter().map(|n| rotation_rank(n)).collect();
            assert!(ranks.is_sorted(), "{names:?}: {ranks:?}");
            assert!(ranks.iter().all(|r| r.set == ranks[0].set), "{ranks:?}");
            assert!(ranks.windows(2).all(|w| w[0] != w[1]), "{ranks:?}");
        }
    }

    #[test]
    fn other_files_are_other_sets() {
        let set = |name| rotation_rank(name).set;
        assert_ne!(set("MSGTRK2026112201-1.LOG"), set("MSGTRKMD2026112201-1.LOG"));
        assert_ne!(set("web-1.log"), set("web-2.log"));
        assert_ne!(set("mainlog"), set("rejectlog"));
        assert_eq!(rotation_rank("mail.log-20261122").age, Age::Dated(20_261_122, vec![]));
        assert_eq!(rotation_rank("20261122.log").age, Age::Dated(20_261_122, vec![]));
        for odd in ["", ".gz", ".", "~", ".old", "-", "99999999999999999999", "é.1"] {
            rotation_rank(odd);
        }
    }

    #[test]
    fn only_the_obvious_is_foreign() {
        for name in [
            "wtmp",
            "wtmp.1",
            "btmp-20261122",
            "lastlog",
            "system.journal",
            "package.json",
            "photo.JPG",
            ".mail.log.swp",
            "x.db",
            "README.md",
        ] {
            assert!(is_foreign_name(name), "{name}");
        }
        for name in [
            "mail.log",
            "mainlog",
            "MSGTRK2026112201-1.LOG",
            "export.csv",
            "abc-json.log",
            "journal.json",
            "mail.log.3.zip",
            "info",
            "mail.err",
            "syslog",
            "messages.7",
            "maillog~",
        ] {
            assert!(!is_foreign_name(name), "{name}");
        }
    }
}
