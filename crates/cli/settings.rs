//! What the command line means: zone, window, format and threads, resolved.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use bouncestat_classification::{Classifier, Options as ClassifierOptions, QuotaClass};
use bouncestat_export::Format;
use bouncestat_ingest::clock::Zone;
use bouncestat_ingest::join::window::Window;
use bouncestat_ingest::plan::PlanOptions;
use bouncestat_record::time::Micros;

use crate::args::{ColorChoice, Common, QuotaChoice};
use crate::domains::Domains;
use crate::redact::{Redaction, Redactor};
use crate::{notes, when};

/// What "now" is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// The present; events that are later by a wrong clock still count.
    Present,
    /// The newest event.
    Last,
    /// This moment; nothing later counts.
    At(Micros),
}

/// What a run does.
pub struct Settings {
    /// Zone of stamps without one, of typed dates, of the terminal.
    pub zone: Zone,
    /// Whether the user named it.
    pub zone_is_given: bool,
    /// The present.
    pub present: Micros,
    /// What "now" is.
    pub as_of: AsOf,
    /// How many threads work.
    pub threads: usize,
    /// Where colours may be used on standard output.
    pub color: bool,
    /// How wide the terminal is.
    pub width: usize,
    /// Whether rejects of our own are asked for.
    pub rejects: bool,
}

impl Settings {
    /// Resolves the common options.
    pub fn resolve(common: &Common) -> Result<Self> {
        let present = chrono::Utc::now().timestamp_micros();
        let zone = match &common.tz {
            Some(name) => Zone::parse(name)
                .ok_or_else(|| anyhow!("--tz {name:?} is no zone; write an IANA name (Europe/Berlin) or an offset (+01:00)"))?,
            None => system_zone(),
        };
        let as_of = match common.as_of.as_deref() {
            None => AsOf::Present,
            Some("now") => AsOf::At(present),
            Some("last") => AsOf::Last,
            Some(text) => AsOf::At(when::parse("--as-of", text, present, zone).map_err(|e| anyhow!("{e}, or last"))?),
        };
        let terminal = std::io::stdout().is_terminal();
        let color = match common.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        };
        let threads = common.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
        Ok(Self {
            zone,
            zone_is_given: common.tz.is_some(),
            present,
            as_of,
            threads,
            color,
            width: common.width.map_or_else(terminal_width, usize::from),
            rejects: false,
        })
    }

    /// What a plan needs to know.
    pub fn plan_options(&self, common: &Common) -> PlanOptions {
        let now = match self.as_of {
            AsOf::At(at) => at,
            AsOf::Present | AsOf::Last => self.present,
        };
        PlanOptions {
            zone: self.zone,
            zone_is_given: self.zone_is_given,
            mta: common.mta.named(),
            host: common.host.clone(),
            now,
            rejects: self.rejects,
        }
    }

    /// The window; `newest` is the newest event, asked for only where "now" is that.
    pub fn window(&self, common: &Common, newest: impl FnOnce() -> Option<Micros>) -> Result<Window> {
        // "now" itself is inside.
        let (now, end) = match self.as_of {
            AsOf::Present => (self.present, None),
            AsOf::At(at) => (at, Some(at + 1)),
            AsOf::Last => newest().map_or((self.present, None), |at| (at, Some(at + 1))),
        };
        let time = |option, text: &Option<String>| text.as_deref().map(|t| when::parse(option, t, now, self.zone)).transpose();
        let since = time("--since", &common.since)?;
        let until = match (time("--until", &common.until)?, end) {
            (Some(until), Some(end)) => Some(until.min(end)),
            (until, end) => until.or(end),
        };
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            bail!(
                "the window is empty: --since {} is not before its end {}",
                bouncestat_export::rfc3339(since),
                bouncestat_export::rfc3339(until)
            );
        }
        Ok(Window { since, until })
    }

    /// The format of the payload.
    pub fn format(&self, common: &Common) -> Result<&'static dyn Format> {
        if let Some(name) = &common.format {
            return bouncestat_export::by_name(name)
                .ok_or_else(|| anyhow!("there is no format {name:?}; there are {}", formats()));
        }
        // A device or a pipe needs no extension to tell a format.
        let table = || bouncestat_export::by_name("table");
        let other = |path: &Path| path.metadata().is_ok_and(|there| !there.is_file()).then(table).flatten();
        match common.output.as_deref().filter(|path| *path != Path::new("-")) {
            Some(path) => bouncestat_export::by_path(path).or_else(|| other(path)).ok_or_else(|| {
                anyhow!("{}: the extension tells no format; name one with --format: {}", path.display(), formats())
            }),
            None => Ok(table().expect("it is in the registry")),
        }
    }
}

/// The names of all formats.
fn formats() -> String {
    bouncestat_export::FORMATS.iter().map(|f| f.name()).collect::<Vec<_>>().join(", ")
}

/// Shorter keys of `--redact` can be guessed.
const MIN_KEY: usize = 16;

/// What is done to addresses. Says where the key comes from.
pub fn redactor(common: &Common) -> Result<Redactor> {
    if common.redact == Redaction::None {
        // Who names a key means to redact: addresses must not be written because of a forgotten option.
        if common.redact_key_file.is_some() && !common.from_file.gave("redact-key-file") {
            bail!("--redact-key-file needs --redact local or --redact address; --redact none is in force");
        }
        return Ok(Redactor::none());
    }
    let env = std::env::var_os("BOUNCESTAT_REDACT_KEY").filter(|key| !key.is_empty());
    let (key, whence) = match (&common.redact_key_file, env) {
        (Some(path), _) => {
            let key = std::fs::read(path).with_context(|| format!("--redact-key-file {}: cannot be read", path.display()))?;
            (key, format!("the key in {}", path.display()))
        }
        (None, Some(key)) => (key.into_encoded_bytes(), "the key in BOUNCESTAT_REDACT_KEY".to_owned()),
        (None, None) => {
            let mut key = [0; 32];
            getrandom::fill(&mut key).map_err(|e| anyhow!("the system gives no random key: {e}"))?;
            notes::note("addresses are hashed with a random key: hashes of other runs differ (--redact-key-file keeps them)");
            return Ok(Redactor::with_key(common.redact, &key));
        }
    };
    let key = key.trim_ascii_end();
    if key.len() < MIN_KEY {
        bail!("{whence} has {} bytes; a key that cannot be guessed has at least {MIN_KEY}: openssl rand -hex 32", key.len());
    }
    notes::note(format!("addresses are hashed with {whence}"));
    Ok(Redactor::with_key(common.redact, key))
}

/// The same for what is kept in a dataset: with another key in every run, what one run leaves open would never join the next one's lines.
pub fn lasting_redactor(common: &Common) -> Result<Redactor> {
    let named = common.redact_key_file.is_some() || std::env::var_os("BOUNCESTAT_REDACT_KEY").is_some_and(|key| !key.is_empty());
    if common.redact != Redaction::None && !named {
        bail!("--redact into a dataset needs a key that stays the same: --redact-key-file FILE (openssl rand -hex 32 > FILE)");
    }
    redactor(common)
}

/// The recipients' domains that are asked for.
pub fn domains(common: &Common) -> Result<Domains> {
    Domains::new(&common.domain)
        .map_err(|text| anyhow!("--domain {text:?} is no domain; write example.com, or .example.com with all that is below it"))
}

/// The rules of a run.
pub enum Rules {
    /// The built-in ones.
    Builtin(&'static Classifier),
    /// With the user's own first, or with other options.
    Own(Box<Classifier>),
}

impl Rules {
    /// The rules, as long as the program runs.
    pub fn for_good(self) -> &'static Classifier {
        match self {
            Self::Builtin(classifier) => classifier,
            Self::Own(classifier) => Box::leak(classifier),
        }
    }
}

impl std::ops::Deref for Rules {
    type Target = Classifier;
    fn deref(&self) -> &Classifier {
        match self {
            Self::Builtin(classifier) => classifier,
            Self::Own(classifier) => classifier,
        }
    }
}

/// The rules, with the user's own first.
pub fn rules(common: &Common) -> Result<Rules> {
    let hard = common.quota_class == QuotaChoice::Hard;
    let options = ClassifierOptions { quota_class: if hard { QuotaClass::Hard } else { QuotaClass::Soft } };
    let Some(path) = &common.rules else {
        return Ok(if hard { Rules::Own(Box::new(Classifier::with(options))) } else { Rules::Builtin(Classifier::builtin()) });
    };
    let text = std::fs::read_to_string(path).with_context(|| format!("--rules {}: cannot be read", path.display()))?;
    let classifier = Classifier::with_user_rules(&text, &path.display().to_string()).map_err(|e| anyhow!("--rules {e}"))?;
    let findings = classifier.check_own_rules().len();
    if findings > 0 {
        let path = path.display();
        let noun = if findings == 1 { "finding" } else { "findings" };
        eprintln!("bouncestat: warning: --rules {path}: {findings} {noun}; see: bouncestat rules lint {path}");
    }
    Ok(Rules::Own(Box::new(classifier.with_options(options))))
}

/// The zone of this machine: `TZ`, else what the system says, else UTC.
fn system_zone() -> Zone {
    let from_env = std::env::var("TZ").ok().and_then(|name| Zone::parse(name.trim_start_matches(':')));
    from_env.or_else(|| iana_time_zone::get_timezone().ok().and_then(|name| Zone::parse(&name))).unwrap_or(Zone::UTC)
}

fn terminal_width() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|w| w.parse().ok());
    told.or_else(|| terminal_size::terminal_size().map(|(w, _)| usize::from(w.0))).unwrap_or(80)
}
