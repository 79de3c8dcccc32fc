//! Makes rejects of the sessions in which Exchange received.
//!
//! Every command is answered in order, so a `4xx` or `5xx` reply tells what was refused. A session may be told of by up to three logs:
//! its protocol, an anti-spam agent, message tracking. The rejects are those of the first of them that knows any. A front end hands
//! sessions on to the server behind it (`XPROXYFROM SID=…`): what both log counts once, as the front end saw it.
//!
//! No rejects: a login that failed, a command that is not known or out of order (503), a client that was silent for too long.

use std::collections::{HashSet, VecDeque};

use bouncestat_record::{Mta, Stage};

use super::sessions::{address, comparable, is_continued, without_port};
use super::stitch::Message;
use super::store::{Event, Part};
use crate::mta::exchange::protocol::is_probe;
use crate::mta::exchange::receive::{BY_AGENT, BY_TRACKING, RECEIVING};
use crate::reject::{Kept, Reject};

/// Takes the sessions out of the open messages; gives their rejects, each with its file, in the order of time.
pub(super) fn take_rejects(open: Vec<Message>) -> (Vec<Message>, Vec<(u32, Kept)>) {
    let (sessions, messages): (Vec<Message>, Vec<Message>) =
        open.into_iter().partition(|m| m.mta == Mta::Exchange && m.id.starts_with(RECEIVING));
    let ids: HashSet<&[u8]> = sessions.iter().filter(|s| s.events.iter().any(is_protocol_in(s))).map(|s| &*s.id).collect();
    let mut rejects: Vec<(u32, Kept)> = sessions.iter().flat_map(|session| of_session(session, &ids)).collect();
    rejects.sort_by_key(|(file, kept)| (kept.reject.at, *file, kept.offset));
    (messages, rejects)
}

/// Whether a row of this session stands in its protocol.
fn is_protocol_in(session: &Message) -> impl Fn(&Event) -> bool {
    |row| !matches!(session.text().get(row.span(Part::NextId)), BY_AGENT | BY_TRACKING)
}

fn of_session(session: &Message, ids: &HashSet<&[u8]>) -> Vec<(u32, Kept)> {
    let mut rows: Vec<&Event> = session.events.iter().filter(|row| is_protocol_in(session)(row)).collect();
    rows.sort_by_key(|row| (row.size, row.at));
    // A row that stands in two files is one row.
    rows.dedup_by_key(|row| (row.size, row.at));
    let mut reading = Reading::new(session);
    rows.into_iter().for_each(|row| reading.row(row));
    let behind = reading.front.as_ref().is_some_and(|id| ids.contains(id.as_slice()));
    if behind {
        return Vec::new();
    }
    if !reading.rejects.is_empty() {
        return reading.rejects;
    }
    let told_by = |mark: &[u8]| {
        let mut rows: Vec<&Event> =
            session.events.iter().filter(|row| session.text().get(row.span(Part::NextId)) == mark).collect();
        rows.sort_by_key(|row| (row.at, row.file, row.offset));
        rows.into_iter().map(|row| (row.file, told(session, row))).collect::<Vec<_>>()
    };
    let by_agent = told_by(BY_AGENT);
    if by_agent.is_empty() { told_by(BY_TRACKING) } else { by_agent }
}

/// What an agent or message tracking says, as a reject.
fn told(session: &Message, row: &Event) -> Kept {
    let get = |part| session.text().get(row.span(part));
    let reject = Reject {
        at: row.at,
        host: get(Part::RelayHost).into(),
        stage: row.stage,
        temporary: get(Part::Reply).first() == Some(&b'4'),
        client_name: get(Part::Original).into(),
        client_ip: without_port_if_any(get(Part::RelayIp)).into(),
        sender: row.has_sender.then(|| get(Part::Sender).into()),
        recipient: comparable(get(Part::Recipient)),
        text: get(Part::Reply).into(),
        count: 1,
        ..Reject::default()
    };
    Kept { reject: reject.into_owned(), offset: row.offset }
}

/// What a reply answers.
#[derive(Clone, Copy)]
enum Waiting<'t> {
    At(Stage, &'t [u8]),
    Login,
    Other,
}

/// A session up to a row.
struct Reading<'t> {
    session: &'t Message,
    waiting: VecDeque<Waiting<'t>>,
    helo: &'t [u8],
    sender: Option<&'t [u8]>,
    /// The last recipient that was taken.
    recipient: &'t [u8],
    /// Its message is refused already: the replies to further pieces say nothing new.
    refused: bool,
    /// The client, as the front end tells it, and the front end's session.
    client: &'t [u8],
    front: Option<Vec<u8>>,
    rejects: Vec<(u32, Kept)>,
}

impl<'t> Reading<'t> {
    fn new(session: &'t Message) -> Self {
        Self {
            session,
            waiting: VecDeque::new(),
            helo: b"",
            sender: None,
            recipient: b"",
            refused: false,
            client: b"",
            front: None,
            rejects: Vec::new(),
        }
    }

    fn row(&mut self, row: &Event) {
        let get = |part| self.session.text().get(row.span(part));
        match get(Part::NextId) {
            b"+" => self.waiting = VecDeque::from([Waiting::At(Stage::Connect, b"")]),
            b"<" => self.command(get(Part::Reply)),
            b">" => self.reply(get(Part::Reply), row),
            _ => {}
        }
    }

    fn command(&mut self, command: &'t [u8]) {
        let after = |front: &str| {
            let (found, rest) = command.split_at_checked(front.len())?;
            found.eq_ignore_ascii_case(front.as_bytes()).then_some(rest)
        };
        let waiting = if let Some(rest) = after("MAIL FROM:") {
            (self.recipient, self.refused) = (b"", false);
            self.sender = address(rest);
            Waiting::At(Stage::Mail, b"")
        } else if let Some(rest) = after("RCPT TO:") {
            Waiting::At(Stage::Rcpt, address(rest).unwrap_or(rest))
        } else if after("DATA").is_some() {
            Waiting::At(Stage::Data, b"")
        } else if after("BDAT").is_some() {
            Waiting::At(Stage::EndOfData, b"")
        } else if let Some(name) = after("EHLO").or_else(|| after("HELO")) {
            self.helo = name.trim_ascii();
            Waiting::At(Stage::Helo, b"")
        } else if let Some(rest) = after("XPROXYFROM") {
            let word = |name: &[u8]| rest.split(|b| *b == b' ').find_map(|word| word.strip_prefix(name));
            self.client = word(b"IP=").unwrap_or_default();
            // The name that was said until now is the front end's.
            self.helo = word(b"DOMAIN=").unwrap_or_default();
            self.front = word(b"SID=").map(|id| [RECEIVING, &id.to_ascii_uppercase()].concat());
            Waiting::Other
        } else if after("AUTH").is_some() || after("X-EXPS").is_some() {
            Waiting::Login
        } else {
            Waiting::Other
        };
        self.waiting.push_back(waiting);
    }

    fn reply(&mut self, reply: &'t [u8], row: &Event) {
        if is_continued(reply) {
            return;
        }
        let waiting = self.waiting.pop_front();
        match (waiting, reply.first()) {
            (Some(Waiting::At(Stage::Data, _)), Some(b'3')) => self.waiting.push_front(Waiting::At(Stage::EndOfData, b"")),
            (Some(waiting), Some(b'3')) => self.waiting.push_front(waiting),
            (Some(Waiting::At(Stage::Rcpt, recipient)), Some(b'2')) => self.recipient = recipient,
            (Some(Waiting::At(stage, recipient)), Some(b'4' | b'5')) => self.refuse(stage, recipient, reply, row),
            // Thrown out: too many errors. Silence and lost connections (4.4.x) are the client's.
            (None, Some(b'4')) if reply.starts_with(b"421") && !reply.starts_with(b"421 4.4.") => {
                let stage = if self.sender.is_some() { Stage::Mail } else { Stage::Connect };
                self.refuse(stage, b"", reply, row);
            }
            _ => {}
        }
    }

    fn refuse(&mut self, stage: Stage, recipient: &'t [u8], reply: &'t [u8], row: &Event) {
        let is_message = matches!(stage, Stage::Data | Stage::EndOfData);
        let recipient = if recipient.is_empty() && is_message { self.recipient } else { recipient };
        if reply.starts_with(b"503") || (is_message && self.refused) {
            return;
        }
        self.refused |= is_message;
        if is_probe(recipient) || self.sender.is_some_and(is_probe) {
            return;
        }
        let get = |part| self.session.text().get(row.span(part));
        let endpoint = get(Part::RelayIp);
        let client = if self.client.is_empty() { without_port(endpoint) } else { self.client };
        let reject = Reject {
            at: row.at,
            host: get(Part::RelayHost).into(),
            stage: Some(stage),
            temporary: reply.first() == Some(&b'4'),
            client_ip: client.into(),
            helo: self.helo.into(),
            sender: self.sender.map(Into::into),
            recipient: comparable(recipient),
            text: reply.into(),
            count: 1,
            ..Reject::default()
        };
        self.rejects.push((row.file, Kept { reject: reject.into_owned(), offset: row.offset }));
    }
}

/// The IP of an endpoint; an IP without a port as it is.
fn without_port_if_any(endpoint: &[u8]) -> &[u8] {
    let colons = endpoint.iter().filter(|b| **b == b':').count();
    if colons == 1 || endpoint.starts_with(b"[") { without_port(endpoint) } else { endpoint }
}
