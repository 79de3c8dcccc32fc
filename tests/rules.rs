//! `bouncestat rules`: the list, how often each decides, and the check of a user's own.

use crate::common::{Folder, report, run, run_with, sample, total};

const MINE: &str = "[[rule]]\nid = \"mine.gnarl\"\nreason = \"policy\"\nmatch = [\"insufficient gnarl\"]\n\
    examples = [\"550 insufficient gnarl\"]\nsource = \"our partner's postmaster\"\n";

#[test]
fn the_list_names_id_reason_and_source() {
    let ran = run(&["rules", "list"]).exits(0);
    let mut ids: Vec<&str> = ran.text().lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert!(ids.len() > 200, "{}", ids.len());
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "ids are used once");
}

#[test]
fn stats_count_every_failed_delivery() {
    let sink = sample("postfix/sink");
    let ran = run(&["rules", "stats", "--tz", "UTC", &sink]).exits(0);
    let counted: u64 = ran.text().lines().map(|line| line.split_whitespace().next().unwrap().parse::<u64>().unwrap()).sum();
    let report = report(&[&sink]);
    assert_eq!(counted, total(&report, "hard") + total(&report, "soft"));
}

#[test]
fn rules_of_ones_own_are_asked_first() {
    let folder = Folder::with("mine.toml", MINE);
    let verdict = |args: &[&str]| {
        let ran = run_with(&[&["classify"], args].concat(), b"550 insufficient gnarl\n").exits(0).json();
        ran["rule_id"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict(&["--rules", &folder.path("mine.toml")]), "mine.gnarl");
    assert_ne!(verdict(&[]), "mine.gnarl");
}

#[test]
fn lint_finds_what_is_wrong() {
    let folder = Folder::with("mine.toml", MINE);
    run(&["rules", "lint", &folder.path("mine.toml")]).exits(0).says(&["0 findings"]);
    folder.file("wrong.toml", MINE.replace("[\"550 insufficient gnarl\"]", "[\"550 quite another reply\"]"));
    let ran = run(&["rules", "lint", &folder.path("wrong.toml")]).exits(2).says(&["1 finding\n"]);
    assert!(ran.text().contains("mine.gnarl"), "{}", ran.text());
    // Who uses it all the same is told.
    run_with(&["classify", "--rules", &folder.path("wrong.toml")], b"550 no\n").exits(0).says(&["warning", "1 finding;"]);
    folder.file("reason.toml", MINE.replace("policy", "polite"));
    let ran = run(&["rules", "lint", &folder.path("reason.toml")]).exits(2);
    assert!(ran.text().contains("unknown reason `polite`; known: user_unknown,"), "{}", ran.text());
    assert_eq!(ran.text().matches("reason.toml").count(), 1, "{}", ran.text());
}

#[test]
fn a_file_of_rules_that_cannot_be_used() {
    let folder = Folder::with("broken.toml", "[[rule]\nid=");
    run(&["--rules", &folder.path("broken.toml"), &sample("postfix/sink")]).exits(2).says(&["broken.toml"]);
    run(&["--rules", "no/such.toml", &sample("postfix/sink")]).exits(2).says(&["no/such.toml", "cannot be read"]);
}
