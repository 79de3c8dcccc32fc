//! Sources that a receiver or a blocklist seems to refuse for their reputation.
//!
//! A first, honest version: it looks at failed deliveries only, and not yet at the window before, at tries that failed before a
//! delivery got through, or at how sudden it came.

use super::State;
use crate::failures::{Example, Map, SuspectKey, SuspectRow};
use crate::wilson::interval;
use crate::{Frame, Result, Value, schema};

/// Refused deliveries below which nothing is said.
const MIN_REFUSED: u64 = 2;
const MAX_DOMAINS: usize = 20;
const MAX_EVIDENCE: usize = 3;

pub(super) fn suspects(state: &State<'_>) -> Result<Frame> {
    let failures = state.failures;
    let enough = |row: &SuspectRow| row.refused >= MIN_REFUSED && row.several_recipients;
    let found: Vec<_> = failures.suspects.iter().filter(|(_, row)| enough(row)).collect();
    let reach = if found.is_empty() { Reach::default() } else { Reach::new(state) };

    let mut rows: Vec<_> = found
        .into_iter()
        .map(|(key, row)| {
            let deliveries = reach.deliveries(state, key, row);
            (score(row, deliveries), key.names(state.keys, failures), deliveries, row)
        })
        .collect();
    rows.sort_by(|(score_a, a, _, x), (score_b, b, _, y)| {
        let order = score_b.total_cmp(score_a).then(y.refused.cmp(&x.refused));
        order.then_with(|| (a.source, a.listed, a.blocklist, a.provider).cmp(&(b.source, b.listed, b.blocklist, b.provider)))
    });

    let mut frame = Frame::new(&schema::SUSPECTS);
    for (score, names, deliveries, row) in rows {
        let mut domains: Vec<_> = row.domains.iter().map(|&d| state.keys.domains.text(d).to_owned()).collect();
        domains.sort_unstable();
        domains.truncate(MAX_DOMAINS);
        let ranked = failures.ranked(&row.templates);
        let examples = ranked.iter().filter_map(|(_, seen)| seen.example.as_ref());
        let evidence: Vec<_> = examples.take(MAX_EVIDENCE).map(Example::lossy).collect();
        let (first, last) = row.seen.unwrap_or_default();
        frame.push(&[
            Value::Utf8(names.source),
            text(names.listed),
            text(names.blocklist),
            text(names.provider),
            Value::Float64(score),
            Value::Int64(deliveries),
            Value::Int64(row.refused as i64),
            Value::Timestamp(first),
            Value::Timestamp(last),
            Value::Utf8List(&domains),
            Value::Utf8List(&evidence),
            text(row.delist_url.as_deref()),
        ]);
    }
    Ok(frame)
}

/// A text that may be missing.
fn text(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Null, Value::Utf8)
}

/// How certain it looks, 0 to 1, to four decimals: 50 % the share refused (lower end of its 95 % interval), 30 % how many domains
/// refuse (1 gives a third, 4 two thirds, 18 nine tenths), 20 % how explicit the clearest reply is: a named list 1, a named
/// object 0.9, words about reputation 0.7, a code alone 0.4.
fn score(row: &SuspectRow, deliveries: i64) -> f64 {
    let share = interval(row.refused as i64, deliveries).map_or(0.0, |(low, _)| low);
    let domains = row.domains.len() as f64;
    let receivers = domains / (domains + 2.0);
    let explicit = f64::from(row.explicit) / 100.0;
    ((0.5 * share + 0.3 * receivers + 0.2 * explicit) * 10_000.0).round() / 10_000.0
}

/// How many deliveries went where.
#[derive(Default)]
struct Reach {
    to_providers: Map<(u32, u32), i64>,
    to_domains: Map<(u32, u32), i64>,
}

impl Reach {
    fn new(state: &State<'_>) -> Self {
        let mut reach = Reach::default();
        for (cell, group) in state.keys.cells.iter().zip(state.cells) {
            *reach.to_providers.entry((cell.source, cell.provider)).or_default() += group.sums.deliveries;
            *reach.to_domains.entry((cell.source, cell.domain)).or_default() += group.sums.deliveries;
        }
        reach
    }

    /// Deliveries of the source to the provider; where it is not known, to the domains that refuse.
    fn deliveries(&self, state: &State<'_>, key: &SuspectKey, row: &SuspectRow) -> i64 {
        if state.keys.provider(key.provider).is_some() {
            return self.to_providers.get(&(key.source, key.provider)).copied().unwrap_or(0);
        }
        row.domains.iter().filter_map(|&d| self.to_domains.get(&(key.source, d))).sum()
    }
}
