//! What a run found: named tables, with the window, the coverage and the versions that every output carries.

use bouncestat_record::time::Micros;

use crate::frame::Frame;
use crate::schema::Column;
use crate::{Error, Result};

/// The time that is reported about. All moments are UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Start, itself inside; `None`: from the beginning.
    pub since: Option<Micros>,
    /// End, itself outside; `None`: to the end.
    pub until: Option<Micros>,
    /// The oldest attempt; `None`: the one that the tables know.
    pub first_event: Option<Micros>,
    /// The newest attempt; `None`: the one that the tables know.
    pub last_event: Option<Micros>,
}

/// What was read, and how much of it was understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Files read.
    pub files: u64,
    /// Bytes read, unpacked.
    pub bytes: u64,
    /// Physical lines.
    pub lines: u64,
    /// Lines that changed a result.
    pub used: u64,
    /// Lines that are understood, or foreign, and change nothing.
    pub irrelevant: u64,
    /// Lines that look like a mail server's delivery line and are not understood.
    pub unrecognised: u64,
    /// Attempts outside the window.
    pub outside_window: u64,
    /// Lines cut for their length.
    pub truncated: u64,
    /// Deliveries whose message was removed with no word after a deferral.
    pub lost: u64,
}

/// What is no delivery, and is counted apart: deliveries, but for `duplicates`, which are lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Excluded {
    /// Address probes.
    pub probes: u64,
    /// Hand-overs to a hop whose own log is in the input.
    pub hops: u64,
    /// Messages with the null sender.
    pub notifications: u64,
    /// Discarded mail.
    pub discarded: u64,
    /// Deliveries that were suppressed.
    pub suppressed: u64,
    /// Shadow copies.
    pub shadow: u64,
    /// Health probes.
    pub health: u64,
    /// Dropped by the server without a word to anyone.
    pub dropped: u64,
    /// Failures of mail that came in.
    pub inbound: u64,
    /// Lines that stand in another file too.
    pub duplicates: u64,
}

/// What a report says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// The program's version.
    pub version: String,
    /// The version of the rules.
    pub rules: String,
    /// The time that is reported about.
    pub window: Window,
    /// What was read.
    pub coverage: Coverage,
    /// What is no delivery.
    pub excluded: Excluded,
}

impl Meta {
    /// Checks `lines = used + irrelevant + unrecognised`.
    pub fn check(&self) -> Result<()> {
        let c = &self.coverage;
        if c.lines != c.used + c.irrelevant + c.unrecognised {
            return Err(Error::identity(format!(
                "coverage: {} lines are not {} used + {} irrelevant + {} unrecognised",
                c.lines, c.used, c.irrelevant, c.unrecognised
            )));
        }
        Ok(())
    }
}

/// One table of a report.
#[derive(Clone, Debug)]
pub struct Table {
    /// The name in every output.
    pub name: &'static str,
    /// The columns in their order.
    pub columns: &'static [Column],
    /// The rows in their order.
    pub frame: Frame,
}

impl From<Frame> for Table {
    fn from(frame: Frame) -> Self {
        Self { name: frame.spec().name, columns: frame.columns(), frame }
    }
}

/// Everything that a run found.
#[derive(Clone, Debug)]
pub struct Report {
    /// What it says about itself.
    pub meta: Meta,
    /// The window before, where it was looked at too.
    pub before: Option<Window>,
    /// The tables, in the order of the column list.
    pub tables: Vec<Table>,
}

impl Report {
    /// The table of this name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.name == name)
    }
}
