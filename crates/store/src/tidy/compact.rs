//! Compacts: messages by the UTC day on which they end, in few files. A report of some days reads only these.
//!
//! What is compact already is left alone: doing it again changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::Read;

use bouncestat_aggregation::{AttemptBatch, Batch, Meta};
use bouncestat_ingest::run::Consumer;
use sha2::{Digest, Sha256};

use super::near::{CameFrom, or_problem, span_of};
use super::rewrite::{Place, rewrite};
use super::{Tidy, day_of};
use crate::dataset::Dataset;
use crate::fill::Make;
use crate::ids::Ids;
use crate::manifest::{FileEntry, Manifest, Segment, hex};
use crate::read::remarks_of;
use crate::segment::LARGEST;
use crate::{Error, Result};

/// Files of a day that are smaller are merged.
const SMALL: u64 = LARGEST / 2;

/// What compacting did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Segments before and after.
    pub segments: (usize, usize),
    /// Files before and after.
    pub files: (usize, usize),
    /// Bytes before and after.
    pub bytes: (u64, u64),
    /// Segments that were written anew.
    pub merged: usize,
    /// Attempts that were written.
    pub attempts: u64,
}

impl Compacted {
    pub(crate) fn between(before: &Manifest, after: &Manifest, merged: usize, attempts: u64) -> Self {
        let bytes = |manifest: &Manifest| manifest.files().map(|file| file.bytes).sum();
        Self {
            segments: (before.segments.len(), after.segments.len()),
            files: (before.files().count(), after.files().count()),
            bytes: (bytes(before), bytes(after)),
            merged,
            attempts,
        }
    }
}

impl Tidy {
    /// Merges segments; `rows` makes attempts, `meta` goes into their files.
    pub fn compact<C: Consumer<Part = (AttemptBatch, Batch)>>(&mut self, rows: &C, meta: &Meta) -> Result<Compacted> {
        let before = self.dataset.manifest.clone();
        let (plan, marks) = self.plan()?;
        let (inputs, shells): (Vec<Segment>, Vec<Segment>) =
            before.segments.iter().filter(|s| plan.contains(&s.number)).cloned().partition(|s| s.messages.is_some());
        if inputs.is_empty() && shells.is_empty() && marks.is_empty() {
            return Ok(Compacted::between(&before, &before, 0, 0));
        }
        let mut base = before.clone();
        for segment in &mut base.segments {
            segment.day = marks.get(&segment.number).copied().or(segment.day);
        }
        let by_day = |day: i64| Some(day);
        let problems = &mut self.problems;
        let make = Make { dataset: &self.dataset, disk: &self.disk, names: &self.names, judged_by: &self.judged_by };
        let (mut next, attempts) = merge(&make, &base, &inputs, &shells, &by_day, rows, meta, &mut |e| {
            problems.push(crate::read::damaged(&e));
        })?;
        let old: HashSet<u64> = before.segments.iter().map(|segment| segment.number).collect();
        for segment in next.segments.iter_mut().filter(|s| !old.contains(&s.number) && s.messages.is_some()) {
            segment.day = segment.span.map(|(_, last)| day_of(last));
        }
        self.dataset.switch(next, &self.disk)?;
        Ok(Compacted::between(&before, &self.dataset.manifest, inputs.len() + shells.len(), attempts))
    }

    /// Which segments are merged, by number, and of which only the day was not known.
    fn plan(&mut self) -> Result<(HashSet<u64>, BTreeMap<u64, i64>)> {
        let (mut marks, mut pieces) = (BTreeMap::new(), BTreeSet::new());
        let (mut plan, mut days) = (HashSet::new(), BTreeMap::<i64, Vec<(u64, u64)>>::new());
        let mut shells = Vec::new();
        for segment in &self.dataset.manifest.segments {
            let Some(file) = &segment.messages else {
                // What lines say without a message has no day.
                shells.extend(segment.span.is_none().then_some(segment.number));
                continue;
            };
            let known = segment.day.map(|day| BTreeSet::from([day]));
            let ends = known.map_or_else(|| ends(&self.dataset, segment), Ok);
            let Some(ends) = or_problem(ends, &mut self.problems) else { continue };
            match (ends.first(), ends.len()) {
                (Some(day), 1) => {
                    if segment.day.is_none() {
                        marks.insert(segment.number, *day);
                    }
                    days.entry(*day).or_default().push((segment.number, file.bytes));
                }
                _ => {
                    plan.insert(segment.number);
                    pieces.extend(ends);
                }
            }
        }
        for (day, segments) in days {
            let small: Vec<u64> = segments.iter().filter(|(_, bytes)| *bytes < SMALL).map(|(number, _)| *number).collect();
            if small.len() > 1 || !small.is_empty() && pieces.contains(&day) {
                plan.extend(small);
            }
        }
        if shells.len() > 1 {
            plan.extend(shells);
        }
        // Only what is as it was written is written anew: damage is never copied.
        let mut sound = HashSet::new();
        for segment in self.dataset.manifest.segments.iter().filter(|segment| plan.contains(&segment.number)) {
            if or_problem(is_sound(&self.dataset, segment), &mut self.problems).is_some() {
                sound.insert(segment.number);
            }
        }
        marks.retain(|number, _| !sound.contains(number));
        Ok((sound, marks))
    }
}

/// The days on which messages of a segment end.
fn ends(dataset: &Dataset, segment: &Segment) -> Result<BTreeSet<i64>> {
    if let Some((first, last)) = segment.span.filter(|(first, last)| day_of(*first) == day_of(*last)) {
        return Ok(BTreeSet::from([day_of(first.max(last))]));
    }
    let mut days = BTreeSet::new();
    for contents in dataset.blocks(segment)?.into_iter().flatten() {
        let contents = contents?;
        days.extend(contents.messages().filter_map(|view| view.events.iter().map(|event| event.at).max()).map(day_of));
        days.extend(contents.rejects().map(|(_, _, kept)| day_of(kept.reject.at)));
    }
    Ok(days)
}

/// Whether the files that a segment is made of are as they were written.
pub(crate) fn is_sound(dataset: &Dataset, segment: &Segment) -> Result<()> {
    segment.messages.iter().chain([&segment.ids]).try_for_each(|file| is_whole(dataset, file))
}

/// Whether a file is as it was written.
pub(crate) fn is_whole(dataset: &Dataset, entry: &FileEntry) -> Result<()> {
    let path = dataset.path(&entry.file);
    let io = |e: std::io::Error| Error::io(&path, &e);
    let mut file = File::open(&path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    if length != entry.bytes {
        return Err(Error::damaged(&path, format!("it has {length} bytes, and {} were written", entry.bytes)));
    }
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 18]);
    loop {
        match file.read(&mut buffer).map_err(io)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    if hex(&hash.finalize()) == entry.sha256 {
        Ok(())
    } else {
        Err(Error::damaged(&path, "its SHA-256 is not that of what was written"))
    }
}

/// Writes segments anew, with ids and attempts; gives the manifest that comes next, and how many attempts were written.
#[expect(clippy::too_many_arguments, reason = "they are what a merge is made of")]
pub(crate) fn merge<C: Consumer<Part = (AttemptBatch, Batch)>>(
    make: &Make<'_>,
    base: &Manifest,
    inputs: &[Segment],
    shells: &[Segment],
    place: &Place<'_>,
    rows: &C,
    meta: &Meta,
    fails: &mut dyn FnMut(Error),
) -> Result<(Manifest, u64)> {
    let mut fresh = rewrite(make, inputs, base.next_number(), place)?;
    let highest = fresh.iter().map(|(segment, _)| segment.number).max();
    if let Some(shell) = one_shell(make, shells, highest.map_or(base.next_number(), |n| n + 1))? {
        fresh.push(shell);
    }
    // A file that turned out to be empty took its number, too: the next generation lies behind all of them.
    let generation = fresh.iter().map(|(segment, _)| segment.number).max().unwrap_or(0).max(base.next_number());
    let gone: HashSet<u64> = inputs.iter().chain(shells).map(|segment| segment.number).collect();
    let stay = base.segments.iter().filter(|segment| !gone.contains(&segment.number));
    let mut came_from = CameFrom::load(make.dataset, stay, span_of(fresh.iter().map(|(segment, _)| segment)), fails);
    fresh.iter().for_each(|(segment, ids)| came_from.add(segment, ids));
    let mut attempts = 0;
    for (segment, ids) in &mut fresh {
        let came_from = came_from.near(segment.span);
        make.fill(segment, ids, &came_from, generation, rows, meta)?;
        attempts += segment.attempts.iter().map(|day| day.rows).sum::<u64>();
    }
    Ok((base.with(&gone, fresh.into_iter().map(|(segment, _)| segment).collect(), generation), attempts))
}

/// One segment of several that hold no messages.
fn one_shell(make: &Make<'_>, shells: &[Segment], number: u64) -> Result<Option<(Segment, Ids)>> {
    if shells.is_empty() {
        return Ok(None);
    }
    let (mut segment, mut ids) = crate::writer::segment(number, None);
    for shell in shells {
        segment.lines.add(shell.lines);
        segment.remarks.add(&remarks_of(&shell.remarks));
        ids.merge(make.dataset.ids(shell)?);
    }
    Ok(Some((segment, ids)))
}
