//! Why deliveries failed: each reason with what it means, what to do, its kinds of replies, and where the oldest of each stands.

use maud::{Markup, html};

use super::charts::short;
use super::{Page, tables};
use crate::view::{Row, VIEWS};

/// Kinds of replies shown of a reason, and how many of them are not folded; the table `replies` has more.
const REPLIES: usize = 8;
const OPEN: usize = 2;
/// Characters of a reply: some servers write whole pages.
const LENGTH: usize = 400;

/// The name under which a reason can be reached in the page.
pub(super) fn anchor(reason: &str, class: &str, disposition: &str) -> String {
    format!("r-{reason}-{class}-{disposition}")
}

/// The table of reasons, then one card a reason.
pub(super) fn section(page: &Page<'_>) -> Markup {
    let (Some(frame), Some(view)) = (page.frame("reasons"), VIEWS.iter().find(|v| v.table == "reasons")) else {
        return html! {};
    };
    if frame.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="reasons" {
            h2 #reasons { "Reasons" }
            p { "Why deliveries failed, and what to do. Every kind of reply below leads to a line of a log: file, and offset in bytes." }
            (tables::grid(page, frame, view.title, view.columns, &[]))
            @for i in crate::rows(frame, Some(page.top)) { (card(page, &Row::new(frame, i, page.clock))) }
        }
    }
}

fn card(page: &Page<'_>, reason: &Row<'_>) -> Markup {
    let word = |column| reason.text(column).unwrap_or_default();
    let (name, class, disposition) = (word("reason"), word("class"), word("disposition"));
    let words = page.options.advice.and_then(|advice| advice(&name));
    let replies: Vec<Row<'_>> = page.frame("replies").map_or(Vec::new(), |frame| {
        let all = (0..frame.len()).map(|i| Row::new(frame, i, page.clock));
        let same = |row: &Row<'_>| ["reason", "class", "disposition"].iter().all(|c| row.value(c) == reason.value(c));
        all.filter(same).collect()
    });
    let left = replies.len().saturating_sub(REPLIES);
    html! {
        article id=(anchor(&name, &class, &disposition)) {
            h3 { (name) " " span class=(class) { "(" (class) ")" } }
            p.sub {
                (counted(&word("deliveries"), "delivery", "deliveries")) " to " (counted(&word("domains"), "domain", "domains")) ". To do: " strong { (disposition) } "."
                @if let Some((_, definition)) = words { " Means: " (definition) "." }
            }
            @if let Some((advice, _)) = words { p { (advice) } }
            @for reply in replies.iter().take(OPEN) { (kind(reply)) }
            @if replies.len() > OPEN {
                details {
                    summary { (replies.len().min(REPLIES) - OPEN) " more kinds of replies" }
                    @for reply in replies.iter().skip(OPEN).take(REPLIES - OPEN) { (kind(reply)) }
                }
            }
            @if left > 0 {
                p.sub { (left) @if left == 1 { " more kind is" } @else { " more kinds are" } " in replies.csv (" code { "--export DIR" } ")." }
            }
        }
    }
}

fn counted(n: &str, one: &str, many: &str) -> String {
    format!("{n} {}", if n == "1" { one } else { many })
}

/// One kind of reply.
fn kind(reply: &Row<'_>) -> Markup {
    let template = reply.text("template");
    html! {
        div.reply {
            p {
                strong { (reply.text("deliveries").unwrap_or_default()) " × " }
                @match &template { Some(template) => { code { (short(template, LENGTH)) } } None => { "other replies, or none" } }
            }
            @if let Some(example) = reply.text("example") { p { "As logged: " code { (short(&example, LENGTH)) } } }
            p.sub { (tables::place(reply)) }
        }
    }
}
