//! Reads what is new in logs that grow, again and again; keeps it in a dataset, or only what is open.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

use anyhow::Result;
use bouncestat_classification::Classifier;
use bouncestat_ingest::input::Source;
use bouncestat_ingest::join::fold::View;
use bouncestat_ingest::join::stitch::Stitcher;
use bouncestat_ingest::join::store::Event;
use bouncestat_ingest::join::window::Window;
use bouncestat_ingest::plan::PlanOptions;
use bouncestat_ingest::reject;
use bouncestat_ingest::run::{Keeper, gather};
use bouncestat_record::Mta;
use bouncestat_record::time::Micros;
use bouncestat_store::{Tail, Watcher, Writer};

use super::run_options;
use crate::args::{Common, Follow};
use crate::commands::{collect, judged_by};
use crate::consumers::Kept;
use crate::domains::Domains;
use crate::eyes::Eyes;
use crate::input;
use crate::live::seen::Seen;
use crate::live::status::Commits;
use crate::redact::Redactor;
use crate::settings::Settings;

/// What one look at the logs brought.
#[derive(Default)]
pub struct Tick {
    pub lines: u64,
    pub unrecognised: u64,
    pub bytes: u64,
    pub files: usize,
    pub newest: Option<Micros>,
    /// Attempts that are older than what is shown.
    pub older: u64,
    pub seen: Vec<Seen>,
    pub problem: Option<String>,
}

/// Reads logs that grow.
pub struct Reader {
    keeps: Keeps,
    redact: Redactor,
    /// Nothing was read yet, and what is there is not to be read.
    at_end: bool,
    first: bool,
    name: String,
}

enum Keeps {
    Dataset(Box<Writer>),
    /// Only what is open.
    Open {
        tail: Box<Tail>,
        stitcher: Box<Stitcher>,
    },
}

impl Reader {
    /// Opens the dataset, where one is asked for. `at_end`: without one, what is there already is not read.
    pub fn open(
        args: &Follow,
        rules: &Classifier,
        common: &Common,
        settings: &Settings,
        redact: Redactor,
        at_end: bool,
    ) -> Result<Self> {
        let keeps = match &args.into {
            Some(dir) => Keeps::Dataset(Box::new(collect::open(dir, redact.clone(), &judged_by(rules, common), settings)?)),
            None => Keeps::Open { tail: Box::default(), stitcher: Box::new(Stitcher::keeping(Vec::new(), [])) },
        };
        let name = args.into.as_ref().map(|dir| dir.display().to_string()).unwrap_or_default();
        Ok(Self { at_end: at_end && args.into.is_none(), first: true, keeps, redact, name })
    }

    /// The dataset's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// No commits yet; `None` without a dataset.
    pub fn commits(&self) -> Option<Commits> {
        matches!(self.keeps, Keeps::Dataset(_)).then(Commits::default)
    }

    /// How many lines wait for a commit.
    pub fn waiting(&self) -> u64 {
        match &self.keeps {
            Keeps::Dataset(writer) => writer.waiting(),
            Keeps::Open { .. } => 0,
        }
    }

    /// How many messages are open.
    pub fn open_messages(&self) -> usize {
        match &self.keeps {
            Keeps::Dataset(writer) => writer.open_messages(),
            Keeps::Open { stitcher, .. } => stitcher.open_messages(),
        }
    }

    /// Begins: without a dataset, at the end of what is there, unless a moment in the past was named.
    pub fn begin(&mut self, sources: Vec<Source>, common: &Common, settings: &Settings) -> Result<()> {
        if let Keeps::Open { tail, .. } = &mut self.keeps
            && self.at_end
        {
            let problems = tail.skip(sources, &options(common, settings));
            crate::notes::say_problems(&problems);
            self.first = false;
        }
        Ok(())
    }

    /// Reads what is new.
    pub fn tick(
        &mut self,
        paths: &[PathBuf],
        common: &Common,
        settings: &Settings,
        rules: &Classifier,
        domains: &Domains,
        from: Micros,
    ) -> Result<Tick> {
        // In the moment of a rotation, a log may not be there.
        let (sources, problems) = input::sources(paths, common).unwrap_or_default();
        let mut tick = Tick { files: sources.len(), ..Tick::default() };
        let plan_options = options(common, settings);
        let tail = match &mut self.keeps {
            Keeps::Dataset(writer) => &mut writer.tail,
            Keeps::Open { tail, .. } => tail,
        };
        let planned =
            if std::mem::take(&mut self.first) { tail.plan(sources, &plan_options) } else { tail.tick(sources, &plan_options) };
        tick.problem = problems.iter().chain(&planned.plan.problems).find(|p| p.is_failure()).map(ToString::to_string);
        if planned.plan.files.is_empty() {
            return Ok(tick);
        }
        let names = tail.names();
        let older = AtomicU64::new(0);
        let eyes = Eyes { older: &older, rules, redact: &self.redact, domains, files: &names, from };
        let run = run_options(Window::default(), settings);
        let mut seen = Vec::new();
        let mut on_seen = |part: Vec<Seen>| seen.extend(part);
        let mut summary = match &mut self.keeps {
            Keeps::Dataset(writer) => writer.gather(planned.plan, &run, &eyes, &mut on_seen, &|_| {})?,
            Keeps::Open { stitcher, .. } => {
                let summary = gather(planned.plan, &run, stitcher, &Forget(&eyes), &mut on_seen, &|_| {});
                drop(stitcher.take_ids());
                summary
            }
        };
        let tail = match &mut self.keeps {
            Keeps::Dataset(writer) => &mut writer.tail,
            Keeps::Open { tail, .. } => tail,
        };
        let problems = tail.note_ends(&mut summary);
        let failure = summary.problems.iter().chain(&problems).find(|p| p.is_failure());
        tick.problem = failure.map(ToString::to_string).or(tick.problem);
        tick.lines = summary.tally.lines;
        tick.unrecognised = summary.tally.unrecognised;
        tick.bytes = summary.bytes;
        tick.newest = seen.iter().map(|seen| seen.at).max();
        tick.older = older.into_inner();
        tick.seen = seen;
        Ok(tick)
    }

    /// Makes what was read part of the dataset; gives the attempts that were written.
    pub fn commit(&mut self, rules: &Classifier, now: Micros) -> Result<u64> {
        let Keeps::Dataset(writer) = &mut self.keeps else { return Ok(0) };
        let names = writer.tail.names();
        let shown = Redactor::none();
        let kept = Kept::new(rules, &shown, &names);
        Ok(writer.commit(&kept, &collect::meta(rules.rules_version()), now)?.attempts)
    }
}

fn options(common: &Common, settings: &Settings) -> PlanOptions {
    let present = chrono::Utc::now().timestamp_micros();
    PlanOptions { rejects: true, now: present, ..settings.plan_options(common) }
}

/// Looks, and keeps nothing of what is whole.
struct Forget<'w, W>(&'w W);

impl<W: Watcher> Keeper for Forget<'_, W> {
    type Part = W::Part;

    fn begin(&self) -> W::Part {
        self.0.begin()
    }

    fn message(&self, _: &mut W::Part, _: View<'_>, _: usize) {}

    fn reject(&self, _: &mut W::Part, _: Mta, _: u32, _: &reject::Kept) {}

    fn seen(&self, part: &mut W::Part, message: View<'_>, event: &Event) {
        self.0.seen(part, message, event);
    }
}
