//! A window beside the window before it: what changed for certain, new and vanished reasons, new and vanished suspects.

use std::collections::BTreeMap;

use super::State;
use super::suspects::{Found, Suspicions, Thresholds, weigh};
use crate::changes::{Change, Share, appearance, compare};
use crate::sums::Sums;
use crate::{Frame, Value, schema};

/// A share now and before, by (kind, name, measure).
type Shares = BTreeMap<(u8, String, u8), [Share; 2]>;

/// What is compared, in the order of the table.
const KINDS: [&str; 7] = ["totals", "suspect", "reason", "source", "provider", "sender_domain", "domain"];
const MEASURES: [&str; 5] = ["hard", "soft", "delayed", "reputation", "refused"];

/// The table of changes.
pub(crate) fn changes(now: &State<'_>, before: &State<'_>, thresholds: &Thresholds) -> Frame {
    let mut all = Shares::new();
    for (when, state) in [before, now].into_iter().enumerate() {
        rates(state, when, &mut all);
        reasons(state, when, &mut all);
    }
    // Also where a reason is missing in one of the windows, it has all of that window's deliveries.
    let wholes = [before, now].map(|state| state.cells.iter().map(|group| group.sums.deliveries).sum());
    for (_, shares) in all.iter_mut().filter(|((kind, ..), _)| KINDS[usize::from(*kind)] == "reason") {
        shares.iter_mut().zip(wholes).for_each(|(share, whole)| share.whole = whole);
    }
    suspects(now, before, thresholds, &mut all);
    let mut rows: Vec<_> = all
        .into_iter()
        .map(|((kind, name, measure), [before, now])| {
            let appears = matches!(KINDS[usize::from(kind)], "suspect" | "reason");
            let change = if appears { appearance(before, now) } else { compare(before, now) };
            (kind, name, measure, before, now, change)
        })
        // The totals and the suspects always; of the rest what changed.
        .filter(|(kind, .., change)| *kind <= 1 || *change != Change::Steady)
        .collect();
    let moved = |before: &Share, now: &Share| (now.rate().unwrap_or(0.0) - before.rate().unwrap_or(0.0)).abs();
    rows.sort_by(|a, b| {
        // The totals in the order of their measures; the rest by how far they moved.
        let far = if a.0 == 0 { std::cmp::Ordering::Equal } else { moved(&b.3, &b.4).total_cmp(&moved(&a.3, &a.4)) };
        a.0.cmp(&b.0).then(far).then_with(|| a.1.cmp(&b.1)).then(a.2.cmp(&b.2))
    });
    let mut frame = Frame::new(&schema::CHANGES);
    for (kind, name, measure, before, now, change) in rows {
        let rate = |share: Share| share.rate().map_or(Value::Null, Value::Float64);
        frame.push(&[
            Value::Utf8(KINDS[usize::from(kind)]),
            if kind == 0 { Value::Null } else { Value::Utf8(&name) },
            Value::Utf8(MEASURES[usize::from(measure)]),
            Value::Utf8(change.as_str()),
            Value::Int64(before.whole),
            Value::Int64(before.part),
            rate(before),
            Value::Int64(now.whole),
            Value::Int64(now.part),
            rate(now),
        ]);
    }
    frame
}

fn rates(state: &State<'_>, when: usize, all: &mut Shares) {
    let mut add = |kind: u8, name: &str, sums: &Sums| {
        let parts = [sums.hard, sums.soft, sums.delayed, sums.reputation];
        let parts = if kind == 0 { &parts[..] } else { &parts[..2] };
        for (measure, &part) in parts.iter().enumerate() {
            let share = &mut all.entry((kind, name.to_owned(), measure as u8)).or_default()[when];
            share.part += part;
            share.whole += sums.deliveries;
        }
    };
    let keys = state.keys;
    for (cell, group) in keys.cells.iter().zip(state.cells) {
        add(0, "", &group.sums);
        add(3, keys.sources.text(cell.source), &group.sums);
        add(4, keys.providers.text(cell.provider), &group.sums);
        add(6, keys.domains.text(cell.domain), &group.sums);
    }
    for (number, group) in state.senders.iter().enumerate() {
        add(5, keys.senders.text(number as u32), &group.sums);
    }
    // A window without deliveries still has totals.
    for measure in 0..4 {
        all.entry((0, String::new(), measure)).or_default();
    }
}

/// How many of all deliveries failed for a reason.
fn reasons(state: &State<'_>, when: usize, all: &mut Shares) {
    for (key, row) in &state.failures.reasons {
        let measure = u8::from(key.class.as_str() == "soft");
        let shares = all.entry((2, key.reason.as_str().to_owned(), measure)).or_default();
        shares[when].part += row.deliveries as i64;
    }
}

fn suspects(now: &State<'_>, before: &State<'_>, thresholds: &Thresholds, all: &mut Shares) {
    let Suspicions { suspects, lookalikes } = weigh(now, Some(before), thresholds);
    let earlier = weigh(before, None, thresholds).suspects;
    let name = |f: &Found<'_>| {
        let names = f.names;
        let parts = [Some(names.source), names.listed, names.blocklist, names.provider];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    for found in suspects {
        let before = found.trend.map(|t| t.before).unwrap_or_default();
        all.insert((1, name(&found), 4), [before, found.share()]);
    }
    for found in earlier {
        // No suspect any more: what is left of it stands among the look-alikes, if anything is.
        let left = lookalikes.iter().find(|l| name(l) == name(&found)).map_or_else(Share::default, Found::share);
        all.entry((1, name(&found), 4)).or_insert([found.share(), left]);
    }
}
