//! `bouncestat follow [PATH]...`: logs as they grow. Failures are shown as they come; `--into` appends everything to a dataset.
//!
//! The same engine as `collect`, run again whenever something was written. What is not here: the screen and what waits for files (`live`).

mod reader;
mod shown;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bouncestat_record::time::Micros;

use super::run_options;
use crate::args::{Common, Follow};
use crate::live::screen::{Key, Screen};
use crate::live::status::{Commits, Status};
use crate::live::watch::{Watch, Woke};
use crate::settings::{Settings, domains, lasting_redactor, redactor, rules};
use crate::{exit, input, notes, when};

use reader::{Reader, Tick};
use shown::Shown;

/// A commit may take this part of the time, so that large queues do not keep it busy with writing.
const SHARE: u32 = 20;
/// So many lines are committed at once at the latest.
const MOST_WAITING: u64 = 2_000_000;

/// Follows.
pub fn run(args: &Follow, common: &Common) -> Result<u8> {
    followable(args, common)?;
    let settings = Settings::resolve(common)?;
    let rules = rules(common)?.for_good();
    let redact = if args.into.is_some() { lasting_redactor(common)? } else { redactor(common)? };
    let domains = domains(common)?;
    if let Some(dir) = input::dataset(&args.paths, common)? {
        bail!("{} is a dataset: logs are followed, and a dataset is reported of", dir.display());
    }
    let every = when::span(&args.every).filter(|span| *span > 0).map(|span| Duration::from_micros(span as u64));
    let every = every.ok_or_else(|| anyhow::anyhow!("--every {:?} is no span of time; write 60s, 5m or 1h", args.every))?;
    let since = settings.window(common, || None)?.since;
    let (first, problems) = input::sources(&args.paths, common)?;
    notes::say_problems(&problems);
    let places = input::places(&args.paths, common);
    let mut watch = Watch::new(&places, common.recursive, args.poll)?;
    if let Some(trouble) = watch.trouble() {
        notes::note(format!("changes are polled for: {trouble}"));
    }
    let mut reader = Reader::open(args, rules, common, &settings, redact, since.is_none())?;
    let from = since.unwrap_or(settings.present);
    let wants_screen = common.format.is_none() && common.output.is_none() && !common.quiet && !common.no_progress;
    let screen = (wants_screen && !args.lines && std::io::stdout().is_terminal() && std::io::stdin().is_terminal())
        .then(|| Screen::open(settings.zone, settings.color, watch.waker()))
        .transpose()?;
    let mut shown = Shown::new(args, common, &settings, rules, screen)?;
    let mut status =
        Status { since: settings.present, commits: reader.commits(), is_polling: watch.is_polling(), ..Status::default() };
    let mut last_commit = (Instant::now(), Duration::ZERO);
    reader.begin(first, common, &settings)?;
    let mut older = 0;
    loop {
        // What is there is read to its end before anybody waits.
        let tick = reader.tick(&args.paths, common, &settings, rules, &domains, from)?;
        status.now = now();
        status.is_behind = tick.lines > 0;
        take(&mut status, &tick, &reader);
        if older == 0 && tick.older > 0 && since.is_none() && !shown.has_screen() {
            // A zone that is guessed wrong, or a clock that is behind, would hide everything.
            notes::note(
                "attempts stamped before the start are not shown; --since 1h shows them (and --tz names the zone of stamps)",
            );
        }
        older += tick.older;
        if !shown.show(&tick.seen, &status)? {
            break;
        }
        let due = last_commit.0.elapsed() >= every.max(last_commit.1 * SHARE) || reader.waiting() >= MOST_WAITING;
        if due && reader.waiting() > 0 {
            let begun = Instant::now();
            if let Err(error) = commit(&mut reader, rules, &mut status) {
                return failed(shown, &error);
            }
            last_commit = (Instant::now(), begun.elapsed());
        }
        if watch.is_stopped() {
            break;
        }
        if tick.lines > 0 {
            continue;
        }
        status.is_behind = false;
        if !shown.draw(&status)? || !wait(&mut watch, &mut shown, &mut status, reader.waiting() > 0, every)? {
            break;
        }
    }
    if reader.waiting() > 0
        && let Err(error) = commit(&mut reader, rules, &mut status)
    {
        return failed(shown, &error);
    }
    shown.end();
    notes::note(format!(
        "followed {} of {}{}{}",
        notes::count(status.lines, "line"),
        notes::count(status.files as u64, "file"),
        status.commits.map(|c| format!(", {} into {}", notes::count(c.count, "commit"), reader.name())).unwrap_or_default(),
        match older {
            0 => String::new(),
            n => format!("; {} from before the start not shown", notes::count(n, "attempt")),
        }
    ));
    Ok(exit::FINE)
}

/// Refuses what cannot be followed, before anything is made.
fn followable(args: &Follow, common: &Common) -> Result<()> {
    if let Some(format) = common.format.as_deref().filter(|format| !matches!(*format, "table" | "jsonl")) {
        bail!("--format {format} is for reports: follow writes lines (table) or jsonl");
    }
    if args.paths.iter().any(|path| path == std::path::Path::new("-")) {
        bail!("standard input is read to its end, and not followed: bouncestat attempts - tells what is in it");
    }
    Ok(())
}

/// Waits for something new; false where it is time to go.
fn wait(watch: &mut Watch, shown: &mut Shown, status: &mut Status, uncommitted: bool, every: Duration) -> Result<bool> {
    // A screen shows the time; a commit is due at some moment; otherwise a look now and then is enough.
    let at_most = match (shown.has_screen(), uncommitted) {
        (true, _) => Duration::from_secs(1),
        (false, true) => every.min(Duration::from_secs(5)),
        (false, false) => Duration::from_secs(30),
    };
    loop {
        match watch.wait(at_most) {
            Woke::Stopped => return Ok(false),
            Woke::Called => {
                while let Some(key) = shown.poll() {
                    if key == Key::Leave {
                        return Ok(false);
                    }
                }
                status.now = now();
                if !shown.draw(status)? {
                    return Ok(false);
                }
            }
            Woke::Changed | Woke::TimedOut => return Ok(true),
        }
    }
}

fn take(status: &mut Status, tick: &Tick, reader: &Reader) {
    status.lines += tick.lines;
    status.unrecognised += tick.unrecognised;
    status.bytes += tick.bytes;
    status.files = tick.files;
    status.newest = status.newest.max(tick.newest);
    status.open_messages = reader.open_messages();
    if let Some(problem) = &tick.problem {
        status.problem = Some(problem.clone());
    }
}

fn commit(reader: &mut Reader, rules: &bouncestat_classification::Classifier, status: &mut Status) -> Result<()> {
    let rows = reader.commit(rules, now())?;
    let before = status.commits.unwrap_or_default();
    status.commits = Some(Commits { count: before.count + 1, rows: before.rows + rows, last: Some(now()) });
    Ok(())
}

/// A commit failed: nothing of it holds, and whoever starts this again loses nothing.
fn failed(shown: Shown, error: &anyhow::Error) -> Result<u8> {
    shown.end();
    eprintln!("bouncestat: {error:#}; what was read since the last commit is read again at the next start");
    Ok(exit::PARTIAL)
}

/// The present.
fn now() -> Micros {
    chrono::Utc::now().timestamp_micros()
}
