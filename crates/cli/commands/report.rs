//! `bouncestat [report] [PATH]...`: the nightly report.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use bouncestat_aggregation::{Aggregator, Batch, Report, Value};
use bouncestat_ingest::join::window::Window;
use bouncestat_store::{Piece, Side};

use super::{Payload, Ready, judged_by, meta, reported, tell, window_before};
use crate::args::Common;
use crate::consumers::{Both, Count, Only};
use crate::definition::definition;
use crate::redact::Redaction;
use crate::settings::{Settings, domains, redactor, rules};
use crate::threshold::{AGE, Threshold, shown, value};
use crate::{exit, notes};

/// Makes the report.
pub fn run(paths: &[PathBuf], compare: bool, common: &Common) -> Result<u8> {
    let settings = Settings::resolve(common)?;
    let table = common.table.as_deref().unwrap_or("domains");
    if table == "attempts" {
        bail!("attempts are no table of the report: bouncestat attempts --format csv writes them");
    }
    bouncestat_aggregation::schema::table(table).ok_or_else(|| anyhow!("there is no table {table:?}; see bouncestat schema"))?;
    let thresholds = Threshold::parse_all("--fail-over", &common.fail_over)?;
    if let Some(age) = thresholds.iter().find(|t| t.metric == AGE) {
        bail!("--fail-over has no metric {}; bouncestat check has", age.metric);
    }
    let rules = rules(common)?;
    let redact = redactor(common)?;
    let domains = domains(common)?;
    // What cannot be written is said before anything is read.
    let payload = Payload::open(common, &settings, table, &redact)?;
    let ready = Ready::new(paths, common, &settings)?;
    let window = ready.options.window;
    let mut warnings = ready.guessed_years();
    let before = if compare { Some(before(window, &settings)?) } else { None };
    let (mut aggregator, mut past) = (Aggregator::new(), Aggregator::new());
    aggregator.name_files(ready.file_names());
    let mut failed = None;
    let count = Only { domains: &domains, inner: Count { rules: &rules, redact: &redact } };
    let mut take = |piece| {
        if let Err(error) = add(&mut aggregator, &mut past, piece) {
            failed.get_or_insert(error);
        }
    };
    let both = Both { inner: &count, before };
    let summary = if ready.is_dataset() {
        // Sums know nothing of single domains and of hashes.
        let by = (domains.is_all() && !redact.redacts()).then(|| judged_by(&rules, common));
        ready.run_with_sums(common, &both, by.as_deref(), &mut take)
    } else {
        ready.run_and_tell(common, &redact, rules.rules_version(), &both, &mut |part| take(Piece::Part(part)))?
    };
    if let Some(error) = failed {
        return Err(error.into());
    }
    warnings.extend(summary.problems.iter().map(ToString::to_string));
    let mut code = tell(&summary, "attempt")?;
    let meta = meta(window, &summary, rules.rules_version());
    let report = match before {
        Some(before) => aggregator.finish_beside(meta, &mut past, reported(before))?,
        None => aggregator.finish(meta)?,
    };
    notes::say_found("delivery", deliveries(&report), &domains, window, &summary);
    if crossed(&report, &thresholds) {
        code = exit::CROSSED;
    }
    let on_screen = payload.is_on_screen();
    payload.write(&report, &warnings)?;
    if on_screen {
        next(&report, common);
    }
    Ok(code)
}

/// Counts what came, each for its window.
pub fn add(
    now: &mut Aggregator,
    past: &mut Aggregator,
    piece: Piece<(Batch, Batch)>,
) -> Result<(), bouncestat_aggregation::Error> {
    match piece {
        Piece::Part((batch, earlier)) => {
            now.add(batch)?;
            past.add(earlier)
        }
        Piece::Sums(Side::Inside, sums) => now.add_sums(sums),
        Piece::Sums(Side::Before, sums) => past.add_sums(sums),
    }
}

/// The window to compare with.
fn before(window: Window, settings: &Settings) -> Result<Window> {
    window_before(window, settings).ok_or_else(|| anyhow!("--compare needs --since: the window before is as long as the window"))
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
