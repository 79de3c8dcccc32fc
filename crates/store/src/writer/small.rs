//! Merges the small segments that frequent commits leave, so that there are never many: those of the newest day by size, so that each byte is
//! written only a few times; those of days that are over, all together.

use std::collections::{BTreeMap, HashSet};

use bouncestat_aggregation::{AttemptBatch, Batch, Meta};
use bouncestat_ingest::run::Consumer;

use crate::Result;
use crate::fill::Make;
use crate::manifest::{Manifest, Segment};
use crate::tidy::compact::{Compacted, is_sound, merge};
use crate::tidy::day_of;
use crate::tidy::near::or_problem;
use crate::writer::Writer;

/// Segments with fewer bytes of messages are small.
const SMALL: u64 = 1 << 20;
/// So many of about one size are merged.
const MANY: usize = 16;
/// So many of a day that is over are merged.
const SOME: usize = 4;

impl Writer {
    /// Merges segments where there are many small ones; `rows` makes attempts, `meta` goes into their files. `None`: there was nothing to
    /// do. To be called after a commit: it is a commit of its own, and needs nothing that is gathered.
    pub fn compact_small<C: Consumer<Part = (AttemptBatch, Batch)>>(
        &mut self,
        rows: &C,
        meta: &Meta,
    ) -> Result<Option<Compacted>> {
        // What is gathered has numbers already.
        if self.writing.iter().any(Option::is_some) || !self.written.is_empty() {
            return Ok(None);
        }
        let before = self.dataset.manifest.clone();
        let mut base = before.clone();
        let (mut merged, mut attempts) = (0, 0);
        let mut groups = groups(&before);
        for group in &mut groups {
            group.retain(|segment| or_problem(is_sound(&self.dataset, segment), &mut self.problems).is_some());
        }
        for group in groups.iter().filter(|group| group.len() > 1) {
            let (inputs, shells): (Vec<Segment>, Vec<Segment>) = group.iter().cloned().partition(|s| s.messages.is_some());
            let make = Make { dataset: &self.dataset, disk: &self.disk, names: &self.tail.names, judged_by: &self.judged_by };
            let problems = &mut self.problems;
            let fails = &mut |error| problems.push(crate::read::damaged(&error));
            let (next, rows) = merge(&make, &base, &inputs, &shells, &|_| Some(0), rows, meta, fails)?;
            (base, merged, attempts) = (next, merged + group.len(), attempts + rows);
        }
        if merged == 0 {
            return Ok(None);
        }
        self.dataset.switch(base, &self.disk)?;
        let there: HashSet<u64> = self.dataset.manifest.segments.iter().map(|segment| segment.number).collect();
        // Merged ids are read again when they are needed.
        self.ids.retain(|number, _| there.contains(number));
        Ok(Some(Compacted::between(&before, &self.dataset.manifest, merged, attempts)))
    }
}

/// Which segments are merged with each other.
fn groups(manifest: &Manifest) -> Vec<Vec<Segment>> {
    let newest = manifest.segments.iter().filter_map(|segment| segment.span).map(|(_, last)| day_of(last)).max();
    let mut groups: BTreeMap<(Option<i64>, u32), Vec<Segment>> = BTreeMap::new();
    for segment in manifest.segments.iter().filter(|segment| segment.day.is_none()) {
        let bytes = segment.messages.as_ref().map_or(0, |file| file.bytes);
        let day = segment.span.map(|(_, last)| day_of(last));
        // A segment without messages that has a day tells of a loss, and stays as it is.
        if bytes >= SMALL || segment.messages.is_none() && day.is_some() {
            continue;
        }
        let size = if day.is_some() && day == newest { bytes.max(1).ilog2() / 4 } else { 0 };
        groups.entry((day, size)).or_default().push(segment.clone());
    }
    let is_full = |day: &Option<i64>, group: &[Segment]| group.len() >= if day.is_some() && *day != newest { SOME } else { MANY };
    groups.into_iter().filter(|((day, _), group)| is_full(day, group)).map(|(_, group)| group).collect()
}
