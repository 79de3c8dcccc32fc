//! `bouncestat attempts [PATH]...`: one row an attempt, classified.

use std::path::PathBuf;

use anyhow::Result;
use bouncestat_export::Options;

use super::{Ready, exit_code, meta};
use crate::args::Common;
use crate::consumers::Rows;
use crate::output::Output;
use crate::settings::{Settings, rules};
use crate::{exit, notes};

/// Writes the attempts.
pub fn run(paths: &[PathBuf], common: &Common) -> Result<u8> {
    let settings = Settings::resolve(common)?;
    let format = settings.format(common)?;
    let rules = rules(common)?;
    let ready = Ready::new(paths, common, &settings)?;
    let window = ready.options.window;
    let files: Vec<String> = ready.plan.files.iter().map(|f| f.source.path.display().to_string()).collect();
    let zone = settings.zone;
    let clock = move |at| zone.to_wall(at).format("%Y-%m-%d %H:%M:%S").to_string();
    let options = Options {
        top: common.top,
        width: settings.width,
        color: settings.color && common.output.is_none(),
        table: "attempts",
        excel: common.csv_excel,
        redaction: "none",
        clock: Some(&clock),
    };
    let output = Output::new(common.output.as_deref());
    let mut sink = format.attempts(output.open()?, &options)?;
    let mut rows = 0;
    let mut failed = None;
    let summary = ready.run(common, &Rows { rules: &rules, files: &files }, &mut |batch| {
        rows += batch.len() as u64;
        if failed.is_none()
            && let Err(error) = sink.write(batch.frame())
        {
            failed = Some(error);
        }
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    notes::say_problems(&summary.problems);
    notes::say_coverage(&summary);
    let code = exit_code(&summary);
    if code == exit::NOTHING {
        eprintln!("bouncestat: nothing could be read");
        return Ok(code);
    }
    notes::say_if_empty(rows, window, &summary);
    sink.finish(&meta(window, &summary, rules.rules_version()))?;
    output.commit()?;
    Ok(code)
}
