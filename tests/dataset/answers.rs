//! What the commands say of a dataset or of logs, and what lies in a dataset's folder.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::Value;

use crate::common::{Ran, run};

/// The name of what tells which files belong to a dataset.
pub const MANIFEST: &str = "bouncestat-dataset.json";
/// The commands whose answers are compared.
const COMMANDS: [&str; 4] = ["report", "suspects", "rejects", "suppress"];

/// What the commands say: four reports as JSON, and the attempts line by line in a fixed order.
#[derive(Debug, PartialEq)]
pub struct Answers {
    reports: Vec<(&'static str, Value)>,
    /// The reports as they are written; empty where something was taken out of them.
    texts: Vec<String>,
    attempts: Vec<String>,
}

impl Answers {
    /// Of logs or of a dataset; demands that all is well.
    #[track_caller]
    pub fn of(paths: &[&str]) -> Self {
        Self::with(paths, &[])
    }

    /// The same with more options.
    #[track_caller]
    pub fn with(paths: &[&str], options: &[&str]) -> Self {
        let (mut reports, mut texts) = (Vec::new(), Vec::new());
        for command in COMMANDS {
            let ran = run(&[&[command, "--tz", "UTC", "--format", "json"], options, paths].concat()).exits(0);
            is_whole(&ran);
            reports.push((command, ran.json()));
            texts.push(ran.text().to_owned());
        }
        let ran = run(&[&["attempts", "--tz", "UTC", "--format", "jsonl"], options, paths].concat()).exits(0);
        is_whole(&ran);
        let mut attempts: Vec<String> = ran.text().lines().map(ToOwned::to_owned).collect();
        attempts.sort();
        Self { reports, texts, attempts }
    }

    /// Without what depends on how logs were cut into files: how many there are, and the places of lines.
    pub fn without_places(mut self) -> Self {
        self.texts.clear();
        for (_, report) in &mut self.reports {
            strip(report);
            assert!(report["coverage"].as_object_mut().is_some_and(|coverage| coverage.remove("files").is_some()));
        }
        let stripped = self.attempts.iter().map(|line| {
            let mut row: Value = serde_json::from_str(line).expect("attempts are JSON");
            strip(&mut row);
            row.to_string()
        });
        self.attempts = stripped.collect();
        self.attempts.sort();
        self
    }

    /// Without what tells how many lines and bytes were read: copies are lines too, for who reads all at once.
    pub fn without_coverage(mut self) -> Self {
        self.texts.clear();
        for (_, report) in &mut self.reports {
            let report = report.as_object_mut().expect("a report");
            assert!(report.remove("coverage").is_some());
            if let Some(excluded) = report.get_mut("excluded").and_then(Value::as_object_mut) {
                excluded.remove("duplicates");
            }
        }
        self
    }

    /// Without what a text that is hashed before it is judged may change: the name of the rule, which may be another one that says the same;
    /// and without the queue ids of Exchange that are message ids, for a dataset keeps these hashed in both columns.
    pub fn without_rules(mut self) -> Self {
        self.attempts = self
            .attempts
            .iter()
            .map(|line| {
                let mut row: Value = serde_json::from_str(line).expect("attempts are JSON");
                row.as_object_mut().expect("a row").remove("rule_id");
                if row["queue_id"].as_str().is_some_and(|id| id.starts_with('<')) {
                    row["queue_id"] = Value::Null;
                    row["delivery_id"] = Value::Null;
                }
                row.to_string()
            })
            .collect();
        self.attempts.sort();
        self
    }

    /// One of the reports.
    pub fn report(&self, command: &str) -> &Value {
        &self.reports.iter().find(|(name, _)| *name == command).expect("a command that is asked").1
    }

    /// The attempts.
    pub fn attempts(&self) -> &[String] {
        &self.attempts
    }

    /// Says the first thing in which both differ.
    pub fn difference(&self, other: &Self) -> Option<String> {
        for ((command, ours), (_, theirs)) in self.reports.iter().zip(&other.reports) {
            let (ours_by_key, theirs_by_key) = (ours.as_object()?, theirs.as_object()?);
            let keys: BTreeSet<&String> = ours_by_key.keys().chain(theirs_by_key.keys()).collect();
            for key in keys {
                if ours[key] != theirs[key] {
                    return Some(format!("{command}, {key}:\n  {}\n  {}", ours[key], theirs[key]));
                }
            }
        }
        let pairs = self.attempts.iter().zip(&other.attempts);
        if let Some((ours, theirs)) = pairs.into_iter().find(|(ours, theirs)| ours != theirs) {
            return Some(format!("attempts:\n  {ours}\n  {theirs}"));
        }
        (self != other).then(|| format!("texts, or {} and {} attempts", self.attempts.len(), other.attempts.len()))
    }

    /// Demands that both are equal.
    #[track_caller]
    pub fn equal(&self, other: &Self, what: &str) {
        if let Some(difference) = self.difference(other) {
            panic!("{what}: {difference}");
        }
    }
}

/// Demands that a command found nothing damaged.
#[track_caller]
fn is_whole(ran: &Ran) {
    assert!(!ran.err.contains("damaged") && !ran.err.contains("verify"), "{}", ran.err);
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in ["source_file", "source_offset", "file", "offset", "proof", "place", "evidence", "first_line"] {
                fields.remove(name);
            }
            fields.values_mut().for_each(strip);
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        _ => {}
    }
}

/// The report of a dataset, byte for byte; demands that all of it could be read.
#[track_caller]
pub fn report_of(dataset: &str) -> String {
    let ran = run(&["--tz", "UTC", "--format", "json", dataset]).exits(0);
    is_whole(&ran);
    ran.text().to_owned()
}

/// Whether there was a first commit.
pub fn is_dataset(dir: &str) -> bool {
    Path::new(dir).join(MANIFEST).is_file()
}

/// The rows of all Parquet files of attempts, in a fixed order; demands that each can be read to its end. What ends with `.new` is not
/// read, as other programs do not.
#[track_caller]
pub fn parquet_rows(dataset: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for path in files_below(&Path::new(dataset).join("attempts")) {
        if path.extension().is_some_and(|extension| extension == "new") {
            continue;
        }
        assert!(path.extension().is_some_and(|extension| extension == "parquet"), "{}", path.display());
        let reader = SerializedFileReader::new(File::open(&path).expect("it is there"));
        let reader = reader.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for row in reader.get_row_iter(None).expect("rows") {
            rows.push(row.unwrap_or_else(|e| panic!("{}: {e}", path.display())).to_string());
        }
    }
    rows.sort();
    rows
}

/// Demands that the manifest names all files of the folder, and that all are there, as long as it says.
#[track_caller]
pub fn is_tidy(dataset: &str) {
    let manifest: Value =
        serde_json::from_slice(&fs::read(Path::new(dataset).join(MANIFEST)).expect("a manifest")).expect("JSON");
    let mut named = BTreeSet::from([MANIFEST.to_owned(), ".lock".to_owned()]);
    let mut lengths = Vec::new();
    find_files(&manifest, &mut lengths);
    for (file, bytes) in &lengths {
        let length = fs::metadata(Path::new(dataset).join(file)).map(|m| m.len());
        assert!(length.as_ref().is_ok_and(|length| length == bytes), "{file}: {length:?}, not {bytes}");
        assert!(named.insert(file.clone()), "{file} is named twice");
    }
    assert!(!lengths.is_empty());
    let there: BTreeSet<String> = files_below(Path::new(dataset))
        .iter()
        .map(|path| path.strip_prefix(dataset).expect("below").to_str().expect("UTF-8").replace('\\', "/"))
        .collect();
    assert_eq!(there, named);
}

/// All that names a file in a manifest.
fn find_files(value: &Value, found: &mut Vec<(String, u64)>) {
    match value {
        Value::Object(fields) => {
            if let (Some(file), Some(bytes)) = (fields.get("file"), fields.get("bytes")) {
                found.push((file.as_str().expect("a name").to_owned(), bytes.as_u64().expect("a length")));
            }
            fields.values().for_each(|value| find_files(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| find_files(value, found)),
        _ => {}
    }
}

/// All files below a folder.
pub fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().map(|entry| entry.expect("an entry").path()) {
        match entry.is_dir() {
            true => found.extend(files_below(&entry)),
            false => found.push(entry),
        }
    }
    found.sort();
    found
}

/// Copies a folder, with the files in it; one that is not there makes none.
pub fn copy(from: &str, to: &str) {
    let _ = fs::remove_dir_all(to);
    for path in files_below(Path::new(from)) {
        let target = Path::new(to).join(path.strip_prefix(from).expect("below"));
        fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
        fs::copy(&path, target).expect("a copy");
    }
}
