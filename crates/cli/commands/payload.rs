//! Where the tables of a command go: to standard output or a file in one of the formats, and with `--export` into a folder.

use std::io::IsTerminal;

use anyhow::{Context, Result, bail};
use bouncestat_aggregation::Report;
use bouncestat_classification::reason_words;
use bouncestat_export::{Format, Options, export_dir};
use bouncestat_record::Reason;

use crate::args::Common;
use crate::notes;
use crate::output::{Output, export_folder};
use crate::redact::Redactor;
use crate::settings::Settings;

/// A payload that can be written: whether it can be is known before anything is read.
pub struct Payload<'a> {
    common: &'a Common,
    settings: &'a Settings,
    format: &'static dyn Format,
    table: &'a str,
    redaction: &'static str,
    output: Output,
    out: Box<dyn std::io::Write + Send>,
}

impl<'a> Payload<'a> {
    /// Opens what `-o` names. `table` is what formats of one table write.
    pub fn open(common: &'a Common, settings: &'a Settings, table: &'a str, redact: &Redactor) -> Result<Self> {
        let format = settings.format(common)?;
        one_table_only(common, format.name())?;
        if let Some(dir) = &common.export {
            export_folder(dir)?;
        }
        let output = Output::new(common.output.as_deref());
        let out = output.open()?;
        Ok(Self { common, settings, format, table, redaction: redact.as_str(), output, out })
    }

    /// Whether someone looks at it in a terminal.
    pub fn is_on_screen(&self) -> bool {
        self.format.name() == "table" && self.common.output.is_none() && std::io::stdout().is_terminal()
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
            redaction: self.redaction,
            clock: Some(&clock),
            zone: &zone_name,
            notes: warnings,
            advice: Some(&advice),
        };
        if let Some(dir) = &common.export {
            let files = export_dir(report, dir, &options).with_context(|| format!("--export {}", dir.display()))?;
            notes::note(format!("wrote {} files into {}", files.len(), dir.display()));
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

/// `--table` and `--csv-excel` where nothing would come of them.
fn one_table_only(common: &Common, format: &str) -> Result<()> {
    if common.table.is_some() && !common.from_file.gave("table") && !["csv", "parquet"].contains(&format) {
        bail!("--table is for the formats of one table, csv and parquet; {format} holds every table");
    }
    csv_excel_does_something(common, format)
}

/// `--csv-excel` where nothing would come of it.
pub fn csv_excel_does_something(common: &Common, format: &str) -> Result<()> {
    if common.csv_excel && !common.from_file.gave("csv-excel") && format != "csv" && common.export.is_none() {
        bail!("--csv-excel is for --format csv and --export, not for {format}");
    }
    Ok(())
}
