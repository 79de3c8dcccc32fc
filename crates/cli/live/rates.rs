//! What happened in the last minutes, in bounded memory: counts a minute by provider, failing domains, the latest failures.
//!
//! The time of the event decides where it counts, never the time of reading. What can't be put into a minute (older than the hour that is
//! kept, or later than the present) is counted apart and said. No terminal here, and no clock: the caller tells the present.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use bouncestat_record::Action;
use bouncestat_record::time::{Micros, SECOND};

use super::seen::Seen;
use super::suspects::{Suspects, ToAsk};

/// A minute.
pub const MINUTE: Micros = 60 * SECOND;
/// Minutes that are kept.
pub const MINUTES: usize = 60;
/// Providers of a minute that have a count of their own.
const PROVIDERS: usize = 64;
/// Pairs of failing domain and reason of a minute that have a count of their own.
const FAILING: usize = 500;
/// Failures that can be scrolled through.
const LATEST: usize = 500;
/// Characters of a reply that are kept with them.
const REPLY: usize = 500;
/// How far the clock of a server may be ahead of ours.
const AHEAD: Micros = 5 * MINUTE;

/// What stands for mail whose provider is not known.
pub const NO_PROVIDER: &str = "(unknown)";
/// What stands for those that had no room.
pub const OTHERS: &str = "(others)";

/// Attempts by what the server did; `attempts = delivered + deferred + bounced`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Attempts.
    pub attempts: u64,
    /// Handed over.
    pub delivered: u64,
    /// Kept for another try.
    pub deferred: u64,
    /// Refused for good.
    pub bounced: u64,
    /// Recipients given up because their time was over: no attempts.
    pub expired: u64,
}

impl Counts {
    /// Failed attempts.
    pub fn failed(&self) -> u64 {
        self.deferred + self.bounced
    }

    fn add(&mut self, action: Action, count: u64) {
        match action {
            Action::Delivered => self.delivered += count,
            Action::Deferred => self.deferred += count,
            Action::Bounced => self.bounced += count,
            Action::Expired => self.expired += count,
        }
        self.attempts += if action == Action::Expired { 0 } else { count };
    }

    fn join(&mut self, other: &Counts) {
        self.attempts += other.attempts;
        self.delivered += other.delivered;
        self.deferred += other.deferred;
        self.bounced += other.bounced;
        self.expired += other.expired;
    }
}

#[derive(Default)]
struct Bucket {
    all: Counts,
    providers: HashMap<Box<str>, Counts>,
    failing: HashMap<(Box<str>, &'static str), u64>,
    failing_others: u64,
}

impl Bucket {
    fn add(&mut self, seen: &Seen) {
        let count = u64::from(seen.count);
        self.all.add(seen.action, count);
        let name = seen.provider.as_deref().unwrap_or(NO_PROVIDER);
        let name = if self.providers.len() < PROVIDERS || self.providers.contains_key(name) { name } else { OTHERS };
        match self.providers.get_mut(name) {
            Some(counts) => counts.add(seen.action, count),
            None => self.providers.entry(name.into()).or_default().add(seen.action, count),
        }
        if !matches!(seen.action, Action::Deferred | Action::Bounced) {
            return;
        }
        let key = (Box::from(&*seen.domain), seen.reason());
        let has_room = self.failing.len() < FAILING;
        match self.failing.get_mut(&key) {
            Some(failed) => *failed += count,
            None if has_room => {
                self.failing.insert(key, count);
            }
            None => self.failing_others += count,
        }
    }
}

/// The rates of one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name, or [`NO_PROVIDER`], [`OTHERS`].
    pub name: String,
    /// The counts of the windows of [`WINDOWS`].
    pub windows: [Counts; 3],
    /// Failed attempts of each of the last [`MINUTES`], oldest first; the last one is the running minute.
    pub failed: Vec<u64>,
}

/// The windows, in minutes: so many whole ones, and the running one.
pub const WINDOWS: [i64; 3] = [1, 5, 15];

/// A domain that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// The domain.
    pub domain: String,
    /// Failed attempts.
    pub failed: u64,
    /// The most frequent reason, and how often it was that one.
    pub reason: (&'static str, u64),
}

/// The sums of the last minutes.
pub struct Rates {
    minutes: BTreeMap<i64, Bucket>,
    /// The present, as the caller told it last.
    now: Option<Micros>,
    newest: Option<Micros>,
    all: Counts,
    late: u64,
    ahead: u64,
    latest: VecDeque<Arc<Seen>>,
    failures: u64,
    suspects: Suspects,
}

impl Rates {
    /// Empty sums. `to_ask` says who can lift a refusal; it is asked once a new suspect.
    pub fn new(to_ask: ToAsk) -> Self {
        Self {
            minutes: BTreeMap::new(),
            now: None,
            newest: None,
            all: Counts::default(),
            late: 0,
            ahead: 0,
            latest: VecDeque::new(),
            failures: 0,
            suspects: Suspects::new(to_ask),
        }
    }

    /// Tells the present: events that are later by more than five minutes come from a wrong clock, and must not push the others out.
    pub fn advance(&mut self, now: Micros) {
        self.now = Some(now);
    }

    /// Adds what was seen.
    pub fn add(&mut self, seen: &Seen) {
        self.all.add(seen.action, u64::from(seen.count));
        if seen.is_failure() {
            self.failures += 1;
            if self.latest.len() == LATEST {
                self.latest.pop_front();
            }
            let text = seen.text.chars().take(REPLY).collect();
            self.latest.push_back(Arc::new(Seen { text, ..seen.clone() }));
        }
        self.suspects.add(seen);
        if self.now.is_some_and(|now| seen.at > now.saturating_add(AHEAD)) {
            self.ahead += 1;
            return;
        }
        self.newest = self.newest.max(Some(seen.at));
        let minute = seen.at.div_euclid(MINUTE);
        let newest = self.newest.map_or(minute, |at| at.div_euclid(MINUTE));
        if minute + MINUTES as i64 <= newest {
            self.late += 1;
            return;
        }
        self.minutes.entry(minute).or_default().add(seen);
        while self.minutes.first_key_value().is_some_and(|(oldest, _)| oldest + MINUTES as i64 <= newest) {
            self.minutes.pop_first();
        }
    }

    /// The newest event that is not ahead of the present.
    pub fn newest(&self) -> Option<Micros> {
        self.newest
    }

    /// Everything since the start.
    pub fn all(&self) -> Counts {
        self.all
    }

    /// Events in no minute, because they are more than an hour older than the newest one; and because they are ahead of the present.
    pub fn apart(&self) -> (u64, u64) {
        (self.late, self.ahead)
    }

    /// The latest failures, oldest first, and how many there were since the start.
    pub fn latest(&self) -> (impl Iterator<Item = &Arc<Seen>>, u64) {
        (self.latest.iter(), self.failures)
    }

    /// Who refuses us for our reputation.
    pub fn suspects(&self) -> &Suspects {
        &self.suspects
    }

    /// The rates up to a moment: all together first, then by provider, the busiest one first.
    pub fn providers(&self, end: Micros) -> Vec<Provider> {
        let last = end.div_euclid(MINUTE);
        let empty = |name: &str| Provider { name: name.to_owned(), windows: Default::default(), failed: vec![0; MINUTES] };
        let mut all = empty("all");
        let mut rows: HashMap<&str, Provider> = HashMap::new();
        for (&minute, bucket) in &self.minutes {
            put(&mut all, last - minute, &bucket.all);
            for (name, counts) in &bucket.providers {
                put(rows.entry(name).or_insert_with(|| empty(name)), last - minute, counts);
            }
        }
        let mut rows: Vec<Provider> = rows.into_values().collect();
        rows.sort_by(|a, b| {
            let busy = |p: &Provider| (p.windows[2].attempts, p.windows[2].expired, p.failed.iter().sum::<u64>());
            busy(b).cmp(&busy(a)).then_with(|| a.name.cmp(&b.name))
        });
        rows.insert(0, all);
        rows
    }

    /// The domains with most failed attempts in the last so many minutes up to a moment; and the failed attempts of those that had no room.
    pub fn failing(&self, end: Micros, minutes: i64) -> (Vec<Failing>, u64) {
        let last = end.div_euclid(MINUTE);
        let mut reasons: BTreeMap<(&str, &'static str), u64> = BTreeMap::new();
        let mut others = 0;
        for (_, bucket) in self.minutes.iter().filter(|(minute, _)| last - **minute <= minutes) {
            bucket.failing.iter().for_each(|((domain, reason), n)| *reasons.entry((domain, reason)).or_default() += n);
            others += bucket.failing_others;
        }
        let mut rows: Vec<Failing> = Vec::new();
        for ((domain, reason), n) in reasons {
            match rows.last_mut().filter(|row| row.domain == domain) {
                Some(row) => {
                    row.failed += n;
                    if n > row.reason.1 {
                        row.reason = (reason, n);
                    }
                }
                None => rows.push(Failing { domain: domain.to_owned(), failed: n, reason: (reason, n) }),
            }
        }
        rows.sort_by(|a, b| b.failed.cmp(&a.failed).then_with(|| a.domain.cmp(&b.domain)));
        (rows, others)
    }
}

/// Puts the counts of a minute where they belong. Minutes that are a little ahead belong to the running one.
fn put(row: &mut Provider, age: i64, counts: &Counts) {
    let age = age.max(0);
    for (window, minutes) in row.windows.iter_mut().zip(WINDOWS) {
        if age <= minutes {
            window.join(counts);
        }
    }
    if let Some(slot) = usize::try_from(age).ok().and_then(|age| (MINUTES - 1).checked_sub(age)) {
        row.failed[slot] += counts.failed();
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, NOON};
    use super::*;

    fn rates() -> Rates {
        Rates::new(Box::new(|_, _, _| panic!("nobody is accused")))
    }

    fn at(minute: i64) -> Micros {
        NOON + minute * MINUTE
    }

    #[test]
    fn the_time_of_the_event_decides_whatever_the_order() {
        let mut rates = rates();
        for after in [16 * 60, 0, 14 * 60, 4 * 60, 15 * 60 + 59] {
            rates.add(&samples::deferred(after, "acme.test"));
        }
        rates.add(&samples::delivered(15 * 60));
        let rows = rates.providers(at(16));
        assert_eq!(rows.iter().map(|row| &*row.name).collect::<Vec<_>>(), ["all", NO_PROVIDER, "google"]);
        // Noon is 16 minutes ago: in no window.
        assert_eq!(rows[0].windows.map(|w| (w.attempts, w.deferred, w.delivered)), [(3, 2, 1), (4, 3, 1), (5, 4, 1)]);
        assert_eq!(rows[1].windows.map(|w| w.attempts), [2, 3, 4]);
        assert_eq!(
            (rows[0].failed[59], rows[0].failed[58], rows[0].failed[43], rows[0].failed.iter().sum::<u64>()),
            (1, 1, 1, 5)
        );
        assert_eq!(rates.all().attempts, 6);
        // Half an hour of silence: the windows are empty, the hour is not.
        let rows = rates.providers(at(46));
        assert!(rows[0].windows.iter().all(|w| *w == Counts::default()));
        assert_eq!(rows[0].failed.iter().sum::<u64>(), 5);
    }

    #[test]
    fn what_has_no_minute_is_counted_apart() {
        let mut rates = rates();
        rates.advance(at(0));
        rates.add(&samples::deferred(0, "acme.test"));
        rates.add(&samples::deferred(86_400, "acme.test"));
        rates.add(&samples::deferred(-3_600, "acme.test"));
        rates.add(&samples::deferred(-59 * 60, "acme.test"));
        rates.add(&samples::deferred(200, "acme.test"));
        // A server whose clock is a little ahead made the oldest minute too old.
        assert_eq!((rates.apart(), rates.minutes.len(), rates.newest()), ((1, 1), 2, Some(NOON + 200 * SECOND)));
        let all = rates.providers(at(0))[0].windows[0].attempts;
        assert_eq!((all, rates.all().attempts), (2, 5));
    }

    #[test]
    fn memory_is_bounded_and_the_rest_is_said() {
        let mut rates = rates();
        let sample = samples::deferred(0, "acme.test");
        for i in 0..2_000 {
            let at = NOON + i64::from(i) * 3 * SECOND;
            let seen = Seen {
                at,
                domain: format!("d{i}.test"),
                provider: Some(format!("p{i}")),
                text: "x".repeat(900),
                ..sample.clone()
            };
            rates.add(&seen);
            let mut again = seen;
            for n in 0..100 {
                again.domain = format!("d{i}-{n}.test");
                again.provider = Some(format!("p{i}-{n}"));
                rates.add(&again);
            }
        }
        assert!(rates.minutes.len() <= MINUTES);
        assert!(rates.minutes.values().all(|b| b.providers.len() <= PROVIDERS + 1 && b.failing.len() <= FAILING));
        let (latest, failures) = rates.latest();
        assert_eq!((latest.map(|seen| seen.text.len()).max(), failures), (Some(REPLY), 202_000));
        assert_eq!(rates.latest.len(), LATEST);
        // Nothing is lost: the named ones and the others are all.
        let end = NOON + 5_997 * SECOND;
        let rows = rates.providers(end);
        assert_eq!(rows[1].name, OTHERS);
        assert_eq!(rows[1..].iter().map(|row| row.windows[2].attempts).sum::<u64>(), rows[0].windows[2].attempts);
        let (failing, others) = rates.failing(end, 15);
        assert_eq!(failing.iter().map(|row| row.failed).sum::<u64>() + others, rows[0].windows[2].failed());
    }

    #[test]
    fn failing_domains_and_their_most_frequent_reason() {
        let mut rates = rates();
        for seen in [samples::unknown_user(0), samples::deferred(1, "acme.test"), samples::deferred(2, "acme.test")] {
            rates.add(&seen);
        }
        let mut thrice = samples::deferred(3, "busy.test");
        thrice.count = 4;
        rates.add(&thrice);
        rates.add(&samples::expired(4));
        let (rows, others) = rates.failing(at(1), 15);
        let row = |domain: &str, failed, reason| Failing { domain: domain.into(), failed, reason };
        assert_eq!(rows, [row("busy.test", 4, ("connection_failed", 4)), row("acme.test", 3, ("connection_failed", 2))]);
        // Who is given up is counted, but as no attempt.
        assert_eq!((others, rates.all().expired, rates.all().attempts), (0, 1, 7));
    }
}
