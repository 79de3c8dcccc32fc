//! Every change of the dataset's folder goes through here, one numbered step after the other, so that a test can end the program at each.
//!
//! A file is written under a name that nobody reads, flushed to the disk, and then renamed. What is not here: the order of the steps,
//! which makes a commit (`commit`).

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Result};

/// Does the steps.
#[derive(Debug)]
pub struct Disk {
    /// The step at which the program ends at once, as if it were killed; 0: at none.
    stop_at: u64,
    done: AtomicU64,
}

impl Disk {
    /// Steps that all are done.
    pub fn new() -> Self {
        Self::stopping_at(0)
    }

    /// Ends the program at a step, as a kill does; for tests.
    pub fn stopping_at(stop_at: u64) -> Self {
        Self { stop_at, done: AtomicU64::new(0) }
    }

    /// How many steps were done.
    pub fn steps(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Counts a step, and ends there if that was asked for.
    fn step(&self) {
        if self.done.fetch_add(1, Ordering::Relaxed) + 1 == self.stop_at {
            std::process::abort();
        }
    }

    /// Makes a folder and those above it.
    pub fn make_dir(&self, dir: &Path) -> Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        self.step();
        fs::create_dir_all(dir).map_err(|e| Error::io(dir, &e))
    }

    /// Begins a file that is written piece by piece.
    pub fn create(&self, path: &Path) -> Result<File> {
        self.step();
        File::create(path).map_err(|e| Error::io(path, &e))
    }

    /// Adds a piece to it.
    pub fn append(&self, file: &mut File, path: &Path, bytes: &[u8]) -> Result<()> {
        // Twice, so that a test can leave half of it.
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        for half in [first, rest] {
            self.step();
            file.write_all(half).map_err(|e| Error::io(path, &e))?;
        }
        Ok(())
    }

    /// Waits until it is on the disk.
    pub fn sync(&self, file: &File, path: &Path) -> Result<()> {
        self.step();
        file.sync_all().map_err(|e| Error::io(path, &e))
    }

    /// Writes a whole file, and waits until it is on the disk.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut file = self.create(path)?;
        self.append(&mut file, path, bytes)?;
        self.sync(&file, path)
    }

    /// Puts a file in the place of another one, at once.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.step();
        fs::rename(from, to).map_err(|e| Error::io(to, &e))?;
        self.step();
        sync_folder(to);
        Ok(())
    }

    /// Gives a file a second name; where the system cannot do that, copies it.
    pub fn link(&self, from: &Path, to: &Path) -> Result<()> {
        self.step();
        if to.exists() || fs::hard_link(from, to).is_ok() {
            return Ok(());
        }
        fs::copy(from, to).map(drop).map_err(|e| Error::io(to, &e))
    }

    /// Takes a file away; one that is not there is no error.
    pub fn remove(&self, path: &Path) -> Result<()> {
        self.step();
        match fs::remove_file(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, &e)),
            _ => Ok(()),
        }
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

/// Waits until the names in the folder of a file are on the disk. Not every system can do it; then its own care must do.
fn sync_folder(file: &Path) {
    if let Some(folder) = file.parent()
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
}

/// The files below a folder, in order.
pub(crate) fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(_) => found.push(entry.path()),
                Err(_) => {}
            }
        }
    }
    found.sort();
    found
}
