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
    at: Vec<prop::sample::Index>,
    /// Anywhere, even inside a line; else behind lines.
    inside_lines: bool,
}

/// Cuts a log into files as logrotate names them, some of them packed; gives the files in any order.
fn rotate(log: &[u8], cuts: &Cuts, packed: &[bool], name: &str, folder: &Path) -> Vec<PathBuf> {
    let mut at: Vec<usize> = if cuts.inside_lines {
        cuts.at.iter().map(|cut| cut.index(log.len())).collect()
    } else {
        let ends: Vec<usize> = memchr::memchr_iter(b'\n', log).map(|i| i + 1).collect();
        cuts.at.iter().map(|cut| *cut.get(&ends)).collect()
    };
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
fn check(
    name: &str,
    cuts: &Cuts,
    packed: &[bool],
    chunk: usize,
    since: Option<usize>,
) -> Result<(), TestCaseError> {
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
        let cuts = Cuts { at: cuts, inside_lines };
        check(LOGS[which], &cuts, &packed, chunk, since)?;
    }
}
