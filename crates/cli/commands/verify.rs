//! `bouncestat verify DIR`: whether a dataset is what was written; and what can be put right is put right.

use anyhow::{Result, bail};
use bouncestat_ingest::join::window::Window;
use bouncestat_store::{Finding, Repaired, Tidy, Verified};
use serde_json::{Value, json};

use super::{collect::meta, judged_by, kept, run_options};
use crate::args::{Common, Verify};
use crate::consumers::Kept;
use crate::redact::Redactor;
use crate::settings::{Settings, rules};
use crate::{exit, notes};

/// Verifies.
pub fn run(args: &Verify, common: &Common) -> Result<u8> {
    if args.forget && !args.repair {
        bail!("--forget belongs to --repair");
    }
    let settings = Settings::resolve(common)?;
    let rules = rules(common)?;
    run_options(Window::default(), &settings);
    let mut tidy = Tidy::open_damaged(&args.dir, kept::disk(), &bouncestat_export::rfc3339(settings.present), args.repair)?;
    tidy.judge_by(judged_by(&rules, common));
    if tidy.has_lost_state() && args.forget {
        tidy.forget_names();
    }
    let (names, shown) = (tidy.names(), Redactor::none());
    let rows = Kept::new(&rules, &shown, &names);
    let meta = meta(rules.rules_version());
    let found = tidy.verify(args.deep, &rows, &meta)?;
    let repaired = if args.repair { Some(tidy.repair(&found, args.forget, &rows, &meta)?) } else { None };
    if kept::wants_json(common) {
        kept::print(common, || told(args, &tidy, &found, repaired.as_ref()))?;
    } else if !found.findings.is_empty() {
        kept::print_text(common, &table(&found.findings))?;
    }
    let damaged = found.findings.iter().filter(|finding| finding.damaged).count() as u64;
    let sum = format!("{}, {}", notes::count(found.files, "file"), notes::count(found.bytes, "byte"));
    match (damaged, args.deep) {
        (0, true) => notes::note(format!("{} is sound: {sum}; the attempts are what the messages give", args.dir.display())),
        (0, false) => notes::note(format!("{} is sound: {sum}", args.dir.display())),
        _ => eprintln!("bouncestat: {}: {} damaged of {sum}", args.dir.display(), notes::count(damaged, "finding")),
    }
    notes::say_problems(&tidy.take_problems());
    let Some(repaired) = repaired.filter(|_| damaged > 0) else {
        return Ok(if damaged == 0 { exit::FINE } else { exit::PARTIAL });
    };
    say(&repaired, &tidy);
    let put_right = repaired.made_again > 0 || !repaired.quarantined.is_empty();
    let is_whole = put_right && repaired.lost_events == 0 && repaired.lost_messages == 0 && !repaired.forgot;
    Ok(if is_whole { exit::FINE } else { exit::PARTIAL })
}

/// Says what was put right, and what is lost.
fn say(done: &Repaired, tidy: &Tidy) {
    if tidy.has_lost_state() && !done.forgot {
        eprintln!(
            "bouncestat: nothing was repaired: how far each log was read is lost, and the next collect would count lines twice. Restore the \
             file from a backup of the same day; or collect into a new folder; or begin anew here with --repair --forget"
        );
        return;
    }
    for file in &done.quarantined {
        notes::note(format!("put aside: {file}"));
    }
    notes::note(format!("made again: {} of attempts and ids", notes::count(done.made_again as u64, "file")));
    if done.lost_messages > 0 || done.lost_events > 0 {
        let (messages, lines) = (notes::count(done.lost_messages, "message"), notes::count(done.lost_events, "line"));
        eprintln!("bouncestat: warning: {messages} of about {lines} are lost; reports say so from now on");
    }
    if done.forgot {
        let newest = tidy.manifest().newest().map(bouncestat_export::rfc3339).unwrap_or_default();
        eprintln!(
            "bouncestat: warning: how far each log was read is forgotten: the next collect counts every line that it is given, also those \
             that were counted before. Give it only logs that begin after {newest}"
        );
    }
}

/// What is wrong, as a table.
fn table(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.file.chars().count()).max().unwrap_or(0).max(4);
    let mut text = format!("{:width$}  {:8}  {:8}  what is wrong; what can be done\n", "file", "holds", "damaged");
    for f in findings {
        let damaged = if f.damaged { "yes" } else { "no" };
        text.push_str(&format!("{:width$}  {:8}  {damaged:8}  {}; {}\n", f.file, f.role.as_str(), f.what, f.remedy));
    }
    text
}

fn told(args: &Verify, tidy: &Tidy, found: &Verified, repaired: Option<&Repaired>) -> Value {
    let finding = |f: &Finding| json!({"file": f.file, "holds": f.role.as_str(), "damaged": f.damaged, "error": f.what, "remedy": f.remedy});
    json!({
        "dataset": args.dir, "generation": tidy.manifest().generation, "files": found.files, "bytes": found.bytes, "deep": args.deep,
        "sound": !found.findings.iter().any(|f| f.damaged),
        "findings": found.findings.iter().map(finding).collect::<Vec<_>>(),
        "repaired": repaired.map(|done| json!({
            "quarantined": done.quarantined, "made_again": done.made_again, "lost_messages": done.lost_messages,
            "lost_events": done.lost_events, "forgot": done.forgot,
        })),
        "steps": tidy.steps(),
    })
}
