//! Outcomes over time: all deliveries above, the failed ones below with a scale of their own.

use bouncestat_aggregation::{Frame, Value};
use maud::{Markup, html};

use super::{Canvas, DELIVERED, HARD, LINE, MUTED, SOFT, Side, axis, figure, scaled, svg};
use crate::Result;
use crate::html::{Page, tables};
use crate::text::count;
use crate::view::{Column, plain};

const SIZE: (i32, i32) = (920, 330);
/// Left, right end of the bars.
const BARS: (i32, i32) = (70, 905);

static COLUMNS: &[Column] = &[
    plain!("from", "start", false, 0),
    plain!("deliveries", "deliveries", true, 0),
    plain!("delivered", "delivered", true, 0),
    plain!("hard", "hard", true, 0),
    plain!("soft", "soft", true, 0),
    plain!("bounced", "bounced", true, 0),
    plain!("expired", "expired", true, 0),
    plain!("deferred", "deferred", true, 0),
];

struct Step {
    start: i64,
    /// hard, soft, delivered: from the ground up.
    parts: [i64; 3],
}

pub(in crate::html) fn timeline(page: &Page<'_>) -> Result<Markup> {
    let Some(frame) = page.frame("timeline").filter(|f| !f.is_empty()) else { return Ok(html! {}) };
    let n = |row: usize, column: &str| match frame.named(row, column) {
        Value::Int64(n) | Value::Timestamp(n) => Some(n),
        _ => None,
    };
    let part = |row, column| n(row, column).unwrap_or(0);
    let steps: Vec<Step> = (0..frame.len())
        .filter_map(|i| Some(Step { start: n(i, "start")?, parts: [part(i, "hard"), part(i, "soft"), part(i, "delivered")] }))
        .collect();
    let never: i64 = (0..frame.len()).filter(|&i| n(i, "start").is_none()).map(|i| part(i, "deliveries")).sum();
    let seconds = part(0, "seconds");
    let label = "Deliveries over time by outcome";
    let picture = if steps.is_empty() {
        html! {}
    } else {
        svg(SIZE, label, |canvas| draw(canvas, page, &steps, seconds))?
    };
    let caption = html! {
        span.key.kd {} "delivered" span.key.ks {} "soft" span.key.kh {} "hard; below, the failed ones alone. "
        "A bar is " (width(seconds)) ": deliveries by their last attempt."
        @if never > 0 { " Not drawn: " (count(never)) " without an attempt in the window." }
    };
    Ok(html! {
        section aria-labelledby="over-time" {
            h2 #over-time { "Over time" }
            (figure(&picture, label, &caption))
            (as_table(page, frame, "Over time", COLUMNS))
        }
    })
}

/// What a chart shows, as a table, folded.
pub(super) fn as_table(page: &Page<'_>, frame: &Frame, title: &str, columns: &[Column]) -> Markup {
    html! { details { summary { "The same as a table" } (tables::grid(page, frame, title, columns, &[])) } }
}

/// `15 minutes`.
fn width(seconds: i64) -> String {
    let (n, unit) = match seconds {
        ..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}

fn draw(canvas: &Canvas<'_>, page: &Page<'_>, steps: &[Step], seconds: i64) -> std::io::Result<()> {
    panel(canvas, steps, (10, 180), 3)?;
    panel(canvas, steps, (205, 285), 2)?;
    // At most eight moments, two lines each: the time, and the day where it changes.
    let every = steps.len().div_ceil(8);
    let mut day = String::new();
    for (i, step) in steps.iter().enumerate().step_by(every) {
        let x = place(i, steps.len());
        let moment: Vec<char> = (page.clock)(step.start).chars().collect();
        let cut = |from: usize, to: usize| moment.get(from..to.min(moment.len())).unwrap_or(&[]).iter().collect::<String>();
        canvas.line((x, 285), (x, 290), MUTED, 1)?;
        let (date, time) = (cut(0, 10), cut(11, if seconds < 60 { 19 } else { 16 }));
        if seconds < 86_400 {
            canvas.text(&time, (x, 300), Side::Left, MUTED)?;
        }
        if date != day {
            canvas.text(&date, (x, if seconds < 86_400 { 317 } else { 300 }), Side::Left, MUTED)?;
            day = date;
        }
    }
    Ok(())
}

fn place(step: usize, steps: usize) -> i32 {
    BARS.0 + scaled(step as i64, steps as i64, BARS.1 - BARS.0)
}

/// The first `parts` of each step, between two heights.
fn panel(canvas: &Canvas<'_>, steps: &[Step], (top, ground): (i32, i32), parts: usize) -> std::io::Result<()> {
    let most = steps.iter().map(|s| s.parts[..parts].iter().sum::<i64>()).max().unwrap_or(0);
    let (end, ticks) = axis(most);
    let ticks = if parts < 3 && ticks > 2 { ticks.min(if ticks % 2 == 0 { 2 } else { 1 }) } else { ticks };
    for tick in 0..=ticks {
        let value = end / ticks * tick;
        let y = ground - scaled(value, end, ground - top);
        canvas.line((BARS.0, y), (BARS.1, y), LINE, 1)?;
        canvas.text(&count(value), (BARS.0 - 8, y), Side::Right, MUTED)?;
    }
    for (i, step) in steps.iter().enumerate() {
        let (left, right) = (place(i, steps.len()), place(i + 1, steps.len()));
        let right = if right - left > 3 { right - 1 } else { right };
        let mut below = 0;
        for (&part, color) in step.parts[..parts].iter().zip([HARD, SOFT, DELIVERED]) {
            let (from, to) = (scaled(below, end, ground - top), scaled(below + part, end, ground - top));
            // What is there can be seen, however small.
            if part > 0 {
                canvas.rect((left, ground - to.max(from + 1)), (right, ground - from), color)?;
            }
            below += part;
        }
    }
    canvas.line((BARS.0, ground), (BARS.1, ground), MUTED, 1)
}
