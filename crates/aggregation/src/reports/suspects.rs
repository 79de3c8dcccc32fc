//! Sources that a receiver or a blocklist refuses for their reputation, and what only looks so.
//!
//! Here is decided what is a suspect; [`super::suspect_rows`] writes the tables. A row needs two recipients (one wrong address, or one
//! recipient's own rule, proves nothing), two spoken replies, and a score.

use std::borrow::Cow;

use bouncestat_record::Blame;
use bouncestat_record::time::Micros;

use super::State;
use crate::changes::{Change, Share, appearance};
use crate::failures::Map;
use crate::refusals::{RefusalKey, RefusalNames, RefusalRow};
use crate::wilson::interval;

/// From where on a source is a suspect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Refused deliveries at least.
    pub min_refused: u64,
    /// Share of deliveries refused at least, a fraction, where fewer than [`MANY`] receivers refuse.
    pub min_share: f64,
    /// Score at least, 0 to 1.
    pub min_score: f64,
}

/// So many independent receivers are no chance, however small the share.
const MANY: usize = 3;

impl Default for Thresholds {
    /// Two refusals, one delivery of a hundred, and a score that plain words at one receiver reach.
    fn default() -> Self {
        Self { min_refused: 2, min_share: 0.01, min_score: 0.2 }
    }
}

/// What the score is made of, each 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Parts {
    /// Lower end of the interval of refused / deliveries.
    pub(crate) share: f64,
    /// Independent receivers: 1 gives a third, 4 two thirds, 18 nine tenths.
    pub(crate) receivers: f64,
    /// The clearest reply.
    pub(crate) explicit: f64,
    /// Whether it came suddenly: see [`onset`].
    pub(crate) onset: f64,
}

impl Parts {
    /// 40 % the share, 25 % the receivers, 20 % how explicit, 15 % the onset; to four decimals.
    pub(crate) fn score(&self) -> f64 {
        let sum = 0.4 * self.share + 0.25 * self.receivers + 0.2 * self.explicit + 0.15 * self.onset;
        (sum * 10_000.0).round() / 10_000.0
    }
}

/// What was in the window before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trend {
    pub(crate) before: Share,
    pub(crate) change: Change,
}

/// A row of one of the tables.
pub(crate) struct Found<'s> {
    pub(crate) names: RefusalNames<'s>,
    pub(crate) row: Cow<'s, RefusalRow>,
    pub(crate) deliveries: i64,
    pub(crate) last_accepted: Option<Micros>,
    pub(crate) trend: Option<Trend>,
    pub(crate) parts: Parts,
    /// Why it is no suspect.
    pub(crate) cleared: Option<&'static str>,
}

impl Found<'_> {
    pub(crate) fn share(&self) -> Share {
        Share { part: self.row.refused as i64, whole: self.deliveries }
    }
}

/// Suspects, and what only looks like one.
pub(crate) struct Suspicions<'s> {
    pub(crate) suspects: Vec<Found<'s>>,
    pub(crate) lookalikes: Vec<Found<'s>>,
}

/// Weighs all refusals.
pub(crate) fn weigh<'s>(state: &State<'s>, before: Option<&State<'_>>, thresholds: &Thresholds) -> Suspicions<'s> {
    let (mut suspects, mut lookalikes) = (Vec::new(), Vec::new());
    let rows = joined(state);
    let reach = if rows.is_empty() { Reach::default() } else { Reach::new(state) };
    let past = before.map(|before| (before, joined(before), Reach::new(before)));
    for (key, row) in rows {
        let (deliveries, accepted) = reach.of(state, &key, &row);
        let trend = past.as_ref().map(|(before, rows, reach)| {
            let share = in_the_past(state, &key, &row, before, rows, reach);
            Trend { before: share, change: appearance(share, Share { part: row.refused as i64, whole: deliveries }) }
        });
        let share = interval(row.refused as i64, deliveries).map_or(0.0, |(low, _)| low);
        let receivers = row.receivers.len().max(1) as f64;
        let parts = Parts {
            share,
            receivers: receivers / (receivers + 2.0),
            explicit: f64::from(row.explicit) / 100.0,
            onset: onset(&row, deliveries, accepted, trend),
        };
        let cleared = match key.apart {
            Some(blame) => Some(blame.as_str()),
            None if row.recipients.len() < 2 => Some("one_recipient"),
            None if row.refused < thresholds.min_refused || row.replies < 2 => Some("too_few"),
            None if row.receivers.len() < MANY && (row.refused as f64) < thresholds.min_share * deliveries as f64 => {
                Some("too_rare")
            }
            None if parts.score() < thresholds.min_score => Some("too_weak"),
            None => None,
        };
        let names = state.refusals.names(&key, &row, state.keys);
        let last_accepted = accepted.map(|(_, last)| last);
        let found = Found { names, row, deliveries, last_accepted, trend, parts, cleared };
        if cleared.is_none() { suspects.push(found) } else { lookalikes.push(found) }
    }
    suspects.sort_by(|a, b| {
        let order = b.parts.score().total_cmp(&a.parts.score()).then(b.row.refused.cmp(&a.row.refused));
        order.then_with(|| a.names.cmp(&b.names))
    });
    lookalikes.sort_by(|a, b| {
        let order = b.row.refused.cmp(&a.row.refused).then_with(|| a.cleared.cmp(&b.cleared));
        order.then_with(|| a.names.cmp(&b.names))
    });
    Suspicions { suspects, lookalikes }
}

/// The rows, those that name no object put into the one that does: some receivers name the IP, others do not.
fn joined<'s>(state: &State<'s>) -> Vec<(RefusalKey, Cow<'s, RefusalRow>)> {
    type Rows<'s> = Vec<(RefusalKey, Cow<'s, RefusalRow>)>;
    let refusals = state.refusals;
    let mut groups: Map<RefusalKey, Rows<'s>> = Map::default();
    for (key, row) in &refusals.rows {
        groups.entry(RefusalKey { listed: None, ..*key }).or_default().push((*key, Cow::Borrowed(row)));
    }
    let mut all = Vec::with_capacity(refusals.rows.len());
    for (_, mut rows) in groups {
        let unnamed = rows.iter().position(|(key, _)| key.listed.is_none());
        if let (2, Some(at)) = (rows.len(), unnamed) {
            let (_, unnamed) = rows.swap_remove(at);
            rows[0].1.to_mut().join(&unnamed);
        }
        all.append(&mut rows);
    }
    all
}

/// How sudden: 1 where mail was taken before the first refusal and none since; where some still is, half the share refused; 0 where
/// nothing was taken before, as far as the logs go, or where the window before had the same trouble.
fn onset(row: &RefusalRow, deliveries: i64, accepted: Option<(Micros, Micros)>, trend: Option<Trend>) -> f64 {
    let share = row.refused as f64 / deliveries.max(1) as f64;
    let first = row.seen.map_or(Micros::MAX, |(first, _)| first);
    let past = trend.map(|t| t.before).unwrap_or_default();
    if past.rate().is_some_and(|rate| rate > 0.0 && rate >= share / 2.0) {
        return 0.0;
    }
    let earlier = past.whole > past.part || accepted.is_some_and(|(taken, _)| taken < first);
    let since = accepted.is_some_and(|(_, taken)| taken >= first);
    match (earlier, since) {
        (false, _) => 0.0,
        (true, true) => share / 2.0,
        (true, false) => 1.0,
    }
}

/// The same row in the window before: by names, as each window has dictionaries of its own.
fn in_the_past(
    state: &State<'_>,
    key: &RefusalKey,
    row: &RefusalRow,
    before: &State<'_>,
    rows: &[(RefusalKey, Cow<'_, RefusalRow>)],
    reach: &Reach,
) -> Share {
    let name = |state: &State<'_>, key: &RefusalKey| {
        let label = |n: Option<u32>| n.map(|n| state.refusals.labels.text(n).to_owned());
        let provider = key.provider.map(|n| state.keys.providers.text(n).to_owned());
        (state.keys.sources.text(key.source).to_owned(), label(key.blocklist), provider, label(key.listed))
    };
    let (source, blocklist, provider, listed) = name(state, key);
    let same = |other: &RefusalKey| {
        let theirs = name(before, other);
        let object = listed.is_none() || theirs.3.is_none() || theirs.3 == listed;
        other.apart == key.apart
            && object
            && (theirs.0, theirs.1, theirs.2) == (source.clone(), blocklist.clone(), provider.clone())
    };
    let refused: u64 = rows.iter().filter(|(other, _)| same(other)).map(|(_, row)| row.refused).sum();
    let whole = before.keys.sources.find(state.keys.sources.text(key.source)).map_or(0, |source| match key.provider {
        Some(n) => before.keys.providers.find(state.keys.providers.text(n)).map_or(0, |n| reach.provider(source, n).0),
        None => {
            let domains = row.domains.iter().filter_map(|&d| before.keys.domains.find(state.keys.domains.text(d)));
            domains.map(|d| reach.domain(source, d).0).sum()
        }
    });
    // The domains of then may have been others: never more refused than sent.
    Share { part: refused as i64, whole: whole.max(refused as i64) }
}

/// Deliveries, and the span in which mail was taken.
type Sent = (i64, Option<(Micros, Micros)>);

/// How many deliveries went where.
#[derive(Default)]
struct Reach {
    to_providers: Map<(u32, u32), Sent>,
    to_domains: Map<(u32, u32), Sent>,
}

fn add(to: &mut Sent, from: Sent) {
    to.0 += from.0;
    to.1 = match (to.1, from.1) {
        (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
        (a, b) => a.or(b),
    };
}

impl Reach {
    fn new(state: &State<'_>) -> Self {
        let mut reach = Reach::default();
        for (i, (cell, group)) in state.keys.cells.iter().zip(state.cells).enumerate() {
            let sent = (group.sums.deliveries, state.refusals.accepted(i));
            add(reach.to_providers.entry((cell.source, cell.provider)).or_default(), sent);
            add(reach.to_domains.entry((cell.source, cell.domain)).or_default(), sent);
        }
        reach
    }

    fn provider(&self, source: u32, provider: u32) -> Sent {
        self.to_providers.get(&(source, provider)).copied().unwrap_or_default()
    }

    fn domain(&self, source: u32, domain: u32) -> Sent {
        self.to_domains.get(&(source, domain)).copied().unwrap_or_default()
    }

    /// Deliveries of the source to the provider that refuses; for a list, and where the provider is not known, to the domains that do.
    fn of(&self, state: &State<'_>, key: &RefusalKey, row: &RefusalRow) -> Sent {
        if let Some(provider) = key.provider.filter(|&n| state.keys.provider(n).is_some()) {
            return self.provider(key.source, provider);
        }
        let mut all = Sent::default();
        row.domains.iter().for_each(|&domain| add(&mut all, self.domain(key.source, domain)));
        all
    }
}

/// What a person reads for a kind of blame.
pub(crate) fn kind(row: &RefusalRow) -> &'static str {
    row.blame.unwrap_or(Blame::Reputation).as_str()
}
