//! `bouncestat collect [PATH]... --into DIR`: what is new in logs, read once, into a dataset.

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use bouncestat_aggregation::Meta;
use bouncestat_ingest::input::Problem;
use bouncestat_ingest::join::window::Window;
use bouncestat_ingest::run::Summary;
use bouncestat_store::{Committed, Redact, Writer};
use serde_json::json;

use super::{Bar, compact, judged_by, kept, run_options, tell};
use crate::args::{Collect, Common};
use crate::consumers::Kept;
use crate::fault::Nothing;
use crate::output::Output;
use crate::redact::Redactor;
use crate::settings::{Settings, lasting_redactor, rules};
use crate::{input, notes};

/// Collects.
pub fn run(args: &Collect, common: &Common) -> Result<u8> {
    let settings = Settings::resolve(common)?;
    let rules = rules(common)?;
    let redact = lasting_redactor(common)?;
    let (mut sources, problems) = input::sources(&args.paths, common)?;
    // Its own files are no logs, wherever it lies.
    if let Ok(into) = args.into.canonicalize() {
        sources.retain(|source| !source.path.canonicalize().is_ok_and(|path| path.starts_with(&into)));
    }
    if sources.is_empty() && problems.iter().any(Problem::is_failure) {
        // Nothing was found: no dataset is made for it.
        return Err(Nothing(problems).into());
    }
    // A folder was looked into by now: its files are named here.
    if let Some(dataset) = sources.iter().filter_map(|s| s.path.parent()).find(|dir| bouncestat_store::is_dataset(dir)) {
        bail!("{} is a dataset: logs are collected into one, not from one", dataset.display());
    }
    let mut writer = open(&args.into, redact, &judged_by(&rules, common), &settings)?;
    let planned =
        writer.tail.plan(sources, &bouncestat_ingest::plan::PlanOptions { rejects: true, ..settings.plan_options(common) });
    let mut plan = planned.plan;
    plan.problems.splice(0..0, problems);
    notes::say_plan(&plan);
    match planned.unchanged as u64 {
        0 => {}
        1 => notes::note("1 file holds nothing new"),
        n => notes::note(format!("{} hold nothing new", notes::count(n, "file"))),
    }
    let bar = Bar::new(plan.files.iter().map(|f| f.source.size).sum(), common.no_progress);
    let options = run_options(Window::default(), &settings);
    let mut summary = writer.gather(plan, &options, &(), &mut |()| {}, &|progress| bar.at(progress))?;
    bar.done();
    let problems = writer.tail.note_ends(&mut summary);
    summary.problems.extend(problems);
    let names = writer.tail.names();
    let shown = Redactor::none();
    let rows = Kept::new(&rules, &shown, &names);
    let meta = meta(rules.rules_version());
    let committed = writer.commit(&rows, &meta, settings.present)?;
    let code = if planned.unchanged > 0 && summary.tally.lines == 0 { 0 } else { tell(&summary, "attempt")? };
    let compacted = writer.compact_small(&rows, &meta)?;
    say(args, common, &summary, committed, &writer)?;
    if let Some(done) = compacted {
        notes::note(format!("small files were merged: {}", compact::said(&done)));
    }
    if writer.manifest().judged_otherwise(&meta.rules) > 0 {
        let dir = args.into.display();
        notes::note(format!("{dir} holds attempts that were judged by other rules; bouncestat reclassify {dir} renews them"));
    }
    Ok(code.max(kept::tell(&writer.take_problems())))
}

/// Opens the dataset for writing.
pub fn open(dir: &Path, redact: Redactor, judged_by: &str, settings: &Settings) -> Result<Writer> {
    let how = redact.as_str();
    let redact = redact.redacts().then(|| Box::new(redact) as Box<dyn Redact>);
    let since = bouncestat_export::rfc3339(settings.present);
    Ok(Writer::open(dir, how, redact, judged_by, kept::disk(), &since)?)
}

/// What the files of attempts say about themselves.
pub fn meta(rules: &str) -> Meta {
    Meta { version: env!("CARGO_PKG_VERSION").to_owned(), rules: rules.to_owned(), ..Meta::default() }
}

/// Says what became part of the dataset.
fn say(args: &Collect, common: &Common, summary: &Summary, committed: Committed, writer: &Writer) -> Result<()> {
    if common.format.as_deref() == Some("json") || common.output.is_some() {
        let output = Output::new(common.output.as_deref());
        {
            let mut out = output.open()?;
            let told = json!({
                "dataset": args.into, "generation": writer.manifest().generation, "lines": committed.lines, "bytes": summary.bytes,
                "used": summary.tally.used, "unrecognised": summary.tally.unrecognised, "duplicates": summary.tally.duplicates,
                "messages": committed.messages, "open_messages": committed.open, "attempts": committed.attempts,
                "made_again": committed.again, "steps": writer.steps(),
            });
            writeln!(out, "{told:#}")?;
        }
        output.commit()?;
    }
    let again = match committed.again {
        0 => String::new(),
        n => format!("; hops were found in {}", notes::count(n as u64, "older segment")),
    };
    notes::note(format!(
        "collected {} into {}: {} whole, {} open, {} written{again}",
        notes::count(committed.lines, "line"),
        args.into.display(),
        notes::count(committed.messages, "message"),
        notes::count(committed.open, "message"),
        notes::count(committed.attempts, "attempt"),
    ));
    Ok(())
}
