//! One input as the rest of the program sees it: a path, and what the file system says of it.
//!
//! No bytes are read here. A pipe given as a path (`/dev/fd/63` of a shell's `<(zcat mail.log.2.gz)`) is a source
//! of its own kind, because it can be read only once.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::problem::{Problem, ProblemKind};

/// How the bytes of a source are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A regular file: it can be opened again, and read from its end.
    File,
    /// A named pipe, a process substitution or a device: it can be read once.
    Pipe,
    /// Standard input (`-`): it can be read once.
    Stdin,
}

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path as the user would recognise it; `-` for standard input.
    pub path: PathBuf,
    /// How it is read.
    pub kind: SourceKind,
    /// Its size in bytes as it lies on the disk (packed); none for pipes.
    pub size: Option<u64>,
    /// When it was last written.
    pub modified: Option<SystemTime>,
    /// The name of the folder it is in: the log host of logs that name none. `-` for what is no file.
    pub folder: String,
}

/// Which file a name leads to, as the system tells it: device and inode. Names are given to other files while logs rotate.
pub type Identity = (u64, u64);

/// What a file is known by; `None` where the system tells no such thing.
pub fn identity(metadata: &fs::Metadata) -> Option<Identity> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some((metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        None
    }
}

impl Source {
    /// The file to which its name leads now.
    pub fn identity(&self) -> Option<Identity> {
        if self.kind != SourceKind::File {
            return None;
        }
        identity(&fs::metadata(&self.path).ok()?)
    }

    /// A source for one path that is not a folder.
    pub fn from_path(path: &Path) -> Result<Self, Problem> {
        let metadata = fs::metadata(path).map_err(|e| Problem::from_io(path, &e))?;
        if metadata.is_dir() {
            return Err(Problem::new(
                ProblemKind::Unreadable,
                path,
                "is a folder where a file is needed",
                "name the files in it",
            ));
        }
        Ok(Self::with_metadata(path, &metadata))
    }

    /// The same, where the metadata is already known.
    pub(super) fn with_metadata(path: &Path, metadata: &Metadata) -> Self {
        let regular = metadata.is_file();
        Self {
            path: path.to_owned(),
            kind: if regular { SourceKind::File } else { SourceKind::Pipe },
            size: regular.then_some(metadata.len()),
            modified: if regular { metadata.modified().ok() } else { None },
            folder: if regular { folder_name(path) } else { "-".to_owned() },
        }
    }

    /// Standard input.
    pub fn stdin() -> Self {
        Self { path: PathBuf::from("-"), kind: SourceKind::Stdin, size: None, modified: None, folder: "-".to_owned() }
    }

    /// True where it can be opened more than once: where not, what was read is gone.
    pub fn rereadable(&self) -> bool {
        self.kind == SourceKind::File
    }
}

/// The place of a path: its folder without links and dots, its own name as it is (so a link stays a link).
pub(super) fn located(path: &Path) -> PathBuf {
    let parent = match path.parent() {
        Some(p) if p.as_os_str().is_empty() => Path::new("."),
        Some(p) => p,
        None => return path.to_owned(),
    };
    match (parent.canonicalize(), path.file_name()) {
        (Ok(parent), Some(name)) => parent.join(name),
        _ => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}

/// The name of the folder that holds `path`, however the path is spelled.
fn folder_name(path: &Path) -> String {
    match located(path).parent() {
        Some(parent) => match parent.file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => parent.display().to_string(),
        },
        None => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_does_not_depend_on_the_spelling() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("mx1");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("mail.log"), b"x\n").unwrap();
        let plain = Source::from_path(&folder.join("mail.log")).unwrap();
        let dotted = Source::from_path(&folder.join("../mx1/./mail.log")).unwrap();
        assert_eq!(plain.folder, "mx1");
        assert_eq!(dotted.folder, "mx1");
        assert_eq!(plain.size, Some(2));
        assert!(plain.rereadable());
        let problem = Source::from_path(&folder).unwrap_err();
        assert!(problem.is_failure());
    }
}
