//! Reads logs and counts their deliveries, for the tests of this folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bouncestat_ingest::clock::Zone;
use bouncestat_ingest::input::{ChunkOptions, DiscoverOptions, discover};
use bouncestat_ingest::join::window::Window;
use bouncestat_ingest::plan::{PlanOptions, plan};
use bouncestat_ingest::run::{Consumer, RunOptions, Summary, run};
use bouncestat_record::{Delivery, Outcome};

/// Counts by outcome, and keeps every delivery in a form that can be compared.
pub struct Count;

#[derive(Default, Debug, PartialEq, Clone)]
pub struct Part {
    pub outcomes: BTreeMap<&'static str, u64>,
    pub deliveries: Vec<String>,
}

impl Consumer for Count {
    type Part = Part;
    fn begin(&self) -> Part {
        Part::default()
    }
    fn delivery(&self, part: &mut Part, d: &Delivery<'_>) {
        *part.outcomes.entry(d.outcome.as_str()).or_default() += 1;
        *part.outcomes.entry("delayed").or_default() += u64::from(d.delayed);
        *part.outcomes.entry("attempts").or_default() += d.tries.iter().map(|t| u64::from(t.count)).sum::<u64>();
        if d.outcome != Outcome::Delivered {
            assert!(d.cause.is_some() || d.outcome == Outcome::Expired, "{d:?}");
        }
        part.deliveries.push(format!(
            "{} {} {} {:?} {:?} {} {:?}",
            d.queue_id,
            d.recipient,
            d.outcome,
            d.sender,
            d.delay_ms,
            d.tries.len(),
            d.tries.last().map(|t| t.at / 1_000_000)
        ));
    }
}

pub fn read(paths: &[PathBuf], chunk: usize, window: Window) -> (Part, Summary) {
    read_in(Zone::UTC, paths, chunk, window)
}

pub fn read_in(zone: Zone, paths: &[PathBuf], chunk: usize, window: Window) -> (Part, Summary) {
    let found = discover(paths, &DiscoverOptions::default());
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let options =
        PlanOptions { zone, zone_is_given: zone != Zone::UTC, mta: None, host: None, now: 1_800_000_000_000_000, rejects: false };
    let plan = plan(found.sources, &options);
    let mut total = Part::default();
    let options = RunOptions { window, chunks: ChunkOptions { target: chunk, ..ChunkOptions::default() }, threads: 2 };
    let summary = run(
        plan,
        &options,
        &Count,
        &mut |part: Part| {
            for (key, n) in part.outcomes {
                *total.outcomes.entry(key).or_default() += n;
            }
            total.deliveries.extend(part.deliveries);
        },
        &|_| {},
    );
    (total, summary)
}

pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(name)
}
