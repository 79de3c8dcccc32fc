//! The dataset that logs are collected into: each line is read once, and asked about for ever.
//!
//! `collect` and `follow` write it, every report reads it. It keeps what the logs say of each message, not only what was made of it: a
//! report from the dataset folds messages as a report from logs does, with the same code, and gives the same answer for any window. The
//! Parquet files of attempts are made from that, for other programs, and can be made again when rules change.
//!
//! What is not here: reading logs (`bouncestat-ingest`), rules (`bouncestat-classification`), and the words of Parquet columns
//! (`bouncestat-aggregation`).

mod block;
mod dataset;
mod disk;
mod error;
mod files;
mod fill;
mod ids;
mod lock;
mod manifest;
mod read;
mod segment;
mod state;
mod tail;
mod tidy;
mod view;
mod writer;

pub use block::{Builder, Contents};
pub use dataset::{is_begun, is_dataset};
pub use disk::Disk;
pub use error::{Error, ErrorKind, Result};
pub use manifest::{DayFile, FileEntry, Lines, MANIFEST, Manifest, Remarks, Segment, State, SumsFile};
pub use read::{Piece, Reading, Side};
pub use tail::{Planned, Tail};
pub use tidy::{Compacted, Expired, Finding, Reclassified, Repaired, Role, Tidy, Verified};
pub use writer::{Committed, Redact, Watcher, Writer};
