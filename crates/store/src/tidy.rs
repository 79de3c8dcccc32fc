//! Keeps a dataset tidy: attempts are judged again, segments merged, old messages taken away, files checked and put right.
//!
//! Each of these is one commit, like those of `collect`: new files under new names, then the manifest, at once. What reports say stays the
//! same, but for what is taken away on purpose. What is not here: reading logs.

pub(crate) mod compact;
mod expire;
pub(crate) mod near;
mod reclassify;
mod repair;
mod rewrite;
mod verify;

use std::collections::HashSet;
use std::path::Path;

use bouncestat_ingest::input::Problem;
use bouncestat_ingest::join::stitch::Message;

use crate::dataset::Dataset;
use crate::disk::Disk;
use crate::files::Name;
use crate::fill::Make;
use crate::lock::Lock;
use crate::manifest::{Manifest, Segment};
use crate::state::Saved;
use crate::{Error, ErrorKind, Result};

pub use compact::Compacted;
pub use expire::Expired;
pub use reclassify::Reclassified;
pub use repair::Repaired;
pub use verify::{Finding, Role, Verified};

/// What can be done where open messages and checkpoints cannot be read.
pub(crate) const STATE_IS_LOST: &str =
    "how far each log was read stands there, so nothing can be collected: bouncestat verify DIR tells what can be done";

/// A dataset that is open for tidying.
pub struct Tidy {
    dataset: Dataset,
    disk: Disk,
    names: Vec<Name>,
    open: Vec<Message>,
    /// Ids of messages in our logs under which open messages were handed over.
    hops: Vec<u64>,
    /// Why open messages and checkpoints cannot be read.
    state_is_lost: Option<Error>,
    /// Files that turned out to be damaged, and were left as they are.
    problems: Vec<Problem>,
    /// By which rules and options deliveries are judged; empty: sums are of no use to anybody.
    judged_by: String,
    _lock: Option<Lock>,
}

impl Tidy {
    /// Opens a dataset, and puts right what a killed run left. `since` says to others when this run began.
    pub fn open(dir: &Path, disk: Disk, since: &str) -> Result<Self> {
        let mut this = Self::open_damaged(dir, disk, since, true)?;
        match this.state_is_lost.take() {
            Some(error) => Err(error.and(STATE_IS_LOST)),
            None => Ok(this),
        }
    }

    /// Opens a dataset whatever is damaged in it, but for its manifest. Where nothing will be written, a folder that is not ours to write in
    /// is no obstacle, and what a killed run left stays.
    pub fn open_damaged(dir: &Path, disk: Disk, since: &str, writes: bool) -> Result<Self> {
        manifest_of(dir)?;
        let lock = match Lock::take(dir, since) {
            Err(error) if !writes && error.kind() == ErrorKind::Io => None,
            lock => Some(lock?),
        };
        let dataset = Dataset { dir: dir.to_owned(), manifest: manifest_of(dir)? };
        if writes {
            dataset.recover(&disk)?;
        }
        let saved = dataset.saved().and_then(|(saved, path)| Ok((saved.open(&path)?, saved)));
        let (saved, state_is_lost) = saved.map_or_else(|error| (Default::default(), Some(error)), |saved| (saved, None));
        let (open, Saved { hops, names, .. }) = saved;
        Ok(Self { dataset, disk, names, open, hops, state_is_lost, problems: Vec::new(), judged_by: String::new(), _lock: lock })
    }

    /// Names the rules and options by which deliveries are judged from now on.
    pub fn judge_by(&mut self, judged_by: String) {
        self.judged_by = judged_by;
    }

    /// What belongs to the dataset.
    pub fn manifest(&self) -> &Manifest {
        &self.dataset.manifest
    }

    /// The names of the logs, by the numbers that attempts name.
    pub fn names(&self) -> Vec<String> {
        self.names.iter().map(|name| name.path.display().to_string()).collect()
    }

    /// Files that turned out to be damaged, and were left as they are.
    pub fn take_problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.problems)
    }

    /// How many steps were done on the disk.
    pub fn steps(&self) -> u64 {
        self.disk.steps()
    }

    fn make(&self) -> Make<'_> {
        Make { dataset: &self.dataset, disk: &self.disk, names: &self.names, judged_by: &self.judged_by }
    }
}

/// The manifest of a folder that must be a dataset.
fn manifest_of(dir: &Path) -> Result<Manifest> {
    Manifest::read(dir)?
        .ok_or_else(|| Error::new(ErrorKind::NoDataset, dir, "is no dataset: bouncestat collect --into makes one"))
}

impl Manifest {
    /// The first number that no segment and no commit had.
    pub(crate) fn next_number(&self) -> u64 {
        self.segments.iter().map(|segment| segment.number + 1).max().unwrap_or(0).max(self.generation + 1)
    }

    /// The manifest that comes after this one: without some segments and with others, in the order of their days.
    fn with(&self, gone: &HashSet<u64>, fresh: Vec<Segment>, generation: u64) -> Self {
        let mut next = self.clone();
        next.generation = generation;
        next.version = env!("CARGO_PKG_VERSION").to_owned();
        next.segments.retain(|segment| !gone.contains(&segment.number));
        next.segments.extend(fresh);
        next.segments.sort_by_key(|segment| (segment.span.map(|(first, last)| (day_of(last), first)), segment.number));
        next
    }
}

/// The day of a moment, in days since 1970-01-01 UTC.
pub(crate) fn day_of(at: i64) -> i64 {
    at.div_euclid(bouncestat_record::time::DAY)
}
