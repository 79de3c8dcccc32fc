//! One run: reads the planned files in order, scans their chunks in parallel, stitches in order, folds in parallel.
//!
//! The result does not depend on the number of threads or the size of chunks. What is done with deliveries is the [`Consumer`]'s.

mod gather;
mod halves;
mod overlap;
mod produce;

pub use gather::{Keeper, gather};
pub use halves::has_stamp;
pub use produce::FileEnd;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{channel, sync_channel};

use bouncestat_record::{Delivery, Mta, Rejection};
use rayon::prelude::*;

use crate::input::{ChunkOptions, Problem};
use crate::join::fold::{self, Context, Counts, View};
use crate::join::remarks::Remarks;
use crate::join::scan::{Lines, Scan, Tally, Wanted, scan};
use crate::join::stitch::{Ids, Message, Stitcher, Whole};
use crate::join::window::Window;
use crate::plan::Plan;
use crate::reject::Kept;
use overlap::Overlaps;
use produce::{Note, Piece};

/// Takes the deliveries of a run, in parts that may be made in parallel.
pub trait Consumer: Sync {
    /// What is made of some deliveries.
    type Part: Send;
    /// An empty part.
    fn begin(&self) -> Self::Part;
    /// Adds a delivery to a part.
    fn delivery(&self, part: &mut Self::Part, delivery: &Delivery<'_>);
    /// A second window, where one is asked for: each message is folded for it too, as if it were the only one.
    fn window_before(&self) -> Option<Window> {
        None
    }
    /// Adds a delivery of the second window.
    fn before(&self, _: &mut Self::Part, _: &Delivery<'_>) {}
    /// Whether rejects of our own are wanted, too: what our servers did not take.
    fn wants_rejects(&self) -> bool {
        false
    }
    /// Adds a reject to a part.
    fn reject(&self, _part: &mut Self::Part, _refusal: &Rejection<'_>) {}
    /// Whether lines that were not understood are wanted, too.
    fn wants_unrecognised(&self) -> bool {
        false
    }
    /// Adds such a line, as it stands in the log, in the order of the log.
    fn unrecognised(&self, _part: &mut Self::Part, _line: Unrecognised<'_>) {}
}

/// A line that looks like a mail server's delivery and was not understood.
#[derive(Clone, Copy, Debug)]
pub struct Unrecognised<'a> {
    /// The line.
    pub line: &'a [u8],
    /// Its file, by number in the plan.
    pub file: u32,
    /// Its offset in the unpacked file, bytes.
    pub offset: u64,
}

/// How to run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Which events count.
    pub window: Window,
    /// How large pieces are.
    pub chunks: ChunkOptions,
    /// How many pieces are worked on at a time.
    pub threads: usize,
}

/// What a run read.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How lines count.
    pub tally: Tally,
    /// Bytes read, unpacked.
    pub bytes: u64,
    /// Files read.
    pub files: u64,
    /// Those of them that could be read whole.
    pub whole_files: u64,
    /// What is no delivery.
    pub counts: Counts,
    /// What else lines say: losses, domains that could not be reached, events that are not known.
    pub remarks: Remarks,
    /// The file of the first line that was not understood.
    pub unrecognised_in: Option<PathBuf>,
    /// Messages that were still open at the end.
    pub open_messages: usize,
    /// What went wrong with files while they were read.
    pub problems: Vec<Problem>,
    /// How far each file was read.
    pub ends: Vec<FileEnd>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Bytes read as they lie on the disk.
    pub packed: u64,
    /// Bytes read, unpacked.
    pub bytes: u64,
}

/// Reads the files of a plan. Parts come in the order of the log.
pub fn run<C: Consumer>(
    plan: Plan,
    options: &RunOptions,
    consumer: &C,
    on_part: &mut dyn FnMut(C::Part),
    on_progress: &dyn Fn(Progress),
) -> Summary {
    let folders: Vec<Arc<str>> = plan.files.iter().map(|f| Arc::from(f.source.folder.as_str())).collect();
    let wanted = Wanted { rejects: consumer.wants_rejects(), unrecognised: consumer.wants_unrecognised() };
    let mut stitcher = Stitcher::default();
    let mut counts = Counts::default();
    let each = |scan: &Scan, whole: Vec<Whole>, ids: &Ids| {
        fold_scan(scan, &whole, Context { window: options.window, ids, folders: &folders }, consumer)
    };
    let mut take = |(part, some): (C::Part, Counts)| {
        counts.add(&some);
        on_part(part);
    };
    let mut summary = drive(plan, options, wanted, &mut stitcher, &each, &mut take, on_progress);
    summary.counts = counts;
    summary.open_messages = stitcher.open_messages();
    let rest = stitcher.finish();
    summary.remarks.unended = rest.unended;
    finish(&rest.messages, &rest.ids, options.window, &folders, consumer, &mut summary, on_part);
    on_part(finish_rejects(&rest.rejects, options.window, consumer, &mut summary));
    summary
}

/// Reads the files of a plan, and has `each` make something of every scan and of what became whole with it; `on_part` takes that in the
/// order of the log.
fn drive<P: Send>(
    plan: Plan,
    options: &RunOptions,
    wanted: Wanted,
    stitcher: &mut Stitcher,
    each: &(dyn Fn(&Scan, Vec<Whole>, &Ids) -> P + Sync),
    on_part: &mut dyn FnMut(P),
    on_progress: &dyn Fn(Progress),
) -> Summary {
    let mut summary = Summary { problems: plan.problems, ..Summary::default() };
    let mut overlaps = Overlaps::new(&plan.files);
    let paths: Vec<PathBuf> = plan.files.iter().map(|f| f.source.path.clone()).collect();
    let numbers: Vec<u32> = plan.files.iter().map(|f| f.number).collect();
    summary.files = paths.len() as u64;
    let in_flight = options.threads.max(1) * 4;
    let (send, receive) = sync_channel::<Note>(in_flight);
    let (give_back, spare) = channel::<Vec<u8>>();
    let chunk_options = options.chunks;
    std::thread::scope(|scope| {
        // Owned here, so that the reading thread ends when this one does, in whatever way.
        let receive = receive;
        scope.spawn(move || produce::produce(plan.files, chunk_options, &send, &spare));
        let mut whole: Vec<(Scan, Vec<Whole>)> = Vec::new();
        let mut progress = Progress::default();
        loop {
            let mut round: Vec<Piece> = Vec::with_capacity(in_flight);
            while round.len() < in_flight {
                match receive.recv() {
                    Ok(Note::Piece(piece)) => {
                        progress.bytes += piece.bytes;
                        progress.packed = piece.packed;
                        round.push(piece);
                    }
                    Ok(Note::Lines { lines, bytes }) => {
                        summary.tally.lines += lines;
                        progress.bytes += bytes;
                    }
                    Ok(Note::Problem(problem)) => summary.problems.push(problem),
                    Ok(Note::End(end)) => summary.ends.push(end),
                    Err(_) => break,
                }
            }
            on_progress(progress);
            let done = round.is_empty();
            let ids = &stitcher.ids;
            let one = |(scan, whole): (Scan, Vec<Whole>)| (each(&scan, whole, ids), scan.chunk);
            let whole_now = std::mem::take(&mut whole);
            let (parts, scans) =
                rayon::join(|| whole_now.into_par_iter().map(one).collect::<Vec<_>>(), || scan_round(round, &overlaps, wanted));
            for (part, buffer) in parts {
                on_part(part);
                // Nobody may read any more; then nobody takes the buffers.
                drop(give_back.send(buffer));
            }
            for scan in scans {
                let scan = without_duplicates(scan, &mut overlaps);
                summary.tally.add(scan.tally);
                summary.remarks.add(&scan.remarks);
                let closed = stitcher.take(&scan);
                whole.push((scan, closed));
            }
            if done {
                break;
            }
        }
        summary.bytes = progress.bytes;
    });
    let place = summary.remarks.unrecognised.as_ref().and_then(|example| numbers.iter().position(|n| *n == example.file));
    summary.unrecognised_in = place.map(|place| paths[place].clone());
    // Damage in the first lines of a file is found when it is planned and again when it is read.
    summary.problems.sort();
    summary.problems.dedup();
    let failed = |path: &PathBuf| summary.problems.iter().any(|p| p.is_failure() && p.path == *path);
    summary.whole_files = paths.iter().filter(|path| !failed(path)).count() as u64;
    summary
}

/// Scans the pieces of a round, side by side.
fn scan_round(round: Vec<Piece>, overlaps: &Overlaps, wanted: Wanted) -> Vec<Scan> {
    let one = |piece: Piece| {
        let lines = if overlaps.is_watched(piece.file) { Lines::Hash } else { Lines::Plain };
        scan(piece.reader, piece.chunk, piece.file, piece.places, wanted, lines)
    };
    round.into_par_iter().map(one).collect()
}

/// A scan without the lines that stand in earlier files. Whether there are any is known only when those files were read, so a chunk
/// with duplicates is scanned again, one after the other.
fn without_duplicates(scan: Scan, overlaps: &mut Overlaps) -> Scan {
    overlaps.begin(scan.file());
    let scan = if overlaps.is_guarded(scan.file()) { scan.again(Lines::Guarded(&mut overlaps.guard())) } else { scan };
    overlaps.saw(&scan);
    scan
}

/// Folds what became whole with one scan.
fn fold_scan<C: Consumer>(scan: &Scan, whole: &[Whole], context: Context<'_>, consumer: &C) -> (C::Part, Counts) {
    let (mut part, mut counts) = (consumer.begin(), Counts::default());
    let mut events = Vec::new();
    for whole in whole {
        let view = match whole {
            Whole::Inside(index) => {
                let fragment = &scan.fragments[*index as usize];
                events.clear();
                events.extend(scan.events(fragment).copied());
                let text = scan.text();
                View { mta: scan.mta, host: text.get(fragment.host), id: text.get(fragment.id), events: &events, text }
            }
            Whole::Apart(message) => view_of(message),
        };
        fold_one(view, context, consumer, &mut part, &mut counts);
    }
    for kept in scan.rejects.iter().flatten() {
        if counts.saw_reject(kept.reject.at, context.window) {
            kept.tell(scan.mta, scan.file(), &mut |reject| consumer.reject(&mut part, reject));
        }
    }
    for (line, offset) in &scan.unrecognised {
        let line = scan.text().get(*line);
        consumer.unrecognised(&mut part, Unrecognised { line, file: scan.file(), offset: *offset });
    }
    (part, counts)
}

/// Folds one message, for the second window too where there is one. What that one excludes is not counted.
fn fold_one<C: Consumer>(view: View<'_>, context: Context<'_>, consumer: &C, part: &mut C::Part, counts: &mut Counts) {
    fold::fold(view, context, counts, &mut |delivery| consumer.delivery(part, delivery));
    if let Some(window) = consumer.window_before() {
        let context = Context { window, ..context };
        fold::fold(view, context, &mut Counts::default(), &mut |delivery| consumer.before(part, delivery));
    }
}

/// Folds messages and rejects that were kept ([`gather`]): what is made of them, and what they count.
pub fn fold_kept<'v, C: Consumer>(
    messages: impl Iterator<Item = View<'v>>,
    rejects: impl Iterator<Item = (Mta, u32, Kept)>,
    context: Context<'_>,
    consumer: &C,
) -> (C::Part, Counts) {
    let (mut part, mut counts) = (consumer.begin(), Counts::default());
    for view in messages {
        fold_one(view, context, consumer, &mut part, &mut counts);
    }
    if consumer.wants_rejects() {
        for (mta, file, kept) in rejects {
            if counts.saw_reject(kept.reject.at, context.window) {
                kept.tell(mta, file, &mut |reject| consumer.reject(&mut part, reject));
            }
        }
    }
    (part, counts)
}

fn view_of(message: &Message) -> View<'_> {
    View { mta: message.mta, host: &message.host, id: &message.id, events: &message.events, text: message.text() }
}

/// Folds what is left when the log ends.
fn finish<C: Consumer>(
    messages: &[Message],
    ids: &Ids,
    window: Window,
    folders: &[Arc<str>],
    consumer: &C,
    summary: &mut Summary,
    on_part: &mut dyn FnMut(C::Part),
) {
    const AT_ONCE: usize = 4096;
    let context = Context { window, ids, folders };
    for group in messages.chunks(AT_ONCE * 8) {
        let parts: Vec<_> = group
            .par_chunks(AT_ONCE)
            .map(|messages| {
                let (mut part, mut counts) = (consumer.begin(), Counts::default());
                for message in messages {
                    fold_one(view_of(message), context, consumer, &mut part, &mut counts);
                }
                (part, counts)
            })
            .collect();
        for (part, counts) in parts {
            summary.counts.add(&counts);
            on_part(part);
        }
    }
}

/// Tells of the rejects that only whole sessions show. Only Exchange logs sessions.
fn finish_rejects<C: Consumer>(rejects: &[(u32, Kept)], window: Window, consumer: &C, summary: &mut Summary) -> C::Part {
    let (mut part, mut counts) = (consumer.begin(), Counts::default());
    for (file, kept) in rejects {
        if counts.saw_reject(kept.reject.at, window) {
            kept.tell(Mta::Exchange, *file, &mut |reject| consumer.reject(&mut part, reject));
        }
    }
    summary.counts.add(&counts);
    part
}

/// The servers that wrote the files of a plan, each with the number of its files.
pub fn servers(plan: &Plan) -> Vec<(Mta, usize)> {
    Mta::ALL
        .iter()
        .map(|mta| (*mta, plan.files.iter().filter(|f| f.mta == Some(*mta)).count()))
        .filter(|(_, files)| *files > 0)
        .collect()
}
