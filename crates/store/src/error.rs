//! The one error of this crate: what failed, where, and what to do about it.

use std::path::{Path, PathBuf};
use std::{fmt, io};

/// The outcome of a step.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The system refused a step: a full disk, a folder that is not writable.
    Io,
    /// A file of the dataset is not what was written.
    Damaged,
    /// Another run is writing to the dataset.
    Locked,
    /// The folder is no dataset, or one of a later version.
    NoDataset,
    /// What is asked for does not fit the dataset.
    Mismatch,
    /// A view of the attempts could not be written.
    Export,
}

/// An error with its kind and place.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    path: PathBuf,
    message: String,
    missing: bool,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, path: &Path, message: impl Into<String>) -> Self {
        Self { kind, path: path.to_owned(), message: message.into(), missing: false }
    }

    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        let remedy = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                "; free some space and run again: nothing was lost, nothing will be counted twice"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "; give the user that runs this the right to write there"
            }
            _ => "",
        };
        let missing = error.kind() == io::ErrorKind::NotFound;
        Self { missing, ..Self::new(ErrorKind::Io, path, format!("{error}{remedy}")) }
    }

    pub(crate) fn damaged(path: &Path, what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Damaged, path, format!("is damaged: {what}"))
    }

    /// The same, with what can be done, where a file is damaged or missing.
    pub(crate) fn and(mut self, remedy: &str) -> Self {
        if self.is_of_file() {
            self.message = format!("{}; {remedy}", self.message);
        }
        self
    }

    /// Whether a file of the dataset is damaged or missing.
    pub(crate) fn is_of_file(&self) -> bool {
        self.kind == ErrorKind::Damaged || self.missing
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The file or folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.message)
    }
}

impl std::error::Error for Error {}
