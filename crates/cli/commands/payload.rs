//! Where the tables of a command go: to standard output or a file in one of the formats, and with `--export` into a folder.

use anyhow::{Context, Result};
use bouncestat_aggregation::Report;
use bouncestat_classification::reason_words;
use bouncestat_export::{Format, Options, export_dir};
use bouncestat_record::Reason;

use crate::args::Common;
use crate::notes;
use crate::output::Output;
use crate::settings::Settings;

/// A payload that can be written: whether it can be is known before anything is read.
pub struct Payload<'a> {
    common: &'a Common,
    settings: &'a Settings,
    format: &'static dyn Format,
    table: &'a str,
    output: Output,
    out: Box<dyn std::io::Write + Send>,
}

impl<'a> Payload<'a> {
    /// Opens what `-o` names. `table` is what formats of one table write.
    pub fn open(common: &'a Common, settings: &'a Settings, table: &'a str) -> Result<Self> {
        let format = settings.format(common)?;
        let output = Output::new(common.output.as_deref());
        let out = output.open()?;
        Ok(Self { common, settings, format, table, output, out })
    }

    /// Writes the tables; `warnings`: what a page says of the input beside them.
    pub fn write(mut self, report: &Report, warnings: &[String]) -> Result<()> {
        let common = self.common;
        let zone = self.settings.zone;
        let clock = move |at| zone.to_wall(at).format("%Y-%m-%d %H:%M:%S").to_string();
        let zone_name = notes::zone_name(zone);
        let advice = |reason: &str| Reason::from_name(reason).map(reason_words);
        let options = Options {
            top: common.top,
            width: self.settings.width,
            color: self.settings.color && common.output.is_none(),
            table: self.table,
            excel: common.csv_excel,
            redaction: "none",
            clock: Some(&clock),
            zone: &zone_name,
            notes: warnings,
            advice: Some(&advice),
        };
        if let Some(dir) = &common.export {
            let files = export_dir(report, dir, &options).with_context(|| format!("--export {}", dir.display()))?;
            eprintln!("bouncestat: wrote {} files into {}", files.len(), dir.display());
            if common.output.is_none() && common.format.is_none() {
                return Ok(());
            }
        }
        self.format.report(report, &options, &mut *self.out)?;
        self.out.flush()?;
        drop(self.out);
        self.output.commit()
    }
}
