//! How long deliveries took, from arrival to delivery.

use bouncestat_aggregation::Value;
use maud::{Markup, html};

use super::timeline::as_table;
use super::{DELIVERED, INK, MUTED, Side, figure, scaled, svg};
use crate::Result;
use crate::html::Page;
use crate::text::{count, duration, percent};
use crate::view::{Column, column, plain};

const ROW: i32 = 24;
const LEFT: i32 = 170;
const LENGTH: i32 = 580;

static COLUMNS: &[Column] = &[
    Column {
        sort: "from_ms",
        ..column("from", true, 0, |row| match row.value("from_ms") {
            Value::Int64(ms) => long(ms),
            _ => String::new(),
        })
    },
    Column {
        sort: "to_ms",
        ..column("to less than", true, 0, |row| match row.value("to_ms") {
            Value::Int64(ms) => long(ms),
            _ => "–".to_owned(),
        })
    },
    plain!("deliveries", "deliveries", true, 0),
];

/// `1.0 min` as `1 min`: the ranges begin at round numbers.
fn long(ms: i64) -> String {
    duration(ms).replace(".0 ", " ")
}

/// Whether there is something to draw.
pub(in crate::html) fn any_delay(page: &Page<'_>) -> bool {
    page.frame("delays").is_some_and(|f| (0..f.len()).any(|i| f.named(i, "deliveries") != Value::Int64(0)))
}

pub(in crate::html) fn delays(page: &Page<'_>) -> Result<Markup> {
    let Some(frame) = page.frame("delays") else { return Ok(html! {}) };
    let n = |row: usize, column: &str| match frame.named(row, column) {
        Value::Int64(n) => Some(n),
        _ => None,
    };
    let counts: Vec<i64> = (0..frame.len()).map(|i| n(i, "deliveries").unwrap_or(0)).collect();
    let (all, most) = (counts.iter().sum::<i64>(), counts.iter().copied().max().unwrap_or(0));
    let used = |i: &usize| counts[*i] > 0;
    let (Some(first), Some(last)) = ((0..counts.len()).find(used), (0..counts.len()).rev().find(used)) else {
        return Ok(html! {});
    };
    let label = "How long deliveries took";
    let picture = svg((920, ROW * (last - first + 1) as i32 + 12), label, |canvas| {
        for (y, i) in (first..=last).enumerate() {
            let top = 6 + ROW * y as i32;
            let from = n(i, "from_ms").unwrap_or(0);
            let range = match n(i, "to_ms") {
                Some(to) if from == 0 => format!("less than {}", long(to)),
                Some(to) => format!("{} – {}", long(from), long(to)),
                None => format!("{} or longer", long(from)),
            };
            canvas.text(&range, (LEFT - 10, top + ROW / 2), Side::Right, INK)?;
            let end = LEFT + scaled(counts[i], most, LENGTH).max(i32::from(counts[i] > 0));
            if counts[i] > 0 {
                canvas.rect((LEFT, top + 3), (end, top + ROW - 3), DELIVERED)?;
            }
            let share = percent(counts[i] as f64 / all as f64);
            canvas.text(&format!("{} ({share} %)", count(counts[i])), (end + 8, top + ROW / 2), Side::Left, MUTED)?;
        }
        Ok(())
    })?;
    let caption = html! {
        "Time from arrival to delivery of " (count(all)) " deliveries whose log tells it. The ranges grow about threefold."
    };
    Ok(html! {
        section aria-labelledby="delay" {
            h2 #delay { "Delay" }
            (figure(&picture, label, &caption))
            (as_table(page, frame, "Delay", COLUMNS))
        }
    })
}
