//! Where the payload goes: standard output, or a file that appears only when it is whole.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::fault::Fault;

/// A place for the payload.
pub enum Output {
    /// Standard output.
    Stdout,
    /// What is no file that could be replaced: a device, a pipe.
    Direct { path: PathBuf },
    /// A file, written beside itself first.
    File { path: PathBuf, part: PathBuf },
}

impl Output {
    /// What `-o` names.
    pub fn new(path: Option<&Path>) -> Self {
        match path.filter(|p| *p != Path::new("-")) {
            None => Self::Stdout,
            Some(path) if path.metadata().is_ok_and(|there| !there.is_file()) => Self::Direct { path: path.to_owned() },
            Some(path) => {
                // A link stays a link: what it leads to is written.
                let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
                let mut part = path.as_os_str().to_owned();
                part.push(format!(".{}.part", std::process::id()));
                Self::File { path, part: part.into() }
            }
        }
    }

    /// Opens it.
    pub fn open(&self) -> Result<Box<dyn Write + Send>> {
        Ok(match self {
            Self::Stdout => Box::new(BufWriter::with_capacity(1 << 16, io::stdout())),
            Self::Direct { path } => {
                let file =
                    File::options().write(true).open(path).with_context(|| format!("{}: cannot be written", path.display()))?;
                Box::new(BufWriter::with_capacity(1 << 16, file))
            }
            Self::File { path, part } => {
                let file = File::create(part).map_err(|error| not_written(path, &error))?;
                Box::new(BufWriter::with_capacity(1 << 16, file))
            }
        })
    }

    /// Makes a whole file appear.
    pub fn commit(&self) -> Result<()> {
        if let Self::File { path, part } = self {
            std::fs::rename(part, path).with_context(|| format!("{}: cannot be written", path.display()))?;
        }
        Ok(())
    }
}

impl Drop for Output {
    /// Takes away a file that did not become whole.
    fn drop(&mut self) {
        if let Self::File { part, .. } = self {
            let _ = std::fs::remove_file(part);
        }
    }
}

/// Why a file cannot be written, and what can be done.
fn not_written(path: &Path, error: &io::Error) -> Fault {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let remedy = match (error.kind(), folder) {
        (io::ErrorKind::NotFound, Some(folder)) => format!("the folder {} does not exist", folder.display()),
        _ => String::new(),
    };
    Fault { message: format!("cannot be written: {error}"), file: path.to_owned(), remedy }
}

/// Makes the folder of `--export`, before anything is read.
pub fn export_folder(dir: &Path) -> Result<()> {
    let wrong = |message: String, remedy: &str| Fault { message, file: dir.to_owned(), remedy: remedy.to_owned() };
    if dir.metadata().is_ok_and(|there| !there.is_dir()) {
        return Err(wrong("--export needs a folder, and this is a file".into(), "name another folder").into());
    }
    std::fs::create_dir_all(dir).map_err(|error| wrong(format!("the folder of --export cannot be made: {error}"), ""))?;
    // Where nothing can be written, that is said before hours of reading.
    let probe = dir.join(format!(".bouncestat.{}.tmp", std::process::id()));
    let written = File::create(&probe).and_then(|_| std::fs::remove_file(&probe));
    Ok(written.map_err(|error| wrong(format!("--export cannot write into it: {error}"), ""))?)
}

/// Whether the reader of our output went away, which is no error.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
            || cause.downcast_ref::<bouncestat_export::Error>().is_some_and(bouncestat_export::Error::is_broken_pipe)
    })
}
