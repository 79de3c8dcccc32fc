//! A run that failed, for those who read JSON: what is wrong, with which file, and what can be done.

use std::fmt;
use std::path::PathBuf;

use bouncestat_ingest::input::Problem;
use serde_json::{Value, json};

/// What is wrong with one file.
#[derive(Debug)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// With which file.
    pub file: PathBuf,
    /// What can be done; empty where there is nothing to say.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.message)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "; {}", self.remedy) }
    }
}

impl std::error::Error for Fault {}

/// Nothing could be read; the problems were said already.
#[derive(Debug)]
pub struct Nothing(pub Vec<Problem>);

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing could be read")
    }
}

impl std::error::Error for Nothing {}

/// An error with its causes in one line. A cause that is said already is not said twice.
pub fn words(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(|cause| cause.to_string()) {
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

/// The payload of a failed run with `--format json`.
pub fn json(message: &str, error: Option<&anyhow::Error>, code: u8) -> Value {
    let fault = error.and_then(|e| e.downcast_ref::<Fault>());
    let problems = error.and_then(|e| e.downcast_ref::<Nothing>()).map_or(&[][..], |nothing| &nothing.0);
    let one = |p: &Problem| json!({"file": p.path.display().to_string(), "error": p.message, "remedy": text(&p.remedy)});
    let failures: Vec<Value> = problems.iter().filter(|p| p.is_failure()).map(one).collect();
    let first = failures.first();
    let of_first = |key: &str| first.map_or(Value::Null, |first| first[key].clone());
    json!({
        "error": fault.map_or(message, |fault| &fault.message),
        "file": fault.map_or_else(|| of_first("file"), |fault| fault.file.display().to_string().into()),
        "remedy": fault.map_or_else(|| of_first("remedy"), |fault| text(&fault.remedy)),
        "problems": failures,
        "exit_code": code,
        "version": env!("CARGO_PKG_VERSION"),
    })
}

fn text(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cause_is_said_twice() {
        let error = anyhow::anyhow!("no such folder").context("x: no such folder").context("--export x");
        assert_eq!(words(&error), "--export x: x: no such folder");
    }
}
