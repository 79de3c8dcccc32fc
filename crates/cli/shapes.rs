//! `--unrecognised FILE`: the lines that were not understood, by shape, the most frequent first.
//!
//! A shape is a line without its stamp and host, with addresses, IPs, ids and numbers masked:
//! `postfix/smtp[9]: 3F2A1B: to=<bob@ex.test>, odd=7` is `postfix/smtp[#]: <id>: to=<address>, odd=#`.
//! Lines come in the order of the log and the first [`MOST`] shapes are kept, so that neither threads nor pieces show in the result.

use std::collections::HashMap;
use std::io::Write;

use anyhow::{Context, Result};
use bouncestat_aggregation::schema::UNRECOGNISED;
use bouncestat_aggregation::{Frame, Meta, Report, Table, Value};
use bouncestat_classification::text::mask;
use bouncestat_export::Options;
use bouncestat_ingest::framing::{self, Stamp};
use bouncestat_ingest::run::Unrecognised;

/// So many shapes are kept; lines of others are only counted.
const MOST: usize = 10_000;
/// Bytes of a line that are looked at and shown.
const LENGTH: usize = 2_000;

/// Lines by shape.
#[derive(Default)]
pub struct Shapes {
    /// In the order in which they were first seen.
    all: Vec<Seen>,
    index: HashMap<String, usize>,
    /// Lines of shapes that are not kept.
    others: u64,
}

struct Seen {
    shape: String,
    lines: u64,
    example: String,
    file: u32,
    offset: u64,
}

/// The shape of a line.
pub fn shape(line: &[u8]) -> String {
    let line = &line[..line.len().min(LENGTH)];
    let mut masked = Vec::new();
    let text = match framing::syslog(line) {
        Some(frame) => {
            masked.extend_from_slice(frame.tag);
            masked.extend_from_slice(b": ");
            frame.text
        }
        None => Stamp::read(line).map_or(line, |(_, end)| line.get(end..).unwrap_or_default()),
    };
    let mut body = Vec::new();
    mask(text, &mut body);
    masked.extend_from_slice(&body);
    let mut shape = String::with_capacity(masked.len());
    for c in String::from_utf8_lossy(&masked).chars() {
        match c {
            '0'..='9' if shape.ends_with('#') => {}
            '0'..='9' => shape.push('#'),
            c => shape.push(c),
        }
    }
    shape
}

impl Shapes {
    /// Counts a line; `show` makes its example fit to be seen.
    pub fn push(&mut self, shape: &str, line: Unrecognised<'_>, show: impl FnOnce(&str) -> String) {
        if let Some(known) = self.index.get(shape) {
            self.all[*known].lines += 1;
            return;
        }
        let text = String::from_utf8_lossy(&line.line[..line.line.len().min(LENGTH)]);
        let seen = Seen { shape: shape.to_owned(), lines: 1, example: show(&text), file: line.file, offset: line.offset };
        self.index.insert(shape.to_owned(), self.all.len());
        self.all.push(seen);
    }

    /// Takes in what comes later in the log.
    pub fn merge(&mut self, later: Self) {
        self.others += later.others;
        for seen in later.all {
            match self.index.get(&seen.shape) {
                Some(known) => self.all[*known].lines += seen.lines,
                None if self.all.len() < MOST => {
                    self.index.insert(seen.shape.clone(), self.all.len());
                    self.all.push(seen);
                }
                None => self.others += seen.lines,
            }
        }
    }

    /// Writes them in the format that the file's extension means, CSV where it means none. `files` are the names of the logs.
    pub fn write(
        mut self,
        out: &mut (dyn Write + Send),
        format: &str,
        meta: Meta,
        files: &[String],
        options: &Options<'_>,
    ) -> Result<usize> {
        self.all.sort_by(|a, b| b.lines.cmp(&a.lines).then_with(|| a.shape.cmp(&b.shape)));
        let mut frame = Frame::new(&UNRECOGNISED);
        for seen in &self.all {
            frame.push(&[
                Value::Int64(i64::try_from(seen.lines).unwrap_or(i64::MAX)),
                Value::Utf8(&seen.shape),
                Value::Utf8(&seen.example),
                files.get(seen.file as usize).map_or(Value::Null, |file| Value::Utf8(file)),
                Value::Int64(i64::try_from(seen.offset).unwrap_or(i64::MAX)),
            ]);
        }
        if self.others > 0 {
            let others = i64::try_from(self.others).unwrap_or(i64::MAX);
            frame.push(&[Value::Int64(others), Value::Utf8("(other shapes)"), Value::Null, Value::Null, Value::Null]);
        }
        let report = Report { meta, before: None, tables: vec![Table::from(frame)] };
        let format = bouncestat_export::by_name(format).context("a format of the registry")?;
        format.report(&report, options, out)?;
        out.flush()?;
        Ok(self.all.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Unrecognised<'_> {
        Unrecognised { line: text.as_bytes(), file: 0, offset: 0 }
    }

    #[test]
    fn lines_of_one_shape() {
        let a = shape(b"Nov 22 06:00:01 mx1 postfix/smtp[123]: 3F2A1B4C5D: to=<bob@ex.test>, odd=7");
        let b = shape(b"2026-11-23T07:10:11+01:00 mx2 postfix/smtp[4]: 4jXVcG2tc6z1XXTY: to=<ann@why.example>, odd=19");
        assert_eq!(a, b);
        assert_ne!(a, shape(b"Nov 22 06:00:01 mx1 postfix/lmtp[123]: 3F2A1B4C5D: to=<bob@ex.test>, odd=7"));
    }

    #[test]
    fn shapes_are_bounded_and_parts_do_not_show() {
        let texts: Vec<String> = (0..MOST + 50).map(|n| "x".repeat(n % 150 + 1) + &"y".repeat(n / 150)).collect();
        let count = |cut: usize| {
            let mut total = Shapes::default();
            for part in [&texts[..], &texts[..]].concat().chunks(cut) {
                let mut shapes = Shapes::default();
                part.iter().for_each(|text| shapes.push(text, line(text), str::to_owned));
                total.merge(shapes);
            }
            let lines: Vec<_> = total.all.iter().map(|seen| (seen.shape.clone(), seen.lines)).collect();
            (lines, total.others)
        };
        let (lines, others) = count(1);
        assert_eq!((lines.len(), others), (MOST, 100));
        assert_eq!(count(777), (lines.clone(), others));
        assert_eq!(count(1 << 20), (lines, others));
    }
}
