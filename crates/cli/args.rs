//! The command line, as typed.

use std::path::PathBuf;

use bouncestat_record::Mta;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// What mail bounces, where and why, from the logs that Postfix, Exim and Exchange already write.
///
/// Without a command: the nightly report. Without a PATH: the mail logs of this machine.
#[derive(Debug, Parser)]
#[command(name = "bouncestat", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Files, folders (their logs and rotations), globs, or `-` for standard input; plain, gz, bz2, xz or zst
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The window beside the one before it, as long as it is: what changed for certain (needs --since)
    #[arg(long, help_heading = "Window")]
    pub compare: bool,
    #[command(flatten)]
    pub common: Common,
}

const AFTER_HELP: &str = "\
Examples:
  bouncestat --since 24h                        the last day, from this machine's logs
  bouncestat /var/log/mail.log*                 everything in these files
  zcat mail.log.2.gz | bouncestat --format json -
  bouncestat --export bi/ --since 30d           every table as CSV and Parquet
  bouncestat --since 24h --compare              and what changed against the day before
  bouncestat suspects --since 24h               who refuses us for our reputation
  bouncestat suppress --for postfix-access      whom to stop mailing
  bouncestat attempts --since 7d -o week.parquet

Exit codes: 0 fine; 2 wrong usage, or nothing could be read; 3 reported, but part of the input could not be read.";

/// A command and what it works on.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The report: rates by domain, provider, source, sender domain, and reasons (the default command)
    Report(ReportArgs),
    /// Who refuses us for our reputation, since when, how sure that is, and where to be delisted
    Suspects(Suspects),
    /// Addresses and domains to stop mailing, and why
    Suppress(Suppress),
    /// One row an attempt, classified
    Attempts(Attempts),
    /// Replies, one a line, to verdicts as JSON lines
    Classify(Classify),
    /// What a code, a reply or a log line means, why we say so, and what to do
    Explain(Explain),
    /// The classification rules
    Rules(Rules),
    /// The columns of every table
    Schema(Schema),
}

/// What to read.
#[derive(Debug, ClapArgs)]
pub struct Paths {
    /// Files, folders, globs, or `-`; none: the mail logs of this machine
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// Arguments of `attempts`.
#[derive(Debug, ClapArgs)]
pub struct Attempts {
    #[command(flatten)]
    pub paths: Paths,
    /// With --export: Parquet only, a folder a day (event_date=2026-11-22), as Hive names them
    #[arg(long, value_name = "COLUMN", value_enum, requires = "export", help_heading = "Output")]
    pub partition_by: Option<PartitionBy>,
}

/// What attempts are parted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PartitionBy {
    /// The day of the attempt, UTC.
    Date,
}

/// Arguments of `report`.
#[derive(Debug, ClapArgs)]
pub struct ReportArgs {
    #[command(flatten)]
    pub paths: Paths,
    /// The window beside the one before it, as long as it is: what changed for certain (needs --since)
    #[arg(long, help_heading = "Window")]
    pub compare: bool,
}

/// Arguments of `suspects`.
#[derive(Debug, ClapArgs)]
pub struct Suspects {
    #[command(flatten)]
    pub paths: Paths,
    /// Refused deliveries at least
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "Thresholds")]
    pub min_refused: u64,
    /// Share of deliveries refused at least, a fraction, where fewer than three receivers refuse
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = fraction, help_heading = "Thresholds")]
    pub min_share: f64,
    /// Score at least, 0 to 1
    #[arg(long, value_name = "SCORE", default_value_t = 0.2, value_parser = fraction, help_heading = "Thresholds")]
    pub min_score: f64,
}

fn fraction(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "no number".to_owned())?;
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err("not between 0 and 1".to_owned()) }
}

/// Arguments of `suppress`.
#[derive(Debug, ClapArgs)]
pub struct Suppress {
    #[command(flatten)]
    pub paths: Paths,
    /// Hard failures after which an address is listed; 0: never for that
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Policy")]
    pub hard: u64,
    /// Soft failures after which an address is listed; 0: never for that
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Policy")]
    pub soft: u64,
    /// Days that lie between the first of these soft failures and the last, at least
    #[arg(long, value_name = "DAYS", default_value_t = 7, help_heading = "Policy")]
    pub soft_days: u64,
    /// Failures, an hour apart at least, after which a domain that takes no mail is listed; 0: never
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "Policy")]
    pub domain: u64,
    /// Write the list as another program imports it
    #[arg(long = "for", value_name = "PROGRAM", value_parser = list_names(), conflicts_with_all = ["format", "export", "top"], help_heading = "Output")]
    pub list_for: Option<String>,
}

fn list_names() -> clap::builder::PossibleValuesParser {
    bouncestat_export::lists::LISTS
        .iter()
        .map(|list| clap::builder::PossibleValue::new(list.name).help(list.meaning))
        .collect::<Vec<_>>()
        .into()
}

/// Arguments of `classify`.
#[derive(Debug, ClapArgs)]
pub struct Classify {
    /// A file with one reply a line; `-` for standard input
    #[arg(default_value = "-")]
    pub file: PathBuf,
    /// Lines are JSON objects: {"text", "code"?, "enhanced"?, "rhost"?}
    #[arg(long)]
    pub jsonl: bool,
}

/// Arguments of `explain`.
#[derive(Debug, ClapArgs)]
pub struct Explain {
    /// A code (550, 5.7.26), a reply, or a whole log line
    #[arg(required = true, value_name = "TEXT")]
    pub text: Vec<String>,
}

/// Arguments of `rules`.
#[derive(Debug, ClapArgs)]
pub struct Rules {
    #[command(subcommand)]
    pub action: RulesAction,
}

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub enum RulesAction {
    /// Every rule: id, reason, provider, source
    List,
    /// Which rules decide how often in logs
    Stats(Paths),
    /// Checks a file of rules
    Lint {
        /// The file
        file: PathBuf,
    },
}

/// Arguments of `schema`.
#[derive(Debug, ClapArgs)]
pub struct Schema {
    /// One table; none: all
    pub table: Option<String>,
}

/// Options that every command takes.
#[derive(Debug, ClapArgs)]
pub struct Common {
    /// Count from here: 24h, 7d, 2w, today, yesterday, 2026-11-20, or RFC 3339
    #[arg(long, global = true, value_name = "WHEN", help_heading = "Window")]
    pub since: Option<String>,
    /// Count up to here, itself not counted
    #[arg(long, global = true, value_name = "WHEN", help_heading = "Window")]
    pub until: Option<String>,
    /// What "now" is: now, last (the newest event), or a time; nothing later counts
    #[arg(long, global = true, value_name = "WHEN", help_heading = "Window")]
    pub as_of: Option<String>,
    /// Zone of stamps without one, of typed dates and of the terminal: an IANA name or an offset [default: the system's]
    #[arg(long, global = true, value_name = "ZONE", allow_hyphen_values = true, help_heading = "Window")]
    pub tz: Option<String>,
    /// Whose logs these are
    #[arg(long, global = true, value_enum, default_value_t = MtaChoice::Auto, help_heading = "Input")]
    pub mta: MtaChoice,
    /// Log host of lines that name none [default: the folder's name]
    #[arg(long, global = true, value_name = "NAME", help_heading = "Input")]
    pub host: Option<String>,
    /// Read folders with all that is below them
    #[arg(long, global = true, help_heading = "Input")]
    pub recursive: bool,
    /// Rows of each table at most [default: 10 for table and markdown, all otherwise]
    #[arg(long, global = true, value_name = "N", help_heading = "Output")]
    pub top: Option<usize>,
    /// Format [default: by the extension of -o, else table]
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Output")]
    pub format: Option<String>,
    /// Write to a file; `-` for standard output
    #[arg(short, long, global = true, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Write every table as CSV and Parquet into a folder
    #[arg(long, global = true, value_name = "DIR", help_heading = "Output")]
    pub export: Option<PathBuf>,
    /// The table that csv and parquet write [default: domains]
    #[arg(long, global = true, value_name = "TABLE", help_heading = "Output")]
    pub table: Option<String>,
    /// CSV for spreadsheets: byte-order mark, and no cell that is a formula
    #[arg(long, global = true, help_heading = "Output")]
    pub csv_excel: bool,
    /// Colours
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, help_heading = "Output")]
    pub color: ColorChoice,
    /// Rules of your own, asked first (TOML)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Classification")]
    pub rules: Option<PathBuf>,
    /// Class of a full mailbox at 5xx: soft, or hard as the textbook says of 552
    #[arg(long, global = true, value_enum, default_value_t = QuotaChoice::Soft, help_heading = "Classification")]
    pub quota_class: QuotaChoice,
    /// Threads [default: as many as there are cores]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// No progress bar
    #[arg(long, global = true)]
    pub no_progress: bool,
}

/// Whose logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MtaChoice {
    /// Found out from the lines.
    Auto,
    /// Postfix.
    Postfix,
    /// Exim.
    Exim,
    /// Microsoft Exchange.
    Exchange,
}

impl MtaChoice {
    /// The server that was named.
    pub fn named(self) -> Option<Mta> {
        match self {
            Self::Auto => None,
            Self::Postfix => Some(Mta::Postfix),
            Self::Exim => Some(Mta::Exim),
            Self::Exchange => Some(Mta::Exchange),
        }
    }
}

/// Whether to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The class of a full mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum QuotaChoice {
    /// It passes.
    Soft,
    /// It does not.
    Hard,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn paths_and_options_stand_before_and_after_commands() {
        let args = Args::parse_from(["bouncestat", "--since", "24h", "a", "b"]);
        assert!(args.command.is_none());
        assert_eq!(args.paths.len(), 2);
        let args = Args::parse_from(["bouncestat", "--since", "24h", "attempts", "a", "--top", "3"]);
        assert!(matches!(args.command, Some(Command::Attempts(ref attempts)) if attempts.paths.paths.len() == 1));
        assert_eq!((args.common.since.as_deref(), args.common.top), (Some("24h"), Some(3)));
    }
}
