//! What the targets share: a whole log as deliveries, read in one piece or in many.

use std::path::Path;
use std::sync::Arc;

use bouncestat_ingest::clock::{Clock, Zone};
use bouncestat_ingest::event::{Fields, Key};
use bouncestat_ingest::input::lines;
use bouncestat_ingest::join::fold::{self, Context, Counts, View};
use bouncestat_ingest::join::scan::{Lines, Scan, Tally, scan};
use bouncestat_ingest::join::stitch::{Message, Stitcher, Whole};
use bouncestat_ingest::join::window::Window;
use bouncestat_ingest::mta::{FileFacts, LineReader};
use bouncestat_record::Mta;
use chrono::NaiveDate;

/// A clock without zone that begins in November 2026.
pub fn clock() -> Clock {
    Clock::new(Zone::UTC, NaiveDate::from_ymd_opt(2026, 11, 1).expect("a date"))
}

/// A reader at the start of a log.
pub fn reader(mta: Mta, log: &[u8]) -> LineReader {
    let head = &log[..log.len().min(4096)];
    LineReader::new(mta, FileFacts { folder: Arc::from("fuzz"), clock: clock(), head: Arc::from(head) })
}

/// What a log says.
#[derive(Debug, Default, PartialEq)]
pub struct Said {
    /// How its lines count.
    pub tally: Tally,
    /// What is no delivery.
    pub counts: Counts,
    /// The deliveries, sorted.
    pub deliveries: Vec<String>,
}

/// Cuts a log at the line ends after each of `cuts`, reads the pieces apart, and puts them together.
pub fn deliveries(mta: Mta, log: &[u8], cuts: &[usize]) -> Said {
    let mut reader = reader(mta, log);
    let (mut stitcher, mut said, mut scans) = (Stitcher::default(), Said::default(), Vec::new());
    let mut start = 0;
    for cut in cuts.iter().copied().chain([log.len()]) {
        let from = cut.clamp(start, log.len());
        let end = log[from..].iter().position(|b| *b == b'\n').map_or(log.len(), |at| from + at + 1);
        let piece = log[start..end].to_vec();
        let scan = scan(reader.clone(), piece, 0, start as u64, Lines::Plain);
        reader.skip(&log[start..end], start as u64);
        said.tally.add(scan.tally);
        let whole = stitcher.take(&scan);
        scans.push((scan, whole));
        start = end;
    }
    let (open, ids) = stitcher.finish();
    let folders = [Arc::from("fuzz")];
    let context = Context { window: Window::default(), ids: &ids, folders: &folders };
    let (counts, all) = (&mut said.counts, &mut said.deliveries);
    for (scan, whole) in &scans {
        for whole in whole {
            match whole {
                Whole::Inside(index) => inside(scan, *index, context, counts, all),
                Whole::Apart(message) => apart(message, context, counts, all),
            }
        }
    }
    for message in &open {
        apart(message, context, counts, all);
    }
    said.deliveries.sort();
    said
}

fn inside(scan: &Scan, index: u32, context: Context<'_>, counts: &mut Counts, all: &mut Vec<String>) {
    let fragment = &scan.fragments[index as usize];
    let events: Vec<_> = scan.events(fragment).copied().collect();
    let text = scan.text();
    let view = View { mta: scan.mta, host: text.get(fragment.host), id: text.get(fragment.id), events: &events, text };
    fold::fold(view, context, counts, &mut |delivery| all.push(format!("{delivery:?}")));
}

fn apart(message: &Message, context: Context<'_>, counts: &mut Counts, all: &mut Vec<String>) {
    let view = View { mta: message.mta, host: &message.host, id: &message.id, events: &message.events, text: message.text() };
    fold::fold(view, context, counts, &mut |delivery| all.push(format!("{delivery:?}")));
}

/// The work of a reader's target. The first two bytes say where the log is cut, the rest is the log.
///
/// No line may panic, every line counts once, and a log that is cut says what the whole one says.
pub fn check_reader(mta: Mta, data: &[u8]) {
    let Some((&[a, b], log)) = data.split_first_chunk() else { return };
    let mut sink: Vec<(Key<'_>, Fields<'_>)> = Vec::new();
    let mut line_reader = reader(mta, log);
    for (_, line) in lines(log) {
        line_reader.line(line, &mut sink);
    }
    drop(sink);
    let whole = deliveries(mta, log, &[]);
    assert_eq!(whole.tally.lines as usize, lines(log).count());
    let share = |byte: u8| log.len() * usize::from(byte) / 256;
    let cut = deliveries(mta, log, &[share(a.min(b)), share(a.max(b))]);
    assert_eq!(whole, cut, "cut at {} and {}", share(a.min(b)), share(a.max(b)));
}

/// A name for what has no file.
pub fn nowhere() -> &'static Path {
    Path::new("fuzz")
}
