//! What was read, what was not understood, what is not counted, and how: what makes the numbers above believable.

use maud::{Markup, html};

use super::Page;
use crate::text::count;
use crate::view;

/// What must be known before a number is believed; nothing where all is well.
pub(super) fn notes(page: &Page<'_>) -> Markup {
    let c = &page.report.meta.coverage;
    let n = |n: u64| count(i64::try_from(n).unwrap_or(i64::MAX));
    let mut notes: Vec<String> = page.options.notes.iter().map(|note| crate::text::printable(note).into_owned()).collect();
    if c.unrecognised > 0 {
        let look = if c.unrecognised == 1 {
            "line looks like a delivery line and was"
        } else {
            "lines look like delivery lines and were"
        };
        notes.push(format!("{} {look} not understood: failures may be missing.", n(c.unrecognised)));
    }
    if c.truncated > 0 {
        notes.push(format!("{} cut for their length: replies may be shortened.", counted(c.truncated, "line was", "lines were")));
    }
    if c.lost > 0 {
        notes.push(format!(
            "{} left the queue without a word after a temporary failure, and counted as expired.",
            counted(c.lost, "delivery", "deliveries")
        ));
    }
    html! {
        @if !notes.is_empty() {
            aside.note aria-label="Warnings" {
                strong { "Before you rely on these numbers" }
                ul { @for note in &notes { li { (note) } } }
            }
        }
    }
}

fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(i64::try_from(n).unwrap_or(i64::MAX)), if n == 1 { one } else { many })
}

/// How it was counted.
pub(super) fn section(page: &Page<'_>) -> Markup {
    let meta = &page.report.meta;
    let w = &meta.window;
    let excluded = view::excluded(meta);
    let moment = |at: Option<i64>, none: &str| at.map_or_else(|| none.to_owned(), page.clock);
    html! {
        section aria-labelledby="coverage" {
            h2 #coverage { "How it was counted" }
            p { (view::coverage(page.report)) ". Every line is one of the three." }
            @if !excluded.is_empty() { p { "Not counted as deliveries: " (excluded) "." } }
            p {
                "Window: from " (moment(w.since, "the beginning of the logs")) " to " (moment(w.until, "their end"))
                "; first attempt " (moment(w.first_event, "none")) ", last attempt " (moment(w.last_event, "none"))
                ". Times are in " (page.options.zone) "."
            }
            p {
                "A delivery is one recipient of one message with all its attempts; its outcome is where it stands at the end of the window: "
                "delivered, bounced (refused for good), expired (given up after temporary failures) or deferred (still in the queue). "
                "Hard are failures that trying again will not help; soft ones may pass. Rates are of deliveries, each with its 95 % Wilson "
                "interval; where trouble is most certain comes first, by the lower end of the interval, so that 1 of 1 is not the worst."
            }
            p {
                "To see every attempt behind a number: " code { "bouncestat attempts" } " with the same logs and window. To see the line at a place: "
                code { "tail -c +N FILE | head -1" } ", N being the offset plus 1; a packed file is unpacked first (" code { "zcat" } "). Narrow windows and paper show fewer columns; CSV and Parquet have all."
            }
        }
    }
}

/// What made the page.
pub(super) fn footer(page: &Page<'_>) -> Markup {
    let meta = &page.report.meta;
    html! {
        footer {
            p {
                "bouncestat " (meta.version) ", rules " (meta.rules) ". " (view::window_of(page.report, page.clock)) ", " (page.options.zone) ". "
                "This page loads nothing and sends nothing."
            }
        }
    }
}
