//! A line that a rotation cut in two: half of it ends one file, the rest begins the next file of the same set.
//!
//! `… 4jXVcG2tc6z1XXTY: to=<u0@ok.te` ends `mail.log.1`, `st>, relay=mx.ok.test[127.0.1.10]:25, …` begins `mail.log`.
//!
//! The halves are put together, as a line of the first file, only where that is proved: the first file does not end with a line end, the
//! first line of the second has no stamp of its own, and the two together are a line that has one. What is not here: parts that are
//! lines of their own (`rejoin`).

use memchr::{memchr, memrchr};

use crate::framing::{self, Stamp, wrap};
use crate::input::{self, ChunkOptions, Chunks, Source, SourceKind, rotation_rank};
use crate::plan::PlannedFile;

/// What is known of the ends and beginnings of the files of a run.
pub(super) struct Halves {
    files: Vec<File>,
}

struct File {
    source: Source,
    /// Whether it is read from its beginning.
    whole: bool,
    /// The next file of the same set.
    next: Option<usize>,
    /// So many of its first bytes belong to the file before.
    taken: usize,
    /// How much of it was passed over already.
    passed: usize,
    /// So many bytes of the next file were put to its end.
    given: u64,
}

impl Halves {
    /// Files are in the order of their beginnings.
    pub fn new(files: &[PlannedFile]) -> Self {
        let set = |file: &PlannedFile| {
            let name = file.source.path.file_name().unwrap_or_default().to_string_lossy();
            // A file that holds nothing but the rest of a line shows no server yet.
            (file.source.kind == SourceKind::File)
                .then(|| (file.source.path.parent().map(ToOwned::to_owned), rotation_rank(&name).set))
        };
        let mut files: Vec<(Option<_>, File)> = files
            .iter()
            .map(|file| {
                (
                    set(file),
                    File { source: file.source.clone(), whole: file.from == 0, next: None, taken: 0, passed: 0, given: 0 },
                )
            })
            .collect();
        let mut latest = std::collections::HashMap::new();
        for (i, (set, file)) in files.iter_mut().enumerate().rev() {
            if let Some(set) = set.take() {
                file.next = latest.insert(set, i);
            }
        }
        Self { files: files.into_iter().map(|(_, file)| file).collect() }
    }

    /// A chunk without what belongs to the file before, and with the rest of its last line.
    pub fn mend(&mut self, file: usize, mut data: Vec<u8>, mut offset: u64, last: bool) -> (Vec<u8>, u64) {
        let state = &mut self.files[file];
        let over = (state.taken - state.passed).min(data.len());
        if over > 0 {
            data.drain(..over);
            offset += over as u64;
            state.passed += over;
        }
        if last
            && data.last().is_some_and(|b| *b != b'\n')
            && let Some(rest) = self.rest(file, &data)
        {
            self.files[file].given = rest.len() as u64;
            data.extend_from_slice(&rest);
        }
        (data, offset)
    }

    /// The length of a file of `unpacked` bytes, with what it got and without what it gave.
    pub fn length(&self, file: usize, unpacked: u64) -> u64 {
        (unpacked + self.files[file].given).saturating_sub(self.files[file].taken as u64)
    }

    /// The rest of the last line of a file, with its line end.
    fn rest(&mut self, file: usize, data: &[u8]) -> Option<Vec<u8>> {
        let half = &data[memrchr(b'\n', data).map_or(0, |i| i + 1)..];
        let next = self.files[file].next.filter(|next| self.files[*next].whole)?;
        let reader = input::open(&self.files[next].source).ok()?;
        let first = Chunks::new(reader, ChunkOptions { target: 64 << 10, ..ChunkOptions::default() }).next()?;
        let end = memchr(b'\n', &first.data)?;
        let rest = &first.data[..=end];
        let whole = [half, &rest[..end]].concat();
        if first.offset > 3 || has_stamp(rest) || !has_stamp(&whole) || half.len() > (64 << 10) {
            return None;
        }
        self.files[next].taken = rest.len();
        Some(rest.to_vec())
    }
}

/// Whether a line begins as a line of a log does.
pub fn has_stamp(line: &[u8]) -> bool {
    line.first() == Some(&b'#') || Stamp::read(line).is_some() || framing::syslog(line).is_some() || wrap::inner(line).is_some()
}
