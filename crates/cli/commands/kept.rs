//! What the commands that keep a dataset tidy have in common: opening it, and saying what was done.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use bouncestat_classification::Classifier;
use bouncestat_ingest::input::Problem;
use bouncestat_ingest::join::window::Window;
use bouncestat_store::{Disk, Tidy};
use serde_json::Value;

use super::{judged_by, run_options};
use crate::args::Common;
use crate::output::Output;
use crate::settings::Settings;
use crate::{exit, notes};

/// The disk, as a run uses it.
pub fn disk() -> Disk {
    // A test ends the program at a step of its own choice, as a kill would.
    Disk::stopping_at(std::env::var("BOUNCESTAT_STOP_AT_STEP").ok().and_then(|step| step.parse().ok()).unwrap_or(0))
}

/// Opens a dataset.
pub fn open(dir: &Path, rules: &Classifier, common: &Common, settings: &Settings) -> Result<Tidy> {
    run_options(Window::default(), settings);
    let mut tidy = Tidy::open(dir, disk(), &bouncestat_export::rfc3339(settings.present))?;
    tidy.judge_by(judged_by(rules, common));
    Ok(tidy)
}

/// Whether what was done is asked for as JSON.
pub fn wants_json(common: &Common) -> bool {
    common.format.as_deref() == Some("json") || common.output.is_some() && common.format.is_none()
}

/// Prints what was done as JSON, where that is asked for.
pub fn print(common: &Common, told: impl FnOnce() -> Value) -> Result<()> {
    if wants_json(common) { print_text(common, &format!("{:#}\n", told())) } else { Ok(()) }
}

/// Prints the payload.
pub fn print_text(common: &Common, text: &str) -> Result<()> {
    let output = Output::new(common.output.as_deref());
    output.open()?.write_all(text.as_bytes())?;
    output.commit()
}

/// Says which files are damaged; gives the exit code.
pub fn tell(problems: &[Problem]) -> u8 {
    notes::say_problems(problems);
    if problems.is_empty() { exit::FINE } else { exit::PARTIAL }
}
