//! What one line says of one message: an [`Event`], as a parser gives it ([`Fields`], borrowed) and as the join keeps it.
//!
//! An event holds no text of its own: it points into the bytes of the chunk that its line stands in, or into the side text of a
//! message that outlives its chunk. It decides nothing: outcomes are the fold's work (`join::fold`).

use std::borrow::Cow;

use bouncestat_record::time::Micros;
use bouncestat_record::{EnhancedCode, Stage};

use crate::reject::Reject;

/// What an event says. One kind, one meaning, for every server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The message comes into being under this id (Postfix `client=`, `uid=`; Exim `<=`). May carry sender, size, message id.
    Born,
    /// More about the message: sender, size, message id, without proof that it begins here (Postfix `from=<…>, size=`, `message-id=`).
    About,
    /// An attempt: handed over.
    Sent,
    /// An attempt: refused, and given up by the server.
    Bounced,
    /// An attempt: failed, and kept for another try.
    Deferred,
    /// The recipient still waits, and nothing was tried (Exim `retry time not reached`).
    Waiting,
    /// Given up because time is over; without a recipient: all that still wait.
    GaveUp,
    /// Out of the queue by an administrator's hand: all that still wait are given up; without a recipient: the whole message.
    RemovedByHand,
    /// The server is done with the message, and its id is free again (Postfix `removed`, Exim `Completed`).
    Removed,
    /// An attempt that only probes the address (Postfix `deliverable`, `undeliverable`).
    Probe,
    /// Thrown away on purpose (Postfix `discard`, Exim `:blackhole:`).
    Discarded,
    /// Delivery suppressed (Exim `*>`).
    Suppressed,
    /// The message goes on under the id in `next_id`, with all recipients that still wait (Postfix `orig_id=`, after `postsuper -r`).
    Requeued,
    /// Exchange: delivered to a mailbox. Beats everything.
    Mailbox,
    /// Exchange: handed to a server outside; a later failure beats it.
    Relayed,
    /// Exchange: failed for good.
    Failed,
    /// Exchange: dropped without a notification.
    Dropped,
    /// Exchange: refused on a Receive connector, so no bounce of ours.
    Inbound,
    /// Exchange: the message is a health probe.
    Health,
    /// Exchange: a shadow copy.
    Shadow,
    /// Exchange: a row of an SMTP session, before its sessions are made attempts (`join::sessions`).
    Session,
}

impl Kind {
    /// Every kind. What is kept on disks names a kind by its place here: kinds are only ever added at the end.
    pub const ALL: [Kind; 21] = [
        Kind::Born,
        Kind::About,
        Kind::Sent,
        Kind::Bounced,
        Kind::Deferred,
        Kind::Waiting,
        Kind::GaveUp,
        Kind::RemovedByHand,
        Kind::Removed,
        Kind::Probe,
        Kind::Discarded,
        Kind::Suppressed,
        Kind::Requeued,
        Kind::Mailbox,
        Kind::Relayed,
        Kind::Failed,
        Kind::Dropped,
        Kind::Inbound,
        Kind::Health,
        Kind::Shadow,
        Kind::Session,
    ];

    /// Whether the event is an attempt of a delivery: one try to hand the message to a next hop.
    pub const fn is_attempt(self) -> bool {
        matches!(self, Kind::Sent | Kind::Bounced | Kind::Deferred | Kind::Mailbox | Kind::Relayed | Kind::Failed)
    }
}

/// The message that an event is about: the host that logged it and the server's own id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// The log host; empty where one message is followed over many hosts (Exchange).
    pub host: Cow<'a, [u8]>,
    /// The queue id, message id, or network message id.
    pub id: Cow<'a, [u8]>,
}

/// One event as a parser reads it, borrowed from its line wherever the line holds the text as it is.
///
/// Empty means that the line does not say it, but for `sender`, where `Some(empty)` is the null sender.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    /// What is said.
    pub kind: Kind,
    /// When, UTC.
    pub at: Micros,
    /// The final recipient; for pipes and files the original one.
    pub recipient: Cow<'a, [u8]>,
    /// The address that the recipient was made from (`orig_to=`, Exim's `<original>`).
    pub original: Cow<'a, [u8]>,
    /// The next hop's name.
    pub relay_host: Cow<'a, [u8]>,
    /// The next hop's IP.
    pub relay_ip: Cow<'a, [u8]>,
    /// The reply or local error, wrappers included.
    pub text: Cow<'a, [u8]>,
    /// The envelope sender.
    pub sender: Option<Cow<'a, [u8]>>,
    /// The `Message-ID:` header.
    pub message_id: Cow<'a, [u8]>,
    /// The id under which the message goes on (`queued as ID`), or came (`orig_queue_id=ID`).
    pub next_id: Cow<'a, [u8]>,
    /// The queue's name as the logging program's tag gives it (`postfix-out`).
    pub instance: Cow<'a, [u8]>,
    /// The IP it was sent from.
    pub source_ip: Cow<'a, [u8]>,
    /// Bytes of the message.
    pub size: Option<i64>,
    /// Milliseconds from arrival to the end of this attempt.
    pub delay_ms: Option<i64>,
    /// The basic code, where it stands apart from the text.
    pub smtp_code: Option<u16>,
    /// The enhanced code, where it stands apart from the text (`dsn=`).
    pub enhanced_code: Option<EnhancedCode>,
    /// Where in the session, where it stands apart from the text.
    pub stage: Option<Stage>,
    /// Whether the next hop is this system itself.
    pub local: bool,
    /// Whether the program that logged it manages the queue, so that `instance` is the queue's own name.
    pub from_queue_manager: bool,
    /// How often it happened (`message repeated N times`).
    pub count: u32,
    /// Whether the line was cut before its end.
    pub cut: bool,
    /// Whether it stands in a log beside the server's main one: it counts only where that says nothing of the recipient.
    pub beside: bool,
}

impl<'a> Fields<'a> {
    /// An event of this kind that says nothing else yet.
    pub fn new(kind: Kind, at: Micros) -> Self {
        const E: Cow<'static, [u8]> = Cow::Borrowed(b"");
        Self {
            kind,
            at,
            recipient: E,
            original: E,
            relay_host: E,
            relay_ip: E,
            text: E,
            sender: None,
            message_id: E,
            next_id: E,
            instance: E,
            source_ip: E,
            size: None,
            delay_ms: None,
            smtp_code: None,
            enhanced_code: None,
            stage: None,
            local: false,
            from_queue_manager: false,
            count: 1,
            cut: false,
            beside: false,
        }
    }
}

impl Key<'_> {
    /// The same with texts of its own.
    pub fn into_owned(self) -> Key<'static> {
        Key { host: Cow::Owned(self.host.into_owned()), id: Cow::Owned(self.id.into_owned()) }
    }
}

impl Fields<'_> {
    /// The same with texts of its own.
    pub fn into_owned(self) -> Fields<'static> {
        fn own(text: Cow<'_, [u8]>) -> Cow<'static, [u8]> {
            if text.is_empty() { Cow::Borrowed(b"") } else { Cow::Owned(text.into_owned()) }
        }
        Fields {
            recipient: own(self.recipient),
            original: own(self.original),
            relay_host: own(self.relay_host),
            relay_ip: own(self.relay_ip),
            text: own(self.text),
            sender: self.sender.map(own),
            message_id: own(self.message_id),
            next_id: own(self.next_id),
            instance: own(self.instance),
            source_ip: own(self.source_ip),
            kind: self.kind,
            at: self.at,
            size: self.size,
            delay_ms: self.delay_ms,
            smtp_code: self.smtp_code,
            enhanced_code: self.enhanced_code,
            stage: self.stage,
            local: self.local,
            from_queue_manager: self.from_queue_manager,
            count: self.count,
            cut: self.cut,
            beside: self.beside,
        }
    }
}

/// Where parsers put what they read.
pub trait Sink<'a> {
    /// Takes one event of the message `key`.
    fn push(&mut self, key: Key<'a>, fields: Fields<'a>);

    /// Whether rejects of our own are asked for. Where they are not, their lines are irrelevant.
    fn wants_rejects(&self) -> bool {
        false
    }

    /// Takes one reject.
    fn reject(&mut self, _refusal: Reject<'a>) {}
    /// Takes note of something that is no event of a message.
    fn remark(&mut self, _remark: Remark<'_>) {}
}

impl<'a> Sink<'a> for Vec<(Key<'a>, Fields<'a>)> {
    fn push(&mut self, key: Key<'a>, fields: Fields<'a>) {
        Vec::push(self, (key, fields));
    }
}

/// What a line says that is no event of a message, and that the user should hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark<'a> {
    /// A syslog says that it lost lines: its name, and how many, or 0 where it does not say.
    Lost(&'a [u8], u64),
    /// A server could not be reached for this domain.
    Unreachable(&'a [u8]),
    /// An event of this name is not known.
    UnknownEvent(&'a [u8]),
    /// A row holds statuses that cannot be told to belong to its recipients.
    Misaligned,
    /// A line is stamped in the hour that autumn repeats, without an offset: whether the order of lines shows that it is of the second time.
    RepeatedHour(bool),
}

/// How a line counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// It said something of a message.
    Used,
    /// It is understood or foreign, and says nothing of a delivery.
    Irrelevant,
    /// It looks like a delivery line of the server and is not understood.
    Unrecognised,
}
