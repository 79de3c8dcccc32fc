//! How messages and rejects lie on the disk: blocks, each a list of events that point into one text, packed with zstd.
//!
//! A block holds what a parser read, before anything was decided: outcomes are found when it is folded, and can be found anew by a later
//! version. What is not here: files (`segment`) and what is done with messages.

use bouncestat_ingest::event::Kind;
use bouncestat_ingest::join::fold::View;
use bouncestat_ingest::join::hash_bytes;
use bouncestat_ingest::join::stitch::Message;
use bouncestat_ingest::join::store::{Event, Part, Span, TEXTS, Text};
use bouncestat_ingest::reject::{Kept, Reject};
use bouncestat_record::{EnhancedCode, Mta, Stage};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// A place in a block's text: start and length.
type Place = (u32, u32);

/// Messages and rejects, as they are written.
#[derive(Serialize, Deserialize, Default)]
pub(crate) struct Block {
    messages: Vec<Head>,
    events: Vec<KeptEvent>,
    /// The texts of all events, in their order: which of an event's texts, and where it stands.
    texts: Vec<(u8, u32, u32)>,
    rejects: Vec<KeptReject>,
    text: ByteBuf,
}

#[derive(Serialize, Deserialize)]
struct Head {
    mta: u8,
    host: Place,
    id: Place,
    events: u32,
    mixed: bool,
    hands_over: bool,
    queue: Place,
}

#[derive(Serialize, Deserialize)]
struct KeptEvent {
    kind: u8,
    /// Microseconds since the event before, in the block.
    after: i64,
    file: u32,
    offset: u64,
    count: u32,
    size: Option<i64>,
    delay_ms: Option<i64>,
    smtp_code: Option<u16>,
    enhanced_code: Option<(u8, u16, u16)>,
    stage: Option<u8>,
    flags: u8,
    texts: u8,
}

#[derive(Serialize, Deserialize)]
struct KeptReject {
    mta: u8,
    file: u32,
    offset: u64,
    at: i64,
    stage: Option<u8>,
    temporary: bool,
    smtp_code: Option<u16>,
    count: u32,
    has_sender: bool,
    /// Host, client's name, client's IP, HELO, sender, recipient, text.
    texts: [Place; 7],
}

const LOCAL: u8 = 1;
const FROM_QUEUE_MANAGER: u8 = 2;
const BESIDE: u8 = 4;
const HAS_SENDER: u8 = 8;

/// Blocks are begun anew at this size.
pub(crate) const FULL: usize = 4 << 20;

/// Gathers a block.
#[derive(Default)]
pub struct Builder {
    block: Block,
    last: i64,
    span: Option<(i64, i64)>,
    /// Hashes of the ids under which messages were handed over.
    pub(crate) named: Vec<u64>,
}

impl Builder {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.block.messages.is_empty() && self.block.rejects.is_empty()
    }

    /// About how many bytes it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.block.text.len() + 24 * self.block.events.len()
    }

    /// How many messages and events it holds.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        (self.block.messages.len() as u64, self.block.events.len() as u64, self.block.rejects.len() as u64)
    }

    /// First and last moment of what is in it.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        self.span
    }

    /// Adds a message.
    pub fn message(&mut self, view: View<'_>) {
        self.push(view, false, false, b"");
    }

    /// Adds a message that is still open.
    pub(crate) fn open(&mut self, message: &Message) {
        let view = View { mta: message.mta, host: &message.host, id: &message.id, events: &message.events, text: message.text() };
        self.push(view, message.mixed, message.hands_over, &message.queue);
    }

    fn saw(&mut self, at: i64) {
        self.span = Some(self.span.map_or((at, at), |(a, b)| (a.min(at), b.max(at))));
    }

    fn place(&mut self, bytes: &[u8]) -> Place {
        let text = &mut self.block.text;
        let start = text.len() as u32;
        text.extend_from_slice(bytes);
        (start, bytes.len() as u32)
    }

    fn push(&mut self, view: View<'_>, mixed: bool, hands_over: bool, queue: &[u8]) {
        let (host, id, queue) = (self.place(view.host), self.place(view.id), self.place(queue));
        let mut last: Option<Event> = None;
        for event in view.events {
            let event = event.moved(view.text, &mut self.block.text, last.as_ref());
            self.saw(event.at);
            let next = event.span(Part::NextId);
            if event.kind == Kind::Sent && !next.is_empty() {
                self.named.push(hash_bytes(Text { body: &self.block.text, side: b"" }.get(next)));
            }
            let mut texts = 0;
            for (part, span) in event.spans.iter().enumerate().filter(|(_, span)| !span.is_empty()) {
                self.block.texts.push((part as u8, span.start() as u32, span.len() as u32));
                texts += 1;
            }
            let flag = |set: bool, flag: u8| if set { flag } else { 0 };
            self.block.events.push(KeptEvent {
                kind: Kind::ALL.iter().position(|kind| *kind == event.kind).expect("every kind is in the list") as u8,
                after: event.at - self.last,
                file: event.file,
                offset: event.offset,
                count: event.count,
                size: event.size,
                delay_ms: event.delay_ms,
                smtp_code: event.smtp_code,
                enhanced_code: event.enhanced_code.map(|code| (code.class, code.subject, code.detail)),
                stage: event.stage.map(|stage| stage as u8),
                flags: flag(event.local, LOCAL)
                    | flag(event.from_queue_manager, FROM_QUEUE_MANAGER)
                    | flag(event.beside, BESIDE)
                    | flag(event.has_sender, HAS_SENDER),
                texts,
            });
            self.last = event.at;
            last = Some(event);
        }
        let events = view.events.len() as u32;
        self.block.messages.push(Head { mta: view.mta as u8, host, id, events, mixed, hands_over, queue });
    }

    /// Adds a reject.
    pub fn reject(&mut self, mta: Mta, file: u32, kept: &Kept) {
        let r = &kept.reject;
        self.saw(r.at);
        let sender = r.sender.as_deref().unwrap_or_default();
        let texts: [&[u8]; 7] = [&r.host, &r.client_name, &r.client_ip, &r.helo, sender, &r.recipient, &r.text];
        let texts = texts.map(|text| self.place(text));
        self.block.rejects.push(KeptReject {
            mta: mta as u8,
            file,
            offset: kept.offset,
            at: r.at,
            stage: r.stage.map(|stage| stage as u8),
            temporary: r.temporary,
            smtp_code: r.smtp_code,
            count: r.count,
            has_sender: r.sender.is_some(),
            texts,
        });
    }

    /// The block, packed; the builder is empty again, but for what it knows of ids.
    pub(crate) fn pack(&mut self) -> Vec<u8> {
        let block = std::mem::take(&mut self.block);
        self.last = 0;
        self.span = None;
        let bytes = postcard::to_stdvec(&block).expect("memory takes every block");
        let mut packer = zstd::bulk::Compressor::new(3).expect("zstd knows the level");
        // The checksum tells damage when a block is read.
        packer.include_checksum(true).expect("zstd knows checksums");
        packer.compress(&bytes).expect("memory takes every block")
    }
}

/// A block as it is read.
pub struct Contents {
    heads: Vec<Head>,
    events: Vec<Event>,
    rejects: Vec<KeptReject>,
    text: Vec<u8>,
}

/// The longest block, unpacked: one message may be longer than the usual block.
const LONGEST: usize = 1 << 30;

impl Contents {
    /// Unpacks a block; an error says what is wrong with it.
    pub(crate) fn unpack(packed: &[u8]) -> Result<Self, String> {
        let bytes = zstd::stream::decode_all(packed).map_err(|e| e.to_string())?;
        if bytes.len() > LONGEST {
            return Err(format!("a block of {} bytes", bytes.len()));
        }
        let block: Block = postcard::from_bytes(&bytes).map_err(|e| e.to_string())?;
        let length = block.text.len();
        let fits = |(start, len): Place| (start as usize).checked_add(len as usize).is_some_and(|end| end <= length);
        let mut texts = block.texts.iter();
        let mut last = 0;
        let mut events = Vec::with_capacity(block.events.len());
        for kept in &block.events {
            let mut spans = [Span::EMPTY; TEXTS];
            for _ in 0..kept.texts {
                let (part, start, len) = *texts.next().ok_or("a text is missing")?;
                let span = spans.get_mut(part as usize).filter(|_| fits((start, len))).ok_or("a text is out of place")?;
                *span = Span::new(start as usize, len as usize);
            }
            last += kept.after;
            events.push(Event {
                kind: *Kind::ALL.get(kept.kind as usize).ok_or("an event of a later version")?,
                at: last,
                file: kept.file,
                offset: kept.offset,
                count: kept.count,
                size: kept.size,
                delay_ms: kept.delay_ms,
                smtp_code: kept.smtp_code,
                enhanced_code: kept.enhanced_code.map(|(class, subject, detail)| EnhancedCode { class, subject, detail }),
                stage: stage(kept.stage)?,
                local: kept.flags & LOCAL != 0,
                from_queue_manager: kept.flags & FROM_QUEUE_MANAGER != 0,
                beside: kept.flags & BESIDE != 0,
                has_sender: kept.flags & HAS_SENDER != 0,
                spans,
            });
        }
        let counted: u64 = block.messages.iter().map(|head| u64::from(head.events)).sum();
        let heads_fit =
            block.messages.iter().all(|head| fits(head.host) && fits(head.id) && fits(head.queue) && mta(head.mta).is_some());
        let rejects_fit = block.rejects.iter().all(|r| r.texts.iter().all(|place| fits(*place)) && mta(r.mta).is_some());
        if counted != events.len() as u64 || !heads_fit || !rejects_fit {
            return Err("its parts do not fit".into());
        }
        Ok(Self { heads: block.messages, events, rejects: block.rejects, text: block.text.into_vec() })
    }

    fn get(&self, (start, len): Place) -> &[u8] {
        &self.text[start as usize..(start + len) as usize]
    }

    /// Its messages, in their order.
    pub fn messages(&self) -> impl Iterator<Item = View<'_>> {
        let mut at = 0;
        self.heads.iter().map(move |head| {
            let events = &self.events[at..at + head.events as usize];
            at += head.events as usize;
            let mta = mta(head.mta).expect("checked when it was unpacked");
            View { mta, host: self.get(head.host), id: self.get(head.id), events, text: Text { body: &self.text, side: b"" } }
        })
    }

    /// The same as messages that are still open, with texts of their own.
    pub(crate) fn open(&self) -> Vec<Message> {
        let one = |(head, view): (&Head, View<'_>)| {
            let mut message = Message {
                mta: view.mta,
                host: view.host.into(),
                id: view.id.into(),
                events: Vec::with_capacity(view.events.len()),
                text: Vec::new(),
                mixed: head.mixed,
                hands_over: head.hands_over,
                queue: self.get(head.queue).into(),
                kept: view.events.len(),
            };
            for event in view.events {
                let event = event.moved(view.text, &mut message.text, message.events.last());
                message.events.push(event);
            }
            message
        };
        self.heads.iter().zip(self.messages()).map(one).collect()
    }

    /// Its rejects, in their order: the server, the number of the file, and the reject.
    pub fn rejects(&self) -> impl Iterator<Item = (Mta, u32, Kept)> {
        self.rejects.iter().map(|kept| {
            let [host, client_name, client_ip, helo, sender, recipient, text] =
                kept.texts.map(|place| std::borrow::Cow::Owned(self.get(place).to_vec()));
            let reject = Reject {
                at: kept.at,
                host,
                stage: stage(kept.stage).unwrap_or_default(),
                temporary: kept.temporary,
                client_name,
                client_ip,
                helo,
                sender: kept.has_sender.then_some(sender),
                recipient,
                text,
                smtp_code: kept.smtp_code,
                count: kept.count,
            };
            (mta(kept.mta).expect("checked when it was unpacked"), kept.file, Kept { reject, offset: kept.offset })
        })
    }
}

fn mta(number: u8) -> Option<Mta> {
    Mta::ALL.get(number as usize).copied()
}

fn stage(number: Option<u8>) -> Result<Option<Stage>, String> {
    match number {
        None => Ok(None),
        Some(number) => Stage::ALL.get(number as usize).copied().map(Some).ok_or_else(|| "a stage of a later version".into()),
    }
}
