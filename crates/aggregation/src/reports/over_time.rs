//! Deliveries over time, and how long they took.

use super::State;
use crate::sums::Group;
use crate::{Error, Frame, Result, Value, schema};

/// One row a step of time.
pub(super) fn timeline(state: &State<'_>) -> Result<Frame> {
    let steps = state.timeline.rows();
    let mut frame = Frame::new(&schema::TIMELINE);
    let never = (Value::Null, steps.never);
    let rows = steps.rows.iter().map(|&(start, counts)| (Value::Timestamp(start), counts));
    for (start, counts) in rows.chain([never].into_iter().filter(|(_, counts)| counts.iter().any(|&n| n > 0))) {
        let [delivered, delayed, bounced, expired, deferred, hard, soft] = counts;
        let deliveries = delivered + bounced + expired + deferred;
        if deliveries != delivered + hard + soft {
            return Err(Error::identity(format!(
                "table timeline: {deliveries} deliveries are not {delivered} + {hard} + {soft}"
            )));
        }
        let all = [deliveries, delivered, delayed, bounced, expired, deferred, hard, soft].map(Value::Int64);
        let mut row = vec![start, Value::Int64(steps.seconds)];
        row.extend(all);
        frame.push(&row);
    }
    Ok(frame)
}

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Where the steps of the distribution of delays begin, milliseconds. Each is about three times the one before, at round numbers.
const FROM: [i64; 15] = [
    0,
    100,
    300,
    SECOND,
    3 * SECOND,
    10 * SECOND,
    30 * SECOND,
    MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    HOUR,
    4 * HOUR,
    12 * HOUR,
    DAY,
    3 * DAY,
];

/// One row a range of delays.
pub(super) fn delays(state: &State<'_>) -> Result<Frame> {
    let mut counts = [0i64; FROM.len()];
    for (delay, n) in state.cells.iter().flat_map(|group: &Group| group.delays.counts()) {
        counts[FROM.partition_point(|&from| from <= delay).max(1) - 1] += n;
    }
    let mut frame = Frame::new(&schema::DELAYS);
    if counts.iter().all(|&n| n == 0) {
        return Ok(frame);
    }
    for (i, &n) in counts.iter().enumerate() {
        let to = FROM.get(i + 1).map_or(Value::Null, |&to| Value::Int64(to));
        frame.push(&[Value::Int64(FROM[i]), to, Value::Int64(n)]);
    }
    Ok(frame)
}
