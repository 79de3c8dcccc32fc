//! Rows of the SMTP send protocol log and of the connectivity log. What a session comes to is worked out when all its rows are there
//! (`join::sessions`), because sessions interleave and cross files.
//!
//! `2025-03-04T07:21:33.118Z,Outbound,08DD1,7,10.0.0.1:21023,192.0.2.7:25,<,550 5.1.1 <bob@ok.test> no such user,`

use std::borrow::Cow;

use memchr::memmem;

use super::cells::Cells;
pub(crate) use super::row::is_probe;
use super::row::starts_with;
use super::stamp;
use super::table::Table;
use super::tracking::INTRA_ORGANISATION;
use crate::event::{Fields, Key, Kind, Remark, Sink, Sort};

/// The columns of the send protocol log: the first six are needed.
pub(super) const SEND: [&str; 8] =
    ["date-time", "session-id", "sequence-number", "event", "data", "remote-endpoint", "context", "connector-id"];
/// The columns of the connectivity log: the first three are needed.
pub(super) const CONNECTIVITY: [&str; 4] = ["date-time", "direction", "description", "destination"];

/// What stands before a session's id in a key, so that it is none of a message.
pub(crate) const SESSION: &[u8] = b"session ";

/// Reads a row of the send protocol log.
pub(super) fn send<'a, S: Sink<'a>>(line: &'a [u8], cells: &Cells, table: &Table, sink: &mut S) -> Sort {
    let get = |column| table.get(line, cells, column);
    let number = std::str::from_utf8(&get(2)).ok().and_then(|n| n.trim().parse().ok());
    let (Some(at), Some(number)) = (stamp::read(&get(0)), number) else { return Sort::Unrecognised };
    let (session, event, context) = (get(1), get(3), get(6));
    if session.is_empty() || !matches!(&*event, b"+" | b"-" | b"<" | b">" | b"*") {
        return Sort::Unrecognised;
    }
    if let Some(domain) = failed_to_connect(&context) {
        sink.remark(Remark::Unreachable(domain));
        return Sort::Irrelevant;
    }
    let connector = get(7);
    if INTRA_ORGANISATION.iter().any(|name| starts_with(&connector, name)) {
        return Sort::Irrelevant;
    }
    let mut fields = Fields::new(Kind::Session, at);
    fields.size = Some(number);
    fields.next_id = event;
    fields.text = get(4);
    fields.original = context;
    fields.relay_ip = get(5);
    fields.beside = true;
    sink.push(Key { host: Cow::Borrowed(b""), id: Cow::Owned([SESSION, &session].concat()) }, fields);
    Sort::Used
}

/// Reads a row of the connectivity log: `Failed connection to 192.0.2.7:25 (…)` under the domain that mail was for.
pub(super) fn connectivity<'a, S: Sink<'a>>(line: &'a [u8], cells: &Cells, table: &Table, sink: &mut S) -> Sort {
    let get = |column| table.get(line, cells, column);
    if stamp::read(&get(0)).is_none() {
        return Sort::Unrecognised;
    }
    let (description, destination) = (get(2), get(3));
    let failed = [&b"failed connection to"[..], b"failed to connect", b"the dns query for"]
        .iter()
        .any(|front| starts_with(description.trim_ascii(), front));
    // Of a DNS query the answer is told as well.
    let answered = memmem::find(&description, b"DomainDoesNotExist").is_none()
        && starts_with(description.trim_ascii(), b"the dns query for")
        && memmem::find(&description, b"failed").is_none();
    if failed && !answered && !destination.is_empty() {
        sink.remark(Remark::Unreachable(&destination));
    }
    Sort::Irrelevant
}

/// The domain in `Failed to connect. Winsock error code: 10061, …, Destination domain: ok.test, Error Message: …`.
fn failed_to_connect(context: &[u8]) -> Option<&[u8]> {
    if !starts_with(context.trim_ascii(), b"failed to connect") {
        return None;
    }
    const DOMAIN: &[u8] = b"Destination domain: ";
    let Some(at) = memmem::find(context, DOMAIN) else { return Some(b"") };
    let domain = &context[at + DOMAIN.len()..];
    Some(&domain[..domain.iter().position(|b| matches!(b, b',' | b' ')).unwrap_or(domain.len())])
}
