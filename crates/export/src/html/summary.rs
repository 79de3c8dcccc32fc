//! The first screen: what happened in one sentence, what to do first, and the totals.

use bouncestat_aggregation::{Frame, Value};
use maud::{Markup, html};

use super::Page;
use super::reasons::anchor;
use crate::text::{count, duration, percent};
use crate::view::{self, Row};

/// Reasons and sources named in what to do.
const NAMED: usize = 3;
/// The list of domains of a suspect ends here.
const LISTED: usize = 20;

fn number(frame: &Frame, row: usize, column: &str) -> i64 {
    match frame.named(row, column) {
        Value::Int64(n) => n,
        _ => 0,
    }
}

fn fraction(frame: &Frame, row: usize, column: &str) -> Option<f64> {
    match frame.named(row, column) {
        Value::Float64(n) => Some(n),
        _ => None,
    }
}

/// Heading, the sentence, and the window.
pub(super) fn head(page: &Page<'_>) -> Markup {
    html! {
        h1 { "Bounces, " (view::window(&page.report.meta, page.clock)) " (" (page.options.zone) ")" }
        p.lead #summary { (sentence(page)) }
        p.sub { (view::coverage(page.report)) "." }
    }
}

/// How many, what failed, what is worst.
fn sentence(page: &Page<'_>) -> Markup {
    let Some(totals) = page.frame("totals").filter(|t| number(t, 0, "deliveries") > 0) else {
        return html! { "No delivery in this window." };
    };
    let n = |column| count(number(totals, 0, column));
    let rate = |column| fraction(totals, 0, column).map(percent).unwrap_or_default();
    let failed = number(totals, 0, "hard") + number(totals, 0, "soft");
    let what = if number(totals, 0, "deliveries") == 1 { " delivery" } else { " deliveries" };
    let worst = page.frame("domains").filter(|d| !d.is_empty() && number(d, 0, "hard") + number(d, 0, "soft") > 0);
    html! {
        (n("deliveries")) (what)
        @if failed == 0 { ", none failed." } @else {
            ": " span.hard { (rate("hard_rate")) " % failed for good" } " (" (n("hard")) "), "
            span.soft { (rate("soft_rate")) " % for now" } " (" (n("soft")) ")."
            @if let Some(domains) = worst {
                @let (hard, soft) = (number(domains, 0, "hard"), number(domains, 0, "soft"));
                " Worst is " (Row::new(domains, 0, page.clock).text("domain").unwrap_or_default()) ": "
                (count(hard + soft)) " of " (count(number(domains, 0, "deliveries"))) " failed."
            }
        }
    }
}

/// What to do first, each with the way to the evidence.
pub(super) fn todo(page: &Page<'_>) -> Markup {
    let mut items: Vec<Markup> = Vec::new();
    if let Some(suspects) = page.frame("suspects") {
        items.extend((0..suspects.len().min(NAMED)).map(|i| suspect(page, suspects, i)));
    }
    if let Some(reasons) = page.frame("reasons") {
        let known = (0..reasons.len()).filter(|&i| reasons.named(i, "reason") != Value::Utf8("unknown"));
        items.extend(known.take(NAMED).map(|i| reason(page, reasons, i)));
    }
    if let Some(unknown) = page.frame("unknown_replies").filter(|f| !f.is_empty()) {
        let deliveries: i64 = (0..unknown.len()).map(|i| number(unknown, i, "deliveries")).sum();
        items.push(html! {
            strong { "Read " a href="#unknown_replies" { (count(unknown.len() as i64)) " unknown " @if unknown.len() == 1 { "kind of reply" } @else { "kinds of replies" } } }
            " (" (count(deliveries)) " deliveries): no rule knows them. " code { "bouncestat explain" } " prints the beginning of a rule."
        });
    }
    html! {
        @if !items.is_empty() {
            section aria-labelledby="todo" {
                h2 #todo { "What to do first" }
                ol.todo { @for item in &items { li { (item) } } }
            }
        }
    }
}

fn suspect(page: &Page<'_>, suspects: &Frame, i: usize) -> Markup {
    let row = Row::new(suspects, i, page.clock);
    let by = row.text("blocklist").or_else(|| row.text("provider"));
    let domains = match suspects.named(i, "domains") {
        Value::Utf8List(domains) => domains.len(),
        _ => 0,
    };
    html! {
        strong { "Reputation: " a href="#suspects" { (row.text("source").unwrap_or_default()) } }
        @if let Some(listed) = row.text("listed") { ", listed as " (listed) "," }
        " is refused by " @if let Some(by) = by { (by) ", " }
        @if domains == LISTED { "at least " }
        (count(domains as i64)) @if domains == 1 { " domain: " } @else { " domains: " }
        (row.text("refused").unwrap_or_default()) " of " (row.text("deliveries").unwrap_or_default()) " deliveries."
        @if let Some(url) = row.text("delist_url").filter(|url| url.starts_with("https://")) {
            " Ask for removal: " a href=(url) rel="noopener noreferrer" { (url) } "."
        }
    }
}

fn reason(page: &Page<'_>, reasons: &Frame, i: usize) -> Markup {
    let row = Row::new(reasons, i, page.clock);
    let word = |column| row.text(column).unwrap_or_default();
    let (name, class, disposition) = (word("reason"), word("class"), word("disposition"));
    let words = page.options.advice.and_then(|advice| advice(&name));
    html! {
        strong {
            (word("deliveries")) " × " a href={ "#" (anchor(&name, &class, &disposition)) } { (name) }
        }
        " (" (class) ", " (word("domains")) @if number(reasons, i, "domains") == 1 { " domain): " } @else { " domains): " }
        @match words { Some((advice, _)) => { (advice) } None => { (disposition) "." } }
    }
}

/// The totals as tiles.
pub(super) fn totals(page: &Page<'_>) -> Markup {
    let Some(totals) = page.frame("totals").filter(|t| !t.is_empty()) else { return html! {} };
    let all = number(totals, 0, "deliveries");
    let share = |column: &str| match all {
        0 => String::new(),
        all => format!("{} %", percent(number(totals, 0, column) as f64 / all as f64)),
    };
    let certain = |rate: &str| {
        let end = |which: &str| fraction(totals, 0, &format!("{rate}_{which}")).map(percent);
        match (end("low"), end("high")) {
            (Some(low), Some(high)) => format!("95 %: {low}–{high}"),
            _ => String::new(),
        }
    };
    let delay = |column: &str| match totals.named(0, column) {
        Value::Int64(ms) => duration(ms),
        _ => "–".to_owned(),
    };
    let tile = |title: &str, class: &str, n: &str, more: [String; 2]| {
        let more: Vec<_> = more.iter().filter(|text| !text.is_empty()).collect();
        html! {
            div { dt { (title) } dd { div class=(format!("n {class}").trim_end()) { (n) } div.x { @for (i, text) in more.iter().enumerate() { @if i > 0 { ", " } span { (text) } } } } }
        }
    };
    let counted = |title: &str, column: &str, class: &str, remark: String| {
        tile(title, class, &count(number(totals, 0, column)), [share(column), remark])
    };
    html! {
        section aria-labelledby="totals" {
            h2 #totals { "Totals" }
            dl.tiles {
                (tile("Deliveries", "", &count(all), [format!("{} attempts", count(number(totals, 0, "attempts"))), String::new()]))
                (counted("Delivered", "delivered", "", String::new()))
                (counted("Delayed", "delayed", "", "after a failure".into()))
                (counted("Hard", "hard", "hard", certain("hard_rate")))
                (counted("Soft", "soft", "soft", certain("soft_rate")))
                (counted("Bounced", "bounced", "", "refused for good".into()))
                (counted("Expired", "expired", "", "given up".into()))
                (counted("Deferred", "deferred", "", "still in the queue".into()))
                (counted("Reputation", "reputation", "", "a refusal of us, not of them".into()))
                (tile("Delay", "", &delay("delay_p50_ms"), [format!("median; 95 % within {}", delay("delay_p95_ms")), String::new()]))
            }
        }
    }
}
