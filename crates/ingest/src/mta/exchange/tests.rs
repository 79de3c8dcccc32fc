//! Rows written as Exchange writes them, and what the reader says of each.

use chrono::NaiveDate;

mod messages;
mod rows;

use super::*;
use crate::clock::{Clock, Zone};
use crate::event::{Fields, Key};

const NET: &str = "e8b90a11-0000-4bcd-9f00-08dd58f1a2b3";

/// A cell as Exchange quotes it.
pub(super) fn cell(text: &str) -> String {
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// A collection as Exchange joins it.
pub(super) fn collection(members: &[&str]) -> String {
    let quote = |m: &&str| {
        if m.contains([';', '\'']) { format!("'{}'", m.replace('\'', "''")) } else { (*m).to_owned() }
    };
    members.iter().map(quote).collect::<Vec<_>>().join(";")
}

pub(super) fn facts(head: &[u8]) -> FileFacts {
    let day = NaiveDate::from_ymd_opt(2025, 3, 4).unwrap();
    FileFacts { folder: "EX16A".into(), clock: Clock::new(Zone::UTC, day), head: head.into() }
}

/// The column names of a layout.
fn names(width: usize) -> Vec<&'static str> {
    let mut names: Vec<&str> = columns::SINCE_2016.split(',').collect();
    names.truncate(if width == 30 { 30 } else { 27 });
    if width < 27 {
        names.remove(11);
        names.truncate(width);
    }
    names
}

/// A row of these columns; what `set` doesn't name is as in most rows.
fn row_of(names: &[&str], set: &[(&str, &str)]) -> String {
    let defaults = [
        ("date-time", "2025-03-04T07:21:33.118Z"),
        ("source", "SMTP"),
        ("internal-message-id", "1017"),
        ("message-id", "<a.1@ex.test>"),
        ("network-message-id", NET),
        ("total-bytes", "4711"),
        ("message-subject", "RE: Invoice 4711, due \"tomorrow\"; it's"),
        ("sender-address", "anna@contoso.test"),
        ("return-path", "anna@contoso.test"),
        ("schema-version", "15.02.1544.011"),
    ];
    let value = |name: &str| set.iter().chain(&defaults).find(|(n, _)| *n == name).map_or("", |(_, v)| v);
    names.iter().map(|name| cell(value(name))).collect::<Vec<_>>().join(",")
}

/// A row of a layout.
pub(super) fn row(width: usize, set: &[(&str, &str)]) -> String {
    row_of(&names(width), set)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn show(key: &Key<'_>, f: &Fields<'_>) -> String {
    let mut out = format!("{} {:?}", text(&key.id), f.kind);
    let sender = f.sender.as_ref().map(|s| format!("<{}>", text(s))).filter(|s| s != "<anna@contoso.test>");
    let parts = [
        (" to=", text(&f.recipient)),
        (" via=", text(&f.relay_host)),
        (" ip=", text(&f.relay_ip)),
        (" sender=", sender.unwrap_or_default()),
        (" local", if f.local { " ".into() } else { String::new() }),
        (" text=", text(&f.text)),
    ];
    for (name, value) in parts.into_iter().filter(|(_, value)| !value.is_empty()) {
        out += name;
        out += value.trim_start();
    }
    out.replace(NET, "NET")
}

fn read_with(reader: &mut Reader, line: &str) -> (Sort, Vec<String>) {
    let mut events: Vec<(Key<'_>, Fields<'_>)> = Vec::new();
    let sort = reader.line(line.as_bytes(), &mut events);
    (sort, events.iter().map(|(key, fields)| show(key, fields)).collect())
}

fn read(line: &str) -> (Sort, Vec<String>) {
    read_with(&mut Reader::new(facts(b"")), line)
}

/// Checks a table: rows of the layout since 2016, each followed by its events; a row without any is irrelevant.
///
/// A row is its event and what it sets besides the defaults, an event is as [`show`] writes it.
fn check(table: &str) {
    let mut lines = table.lines().filter(|line| !line.trim().is_empty()).peekable();
    while let Some(spec) = lines.next() {
        let mut want = Vec::new();
        while let Some(event) = lines.next_if(|line| line.starts_with("    ")) {
            want.push(format!("NET {}", event.trim()));
        }
        let line = row(30, &settings(spec));
        let sort = if want.is_empty() { Sort::Irrelevant } else { Sort::Used };
        assert_eq!(read(&line), (sort, want), "{spec}");
    }
}

/// `FAIL: to=a@b.test | source=QUEUE`, with short names for the columns most used.
fn settings(spec: &str) -> Vec<(&str, &str)> {
    let (event, rest) = spec.split_once(':').unwrap();
    let pairs = rest.split(" | ").filter_map(|pair| pair.trim().split_once('='));
    let named = pairs.map(|(name, value)| {
        let column = match name {
            "to" => "recipient-address",
            "status" => "recipient-status",
            "over" => "connector-id",
            "context" => "source-context",
            "custom" => "custom-data",
            "from" => "sender-address",
            "path" => "return-path",
            "via" => "server-hostname",
            "ip" => "server-ip",
            other => other,
        };
        (column, value)
    });
    std::iter::once(("event-id", event)).chain(named).collect()
}

const TO_BOB: (&str, &str) = ("recipient-address", "Bob@OK.test");
const SEND: (&str, &str) = ("event-id", "SEND");
const FAIL: (&str, &str) = ("event-id", "FAIL");
const OUT: (&str, &str) = ("connector-id", "Outbound to Internet");

#[test]
fn every_layout_without_and_with_its_header() {
    for (width, key) in [(21, "<a.1@ex.test>"), (26, "<a.1@ex.test>"), (27, "NET"), (30, "NET")] {
        let set = [("event-id", "DELIVER"), ("source", "STOREDRIVER"), TO_BOB, ("recipient-status", "250 2.0.0 Delivered")];
        let want = (Sort::Used, vec![format!("{key} Mailbox to=bob@ok.test local text=250 2.0.0 Delivered")]);
        let line = row(width, &set);
        assert_eq!(read(&line), want, "{line}");
        let head = format!(
            "\u{feff}#Software: Microsoft Exchange Server\r\n#Log-Type: Message Tracking Log\r\n#Fields: {}\r\n",
            names(width).join(",")
        );
        assert_eq!(read_with(&mut Reader::new(facts(head.as_bytes())), &line), want);
        assert_eq!(detect(format!("{head}{line}\r\n").as_bytes()), 4);
        assert_eq!(detect(line.as_bytes()), 1);
    }
}

#[test]
fn columns_in_another_order_with_unknown_ones_among_them() {
    let mut names = names(30);
    names.reverse();
    names.insert(4, "x-routing-hint");
    let line =
        row_of(&names, &[("event-id", "DEFER"), TO_BOB, ("recipient-status", "451 4.7.1 Later"), ("x-routing-hint", "h,1")]);
    let mut reader = Reader::new(facts(b""));
    assert_eq!(read_with(&mut reader, &line).0, Sort::Unrecognised);
    assert_eq!(read_with(&mut reader, &format!("#Fields: {}", names.join(","))).0, Sort::Irrelevant);
    assert_eq!(read_with(&mut reader, &line), (Sort::Used, vec!["NET Deferred to=bob@ok.test text=451 4.7.1 Later".into()]));
}

#[test]
fn a_header_in_mid_file_changes_the_columns() {
    let mut reader = Reader::new(facts(format!("#Fields: {}\r\n", names(27).join(",")).as_bytes()));
    let deliver = [("event-id", "DELIVER"), TO_BOB];
    let (old, new) = (row(27, &deliver), row(30, &deliver));
    assert_eq!(read_with(&mut reader, &old).0, Sort::Used);
    assert_eq!(read_with(&mut reader, &new).0, Sort::Unrecognised);
    let again = format!("#fields: {}\r", names(30).join(","));
    for line in ["\u{feff}#Software: Microsoft Exchange Server\r", "#Log-type: Message Tracking Log", &again, "", "\r"] {
        assert_eq!(read_with(&mut reader, line), (Sort::Irrelevant, vec![]));
    }
    assert_eq!(read_with(&mut reader, &new).0, Sort::Used);
    assert_eq!(read_with(&mut reader, &old).0, Sort::Unrecognised);

    let mut skipped = Reader::new(facts(b""));
    skipped.skip(format!("{new}\r\n#Fields: {}\r\n{old}\r\n\u{feff}{again}\n{new}\r\n", names(27).join(",")).as_bytes());
    assert_eq!(read_with(&mut skipped, &old).0, Sort::Unrecognised);
    assert_eq!(read_with(&mut skipped, &new).0, Sort::Used);
}

#[test]
fn other_logs_of_exchange_are_known_and_say_nothing() {
    let head =
        b"\xef\xbb\xbf#Software: Microsoft Exchange Server\r\n#Version: 15.0.0.0\r\n#Log-type: SMTP Receive Protocol Log\r\n\
        #Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\r\n";
    let line = "2025-03-04T07:21:33.118Z,Outbound,08DD,3,10.0.0.1:1,192.0.2.1:25,<,550 5.1.1 no,";
    assert_eq!(read_with(&mut Reader::new(facts(head)), line), (Sort::Irrelevant, vec![]));
    assert_eq!(detect(head), 3);
    // Without the type, the columns alone don't make it a tracking log.
    let mut reader = Reader::new(facts(b"#Fields: date-time,connector-id,session-id"));
    assert_eq!(read_with(&mut reader, "2025-03-04T07:21:33.118Z,a,b").0, Sort::Unrecognised);
}

#[test]
fn what_is_no_row_is_unrecognised() {
    let good = row(30, &[SEND, TO_BOB, OUT]);
    assert_eq!(read(&good).0, Sort::Used);
    let cut_in_the_last_cell = &good[..good.len() - 1];
    for torn in [
        "2025-03-04T07:21:33.118Z,,host,\"torn xxx, line",
        cut_in_the_last_cell,
        &good[8..],
        &format!("{good},more"),
        &row(30, &[("event-id", "SETROUTE"), TO_BOB]),
        &row(30, &[SEND, TO_BOB, ("date-time", "2025-02-30T07:21:33.118Z")]),
        "Nov 22 13:42:06 lab postfix/smtp[294]: 4jXVcG2tc6z1XXTY: to=<u0@ok.test>, status=sent (250 ok)",
    ] {
        assert_eq!(read(torn), (Sort::Unrecognised, vec![]), "{torn}");
    }
    assert_eq!(detect(b"Nov 22 13:42:06 lab postfix/smtp[294]: 4jX: to=<a@b.test>\n1,2,3\n\n#Software: Microsoft Internet Information Services 8.0\n#Fields: date time c-ip\n"), 0);
}
