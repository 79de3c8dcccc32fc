//! `bouncestat completions`: scripts that their shells take, and that know the commands.

use std::process::Command;

use crate::common::{Folder, finish, run};

#[test]
fn every_shell_has_one() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = run(&["completions", shell]).exits(0);
        for word in ["attempts", "fail-over", "quota-class"] {
            assert!(ran.text().contains(word), "{shell} does not know {word}");
        }
    }
    run(&["completions", "tcsh"]).exits(2).says(&["tcsh", "bash"]);
}

/// What bash offers after some words.
fn offered(words: &[&str]) -> Option<Vec<String>> {
    let script = run(&["completions", "bash"]).exits(0);
    let folder = Folder::with("bouncestat.bash", script.text());
    let line = format!(
        "source {}; COMP_WORDS=({}); COMP_CWORD={}; _bouncestat bouncestat '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        folder.path("bouncestat.bash"),
        words.iter().map(|w| format!("'{w}'")).collect::<Vec<_>>().join(" "),
        words.len() - 1,
        words[words.len() - 1],
        words[words.len() - 2],
    );
    if Command::new("bash").arg("--version").output().is_err() {
        eprintln!("skipped: there is no bash");
        return None;
    }
    let ran = finish(Command::new("bash").args(["--norc", "-c", &line]), b"").exits(0);
    Some(ran.text().lines().map(str::to_owned).collect())
}

#[test]
fn bash_offers_what_a_command_takes() {
    let Some(commands) = offered(&["bouncestat", "ch"]) else { return };
    assert!(commands.contains(&"check".to_owned()), "{commands:?}");
    let explain = offered(&["bouncestat", "explain", "--"]).unwrap_or_default();
    assert!(explain.contains(&"--rules".to_owned()) && !explain.contains(&"--since".to_owned()), "{explain:?}");
    let formats = offered(&["bouncestat", "report", "--format", ""]).unwrap_or_default();
    assert!(formats.contains(&"prometheus".to_owned()), "{formats:?}");
}
