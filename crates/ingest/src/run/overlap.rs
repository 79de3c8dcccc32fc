//! Files whose lines stand in another file too: a log and its packed copy, copytruncate's leftovers, two logs of one daemon.
//!
//! Two pieces of one log overlap from where the later one begins: its first lines stand in the earlier one. So the first lines of each
//! file are looked for in the files that begin before it, and only where they are found are the lines of both compared. What counts is
//! how often a line stands in one file: equal lines inside one file are real. A few equal lines prove nothing in two pieces of one log:
//! one that is rotated between two equal tries of one second has one on each side. They do where the pieces begin with the same line,
//! and in files that are no pieces of one log (`mail.err` beside `mail.log`).

use std::collections::{HashMap, HashSet};

use bouncestat_record::Mta;
use bouncestat_record::time::Micros;

use crate::input::rotation_rank;
use crate::join::scan::{LineGuard, Scan};
use crate::join::{ByHash, HashSet64};
use crate::plan::PlannedFile;

/// What is known of the files of a run.
#[derive(Default)]
pub(super) struct Overlaps {
    files: Vec<File>,
    /// Their places in the plan, by number.
    places: HashMap<u32, usize>,
    /// The files that begin with a line.
    begins: ByHash<Vec<u32>>,
    /// How often each line of an overlapping part stands in one of the files read so far.
    known: ByHash<u32>,
    /// The file that is being read.
    current: usize,
    /// Its lines, from the first that a later file begins with.
    counts: ByHash<u32>,
    /// Which of their first lines it holds, of later files.
    matched: HashMap<u32, HashSet64>,
    /// How often each line of it was compared.
    compared: ByHash<u32>,
}

#[derive(Clone, Default)]
struct File {
    /// A later file may begin inside this one.
    watched: bool,
    /// An earlier file holds its first lines.
    guarded: bool,
    /// The first of its lines that are looked for.
    first: Option<u64>,
    /// How many of its first lines are looked for, each counted once.
    probes: usize,
    /// The log that it is a piece of: the folder, and the name without its marks of rotation.
    log: (String, String),
}

impl File {
    fn new(file: &PlannedFile) -> Self {
        let name = file.source.path.file_name().unwrap_or_default().to_string_lossy();
        Self {
            first: file.probes.first().copied(),
            probes: file.probes.iter().collect::<HashSet<_>>().len(),
            log: (file.source.folder.clone(), rotation_rank(&name).set),
            ..Self::default()
        }
    }

    /// Whether a few of its first lines in an earlier file prove that the two overlap.
    fn few_are_enough(&self, earlier: &Self) -> bool {
        self.log != earlier.log || self.first == earlier.first
    }
}

/// So many of a file's first lines in another one prove that the two overlap, even if most are not there.
const ENOUGH: usize = 4;

impl Overlaps {
    /// Finds out which files may overlap, by their times; files are in the order of their beginnings.
    pub fn new(files: &[PlannedFile]) -> Self {
        let mut begins: ByHash<Vec<u32>> = ByHash::default();
        for (i, file) in files.iter().enumerate() {
            for probe in &file.probes {
                let begins = begins.entry(*probe).or_default();
                if begins.last() != Some(&(i as u32)) {
                    begins.push(i as u32);
                }
            }
        }
        // The soonest beginning behind each file, by server; a file without a beginning may stand anywhere.
        let mut next: Vec<(Mta, Option<Micros>)> = Vec::new();
        let mut states: Vec<File> = files.iter().map(File::new).collect();
        for (i, file) in files.iter().enumerate().rev() {
            let Some(mta) = file.mta else { continue };
            let later = next.iter_mut().find(|(m, _)| *m == mta);
            states[i].watched =
                later.as_ref().is_some_and(|(_, start)| file.end.is_none_or(|end| start.is_none_or(|s| s <= end)));
            match later {
                Some((_, start)) => *start = start.zip(file.start).map(|(a, b)| a.min(b)),
                None => next.push((mta, file.start)),
            }
        }
        let places = files.iter().enumerate().map(|(place, file)| (file.number, place)).collect();
        Self { files: states, places, begins, ..Self::default() }
    }

    /// Whether the hashes of a file's lines are needed.
    pub fn is_watched(&self, file: u32) -> bool {
        self.files[self.places[&file]].watched
    }

    /// Whether lines of a file stand in earlier files, as far as is known.
    pub fn is_guarded(&self, file: u32) -> bool {
        self.files[self.places[&file]].guarded
    }

    /// Tells the duplicates of a file that is guarded.
    pub fn guard(&mut self) -> Guard<'_> {
        Guard { known: &self.known, compared: &mut self.compared }
    }

    /// Begins with a file: if another one was read before, that one is read to its end, and its lines are known now.
    pub fn begin(&mut self, file: u32) {
        let file = self.places[&file];
        if file == self.current {
            return;
        }
        let overlaps = self.matched.keys().any(|j| self.files[*j as usize].guarded);
        for (hash, count) in self.counts.drain().filter(|_| overlaps) {
            let known = self.known.entry(hash).or_default();
            *known = (*known).max(count);
        }
        self.matched.clear();
        self.compared = ByHash::default();
        self.current = file;
    }

    /// Takes the hashes of the next scan, in the order of the log.
    pub fn saw(&mut self, scan: &Scan) {
        let at = self.places[&scan.file()] as u32;
        for hash in &scan.line_hashes {
            for later in self.begins.get(hash).into_iter().flatten().filter(|j| **j > at) {
                let matched = self.matched.entry(*later).or_default();
                matched.insert(*hash);
                let file = &self.files[*later as usize];
                let few = matched.len() * 2 > file.probes && file.few_are_enough(&self.files[at as usize]);
                self.files[*later as usize].guarded |= few || matched.len() >= ENOUGH;
            }
            // Lines before the first that a later file begins with cannot stand in that file.
            if !self.matched.is_empty() {
                *self.counts.entry(*hash).or_default() += 1;
            }
        }
    }
}

/// Tells the duplicates of one file.
pub(super) struct Guard<'o> {
    known: &'o ByHash<u32>,
    compared: &'o mut ByHash<u32>,
}

impl LineGuard for Guard<'_> {
    fn is_duplicate(&mut self, hash: u64) -> bool {
        let Some(known) = self.known.get(&hash) else { return false };
        let compared = self.compared.entry(hash).or_default();
        *compared += 1;
        *compared <= *known
    }
}
