//! What our own servers refused is found once each, however the logs are cut and wherever it stands twice.

use std::path::{Path, PathBuf};

use bouncestat_ingest::clock::Zone;
use bouncestat_ingest::input::{ChunkOptions, DiscoverOptions, discover};
use bouncestat_ingest::join::window::Window;
use bouncestat_ingest::plan::{PlanOptions, plan};
use bouncestat_ingest::run::{Consumer, RunOptions, Summary, run};
use bouncestat_record::{Delivery, Rejection};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(name)
}

struct Refused;

impl Consumer for Refused {
    type Part = Vec<String>;
    fn begin(&self) -> Self::Part {
        Vec::new()
    }
    fn delivery(&self, _: &mut Self::Part, _: &Delivery<'_>) {}
    fn wants_rejects(&self) -> bool {
        true
    }
    fn reject(&self, part: &mut Self::Part, r: &Rejection<'_>) {
        let stage = r.stage.map_or("-", |stage| stage.as_str());
        let soft = if r.temporary { "soft" } else { "hard" };
        let text = String::from_utf8_lossy(r.text);
        let sender = r.sender.unwrap_or("-");
        let head = format!("{} {stage} {soft} {}", r.log_host, r.count);
        part.push(format!("{head} ip={} helo={} {sender} > {} | {text}", r.client_ip, r.helo, r.recipient));
    }
}

fn rejects(paths: &[PathBuf], chunk: usize) -> (Vec<String>, Summary) {
    let found = discover(paths, &DiscoverOptions { recursive: true });
    let options =
        PlanOptions { zone: Zone::UTC, zone_is_given: false, mta: None, host: None, now: 1_800_000_000_000_000, rejects: true };
    let plan = plan(found.sources, &options);
    let chunks = ChunkOptions { target: chunk, ..ChunkOptions::default() };
    let options = RunOptions { window: Window::default(), chunks, threads: 2 };
    let mut all = Vec::new();
    let summary = run(plan, &options, &Refused, &mut |part| all.extend(part), &|_| {});
    (all, summary)
}

fn uncut(paths: &[PathBuf]) -> (Vec<String>, Summary) {
    let (mut all, summary) = rejects(paths, 4 << 20);
    all.sort();
    for chunk in [16, 1000, 70_000] {
        let (mut cut, cut_summary) = rejects(paths, chunk);
        cut.sort();
        assert_eq!(cut, all, "cut at {chunk}");
        assert_eq!(cut_summary.tally, summary.tally, "cut at {chunk}");
    }
    (all, summary)
}

#[test]
fn mainlog_and_rejectlog_tell_of_each_once() {
    let (all, summary) = uncut(&[sample("exim/rejects/mainlog"), sample("exim/rejects/rejectlog")]);
    assert_eq!(all.len(), 8, "{all:#?}");
    assert_eq!(summary.tally.duplicates, 8);
    let (alone, _) = uncut(&[sample("exim/rejects/rejectlog")]);
    assert_eq!(alone, all);
}

#[test]
fn logs_of_rejects_alone_are_read_in_the_order_of_time() {
    let dir = tempfile::tempdir().unwrap();
    let line = |day: u32| {
        format!(
            "2026-11-{day:02}T06:00:00+00:00 gw postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 \
             <b@x.test>: Relay access denied; from=<a@y.test> to=<b@x.test> proto=ESMTP helo=<day{day}>\n"
        )
    };
    let write = |name: &str, days: [u32; 2]| std::fs::write(dir.path().join(name), days.map(line).concat()).unwrap();
    write("a.log", [20, 21]);
    write("b.log", [18, 19]);
    let (all, _) = rejects(&[dir.path().to_path_buf()], 1 << 20);
    let order: Vec<_> = all.iter().filter_map(|r| r.split("helo=").nth(1)?.split(' ').next()).collect();
    assert_eq!(order, ["day18", "day19", "day20", "day21"]);
}

#[test]
fn exchange_sessions_agents_and_tracking() {
    let (all, summary) = uncut(&[sample("exchange/rejects")]);
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rejects-exchange.txt");
    let text: String = all.iter().map(|line| format!("{line}\n")).collect();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&expected, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(expected).unwrap());
    assert_eq!(all.len(), 9);
    assert_eq!(all.iter().filter(|r| r.contains(" soft ")).count(), 2);
    assert_eq!(summary.tally.unrecognised, 0);
}
/// The ids of a mainlog tell its zone, and that of the rejectlog beside it.
#[test]
fn a_rejectlog_is_in_the_zone_of_its_mainlog() {
    let dir = tempfile::tempdir().unwrap();
    for log in ["mainlog", "rejectlog"] {
        let text = std::fs::read_to_string(sample(&format!("exim/rejects/{log}"))).unwrap();
        // The clock on the wall is two hours ahead; the ids stay.
        std::fs::write(dir.path().join(log), text.replace("2026-11-22 06:", "2026-11-22 08:")).unwrap();
    }
    let (all, summary) = rejects(&[dir.path().to_path_buf()], 1 << 20);
    assert_eq!((all.len(), summary.tally.duplicates), (8, 8), "{all:#?}");
    let (first, last) = summary.counts.events.unwrap();
    assert_eq!((first, last), (1_795_327_201_000_000, 1_795_327_621_000_000), "in UTC");
}
