//! Suspects for the terminal, one card each: what, how sure, since when, what was said, what to do next.
//!
//! A table's row has no room for it at three in the morning. Only where suspects are what was asked for: the report shows rows.

use std::io::Write;

use bouncestat_aggregation::{Frame, Report, Value};
use unicode_width::UnicodeWidthStr;

use crate::table::{BOLD, DIM, PLAIN, Screen};
use crate::text::count;
use crate::view::Row;
use crate::{Clock, Result, rows};

/// Where the values stand.
const INDENT: usize = 13;
/// Lines of evidence of a suspect.
const EVIDENCE: usize = 3;
/// Domains named.
const DOMAINS: usize = 6;

/// Writes the cards of the table `suspects`.
pub(crate) fn suspects<W: Write>(
    screen: &mut Screen<W>,
    report: &Report,
    frame: &Frame,
    top: usize,
    clock: Clock<'_>,
) -> Result<()> {
    let shown = rows(frame, Some(top));
    writeln!(screen.out)?;
    let of = if shown.len() < frame.len() {
        format!("{} of {} suspects", shown.len(), frame.len())
    } else {
        plural(frame.len(), "suspect")
    };
    screen.line(BOLD, &of)?;
    for row in shown {
        writeln!(screen.out)?;
        card(screen, report, frame, row, clock)?;
    }
    Ok(())
}

fn card<W: Write>(screen: &mut Screen<W>, report: &Report, frame: &Frame, row: usize, clock: Clock<'_>) -> Result<()> {
    let shown = Row::new(frame, row, clock);
    let text = |column| shown.text(column);
    let score = match frame.named(row, "score") {
        Value::Float64(score) => score,
        _ => 0.0,
    };
    let sure = match score {
        0.7.. => "very likely",
        0.45.. => "likely",
        _ => "possible",
    };
    let (list, provider) = (text("blocklist"), text("provider"));
    let listed = text("listed").map(|l| format!("{l} ")).unwrap_or_default();
    let by = match (text("kind").as_deref(), list, provider) {
        (Some("listed"), Some(list), _) => format!("{listed}on {list}"),
        (_, list, provider) => {
            let by = provider.or(list).unwrap_or_else(|| "the receivers below".to_owned());
            format!("{listed}refused by {by}")
        }
    };
    screen.line(BOLD, &format!("{}. {}: {by}", row + 1, text("source").unwrap_or_default()))?;

    let parts = ["share", "receivers", "explicit", "onset"].map(|part| {
        let value = text(match part {
            "share" => "score_share",
            "receivers" => "score_receivers",
            "explicit" => "score_explicit",
            _ => "score_onset",
        });
        format!("{part} {}", value.unwrap_or_default())
    });
    field(screen, "sure", &format!("{score:.2}, {sure} ({})", parts.join(", ")))?;
    let mut refused = format!(
        "{} of {} deliveries, {} % (95 %: {}), {}",
        text("refused").unwrap_or_default(),
        text("deliveries").unwrap_or_default(),
        shown.percent("share"),
        shown.interval("share_low", "share_high"),
        plural_of(frame, row, "recipients", "recipient")
    );
    if let Value::Int64(later @ 1..) = frame.named(row, "delivered_later") {
        refused.push_str(&format!("; {} got through later", count(later)));
    }
    field(screen, "refused", &refused)?;
    field(screen, "by", &receivers(frame, row))?;
    field(screen, "since", &since(&shown))?;
    if let Some(trend) = text("trend") {
        let before =
            format!("{} of {}", text("refused_before").unwrap_or_default(), text("deliveries_before").unwrap_or_default());
        field(screen, "trend", &format!("{trend}; {before} in the window before"))?;
    }
    evidence(screen, report, row)?;
    field(screen, "to do", &text("advice").unwrap_or_default())?;
    field(screen, "ask", &text("who").unwrap_or_default())?;
    // An address that is broken in two cannot be copied: where it has no room, it begins at the left.
    let url = text("delist_url").unwrap_or_default();
    let indent = if url.width() + INDENT <= screen.width { INDENT } else { 3 };
    if url.is_empty() { Ok(()) } else { screen.line(PLAIN, &format!("{:indent$}{url}", "")) }
}

fn since(row: &Row<'_>) -> String {
    let mut since = format!("{}, last {}", row.text("first_seen").unwrap_or_default(), row.text("last_seen").unwrap_or_default());
    match row.text("last_accepted") {
        Some(accepted) => since.push_str(&format!("; mail was last taken {accepted}")),
        None => since.push_str("; none was taken"),
    }
    since
}

/// `3 receivers: a.example, b.example and 12 more domains`.
fn receivers(frame: &Frame, row: usize) -> String {
    let mut by = plural_of(frame, row, "receivers", "receiver");
    if let (Value::Utf8List(domains), Value::Int64(all)) = (frame.named(row, "domains"), frame.named(row, "refusing_domains")) {
        let named: Vec<&str> = domains.iter().take(DOMAINS).map(String::as_str).collect();
        by.push_str(&format!(": {}", named.join(", ")));
        let more = usize::try_from(all).unwrap_or(0).saturating_sub(named.len());
        if more > 0 {
            by.push_str(&format!(" and {}", plural(more, "more domain")));
        }
    }
    by
}

/// The lines of the table `evidence` that are about this suspect.
fn evidence<W: Write>(screen: &mut Screen<W>, report: &Report, suspect: usize) -> Result<()> {
    let Some(table) = report.table("evidence") else { return Ok(()) };
    let frame = &table.frame;
    let own = (0..frame.len()).filter(|&row| frame.named(row, "suspect") == Value::Int64(suspect as i64 + 1));
    for (number, row) in own.take(EVIDENCE).enumerate() {
        let shown = Row::new(frame, row, &crate::rfc3339);
        let label = if number == 0 { "said" } else { "" };
        field(screen, label, &shown.text("example").unwrap_or_default())?;
        let file = shown.text("source_file").unwrap_or_default();
        let offset = match frame.named(row, "source_offset") {
            Value::Int64(offset) => offset,
            _ => 0,
        };
        let often = shown.text("deliveries").unwrap_or_default();
        for line in wrap(&format!("deliveries: {often}; the first in {file}, byte {offset}"), screen.width - INDENT) {
            screen.line(DIM, &format!("{:INDENT$}{line}", ""))?;
        }
    }
    Ok(())
}

/// A label and its text, on as many lines as it needs; nothing for an empty text.
fn field<W: Write>(screen: &mut Screen<W>, label: &str, text: &str) -> Result<()> {
    for (number, line) in wrap(text, screen.width - INDENT).into_iter().enumerate() {
        let label = if number == 0 { label } else { "" };
        screen.line(PLAIN, &format!("   {label:<10}{line}"))?;
    }
    Ok(())
}

fn plural_of(frame: &Frame, row: usize, column: &str, one: &str) -> String {
    match frame.named(row, column) {
        Value::Int64(n) => plural(usize::try_from(n).unwrap_or(0), one),
        _ => String::new(),
    }
}

fn plural(n: usize, one: &str) -> String {
    format!("{} {one}{}", count(n as i64), if n == 1 { "" } else { "s" })
}

/// Words on lines of at most `width` columns; what is longer than a line is cut in pieces.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => {
                let mut rest = word;
                while rest.width() > width {
                    let mut used = 0;
                    let fits = rest.char_indices().find(|(_, c)| {
                        used += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
                        used > width
                    });
                    let Some((at, _)) = fits.filter(|(at, _)| *at > 0) else { break };
                    lines.push(rest[..at].to_owned());
                    rest = &rest[at..];
                }
                lines.push(rest.to_owned());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_long_ones_cut() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("你好你好", 5), ["你好", "你好"]);
        assert!(wrap("", 5).is_empty());
    }

    #[test]
    fn numbers_of_things() {
        assert_eq!((plural(1, "suspect"), plural(2_000, "suspect")), ("1 suspect".into(), "2,000 suspects".into()));
    }
}
