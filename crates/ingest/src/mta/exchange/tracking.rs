//! What a tracking row says of its message and its recipients. Not here: which of a message's rows wins (`join::fold`).
//!
//! `…,SMTP,FAIL,1017,<a.1@ex.test>,e8b9…-…,bob@ok.test;eve@ok.test,250 2.1.5 OK;'550 5.1.1 X; not found',…` tells of two recipients.

use std::borrow::Cow;

use memchr::memchr;

use super::collection::members;
use super::columns::Column;
use super::receive;
use super::row::{Row, comparable, is_probe, starts_with};
use super::row_event::RowEvent;
use super::status::{self, End, Statuses};
use crate::event::{Fields, Key, Kind, Remark, Sink, Sort};
use crate::mta::hand_over;
use crate::reject::Reject;

/// Send connectors inside the organisation: what goes over them is only a hop.
pub(super) const INTRA_ORGANISATION: [&[u8]; 3] =
    [b"intra-organization smtp send connector", b"inbound proxy internal send connector", b"mailbox delivery"];

/// The most bytes that one row's events may hold copies of: an honest row stays far below.
const MOST_COPIED: usize = 64 << 20;

/// Reads a row.
pub(super) fn read<'a, S: Sink<'a>>(row: &Row<'_, 'a>, event: RowEvent, sink: &mut S) -> Sort {
    match event {
        RowEvent::Arrival if row.is_probe() => about(row, Kind::Health, sink),
        RowEvent::Arrival => about(row, Kind::Born, sink),
        RowEvent::Dsn => notification(row, row.is_probe(), sink),
        RowEvent::Quiet => quiet(row, row.is_probe(), sink),
        _ => outcome(row, event, sink),
    }
}

/// A row that tells of its message only.
fn about<'a, S: Sink<'a>>(row: &Row<'_, 'a>, kind: Kind, sink: &mut S) -> Sort {
    match row.key() {
        Some(key) => {
            sink.push(key, row.fields(kind));
            Sort::Used
        }
        None => Sort::Irrelevant,
    }
}

/// A row about a notification.
fn notification<'a, S: Sink<'a>>(row: &Row<'_, 'a>, probe: bool, sink: &mut S) -> Sort {
    let Some(key) = row.key() else {
        return Sort::Irrelevant;
    };
    let kind = if probe { Kind::Health } else { Kind::About };
    sink.push(key, Fields { sender: Some(Cow::Borrowed(b"")), ..row.fields(kind) });
    Sort::Used
}

/// A row that changes no outcome. It may still be the only one that shows a probe or a notification.
fn quiet<'a, S: Sink<'a>>(row: &Row<'_, 'a>, probe: bool, sink: &mut S) -> Sort {
    if probe {
        about(row, Kind::Health, sink)
    } else if row.is_notification() {
        about(row, Kind::About, sink)
    } else {
        Sort::Irrelevant
    }
}

/// A row that may change the outcome of its recipients.
fn outcome<'a, S: Sink<'a>>(row: &Row<'_, 'a>, event: RowEvent, sink: &mut S) -> Sort {
    let recipients = members(&row.get(Column::RecipientAddress));
    let probe = row.is_probe() || recipients.iter().any(|recipient| is_probe(recipient));
    let connector = row.get(Column::ConnectorId);
    let source = row.get(Column::Source);
    match event {
        _ if recipients.is_empty() => return quiet(row, probe, sink),
        RowEvent::BadMail if source.eq_ignore_ascii_case(b"DSN") => {
            return notification(row, probe, sink);
        }
        RowEvent::Send if INTRA_ORGANISATION.iter().any(|name| starts_with(&connector, name)) => {
            return quiet(row, probe, sink);
        }
        // One more row about a try that is logged already.
        RowEvent::Defer if row.custom_data_says(b"RecipientsAlreadySmtpDeferLogged=true") => {
            return quiet(row, probe, sink);
        }
        _ => {}
    }

    let status = row.get(Column::RecipientStatus);
    let statuses = if event == RowEvent::Fail && status.is_empty() {
        // Expired rows may keep their reply there. It is one text, whatever it holds.
        Statuses::Same(row.get(Column::SourceContext))
    } else {
        Statuses::align(status, recipients.len())
    };
    // Of what was handed over the status says nothing.
    let handed_over = matches!(event, RowEvent::Deliver | RowEvent::Send | RowEvent::SendExternal);
    if statuses.unclear().is_some() && !handed_over {
        sink.remark(Remark::Misaligned);
    }
    let says = Says {
        event,
        end: statuses.unclear(),
        probe,
        receive_connector: memchr(b'\\', &connector).is_some(),
        server: row.get(Column::ServerHostname),
        context: row.get(Column::SourceContext),
        client: (row.get(Column::ClientHostname), row.get(Column::ClientIp)),
        common: common(row, &source),
        reply: status::reply(&row.get(Column::SourceContext)),
    };
    says.of_each(row.key_or_folder(), recipients, statuses, sink)
}

/// What all events of a row that tells of an attempt share.
fn common<'a>(row: &Row<'_, 'a>, source: &[u8]) -> Fields<'a> {
    let mut common = row.fields(Kind::Health);
    common.local = source.eq_ignore_ascii_case(b"STOREDRIVER");
    if source.eq_ignore_ascii_case(b"SMTP") {
        common.relay_host = row.get(Column::ServerHostname);
        common.relay_ip = row.get(Column::ServerIp);
    }
    common
}

/// What a row says of its recipients.
struct Says<'a> {
    event: RowEvent,
    /// The end that its statuses agree on, where nothing tells which is whose.
    end: Option<End>,
    probe: bool,
    /// `SERVER\Name`: the row is about mail that comes in over a Receive connector.
    receive_connector: bool,
    /// What all its events share.
    common: Fields<'a>,
    /// What the row says of its source: of mail that came in, the session.
    context: Cow<'a, [u8]>,
    /// Who took, or refused, the message, and name and IP of who handed it in.
    server: Cow<'a, [u8]>,
    client: (Cow<'a, [u8]>, Cow<'a, [u8]>),
    /// The remote server's reply, in a SEND row.
    reply: Option<Cow<'a, [u8]>>,
}

impl<'a> Says<'a> {
    /// Pushes one event a recipient.
    fn of_each<S: Sink<'a>>(
        &self,
        key: Key<'a>,
        recipients: Vec<Cow<'a, [u8]>>,
        mut statuses: Statuses<'a>,
        sink: &mut S,
    ) -> Sort {
        if recipients.len().saturating_mul(self.copied(&key) + statuses.copied()) > MOST_COPIED {
            return Sort::Unrecognised;
        }
        let mut sort = Sort::Irrelevant;
        for (index, recipient) in recipients.into_iter().enumerate() {
            let recipient = comparable(recipient);
            if recipient.is_empty() {
                continue;
            }
            let fields = Fields { recipient, ..self.of_one(statuses.take(index)) };
            if fields.kind == Kind::Inbound && sink.wants_rejects() {
                self.refused(&fields, sink);
            }
            sink.push(key.clone(), fields);
            sort = Sort::Used;
        }
        sort
    }

    /// What it says of the recipient whose status is `status`.
    fn of_one(&self, status: Cow<'a, [u8]>) -> Fields<'a> {
        let kind = self.kind(&status);
        let mut fields = Fields { kind, ..self.common.clone() };
        match kind {
            Kind::Relayed => {
                // The hand-over's reply may name the id under which the next server goes on.
                let id = |text: &[u8]| hand_over::next_id(text).map(<[u8]>::to_vec);
                let named = self.reply.as_deref().and_then(id).or_else(|| id(&status));
                fields.next_id = named.map(Cow::Owned).unwrap_or_default();
                fields.text = self.reply.clone().unwrap_or(status);
                return fields;
            }
            Kind::Mailbox => fields.local = true,
            Kind::Failed | Kind::Deferred | Kind::GaveUp | Kind::RemovedByHand => {
                let (host, ip) = status::remote(&status);
                if !host.is_empty() || !ip.is_empty() {
                    (fields.relay_host, fields.relay_ip) = (host, ip);
                }
            }
            // The server that these rows name is our own.
            _ => {
                fields.relay_host = Cow::default();
                fields.relay_ip = Cow::default();
            }
        }
        fields.text = status;
        fields
    }

    fn kind(&self, status: &[u8]) -> Kind {
        match self.event {
            _ if self.probe => Kind::Health,
            RowEvent::Deliver => Kind::Mailbox,
            RowEvent::Send | RowEvent::SendExternal => Kind::Relayed,
            RowEvent::Defer => Kind::Deferred,
            RowEvent::Drop => Kind::Dropped,
            RowEvent::Fail if self.receive_connector => Kind::Inbound,
            _ => match self.end.unwrap_or_else(|| End::read(status)) {
                End::Refused => Kind::Failed,
                End::Expired => Kind::GaveUp,
                End::ByHand => Kind::RemovedByHand,
                End::Handled => Kind::Dropped,
            },
        }
    }

    /// Tells of a reject, under its session where the row names that: other logs tell of the session too.
    fn refused<S: Sink<'a>>(&self, fields: &Fields<'a>, sink: &mut S) {
        let Some(session) = receive::session(&self.context) else { return sink.reject(self.reject(fields)) };
        let (client_name, client_ip) = self.client.clone();
        let mut told = Fields { kind: Kind::Session, original: client_name, relay_ip: client_ip, ..fields.clone() };
        told.next_id = Cow::Borrowed(receive::BY_TRACKING);
        told.relay_host = self.server.clone();
        told.beside = true;
        sink.push(receive::key(session), told);
    }

    /// What a row about mail that came in says of a recipient, as a reject of ours. The row's client is the one that was refused.
    fn reject(&self, fields: &Fields<'a>) -> Reject<'a> {
        let (client_name, client_ip) = self.client.clone();
        let temporary = fields.text.first() == Some(&b'4');
        Reject {
            at: fields.at,
            host: self.server.clone(),
            temporary,
            client_name,
            client_ip,
            sender: fields.sender.clone(),
            recipient: fields.recipient.clone(),
            text: fields.text.clone(),
            count: 1,
            ..Reject::default()
        }
    }

    /// Bytes that each event copies.
    fn copied(&self, key: &Key<'a>) -> usize {
        let Fields { relay_host, relay_ip, message_id, sender, .. } = &self.common;
        let texts = [Some(&key.id), Some(relay_host), Some(relay_ip), Some(message_id), sender.as_ref(), self.reply.as_ref()];
        texts.into_iter().flatten().filter(|text| matches!(text, Cow::Owned(_))).map(|text| text.len()).sum()
    }
}
