//! `bouncestat [report] [PATH]...`: the nightly report.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use bouncestat_aggregation::{Aggregator, Report, Value};
use bouncestat_export::{Options, export_dir};

use super::{Ready, exit_code, meta};
use crate::args::Common;
use crate::consumers::{Count, Only};
use crate::definition::definition;
use crate::output::{Output, export_folder};
use crate::redact::Redaction;
use crate::settings::{Settings, domains, redactor, rules};
use crate::threshold::{AGE, Threshold, shown, value};
use crate::{exit, notes};

/// Makes the report.
pub fn run(paths: &[PathBuf], common: &Common) -> Result<u8> {
    let settings = Settings::resolve(common)?;
    let format = settings.format(common)?;
    let table = common.table.as_deref().unwrap_or("domains");
    if table == "attempts" {
        bail!("attempts are no table of the report: bouncestat attempts --format csv writes them");
    }
    bouncestat_aggregation::schema::table(table).ok_or_else(|| anyhow!("there is no table {table:?}; see bouncestat schema"))?;
    one_table_only(common, format.name())?;
    let thresholds = Threshold::parse_all("--fail-over", &common.fail_over)?;
    if let Some(age) = thresholds.iter().find(|t| t.metric == AGE) {
        bail!("--fail-over has no metric {}; bouncestat check has", age.metric);
    }
    let rules = rules(common)?;
    let redact = redactor(common)?;
    let domains = domains(common)?;
    // What cannot be written is said before anything is read.
    if let Some(dir) = &common.export {
        export_folder(dir)?;
    }
    let output = Output::new(common.output.as_deref());
    let mut out = output.open()?;
    let ready = Ready::new(paths, common, &settings)?;
    let window = ready.options.window;
    let mut aggregator = Aggregator::new();
    let mut failed = None;
    let count = Only { domains: &domains, inner: Count { rules: &rules, redact: &redact } };
    let summary = ready.run(common, &count, &mut |batch| {
        if let Err(error) = aggregator.add(batch) {
            failed.get_or_insert(error);
        }
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    notes::say_problems(&summary.problems);
    notes::say_coverage(&summary);
    let mut code = exit_code(&summary);
    if code == exit::NOTHING {
        return Err(notes::nothing(&summary));
    }
    let report = aggregator.finish(meta(window, &summary, rules.rules_version()))?;
    if domains.is_all() {
        notes::say_if_empty(deliveries(&report), window, &summary);
    }
    notes::say_domains(&domains, deliveries(&report));
    if crossed(&report, &thresholds) {
        code = exit::CROSSED;
    }
    let zone = settings.zone;
    let clock = move |at| zone.to_wall(at).format("%Y-%m-%d %H:%M:%S").to_string();
    let zone_name = notes::zone_name(zone);
    let options = Options {
        top: common.top,
        width: settings.width,
        color: settings.color && common.output.is_none(),
        table,
        excel: common.csv_excel,
        redaction: redact.as_str(),
        clock: Some(&clock),
        zone: &zone_name,
    };
    if let Some(dir) = &common.export {
        let files = export_dir(&report, dir, &options).with_context(|| format!("--export {}", dir.display()))?;
        notes::note(format!("wrote {} files into {}", files.len(), dir.display()));
        if common.output.is_none() && common.format.is_none() {
            return Ok(code);
        }
    }
    format.report(&report, &options, &mut *out)?;
    out.flush()?;
    drop(out);
    output.commit()?;
    if format.name() == "table" && common.output.is_none() && std::io::stdout().is_terminal() {
        next(&report, common);
    }
    Ok(code)
}

/// What may be asked next, where someone is looking.
fn next(report: &Report, common: &Common) {
    let first = |table: &str, column: &str| {
        let frame = &report.table(table)?.frame;
        match frame.is_empty() {
            true => None,
            false => match frame.named(0, column) {
                Value::Utf8(text) => Some(text.to_owned()),
                _ => None,
            },
        }
    };
    let has = |command: &str| definition().find_subcommand(command).is_some();
    let mut ideas = Vec::new();
    if has("suspects") && report.table("suspects").is_some_and(|t| !t.frame.is_empty()) {
        ideas.push("bouncestat suspects".to_owned());
    }
    if report.table("unknown_replies").is_some_and(|t| !t.frame.is_empty()) {
        ideas.push("bouncestat explain \"REPLY\"".to_owned());
    }
    // The name is from a log: only what a shell takes as one word is offered to it.
    let plain = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c)) && !name.starts_with('-');
    if let Some(domain) =
        first("domains", "domain").filter(|_| common.domain.is_empty() && common.redact == Redaction::None).filter(plain)
    {
        ideas.push(format!("bouncestat --domain {domain}"));
    }
    if common.top.is_none() {
        ideas.push("--top 50".to_owned());
    }
    if !ideas.is_empty() {
        notes::note(format!("next: {}", ideas.join(", ")));
    }
}

/// `--table` and `--csv-excel` where nothing would come of them.
fn one_table_only(common: &Common, format: &str) -> Result<()> {
    if common.table.is_some() && !common.from_file.gave("table") && !["csv", "parquet"].contains(&format) {
        bail!("--table is for the formats of one table, csv and parquet; {format} holds every table");
    }
    if common.csv_excel && !common.from_file.gave("csv-excel") && format != "csv" && common.export.is_none() {
        bail!("--csv-excel is for --format csv and --export, not for {format}");
    }
    Ok(())
}

/// Says which thresholds of `--fail-over` the totals cross.
fn crossed(report: &Report, thresholds: &[Threshold]) -> bool {
    let Some(totals) = report.table("totals").map(|t| &t.frame) else { return false };
    let mut any = false;
    for threshold in thresholds {
        if let Some(value) = value(totals, 0, &threshold.metric).filter(|value| *value > threshold.limit) {
            any = true;
            let (value, limit) = (shown(threshold.unit, value), shown(threshold.unit, threshold.limit));
            eprintln!("bouncestat: {} is {value}, over the {limit} of --fail-over", threshold.metric);
        }
    }
    any
}

/// How many deliveries a report counts.
fn deliveries(report: &Report) -> u64 {
    let total = report.table("totals").map(|t| t.frame.named(0, "deliveries"));
    match total {
        Some(Value::Int64(n)) => n.max(0) as u64,
        _ => 0,
    }
}
