//! `bouncestat reclassify DIR`: the attempts of a dataset, judged again by the rules of now.

use anyhow::Result;
use serde_json::json;

use super::{collect::meta, kept};
use crate::args::{Common, QuotaChoice, Reclassify};
use crate::consumers::Kept;
use crate::notes;
use crate::redact::Redactor;
use crate::settings::{Settings, rules};

/// Judges again.
pub fn run(args: &Reclassify, common: &Common) -> Result<u8> {
    let settings = Settings::resolve(common)?;
    let rules = rules(common)?;
    let mut tidy = kept::open(&args.dir, &rules, common, &settings)?;
    let (names, shown) = (tidy.names(), Redactor::none());
    let rows = Kept::new(&rules, &shown, &names);
    // The version of rules does not tell the class of full mailboxes, nor who forgot his own rules the last time.
    let all = args.all || common.rules.is_some() || common.quota_class == QuotaChoice::Hard;
    let done = tidy.reclassify(all, &rows, &meta(rules.rules_version()))?;
    kept::print(common, || {
        json!({
            "dataset": args.dir, "generation": tidy.manifest().generation, "rules": rules.rules_version(), "segments": done.segments,
            "current": done.current, "attempts": done.attempts, "changed": done.changed, "steps": tidy.steps(),
        })
    })?;
    let changed = match done.changed {
        _ if done.attempts == 0 => "all were judged by these rules already (--all judges them again)".to_owned(),
        Some(n) => format!("{} judged otherwise than before", notes::count(n, "attempt")),
        None => "how many are judged otherwise than before cannot be told".to_owned(),
    };
    notes::note(format!(
        "reclassified {} of {} in {}: {changed}",
        notes::count(done.attempts, "attempt"),
        notes::count(done.segments as u64, "segment"),
        args.dir.display()
    ));
    Ok(kept::tell(&tidy.take_problems()))
}
