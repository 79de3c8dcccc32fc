//! The `bouncestat` command: what is typed (`args`), what it means (`settings`), and one file a command (`commands`).
//!
//! Only this crate reads the clock, the environment and the terminal. Payload goes to stdout, everything else to stderr.

mod args;
mod commands;
mod consumers;
mod input;
mod notes;
mod output;
mod progress;
mod settings;
mod when;

use std::process::ExitCode;

use clap::Parser;

/// The exit codes of the contract.
mod exit {
    /// Everything was read and reported.
    pub const FINE: u8 = 0;
    /// Usage or configuration is wrong, or nothing could be read.
    pub const NOTHING: u8 = 2;
    /// A report was made, but part of the input could not be read.
    pub const PARTIAL: u8 = 3;
}

fn main() -> ExitCode {
    let args = args::Args::parse();
    match commands::run(args) {
        Ok(code) => ExitCode::from(code),
        Err(error) if output::is_broken_pipe(&error) => ExitCode::from(exit::FINE),
        Err(error) => {
            eprintln!("bouncestat: {error:#}");
            ExitCode::from(exit::NOTHING)
        }
    }
}
