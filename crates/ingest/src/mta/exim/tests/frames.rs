//! Stamps, syslogs, ids, skipping, and telling Exim's logs from others.

use super::super::{detect, id_epoch, is_message_id};
use super::{events, moment, reader, words};
use crate::event::Sort;

#[test]
fn own_stamps() {
    for (stamp, want) in [
        ("2026-11-22 13:07:02", "2026-11-22T12:07:02+00:00"),
        ("2026-11-22 13:07:02.563", "2026-11-22T12:07:02.563+00:00"),
        ("2026-11-22 13:07:02 -0530", "2026-11-22T18:37:02+00:00"),
        ("2026-11-22 13:07:02.563 +0000", "2026-11-22T13:07:02.563+00:00"),
        ("2026-11-22 13:07:02 [23814]", "2026-11-22T12:07:02+00:00"),
    ] {
        let line = format!("{stamp} 1xV7He-00060W-1p Completed");
        assert_eq!(moment(&mut reader("+01:00", ""), &line).as_deref(), Some(want), "{line}");
    }
}

#[test]
fn through_a_syslog() {
    let inner = "1xV7He-00060W-1p <= s@local.test U=root P=local S=350";
    let born = "Born from=s@local.test size=350";
    for (prefix, host) in [
        ("<22>Nov 22 13:07:02 mx1 exim[23814]: 2026-11-22 13:07:02 [23814] ", " host=mx1"),
        ("Nov  2 13:07:02 mx1 exim[23814]: 2026-11-22 13:07:02 ", " host=mx1"),
        ("Nov 22 13:07:02 mx1 exim[23814]: ", " host=mx1"),
        ("Nov 22 13:07:02 mx1 exim[23814]: [23814] ", " host=mx1"),
        ("<22>Nov 22 13:07:02 exim[23814]: 2026-11-22 13:07:02 [23814] ", ""),
        ("<22>Nov 22 13:07:02 exim[23814]: ", ""),
        ("2026-11-22T13:07:02.123456+01:00 mx1 exim4[23814]: 2026-11-22 13:07:02 ", " host=mx1"),
        ("<22>1 2026-11-22T13:07:02Z mx1 exim 23814 - - 2026-11-22 13:07:02 ", " host=mx1"),
        ("<22>Nov 22 13:07:02 mx1 exim[23814]: [1\\2] 2026-11-22 13:07:02 ", " host=mx1"),
        ("<22>Nov 22 13:07:02 mx1 exim[23814]: [1/3] 2026-11-22 13:07:02 [23814] ", " host=mx1"),
    ] {
        let line = format!("{prefix}{inner}");
        assert_eq!(words(&line), born.replacen("Born", &format!("Born{host}"), 1), "{line}");
    }
    for line in [
        "<22>Nov 22 13:07:02 mx1 exim[23814]: [2/2] T=remote_smtp: SMTP error",
        "<22>Nov 22 13:07:02 mx1 exim[23814]: [2\\2] 2026-11-22 13:07:02 1xV7He-00060W-1p Completed",
        "Nov 22 13:07:02 mx1 postfix/smtp[1]: 1xV7He: to=<a@b.test>, status=sent (250 => ok)",
        "Nov 22 13:07:02 mx1 CRON[1]: (root) CMD (exim -q)",
    ] {
        assert_eq!(words(line), "Irrelevant", "{line}");
    }
}

#[test]
fn the_servers_own_stamp_is_the_clock() {
    let mut reader = reader("+02:00", "");
    let mut at = |line: &str| moment(&mut reader, line).unwrap();
    let rest = "1xV7He-00060W-1p Completed";
    // Its own, in the zone of the file.
    assert_eq!(at(&format!("Nov 22 13:07:05 mx1 exim[1]: 2026-11-22 13:07:02 {rest}")), "2026-11-22T11:07:02+00:00");
    // The syslog's, where there is no other.
    assert_eq!(at(&format!("Nov 22 13:07:05 mx1 exim[1]: {rest}")), "2026-11-22T11:07:05+00:00");
    // The syslog lends its zone, also where it counts in UTC and Exim does not.
    assert_eq!(at(&format!("2026-11-22T13:07:05+01:00 mx1 exim[1]: 2026-11-22 13:07:02 {rest}")), "2026-11-22T12:07:02+00:00");
    assert_eq!(at(&format!("2026-11-22T07:37:05Z mx1 exim[1]: 2026-11-22 13:07:02 {rest}")), "2026-11-22T07:37:02+00:00");
    // Not where the two are too far apart to be one moment.
    assert_eq!(at(&format!("2026-11-22T13:14:30Z mx1 exim[1]: 2026-11-22 13:07:02 {rest}")), "2026-11-22T11:07:02+00:00");
}

#[test]
fn skipping_moves_the_year_on() {
    let line = |day: &str| format!("{day} 13:07:05 mx1 exim[1]: 1xV7He-00060W-1p Completed\n");
    let chunk: String = ["Nov 30", "Dec 31", "Jan  1", "Jun  1"].iter().map(|day| line(day).repeat(2000)).collect();
    let mut reader = reader("UTC", &line("Nov 30"));
    reader.skip(chunk.as_bytes(), 0);
    let end = chunk.len() as u64;
    reader.seek(end);
    assert_eq!(moment(&mut reader, line("Jul  1").trim_end()).as_deref(), Some("2027-07-01T13:07:05+00:00"));
    reader.skip(b"", end);
    reader.skip(b"\n", end);
    reader.skip(line("Jan  2").as_bytes(), end + (1 << 20));
    assert_eq!(moment(&mut reader, line("Jan  3").trim_end()).as_deref(), Some("2027-01-03T13:07:05+00:00"));
}

#[test]
fn keys() {
    let (sort, events) = events(&mut reader("UTC", ""), b"2026-11-22 13:07:02 1xV7Lb-000000007gV-2qQP Completed");
    assert_eq!(sort, Sort::Used);
    assert_eq!((&*events[0].0.host, &*events[0].0.id), (&b"mx"[..], &b"1xV7Lb-000000007gV-2qQP"[..]));
}

#[test]
fn ids() {
    // 2026-11-22T13:04:55Z.
    assert_eq!(id_epoch(b"1xV7FX-0005B2-1H"), Some(1_795_352_695));
    assert_eq!(id_epoch(b"1xV7FX"), Some(1_795_352_695));
    for no in ["", "1xV7F", "1xV7F_", "1xV7FXX"] {
        assert_eq!(id_epoch(no.as_bytes()), None, "{no}");
    }
    for yes in ["1xV7FX-0005B2-1H", "1xV7Lb-000000007gV-2qQP", "10HmaX-000000005vi-0000"] {
        assert!(is_message_id(yes.as_bytes()), "{yes}");
    }
    for no in ["", "1xV7FX-0005B2-1", "1xV7FX-0005B2-1HH", "1xV7FX-0005B2_1H", "1xV7Lb-000000007gV2qQPx", "4jXVcG2tc6z1XXTY"] {
        assert!(!is_message_id(no.as_bytes()), "{no}");
    }
}

#[test]
fn exims_logs_are_told() {
    for line in [
        "2026-11-22 13:06:15 1xV7Gp-0005rN-2i => ok1@twohost.test R=twohost T=smtp H=h [192.0.2.7]",
        "2026-11-22 13:06:15.563 +0000 [23098] 1xV7Lb-000000007gV-2qQP Completed QT=0.091s",
        "2026-11-22 13:06:15 1xV7Gp-0005rN-2i H=127.0.0.1 [127.0.0.1] Connection refused",
        "2026-11-22 13:07:01 Start queue run: pid=22760 -qff",
        "2026-11-22 13:07:01 exim 4.96 daemon started: pid=22967, no queue runs",
        "2026-11-22 13:06:35.563 +0000 [23096] cwd=/ 7 args: exim4 -odi",
        "2026-11-22 13:07:02 H=(c.test) [127.0.0.1] F=<x@c.test> rejected RCPT <a@r.test>: relay not permitted",
        "<22>Nov 22 13:07:02 mx1 exim[23814]: 2026-11-22 13:07:02 anything",
        "Nov 22 13:07:02 exim4[23814]: anything else",
    ] {
        assert_eq!(detect(line.as_bytes()), 1, "{line}");
    }
    assert_eq!(detect(b"2026-11-22 13:07:01 End queue run: pid=1\r\nnoise\n2026-11-22 13:07:01 Start queue run: pid=1\n"), 2);
}

#[test]
fn others_logs_are_not() {
    for line in [
        "",
        "Nov 22 13:42:06 lab postfix/smtp[294]: 4jXVcG2tc6z1XXTY: to=<u0@ok.test>, relay=mx.ok.test[127.0.1.10]:25, status=sent (250 Ok)",
        "Nov 22 13:42:06 exim postfix/qmgr[294]: 4jXVcG2tc6z1XXTY: removed",
        "2026-11-22T13:42:06.123Z,192.0.2.1,EXCH01,,,,,STOREDRIVER,DELIVER,1,<a@b>,x@y,,1,1,,,subject => x,s@t,,2026,,,,",
        "#Software: Microsoft Exchange Server",
        "2026-11-22 13:42:06 imap(bob)<1><x>: Info: Logged out in=1 out=2",
        "Nov 22 13:42:06 lab dovecot: lmtp(bob@a.test)<1><x>: msgid=<a@b>: saved mail to INBOX",
        "Nov 22 13:42:01 lab CRON[1234]: (root) CMD (exim -q)",
        "192.0.2.1 - - [22/Nov/2026:13:42:06 +0000] \"GET /exim HTTP/1.1\" 200 1",
        "2026-11-22 13:42:06 192.0.2.1 GET /x - 80 - 192.0.2.9 Mozilla => - 200 0 0 1",
        "2026-11-22 13:42:06 abcdef-123456-78 a request id of another program",
        "2026-11-22 13:42:06 status installed exim4:amd64 4.96-15",
    ] {
        assert_eq!(detect(line.as_bytes()), 0, "{line}");
    }
}
