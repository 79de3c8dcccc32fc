//! Files whose lines stand in another file too: a log and its packed copy, copytruncate's leftovers, two logs of one daemon.
//!
//! Two pieces of one log overlap from where the later one begins: its first lines stand in the earlier one. So the first lines of each
//! file are looked for in the files that begin before it, and only where they are found are the lines of both compared. What counts is
//! how often a line stands in one file: equal lines inside one file are real.

use crate::join::scan::{LineGuard, Scan};
use crate::join::{ByHash, HashSet64};
use crate::plan::PlannedFile;

/// What is known of the files of a run.
pub(super) struct Overlaps {
    files: Vec<File>,
    /// How often each line of an overlapping part stands in one of the files read so far.
    known: ByHash<u32>,
    /// The file that is being read, and its lines from where a later file begins.
    current: usize,
    counts: ByHash<u32>,
}

struct File {
    /// Later files that may begin inside this one.
    later: Vec<usize>,
    probes: HashSet64,
    /// An earlier file holds its first lines.
    guarded: bool,
    /// A later file's first lines were found in it.
    found: bool,
    /// How often each of its lines was seen, where it is guarded.
    seen: ByHash<u32>,
}

impl Overlaps {
    /// Finds out which files may overlap, by their times; files are in the order of their beginnings.
    pub fn new(files: &[PlannedFile]) -> Self {
        let may_hold = |a: &PlannedFile, b: &PlannedFile| {
            a.mta.is_some() && a.mta == b.mta && !b.probes.is_empty() && a.end.is_none_or(|end| b.start.is_some_and(|start| start <= end))
        };
        let files = files
            .iter()
            .enumerate()
            .map(|(i, file)| File {
                later: (i + 1..files.len()).filter(|j| may_hold(file, &files[*j])).collect(),
                probes: file.probes.iter().copied().collect(),
                guarded: false,
                found: false,
                seen: ByHash::default(),
            })
            .collect();
        Self { files, known: ByHash::default(), current: 0, counts: ByHash::default() }
    }

    /// Which files must wait until everything before them is read.
    pub fn barriers(&self) -> Vec<bool> {
        let mut barriers = vec![false; self.files.len()];
        for later in self.files.iter().flat_map(|file| &file.later) {
            barriers[*later] = true;
        }
        barriers
    }

    /// Whether the hashes of a file's lines are needed.
    pub fn is_watched(&self, file: u32) -> bool {
        !self.files[file as usize].later.is_empty()
    }

    /// Whether lines of a file stand in earlier files.
    pub fn is_guarded(&self, file: u32) -> bool {
        self.files[file as usize].guarded
    }

    /// What tells the duplicates of a file; `None` where it has none.
    pub fn guard(&mut self, file: u32) -> Option<Guard<'_>> {
        let file = &mut self.files[file as usize];
        file.guarded.then_some(Guard { known: &self.known, seen: &mut file.seen })
    }

    /// Takes the hashes of the next scan, in the order of the log.
    pub fn saw(&mut self, scan: &Scan) {
        let at = scan.file() as usize;
        self.begin(scan.file());
        if scan.line_hashes.is_empty() || self.files[at].later.is_empty() {
            return;
        }
        let mut from = if self.files[at].found { Some(0) } else { None };
        let later = self.files[at].later.clone();
        for j in later {
            if self.files[j].guarded && from == Some(0) {
                continue;
            }
            if let Some(first) = scan.line_hashes.iter().position(|hash| self.files[j].probes.contains(hash)) {
                self.files[j].guarded = true;
                from = Some(from.map_or(first, |f: usize| f.min(first)));
            }
        }
        if let Some(from) = from {
            self.files[at].found = true;
            for hash in &scan.line_hashes[from..] {
                *self.counts.entry(*hash).or_default() += 1;
            }
        }
    }

    /// Begins with a file: if another one was read before, that one is read to its end, and its lines are known now.
    pub fn begin(&mut self, file: u32) {
        let at = file as usize;
        if at == self.current {
            return;
        }
        for (hash, count) in self.counts.drain() {
            let known = self.known.entry(hash).or_default();
            *known = (*known).max(count);
        }
        self.files[self.current].seen = ByHash::default();
        self.current = at;
    }
}

/// Tells the duplicates of one file.
pub(super) struct Guard<'o> {
    known: &'o ByHash<u32>,
    seen: &'o mut ByHash<u32>,
}

impl LineGuard for Guard<'_> {
    fn is_duplicate(&mut self, hash: u64) -> bool {
        let Some(known) = self.known.get(&hash) else { return false };
        let seen = self.seen.entry(hash).or_default();
        *seen += 1;
        *seen <= *known
    }
}
