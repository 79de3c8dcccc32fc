//! The most important property: however a log is cut by rotation, and into whatever chunks, it gives the same deliveries.

mod harness;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use bouncestat_ingest::join::window::Window;
use proptest::prelude::*;

use harness::{Part, read, sample};

/// Where a log is cut.
#[derive(Clone, Debug)]
struct Cuts {
    at: Vec<usize>,
    /// Anywhere, even inside a line; else behind lines.
    inside_lines: bool,
}

impl Cuts {
    /// The places that indices stand for in a sample.
    fn drawn(cuts: &[prop::sample::Index], inside_lines: bool, name: &str) -> Self {
        let log = fs::read(sample(name)).unwrap();
        let ends = line_ends(&log);
        let at = cuts.iter().map(|cut| if inside_lines { cut.index(log.len()) } else { *cut.get(&ends) }).collect();
        Self { at, inside_lines }
    }
}

/// Where the lines of a log end.
fn line_ends(log: &[u8]) -> Vec<usize> {
    memchr::memchr_iter(b'\n', log).map(|i| i + 1).collect()
}

/// Cuts a log into files as logrotate names them, some of them packed; gives the files in any order.
fn rotate(log: &[u8], cuts: &Cuts, packed: &[bool], name: &str, folder: &Path) -> Vec<PathBuf> {
    let mut at = cuts.at.clone();
    at.push(0);
    at.sort_unstable();
    at.dedup();
    if cuts.inside_lines {
        // A file that holds hardly a whole line has no place in time, and may seem to repeat the one before.
        let whole = |text: &[u8]| memchr::memchr_iter(b'\n', text).count() > 10;
        at.dedup_by(|b, a| !whole(&log[*a..*b]));
        at.retain(|at| whole(&log[*at..]));
    }
    at.push(log.len());
    at.dedup();
    let pieces: Vec<&[u8]> = at.windows(2).map(|w| &log[w[0]..w[1]]).collect();
    let mut paths = Vec::new();
    for (age, piece) in pieces.iter().rev().enumerate() {
        let rotated = if age == 0 { name.to_owned() } else { format!("{name}.{age}") };
        let gz = packed.get(age).copied().unwrap_or(false);
        let path = folder.join(if gz { format!("{rotated}.gz") } else { rotated });
        if gz {
            let mut out = flate2::write::GzEncoder::new(fs::File::create(&path).unwrap(), flate2::Compression::fast());
            out.write_all(piece).unwrap();
            out.finish().unwrap();
        } else {
            fs::write(&path, piece).unwrap();
        }
        paths.push(path);
    }
    paths.sort_by_key(|path| path.to_string_lossy().bytes().fold(7u32, |h, b| h.wrapping_mul(31) ^ u32::from(b)));
    paths
}

fn sorted(mut part: Part) -> Part {
    part.deliveries.sort();
    part
}

#[track_caller]
fn check(name: &str, cuts: &Cuts, packed: &[bool], chunk: usize, since: Option<usize>) -> Result<(), TestCaseError> {
    let log = fs::read(sample(name)).unwrap();
    // Seconds after the first lines of the samples.
    let since = since.map(|s| 1_795_352_000_000_000 + s as i64 * 1_000_000);
    let window = Window { since, until: since.map(|s| s + 1_500_000_000) };
    let (whole, whole_summary) = read(&[sample(name)], 4 << 20, window);
    let folder = tempfile::tempdir().unwrap();
    let file = Path::new(name).file_name().unwrap().to_str().unwrap();
    let inner = folder.path().join(Path::new(name).parent().unwrap().file_name().unwrap());
    fs::create_dir(&inner).unwrap();
    let paths = rotate(&log, cuts, packed, file, &inner);
    let (cut, summary) = read(&paths, chunk, window);
    let (cut, whole) = (sorted(cut), sorted(whole));
    let differ: Vec<_> = cut.deliveries.iter().zip(&whole.deliveries).filter(|(a, b)| a != b).collect();
    prop_assert!(differ.is_empty(), "{:?}", differ);
    prop_assert_eq!(cut.outcomes, whole.outcomes);
    prop_assert_eq!(summary.counts, whole_summary.counts);
    prop_assert_eq!(summary.tally, whole_summary.tally);
    Ok(())
}

/// Logs that are cut.
const LOGS: [&str; 5] = [
    "postfix/lab-long/maillog",
    "postfix/lab-short/maillog",
    "postfix/sink/maillog",
    "exim/4.96-default/mainlog",
    "exim/4.100.1-default/mainlog",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_cut_anywhere_gives_the_same(
        which in 0usize..LOGS.len(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        packed in prop::collection::vec(any::<bool>(), 12),
        chunk in prop_oneof![Just(16usize), 100usize..5000, Just(4 << 20)],
        since in prop::option::of(0usize..3000),
        inside_lines: bool,
    ) {
        let cuts = Cuts::drawn(&cuts, inside_lines, LOGS[which]);
        check(LOGS[which], &cuts, &packed, chunk, since)?;
    }
}

/// A small server's log that nobody ever rotated: the clock of a part of it was a guess of half a year off, too.
#[test]
fn one_file_of_three_years_gives_the_same_however_it_is_cut() {
    let padding = "x".repeat(3000);
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let line = |stamp: &str, id: &str| {
        format!(
            "{stamp} 12:00:00 lab postfix/smtp[1]: {id}: to=<a@d.example>, relay=none, delay=1, status=deferred (connect to mx.d.example[192.0.2.2]:25: Connection refused)\n"
        )
    };
    // The first id was made on 22 November 2026.
    let mut text = line("Nov 22", "4jXVcG2tc6z1XXTY");
    for n in 0..1000 {
        let (month, day) = (months[(10 + (22 + n) / 28) % 12], (22 + n) % 28 + 1);
        let off = if n % 100 == 57 { months[(4 + n / 28) % 12] } else { month };
        text.push_str(&format!("{off} {day:2} 12:00:01 lab postfix/local[1]: {padding}\n"));
        text.push_str(&line(&format!("{month} {day:2}"), &format!("AAAAAA{n:05}")));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, text).unwrap();
    let window = Window { since: Some(1_843_430_400_000_000), until: None };
    let (whole, _) = read(std::slice::from_ref(&path), 4 << 20, window);
    // June 2028 begins 19 months of 28 days behind November 2026, whose last six days come first.
    assert_eq!(whole.deliveries.len(), 1000 - (19 * 28 - 22));
    for chunk in [16, 5000, 100_000, 1 << 20] {
        let (cut, _) = read(std::slice::from_ref(&path), chunk, window);
        assert_eq!(cut, whole, "cut at {chunk}");
    }
}

/// What once gave other deliveries when it was cut: `fuzz/seeds`, whose first two bytes say where.
#[test]
fn what_fuzzing_found_gives_the_same_however_it_is_cut() {
    for server in ["postfix", "exchange"] {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(server);
        for seed in fs::read_dir(seeds).unwrap() {
            let path = seed.unwrap().path();
            let log = fs::read(&path).unwrap()[2..].to_vec();
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("mail.log");
            fs::write(&file, log).unwrap();
            let (whole, whole_summary) = read(std::slice::from_ref(&file), 4 << 20, Window::default());
            for chunk in [1, 16, 40, 100] {
                let (cut, summary) = read(std::slice::from_ref(&file), chunk, Window::default());
                assert_eq!(cut, whole, "{} cut at {chunk}", path.display());
                assert_eq!((summary.tally, summary.counts), (whole_summary.tally, whole_summary.counts), "{}", path.display());
            }
        }
    }
}

/// A piece of two lines, both of which stand a few lines before it, too: a second try within the second.
#[test]
fn two_lines_of_a_second_try_are_no_copy() {
    let name = "exim/4.96-default/mainlog";
    let ends = line_ends(&fs::read(sample(name)).unwrap());
    check(name, &Cuts { at: vec![ends[251], ends[253]], inside_lines: false }, &[], 4 << 20, None).unwrap();
}
