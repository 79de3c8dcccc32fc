//! The bundled logs of real servers give the deliveries that are known of them, however they are cut.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bouncestat_ingest::clock::Zone;
use bouncestat_ingest::input::{ChunkOptions, DiscoverOptions, discover};
use bouncestat_ingest::join::window::Window;
use bouncestat_ingest::plan::{PlanOptions, plan};
use bouncestat_ingest::run::{Consumer, RunOptions, Summary, run};
use bouncestat_record::{Delivery, Outcome};

/// Counts by outcome, and keeps every delivery in a form that can be compared.
struct Count;

#[derive(Default, Debug, PartialEq)]
struct Part {
    outcomes: BTreeMap<&'static str, u64>,
    deliveries: Vec<String>,
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
        part.deliveries.push(format!("{} {} {} {:?} {:?} {}", d.queue_id, d.recipient, d.outcome, d.sender, d.delay_ms, d.tries.len()));
    }
}

fn read(paths: &[PathBuf], chunk: usize, window: Window) -> (Part, Summary) {
    let found = discover(paths, &DiscoverOptions::default());
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let options = PlanOptions { zone: Zone::UTC, zone_is_given: false, mta: None, host: None, now: 1_800_000_000_000_000 };
    let plan = plan(found.sources, &options);
    let mut total = Part::default();
    let options = RunOptions { window, chunks: ChunkOptions { target: chunk, ..ChunkOptions::default() }, threads: 2 };
    let summary = run(plan, &options, &Count, &mut |part: Part| {
        for (key, n) in part.outcomes {
            *total.outcomes.entry(key).or_default() += n;
        }
        total.deliveries.extend(part.deliveries);
    }, &|_| {});
    (total, summary)
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(name)
}

fn get(part: &Part, key: &str) -> u64 {
    part.outcomes.get(key).copied().unwrap_or(0)
}

#[track_caller]
fn check(name: &str, want: [u64; 5]) -> Summary {
    let (part, summary) = read(&[sample(name)], 4 << 20, Window::default());
    let got = ["delivered", "delayed", "bounced", "expired", "deferred"].map(|key| get(&part, key));
    assert_eq!(got, want, "{name}: {summary:?}");
    for chunk in [16, 1000, 70_000] {
        let (cut, cut_summary) = read(&[sample(name)], chunk, Window::default());
        assert_eq!(cut, part, "{name} cut at {chunk}");
        assert_eq!(cut_summary.counts, summary.counts, "{name} cut at {chunk}");
        assert_eq!(cut_summary.tally, summary.tally, "{name} cut at {chunk}");
    }
    summary
}

#[test]
fn postfix_lab_long() {
    let summary = check("postfix/lab-long/maillog", [20, 4, 68, 51, 0]);
    let e = summary.counts.excluded;
    assert_eq!((e.notifications, e.hops, e.probes, e.discarded), (123, 10, 3, 1));
}

#[test]
fn postfix_lab_short() {
    let summary = check("postfix/lab-short/maillog", [20, 4, 68, 51, 0]);
    let e = summary.counts.excluded;
    assert_eq!((e.notifications, e.hops, e.probes, e.discarded), (123, 10, 3, 1));
}

#[test]
fn postfix_sink() {
    check("postfix/sink/maillog", [4, 0, 10, 2, 7]);
}
