//! The registry of formats, walked: each writes a report and attempts, the same bytes each time, and says so when it cannot.

mod common;

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use bouncestat_aggregation::Report;
use bouncestat_export::{ErrorKind, FORMATS, Format, Options, by_name, by_path};
use common::{attempts, cases, meta, report};

fn bytes(format: &dyn Format, report: &Report, options: &Options<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    format.report(report, options, &mut out).unwrap();
    out
}

/// A place to write that can be read afterwards.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn attempt_bytes(format: &dyn Format, cases: &[common::Case], size: usize) -> Vec<u8> {
    let out = Shared::default();
    let mut sink = format.attempts(Box::new(out.clone()), &Options::default()).unwrap();
    for batch in attempts(cases, size) {
        sink.write(batch.frame()).unwrap();
    }
    sink.finish(&meta()).unwrap();
    Arc::try_unwrap(out.0).unwrap().into_inner().unwrap()
}

#[test]
fn names_and_extensions_are_unique_and_lead_to_their_format() {
    let mut names = HashSet::new();
    for format in FORMATS {
        assert!(names.insert(format.name()));
        assert_eq!(by_name(format.name()).unwrap().name(), format.name());
        for extension in format.extensions() {
            assert!(names.insert(extension) || *extension == format.name(), "{extension} twice");
            assert_eq!(by_path(Path::new(&format!("a.b/out.{extension}"))).unwrap().name(), format.name());
        }
    }
    assert!(by_name("xlsx").is_none() && by_path(Path::new("out.xlsx")).is_none() && by_path(Path::new("json")).is_none());
}

#[test]
fn every_format_writes_reports_and_attempts_and_the_cut_does_not_show() {
    let cases = cases(2_000, 50, 1);
    let (one, many) = (report(&cases, usize::MAX), report(cases.iter().rev(), 17));
    for format in FORMATS {
        let name = format.name();
        let first = bytes(*format, &one, &Options::default());
        assert!(!first.is_empty(), "{name}");
        assert!(first == bytes(*format, &many, &Options::default()), "{name}: another order, other bytes");
        let empty = report(&[], 1);
        assert!(!bytes(*format, &empty, &Options::default()).is_empty(), "{name}: no deliveries");
        if !format.has_attempts() {
            let error = format.attempts(Box::new(io::sink()), &Options::default()).err().expect("it has none");
            assert_eq!(error.kind(), ErrorKind::NoAttempts, "{name}");
            continue;
        }
        let whole = attempt_bytes(*format, &cases, usize::MAX);
        assert!(whole.len() > 1_000 && whole == attempt_bytes(*format, &cases, 33), "{name}: another cut, other bytes");
        assert!(!attempt_bytes(*format, &[], 1).is_empty() || name == "jsonl", "{name}: no attempts");
    }
}

/// A reader that goes away after `left` bytes.
struct Broken {
    left: usize,
}

impl Write for Broken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let n = bytes.len().min(self.left);
        self.left -= n;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_goes_away_is_an_error_and_no_panic() {
    let cases = cases(3_000, 50, 1);
    let report = report(&cases, 1_000);
    for format in FORMATS {
        for left in [0, 1, 700] {
            let error = format.report(&report, &Options::default(), &mut Broken { left }).unwrap_err();
            assert!(error.is_broken_pipe(), "{}: {error:?}", format.name());
            if !format.has_attempts() {
                continue;
            }
            let result = format.attempts(Box::new(Broken { left }), &Options::default()).and_then(|mut sink| {
                for batch in attempts(&cases, 1_000) {
                    sink.write(batch.frame())?;
                }
                sink.finish(&meta())
            });
            let error = result.unwrap_err();
            assert!(error.is_broken_pipe(), "{}: {error:?}", format.name());
        }
    }
}

#[test]
fn top_cuts_tables_and_json_is_whole_without_it() {
    let cases = cases(2_000, 50, 1);
    let report = report(&cases, 1_000);
    let count = |options: &Options<'_>| {
        let value: serde_json::Value = serde_json::from_slice(&bytes(by_name("json").unwrap(), &report, options)).unwrap();
        value["domains"].as_array().unwrap().len()
    };
    assert_eq!(count(&Options::default()), 50);
    assert_eq!(count(&Options { top: Some(3), ..Options::default() }), 3);
}

#[test]
fn a_table_that_is_not_there_is_named() {
    let report = report(&[], 1);
    let options = Options { table: "domain", ..Options::default() };
    let error = by_name("csv").unwrap().report(&report, &options, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().starts_with("no table \"domain\"; there are totals, domains"), "{error}");
}

#[test]
fn the_terminal_is_never_too_narrow_and_colours_add_no_width() {
    let cases = cases(2_000, 50, 1);
    let report = report(&cases, 1_000);
    let text = |width, color| {
        let options = Options { width, color, ..Options::default() };
        String::from_utf8(bytes(by_name("table").unwrap(), &report, &options)).unwrap()
    };
    for width in [10, 80, 100, 140, 300] {
        let plain = text(width, false);
        assert!(!plain.contains('\x1b'));
        for line in plain.lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= width.max(80), "{width}: {line}");
        }
        let mut coloured = text(width, true);
        assert!(coloured.contains('\x1b'));
        for code in ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m"] {
            coloured = coloured.replace(code, "");
        }
        let trimmed = |text: &str| text.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>();
        assert_eq!(trimmed(&coloured), trimmed(&plain));
    }
}

/// What people and programs see of a small report. After a wanted change: `BLESS=1 cargo test`, and look at the difference.
#[test]
fn golden() {
    let cases = cases(900, 8, 7);
    let report = report(&cases, 100);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for format in FORMATS.iter().filter(|f| f.name() != "parquet") {
        let file = folder.join(format!("report.{}", format.extensions()[0]));
        let now = bytes(*format, &report, &Options::default());
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &now).unwrap();
        }
        let kept = std::fs::read(&file).unwrap_or_default();
        assert!(kept == now, "{} differs:\n{}", file.display(), String::from_utf8_lossy(&now));
    }
}
