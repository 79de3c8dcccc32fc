//! What counting costs. Not a check: `cargo test --release -p bouncestat-aggregation -p bouncestat-export -- --ignored --nocapture`.

mod common;

use std::time::{Duration, Instant};

use bouncestat_aggregation::{Aggregator, AttemptBatch, Batch};
use bouncestat_export::{FORMATS, Options};
use common::{cases, meta};

#[test]
#[ignore = "measures"]
fn cost() {
    let n = 1_000_000;
    let cases = cases(n, 5_000, 9);
    let spent = |what: &str, time: Duration| println!("{what:<28}{:>8.1} ns each", time.as_nanos() as f64 / n as f64);
    let per = |what: &str, start: Instant| spent(what, start.elapsed());
    for size in [20_000, 20_000, 131_072, 131_072] {
        let start = Instant::now();
        for case in &cases {
            // With a look at the texts, so that what follows pays for counting and not for fetching them from memory.
            case.with(|d| std::hint::black_box((d.recipient.bytes().max(), d.sender.map(|s| s.bytes().max()))));
        }
        per("making borrowed deliveries", start);
        let (mut pushing, mut adding) = (Duration::ZERO, Duration::ZERO);
        let mut aggregator = Aggregator::new();
        for part in cases.chunks(size) {
            let start = Instant::now();
            let mut batch = Batch::new();
            part.iter().for_each(|case| case.push(&mut batch));
            pushing += start.elapsed();
            let start = Instant::now();
            aggregator.add(batch).unwrap();
            adding += start.elapsed();
        }
        println!("batches of {size}");
        spent("  + Batch::push", pushing);
        spent("Aggregator::add", adding);
        let start = Instant::now();
        let report = aggregator.finish(meta()).unwrap();
        per("finish", start);
        let start = Instant::now();
        let mut batch = AttemptBatch::new();
        let mut rows = 0;
        for case in &cases {
            case.with(|d| d.tries.iter().for_each(|t| batch.push(d, t, case.verdict.as_ref(), case.provider, "mail.log")));
            if batch.is_full() {
                rows += batch.len();
                batch.clear();
            }
        }
        per("  + AttemptBatch::push", start);
        assert!(rows > n / 2);
        drop(report);
    }
    for format in FORMATS {
        let start = Instant::now();
        let mut sink = format.attempts(Box::new(std::io::sink()), &Options::default()).unwrap();
        for batch in common::attempts(&cases[..100_000], 50_000) {
            sink.write(batch.frame()).unwrap();
        }
        sink.finish(&meta()).unwrap();
        println!("attempts as {:<16}{:>8.1} ns each", format.name(), start.elapsed().as_nanos() as f64 / 1e5);
    }
}
