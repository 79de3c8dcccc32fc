//! A full disk, a folder that cannot be written to, two runs at once, folders that are no dataset: refused in clear words, and the next
//! run is as good as if nothing had been.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::answers::{Answers, MANIFEST, copy, files_below, is_dataset, is_tidy, parquet_rows, report_of};
use super::logs::lines_of;
use super::{collect, collect_with};
use crate::common::{Folder, Ran, command, finish, root, sample};

/// A dataset of a sample's first half, and a log of all of it.
fn half_collected(folder: &Folder) -> (String, String) {
    let lines = lines_of("postfix/lab-long/maillog");
    let log = folder.file("mx/mail.log", lines[..lines.len() / 2].concat());
    let dataset = folder.path("ds");
    collect(&[&log], &dataset).exits(0);
    folder.file("mx/mail.log", lines.concat());
    (log, dataset)
}

/// Collects where no file can become longer than some blocks of 512 bytes, as on a full disk.
#[cfg(unix)]
fn collect_with_little_space(blocks: u64, log: &str, dataset: &str) -> Ran {
    // POSIX counts in 512 bytes, bash in 1024.
    let script = format!(
        "if [ -n \"$BASH_VERSION\" ]; then ulimit -f {}; else ulimit -f {blocks}; fi; trap '' XFSZ; \
         exec \"$0\" collect --tz UTC --into \"$1\" \"$2\"",
        blocks / 2
    );
    let of_tests = command();
    let mut shell = Command::new("sh");
    shell.current_dir(root()).env("TZ", "UTC").env("BOUNCESTAT_CONFIG", "").env_remove("BOUNCESTAT_REDACT_KEY");
    finish(shell.args(["-c", &script]).arg(of_tests.get_program()).args([dataset, log]), b"")
}

#[cfg(unix)]
#[test]
fn a_full_disk() {
    let folder = Folder::new();
    let (log, before) = half_collected(&folder);
    let (whole, full) = (folder.path("whole"), folder.path("full"));
    copy(&before, &whole);
    let lengths: Vec<u64> = {
        collect(&[&log], &whole).exits(0);
        files_below(Path::new(&whole)).iter().map(|path| fs::metadata(path).expect("it is there").len()).collect()
    };
    let (answers, rows) = (Answers::of(&[&whole]), parquet_rows(&whole));
    let (report_before, report_after) = (report_of(&before), report_of(&whole));
    let most = lengths.iter().max().expect("files") / 512;
    let mut failed = 0;
    for blocks in [0, 2, 4, 8, 16, 32, 64, 128, 256] {
        for begin in [&before, &folder.path("nothing")] {
            copy(begin, &full);
            let ran = collect_with_little_space(blocks, &log, &full);
            assert!(blocks > most || ran.code != 0 || blocks * 512 > 4096, "{blocks} blocks are enough: {}", ran.err);
            if ran.code != 0 {
                failed += 1;
                ran.exits(2).says(&[&full, "free some space and run again: nothing was lost"]);
                if is_dataset(&full) {
                    let report = report_of(&full);
                    assert!(report == report_before || report == report_after);
                } else {
                    assert!(begin != &before, "{blocks} blocks: the manifest is gone");
                }
                parquet_rows(&full);
            }
            collect(&[&log], &full).exits(0);
            is_tidy(&full);
            if begin == &before {
                answers.equal(&Answers::of(&[&full]), &format!("{blocks} blocks"));
                assert!(rows == parquet_rows(&full), "{blocks} blocks");
            } else {
                assert_eq!(report_of(&full), report_after, "{blocks} blocks, a new dataset");
            }
        }
    }
    assert!(failed >= 8, "only {failed} runs had too little space");
}

/// Nobody can be kept from writing who is root.
#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_to() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let (log, dataset) = half_collected(&folder);
    let (whole, before) = (folder.path("whole"), report_of(&dataset));
    copy(&dataset, &whole);
    collect(&[&log], &whole).exits(0);
    let folders = ["state", "messages", "attempts", ""];
    let set = |mode| {
        let mut paths: Vec<String> = folders.iter().map(|name| format!("{dataset}/{name}")).collect();
        let days = fs::read_dir(format!("{dataset}/attempts")).expect("a folder").map(|day| day.expect("a day").path());
        paths.extend(days.map(|day| day.display().to_string()));
        // Who takes the right away begins inside, who gives it begins outside.
        paths.sort_by_key(|path| if mode == 0o555 { usize::MAX - path.len() } else { path.len() });
        paths.iter().for_each(|path| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours"));
    };
    set(0o555);
    if File::create(format!("{dataset}/state/try")).is_ok() {
        set(0o755);
        eprintln!("skipped: root may write everywhere");
        return;
    }
    collect(&[&log], &dataset).exits(2).says(&[&dataset, "give the user that runs this the right to write there"]);
    assert_eq!(report_of(&dataset), before);
    set(0o755);
    collect(&[&log], &dataset).exits(0);
    Answers::of(&[&whole]).equal(&Answers::of(&[&dataset]), "after it could not be written to");
    is_tidy(&dataset);
}

/// A folder below a file, and a file: no folder can be there.
#[test]
fn a_path_where_no_folder_can_be() {
    let folder = Folder::with("file", "text");
    for into in [folder.path("file"), folder.path("file/ds")] {
        collect(&[&sample("postfix/sink")], &into).exits(2).says(&[&folder.path("file")]);
    }
    assert_eq!(fs::read(folder.path("file")).expect("it is there"), b"text");
}

/// The first run waits for its input, so that it is sure to be there when the second begins.
#[test]
fn two_runs_at_once() {
    let folder = Folder::new();
    let (log, dataset) = half_collected(&folder);
    let before = report_of(&dataset);
    let mut first = command();
    first.args(["collect", "--tz", "UTC", "--into", &dataset, "-"]);
    let mut first = first.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let who = format!("process {} since", first.id());
    let lock = format!("{dataset}/.lock");
    while !fs::read_to_string(&lock).expect("it is there").starts_with(&who) {
        assert!(first.try_wait().expect("a child").is_none(), "it ended before its input did");
        std::thread::yield_now();
    }
    collect(&[&log], &dataset).exits(2).says(&[&dataset, &who, "wait for its end, or stop it"]);
    assert_eq!(report_of(&dataset), before, "reports are made meanwhile");
    // What the first run is given becomes part of the dataset, and then the second can run.
    let lines = lines_of("postfix/sink/maillog").concat();
    let mut input = first.stdin.take().expect("a pipe");
    input.write_all(&lines).expect("it reads");
    drop(input);
    assert_eq!(first.wait().expect("it ends").code(), Some(0));
    collect(&[&log], &dataset).exits(0);
    folder.file("mx/sink.log", lines);
    let batch = Answers::of(&[&folder.path("mx")]).without_places();
    batch.equal(&Answers::of(&[&dataset]).without_places(), "both runs");
}

/// A lock that nobody holds any more, whatever stands in it, and one that says nothing.
#[test]
fn the_lock_is_the_systems() {
    let folder = Folder::new();
    let (log, dataset) = half_collected(&folder);
    fs::write(format!("{dataset}/.lock"), "process 1 since 2020-01-01T00:00:00Z\n").expect("a file");
    collect(&[&log], &dataset).exits(0);
    fs::write(format!("{dataset}/.lock"), "").expect("a file");
    let held = File::open(format!("{dataset}/.lock")).expect("a file");
    held.lock().expect("nobody holds it");
    collect(&[&log], &dataset).exits(2).says(&["another run is writing to this dataset"]);
    report_of(&dataset);
    drop(held);
    collect(&[&log], &dataset).exits(0);
}

#[test]
fn what_is_no_dataset_is_left_alone() {
    let log = sample("postfix/sink/maillog");
    let folder = Folder::with("other/letter.txt", "dear");
    collect(&[&log], &folder.path("other")).exits(2).says(&[&folder.path("other"), "letter.txt", "is no dataset"]);
    assert_eq!(files_below(Path::new(&folder.path("other"))).len(), 1);
    // A dataset is no log.
    collect(&[&log], &folder.path("ds")).exits(0);
    collect(&[&folder.path("ds")], &folder.path("ds2")).exits(2).says(&["is a dataset"]);
    assert!(!Path::new(&folder.path("ds2")).exists());
    // A report of two of them, or of logs beside one, would count some mail twice.
    crate::common::run(&[&folder.path("ds"), &log]).exits(2).says(&["name it alone"]);
}

#[test]
fn a_dataset_of_a_later_form_is_refused() {
    let log = sample("postfix/sink/maillog");
    let folder = Folder::new();
    let dataset = folder.path("ds");
    collect(&[&log], &dataset).exits(0);
    let manifest = fs::read_to_string(format!("{dataset}/{MANIFEST}")).expect("a manifest");
    // A later form may hold anything else.
    let later = manifest.replacen("\"bouncestat_dataset\": 1", "\"bouncestat_dataset\": 2, \"bigger\": [1]", 1);
    let later = later.replace("\"segments\"", "\"lists\"");
    assert_ne!(manifest, later);
    fs::write(format!("{dataset}/{MANIFEST}"), &later).expect("a file");
    let words = ["is a dataset of form 2", "knows form 1", "use the newer one"];
    collect(&[&log], &dataset).exits(2).says(&words);
    crate::common::run(&[&dataset]).exits(2).says(&words);
    assert_eq!(fs::read_to_string(format!("{dataset}/{MANIFEST}")).expect("a manifest"), later);
    // A manifest that is damaged is told, and nothing is written over it.
    fs::write(format!("{dataset}/{MANIFEST}"), &manifest[..manifest.len() / 2]).expect("a file");
    collect(&[&log], &dataset).exits(2).says(&[MANIFEST, "is damaged"]);
    crate::common::run(&[&dataset]).exits(2).says(&[MANIFEST, "is damaged"]);
}

#[test]
fn another_redaction_is_refused() {
    let log = sample("postfix/sink/maillog");
    let folder = Folder::with("key", "a key of a test, long enough\n");
    let (open, hashed) = (folder.path("open"), folder.path("hashed"));
    let local = ["--redact", "local", "--redact-key-file", &folder.path("key")];
    let address = ["--redact", "address", "--redact-key-file", &folder.path("key")];
    collect(&[&log], &open).exits(0);
    collect_with(&[&log], &hashed, &local).exits(0);
    let (report_open, report_hashed) = (report_of(&open), report_of(&hashed));
    collect_with(&[&log], &open, &local).exits(2).says(&[&open, "--redact none", "--redact local"]);
    collect(&[&log], &hashed).exits(2).says(&[&hashed, "--redact local", "--redact none"]);
    collect_with(&[&log], &hashed, &address).exits(2).says(&["--redact local", "--redact address"]);
    assert_eq!((report_open, report_hashed), (report_of(&open), report_of(&hashed)));
    collect_with(&[&log], &hashed, &local).exits(0);
}
