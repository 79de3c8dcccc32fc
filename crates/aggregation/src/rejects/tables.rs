//! Counted refusals as tables, in the order of the column list.

use bouncestat_record::{Reason, Stage};

use super::Rejects;
use super::row::Row;
use crate::report::Table;
use crate::schema::{self, TableSpec};
use crate::{Frame, Value};

/// Every table.
pub(super) fn all(rejects: &Rejects, files: &[String]) -> Vec<Table> {
    let mut totals = Frame::new(&schema::REJECT_TOTALS);
    totals.push(&counts(&rejects.total));
    let hosts = grouped(&schema::REJECT_HOSTS, &rejects.hosts, |(host, mta)| vec![Some(host), Some(mta.as_str())], reason);
    let of_reason = |key: &(Reason, Option<Stage>)| vec![Some(key.0.as_str()), key.1.map(Stage::as_str)];
    let reasons = grouped(&schema::REJECT_REASONS, &rejects.reasons, of_reason, |row| example(row, files));
    let lists = grouped(
        &schema::REJECT_BLOCKLISTS,
        &rejects.blocklists,
        |(list, state)| vec![Some(list), Some(state.as_str())],
        |row| example(row, files),
    );
    let mut networks = Frame::new(&schema::REJECT_NETWORKS);
    for (network, row) in ranked(&rejects.networks, |network| vec![Some(network)]) {
        let mut values = vec![Value::Utf8(network[0].unwrap_or_default()), text(row.client())];
        values.extend(counts(row));
        values.extend(reason(row));
        networks.push(&values);
    }
    let domains = grouped(&schema::REJECT_DOMAINS, &rejects.domains, |domain| vec![Some(domain)], reason);
    [totals, hosts, reasons, lists, networks, domains].into_iter().map(Table::from).collect()
}

/// A table of groups: key, counts, and what `more` says.
fn grouped<'r, K: 'r>(
    spec: &'static TableSpec,
    rows: impl IntoIterator<Item = (&'r K, &'r Row)>,
    key: impl Fn(&'r K) -> Vec<Option<&'r str>>,
    more: impl Fn(&'r Row) -> Vec<Value<'r>>,
) -> Frame {
    let mut frame = Frame::new(spec);
    for (key, row) in ranked(rows, key) {
        let mut values: Vec<_> = key.into_iter().map(text).collect();
        values.extend(counts(row));
        values.extend(more(row));
        frame.push(&values);
    }
    frame
}

/// Groups by rejects, falling, then by key.
fn ranked<'r, K: 'r>(
    rows: impl IntoIterator<Item = (&'r K, &'r Row)>,
    key: impl Fn(&'r K) -> Vec<Option<&'r str>>,
) -> Vec<(Vec<Option<&'r str>>, &'r Row)> {
    let mut rows: Vec<_> = rows.into_iter().map(|(k, row)| (key(k), row)).collect();
    rows.sort_unstable_by(|a, b| b.1.rejects.cmp(&a.1.rejects).then_with(|| a.0.cmp(&b.0)));
    rows
}

/// The columns that all tables have.
fn counts(row: &Row) -> [Value<'static>; 7] {
    let event = |at: Option<i64>| at.map_or(Value::Null, Value::Timestamp);
    let [clients, networks, domains] = row.distinct().map(|n| Value::Int64(n as i64));
    let [rejects, temporary] = [row.rejects, row.temporary].map(|n| Value::Int64(n as i64));
    let (first, last) = (row.span.map(|(first, _)| first), row.span.map(|(_, last)| last));
    [rejects, temporary, clients, networks, domains, event(first), event(last)]
}

fn reason(row: &Row) -> Vec<Value<'_>> {
    vec![Value::Utf8(row.reason().as_str())]
}

/// Template, example, file and offset.
fn example<'r>(row: &'r Row, files: &'r [String]) -> Vec<Value<'r>> {
    let Some(oldest) = &row.oldest else { return vec![Value::Null; 4] };
    let file = files.get(oldest.file as usize).map(String::as_str);
    let reply = Some(oldest.text.as_str()).filter(|reply| !reply.is_empty());
    vec![text(row.template()), text(reply), text(file), Value::Int64(oldest.offset as i64)]
}

/// A text that may be missing.
fn text(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Null, Value::Utf8)
}
