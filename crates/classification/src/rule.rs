//! Rules as data: reads the TOML of rule files, the crate's own and the user's.
//!
//! A rule says what it matches and why; it does not say when it wins against another: that is [`crate::engine`]'s ranking. The
//! fields are described in `docs/classification.md` and at [`Rule`].
//!
//! ```toml
//! [[rule]]
//! id = "acme.closed"
//! reason = "mailbox_disabled"
//! match = ["this (mailbox|account) .. closed"]
//! examples = ["550 This mailbox has been closed"]
//! not = ["550 Connection closed"]
//! source = "https://acme.example/errors"
//! ```

use std::fmt;
use std::sync::Arc;

use bouncestat_record::{Disposition, EnhancedCode, Reason, Stage};
use serde::Deserialize;

/// What is wrong with a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of fault it is.
    pub kind: ErrorKind,
    /// The file, and the rule where one is meant.
    pub place: String,
    /// The fault in words.
    pub message: String,
}

/// Kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The file is not TOML, or has unknown or missing fields.
    Syntax,
    /// A field's value is not known: a reason, a stage, a code…
    Value,
    /// A pattern or an expression can't be used.
    Pattern,
    /// Two rules have one id.
    Duplicate,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for Error {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    rule: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    reason: String,
    #[serde(default)]
    provider: OneOrMany,
    #[serde(default)]
    anywhere: bool,
    #[serde(default)]
    rank: Option<u8>,
    #[serde(default)]
    codes: Vec<String>,
    #[serde(default)]
    stage: Vec<String>,
    #[serde(default, rename = "match")]
    patterns: Vec<String>,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    unless: Vec<String>,
    #[serde(default)]
    regex: Option<String>,
    #[serde(default)]
    disposition: Option<String>,
    #[serde(default)]
    blocklist: Option<String>,
    #[serde(default)]
    advice: Option<String>,
    #[serde(default)]
    examples: Vec<String>,
    #[serde(default)]
    not: Vec<String>,
    #[serde(default)]
    source: String,
}

#[derive(Default, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

/// A condition on codes: `550`, `5xx`, `5.7.1`, `x.7.1`, `5.7.606-649`, `none` (no code at all).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeMatch {
    Basic(u16),
    Class(u8),
    Enhanced { class: Option<u8>, subject: u16, from: u16, to: u16 },
    Absent,
}

impl CodeMatch {
    fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self::Absent);
        }
        if let Some(class) = text.strip_suffix("xx") {
            return class.parse().ok().map(Self::Class);
        }
        if !text.contains('.') {
            return text.parse().ok().filter(|code| (100..600).contains(code)).map(Self::Basic);
        }
        let mut parts = text.splitn(3, '.');
        let class = match parts.next()? {
            "x" => None,
            class => Some(class.parse().ok()?),
        };
        let subject = parts.next()?.parse().ok()?;
        let (from, to) = match parts.next()? {
            "x" => (0, 999),
            range => match range.split_once('-') {
                Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
                None => {
                    let one = range.parse().ok()?;
                    (one, one)
                }
            },
        };
        Some(Self::Enhanced { class, subject, from, to })
    }

    pub(crate) fn matches(self, basic: Option<u16>, enhanced: Option<EnhancedCode>, digit: Option<u8>) -> bool {
        match self {
            Self::Basic(code) => basic == Some(code),
            Self::Class(class) => digit == Some(class),
            Self::Enhanced { class, subject, from, to } => enhanced
                .is_some_and(|e| class.is_none_or(|c| c == e.class) && e.subject == subject && (from..=to).contains(&e.detail)),
            Self::Absent => basic.is_none() && enhanced.is_none(),
        }
    }
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Unique name, `provider.what` or `group.what`.
    pub id: Arc<str>,
    /// The reason it gives.
    pub reason: Reason,
    /// The providers whose replies it is about; empty: anyone's.
    pub providers: Vec<String>,
    /// Whether it holds without proof that one of its providers speaks: its words are theirs alone.
    pub anywhere: bool,
    /// Strength among the rules of its level, 1 to 99: 50 for plain words, more for words that settle the matter, below 30 for
    /// words so weak that a specific enhanced code beats them.
    pub rank: u8,
    /// A disposition other than the reason's own.
    pub disposition: Option<Disposition>,
    /// The blocklist that it proves.
    pub blocklist: Option<Arc<str>>,
    /// What to do, where the reason's general advice is too general.
    pub advice: Option<String>,
    /// Replies, written for this rule, that it must win.
    pub examples: Vec<String>,
    /// Replies that it must not win.
    pub not: Vec<String>,
    /// Where its meaning was learnt.
    pub source: String,
    /// The file it stands in.
    pub file: Arc<str>,
    /// Its patterns as written.
    pub patterns: Vec<String>,
    /// Whether it is the user's own.
    pub user: bool,
    pub(crate) codes: Vec<CodeMatch>,
    pub(crate) stages: Vec<Stage>,
    pub(crate) also: Vec<String>,
    pub(crate) unless: Vec<String>,
    pub(crate) regex: Option<String>,
}

/// Reads the rules of one file, in their order.
pub(crate) fn read(text: &str, file: &str, user: bool) -> Result<Vec<Rule>, Error> {
    let raw: RawFile =
        toml::from_str(text).map_err(|e| Error { kind: ErrorKind::Syntax, place: file.into(), message: e.to_string() })?;
    let file: Arc<str> = file.into();
    let mut rules = Vec::with_capacity(raw.rule.len());
    for rule in raw.rule {
        rules.push(build(rule, &file, user)?);
    }
    Ok(rules)
}

fn build(raw: RawRule, file: &Arc<str>, user: bool) -> Result<Rule, Error> {
    let fault = |kind, message: String| Error { kind, place: format!("{file}: rule `{}`", raw.id), message };
    let value = |what: &str, text: &str| fault(ErrorKind::Value, format!("unknown {what} `{text}`"));
    let known = |what: &str, text: &str, all: &mut dyn Iterator<Item = &str>| {
        fault(ErrorKind::Value, format!("unknown {what} `{text}`; known: {}", all.collect::<Vec<_>>().join(", ")))
    };
    let reason = Reason::from_name(&raw.reason)
        .ok_or_else(|| known("reason", &raw.reason, &mut Reason::ALL.iter().map(|r| r.as_str())))?;
    let codes = raw.codes.iter().map(|c| CodeMatch::parse(c).ok_or_else(|| value("code", c))).collect::<Result<Vec<_>, _>>()?;
    let stages = raw
        .stage
        .iter()
        .map(|s| Stage::from_name(s).ok_or_else(|| known("stage", s, &mut Stage::ALL.iter().map(|s| s.as_str()))))
        .collect::<Result<Vec<_>, _>>()?;
    let disposition = raw
        .disposition
        .as_deref()
        .map(|d| {
            Disposition::from_name(d).ok_or_else(|| known("disposition", d, &mut Disposition::ALL.iter().map(|d| d.as_str())))
        })
        .transpose()?;
    if raw.id.is_empty() || !raw.id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
        return Err(fault(ErrorKind::Value, "an id is letters, digits, `.`, `_` and `-`".into()));
    }
    if raw.patterns.is_empty() && raw.regex.is_none() && codes.is_empty() && stages.is_empty() {
        return Err(fault(ErrorKind::Value, "nothing to match: give `match`, `regex`, `codes` or `stage`".into()));
    }
    let rank = raw.rank.unwrap_or(50);
    if !(1..=99).contains(&rank) {
        return Err(fault(ErrorKind::Value, "rank is 1 to 99".into()));
    }
    Ok(Rule {
        also: raw.also,
        unless: raw.unless,
        regex: raw.regex,
        id: raw.id.as_str().into(),
        reason,
        providers: match raw.provider {
            OneOrMany::None => Vec::new(),
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        },
        anywhere: raw.anywhere,
        rank,
        disposition,
        blocklist: raw.blocklist.as_deref().map(Arc::from),
        advice: raw.advice,
        examples: raw.examples,
        not: raw.not,
        source: raw.source,
        file: file.clone(),
        patterns: raw.patterns,
        user,
        codes,
        stages,
    })
}

/// The crate's own rule files, in the order in which ties are decided.
pub(crate) const FILES: [&str; 13] = [
    "local.toml",
    "exchange.toml",
    "big.toml",
    "europe.toml",
    "asia.toml",
    "gateways.toml",
    "recipient.toml",
    "identity.toml",
    "message.toml",
    "reputation.toml",
    "transport.toml",
    "languages.toml",
    "standard.toml",
];

/// Says which id of `rules` is there twice.
pub(crate) fn unique(rules: &[Rule], taken: impl Fn(&str) -> bool) -> Result<(), Error> {
    let mut seen = std::collections::HashSet::new();
    match rules.iter().find(|r| taken(&r.id) || !seen.insert(r.id.clone())) {
        None => Ok(()),
        Some(twice) => Err(Error {
            kind: ErrorKind::Duplicate,
            place: twice.file.to_string(),
            message: format!("rule id `{}` is already used", twice.id),
        }),
    }
}
