//! Thresholds: `hard_rate=5%`, `deferred=1000`, `delay_p95_ms=10m`, `age=1h`. What a metric is, and whether a row is above one.

use anyhow::{Result, anyhow, bail};
use bouncestat_aggregation::schema::{Kind, ROW};
use bouncestat_aggregation::{Frame, Value};

use crate::config::near;
use crate::when;

/// How long ago the newest event was; no column of the report.
pub const AGE: &str = "age";

/// What a metric is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A fraction of deliveries.
    Share,
    /// A number of something.
    Count,
    /// Milliseconds.
    Delay,
    /// Seconds.
    Age,
}

/// A metric, and the value above which it is crossed.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The name: a column of the report's rows, a count with `_rate`, or `age`.
    pub metric: String,
    /// What it is measured in.
    pub unit: Unit,
    /// Crossed above this, in the unit.
    pub limit: f64,
}

impl Threshold {
    /// Reads `METRIC=VALUE`, as `--option` has it.
    pub fn parse(option: &str, text: &str) -> Result<Self> {
        let (metric, value) = text
            .split_once('=')
            .ok_or_else(|| anyhow!("{option} {text:?}: write METRIC=VALUE, such as hard_rate=5% or deferred=1000"))?;
        let (metric, value) = (metric.trim(), value.trim());
        let unit = unit_of(metric).ok_or_else(|| {
            let known: Vec<String> = metrics().collect();
            let near = near(metric, known.iter().map(String::as_str));
            match near.is_empty() {
                true => anyhow!("{option}: there is no metric {metric:?}; there are {}", known.join(", ")),
                false => anyhow!("{option}: there is no metric {metric:?}{near}"),
            }
        })?;
        let wrong = |what: &str| anyhow!("{option} {text:?}: {what}");
        let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
        let limit = match unit {
            Unit::Share => match value.strip_suffix('%') {
                Some(percent) => number(percent.trim()).map(|n| n / 100.0),
                // `hard_rate=5` would never be crossed.
                None => number(value).filter(|n| *n <= 1.0),
            }
            .filter(|n| *n <= 1.0)
            .ok_or_else(|| wrong("a rate is a per cent (5%) or a fraction up to 1 (0.05)"))?,
            Unit::Count => number(value).ok_or_else(|| wrong("a count is a number (1000)"))?,
            Unit::Delay => number(value)
                .or_else(|| when::span(value).map(|micros| micros as f64 / 1000.0))
                .ok_or_else(|| wrong("a delay is a number of milliseconds, or a time (90s, 10m, 1h)"))?,
            Unit::Age => when::span(value)
                .map(|micros| micros as f64 / 1_000_000.0)
                .ok_or_else(|| wrong("an age is a time (90s, 10m, 1h)"))?,
        };
        Ok(Self { metric: metric.to_owned(), unit, limit })
    }

    /// Reads all of an option; no metric twice.
    pub fn parse_all(option: &str, texts: &[String]) -> Result<Vec<Self>> {
        let all: Vec<Self> = texts.iter().map(|text| Self::parse(option, text)).collect::<Result<_>>()?;
        for (i, threshold) in all.iter().enumerate() {
            if all[..i].iter().any(|earlier| earlier.metric == threshold.metric) {
                bail!("{option}: {} is given twice", threshold.metric);
            }
        }
        Ok(all)
    }
}

/// The counts and numbers of a row, in its order.
fn columns() -> impl Iterator<Item = &'static str> {
    ROW.iter().filter(|c| matches!(c.kind, Kind::Int64 | Kind::Float64)).map(|c| c.name)
}

/// Every metric's name.
pub fn metrics() -> impl Iterator<Item = String> {
    let shares = columns().filter(|c| is_share_of(c)).map(|c| format!("{c}_rate"));
    columns().map(str::to_owned).chain(shares.filter(|s| !columns().any(|c| c == s))).chain([AGE.to_owned()])
}

/// Whether a count is a part of the deliveries.
fn is_share_of(column: &str) -> bool {
    ["delivered", "delayed", "bounced", "expired", "deferred", "hard", "soft", "reputation"].contains(&column)
}

fn unit_of(metric: &str) -> Option<Unit> {
    if metric == AGE {
        return Some(Unit::Age);
    }
    match ROW.iter().find(|c| c.name == metric).map(|c| c.kind) {
        Some(Kind::Float64) => Some(Unit::Share),
        Some(Kind::Int64) if metric.ends_with("_ms") => Some(Unit::Delay),
        Some(Kind::Int64) => Some(Unit::Count),
        Some(_) => None,
        None => metric.strip_suffix("_rate").filter(|count| is_share_of(count)).map(|_| Unit::Share),
    }
}

/// The value of a metric in a row; `None` where it has none (a rate without deliveries).
pub fn value(frame: &Frame, row: usize, metric: &str) -> Option<f64> {
    let number = |column: &str| match frame.named(row, column) {
        Value::Int64(n) => Some(n as f64),
        Value::Float64(n) => Some(n),
        _ => None,
    };
    if frame.spec().index(metric).is_some() {
        return number(metric);
    }
    let all = number("deliveries").filter(|n| *n > 0.0)?;
    Some(number(metric.strip_suffix("_rate")?)? / all)
}

/// A value for people: `5 %`, `1,200`, `10.0 min`.
pub fn shown(unit: Unit, value: f64) -> String {
    let trimmed = |text: String| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    let time = |seconds: f64| match seconds {
        ..60.0 => format!("{} s", trimmed(format!("{seconds:.1}"))),
        60.0..3600.0 => format!("{} min", trimmed(format!("{:.1}", seconds / 60.0))),
        3600.0..86_400.0 => format!("{} h", trimmed(format!("{:.1}", seconds / 3600.0))),
        _ => format!("{} d", trimmed(format!("{:.1}", seconds / 86_400.0))),
    };
    match unit {
        Unit::Share => format!("{} %", trimmed(format!("{:.2}", value * 100.0))),
        Unit::Count => trimmed(format!("{value:.2}")),
        Unit::Delay => time(value / 1000.0),
        Unit::Age => time(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn limit(text: &str, want: f64) {
        let got = Threshold::parse("--max", text).expect(text).limit;
        assert!((got - want).abs() < 1e-9, "{text}: {got}");
    }

    #[test]
    fn forms() {
        limit("hard_rate=5%", 0.05);
        limit("hard_rate_low=0.02", 0.02);
        limit("deferred_rate= 10 %", 0.1);
        limit("deferred=1000", 1000.0);
        limit("delay_p95_ms=10m", 600_000.0);
        limit("delay_p50_ms=250", 250.0);
        limit("age=1h30m", 5400.0);
        for wrong in [
            "hard_rate",
            "hard_rate=5",
            "hard_rate=x%",
            "hard_rate=101%",
            "nosuch=1",
            "deferred=5%",
            "age=5",
            "first_event=1",
            "deferred=-1",
        ] {
            assert!(Threshold::parse("--max", wrong).is_err(), "{wrong}");
        }
        let error = Threshold::parse("--max", "hard_rat=5%").unwrap_err().to_string();
        assert!(error.contains("did you mean hard_rate?"), "{error}");
    }

    #[test]
    fn values_for_people() {
        assert_eq!(shown(Unit::Share, 0.05), "5 %");
        assert_eq!(shown(Unit::Share, 0.07123), "7.12 %");
        assert_eq!(shown(Unit::Count, 1000.0), "1000");
        assert_eq!(shown(Unit::Delay, 11_000.0), "11 s");
        assert_eq!(shown(Unit::Age, 5400.0), "1.5 h");
    }
}
