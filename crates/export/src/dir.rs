//! `--export DIR`: every table as CSV and Parquet, and a manifest that lists them.
//!
//! Each file is written under a temporary name and then renamed, the manifest last: who sees it sees whole files.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use bouncestat_aggregation::schema::Column;
use bouncestat_aggregation::{Meta, Report, schema};
use serde_json::{Value, json};

use crate::json::{coverage, excluded, window};
use crate::{Error, Format, Options, Result, csv, parquet};

/// Writes every table of a report into a folder, which is made where it is missing; gives the files, the manifest last.
///
/// Of the options `top`, `excel` and `redaction` count.
pub fn export_dir(report: &Report, dir: &Path, options: &Options<'_>) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(dir).map_err(|e| Error::from(e).at(dir))?;
    let mut written = Vec::new();
    let mut files = Vec::new();
    for table in &report.tables {
        let options = Options { table: table.name, ..*options };
        let formats: [&dyn Format; 2] = [&csv::Csv, &parquet::Parquet];
        let columns = columns(table.columns);
        for format in formats {
            let file = format!("{}.{}", table.name, format.name());
            let path = dir.join(&file);
            write_whole(&path, |out| format.report(report, &options, out))?;
            written.push(path);
            files.push(json!({
                "table": table.name, "file": file, "format": format.name(),
                "rows": crate::rows(&table.frame, options.top).len(), "columns": columns,
            }));
        }
    }
    let manifest = head(&report.meta, options.redaction, files);
    let path = dir.join("manifest.json");
    write_whole(&path, |out| {
        serde_json::to_writer_pretty(&mut *out, &manifest)?;
        out.write_all(b"\n")?;
        Ok(())
    })?;
    written.push(path);
    Ok(written)
}

/// What the manifest says of the columns of a table.
pub(crate) fn columns<'c>(columns: impl IntoIterator<Item = &'c Column>) -> Vec<Value> {
    let one = |c: &Column| json!({"name": c.name, "type": c.kind.as_str(), "nullable": c.nullable, "meaning": c.meaning});
    columns.into_iter().map(one).collect()
}

/// The manifest: what the files were made of, and the files.
pub(crate) fn head(meta: &Meta, redaction: &str, files: Vec<Value>) -> Value {
    json!({
        "schema_version": schema::SCHEMA_VERSION, "version": meta.version, "rules": meta.rules, "redaction": redaction,
        "window": window(&meta.window), "coverage": coverage(&meta.coverage), "excluded": excluded(&meta.excluded),
        "files": files,
    })
}

/// Writes a file that is either whole or not there.
pub(crate) fn write_whole(path: &Path, write: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // The process id keeps two runs apart that write into one folder.
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let result = (|| {
        let mut out = BufWriter::new(File::create(&temporary)?);
        write(&mut out)?;
        out.flush()?;
        out.get_ref().sync_all()?;
        fs::rename(&temporary, path)?;
        Ok(())
    })();
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result.map_err(|e: Error| e.at(path))
}
