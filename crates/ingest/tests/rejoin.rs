//! Lines that something on the way cut into parts give the same deliveries as whole ones, at any size of chunks.

mod harness;

use std::fs;

use bouncestat_ingest::join::window::Window;

use harness::{Part, read, sample};

/// Reads a text as a file in a folder of the sample's name, in chunks of every size.
#[track_caller]
fn check(name: &str, text: &[u8], rejoined: bool, what: &str) {
    let (bare, _) = read(&[sample(name)], 1 << 20, Window::default());
    let folder = tempfile::tempdir().unwrap();
    let mut path = folder.path().join(sample(name).parent().unwrap().file_name().unwrap());
    fs::create_dir(&path).unwrap();
    path.push("log");
    fs::write(&path, text).unwrap();
    let sorted = |mut part: Part| {
        part.deliveries.sort();
        part
    };
    let bare = sorted(bare);
    for chunk in [1 << 20, 70_000, 1000, 16] {
        let (part, summary) = read(std::slice::from_ref(&path), chunk, Window::default());
        assert_eq!(sorted(part), bare, "{what}, chunks of {chunk}");
        assert_eq!(summary.tally.rejoined > 0, rejoined, "{what}");
        let lines = text.split_inclusive(|b| *b == b'\n').count() as u64;
        assert_eq!((summary.tally.lines, summary.bytes), (lines, text.len() as u64), "{what}, chunks of {chunk}");
    }
}

#[test]
fn kubernetes_cuts_lines_in_pieces() {
    let name = "postfix/lab-short/maillog";
    let log = fs::read(sample(name)).unwrap();
    let mut out = Vec::new();
    for line in log.strip_suffix(b"\n").unwrap().split(|b| *b == b'\n') {
        let pieces: Vec<&[u8]> = line.chunks(100).collect();
        for (n, piece) in pieces.iter().enumerate() {
            let flag = if n + 1 == pieces.len() { "F" } else { "P" };
            out.extend_from_slice(format!("2026-11-22T13:42:06.{n:09}Z stdout {flag} ").as_bytes());
            out.extend_from_slice(piece);
            out.push(b'\n');
        }
        out.extend_from_slice(b"2026-11-22T13:42:06.1Z stderr F a word from beside\n");
    }
    check(name, &out, true, "CRI");
}

#[test]
fn exim_cuts_lines_for_the_syslog() {
    let name = "exim/4.96-default/mainlog";
    let log = fs::read(sample(name)).unwrap();
    for (host, what) in [("mta ", "with a host"), ("", "as handed to the socket")] {
        let mut out = Vec::new();
        for line in log.strip_suffix(b"\n").unwrap().split(|b| *b == b'\n') {
            let pieces: Vec<&[u8]> = line.chunks(60).collect();
            for (n, piece) in pieces.iter().enumerate() {
                let part = if pieces.len() > 1 { format!("[{}/{}] ", n + 1, pieces.len()) } else { String::new() };
                out.extend_from_slice(format!("<22>Nov 22 13:07:02 {host}exim[23814]: {part}").as_bytes());
                out.extend_from_slice(piece);
                out.extend_from_slice(b"\n");
                // Another process writes between its parts.
                if n == 0 && !host.is_empty() {
                    out.extend_from_slice(
                        b"<22>Nov 22 13:07:02 mta exim[5]: [1\\2] x\n<22>Nov 22 13:07:02 mta exim[5]: [2/2] y\n",
                    );
                }
            }
        }
        check(name, &out, true, what);
    }
}

#[test]
fn the_journals_export() {
    let name = "postfix/lab-short/maillog";
    let log = String::from_utf8(fs::read(sample(name)).unwrap()).unwrap();
    let mut out = Vec::new();
    for (n, line) in log.lines().enumerate() {
        let (stamp, rest) = line.split_at(15);
        let at = chrono::DateTime::parse_from_rfc3339(&format!("2026-11-{:0>2}T{}Z", stamp[4..6].trim(), &stamp[7..])).unwrap();
        let (host, rest) = rest.trim_start().split_once(' ').unwrap();
        let (tag, rest) = rest.split_once('[').unwrap();
        let (pid, message) = rest.split_once("]: ").unwrap();
        out.extend_from_slice(format!("__CURSOR=s=1;i={n:x}\n__REALTIME_TIMESTAMP={}\n", at.timestamp_micros()).as_bytes());
        out.extend_from_slice(format!("_HOSTNAME={host}\nSYSLOG_IDENTIFIER={tag}\nSYSLOG_PID={pid}\n").as_bytes());
        if n % 3 == 0 {
            out.extend_from_slice(b"MESSAGE\n");
            out.extend_from_slice(&(message.len() as u64).to_le_bytes());
        } else {
            out.extend_from_slice(b"MESSAGE=");
        }
        out.extend_from_slice(message.as_bytes());
        out.extend_from_slice(b"\nSYSLOG_FACILITY=2\n\n");
    }
    check(name, &out, false, "the journal's export");
}
