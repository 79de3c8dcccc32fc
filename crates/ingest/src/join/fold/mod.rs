//! `fold`: makes deliveries of a whole message, and says what of it is no delivery.
//!
//! The only place where outcomes are decided. What is not here: why something failed.

mod exchange;
mod queue;

use std::sync::Arc;

use bouncestat_record::time::Micros;
use bouncestat_record::{Action, Delivery, Mta, Try};
use typed_arena::Arena;

use super::hash_bytes;
use super::stitch::Ids;
use super::store::{Event, Part, Text};
use super::window::{Side, Window};

/// A whole message, as fold sees it.
#[derive(Clone, Copy, Debug)]
pub struct View<'t> {
    /// Whose log.
    pub mta: Mta,
    /// The log host.
    pub host: &'t [u8],
    /// The server's id.
    pub id: &'t [u8],
    /// Its events, in order.
    pub events: &'t [Event],
    /// What their spans point into.
    pub text: Text<'t>,
}

/// What is no delivery, by recipient of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Excluded {
    /// Address probes.
    pub probes: u64,
    /// Hand-overs to a second hop whose id is in the input.
    pub hops: u64,
    /// Mail with the null sender.
    pub notifications: u64,
    /// Thrown away on purpose.
    pub discarded: u64,
    /// Delivery suppressed.
    pub suppressed: u64,
    /// Shadow copies.
    pub shadow: u64,
    /// Health probes.
    pub health: u64,
    /// Dropped without a notification.
    pub dropped: u64,
    /// Refused on the way in.
    pub inbound: u64,
}

/// What a fold counts besides deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// What is no delivery.
    pub excluded: Excluded,
    /// Attempts outside the window.
    pub outside_window: u64,
    /// Refusals of our own outside the window, where they are asked for.
    pub rejects_outside_window: u64,
    /// Deliveries whose message left the queue after a deferral without a word.
    pub lost: u64,
    /// First and last attempt, and reject where they are asked for, of the whole input, whatever the window.
    pub events: Option<(Micros, Micros)>,
}

impl Counts {
    /// Adds other counts.
    pub fn add(&mut self, other: &Counts) {
        let (e, o) = (&mut self.excluded, &other.excluded);
        e.probes += o.probes;
        e.hops += o.hops;
        e.notifications += o.notifications;
        e.discarded += o.discarded;
        e.suppressed += o.suppressed;
        e.shadow += o.shadow;
        e.health += o.health;
        e.dropped += o.dropped;
        e.inbound += o.inbound;
        self.outside_window += other.outside_window;
        self.rejects_outside_window += other.rejects_outside_window;
        self.lost += other.lost;
        self.events = match (self.events, other.events) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (a, b) => a.or(b),
        };
    }

    /// Counts a reject; tells whether it lies inside the window.
    pub(crate) fn saw_reject(&mut self, at: Micros, window: Window) -> bool {
        self.saw(at);
        let inside = window.side(at) == Side::Inside;
        self.rejects_outside_window += u64::from(!inside);
        inside
    }

    fn saw(&mut self, at: Micros) {
        self.events = Some(self.events.map_or((at, at), |(a, b)| (a.min(at), b.max(at))));
    }
}

/// What a fold needs to know of the run.
#[derive(Clone, Copy, Debug)]
pub struct Context<'r> {
    /// Which events count.
    pub window: Window,
    /// What is known of all ids.
    pub ids: &'r Ids,
    /// The name of each file's folder: the host of logs whose lines name none and whose messages cross hosts (Exchange).
    pub folders: &'r [Arc<str>],
}

/// Folds a message: gives each delivery to `out`, counts the rest.
pub fn fold(view: View<'_>, context: Context<'_>, counts: &mut Counts, out: &mut dyn FnMut(&Delivery<'_>)) {
    match view.mta {
        Mta::Exchange => exchange::fold(view, context, counts, out),
        Mta::Postfix => queue::fold_by_queue(view, context, counts, out),
        Mta::Exim => queue::fold(view, context, counts, out),
    }
}

impl<'t> View<'t> {
    fn bytes(&self, event: &Event, part: Part) -> &'t [u8] {
        self.text.get(event.span(part))
    }

    /// Whether the id in a positive reply is that of another message in the input.
    fn is_hop(&self, event: &Event, ids: &Ids) -> bool {
        let next = self.bytes(event, Part::NextId);
        (!next.is_empty() && next != self.id && ids.seen.contains(&hash_bytes(next)))
            || ids.came_from.contains(&hash_bytes(self.id))
    }

    /// An attempt, with its texts.
    fn attempt(&self, event: &Event, action: Action, spare: &'t Arena<String>) -> Try<'t> {
        Try {
            at: event.at,
            action: Some(action),
            text: self.bytes(event, Part::Reply),
            smtp_code: event.smtp_code,
            enhanced_code: event.enhanced_code,
            stage: event.stage,
            relay_host: readable(self.bytes(event, Part::RelayHost), spare),
            relay_ip: readable(self.bytes(event, Part::RelayIp), spare),
            local: event.local,
            delay_ms: event.delay_ms,
            count: event.count,
            file: event.file,
            offset: event.offset,
        }
    }
}

/// Bytes as text, undecodable ones replaced.
fn readable<'t>(bytes: &'t [u8], spare: &'t Arena<String>) -> &'t str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => spare.alloc(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// What the lines say of the message itself.
#[derive(Clone, Copy, Default)]
struct Envelope<'t> {
    sender: Option<&'t [u8]>,
    message_id: &'t [u8],
    size: Option<i64>,
    source_ip: &'t [u8],
    /// The moment of the first line.
    first: Option<Micros>,
    /// The moment of its arrival, where a line shows it.
    arrival: Option<Micros>,
}

impl<'t> Envelope<'t> {
    /// Takes what an event says of the message.
    fn learn(&mut self, view: &View<'t>, event: &Event) {
        self.first = Some(self.first.map_or(event.at, |first| first.min(event.at)));
        if event.kind == crate::event::Kind::Born {
            self.arrival = Some(self.arrival.map_or(event.at, |first| first.min(event.at)));
        }
        if event.has_sender {
            let sender = view.bytes(event, Part::Sender);
            // The null sender is never taken back by a line that shows another name.
            if self.sender.is_none_or(|s| !s.is_empty()) || sender.is_empty() {
                self.sender = Some(sender);
            }
        }
        let set = |old: &mut &'t [u8], part| {
            let new = view.bytes(event, part);
            if old.is_empty() {
                *old = new;
            }
        };
        set(&mut self.message_id, Part::MessageId);
        set(&mut self.source_ip, Part::SourceIp);
        self.size = self.size.or(event.size);
    }

    fn is_notification(&self) -> bool {
        self.sender.is_some_and(<[u8]>::is_empty)
    }

    /// How long after its arrival an event came.
    fn delay(&self, event: &Event) -> Option<i64> {
        event.delay_ms.or_else(|| self.arrival.map(|arrival| ((event.at - arrival) / 1000).max(0)))
    }
}
