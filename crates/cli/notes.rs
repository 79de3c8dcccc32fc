//! What is said on stderr: whose logs these are, what could not be read, where a year was guessed, and the coverage line.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};

use bouncestat_aggregation::{Coverage, Excluded};
use bouncestat_export::rfc3339;
use bouncestat_ingest::YearFrom;
use bouncestat_ingest::clock::Zone;
use bouncestat_ingest::input::Problem;
use bouncestat_ingest::join::remarks::Remarks;
use bouncestat_ingest::join::window::Window;
use bouncestat_ingest::plan::Plan;
use bouncestat_ingest::run::{Summary, servers};
use bouncestat_record::Mta;

use crate::domains::Domains;
use crate::fault::Nothing;
use crate::shapes;

/// Whether only what went wrong is said.
static QUIET: AtomicBool = AtomicBool::new(false);

/// `--quiet`: notes are kept to ourselves; warnings and errors are not.
pub fn set_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Says something that is good to know.
pub fn note(words: impl Display) {
    if !QUIET.load(Ordering::Relaxed) {
        eprintln!("bouncestat: {words}");
    }
}

/// The error of a run that could read nothing.
pub fn nothing(summary: &Summary) -> anyhow::Error {
    Nothing(summary.problems.clone()).into()
}

/// Says whose logs will be read, and by what evidence their years and zones are known.
pub fn say_plan(plan: &Plan) {
    let servers = servers(plan);
    if !servers.is_empty() {
        let list: Vec<String> = servers.iter().map(|(mta, n)| format!("{} ({})", name(*mta), count(*n as u64, "file"))).collect();
        note(format!("logs of {}", list.join(", ")));
    }
    for from in YearFrom::ALL.iter().filter(|from| **from != YearFrom::Stamp) {
        let files: Vec<_> = plan.files.iter().filter(|f| f.mta.is_some() && f.year_from == *from && f.start.is_some()).collect();
        if files.is_empty() {
            continue;
        }
        if !from.is_guess() {
            note(format!("the stamps of {} have no year; {from} tell it", count(files.len() as u64, "file")));
        }
    }
    for guess in guessed_years(plan) {
        eprintln!("bouncestat: warning: {guess}");
    }
    let zoned: Vec<_> = plan.files.iter().filter_map(|f| Some((f, f.zone_from_ids?))).collect();
    if let Some((file, zone)) = zoned.first() {
        note(format!(
            "the stamps of {} have no zone; by the message ids it is {}, not the system's ({}); --tz overrules",
            count(zoned.len() as u64, "file"),
            zone_name(*zone),
            file.source.path.display()
        ));
    }
}

/// Says what a dataset holds.
pub fn say_dataset(reading: &bouncestat_store::Reading) {
    let manifest = reading.manifest();
    let lines: u64 = manifest.segments.iter().map(|segment| segment.lines.lines).sum();
    let newest = reading.newest().map(|at| format!(", the newest event {}", rfc3339(at))).unwrap_or_default();
    note(format!("the dataset {} of {} collected{newest}", reading.dir().display(), count(lines, "line")));
}

/// Which years had to be guessed.
pub fn guessed_years(plan: &Plan) -> Vec<String> {
    let mut guesses = Vec::new();
    for from in YearFrom::ALL.iter().filter(|from| from.is_guess()) {
        let files: Vec<_> = plan.files.iter().filter(|f| f.mta.is_some() && f.year_from == *from && f.start.is_some()).collect();
        if let Some(first) = files.first() {
            guesses.push(format!(
                "the stamps of {} have no year; it was guessed from {from} ({}: first event {})",
                count(files.len() as u64, "file"),
                first.source.path.display(),
                first.start.map(rfc3339).unwrap_or_default()
            ));
        }
    }
    guesses
}

/// A zone as `--tz` takes it.
pub fn zone_name(zone: Zone) -> String {
    match zone {
        Zone::Named(tz) => tz.name().to_owned(),
        Zone::Fixed(offset) => offset.to_string(),
    }
}

/// Says what is wrong with inputs. Hints that say the same of many files are one.
pub fn say_problems(problems: &[Problem]) {
    let (failures, hints): (Vec<&Problem>, Vec<&Problem>) = problems.iter().partition(|p| p.is_failure());
    for failure in failures {
        eprintln!("bouncestat: {failure}");
    }
    let mut said: Vec<(&str, &str)> = Vec::new();
    for hint in &hints {
        let what = (hint.message.as_str(), hint.remedy.as_str());
        let same = hints.iter().filter(|other| (other.message.as_str(), other.remedy.as_str()) == what).count();
        if same < FOLDED {
            note(format!("note: {hint}"));
        } else if !said.contains(&what) {
            said.push(what);
            note(format!("note: {hint} (and {} like it)", count(same as u64 - 1, "more file")));
        }
    }
}

/// So many equal hints are said as one.
const FOLDED: usize = 3;

/// How lines count.
pub fn coverage(summary: &Summary) -> Coverage {
    let t = &summary.tally;
    Coverage {
        files: summary.files,
        bytes: summary.bytes,
        lines: t.lines,
        used: t.used,
        irrelevant: t.lines - t.used - t.unrecognised,
        unrecognised: t.unrecognised,
        outside_window: summary.counts.outside_window,
        truncated: t.truncated,
        lost: summary.counts.lost,
    }
}

/// What is no delivery.
pub fn excluded(summary: &Summary) -> Excluded {
    let e = summary.counts.excluded;
    Excluded {
        probes: e.probes,
        hops: e.hops,
        notifications: e.notifications,
        discarded: e.discarded,
        suppressed: e.suppressed,
        shadow: e.shadow,
        health: e.health,
        dropped: e.dropped,
        inbound: e.inbound,
        duplicates: summary.tally.duplicates,
    }
}

/// The coverage line, always. `what` lies outside the window.
pub fn say_coverage(summary: &Summary, what: &str) {
    let c = coverage(summary);
    let mut line = format!(
        "{}, {}, {}: {} used, {} irrelevant, {} unrecognised",
        count(c.files, "file"),
        count(c.bytes, "byte"),
        count(c.lines, "line"),
        grouped(c.used),
        grouped(c.irrelevant),
        grouped(c.unrecognised)
    );
    for (n, what) in [
        (c.truncated, ("cut line", "")),
        (summary.tally.duplicates, ("duplicate line", "")),
        (c.outside_window, (what, " outside the window")),
        (c.lost, ("message recipient", " gone from the queue without a word")),
    ] {
        if n > 0 {
            line.push_str(&format!("; {}{}", count(n, what.0), what.1));
        }
    }
    if summary.tally.rejoined > 0 {
        line.push_str(&format!("; {} put together from parts", count(summary.tally.rejoined, "line")));
    }
    note(line);
    say_remarks(&summary.remarks);
    say_unrecognised(summary);
}

/// Lines that were not understood: how many, the first of them without its addresses, and where all can be seen.
fn say_unrecognised(summary: &Summary) {
    const SHOWN: usize = 160;
    let n = summary.tally.unrecognised;
    if n == 0 {
        return;
    }
    let look = if n == 1 { "looks like a delivery line and was" } else { "look like delivery lines and were" };
    note(format!("warning: {} {look} not understood; --unrecognised FILE lists them", count(n, "line")));
    if let (Some(example), Some(file)) = (&summary.remarks.unrecognised, &summary.unrecognised_in) {
        let shape: String = shapes::shape(&example.line).chars().filter(|c| !c.is_control()).collect();
        let shown: String = shape.chars().take(SHOWN).collect();
        let more = if shape.chars().count() > SHOWN || example.line.len() >= 500 { "…" } else { "" };
        note(format!("  the first, in {} at byte {}: {shown}{more}", file.display(), grouped(example.offset)));
    }
}

/// What lines say that is no event of a message.
fn say_remarks(remarks: &Remarks) {
    for (by, (says, lost)) in &remarks.lost {
        let how_many = if *lost > 0 { count(*lost, "line") } else { "lines".to_owned() };
        eprintln!("bouncestat: warning: {by} says that it lost {how_many} ({}): what was in them is not counted", times(*says));
    }
    if remarks.unended > 0 {
        let messages = count(remarks.unended, "message");
        let have = if remarks.unended == 1 { "has" } else { "have" };
        eprintln!(
            "bouncestat: warning: {messages} {have} attempts and no end, though later lines of the server follow: lines seem to be lost"
        );
    }
    if remarks.misaligned > 0 {
        let rows = count(remarks.misaligned, "row");
        eprintln!("bouncestat: warning: {rows} with more or fewer statuses than recipients: why these failed is not known");
    }
    say_repeated_hours(remarks);
    if !remarks.unknown_events.is_empty() {
        eprintln!("bouncestat: warning: events that are not known: {}", named(&remarks.unknown_events));
    }
    if !remarks.unreachable.is_empty() {
        eprintln!("bouncestat: no connection to servers of: {}", named(&remarks.unreachable));
    }
}

/// Whether the two times of an hour that autumn repeats could be told apart.
fn say_repeated_hours(remarks: &Remarks) {
    let (told, guessed): (Vec<_>, Vec<_>) = remarks.repeated_hours.values().partition(|(_, behind)| *behind > 0);
    let sum = |files: &[&(u64, u64)]| files.iter().map(|(before, behind)| before + behind).sum::<u64>();
    if !told.is_empty() {
        note(format!("{} of the hour that autumn repeats: told apart by the order of lines", count(sum(&told), "line")));
    }
    if !guessed.is_empty() {
        let lines = count(sum(&guessed), "line");
        eprintln!(
            "bouncestat: warning: {lines} of the hour that autumn repeats: taken for its first time, a guess; delays across it may be an hour off"
        );
    }
}

/// The most frequent names with how often each stands: `a.test (12), b.test (3) and 4 more`.
fn named(names: &BTreeMap<String, u64>) -> String {
    const SHOWN: usize = 5;
    let mut all: Vec<_> = names.iter().collect();
    all.sort_by_key(|(name, n)| (Reverse(**n), name.as_str()));
    let name = |(name, n): &(&String, &u64)| format!("{} ({})", if name.is_empty() { "?" } else { name.as_str() }, grouped(**n));
    let mut text = all.iter().take(SHOWN).map(name).collect::<Vec<_>>().join(", ");
    if all.len() > SHOWN {
        text.push_str(&format!(" and {} more", grouped((all.len() - SHOWN) as u64)));
    }
    text.chars().filter(|c| !c.is_control()).collect()
}

/// `once`, `3 times`.
fn times(n: u64) -> String {
    if n == 1 { "once".to_owned() } else { format!("{} times", grouped(n)) }
}

/// Says of `n` things that were counted what is not to be seen in the number: that there is none, or that `--domain` leaves some out.
pub fn say_found(what: &str, n: u64, domains: &Domains, window: Window, summary: &Summary) {
    if domains.is_all() {
        say_if_none(what, n, window, summary);
    } else {
        say_domains(domains, n);
    }
}

/// A hint where nothing was counted: a report of zeros is never silent.
fn say_if_none(what: &str, n: u64, window: Window, summary: &Summary) {
    if n > 0 {
        return;
    }
    match summary.counts.events {
        Some((_, newest)) if window.since.is_some() || window.until.is_some() => {
            note(format!("no {what} in the window; the newest event of these logs is of {}", rfc3339(newest)));
        }
        _ if summary.tally.lines > 0 => note(format!("no {what} in these logs")),
        _ => {}
    }
}

/// Says what `--domain` leaves out: a part must not be taken for the whole, nor a misspelt domain for one without mail.
fn say_domains(domains: &Domains, deliveries: u64) {
    match deliveries {
        0 => eprintln!("bouncestat: warning: there is no delivery to {}", domains.list()),
        _ => note(format!("only deliveries to {} are reported; lines and what is not counted are those of all", domains.list())),
    }
}

/// How a server is written in sentences.
pub fn name(mta: Mta) -> &'static str {
    match mta {
        Mta::Postfix => "Postfix",
        Mta::Exim => "Exim",
        Mta::Exchange => "Exchange",
    }
}

/// `1 file`, `2,000 files`.
pub fn count(n: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// Thousands apart: 1,234,567.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(1_234_567, "line"), "1,234,567 lines");
        assert_eq!(count(0, "line"), "0 lines");
    }
}
