//! Exchange Online's exports that sum up: the summary of a historical search, and what `Get-MessageTraceV2 | Export-Csv` writes. The
//! extended report has the columns of message tracking and is read as that.
//!
//! `2026-03-04T07:21:33.118Z,anna@contoso.test,bob@ok.test##Receive, Send;eve@ok.test##Receive, Fail,Invoice,4711,<a.1@contoso.test>,e8b9…`
//!
//! Such a row tells the end and not when it came, nor why. So what it says counts only where tracking or an extended report says
//! nothing of the same recipient.

use std::borrow::Cow;

use bouncestat_record::time::Micros;
use chrono::NaiveDateTime;
use memchr::memmem;

use super::cells::Cells;
use super::collection::members;
use super::row::{comparable, is_probe};
use super::stamp;
use super::table::Table;
use crate::event::{Fields, Key, Kind, Sink, Sort};

/// The columns of a summary: the first three are needed.
pub(super) const SUMMARY: [&str; 6] =
    ["origin-timestamp-utc", "recipient-status", "network-message-id", "sender-address", "message-id", "total-bytes"];
/// The columns of a message trace, in the same order.
pub(super) const TRACE: [&str; 7] =
    ["received", "recipientaddress", "messagetraceid", "senderaddress", "messageid", "size", "status"];

/// Reads a row of a summary.
pub(super) fn summary<'a, S: Sink<'a>>(line: &'a [u8], cells: &Cells, table: &Table, sink: &mut S) -> Sort {
    let get = |column| table.get(line, cells, column);
    let Some(row) = Row::read(&get) else { return Sort::Unrecognised };
    let mut sort = Sort::Irrelevant;
    for member in members(&get(1)) {
        let Some(at) = memmem::find(&member, b"##") else { return Sort::Unrecognised };
        let Some(kind) = end(&member[at + 2..]) else {
            // It came in, and nothing is told of it yet.
            continue;
        };
        row.tell(kind, Cow::Owned(member[..at].to_vec()), sink);
        sort = Sort::Used;
    }
    sort
}

/// Reads a row of a message trace: one recipient each.
pub(super) fn trace<'a, S: Sink<'a>>(line: &'a [u8], cells: &Cells, table: &Table, sink: &mut S) -> Sort {
    let get = |column| table.get(line, cells, column);
    let Some(row) = Row::read(&get) else { return Sort::Unrecognised };
    let status = get(6).trim_ascii().to_ascii_lowercase();
    let kind = match &status[..] {
        b"delivered" | b"filteredasspam" => Kind::Mailbox,
        b"failed" => Kind::Failed,
        b"pending" => Kind::Deferred,
        b"expanded" | b"quarantined" => Kind::Dropped,
        b"gettingstatus" | b"none" => return Sort::Irrelevant,
        _ => return Sort::Unrecognised,
    };
    row.tell(kind, get(1), sink);
    Sort::Used
}

/// What the words of a summary come to: `Receive, Defer, Send` was sent at last. `None` where it only came in.
fn end(words: &[u8]) -> Option<Kind> {
    let mut best: Option<(u8, Kind)> = None;
    for word in words.split(|b| *b == b',') {
        let told = match &word.trim_ascii().to_ascii_lowercase()[..] {
            b"deliver" | b"delivered" => (5, Kind::Mailbox),
            b"fail" | b"failed" | b"submitfail" => (4, Kind::Failed),
            b"send" | b"sendexternal" => (3, Kind::Relayed),
            b"drop" | b"expand" | b"expanded" | b"quarantine" | b"quarantined" => (2, Kind::Dropped),
            b"defer" | b"pending" => (1, Kind::Deferred),
            _ => continue,
        };
        if best.is_none_or(|(rank, _)| told.0 > rank) {
            best = Some(told);
        }
    }
    best.map(|(_, kind)| kind)
}

/// What all recipients of a row share.
struct Row<'a> {
    at: Micros,
    id: Cow<'a, [u8]>,
    sender: Cow<'a, [u8]>,
    message_id: Cow<'a, [u8]>,
    size: Option<i64>,
}

impl<'a> Row<'a> {
    fn read(get: &impl Fn(usize) -> Cow<'a, [u8]>) -> Option<Self> {
        let at = moment(get(0).trim_ascii())?;
        let mut id = get(2);
        if id.iter().any(u8::is_ascii_uppercase) {
            id.to_mut().make_ascii_lowercase();
        }
        let message_id = get(4);
        let id = if id.is_empty() { message_id.clone() } else { id };
        let size = std::str::from_utf8(&get(5)).ok().and_then(|n| n.parse().ok()).filter(|n| *n >= 0);
        (!id.is_empty()).then_some(Self { at, id, sender: get(3), message_id, size })
    }

    fn tell<S: Sink<'a>>(&self, kind: Kind, recipient: Cow<'a, [u8]>, sink: &mut S) {
        let probe = is_probe(&self.sender) || is_probe(&recipient);
        let mut fields = Fields::new(if probe { Kind::Health } else { kind }, self.at);
        fields.sender = Some(if *self.sender == *b"<>" { Cow::Borrowed(b"") } else { self.sender.clone() });
        fields.message_id = self.message_id.clone();
        fields.size = self.size;
        fields.local = kind == Kind::Mailbox;
        fields.recipient = comparable(recipient);
        fields.beside = true;
        if !fields.recipient.is_empty() {
            sink.push(Key { host: Cow::Borrowed(b""), id: self.id.clone() }, fields);
        }
    }
}

/// A moment in UTC: as Exchange writes it, with a blank for the `T`, or as PowerShell writes it in the USA. Other countries put the day
/// first: such a stamp could be read two ways, and is not read.
fn moment(text: &[u8]) -> Option<Micros> {
    if let Some(at) = stamp::read(text) {
        return Some(at);
    }
    let text = std::str::from_utf8(text).ok()?;
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%m/%d/%Y %I:%M:%S %p"];
    forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).map(|at| at.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_to_one_end() {
        for (words, kind) in [
            ("Receive, Send", Some(Kind::Relayed)),
            ("Receive, Defer, Fail", Some(Kind::Failed)),
            ("Receive, Defer", Some(Kind::Deferred)),
            ("Receive, Deliver", Some(Kind::Mailbox)),
            ("Receive, Expand", Some(Kind::Dropped)),
            ("Receive", None),
        ] {
            assert_eq!(end(words.as_bytes()), kind, "{words}");
        }
    }

    #[test]
    fn moments() {
        let at = stamp::read(b"2026-03-04T15:21:33Z");
        for same in ["2026-03-04T15:21:33.0000000Z", "2026-03-04 15:21:33", "3/4/2026 3:21:33 PM"] {
            assert_eq!(moment(same.as_bytes()), at, "{same}");
        }
        assert_eq!(moment(b"04.03.2026 15:21:33"), None);
    }
}
