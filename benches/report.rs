//! The nightly report from file to tables, in process: without the start of a program, and without printing.
//!
//! `join` makes deliveries and counts them, `report` classifies and aggregates them too.

mod common;

// The command's own consumer, so that what is measured is what runs.
#[allow(dead_code, reason = "the command uses all of it")]
#[path = "../crates/cli/consumers.rs"]
mod consumers;
#[allow(dead_code, reason = "the command uses all of it")]
#[path = "../crates/cli/domains.rs"]
mod domains;
#[allow(dead_code, reason = "the command uses all of it")]
#[path = "../crates/cli/redact.rs"]
mod redact;
#[allow(dead_code, reason = "the command uses all of it")]
#[path = "../crates/cli/shapes.rs"]
mod shapes;

use std::path::Path;

use bouncestat_aggregation::{Aggregator, Coverage, Excluded, Meta, Report, Window as MetaWindow};
use bouncestat_classification::Classifier;
use bouncestat_ingest::clock::Zone;
use bouncestat_ingest::input::{ChunkOptions, Source};
use bouncestat_ingest::join::window::Window;
use bouncestat_ingest::plan::{PlanOptions, plan};
use bouncestat_ingest::run::{Consumer, RunOptions, run};
use bouncestat_record::Delivery;
use divan::Bencher;
use divan::counter::BytesCount;

use consumers::Count;

fn main() {
    divan::main();
}

/// Counts deliveries and looks no further.
struct Number;

impl Consumer for Number {
    type Part = u64;
    fn begin(&self) -> u64 {
        0
    }
    fn delivery(&self, part: &mut u64, _: &Delivery<'_>) {
        *part += 1;
    }
}

/// Reads a log with as many threads.
fn read<C: Consumer>(log: &Path, threads: usize, consumer: &C, on_part: &mut dyn FnMut(C::Part)) {
    let source = Source::from_path(log).expect("the log was just made");
    let options =
        PlanOptions { zone: Zone::UTC, zone_is_given: true, mta: None, host: None, now: 1_800_000_000_000_000, rejects: false };
    let run_options = RunOptions { window: Window::default(), chunks: ChunkOptions::default(), threads };
    let summary = run(plan(vec![source], &options), &run_options, consumer, on_part, &|_| {});
    assert!(summary.problems.is_empty(), "{:?}", summary.problems);
}

/// Measures `work` inside a pool of `threads`.
fn measure<R: Send>(bencher: Bencher<'_, '_>, threads: usize, work: impl Fn(&Path) -> R + Sync) {
    let log = common::postfix_log();
    let size = std::fs::metadata(&log).expect("the log was just made").len();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be made");
    bencher.counter(BytesCount::new(size)).bench_local(|| pool.install(|| work(&log)));
}

#[divan::bench(args = [1, 2])]
fn join(bencher: Bencher<'_, '_>, threads: usize) {
    measure(bencher, threads, |log| {
        let mut deliveries = 0;
        read(log, threads, &Number, &mut |n| deliveries += n);
        assert!(deliveries > 10_000);
        deliveries
    });
}

#[divan::bench(args = [1, 2])]
fn report(bencher: Bencher<'_, '_>, threads: usize) {
    let rules = Classifier::builtin();
    measure(bencher, threads, |log| -> Report {
        let mut aggregator = Aggregator::new();
        read(log, threads, &Count { rules, redact: &redact::Redactor::none() }, &mut |batch| {
            aggregator.add(batch).expect("batches fit")
        });
        aggregator.finish(meta()).expect("the identities hold")
    });
}

fn meta() -> Meta {
    Meta {
        version: String::new(),
        rules: String::new(),
        window: MetaWindow { since: None, until: None, first_event: None, last_event: None },
        coverage: Coverage::default(),
        excluded: Excluded::default(),
    }
}
