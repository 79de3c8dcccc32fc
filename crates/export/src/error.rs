//! The one error of this crate.

use std::{fmt, io};

/// The outcome of writing.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The file, pipe or folder did not take it; see [`Error::io`].
    Io,
    /// The Parquet writer refused a step.
    Parquet,
    /// The report has no table of that name.
    NoSuchTable,
    /// The format has no form for attempts.
    NoAttempts,
}

/// An error with its kind.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    io: Option<io::Error>,
}

impl Error {
    pub(crate) fn no_such_table(name: &str) -> Self {
        let known: Vec<_> = bouncestat_aggregation::schema::TABLES.iter().map(|t| t.name).collect();
        Self { kind: ErrorKind::NoSuchTable, message: format!("no table {name:?}; there are {}", known.join(", ")), io: None }
    }

    pub(crate) fn no_attempts(format: &str) -> Self {
        Self {
            kind: ErrorKind::NoAttempts,
            message: format!("{format} is a format of the report, and has none for attempts"),
            io: None,
        }
    }

    /// The same error, naming what was written.
    pub(crate) fn at(mut self, place: &std::path::Path) -> Self {
        self.message = format!("{}: {}", place.display(), self.message);
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The operating system's error, where there is one.
    pub fn io(&self) -> Option<&io::Error> {
        self.io.as_ref()
    }

    /// Whether the reader of a pipe went away: no fault, and nothing to say about it.
    pub fn is_broken_pipe(&self) -> bool {
        self.io.as_ref().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.io.as_ref().map(|e| e as _)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self { kind: ErrorKind::Io, message: error.to_string(), io: Some(error) }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        io::Error::from(error).into()
    }
}

impl From<csv::Error> for Error {
    fn from(error: csv::Error) -> Self {
        // The general conversion would hide the kind of the error, a broken pipe too.
        match error.into_kind() {
            csv::ErrorKind::Io(io) => io.into(),
            other => io::Error::other(format!("csv: {other:?}")).into(),
        }
    }
}

impl From<parquet::errors::ParquetError> for Error {
    fn from(error: parquet::errors::ParquetError) -> Self {
        // The writer wraps what the file said.
        match error {
            parquet::errors::ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(io) => (*io).into(),
                Err(other) => Self { kind: ErrorKind::Parquet, message: other.to_string(), io: None },
            },
            other => Self { kind: ErrorKind::Parquet, message: other.to_string(), io: None },
        }
    }
}
