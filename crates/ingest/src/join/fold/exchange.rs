//! Deliveries of Exchange: one message is followed over all servers and services by its network message id.
//!
//! Rows of many servers come in any order, so they are put in the order of time first. A delivery to a mailbox beats everything; a
//! failure or deferral later than the last hand-over beats it, because the next hop was ours; a drop is no delivery.

use std::borrow::Cow;
use std::collections::HashMap;

use bouncestat_record::address::comparable;
use bouncestat_record::time::{Micros, SECOND};
use bouncestat_record::{Action, Delivery, Outcome, Try};
use typed_arena::Arena;

use super::{Context, Counts, Envelope, View, readable};
use crate::event::Kind;
use crate::join::fixed_hasher;
use crate::join::store::{Event, Part};
use crate::join::window::Side;

/// What the rows say of one recipient.
#[derive(Default)]
struct Recipient<'t> {
    address: &'t [u8],
    tries: Vec<Try<'t>>,
    deferral: Option<Try<'t>>,
    failure: Option<(Micros, Try<'t>, Kind)>,
    mailbox: Option<(Micros, Option<i64>)>,
    relayed: Option<(Micros, Option<i64>)>,
    /// The last hand-over went on under an id that is in the input.
    hop: bool,
    ended_inside: bool,
    dropped: bool,
    inbound: bool,
    outside: u64,
    /// The log that tells of it.
    told_by: Option<Source>,
}

/// Which log an event is from, the best first: what a better one says of a recipient is only completed by the others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// Message tracking, and Exchange Online's extended report.
    Tracking,
    /// The send protocol log.
    Protocol,
    /// What only sums up: it has no replies.
    Summary,
}

impl Source {
    fn of(event: &Event) -> Self {
        match (event.beside, event.stage) {
            (false, _) => Self::Tracking,
            (true, Some(_)) => Self::Protocol,
            (true, None) => Self::Summary,
        }
    }
}

/// Folds one message.
pub(super) fn fold(view: View<'_>, context: Context<'_>, counts: &mut Counts, out: &mut dyn FnMut(&Delivery<'_>)) {
    let spare = Arena::new();
    let mut events: Vec<&Event> = view.events.iter().collect();
    events.sort_by_key(|e| (Source::of(e), e.at));
    let mut envelope = Envelope::default();
    let mut recipients: Vec<Recipient<'_>> = Vec::new();
    let mut index = HashMap::<Cow<'_, [u8]>, usize, ahash::RandomState>::with_hasher(fixed_hasher());
    let mut health = false;
    let mut probed = 0;
    for event in events {
        if event.kind.is_attempt() {
            counts.saw(event.at);
        }
        let side = context.window.side(event.at);
        let address = view.bytes(event, Part::Recipient);
        if side != Side::After && event.kind != Kind::Session {
            envelope.learn(&view, event);
        }
        if event.kind == Kind::Health {
            health = true;
            probed += u64::from(side == Side::Inside && address.is_empty());
        }
        if address.is_empty() {
            continue;
        }
        // Addresses come in lower case; an international domain may be spelt in two ways.
        let key = if address.is_ascii() { Cow::Borrowed(address) } else { Cow::Owned(comparable(address)) };
        let at = *index.entry(key).or_insert_with(|| {
            recipients.push(Recipient { address, ..Recipient::default() });
            recipients.len() - 1
        });
        let (recipient, source) = (&mut recipients[at], Source::of(event));
        match recipient.told_by {
            Some(better) if better < source => complete(&view, event, side, &envelope, recipient, &spare),
            _ => {
                recipient.told_by = Some(source);
                apply(&view, event, side, &envelope, context, recipient, &spare);
            }
        }
    }
    if health {
        counts.excluded.health += (recipients.len() as u64).max(u64::from(probed > 0));
        return;
    }
    for recipient in &recipients {
        report(&view, recipient, &envelope, context, counts, out, &spare);
    }
}

fn apply<'t>(
    view: &View<'t>,
    event: &Event,
    side: Side,
    envelope: &Envelope<'t>,
    context: Context<'_>,
    recipient: &mut Recipient<'t>,
    spare: &'t Arena<String>,
) {
    if side == Side::After {
        recipient.outside += u64::from(event.kind.is_attempt());
        return;
    }
    let inside = side == Side::Inside;
    let action = match event.kind {
        Kind::Mailbox | Kind::Relayed => Action::Delivered,
        Kind::Failed => Action::Bounced,
        Kind::GaveUp | Kind::RemovedByHand => Action::Expired,
        _ => Action::Deferred,
    };
    let delay_ms = envelope.delay(event);
    let attempt = Try { delay_ms, ..view.attempt(event, action, spare) };
    match event.kind {
        Kind::Mailbox if recipient.mailbox.is_none() => recipient.mailbox = Some((event.at, delay_ms)),
        Kind::Relayed => {
            recipient.relayed = Some((event.at, delay_ms));
            recipient.hop = view.is_hop(event, context.ids);
        }
        Kind::Failed | Kind::GaveUp | Kind::RemovedByHand => {
            recipient.failure = Some((event.at, attempt, event.kind));
            recipient.ended_inside |= inside;
        }
        Kind::Deferred => {
            // A row that only repeats a deferral of the same moment is no second attempt.
            if recipient.deferral.is_some_and(|last| last.at == event.at) {
                return;
            }
            recipient.deferral = Some(attempt);
        }
        Kind::Dropped => recipient.dropped |= inside,
        Kind::Inbound => recipient.inbound |= inside,
        _ => {}
    }
    if event.kind.is_attempt() {
        if inside {
            recipient.tries.push(attempt);
        } else {
            recipient.outside += 1;
        }
    }
}

/// Completes what a better log says of a recipient: host, IP and stage of an attempt from the protocol log; the end of a message that was
/// handed over to Exchange Online, from its summary.
fn complete<'t>(
    view: &View<'t>,
    event: &Event,
    side: Side,
    envelope: &Envelope<'t>,
    recipient: &mut Recipient<'t>,
    spare: &'t Arena<String>,
) {
    /// Both logs are written within moments of the reply.
    const NEAR: Micros = 60 * SECOND;
    if side == Side::After {
        return;
    }
    let action = match event.kind {
        Kind::Mailbox | Kind::Relayed => Action::Delivered,
        Kind::Failed => Action::Bounced,
        Kind::Deferred => Action::Deferred,
        _ => return,
    };
    let attempt = Try { delay_ms: envelope.delay(event), ..view.attempt(event, action, spare) };
    if Source::of(event) == Source::Summary {
        let handed_over = recipient.outcome() == Some(Outcome::Delivered) && recipient.mailbox.is_none();
        if let (true, Some((relayed, _)), Kind::Failed | Kind::Deferred) = (handed_over, recipient.relayed, event.kind) {
            let at = event.at.max(relayed + 1);
            match event.kind {
                Kind::Failed => recipient.failure = Some((at, attempt, event.kind)),
                _ => recipient.deferral = Some(Try { at, ..attempt }),
            }
            if side == Side::Inside {
                recipient.tries.push(attempt);
            }
        }
        return;
    }
    let Recipient { tries, deferral, failure, .. } = recipient;
    let known = tries.iter_mut().filter(|t| t.action == Some(action) && (t.at - event.at).abs() <= NEAR);
    let nearest = known.min_by_key(|t| (t.at - event.at).abs());
    let Some(at) = nearest.map(|t| {
        fill(t, &attempt);
        t.at
    }) else {
        return;
    };
    for copy in [deferral.as_mut(), failure.as_mut().map(|(_, attempt, _)| attempt)].into_iter().flatten() {
        if copy.at == at {
            fill(copy, &attempt);
        }
    }
}

/// Takes from another log's attempt what one does not say itself.
fn fill<'t>(attempt: &mut Try<'t>, other: &Try<'t>) {
    if attempt.relay_host.is_empty() {
        attempt.relay_host = other.relay_host;
    }
    if attempt.relay_ip.is_empty() {
        attempt.relay_ip = other.relay_ip;
    }
    if attempt.text.is_empty() {
        attempt.text = other.text;
    }
    attempt.stage = attempt.stage.or(other.stage);
}

impl Recipient<'_> {
    /// Where it stands; `None` where no row tells.
    fn outcome(&self) -> Option<Outcome> {
        let after_hand_over =
            |at: Micros, equal: bool| self.relayed.is_none_or(|(relayed, _)| at > relayed || (equal && at == relayed));
        if self.mailbox.is_some() {
            return Some(Outcome::Delivered);
        }
        if let Some((at, _, kind)) = self.failure
            && after_hand_over(at, true)
        {
            return Some(if kind == Kind::Failed { Outcome::Bounced } else { Outcome::Expired });
        }
        if self.relayed.is_some() && !self.deferral.is_some_and(|d| after_hand_over(d.at, false)) {
            return Some(Outcome::Delivered);
        }
        if self.dropped {
            return None;
        }
        self.deferral.map(|_| Outcome::Deferred)
    }
}

fn report<'t>(
    view: &View<'t>,
    recipient: &Recipient<'t>,
    envelope: &Envelope<'t>,
    context: Context<'_>,
    counts: &mut Counts,
    out: &mut dyn FnMut(&Delivery<'_>),
    spare: &'t Arena<String>,
) {
    let inside = !recipient.tries.is_empty() || recipient.ended_inside;
    let outcome = recipient.outcome();
    let excluded = &mut counts.excluded;
    let bucket = match outcome {
        None if recipient.dropped => Some(&mut excluded.dropped),
        None if recipient.inbound => Some(&mut excluded.inbound),
        None => return,
        Some(Outcome::Delivered) if recipient.hop && recipient.mailbox.is_none() => Some(&mut excluded.hops),
        Some(_) if envelope.is_notification() => Some(&mut excluded.notifications),
        Some(_) => None,
    };
    if let Some(bucket) = bucket {
        *bucket += u64::from(inside || recipient.dropped || recipient.inbound);
        return;
    }
    let Some(outcome) = outcome else { return };
    counts.outside_window += recipient.outside;
    if !inside {
        return;
    }
    let failure = recipient.failure.map(|(_, attempt, _)| attempt);
    let removed = recipient.failure.is_some_and(|(_, _, kind)| kind == Kind::RemovedByHand);
    let cause = match outcome {
        Outcome::Delivered => None,
        Outcome::Bounced => failure,
        Outcome::Deferred => recipient.deferral,
        Outcome::Expired => recipient.deferral.or(failure),
    };
    let delivered = outcome == Outcome::Delivered;
    let last_file = recipient.tries.last().or(cause.as_ref()).map_or(0, |t| t.file);
    out(&Delivery {
        mta: view.mta,
        log_host: context.folders.get(last_file as usize).map_or("", |folder| folder),
        instance: "",
        source_ip: readable(envelope.source_ip, spare),
        queue_id: readable(view.id, spare),
        born: envelope.first.unwrap_or_default(),
        message_id: readable(envelope.message_id, spare),
        sender: envelope.sender.map(|s| readable(s, spare)),
        recipient: readable(recipient.address, spare),
        size: envelope.size,
        outcome,
        delayed: delivered && recipient.tries.iter().any(|t| t.action == Some(Action::Deferred)),
        removed: removed && outcome == Outcome::Expired,
        tries: &recipient.tries,
        cause,
        delay_ms: recipient.mailbox.or(recipient.relayed).filter(|_| delivered).and_then(|(_, delay)| delay),
    });
}
