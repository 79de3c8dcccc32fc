//! However a log is written, cut by rotations, collected and killed in between: the dataset answers as the logs that are there in the end.
//!
//! What batch does not put together is not asked of a dataset: a line in three files, a line of which a rotation left but its first bytes,
//! and a file that holds the end of a line and the beginning of the next, and no line.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::answers::{Answers, is_tidy, parquet_rows};
use super::logs::{Log, lines_of};
use super::{collect, collect_and_stop, thorough};
use crate::common::Folder;

/// A rotation leaves at least so much of a line: enough for its stamp.
const STAMP: usize = 40;

/// What happens behind a cut.
#[derive(Clone, Debug)]
struct Then {
    /// Where the cut is.
    at: prop::sample::Index,
    /// Collects.
    collects: bool,
    /// Collects, and is killed at this step; before it collects.
    killed_at: Option<u64>,
    rotation: Option<Rotation>,
}

#[derive(Clone, Debug)]
struct Rotation {
    by_copy: bool,
    /// How old files must be to be packed.
    packed_from: usize,
}

fn then() -> impl Strategy<Value = Then> {
    let rotation = (any::<bool>(), 2usize..5).prop_map(|(by_copy, packed_from)| Rotation { by_copy, packed_from });
    let rotation = prop::option::weighted(0.6, rotation);
    let killed = prop::option::weighted(0.2, 1u64..45);
    (any::<prop::sample::Index>(), prop::bool::weighted(0.7), killed, rotation)
        .prop_map(|(at, collects, killed_at, rotation)| Then { at, collects, killed_at, rotation })
}

fn config(few: u32) -> Config {
    let cases = if thorough() { few * 13 } else { few };
    Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() }
}

/// Collects as a cut says.
fn collect_then(then: &Then, logs: &str, dataset: &str) -> Result<(), TestCaseError> {
    if let Some(step) = then.killed_at {
        collect_and_stop(&[logs], dataset, step);
        parquet_rows(dataset);
    }
    if then.collects {
        let ran = collect(&[logs], dataset);
        prop_assert_eq!(ran.code, 0, "{}", ran.err);
    }
    Ok(())
}

/// Demands that the dataset says what the logs say.
fn is_equal(logs: &str, dataset: &str) -> Result<(), TestCaseError> {
    let ran = collect(&[logs], dataset);
    prop_assert_eq!(ran.code, 0, "{}", ran.err);
    let answers = Answers::of(&[dataset]);
    prop_assert_eq!(parquet_rows(dataset).len(), answers.attempts().len());
    let difference = Answers::of(&[logs]).without_places().difference(&answers.without_places());
    prop_assert!(difference.is_none(), "logs and dataset: {}\n{}", difference.unwrap_or_default(), ran.err);
    is_tidy(dataset);
    Ok(())
}

/// Moves a cut so that a rotation there leaves enough of a line, or none of it.
fn away_from_stamps(all: &[u8], at: usize) -> usize {
    let begin = all[..at].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    let end = all[begin..].iter().position(|b| *b == b'\n').map_or(all.len(), |n| begin + n);
    if at - begin >= STAMP {
        at
    } else if begin + STAMP < end {
        begin + STAMP
    } else {
        begin
    }
}

/// Writes a log piece by piece.
fn any_cuts(file: &str, thens: &[Then]) -> Result<(), TestCaseError> {
    let all = lines_of(file).concat();
    let name = Path::new(file).file_name().expect("a file").to_str().expect("UTF-8");
    let folder = Folder::new();
    let (log, dataset) = (Log::new(folder.path("lab"), name), folder.path("ds"));
    let mut thens = thens.to_vec();
    thens.sort_by_key(|then| then.at.index(all.len() + 1));
    let mut written = 0;
    for then in &thens {
        let mut cut = then.at.index(all.len() + 1);
        if then.rotation.is_some() {
            cut = away_from_stamps(&all, cut);
        }
        let cut = cut.max(written);
        log.grow(&all[written..cut]);
        written = cut;
        collect_then(then, log.folder(), &dataset)?;
        // Else a line would be in three files after this rotation, or a file would hold two parts of lines and none that tells whose it is.
        if let Some(rotation) = then.rotation.as_ref().filter(|_| log.has_whole_line() && written < all.len()) {
            log.rotate(rotation.by_copy);
            (rotation.packed_from..20).for_each(|age| log.pack(age));
        }
    }
    log.grow(&all[written..]);
    is_equal(log.folder(), &dataset)
}

const POSTFIX: [&str; 7] = [
    "postfix/lab-long/maillog",
    "postfix/lab-scenarios/maillog",
    "postfix/queue-life/maillog",
    "postfix/sink/maillog",
    "postfix/suspects/maillog",
    "postfix/suppress/maillog",
    "postfix/rejects/mail.log",
];
const EXIM: [&str; 5] = [
    "exim/4.96-default/mainlog",
    "exim/4.100.1-default/mainlog",
    "exim/4.96-all-tz/mainlog",
    "exim/lab-scenarios/mainlog",
    "exim/queue-life/mainlog",
];

proptest! {
    #![proptest_config(config(18))]

    #[test]
    fn postfix_cut_anywhere(which in 0..POSTFIX.len(), thens in prop::collection::vec(then(), 1..8)) {
        any_cuts(POSTFIX[which], &thens)?;
    }
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn exim_cut_anywhere(which in 0..EXIM.len(), thens in prop::collection::vec(then(), 1..8)) {
        any_cuts(EXIM[which], &thens)?;
    }
}

const EXCHANGE: [(&str, &str); 3] = [
    ("exchange/fleet/EX16A/MSGTRK2025030400-1.LOG", "MSGTRK20250304"),
    ("exchange/send-protocol/SEND2026032007-1.LOG", "SEND20260320"),
    ("exchange/rejects/RECV2026032007-1.LOG", "RECV20260320"),
];

/// Exchange begins a file with a header each hour and at a size; it grows by any bytes, and is never renamed. A server's other logs are
/// beside it.
fn any_files(file: &str, names: &str, thens: &[Then]) -> Result<(), TestCaseError> {
    let lines = lines_of(file);
    let is_header = |line: &&Vec<u8>| line.starts_with(b"#") || line.starts_with(b"\xef\xbb\xbf#");
    let header = lines.iter().take_while(is_header).cloned().collect::<Vec<_>>().concat();
    let all = lines.iter().skip_while(is_header).cloned().collect::<Vec<_>>().concat();
    let folder = Folder::new();
    let dataset = folder.path("ds");
    let mut number = 1;
    let new = |number: usize| {
        let log = Log::new(folder.path("EX1"), &format!("{names}{:02}-{}.LOG", number / 3, number % 3 + 1));
        // Each header names the moment at which its file was begun.
        let header = String::from_utf8_lossy(&header).into_owned();
        let (before, date) = header.split_once("#Date: ").expect("a header of Exchange");
        log.grow(format!("{before}#Date: 2026-03-20T07:{number:02}{}", &date[16..]).as_bytes());
        log
    };
    let mut log = new(number);
    let mut thens = thens.to_vec();
    thens.sort_by_key(|then| then.at.index(all.len() + 1));
    let mut written = 0;
    for then in &thens {
        let mut cut = then.at.index(all.len() + 1);
        if then.rotation.is_some() {
            cut = all[..cut].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        }
        let cut = cut.max(written);
        log.grow(&all[written..cut]);
        written = cut;
        collect_then(then, log.folder(), &dataset)?;
        let at_line_end = written == 0 || all[written - 1] == b'\n';
        if then.rotation.is_some() && at_line_end && written < all.len() {
            number += 1;
            log = new(number);
        }
    }
    log.grow(&all[written..]);
    is_equal(log.folder(), &dataset)
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn exchange_in_any_files(which in 0..EXCHANGE.len(), thens in prop::collection::vec(then(), 1..8)) {
        let (file, names) = EXCHANGE[which];
        any_files(file, names, &thens)?;
    }
}

/// Every file of every server of a sample, one run for each, in an order that has nothing to do with time. Those of Exchange come before the
/// others, which are of a later year: a message of Exchange is taken for whole when all other logs are a week further.
#[test]
fn file_by_file_in_a_strange_order() {
    let folder = Folder::new();
    let dataset = folder.path("ds");
    let from = crate::common::root().join("samples/mixed/all-three");
    let mut files: Vec<_> = fs::read_dir(from).expect("a sample").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.is_file() && path.extension().is_none_or(|extension| extension != "md"));
    files.sort();
    assert_eq!(files.len(), 9);
    files[..7].rotate_left(4);
    for file in &files {
        folder
            .file(&format!("all/{}", file.file_name().expect("a name").to_str().expect("UTF-8")), fs::read(file).expect("a log"));
        collect(&[&folder.path("all")], &dataset).exits(0);
    }
    Answers::of(&[&folder.path("all")]).without_places().equal(&Answers::of(&[&dataset]).without_places(), "file by file");
    is_tidy(&dataset);
}
