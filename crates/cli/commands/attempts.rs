//! `bouncestat attempts [PATH]...`: one row an attempt, classified.

use anyhow::Result;
use bouncestat_aggregation::{Frame, Meta};
use bouncestat_export::{AttemptSink, Format, Kept, Options, Partitions};

use super::payload::csv_excel_does_something;
use super::{Ready, meta, tell};
use crate::args::{Attempts, Common};
use crate::consumers::{Only, Rows};
use crate::notes;
use crate::output::{Output, export_folder};
use crate::settings::{Settings, domains, redactor, rules};

/// Writes the attempts.
pub fn run(args: &Attempts, common: &Common) -> Result<u8> {
    let settings = Settings::resolve(common)?;
    let format = settings.format(common)?;
    let classifier = rules(common)?;
    let redact = redactor(common)?;
    let domains = domains(common)?;
    csv_excel_does_something(common, format.name())?;
    if let Some(dir) = &common.export {
        export_folder(dir)?;
    }
    let ready = Ready::new(&args.paths.paths, common, &settings)?;
    let window = ready.options.window;
    let files = ready.file_names();
    let zone = settings.zone;
    let clock = move |at| zone.to_wall(at).format("%Y-%m-%d %H:%M:%S").to_string();
    let zone_name = notes::zone_name(zone);
    let options = Options {
        top: common.top,
        width: settings.width,
        color: settings.color && common.output.is_none(),
        table: "attempts",
        excel: common.csv_excel,
        redaction: redact.as_str(),
        clock: Some(&clock),
        zone: &zone_name,
        ..Options::default()
    };
    let mut targets = Targets::open(args, common, format, &options)?;
    let (mut rows, mut failed) = (0, None);
    let rows_of = Only { domains: &domains, inner: Rows { rules: &classifier, redact: &redact, files: &files } };
    let summary = ready.run_and_tell(common, &redact, classifier.rules_version(), &rows_of, &mut |batch| {
        rows += batch.len();
        if failed.is_none()
            && let Err(error) = targets.write(batch.frame(), rows - batch.len(), common.top)
        {
            failed = Some(error);
        }
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let code = tell(&summary, "attempt")?;
    notes::say_found("delivery", rows as u64, &domains, window, &summary);
    targets.finish(&meta(window, &summary, classifier.rules_version()))?;
    Ok(code)
}

/// Where the rows go: standard output or a file, and with `--export` a CSV and a Parquet file, or a folder a day.
struct Targets<'w> {
    /// Each with the file that appears when it is whole; sinks that write many files see to that themselves.
    all: Vec<(Option<Output>, Box<dyn AttemptSink + 'w>)>,
    kept: Kept,
}

impl<'w> Targets<'w> {
    fn open(args: &Attempts, common: &Common, format: &'static dyn Format, options: &Options<'w>) -> Result<Self> {
        let (mut all, mut kept) = (Vec::new(), Kept::default());
        if let (Some(dir), Some(_by_date)) = (&common.export, args.partition_by) {
            let days = Partitions::begin(dir, options.redaction)?;
            kept = days.kept();
            all.push((None, Box::new(days) as Box<dyn AttemptSink>));
        } else if let Some(dir) = &common.export {
            for name in ["csv", "parquet"] {
                let format = bouncestat_export::by_name(name).expect("it is in the registry");
                let output = Output::new(Some(&dir.join(format!("attempts.{name}"))));
                let sink = format.attempts(output.open()?, options)?;
                all.push((Some(output), sink));
            }
        }
        if common.export.is_none() || common.output.is_some() || common.format.is_some() {
            let output = Output::new(common.output.as_deref());
            let sink = format.attempts(output.open()?, options)?;
            all.push((Some(output), sink));
        }
        Ok(Self { all, kept })
    }

    /// Writes a batch, `before` rows being written already.
    fn write(&mut self, batch: &Frame, before: usize, top: Option<usize>) -> bouncestat_export::Result<()> {
        let room = top.map_or(usize::MAX, |top| top.saturating_sub(before));
        let mut first = Frame::new(batch.spec());
        let batch = if room < batch.len() {
            first.append(batch, 0..room);
            &first
        } else {
            batch
        };
        self.all.iter_mut().try_for_each(|(_, sink)| sink.write(batch))
    }

    fn finish(self, meta: &Meta) -> Result<()> {
        for (output, sink) in self.all {
            sink.finish(meta)?;
            output.iter().try_for_each(Output::commit)?;
        }
        for day in self.kept.lock().iter().flat_map(|days| days.iter()) {
            notes::note(format!("{day} is left as it is: it holds more attempts than these logs have now"));
        }
        Ok(())
    }
}
