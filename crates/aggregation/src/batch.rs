//! A batch: deliveries that one worker has counted up, ready to be sent to the aggregator.
//!
//! Everything that costs per delivery (domains, dictionaries, masks) happens here, on the worker's own thread, with dictionaries
//! of the batch's own. What is *not* counted here: coverage and excluded mail, which come with [`crate::Meta`].

use bouncestat_record::{Class, Delivery, Family, Outcome, Verdict};

use crate::causes::Causes;
use crate::cells::{Keys, Seen};
use crate::failures::{Failure, Failures};
use crate::refusals::{Refusal, Refusals, accepted_at};
use crate::sketch::bucket;
use crate::sums::{Flags, NO_DELAY, Rows};
use crate::timeline::Timeline;

/// Deliveries of one worker. Any size works. The dictionaries of each batch must be merged, so that large batches are cheaper:
/// 100,000 deliveries take 3 MB and their distinct domains.
#[derive(Default)]
pub struct Batch {
    pub(crate) keys: Keys,
    seen: Seen,
    pub(crate) rows: Rows,
    pub(crate) failures: Failures,
    pub(crate) refusals: Refusals,
    pub(crate) causes: Causes,
    pub(crate) timeline: Timeline,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many deliveries it holds.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Counts a delivery.
    ///
    /// - `verdict`: what its cause means; it is not looked at for delivered ones. Without one, a bounced delivery is hard and
    ///   unknown, an expired one is expired, and one that an administrator removed is suppressed.
    /// - `provider`: who runs the recipient's mail, whether it was delivered or not; `None` where not known.
    /// - `template`: the cause's text with addresses, IPs and ids masked; `""` where there is none.
    /// - `refusals`: its attempts that are, or look like, refusals for reputation, whatever became of it.
    pub fn push(
        &mut self,
        delivery: &Delivery<'_>,
        verdict: Option<&Verdict>,
        provider: Option<&str>,
        template: &str,
        refusals: &[Refusal<'_>],
    ) {
        let (cell, sender) = self.keys.of(delivery, provider, &mut self.seen);
        let mut flags = Flags::default();
        let mut delay = NO_DELAY;
        match delivery.outcome {
            Outcome::Delivered => {
                flags.set(Flags::DELIVERED, true);
                flags.set(Flags::DELAYED, delivery.delayed);
                delay = delivery.delay_ms.map_or(NO_DELAY, bucket);
            }
            Outcome::Bounced => flags.set(Flags::BOUNCED, true),
            Outcome::Expired => flags.set(Flags::EXPIRED, true),
            Outcome::Deferred => flags.set(Flags::DEFERRED, true),
        }
        if delivery.outcome != Outcome::Delivered {
            let failure = Failure::new(delivery, verdict, template);
            flags.set(Flags::HARD, failure.class == Class::Hard);
            flags.set(Flags::SOFT, failure.class == Class::Soft);
            flags.set(Flags::REPUTATION, failure.reason.family() == Family::Reputation);
            self.failures.push(&failure, self.keys.cells[cell as usize]);
            self.causes.push(&failure, delivery, cell, sender, &mut self.failures.templates);
        }
        if let Some(at) = accepted_at(delivery) {
            self.refusals.accept(cell, at);
        }
        if !refusals.is_empty() {
            let key = self.keys.cells[cell as usize];
            self.refusals.push(delivery, key, self.keys.domains.text(key.domain), provider, refusals);
        }
        let mut attempts = 0u32;
        let mut events = (i64::MAX, i64::MIN);
        for attempt in delivery.tries {
            attempts = attempts.saturating_add(attempt.count.max(1));
            events = (events.0.min(attempt.at), events.1.max(attempt.at));
        }
        self.timeline.push((attempts > 0).then_some(events.1), flags);
        self.rows.push(cell, sender, flags, attempts, events, delay);
    }
}
