//! A sign of loss: messages that were tried, and whose end no line tells, though later lines of their server follow.
//!
//! `4jXVcG…: to=<u0@ok.test>, … status=sent (250 ok)` and never `4jXVcG…: removed`: the line was lost, and others perhaps with it. It is only
//! counted; outcomes are what the lines say. What is not here: syslogs that say themselves that they lost lines (`framing::loss`).

use std::collections::HashMap;

use bouncestat_record::Mta;
use bouncestat_record::time::{Micros, SECOND};

use super::scan::{Fragment, Scan};
use super::stitch::Message;
use super::store::Part;
use super::{ByHash, fixed_hasher, hash_key};
use crate::event::Kind;

/// A message with all recipients done is taken out of the queue at once; after this long no line of its end will come.
const DONE: Micros = 3600 * SECOND;

/// No message stays in Postfix's queue any longer without a try (`maximal_queue_lifetime`, 5 days unless configured).
const LIFETIME: Micros = 5 * 86_400 * SECOND;

/// The moment of the newest event of each log host.
#[derive(Debug, Default)]
pub(super) struct Newest(ByHash<Micros>);

impl FromIterator<(u64, Micros)> for Newest {
    fn from_iter<I: IntoIterator<Item = (u64, Micros)>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

impl Newest {
    /// By the hash of the host's name, in its order.
    pub fn all(&self) -> Vec<(u64, Micros)> {
        let mut all: Vec<(u64, Micros)> = self.0.iter().map(|(host, at)| (*host, *at)).collect();
        all.sort_unstable();
        all
    }

    /// Takes note of what a piece of a log says of a message.
    pub fn saw(&mut self, scan: &Scan, fragment: &Fragment) {
        if scan.mta == Mta::Exchange {
            return;
        }
        let Some(last) = scan.last_event(fragment) else { return };
        let newest = self.0.entry(hash_key(scan.mta, scan.text().get(fragment.host), b"")).or_insert(last.at);
        *newest = last.at.max(*newest);
    }

    /// Whether an open message should have ended long ago.
    pub fn shows_no_end(&self, message: &Message) -> bool {
        if message.mta == Mta::Exchange || message.mixed || !has_attempts(message) {
            return false;
        }
        let Some(newest) = self.0.get(&hash_key(message.mta, &message.host, b"")) else { return false };
        let Some(last) = message.events.iter().map(|event| event.at).max() else { return false };
        let age = newest - last;
        (message.mta == Mta::Postfix && age > LIFETIME) || (age > DONE && is_done(message))
    }
}

/// Whether anything was tried for it, and no line says that it goes on under another id or was taken out by hand.
pub(super) fn has_attempts(message: &Message) -> bool {
    let goes_on = |kind| matches!(kind, Kind::Requeued | Kind::RemovedByHand);
    message.events.iter().any(|event| event.kind.is_attempt()) && !message.events.iter().any(|event| goes_on(event.kind))
}

/// Whether all recipients that are named were handed over in the end.
fn is_done(message: &Message) -> bool {
    let recipient = |event: &super::store::Event| message.text().get(event.span(Part::Recipient));
    let told = |kind: Kind| kind.is_attempt() || matches!(kind, Kind::Waiting | Kind::GaveUp);
    let mut last: HashMap<&[u8], Kind, ahash::RandomState> = HashMap::with_hasher(fixed_hasher());
    last.extend(message.events.iter().filter(|event| told(event.kind)).map(|event| (recipient(event), event.kind)));
    last.values().all(|kind| *kind == Kind::Sent)
}
