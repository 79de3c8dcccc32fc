//! `bouncestat suppress [PATH]...`: addresses and domains to stop mailing.
//!
//! Logs that can be read twice are: the first run finds who failed, the second when mail was taken for them later. So nothing is
//! kept of the many to whom nothing ever failed.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use bouncestat_aggregation::{Policy, Remember, Report, Suppression, Table, Value};
use bouncestat_export::lists;

use super::{Payload, Ready, meta, no_metrics, tell};
use crate::args::{Common, Suppress};
use crate::consumers::{Only, Stop};
use crate::notes;
use crate::output::Output;
use crate::redact::Redactor;
use crate::settings::{Settings, domains, redactor, rules};

/// Makes the list.
pub fn run(args: &Suppress, common: &Common) -> Result<u8> {
    let settings = Settings::resolve(common)?;
    let table = common.table.as_deref().unwrap_or("suppress");
    if table != "suppress" {
        return Err(anyhow!("suppress has one table, suppress, and no {table:?}"));
    }
    no_metrics(&settings, common, "the list")?;
    let rules = rules(common)?;
    let redact = redactor(common)?;
    let domains = domains(common)?;
    let target = Target::open(args, common, &settings, &redact)?;
    let ready = Ready::new(&args.paths.paths, common, &settings)?;
    let window = ready.options.window;
    let files = ready.file_names();
    let once = ready.is_read_once();
    let mut found = Suppression::default();
    let remember = if once { Remember::Everybody } else { Remember::Nobody };
    let stop = |remember| Only { domains: &domains, inner: Stop { rules: &rules, redact: &redact, remember } };
    let mut summary = ready.run(common, &stop(remember), &mut |part| found.add(part));
    let wanted = found.wanted();
    if !once && !wanted.is_empty() {
        // The second run: when mail was taken for those that failed.
        let again = Ready::again(&args.paths.paths, common, &settings)?;
        let stop = stop(Remember::Only(Arc::new(wanted)));
        summary.problems.extend(again.run(common, &stop, &mut |part| found.add(part)).problems);
        summary.problems.sort();
        summary.problems.dedup();
    }
    let code = tell(&summary, "attempt")?;
    let policy = Policy { hard: args.hard, soft: args.soft, soft_days: args.soft_days, domain: args.dead_domain };
    let table = Table::from(found.frame(&policy, &files));
    say_taken_before(&table);
    notes::say_found("delivery", found.deliveries(), &domains, window, &summary);
    let mut meta = meta(window, &summary, rules.rules_version());
    (meta.window.first_event, meta.window.last_event) = found.events().unzip();
    target.write(&Report { meta, before: None, tables: vec![table] })?;
    Ok(code)
}

/// A receiver whose directory is broken refuses people that it knows: Gmail did, on 14 and 15 December 2020.
fn say_taken_before(table: &Table) {
    let frame = &table.frame;
    let addresses = (0..frame.len()).filter(|&row| frame.named(row, "kind") == Value::Utf8("address"));
    let taken = addresses.filter(|&row| frame.named(row, "last_delivered") != Value::Null).count();
    if taken > 0 {
        eprintln!(
            "bouncestat: mail for {taken} of the addresses was still taken earlier in these logs (last_delivered). Many of one domain at once: \
             look at the receiver first; --hard 2 waits for a second refusal"
        );
    }
}

/// Where the list goes: a format like those of reports, or the form in which another program imports it.
enum Target<'a> {
    Payload(Payload<'a>),
    List { shape: &'static lists::List, output: Output },
}

impl<'a> Target<'a> {
    fn open(args: &Suppress, common: &'a Common, settings: &'a Settings, redact: &Redactor) -> Result<Self> {
        let Some(name) = &args.list_for else {
            return Ok(Target::Payload(Payload::open(common, settings, "suppress", redact)?));
        };
        let shape = lists::by_name(name).ok_or_else(|| anyhow!("--for {name:?} is not known"))?;
        Ok(Target::List { shape, output: Output::new(common.output.as_deref()) })
    }

    fn write(self, report: &Report) -> Result<()> {
        let (shape, output) = match self {
            Target::Payload(payload) => return payload.write(report, &[]),
            Target::List { shape, output } => (shape, output),
        };
        let mut out = output.open()?;
        let left_out = shape.write(&report.tables[0].frame, &mut *out)?;
        if left_out.domains > 0 {
            let domains = if left_out.domains == 1 { "domain is" } else { "domains are" };
            eprintln!("bouncestat: {} whole {domains} left out: {} takes addresses only", left_out.domains, shape.name);
        }
        if left_out.unsafe_entries > 0 {
            let entries = if left_out.unsafe_entries == 1 { "entry is" } else { "entries are" };
            eprintln!("bouncestat: {} {entries} left out: {} cannot hold all characters", left_out.unsafe_entries, shape.name);
        }
        if let Some(note) = shape.note {
            notes::note(note);
        }
        out.flush()?;
        drop(out);
        output.commit()?;
        Ok(())
    }
}
