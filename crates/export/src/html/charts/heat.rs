//! Provider × reason: where which failure gathers.

use std::collections::HashMap;

use bouncestat_aggregation::Value;
use maud::{Markup, html};
use plotters::style::RGBColor;

use super::timeline::as_table;
use super::{INK, MUTED, PANEL, Side, figure, short, svg};
use crate::Result;
use crate::html::Page;
use crate::text::{count, percent};
use crate::view::{Column, column, plain};

const PROVIDERS: usize = 9;
const REASONS: usize = 14;
const CELL: (i32, i32) = (82, 24);
const LEFT: i32 = 170;
const TOP: i32 = 28;

/// Shares of a provider's deliveries from which a colour counts, and the colour of what is written on it.
const HEAT: [(f64, RGBColor, RGBColor); 5] = [
    (0.0, RGBColor(0xFD, 0xE8, 0xDC), LOW),
    (0.005, RGBColor(0xFB, 0xC9, 0xAE), LOW),
    (0.02, RGBColor(0xF4, 0xA0, 0x7C), LOW),
    (0.05, RGBColor(0xDC, 0x6E, 0x52), LOW),
    (0.2, RGBColor(0xA9, 0x32, 0x26), RGBColor(0xFF, 0xFF, 0xFF)),
];
const LOW: RGBColor = RGBColor(0x1D, 0x23, 0x28);

static COLUMNS: &[Column] = &[
    plain!("provider", "provider", false, 0),
    plain!("reason", "reason", false, 0),
    plain!("class", "class", false, 0),
    plain!("to do", "disposition", false, 0),
    plain!("deliveries", "deliveries", true, 0),
    Column { sort: "share", ..column("% of the provider's", true, 0, |row| row.float("share").map(percent).unwrap_or_default()) },
];

pub(in crate::html) fn heat(page: &Page<'_>) -> Result<Markup> {
    let Some(frame) = page.frame("provider_reasons").filter(|f| !f.is_empty()) else { return Ok(html! {}) };
    // A reason may have two classes: they share a cell.
    let mut cells: HashMap<(&str, &str), (i64, f64)> = HashMap::new();
    let (mut providers, mut reasons): (HashMap<&str, i64>, HashMap<&str, i64>) = Default::default();
    for i in 0..frame.len() {
        let row = ["provider", "reason", "deliveries", "share"].map(|c| frame.named(i, c));
        let [Value::Utf8(provider), Value::Utf8(reason), Value::Int64(n), Value::Float64(share)] = row else { continue };
        let cell = cells.entry((provider, reason)).or_default();
        *cell = (cell.0 + n, cell.1 + share);
        *providers.entry(provider).or_default() += n;
        *reasons.entry(reason).or_default() += n;
    }
    let (all_providers, all_reasons) = (providers.len(), reasons.len());
    let (providers, reasons) = (first(providers, PROVIDERS), first(reasons, REASONS));
    let size = (LEFT + CELL.0 * providers.len() as i32 + 10, TOP + CELL.1 * reasons.len() as i32 + 6);
    let label = "Failed deliveries by provider and reason";
    let picture = svg((size.0.max(920), size.1), label, |canvas| {
        for (x, provider) in (0..).zip(&providers) {
            canvas.text(&short(provider, 12), (LEFT + CELL.0 * x + CELL.0 / 2, TOP - 14), Side::Middle, INK)?;
        }
        for (y, reason) in (0..).zip(&reasons) {
            let top = TOP + CELL.1 * y;
            canvas.text(reason, (LEFT - 10, top + CELL.1 / 2), Side::Right, INK)?;
            for (x, provider) in (0..).zip(&providers) {
                let left = LEFT + CELL.0 * x;
                let (low, high) = ((left, top), (left + CELL.0 - 2, top + CELL.1 - 2));
                let Some(&(n, share)) = cells.get(&(*provider, *reason)) else {
                    canvas.rect(low, high, PANEL)?;
                    continue;
                };
                let (_, ground, ink) = HEAT.iter().rev().find(|(from, ..)| share >= *from).copied().unwrap_or(HEAT[0]);
                canvas.rect(low, high, ground)?;
                canvas.text(&count(n), (left + CELL.0 / 2, top + CELL.1 / 2), Side::Middle, ink)?;
            }
        }
        if providers.len() < PROVIDERS {
            let x = LEFT + CELL.0 * providers.len() as i32 + 16;
            canvas.text("numbers: failed deliveries", (x, TOP + CELL.1 / 2), Side::Left, MUTED)?;
        }
        Ok(())
    })?;
    let caption = html! {
        "Failed deliveries; the colour is their share of all deliveries to the provider:"
        span.key.k1 {} "less" span.key.k2 {} "from 0.5 %" span.key.k3 {} "2 %" span.key.k4 {} "5 %" span.key.k5 {} "20 %. "
        @if providers.len() < all_providers || reasons.len() < all_reasons {
            "Drawn: " (providers.len()) " of " (all_providers) " providers, " (reasons.len()) " of " (all_reasons) " reasons, those with most."
        }
    };
    Ok(html! {
        section aria-labelledby="heat" {
            h2 #heat { "Providers and reasons" }
            (figure(&picture, label, &caption))
            (as_table(page, frame, "Providers and reasons", COLUMNS))
        }
    })
}

/// The names with the greatest counts.
fn first(counts: HashMap<&str, i64>, most: usize) -> Vec<&str> {
    let mut names: Vec<_> = counts.into_iter().collect();
    names.sort_unstable_by(|(a, n), (b, m)| m.cmp(n).then(a.cmp(b)));
    names.into_iter().take(most).map(|(name, _)| name).collect()
}
