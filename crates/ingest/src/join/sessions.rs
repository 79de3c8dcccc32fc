//! Makes attempts of the sessions of Exchange's SMTP send protocol log.
//!
//! Every command is answered in order, even where commands are sent ahead (pipelining), so the replies tell which recipient was refused.
//! `sending message with RecordId 17 and InternetMessageId <a.1@ex.test>` opens a transaction and names its message. A refusal of `MAIL`
//! is one of all recipients; the reply to the message itself is for those that were accepted; a connection that ends before is a failure
//! for now. What is not here: joining these attempts with what tracking says of the same recipients (`fold::exchange`).

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use bouncestat_record::{Mta, Stage};

use super::fixed_hasher;
use super::stitch::Message;
use super::store::{Event, Part};
use crate::event::{Fields, Kind};
use crate::mta::exchange::protocol::{SESSION, is_probe};

/// Puts attempts in the place of sessions, under the `Message-ID:` of their messages.
pub(super) fn to_attempts(open: Vec<Message>) -> Vec<Message> {
    let is_session = |message: &Message| message.mta == Mta::Exchange && message.id.starts_with(SESSION);
    if !open.iter().any(is_session) {
        return open;
    }
    let (sessions, mut messages): (Vec<Message>, Vec<Message>) = open.into_iter().partition(is_session);
    let mut index = HashMap::with_hasher(fixed_hasher());
    for (at, message) in messages.iter().enumerate().filter(|(_, m)| m.mta == Mta::Exchange) {
        index.insert(message.id.to_vec(), at);
    }
    for session in &sessions {
        let mut rows: Vec<&Event> = session.events.iter().collect();
        rows.sort_by_key(|row| (row.size, row.at));
        // A row that stands in two files is one row.
        rows.dedup_by_key(|row| (row.size, row.at));
        let mut reading = Reading { session, host: b"", waiting: VecDeque::new(), open: None };
        for row in rows {
            reading.row(row, &mut |id, fields, row| {
                let id = if id.is_empty() { &*session.id } else { id };
                let at = *index.entry(id.to_vec()).or_insert_with(|| {
                    messages.push(Message::of_exchange(id));
                    messages.len() - 1
                });
                messages[at].put(&fields, row);
            });
        }
    }
    messages
}

/// What a reply answers.
enum Waiting {
    Greeting,
    Hello,
    Mail,
    Recipient(usize),
    Data,
    Chunk,
    End,
    Other,
}

struct Recipient<'t> {
    address: &'t [u8],
    accepted: bool,
    told: bool,
}

/// One message on its way through a session.
struct Transaction<'t> {
    id: &'t [u8],
    sender: Option<&'t [u8]>,
    recipients: Vec<Recipient<'t>>,
    /// The message itself is refused, whatever is said of recipients.
    refused: bool,
}

/// A session up to a row.
struct Reading<'t> {
    session: &'t Message,
    /// What the other side calls itself.
    host: &'t [u8],
    waiting: VecDeque<Waiting>,
    open: Option<Transaction<'t>>,
}

type Tell<'o, 't> = &'o mut dyn FnMut(&[u8], Fields<'t>, &Event);

impl<'t> Reading<'t> {
    fn row(&mut self, row: &Event, tell: Tell<'_, 't>) {
        let get = |part| self.session.text().get(row.span(part));
        let (data, context) = (get(Part::Reply), get(Part::Original));
        match get(Part::NextId) {
            b"+" => self.waiting = VecDeque::from([Waiting::Greeting]),
            b"*" => {
                if let Some(id) = message_id(context).or_else(|| message_id(data)) {
                    self.open = Some(Transaction { id, sender: None, recipients: Vec::new(), refused: false });
                }
            }
            b">" => self.command(data),
            b"<" => self.reply(data, row, tell),
            b"-" => self.ended(row, tell),
            _ => {}
        }
    }

    fn command(&mut self, command: &'t [u8]) {
        let verb = |front: &str| command.get(..front.len()).is_some_and(|c| c.eq_ignore_ascii_case(front.as_bytes()));
        let waiting = if verb("MAIL FROM:") {
            let transaction =
                self.open.get_or_insert(Transaction { id: b"", sender: None, recipients: Vec::new(), refused: false });
            transaction.sender = address(&command[b"MAIL FROM:".len()..]);
            Waiting::Mail
        } else if verb("RCPT TO:") {
            match (&mut self.open, address(&command[b"RCPT TO:".len()..])) {
                (Some(transaction), Some(address)) => {
                    transaction.recipients.push(Recipient { address, accepted: false, told: false });
                    Waiting::Recipient(transaction.recipients.len() - 1)
                }
                _ => Waiting::Other,
            }
        } else if verb("DATA") {
            Waiting::Data
        } else if verb("BDAT") {
            let last = command.trim_ascii_end();
            if last.len() > 4 && last[last.len() - 4..].eq_ignore_ascii_case(b"LAST") { Waiting::End } else { Waiting::Chunk }
        } else if verb("EHLO") || verb("HELO") {
            Waiting::Hello
        } else {
            Waiting::Other
        };
        self.waiting.push_back(waiting);
    }

    fn reply(&mut self, reply: &'t [u8], row: &Event, tell: Tell<'_, 't>) {
        if is_continued(reply) {
            return;
        }
        let class = reply.first().copied().unwrap_or_default();
        let Some(waiting) = self.waiting.pop_front() else { return };
        match (waiting, class) {
            (Waiting::Greeting | Waiting::Hello, b'2') if self.host.is_empty() => {
                let name = reply.get(4..).unwrap_or_default();
                let name = &name[..name.iter().position(|b| *b == b' ').unwrap_or(name.len())];
                if name.contains(&b'.') {
                    self.host = name;
                }
            }
            (Waiting::Mail, b'4' | b'5') => {
                self.tell(reply, Stage::Mail, row, tell, |_| true);
                if let Some(transaction) = &mut self.open {
                    transaction.refused = true;
                }
            }
            (Waiting::Recipient(n), b'2') => {
                if let Some(recipient) = self.open.as_mut().and_then(|open| open.recipients.get_mut(n)) {
                    recipient.accepted = true;
                }
            }
            (Waiting::Recipient(n), b'4' | b'5') => {
                let Some(open) = self.open.as_ref().filter(|open| !open.refused) else { return };
                let address = open.recipients.get(n).map(|r| std::ptr::from_ref(r.address));
                self.tell(reply, Stage::Rcpt, row, tell, |r| Some(std::ptr::from_ref(r.address)) == address);
            }
            (Waiting::Data, b'3') => self.waiting.push_front(Waiting::End),
            (Waiting::Data, b'4' | b'5') => self.tell(reply, Stage::Data, row, tell, |r| r.accepted),
            (Waiting::Chunk, b'4' | b'5') | (Waiting::End, _) => self.tell(reply, Stage::EndOfData, row, tell, |r| r.accepted),
            _ => {}
        }
    }

    /// The connection is gone: what was not answered failed for now.
    fn ended(&mut self, row: &Event, tell: Tell<'_, 't>) {
        let (words, stage): (&'static [u8], _) = match self.waiting.front() {
            Some(Waiting::Mail) => (b"lost connection while sending MAIL FROM", Stage::Mail),
            Some(Waiting::Recipient(_)) => (b"lost connection while sending RCPT TO", Stage::Rcpt),
            Some(Waiting::Data) => (b"lost connection while sending DATA command", Stage::Data),
            Some(Waiting::Chunk | Waiting::End) => (b"lost connection while sending end of data", Stage::EndOfData),
            _ => return,
        };
        self.tell(words, stage, row, tell, |_| true);
        self.open = None;
        self.waiting.clear();
    }

    /// Tells of some recipients that were not told of yet.
    fn tell(&mut self, text: &'t [u8], stage: Stage, row: &Event, tell: Tell<'_, 't>, which: impl Fn(&Recipient<'t>) -> bool) {
        let remote = self.session.text().get(row.span(Part::RelayIp));
        let Some(open) = &mut self.open else { return };
        for recipient in open.recipients.iter_mut().filter(|r| !r.told && which(r)) {
            recipient.told = true;
            let kind = match text.first() {
                _ if is_probe(recipient.address) || open.sender.is_some_and(is_probe) => Kind::Health,
                Some(b'2') => Kind::Relayed,
                Some(b'5') => Kind::Failed,
                _ => Kind::Deferred,
            };
            let mut fields = Fields::new(kind, row.at);
            fields.recipient = comparable(recipient.address);
            fields.sender = open.sender.map(Cow::Borrowed);
            fields.message_id = Cow::Borrowed(open.id);
            fields.text = Cow::Borrowed(text);
            fields.relay_host = Cow::Borrowed(self.host);
            fields.relay_ip = Cow::Borrowed(without_port(remote));
            fields.stage = Some(stage);
            fields.beside = true;
            tell(open.id, fields, row);
        }
    }
}

/// In lower case, as Exchange's addresses are compared.
pub(super) fn comparable(address: &[u8]) -> Cow<'_, [u8]> {
    match std::str::from_utf8(address) {
        Ok(text) if text.chars().any(char::is_uppercase) => Cow::Owned(text.to_lowercase().into_bytes()),
        _ => Cow::Borrowed(address),
    }
}

/// `<a.1@ex.test>` of `sending message with RecordId 17 and InternetMessageId <a.1@ex.test>`.
fn message_id(context: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"InternetMessageId ";
    let id = &context[memchr::memmem::find(context, NAME)? + NAME.len()..];
    let end = id.iter().position(|b| *b == b' ').unwrap_or(id.len());
    (end > 0).then_some(&id[..end])
}

/// `bob@ok.test` of `<bob@ok.test> NOTIFY=NEVER`; a quoted local part may hold anything.
pub(super) fn address(text: &[u8]) -> Option<&[u8]> {
    let inside = text.trim_ascii_start().strip_prefix(b"<")?;
    let mut quoted = false;
    let mut bytes = inside.iter().enumerate();
    while let Some((at, b)) = bytes.next() {
        match b {
            b'\\' if quoted => _ = bytes.next(),
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(&inside[..at]),
            _ => {}
        }
    }
    None
}

/// Whether more of the reply follows in rows of its own, as before 2013: `250-SIZE` alone. Later ones are one row: `250-a 250-SIZE 250 OK`.
pub(super) fn is_continued(reply: &[u8]) -> bool {
    let Some((code, rest)) = reply.split_at_checked(3) else { return false };
    rest.first() == Some(&b'-') && memchr::memmem::find(reply, &[b" ", code, b" "].concat()).is_none()
}

/// `192.0.2.7` of `192.0.2.7:25`, `2001:db8::7` of `[2001:db8::7]:25`.
pub(super) fn without_port(endpoint: &[u8]) -> &[u8] {
    let ip = &endpoint[..memchr::memrchr(b':', endpoint).unwrap_or(endpoint.len())];
    ip.strip_prefix(b"[").and_then(|ip| ip.strip_suffix(b"]")).unwrap_or(ip)
}
