//! Attempts as a folder of Parquet files, one folder a day, as Hive names them: `event_date=2026-11-22/attempts.parquet`.
//!
//! DuckDB, Spark, Athena, Trino and pyarrow read the day from the folder's name and open only the days that a query needs. Days are UTC. The column
//! `event_date` itself is not in the files. What is not here: adding to files of an earlier run. A day that is written again is replaced as a whole, but never by
//! fewer attempts than it has: the logs of its first hours may be gone by now.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use bouncestat_aggregation::{ATTEMPTS_PER_BATCH, Data, Frame, Meta, schema};
use serde_json::json;

use crate::dir::{columns, head, write_whole};
use crate::parquet::RowGroups;
use crate::text::push_date;
use crate::{AttemptSink, Error, Result};

/// The column that the folders' names tell.
const DAY: &str = "event_date";
/// The name of the file in each folder.
const FILE: &str = "attempts.parquet";
/// Rows that may wait, in all days together, before the fullest day is written: bounds the memory.
const MOST_WAITING: usize = 4 * ATTEMPTS_PER_BATCH;

/// Writes attempts by day.
pub struct Partitions {
    dir: PathBuf,
    redaction: String,
    days: BTreeMap<i32, Day>,
    kept: Kept,
}

/// Days that were left as they are, because they hold more attempts than were given now: filled when the sink is finished.
pub type Kept = Arc<Mutex<Vec<String>>>;

/// The file of a day, under its temporary name until it is whole.
struct Day {
    out: RowGroups<BufWriter<File>>,
    rows: u64,
    temporary: PathBuf,
    path: PathBuf,
}

impl Partitions {
    /// Begins a folder, which is made where it is missing; `redaction`: what was done to addresses, for the metadata.
    pub fn begin(dir: &Path, redaction: &str) -> Result<Self> {
        fs::create_dir_all(dir).map_err(|e| Error::from(e).at(dir))?;
        Ok(Self { dir: dir.to_owned(), redaction: redaction.to_owned(), days: BTreeMap::new(), kept: Kept::default() })
    }

    /// Where the days will stand that were left as they are.
    pub fn kept(&self) -> Kept {
        self.kept.clone()
    }

    /// The file of a day.
    fn day(&mut self, day: i32) -> Result<&mut Day> {
        if !self.days.contains_key(&day) {
            let folder = self.dir.join(folder(day));
            let temporary = folder.join(format!(".{FILE}.{}.tmp", std::process::id()));
            let open = || {
                fs::create_dir_all(&folder)?;
                File::create(&temporary)
            };
            let file = open().map_err(|e| Error::from(e).at(&temporary))?;
            let out = RowGroups::begin(&schema::ATTEMPTS, Some(DAY), BufWriter::new(file), &self.redaction)?;
            self.days.insert(day, Day { out, rows: 0, temporary, path: folder.join(FILE) });
        }
        Ok(self.days.get_mut(&day).expect("it was put there"))
    }

    /// Writes the fullest day while too many rows wait.
    fn make_room(&mut self) -> Result<()> {
        while self.days.values().map(|day| day.out.waiting()).sum::<usize>() > MOST_WAITING {
            let fullest = self.days.values_mut().max_by_key(|day| day.out.waiting()).expect("rows wait somewhere");
            fullest.out.row_group()?;
        }
        Ok(())
    }
}

impl AttemptSink for Partitions {
    fn write(&mut self, batch: &Frame) -> Result<()> {
        for (day, rows) in days(batch) {
            let file = self.day(day)?;
            file.rows += rows.len() as u64;
            file.out.rows(batch, rows)?;
        }
        self.make_room()
    }

    fn finish(mut self: Box<Self>, meta: &Meta) -> Result<()> {
        let mut files = Vec::new();
        let columns = columns(schema::ATTEMPTS.columns.iter().filter(|column| column.name != DAY));
        while let Some((day, file)) = self.days.pop_first() {
            let known = rows_of(&file.path).filter(|rows| *rows > file.rows);
            let placed = || match known {
                Some(_) => fs::remove_file(&file.temporary),
                None => fs::rename(&file.temporary, &file.path),
            };
            let whole = file.out.end(meta).and_then(|_| placed().map_err(Error::from));
            if whole.is_err() {
                let _ = fs::remove_file(&file.temporary);
            }
            whole.map_err(|e| e.at(&file.path))?;
            if known.is_some()
                && let Ok(mut kept) = self.kept.lock()
            {
                kept.push(folder(day));
            }
            let rows = known.unwrap_or(file.rows);
            files.push(json!({
                "table": schema::ATTEMPTS.name, "file": format!("{}/{FILE}", folder(day)), "format": "parquet", "rows": rows, "columns": columns,
            }));
        }
        write_whole(&self.dir.join("manifest.json"), |out| {
            serde_json::to_writer_pretty(&mut *out, &head(meta, &self.redaction, files))?;
            Ok(out.write_all(b"\n")?)
        })
    }
}

impl Drop for Partitions {
    /// Takes away what did not become whole.
    fn drop(&mut self) {
        self.days.values().for_each(|day| drop(fs::remove_file(&day.temporary)));
    }
}

/// Attempts by day, one Parquet file a day, in memory: who writes them decides on their places.
pub struct DayFiles {
    redaction: String,
    days: BTreeMap<i32, (RowGroups<Vec<u8>>, u64)>,
}

impl DayFiles {
    /// No days yet; `redaction`: what was done to addresses, for the metadata.
    pub fn new(redaction: &str) -> Self {
        Self { redaction: redaction.to_owned(), days: BTreeMap::new() }
    }

    /// Adds attempts, each to its own day.
    pub fn write(&mut self, batch: &Frame) -> Result<()> {
        for (day, rows) in days(batch) {
            if !self.days.contains_key(&day) {
                let out = RowGroups::begin(&schema::ATTEMPTS, Some(DAY), Vec::new(), &self.redaction)?;
                self.days.insert(day, (out, 0));
            }
            let (out, count) = self.days.get_mut(&day).expect("it was put there");
            *count += rows.len() as u64;
            out.rows(batch, rows)?;
        }
        Ok(())
    }

    /// The days, oldest first: the date as in the folder's name (`2026-11-22`), the file, and how many rows it has.
    pub fn finish(self, meta: &Meta) -> Result<Vec<(String, Vec<u8>, u64)>> {
        let file = |(day, (out, rows)): (i32, (RowGroups<Vec<u8>>, u64))| {
            let mut date = String::new();
            push_date(&mut date, i64::from(day));
            Ok((date, out.end(meta)?, rows))
        };
        self.days.into_iter().map(file).collect()
    }
}

/// The rows of each day that stand together.
fn days(batch: &Frame) -> Vec<(i32, std::ops::Range<usize>)> {
    let column = schema::ATTEMPTS.index(DAY).expect("it is in the column list");
    let Data::Date(days) = batch.data(column) else { unreachable!("days are dates") };
    let mut found = Vec::new();
    let mut start = 0;
    while start < days.len() {
        let end = start + days[start..].iter().take_while(|day| **day == days[start]).count();
        found.push((days[start].unwrap_or_default(), start..end));
        start = end;
    }
    found
}

/// How many attempts a file holds; `None` where there is none that can be read.
fn rows_of(path: &Path) -> Option<u64> {
    let reader = SerializedFileReader::new(File::open(path).ok()?).ok()?;
    u64::try_from(reader.metadata().file_metadata().num_rows()).ok()
}

/// The folder of a day: `event_date=2026-11-22`.
fn folder(day: i32) -> String {
    let mut name = format!("{DAY}=");
    push_date(&mut name, i64::from(day));
    name
}
