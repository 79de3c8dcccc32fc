//! Input that is missing, broken or wrong: a message that names file, place and remedy, the rest reported, the right exit code.

use serde_json::Value;

use crate::common::{Folder, PACKED, Packed, bytes_of, command, finish, pack, run, run_with, sample, total};

fn sink() -> String {
    sample("postfix/sink/maillog")
}

/// Reads the sink's log together with something bad: the log is reported all the same.
#[track_caller]
fn beside(bad: &str, code: i32, words: &[&str]) {
    let ran = run(&["--tz", "UTC", "--format", "json", bad, &sink()]).exits(code).says(words);
    assert_eq!(total(&ran.json(), "deliveries"), 23, "{}", ran.err);
}

/// Reads something bad alone: there is nothing to report.
#[track_caller]
fn alone(bad: &str, words: &[&str]) {
    let ran = run(&["--tz", "UTC", "--format", "json", bad]).exits(2).says(words);
    let answer = ran.json();
    assert_eq!((&answer["error"], &answer["exit_code"]), (&"nothing could be read".into(), &2.into()));
    assert!(answer["file"].as_str().unwrap().contains(bad) && answer["remedy"].is_string(), "{answer}");
    assert!(run(&["--tz", "UTC", "--format", "csv", bad]).exits(2).out.is_empty());
}

#[test]
fn missing() {
    beside("no/such/mail.log", 3, &["no/such/mail.log: there is no such file", "folder no/such does not exist"]);
    alone("no/such/mail.log", &["no/such/mail.log", "nothing could be read"]);
    alone("samples/postfix/sink/mailog", &["mailog", "spelling"]);
}

#[test]
fn a_pattern_without_a_match() {
    beside("samples/*.nothing", 3, &["samples/*.nothing"]);
    alone("samples/*.nothing", &["samples/*.nothing", "nothing could be read"]);
}

#[cfg(unix)]
#[test]
fn unreadable() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::with("secret.log", bytes_of(&sink()));
    let path = folder.path("secret.log");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(&path).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    beside(&path, 3, &["secret.log: permission denied", "run as a user who may read it"]);
    alone(&path, &["secret.log"]);
}

#[test]
fn empty_files_are_a_hint() {
    let folder = Folder::with("mail.log", "");
    beside(&folder.path("mail.log"), 0, &["note:", "mail.log: is empty"]);
    let ran = run(&["--tz", "UTC", "--format", "json", &folder.path("mail.log")]).exits(0).says(&["is empty"]);
    assert_eq!(total(&ran.json(), "deliveries"), 0);
}

#[test]
fn binary_files_are_a_hint() {
    let noise: Vec<u8> = (0..20_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let folder = Folder::with("mail.log", noise);
    beside(&folder.path("mail.log"), 0, &["note:", "mail.log", "binary"]);
    folder.file("core", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".repeat(100));
    beside(&folder.path("core"), 0, &["core"]);
}

#[test]
fn texts_that_are_no_mail_log_are_a_hint() {
    let folder = Folder::with("notes.log", "Dear diary,\n\ntoday I read no mail.\n");
    beside(&folder.path("notes.log"), 0, &["note:", "notes.log: no line of Postfix, Exim or Exchange", "--mta"]);
}

#[test]
fn a_folder_without_logs_is_a_hint() {
    let folder = Folder::with("below/mail.log", bytes_of(&sink()));
    beside(&folder.path(""), 0, &["note:", "--recursive"]);
    let ran = run(&["--tz", "UTC", "--format", "json", "--recursive", &folder.path("")]).exits(0);
    assert_eq!(total(&ran.json(), "deliveries"), 23);
}

/// A packed file that ends early gives what it holds.
#[test]
fn packed_files_that_end_early() {
    let log = bytes_of(&sample("postfix/lab-long/maillog"));
    for (how, extension) in PACKED {
        let packed = pack(how, &log);
        let name = format!("mail.log.1.{extension}");
        let folder = Folder::with(&name, &packed[..packed.len() / 2]);
        let ran = run(&["--tz", "UTC", "--format", "json", &folder.path(&name)]);
        assert!(ran.code == 3 || ran.code == 2, "{extension}: {} {}", ran.code, ran.err);
        let code = ran.code;
        let ran = ran.exits(code).says(&[&name, "at byte", "copy the file again"]);
        // gz gives all up to the end; the others may hold it all in one block that cannot be opened.
        if matches!(how, Packed::Gz) {
            assert_eq!(code, 3);
            let lines = ran.json()["coverage"]["lines"].as_u64().unwrap();
            assert!(lines > 500 && lines < 2203, "{lines}");
        }
        let ran = run(&["--tz", "UTC", "--format", "json", &folder.path(&name), &sink()]).exits(3);
        assert!(total(&ran.json(), "deliveries") >= 23, "{extension}");
    }
}

/// A gz with one damaged byte in its middle.
#[test]
fn a_corrupt_gz() {
    let log = bytes_of(&sample("postfix/lab-long/maillog"));
    let mut packed = pack(Packed::Gz, &log);
    let at = packed.len() / 2;
    packed[at] ^= 0x55;
    let folder = Folder::with("mail.log.2.gz", packed);
    let ran = run(&["--tz", "UTC", "--format", "json", &folder.path("mail.log.2.gz")]).exits(3).says(&[
        "mail.log.2.gz",
        "damaged",
        "at byte",
    ]);
    assert!(ran.json()["coverage"]["lines"].as_u64().unwrap() > 100);
}

#[test]
fn a_plain_file_named_gz_and_a_gz_with_a_plain_name() {
    let folder = Folder::with("mail.log.1.gz", bytes_of(&sink()));
    let other = Folder::with("mail.log", pack(Packed::Gz, &bytes_of(&sink())));
    for path in [folder.path("mail.log.1.gz"), other.path("mail.log")] {
        let ran = run(&["--tz", "UTC", "--format", "json", &path]).exits(0);
        assert_eq!(total(&ran.json(), "deliveries"), 23, "{path}");
    }
}

#[test]
fn archives_are_named_as_what_they_are() {
    let folder = Folder::with("logs.zip", b"PK\x03\x04\x14\0\0\0\x08\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    beside(&folder.path("logs.zip"), 3, &["logs.zip", "zip"]);
}

#[track_caller]
fn wrong(args: &[&str], words: &[&str]) {
    let ran = run(&[args, &[&sink()]].concat()).exits(2).says(words);
    assert!(ran.out.is_empty(), "{}", ran.text());
}

#[test]
fn wrong_times() {
    wrong(&["--since", "24"], &["--since \"24\" is no time", "24h", "2026-11-20"]);
    wrong(&["--since", "2026-13-40"], &["--since", "is no time"]);
    wrong(&["--until", "tomorrow"], &["--until \"tomorrow\" is no time"]);
    wrong(&["--as-of", "later"], &["--as-of \"later\" is no time"]);
    wrong(&["--since", "2026-11-20", "--until", "2026-11-19"], &["the window is empty"]);
}

/// `--since 2026-11-20 13:00`, `reprot`, `--table` where it does nothing: what was meant is said.
#[test]
fn what_was_meant() {
    wrong(&["--since", "2026-11-20", "13:00"], &["13:00: there is no such file", "--since \"2026-11-20 13:00\""]);
    run(&["reprot"]).exits(2).says(&["no command and no file reprot", "did you mean report?"]);
    run(&["--since", "24h", "explain", "550"]).exits(2).says(&["explain takes no --since"]);
    wrong(&["--table", "attempts"], &["bouncestat attempts"]);
    wrong(&["--table", "reasons"], &["--table is for", "csv"]);
    run(&["--format", "json", "--table", "reasons", &sink()]).exits(2).says(&["json holds every table"]);
    run(&["--format", "json", "--csv-excel", &sink()]).exits(2).says(&["--csv-excel is for"]);
    run(&["attempts", "--format", "prometheus", &sink()]).exits(2).says(&["prometheus is a format of the report"]);
}

#[test]
fn equal_hints_are_one() {
    let folder = Folder::with("mail.log", bytes_of(&sink()));
    for n in 0..9 {
        folder.file(&format!("below/{n}.log"), "");
    }
    let ran =
        run(&["--tz", "UTC", "--format", "json", "--recursive", &folder.path("")]).exits(0).says(&["and 8 more files like it"]);
    assert_eq!(ran.err.matches("is empty").count(), 1, "{}", ran.err);
}

#[test]
fn quiet_leaves_what_went_wrong() {
    let ran = run(&["-q", "--tz", "UTC", &sink()]).exits(0);
    assert!(ran.err.is_empty() && !ran.out.is_empty(), "{}", ran.err);
    run(&["-q", "--tz", "UTC", &sink(), "no/such"]).exits(3).says(&["no/such: there is no such file"]);
}

#[test]
fn wrong_zone_format_server_threads_and_options() {
    wrong(&["--tz", "Mars/Olympus"], &["--tz \"Mars/Olympus\" is no zone", "Europe/Berlin", "+01:00"]);
    wrong(&["--format", "xls"], &["there is no format \"xls\"", "table, json, jsonl, csv, markdown, html, parquet, prometheus"]);
    wrong(&["-o", "report.xls"], &["report.xls", "the extension tells no format", "--format"]);
    wrong(&["--mta", "sendmail"], &["sendmail", "postfix", "exim", "exchange"]);
    wrong(&["--threads", "0"], &["--threads"]);
    wrong(&["--sinse", "24h"], &["--sinse", "--since"]);
}

#[test]
fn outputs_that_cannot_be_written() {
    wrong(&["-o", "no/such/folder/report.json"], &["no/such/folder/report.json: cannot be written"]);
    let folder = Folder::with("taken", "a file");
    wrong(&["--export", &folder.path("taken")], &["--export", "taken"]);
    // Before anything is read, and each cause once.
    for args in [["-o", "no/such/folder/report.json"], ["--export", &folder.path("taken")]] {
        let ran = run(&[&args[..], &[&sink()]].concat()).exits(2);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(ran.err.matches("os error").count() <= 1, "{}", ran.err);
    }
}

/// Lines that are cut, mixed up or no text are counted, not feared.
#[test]
fn lines_of_all_kinds() {
    let mut log = bytes_of(&sink());
    log.extend_from_slice(
        b"\xff\xfe\0\x01 garbage\nNov 22 13:13:40 mta postfix/smtp[1]: \nNov 22 13:13:40 mta postfix/smtp[1]: ABCDEF0: to=<",
    );
    let folder = Folder::with("mail.log", &log);
    let ran = run(&["--tz", "UTC", "--format", "json", &folder.path("mail.log")]).exits(0);
    let report = ran.json();
    assert_eq!(total(&report, "deliveries"), 23);
    let n = |name: &str| report["coverage"][name].as_u64().unwrap();
    assert_eq!((n("lines"), n("lines")), (158, n("used") + n("irrelevant") + n("unrecognised")));
}

#[test]
fn a_line_of_many_megabytes() {
    let mut log = bytes_of(&sink());
    log.extend(std::iter::repeat_n(b'x', 20 << 20));
    log.push(b'\n');
    let folder = Folder::with("mail.log", &log);
    let ran = run(&["--tz", "UTC", "--format", "json", &folder.path("mail.log")]).exits(0);
    assert_eq!(total(&ran.json(), "deliveries"), 23);
}

#[test]
fn no_logs_on_this_machine() {
    // In a container without a mail server that is so; elsewhere the report is of that machine.
    let ran = finish(command().args(["--tz", "UTC"]), b"");
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    if ran.code == 2 {
        ran.says(&["no mail logs were found", "bouncestat PATH"]);
    }
}

/// A reader that goes away (`| head -1`) is no error.
#[cfg(unix)]
#[test]
fn a_closed_pipe() {
    let mut shell = std::process::Command::new("sh");
    let line = "\"$0\" attempts --tz UTC --format csv samples/postfix/lab-long 2>&1 | head -c 10; true";
    shell.args(["-c", line, env!("CARGO_BIN_EXE_bouncestat")]).current_dir(crate::common::root());
    let ran = finish(&mut shell, b"").exits(0);
    assert!(!ran.text().contains("panicked"));
}

/// Whatever is cut off a log at its end, and whatever single byte is broken, the run ends well.
#[test]
fn logs_cut_and_broken_at_many_places() {
    for case in ["postfix/sink/maillog", "exim/4.96-all-tz/mainlog", "exchange/fleet/EX19/MSGTRK2025030400-1.LOG"] {
        let log = bytes_of(&sample(case));
        for step in 1..12 {
            let mut cut = log[..log.len() * step / 12].to_vec();
            let middle = cut.len() / 2;
            cut[middle] = [0, b'\n', 0xff, b'"', b'<'][step % 5];
            let ran = run_with(&["--tz", "UTC", "--format", "json", "-"], &cut).exits(0);
            let report: Value = ran.json();
            assert_eq!(report["coverage"]["bytes"].as_u64().unwrap(), cut.len() as u64, "{case}");
        }
    }
}

/// Devices, pipes and links are written to, not replaced.
#[cfg(unix)]
#[test]
fn outputs_that_are_no_files() {
    let folder = Folder::with("real.json", "old");
    let (link, real) = (folder.path("link.json"), folder.path("real.json"));
    std::os::unix::fs::symlink(&real, &link).unwrap();
    run(&["--tz", "UTC", "-o", &link, &sink()]).exits(0);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(std::fs::read(&real).unwrap().starts_with(b"{"));

    // A pipe stands for all that is no file: a device would be lost where this goes wrong.
    let pipe = folder.path("pipe.json");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::read(pipe).unwrap())
    };
    run(&["--tz", "UTC", "-o", &pipe, &sink()]).exits(0);
    assert!(!std::fs::metadata(&pipe).unwrap().is_file(), "the pipe was replaced by a file");
    assert!(reader.join().unwrap().starts_with(b"{"));
}
