//! What is made of a segment's messages: the files of its ids and of its attempts.

use bouncestat_aggregation::{AttemptBatch, Batch, Meta};
use bouncestat_ingest::join::fold::Counts;
use bouncestat_ingest::run::Consumer;

use crate::Result;
use crate::dataset::{Dataset, entry};
use crate::disk::Disk;
use crate::files::Name;
use crate::ids::Ids;
use crate::manifest::{DayFile, Segment, SumsFile};
use crate::segment::{SUMS, pack};
use crate::view::{self, Day, Known, Made};

/// Where files are made, and what they need to know.
#[derive(Clone, Copy)]
pub(crate) struct Make<'d> {
    pub dataset: &'d Dataset,
    pub disk: &'d Disk,
    pub names: &'d [Name],
    /// By which rules and options deliveries are judged.
    pub judged_by: &'d str,
}

impl Make<'_> {
    /// Writes the ids and attempts of a segment.
    pub fn fill<C: Consumer<Part = (AttemptBatch, Batch)>>(
        &self,
        segment: &mut Segment,
        ids: &Ids,
        came_from: &[u64],
        generation: u64,
        rows: &C,
        meta: &Meta,
    ) -> Result<()> {
        // Of messages that are damaged nothing is written.
        let made = self.made(segment, ids, came_from, rows, meta)?;
        self.write_ids(segment, ids, generation)?;
        self.write_made(segment, made, generation, meta)
    }

    /// Writes the ids of a segment.
    pub fn write_ids(&self, segment: &mut Segment, ids: &Ids, generation: u64) -> Result<()> {
        let bytes = ids.pack();
        segment.ids = entry(format!("messages/{}.ids", name(segment, generation)), &bytes);
        self.disk.write(&self.dataset.path(&segment.ids.file), &bytes)
    }

    /// What a segment's messages become, as it would be written.
    pub fn made<C: Consumer<Part = (AttemptBatch, Batch)>>(
        &self,
        segment: &Segment,
        ids: &Ids,
        came_from: &[u64],
        rows: &C,
        meta: &Meta,
    ) -> Result<Made> {
        let known = Known::new(ids.hops.iter().copied(), came_from.iter().copied(), self.names);
        match self.dataset.blocks(segment)? {
            Some(blocks) => view::of_blocks(blocks, &known, rows, meta, &self.dataset.manifest.redaction),
            None => Ok(Made::default()),
        }
    }

    /// Writes it.
    pub fn write_made(&self, segment: &mut Segment, made: Made, generation: u64, meta: &Meta) -> Result<()> {
        let name = name(segment, generation);
        segment.rules.clone_from(&meta.rules);
        segment.attempts = self.write_days(&name, made.days)?;
        segment.sums = match made.sums.is_empty() {
            true => None,
            false => Some(self.write_sums(&name, &made.sums, &made.counts)?),
        };
        Ok(())
    }

    /// Writes what deliveries add up to.
    fn write_sums(&self, name: &str, sums: &[u8], counts: &Counts) -> Result<SumsFile> {
        let packed = pack(SUMS, &serde_bytes::Bytes::new(sums));
        let file = entry(format!("messages/{name}.sums"), &packed);
        self.disk.write(&self.dataset.path(&file.file), &packed)?;
        let e = &counts.excluded;
        let excluded =
            [e.probes, e.hops, e.notifications, e.discarded, e.suppressed, e.shadow, e.health, e.dropped, e.inbound, counts.lost];
        Ok(SumsFile { entry: file, by: self.judged_by.to_owned(), excluded, events: counts.events })
    }

    /// Writes the attempts of days, under names that nobody reads yet.
    pub fn write_days(&self, name: &str, days: Vec<Day>) -> Result<Vec<DayFile>> {
        let mut files = Vec::with_capacity(days.len());
        for (event_date, bytes, rows) in days {
            let file = entry(format!("attempts/event_date={event_date}/{name}.parquet"), &bytes);
            let path = self.dataset.new_path(&file.file);
            if let Some(folder) = path.parent() {
                self.disk.make_dir(folder)?;
            }
            self.disk.write(&path, &bytes)?;
            files.push(DayFile { entry: file, event_date, rows });
        }
        Ok(files)
    }
}

/// A segment's files are named by its number and by the commit that wrote them.
fn name(segment: &Segment, generation: u64) -> String {
    format!("{:08}-{generation:08}", segment.number)
}
