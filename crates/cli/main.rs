//! The `bouncestat` command: what is typed (`args`, `definition`), with the file of settings (`layers`, `config`), what it means
//! (`settings`), and one file a command (`commands`).
//!
//! Only this crate reads the clock, the environment and the terminal. Payload goes to stdout, everything else to stderr.

mod args;
mod commands;
mod config;
mod consumers;
mod definition;
mod domains;
mod eyes;
mod fault;
mod input;
mod layers;
mod live;
mod notes;
mod output;
mod progress;
mod redact;
mod settings;
mod shapes;
mod threshold;
mod when;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use layers::Stop;

/// The exit codes of the contract.
mod exit {
    /// Everything was read and reported.
    pub const FINE: u8 = 0;
    /// A threshold of `--fail-over` is crossed.
    pub const CROSSED: u8 = 1;
    /// Usage or configuration is wrong, or nothing could be read.
    pub const NOTHING: u8 = 2;
    /// A report was made, but part of the input could not be read.
    pub const PARTIAL: u8 = 3;
}

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let args = match layers::read(words.clone()) {
        Ok(args) => args,
        Err(Stop::Parser(error)) => {
            let _ = error.print();
            if !error.use_stderr() {
                return ExitCode::from(exit::FINE);
            }
            return failed(&words, &layers::said(&error), None);
        }
        Err(Stop::Other(error)) => return failed_with(&words, &error),
    };
    notes::set_quiet(args.common.quiet);
    let file = args.common.from_file.used.clone();
    if let Some((path, used)) = &file {
        let used = if used.is_empty() { "paths".to_owned() } else { used.join(", ") };
        notes::note(format!("settings of {}: {used}", path.display()));
    }
    match commands::run(args) {
        // A command that says so itself has said why.
        Ok(code) => ExitCode::from(code),
        Err(error) if output::is_broken_pipe(&error) => ExitCode::from(exit::FINE),
        Err(error) => {
            let code = failed_with(&words, &error);
            if let Some((path, _)) = file.filter(|_| !error.is::<fault::Nothing>()) {
                eprintln!("bouncestat: settings of {} were in use", path.display());
            }
            code
        }
    }
}

/// Says what failed.
fn failed_with(words: &[OsString], error: &anyhow::Error) -> ExitCode {
    let text = fault::words(error);
    eprintln!("bouncestat: {text}");
    failed(words, &text, Some(error))
}

/// Prints what can be printed: standard output may be what failed.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// The payload and the exit code of a failed run: programs get an answer that they can read.
fn failed(words: &[OsString], message: &str, error: Option<&anyhow::Error>) -> ExitCode {
    let is_check = layers::command_of(words).as_deref() == Some("check");
    let code = if is_check { commands::check::UNKNOWN } else { exit::NOTHING };
    if layers::wants_json(words) {
        let answer = fault::json(message, error, code);
        // One line where lines are asked for.
        say(&if layers::wants_lines(words) { format!("{answer}\n") } else { format!("{answer:#}\n") });
    } else if is_check {
        say(&commands::check::unknown(message));
    }
    ExitCode::from(code)
}
