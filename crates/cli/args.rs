//! The command line, as typed.

use std::path::PathBuf;

use bouncestat_record::Mta;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::redact::Redaction;

/// What mail bounces, where and why, from the logs that Postfix, Exim and Exchange already write.
///
/// Without a command: the nightly report. Without a PATH: the mail logs of this machine.
#[derive(Debug, Parser)]
#[command(name = "bouncestat", max_term_width = 100, after_help = AFTER_HELP, after_long_help = AFTER_HELP)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Files, folders (their logs and rotations), globs, or `-` for standard input; plain, gz, bz2, xz or zst
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The window that --since begins beside the one before it, as long as it is: what changed for certain
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
  bouncestat rejects --since 24h                what our servers refused, and whom
  bouncestat attempts --since 7d -o week.parquet
  bouncestat check --since 1h --max hard_rate=5% --by provider

Settings: bouncestat.toml (--config FILE, $BOUNCESTAT_CONFIG, ~/.config/bouncestat/, /etc/bouncestat/). Flags overrule it.
Environment: TZ, COLUMNS (width), NO_COLOR, BOUNCESTAT_CONFIG (empty: no file), BOUNCESTAT_REDACT_KEY.

Exit codes: 0 fine; 1 a --fail-over threshold is crossed; 2 wrong usage, or nothing could be read;
3 reported, but part of the input could not be read. check: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.";

/// A command and what it works on.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The report: rates by domain, provider, source, sender domain, and reasons (the default command)
    Report(ReportArgs),
    /// Who refuses us for our reputation, since when, how sure that is, and where to be delisted
    Suspects(Suspects),
    /// Addresses and domains to stop mailing, and why
    Suppress(Suppress),
    /// What our own servers refused: by host, reason, blocklist, client network and recipient domain
    Rejects(Paths),
    /// One row an attempt, classified
    Attempts(Attempts),
    /// Read what is new in logs, once, into a dataset that every command reads
    Collect(Collect),
    /// Logs as they grow: failures as they come, and into a dataset where one is named
    Follow(Follow),
    /// Judge the attempts of a dataset again, by the rules of now
    Reclassify(Reclassify),
    /// Merge the files of a dataset into few, by day
    Compact(Compact),
    /// Take old messages out of a dataset
    Expire(Expire),
    /// Whether a dataset is what was written, and repair it
    Verify(Verify),
    /// Replies, one a line, to verdicts as JSON lines
    Classify(Classify),
    /// What a code, a reply or a log line means, why we say so, and what to do
    Explain(Explain),
    /// The classification rules
    Rules(Rules),
    /// The columns of every table
    Schema(Schema),
    /// Thresholds for monitoring: one status line, performance data, the exit codes of Nagios plugins
    Check(Check),
    /// Completions for a shell
    Completions(Completions),
    /// Manual pages, in troff
    Man(Man),
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

/// Arguments of `collect`.
#[derive(Debug, ClapArgs)]
pub struct Collect {
    /// Files, folders, globs, or `-`; none: the mail logs of this machine
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The dataset: a folder, which is made where it is missing
    #[arg(long, value_name = "DIR", required = true)]
    pub into: PathBuf,
}

/// Arguments of `follow`.
#[derive(Debug, ClapArgs)]
pub struct Follow {
    /// Files, folders or globs; none: the mail logs of this machine
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Append everything to a dataset, as collect does, from where it stopped
    #[arg(long, value_name = "DIR")]
    pub into: Option<PathBuf>,
    /// With --into: commit so often
    #[arg(long, value_name = "SPAN", default_value = "60s")]
    pub every: String,
    /// Show what was delivered, too
    #[arg(long, help_heading = "Output")]
    pub delivered: bool,
    /// Lines also where a screen could be shown
    #[arg(long, help_heading = "Output")]
    pub lines: bool,
    /// Look for changes every second, where the system does not tell of them (network folders)
    #[arg(long, help_heading = "Run")]
    pub poll: bool,
}

/// Arguments of `reclassify`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Replies are kept as the logs have them. Reports judge them anew each time; the Parquet files of a dataset are judged when they \
are written. This makes them again where the rules were others, or all of them with --all, --rules or --quota-class hard."
)]
pub struct Reclassify {
    /// The dataset
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Judge all again, also what was judged by these rules
    #[arg(long)]
    pub all: bool,
}

/// Arguments of `compact`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Messages of a day, UTC, come into one file, so that a report of some days reads only these. Reports stay the same. What is \
written anew is judged by the rules of now: give --rules and --quota-class as collect has them."
)]
pub struct Compact {
    /// The dataset
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

/// Arguments of `expire`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Whole days, UTC, are taken away: messages whose last event is older, and their attempts. What files say of lines (read, used, not \
understood) goes with the last of their messages. How far logs were read stays: nothing is read again."
)]
pub struct Expire {
    /// The dataset
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// How long messages are kept: 90d, 12w
    #[arg(long, value_name = "SPAN")]
    pub keep: String,
    /// Only say what would be taken away
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `verify`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Exit codes: 0 sound, or repaired without loss; 3 something is damaged, or was lost; 2 the dataset could not be opened.

--repair makes attempts and ids again from the messages (ids of lines whose messages are elsewhere are lost). Of damaged messages it keeps those that can \
be read; reports say from then on how many lines are lost. Damaged files are put into quarantine/. Where the file in state/ is damaged, it is not known \
how far logs were read: collect refuses, and --repair does nothing without --forget."
)]
pub struct Verify {
    /// The dataset
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Make all attempts again, and compare
    #[arg(long)]
    pub deep: bool,
    /// Put right what can be put right
    #[arg(long)]
    pub repair: bool,
    /// With --repair: where it is not known how far logs were read, forget it, and the open messages; lines that are given again count twice
    #[arg(long)]
    pub forget: bool,
}

/// Arguments of `report`.
#[derive(Debug, ClapArgs)]
pub struct ReportArgs {
    #[command(flatten)]
    pub paths: Paths,
    /// The window that --since begins beside the one before it, as long as it is: what changed for certain
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
    pub dead_domain: u64,
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

/// Arguments of `check`.
#[derive(Debug, ClapArgs)]
#[command(after_help = CHECK_HELP)]
pub struct Check {
    /// Files, folders, globs, or `-`; none: the mail logs of this machine
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// CRITICAL above this: hard_rate=5%, deferred=1000, delay_p95_ms=10m, age=1h
    #[arg(long, value_name = "METRIC=VALUE", help_heading = "Thresholds")]
    pub max: Vec<String>,
    /// WARNING above this
    #[arg(long, value_name = "METRIC=VALUE", help_heading = "Thresholds")]
    pub warn: Vec<String>,
    /// What is compared: the whole, or each row of a table
    #[arg(long, value_enum, default_value_t = By::Total, help_heading = "Thresholds")]
    pub by: By,
    /// Rates and delays of fewer deliveries are not compared; counts always are
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = "Thresholds")]
    pub min_deliveries: u64,
}

const CHECK_HELP: &str = "\
METRIC is a count or a rate of the report (hard_rate, soft_rate, deferred, delay_p95_ms; see: bouncestat schema totals), a count with \
_rate (deferred_rate, reputation_rate), or age: how long ago the newest event of the logs was. VALUE is a number, a per cent (5%) or a \
time (90s, 10m, 1h).

Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (wrong usage, or the input could not be read, in whole or in part).";

/// What `check` compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// Everything together.
    Total,
    /// Who runs the recipients' mail.
    Provider,
    /// The recipients' domains.
    Domain,
    /// The sending hosts.
    Source,
    /// The senders' domains.
    SenderDomain,
}

impl By {
    /// The table that is compared row by row, and its column of names.
    pub fn table(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Total => ("totals", None),
            Self::Provider => ("providers", Some("provider")),
            Self::Domain => ("domains", Some("domain")),
            Self::Source => ("sources", Some("source")),
            Self::SenderDomain => ("sender_domains", Some("sender_domain")),
        }
    }
}

/// Arguments of `completions`.
#[derive(Debug, ClapArgs)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, ClapArgs)]
pub struct Man {
    /// Write a page for each command into a folder [default: the main page to standard output]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
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

/// Options that commands share. Which command takes which stands in `definition`.
#[derive(Debug, ClapArgs)]
pub struct Common {
    /// Count from here: 24h, 7d, 2w, today, yesterday, 13:42, 2026-11-20, "2026-11-20 13:42", or RFC 3339
    #[arg(long, value_name = "WHEN", help_heading = "Window")]
    pub since: Option<String>,
    /// Count up to here, itself not counted
    #[arg(long, value_name = "WHEN", help_heading = "Window")]
    pub until: Option<String>,
    /// What "now" is: now, last (the newest event), or a time; nothing later counts
    #[arg(long, value_name = "WHEN", help_heading = "Window")]
    pub as_of: Option<String>,
    /// Zone of stamps without one, of typed dates and of the terminal: an IANA name or an offset [default: the system's]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true, help_heading = "Window")]
    pub tz: Option<String>,
    /// Whose logs these are
    #[arg(long, value_enum, default_value_t = MtaChoice::Auto, help_heading = "Input")]
    pub mta: MtaChoice,
    /// Log host of lines that name none [default: the folder's name]
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub host: Option<String>,
    /// Read folders with all that is below them
    #[arg(long, help_heading = "Input")]
    pub recursive: bool,
    /// Only deliveries to this domain; several: repeat it, or commas. `.example.com` takes in what is below
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',', help_heading = "Input")]
    pub domain: Vec<String>,
    /// Rows of each table at most [default: 10 for table and markdown, all otherwise]
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub top: Option<usize>,
    /// Format [default: by the extension of -o, else table]
    #[arg(long, value_name = "FORMAT", help_heading = "Output")]
    pub format: Option<String>,
    /// Write to a file; `-` for standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Write every table as CSV and Parquet into a folder
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub export: Option<PathBuf>,
    /// The table that csv and parquet write [default: the command's own: domains, suspects, suppress, reject_reasons]
    #[arg(long, value_name = "TABLE", help_heading = "Output")]
    pub table: Option<String>,
    /// CSV for spreadsheets: byte-order mark, and no cell that is a formula
    #[arg(long, help_heading = "Output")]
    pub csv_excel: bool,
    /// Write the lines that were not understood into a file, by shape, the most frequent first [format: by the extension, else CSV]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub unrecognised: Option<PathBuf>,
    /// Columns of the terminal's tables [default: the terminal's, or COLUMNS, else 80]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(80..), help_heading = "Output")]
    pub width: Option<u16>,
    /// Colours; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, help_heading = "Output")]
    pub color: ColorChoice,
    /// Exit with 1 where the totals are above this: hard_rate=5%, deferred=1000; may be repeated
    #[arg(long, value_name = "METRIC=VALUE", help_heading = "Output")]
    pub fail_over: Vec<String>,
    /// Hash local parts, or whole addresses with their domains, in everything that is written
    #[arg(long, value_enum, default_value_t = Redaction::None, help_heading = "Privacy")]
    pub redact: Redaction,
    /// The key of the hashes [default: $BOUNCESTAT_REDACT_KEY, else a random one for this run]
    #[arg(long, value_name = "FILE", help_heading = "Privacy")]
    pub redact_key_file: Option<PathBuf>,
    /// Rules of your own, asked first (TOML)
    #[arg(long, value_name = "FILE", help_heading = "Classification")]
    pub rules: Option<PathBuf>,
    /// Class of a full mailbox at 5xx: soft, or hard as the textbook says of 552
    #[arg(long, value_enum, default_value_t = QuotaChoice::Soft, help_heading = "Classification")]
    pub quota_class: QuotaChoice,
    /// Threads [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Run")]
    pub threads: Option<u16>,
    /// No progress bar
    #[arg(long, help_heading = "Run")]
    pub no_progress: bool,
    /// Say only what went wrong
    #[arg(short, long, help_heading = "Run")]
    pub quiet: bool,
    /// A file of settings [default: bouncestat.toml in ~/.config/bouncestat or /etc/bouncestat]
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub config: Option<PathBuf>,
    /// What the file of settings gives beside options.
    #[arg(skip)]
    pub from_file: FromFile,
}

/// What was taken from a file of settings.
#[derive(Clone, Debug, Default)]
pub struct FromFile {
    /// What to read where no PATH is given.
    pub paths: Vec<PathBuf>,
    /// The file and the names of the settings that were used; `None`: no file, or nothing in it was of use.
    pub used: Option<(PathBuf, Vec<String>)>,
}

impl FromFile {
    /// Whether a setting comes from the file, and was not typed.
    pub fn gave(&self, key: &str) -> bool {
        self.used.as_ref().is_some_and(|(_, used)| used.iter().any(|name| name.rsplit('.').next() == Some(key)))
    }
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
