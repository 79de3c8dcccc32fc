//! `bouncestat expire DIR --keep 90d`: old messages leave a dataset.

use anyhow::{Result, anyhow};
use bouncestat_record::time::DAY;
use serde_json::json;

use super::{collect::meta, kept};
use crate::args::{Common, Expire};
use crate::consumers::Kept;
use crate::redact::Redactor;
use crate::settings::{AsOf, Settings, rules};
use crate::{notes, when};

/// Takes away what is old.
pub fn run(args: &Expire, common: &Common) -> Result<u8> {
    let settings = Settings::resolve(common)?;
    let rules = rules(common)?;
    let keep = when::span(&args.keep)
        .ok_or_else(|| anyhow!("--keep {:?} is no span; write how long messages are kept: 90d, 12w", args.keep))?;
    let mut tidy = kept::open(&args.dir, &rules, common, &settings)?;
    let now = match settings.as_of {
        AsOf::Present => settings.present,
        AsOf::At(at) => at,
        AsOf::Last => tidy.manifest().newest().unwrap_or(settings.present),
    };
    let cut =
        now.checked_sub(keep).ok_or_else(|| anyhow!("--keep {}: that is before all time", args.keep))?.div_euclid(DAY) * DAY;
    let (names, shown) = (tidy.names(), Redactor::none());
    let rows = Kept::new(&rules, &shown, &names);
    let done = tidy.expire(cut, args.dry_run, &rows, &meta(rules.rules_version()))?;
    let before = bouncestat_export::rfc3339(cut);
    kept::print(common, || {
        json!({
            "dataset": args.dir, "generation": tidy.manifest().generation, "dry_run": args.dry_run, "before": before,
            "segments_dropped": done.dropped, "segments_rewritten": done.rewritten, "messages": done.messages, "lines": done.lines,
            "attempts": done.attempts, "bytes": done.bytes, "steps": tidy.steps(),
        })
    })?;
    notes::note(format!(
        "{} {} that ended before {before} from {}: {} dropped as a whole, {} in part; coverage tells of {} less",
        if args.dry_run { "would take" } else { "took" },
        notes::count(done.messages, "message"),
        args.dir.display(),
        notes::count(done.dropped as u64, "segment"),
        done.rewritten,
        notes::count(done.lines, "line"),
    ));
    Ok(kept::tell(&tidy.take_problems()))
}
