//! Which files were read, and how far. A file is known by its content: a hash of its first bytes, however it is named or packed now.
//!
//! So a rename, a copy, a rotation that packs it, a restored backup or a changed inode neither lose nor repeat a line. Inode, length and
//! time of change only spare looking into a file again. What is not here: reading lines.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use bouncestat_ingest::input::{self, ChunkOptions, Chunks, Compression, Problem, Source, SourceKind};
use bouncestat_ingest::rejoin::Held;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// So many of its first bytes tell a file.
const HEAD: usize = 4096;
/// So many bytes before the place where reading goes on must be the same.
const TAIL: u64 = 256;
/// So many of a file's names are remembered.
const MOST_ALIASES: usize = 4;

pub(crate) type Hash = [u8; 16];

/// The first half of a SHA-256.
pub(crate) fn hash(bytes: &[u8]) -> Hash {
    let digest = Sha256::digest(bytes);
    std::array::from_fn(|i| digest[i])
}

/// One content that was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    /// How many first bytes are hashed, and their hash.
    head: (u32, Hash),
    /// The place behind the last line that was read, in the unpacked text.
    pub consumed: u64,
    /// The last bytes before that place: how many, and their hash. Only for plain files.
    tail: Option<(u32, Hash)>,
    /// Files on the disk that hold just this and nothing new.
    aliases: Vec<Alias>,
    parts: Vec<(u64, serde_bytes::ByteBuf)>,
    record: Option<(u64, serde_bytes::ByteBuf)>,
    shift: i64,
}

/// A file as the system tells it without opening it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Alias {
    device: u64,
    inode: u64,
    size: u64,
    modified: i64,
}

impl Alias {
    /// `None` where the system tells no such things, or it is no file.
    pub fn of(source: &Source) -> Option<Self> {
        if source.kind != SourceKind::File {
            return None;
        }
        let metadata = std::fs::metadata(&source.path).ok()?;
        let modified = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        #[cfg(unix)]
        let (device, inode) = {
            use std::os::unix::fs::MetadataExt;
            (metadata.dev(), metadata.ino())
        };
        // Elsewhere the path stands for the inode.
        #[cfg(not(unix))]
        let (device, inode) = {
            let hash = hash(source.path.as_os_str().as_encoded_bytes());
            (0, u64::from_le_bytes(std::array::from_fn(|i| hash[i])))
        };
        Some(Self { device, inode, size: metadata.len(), modified: modified.as_nanos() as i64 })
    }
}

impl Known {
    /// What it left open.
    pub fn held(&self) -> Held {
        let bytes = |(place, bytes): &(u64, serde_bytes::ByteBuf)| (*place, bytes.to_vec());
        Held { parts: self.parts.iter().map(bytes).collect(), record: self.record.as_ref().map(bytes), shift: self.shift }
    }
}

/// All contents that were read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Files {
    known: Vec<Known>,
}

/// What is known of a source.
#[derive(Debug)]
pub(crate) enum Found {
    /// It was read to its end, and did not change since.
    Read,
    /// It is the content of this number; reading goes on at the place that it tells.
    Known(usize),
    /// Nothing is known of it.
    New,
}

impl Files {
    /// How many contents are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// One of them.
    pub fn get(&self, number: usize) -> &Known {
        &self.known[number]
    }

    /// What is known of a source, and the first bytes by which it is known.
    pub fn find(&self, source: &Source) -> Result<(Found, Vec<u8>), Problem> {
        if source.kind != SourceKind::File {
            return Ok((Found::New, Vec::new()));
        }
        let alias = Alias::of(source);
        if alias.is_some_and(|alias| self.known.iter().any(|known| known.aliases.contains(&alias))) {
            return Ok((Found::Read, Vec::new()));
        }
        let (head, plain) = first_bytes(source)?;
        let mut best: Option<usize> = None;
        for (number, known) in self.known.iter().enumerate() {
            let (length, expected) = known.head;
            let same = head.len() >= length as usize && hash(&head[..length as usize]) == expected;
            let further = best.is_none_or(|best| (self.known[best].head.0, self.known[best].consumed) < (length, known.consumed));
            if same && further && (!plain || known.goes_on_in(source)) {
                best = Some(number);
            }
        }
        Ok((best.map_or(Found::New, Found::Known), head))
    }

    /// Notes how far a source was read; `known` is the content that it goes on, `before` are the first bytes that it had. Where it begins
    /// otherwise by now, it was emptied or replaced meanwhile, and only what was read counts. Gives the number of the content.
    pub fn read(
        &mut self,
        source: &Source,
        before: &[u8],
        known: Option<usize>,
        consumed: u64,
        held: &Held,
        at_end: bool,
    ) -> Result<Option<usize>, Problem> {
        if source.kind != SourceKind::File || consumed == 0 {
            return Ok(None);
        }
        let (mut head, mut plain) = match first_bytes(source) {
            Err(problem) if before.is_empty() => return Err(problem),
            found => found.unwrap_or_default(),
        };
        let is_same = head.starts_with(before);
        if !is_same {
            if let Some(known) = known.filter(|known| self.known[*known].consumed >= consumed) {
                return Ok(Some(known));
            }
            (head, plain) = (before.to_vec(), false);
        }
        head.truncate(usize::try_from(consumed).unwrap_or(HEAD));
        let bytes = |(place, bytes): &(u64, Vec<u8>)| (*place, serde_bytes::ByteBuf::from(bytes.clone()));
        let head = (head.len() as u32, hash(&head));
        let same = |other: &Known| other.head == head && other.consumed <= consumed;
        let known = known.or_else(|| self.known.iter().position(same));
        let mut entry = Known {
            head,
            consumed,
            tail: if plain { tail(source, consumed) } else { None },
            aliases: known.map(|known| self.known[known].aliases.clone()).unwrap_or_default(),
            parts: held.parts.iter().map(bytes).collect(),
            record: held.record.as_ref().map(bytes),
            shift: held.shift,
        };
        // What was written since it was read is not read, and its length tells.
        let length = if plain { Some(consumed) } else { source.size };
        if at_end
            && is_same
            && let Some(alias) = Alias::of(source).filter(|alias| Some(alias.size) == length)
        {
            entry.aliases.retain(|other| (other.device, other.inode) != (alias.device, alias.inode));
            entry.aliases.push(alias);
            let surplus = entry.aliases.len().saturating_sub(MOST_ALIASES);
            entry.aliases.drain(..surplus);
        }
        let number = known.unwrap_or(self.known.len());
        match self.known.get_mut(number) {
            Some(known) if known.consumed <= consumed => *known = entry,
            Some(known) => known.aliases = entry.aliases,
            None => self.known.push(entry),
        }
        Ok(Some(number))
    }

    /// Notes that a source holds nothing new beside a known content, so that it need not be opened again.
    pub fn same(&mut self, source: &Source, known: usize) {
        if let Some(alias) = Alias::of(source).filter(|alias| Some(alias.size) == source.size)
            && !self.known[known].aliases.contains(&alias)
        {
            let aliases = &mut self.known[known].aliases;
            aliases.push(alias);
            let surplus = aliases.len().saturating_sub(MOST_ALIASES);
            aliases.drain(..surplus);
        }
    }
}

impl Known {
    /// Whether a plain file that begins like this one goes on where reading stopped.
    fn goes_on_in(&self, source: &Source) -> bool {
        match self.tail {
            // A shorter copy of what was read holds nothing new.
            Some(_) if source.size.is_some_and(|size| size < self.consumed) => true,
            Some((length, expected)) => tail_of(source, self.consumed, u64::from(length)).is_some_and(|found| found == expected),
            None => true,
        }
    }
}

/// The first bytes of a source, unpacked, and whether it is a plain file.
pub(crate) fn first_bytes(source: &Source) -> Result<(Vec<u8>, bool), Problem> {
    let reader = input::open(source)?;
    let plain = reader.compression() == Compression::Plain && reader.encoding() == input::Encoding::Bytes;
    let mut chunks = Chunks::new(reader, ChunkOptions { target: HEAD, ..ChunkOptions::default() });
    let mut head = Vec::new();
    while head.len() < HEAD
        && let Some(chunk) = chunks.next()
    {
        head.extend_from_slice(&chunk.data);
    }
    head.truncate(HEAD);
    Ok((head, plain))
}

fn tail(source: &Source, consumed: u64) -> Option<(u32, Hash)> {
    let length = consumed.min(TAIL);
    Some((length as u32, tail_of(source, consumed, length)?))
}

fn tail_of(source: &Source, consumed: u64, length: u64) -> Option<Hash> {
    let mut file = File::open(&source.path).ok()?;
    file.seek(SeekFrom::Start(consumed.checked_sub(length)?)).ok()?;
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes).ok()?;
    Some(hash(&bytes))
}

/// The name under which a file is told of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Name {
    /// Its path as the user gave it.
    pub path: PathBuf,
    /// The folder: the log host of lines that name none.
    pub folder: String,
}
