//! Puts right what is damaged, as far as it can be: what is made of messages is made again; of messages, what can be read is kept.
//!
//! Damaged files go to `quarantine/`. Reports and Parquet files agree afterwards, and every report says how many lines it misses. Where the
//! record of how far logs were read is damaged, nothing is done unless that is asked for: the next run would count lines twice.

use std::collections::HashSet;
use std::path::PathBuf;

use bouncestat_aggregation::{AttemptBatch, Batch, Meta};
use bouncestat_ingest::run::Consumer;

use super::Tidy;
use super::compact::is_whole;
use super::near::or_problem;
use super::rewrite::ids_of;
use super::verify::{Role, Verified};
use crate::Result;
use crate::dataset::entry;
use crate::files::{Files, Name};
use crate::ids::Ids;
use crate::manifest::{FileEntry, Manifest, Segment, State};
use crate::read::view_of;
use crate::segment::Writing;
use crate::state::Saved;

/// What was put right.
#[derive(Clone, Debug, Default)]
pub struct Repaired {
    /// Files that were put aside, below the dataset's folder.
    pub quarantined: Vec<String>,
    /// Files of attempts and ids that were made again.
    pub made_again: usize,
    /// Messages that are lost, those that were open among them.
    pub lost_messages: u64,
    /// Their events, and rejects: about as many lines.
    pub lost_events: u64,
    /// Whether it was forgotten how far each log was read.
    pub forgot: bool,
}

/// The name of a log whose name is lost.
const LOST_NAME: &str = "(name lost)";

impl Tidy {
    /// Whether it is not known how far each log was read.
    pub fn has_lost_state(&self) -> bool {
        self.state_is_lost.is_some()
    }

    /// Begins names anew where they are lost, so that attempts can be made: as many as events speak of.
    pub fn forget_names(&mut self) {
        let mut most = None;
        for segment in &self.dataset.manifest.segments {
            let Ok(Some(blocks)) = self.dataset.blocks(segment) else { continue };
            for contents in blocks.map_while(Result::ok) {
                let events = contents.messages().flat_map(|view| view.events.iter().map(|event| event.file)).max();
                most = most.max(events).max(contents.rejects().map(|(_, file, _)| file).max());
            }
        }
        let name = Name { path: PathBuf::from(LOST_NAME), folder: String::new() };
        self.names = vec![name; most.map_or(0, |most| most as usize + 1)];
    }

    /// Puts right what `found` names; `rows` makes attempts. A damaged state is begun anew only with `forget`.
    pub fn repair<C: Consumer<Part = (AttemptBatch, Batch)>>(
        &mut self,
        found: &Verified,
        forget: bool,
        rows: &C,
        meta: &Meta,
    ) -> Result<Repaired> {
        let damaged = found.findings.iter().filter(|finding| finding.damaged);
        let bad: HashSet<(&str, Role)> = damaged.map(|finding| (finding.file.as_str(), finding.role)).collect();
        let mut done = Repaired::default();
        if bad.is_empty() || self.state_is_lost.is_some() && !forget {
            return Ok(done);
        }
        let mut next = self.dataset.manifest.clone();
        let generation = next.next_number() + next.segments.len() as u64;
        let mut number = next.next_number();
        let came_from = self.came_from();
        for segment in &mut next.segments {
            let is_bad = |file: &FileEntry, role: Role| bad.contains(&(file.file.as_str(), role));
            let messages = segment.messages.as_ref().is_some_and(|file| is_bad(file, Role::Messages));
            let ids = is_bad(&segment.ids, Role::Ids);
            // That attempts of a day are missing is noted beside the messages.
            let missing = segment.messages.iter().chain([&segment.ids]).any(|file| is_bad(file, Role::Attempts));
            let attempts =
                segment.attempts.iter().filter(|day| is_bad(&day.entry, Role::Attempts)).count() + usize::from(missing);
            // Attempts name the logs that they stand in: as reports do, from now on.
            if !messages && !ids && attempts == 0 && self.state_is_lost.is_none() {
                continue;
            }
            let aside = segment.messages.iter().filter(|_| messages).chain([&segment.ids].into_iter().filter(|_| ids));
            let aside = aside.chain(segment.attempts.iter().map(|day| &day.entry).filter(|file| is_bad(file, Role::Attempts)));
            for file in aside {
                self.put_aside(&file.file, &mut done)?;
            }
            if messages {
                self.salvage(segment, number, &mut done)?;
                number += 1;
            }
            let known = match self.dataset.ids(segment).ok().filter(|_| !ids) {
                Some(ids) => ids,
                None => self.ids_again(segment)?,
            };
            self.make().fill(segment, &known, &came_from.near(segment.span), generation, rows, meta)?;
            done.made_again += attempts + usize::from(ids);
        }
        if let Some(state) = &mut next.state {
            let is_bad = |file: &FileEntry, role: Role| bad.contains(&(file.file.as_str(), role));
            let attempts = state.attempts.iter().filter(|day| is_bad(&day.entry, Role::Attempts)).count();
            let attempts = attempts + usize::from(is_bad(&state.entry, Role::Attempts));
            let aside = state.attempts.iter().map(|day| &day.entry).filter(|file| is_bad(file, Role::Attempts));
            for file in aside.chain([&state.entry].into_iter().filter(|file| is_bad(file, Role::State))) {
                self.put_aside(&file.file, &mut done)?;
            }
            if self.state_is_lost.is_some() {
                done.lost_messages += state.open;
                done.forgot = true;
                *state = self.begin_anew(generation, meta)?;
            } else if attempts > 0 {
                let days = self.open_days(&came_from, rows, meta)?;
                state.attempts = self.make().write_days(&format!("open-{generation:08}"), days)?;
                state.rules.clone_from(&meta.rules);
                done.made_again += attempts;
            }
        }
        next.generation = generation;
        next.version = env!("CARGO_PKG_VERSION").to_owned();
        self.dataset.switch(next, &self.disk)?;
        Ok(done)
    }

    /// Gives a damaged file a second name in `quarantine/`; one that is missing has none.
    fn put_aside(&self, file: &str, done: &mut Repaired) -> Result<()> {
        let from = self.dataset.path(file);
        if !from.exists() {
            return Ok(());
        }
        let folder = self.dataset.dir.join("quarantine");
        self.disk.make_dir(&folder)?;
        let name = file.replace('/', "_");
        self.disk.link(&from, &folder.join(&name))?;
        done.quarantined.push(format!("quarantine/{name}"));
        Ok(())
    }

    /// Keeps what can be read of a segment's messages.
    fn salvage(&self, segment: &mut Segment, number: u64, done: &mut Repaired) -> Result<()> {
        let file = segment.messages.take().map(|file| file.file).unwrap_or_default();
        let old = Segment { messages: Some(entry(file.clone(), b"")), ..segment.clone() };
        let mut writing = Writing::begin(&self.dataset.dir, number, &self.disk)?;
        if let Ok(Some(mut blocks)) = self.dataset.blocks(&old) {
            while let Ok(Some(packed)) = blocks.next_packed() {
                let Ok(contents) = blocks.unpack(&packed) else { continue };
                for view in contents.messages() {
                    writing.message(view, &self.disk)?;
                }
                for (mta, file, kept) in contents.rejects() {
                    writing.reject(mta, file, &kept, &self.disk)?;
                }
            }
        }
        let (before, written) = (segment.counts, writing.end(&self.disk)?);
        segment.number = number;
        segment.counts = written.as_ref().map_or((0, 0, 0), |written| written.counts);
        // A segment of which nothing is left keeps its span, and what it says of lines.
        segment.span = written.as_ref().map_or(segment.span, |written| written.span);
        segment.messages = written.map(|written| written.file);
        let lost = (before.1 + before.2).saturating_sub(segment.counts.1 + segment.counts.2);
        if lost > 0 {
            let sum = segment.remarks.lost.entry(format!("the repair of {file}")).or_default();
            *sum = (sum.0 + 1, sum.1 + lost);
        }
        done.lost_messages += before.0.saturating_sub(segment.counts.0);
        done.lost_events += lost;
        Ok(())
    }

    /// The ids of a segment, as far as its messages tell them, and those that are open.
    fn ids_again(&mut self, segment: &Segment) -> Result<Ids> {
        let mut ids = Ids::default();
        for contents in self.dataset.blocks(segment)?.into_iter().flatten() {
            contents?.messages().for_each(|view| ids_of(&view, &mut ids));
        }
        let mut open = Ids::default();
        self.open.iter().for_each(|message| ids_of(&view_of(message), &mut open));
        ids.seen.append(&mut open.seen);
        ids.came_from.append(&mut open.came_from);
        let mut ids = Ids::new(ids.seen, ids.named, ids.came_from);
        let mut seen: HashSet<u64> = ids.seen.iter().copied().collect();
        for other in &self.dataset.manifest.segments {
            if is_whole(&self.dataset, &other.ids).is_ok() {
                seen.extend(or_problem(self.dataset.ids(other), &mut self.problems).map(|ids| ids.seen).unwrap_or_default());
            }
        }
        ids.settle(|id| seen.contains(&id));
        Ok(ids)
    }

    /// A state without open messages, that knows of no log.
    fn begin_anew(&self, generation: u64, meta: &Meta) -> Result<State> {
        let (bytes, span) = Saved::pack(&[], &[], Vec::new(), &Files::default(), &self.names);
        let file = entry(format!("state/{generation:08}.bin"), &bytes);
        self.disk.write(&self.dataset.path(&file.file), &bytes)?;
        Ok(State { entry: file, open: 0, unended: 0, span, rules: meta.rules.clone(), attempts: Vec::new() })
    }
}

impl Manifest {
    /// The moment of the newest event.
    pub fn newest(&self) -> Option<i64> {
        let segments = self.segments.iter().filter_map(|segment| segment.span);
        segments.chain(self.state.iter().filter_map(|state| state.span)).map(|(_, last)| last).max()
    }
}
