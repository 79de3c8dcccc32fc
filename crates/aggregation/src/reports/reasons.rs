//! Why deliveries failed: one row a (reason, class, disposition).

use super::State;
use crate::failures::Example;
use crate::{Frame, Result, Value, schema};

pub(super) fn reasons(state: &State<'_>) -> Result<Frame> {
    let mut rows: Vec<_> = state.failures.reasons.iter().collect();
    rows.sort_unstable_by(|(a, x), (b, y)| {
        let name = |k: &crate::failures::ReasonKey| (k.reason.as_str(), k.class.as_str(), k.disposition.as_str());
        y.deliveries.cmp(&x.deliveries).then_with(|| name(a).cmp(&name(b)))
    });
    let mut frame = Frame::new(&schema::REASONS);
    for (key, row) in rows {
        let template = state.failures.ranked(&row.templates).first().map(|&(template, _)| template);
        let example = row.example.as_ref().map(Example::lossy);
        frame.push(&[
            Value::Utf8(key.reason.as_str()),
            Value::Utf8(key.class.as_str()),
            Value::Utf8(key.disposition.as_str()),
            Value::Int64(row.deliveries as i64),
            Value::Int64(row.domains.len() as i64),
            template.map_or(Value::Null, Value::Utf8),
            example.as_deref().map_or(Value::Null, Value::Utf8),
        ]);
    }
    Ok(frame)
}
