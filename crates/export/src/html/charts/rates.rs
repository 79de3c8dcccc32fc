//! The rates of the worst domains, with their 95 % intervals: how sure it is that they are bad.

use bouncestat_aggregation::Value;
use maud::{Markup, html};

use super::{HARD, INK, LINE, MUTED, SOFT, Side, figure, short, svg};
use crate::Result;
use crate::html::Page;
use crate::text::count;
use crate::view::Row;

/// Domains drawn.
const DOMAINS: usize = 15;
const ROW: i32 = 28;
/// Left, right end of the scale.
const SCALE: (i32, i32) = (330, 890);

pub(in crate::html) fn rates(page: &Page<'_>) -> Result<Markup> {
    let Some(domains) = page.frame("domains") else { return Ok(html! {}) };
    let failed = |i: &usize| match (domains.named(*i, "hard"), domains.named(*i, "soft")) {
        (Value::Int64(hard), Value::Int64(soft)) => hard + soft > 0,
        _ => false,
    };
    let worst: Vec<Row<'_>> = (0..domains.len()).filter(failed).take(DOMAINS).map(|i| Row::new(domains, i, page.clock)).collect();
    if worst.is_empty() {
        return Ok(html! {});
    }
    let ground = 12 + ROW * worst.len() as i32;
    let label = "Hard and soft rates of the worst domains with their 95 % intervals";
    let at = |rate: f64| SCALE.0 + (rate * f64::from(SCALE.1 - SCALE.0)).round() as i32;
    let picture = svg((920, ground + 30), label, |canvas| {
        for percent in [0, 25, 50, 75, 100] {
            let x = at(f64::from(percent) / 100.0);
            canvas.line((x, 6), (x, ground), LINE, 1)?;
            canvas.text(&format!("{percent} %"), (x, ground + 14), Side::Middle, MUTED)?;
        }
        for (i, row) in worst.iter().enumerate() {
            let y = 12 + ROW * i as i32 + ROW / 2;
            let name = row.text("domain").unwrap_or_default();
            canvas.text(&short(&name, 34), (8, y), Side::Left, INK)?;
            let deliveries = match row.value("deliveries") {
                Value::Int64(n) => count(n),
                _ => String::new(),
            };
            canvas.text(&deliveries, (SCALE.0 - 16, y), Side::Right, MUTED)?;
            for (rate, low, high, y, color) in [
                ("hard_rate", "hard_rate_low", "hard_rate_high", y - 5, HARD),
                ("soft_rate", "soft_rate_low", "soft_rate_high", y + 6, SOFT),
            ] {
                if let (Some(rate), Some(low), Some(high)) = (row.float(rate), row.float(low), row.float(high))
                    && rate > 0.0
                {
                    canvas.line((at(low), y), (at(high), y), color, 2)?;
                    canvas.dot((at(rate), y), color)?;
                }
            }
        }
        Ok(())
    })?;
    let caption = html! {
        span.key.kh {} "hard" span.key.ks {} "soft; the dot is the rate, the line its 95 % interval, the number the deliveries. "
        "A kind of failure that did not happen is not drawn. The " (worst.len()) " domains where trouble is most certain. The numbers are in the table of domains."
    };
    Ok(html! {
        section aria-labelledby="worst" {
            h2 #worst { "Worst domains" }
            (figure(&picture, label, &caption))
        }
    })
}
