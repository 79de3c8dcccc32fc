//! The same input gives the same bytes, whatever the order of the paths, the number of threads, the packing, and the places where
//! rotation cut the files.
//!
//! Where files are cut or packed, `coverage.files` and the places of lines may differ, and with other line ends `coverage.bytes`;
//! nothing else does.

use serde_json::Value;

use crate::common::{Folder, PACKED, bytes_of, case_paths, cases, pack, report, run, sample, total, without_places};

/// The report's bytes.
fn bytes(args: &[&str]) -> Vec<u8> {
    run(&[&["--tz", "UTC", "--format", "json"], args].concat()).exits(0).out
}

/// The report without what other cuts, packings and line ends change: the named counters of the coverage.
fn without(report: Value, counters: &[&str]) -> Value {
    let mut report = without_places(report);
    let coverage = report["coverage"].as_object_mut().expect("a coverage");
    for counter in counters {
        assert!(coverage.remove(*counter).is_some(), "no {counter}");
    }
    report
}

/// Logs with the folder that their host is named after, where lines name none.
const LOGS: [(&str, &str); 3] = [
    ("postfix/lab-long/maillog", "mail.log"),
    ("exim/4.96-default/mainlog", "mainlog"),
    ("exchange/fleet/EX16A/MSGTRK2025030400-1.LOG", "MSGTRK.LOG"),
];

fn lines(log: &[u8]) -> Vec<&[u8]> {
    log.split_inclusive(|b| *b == b'\n').collect()
}

#[test]
fn one_thread_or_two_or_seven() {
    for case in cases() {
        let paths = case_paths(&case);
        let with = |threads: &str| {
            let mut args = vec!["--threads", threads];
            args.extend(paths.iter().map(String::as_str));
            bytes(&args)
        };
        let one = with("1");
        assert!(one == with("2") && one == with("7"), "{case}");
    }
}

#[test]
fn paths_in_any_order() {
    let folder = sample("mixed/all-three");
    let entries = std::fs::read_dir(crate::common::root().join(&folder)).unwrap();
    let mut paths: Vec<String> = entries.map(|e| format!("{folder}/{}", e.unwrap().file_name().into_string().unwrap())).collect();
    paths.retain(|path| !path.ends_with(".md") && !path.ends_with("expected"));
    paths.sort();
    assert_eq!(paths.len(), 9);
    let whole = bytes(&[&folder]);
    for turn in 0..paths.len() {
        paths.rotate_left(1);
        let at = turn % 3;
        paths.swap(at, 5);
        let args: Vec<&str> = paths.iter().map(String::as_str).collect();
        assert!(bytes(&args) == whole, "{paths:?}");
    }
}

#[test]
fn cut_anywhere_by_rotation() {
    for (log, name) in LOGS {
        let log = bytes_of(&sample(log));
        let lines = lines(&log);
        let whole = Folder::with(&format!("mx/{name}"), &log);
        let whole = without(report(&[&whole.path("mx")]), &["files"]);
        for parts in [2, 3, 5] {
            // Later cuts are placed unevenly, so that no two tries cut at the same lines.
            let cut = |part: usize| lines.len() * part * (part + parts) / (parts * 2 * parts);
            let folder = Folder::new();
            for part in 0..parts {
                let piece = lines[cut(part)..cut(part + 1)].concat();
                let age = parts - 1 - part;
                match age {
                    0 => folder.file(&format!("mx/{name}"), with_header(&piece, &log, name)),
                    1 => folder.file(&format!("mx/{name}.1"), with_header(&piece, &log, name)),
                    _ => folder.file(&format!("mx/{name}.{age}.gz"), pack(PACKED[0].0, &with_header(&piece, &log, name))),
                };
            }
            let cut_report = report(&[&folder.path("mx")]);
            assert_eq!(cut_report["coverage"]["files"], parts);
            if name.starts_with("MSGTRK") {
                // Each file of Exchange begins with a header of its own.
                let counters = ["files", "bytes", "lines", "irrelevant"];
                assert_eq!(without(cut_report, &counters), without_more(&whole, &counters[1..]), "{name} in {parts}");
            } else {
                assert_eq!(without(cut_report, &["files"]), whole, "{name} in {parts}");
            }
        }
    }
}

fn without_more(report: &Value, counters: &[&str]) -> Value {
    without(report.clone(), counters)
}

/// A piece of a log, with the header that an Exchange log has.
fn with_header(piece: &[u8], log: &[u8], name: &str) -> Vec<u8> {
    if !name.starts_with("MSGTRK") || piece.starts_with(&log[..8]) {
        return piece.to_vec();
    }
    let header: Vec<&[u8]> =
        lines(log).into_iter().take_while(|line| line.starts_with(b"#") || line.starts_with(b"\xef\xbb\xbf#")).collect();
    [header.concat(), piece.to_vec()].concat()
}

/// The files of a rotation named in the wrong order, so that names mislead: what is inside decides.
#[test]
fn names_do_not_decide_the_order() {
    let log = bytes_of(&sample("postfix/lab-long/maillog"));
    let lines = lines(&log);
    let (old, new) = (lines[..1000].concat(), lines[1000..].concat());
    let right = Folder::with("mx/mail.log.1", &old);
    right.file("mx/mail.log", &new);
    let wrong = Folder::with("mx/mail.log.1", &new);
    wrong.file("mx/mail.log", &old);
    assert_eq!(without_places(report(&[&right.path("mx")])), without_places(report(&[&wrong.path("mx")])));
}

#[test]
fn packed_in_any_way() {
    for (log, name) in LOGS {
        let log = bytes_of(&sample(log));
        let plain = Folder::with(&format!("mx/{name}"), &log);
        let plain = without_places(report(&[&plain.path("mx")]));
        for (how, extension) in PACKED {
            let packed = Folder::with(&format!("mx/{name}.1.{extension}"), pack(how, &log));
            assert_eq!(without_places(report(&[&packed.path("mx")])), plain, "{name}.{extension}");
        }
        // Several members in one gz.
        let half = log.len() / 2;
        let members = [pack(PACKED[0].0, &log[..half]), pack(PACKED[0].0, &log[half..])].concat();
        let packed = Folder::with(&format!("mx/{name}.1.gz"), members);
        assert_eq!(without_places(report(&[&packed.path("mx")])), plain, "{name}: two members");
    }
}

#[test]
fn any_line_ends() {
    for (log, name) in LOGS {
        let unix: Vec<u8> = bytes_of(&sample(log)).into_iter().filter(|b| *b != b'\r').collect();
        let windows: Vec<u8> = unix.iter().flat_map(|b| if *b == b'\n' { b"\r\n".to_vec() } else { vec![*b] }).collect();
        let unix = Folder::with(&format!("mx/{name}"), unix);
        let windows = Folder::with(&format!("mx/{name}"), windows);
        let [unix, windows] = [unix, windows].map(|folder| without(report(&[&folder.path("mx")]), &["bytes"]));
        assert_eq!(unix, windows, "{name}");
    }
}

/// A log and its packed copy are counted once, and the lines of the copy are duplicates.
#[test]
fn a_log_and_its_copy_count_once() {
    for (log, name) in LOGS {
        let log = bytes_of(&sample(log));
        let one = Folder::with(&format!("mx/{name}"), &log);
        let both = Folder::with(&format!("mx/{name}"), &log);
        both.file(&format!("mx/{name}.1.gz"), pack(PACKED[0].0, &log));
        let (one, both) = (report(&[&one.path("mx")]), report(&[&both.path("mx")]));
        assert_eq!(one["totals"], both["totals"], "{name}");
        assert_eq!(one["domains"], both["domains"], "{name}");
        assert_eq!(one["excluded"]["duplicates"], 0);
        let duplicates = both["excluded"]["duplicates"].as_u64().unwrap();
        let lines = one["coverage"]["lines"].as_u64().unwrap();
        assert!(duplicates > lines * 9 / 10 && duplicates <= lines, "{name}: {duplicates} of {lines}");
    }
}

/// copytruncate: the end of the rotated file stands in the new one again.
#[test]
fn an_overlap_counts_once() {
    let log = bytes_of(&sample("postfix/lab-long/maillog"));
    let lines = lines(&log);
    let folder = Folder::with("mx/mail.log.1", lines[..1300].concat());
    folder.file("mx/mail.log", lines[1000..].concat());
    let overlapping = report(&[&folder.path("mx")]);
    let whole = report(&[&sample("postfix/lab-long")]);
    assert_eq!(overlapping["totals"], whole["totals"]);
    let duplicates = overlapping["excluded"]["duplicates"].as_u64().unwrap();
    assert!((290..=300).contains(&duplicates), "{duplicates}");
}

#[test]
fn a_file_that_is_reached_twice_is_read_once() {
    let log = sample("postfix/lab-long/maillog");
    let once = bytes(&[&log]);
    assert!(bytes(&[&log, &log]) == once);
    assert!(bytes(&[&log, &sample("postfix/lab-long"), &sample("postfix/../postfix/lab-long/mail*")]) == once);
}

/// Three servers in one folder: each counts as it does alone.
#[test]
fn servers_do_not_disturb_each_other() {
    let mixed = report(&[&sample("mixed/all-three")]);
    let folder = sample("mixed/all-three");
    let parts = ["mail.log", "mainlog", "MSGTRK*"].map(|name| report(&[&format!("{folder}/{name}")]));
    for name in ["deliveries", "delivered", "delayed", "bounced", "expired", "deferred", "hard", "soft", "attempts"] {
        assert_eq!(total(&mixed, name), parts.iter().map(|part| total(part, name)).sum::<u64>(), "{name}");
    }
}

#[test]
fn equal_lines_inside_one_file_are_real() {
    let line = "2026-11-20T10:00:05+00:00 mx1 postfix/smtp[2]: AAAA000001: to=<a@late.example>, relay=none, delay=5, delays=0/0/5/0, \
        dsn=4.4.1, status=deferred (connect to mx.late.example[192.0.2.1]:25: Connection refused)\n";
    let folder = Folder::with("mail.log", line.repeat(3));
    let report = report(&[&folder.path("mail.log")]);
    assert_eq!((total(&report, "deliveries"), total(&report, "attempts")), (1, 3));
    assert_eq!(report["excluded"]["duplicates"], 0);
}
