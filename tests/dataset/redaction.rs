//! `collect --redact`: no address is left in any file of the dataset, and its reports are those of `--redact` over the logs.
//!
//! The key stays outside. A reply is redacted before it is kept, and judged again in every report: its judgement must not hang on an address.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::answers::{Answers, copy, files_below, is_tidy, parquet_rows};
use super::logs::lines_of;
use super::{collect, collect_with};
use crate::common::{Folder, bytes_of, sample};

const KEY: &str = "a key of a test, long enough\n";

/// The local parts of all addresses of a log that are long enough to be told from other words, and their addresses.
fn addresses(log: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(log).to_lowercase();
    let of_local = |c: char| c.is_alphanumeric() || ".!#$%&*+-=?^_`{|}~".contains(c);
    let of_domain = |c: char| c.is_alphanumeric() || ".-".contains(c);
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices('@') {
        let local = text[..at].chars().rev().take_while(|c| of_local(*c)).map(char::len_utf8).sum::<usize>();
        let domain = text[at + 1..].chars().take_while(|c| of_domain(*c)).map(char::len_utf8).sum::<usize>();
        if local > 0 && domain > 0 {
            found.insert(text[at - local..at + 1 + domain].trim_end_matches(['.', '-']).to_owned());
        }
    }
    found
}

/// All zstd frames of bytes, unpacked, behind the bytes themselves.
fn with_unpacked(bytes: &[u8]) -> Vec<u8> {
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let mut all = bytes.to_vec();
    for at in (0..bytes.len().saturating_sub(4)).filter(|at| bytes[*at..*at + 4] == MAGIC) {
        if let Ok(unpacked) = zstd::stream::decode_all(zstd_frame(&bytes[at..])) {
            // What is open lies packed inside the packed state.
            all.extend(with_unpacked(&unpacked));
        }
    }
    all
}

/// One frame, without what stands behind it.
fn zstd_frame(bytes: &[u8]) -> &[u8] {
    zstd::zstd_safe::find_frame_compressed_size(bytes).map_or(bytes, |length| &bytes[..length])
}

/// All that a dataset holds, packed and unpacked, and all rows of its Parquet files, in lower case.
fn all_of(dataset: &str) -> String {
    let mut all = Vec::new();
    for path in files_below(Path::new(dataset)) {
        all.extend(with_unpacked(&fs::read(path).expect("a file")));
        all.push(b'\n');
    }
    all.extend(parquet_rows(dataset).join("\n").into_bytes());
    String::from_utf8_lossy(&all).to_lowercase()
}

/// Whether an address stands in a text, and is not the end of a hash: `…23fa@ok.test`.
fn is_left(text: &str, address: &str) -> bool {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local).len();
    let is_hash = |end: usize| end >= 16 && text.as_bytes()[end - 16..end].iter().all(u8::is_ascii_hexdigit);
    text.match_indices(address).any(|(at, _)| !is_hash(at + local))
}

/// Local parts that say who it is and are no words of other texts: long ones with a digit or a sign in them. Queue ids stand in message ids,
/// and are kept.
fn is_telling(local: &str) -> bool {
    local.len() >= 5 && local.chars().any(|c| c.is_ascii_digit() || "._+".contains(c))
}

/// Whether a word stands in a text, and is no part of a longer one.
fn stands_alone(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(is_part) && !text[at + word.len()..].chars().next().is_some_and(is_part)
    })
}

/// Collects a log in two runs, as it is and redacted.
fn in_two_runs(file: &str) {
    let lines = lines_of(file);
    let name = file.rsplit('/').next().expect("a name");
    let folder = Folder::with("key", KEY);
    let key = folder.path("key");
    let options = ["--redact", "local", "--redact-key-file", &key];
    let (logs, dataset, open) = (folder.path("mx"), folder.path("ds"), folder.path("open"));
    for part in [lines.len() / 2, lines.len()] {
        folder.file(&format!("mx/{name}"), lines[..part].concat());
        collect_with(&[&logs], &dataset, &options).exits(0);
        collect(&[&logs], &open).exits(0);
    }
    let known = addresses(&bytes_of(&format!("samples/{file}")));
    let (redacted, plain) = (all_of(&dataset), all_of(&open));
    let left: Vec<&String> = known.iter().filter(|address| is_left(&redacted, address)).collect();
    assert!(left.is_empty(), "{file}: {left:?}");
    // The search finds what is there.
    let found = known.iter().filter(|address| plain.contains(*address)).count();
    assert!(found > 3 && found * 4 > known.len(), "{file}: {found} of {}", known.len());
    let locals: BTreeSet<&str> = known.iter().filter_map(|address| Some(address.rsplit_once('@')?.0)).collect();
    let is_id =
        |local: &str| lines.iter().any(|line| String::from_utf8_lossy(line).to_lowercase().contains(&format!("]: {local}: ")));
    let telling = locals.iter().filter(|local| is_telling(local) && !is_id(local));
    let left: Vec<&&str> = telling.filter(|local| stands_alone(&redacted, local)).collect();
    assert!(left.is_empty(), "{file}: {left:?}");
    assert!(!redacted.contains(KEY.trim()), "the key");
    is_tidy(&dataset);
    let batch = Answers::with(&[&logs], &options).without_places().without_rules();
    batch.equal(&Answers::of(&[&dataset]).without_places().without_rules(), file);
}

/// Redacted and collected file by file, as the logs are: what joins messages of two versions, and sessions with messages, joins them still.
fn file_by_file(case: &str, parts: &[&str], batch: &str) {
    let folder = Folder::with("key", KEY);
    // Of logs that nobody writes any more: a clone's files are new, and their last lines might go on.
    let logs = folder.path(case.rsplit('/').next().expect("a name"));
    copy(&sample(case), &logs);
    files_below(Path::new(&logs)).iter().for_each(|file| {
        let file = File::options().append(true).open(file).expect("a copy");
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).expect("it is ours");
    });
    let paths: Vec<String> = parts.iter().map(|part| format!("{logs}/{part}")).collect();
    let batch = format!("{logs}/{batch}");
    let key = folder.path("key");
    let options = ["--redact", "local", "--redact-key-file", &key];
    let dataset = folder.path("ds");
    for path in &paths {
        collect_with(&[path], &dataset, &options).exits(0);
    }
    let batch = Answers::with(&[&batch], &options).without_places().without_rules();
    batch.equal(&Answers::of(&[&dataset]).without_places().without_rules(), &format!("{paths:?}"));
    is_tidy(&dataset);
}

#[test]
fn postfix() {
    in_two_runs("postfix/lab-long/maillog");
}

#[test]
fn postfix_scenarios() {
    in_two_runs("postfix/lab-scenarios/maillog");
}

#[test]
fn exim() {
    in_two_runs("exim/4.96-all-tz/mainlog");
}

#[test]
fn exim_scenarios() {
    in_two_runs("exim/lab-scenarios/mainlog");
}

#[test]
fn exchange() {
    in_two_runs("exchange/fleet/EX16A/MSGTRK2025030400-1.LOG");
}

#[test]
fn exchange_protocol() {
    in_two_runs("exchange/rejects/RECV2026032007-1.LOG");
    in_two_runs("exchange/send-protocol/SEND2026032007-1.LOG");
}

#[test]
fn exchange_tracking_and_send_protocol() {
    let names = ["MSGTRK2026032007-1.LOG", "SEND2026032007-1.LOG", "SEND2026032008-1.LOG"];
    for turn in 0..3 {
        let mut names = names;
        names.rotate_left(turn);
        file_by_file("exchange/send-protocol-and-tracking", &names, "");
    }
}

#[test]
fn exchange_of_every_version() {
    let servers = ["EX10", "EX13", "EDGE1", "EX16A", "EX16B", "EX19", "EXSE"];
    file_by_file("exchange/fleet", &servers, "E*");
}
