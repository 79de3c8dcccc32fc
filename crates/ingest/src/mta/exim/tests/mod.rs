//! Tests of the Exim reader: one line of each shape, what is read from it, and that nothing makes it fall.

mod attempts;
mod frames;
mod hostile;
mod shapes;

use chrono::{DateTime, NaiveDate};

use super::Reader;
use crate::clock::{Clock, Zone};
use crate::event::{Fields, Key, Sort};
use crate::mta::FileFacts;

/// A reader of a file in `/var/log/exim4` of the machine `mx`, in UTC.
fn reader(zone: &str, head: &str) -> Reader {
    let start = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
    let clock = Clock::new(Zone::parse(zone).unwrap(), start);
    Reader::new(FileFacts { folder: "mx".into(), clock, head: head.as_bytes().into() })
}

fn events<'a>(reader: &mut Reader, line: &'a [u8]) -> (Sort, Vec<(Key<'a>, Fields<'a>)>) {
    let mut events = Vec::new();
    let sort = reader.line(line, &mut events);
    assert_eq!(sort == Sort::Used, !events.is_empty(), "used lines, and no others, have events");
    (sort, events)
}

/// The event of a line as words: what is empty is left out.
fn words(line: &str) -> String {
    let (sort, events) = events(&mut reader("UTC", ""), line.as_bytes());
    let [(key, fields)] = &events[..] else {
        return format!("{sort:?}");
    };
    let mut words = format!("{:?}", fields.kind);
    let mut add = |name: &str, value: &[u8]| {
        if !value.is_empty() {
            words.push_str(&format!(" {name}={}", String::from_utf8_lossy(value)));
        }
    };
    add("host", if &*key.host == b"mx" { b"" } else { &key.host });
    add("to", &fields.recipient);
    add("original", &fields.original);
    if let Some(sender) = &fields.sender {
        add("from", if sender.is_empty() { b"<>" } else { sender });
    }
    add("size", fields.size.map(|n| n.to_string()).unwrap_or_default().as_bytes());
    add("message-id", &fields.message_id);
    add("relay", &fields.relay_host);
    add("ip", &fields.relay_ip);
    add("source", &fields.source_ip);
    add("local", if fields.local { b"yes" } else { b"" });
    add("stage", fields.stage.map_or("", |s| s.as_str()).as_bytes());
    add("delay", fields.delay_ms.map(|n| n.to_string()).unwrap_or_default().as_bytes());
    add("next", &fields.next_id);
    add("text", &fields.text);
    words
}

/// Checks what is read from the rest of a line, behind stamp and id, with both forms of id and with a pid.
#[track_caller]
fn check(rest: &str, want: &str) {
    for head in ["2026-11-22 13:06:15 1xV7Gp-0005rN-2i", "2026-11-22 13:06:15.563 +0000 [23098] 1xV7Lb-000000007gV-2qQP"] {
        let line = format!("{head} {rest}");
        assert_eq!(words(&line), want, "{line}");
    }
}

/// The moment of a line's event in RFC 3339.
fn moment(reader: &mut Reader, line: &str) -> Option<String> {
    let (_, events) = events(reader, line.as_bytes());
    let micros = events.first()?.1.at;
    Some(DateTime::from_timestamp_micros(micros)?.to_rfc3339())
}
