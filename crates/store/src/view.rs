//! The attempts of messages, as Parquet files by day: what everybody reads. They are made of messages, and can be made again.

use std::sync::Arc;

use bouncestat_aggregation::{Aggregator, AttemptBatch, Batch, Meta};
use bouncestat_export::DayFiles;
use bouncestat_ingest::join::HashSet64;
use bouncestat_ingest::join::fold::{Context, Counts, View};
use bouncestat_ingest::join::stitch;
use bouncestat_ingest::join::window::Window;
use bouncestat_ingest::run::{Consumer, fold_kept};
use rayon::prelude::*;

use crate::block::Contents;
use crate::files::Name;
use crate::segment::Blocks;
use crate::{Error, ErrorKind, Result};

/// So many blocks are folded side by side.
pub(crate) const AT_ONCE: usize = 8;

/// What a fold of kept messages knows.
pub(crate) struct Known {
    pub ids: stitch::Ids,
    pub folders: Vec<Arc<str>>,
}

impl Known {
    pub fn new(hops: impl IntoIterator<Item = u64>, came_from: impl IntoIterator<Item = u64>, names: &[Name]) -> Self {
        let set = |ids: &mut dyn Iterator<Item = u64>| ids.collect::<HashSet64>();
        let ids = stitch::Ids { seen: set(&mut hops.into_iter()), came_from: set(&mut came_from.into_iter()) };
        Self { ids, folders: names.iter().map(|name| Arc::from(name.folder.as_str())).collect() }
    }

    pub fn context(&self, window: Window) -> Context<'_> {
        Context { window, ids: &self.ids, folders: &self.folders }
    }
}

/// What is made of messages: attempts, and what deliveries add up to.
#[derive(Default)]
pub(crate) struct Made {
    pub days: Vec<Day>,
    pub sums: Vec<u8>,
    pub counts: Counts,
}

/// A day, its file, and how many rows it has.
pub(crate) type Day = (String, Vec<u8>, u64);

/// What is made of messages that were kept.
pub(crate) fn of_blocks<C: Consumer<Part = (AttemptBatch, Batch)>>(
    mut blocks: Blocks,
    known: &Known,
    rows: &C,
    meta: &Meta,
    redaction: &str,
) -> Result<Made> {
    let mut days = DayFiles::new(redaction);
    let mut sums = Aggregator::new();
    let mut counts = Counts::default();
    loop {
        let mut round = Vec::new();
        while round.len() < AT_ONCE
            && let Some(packed) = blocks.next_packed()?
        {
            round.push(packed);
        }
        if round.is_empty() {
            let sums = sums.save().map_err(|e| aggregation(&e))?;
            return Ok(Made { days: finish(days, meta)?, sums, counts });
        }
        let parts: Vec<Result<(C::Part, Counts)>> = round
            .par_iter()
            .map(|packed| {
                let contents = blocks.unpack(packed)?;
                Ok(fold(&contents, known, rows))
            })
            .collect();
        for part in parts {
            let ((attempts, batch), some) = part?;
            days.write(attempts.frame()).map_err(|e| export(&e))?;
            sums.add(batch).map_err(|e| aggregation(&e))?;
            counts.add(&some);
        }
    }
}

fn fold<C: Consumer>(contents: &Contents, known: &Known, rows: &C) -> (C::Part, Counts) {
    fold_kept(contents.messages(), std::iter::empty(), known.context(Window::default()), rows)
}

/// The attempts so far of messages that are open.
pub(crate) fn of_views<'v, C: Consumer<Part = (AttemptBatch, Batch)>>(
    open: impl Iterator<Item = View<'v>>,
    known: &Known,
    rows: &C,
    meta: &Meta,
    redaction: &str,
) -> Result<Vec<Day>> {
    let ((part, _), _) = fold_kept(open, std::iter::empty(), known.context(Window::default()), rows);
    let mut days = DayFiles::new(redaction);
    days.write(part.frame()).map_err(|e| export(&e))?;
    finish(days, meta)
}

fn finish(days: DayFiles, meta: &Meta) -> Result<Vec<Day>> {
    days.finish(meta).map_err(|e| export(&e))
}

fn aggregation(error: &bouncestat_aggregation::Error) -> Error {
    Error::new(ErrorKind::Export, std::path::Path::new("sums"), error.to_string())
}

fn export(error: &bouncestat_export::Error) -> Error {
    Error::new(ErrorKind::Export, std::path::Path::new("attempts"), error.to_string())
}
