//! `--redact local|address`: no address of the logs is left in anything that any command writes, and counts stay right.

use std::collections::BTreeSet;

use crate::common::{Folder, Ran, command, finish, report, root, run, run_with, total};

const CASES: [&str; 5] = [
    "samples/postfix/lab-long",
    "samples/postfix/sink",
    "samples/postfix/queue-life",
    "samples/exim/4.96-all-tz",
    "samples/exchange/fleet/E*",
];
const KEY: &str = "a key of a test, long enough";

/// Runs with the test's key.
fn redacted(how: &str, args: &[&str], input: &[u8]) -> Ran {
    finish(command().env("BOUNCESTAT_REDACT_KEY", KEY).args(args).args(["--redact", how]), input)
}

/// Whatever looks like an address in bytes, by a rule of the test's own: `local@domain`, in lower case.
fn addresses(bytes: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let of_local = |c: char| c.is_alphanumeric() || ".!#$%&*+-=?^_`{|}~".contains(c);
    let of_domain = |c: char| c.is_alphanumeric() || ".-".contains(c);
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices('@') {
        let local = text[..at].chars().rev().take_while(|c| of_local(*c)).map(char::len_utf8).sum::<usize>();
        let domain = text[at + 1..].chars().take_while(|c| of_domain(*c)).map(char::len_utf8).sum::<usize>();
        let domain = text[at + 1..at + 1 + domain].trim_end_matches(['.', '-']).len();
        if local > 0 && domain > 0 {
            found.insert(text[at - local..at + 1 + domain].to_owned());
        }
    }
    found
}

/// All addresses of the sample logs.
fn known() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut folders = vec![root().join("samples")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            match entry {
                path if path.is_dir() && !path.ends_with("expected") => folders.push(path),
                path if path.is_file() && path.extension().is_none_or(|e| e != "md") => {
                    all.extend(addresses(&std::fs::read(path).unwrap()))
                }
                _ => {}
            }
        }
    }
    assert!(all.len() > 500, "{}", all.len());
    all
}

/// Demands that none of the known addresses is in an output.
#[track_caller]
fn nobody(known: &BTreeSet<String>, what: &str, bytes: &[u8]) {
    assert!(!bytes.is_empty(), "{what} is empty");
    let left: Vec<_> = addresses(bytes).into_iter().filter(|a| known.contains(a)).take(5).collect();
    assert!(left.is_empty(), "{what}: {left:?}");
}

#[test]
fn no_address_is_left_in_any_output_of_any_command() {
    let known = known();
    let mut lines = Vec::new();
    for case in ["samples/postfix/lab-long/maillog", "samples/exim/4.96-all-tz/mainlog"] {
        lines.extend(std::fs::read(root().join(case)).unwrap());
    }
    for how in ["local", "address"] {
        for format in ["table", "json", "jsonl", "csv", "markdown", "parquet", "prometheus"] {
            let ran = redacted(
                how,
                &[&["--tz", "UTC", "--top", "1000", "--width", "2000", "--format", format], &CASES[..]].concat(),
                b"",
            )
            .exits(0);
            nobody(&known, &format!("report {how} {format}"), &[ran.out, ran.err.into_bytes()].concat());
        }
        let folder = Folder::new();
        redacted(how, &[&["--tz", "UTC", "--export", &folder.path("bi")], &CASES[..]].concat(), b"").exits(0);
        redacted(how, &[&["attempts", "--tz", "UTC", "--export", &folder.path("bi")], &CASES[..]].concat(), b"").exits(0);
        for file in std::fs::read_dir(folder.path("bi")).unwrap().map(|e| e.unwrap().path()) {
            nobody(&known, &format!("export {how} {}", file.display()), &std::fs::read(&file).unwrap());
        }
        for format in ["table", "json", "jsonl", "csv", "markdown", "parquet"] {
            let args = ["attempts", "--tz", "UTC", "--width", "2000", "--format", format];
            let ran = redacted(how, &[&args, &CASES[..]].concat(), b"").exits(0);
            nobody(&known, &format!("attempts {how} {format}"), &ran.out);
        }
        let check = ["check", "--tz", "UTC", "--by", "domain", "--max", "hard_rate=1%", "--min-deliveries", "1"];
        nobody(&known, "check", &redacted(how, &[&check, &CASES[..]].concat(), b"").exits(2).out);
        nobody(&known, "classify", &redacted(how, &["classify"], &lines).exits(0).out);
        let reply = "550 5.1.1 <u0@hard.test>: Recipient address rejected: blorx";
        for format in ["table", "json"] {
            nobody(&known, "explain", &redacted(how, &["explain", "--format", format, reply], b"").exits(0).out);
        }
    }
    // The search finds what is there: without the option there is plenty.
    let open = run(&[&["attempts", "--tz", "UTC", "--format", "csv"], &CASES[..]].concat()).exits(0);
    assert!(addresses(&open.out).iter().filter(|a| known.contains(*a)).count() > 100);
}

/// A column of attempts that were written as JSON lines.
fn column(rows: &Ran, name: &str) -> Vec<String> {
    let row = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()[name].to_string();
    rows.text().lines().map(row).collect()
}

#[test]
fn numbers_stay_right() {
    let plain = report(&["samples/postfix/lab-long"]);
    let rows =
        |how: &str| redacted(how, &["attempts", "--tz", "UTC", "--format", "jsonl", "samples/postfix/lab-long"], b"").exits(0);
    let distinct = |ran: &Ran, name: &str| column(ran, name).into_iter().collect::<BTreeSet<_>>().len();
    let open = rows("none");
    for how in ["local", "address"] {
        let report = redacted(how, &["--tz", "UTC", "--format", "json", "samples/postfix/lab-long"], b"").exits(0).json();
        assert_eq!(report["totals"], plain["totals"]);
        assert_eq!(report["providers"], plain["providers"]);
        assert_eq!(report["domains"].as_array().unwrap().len(), plain["domains"].as_array().unwrap().len());
        let rows = rows(how);
        for name in ["recipient", "sender", "recipient_domain", "delivery_id", "message_id"] {
            assert_eq!(distinct(&rows, name), distinct(&open, name), "{how}: {name}");
        }
        assert_eq!(column(&rows, "outcome"), column(&open, "outcome"));
        let same_domains = column(&rows, "recipient_domain") == column(&open, "recipient_domain");
        assert_eq!(same_domains, how == "local");
    }
    assert!(total(&plain, "deliveries") > 100);
}

#[test]
fn keys_and_their_mistakes() {
    let folder = Folder::with("key", format!("{KEY}\n"));
    let key = folder.path("key");
    let args = ["attempts", "--tz", "UTC", "--format", "csv", "--redact", "local", "samples/postfix/sink"];
    let by_file = run(&[&args[..], &["--redact-key-file", &key]].concat()).exits(0).says(&["hashed with the key in"]);
    let by_env = finish(command().env("BOUNCESTAT_REDACT_KEY", KEY).args(args), b"").exits(0);
    assert_eq!(by_file.text(), by_env.text());
    let (one, two) = (run(&args).exits(0).says(&["random key"]), run(&args).exits(0));
    assert!(one.text() != two.text() && one.text() != by_env.text());
    folder.file("short", "123");
    run(&[&args[..], &["--redact-key-file", &folder.path("short")]].concat()).exits(2).says(&["has 3 bytes", "at least 16"]);
    run(&[&args[..], &["--redact-key-file", &folder.path("none")]].concat()).exits(2).says(&["cannot be read"]);
    run(&["--redact-key-file", &key, "samples/postfix/sink"]).exits(2).says(&["needs --redact local"]);
}

/// The hash is what the documents say: HMAC-SHA-256 of the address, so that who has the key finds it again.
#[test]
fn a_hash_can_be_made_by_hand() {
    let ran = redacted("local", &["classify"], b"550 <bob@example.com> unknown\n").exits(0);
    let shown = ran.json()["input"].as_str().unwrap().to_owned();
    let args = ["dgst", "-sha256", "-hmac", KEY];
    if std::process::Command::new("openssl").arg("version").output().is_err() {
        eprintln!("skipped: there is no openssl");
        return;
    }
    let hash = finish(std::process::Command::new("openssl").args(args), b"bob@example.com").exits(0);
    let hash = hash.text().trim().rsplit(' ').next().unwrap()[..16].to_owned();
    assert_eq!(shown, format!("550 <{hash}@example.com> unknown"));
    assert!(run_with(&["classify"], b"550 <bob@example.com> unknown\n").exits(0).text().contains("bob@example.com"));
}
