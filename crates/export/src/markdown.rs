//! Markdown: all tables, the first rows of each, to paste into a ticket or a mail.

use std::io::{BufWriter, Write};

use bouncestat_aggregation::{Frame, Meta, Report};

use crate::view::{self, Column, Row, VIEWS};
use crate::{AttemptSink, Format, Options, Result, rows};

/// `--format markdown`.
pub(crate) struct Markdown;

/// Rows of a table where nothing is said.
const TOP: usize = 10;

impl Format for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["md", "markdown"]
    }

    fn report(&self, report: &Report, options: &Options<'_>, out: &mut (dyn Write + Send)) -> Result<()> {
        let mut out = BufWriter::new(out);
        let meta = &report.meta;
        // Moments are UTC: who reads a ticket is somewhere else.
        let clock = view::clock(&Options::default());
        let title = if report.table("reject_totals").is_some() { "Rejects" } else { "Bounces" };
        writeln!(out, "# {title}\n\nbouncestat {}, rules {}. {}.", meta.version, meta.rules, view::window_of(report, clock))?;
        writeln!(out, "{}.", view::coverage(report))?;
        match view::excluded(meta) {
            excluded if excluded.is_empty() => {}
            excluded => writeln!(out, "Not counted: {excluded}.")?,
        }
        // Without totals, the tables are what was asked for.
        let alone = report.table("totals").is_none();
        for table in &report.tables {
            let Some(view) = VIEWS.iter().find(|v| v.table == table.name) else {
                if table.name == "totals" {
                    totals(&mut out, &table.frame, clock)?;
                }
                continue;
            };
            let rows = rows(&table.frame, Some(options.top.unwrap_or(TOP)));
            write!(out, "\n## {}\n\n", view.title)?;
            if alone && table.frame.is_empty() && !view.empty.is_empty() {
                writeln!(out, "{}", view.empty)?;
                continue;
            }
            if rows.len() < table.frame.len() {
                write!(out, "{} of {}.\n\n", rows.len(), table.frame.len())?;
            }
            let columns: Vec<&Column> = view.columns.iter().chain(view.notes).collect();
            head(&mut out, &columns)?;
            for i in rows {
                line(&mut out, &columns, &Row::new(&table.frame, i, clock))?;
            }
        }
        out.flush()?;
        Ok(())
    }

    fn attempts<'w>(&self, out: Box<dyn Write + Send + 'w>, _: &Options<'w>) -> Result<Box<dyn AttemptSink + 'w>> {
        let mut out = BufWriter::new(out);
        head(&mut out, &view::ATTEMPT.iter().collect::<Vec<_>>())?;
        Ok(Box::new(Lines(out)))
    }
}

struct Lines<'w>(BufWriter<Box<dyn Write + Send + 'w>>);

impl AttemptSink for Lines<'_> {
    fn write(&mut self, batch: &Frame) -> Result<()> {
        let columns: Vec<&Column> = view::ATTEMPT.iter().collect();
        let clock = view::clock(&Options::default());
        for i in 0..batch.len() {
            line(&mut self.0, &columns, &Row::new(batch, i, clock))?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Meta) -> Result<()> {
        self.0.flush()?;
        Ok(())
    }
}

fn totals(out: &mut impl Write, frame: &Frame, clock: crate::Clock<'_>) -> Result<()> {
    out.write_all(b"\n## Totals\n\n| | | % | |\n| --- | ---: | ---: | --- |\n")?;
    for t in view::totals(frame, clock) {
        writeln!(out, "| {} | {} | {} | {} |", t.label.trim(), t.count, t.share, t.remark)?;
    }
    Ok(())
}

fn head(out: &mut impl Write, columns: &[&Column]) -> Result<()> {
    for column in columns {
        write!(out, "| {} ", column.title)?;
    }
    out.write_all(b"|\n")?;
    for column in columns {
        out.write_all(if column.right { b"| ---: " } else { b"| --- " })?;
    }
    out.write_all(b"|\n")?;
    Ok(())
}

fn line(out: &mut impl Write, columns: &[&Column], row: &Row<'_>) -> Result<()> {
    for column in columns {
        write!(out, "| {} ", escaped(&(column.show)(row)))?;
    }
    out.write_all(b"|\n")?;
    Ok(())
}

/// A text that stays text: no markup, no link, no image, no end of the cell.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '!' | '~' | '#' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_stays_text() {
        assert_eq!(escaped("<script>|![x](y)"), "&lt;script&gt;\\|\\!\\[x\\](y)");
    }
}
