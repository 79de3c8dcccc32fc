//! What the next run goes on with: the messages that are open, how far each log was read, and the names of the logs.

use std::path::Path;

use bouncestat_ingest::join::stitch::Message;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::Result;
use crate::block::{Builder, Contents};
use crate::files::{Files, Name};
use crate::segment::{pack, unpack};

const FIRST_LINE: &[u8] = b"bouncestat state 1\n";

/// The state, as it is written.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Saved {
    open: ByteBuf,
    /// Ids under which open messages were handed over and that a log of ours knows, as hashes.
    pub hops: Vec<u64>,
    /// The newest moment of each log host, by the hash of its name.
    pub newest: Vec<(u64, i64)>,
    /// Which logs were read, and how far.
    pub files: Files,
    /// The names of logs, by the numbers that events name.
    pub names: Vec<Name>,
}

impl Saved {
    /// The state, packed, and the span of what is open.
    pub fn pack(
        open: &[Message],
        hops: &[u64],
        newest: Vec<(u64, i64)>,
        files: &Files,
        names: &[Name],
    ) -> (Vec<u8>, Option<(i64, i64)>) {
        let mut builder = Builder::default();
        open.iter().for_each(|message| builder.open(message));
        let span = builder.span();
        let open = ByteBuf::from(builder.pack());
        let saved = Self { open, hops: hops.to_vec(), newest, files: files.clone(), names: names.to_vec() };
        (pack(FIRST_LINE, &saved), span)
    }

    pub fn unpack(path: &Path, bytes: &[u8]) -> Result<Self> {
        unpack(FIRST_LINE, path, bytes)
    }

    /// The open messages.
    pub fn open(&self, path: &Path) -> Result<Vec<Message>> {
        if self.open.is_empty() {
            return Ok(Vec::new());
        }
        Contents::unpack(&self.open).map(|contents| contents.open()).map_err(|what| crate::Error::damaged(path, what))
    }
}
