//! What people see of each table: which columns, under which heading, in which form. The terminal and Markdown share it.
//!
//! Programs get every column as it is, from the other formats.

use bouncestat_aggregation::{Frame, Meta, Report, Value};

use crate::text::{count, duration, percent, printable, rfc3339};
use crate::{Clock, Options};

/// What a value says about itself, for those who show colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    #[default]
    Plain,
    Warning,
    Alarm,
}

/// One row to show.
pub(crate) struct Row<'a> {
    frame: &'a Frame,
    row: usize,
    clock: Clock<'a>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(frame: &'a Frame, row: usize, clock: Clock<'a>) -> Self {
        Row { frame, row, clock }
    }

    pub(crate) fn text(&self, column: &str) -> Option<String> {
        match self.frame.named(self.row, column) {
            Value::Utf8(text) => Some(printable(text).into_owned()),
            Value::Utf8List(texts) if !texts.is_empty() => Some(printable(&texts.join(", ")).into_owned()),
            Value::Int64(n) => Some(count(n)),
            Value::Timestamp(at) => Some((self.clock)(at)),
            Value::Float64(n) => Some(format!("{n:.2}")),
            _ => None,
        }
    }

    pub(crate) fn float(&self, column: &str) -> Option<f64> {
        match self.frame.named(self.row, column) {
            Value::Float64(n) => Some(n),
            _ => None,
        }
    }

    pub(crate) fn percent(&self, column: &str) -> String {
        self.float(column).map(percent).unwrap_or_default()
    }

    pub(crate) fn interval(&self, low: &str, high: &str) -> String {
        match (self.float(low), self.float(high)) {
            (Some(low), Some(high)) => format!("{}–{}", percent(low), percent(high)),
            _ => String::new(),
        }
    }

    /// The value as it is.
    pub(crate) fn value(&self, column: &str) -> Value<'a> {
        self.frame.named(self.row, column)
    }

    /// A number of every row, and of this one.
    fn numbers<'s>(&'s self, column: &'s str) -> (impl Iterator<Item = f64> + 's, f64) {
        let number = move |row| match self.frame.named(row, column) {
            Value::Int64(n) => n as f64,
            _ => 0.0,
        };
        ((0..self.frame.len()).map(number), number(self.row))
    }

    /// The part that this row has in the sum of a column.
    fn share(&self, column: &str) -> Option<f64> {
        let (all, this) = self.numbers(column);
        Some(this / all.sum::<f64>()).filter(|part| part.is_finite())
    }

    /// This row against the largest.
    fn of_most(&self, column: &str) -> Option<f64> {
        let (all, this) = self.numbers(column);
        Some(this / all.fold(0.0, f64::max)).filter(|part| part.is_finite())
    }

    fn delay(&self, column: &str) -> Option<String> {
        match self.frame.named(self.row, column) {
            Value::Int64(ms) => Some(duration(ms)),
            _ => None,
        }
    }
}

/// A part as a bar of ten cells, in eighths of a cell; what is there never looks like nothing.
fn bar(part: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = ((part * 80.0).round() as usize).clamp(usize::from(part > 0.0), 80);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// One column to show.
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// Numbers stand at the right.
    pub(crate) right: bool,
    /// 0 is always shown; the others where there is room, lower ones first.
    pub(crate) rank: u8,
    pub(crate) show: fn(&Row<'_>) -> String,
    pub(crate) tone: fn(&Row<'_>) -> Tone,
    /// The column of the table that it is sorted by where people can sort; empty: by what is shown.
    pub(crate) sort: &'static str,
}

/// What is shown of one table. The first column gives way where there is little room.
pub(crate) struct View {
    pub(crate) table: &'static str,
    pub(crate) title: &'static str,
    pub(crate) columns: &'static [Column],
    /// Long texts that stand under a row in the terminal.
    pub(crate) notes: &'static [Column],
    /// What is said where there are no rows, and they were what was asked for.
    pub(crate) empty: &'static str,
}

pub(crate) const fn column(title: &'static str, right: bool, rank: u8, show: fn(&Row<'_>) -> String) -> Column {
    Column { title, right, rank, show, tone: |_| Tone::Plain, sort: "" }
}

/// A text or a number as it is, nothing where it is missing.
macro_rules! plain {
    ($title:literal, $name:literal, $right:literal, $rank:literal) => {
        Column { sort: $name, ..$crate::view::column($title, $right, $rank, |row| row.text($name).unwrap_or_default()) }
    };
}
pub(crate) use plain;

/// The view of a table of rates: its own columns, then those that all have.
macro_rules! rates {
    ($table:literal, $title:literal, [$($own:expr),+]) => {
        View {
            table: $table,
            title: $title,
            columns: &[
                $($own,)+
                plain!("deliveries", "deliveries", true, 0),
                plain!("delivered", "delivered", true, 9),
                plain!("delayed", "delayed", true, 10),
                plain!("hard", "hard", true, 3),
                Column {
                    tone: |row| tone(row.float("hard_rate_low"), 0.02, 0.05),
                    sort: "hard_rate",
                    ..column("hard %", true, 0, |row| row.percent("hard_rate"))
                },
                Column {
                    sort: "hard_rate_low",
                    ..column("95 %", true, 1, |row| row.interval("hard_rate_low", "hard_rate_high"))
                },
                plain!("soft", "soft", true, 4),
                Column {
                    tone: |row| tone(row.float("soft_rate_low"), 0.1, 0.3),
                    sort: "soft_rate",
                    ..column("soft %", true, 0, |row| row.percent("soft_rate"))
                },
                Column {
                    sort: "soft_rate_low",
                    ..column("95 %", true, 2, |row| row.interval("soft_rate_low", "soft_rate_high"))
                },
                plain!("reputation", "reputation", true, 6),
                plain!("attempts", "attempts", true, 8),
                Column { sort: "delay_p50_ms", ..column("median", true, 7, |row| row.delay("delay_p50_ms").unwrap_or_default()) },
                Column { sort: "delay_p95_ms", ..column("95 % within", true, 7, |row| row.delay("delay_p95_ms").unwrap_or_default()) },
            ],
            notes: &[],
            empty: "",
        }
    };
}

/// The view of a table of rejects: its own columns, those that all have, and more.
macro_rules! rejects {
    ($table:literal, $title:literal, [$($own:expr),*], [$($more:expr),*]) => {
        View {
            table: $table,
            title: $title,
            columns: &[
                $($own,)*
                plain!("rejects", "rejects", true, 0),
                plain!("for now", "temporary", true, 0),
                plain!("clients", "clients", true, 3),
                plain!("networks", "networks", true, 5),
                plain!("domains", "recipient_domains", true, 6),
                $($more,)*
                plain!("first", "first_event", false, 8),
                plain!("last", "last_event", false, 7),
            ],
            notes: &[],
            empty: "",
        }
    };
}

/// The tables that all formats for people show, but the totals, in the order of the report.
pub(crate) static VIEWS: &[View] = &[
    rates!("domains", "Domains", [plain!("domain", "domain", false, 0), plain!("provider", "provider", false, 5)]),
    rates!("providers", "Providers", [plain!("provider", "provider", false, 0)]),
    rates!("sources", "Sources", [plain!("source", "source", false, 0)]),
    rates!("sender_domains", "Sender domains", [plain!("sender domain", "sender_domain", false, 0)]),
    View {
        table: "reasons",
        title: "Reasons",
        columns: &[
            plain!("reason", "reason", false, 0),
            plain!("class", "class", false, 0),
            plain!("to do", "disposition", false, 0),
            plain!("deliveries", "deliveries", true, 0),
            Column {
                sort: "deliveries",
                ..column("% of all", true, 1, |row| row.share("deliveries").map(percent).unwrap_or_default())
            },
            column("", false, 2, |row| row.of_most("deliveries").map(bar).unwrap_or_default()),
            plain!("domains", "domains", true, 0),
        ],
        notes: &[plain!("example", "example", false, 0)],
        empty: "",
    },
    View {
        table: "suspects",
        title: "Suspects",
        columns: &[
            plain!("source", "source", false, 0),
            plain!("listed", "listed", false, 2),
            plain!("blocklist", "blocklist", false, 0),
            plain!("provider", "provider", false, 0),
            plain!("refused", "refused", true, 0),
            plain!("deliveries", "deliveries", true, 0),
            plain!("score", "score", true, 0),
            plain!("since", "first_seen", false, 1),
            plain!("until", "last_seen", false, 3),
        ],
        notes: &[
            plain!("evidence", "evidence", false, 0),
            plain!("domains", "domains", false, 0),
            plain!("delist at", "delist_url", false, 0),
        ],
        empty: "No suspects.",
    },
    View {
        table: "unknown_replies",
        title: "Replies that no rule knows",
        columns: &[plain!("reply, masked", "template", false, 0), plain!("deliveries", "deliveries", true, 0)],
        notes: &[],
        empty: "",
    },
    View {
        table: "changes",
        title: "Against the window before",
        columns: &[
            column("what", false, 0, |row| row.text("name").unwrap_or_else(|| "everything".to_owned())),
            plain!("kind", "kind", false, 1),
            plain!("measure", "measure", false, 0),
            Column {
                tone: |row| match row.text("change").as_deref() {
                    Some("new" | "rising") => Tone::Warning,
                    _ => Tone::Plain,
                },
                ..plain!("change", "change", false, 0)
            },
            column("before %", true, 0, |row| row.percent("rate_before")),
            column("now %", true, 0, |row| row.percent("rate")),
            plain!("before", "count_before", true, 2),
            plain!("now", "count", true, 2),
        ],
        notes: &[],
        empty: "",
    },
    View {
        table: "evidence",
        title: "Evidence",
        columns: &[
            plain!("suspect", "suspect", true, 0),
            plain!("deliveries", "deliveries", true, 0),
            plain!("first seen", "first_seen", false, 0),
            plain!("file", "source_file", false, 0),
            plain!("byte", "source_offset", true, 0),
        ],
        notes: &[plain!("example", "example", false, 0)],
        empty: "",
    },
    View {
        table: "lookalikes",
        title: "No suspects, though they look like it",
        columns: &[
            column("list or provider", false, 0, |row| {
                row.text("blocklist").or_else(|| row.text("provider")).unwrap_or_else(|| "(no list)".to_owned())
            }),
            plain!("why not", "kind", false, 0),
            plain!("refused", "refused", true, 0),
            plain!("deliveries", "deliveries", true, 2),
            plain!("recipients", "recipients", true, 3),
            plain!("since", "first_seen", false, 1),
            plain!("source", "source", false, 4),
        ],
        notes: &[plain!("example", "example", false, 0), plain!("to do", "advice", false, 0)],
        empty: "",
    },
    View {
        table: "suppress",
        title: "To stop mailing",
        columns: &[
            plain!("entry", "entry", false, 0),
            plain!("reason", "reason", false, 0),
            plain!("policy", "policy", false, 1),
            plain!("failures", "failures", true, 0),
            plain!("last", "last_failed", false, 0),
            plain!("first", "first_failed", false, 3),
            plain!("delivered", "last_delivered", false, 4),
        ],
        notes: &[plain!("reply", "reply_text", false, 0)],
        empty: "Nobody to stop mailing.",
    },
    rejects!("reject_totals", "Rejects", [], []),
    rejects!(
        "reject_hosts",
        "Hosts that refused",
        [plain!("host", "log_host", false, 0), plain!("server", "mta", false, 4)],
        [plain!("mostly", "reason", false, 1)]
    ),
    View {
        notes: &[
            plain!("example", "example", false, 0),
            column("where", false, 0, |row| match (row.text("source_file"), row.text("source_offset")) {
                (Some(file), Some(at)) => format!("{file}, byte {at}"),
                _ => String::new(),
            }),
        ],
        ..rejects!("reject_reasons", "Why", [plain!("reason", "reason", false, 0), plain!("stage", "stage", false, 0)], [])
    },
    View {
        notes: &[plain!("example", "example", false, 0)],
        ..rejects!(
            "reject_blocklists",
            "Blocklists",
            [plain!("list", "blocklist", false, 0), plain!("state", "state", false, 0)],
            []
        )
    },
    rejects!(
        "reject_networks",
        "Client networks",
        [plain!("network", "network", false, 0), plain!("client", "client", false, 2)],
        [plain!("mostly", "reason", false, 1)]
    ),
    rejects!(
        "reject_domains",
        "Recipient domains",
        [plain!("domain", "recipient_domain", false, 0)],
        [plain!("mostly", "reason", false, 1)]
    ),
];

/// What is shown of an attempt.
pub(crate) static ATTEMPT: &[Column] = &[
    plain!("time", "event_time", false, 0),
    plain!("recipient", "recipient", false, 0),
    plain!("outcome", "outcome", false, 0),
    plain!("class", "class", false, 0),
    plain!("reason", "reason", false, 0),
    plain!("code", "enhanced_code", false, 0),
    plain!("relay", "relay_host", false, 1),
    plain!("reply", "reply_text", false, 2),
];

fn tone(low: Option<f64>, warning: f64, alarm: f64) -> Tone {
    match low {
        Some(low) if low >= alarm => Tone::Alarm,
        Some(low) if low >= warning => Tone::Warning,
        _ => Tone::Plain,
    }
}

/// The options' clock, or UTC.
pub(crate) fn clock<'a>(options: &Options<'a>) -> Clock<'a> {
    options.clock.unwrap_or(&rfc3339)
}

/// A line of the totals.
pub(crate) struct Total {
    pub(crate) label: &'static str,
    pub(crate) count: String,
    /// Percent of deliveries, then what there is to add.
    pub(crate) share: String,
    pub(crate) remark: String,
}

/// The totals as lines.
pub(crate) fn totals(frame: &Frame, clock: Clock<'_>) -> Vec<Total> {
    let row = Row::new(frame, 0, clock);
    let number = |column| match frame.named(0, column) {
        Value::Int64(n) => n,
        _ => 0,
    };
    let all = number("deliveries");
    let line = |label, column, remark: String| {
        let share = if all > 0 { percent(number(column) as f64 / all as f64) } else { String::new() };
        Total { label, count: count(number(column)), share, remark }
    };
    let certain = |low, high| match row.interval(low, high) {
        interval if interval.is_empty() => interval,
        interval => format!("95 %: {interval}"),
    };
    let delays = match (row.delay("delay_p50_ms"), row.delay("delay_p95_ms")) {
        (Some(half), Some(most)) => format!("half within {half}, 95 % within {most}"),
        _ => String::new(),
    };
    vec![
        Total { share: String::new(), ..line("deliveries", "deliveries", format!("{} attempts", count(number("attempts")))) },
        line("delivered", "delivered", delays),
        line("  delayed", "delayed", "after a temporary failure".into()),
        line("bounced", "bounced", String::new()),
        line("expired", "expired", String::new()),
        line("deferred", "deferred", "still in the queue".into()),
        line("hard", "hard", certain("hard_rate_low", "hard_rate_high")),
        line("soft", "soft", certain("soft_rate_low", "soft_rate_high")),
        line("reputation", "reputation", "refused for what is thought of us".into()),
    ]
}

/// Who refuses us for our reputation, the clearest case first; empty where nobody does.
pub(crate) fn accusers(suspects: &Frame) -> String {
    const SHOWN: usize = 4;
    let mut names: Vec<String> = Vec::new();
    for row in 0..suspects.len() {
        let row = Row { frame: suspects, row, clock: &rfc3339 };
        let name = row.text("blocklist").or_else(|| row.text("provider")).unwrap_or_else(|| "receivers' own lists".into());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// What was read, in one or two sentences.
pub(crate) fn coverage(report: &Report) -> String {
    let rejects = report.table("reject_totals").is_some();
    coverage_of(&report.meta, if rejects { "rejects outside the window" } else { "attempts outside the window" })
}

/// The same of attempts alone.
pub(crate) fn coverage_of_attempts(meta: &Meta) -> String {
    coverage_of(meta, "attempts outside the window")
}

fn coverage_of(meta: &Meta, counted: &str) -> String {
    let c = &meta.coverage;
    let n = |n: u64| count(i64::try_from(n).unwrap_or(i64::MAX));
    let mut text = format!(
        "{} lines of {} {}: {} used, {} irrelevant, {} not understood",
        n(c.lines),
        n(c.files),
        if c.files == 1 { "file" } else { "files" },
        n(c.used),
        n(c.irrelevant),
        n(c.unrecognised)
    );
    for (value, what) in [(c.outside_window, counted), (c.truncated, "cut lines"), (c.lost, "deliveries lost")] {
        if value > 0 {
            text.push_str(&format!(", {} {what}", n(value)));
        }
    }
    text
}

/// What is no delivery; empty where there is nothing.
pub(crate) fn excluded(meta: &Meta) -> String {
    let e = &meta.excluded;
    let all = [
        (e.probes, "probes"),
        (e.hops, "hops"),
        (e.notifications, "notifications"),
        (e.discarded, "discarded"),
        (e.suppressed, "suppressed"),
        (e.shadow, "shadow copies"),
        (e.health, "health probes"),
        (e.dropped, "dropped"),
        (e.inbound, "inbound"),
        (e.duplicates, "duplicate lines"),
    ];
    let some: Vec<_> = all.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", count(*n as i64))).collect();
    some.join(", ")
}

/// From when to when a report is; what it lacks where it holds nothing.
pub(crate) fn window_of(report: &Report, clock: Clock<'_>) -> String {
    let w = &report.meta.window;
    let is_empty = [w.since, w.until, w.first_event, w.last_event].iter().all(Option::is_none);
    if is_empty && report.tables.iter().any(|table| table.name.starts_with("reject_")) {
        return "no rejects".to_owned();
    }
    window(&report.meta, clock)
}

/// From when to when.
pub(crate) fn window(meta: &Meta, clock: Clock<'_>) -> String {
    let w = &meta.window;
    match (w.since.or(w.first_event), w.until.or(w.last_event)) {
        (Some(from), Some(to)) => format!("{} – {}", clock(from), clock(to)),
        (Some(from), None) => format!("from {}", clock(from)),
        (None, Some(to)) => format!("until {}", clock(to)),
        (None, None) => "no attempts".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouncestat_aggregation::schema;

    #[test]
    fn bars() {
        assert_eq!((bar(0.0).as_str(), bar(0.001).as_str(), bar(0.25).as_str()), ("", "▏", "██▌"));
        assert_eq!(bar(1.0).chars().count(), 10);
    }

    #[test]
    fn every_table_has_a_view_and_every_column_exists() {
        let shown: Vec<_> = VIEWS.iter().map(|v| v.table).collect();
        // What leads from a count to its lines is for programs and for the page, which has room for it.
        let led_to = |name: &str| {
            let only_of_a_program = matches!(name, "timeline" | "delays" | "replies" | "unrecognised");
            only_of_a_program || (name.ends_with("_reasons") && name != "reject_reasons")
        };
        let tables = schema::TABLES.iter().filter(|t| t.name != "totals" && t.name != "attempts" && !led_to(t.name));
        assert_eq!(shown, tables.map(|t| t.name).collect::<Vec<_>>());
    }
}
