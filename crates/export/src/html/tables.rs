//! Tables that can be read without script, and sorted and filtered with it. Under a row stands why, with the way to the lines.

use std::collections::HashMap;

use bouncestat_aggregation::{Frame, Value};
use maud::{Markup, html};

use super::charts::short;
use super::reasons::anchor;
use super::{MOST, Page};
use crate::text::{count, percent, printable};
use crate::view::{Column, Row, Tone, VIEWS};

/// Reasons shown under a row.
const REASONS: usize = 4;
/// Characters of a reply under a row.
const LENGTH: usize = 200;
/// Rows on paper; the style has the same number.
const PAPER: usize = 30;

/// The sections with a heading, for those who jump.
pub(super) fn contents(page: &Page<'_>) -> Markup {
    let here = |table: &str| page.frame(table).is_some_and(|f| !f.is_empty());
    let all = [
        ("summary", "Summary", true),
        ("over-time", "Over time", here("timeline")),
        ("domains", "Domains", here("domains")),
        ("providers", "Providers", here("providers")),
        ("reasons", "Reasons", here("reasons")),
        ("suspects", "Suspects", here("suspects")),
        ("sources", "Sources", here("sources")),
        ("sender_domains", "Sender domains", here("sender_domains")),
        ("delay", "Delay", super::charts::any_delay(page)),
        ("unknown_replies", "Unknown replies", here("unknown_replies")),
        ("coverage", "How it was counted", true),
    ];
    html! {
        nav aria-label="Sections" {
            ul { @for (id, title, _) in all.iter().filter(|(_, _, here)| *here) { li { a href={ "#" (id) } { (title) } } } }
        }
    }
}

/// A table of the report under its heading; nothing where it has no rows.
pub(super) fn section(page: &Page<'_>, table: &str) -> Markup {
    let (Some(frame), Some(view)) = (page.frame(table), VIEWS.iter().find(|v| v.table == table)) else { return html! {} };
    if frame.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby=(table) {
            h2 id=(table) { (view.title) }
            (grid(page, frame, view.title, view.columns, view.notes))
        }
    }
}

/// A table with its caption.
pub(super) fn grid(page: &Page<'_>, frame: &Frame, title: &str, columns: &[Column], notes: &[Column]) -> Markup {
    let name = frame.spec().name;
    let rows = crate::rows(frame, Some(page.top));
    let why = Why::of(page, name);
    html! {
        div.rows tabindex="0" role="region" aria-label={ (title) ", table" } {
            table id={ "table-" (name) } data-sort=(title.to_lowercase()) {
                caption { span { (caption(frame, rows.len())) } }
                (head(columns))
                tbody {
                    @for i in rows.clone() {
                        @let row = Row::new(frame, i, page.clock);
                        (self::row(columns, &row, Some(notes), why.as_ref().map(|why| why.below(&row))))
                    }
                }
            }
        }
        @if rows.len() > PAPER { p.sub.onpaper { "On paper: the first " (PAPER) " rows." } }
    }
}

/// How many rows there are, in which order, and where the others are.
fn caption(frame: &Frame, shown: usize) -> Markup {
    let all = frame.len();
    let name = frame.spec().name;
    let order = match name {
        "domains" | "providers" | "sources" | "sender_domains" => ", the most certain trouble first",
        _ => "",
    };
    html! {
        @if shown < all {
            (count(shown as i64)) " of " (count(all as i64)) " rows" (order) ". All of them: " code { "bouncestat --export DIR" } " writes "
            (name) ".csv and " (name) ".parquet; " code { "--top " (all.min(MOST)) }
            @if all > MOST { " puts the first " (count(MOST as i64)) } @else { " puts them" } " into this page."
        } @else if all == 1 { "1 row." } @else { (count(all as i64)) " rows" (order) "." }
    }
}

/// Columns without a heading are bars for the terminal: the page draws.
fn shown(columns: &[Column]) -> impl Iterator<Item = &Column> {
    columns.iter().filter(|column| !column.title.is_empty())
}

/// The headings.
pub(super) fn head(columns: &[Column]) -> Markup {
    html! {
        thead { tr { @for column in shown(columns) { th scope="col" class=(class(column, "")) { (column.title) } } } }
    }
}

fn class(column: &Column, tone: &str) -> String {
    let mut class = String::new();
    for (part, on) in [("r", column.right), (&*format!("c{}", column.rank), column.rank > 0), (tone, !tone.is_empty())] {
        if on {
            class.push_str(if class.is_empty() { "" } else { " " });
            class.push_str(part);
        }
    }
    class
}

/// One row; under its first cell, folded, what there is to add.
pub(super) fn row(columns: &[Column], row: &Row<'_>, notes: Option<&[Column]>, why: Option<Markup>) -> Markup {
    let raw = |column: &Column| match row.value(column.sort) {
        _ if !column.right || column.sort.is_empty() => None,
        Value::Int64(n) => Some(n.to_string()),
        Value::Float64(n) => Some(n.to_string()),
        _ => Some(String::new()),
    };
    let notes: Vec<(&str, String)> =
        notes.unwrap_or_default().iter().map(|c| (c.title, (c.show)(row))).filter(|(_, text)| !text.is_empty()).collect();
    let why = why.filter(|markup| !markup.0.is_empty());
    html! {
        tr {
            @for (i, column) in shown(columns).enumerate() {
                @let tone = match (column.tone)(row) { Tone::Plain => "", Tone::Warning => "warning", Tone::Alarm => "alarm" };
                @let text = (column.show)(row);
                @if i == 0 {
                    th scope="row" class=[column.right.then_some("r")] data-v=[raw(column)] {
                        @if why.is_none() && notes.is_empty() { (text) } @else {
                            details {
                                summary { (text) }
                                @for (title, text) in &notes { div.why { (title) ": " (linked(text)) } }
                                @if let Some(why) = &why { (why) }
                            }
                        }
                    }
                } @else {
                    td class=[Some(class(column, tone)).filter(|c| !c.is_empty())] data-v=[raw(column)] { (text) }
                }
            }
        }
    }
}

/// An address of ours as a link, anything else as text: what a log says is never one.
fn linked(text: &str) -> Markup {
    let plain = |c: char| c.is_ascii_alphanumeric() || ":/.-_?=&%#".contains(c);
    if text.starts_with("https://") && text.chars().all(plain) {
        return html! { a href=(text) rel="noopener noreferrer" { (text) } };
    }
    html! { (text) }
}

/// Why the deliveries of each row failed.
struct Why<'a> {
    page: &'a Page<'a>,
    frame: &'a Frame,
    /// The rows of a key, most deliveries first.
    rows: HashMap<&'a str, Vec<usize>>,
    key: &'static str,
}

impl<'a> Why<'a> {
    fn of(page: &'a Page<'a>, table: &str) -> Option<Self> {
        let (reasons, key) = match table {
            "domains" => ("domain_reasons", "domain"),
            "providers" => ("provider_reasons", "provider"),
            "sources" => ("source_reasons", "source"),
            "sender_domains" => ("sender_reasons", "sender_domain"),
            _ => return None,
        };
        let frame = page.frame(reasons)?;
        let mut rows: HashMap<&str, Vec<usize>> = HashMap::new();
        for row in 0..frame.len() {
            if let Value::Utf8(name) = frame.named(row, key) {
                rows.entry(name).or_default().push(row);
            }
        }
        Some(Why { page, frame, rows, key })
    }

    fn below(&self, row: &Row<'_>) -> Markup {
        let rows = match row.value(self.key) {
            Value::Utf8(name) => self.rows.get(name).map_or(&[][..], Vec::as_slice),
            _ => &[],
        };
        if rows.is_empty() {
            return html! {};
        }
        html! {
            ul.why {
                @for &i in rows.iter().take(REASONS) {
                    @let at = Row::new(self.frame, i, self.page.clock);
                    @let word = |column| at.text(column).unwrap_or_default();
                    li {
                        (word("deliveries")) " × "
                        a href={ "#" (anchor(&word("reason"), &word("class"), &word("disposition"))) } { (word("reason")) }
                        " (" (word("class")) ", " (at.float("share").map(percent).unwrap_or_default()) " %)"
                        @if let Some(template) = at.text("template") { ": " code { (short(&template, LENGTH)) } }
                        " " (place(&at))
                    }
                }
                @if rows.len() > REASONS { li { (rows.len() - REASONS) " more reasons in " (self.frame.spec().name) ".csv" } }
            }
        }
    }
}

/// Where the line of a row stands: the way from a number to the log.
pub(super) fn place(row: &Row<'_>) -> Markup {
    let (file, offset) = match (row.value("source_file"), row.value("source_offset")) {
        (Value::Utf8(file), Value::Int64(offset)) => (printable(file).into_owned(), offset),
        _ => return html! { span.place { "No line of the input tells the cause." } },
    };
    html! {
        span.place { "Oldest: " (row.text("oldest").unwrap_or_default()) ", " code { (file) } " at byte " (count(offset)) "." }
    }
}
