//! `bouncestat reclassify`: the attempts of a dataset, judged again.

use crate::common::run;
use crate::kept::{bytes, collected, killed_at_every_step, rows, told};

const RULES: &str = "[[rule]]\nid = \"own.full\"\nreason = \"policy\"\nmatch = [\"mailbox full\"]\n\
                     examples = [\"452 4.2.2 mailbox full\"]\nsource = \"our own\"\n";

#[test]
fn by_the_same_rules_nothing_changes() {
    let folder = collected(3);
    let dir = folder.path("ds");
    let (before, parquet, files) = (told(&dir), rows(&dir), bytes(&dir));
    run(&["reclassify", &dir]).exits(0).says(&["judged by these rules already"]);
    assert_eq!(bytes(&dir), files);
    let done = run(&["reclassify", "--all", "-q", "--format", "json", &dir]).exits(0).json();
    assert_eq!((done["changed"].as_u64(), done["attempts"].as_u64()), (Some(0), Some(parquet.len() as u64)), "{done}");
    assert_eq!((told(&dir), rows(&dir)), (before, parquet));
}

#[test]
fn other_rules_judge_otherwise() {
    let folder = collected(3);
    let (dir, own) = (folder.path("ds"), folder.file("own.toml", RULES));
    let is_own = |row: &&String| row.contains("own.full");
    let done = run(&["reclassify", "--rules", &own, "-q", "--format", "json", &dir]).exits(0).json();
    let judged = rows(&dir).iter().filter(is_own).count() as u64;
    assert!(judged > 0 && done["changed"].as_u64() == Some(judged), "{done}, {judged}");
    // Whoever collects with other rules hears of it.
    let log = folder.file("mail.log", crate::kept::log().join("\n") + "\n");
    run(&["collect", &log, "--into", &dir]).exits(0).says(&["judged by other rules", "bouncestat reclassify"]);
    run(&["reclassify", &dir]).exits(0).says(&["judged otherwise than before"]);
    assert_eq!(rows(&dir).iter().filter(is_own).count(), 0);
    run(&["verify", "--deep", &dir]).exits(0);
}

#[test]
fn it_is_whole_wherever_it_is_stopped() {
    killed_at_every_step(&collected(2), &["reclassify", "--all", "DIR"]);
}
