//! `bouncestat suspects [PATH]...`: who refuses us for our reputation.

use anyhow::{Result, anyhow};
use bouncestat_aggregation::{Aggregator, Thresholds};

use super::{Payload, Ready, judged_by, meta, no_metrics, report, reported, tell, window_before};
use crate::args::{Common, Suspects};
use crate::consumers::{Both, Count, Only};
use crate::notes;
use crate::settings::{Settings, domains, redactor, rules};

/// The tables of the command.
const TABLES: [&str; 3] = ["suspects", "evidence", "lookalikes"];

/// Finds the suspects.
pub fn run(args: &Suspects, common: &Common) -> Result<u8> {
    let settings = Settings::resolve(common)?;
    let table = common.table.as_deref().unwrap_or(TABLES[0]);
    if !TABLES.contains(&table) {
        return Err(anyhow!("suspects has no table {table:?}; there are {}", TABLES.join(", ")));
    }
    no_metrics(&settings, common, "suspects")?;
    let rules = rules(common)?;
    let redact = redactor(common)?;
    let domains = domains(common)?;
    let payload = Payload::open(common, &settings, table, &redact)?;
    let ready = Ready::new(&args.paths.paths, common, &settings)?;
    let window = ready.options.window;
    let before = window_before(window, &settings);
    let files = ready.file_names();
    let (mut aggregator, mut past) = (Aggregator::new(), Aggregator::new());
    let mut failed = None;
    let count = Only { domains: &domains, inner: Count { rules: &rules, redact: &redact } };
    let by = (domains.is_all() && !redact.redacts()).then(|| judged_by(&rules, common));
    let summary = ready.run_with_sums(common, &Both { inner: &count, before }, by.as_deref(), &mut |piece| {
        if let Err(error) = report::add(&mut aggregator, &mut past, piece) {
            failed.get_or_insert(error);
        }
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    let code = tell(&summary, "attempt")?;
    let thresholds = Thresholds { min_refused: args.min_refused, min_share: args.min_share, min_score: args.min_score };
    let meta = meta(window, &summary, rules.rules_version());
    let before = before.map(|window| (&mut past, reported(window)));
    let report = aggregator.suspects(meta, before, &thresholds, &files)?;
    notes::say_found("delivery", aggregator.deliveries(), &domains, window, &summary);
    payload.write(&report, &[])?;
    Ok(code)
}
