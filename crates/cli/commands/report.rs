//! `bouncestat [report] [PATH]...`: the nightly report.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use bouncestat_aggregation::{Aggregator, Report, Value};
use bouncestat_ingest::join::window::Window;

use super::{Payload, Ready, exit_code, meta, reported, window_before};
use crate::args::Common;
use crate::consumers::{Both, Count};
use crate::settings::{Settings, rules};
use crate::{exit, notes};

/// Makes the report.
pub fn run(paths: &[PathBuf], compare: bool, common: &Common) -> Result<u8> {
    let settings = Settings::resolve(common)?;
    let table = common.table.as_deref().unwrap_or("domains");
    bouncestat_aggregation::schema::table(table).ok_or_else(|| anyhow!("there is no table {table:?}; see bouncestat schema"))?;
    // What cannot be written is said before anything is read.
    let payload = Payload::open(common, &settings, table)?;
    let rules = rules(common)?;
    let ready = Ready::new(paths, common, &settings)?;
    let window = ready.options.window;
    let mut warnings = notes::guessed_years(&ready.plan);
    let before = if compare { Some(before(window, &settings)?) } else { None };
    let (mut aggregator, mut past) = (Aggregator::new(), Aggregator::new());
    aggregator.name_files(ready.file_names());
    let mut failed = None;
    let summary = ready.run(common, &Both { inner: &Count { rules: &rules }, before }, &mut |(batch, earlier)| {
        for (to, batch) in [(&mut aggregator, batch), (&mut past, earlier)] {
            if let Err(error) = to.add(batch) {
                failed.get_or_insert(error);
            }
        }
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    notes::say_problems(&summary.problems);
    warnings.extend(summary.problems.iter().map(ToString::to_string));
    notes::say_coverage(&summary);
    let code = exit_code(&summary);
    if code == exit::NOTHING {
        eprintln!("bouncestat: nothing could be read");
        return Ok(code);
    }
    let meta = meta(window, &summary, rules.rules_version());
    let report = match before {
        Some(before) => aggregator.finish_beside(meta, &mut past, reported(before))?,
        None => aggregator.finish(meta)?,
    };
    notes::say_if_empty(deliveries(&report), window, &summary);
    payload.write(&report, &warnings)?;
    Ok(code)
}

/// The window to compare with.
fn before(window: Window, settings: &Settings) -> Result<Window> {
    window_before(window, settings).ok_or_else(|| anyhow!("--compare needs --since: the window before is as long as the window"))
}

/// How many deliveries a report counts.
fn deliveries(report: &Report) -> u64 {
    let total = report.table("totals").map(|t| t.frame.named(0, "deliveries"));
    match total {
        Some(Value::Int64(n)) => n.max(0) as u64,
        _ => 0,
    }
}
