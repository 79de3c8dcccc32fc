//! What README.md and the documents show is what the program prints.
//!
//! A block marked `console` holds commands (`$ …`), each with its output, standard error included. They run in the root of the
//! project; `cargo run --release --` is the program that is being tested. A line `…` stands for any lines. With BLESS=1 the output
//! of commands without `…` is written anew.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{blessing, finish, root};

/// A command of a block: its line, and the lines shown under it.
struct Shown {
    command: String,
    /// Line numbers of the output in the README, from and to.
    lines: (usize, usize),
}

/// The commands of all `console` blocks.
fn commands(readme: &[&str]) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    let mut inside = false;
    for (number, line) in readme.iter().enumerate() {
        match (inside, *line) {
            (false, "```console") => inside = true,
            (true, "```") => inside = false,
            (true, line) => match line.strip_prefix("$ ") {
                Some(command) => found.push(Shown { command: command.to_owned(), lines: (number + 1, number + 1) }),
                None => found.last_mut().expect("a block begins with a command").lines.1 = number + 1,
            },
            _ => {}
        }
    }
    assert!(!inside, "a block is not closed");
    found
}

/// What a shell prints, on both of its outputs.
fn output(command: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_bouncestat"));
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell
        .current_dir(root())
        .env("TZ", "UTC")
        .env("BOUNCESTAT_CONFIG", "")
        .env_remove("COLUMNS")
        .env("PATH", format!("{}:{path}", program.parent().unwrap().display()));
    let line = command.replace("cargo run --release --", "bouncestat");
    shell.args(["-c", &format!("{{ {line}; }} 2>&1")]);
    let ran = finish(&mut shell, b"");
    assert!(!ran.text().contains("panicked"), "{command}\n{}", ran.text());
    ran.text().to_owned()
}

/// Whether lines match, `…` being any of them.
fn matches(shown: &[&str], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((&"…", rest)) => (0..=printed.len()).any(|skip| matches(rest, &printed[skip..])),
        Some((first, rest)) => printed.first() == Some(first) && matches(rest, &printed[1..]),
    }
}

#[test]
fn every_command_prints_what_is_shown() {
    let shown: usize = ["README.md", "docs/monitoring.md", "docs/configuration.md", "docs/classification.md", "docs/collect.md"]
        .map(check)
        .iter()
        .sum();
    assert!(shown >= 12, "only {shown} commands are shown");
}

/// Runs what a document shows; gives how many commands those are.
fn check(name: &str) -> usize {
    let path = root().join(name);
    let text = fs::read_to_string(&path).expect("a document");
    let mut document: Vec<&str> = text.lines().collect();
    let commands = commands(&document);
    let printed: Vec<String> = commands.iter().map(|shown| output(&shown.command)).collect();
    let mut wrong = Vec::new();
    for (shown, printed) in commands.iter().zip(&printed).rev() {
        let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
        let lines = shown.lines.0..shown.lines.1;
        if matches(&document[lines.clone()], &printed) {
            continue;
        }
        if blessing() && !document[lines.clone()].contains(&"…") {
            document.splice(lines, printed);
        } else {
            wrong.push(format!("{name}, line {}: {}\nnow prints:\n{}", shown.lines.0, shown.command, printed.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    if blessing() {
        fs::write(&path, document.join("\n") + "\n").expect("a document can be written");
    }
    commands.len()
}

#[test]
fn dots_stand_for_any_lines() {
    assert!(matches(&["a", "…", "d"], &["a", "b", "c", "d"]));
    assert!(matches(&["…"], &[]));
    assert!(!matches(&["a", "…", "d"], &["a", "b", "c"]));
    assert!(!matches(&["a"], &["a", "b"]));
}
