//! A file of blocks: a first line that says what it is, then each block with its length before it.
//!
//! ```text
//! bouncestat messages 1\n  <length, 4 bytes, little endian> <zstd> <length> <zstd> …
//! ```

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use bouncestat_ingest::join::fold::View;
use bouncestat_ingest::reject::Kept;
use bouncestat_record::Mta;
use sha2::{Digest, Sha256};

use crate::block::{Builder, Contents, FULL};
use crate::disk::Disk;
use crate::ids::Ids;
use crate::manifest::{FileEntry, hex};
use crate::{Error, Result};

const FIRST_LINE: &[u8] = b"bouncestat messages 1\n";
/// A file of messages is ended at this size, packed, and the next one begun: bounds what is held when attempts are made of one.
pub(crate) const LARGEST: u64 = 48 << 20;

/// Writes a segment's messages, block by block.
pub(crate) struct Writing {
    number: u64,
    file: File,
    path: PathBuf,
    name: String,
    hash: Sha256,
    bytes: u64,
    block: Builder,
    named: Vec<u64>,
    counts: (u64, u64, u64),
    span: Option<(i64, i64)>,
}

/// Messages that are on the disk.
pub(crate) struct Written {
    pub number: u64,
    pub file: FileEntry,
    pub named: Vec<u64>,
    pub counts: (u64, u64, u64),
    pub span: Option<(i64, i64)>,
}

impl Writing {
    /// Begins the file of a segment below a dataset's folder.
    pub fn begin(dir: &Path, number: u64, disk: &Disk) -> Result<Self> {
        let name = format!("messages/{number:08}.bin");
        let path = dir.join(&name);
        let mut file = disk.create(&path)?;
        disk.append(&mut file, &path, FIRST_LINE)?;
        let mut hash = Sha256::new();
        hash.update(FIRST_LINE);
        let bytes = FIRST_LINE.len() as u64;
        Ok(Self {
            number,
            file,
            path,
            name,
            hash,
            bytes,
            block: Builder::default(),
            named: Vec::new(),
            counts: (0, 0, 0),
            span: None,
        })
    }

    /// Writes the block where it is full; tells whether the file is full too.
    pub fn breathe(&mut self, disk: &Disk) -> Result<bool> {
        if self.block.bytes() >= FULL {
            self.write_block(disk)?;
        }
        Ok(self.bytes >= LARGEST)
    }

    /// Puts a block that was gathered elsewhere behind the others.
    pub fn add(&mut self, mut block: Builder, disk: &Disk) -> Result<bool> {
        if block.is_empty() {
            return Ok(false);
        }
        if self.block.is_empty() {
            self.block = block;
        } else if self.block.bytes() + block.bytes() < FULL / 4 {
            // Many small pieces, as a live log gives them, become one block.
            let contents = Contents::unpack(&block.pack()).map_err(|what| Error::damaged(&self.path, what))?;
            contents.messages().for_each(|view| self.block.message(view));
            contents.rejects().for_each(|(mta, file, kept)| self.block.reject(mta, file, &kept));
        } else {
            self.write_block(disk)?;
            self.block = block;
        }
        self.breathe(disk)
    }

    /// Adds a message; tells whether the file is full.
    pub fn message(&mut self, view: View<'_>, disk: &Disk) -> Result<bool> {
        self.block.message(view);
        self.breathe(disk)
    }

    /// Adds a reject; tells whether the file is full.
    pub fn reject(&mut self, mta: Mta, file: u32, kept: &Kept, disk: &Disk) -> Result<bool> {
        self.block.reject(mta, file, kept);
        self.breathe(disk)
    }

    /// About how many bytes wait for their block to be full.
    pub fn waiting(&self) -> usize {
        self.block.bytes()
    }

    /// Writes what waits as a block.
    pub fn write_block(&mut self, disk: &Disk) -> Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let (messages, events, rejects) = self.block.counts();
        self.counts = (self.counts.0 + messages, self.counts.1 + events, self.counts.2 + rejects);
        self.span = match (self.span, self.block.span()) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (a, b) => a.or(b),
        };
        self.named.append(&mut self.block.named);
        let packed = self.block.pack();
        let framed = [&(packed.len() as u32).to_le_bytes()[..], &packed].concat();
        disk.append(&mut self.file, &self.path, &framed)?;
        self.hash.update(&framed);
        self.bytes += framed.len() as u64;
        Ok(())
    }

    /// Ends the file; `None` where it holds nothing: then it is taken away.
    pub fn end(mut self, disk: &Disk) -> Result<Option<Written>> {
        self.write_block(disk)?;
        if self.counts.0 + self.counts.2 == 0 {
            disk.remove(&self.path)?;
            return Ok(None);
        }
        disk.sync(&self.file, &self.path)?;
        let file = FileEntry { file: self.name, bytes: self.bytes, sha256: hex(&self.hash.finalize()) };
        Ok(Some(Written { number: self.number, file, named: self.named, counts: self.counts, span: self.span }))
    }
}

/// Reads a segment's messages, block by block.
pub struct Blocks {
    path: PathBuf,
    file: BufReader<File>,
    begun: bool,
}

impl Blocks {
    pub(crate) fn new(path: PathBuf, file: File) -> Self {
        Self { path, file: BufReader::with_capacity(1 << 20, file), begun: false }
    }

    /// The next packed block; `None` at the end.
    pub(crate) fn next_packed(&mut self) -> Result<Option<Vec<u8>>> {
        if !self.begun {
            let mut first = [0; FIRST_LINE.len()];
            self.file.read_exact(&mut first).map_err(|e| Error::damaged(&self.path, e))?;
            if first != FIRST_LINE {
                return Err(Error::damaged(&self.path, "it does not begin as messages do"));
            }
            self.begun = true;
        }
        let mut length = [0; 4];
        match self.file.read(&mut length[..1]).map_err(|e| Error::io(&self.path, &e))? {
            0 => return Ok(None),
            _ => self.file.read_exact(&mut length[1..]).map_err(|e| Error::damaged(&self.path, e))?,
        }
        let mut packed = Vec::new();
        let length = u64::from(u32::from_le_bytes(length));
        let read = self.file.by_ref().take(length).read_to_end(&mut packed).map_err(|e| Error::io(&self.path, &e))?;
        if read as u64 != length {
            return Err(Error::damaged(&self.path, "its last block is cut"));
        }
        Ok(Some(packed))
    }

    pub(crate) fn unpack(&self, packed: &[u8]) -> Result<Contents> {
        Contents::unpack(packed).map_err(|what| Error::damaged(&self.path, what))
    }
}

impl Iterator for Blocks {
    type Item = Result<Contents>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_packed() {
            Ok(packed) => packed.map(|packed| self.unpack(&packed)),
            Err(error) => Some(Err(error)),
        }
    }
}

/// What a file of sums begins with.
pub(crate) const SUMS: &[u8] = b"bouncestat sums 1\n";
const IDS: &[u8] = b"bouncestat ids 1\n";

impl Ids {
    /// As they lie on the disk.
    pub fn pack(&self) -> Vec<u8> {
        // Differences of sorted hashes are smaller than the hashes.
        let thin = |ids: &[u64]| -> Vec<u64> {
            let before = std::iter::once(0).chain(ids.iter().copied());
            ids.iter().zip(before).map(|(id, before)| id.wrapping_sub(before)).collect()
        };
        let thin =
            Self { seen: thin(&self.seen), named: thin(&self.named), hops: thin(&self.hops), came_from: thin(&self.came_from) };
        pack(IDS, &thin)
    }

    /// Reads them.
    pub fn unpack(path: &Path, bytes: &[u8]) -> Result<Self> {
        let mut ids: Self = unpack(IDS, path, bytes)?;
        for list in [&mut ids.seen, &mut ids.named, &mut ids.hops, &mut ids.came_from] {
            let mut last = 0u64;
            for id in list.iter_mut() {
                last = last.wrapping_add(*id);
                *id = last;
            }
        }
        Ok(ids)
    }
}

/// A first line, then packed data.
pub(crate) fn pack<T: serde::Serialize>(first_line: &[u8], data: &T) -> Vec<u8> {
    let bytes = postcard::to_stdvec(data).expect("memory takes it");
    let mut packer = zstd::bulk::Compressor::new(3).expect("zstd knows the level");
    packer.include_checksum(true).expect("zstd knows checksums");
    [first_line, &packer.compress(&bytes).expect("memory takes it")].concat()
}

pub(crate) fn unpack<T: serde::de::DeserializeOwned>(first_line: &[u8], path: &Path, bytes: &[u8]) -> Result<T> {
    let packed = bytes.strip_prefix(first_line).ok_or_else(|| Error::damaged(path, "it does not begin as such a file does"))?;
    let bytes = zstd::stream::decode_all(packed).map_err(|e| Error::damaged(path, e))?;
    postcard::from_bytes(&bytes).map_err(|e| Error::damaged(path, e))
}
