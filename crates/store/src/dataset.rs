//! The dataset's folder: what is in it, how a commit becomes visible, and what is put right after a run that was killed.
//!
//! ```text
//! DIR/bouncestat-dataset.json                                    what belongs to the dataset
//! DIR/attempts/event_date=2026-11-22/00000012-00000031.parquet   attempts of a day, for everybody
//! DIR/messages/00000012.bin, 00000012-00000031.ids               whole messages as the logs tell them, and their ids
//! DIR/state/00000031.bin                                         open messages, and how far each log was read
//! DIR/quarantine/…                                               files that were damaged
//! ```
//!
//! A commit writes new files under new names, attempts with `.new` at their end; then the manifest, at once; then it takes away what
//! the new manifest does not name and gives attempts their final names. Whatever happens between two of these steps, the manifest that is
//! there names files that are there.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::disk::{Disk, files_below};
use crate::ids::Ids;
use crate::manifest::{FileEntry, MANIFEST, Manifest, Segment};
use crate::segment::Blocks;
use crate::state::Saved;
use crate::{Error, Result};

/// The folders of a dataset.
pub(crate) const FOLDERS: [&str; 3] = ["attempts", "messages", "state"];
/// What attempts end with until their commit is done.
pub(crate) const NEW: &str = ".new";

/// Whether a folder is a dataset.
pub fn is_dataset(dir: &Path) -> bool {
    dir.join(MANIFEST).is_file()
}

/// Whether a folder is a dataset that was begun, by a run that ended before its first commit.
pub fn is_begun(dir: &Path) -> bool {
    !is_dataset(dir) && dir.join(crate::lock::LOCK).is_file() && FOLDERS.iter().any(|folder| dir.join(folder).is_dir())
}

/// The folder, and what belongs to it.
#[derive(Debug)]
pub(crate) struct Dataset {
    pub dir: PathBuf,
    pub manifest: Manifest,
}

impl Dataset {
    /// The path of a file, under the name that it has now.
    pub fn path(&self, file: &str) -> PathBuf {
        let path = self.dir.join(file);
        if file.starts_with("attempts/") && !path.exists() {
            let new = PathBuf::from(format!("{}{NEW}", path.display()));
            if new.exists() {
                return new;
            }
        }
        path
    }

    /// The name under which attempts are written before their commit.
    pub fn new_path(&self, file: &str) -> PathBuf {
        self.dir.join(format!("{file}{NEW}"))
    }

    /// All bytes of a file.
    pub fn read(&self, file: &str) -> Result<Vec<u8>> {
        let path = self.path(file);
        fs::read(&path).map_err(|e| Error::io(&path, &e))
    }

    pub fn ids(&self, segment: &Segment) -> Result<Ids> {
        let path = self.path(&segment.ids.file);
        Ids::unpack(&path, &self.read(&segment.ids.file)?)
    }

    /// The messages of a segment.
    pub fn blocks(&self, segment: &Segment) -> Result<Option<Blocks>> {
        let Some(entry) = &segment.messages else { return Ok(None) };
        let path = self.path(&entry.file);
        let file = File::open(&path).map_err(|e| Error::io(&path, &e))?;
        Ok(Some(Blocks::new(path, file)))
    }

    /// What the last run left.
    pub fn saved(&self) -> Result<(Saved, PathBuf)> {
        let Some(state) = &self.manifest.state else { return Ok((Saved::default(), self.dir.join("state"))) };
        let path = self.path(&state.entry.file);
        Ok((Saved::unpack(&path, &self.read(&state.entry.file)?)?, path))
    }

    /// Makes a new manifest the one that holds, and puts names right.
    pub fn switch(&mut self, next: Manifest, disk: &Disk) -> Result<()> {
        next.write(&self.dir, disk)?;
        let before = std::mem::replace(&mut self.manifest, next);
        let named: HashSet<&str> = self.manifest.files().map(|entry| entry.file.as_str()).collect();
        // Stale attempts go before new ones come: who reads all files of the folder never reads a row twice.
        for stale in before.files().filter(|entry| !named.contains(entry.file.as_str())) {
            disk.remove(&self.dir.join(&stale.file))?;
        }
        self.settle_names(disk)
    }

    /// Gives attempts their final names.
    fn settle_names(&self, disk: &Disk) -> Result<()> {
        for entry in self.manifest.files().filter(|entry| entry.file.starts_with("attempts/")) {
            let (new, path) = (self.new_path(&entry.file), self.dir.join(&entry.file));
            if new.exists() {
                disk.rename(&new, &path)?;
            }
        }
        Ok(())
    }

    /// Puts right what a run left that was killed: takes away what no manifest names, and ends the last commit.
    pub fn recover(&self, disk: &Disk) -> Result<()> {
        let named: HashSet<PathBuf> = self.manifest.files().map(|entry| self.dir.join(&entry.file)).collect();
        let new: HashSet<PathBuf> = self.manifest.files().map(|entry| self.new_path(&entry.file)).collect();
        for folder in FOLDERS {
            for file in files_below(&self.dir.join(folder)) {
                if !named.contains(&file) && !new.contains(&file) && is_ours(&file) {
                    disk.remove(&file)?;
                }
            }
        }
        self.settle_names(disk)
    }
}

/// Whether a file has a name as this program gives: nobody else's file is ever taken away.
pub(crate) fn is_ours(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(NEW).unwrap_or(&name);
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    let digits = stem.strip_prefix("open-").unwrap_or(stem);
    ["parquet", "bin", "ids", "sums"].contains(&extension)
        && !digits.is_empty()
        && digits.split('-').all(|part| part.len() >= 8 && part.bytes().all(|b| b.is_ascii_digit()))
}

/// The file of a commit.
pub(crate) fn entry(file: String, bytes: &[u8]) -> FileEntry {
    FileEntry::of(file, bytes)
}
