//! Datasets: whatever happens between and within runs, a dataset answers as its logs do.
//!
//! `BOUNCESTAT_THOROUGH=1` runs many more cases of the same tests.

mod answers;
mod copies;
mod equality;
mod faults;
mod hops;
mod kill;
mod logs;
mod redaction;
mod steps;
mod windows;

use crate::common::{Ran, command, finish};

/// Whether many more cases are to be run.
pub fn thorough() -> bool {
    std::env::var_os("BOUNCESTAT_THOROUGH").is_some_and(|v| v == "1")
}

/// Collects paths into a dataset.
pub fn collect(paths: &[&str], into: &str) -> Ran {
    collect_with(paths, into, &[])
}

/// Collects with more options.
pub fn collect_with(paths: &[&str], into: &str, options: &[&str]) -> Ran {
    let args = [&["collect", "--tz", "UTC", "--format", "json", "--into", into], options, paths].concat();
    finish(command().args(args), b"")
}

/// Collects, and is ended at a step as by a kill; gives whether there was such a step.
#[track_caller]
pub fn collect_and_stop(paths: &[&str], into: &str, step: u64) -> bool {
    let args = [&["collect", "--tz", "UTC", "--into", into], paths].concat();
    let ran = finish(command().env("BOUNCESTAT_STOP_AT_STEP", step.to_string()).args(args), b"");
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    assert!(ran.code == -1 || ran.code == 0, "step {step}: {}\n{}", ran.code, ran.err);
    ran.code == -1
}
