//! Tables of rates: totals, domains, providers, sources and sender domains. All have the same counters; only the key differs.

use std::cmp::Reverse;

use super::State;
use crate::failures::Map;
use crate::frame::{Frame, Value};
use crate::schema::{self, TableSpec};
use crate::sketch::Percentiles;
use crate::sums::{Group, Sums};
use crate::wilson::interval;
use crate::{Error, Result};

/// One row: everything.
pub(super) fn totals(state: &State<'_>) -> Result<Frame> {
    let all = roll_up(state, 1, |_| 0);
    table(&schema::TOTALS, all.into_iter().map(|key| (vec![], key)).collect())
}

/// One row a recipient domain, with the provider that most of its deliveries had.
pub(super) fn domains(state: &State<'_>) -> Result<Frame> {
    let keys = state.keys;
    let groups = roll_up(state, keys.domains.len(), |i| keys.cells[i].domain);
    // A domain has hardly ever more than one provider: the pairs are counted, and the best of each domain is kept.
    let mut pairs: Map<(u32, u32), i64> = Map::default();
    for (cell, group) in keys.cells.iter().zip(state.cells) {
        *pairs.entry((cell.domain, cell.provider)).or_default() += group.sums.deliveries;
    }
    let mut best: Vec<Option<(Reverse<i64>, &str)>> = vec![None; groups.len()];
    for ((domain, provider), deliveries) in pairs {
        if let Some(provider) = keys.provider(provider) {
            let candidate = (Reverse(deliveries), provider);
            let kept = &mut best[domain as usize];
            *kept = Some(kept.map_or(candidate, |k| k.min(candidate)));
        }
    }
    let rows = groups.into_iter().enumerate().map(|(i, group)| {
        let provider = best[i].map_or(Value::Null, |(_, provider)| Value::Utf8(provider));
        (vec![Value::Utf8(keys.domains.text(i as u32)), provider], group)
    });
    table(&schema::DOMAINS, rows.collect())
}

/// One row a provider.
pub(super) fn providers(state: &State<'_>) -> Result<Frame> {
    let keys = state.keys;
    let groups = roll_up(state, keys.providers.len(), |i| keys.cells[i].provider);
    let rows = groups.into_iter().enumerate().map(|(i, group)| (vec![Value::Utf8(keys.providers.text(i as u32))], group));
    table(&schema::PROVIDERS, rows.collect())
}

/// One row a source.
pub(super) fn sources(state: &State<'_>) -> Result<Frame> {
    let keys = state.keys;
    let groups = roll_up(state, keys.sources.len(), |i| keys.cells[i].source);
    let rows = groups.into_iter().enumerate().map(|(i, group)| (vec![Value::Utf8(keys.sources.text(i as u32))], group));
    table(&schema::SOURCES, rows.collect())
}

/// One row a sender domain.
pub(super) fn sender_domains(state: &State<'_>) -> Result<Frame> {
    let names = &state.keys.senders;
    let rows = state.senders.iter().enumerate().map(|(i, group)| (vec![Value::Utf8(names.text(i as u32))], Members::from(group)));
    table(&schema::SENDER_DOMAINS, rows.collect())
}

/// The counters of a key, and the groups that its delays are in.
#[derive(Default)]
struct Members<'a> {
    sums: Sums,
    groups: Vec<&'a Group>,
}

impl<'a> From<&'a Group> for Members<'a> {
    fn from(group: &'a Group) -> Self {
        Members { sums: group.sums, groups: vec![group] }
    }
}

/// Adds the cells up under `len` keys.
fn roll_up<'a>(state: &State<'a>, len: usize, key: impl Fn(usize) -> u32) -> Vec<Members<'a>> {
    let mut all: Vec<Members<'a>> = Vec::new();
    all.resize_with(len, Members::default);
    for (i, cell) in state.cells.iter().enumerate() {
        let members = &mut all[key(i) as usize];
        members.sums.add(&cell.sums);
        members.groups.push(cell);
    }
    all
}

/// Sorts and writes rows: the values of the keys, then ROW.
fn table(spec: &'static TableSpec, mut rows: Vec<(Vec<Value<'_>>, Members<'_>)>) -> Result<Frame> {
    rows.sort_by_cached_key(|(keys, members)| {
        let s = &members.sums;
        let certain = interval(s.hard + s.soft, s.deliveries).map_or(0.0, |(low, _)| low);
        let name = match keys.first() {
            Some(Value::Utf8(name)) => (*name).to_owned(),
            _ => String::new(),
        };
        // A fraction is not negative, so that its bits sort as it does.
        (Reverse(certain.to_bits()), Reverse(s.deliveries), name)
    });
    let mut frame = Frame::new(spec);
    let mut values = Vec::with_capacity(spec.columns.len());
    let mut percentiles = Percentiles::default();
    for (keys, members) in rows {
        check(spec, &keys, &members.sums)?;
        values.clear();
        values.extend_from_slice(&keys);
        values.extend(row(&members, &mut percentiles));
        frame.push(&values);
    }
    Ok(frame)
}

/// The contract's identities.
fn check(spec: &TableSpec, keys: &[Value<'_>], s: &Sums) -> Result<()> {
    let failed = s.bounced + s.expired + s.deferred;
    let wrong = if s.deliveries != s.delivered + failed {
        format!("{} deliveries are not {} delivered + {failed} failed", s.deliveries, s.delivered)
    } else if failed != s.hard + s.soft {
        format!("{failed} failed are not {} hard + {} soft", s.hard, s.soft)
    } else if s.delayed > s.delivered || s.reputation > failed {
        format!("{} delayed of {} delivered, {} for reputation of {failed} failed", s.delayed, s.delivered, s.reputation)
    } else {
        return Ok(());
    };
    let name = match keys.first() {
        Some(Value::Utf8(name)) => format!(", row {name}"),
        _ => String::new(),
    };
    Err(Error::identity(format!("table {}{name}: {wrong}", spec.name)))
}

/// ROW.
fn row(members: &Members<'_>, percentiles: &mut Percentiles) -> [Value<'static>; schema::ROW.len()] {
    let s = members.sums;
    let rate = |part: i64| -> [Value<'static>; 3] {
        match interval(part, s.deliveries) {
            Some((low, high)) => [part as f64 / s.deliveries as f64, low, high].map(Value::Float64),
            None => [Value::Null; 3],
        }
    };
    let ([hard, hard_low, hard_high], [soft, soft_low, soft_high]) = (rate(s.hard), rate(s.soft));
    let delays = percentiles.of(members.groups.iter().map(|g| &g.delays), [50, 95]);
    let [p50, p95] = delays.map_or([Value::Null; 2], |p| p.map(Value::Int64));
    let event = |at: i64| {
        if s.first <= s.last { Value::Timestamp(at) } else { Value::Null }
    };
    [
        Value::Int64(s.deliveries),
        Value::Int64(s.delivered),
        Value::Int64(s.delayed),
        Value::Int64(s.bounced),
        Value::Int64(s.expired),
        Value::Int64(s.deferred),
        Value::Int64(s.hard),
        Value::Int64(s.soft),
        hard,
        hard_low,
        hard_high,
        soft,
        soft_low,
        soft_high,
        Value::Int64(s.attempts),
        Value::Int64(s.reputation),
        p50,
        p95,
        event(s.first),
        event(s.last),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violated_identity_names_the_row() {
        let group =
            Group { sums: Sums { deliveries: 3, delivered: 1, bounced: 1, hard: 1, ..Sums::default() }, ..Group::default() };
        let error = table(&schema::SOURCES, vec![(vec![Value::Utf8("mx1")], Members::from(&group))]).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Identity);
        assert_eq!(error.to_string(), "table sources, row mx1: 3 deliveries are not 1 delivered + 1 failed");
    }
}
