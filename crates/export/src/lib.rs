//! Formats: a report, or attempts, in; bytes for people and programs out. One small file a format, one registry, [`FORMATS`].
//!
//! What this is not: it computes nothing but how a value looks (`bouncestat-aggregation` has the numbers), it reads no clock, no
//! environment and no terminal, and it opens no file but those of [`export_dir`]. The same report gives the same bytes.
//!
//! To add a format: a file here that implements [`Format`], and its entry in [`FORMATS`]; the tests walk the registry.

mod cards;
mod compare;
mod csv;
mod dir;
mod error;
mod html;
mod json;
mod jsonl;
pub mod lists;
mod markdown;
mod parquet;
mod partition;
mod prometheus;
mod table;
mod text;
mod view;

use std::io::Write;
use std::path::Path;

use bouncestat_aggregation::{Frame, Meta, Report, Table};
use bouncestat_record::time::Micros;

pub use compare::{parquet_rows, rows_that_differ};
pub use dir::export_dir;
pub use error::{Error, ErrorKind, Result};
pub use partition::{DayFiles, Kept, Partitions};
pub use table::shorten;
pub use text::{count, duration, printable, rfc3339};

/// How a moment is shown to people: given microseconds UTC, the local time, say.
pub type Clock<'a> = &'a (dyn Fn(Micros) -> String + Send + Sync);

/// How to write. What a format has no use for, it ignores.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Rows of a table at most. `None`: ten for people (`table`, `markdown`; 200 for `html`), all for programs. It cuts no attempts.
    pub top: Option<usize>,
    /// Columns of the terminal; less than 80 counts as 80.
    pub width: usize,
    /// Whether `table` may use colours.
    pub color: bool,
    /// The table that formats of one table write (`csv`, `parquet`).
    pub table: &'a str,
    /// CSV for spreadsheets: with byte-order mark, and cells that begin like a formula get an apostrophe.
    pub excel: bool,
    /// What was done to addresses, for the metadata of Parquet and the manifest: `none`, `local` or `address`.
    pub redaction: &'a str,
    /// How `table` and `html` show moments; `None`: RFC 3339, UTC. Other formats are UTC always.
    pub clock: Option<Clock<'a>>,
    /// The name of the clock's zone, for `table` and `html`; `""`: not said.
    pub zone: &'a str,
    /// What was wrong with the input, and what had to be guessed, for `html`: one sentence each.
    pub notes: &'a [String],
    /// What a reason means and what to do about it, for `html`: (advice, definition).
    pub advice: Option<Advice<'a>>,
}

/// Words about a reason: (advice, definition).
pub type Advice<'a> = &'a (dyn Fn(&str) -> Option<(&'static str, &'static str)> + Send + Sync);

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            top: None,
            width: 80,
            color: false,
            table: "domains",
            excel: false,
            redaction: "none",
            clock: None,
            zone: "",
            notes: &[],
            advice: None,
        }
    }
}

/// A format.
pub trait Format: Sync {
    /// The name after `--format`.
    fn name(&self) -> &'static str;

    /// The file name extensions that mean it, without the dot.
    fn extensions(&self) -> &'static [&'static str];

    /// Writes a report.
    fn report(&self, report: &Report, options: &Options<'_>, out: &mut (dyn Write + Send)) -> Result<()>;

    /// Whether attempts can be written; where not, [`Format::attempts`] is an error.
    fn has_attempts(&self) -> bool {
        true
    }

    /// Begins to write attempts.
    fn attempts<'w>(&self, out: Box<dyn Write + Send + 'w>, options: &Options<'w>) -> Result<Box<dyn AttemptSink + 'w>>;
}

/// Takes attempts batch after batch; memory holds one batch, or one Parquet row group, at a time.
///
/// How the rows are cut into batches does not show in the output. A sink that is dropped without [`AttemptSink::finish`] leaves
/// an incomplete file.
pub trait AttemptSink: Send {
    /// Writes the rows of a batch, see [`bouncestat_aggregation::AttemptBatch::frame`].
    fn write(&mut self, batch: &Frame) -> Result<()>;

    /// Writes the end. `meta` goes into the metadata of formats that have some.
    fn finish(self: Box<Self>, meta: &Meta) -> Result<()>;
}

/// Every format.
pub static FORMATS: &[&dyn Format] = &[
    &table::Text,
    &json::Json,
    &jsonl::JsonLines,
    &csv::Csv,
    &markdown::Markdown,
    &html::Html,
    &parquet::Parquet,
    &prometheus::Prometheus,
];

/// The format of this name.
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|f| f.name() == name)
}

/// The format that a file name's extension means.
pub fn by_path(path: &Path) -> Option<&'static dyn Format> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    FORMATS.iter().copied().find(|f| f.extensions().contains(&extension.as_str()))
}

/// The table that options name.
fn chosen<'r>(report: &'r Report, options: &Options<'_>) -> Result<&'r Table> {
    report.table(options.table).ok_or_else(|| Error::no_such_table(options.table))
}

/// How many of a table's rows to write.
fn rows(frame: &Frame, top: Option<usize>) -> std::ops::Range<usize> {
    0..frame.len().min(top.unwrap_or(usize::MAX))
}
