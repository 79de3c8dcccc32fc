//! Reports from a dataset: its messages are folded as those of logs are, by the same code, for any window.
//!
//! Segments that end before the window are not opened. All files are opened before anything is read, so that a commit beside it
//! changes nothing.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use bouncestat_aggregation::Sums;
use bouncestat_ingest::input::{Problem, ProblemKind};
use bouncestat_ingest::join::fold::{Counts, Excluded, View};
use bouncestat_ingest::join::remarks;
use bouncestat_ingest::join::stitch::{Message, resolve};
use bouncestat_ingest::join::window::{self, Window};
use bouncestat_ingest::run::{Consumer, Progress, Summary, fold_kept};
use bouncestat_record::Mta;
use bouncestat_record::time::{DAY, Micros};
use rayon::prelude::*;

use crate::dataset::Dataset;
use crate::files::Name;
use crate::ids::Ids;
use crate::manifest::{Lines, Manifest, Remarks, Segment};
use crate::segment::{Blocks, SUMS, unpack};
use crate::view::{AT_ONCE, Known};
use crate::{Error, ErrorKind, Result};

/// What a report is made of.
pub enum Piece<P> {
    /// What a consumer made of deliveries.
    Part(P),
    /// What the deliveries of a segment add up to, for the window in which they lie.
    Sums(Side, Sums),
}

/// Which window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The window itself.
    Inside,
    /// The one before it.
    Before,
}

/// A dataset that is open for reading.
pub struct Reading {
    dir: PathBuf,
    manifest: Manifest,
    names: Vec<Name>,
    /// How many logs were read, each counted once.
    contents: usize,
    /// The files of each segment.
    segments: Vec<Files>,
    open: Vec<Message>,
    /// Ids of messages in our logs under which open messages were handed over.
    hops: Vec<u64>,
    problems: Vec<Problem>,
}

/// The open files of a segment; `None`: it has none, or it cannot be opened.
struct Files {
    sums: Option<(PathBuf, File)>,
    ids: Option<(PathBuf, File)>,
    messages: Option<Blocks>,
}

/// How often a reader begins again because a commit took a file away while it opened them.
const TRIES: usize = 5;
/// So far before its own moments the ids of a segment may prove something.
const NEAR: Micros = 8 * DAY;

impl Reading {
    /// Opens everything, and reads nothing but what is open.
    pub fn open(dir: &Path) -> Result<Self> {
        let mut tried = 0;
        loop {
            tried += 1;
            let this = Self::try_open(dir)?;
            // A commit beside it takes files away: then there is a newer manifest.
            let is_current = || Ok(Manifest::read(dir)?.is_some_and(|now| now.generation == this.manifest.generation));
            if this.problems.is_empty() || tried == TRIES || is_current()? {
                return Ok(this);
            }
        }
    }

    fn try_open(dir: &Path) -> Result<Self> {
        let manifest = Manifest::read(dir)?
            .ok_or_else(|| Error::new(ErrorKind::NoDataset, dir, "is no dataset: bouncestat collect --into makes one"))?;
        let dataset = Dataset { dir: dir.to_owned(), manifest };
        let mut problems = Vec::new();
        let mut keep = |error: Error| problems.push(damaged(&error));
        let saved = dataset.saved().and_then(|(saved, path)| Ok((saved.open(&path)?, saved)));
        let (open, saved) = saved.map_err(&mut keep).unwrap_or_default();
        let mut segments = Vec::new();
        for segment in &dataset.manifest.segments {
            let path = dataset.path(&segment.ids.file);
            let ids = File::open(&path).map_err(|e| keep(Error::io(&path, &e))).ok();
            let messages = dataset.blocks(segment).map_err(&mut keep).unwrap_or_default();
            // Without sums, a report takes the messages.
            let sums = segment.sums.as_ref().map(|sums| dataset.path(&sums.entry.file));
            let sums = sums.and_then(|path| Some((path.clone(), File::open(path).ok()?)));
            segments.push(Files { sums, ids: ids.map(|file| (path, file)), messages });
        }
        Ok(Self {
            dir: dir.to_owned(),
            manifest: dataset.manifest,
            contents: saved.files.len(),
            names: saved.names,
            segments,
            open,
            hops: saved.hops,
            problems,
        })
    }

    /// The names of the logs, by the numbers that attempts name.
    pub fn names(&self) -> Vec<String> {
        self.names.iter().map(|name| name.path.display().to_string()).collect()
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What belongs to the dataset.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How many bytes of messages a window needs, at most.
    pub fn bytes(&self, window: Window) -> u64 {
        let needed = |segment: &&Segment| segment.span.zip(window.since).is_none_or(|((_, last), since)| last >= since);
        self.manifest.segments.iter().filter(needed).filter_map(|segment| segment.messages.as_ref()).map(|file| file.bytes).sum()
    }

    /// The moment of the newest event.
    pub fn newest(&self) -> Option<Micros> {
        let segments = self.manifest.segments.iter().filter_map(|segment| segment.span);
        segments.chain(self.manifest.state.iter().filter_map(|state| state.span)).map(|(_, last)| last).max()
    }

    /// Folds everything for a window. Parts come in the order in which it was collected. Segments that end before the window, and
    /// before the one before it where the consumer asks for that, are not read. Of a segment that lies in a window as a whole, the sums
    /// are given where they are there and were `judged_by` the same rules and options; `None`: never.
    pub fn run<C: Consumer>(
        mut self,
        window: Window,
        consumer: &C,
        judged_by: Option<&str>,
        on_piece: &mut dyn FnMut(Piece<C::Part>),
        on_progress: &dyn Fn(Progress),
    ) -> Summary {
        let since = match consumer.window_before() {
            Some(before) => window.since.zip(before.since).map(|(a, b)| a.min(b)),
            None => window.since,
        };
        let ends = |segment: &Segment| segment.span.map_or(Micros::MAX, |(_, last)| last);
        let is_needed = |segment: &Segment| since.is_none_or(|since| ends(segment) >= since);
        let mut summary = self.summary(consumer.wants_rejects(), is_needed);
        let known = self.known(|segment| since.is_none_or(|since| ends(segment) >= since - NEAR), &mut summary.problems);
        let context = known.context(window);
        let (mut progress, mut counts) = (Progress::default(), Counts::default());
        let segments = self.manifest.segments.iter().zip(std::mem::take(&mut self.segments));
        for (segment, files) in segments.filter(|(segment, _)| is_needed(segment)) {
            let side = side(segment, window, consumer.window_before());
            if let (Some(side), Some(by)) = (side, judged_by)
                && let Some((sums, some)) = sums(segment, files.sums, by)
            {
                on_piece(Piece::Sums(side, sums));
                if side == Side::Inside {
                    counts.add(&some);
                }
                continue;
            }
            let Some(mut blocks) = files.messages else { continue };
            loop {
                let round = round(&mut blocks).unwrap_or_else(|error| {
                    summary.problems.push(damaged(&error));
                    Vec::new()
                });
                if round.is_empty() {
                    break;
                }
                let fold = |packed: &Vec<u8>| {
                    let contents = blocks.unpack(packed)?;
                    Ok(fold_kept(contents.messages(), contents.rejects(), context, consumer))
                };
                let parts: Vec<Result<(C::Part, Counts)>> = round.par_iter().map(fold).collect();
                progress.packed += round.iter().map(|packed| packed.len() as u64).sum::<u64>();
                on_progress(progress);
                for part in parts {
                    match part {
                        Ok((part, some)) => {
                            counts.add(&some);
                            on_piece(Piece::Part(part));
                        }
                        Err(error) => summary.problems.push(damaged(&error)),
                    }
                }
            }
        }
        let (open, rejects) = resolve(std::mem::take(&mut self.open));
        let rejects = rejects.into_iter().map(|(file, kept)| (Mta::Exchange, file, kept));
        let (part, some) = fold_kept(open.iter().map(view_of), rejects, context, consumer);
        counts.add(&some);
        on_piece(Piece::Part(part));
        summary.counts = counts;
        summary.problems.sort();
        summary.problems.dedup();
        summary
    }

    /// What the ids of some segments prove.
    fn known(&mut self, is_near: impl Fn(&Segment) -> bool, problems: &mut Vec<Problem>) -> Known {
        let (mut hops, mut came_from) = (Vec::new(), Vec::new());
        for (segment, files) in self.manifest.segments.iter().zip(&mut self.segments).filter(|(segment, _)| is_near(segment)) {
            let Some((path, mut file)) = files.ids.take() else { continue };
            let mut bytes = Vec::with_capacity(segment.ids.bytes as usize);
            let read = file.read_to_end(&mut bytes).map_err(|e| Error::io(&path, &e)).and_then(|_| Ids::unpack(&path, &bytes));
            match read {
                Ok(ids) => {
                    hops.extend(ids.hops);
                    came_from.extend(ids.came_from);
                }
                Err(error) => problems.push(damaged(&error)),
            }
        }
        hops.append(&mut self.hops);
        Known::new(hops, came_from, &self.names)
    }

    /// What was read of logs to make what is read now.
    fn summary(&mut self, rejects: bool, is_needed: impl Fn(&Segment) -> bool) -> Summary {
        let mut summary = Summary {
            files: self.contents as u64,
            whole_files: self.contents as u64,
            open_messages: self.open.len(),
            problems: std::mem::take(&mut self.problems),
            ..Summary::default()
        };
        summary.remarks.unended = self.manifest.state.as_ref().map_or(0, |state| state.unended);
        for segment in self.manifest.segments.iter().filter(|segment| is_needed(segment)) {
            let Lines { bytes, lines, used, for_rejects, unrecognised, truncated, duplicates, rejoined } = segment.lines;
            summary.bytes += bytes;
            summary.tally.lines += lines;
            summary.tally.used += if rejects { used } else { used - for_rejects };
            summary.tally.unrecognised += unrecognised;
            summary.tally.truncated += truncated;
            summary.tally.duplicates += duplicates;
            summary.tally.rejoined += rejoined;
            summary.remarks.add(&remarks_of(&segment.remarks));
        }
        summary
    }
}

pub(crate) fn remarks_of(kept: &Remarks) -> remarks::Remarks {
    let Remarks { lost, unreachable, unknown_events, unended, misaligned, repeated_hours } = kept.clone();
    remarks::Remarks { lost, unreachable, unknown_events, unended, misaligned, repeated_hours, unrecognised: None }
}

/// The window in which a segment lies as a whole.
fn side(segment: &Segment, window: Window, before: Option<Window>) -> Option<Side> {
    let (first, last) = segment.span?;
    let inside = |window: Window| window.side(first) == window::Side::Inside && window.side(last) == window::Side::Inside;
    match inside(window) {
        true => Some(Side::Inside),
        false => before.filter(|before| inside(*before)).map(|_| Side::Before),
    }
}

/// What a segment adds up to, where that is of use.
fn sums(segment: &Segment, file: Option<(PathBuf, File)>, by: &str) -> Option<(Sums, Counts)> {
    let kept = segment.sums.as_ref().filter(|sums| sums.by == by)?;
    let (path, mut file) = file?;
    let mut bytes = Vec::with_capacity(kept.entry.bytes as usize);
    file.read_to_end(&mut bytes).ok()?;
    let bytes: serde_bytes::ByteBuf = unpack(SUMS, &path, &bytes).ok()?;
    let [probes, hops, notifications, discarded, suppressed, shadow, health, dropped, inbound, lost] = kept.excluded;
    let excluded = Excluded { probes, hops, notifications, discarded, suppressed, shadow, health, dropped, inbound };
    Some((Sums::read(&bytes)?, Counts { excluded, lost, events: kept.events, ..Counts::default() }))
}

/// The next blocks of a segment.
fn round(blocks: &mut Blocks) -> Result<Vec<Vec<u8>>> {
    let mut round = Vec::new();
    while round.len() < AT_ONCE
        && let Some(packed) = blocks.next_packed()?
    {
        round.push(packed);
    }
    Ok(round)
}

pub(crate) fn damaged(error: &Error) -> Problem {
    let remedy = "bouncestat verify DIR tells what is damaged, and puts it aside";
    Problem::new(ProblemKind::Corrupt, error.path(), error.what(), remedy)
}

pub(crate) fn view_of(message: &Message) -> View<'_> {
    View { mta: message.mta, host: &message.host, id: &message.id, events: &message.events, text: message.text() }
}
