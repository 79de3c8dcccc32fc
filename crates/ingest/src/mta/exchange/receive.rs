//! Rows of the logs that tell what Exchange refused: the SMTP receive protocol log, and the agent log of the anti-spam agents. What a
//! session comes to is worked out when all its rows are there (`join::receive`). They are read only where rejects are asked for.
//!
//! `2026-03-20T07:21:33.118Z,MBX1\Default Frontend MBX1,08DD1,7,10.0.0.1:25,192.0.2.7:51000,>,550 5.1.10 Recipient not found,`

use std::borrow::Cow;

use bouncestat_record::Stage;
use memchr::memchr;

use super::cells::Cells;
use super::stamp;
use super::table::Table;
use crate::event::{Fields, Key, Kind, Sink, Sort};

/// The columns of the receive protocol log: the first six are needed.
pub(super) const RECEIVE: [&str; 8] =
    ["date-time", "session-id", "sequence-number", "event", "data", "remote-endpoint", "context", "connector-id"];
/// The columns of the agent log: the first three are needed. The log of 2007 has the IP alone, without its port.
pub(super) const AGENT: [&str; 12] = [
    "timestamp",
    "sessionid",
    "action",
    "remoteendpoint",
    "enteredorgfromip",
    "ipaddress",
    "p1fromaddress",
    "recipient",
    "event",
    "smtpresponse",
    "reason",
    "reasondata",
];

/// What stands before the id of a session in which we receive, so that it is none of a message.
pub(crate) const RECEIVING: &[u8] = b"receive ";
/// Marks what an agent says of a session.
pub(crate) const BY_AGENT: &[u8] = b"agent";
/// Marks what message tracking says of a session.
pub(crate) const BY_TRACKING: &[u8] = b"tracking";

/// The key of a session.
pub(super) fn key(session: &[u8]) -> Key<'static> {
    Key { host: Cow::Borrowed(b""), id: Cow::Owned([RECEIVING, &session.to_ascii_uppercase()].concat()) }
}

/// The session in the context of a tracking row: `08DD1A2B3C4D5E6F;2026-03-20T07:21:33.118Z;0`.
pub(super) fn session(context: &[u8]) -> Option<&[u8]> {
    let (id, rest) = context.split_at_checked(16)?;
    (id.iter().all(u8::is_ascii_hexdigit) && matches!(rest.first(), None | Some(b';'))).then_some(id)
}

/// Reads a row of the receive protocol log.
pub(super) fn receive<'a, S: Sink<'a>>(line: &'a [u8], cells: &Cells, table: &Table, folder: &str, sink: &mut S) -> Sort {
    let get = |column| table.get(line, cells, column);
    let number = std::str::from_utf8(&get(2)).ok().and_then(|n| n.trim().parse().ok());
    let (Some(at), Some(number)) = (stamp::read(&get(0)), number) else { return Sort::Unrecognised };
    let (session, event, connector) = (get(1), get(3), get(7));
    if session.is_empty() || !matches!(&*event, b"+" | b"-" | b"<" | b">" | b"*") {
        return Sort::Unrecognised;
    }
    // Permissions, tarpits, certificates: what comes of them is said to the client as well.
    if matches!(&*event, b"*" | b"-") {
        return Sort::Irrelevant;
    }
    let mut fields = Fields::new(Kind::Session, at);
    fields.size = Some(number);
    fields.next_id = event;
    fields.text = get(4);
    fields.relay_ip = get(5);
    // `MBX1\Default Frontend MBX1`
    fields.relay_host = match memchr(b'\\', &connector) {
        Some(end) => Cow::Owned(connector[..end].to_vec()),
        None => Cow::Owned(folder.as_bytes().to_vec()),
    };
    fields.beside = true;
    sink.push(key(&session), fields);
    Sort::Used
}

/// Reads a row of the agent log.
pub(super) fn agent<'a, S: Sink<'a>>(line: &'a [u8], cells: &Cells, table: &Table, folder: &str, sink: &mut S) -> Sort {
    let get = |column| table.get(line, cells, column);
    let Some(at) = stamp::read(&get(0)) else { return Sort::Unrecognised };
    let (session, action) = (get(1), get(2));
    let says = |name: &[u8]| action.get(..name.len()).is_some_and(|front| front.eq_ignore_ascii_case(name));
    // What is deleted or put into quarantine was taken. A refused login is no refused mail.
    if session.is_empty() || !(says(b"reject") || says(b"disconnect")) || says(b"rejectauthentication") {
        return Sort::Irrelevant;
    }
    let mut fields = Fields::new(Kind::Session, at);
    fields.next_id = Cow::Borrowed(BY_AGENT);
    fields.stage = stage(&get(8));
    fields.text = match (get(9), get(10), get(11)) {
        (reply, ..) if !reply.is_empty() => reply,
        (_, reason, data) => Cow::Owned([&reason[..], b" ", &data[..]].concat().trim_ascii().to_vec()),
    };
    fields.sender = Some(get(6)).filter(|sender| !sender.is_empty());
    fields.recipient = last_of(get(7));
    fields.relay_ip = [4, 3, 5].map(get).into_iter().find(|ip| !ip.is_empty()).unwrap_or_default();
    fields.relay_host = Cow::Owned(folder.as_bytes().to_vec());
    fields.beside = true;
    sink.push(key(&session), fields);
    Sort::Used
}

/// The last of the recipients in one cell.
fn last_of(cell: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let last = cell.split(|b| *b == b';').map(<[u8]>::trim_ascii).rfind(|r| !r.is_empty());
    match last {
        Some(last) if last.len() == cell.len() => cell,
        last => Cow::Owned(last.unwrap_or_default().to_vec()),
    }
}

/// Where in the session an agent acted.
fn stage(event: &[u8]) -> Option<Stage> {
    Some(match &event.to_ascii_lowercase()[..] {
        b"onconnectevent" | b"onconnect" => Stage::Connect,
        b"onhelocommand" | b"onehlocommand" => Stage::Helo,
        b"onmailcommand" => Stage::Mail,
        b"onrcptcommand" => Stage::Rcpt,
        b"ondatacommand" => Stage::Data,
        b"onendofheaders" | b"onendofdata" => Stage::EndOfData,
        _ => return None,
    })
}
