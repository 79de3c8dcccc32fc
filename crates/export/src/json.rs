//! JSON: the report in the contract's shape and order, one row a line; attempts as one array.

use std::io::{BufWriter, Write};

use bouncestat_aggregation::{Coverage, Excluded, Frame, Meta, Report, Value, Window, schema};
use serde_json::json;

use crate::text::{push_flat, rfc3339};
use crate::{AttemptSink, Format, Options, Result, rows};

/// `--format json`.
pub(crate) struct Json;

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["json"]
    }

    fn report(&self, report: &Report, options: &Options<'_>, out: &mut (dyn Write + Send)) -> Result<()> {
        let mut out = BufWriter::new(out);
        let meta = &report.meta;
        write!(out, "{{\n  \"schema_version\": {}", json!(schema::SCHEMA_VERSION))?;
        for (name, value) in [
            ("version", json!(meta.version)),
            ("rules", json!(meta.rules)),
            ("window", window(&meta.window)),
            ("coverage", coverage(&meta.coverage)),
            ("excluded", excluded(&meta.excluded)),
        ] {
            write!(out, ",\n  \"{name}\": {value}")?;
            if let ("window", Some(before)) = (name, &report.before) {
                write!(out, ",\n  \"window_before\": {}", window(before))?;
            }
        }
        for table in &report.tables {
            write!(out, ",\n  \"{}\": ", table.name)?;
            if table.name == schema::TOTALS.name {
                row(&mut out, &table.frame, 0, None)?;
                continue;
            }
            let rows = rows(&table.frame, options.top);
            let last = rows.end;
            out.write_all(b"[")?;
            for i in rows {
                out.write_all(b"\n    ")?;
                row(&mut out, &table.frame, i, None)?;
                out.write_all(if i + 1 < last { b"," } else { b"\n  " })?;
            }
            out.write_all(b"]")?;
        }
        out.write_all(b"\n}\n")?;
        out.flush()?;
        Ok(())
    }

    fn attempts<'w>(&self, out: Box<dyn Write + Send + 'w>, _: &Options<'w>) -> Result<Box<dyn AttemptSink + 'w>> {
        // Nothing is written before there is something: a run that fails answers with an object.
        Ok(Box::new(Array { out: BufWriter::new(out), any: false }))
    }
}

struct Array<'w> {
    out: BufWriter<Box<dyn Write + Send + 'w>>,
    any: bool,
}

impl AttemptSink for Array<'_> {
    fn write(&mut self, batch: &Frame) -> Result<()> {
        for i in 0..batch.len() {
            self.out.write_all(if self.any { b",\n" } else { b"[\n" })?;
            self.any = true;
            row(&mut self.out, batch, i, None)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Meta) -> Result<()> {
        self.out.write_all(if self.any { b"\n]\n" } else { b"[\n]\n" })?;
        self.out.flush()?;
        Ok(())
    }
}

/// A row as an object; with the table's name first where it is given.
pub(crate) fn row(out: &mut impl Write, frame: &Frame, row: usize, table: Option<&str>) -> Result<()> {
    let mut before = "{\"";
    if let Some(table) = table {
        write!(out, "{{\"table\": {}", json!(table))?;
        before = ", \"";
    }
    for (column, value) in frame.columns().iter().zip(frame.row(row)) {
        // Column names are plain words: they need no escaping.
        for part in [before, column.name, "\": "] {
            out.write_all(part.as_bytes())?;
        }
        before = ", \"";
        write_value(out, value)?;
    }
    out.write_all(b"}")?;
    Ok(())
}

fn write_value(out: &mut impl Write, value: Value<'_>) -> Result<()> {
    match value {
        Value::Null => out.write_all(b"null")?,
        Value::Utf8(text) => serde_json::to_writer(out, text)?,
        Value::Int64(n) => serde_json::to_writer(out, &n)?,
        Value::Float64(n) => serde_json::to_writer(out, &n)?,
        Value::Boolean(b) => serde_json::to_writer(out, &b)?,
        Value::Date(_) | Value::Timestamp(_) => {
            let mut text = String::with_capacity(29);
            text.push('"');
            push_flat(&mut text, value);
            text.push('"');
            out.write_all(text.as_bytes())?;
        }
        Value::Utf8List(texts) => serde_json::to_writer(out, texts)?,
    }
    Ok(())
}

/// The window as an object.
pub(crate) fn window(w: &Window) -> serde_json::Value {
    json!({
        "since": w.since.map(rfc3339), "until": w.until.map(rfc3339),
        "first_event": w.first_event.map(rfc3339), "last_event": w.last_event.map(rfc3339),
    })
}

/// The coverage as an object.
pub(crate) fn coverage(c: &Coverage) -> serde_json::Value {
    json!({
        "files": c.files, "bytes": c.bytes, "lines": c.lines, "used": c.used, "irrelevant": c.irrelevant,
        "unrecognised": c.unrecognised, "outside_window": c.outside_window, "truncated": c.truncated, "lost": c.lost,
    })
}

/// What is excluded as an object.
pub(crate) fn excluded(e: &Excluded) -> serde_json::Value {
    json!({
        "probes": e.probes, "hops": e.hops, "notifications": e.notifications, "discarded": e.discarded,
        "suppressed": e.suppressed, "shadow": e.shadow, "health": e.health, "dropped": e.dropped, "inbound": e.inbound,
        "duplicates": e.duplicates,
    })
}
