//! What is made of a segment's messages: the files of its ids and of its attempts.

use bouncestat_aggregation::{AttemptBatch, Meta};
use bouncestat_ingest::run::Consumer;

use crate::Result;
use crate::dataset::{Dataset, entry};
use crate::disk::Disk;
use crate::files::Name;
use crate::ids::Ids;
use crate::manifest::{DayFile, Segment};
use crate::view::{self, Day, Known};

/// Where files are made, and what they need to know.
#[derive(Clone, Copy)]
pub(crate) struct Make<'d> {
    pub dataset: &'d Dataset,
    pub disk: &'d Disk,
    pub names: &'d [Name],
}

impl Make<'_> {
    /// Writes the ids and attempts of a segment.
    pub fn fill<C: Consumer<Part = AttemptBatch>>(
        &self,
        segment: &mut Segment,
        ids: &Ids,
        came_from: &[u64],
        generation: u64,
        rows: &C,
        meta: &Meta,
    ) -> Result<()> {
        // Of messages that are damaged nothing is written.
        let days = self.days(segment, ids, came_from, rows, meta)?;
        self.write_ids(segment, ids, generation)?;
        self.write_attempts(segment, days, generation, meta)
    }

    /// Writes the ids of a segment.
    pub fn write_ids(&self, segment: &mut Segment, ids: &Ids, generation: u64) -> Result<()> {
        let bytes = ids.pack();
        segment.ids = entry(format!("messages/{}.ids", name(segment, generation)), &bytes);
        self.disk.write(&self.dataset.path(&segment.ids.file), &bytes)
    }

    /// The attempts of a segment, as they would be written.
    pub fn days<C: Consumer<Part = AttemptBatch>>(
        &self,
        segment: &Segment,
        ids: &Ids,
        came_from: &[u64],
        rows: &C,
        meta: &Meta,
    ) -> Result<Vec<Day>> {
        let known = Known::new(ids.hops.iter().copied(), came_from.iter().copied(), self.names);
        match self.dataset.blocks(segment)? {
            Some(blocks) => view::of_blocks(blocks, &known, rows, meta, &self.dataset.manifest.redaction),
            None => Ok(Vec::new()),
        }
    }

    /// Writes them.
    pub fn write_attempts(&self, segment: &mut Segment, days: Vec<Day>, generation: u64, meta: &Meta) -> Result<()> {
        segment.rules.clone_from(&meta.rules);
        segment.attempts = self.write_days(&name(segment, generation), days)?;
        Ok(())
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
