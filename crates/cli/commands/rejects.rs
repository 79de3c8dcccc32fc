//! `bouncestat rejects [PATH]...`: what our own servers refused.

use anyhow::{Result, bail};
use bouncestat_aggregation::schema::REJECT_TABLES;
use bouncestat_aggregation::{Excluded, Meta, Rejects};

use super::{Payload, Ready, meta, no_metrics, tell};
use crate::args::{Common, Paths};
use crate::consumers::{Only, Ours};
use crate::notes;
use crate::settings::{Settings, domains, redactor, rules};

/// Counts rejects.
pub fn run(args: &Paths, common: &Common) -> Result<u8> {
    let settings = Settings { rejects: true, ..Settings::resolve(common)? };
    let tables: Vec<&str> = REJECT_TABLES.iter().map(|table| table.name).collect();
    let table = common.table.as_deref().unwrap_or("reject_reasons");
    if !tables.contains(&table) {
        bail!("rejects has no table {table:?}; there are {}", tables.join(", "));
    }
    no_metrics(&settings, common, "rejects")?;
    let rules = rules(common)?;
    let redact = redactor(common)?;
    let domains = domains(common)?;
    let payload = Payload::open(common, &settings, table, &redact)?;
    let ready = Ready::new(&args.paths, common, &settings)?;
    let window = ready.options.window;
    let files = ready.file_names();
    let mut rejects = Rejects::default();
    let ours = Only { domains: &domains, inner: Ours { rules: &rules, redact: &redact } };
    let mut summary = ready.run_and_tell(common, &redact, rules.rules_version(), &ours, &mut |part| rejects.merge(part))?;
    // Deliveries are not counted here: outside the window, or gone without a word, are rejects or nothing.
    summary.counts.outside_window = summary.counts.rejects_outside_window;
    summary.counts.lost = 0;
    let code = tell(&summary, "reject")?;
    let count = rejects.count();
    notes::say_found("reject", count, &domains, window, &summary);
    let meta = meta(window, &summary, rules.rules_version());
    let excluded = Excluded { duplicates: meta.excluded.duplicates, ..Excluded::default() };
    let report = rejects.finish(Meta { excluded, ..meta }, &files)?;
    payload.write(&report, &[])?;
    Ok(code)
}
