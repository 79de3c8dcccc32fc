//! Deliveries of servers that keep a queue and log about one message in order: Postfix and Exim.
//!
//! Each recipient has a state that its events move; the state after the last event inside the window is the outcome.

use std::borrow::Cow;
use std::collections::HashMap;

use bouncestat_record::{Action, Delivery, Outcome, Try, address};
use typed_arena::Arena;

use super::{Context, Counts, Envelope, View, readable};
use crate::event::Kind;
use crate::join::fixed_hasher;
use crate::join::store::{Event, Part};
use crate::join::window::Side;

/// Where a recipient stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Named, but nothing was tried yet.
    Waiting,
    /// The last try failed for now.
    Deferred,
    Sent,
    Bounced,
    /// Given up after its time.
    Expired,
    Discarded,
    Suppressed,
    /// It goes on under another id.
    Requeued,
}

/// One recipient of the message.
struct Recipient<'t> {
    key: Cow<'t, [u8]>,
    address: &'t [u8],
    original: &'t [u8],
    state: State,
    tries: Vec<Try<'t>>,
    cause: Option<Try<'t>>,
    /// It was given up inside the window.
    ended_inside: bool,
    removed: bool,
    lost: bool,
    probed: bool,
    /// Something that is no attempt happened inside the window: thrown away, suppressed.
    excluded_inside: bool,
    hop: bool,
    outside: u64,
    delay_ms: Option<i64>,
}

impl Recipient<'_> {
    fn still_waits(&self) -> bool {
        matches!(self.state, State::Waiting | State::Deferred)
    }

    /// Gives it up; `inside` tells whether that happened inside the window.
    fn give_up(&mut self, inside: bool) {
        self.state = State::Expired;
        self.ended_inside |= inside;
    }
}

/// Whether an address is in the form in which addresses are compared, as nearly all are.
fn is_comparable(address: &[u8]) -> bool {
    address.iter().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) && address.last() != Some(&b'.')
}

/// The recipients of a message, in the order in which they were named.
struct Recipients<'t> {
    list: Vec<Recipient<'t>>,
    /// Index by key, once there are many.
    index: HashMap<Vec<u8>, usize, ahash::RandomState>,
}

impl<'t> Recipients<'t> {
    const FEW: usize = 16;

    fn find(&mut self, address: &'t [u8]) -> &mut Recipient<'t> {
        let key: Cow<'t, [u8]> = if is_comparable(address) { address.into() } else { address::comparable(address).into() };
        let known = if self.list.len() <= Self::FEW {
            self.list.iter().position(|r| r.key == key)
        } else {
            if self.index.is_empty() {
                self.index.extend(self.list.iter().enumerate().map(|(i, r)| (r.key.to_vec(), i)));
            }
            self.index.get(&*key).copied()
        };
        let at = known.unwrap_or_else(|| {
            if !self.index.is_empty() {
                self.index.insert(key.to_vec(), self.list.len());
            }
            self.list.push(Recipient {
                key,
                address,
                original: b"",
                state: State::Waiting,
                tries: Vec::new(),
                cause: None,
                ended_inside: false,
                removed: false,
                lost: false,
                probed: false,
                excluded_inside: false,
                hop: false,
                outside: 0,
                delay_ms: None,
            });
            self.list.len() - 1
        });
        &mut self.list[at]
    }

    /// A refusal of the whole message, which names none of its recipients (Exim's `mua_wrapper`): that of all that wait. Whether there are any.
    fn fail_all(&mut self, kind: Kind, attempt: Try<'t>, inside: bool, delay_ms: Option<i64>) -> bool {
        let mut any = false;
        for recipient in self.list.iter_mut().filter(|r| kind == Kind::Bounced && r.still_waits()) {
            any = true;
            recipient.state = State::Bounced;
            recipient.cause = Some(attempt);
            if inside {
                recipient.tries.push(Try { delay_ms, ..attempt });
            } else {
                recipient.outside += u64::from(attempt.count);
            }
        }
        any
    }

    /// An address that was only deferred and then rewritten into others is no recipient of its own: its tries belong to the first of
    /// those that it became (Exim: a routing deferral of an alias).
    fn absorb_rewritten(&mut self) {
        for i in 0..self.list.len() {
            if !self.list[i].still_waits() {
                continue;
            }
            let Some(heir) = (0..self.list.len()).find(|&j| {
                j != i && !self.list[j].original.is_empty() && { address::comparable(self.list[j].original) == *self.list[i].key }
            }) else {
                continue;
            };
            let (tries, outside) = (std::mem::take(&mut self.list[i].tries), std::mem::take(&mut self.list[i].outside));
            self.list[i].state = State::Suppressed;
            let heir = &mut self.list[heir];
            heir.tries.splice(0..0, tries);
            heir.tries.sort_by_key(|t| t.at);
            heir.outside += outside;
        }
    }
}

/// Folds a Postfix message: where two queues of one host used its id at the same time, each queue's by itself.
pub(super) fn fold_by_queue(view: View<'_>, context: Context<'_>, counts: &mut Counts, out: &mut dyn FnMut(&Delivery<'_>)) {
    let mut queues: Vec<&[u8]> = Vec::new();
    for event in view.events.iter().filter(|e| e.from_queue_manager) {
        let name = view.bytes(event, Part::Instance);
        if !queues.contains(&name) {
            queues.push(name);
        }
    }
    if queues.len() < 2 {
        return fold(view, context, counts, out);
    }
    let mut parts: Vec<Vec<Event>> = vec![Vec::new(); queues.len()];
    let mut current = 0;
    for event in view.events {
        if let Some(own) = queues.iter().position(|name| *name == view.bytes(event, Part::Instance)) {
            current = own;
        }
        parts[current].push(*event);
    }
    for part in &parts {
        let mut start = 0;
        for (i, event) in part.iter().enumerate() {
            if matches!(event.kind, Kind::Removed | Kind::RemovedByHand) || i + 1 == part.len() {
                fold(View { events: &part[start..=i], ..view }, context, counts, out);
                start = i + 1;
            }
        }
    }
}

/// Folds one message.
pub(super) fn fold(view: View<'_>, context: Context<'_>, counts: &mut Counts, out: &mut dyn FnMut(&Delivery<'_>)) {
    let spare = Arena::new();
    let mut envelope = Envelope::default();
    let mut recipients = Recipients { list: Vec::new(), index: HashMap::with_hasher(fixed_hasher()) };
    let mut instance: &[u8] = b"";
    let mut managed = false;
    for event in view.events {
        if event.kind.is_attempt() {
            counts.saw(event.at);
        }
        if event.from_queue_manager || (!managed && instance.is_empty()) {
            instance = view.bytes(event, Part::Instance);
            managed |= event.from_queue_manager;
        }
        let side = context.window.side(event.at);
        if side == Side::After {
            if event.kind.is_attempt() {
                recipients.find(view.bytes(event, Part::Recipient)).outside += u64::from(event.count);
            }
            continue;
        }
        envelope.learn(&view, event);
        apply(&view, event, side == Side::Inside, &envelope, context, &mut recipients, &spare);
    }
    recipients.absorb_rewritten();
    if !managed && let Some(slash) = memchr::memchr(b'/', instance) {
        instance = &instance[..slash];
    }
    for recipient in &recipients.list {
        report(&view, recipient, &envelope, instance, counts, out, &spare);
    }
}

/// Moves the state of the recipients that an event is about.
fn apply<'t>(
    view: &View<'t>,
    event: &Event,
    inside: bool,
    envelope: &Envelope<'t>,
    context: Context<'_>,
    recipients: &mut Recipients<'t>,
    spare: &'t Arena<String>,
) {
    let address = view.bytes(event, Part::Recipient);
    match event.kind {
        Kind::Sent | Kind::Bounced | Kind::Deferred => {
            let action = match event.kind {
                Kind::Sent => Action::Delivered,
                Kind::Bounced => Action::Bounced,
                _ => Action::Deferred,
            };
            let hop = event.kind == Kind::Sent && view.is_hop(event, context.ids);
            let attempt = view.attempt(event, action, spare);
            let delay_ms = envelope.delay(event);
            if address.is_empty() && recipients.fail_all(event.kind, attempt, inside, delay_ms) {
                return;
            }
            let recipient = recipients.find(address);
            let original = view.bytes(event, Part::Original);
            if !original.is_empty() {
                recipient.original = original;
            }
            recipient.state = match event.kind {
                Kind::Sent => State::Sent,
                Kind::Bounced => State::Bounced,
                _ => State::Deferred,
            };
            recipient.hop = hop;
            if event.kind != Kind::Sent {
                recipient.cause = Some(attempt);
            }
            if inside {
                recipient.tries.push(Try { delay_ms, ..attempt });
                recipient.delay_ms = delay_ms;
            } else {
                recipient.outside += u64::from(event.count);
            }
        }
        Kind::Waiting => {
            recipients.find(address);
        }
        Kind::Requeued => recipients.list.iter_mut().filter(|r| r.still_waits()).for_each(|r| r.state = State::Requeued),
        Kind::Probe => recipients.find(address).probed |= inside,
        Kind::Discarded | Kind::Suppressed => {
            let recipient = recipients.find(address);
            recipient.state = if event.kind == Kind::Discarded { State::Discarded } else { State::Suppressed };
            recipient.excluded_inside |= inside;
        }
        Kind::GaveUp if !address.is_empty() => {
            let attempt = view.attempt(event, Action::Expired, spare);
            let recipient = recipients.find(address);
            if recipient.cause.is_none() {
                recipient.cause = Some(attempt);
            }
            recipient.give_up(inside);
        }
        Kind::GaveUp | Kind::RemovedByHand | Kind::Removed => {
            if event.kind == Kind::Removed && recipients.list.iter().any(Recipient::still_waits) {
                recipients.absorb_rewritten();
            }
            for recipient in recipients.list.iter_mut().filter(|r| r.still_waits()) {
                // A recipient that was only named, and never tried, leaves no trace when the message is done.
                if event.kind == Kind::Removed && recipient.state == State::Waiting {
                    continue;
                }
                recipient.removed |= event.kind == Kind::RemovedByHand;
                recipient.lost |= event.kind == Kind::Removed;
                recipient.give_up(inside);
            }
        }
        _ => {}
    }
}

/// Gives the delivery to a recipient, or counts why it is none.
fn report<'t>(
    view: &View<'t>,
    recipient: &Recipient<'t>,
    envelope: &Envelope<'t>,
    instance: &'t [u8],
    counts: &mut Counts,
    out: &mut dyn FnMut(&Delivery<'_>),
    spare: &'t Arena<String>,
) {
    let inside = !recipient.tries.is_empty() || recipient.ended_inside;
    let excluded = &mut counts.excluded;
    let bucket = match recipient.state {
        _ if recipient.probed => Some(&mut excluded.probes),
        State::Discarded if recipient.excluded_inside || inside => Some(&mut excluded.discarded),
        State::Suppressed if recipient.excluded_inside => Some(&mut excluded.suppressed),
        State::Discarded | State::Suppressed => return,
        State::Sent if recipient.hop => Some(&mut excluded.hops),
        State::Requeued => Some(&mut excluded.hops),
        _ if envelope.is_notification() => Some(&mut excluded.notifications),
        _ => None,
    };
    if let Some(bucket) = bucket {
        *bucket += u64::from(inside || recipient.probed || recipient.excluded_inside);
        return;
    }
    counts.outside_window += recipient.outside;
    if !inside {
        return;
    }
    let outcome = match recipient.state {
        State::Sent => Outcome::Delivered,
        State::Bounced => Outcome::Bounced,
        State::Expired => Outcome::Expired,
        _ => Outcome::Deferred,
    };
    counts.lost += u64::from(recipient.lost && recipient.ended_inside);
    let delivered = outcome == Outcome::Delivered;
    out(&Delivery {
        mta: view.mta,
        log_host: readable(view.host, spare),
        instance: readable(instance, spare),
        source_ip: readable(envelope.source_ip, spare),
        queue_id: readable(view.id, spare),
        born: envelope.first.unwrap_or_default(),
        message_id: readable(envelope.message_id, spare),
        sender: envelope.sender.map(|s| readable(s, spare)),
        recipient: readable(recipient.address, spare),
        size: envelope.size,
        outcome,
        delayed: delivered && recipient.tries.iter().any(|t| t.action == Some(Action::Deferred)),
        removed: recipient.removed,
        tries: &recipient.tries,
        cause: if delivered { None } else { recipient.cause },
        delay_ms: if delivered { recipient.delay_ms } else { None },
    });
}
