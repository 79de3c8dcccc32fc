//! `bouncestat man`: a page for every command, in sound troff.

use std::process::Command;

use crate::common::{Folder, finish, root, run};

#[test]
fn a_page_for_every_command() {
    let folder = Folder::new();
    run(&["man", "--out", &folder.path("man1")]).exits(0).says(&["pages into"]);
    let mut pages: Vec<_> = std::fs::read_dir(folder.path("man1")).unwrap().map(|e| e.unwrap().path()).collect();
    pages.sort();
    let names: Vec<_> = pages.iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect();
    for name in ["bouncestat.1", "bouncestat-check.1", "bouncestat-rules-stats.1"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for page in &pages {
        let text = std::fs::read_to_string(page).unwrap();
        assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{}", page.display());
        if Command::new("groff").arg("--version").output().is_ok() {
            let ran = finish(Command::new("groff").args(["-man", "-ww", "-Wbreak", "-Tutf8", "-z"]).arg(page), b"").exits(0);
            assert!(ran.err.is_empty(), "{}: {}", page.display(), ran.err);
        }
    }
}

#[test]
fn the_main_page_names_exit_codes_and_options() {
    let page = run(&["man"]).exits(0);
    for words in ["Exit codes: 0 fine", "since", "bouncestat.toml", "BOUNCESTAT_REDACT_KEY"] {
        assert!(page.text().replace("\\-", "-").contains(words), "{words}");
    }
}

/// What the unit runs is what the command line takes.
#[test]
fn the_unit_and_the_cron_line_are_sound() {
    let read = |name: &str| std::fs::read_to_string(root().join("packaging").join(name)).unwrap();
    let unit = read("bouncestat.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/bouncestat ")).unwrap();
    let folder = Folder::new();
    let line = line.replace("/var/lib/bouncestat", &folder.path(""));
    let args: Vec<&str> = line.split(' ').chain(["--as-of", "last", "samples/postfix/sink"]).collect();
    run(&args).exits(0);
    assert!(std::fs::read_to_string(folder.path("bouncestat.prom")).unwrap().contains("bouncestat_deliveries{"));
    let cron = read("bouncestat.cron");
    let line = cron.lines().find_map(|line| line.split_once("root  bouncestat ")).unwrap().1;
    run(&line.split(' ').chain(["samples/postfix/sink"]).collect::<Vec<_>>()).exits(0);
}
