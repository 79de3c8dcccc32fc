//! One file a command.

mod attempts;
pub mod check;
mod classify;
mod collect;
mod compact;
mod completions;
mod expire;
mod explain;
mod follow;
mod kept;
mod man;
mod payload;
mod reclassify;
mod rejects;
mod report;
mod rules;
mod schema;
mod suppress;
mod suspects;
mod verify;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use bouncestat_aggregation::Meta;
use bouncestat_classification::Classifier;
use bouncestat_export::Options;
use bouncestat_ingest::input::{ChunkOptions, Problem, SourceKind};
use bouncestat_ingest::join::window::Window;
use bouncestat_ingest::plan::Plan;
use bouncestat_ingest::run::{Consumer, RunOptions, Summary, run as run_plan};
use bouncestat_store::{Piece, Reading};

use crate::args::{Args, Command, Common, QuotaChoice};
use crate::config::near;
use crate::consumers::Strange;
use crate::definition::definition;
use crate::output::Output;
use crate::progress::Bar;
use crate::redact::Redactor;
use crate::settings::{AsOf, Settings};
use crate::shapes::Shapes;
use crate::{exit, input, notes};

use payload::Payload;

/// Does what was asked; gives the exit code.
pub fn run(args: Args) -> Result<u8> {
    let common = &args.common;
    if let (None, [only]) = (&args.command, &args.paths[..]) {
        meant_a_command(only)?;
    }
    match args.command {
        None => report::run(&args.paths, args.compare, common),
        Some(Command::Report(args)) => report::run(&args.paths.paths, args.compare, common),
        Some(Command::Suspects(args)) => suspects::run(&args, common),
        Some(Command::Suppress(args)) => suppress::run(&args, common),
        Some(Command::Rejects(args)) => rejects::run(&args, common),
        Some(Command::Attempts(args)) => attempts::run(&args, common),
        Some(Command::Collect(args)) => collect::run(&args, common),
        Some(Command::Follow(args)) => follow::run(&args, common),
        Some(Command::Reclassify(args)) => reclassify::run(&args, common),
        Some(Command::Compact(args)) => compact::run(&args, common),
        Some(Command::Expire(args)) => expire::run(&args, common),
        Some(Command::Verify(args)) => verify::run(&args, common),
        Some(Command::Classify(args)) => classify::run(&args, common),
        Some(Command::Explain(args)) => explain::run(&args, common),
        Some(Command::Rules(args)) => rules::run(&args.action, common),
        Some(Command::Schema(args)) => schema::run(&args, common),
        Some(Command::Check(args)) => check::run(&args, common),
        Some(Command::Completions(args)) => completions::run(&args, common),
        Some(Command::Man(args)) => man::run(&args),
    }
}

/// A single word that is no file, and nearly a command.
fn meant_a_command(path: &Path) -> Result<()> {
    let Some(word) = path.to_str().filter(|word| word.chars().all(char::is_alphabetic) && !path.exists()) else {
        return Ok(());
    };
    let definition = definition();
    let near = near(word, definition.get_subcommands().map(|c| c.get_name()));
    if near.is_empty() { Ok(()) } else { bail!("there is no command and no file {word}{near}") }
}

/// What is read.
enum Input {
    /// Logs.
    Logs(Plan),
    /// What was collected of logs.
    Dataset(Box<Reading>),
}

/// What is ready to be read, with its window.
struct Ready {
    input: Input,
    options: RunOptions,
}

impl Ready {
    /// Finds the logs, resolves the window, and says what will be read.
    fn new(paths: &[PathBuf], common: &Common, settings: &Settings) -> Result<Self> {
        let ready = Self::again(paths, common, settings)?;
        if let Some(output) = common.output.as_deref().and_then(|path| path.canonicalize().ok()).filter(|path| ready.reads(path))
        {
            bail!("-o {} is one of the files to read: name another one", output.display());
        }
        match &ready.input {
            Input::Logs(plan) => notes::say_plan(plan),
            Input::Dataset(reading) => notes::say_dataset(reading),
        }
        Ok(ready)
    }

    /// The same without a word, for a second run over the same logs.
    fn again(paths: &[PathBuf], common: &Common, settings: &Settings) -> Result<Self> {
        if let Some(dir) = input::dataset(paths, common)? {
            return Self::of_dataset(dir, common, settings);
        }
        let plan = input::find(paths, common, settings)?;
        if settings.as_of == AsOf::Last && plan.files.iter().any(|f| f.source.kind != SourceKind::File) {
            bail!("--as-of last needs to know the end before the beginning: give files, not standard input or a pipe");
        }
        let window = settings.window(common, || plan.newest())?;
        Ok(Self { input: Input::Logs(plan), options: run_options(window, settings) })
    }

    fn of_dataset(dir: &Path, common: &Common, settings: &Settings) -> Result<Self> {
        if common.unrecognised.is_some() {
            bail!("--unrecognised needs logs: a dataset counts the lines that were not understood, and does not keep them");
        }
        let reading = Reading::open(dir)?;
        let window = settings.window(common, || reading.newest())?;
        Ok(Self { input: Input::Dataset(Box::new(reading)), options: run_options(window, settings) })
    }

    /// Which years had to be guessed.
    fn guessed_years(&self) -> Vec<String> {
        match &self.input {
            Input::Logs(plan) => notes::guessed_years(plan),
            Input::Dataset(_) => Vec::new(),
        }
    }

    /// Whether it is a dataset.
    fn is_dataset(&self) -> bool {
        matches!(self.input, Input::Dataset(_))
    }

    /// Whether it can be read only once.
    fn is_read_once(&self) -> bool {
        match &self.input {
            Input::Logs(plan) => plan.files.iter().any(|f| f.source.kind != SourceKind::File),
            Input::Dataset(_) => false,
        }
    }

    /// Whether a file is one of the logs.
    fn reads(&self, file: &Path) -> bool {
        match &self.input {
            Input::Logs(plan) => plan.files.iter().any(|f| f.source.path.canonicalize().is_ok_and(|log| log == file)),
            Input::Dataset(reading) => reading.dir().canonicalize().is_ok_and(|dir| file.starts_with(dir)),
        }
    }

    /// The names of the logs, in the order of the plan.
    fn file_names(&self) -> Vec<String> {
        match &self.input {
            Input::Logs(plan) => plan.files.iter().map(|f| f.source.path.display().to_string()).collect(),
            Input::Dataset(reading) => reading.names(),
        }
    }

    /// Runs it, and writes what `--unrecognised` asks for.
    fn run_and_tell<C: Consumer>(
        self,
        common: &Common,
        redact: &Redactor,
        rules: &str,
        consumer: &C,
        on_part: &mut dyn FnMut(C::Part),
    ) -> Result<Summary> {
        let Some(path) = common.unrecognised.as_deref() else { return Ok(self.run(common, consumer, on_part)) };
        if path == Path::new("-") {
            bail!("--unrecognised needs a file: standard output has the tables");
        }
        if path.canonicalize().is_ok_and(|file| self.reads(&file)) {
            bail!("--unrecognised {} is one of the logs to read: name another file", path.display());
        }
        let format = bouncestat_export::by_path(path).map_or("csv", |format| format.name());
        if !["csv", "json", "jsonl", "parquet"].contains(&format) {
            bail!("--unrecognised {}: {format} does not show these lines; csv, json, jsonl and parquet do", path.display());
        }
        let (window, files) = (self.options.window, self.file_names());
        let output = Output::new(Some(path));
        // What cannot be written is said before anything is read.
        drop(output.open()?);
        let mut shapes = Shapes::default();
        let strange = Strange { inner: consumer, wanted: true, redact };
        let summary = self.run(common, &strange, &mut |(part, later)| {
            on_part(part);
            shapes.merge(later);
        });
        let options =
            Options { table: "unrecognised", excel: common.csv_excel, redaction: redact.as_str(), ..Options::default() };
        let kinds = {
            let mut out = output.open()?;
            shapes.write(&mut *out, format, meta(window, &summary, rules), &files, &options)?
        };
        output.commit()?;
        let shapes = if kinds == 1 { "shape" } else { "shapes" };
        notes::note(format!("wrote {kinds} {shapes} of lines that were not understood to {}", path.display()));
        Ok(summary)
    }

    /// How many bytes lie on the disk, where that is known.
    fn size(&self) -> Option<u64> {
        match &self.input {
            Input::Logs(plan) => plan.files.iter().map(|f| f.source.size).sum(),
            Input::Dataset(reading) => Some(reading.bytes(self.options.window)),
        }
    }

    /// Runs it, with a progress bar.
    fn run<C: Consumer>(self, common: &Common, consumer: &C, on_part: &mut dyn FnMut(C::Part)) -> Summary {
        self.run_with_sums(common, consumer, None, &mut |piece| match piece {
            Piece::Part(part) => on_part(part),
            Piece::Sums(..) => unreachable!("no sums were asked for"),
        })
    }

    /// The same; of a dataset, sums stand for what lies in a window as a whole and was `judged_by` the same rules.
    fn run_with_sums<C: Consumer>(
        self,
        common: &Common,
        consumer: &C,
        judged_by: Option<&str>,
        on_piece: &mut dyn FnMut(Piece<C::Part>),
    ) -> Summary {
        let bar = Bar::new(self.size(), common.no_progress);
        let at = |progress| bar.at(progress);
        let summary = match self.input {
            Input::Logs(plan) => run_plan(plan, &self.options, consumer, &mut |part| on_piece(Piece::Part(part)), &at),
            Input::Dataset(reading) => reading.run(self.options.window, consumer, judged_by, on_piece, &at),
        };
        bar.done();
        summary
    }
}

/// By which rules and options deliveries are judged: what was summed by others is counted anew.
fn judged_by(rules: &Classifier, common: &Common) -> String {
    let quota = if common.quota_class == QuotaChoice::Hard { "hard" } else { "soft" };
    format!("{} rules {} quota {quota}", env!("CARGO_PKG_VERSION"), rules.rules_version())
}

/// How to run.
fn run_options(window: Window, settings: &Settings) -> RunOptions {
    // The pool is made only where one thread does not do, and only now.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(settings.threads).build_global();
    RunOptions { window, chunks: ChunkOptions::default(), threads: settings.threads }
}

/// Says what was read and what could not be; gives the exit code. Nothing at all is an error. `what` is what the run counts.
fn tell(summary: &Summary, what: &str) -> Result<u8> {
    notes::say_problems(&summary.problems);
    notes::say_coverage(summary, what);
    match exit_code(summary) {
        exit::NOTHING => Err(notes::nothing(summary)),
        code => Ok(code),
    }
}

/// Refuses the format of metrics where there are none.
fn no_metrics(settings: &Settings, common: &Common, of: &str) -> Result<()> {
    if settings.format(common)?.name() == "prometheus" {
        bail!("--format prometheus is for the report: there are no metrics of {of}");
    }
    Ok(())
}

/// The exit code of a run: whether all, some or nothing of the input could be read.
fn exit_code(summary: &Summary) -> u8 {
    let failed = summary.problems.iter().any(Problem::is_failure);
    let nothing = summary.tally.lines == 0 && summary.whole_files == 0;
    match (failed, nothing) {
        (false, _) => exit::FINE,
        (true, true) => exit::NOTHING,
        (true, false) => exit::PARTIAL,
    }
}

/// The window before, as long as the window itself; `None` where that has no beginning. One without an end ends now.
fn window_before(window: Window, settings: &Settings) -> Option<Window> {
    let since = window.since?;
    let end = window.until.unwrap_or(settings.present).max(since);
    Some(Window { since: Some(since.saturating_sub(end - since)), until: Some(since) })
}

/// The same window in a report.
fn reported(window: Window) -> bouncestat_aggregation::Window {
    bouncestat_aggregation::Window { since: window.since, until: window.until, ..Default::default() }
}

/// What a report says about itself.
fn meta(window: Window, summary: &Summary, rules: &str) -> Meta {
    Meta {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        rules: rules.to_owned(),
        window: reported(window),
        coverage: notes::coverage(summary),
        excluded: notes::excluded(summary),
    }
}
