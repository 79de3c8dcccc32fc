//! `bouncestat [report] [PATH]...`: the nightly report.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use bouncestat_aggregation::{Aggregator, Report, Value};
use bouncestat_classification::reason_words;
use bouncestat_export::{Options, export_dir};
use bouncestat_record::Reason;

use super::{Ready, exit_code, meta};
use crate::args::Common;
use crate::consumers::Count;
use crate::output::Output;
use crate::settings::{Settings, rules};
use crate::{exit, notes};

/// Makes the report.
pub fn run(paths: &[PathBuf], common: &Common) -> Result<u8> {
    let settings = Settings::resolve(common)?;
    let format = settings.format(common)?;
    let table = common.table.as_deref().unwrap_or("domains");
    bouncestat_aggregation::schema::table(table).ok_or_else(|| anyhow!("there is no table {table:?}; see bouncestat schema"))?;
    let rules = rules(common)?;
    let ready = Ready::new(paths, common, &settings)?;
    // What cannot be written is said before anything is read.
    let output = Output::new(common.output.as_deref());
    let mut out = output.open()?;
    let window = ready.options.window;
    let mut warnings = notes::guessed_years(&ready.plan);
    let mut aggregator = Aggregator::new();
    aggregator.name_files(ready.plan.files.iter().map(|f| f.source.path.display().to_string()).collect());
    let mut failed = None;
    let summary = ready.run(common, &Count { rules: &rules }, &mut |batch| {
        if let Err(error) = aggregator.add(batch) {
            failed.get_or_insert(error);
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
    let report = aggregator.finish(meta(window, &summary, rules.rules_version()))?;
    notes::say_if_empty(deliveries(&report), window, &summary);
    let zone = settings.zone;
    let clock = move |at| zone.to_wall(at).format("%Y-%m-%d %H:%M:%S").to_string();
    let zone_name = notes::zone_name(zone);
    let advice = |reason: &str| Reason::from_name(reason).map(reason_words);
    let options = Options {
        top: common.top,
        width: settings.width,
        color: settings.color && common.output.is_none(),
        table,
        excel: common.csv_excel,
        redaction: "none",
        clock: Some(&clock),
        zone: &zone_name,
        notes: &warnings,
        advice: Some(&advice),
    };
    if let Some(dir) = &common.export {
        let files = export_dir(&report, dir, &options).with_context(|| format!("--export {}", dir.display()))?;
        eprintln!("bouncestat: wrote {} files into {}", files.len(), dir.display());
        if common.output.is_none() && common.format.is_none() {
            return Ok(code);
        }
    }
    format.report(&report, &options, &mut *out)?;
    out.flush()?;
    drop(out);
    output.commit()?;
    Ok(code)
}

/// How many deliveries a report counts.
fn deliveries(report: &Report) -> u64 {
    let total = report.table("totals").map(|t| t.frame.named(0, "deliveries"));
    match total {
        Some(Value::Int64(n)) => n.max(0) as u64,
        _ => 0,
    }
}
