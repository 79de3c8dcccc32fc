//! Takes away messages that ended before a day, with their attempts.
//!
//! Segments that end before it are dropped without reading them, and what they say of lines goes with them. The others keep what they say of
//! lines. Checkpoints stay: nothing that is taken away is read again.

use std::collections::HashSet;

use bouncestat_aggregation::{AttemptBatch, Batch, Meta};
use bouncestat_ingest::run::Consumer;

use super::compact::{is_sound, merge};
use super::near::or_problem;
use super::{Tidy, day_of};
use crate::Result;
use crate::fill::Make;
use crate::manifest::Segment;

/// What expiring took away, or would.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Segments that are dropped as a whole.
    pub dropped: usize,
    /// Segments of which a part is taken away.
    pub rewritten: usize,
    /// Messages that are taken away; in a dry run those of dropped segments, and those of the others at most.
    pub messages: u64,
    /// Lines of logs that coverage tells of no more.
    pub lines: u64,
    /// Attempts that are taken away; in a dry run those of dropped segments only.
    pub attempts: u64,
    /// Bytes that become free; in a dry run those of dropped segments only.
    pub bytes: u64,
}

impl Tidy {
    /// Takes away what ended before `cut`, the beginning of a day; `dry_run` only tells.
    pub fn expire<C: Consumer<Part = (AttemptBatch, Batch)>>(
        &mut self,
        cut: i64,
        dry_run: bool,
        rows: &C,
        meta: &Meta,
    ) -> Result<Expired> {
        let before = self.dataset.manifest.clone();
        let first_day = day_of(cut);
        let is_old = |segment: &&Segment| segment.span.is_some_and(|(_, last)| day_of(last) < first_day);
        // Whose day is known ends on that day, whenever it began.
        let is_mixed = |segment: &&Segment| {
            !is_old(segment)
                && segment.messages.is_some()
                && segment.day.is_none()
                && segment.span.is_some_and(|(first, _)| day_of(first) < first_day)
        };
        let old: Vec<&Segment> = before.segments.iter().filter(is_old).collect();
        let mut done = Expired {
            dropped: old.len(),
            messages: old.iter().map(|segment| segment.counts.0).sum(),
            lines: old.iter().map(|segment| segment.lines.lines).sum(),
            ..Expired::default()
        };
        let mut mixed = Vec::new();
        for segment in before.segments.iter().filter(is_mixed) {
            if let Some((messages, things)) = or_problem(self.older(segment, first_day), &mut self.problems)
                && things > 0
            {
                mixed.push(segment.clone());
                done.messages += messages;
            }
        }
        if !dry_run {
            mixed.retain(|segment| or_problem(is_sound(&self.dataset, segment), &mut self.problems).is_some());
        }
        done.rewritten = mixed.len();
        let mut next = before.with(&old.iter().map(|segment| segment.number).collect(), Vec::new(), before.next_number());
        if !dry_run && (done.dropped > 0 || done.rewritten > 0) {
            for segment in &mixed {
                let make = Make { dataset: &self.dataset, disk: &self.disk, names: &self.names, judged_by: &self.judged_by };
                let problems = &mut self.problems;
                let fails = &mut |error| problems.push(crate::read::damaged(&error));
                let place = |day: i64| (day >= first_day).then_some(0);
                next = merge(&make, &next, std::slice::from_ref(segment), &[], &place, rows, meta, fails)?.0;
            }
            let attempts = |segments: &[Segment]| segments.iter().flat_map(|s| &s.attempts).map(|day| day.rows).sum::<u64>();
            done.attempts = attempts(&before.segments).saturating_sub(attempts(&next.segments));
            let bytes = |files: &mut dyn Iterator<Item = u64>| files.sum::<u64>();
            done.bytes = bytes(&mut before.files().map(|f| f.bytes)).saturating_sub(bytes(&mut next.files().map(|f| f.bytes)));
            self.dataset.switch(next, &self.disk)?;
        } else {
            let gone: HashSet<u64> = old.iter().map(|segment| segment.number).collect();
            let gone = before.segments.iter().filter(|segment| gone.contains(&segment.number));
            for segment in gone {
                done.attempts += segment.attempts.iter().map(|day| day.rows).sum::<u64>();
                let files = segment.messages.iter().chain([&segment.ids]).chain(segment.attempts.iter().map(|day| &day.entry));
                done.bytes += files.map(|file| file.bytes).sum::<u64>();
            }
        }
        Ok(done)
    }

    /// How many messages of a segment end before a day, and how many messages and rejects together.
    fn older(&self, segment: &Segment, first_day: i64) -> Result<(u64, u64)> {
        let (mut messages, mut rejects) = (0, 0);
        for contents in self.dataset.blocks(segment)?.into_iter().flatten() {
            let contents = contents?;
            let ends = contents.messages().filter_map(|view| view.events.iter().map(|event| event.at).max());
            messages += ends.filter(|at| day_of(*at) < first_day).count() as u64;
            rejects += contents.rejects().filter(|(_, _, kept)| day_of(kept.reject.at) < first_day).count() as u64;
        }
        Ok((messages, messages + rejects))
    }
}
