//! `stitch`: puts the fragments of each message together, in the order of the log, and gives out what is whole.
//!
//! It keeps only what is open: messages that a server is not done with, and hand-overs whose new id was not seen yet. Nothing is
//! decided here; `fold` does that when a message is whole.

use bouncestat_record::Mta;
use bouncestat_record::time::Micros;

use super::fold::View;
use super::scan::{Fragment, Scan};
use super::store::{Event, Part, Span, Text};
use super::unended::{self, Newest};
use super::{ByHash, HashSet64, hash_bytes, hash_key};
use super::{receive, sessions};
use crate::event::{Fields, Kind};
use crate::reject::Kept;

/// A message with a text of its own, so that it outlives the chunks it was read from.
#[derive(Clone, Debug)]
pub struct Message {
    /// Whose log.
    pub mta: Mta,
    /// The log host.
    pub host: Box<[u8]>,
    /// The server's id.
    pub id: Box<[u8]>,
    /// Its events, in order.
    pub events: Vec<Event>,
    /// What their spans point into.
    pub text: Vec<u8>,
    /// Whether two queues of one host use this id at the same time.
    pub mixed: bool,
    /// Whether one of its events names a new id.
    pub hands_over: bool,
    /// The queue that manages it; empty where no line tells.
    pub queue: Box<[u8]>,
    /// How many of its events an earlier run kept.
    pub kept: usize,
}

/// A message that is whole.
#[derive(Debug)]
pub enum Whole {
    /// All of it stands in the scan, as this fragment.
    Inside(u32),
    /// It began earlier.
    Apart(Box<Message>),
}

/// What is known of all ids.
#[derive(Debug, Default)]
pub struct Ids {
    /// Hashes of the ids of all messages seen so far.
    pub seen: HashSet64,
    /// Hashes of the ids that messages say they came from.
    pub came_from: HashSet64,
}

/// The open messages of a run.
#[derive(Debug, Default)]
pub struct Stitcher {
    /// What is known of all ids.
    pub ids: Ids,
    open: ByHash<Message>,
    /// Whole messages that were handed over under an id that was not seen yet, in the order in which they ended.
    pending: Vec<Message>,
    /// Whether messages are kept and not folded yet: then none of them has to wait for an id.
    keeps: bool,
    /// The newest line of each log host.
    newest: Newest,
    /// Messages of which nothing tells the end, and whose ids are in use again.
    unended: u64,
}

/// What is left when the log ends.
pub(crate) struct Rest {
    /// Messages that ended under an id not seen, then those that are open.
    pub messages: Vec<Message>,
    /// What is known of all ids.
    pub ids: Ids,
    /// Rejects that only a whole session tells, each with its file.
    pub rejects: Vec<(u32, Kept)>,
    /// Messages of which nothing tells the end, though later lines follow.
    pub unended: u64,
}

impl Stitcher {
    /// A stitcher of a run whose messages are kept: it begins with those that earlier runs left open, and with the newest moment of each
    /// log host ([`Stitcher::newest`]).
    pub fn keeping(open: Vec<Message>, newest: impl IntoIterator<Item = (u64, Micros)>) -> Self {
        let open = open.into_iter().map(|message| (hash_key(message.mta, &message.host, &message.id), message)).collect();
        Self { open, keeps: true, newest: newest.into_iter().collect(), ..Self::default() }
    }

    /// The newest moment of each log host, by the hash of its name.
    pub fn newest(&self) -> Vec<(u64, Micros)> {
        self.newest.all()
    }

    /// Takes the number of messages without an end whose ids are in use again.
    pub fn take_unended(&mut self) -> u64 {
        std::mem::take(&mut self.unended)
    }

    /// How many open messages should have ended long ago.
    pub fn open_without_end(&self) -> u64 {
        self.open.values().filter(|message| self.newest.shows_no_end(message)).count() as u64
    }

    /// The messages that are open, in the order of their beginnings.
    pub fn open(&self) -> Vec<&Message> {
        let mut open: Vec<&Message> = self.open.values().collect();
        open.sort_by(|a, b| a.order().cmp(&b.order()));
        open
    }

    /// Takes what is known of ids; nothing is known afterwards.
    pub fn take_ids(&mut self) -> Ids {
        std::mem::take(&mut self.ids)
    }

    /// Takes out the open messages of which nothing was heard since a moment.
    pub fn take_idle(&mut self, is_idle: impl Fn(&Message) -> bool) -> Vec<Message> {
        let idle: Vec<u64> = self.open.iter().filter(|(_, message)| is_idle(message)).map(|(hash, _)| *hash).collect();
        let mut idle: Vec<Message> = idle.iter().filter_map(|hash| self.open.remove(hash)).collect();
        idle.sort_by(|a, b| a.order().cmp(&b.order()));
        idle
    }

    /// Takes the next scan, in the order of the log; gives what is whole now, in the order in which it ended.
    pub fn take(&mut self, scan: &Scan) -> Vec<Whole> {
        for fragment in &scan.fragments {
            self.ids.seen.insert(hash_bytes(scan.text().get(fragment.id)));
            self.newest.saw(scan, fragment);
        }
        self.ids.came_from.extend(&scan.came_from);
        let mut whole: Vec<(u64, Whole)> = Vec::with_capacity(scan.fragments.len());
        for (index, fragment) in scan.fragments.iter().enumerate() {
            if fragment.born
                && let Some(lost) = self.open.remove(&fragment.hash)
            {
                let at = scan.events(fragment).next().map_or(0, |event| event.offset);
                self.unended += u64::from(unended::has_attempts(&lost));
                whole.push((at, Whole::Apart(Box::new(lost))));
            }
            if let Some(mut message) = self.open.remove(&fragment.hash) {
                message.append(scan, fragment);
                if fragment.closed && !message.mixed {
                    whole.push((fragment.closed_at, Whole::Apart(Box::new(message))));
                } else {
                    self.open.insert(fragment.hash, message);
                }
            } else if fragment.closed {
                whole.push((fragment.closed_at, Whole::Inside(index as u32)));
            } else {
                self.open.insert(fragment.hash, Message::new(scan, fragment));
            }
        }
        whole.sort_by_key(|(at, _)| *at);
        whole.into_iter().filter_map(|(_, whole)| self.unless_pending(scan, whole)).collect()
    }

    /// Keeps back a message that was handed over under an id that is not known.
    fn unless_pending(&mut self, scan: &Scan, whole: Whole) -> Option<Whole> {
        if self.keeps {
            return Some(whole);
        }
        let waits = match &whole {
            Whole::Inside(index) => {
                let fragment = &scan.fragments[*index as usize];
                fragment.hands_over && scan.events(fragment).any(|e| self.is_unknown_hand_over(e, scan.text()))
            }
            Whole::Apart(message) => {
                message.hands_over && message.events.iter().any(|e| self.is_unknown_hand_over(e, message.text()))
            }
        };
        if !waits {
            return Some(whole);
        }
        self.pending.push(match whole {
            Whole::Inside(index) => Message::new(scan, &scan.fragments[index as usize]),
            Whole::Apart(message) => *message,
        });
        None
    }

    fn is_unknown_hand_over(&self, event: &Event, text: Text<'_>) -> bool {
        let id = event.span(Part::NextId);
        event.kind == Kind::Sent && !id.is_empty() && !self.ids.seen.contains(&hash_bytes(text.get(id)))
    }

    /// How many messages are open.
    pub fn open_messages(&self) -> usize {
        self.open.len() + self.pending.len()
    }

    /// Everything that is left when the log ends: first what had ended, then what is still open, in an order that does not depend on
    /// how the log was cut.
    pub(crate) fn finish(self) -> Rest {
        let unended = self.unended + self.open_without_end();
        let (open, rejects) = resolve(self.open.into_values().collect());
        let mut messages = self.pending;
        messages.extend(open);
        Rest { messages, ids: self.ids, rejects, unended }
    }
}

/// What open messages are when nothing more is known of them: Exchange's sessions become attempts of their messages, or rejects, each
/// with the number of its file.
pub fn resolve(mut open: Vec<Message>) -> (Vec<Message>, Vec<(u32, Kept)>) {
    open.sort_by(|a, b| a.order().cmp(&b.order()));
    let (open, rejects) = receive::take_rejects(open);
    let mut open = sessions::to_attempts(open);
    open.sort_by(|a, b| a.order().cmp(&b.order()));
    (merge_by_message_id(open), rejects)
}

/// Exchange before 2013 logs no network message id: such messages join the one network id that has the same `Message-ID:`.
fn merge_by_message_id(open: Vec<Message>) -> Vec<Message> {
    if !open.iter().any(Message::is_named_by_message_id) {
        return open;
    }
    // The network ids of a Message-ID; None where there are several.
    let mut owner: ByHash<Option<usize>> = ByHash::default();
    for (i, message) in open.iter().enumerate().filter(|(_, m)| m.mta == Mta::Exchange && !m.is_named_by_message_id()) {
        let mut ids: Vec<u64> = message.events.iter().map(|e| hash_bytes(message.text().get(e.span(Part::MessageId)))).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            owner.entry(id).and_modify(|o| *o = o.filter(|o| *o == i)).or_insert(Some(i));
        }
    }
    let mut kept: Vec<Option<Message>> = open.into_iter().map(Some).collect();
    for i in 0..kept.len() {
        let Some(message) = kept[i].take_if(|m| m.is_named_by_message_id()) else { continue };
        // Where addresses are hashed, its id is still what the log says, and what its rows say is hashed as it is in other messages.
        let said = message.events.iter().map(|e| message.text().get(e.span(Part::MessageId)));
        let mut names = std::iter::once(&*message.id).chain(said);
        match names.find_map(|name| owner.get(&hash_bytes(name)).copied()) {
            // Several messages have this Message-ID. What stands beside the main log is told there, for one or the other.
            Some(None) if message.events.iter().all(|e| e.beside) => {}
            Some(Some(to)) => {
                let target = kept[to].as_mut().expect("network ids are never merged away");
                for event in &message.events {
                    let event = event.moved(message.text(), &mut target.text, None);
                    target.events.push(event);
                }
            }
            Some(None) | None => kept[i] = Some(message),
        }
    }
    kept.into_iter().flatten().collect()
}

impl Message {
    fn new(scan: &Scan, fragment: &Fragment) -> Self {
        let text = scan.text();
        let mut message = Self::empty(scan.mta, text.get(fragment.host), text.get(fragment.id));
        message.append(scan, fragment);
        message
    }

    /// The same message with other texts: `map` is given each text, what it says, and the number of its event.
    pub fn mapped(view: View<'_>, mut map: impl FnMut(usize, Part, &[u8]) -> Vec<u8>) -> Self {
        let mut message = Self::empty(view.mta, view.host, view.id);
        for (number, event) in view.events.iter().enumerate() {
            let mut event = *event;
            for part in Part::ALL {
                let span = &mut event.spans[part as usize];
                if !span.is_empty() {
                    let text = map(number, part, view.text.get(*span));
                    *span = Span::new(message.text.len(), text.len());
                    message.text.extend_from_slice(&text);
                }
            }
            message.events.push(event);
        }
        message
    }

    fn empty(mta: Mta, host: &[u8], id: &[u8]) -> Self {
        Self {
            mta,
            host: host.into(),
            id: id.into(),
            events: Vec::new(),
            text: Vec::new(),
            mixed: false,
            hands_over: false,
            queue: Box::default(),
            kept: 0,
        }
    }

    fn append(&mut self, scan: &Scan, fragment: &Fragment) {
        for event in scan.events(fragment) {
            let event = event.moved(scan.text(), &mut self.text, self.events.last());
            self.events.push(event);
        }
        self.hands_over |= fragment.hands_over;
        self.mixed |= fragment.mixed;
        let queue = scan.text().get(fragment.queue);
        if self.queue.is_empty() {
            self.queue = queue.into();
        } else {
            self.mixed |= !queue.is_empty() && queue != &*self.queue;
        }
    }

    /// A message of Exchange of which nothing is known yet.
    pub(super) fn of_exchange(id: &[u8]) -> Self {
        Self::empty(Mta::Exchange, b"", id)
    }

    /// Adds an event that stands in the place of `row`.
    pub(super) fn put(&mut self, fields: &Fields<'_>, row: &Event) {
        let text = &mut self.text;
        let event = Event::keep(fields, row.file, row.offset, |piece| {
            let span = Span::new(text.len(), piece.len());
            text.extend_from_slice(piece);
            span
        });
        self.events.push(event);
    }

    /// What its spans point into.
    pub fn text(&self) -> Text<'_> {
        Text { body: &self.text, side: b"" }
    }

    fn is_named_by_message_id(&self) -> bool {
        self.mta == Mta::Exchange && self.id.first() == Some(&b'<')
    }

    fn order(&self) -> (Option<Micros>, Mta, &[u8], &[u8]) {
        (self.events.iter().map(|e| e.at).min(), self.mta, &self.host, &self.id)
    }
}
