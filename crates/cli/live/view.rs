//! What the screen shows at one moment: owned, so that it can stand still while more is read.

use std::sync::Arc;

use bouncestat_record::time::Micros;

use super::rates::{Counts, Failing, Provider, Rates};
use super::seen::Seen;
use super::status::Status;
use super::suspects::Suspect;

/// Over how many minutes failing domains are summed.
pub const FAILING_MINUTES: i64 = 15;
/// Failing domains that are kept for the screen.
const DOMAINS: usize = 50;

/// One moment.
#[derive(Clone)]
pub struct View {
    /// Where the run is.
    pub status: Status,
    /// Lines a second, where it is known.
    pub pace: Option<u64>,
    /// Up to when the rates go: the present, or the newest event of a run that is behind.
    pub end: Micros,
    /// All together, then by provider.
    pub providers: Vec<Provider>,
    /// Domains that fail most, and the failed attempts of those without room.
    pub failing: (Vec<Failing>, u64),
    /// Who refuses us, and the refusals of those without room.
    pub suspects: (Vec<Suspect>, u64),
    /// The latest failures, oldest first.
    pub latest: Vec<Arc<Seen>>,
    /// Failures since the start.
    pub failures: u64,
    /// Attempts since the start.
    pub all: Counts,
    /// Events in no minute: too old, ahead of the present.
    pub apart: (u64, u64),
}

impl View {
    /// What there is now.
    pub fn new(rates: &Rates, status: &Status, pace: Option<u64>) -> Self {
        let end = rates.newest().filter(|_| status.is_behind).unwrap_or(status.now);
        let (mut failing, others) = rates.failing(end, FAILING_MINUTES);
        failing.truncate(DOMAINS);
        let (latest, failures) = rates.latest();
        Self {
            status: status.clone(),
            pace,
            end,
            providers: rates.providers(end),
            failing: (failing, others),
            suspects: rates.suspects().rows(end),
            latest: latest.cloned().collect(),
            failures,
            all: rates.all(),
            apart: rates.apart(),
        }
    }
}
