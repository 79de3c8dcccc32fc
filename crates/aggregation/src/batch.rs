//! A batch: deliveries that one worker has counted up, ready to be sent to the aggregator.
//!
//! Everything that costs per delivery (domains, dictionaries, masks) happens here, on the worker's own thread, with dictionaries
//! of the batch's own. What is *not* counted here: coverage and excluded mail, which come with [`crate::Meta`].

use bouncestat_record::{Class, Delivery, Family, Outcome, Verdict};

use crate::cells::Keys;
use crate::failures::{Failure, Failures};
use crate::sketch::bucket;
use crate::sums::{Flags, NO_DELAY, Rows};

/// Deliveries of one worker. Any size works; some ten thousand deliveries are good.
#[derive(Default)]
pub struct Batch {
    pub(crate) keys: Keys,
    pub(crate) rows: Rows,
    pub(crate) failures: Failures,
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
    /// - `delist_url`: where the list or provider that the verdict names is asked for removal.
    pub fn push(
        &mut self,
        delivery: &Delivery<'_>,
        verdict: Option<&Verdict>,
        provider: Option<&str>,
        template: &str,
        delist_url: Option<&str>,
    ) {
        let (cell, sender) = self.keys.of(delivery, provider);
        let mut flags = Flags::default();
        let mut delay = NO_DELAY;
        match delivery.outcome {
            Outcome::Delivered => {
                flags.delivered = true;
                flags.delayed = delivery.delayed;
                delay = delivery.delay_ms.map_or(NO_DELAY, bucket);
            }
            Outcome::Bounced => flags.bounced = true,
            Outcome::Expired => flags.expired = true,
            Outcome::Deferred => flags.deferred = true,
        }
        if !flags.delivered {
            let failure = Failure::new(delivery, verdict, template, delist_url);
            flags.hard = failure.class == Class::Hard;
            flags.soft = failure.class == Class::Soft;
            flags.reputation = failure.reason.family() == Family::Reputation;
            self.failures.push(&failure, self.keys.cells[cell as usize]);
        }
        let mut attempts = 0;
        let mut events = (i64::MAX, i64::MIN);
        for attempt in delivery.tries {
            attempts += i64::from(attempt.count.max(1));
            events = (events.0.min(attempt.at), events.1.max(attempt.at));
        }
        self.rows.push(cell, sender, flags, attempts, events, delay);
    }
}
