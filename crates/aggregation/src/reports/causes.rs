//! From a row of rates to its reasons, and from a reason to its replies and the lines they stand in.

use std::cmp::Reverse;

use super::State;
use crate::causes::{Cause, Causes, Place, Reply};
use crate::failures::{Map, ReasonKey};
use crate::schema::TableSpec;
use crate::{Frame, Result, Value, schema};

/// Kinds of replies shown of a reason.
const REPLIES: usize = 20;

/// Why deliveries to a provider fail.
pub(super) fn provider_reasons(state: &State<'_>) -> Result<Frame> {
    by_cell(state, &schema::PROVIDER_REASONS, |cell| state.keys.cells[cell].provider, |n| state.keys.providers.text(n))
}

/// Why deliveries to a domain fail.
pub(super) fn domain_reasons(state: &State<'_>) -> Result<Frame> {
    by_cell(state, &schema::DOMAIN_REASONS, |cell| state.keys.cells[cell].domain, |n| state.keys.domains.text(n))
}

/// Why deliveries from a source fail.
pub(super) fn source_reasons(state: &State<'_>) -> Result<Frame> {
    by_cell(state, &schema::SOURCE_REASONS, |cell| state.keys.cells[cell].source, |n| state.keys.sources.text(n))
}

/// Why deliveries of a sender domain fail.
pub(super) fn sender_reasons(state: &State<'_>) -> Result<Frame> {
    let deliveries = |sender: u32| state.senders[sender as usize].sums.deliveries;
    Ok(table(state, &schema::SENDER_REASONS, &state.causes.by_sender, deliveries, |n| state.keys.senders.text(n)))
}

fn by_cell<'a>(
    state: &'a State<'_>,
    spec: &'static TableSpec,
    key: impl Fn(usize) -> u32,
    name: impl Fn(u32) -> &'a str,
) -> Result<Frame> {
    let causes = Causes::rolled_up(&state.causes.by_cell, |cell| key(cell as usize), &state.failures.templates);
    let mut deliveries: Map<u32, i64> = Map::default();
    for (cell, group) in state.cells.iter().enumerate() {
        *deliveries.entry(key(cell)).or_default() += group.sums.deliveries;
    }
    Ok(table(state, spec, &causes, |n| deliveries.get(&n).copied().unwrap_or(0), name))
}

fn words(key: &ReasonKey) -> (&'static str, &'static str, &'static str) {
    (key.reason.as_str(), key.class.as_str(), key.disposition.as_str())
}

fn table<'a>(
    state: &State<'_>,
    spec: &'static TableSpec,
    causes: &Map<(u32, ReasonKey), Cause>,
    deliveries: impl Fn(u32) -> i64,
    name: impl Fn(u32) -> &'a str,
) -> Frame {
    let mut rows: Vec<_> = causes.iter().collect();
    rows.sort_by_cached_key(|((n, key), cause)| (Reverse(cause.deliveries), name(*n), words(key)));
    let mut frame = Frame::new(spec);
    for (&(n, key), cause) in rows {
        let (reason, class, disposition) = words(&key);
        let (file, offset) = line(state, cause.oldest);
        frame.push(&[
            Value::Utf8(name(n)),
            Value::Utf8(reason),
            Value::Utf8(class),
            Value::Utf8(disposition),
            Value::Int64(cause.deliveries),
            // A failure is a delivery, so that there are some.
            Value::Float64(cause.deliveries as f64 / deliveries(n) as f64),
            cause.template.map_or(Value::Null, |t| Value::Utf8(state.failures.templates.text(t))),
            Value::Timestamp(cause.oldest.at),
            file,
            offset,
        ]);
    }
    frame
}

/// The file and the offset of a line, where they are known.
fn line<'a>(state: &State<'a>, place: Place) -> (Value<'a>, Value<'static>) {
    let known = place.line().and_then(|(file, offset)| Some((state.files.get(file)?, offset)));
    known.map_or((Value::Null, Value::Null), |(file, offset)| (Value::Utf8(file), Value::Int64(offset)))
}

/// The kinds of replies of each reason, with an example and its place.
pub(super) fn replies(state: &State<'_>) -> Result<Frame> {
    let names = &state.failures.templates;
    let mut reasons: Map<ReasonKey, Vec<(Option<&str>, &Reply)>> = Map::default();
    for ((key, template), reply) in &state.causes.replies {
        reasons.entry(*key).or_default().push((template.map(|t| names.text(t)), reply));
    }
    let total = |replies: &[(Option<&str>, &Reply)]| replies.iter().map(|(_, reply)| reply.deliveries).sum::<i64>();
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_cached_key(|(key, replies)| (Reverse(total(replies)), words(key)));
    let mut frame = Frame::new(&schema::REPLIES);
    for (key, mut replies) in reasons {
        // Those without a reply come last, and then are among the rest.
        replies.sort_unstable_by_key(|(template, reply)| (template.is_none(), Reverse(reply.deliveries), *template));
        let shown = replies.iter().filter(|(template, _)| template.is_some()).count().min(REPLIES);
        let (shown, rest) = replies.split_at(shown);
        for (template, reply) in shown {
            push_reply(state, &mut frame, key, *template, reply.deliveries, reply);
        }
        if let Some((_, oldest)) = rest.iter().min_by(|(_, a), (_, b)| (a.oldest, &a.example).cmp(&(b.oldest, &b.example))) {
            push_reply(state, &mut frame, key, None, total(rest), oldest);
        }
    }
    Ok(frame)
}

fn push_reply(state: &State<'_>, frame: &mut Frame, key: ReasonKey, template: Option<&str>, deliveries: i64, reply: &Reply) {
    let (reason, class, disposition) = words(&key);
    let example = String::from_utf8_lossy(&reply.example);
    let (file, offset) = line(state, reply.oldest);
    frame.push(&[
        Value::Utf8(reason),
        Value::Utf8(class),
        Value::Utf8(disposition),
        template.map_or(Value::Null, Value::Utf8),
        Value::Int64(deliveries),
        if example.is_empty() { Value::Null } else { Value::Utf8(&example) },
        Value::Timestamp(reply.oldest.at),
        file,
        offset,
    ]);
}
