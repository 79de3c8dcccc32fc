//! `bouncestat verify`: damage is found, named, and put right as far as it can be.

use std::fs;
use std::path::PathBuf;

use crate::common::{Folder, run};
use crate::kept::{collected, files, log, rows, told};

/// Files of a kind, in order.
fn of(folder: &Folder, below: &str, extension: &str) -> Vec<PathBuf> {
    files(folder.path(below).as_ref()).into_iter().filter(|file| file.extension().is_some_and(|e| e == extension)).collect()
}

/// Turns a bit in the middle of a file.
fn damage(file: &PathBuf) -> String {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
    file.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_sound_one_is_sound() {
    let folder = collected(4);
    let found = run(&["verify", "--deep", "--format", "json", &folder.path("ds")]).exits(0).json();
    assert_eq!((found["sound"].as_bool(), found["findings"].as_array().map(Vec::len)), (Some(true), Some(0)), "{found}");
}

/// Attempts and ids are made again, and are what they were.
#[test]
fn what_is_made_of_messages_is_made_again() {
    for (below, extension) in [("ds/attempts", "parquet"), ("ds/messages", "ids")] {
        for way in 0..3 {
            let folder = collected(4);
            let dir = folder.path("ds");
            let (before, parquet) = (told(&dir), rows(&dir));
            let file = &of(&folder, below, extension)[1];
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            match way {
                0 => _ = damage(file),
                1 => fs::remove_file(file).unwrap(),
                _ => fs::write(file, &fs::read(file).unwrap()[..20]).unwrap(),
            }
            let ran = run(&["verify", &dir]).exits(3).says(&["1 finding damaged"]);
            assert!(ran.text().contains(&name) && ran.text().contains("--repair"), "{}", ran.text());
            run(&["verify", "--repair", &dir]).exits(0).says(&["made again: 1 file"]);
            assert_eq!((told(&dir), rows(&dir)), (before, parquet));
            run(&["verify", "--deep", &dir]).exits(0);
            assert_eq!(of(&folder, "ds/quarantine", extension).len(), usize::from(way != 1));
        }
    }
}

/// Of damaged messages the rest stays; reports and Parquet files agree, and say what is lost.
#[test]
fn what_is_left_of_messages_is_kept() {
    let folder = collected(4);
    let dir = folder.path("ds");
    let lines = crate::common::report(&[&dir])["coverage"]["lines"].clone();
    let name = damage(&of(&folder, "ds/messages", "bin")[1]);
    // A report takes what stands beside them, and is right; who needs the messages hears of it.
    run(&["report", &dir]).exits(0);
    run(&["attempts", &dir]).exits(3).says(&[&name, "is damaged", "bouncestat verify DIR"]);
    run(&["verify", "--repair", &dir]).exits(3).says(&["are lost", "put aside: quarantine/messages_"]);
    let report = run(&["report", "--format", "json", &dir]).exits(0).says(&["the repair of messages/", "lost"]);
    assert_eq!(report.json()["coverage"]["lines"], lines);
    let attempts = run(&["attempts", "-q", "--format", "jsonl", &dir]).exits(0);
    assert_eq!(attempts.text().lines().count(), rows(&dir).len());
    run(&["verify", "--deep", &dir]).exits(0);
    run(&["compact", &dir]).exits(0);
    run(&["report", &dir]).exits(0).says(&["the repair of messages/"]);
}

/// A report and a run of collect live with damage.
#[test]
fn damage_is_never_fatal() {
    let folder = collected(2);
    let dir = folder.path("ds");
    let name = damage(&of(&folder, "ds/messages", "ids")[0]);
    run(&["report", &dir]).exits(3).says(&[&name]);
    let more = log().join("\n").replace("2026-11-", "2026-12-");
    let mail = folder.file("mail.log", more + "\n");
    run(&["collect", &mail, "--into", &dir]).exits(3).says(&[&name, "collected"]);
    run(&["verify", "--repair", &dir]).exits(0);
    run(&["verify", "--deep", &dir]).exits(0);
}

/// Without knowing how far logs were read, nothing is collected, and nothing is forgotten unasked.
#[test]
fn a_lost_state_is_not_passed_over() {
    let folder = collected(2);
    let dir = folder.path("ds");
    let file = of(&folder, "ds/state", "bin").remove(0);
    let name = damage(&file);
    let mail = folder.file("mail.log", log().join("\n") + "\n");
    run(&["collect", &mail, "--into", &dir]).exits(2).says(&[&name, "nothing can be collected", "bouncestat verify DIR"]);
    run(&["compact", &dir]).exits(2).says(&[&name]);
    run(&["report", &dir]).exits(3).says(&[&name]);
    run(&["verify", "--forget", &dir]).exits(2).says(&["--repair"]);
    run(&["verify", "--repair", &dir]).exits(3).says(&["nothing was repaired", "--forget"]);
    run(&["verify", "--repair", "--forget", &dir]).exits(3).says(&["is forgotten", "begin after 2026-11-24"]);
    run(&["report", &dir]).exits(0);
    run(&["verify", &dir]).exits(0);
    let later = folder.file("later.log", log().join("\n").replace("2026-11-", "2026-12-") + "\n");
    run(&["collect", &later, "--into", &dir]).exits(0);
    run(&["verify", "--deep", &dir]).exits(0);
}

#[test]
fn leftovers_are_named_and_do_no_harm() {
    let folder = collected(2);
    let dir = folder.path("ds");
    folder.file("ds/messages/00009999.bin", "x");
    folder.file("ds/attempts/event_date=2026-11-20/mine.parquet", "x");
    let ran = run(&["verify", &dir]).exits(0);
    for words in ["00009999.bin", "the next collect takes it away", "mine.parquet", "move it away"] {
        assert!(ran.text().contains(words), "{words}: {}", ran.text());
    }
    run(&["verify", "--repair", &dir]).exits(0);
    assert!(
        !folder.path("ds/messages/00009999.bin").is_empty() && !PathBuf::from(folder.path("ds/messages/00009999.bin")).exists()
    );
    assert!(
        PathBuf::from(folder.path("ds/attempts/event_date=2026-11-20/mine.parquet")).exists(),
        "nobody else's file is taken away"
    );
}
