//! How events are kept: fixed size, pointing into a text.
//!
//! The text of a chunk's events is the chunk itself, with a side text for what no line holds as it is (unquoted fields).

use bouncestat_record::time::Micros;
use bouncestat_record::{EnhancedCode, Stage};

use crate::event::{Fields, Kind};

/// A piece of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// What the line does not say.
    pub const EMPTY: Span = Span { start: 0, len: 0 };
    /// The piece of `len` bytes from `start`.
    pub fn new(start: usize, len: usize) -> Self {
        Self {
            start: u32::try_from(start).expect("a text stays under 4 GiB"),
            len: u32::try_from(len).expect("a text stays under 4 GiB"),
        }
    }
    /// Where it begins.
    pub fn start(self) -> usize {
        self.start as usize
    }
    /// How many bytes it has.
    pub fn len(self) -> usize {
        self.len as usize
    }
    /// Whether it holds nothing.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// The text that spans point into: a body, then what was added to it.
#[derive(Clone, Copy, Debug)]
pub struct Text<'t> {
    /// The chunk, or the text of a message of its own.
    pub body: &'t [u8],
    /// Added text, at positions after the body.
    pub side: &'t [u8],
}

impl<'t> Text<'t> {
    /// The bytes of a span.
    pub fn get(self, span: Span) -> &'t [u8] {
        let (start, len) = (span.start as usize, span.len as usize);
        if len == 0 {
            return b"";
        }
        match start.checked_sub(self.body.len()) {
            Some(at) => &self.side[at..at + len],
            None => &self.body[start..start + len],
        }
    }
}

/// An event as it is kept.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// What is said.
    pub kind: Kind,
    /// When, UTC.
    pub at: Micros,
    /// The file, as an index in the run's list.
    pub file: u32,
    /// Offset of the line in the unpacked file.
    pub offset: u64,
    /// How often it happened.
    pub count: u32,
    /// Bytes of the message.
    pub size: Option<i64>,
    /// Milliseconds from arrival.
    pub delay_ms: Option<i64>,
    /// The basic code, apart from the text.
    pub smtp_code: Option<u16>,
    /// The enhanced code, apart from the text.
    pub enhanced_code: Option<EnhancedCode>,
    /// The stage, apart from the text.
    pub stage: Option<Stage>,
    /// The next hop is this system.
    pub local: bool,
    /// Logged by the queue's manager.
    pub from_queue_manager: bool,
    /// From a log beside the server's main one.
    pub beside: bool,
    /// Whether `sender` is said; it may be empty.
    pub has_sender: bool,
    /// The texts, in the order of [`TEXTS`].
    pub spans: [Span; TEXTS],
}

/// How many texts an event has.
pub const TEXTS: usize = 10;

/// The texts of an event.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// Final recipient.
    Recipient,
    /// Address it was made from.
    Original,
    /// Next hop's name.
    RelayHost,
    /// Next hop's IP.
    RelayIp,
    /// Reply or error.
    Reply,
    /// Envelope sender.
    Sender,
    /// `Message-ID:`.
    MessageId,
    /// New or former id.
    NextId,
    /// Name of the queue.
    Instance,
    /// Sending IP.
    SourceIp,
}

impl Part {
    /// Every text, in the order of an event's spans.
    pub const ALL: [Part; TEXTS] = [
        Part::Recipient,
        Part::Original,
        Part::RelayHost,
        Part::RelayIp,
        Part::Reply,
        Part::Sender,
        Part::MessageId,
        Part::NextId,
        Part::Instance,
        Part::SourceIp,
    ];
}

impl Event {
    /// The span of one text.
    pub fn span(&self, part: Part) -> Span {
        self.spans[part as usize]
    }

    /// Makes an event of what a parser read; `keep` puts each text into the store.
    pub fn keep<'a>(f: &Fields<'a>, file: u32, offset: u64, mut keep: impl FnMut(&[u8]) -> Span) -> Self {
        let sender = f.sender.as_deref().unwrap_or_default();
        let texts: [&[u8]; TEXTS] = [
            &f.recipient,
            &f.original,
            &f.relay_host,
            &f.relay_ip,
            &f.text,
            sender,
            &f.message_id,
            &f.next_id,
            &f.instance,
            &f.source_ip,
        ];
        Self {
            kind: f.kind,
            at: f.at,
            file,
            offset,
            count: f.count,
            size: f.size,
            delay_ms: f.delay_ms,
            smtp_code: f.smtp_code,
            enhanced_code: f.enhanced_code,
            stage: f.stage,
            local: f.local,
            from_queue_manager: f.from_queue_manager,
            beside: f.beside,
            has_sender: f.sender.is_some(),
            spans: texts.map(|text| if text.is_empty() { Span::EMPTY } else { keep(text) }),
        }
    }

    /// The same event with its texts copied to the end of `to`; a text that `last` had already is shared with it.
    pub fn moved(&self, from: Text<'_>, to: &mut Vec<u8>, last: Option<&Event>) -> Self {
        let mut event = *self;
        for (i, span) in event.spans.iter_mut().enumerate() {
            if span.is_empty() {
                continue;
            }
            let text = from.get(*span);
            let shared = last.map(|l| l.spans[i]).filter(|s| Text { body: to, side: b"" }.get(*s) == text);
            *span = shared.unwrap_or_else(|| {
                let new = Span::new(to.len(), text.len());
                to.extend_from_slice(text);
                new
            });
        }
        event
    }
}
