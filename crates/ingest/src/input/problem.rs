//! What went wrong with one input: which file, where in it, and what to do about it.
//!
//! A problem is a finding, not an error that ends a run: the rest is read and reported. This file decides
//! only which findings are failures (exit 3) and which are hints (exit 0); the CLI prints them and exits.
//!
//! ```text
//! mail.log.2.gz: the gz data ends early (at byte 81920 of the unpacked text); copy the file again…
//! ```

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What kind of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// Nothing is at this path.
    NotFound,
    /// A pattern matches nothing.
    NoMatch,
    /// It is there, and the system does not let us read it.
    Unreadable,
    /// A packed file (or UTF-16 text) stops in the middle.
    Truncated,
    /// A packed file is damaged.
    Corrupt,
    /// An archive or a compression that is not read here: it may well hold a log.
    Archive,
    /// The file has no bytes, packed or plain.
    EmptyFile,
    /// The folder has no file that could be a log.
    EmptyFolder,
    /// Binary data, or a format that is no mail log.
    NotALog,
    /// Bytes without meaning after a whole packed file; nothing is lost.
    TrailingData,
    /// Lines longer than the limit were cut.
    LongLine,
}

impl ProblemKind {
    /// True where part of the asked-for input could not be read (exit 3); false for a hint (exit 0).
    pub fn is_failure(self) -> bool {
        match self {
            Self::NotFound | Self::NoMatch | Self::Unreadable | Self::Truncated | Self::Corrupt | Self::Archive => true,
            Self::EmptyFile | Self::EmptyFolder | Self::NotALog | Self::TrailingData | Self::LongLine => false,
        }
    }
}

/// One problem with one input. [`fmt::Display`] gives one line: file, what, place, remedy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The path as the user would recognise it.
    pub path: PathBuf,
    /// The kind, which decides between failure and hint.
    pub kind: ProblemKind,
    /// How many bytes of unpacked text come before it, where it has a place.
    pub offset: Option<u64>,
    /// What was found.
    pub message: String,
    /// What the user can do.
    pub remedy: String,
}

impl Problem {
    /// A problem without a place inside the file.
    pub fn new(kind: ProblemKind, path: &Path, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { path: path.to_owned(), kind, offset: None, message: message.into(), remedy: remedy.into() }
    }

    /// The same, with the number of unpacked bytes before it.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// See [`ProblemKind::is_failure`].
    pub fn is_failure(&self) -> bool {
        self.kind.is_failure()
    }

    /// What the system said, in the user's words.
    pub fn from_io(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => {
                Self::new(ProblemKind::NotFound, path, "there is no such file or folder", not_found_remedy(path))
            }
            io::ErrorKind::PermissionDenied => Self::new(
                ProblemKind::Unreadable,
                path,
                "permission denied",
                "run as a user who may read it (on Debian: a member of the group adm), or with sudo",
            ),
            _ => Self::new(
                ProblemKind::Unreadable,
                path,
                format!("cannot be read: {error}"),
                "check the disk or the mount, then run again",
            ),
        }
    }
}

/// The deepest thing that does exist is the best hint to a misspelt path.
fn not_found_remedy(path: &Path) -> String {
    if path.symlink_metadata().is_ok_and(|m| m.file_type().is_symlink()) {
        return "it is a link to something that is gone: mend or remove the link".to_owned();
    }
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() || parent.exists() => "check the spelling of the name".to_owned(),
        Some(parent) => format!("the folder {} does not exist either", parent.display()),
        None => "check the spelling".to_owned(),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A file name may hold anything, even a line feed or an escape sequence for the terminal.
        for c in self.path.to_string_lossy().chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        write!(f, ": {}", self.message)?;
        if let Some(offset) = self.offset {
            write!(f, " (at byte {offset} of the unpacked text)")?;
        }
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_clear_line() {
        let problem =
            Problem::new(ProblemKind::Truncated, Path::new("a\nb.gz"), "the gz data ends early", "copy the file again").at(42);
        assert_eq!(
            problem.to_string(),
            "a\\nb.gz: the gz data ends early (at byte 42 of the unpacked text); copy the file again"
        );
        assert!(problem.is_failure());
    }

    #[test]
    fn a_missing_file_names_the_missing_folder() {
        let error = io::Error::from(io::ErrorKind::NotFound);
        let problem = Problem::from_io(Path::new("no-such-folder/mail.log"), &error);
        assert_eq!(problem.kind, ProblemKind::NotFound);
        assert!(problem.remedy.contains("no-such-folder"), "{problem}");
        let problem = Problem::from_io(Path::new("no-such.log"), &error);
        assert!(problem.remedy.contains("spelling"), "{problem}");
    }
}
