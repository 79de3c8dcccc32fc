//! The bundled logs of real servers give the deliveries that are known of them, however they are cut.

mod harness;

use bouncestat_ingest::join::window::Window;
use bouncestat_ingest::run::Summary;

use harness::{Part, read, sample};

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
