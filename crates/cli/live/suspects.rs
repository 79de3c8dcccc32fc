//! Who refuses us for our reputation since the start: a list or a receiver, and what of ours it names.
//!
//! `554 5.7.1 … Client host [192.0.2.1] blocked using zen.spamhaus.org` makes the row (spamhaus-zen, 192.0.2.1).
//!
//! The first refusal is shown at once; it is called a suspect when two recipients were refused, as in the report, which also weighs shares
//! and receivers (`bouncestat suspects`): no score here.

use bouncestat_classification::Remedy;
use bouncestat_record::time::Micros;
use bouncestat_record::{Action, Blame, Verdict};

use super::rates::MINUTE;
use super::seen::Seen;

/// Who can lift a refusal: asked with the verdict, the blame and the provider.
pub type ToAsk = Box<dyn Fn(&Verdict, Blame, Option<&str>) -> Remedy + Send>;

/// Rows that are kept.
const ROWS: usize = 100;
/// Receivers that a row names.
const RECEIVERS: usize = 16;
/// So long a row is new.
const NEW: Micros = 15 * MINUTE;
/// What Postfix writes before a reply that it remembers (`qmgr_defer.c`): nobody spoke again.
const ECHO: &str = "delivery temporarily suspended";

/// A list or a receiver that refuses something of ours.
#[derive(Clone, Debug)]
pub struct Suspect {
    /// The blocklist, else who runs the recipients' mail.
    pub by: String,
    /// Whether `by` is a blocklist.
    pub by_list: bool,
    /// What is refused: the object that the reply names, else the sending IP, else the host that logged it.
    pub object: String,
    /// The oldest refusal.
    pub first: Micros,
    /// The newest refusal.
    pub last: Micros,
    /// Replies that said so.
    pub refused: u64,
    /// Who refuses, in the order of appearance, at most 16.
    pub receivers: Vec<String>,
    /// Whether two different recipients were refused.
    pub proved: bool,
    /// The recipient of the first one.
    recipient: String,
    /// Who can lift it.
    pub remedy: Remedy,
}

impl Suspect {
    /// Whether it appeared in the last quarter of an hour before a moment.
    pub fn is_new(&self, end: Micros) -> bool {
        end - self.first < NEW
    }
}

/// All of them.
pub struct Suspects {
    rows: Vec<Suspect>,
    more: u64,
    to_ask: ToAsk,
}

impl Suspects {
    /// None yet.
    pub fn new(to_ask: ToAsk) -> Self {
        Self { rows: Vec::new(), more: 0, to_ask }
    }

    /// Adds a refusal, if it accuses.
    pub fn add(&mut self, seen: &Seen) {
        let (Some(blame), Some(verdict)) = (seen.blame.filter(|blame| blame.accuses()), seen.failure()) else { return };
        if seen.action == Action::Expired || seen.text.starts_with(ECHO) {
            return;
        }
        let by = verdict.blocklist.as_deref().unwrap_or(seen.receiver());
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let object = verdict.listed.clone().or_else(|| known(&seen.source_ip)).unwrap_or_else(|| seen.log_host.clone());
        let count = u64::from(seen.count);
        let there = self.rows.iter().position(|row| row.by == by && row.object == object);
        let row = match there {
            Some(at) => &mut self.rows[at],
            None if self.rows.len() >= ROWS => {
                self.more += count;
                return;
            }
            None => {
                self.rows.push(Suspect {
                    by: by.to_owned(),
                    by_list: verdict.blocklist.is_some(),
                    object,
                    first: seen.at,
                    last: seen.at,
                    refused: 0,
                    receivers: Vec::new(),
                    proved: false,
                    recipient: seen.recipient.clone(),
                    remedy: (self.to_ask)(verdict, blame, seen.provider.as_deref()),
                });
                self.rows.last_mut().expect("one was pushed")
            }
        };
        row.first = row.first.min(seen.at);
        row.last = row.last.max(seen.at);
        row.refused += count;
        row.proved |= row.recipient != seen.recipient;
        let receiver = seen.receiver();
        if row.receivers.len() < RECEIVERS && !row.receivers.iter().any(|known| known == receiver) {
            row.receivers.push(receiver.to_owned());
        }
    }

    /// The rows: new ones first, proved ones before others, then the one that appeared last; and how many refusals of others had no room.
    pub fn rows(&self, end: Micros) -> (Vec<Suspect>, u64) {
        let mut rows = self.rows.clone();
        rows.sort_by(|a, b| {
            let rank = |row: &Suspect| (row.is_new(end), row.proved, row.first, row.refused);
            rank(b).cmp(&rank(a)).then_with(|| (&a.by, &a.object).cmp(&(&b.by, &b.object)))
        });
        (rows, self.more)
    }
}

#[cfg(test)]
mod tests {
    use bouncestat_classification::Classifier;
    use bouncestat_record::time::SECOND;

    use super::super::samples;
    use super::*;

    fn suspects() -> Suspects {
        Suspects::new(Box::new(|verdict, blame, provider| Classifier::builtin().remedy(verdict, blame, provider)))
    }

    #[test]
    fn two_recipients_make_a_suspect() {
        let mut suspects = suspects();
        suspects.add(&samples::listed_for(60, "dora@widget.example"));
        suspects.add(&samples::listed_for(0, "dora@widget.example"));
        let (rows, _) = suspects.rows(samples::NOON);
        assert_eq!((&*rows[0].by, &*rows[0].object, rows[0].refused, rows[0].proved), ("spamhaus-zen", "192.0.2.1", 2, false));
        assert_eq!((rows[0].first, rows[0].by_list), (samples::NOON, true));
        assert!(!rows[0].remedy.advice.is_empty() && !rows[0].remedy.who.is_empty(), "{:?}", rows[0].remedy);
        suspects.add(&samples::listed_for(61, "emil@other.example"));
        let (rows, more) = suspects.rows(samples::NOON);
        assert_eq!((rows.len(), rows[0].proved, more), (1, true, 0));
        assert_eq!(rows[0].receivers, ["widget.example", "other.example"]);
    }

    #[test]
    fn new_ones_stand_at_the_top_and_proved_ones_before_others() {
        let mut suspects = suspects();
        let named = |after, object: &str, to: &str| {
            let seen = samples::listed_for(after, to);
            let mut verdict = (**seen.verdict.as_ref().unwrap()).clone();
            verdict.listed = Some(object.to_owned());
            Seen { verdict: Some(verdict.into()), ..seen }
        };
        for (after, object, to) in [
            (0, "old", "a@a.example"),
            (1, "old", "b@a.example"),
            (1_000, "new", "a@a.example"),
            (1_001, "new", "b@a.example"),
            (1_100, "once", "a@a.example"),
        ] {
            suspects.add(&named(after, object, to));
        }
        let order = |after: i64| {
            let (rows, _) = suspects.rows(samples::NOON + after * SECOND);
            rows.into_iter().map(|row| row.object).collect::<Vec<_>>()
        };
        assert_eq!(order(1_200), ["new", "once", "old"]);
        assert_eq!(order(10_000), ["new", "old", "once"]);
    }

    #[test]
    fn other_failures_echoes_and_the_end_of_a_wait_accuse_nobody() {
        let mut suspects = suspects();
        let listed = samples::listed(0);
        for seen in [
            samples::delivered(0),
            samples::unknown_user(0),
            samples::deferred(0, "acme.test"),
            Seen { action: Action::Expired, ..listed.clone() },
            Seen { text: format!("{ECHO}: {}", listed.text), ..listed },
        ] {
            suspects.add(&seen);
        }
        assert!(suspects.rows(samples::NOON).0.is_empty());
    }

    #[test]
    fn memory_is_bounded_and_the_rest_is_said() {
        let mut suspects = suspects();
        let listed = samples::listed(0);
        for i in 0..150 {
            let mut verdict = (**listed.verdict.as_ref().unwrap()).clone();
            verdict.listed = Some(format!("192.0.2.{i}"));
            suspects.add(&Seen { verdict: Some(verdict.into()), ..listed.clone() });
        }
        for i in 0..50 {
            suspects.add(&samples::listed_for(1, &format!("x@d{i}.example")));
        }
        let (rows, more) = suspects.rows(samples::NOON);
        assert_eq!((rows.len(), more), (ROWS, 50));
        assert_eq!(rows.iter().find(|row| row.object == "192.0.2.1").unwrap().receivers.len(), RECEIVERS);
    }
}
