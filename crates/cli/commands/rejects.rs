//! `bouncestat rejects [PATH]...`: what our own servers refused.

use anyhow::{Result, bail};
use bouncestat_aggregation::schema::REJECT_TABLES;
use bouncestat_aggregation::{Excluded, Meta, Rejects};

use super::{Payload, Ready, exit_code, meta};
use crate::args::{Common, Paths};
use crate::consumers::{Only, Ours};
use crate::settings::{Settings, domains, redactor, rules};
use crate::{exit, notes};

/// Counts rejects.
pub fn run(args: &Paths, common: &Common) -> Result<u8> {
    let settings = Settings { rejects: true, ..Settings::resolve(common)? };
    let tables: Vec<&str> = REJECT_TABLES.iter().map(|table| table.name).collect();
    let table = common.table.as_deref().unwrap_or("reject_reasons");
    if !tables.contains(&table) {
        bail!("rejects has no table {table:?}; there are {}", tables.join(", "));
    }
    if settings.format(common)?.name() == "prometheus" {
        bail!("--format prometheus is for the report: there are no metrics of rejects");
    }
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
    notes::say_problems(&summary.problems);
    notes::say_coverage_of(&summary, "reject");
    let code = exit_code(&summary);
    if code == exit::NOTHING {
        return Err(notes::nothing(&summary));
    }
    let count = rejects.count();
    if domains.is_all() {
        notes::say_if_none("reject", count, window, &summary);
    }
    notes::say_domains(&domains, count);
    let meta = meta(window, &summary, rules.rules_version());
    let excluded = Excluded { duplicates: meta.excluded.duplicates, ..Excluded::default() };
    let report = rejects.finish(Meta { excluded, ..meta }, &files)?;
    payload.write(&report, &[])?;
    Ok(code)
}
