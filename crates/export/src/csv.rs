//! CSV after RFC 4180: UTF-8, CRLF, a header even when there are no rows; one table.
//!
//! A missing value is an empty field; no column of ours holds an empty text. With `excel`, a byte-order mark tells spreadsheets
//! the encoding, and texts that begin like a formula get an apostrophe: a reply's text is the attacker's
//! (<https://owasp.org/www-community/attacks/CSV_Injection>).

use std::io::Write;

use ::csv::{Terminator, Writer, WriterBuilder};
use bouncestat_aggregation::schema::TableSpec;
use bouncestat_aggregation::{Frame, Meta, Report, Value, schema};

use crate::text::push_flat;
use crate::{AttemptSink, Format, Options, Result, chosen, rows};

/// `--format csv`.
pub(crate) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["csv"]
    }

    fn report(&self, report: &Report, options: &Options<'_>, out: &mut (dyn Write + Send)) -> Result<()> {
        let frame = &chosen(report, options)?.frame;
        let mut sink = Rows::begin(frame.spec(), out, options.excel)?;
        sink.rows(frame, rows(frame, options.top))?;
        sink.end()
    }

    fn attempts<'w>(&self, out: Box<dyn Write + Send + 'w>, options: &Options<'w>) -> Result<Box<dyn AttemptSink + 'w>> {
        Ok(Box::new(Rows::begin(&schema::ATTEMPTS, out, options.excel)?))
    }
}

struct Rows<W: Write> {
    out: Writer<W>,
    excel: bool,
}

impl<W: Write> Rows<W> {
    fn begin(spec: &TableSpec, mut out: W, excel: bool) -> Result<Self> {
        if excel {
            out.write_all("\u{FEFF}".as_bytes())?;
        }
        let mut out = WriterBuilder::new().terminator(Terminator::CRLF).buffer_capacity(64 << 10).from_writer(out);
        out.write_record(spec.columns.iter().map(|c| c.name))?;
        Ok(Rows { out, excel })
    }

    fn rows(&mut self, frame: &Frame, rows: std::ops::Range<usize>) -> Result<()> {
        let mut text = String::new();
        for row in rows {
            for value in frame.row(row) {
                text.clear();
                push_flat(&mut text, value);
                let is_text = matches!(value, Value::Utf8(_) | Value::Utf8List(_));
                if self.excel && is_text && text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                    text.insert(0, '\'');
                }
                self.out.write_field(text.as_bytes())?;
            }
            self.out.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    fn end(mut self) -> Result<()> {
        self.out.flush()?;
        Ok(())
    }
}

impl<W: Write + Send> AttemptSink for Rows<W> {
    fn write(&mut self, batch: &Frame) -> Result<()> {
        self.rows(batch, 0..batch.len())
    }

    fn finish(self: Box<Self>, _: &Meta) -> Result<()> {
        self.end()
    }
}
