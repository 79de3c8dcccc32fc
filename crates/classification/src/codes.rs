//! What codes alone say: the IANA registry of enhanced codes, and the basic codes.
//!
//! Codes are the weakest evidence: any text beats them, except weak words against a specific enhanced code. Meanings that one
//! provider gives to a code are provider rules, not here.
//!
//! `550 5.1.10` says `domain_invalid` (null MX, RFC 7505) by registry; Exchange Online means `user_unknown`.

use std::sync::{Arc, OnceLock};

use ahash::AHashMap;
use bouncestat_record::{EnhancedCode, Reason};

/// A code's entry in the registry.
#[derive(Clone, Debug)]
pub struct Meaning {
    /// Short name in the registry or standard.
    pub title: &'static str,
    /// The registry's words.
    pub description: &'static str,
    /// Where it is defined.
    pub reference: &'static str,
}

impl Meaning {
    /// Title and description in one.
    pub fn words(&self) -> String {
        if self.description.is_empty() { self.title.to_owned() } else { format!("{}: {}", self.title, self.description) }
    }
}

/// What a code says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence {
    pub reason: Reason,
    pub weak: bool,
    /// Number of the name under which it decides.
    pub rule: u16,
}

pub(crate) struct Codes {
    enhanced: AHashMap<(u16, u16), (Evidence, Meaning)>,
    basic: AHashMap<u16, (Evidence, Meaning)>,
    names: Vec<Arc<str>>,
}

impl Codes {
    pub(crate) fn builtin() -> &'static Self {
        static CODES: OnceLock<Codes> = OnceLock::new();
        CODES.get_or_init(|| {
            let lines = |text: &'static str| text.lines().filter(|l| !l.starts_with('#') && !l.is_empty());
            let mut names: Vec<Arc<str>> = Vec::with_capacity(128);
            let mut name = |text: String| {
                names.push(text.into());
                names.len() as u16 - 1
            };
            let mut enhanced = AHashMap::with_capacity(128);
            for line in lines(include_str!("../data/enhanced.tsv")) {
                let mut f = line.split('\t');
                let mut next = || f.next().unwrap_or("");
                let (code, reason, weak) = (next(), next(), next() == "weak");
                let (title, _basic, reference, description) = (next(), next(), next(), next());
                let mut parts = code.split('.').skip(1).map(|n| n.parse().unwrap_or(0));
                let key = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
                let rule = name(format!("enhanced.{}", code.to_ascii_lowercase()));
                let reason = Reason::from_name(reason).unwrap_or(Reason::Unknown);
                enhanced.insert(key, (Evidence { reason, weak, rule }, Meaning { title, description, reference }));
            }
            let mut basic = AHashMap::with_capacity(64);
            for line in lines(include_str!("../data/basic.tsv")) {
                let mut f = line.split('\t');
                let mut next = || f.next().unwrap_or("");
                let (code, reason, weak, title) = (next(), next(), next() == "weak", next());
                let reason = Reason::from_name(reason).unwrap_or(Reason::Unknown);
                let evidence = Evidence { reason, weak, rule: name(format!("basic.{code}")) };
                basic.insert(code.parse().unwrap_or(0), (evidence, Meaning { title, description: "", reference: "RFC 5321" }));
            }
            Codes { enhanced, basic, names }
        })
    }

    /// What an enhanced code says by registry; [`None`] where it says nothing.
    pub(crate) fn enhanced(&self, code: EnhancedCode) -> Option<Evidence> {
        let (evidence, _) = self
            .enhanced
            .get(&(code.subject, code.detail))
            .or_else(|| self.enhanced.get(&(code.subject, 0)).filter(|_| code.detail > 99))?;
        let mut evidence = *evidence;
        // RFC 3463: X.4.4 is "unable to route"; for the moment that is DNS, for good there is no way to the domain.
        if (code.subject, code.detail) == (4, 4) && code.class == 4 {
            evidence.reason = Reason::DnsFailure;
        }
        (!matches!(evidence.reason, Reason::Unknown | Reason::None)).then_some(evidence)
    }

    /// What a basic code says; [`None`] where it says nothing.
    pub(crate) fn basic(&self, code: u16) -> Option<Evidence> {
        let (evidence, _) = self.basic.get(&code)?;
        (!matches!(evidence.reason, Reason::Unknown | Reason::None)).then_some(*evidence)
    }

    /// The name under which evidence decides: `enhanced.x.1.1`, `basic.550`.
    pub(crate) fn name(&self, evidence: Evidence) -> &Arc<str> {
        &self.names[usize::from(evidence.rule)]
    }

    pub(crate) fn enhanced_meaning(&self, code: EnhancedCode) -> Option<&Meaning> {
        self.enhanced.get(&(code.subject, code.detail)).map(|(_, m)| m)
    }

    pub(crate) fn basic_meaning(&self, code: u16) -> Option<&Meaning> {
        self.basic.get(&code).map(|(_, m)| m)
    }

    /// Every registered enhanced code as (subject, detail), in order.
    pub(crate) fn registered(&self) -> Vec<(u16, u16)> {
        let mut all: Vec<_> = self.enhanced.keys().copied().collect();
        all.sort_unstable();
        all
    }

    /// Every basic code that is known, in order.
    pub(crate) fn registered_basic(&self) -> Vec<u16> {
        let mut all: Vec<_> = self.basic.keys().copied().collect();
        all.sort_unstable();
        all
    }
}
