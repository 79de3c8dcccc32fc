//! JSON Lines: one object a row, its table's name first; attempts without it, as they are of one table.

use std::io::{BufWriter, Write};

use bouncestat_aggregation::{Frame, Meta, Report};

use crate::json::row;
use crate::{AttemptSink, Format, Options, Result, rows};

/// `--format jsonl`.
pub(crate) struct JsonLines;

impl Format for JsonLines {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["jsonl", "ndjson"]
    }

    fn report(&self, report: &Report, options: &Options<'_>, out: &mut (dyn Write + Send)) -> Result<()> {
        let mut out = BufWriter::new(out);
        for table in &report.tables {
            for i in rows(&table.frame, options.top) {
                row(&mut out, &table.frame, i, Some(table.name))?;
                out.write_all(b"\n")?;
            }
        }
        out.flush()?;
        Ok(())
    }

    fn attempts<'w>(&self, out: Box<dyn Write + Send + 'w>, _: &Options<'w>) -> Result<Box<dyn AttemptSink + 'w>> {
        Ok(Box::new(Lines(BufWriter::new(out))))
    }
}

struct Lines<'w>(BufWriter<Box<dyn Write + Send + 'w>>);

impl AttemptSink for Lines<'_> {
    fn write(&mut self, batch: &Frame) -> Result<()> {
        for i in 0..batch.len() {
            row(&mut self.0, batch, i, None)?;
            self.0.write_all(b"\n")?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Meta) -> Result<()> {
        self.0.flush()?;
        Ok(())
    }
}
