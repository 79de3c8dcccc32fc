//! `scan`: what one piece of a log says, gathered by message.
//!
//! A scan needs nothing from other pieces, so that pieces can be scanned in any thread. It ends a fragment where the server says that it
//! is done with the id; everything else is the stitcher's to decide.

use std::collections::hash_map::Entry;

use bouncestat_record::Mta;
use bouncestat_record::time::Micros;

use super::remarks::Remarks;
use super::store::{Event, Part, Span, Text};
use super::{ByHash, hash_bytes, hash_key};
use crate::event::{Fields, Key, Kind, Remark, Sink, Sort};
use crate::input::lines;
use crate::mta::LineReader;
use crate::reject::{Kept, Reject};
use crate::rejoin::Places;

/// No event.
const NONE: u32 = u32::MAX;

/// What a piece of a log says of one message: a chain of its events.
#[derive(Clone, Debug)]
pub struct Fragment {
    /// The hash of its key.
    pub hash: u64,
    /// The log host.
    pub host: Span,
    /// The server's id of the message.
    pub id: Span,
    /// Whether the server is done with it.
    pub closed: bool,
    /// Whether two queues of one host use this id at the same time.
    pub mixed: bool,
    /// Whether one of its events names a new id.
    pub hands_over: bool,
    /// The queue that manages it; empty where no line tells.
    pub queue: Span,
    /// Whether its first event shows that it begins here.
    pub born: bool,
    /// Where the line stands that closed it.
    pub closed_at: u64,
    first: u32,
    last: u32,
}

/// What one piece of a log says.
pub struct Scan {
    /// Whose log.
    pub mta: Mta,
    /// The piece.
    pub chunk: Vec<u8>,
    side: Vec<u8>,
    events: Vec<Event>,
    next: Vec<u32>,
    /// The fragments, in the order of their first events.
    pub fragments: Vec<Fragment>,
    /// Hashes of the ids from which messages came here.
    pub came_from: Vec<u64>,
    /// How its lines count.
    pub tally: Tally,
    /// What it tells of rejects of our own, where a run asks for them.
    pub(crate) rejects: Option<Vec<Kept>>,
    /// Its lines that were not understood, where they are asked for: each with the offset of its line in the file.
    pub(crate) unrecognised: Vec<(Span, u64)>,
    /// What else its lines say.
    pub remarks: Remarks,
    /// Hashes of all its lines, where they are asked for.
    pub line_hashes: Vec<u64>,
    /// First and last moment of its events.
    pub span: Option<(Micros, Micros)>,
    /// Open fragments by hash of their key.
    index: ByHash<u32>,
    file: u32,
    places: Places,
    wanted: Wanted,
    /// Stands at the start of the piece.
    reader: LineReader,
}

/// How lines count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All lines.
    pub lines: u64,
    /// Lines that said something of a message.
    pub used: u64,
    /// Those of them that said it only because rejects were asked for.
    pub for_rejects: u64,
    /// Delivery lines that were not understood.
    pub unrecognised: u64,
    /// Lines that were cut.
    pub truncated: u64,
    /// Lines that stand in another file too.
    pub duplicates: u64,
    /// Lines that were put together from parts.
    pub rejoined: u64,
}

impl Tally {
    /// Adds another tally.
    pub fn add(&mut self, other: Tally) {
        self.lines += other.lines;
        self.used += other.used;
        self.for_rejects += other.for_rejects;
        self.unrecognised += other.unrecognised;
        self.truncated += other.truncated;
        self.duplicates += other.duplicates;
        self.rejoined += other.rejoined;
    }
}

/// What a scan does with each line besides reading it.
pub trait LineGuard {
    /// Whether the line stands in another file too and must be passed over. Told the hash of the line.
    fn is_duplicate(&mut self, hash: u64) -> bool;
}

/// What is asked for beside deliveries.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Rejects of our own.
    pub rejects: bool,
    /// Lines that were not understood.
    pub unrecognised: bool,
}

/// What is asked of a scan about the lines themselves.
pub enum Lines<'g> {
    /// Nothing: there is no other file like this one.
    Plain,
    /// Their hashes, to find them again in later files.
    Hash,
    /// Their hashes, and to pass over those that stand in earlier files.
    Guarded(&'g mut dyn LineGuard),
}

/// Whether a line can be a duplicate of one in another file: headers and blank lines stand in every file.
pub fn is_comparable(line: &[u8]) -> bool {
    line.len() > 1 && line[0] != b'#'
}

/// Scans a chunk: `file` and `places` (or the offset of its first byte) say where its lines stand; `wanted`: what is
/// asked for beside deliveries.
pub fn scan(
    reader: LineReader,
    chunk: Vec<u8>,
    file: u32,
    places: impl Into<Places>,
    wanted: Wanted,
    mut watch: Lines<'_>,
) -> Scan {
    let places = places.into();
    let mut scan = Scan {
        mta: reader.mta(),
        chunk: Vec::new(),
        side: Vec::new(),
        events: Vec::new(),
        next: Vec::new(),
        fragments: Vec::new(),
        came_from: Vec::new(),
        tally: Tally::default(),
        rejects: wanted.rejects.then(Vec::new),
        wanted,
        unrecognised: Vec::new(),
        remarks: Remarks::default(),
        line_hashes: Vec::new(),
        span: None,
        index: ByHash::default(),
        file,
        places: Places::default(),
        reader: reader.clone(),
    };
    scan.tally.rejoined = places.joined;
    let mut reader = reader;
    let mut sink = ScanSink { scan: &mut scan, chunk: &chunk, line_offset: 0 };
    for (number, (at, line)) in lines(&chunk).enumerate() {
        let (position, offset, physical) = places.of(number, at);
        sink.scan.tally.lines += physical;
        reader.seek(position);
        if !matches!(watch, Lines::Plain) && is_comparable(line) {
            let hash = hash_bytes(line);
            sink.scan.line_hashes.push(hash);
            if let Lines::Guarded(guard) = &mut watch
                && guard.is_duplicate(hash)
            {
                sink.scan.tally.duplicates += physical;
                // It still moves the clock.
                reader.line(line, &mut Nobody);
                continue;
            }
        }
        sink.line_offset = offset;
        let before = (sink.scan.events.len(), sink.rejects());
        match reader.line(line, &mut sink) {
            Sort::Used => {
                sink.scan.tally.used += physical;
                // A log of what others sent to us is read for rejects alone; its rows are events of sessions.
                let only_reject = reader.is_for_rejects() || sink.scan.events.len() == before.0 && sink.rejects() > before.1;
                sink.scan.tally.for_rejects += if only_reject { physical } else { 0 };
            }
            Sort::Irrelevant => {}
            Sort::Unrecognised => {
                sink.scan.tally.unrecognised += physical;
                sink.scan.remarks.unrecognised(line, file, offset);
                if wanted.unrecognised {
                    sink.scan.unrecognised.push((Span::new(at, line.len()), offset));
                }
            }
        }
    }
    scan.chunk = chunk;
    scan.places = places;
    scan.index = ByHash::default();
    scan
}

impl Scan {
    /// The text that its spans point into.
    pub fn text(&self) -> Text<'_> {
        Text { body: &self.chunk, side: &self.side }
    }

    /// Scans the same piece again, asking something else of its lines.
    pub fn again(self, watch: Lines<'_>) -> Self {
        scan(self.reader, self.chunk, self.file, self.places, self.wanted, watch)
    }

    /// The file it was read from.
    pub fn file(&self) -> u32 {
        self.file
    }

    /// The last event of a fragment.
    pub fn last_event(&self, fragment: &Fragment) -> Option<&Event> {
        self.events.get(fragment.last as usize)
    }

    /// The events of a fragment, in order.
    pub fn events<'s>(&'s self, fragment: &Fragment) -> impl Iterator<Item = &'s Event> + use<'s> {
        let mut at = fragment.first;
        std::iter::from_fn(move || {
            let event = self.events.get(at as usize)?;
            at = self.next[at as usize];
            Some(event)
        })
    }
}

/// Whether such an event shows that the id is in use anew. Exim's and Exchange's ids are never used again.
fn begins_anew(mta: Mta, kind: Kind) -> bool {
    mta == Mta::Postfix && kind == Kind::Born
}

/// Takes the events of lines that don't count.
struct Nobody;

impl<'a> Sink<'a> for Nobody {
    fn push(&mut self, _: Key<'a>, _: Fields<'a>) {}
}

/// Puts events into a scan.
struct ScanSink<'s, 'a> {
    scan: &'s mut Scan,
    chunk: &'a [u8],
    line_offset: u64,
}

impl ScanSink<'_, '_> {
    /// How many rejects there are so far.
    fn rejects(&self) -> usize {
        self.scan.rejects.as_ref().map_or(0, Vec::len)
    }

    /// Where a text stands: in the chunk itself if it is a piece of it, else in the side text.
    fn span(&mut self, text: &[u8]) -> Span {
        let start = (text.as_ptr() as usize).wrapping_sub(self.chunk.as_ptr() as usize);
        if start <= self.chunk.len() && start + text.len() <= self.chunk.len() {
            return Span::new(start, text.len());
        }
        let at = self.chunk.len() + self.scan.side.len();
        self.scan.side.extend_from_slice(text);
        Span::new(at, text.len())
    }

    /// The open fragment of a key; a new one where there is none, or where `born` shows that the id is in use again.
    fn fragment(&mut self, key: &Key<'_>, kind: Kind) -> u32 {
        let hash = hash_key(self.scan.mta, &key.host, &key.id);
        let fresh = self.scan.fragments.len() as u32;
        match self.scan.index.entry(hash) {
            Entry::Occupied(mut known) => {
                if !begins_anew(self.scan.mta, kind) {
                    return *known.get();
                }
                known.insert(fresh);
            }
            Entry::Vacant(free) => {
                free.insert(fresh);
            }
        }
        let (host, id) = (self.span(&key.host), self.span(&key.id));
        self.scan.fragments.push(Fragment {
            hash,
            host,
            id,
            closed: false,
            mixed: false,
            hands_over: false,
            queue: Span::EMPTY,
            born: begins_anew(self.scan.mta, kind),
            closed_at: 0,
            first: NONE,
            last: NONE,
        });
        fresh
    }
}

impl<'a> Sink<'a> for ScanSink<'_, 'a> {
    fn wants_rejects(&self) -> bool {
        self.scan.rejects.is_some()
    }

    fn reject(&mut self, reject: Reject<'a>) {
        if let Some(rejects) = &mut self.scan.rejects {
            rejects.push(Kept { reject: reject.into_owned(), offset: self.line_offset });
        }
    }

    fn remark(&mut self, remark: Remark<'_>) {
        self.scan.remarks.take(remark, self.scan.file);
    }

    fn push(&mut self, key: Key<'a>, fields: Fields<'a>) {
        let at = self.fragment(&key, fields.kind);
        let (file, offset) = (self.scan.file, self.line_offset);
        let event = Event::keep(&fields, file, offset, |text| self.span(text));
        let scan = &mut *self.scan;
        let index = scan.events.len() as u32;
        scan.tally.truncated += u64::from(fields.cut);
        scan.span = Some(scan.span.map_or((event.at, event.at), |(a, b)| (a.min(event.at), b.max(event.at))));
        scan.events.push(event);
        scan.next.push(NONE);
        if fields.kind == Kind::Born && !fields.next_id.is_empty() {
            scan.came_from.push(hash_bytes(&fields.next_id));
        }
        let text = Text { body: self.chunk, side: &scan.side };
        let fragment = &mut scan.fragments[at as usize];
        match fragment.last {
            NONE => fragment.first = index,
            last => scan.next[last as usize] = index,
        }
        fragment.last = index;
        fragment.hands_over |= fields.kind == Kind::Sent && !fields.next_id.is_empty();
        if fields.from_queue_manager {
            let name = event.span(Part::Instance);
            if fragment.queue.is_empty() {
                fragment.queue = name;
            } else {
                fragment.mixed |= text.get(fragment.queue) != text.get(name);
            }
        }
        let ends = match scan.mta {
            Mta::Postfix => matches!(fields.kind, Kind::Removed | Kind::RemovedByHand),
            Mta::Exim => fields.kind == Kind::Removed,
            Mta::Exchange => false,
        };
        if ends && !fragment.mixed {
            fragment.closed = true;
            fragment.closed_at = self.line_offset;
            let hash = fragment.hash;
            scan.index.remove(&hash);
        }
    }
}
