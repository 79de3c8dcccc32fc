//! `bouncestat check [PATH]...`: thresholds for monitoring, in the words of Nagios plugins.
//!
//! The form is that of the Monitoring Plugins' development guidelines, <https://www.monitoring-plugins.org/doc/guidelines.html>: one
//! status line, performance data after `|`, more lines below, and the exit codes 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. It never
//! says OK where part of the input could not be read.
//!
//! ```text
//! BOUNCESTAT OK - hard_rate is 43.17 %; 139 deliveries | 'hard_rate'=43.1655%;;50;0;100 deliveries=139;;;0;
//! ```

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::{Result, bail};
use bouncestat_aggregation::{Aggregator, Frame, Report, Value as Cell};
use bouncestat_ingest::run::Summary;
use bouncestat_store::Piece;
use serde_json::{Value, json};

use super::{Ready, judged_by, meta, tell};
use crate::args::{Check, Common};
use crate::consumers::{Count, Only};
use crate::output::Output;
use crate::settings::{AsOf, Settings, domains, redactor, rules};
use crate::threshold::{AGE, Threshold, Unit, shown, value};

/// Rows in the performance data and below the status line, where nothing is said: Nagios reads no more than 8 kB.
const TOP: usize = 20;

/// How bad it is. The order is that of badness, for those that may stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Ok,
    Unknown,
    Warning,
    Critical,
}

impl State {
    fn name(self) -> &'static str {
        ["OK", "UNKNOWN", "WARNING", "CRITICAL"][self as usize]
    }

    fn code(self) -> u8 {
        [0, 3, 1, 2][self as usize]
    }
}

/// One number that was compared, or would have been.
struct Measured {
    /// Whose; empty for the whole.
    of: String,
    metric: String,
    unit: Unit,
    value: Option<f64>,
    warn: Option<f64>,
    max: Option<f64>,
    deliveries: i64,
    /// Too few deliveries to compare.
    too_few: bool,
}

impl Measured {
    fn state(&self) -> State {
        let above = |limit: Option<f64>| limit.zip(self.value).is_some_and(|(limit, value)| !self.too_few && value > limit);
        match (above(self.max), above(self.warn)) {
            (true, _) => State::Critical,
            (false, true) => State::Warning,
            (false, false) => State::Ok,
        }
    }

    fn words(&self) -> String {
        let of = if self.of.is_empty() { String::new() } else { format!(" of {}", self.of) };
        let limit = match self.state() {
            State::Critical => self.max,
            State::Warning => self.warn,
            _ => None,
        };
        let limit = limit.map(|limit| format!(" (limit {})", shown(self.unit, limit))).unwrap_or_default();
        match self.value {
            Some(value) => format!("{}{of} is {}{limit}", self.metric, shown(self.unit, value)),
            None => format!("{}{of} has no value", self.metric),
        }
    }
}

/// Compares.
pub fn run(args: &Check, common: &Common) -> Result<u8> {
    let as_json = match common.format.as_deref() {
        None | Some("nagios") => false,
        Some("json") => true,
        Some(other) => bail!("check has no format {other:?}; there are nagios and json"),
    };
    let max = Threshold::parse_all("--max", &args.max)?;
    let warn = Threshold::parse_all("--warn", &args.warn)?;
    if max.is_empty() && warn.is_empty() {
        bail!("nothing to compare: name a threshold, such as --max hard_rate=5%");
    }
    let settings = Settings::resolve(common)?;
    let rules = rules(common)?;
    let redact = redactor(common)?;
    let domains = domains(common)?;
    let output = Output::new(common.output.as_deref());
    let mut out = output.open()?;
    let ready = Ready::new(&args.paths, common, &settings)?;
    let window = ready.options.window;
    let mut aggregator = Aggregator::new();
    let mut failed = None;
    let count = Only { domains: &domains, inner: Count { rules: &rules, redact: &redact } };
    let by = (domains.is_all() && !redact.redacts()).then(|| judged_by(&rules, common));
    let summary = ready.run_with_sums(common, &count, by.as_deref(), &mut |piece| {
        let added = match piece {
            Piece::Part(batch) => aggregator.add(batch),
            Piece::Sums(_, sums) => aggregator.add_sums(sums),
        };
        if let Err(error) = added {
            failed.get_or_insert(error);
        }
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    tell(&summary, "attempt")?;
    let report = aggregator.finish(meta(window, &summary, rules.rules_version()))?;
    let now = match settings.as_of {
        AsOf::At(at) => at,
        AsOf::Last => summary.counts.events.map_or(settings.present, |(_, newest)| newest),
        AsOf::Present => settings.present,
    };
    let verdict = Verdict::new(args, (&warn, &max), &report, &summary, now);
    let top = common.top.unwrap_or(TOP);
    let text = if as_json { format!("{:#}\n", verdict.json()) } else { verdict.nagios(top) };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    drop(out);
    output.commit()?;
    Ok(verdict.state.code())
}

/// What a run found.
struct Verdict {
    state: State,
    /// Worst first, then in the order of the table.
    all: Vec<Measured>,
    deliveries: i64,
    min_deliveries: u64,
    /// What could not be read.
    unread: Vec<String>,
    /// No line of the input told of a message.
    nothing: bool,
}

impl Verdict {
    fn new(args: &Check, limits: (&[Threshold], &[Threshold]), report: &Report, summary: &Summary, now: i64) -> Self {
        let (warn, max) = limits;
        let mut metrics: Vec<(&str, Unit)> = Vec::new();
        for threshold in max.iter().chain(warn) {
            if !metrics.iter().any(|(metric, _)| *metric == threshold.metric) {
                metrics.push((&threshold.metric, threshold.unit));
            }
        }
        let limit = |of: &[Threshold], metric: &str| of.iter().find(|t| t.metric == metric).map(|t| t.limit);
        let one = |of: String, metric: &str, unit, value, deliveries: i64| Measured {
            of,
            metric: metric.to_owned(),
            unit,
            value,
            warn: limit(warn, metric),
            max: limit(max, metric),
            deliveries,
            too_few: matches!(unit, Unit::Share | Unit::Delay)
                && deliveries < i64::try_from(args.min_deliveries).unwrap_or(i64::MAX),
        };
        let mut all = Vec::new();
        for (metric, unit) in metrics {
            if metric == AGE {
                let newest = summary.counts.events.map(|(_, newest)| newest);
                let age = newest.map(|newest| (now - newest).max(0) as f64 / 1_000_000.0);
                all.push(one(String::new(), metric, unit, age, 0));
                continue;
            }
            let (table, column) = args.by.table();
            let Some(frame) = report.table(table).map(|t| &t.frame) else { continue };
            for row in 0..frame.len() {
                let name = column.map(|column| name(frame, row, column)).unwrap_or_default();
                all.push(one(name, metric, unit, value(frame, row, metric), number(frame, row, "deliveries")));
            }
        }
        all.sort_by_key(|m| std::cmp::Reverse(m.state()));
        let unread: Vec<String> = summary.problems.iter().filter(|p| p.is_failure()).map(|p| plain(&p.to_string())).collect();
        let worst = all.iter().map(Measured::state).max().unwrap_or(State::Ok);
        // Logs without one event have no age: nothing is known of them.
        let blind = all.iter().any(|m| m.metric == AGE && m.value.is_none());
        // A folder that was mistyped is no quiet night.
        let nothing = summary.tally.used == 0;
        let state = if unread.is_empty() && !blind && !nothing { worst } else { worst.max(State::Unknown) };
        let deliveries = report.table("totals").map_or(0, |t| number(&t.frame, 0, "deliveries"));
        Self { state, all, deliveries, min_deliveries: args.min_deliveries, unread, nothing }
    }

    fn nagios(&self, top: usize) -> String {
        let crossed: Vec<&Measured> = self.all.iter().filter(|m| m.state() != State::Ok).collect();
        let compared: Vec<&Measured> = self.all.iter().filter(|m| !m.too_few).collect();
        let mut status = match (&crossed[..], &self.unread[..]) {
            ([first, rest @ ..], _) => {
                let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
                format!("{}{more}", first.words())
            }
            ([], [first, ..]) => format!("part of the input could not be read: {first}"),
            ([], []) if self.nothing => "no line of a mail server was read".to_owned(),
            ([], []) if self.state == State::Unknown => "no event in these logs".to_owned(),
            ([], []) => match (&compared[..], self.deliveries) {
                (_, 0) => "no deliveries in the window".to_owned(),
                ([], _) => format!("too few deliveries to compare (--min-deliveries {})", self.min_deliveries),
                ([one], _) => one.words(),
                (several, _) => format!("{} values are below their limits", several.len()),
            },
        };
        if self.deliveries > 0 {
            let _ = write!(status, "; {} deliveries", self.deliveries);
        }
        let mut text = format!("BOUNCESTAT {} - {status}", self.state.name());
        let data: Vec<String> = compared.iter().take(top).filter_map(|m| perfdata(m)).collect();
        let _ = writeln!(text, " | {}", [&data[..], &[format!("deliveries={};;;0;", self.deliveries)]].concat().join(" "));
        for m in crossed.iter().take(top) {
            let deliveries = if m.metric == AGE { String::new() } else { format!(", {} deliveries", m.deliveries) };
            let _ = writeln!(text, "{}: {}{deliveries}", m.state().name(), m.words());
        }
        if crossed.len() > top {
            let _ = writeln!(text, "{} more are crossed (--top shows more)", crossed.len() - top);
        }
        if compared.len() > top {
            let _ = writeln!(text, "performance data of {top} of {} values", compared.len());
        }
        let few = self.all.iter().filter(|m| m.too_few).count();
        if few > 0 {
            let _ = writeln!(text, "{few} not compared, with fewer than {} deliveries", self.min_deliveries);
        }
        for unread in &self.unread {
            let _ = writeln!(text, "not read: {unread}");
        }
        text
    }

    fn json(&self) -> Value {
        let one = |m: &Measured| {
            json!({
                "metric": m.metric, "of": if m.of.is_empty() { None } else { Some(&m.of) }, "value": m.value, "warn": m.warn, "max": m.max,
                "unit": match m.unit { Unit::Share => "fraction", Unit::Count => "count", Unit::Delay => "ms", Unit::Age => "s" },
                "deliveries": (m.metric != AGE).then_some(m.deliveries),
                "state": if m.too_few { "not compared" } else { m.state().name() },
            })
        };
        json!({
            "state": self.state.name(), "exit_code": self.state.code(), "deliveries": self.deliveries,
            "min_deliveries": self.min_deliveries, "unread": self.unread, "values": self.all.iter().map(one).collect::<Vec<_>>(),
        })
    }
}

/// `'label'=value[UOM];[warn];[crit];[min];[max]`.
fn perfdata(m: &Measured) -> Option<String> {
    let (scale, unit, most) = match m.unit {
        Unit::Share => (100.0, "%", "100"),
        Unit::Count => (1.0, "", ""),
        Unit::Delay => (1.0, "ms", ""),
        Unit::Age => (1.0, "s", ""),
    };
    // Not more digits than mean something; no exponents, which not all readers know.
    let number = |value: f64| {
        let text = format!("{:.4}", value * scale);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let limit = |limit: Option<f64>| limit.map(number).unwrap_or_default();
    let name = if m.of.is_empty() { m.metric.clone() } else { format!("{} {}", m.metric, m.of) };
    Some(format!("'{name}'={}{unit};{};{};0;{most}", number(m.value?), limit(m.warn), limit(m.max)))
}

fn name(frame: &Frame, row: usize, column: &str) -> String {
    match frame.named(row, column) {
        Cell::Utf8(name) => label(name),
        _ => "(none)".to_owned(),
    }
}

fn number(frame: &Frame, row: usize, column: &str) -> i64 {
    match frame.named(row, column) {
        Cell::Int64(n) => n,
        _ => 0,
    }
}

/// A text without what would end the status line.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '|' { '_' } else { c }).collect()
}

/// A name from a log without what would end a label, too.
fn label(text: &str) -> String {
    plain(text).replace(['\'', '=', ';'], "_")
}

/// The one line of a check that failed.
pub fn unknown(message: &str) -> String {
    format!("BOUNCESTAT UNKNOWN - {}\n", plain(message.lines().next().unwrap_or_default()))
}

/// The exit code of a check that failed.
pub const UNKNOWN: u8 = 3;
