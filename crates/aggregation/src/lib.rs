//! Counting: classified deliveries in, named tables with columns, window and coverage out.
//!
//! ```text
//! Delivery + Verdict  >  Batch (one a worker)  >  Aggregator (polars sums a block of rows)  >  Report
//! Try + Verdict       >  AttemptBatch          >  Frame (goes to a file, row group by row group)
//! ```
//!
//! What this is not: it opens no log and sees no line (`bouncestat-ingest`), judges no reply (`bouncestat-classification`) and
//! knows no format (`bouncestat-export`). It reads no clock: the same deliveries, in whatever order and however they are cut
//! into batches, give the same report.
//!
//! [`schema`] is the column list of the whole product. What is *not* supported: quantiles finer than four significant digits.

mod aggregator;
mod attempts;
mod batch;
mod causes;
mod cells;
mod changes;
mod error;
mod failures;
mod frame;
mod names;
mod refusals;
mod rejects;
mod report;
mod reports;
mod saved;
pub mod schema;
mod sketch;
mod sums;
mod suppress;
mod timeline;
mod wilson;

pub use aggregator::Aggregator;
pub use attempts::{ATTEMPTS_PER_BATCH, AttemptBatch, delivery_id};
pub use batch::Batch;
pub use changes::Change;
pub use error::{Error, ErrorKind, Result};
pub use failures::UnknownTemplate;
pub use frame::{Data, Frame, Texts, Value};
pub use refusals::{Help, Refusal};
pub use rejects::Rejects;
pub use report::{Coverage, Excluded, Meta, Report, Table, Window};
pub use reports::Thresholds;
pub use saved::Sums;
pub use suppress::{Policy, Remember, Suppression, Wanted};
pub use wilson::interval;

/// The provider of mail whose provider is not known.
pub const OTHER: &str = "(other)";
