//! The aggregator: takes batches in any order, keeps partial sums, and makes the report of them.
//!
//! What it holds grows with distinct domains, sources, senders and reply templates, never with deliveries: rows wait in a block
//! of at most 131,072, then polars sums them and they are gone.

use crate::Result;
use crate::batch::Batch;
use crate::causes::Causes;
use crate::cells::Keys;
use crate::failures::{Failures, UnknownTemplate};
use crate::refusals::Refusals;
use crate::report::{Meta, Report, Table, Window};
use crate::reports::{REPORTS, State, Thresholds, comparison, suspect_rows, suspects};
use crate::sums::{BLOCK, Group, Rows};
use crate::timeline::Timeline;

/// Sums of all deliveries so far.
#[derive(Default)]
pub struct Aggregator {
    pub(crate) keys: Keys,
    pub(crate) cells: Vec<Group>,
    pub(crate) senders: Vec<Group>,
    pub(crate) failures: Failures,
    pub(crate) refusals: Refusals,
    pub(crate) causes: Causes,
    pub(crate) timeline: Timeline,
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
        self.refusals.merge(batch.refusals, &to);
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
        let state = self.state();
        let mut tables = Vec::with_capacity(REPORTS.len());
        for build in REPORTS {
            tables.push(Table::from(build(&state)?));
        }
        self.date(&mut meta);
        Ok(Report { meta, before: None, tables })
    }

    /// The same report beside the window before it: with the table of changes, and with trends of the suspects.
    pub fn finish_beside(&mut self, meta: Meta, before: &mut Aggregator, window: Window) -> Result<Report> {
        let mut report = self.finish(meta)?;
        before.sum()?;
        let (now, past) = (self.state(), before.state());
        let thresholds = Thresholds::default();
        let found = suspects::weigh(&now, Some(&past), &thresholds).suspects;
        let with_trend = Table::from(suspect_rows::frame(&now, &found));
        if let Some(table) = report.tables.iter_mut().find(|t| t.name == with_trend.name) {
            *table = with_trend;
        }
        // After the totals: what changed is read first.
        report.tables.insert(1, Table::from(comparison::changes(&now, &past, &thresholds)));
        report.before = Some(before.events(window));
        Ok(report)
    }

    /// The report of suspects: they, their evidence, and what only looks like one. `files` are the names of the logs, in the order of
    /// the plan; `before` is the window before, where there is one.
    pub fn suspects(
        &mut self,
        mut meta: Meta,
        before: Option<(&mut Aggregator, Window)>,
        thresholds: &Thresholds,
        files: &[String],
    ) -> Result<Report> {
        meta.check()?;
        self.sum()?;
        self.date(&mut meta);
        let (before, window) = match before {
            Some((before, window)) => {
                before.sum()?;
                let window = before.events(window);
                (Some(before.state()), Some(window))
            }
            None => (None, None),
        };
        let tables = suspect_rows::tables(&self.state(), before.as_ref(), thresholds, files);
        Ok(Report { meta, before: window, tables: tables.map(Table::from).into() })
    }

    /// How many deliveries were counted.
    pub fn deliveries(&self) -> u64 {
        let summed: i64 = self.cells.iter().map(|group| group.sums.deliveries).sum();
        summed.unsigned_abs() + self.rows.len() as u64
    }

    fn state(&self) -> State<'_> {
        State {
            keys: &self.keys,
            cells: &self.cells,
            senders: &self.senders,
            failures: &self.failures,
            refusals: &self.refusals,
            causes: &self.causes,
            timeline: &self.timeline,
            files: &self.files,
        }
    }

    /// Gives a window its first and last event.
    fn date(&self, meta: &mut Meta) {
        meta.window = self.events(meta.window);
    }

    fn events(&self, window: Window) -> Window {
        let first = self.cells.iter().map(|group| group.sums.first).min().filter(|&at| at != i64::MAX);
        let last = self.cells.iter().map(|group| group.sums.last).max().filter(|&at| at != i64::MIN);
        Window { first_event: window.first_event.or(first), last_event: window.last_event.or(last), ..window }
    }

    pub(crate) fn sum(&mut self) -> Result<()> {
        self.cells.resize_with(self.keys.cells.len(), Group::default);
        self.senders.resize_with(self.keys.senders.len(), Group::default);
        if self.rows.len() == 0 {
            return Ok(());
        }
        std::mem::take(&mut self.rows).sum_into(&mut self.cells, &mut self.senders)
    }
}
