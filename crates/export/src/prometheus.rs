//! Prometheus: the text exposition format, for the textfile collector of the node exporter.
//!
//! Labels are bounded: providers, reasons and our own servers, never domains or addresses. All metrics are gauges: they are about the
//! window that was read, and fall when it moves on. Without timestamps, which the textfile collector refuses.
//! Format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//!
//! ```text
//! bouncestat_provider_failures{provider="google",class="hard"} 12
//! ```

use std::fmt::Write as _;
use std::io::Write;

use bouncestat_aggregation::{Frame, Report, Value, schema};

use crate::{AttemptSink, Error, Format, Options, Result, rows};

/// `--format prometheus`.
pub(crate) struct Prometheus;

impl Format for Prometheus {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["prom"]
    }

    fn report(&self, report: &Report, options: &Options<'_>, out: &mut (dyn Write + Send)) -> Result<()> {
        let mut text = String::new();
        about(&mut text, report);
        for (table, column, prefix, label) in TABLES {
            if let Some(table) = report.table(table) {
                rates(&mut text, &table.frame, options.top, column, prefix, label);
            }
        }
        if let Some(table) = report.table("reasons") {
            reasons(&mut text, &table.frame, options.top);
        }
        out.write_all(text.as_bytes())?;
        Ok(())
    }

    fn has_attempts(&self) -> bool {
        false
    }

    fn attempts<'w>(&self, _: Box<dyn Write + Send + 'w>, _: &Options<'w>) -> Result<Box<dyn AttemptSink + 'w>> {
        Err(Error::no_attempts("prometheus"))
    }
}

/// Table, column of its names, prefix of its metrics, label.
const TABLES: [(&str, &str, &str, &str); 3] =
    [("totals", "", "", ""), ("providers", "provider", "provider_", "provider"), ("sources", "source", "server_", "server")];

/// Name, kind of value, and what it is; then its samples.
struct Family<'t> {
    text: &'t mut String,
    name: String,
}

impl<'t> Family<'t> {
    fn new(text: &'t mut String, name: &str, help: &str) -> Self {
        let name = format!("bouncestat_{name}");
        let _ = writeln!(text, "# HELP {name} {}", help.replace('\\', "\\\\").replace('\n', "\\n"));
        let _ = writeln!(text, "# TYPE {name} gauge");
        Self { text, name }
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        let mut shown = String::new();
        for (label, value) in labels.iter().filter(|(label, _)| !label.is_empty()) {
            let comma = if shown.is_empty() { "" } else { "," };
            let _ = write!(shown, "{comma}{label}=\"{}\"", escaped(value));
        }
        let shown = if shown.is_empty() { shown } else { format!("{{{shown}}}") };
        let _ = writeln!(self.text, "{}{shown} {value}", self.name);
    }
}

/// A label's value: backslash, quotation mark and line feed are escaped; any other character may stand.
fn escaped(value: &str) -> String {
    let value: String = value.chars().map(|c| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c }).collect();
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The versions, the window, and how much of the input was understood.
fn about(text: &mut String, report: &Report) {
    let meta = &report.meta;
    let labels = [("version", &*meta.version), ("rules", &*meta.rules), ("schema", schema::SCHEMA_VERSION)];
    Family::new(text, "info", "Versions of the program, its rules and its columns; always 1").sample(&labels, 1.0);
    let w = &meta.window;
    for (name, at, help) in [
        ("window_start_timestamp_seconds", w.since.or(w.first_event), "Start of the window, or its oldest attempt"),
        ("window_end_timestamp_seconds", w.until.or(w.last_event), "End of the window, or its newest attempt"),
        ("last_attempt_timestamp_seconds", w.last_event, "The newest attempt of the window"),
    ] {
        if let Some(at) = at {
            Family::new(text, name, help).sample(&[], at as f64 / 1e6);
        }
    }
    let c = &meta.coverage;
    let mut lines = Family::new(text, "lines", "Lines read, by what became of them");
    for (state, n) in [("used", c.used), ("irrelevant", c.irrelevant), ("unrecognised", c.unrecognised)] {
        lines.sample(&[("state", state)], n as f64);
    }
    let e = &meta.excluded;
    let mut excluded = Family::new(text, "excluded", "What is no delivery and is not counted as one; duplicates are lines");
    for (kind, n) in [
        ("probes", e.probes),
        ("hops", e.hops),
        ("notifications", e.notifications),
        ("discarded", e.discarded),
        ("suppressed", e.suppressed),
        ("shadow", e.shadow),
        ("health", e.health),
        ("dropped", e.dropped),
        ("inbound", e.inbound),
        ("duplicates", e.duplicates),
    ] {
        excluded.sample(&[("kind", kind)], n as f64);
    }
}

fn number(frame: &Frame, row: usize, column: &str) -> Option<f64> {
    match frame.named(row, column) {
        Value::Int64(n) => Some(n as f64),
        Value::Float64(n) => Some(n),
        _ => None,
    }
}

fn name<'f>(frame: &'f Frame, row: usize, column: &str) -> &'f str {
    match frame.named(row, column) {
        Value::Utf8(text) => text,
        _ => "",
    }
}

/// The families of a table of rates.
fn rates(text: &mut String, frame: &Frame, top: Option<usize>, column: &str, prefix: &str, label: &str) {
    let of = if label.is_empty() { String::new() } else { format!(", by {label}") };
    let key = |row| if column.is_empty() { "" } else { name(frame, row, column) };
    let mut by = |metric: &str, help: &str, part: &str, columns: &[(&str, &str, f64)]| {
        let mut family = Family::new(text, &format!("{prefix}{metric}"), &format!("{help}{of}"));
        for row in rows(frame, top) {
            for (value, column, scale) in columns {
                if let Some(n) = number(frame, row, column) {
                    family.sample(&[(label, key(row)), (part, value)], n / scale);
                }
            }
        }
    };
    let outcomes = ["delivered", "bounced", "expired", "deferred"].map(|outcome| (outcome, outcome, 1.0));
    by("deliveries", "Deliveries of the window by outcome", "outcome", &outcomes);
    by("failures", "Failed deliveries of the window by class", "class", &[("hard", "hard", 1.0), ("soft", "soft", 1.0)]);
    by("delayed", "Delivered ones that had failed for a while before", "", &[("", "delayed", 1.0)]);
    by("reputation_failures", "Failed deliveries whose reason is about what is thought of us", "", &[("", "reputation", 1.0)]);
    by("attempts", "Attempts of the window", "", &[("", "attempts", 1.0)]);
    let quantiles = [("0.5", "delay_p50_ms", 1e3), ("0.95", "delay_p95_ms", 1e3)];
    by("delivery_delay_seconds", "Time from arrival to delivery that this part did not exceed", "quantile", &quantiles);
}

fn reasons(text: &mut String, frame: &Frame, top: Option<usize>) {
    let mut family = Family::new(text, "reason_failures", "Failed deliveries of the window, by reason, class and what to do");
    for row in rows(frame, top) {
        let labels = ["reason", "class", "disposition"].map(|column| (column, name(frame, row, column)));
        family.sample(&labels, number(frame, row, "deliveries").unwrap_or(0.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let mut text = String::new();
        Family::new(&mut text, "x", "a\\b\nc").sample(&[("server", "a\"b\\c\nd"), ("", "no")], 1.5);
        let want = "# HELP bouncestat_x a\\\\b\\nc\n# TYPE bouncestat_x gauge\nbouncestat_x{server=\"a\\\"b\\\\c\\nd\"} 1.5\n";
        assert_eq!(text, want);
    }
}
