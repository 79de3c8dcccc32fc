//! The same log in every frame and wrapper gives the same deliveries.

mod harness;

use std::fs;

use bouncestat_ingest::join::window::Window;

use harness::{Part, read, sample};

/// A frame's name, and what puts a line into it.
type Frame<'a> = (&'a str, &'a dyn Fn(&str) -> String);

/// Reads a log whose lines went through `wrap`, as a file in a folder of the sample's name.
fn wrapped(name: &str, wrap: &dyn Fn(&str) -> String) -> Part {
    let bytes = fs::read(sample(name)).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let folder = tempfile::tempdir().unwrap();
    let mut path = folder.path().join(sample(name).parent().unwrap().file_name().unwrap());
    fs::create_dir(&path).unwrap();
    path.push("log");
    fs::write(&path, text.lines().map(|line| wrap(line) + "\n").collect::<String>()).unwrap();
    read(&[path], 1 << 20, Window::default()).0
}

/// The stamp, and what follows it: `Nov 22 13:42:06` and ` lab postfix/…`.
fn split(line: &str) -> (&str, &str) {
    line.split_at(15)
}

/// The stamp of a sample as RFC 3339; all are of November 2026.
fn full(line: &str, zone: &str) -> String {
    let (stamp, _) = split(line);
    format!("2026-11-{:0>2}T{}{zone}", stamp[4..6].trim(), &stamp[7..])
}

#[test]
fn postfix_in_every_frame() {
    let name = "postfix/lab-short/maillog";
    let bare = wrapped(name, &|line| line.to_owned());
    assert_eq!(bare.outcomes["bounced"], 68);
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let frames: &[Frame<'_>] = &[
        ("RFC 3339", &|line| format!("{}{}", full(line, "+00:00"), split(line).1)),
        ("RFC 3339 in another zone", &|line| {
            let (_, rest) = split(line);
            let whole = full(line, "");
            format!("{}T{:02}{}+01:00{rest}", &whole[..10], whole[11..13].parse::<u32>().unwrap() + 1, &whole[13..])
        }),
        ("with priority", &|line| format!("<22>{line}")),
        ("RFC 5424", &|line| {
            let rest = split(line).1.trim_start();
            let (host, rest) = rest.split_once(' ').unwrap();
            let (tag, rest) = rest.split_once('[').unwrap();
            let (pid, rest) = rest.split_once("]: ").unwrap();
            format!("<22>1 {} {host} {tag} {pid} - [x@1 y=\"z]\"] {rest}", full(line, ".123Z"))
        }),
        ("year first", &|line| format!("2026 {line}")),
        ("busybox", &|line| {
            let (stamp, rest) = split(line);
            let (host, rest) = rest.trim_start().split_once(' ').unwrap();
            format!("{stamp} {host} mail.info {rest}")
        }),
        ("Solaris", &|line| line.replacen("]: ", "]: [ID 197553 mail.info] ", 1)),
        ("CRI", &|line| format!("{} stdout F {line}", full(line, ".123456789Z"))),
        ("Docker", &|line| {
            format!("{{\"log\":{},\"stream\":\"stdout\",\"time\":\"{}\"}}", json(&format!("{line}\n")), full(line, ".5Z"))
        }),
        ("journald", &|line| {
            let rest = split(line).1.trim_start();
            let (host, rest) = rest.split_once(' ').unwrap();
            let (tag, rest) = rest.split_once('[').unwrap();
            let (pid, rest) = rest.split_once("]: ").unwrap();
            let at = chrono::DateTime::parse_from_rfc3339(&full(line, "Z")).unwrap().timestamp_micros();
            format!(
                "{{\"__REALTIME_TIMESTAMP\":\"{at}\",\"_HOSTNAME\":{},\"SYSLOG_IDENTIFIER\":{},\"_PID\":\"{pid}\",\"MESSAGE\":{}}}",
                json(host),
                json(tag),
                json(rest)
            )
        }),
        ("journalctl -o short-precise", &|line| {
            let (stamp, rest) = split(line);
            format!("{stamp}.123456{rest}")
        }),
        ("journalctl -o short-iso", &|line| format!("{}{}", full(line, "+0000"), split(line).1)),
        ("journalctl -o short-iso of later versions", &|line| format!("{}{}", full(line, "+00:00"), split(line).1)),
        ("journalctl -o short-iso-precise", &|line| format!("{}{}", full(line, ".123456+0000"), split(line).1)),
        ("journalctl -o short-full", &|line| format!("Sun {} UTC{}", full(line, "").replace('T', " "), split(line).1)),
        ("journalctl -o short-full in a zone that only has a name", &|line| {
            format!("Sun {} WET{}", full(line, "").replace('T', " "), split(line).1)
        }),
        ("journalctl -o short-unix", &|line| {
            let at = chrono::DateTime::parse_from_rfc3339(&full(line, "Z")).unwrap().timestamp();
            format!("{at}.423193{}", split(line).1)
        }),
        ("syslog-ng, ISO", &|line| format!("{}{}", full(line, "+00:00"), split(line).1)),
        ("syslog-ng, ISO with a fraction", &|line| format!("{}{}", full(line, ".123+00:00"), split(line).1)),
        ("syslog-ng, facility and level before the host", &|line| format!("{} mail.info{}", full(line, "+00:00"), split(line).1)),
        ("syslog-ng, facility and level behind the host", &|line| {
            let (host, rest) = split(line).1.trim_start().split_once(' ').unwrap();
            format!("{} {host} mail.info {rest}", full(line, ".5+00:00"))
        }),
        ("logged again", &|line| format!("{} node docker[7]: {line}", split(line).0)),
        ("CRLF", &|line| format!("{line}\r")),
    ];
    for (name_of_frame, wrap) in frames {
        let got = wrapped(name, wrap);
        assert_eq!(got.outcomes, bare.outcomes, "{name_of_frame}");
        assert_eq!(got.deliveries, bare.deliveries, "{name_of_frame}");
    }
}

/// `journalctl -o with-unit` leaves the program out. What only that tells (`postsuper`, pipes) is lost; deliveries are not.
#[test]
fn postfix_by_its_unit() {
    let name = "postfix/lab-short/maillog";
    let bare = wrapped(name, &|line| line.to_owned());
    let got = wrapped(name, &|line| {
        let (host, rest) = split(line).1.trim_start().split_once(' ').unwrap();
        let rest = &rest[rest.find('[').unwrap()..];
        format!("Sun {} UTC {host} postfix@-.service{rest}", full(line, "").replace('T', " "))
    });
    assert_eq!(got.outcomes, bare.outcomes);
    assert_eq!(got.deliveries, bare.deliveries);
}

#[test]
fn exim_in_every_frame() {
    let name = "exim/4.96-default/mainlog";
    let bare = wrapped(name, &|line| line.to_owned());
    assert_eq!(bare.outcomes["bounced"], 20);
    let wall = |line: &str| format!("{}T{}", &line[..10], &line[11..19]);
    let stamped = |line: &str| line.len() > 19 && line.as_bytes()[4] == b'-';
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let frames: &[Frame<'_>] = &[
        ("syslog", &|line| if stamped(line) { format!("{}Z mta exim[5]: {line}", wall(line)) } else { line.to_owned() }),
        ("journalctl -o short-full", &|line| {
            if stamped(line) { format!("Sun {} UTC mta exim[5]: {line}", &line[..19]) } else { line.to_owned() }
        }),
        ("syslog-ng, facility and level", &|line| {
            if stamped(line) { format!("{}+00:00 mail.notice mta exim[5]: {line}", wall(line)) } else { line.to_owned() }
        }),
        ("CRI", &|line| if stamped(line) { format!("{}.5Z stdout F {line}", wall(line)) } else { line.to_owned() }),
        ("Docker", &|line| {
            if stamped(line) { format!("{{\"log\":{},\"time\":\"{}Z\"}}", json(line), wall(line)) } else { line.to_owned() }
        }),
    ];
    for (name_of_frame, wrap) in frames {
        let got = wrapped(name, wrap);
        assert_eq!(got.outcomes, bare.outcomes, "{name_of_frame}");
        assert_eq!(got.deliveries, bare.deliveries, "{name_of_frame}");
    }
}
