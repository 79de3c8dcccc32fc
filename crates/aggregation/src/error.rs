//! The one error of this crate.

use std::fmt;

/// The outcome of a step of the aggregation.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Numbers that must add up do not: a fault of the program, never of the log.
    Identity,
    /// polars refused a step.
    Polars,
}

/// An error with its kind and a sentence that names the place.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    pub(crate) fn identity(message: String) -> Self {
        Self { kind: ErrorKind::Identity, message }
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<polars::prelude::PolarsError> for Error {
    fn from(error: polars::prelude::PolarsError) -> Self {
        Self { kind: ErrorKind::Polars, message: format!("polars: {error}") }
    }
}
