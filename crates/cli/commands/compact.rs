//! `bouncestat compact DIR`: a dataset in few files, by day.

use anyhow::Result;
use bouncestat_store::Compacted;
use serde_json::{Value, json};

use super::{collect::meta, kept};
use crate::args::{Common, Compact};
use crate::consumers::Kept;
use crate::notes;
use crate::redact::Redactor;
use crate::settings::{Settings, rules};

/// Compacts.
pub fn run(args: &Compact, common: &Common) -> Result<u8> {
    let settings = Settings::resolve(common)?;
    let rules = rules(common)?;
    let mut tidy = kept::open(&args.dir, &rules, common, &settings)?;
    let (names, shown) = (tidy.names(), Redactor::none());
    let rows = Kept::new(&rules, &shown, &names);
    let done = tidy.compact(&rows, &meta(rules.rules_version()))?;
    kept::print(common, || {
        let mut told = told(&done);
        told["dataset"] = json!(args.dir);
        told["generation"] = json!(tidy.manifest().generation);
        told["steps"] = json!(tidy.steps());
        told
    })?;
    match done.merged {
        0 => notes::note(format!("{} is compact: nothing was merged", args.dir.display())),
        _ => notes::note(format!("compacted {}: {}", args.dir.display(), said(&done))),
    }
    Ok(kept::tell(&tidy.take_problems()))
}

/// What compacting did, in words.
pub fn said(done: &Compacted) -> String {
    format!(
        "{} became {}, {} became {}, {} written",
        notes::count(done.segments.0 as u64, "segment"),
        done.segments.1,
        notes::count(done.files.0 as u64, "file"),
        done.files.1,
        notes::count(done.attempts, "attempt"),
    )
}

fn told(done: &Compacted) -> Value {
    json!({
        "merged": done.merged, "segments_before": done.segments.0, "segments": done.segments.1, "files_before": done.files.0,
        "files": done.files.1, "bytes_before": done.bytes.0, "bytes": done.bytes.1, "attempts": done.attempts,
    })
}
