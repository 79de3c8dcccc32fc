//! The aggregator: takes batches in any order, keeps partial sums, and makes the report of them.
//!
//! What it holds grows with distinct domains, sources, senders and reply templates, never with deliveries: rows wait in a block
//! of at most 131,072, then polars sums them and they are gone.

use crate::batch::Batch;
use crate::causes::Causes;
use crate::cells::Keys;
use crate::failures::{Failures, UnknownTemplate};
use crate::report::{Meta, Report, Table};
use crate::reports::{REPORTS, State};
use crate::sums::{BLOCK, Group, Rows};
use crate::timeline::Timeline;
use crate::{Result, Value, schema};

/// Sums of all deliveries so far.
#[derive(Default)]
pub struct Aggregator {
    keys: Keys,
    cells: Vec<Group>,
    senders: Vec<Group>,
    failures: Failures,
    causes: Causes,
    timeline: Timeline,
    rows: Rows,
    files: Vec<String>,
}

impl Aggregator {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the files that deliveries number ([`bouncestat_record::Try::file`]); without it, no place in a log is told.
    pub fn name_files(&mut self, files: Vec<String>) {
        self.files = files;
    }

    /// Counts a batch. Batches may come in any order.
    pub fn add(&mut self, batch: Batch) -> Result<()> {
        let to = self.keys.merge(&batch.keys);
        let templates = self.failures.templates.merge(&batch.failures.templates);
        self.causes.merge(batch.causes, &to, &templates, &self.failures.templates);
        self.failures.merge(batch.failures, &to);
        self.timeline.merge(batch.timeline);
        let mut start = 0;
        while start < batch.rows.len() {
            let end = batch.rows.len().min(start + BLOCK - self.rows.len());
            self.rows.append(&batch.rows, start..end, &to.cells, &to.senders);
            start = end;
            if self.rows.len() == BLOCK {
                self.sum()?;
            }
        }
        Ok(())
    }

    /// The replies of failed deliveries that no rule knows, most frequent first, at most `top`.
    pub fn unknown_templates(&self, top: usize) -> Vec<UnknownTemplate> {
        self.failures.unknown_templates(top)
    }

    /// The report of what was counted so far, every row checked against the contract's identities. More can be added after it.
    ///
    /// Where the window's first and last event are not given, they are those of the attempts that were counted.
    pub fn finish(&mut self, mut meta: Meta) -> Result<Report> {
        meta.check()?;
        self.sum()?;
        let state = State {
            keys: &self.keys,
            cells: &self.cells,
            senders: &self.senders,
            failures: &self.failures,
            causes: &self.causes,
            timeline: &self.timeline,
            files: &self.files,
        };
        let mut tables = Vec::with_capacity(REPORTS.len());
        for build in REPORTS {
            tables.push(Table::from(build(&state)?));
        }
        let report = Report { meta: Meta::default(), tables };
        if let Some(totals) = report.table(schema::TOTALS.name) {
            let event = |column| match totals.frame.named(0, column) {
                Value::Timestamp(at) => Some(at),
                _ => None,
            };
            meta.window.first_event = meta.window.first_event.or(event("first_event"));
            meta.window.last_event = meta.window.last_event.or(event("last_event"));
        }
        Ok(Report { meta, ..report })
    }

    fn sum(&mut self) -> Result<()> {
        self.cells.resize_with(self.keys.cells.len(), Group::default);
        self.senders.resize_with(self.keys.senders.len(), Group::default);
        if self.rows.len() == 0 {
            return Ok(());
        }
        std::mem::take(&mut self.rows).sum_into(&mut self.cells, &mut self.senders)
    }
}
