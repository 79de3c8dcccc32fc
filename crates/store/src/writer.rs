//! Collects logs: plans what is new in them, gathers its messages, and commits that together with how far each log was read.
//!
//! Either all of a commit holds or nothing of it. What was gathered and not committed is read again by the next run.

mod commit;
mod small;

use std::collections::HashMap;
use std::path::Path;

use bouncestat_ingest::input::Problem;
use bouncestat_ingest::join::fold::View;
use bouncestat_ingest::join::stitch::{Message, Stitcher};
use bouncestat_ingest::join::store::Event;
use bouncestat_ingest::plan::Plan;
use bouncestat_ingest::reject::Kept;
use bouncestat_ingest::run::{Keeper, Progress, RunOptions, Summary, gather};
use bouncestat_record::Mta;
use bouncestat_record::time::{Micros, SECOND};

use crate::block::Builder;
use crate::dataset::Dataset;
use crate::disk::Disk;
use crate::ids::Ids;
use crate::lock::Lock;
use crate::manifest::{Lines, Manifest, Remarks};
use crate::read::view_of;
use crate::segment::{Writing, Written};
use crate::state::Saved;
use crate::tail::Tail;
use crate::{Error, ErrorKind, Result};

pub use commit::Committed;
pub(crate) use commit::segment;

/// Takes addresses out of what is kept. Equal addresses become equal texts, in every run.
pub trait Redact: Send + Sync {
    /// A message without them; the first `kept` of its events have none any more.
    fn message(&self, message: View<'_>, kept: usize) -> Message;
    /// Tells its key from another one, and nothing of the key.
    fn key_mark(&self) -> String;
    /// A reject without them.
    fn reject(&self, mta: Mta, reject: &Kept) -> Kept;
}

/// Looks at what is read as soon as it is read.
pub trait Watcher: Sync {
    /// What it makes of a piece of a log.
    type Part: Send;
    /// Nothing so far.
    fn begin(&self) -> Self::Part;
    /// Takes an attempt, a recipient that is given up, or a removal of the message.
    fn seen(&self, part: &mut Self::Part, message: View<'_>, event: &Event);
}

impl Watcher for () {
    type Part = ();
    fn begin(&self) {}
    fn seen(&self, _: &mut (), _: View<'_>, _: &Event) {}
}

/// A dataset that is open for writing.
pub struct Writer {
    dataset: Dataset,
    disk: Disk,
    redact: Option<Box<dyn Redact>>,
    stitcher: Stitcher,
    /// Which logs were read, and how far.
    pub tail: Tail,
    /// The ids of segments that are not long ago, by their number.
    ids: HashMap<u64, Ids>,
    /// The segments that are written: of messages that were soon done, and of others.
    writing: [Option<Writing>; 2],
    written: Vec<Written>,
    lines: Lines,
    remarks: Remarks,
    /// By which rules and options deliveries are judged: sums of others are of no use.
    judged_by: String,
    /// Files of the dataset that turned out to be damaged.
    problems: Vec<Problem>,
    _lock: Lock,
}

impl Writer {
    /// Opens a dataset, or makes one where the folder is missing or empty; puts right what a killed run left. `redaction` names what is
    /// done to addresses, by `redact`: it cannot change later. `judged_by` names rules and options: a report by the same ones takes
    /// sums that stand there already. `since` says to others when this run began.
    pub fn open(
        dir: &Path,
        redaction: &str,
        redact: Option<Box<dyn Redact>>,
        judged_by: &str,
        disk: Disk,
        since: &str,
    ) -> Result<Self> {
        let key = redact.as_ref().map(|redact| redact.key_mark()).unwrap_or_default();
        let known = Manifest::read(dir)?;
        if known.is_none() {
            let mut others = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
            // What a run leaves that was ended before its first commit.
            let begun = dir.join(crate::lock::LOCK).exists();
            let leftover = |name: &str| name.starts_with('.') || begun && crate::dataset::FOLDERS.contains(&name);
            if let Some(other) = others.find(|name| !leftover(&name.to_string_lossy())) {
                let message =
                    format!("holds {} and is no dataset; name a folder that is empty or not there yet", other.to_string_lossy());
                return Err(Error::new(ErrorKind::NoDataset, dir, message));
            }
        }
        disk.make_dir(dir)?;
        let lock = Lock::take(dir, since)?;
        // Only what is read under the lock holds.
        let manifest = Manifest::read(dir)?.unwrap_or_else(|| Manifest::empty(redaction, &key));
        if manifest.redaction == redaction && manifest.redaction_key != key {
            let message = "was collected with another key: hashes of both would not fit; name the key of the first run";
            return Err(Error::new(ErrorKind::Mismatch, dir, message));
        }
        if manifest.redaction != redaction {
            let message = format!(
                "was collected with --redact {}, and this run has --redact {redaction}: rows of both would not fit; collect into another folder",
                manifest.redaction
            );
            return Err(Error::new(ErrorKind::Mismatch, dir, message));
        }
        let dataset = Dataset { dir: dir.to_owned(), manifest };
        for folder in crate::dataset::FOLDERS {
            disk.make_dir(&dir.join(folder))?;
        }
        dataset.recover(&disk)?;
        let (saved, path) = dataset.saved().map_err(|error| error.and(crate::tidy::STATE_IS_LOST))?;
        let stitcher = Stitcher::keeping(saved.open(&path)?, saved.newest.iter().copied());
        let Saved { files, names, .. } = saved;
        Ok(Self {
            dataset,
            disk,
            redact,
            stitcher,
            tail: Tail::new(files, names),
            ids: HashMap::new(),
            writing: [None, None],
            written: Vec::new(),
            lines: Lines::default(),
            remarks: Remarks::default(),
            judged_by: judged_by.to_owned(),
            problems: Vec::new(),
            _lock: lock,
        })
    }

    /// What belongs to the dataset.
    pub fn manifest(&self) -> &Manifest {
        &self.dataset.manifest
    }

    /// Files of the dataset that turned out to be damaged, and are not needed to go on.
    pub fn take_problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.problems)
    }

    /// How many steps were done on the disk.
    pub fn steps(&self) -> u64 {
        self.disk.steps()
    }

    /// How many messages are open.
    pub fn open_messages(&self) -> usize {
        self.stitcher.open_messages()
    }

    /// How many lines were gathered and not committed.
    pub fn waiting(&self) -> u64 {
        self.lines.lines
    }

    /// Reads what a plan says; `on_seen` takes what `watcher` makes, in the order of the log.
    pub fn gather<W: Watcher>(
        &mut self,
        plan: Plan,
        options: &RunOptions,
        watcher: &W,
        on_seen: &mut dyn FnMut(W::Part),
        on_progress: &dyn Fn(Progress),
    ) -> Result<Summary> {
        let redact = self.redact.take();
        let keeper = Keep { watcher, redact: redact.as_deref() };
        let mut failed = None;
        let mut stitcher = std::mem::take(&mut self.stitcher);
        let mut take = |(blocks, seen): ([Builder; 2], W::Part)| {
            on_seen(seen);
            for (kind, block) in blocks.into_iter().enumerate() {
                if failed.is_none() {
                    failed = self.add(kind, block).err();
                }
            }
        };
        let summary = gather(plan, options, &mut stitcher, &keeper, &mut take, on_progress);
        self.stitcher = stitcher;
        self.redact = redact;
        if let Some(error) = failed {
            return Err(error);
        }
        let tally = summary.tally;
        self.lines.add(Lines {
            bytes: summary.bytes,
            lines: tally.lines,
            used: tally.used,
            for_rejects: tally.for_rejects,
            unrecognised: tally.unrecognised,
            truncated: tally.truncated,
            duplicates: tally.duplicates,
            rejoined: tally.rejoined,
        });
        self.remarks.add(&summary.remarks);
        self.remarks.unended += self.stitcher.take_unended();
        Ok(summary)
    }

    /// Adds messages to one of the segments that are written.
    fn add(&mut self, kind: usize, block: Builder) -> Result<()> {
        if block.is_empty() {
            return Ok(());
        }
        let mut writing = match self.writing[kind].take() {
            Some(writing) => writing,
            None => {
                let begun = self.written.len() + self.writing.iter().flatten().count();
                let number = self.next_number() + begun as u64;
                Writing::begin(&self.dataset.dir, number, &self.disk)?
            }
        };
        if writing.add(block, &self.disk)? {
            self.written.extend(writing.end(&self.disk)?);
        } else {
            self.writing[kind] = Some(writing);
        }
        Ok(())
    }

    /// The number of the next segment. Numbers are never used again, so that no file is ever written twice.
    fn next_number(&self) -> u64 {
        let manifest = &self.dataset.manifest;
        manifest.segments.iter().map(|segment| segment.number + 1).max().unwrap_or(0).max(manifest.generation + 1)
    }
}

impl Lines {
    pub(crate) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.used += other.used;
        self.for_rejects += other.for_rejects;
        self.unrecognised += other.unrecognised;
        self.truncated += other.truncated;
        self.duplicates += other.duplicates;
        self.rejoined += other.rejoined;
    }
}

impl Remarks {
    pub(crate) fn add(&mut self, other: &bouncestat_ingest::join::remarks::Remarks) {
        for (by, (says, lost)) in &other.lost {
            let sum = self.lost.entry(by.clone()).or_default();
            *sum = (sum.0 + says, sum.1 + lost);
        }
        self.unended += other.unended;
        self.misaligned += other.misaligned;
        for (file, (before, behind)) in &other.repeated_hours {
            let sum = self.repeated_hours.entry(*file).or_default();
            *sum = (sum.0 + before, sum.1 + behind);
        }
        for (all, more) in [(&mut self.unreachable, &other.unreachable), (&mut self.unknown_events, &other.unknown_events)] {
            more.iter().for_each(|(name, n)| *all.entry(name.clone()).or_default() += n);
        }
    }
}

/// Messages that were done within [`SHORT`], and rejects: what is summed of them belongs to one day or two, so that it fits into windows.
const SOON: usize = 0;
/// Other messages.
const LATE: usize = 1;
/// Most messages are done in less; six hours.
const SHORT: Micros = 6 * 3600 * SECOND;

/// Into which segment a message goes.
pub(crate) fn kind(events: &[Event]) -> usize {
    let first = events.iter().map(|event| event.at).min();
    let last = events.iter().map(|event| event.at).max();
    if first.zip(last).is_none_or(|(first, last)| last - first <= SHORT) { SOON } else { LATE }
}

/// Puts messages into blocks.
struct Keep<'k, W> {
    watcher: &'k W,
    redact: Option<&'k dyn Redact>,
}

impl<W: Watcher> Keeper for Keep<'_, W> {
    type Part = ([Builder; 2], W::Part);

    fn begin(&self) -> Self::Part {
        (Default::default(), self.watcher.begin())
    }

    fn message(&self, part: &mut Self::Part, message: View<'_>, kept: usize) {
        let block = &mut part.0[kind(message.events)];
        match self.redact {
            None => block.message(message),
            Some(redact) => block.message(view_of(&redact.message(message, kept))),
        }
    }

    fn reject(&self, part: &mut Self::Part, mta: Mta, file: u32, reject: &Kept) {
        match self.redact {
            None => part.0[SOON].reject(mta, file, reject),
            Some(redact) => part.0[SOON].reject(mta, file, &redact.reject(mta, reject)),
        }
    }

    fn seen(&self, part: &mut Self::Part, message: View<'_>, event: &Event) {
        self.watcher.seen(&mut part.1, message, event);
    }
}
