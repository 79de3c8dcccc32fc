//! Checks a dataset: that every file is there and is what was written, and that its numbers fit each other.

use std::collections::HashSet;
use std::path::PathBuf;

use bouncestat_aggregation::{AttemptBatch, Batch, Meta};
use bouncestat_export::parquet_rows;
use bouncestat_ingest::run::Consumer;

use super::Tidy;
use super::compact::is_whole;
use super::near::CameFrom;
use super::reclassify::differ;
use crate::dataset::{FOLDERS, NEW, is_ours};
use crate::disk::files_below;
use crate::manifest::{DayFile, FileEntry, Lines, MANIFEST, Segment};
use crate::view::Day;
use crate::{Error, Result};

/// What is known of a dataset's files.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// How many files were checked.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// What a file is in a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Messages of a segment.
    Messages,
    /// Ids of a segment.
    Ids,
    /// Attempts.
    Attempts,
    /// Open messages and checkpoints.
    State,
    /// Nothing: it does not belong to the dataset.
    Leftover,
}

impl Role {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Ids => "ids",
            Self::Attempts => "attempts",
            Self::State => "state",
            Self::Leftover => "leftover",
        }
    }

    /// What can be done about a damaged file.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Messages => {
                "--repair keeps the messages that can be read, and puts the file aside; or restore it from a backup"
            }
            Self::Ids => "--repair makes it again from the messages",
            Self::Attempts => "--repair makes it again from the messages",
            Self::State => {
                "restore it from a backup of the same day; without it nothing can be collected here, unless --repair --forget begins anew"
            }
            Self::Leftover => "the next collect takes it away",
        }
    }
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, below the dataset's folder.
    pub file: String,
    /// What it is.
    pub role: Role,
    /// What is wrong.
    pub what: String,
    /// What can be done.
    pub remedy: String,
    /// Whether something is damaged; a leftover of a stopped run does no harm.
    pub damaged: bool,
}

impl Finding {
    fn new(entry: &FileEntry, role: Role, what: impl Into<String>) -> Self {
        Self { file: entry.file.clone(), role, what: what.into(), remedy: role.remedy().to_owned(), damaged: true }
    }
}

impl Tidy {
    /// Checks everything. With `deep`, attempts are made again and compared with those on the disk.
    pub fn verify<C: Consumer<Part = (AttemptBatch, Batch)>>(&mut self, deep: bool, rows: &C, meta: &Meta) -> Result<Verified> {
        let mut found = Verified::default();
        let segments = self.dataset.manifest.segments.clone();
        let mut deep = deep && self.state_is_lost.is_none();
        for segment in &segments {
            if let Some(file) = &segment.messages
                && self.file(&mut found, file, Role::Messages)
            {
                self.messages(&mut found, segment, file);
            }
            if self.file(&mut found, &segment.ids, Role::Ids)
                && let Err(error) = self.dataset.ids(segment)
            {
                found.findings.push(Finding::new(&segment.ids, Role::Ids, error.what()));
            }
            if let Some(what) = wrong_lines(&segment.lines) {
                let remedy = "tell the authors: no damage of a file does that".to_owned();
                found.findings.push(Finding { remedy, ..Finding::new(&segment.ids, Role::Ids, what) });
            }
            if let Some(sums) = &segment.sums {
                self.file(&mut found, &sums.entry, Role::Attempts);
            }
            self.day_files(&mut found, &segment.attempts);
        }
        if let Some(state) = self.dataset.manifest.state.clone() {
            if self.file(&mut found, &state.entry, Role::State)
                && let Some(error) = &self.state_is_lost
            {
                found.findings.push(Finding::new(&state.entry, Role::State, error.what()));
            }
            self.day_files(&mut found, &state.attempts);
        }
        self.leftovers(&mut found);
        deep &= !found.findings.iter().any(|finding| finding.damaged);
        if deep {
            let came_from = self.came_from();
            for segment in &segments {
                self.deep(&mut found, segment, &came_from, rows, meta)?;
            }
            if let Some(state) = self.dataset.manifest.state.clone() {
                let days = self.open_days(&came_from, rows, meta)?;
                self.compare(&mut found, &state.entry, &state.attempts, &days, state.rules == meta.rules);
            }
        }
        Ok(found)
    }

    /// Whether a file is what was written; what is wrong with it is noted.
    fn file(&self, found: &mut Verified, entry: &FileEntry, role: Role) -> bool {
        found.files += 1;
        found.bytes += entry.bytes;
        match is_whole(&self.dataset, entry) {
            Ok(()) => true,
            Err(error) => {
                found.findings.push(Finding::new(entry, role, error.what()));
                false
            }
        }
    }

    /// Whether the messages are those that the manifest tells of.
    fn messages(&self, found: &mut Verified, segment: &Segment, file: &FileEntry) {
        let (mut counts, mut span) = ((0, 0, 0), None::<(i64, i64)>);
        let mut read = || -> Result<()> {
            for contents in self.dataset.blocks(segment)?.into_iter().flatten() {
                let contents = contents?;
                let events = contents.messages().flat_map(|view| view.events.iter().map(|event| event.at));
                let rejects = contents.rejects().map(|(_, _, kept)| kept.reject.at);
                for at in events.chain(rejects) {
                    span = Some(span.map_or((at, at), |(a, b)| (a.min(at), b.max(at))));
                }
                counts.0 += contents.messages().count() as u64;
                counts.1 += contents.messages().map(|view| view.events.len() as u64).sum::<u64>();
                counts.2 += contents.rejects().count() as u64;
            }
            Ok(())
        };
        match read() {
            Err(error) => found.findings.push(Finding::new(file, Role::Messages, error.what())),
            Ok(()) if counts != segment.counts || span != segment.span => {
                let (a, b) = (counts, segment.counts);
                let what = format!(
                    "holds {} messages with {} events and {} rejects; the manifest tells of {}, {} and {}, or of another span",
                    a.0, a.1, a.2, b.0, b.1, b.2
                );
                found.findings.push(Finding::new(file, Role::Messages, what));
            }
            Ok(()) => {}
        }
    }

    /// Whether files of attempts hold as many as the manifest says.
    fn day_files(&self, found: &mut Verified, days: &[DayFile]) {
        for day in days {
            if !self.file(found, &day.entry, Role::Attempts) {
                continue;
            }
            let what = match parquet_rows(&self.dataset.path(&day.entry.file)) {
                Err(error) => error.to_string(),
                Ok(rows) if rows != day.rows => format!("holds {rows} attempts; the manifest tells of {}", day.rows),
                Ok(_) => continue,
            };
            found.findings.push(Finding::new(&day.entry, Role::Attempts, what));
        }
    }

    /// What lies in the folder and does not belong to the dataset.
    fn leftovers(&self, found: &mut Verified) {
        let dataset = &self.dataset;
        let named: HashSet<PathBuf> = dataset.manifest.files().map(|entry| dataset.path(&entry.file)).collect();
        let mut files: Vec<PathBuf> = FOLDERS.iter().flat_map(|folder| files_below(&dataset.dir.join(folder))).collect();
        files.push(dataset.dir.join(format!(".{MANIFEST}.new")));
        for file in files.into_iter().filter(|file| file.exists()) {
            let name = file.strip_prefix(&dataset.dir).unwrap_or(&file).display().to_string().replace('\\', "/");
            let (what, remedy) = match (named.contains(&file), name.ends_with(NEW), is_ours(&file) || name.ends_with(".json.new"))
            {
                (true, false, _) => continue,
                (true, true, _) => ("does not have its final name yet: a run was stopped", Role::Leftover.remedy()),
                (false, _, true) => ("does not belong to the dataset: a run was stopped", Role::Leftover.remedy()),
                (false, ..) => {
                    ("does not belong to the dataset", "who reads all files of the folder reads it, too: move it away")
                }
            };
            let role = Role::Leftover;
            found.findings.push(Finding { file: name, role, what: what.into(), remedy: remedy.into(), damaged: false });
        }
    }

    /// Whether the attempts are those that the messages give.
    fn deep<C: Consumer<Part = (AttemptBatch, Batch)>>(
        &self,
        found: &mut Verified,
        segment: &Segment,
        came_from: &CameFrom,
        rows: &C,
        meta: &Meta,
    ) -> Result<()> {
        let ids = self.dataset.ids(segment)?;
        let days = self.make().made(segment, &ids, &came_from.near(segment.span), rows, meta)?.days;
        let entry = segment.messages.as_ref().unwrap_or(&segment.ids);
        self.compare(found, entry, &segment.attempts, &days, segment.rules == meta.rules);
        Ok(())
    }

    fn compare(&self, found: &mut Verified, of: &FileEntry, files: &[DayFile], days: &[Day], same_rules: bool) {
        let remedy = "bouncestat reclassify --all makes them again; with the --rules and --quota-class of collect";
        let mut say = |entry: &FileEntry, what: String| {
            found.findings.push(Finding { remedy: remedy.to_owned(), ..Finding::new(entry, Role::Attempts, what) });
        };
        if files.len() != days.len() {
            say(of, format!("its messages have attempts on {} days, and there are files of {}", days.len(), files.len()));
        }
        for file in files {
            let Some((_, bytes, rows)) = days.iter().find(|(date, ..)| *date == file.event_date) else {
                say(&file.entry, "its messages have no attempts on that day".to_owned());
                continue;
            };
            if *rows != file.rows {
                say(&file.entry, format!("its messages have {rows} attempts on that day, and it holds {}", file.rows));
            } else if same_rules && FileEntry::of(String::new(), bytes).sha256 != file.entry.sha256 {
                // Another version of the program may write the same rows in other bytes.
                match differ(&self.dataset.path(&file.entry.file), bytes, &[]) {
                    Some(0) => {}
                    Some(n) => say(&file.entry, format!("{n} of its attempts are not what its messages give")),
                    None => say(&file.entry, "its attempts have other columns than this version gives them".to_owned()),
                }
            }
        }
    }
}

/// What is wrong with the counts of lines.
fn wrong_lines(lines: &Lines) -> Option<String> {
    let Lines { lines: all, used, for_rejects, unrecognised, .. } = *lines;
    (used + unrecognised > all || for_rejects > used).then(|| {
        format!(
            "of {all} lines {used} were used ({for_rejects} for rejects only) and {unrecognised} not understood: that cannot be"
        )
    })
}

impl Error {
    /// What is wrong, without the path.
    pub(crate) fn what(&self) -> String {
        let text = self.to_string();
        let path = format!("{}: ", self.path().display());
        text.strip_prefix(&path).unwrap_or(&text).to_owned()
    }
}
