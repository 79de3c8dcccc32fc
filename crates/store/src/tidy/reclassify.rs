//! Makes attempts again, from the messages that are kept, by the rules of now.

use std::path::Path;

use bouncestat_aggregation::{AttemptBatch, Batch, Meta};
use bouncestat_export::rows_that_differ;
use bouncestat_ingest::join::stitch::resolve;
use bouncestat_ingest::run::Consumer;

use super::Tidy;
use super::compact::is_sound;
use super::near::{CameFrom, or_problem};
use crate::Result;
use crate::manifest::{DayFile, Manifest};
use crate::read::view_of;
use crate::view::{self, Day, Known};

/// What rules decide.
const JUDGED: [&str; 3] = ["class", "reason", "rule_id"];

/// What reclassifying did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reclassified {
    /// Segments whose attempts were made again.
    pub segments: usize,
    /// Segments that were judged by these rules already.
    pub current: usize,
    /// Attempts that were written, those of open messages with them.
    pub attempts: u64,
    /// Attempts whose class, reason or rule is another one now; `None` where that cannot be told.
    pub changed: Option<u64>,
}

impl Manifest {
    /// How many segments hold attempts that were judged by other rules.
    pub fn judged_otherwise(&self, rules: &str) -> usize {
        self.segments.iter().filter(|segment| !segment.attempts.is_empty() && segment.rules != rules).count()
    }
}

impl Tidy {
    /// Makes attempts again where they were judged by other rules than those of `meta`, or all of them.
    pub fn reclassify<C: Consumer<Part = (AttemptBatch, Batch)>>(
        &mut self,
        all: bool,
        rows: &C,
        meta: &Meta,
    ) -> Result<Reclassified> {
        let mut next = self.dataset.manifest.clone();
        let generation = next.next_number();
        let mut done = Reclassified { changed: Some(0), ..Reclassified::default() };
        let is_stale = |rules: &str| all || rules != meta.rules;
        let is_open_stale = next.state.as_ref().is_some_and(|state| is_stale(&state.rules));
        if !is_open_stale && !next.segments.iter().any(|segment| is_stale(&segment.rules)) {
            done.current = next.segments.len();
            return Ok(done);
        }
        let came_from = self.came_from();
        for segment in &mut next.segments {
            let sound = is_stale(&segment.rules) && or_problem(is_sound(&self.dataset, segment), &mut self.problems).is_some();
            if !sound {
                done.current += usize::from(!is_stale(&segment.rules));
                continue;
            }
            let ids = self.dataset.ids(segment)?;
            let made = self.make().made(segment, &ids, &came_from.near(segment.span), rows, meta)?;
            done.changed = done.changed.zip(self.changed(&segment.attempts, &made.days)).map(|(a, b)| a + b);
            self.make().write_made(segment, made, generation, meta)?;
            done.attempts += segment.attempts.iter().map(|day| day.rows).sum::<u64>();
            done.segments += 1;
        }
        if let Some(state) = next.state.as_mut().filter(|_| is_open_stale) {
            let days = self.open_days(&came_from, rows, meta)?;
            done.changed = done.changed.zip(self.changed(&state.attempts, &days)).map(|(a, b)| a + b);
            state.attempts = self.make().write_days(&format!("open-{generation:08}"), days)?;
            state.rules.clone_from(&meta.rules);
            done.attempts += state.attempts.iter().map(|day| day.rows).sum::<u64>();
        }
        next.generation = generation;
        next.version = env!("CARGO_PKG_VERSION").to_owned();
        self.dataset.switch(next, &self.disk)?;
        Ok(done)
    }

    /// The ids from which messages came, of all segments.
    pub(super) fn came_from(&mut self) -> CameFrom {
        let problems = &mut self.problems;
        let fails = &mut |error| problems.push(crate::read::damaged(&error));
        CameFrom::load(&self.dataset, self.dataset.manifest.segments.iter(), None, fails)
    }

    /// The attempts so far of open messages.
    pub(super) fn open_days<C: Consumer<Part = (AttemptBatch, Batch)>>(
        &self,
        came_from: &CameFrom,
        rows: &C,
        meta: &Meta,
    ) -> Result<Vec<Day>> {
        let span = self.dataset.manifest.state.as_ref().and_then(|state| state.span);
        let known = Known::new(self.hops.iter().copied(), came_from.near(span), &self.names);
        let (open, _) = resolve(self.open.clone());
        view::of_views(open.iter().map(view_of), &known, rows, meta, &self.dataset.manifest.redaction)
    }

    /// How many attempts are judged otherwise; `None` where the files hold not the same attempts, or cannot be read.
    fn changed(&self, before: &[DayFile], days: &[Day]) -> Option<u64> {
        let mut changed = 0;
        for (date, bytes, _) in days {
            let before = before.iter().find(|day| day.event_date == *date)?;
            let path = self.dataset.path(&before.entry.file);
            changed += differ(&path, bytes, &JUDGED)?;
        }
        (before.len() == days.len()).then_some(changed)
    }
}

pub(super) fn differ(path: &Path, bytes: &[u8], columns: &[&str]) -> Option<u64> {
    rows_that_differ(path, bytes, columns).ok().flatten()
}
