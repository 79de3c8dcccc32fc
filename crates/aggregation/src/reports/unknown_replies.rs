//! Replies that no rule knows, masked, the most frequent first: each is ready to become a rule.

use super::State;
use crate::{Frame, Result, Value, schema};

pub(super) fn unknown_replies(state: &State<'_>) -> Result<Frame> {
    let mut frame = Frame::new(&schema::UNKNOWN_REPLIES);
    for row in state.failures.unknown_templates(usize::MAX) {
        frame.push(&[Value::Utf8(&row.template), Value::Int64(row.deliveries as i64), Value::Utf8(&row.example)]);
    }
    Ok(frame)
}
