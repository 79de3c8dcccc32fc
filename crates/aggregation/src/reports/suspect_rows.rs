//! The tables of suspects: the suspects themselves, their evidence line by line, and what only looks like one.

use super::State;
use super::suspects::{Found, Thresholds, kind, weigh};
use crate::refusals::Said;
use crate::wilson::interval;
use crate::{Frame, Result, Value, schema};

const MAX_DOMAINS: usize = 20;
const MAX_EVIDENCE: usize = 3;

/// The suspects of the nightly report.
pub(super) fn suspects(state: &State<'_>) -> Result<Frame> {
    Ok(frame(state, &weigh(state, None, &Thresholds::default()).suspects))
}

/// Suspects, evidence, look-alikes.
pub(crate) fn tables(state: &State<'_>, before: Option<&State<'_>>, thresholds: &Thresholds, files: &[String]) -> [Frame; 3] {
    let found = weigh(state, before, thresholds);
    [frame(state, &found.suspects), evidence(state, &found.suspects, files), lookalikes(state, &found.lookalikes, files)]
}

/// The table of suspects.
pub(crate) fn frame(state: &State<'_>, suspects: &[Found<'_>]) -> Frame {
    let mut frame = Frame::new(&schema::SUSPECTS);
    for found in suspects {
        let row = &found.row;
        let domains = domains(state, found);
        let ranked = ranked(state, found);
        let evidence: Vec<_> = ranked.iter().take(MAX_EVIDENCE).map(|(_, said)| said.oldest.lossy()).collect();
        let (first, last) = row.seen.unwrap_or_default();
        let help = row.help();
        let (low, high) = interval(row.refused as i64, found.deliveries).unwrap_or_default();
        let before = found.trend.map(|t| t.before);
        frame.push(&[
            Value::Utf8(found.names.source),
            text(found.names.listed),
            text(found.names.blocklist),
            text(found.names.provider),
            Value::Float64(found.parts.score()),
            Value::Int64(found.deliveries),
            Value::Int64(row.refused as i64),
            Value::Timestamp(first),
            Value::Timestamp(last),
            Value::Utf8List(&domains),
            Value::Utf8List(&evidence),
            text(help.url.as_deref()),
            Value::Utf8(kind(row)),
            Value::Float64(found.share().rate().unwrap_or(0.0)),
            Value::Float64(low),
            Value::Float64(high),
            Value::Float64(found.parts.share),
            Value::Float64(found.parts.receivers),
            Value::Float64(found.parts.explicit),
            Value::Float64(found.parts.onset),
            Value::Int64(row.receivers.len().max(1) as i64),
            Value::Int64(row.recipients.len() as i64),
            Value::Int64(row.domains.len() as i64),
            Value::Int64(row.replies as i64),
            Value::Int64(row.delivered_later as i64),
            found.last_accepted.map_or(Value::Null, Value::Timestamp),
            before.map_or(Value::Null, |b| Value::Int64(b.whole)),
            before.map_or(Value::Null, |b| Value::Int64(b.part)),
            found.trend.map_or(Value::Null, |t| Value::Utf8(t.change.as_str())),
            Value::Utf8(&help.who),
            Value::Utf8(&help.advice),
        ]);
    }
    frame
}

/// Every kind of reply of every suspect, with the place of its oldest line.
fn evidence(state: &State<'_>, suspects: &[Found<'_>], files: &[String]) -> Frame {
    let mut frame = Frame::new(&schema::EVIDENCE);
    for (number, found) in suspects.iter().enumerate() {
        for (template, said) in ranked(state, found) {
            let example = said.oldest.lossy();
            frame.push(&[
                Value::Int64(number as i64 + 1),
                Value::Utf8(found.names.source),
                text(found.names.listed),
                text(found.names.blocklist),
                text(found.names.provider),
                Value::Utf8(template),
                Value::Int64(said.deliveries as i64),
                Value::Timestamp(said.oldest.at),
                Value::Timestamp(said.last),
                Value::Utf8(&example),
                text(files.get(said.oldest.file as usize).map(String::as_str)),
                Value::Int64(said.oldest.offset as i64),
            ]);
        }
    }
    frame
}

/// What looks like a suspect and is none.
fn lookalikes(state: &State<'_>, all: &[Found<'_>], files: &[String]) -> Frame {
    let mut frame = Frame::new(&schema::LOOKALIKES);
    for found in all {
        let row = &found.row;
        let domains = domains(state, found);
        let ranked = ranked(state, found);
        let first = ranked.first().map(|(_, said)| &said.oldest);
        let example = first.map(|proof| proof.lossy());
        let (since, last) = row.seen.unwrap_or_default();
        let mut help = row.help();
        if found.cleared == Some("one_recipient") {
            help.who = "that recipient".to_owned();
            help.advice = "One recipient alone refuses, by a rule or filter of its own: ask there, by other means.".to_owned();
            help.url = None;
        }
        frame.push(&[
            Value::Utf8(found.cleared.unwrap_or("")),
            Value::Utf8(found.names.source),
            text(found.names.listed),
            text(found.names.blocklist),
            text(found.names.provider),
            Value::Int64(found.deliveries),
            Value::Int64(row.refused as i64),
            Value::Int64(row.recipients.len() as i64),
            Value::Timestamp(since),
            Value::Timestamp(last),
            Value::Utf8List(&domains),
            text(example.as_deref()),
            text(first.and_then(|proof| files.get(proof.file as usize)).map(String::as_str)),
            first.map_or(Value::Null, |proof| Value::Int64(proof.offset as i64)),
            Value::Utf8(&help.who),
            Value::Utf8(&help.advice),
            text(help.url.as_deref()),
        ]);
    }
    frame
}

/// A text that may be missing.
fn text(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Null, Value::Utf8)
}

fn domains(state: &State<'_>, found: &Found<'_>) -> Vec<String> {
    let mut domains: Vec<_> = found.row.domains.iter().map(|&d| state.keys.domains.text(d).to_owned()).collect();
    domains.sort_unstable();
    domains.truncate(MAX_DOMAINS);
    domains
}

/// Replies by deliveries, falling, then by template.
fn ranked<'f>(state: &State<'f>, found: &'f Found<'_>) -> Vec<(&'f str, &'f Said)> {
    let mut all: Vec<_> = found.row.said.iter().map(|(&t, said)| (state.refusals.templates.text(t), said)).collect();
    all.sort_unstable_by(|a, b| b.1.deliveries.cmp(&a.1.deliveries).then(a.0.cmp(b.0)));
    all
}
