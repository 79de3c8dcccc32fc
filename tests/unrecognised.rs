//! `--unrecognised FILE`: the lines that were not understood, by shape.

use std::fs;

use crate::common::{Folder, run};

/// A log with three shapes that nobody understands, and deliveries.
fn log() -> String {
    let mut log = String::new();
    for n in 0..40 {
        let line = |what: &str| format!("2026-11-22T06:{:02}:01+00:00 mx1 postfix/smtp[{}]: {what}\n", n, 100 + n);
        log +=
            &line(&format!("4jXVcG2tc6z1XX{}{}: to=<u{n}@ok.test>, relay=none, status=odd{n}", (b'B' + n % 3) as char, n % 10));
        if n % 2 == 0 {
            log += &line(&format!(
                "4jXVcG2tc6z1XX{}{}: to=<u{n}@ok.test>, relay=mx.ok.test[192.0.2.{n}]:25",
                (b'B' + n % 3) as char,
                n % 10
            ));
        }
    }
    log + "2026-11-22T07:00:00+00:00 mx1 postfix/smtp[9]: 4jXVcG2tc6z1XXTY: to=<bob@ok.test>, relay=mx.ok.test[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)\n"
}

#[test]
fn shapes_with_counts_examples_and_places() {
    let folder = Folder::new();
    fs::write(folder.path("mail.log"), log()).expect("a log");
    let (logs, csv) = (folder.path("mail.log"), folder.path("odd.csv"));
    let mut all = Vec::new();
    for (command, threads) in [("report", "1"), ("report", "4"), ("attempts", "1"), ("rejects", "1")] {
        run(&[command, "--tz", "UTC", "--threads", threads, "--unrecognised", &csv, &logs])
            .exits(0)
            .says(&["shapes", "60 lines look"]);
        all.push(fs::read_to_string(&csv).expect("the file"));
    }
    assert!(all.iter().all(|text| *text == all[0]), "{all:#?}");
    let rows: Vec<_> = all[0].lines().collect();
    assert_eq!(rows[0], "lines,shape,example,source_file,source_offset");
    assert_eq!(rows.len(), 3, "{rows:#?}");
    assert!(rows[1].starts_with("40,") && rows[1].contains("status=odd0") && rows[1].ends_with(",0"), "{}", rows[1]);
    assert!(rows[2].starts_with("20,") && rows[2].contains("192.0.2.0"), "{}", rows[2]);
    let json = folder.path("odd.json");
    run(&["--tz", "UTC", "--redact", "address", "--unrecognised", &json, &logs]).exits(0);
    let text = fs::read_to_string(&json).expect("the file");
    assert!(text.contains("\"lines\": 40") && !text.contains("ok.test>"), "{text}");
}

#[test]
fn what_cannot_be_written_is_said() {
    let folder = Folder::new();
    fs::write(folder.path("mail.log"), log()).expect("a log");
    let log = folder.path("mail.log");
    run(&["--unrecognised", "-", &log]).exits(2).says(&["needs a file"]);
    run(&["--unrecognised", &log, &log]).exits(2).says(&["one of the logs"]);
    run(&["--unrecognised", &folder.path("no/such/folder.csv"), &log]).exits(2).says(&["cannot be written"]);
    run(&["suspects", "--unrecognised", &folder.path("x.csv"), &log]).exits(2);
}
