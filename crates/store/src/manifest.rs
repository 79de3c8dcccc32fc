//! `bouncestat-dataset.json`: what belongs to the dataset. A file that is not in it does not exist for a reader, whatever lies in the folder.
//!
//! It is replaced at once, by a rename: there is one before a commit and one after it, and none between them.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::disk::Disk;
use crate::{Error, ErrorKind, Result};

/// Its name in the dataset's folder.
pub const MANIFEST: &str = "bouncestat-dataset.json";
/// The form of the dataset that this version writes. Readers refuse later ones.
pub const FORM: u32 = 1;

/// What belongs to a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the dataset.
    pub bouncestat_dataset: u32,
    /// The version of the columns of attempts.
    pub schema_version: String,
    /// The program that wrote it last.
    pub version: String,
    /// What was done to addresses: `none`, `local`, `address`.
    pub redaction: String,
    /// Tells the key of the hashes from another one; it tells nothing of the key. Empty where nothing is hashed.
    #[serde(default)]
    pub redaction_key: String,
    /// How often it was written.
    pub generation: u64,
    /// Which lists of messages it has, oldest first.
    pub segments: Vec<Segment>,
    /// Messages that are still open, and how far each log was read; `None` before the first commit.
    pub state: Option<State>,
}

/// A file, as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its path below the dataset's folder, with `/`.
    pub file: String,
    /// Its length, bytes.
    pub bytes: u64,
    /// SHA-256 of it, hexadecimal.
    pub sha256: String,
}

/// Attempts of one day, as Parquet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayFile {
    /// The file.
    #[serde(flatten)]
    pub entry: FileEntry,
    /// The day, UTC, as in its folder's name.
    pub event_date: String,
    /// How many attempts it holds.
    pub rows: u64,
}

/// How the lines of a commit count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    /// Bytes read, unpacked.
    pub bytes: u64,
    /// All lines.
    pub lines: u64,
    /// Lines that said something of a message.
    pub used: u64,
    /// Those of them that tell only of rejects of our own.
    pub for_rejects: u64,
    /// Lines that look like a delivery's and were not understood.
    pub unrecognised: u64,
    /// Lines that were cut.
    pub truncated: u64,
    /// Lines that stand in another file too.
    pub duplicates: u64,
    /// Lines that were put together from parts.
    pub rejoined: u64,
}

/// Messages that are whole, and what was made of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The generation that wrote it.
    pub number: u64,
    /// Its messages and rejects; `None` where lines held neither.
    pub messages: Option<FileEntry>,
    /// The ids of its messages.
    pub ids: FileEntry,
    /// How many messages, events and rejects.
    pub counts: (u64, u64, u64),
    /// First and last moment, microseconds UTC.
    pub span: Option<(i64, i64)>,
    /// The day on which all its messages end, in days since 1970-01-01 UTC; `None`: it may hold several, or that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<i64>,
    /// How the lines of its commit count.
    pub lines: Lines,
    /// What else the lines of its commit say.
    pub remarks: Remarks,
    /// The rules by which its attempts were judged.
    pub rules: String,
    /// Its attempts.
    pub attempts: Vec<DayFile>,
    /// What its deliveries add up to; `None` where nothing was summed.
    pub sums: Option<SumsFile>,
}

/// What the deliveries of a segment add up to: a report takes it where all of the segment lies in its window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SumsFile {
    /// The file.
    #[serde(flatten)]
    pub entry: FileEntry,
    /// By which rules and options they were judged.
    pub by: String,
    /// Probes, hops, notifications, discarded, suppressed, shadow, health, dropped, inbound, and messages that left without a word.
    pub excluded: [u64; 10],
    /// First and last attempt.
    pub events: Option<(i64, i64)>,
}

/// What lines say that is no event of a message, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remarks {
    /// A syslog's losses: how many lines say so, and how many lines they name.
    pub lost: std::collections::BTreeMap<String, (u64, u64)>,
    /// Failures to reach any server of a domain.
    pub unreachable: std::collections::BTreeMap<String, u64>,
    /// Events that are not known.
    pub unknown_events: std::collections::BTreeMap<String, u64>,
    /// Messages without an end whose ids are in use again.
    pub unended: u64,
    /// Rows of Exchange whose statuses fit no recipient.
    pub misaligned: u64,
    /// Lines in an hour that autumn repeats, by the number of the log: before and behind a step back of its clock.
    pub repeated_hours: std::collections::BTreeMap<u32, (u64, u64)>,
}

/// What the next run goes on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Open messages and files.
    #[serde(flatten)]
    pub entry: FileEntry,
    /// How many messages are open.
    pub open: u64,
    /// How many of them should have ended long ago.
    pub unended: u64,
    /// First and last moment of open messages.
    pub span: Option<(i64, i64)>,
    /// The rules by which their attempts were judged.
    pub rules: String,
    /// Their attempts so far.
    pub attempts: Vec<DayFile>,
}

impl Manifest {
    /// Of a dataset that holds nothing.
    pub(crate) fn empty(redaction: &str, key: &str) -> Self {
        Self {
            bouncestat_dataset: FORM,
            schema_version: bouncestat_aggregation::schema::SCHEMA_VERSION.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            redaction: redaction.to_owned(),
            redaction_key: key.to_owned(),
            generation: 0,
            segments: Vec::new(),
            state: None,
        }
    }

    /// Reads the manifest of a folder; `None` where it has none.
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(MANIFEST);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io(&path, &e)),
        };
        #[derive(Deserialize)]
        struct Form {
            bouncestat_dataset: u32,
        }
        let form: Form = serde_json::from_slice(&text).map_err(|e| Error::damaged(&path, e))?;
        if form.bouncestat_dataset > FORM {
            let message = format!(
                "is a dataset of form {}, and this bouncestat knows form {FORM}: use the newer one that wrote it",
                form.bouncestat_dataset
            );
            return Err(Error::new(ErrorKind::NoDataset, &path, message));
        }
        serde_json::from_slice(&text).map(Some).map_err(|e| Error::damaged(&path, e))
    }

    /// Puts it in the place of the one before.
    pub(crate) fn write(&self, dir: &Path, disk: &Disk) -> Result<()> {
        let path = dir.join(MANIFEST);
        let temporary = dir.join(format!(".{MANIFEST}.new"));
        let mut text = serde_json::to_vec_pretty(self).expect("a manifest is plain data");
        text.push(b'\n');
        disk.write(&temporary, &text)?;
        disk.rename(&temporary, &path)
    }

    /// All files that it names, by their final names.
    pub(crate) fn files(&self) -> impl Iterator<Item = &FileEntry> {
        let segments = self.segments.iter().flat_map(|segment| {
            segment
                .messages
                .iter()
                .chain([&segment.ids])
                .chain(segment.attempts.iter().map(|day| &day.entry))
                .chain(segment.sums.iter().map(|sums| &sums.entry))
        });
        let state = self.state.iter().flat_map(|s| [&s.entry].into_iter().chain(s.attempts.iter().map(|day| &day.entry)));
        segments.chain(state)
    }
}

impl FileEntry {
    /// Of bytes that are written to `file`.
    pub(crate) fn of(file: String, bytes: &[u8]) -> Self {
        Self { file, bytes: bytes.len() as u64, sha256: hex(&Sha256::digest(bytes)) }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
