//! What is kept of failed deliveries beyond their count: reasons with their replies. Refusals for reputation: see `refusals`.
//!
//! Bounded by distinct reasons, domains and reply templates, not by failures.

use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

use bouncestat_record::time::Micros;
use bouncestat_record::{Class, Delivery, Disposition, Outcome, Reason, Verdict};

use crate::cells::{Cell, Renumbering};
use crate::names::Names;

pub(crate) type Map<K, V> = HashMap<K, V, ahash::RandomState>;
pub(crate) type Set<T> = HashSet<T, ahash::RandomState>;

/// A failed delivery with what is known of its cause.
pub(crate) struct Failure<'a> {
    pub(crate) class: Class,
    pub(crate) reason: Reason,
    pub(crate) disposition: Disposition,
    pub(crate) template: &'a str,
    at: Micros,
    pub(crate) text: &'a [u8],
}

impl<'a> Failure<'a> {
    pub(crate) fn new(delivery: &Delivery<'a>, verdict: Option<&'a Verdict>, template: &'a str) -> Self {
        let (reason, disposition) = match verdict {
            Some(verdict) => (verdict.reason, verdict.disposition),
            None if delivery.removed => (Reason::Suppressed, Disposition::None),
            None if delivery.outcome == Outcome::Expired => (Reason::Expired, Disposition::Retry),
            None => (Reason::Unknown, Disposition::Review),
        };
        // Expired and deferred deliveries are soft whatever the reply; a bounced one is hard unless the verdict says soft.
        let soft = delivery.outcome != Outcome::Bounced || verdict.is_some_and(|v| v.class == Class::Soft);
        let cause = delivery.cause.as_ref().or(delivery.tries.last());
        Failure {
            class: if soft { Class::Soft } else { Class::Hard },
            reason,
            disposition,
            template,
            at: cause.map_or(delivery.born, |c| c.at),
            text: cause.map_or(b"", |c| c.text),
        }
    }
}

/// The oldest of equal things, as logged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Example {
    at: Micros,
    text: Box<[u8]>,
}

/// Keeps the smaller of (time, text); empty texts say nothing.
fn keep_smaller(kept: &mut Option<Example>, at: Micros, text: &[u8]) {
    let smaller = kept.as_ref().is_none_or(|k| (at, text) < (k.at, &*k.text));
    if smaller && !text.is_empty() {
        *kept = Some(Example { at, text: text.into() });
    }
}

impl Example {
    pub(crate) fn lossy(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

/// How often a reply template was seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) count: u64,
    pub(crate) example: Option<Example>,
}

impl Seen {
    fn merge(&mut self, other: Seen) {
        self.count += other.count;
        if let Some(example) = other.example {
            keep_smaller(&mut self.example, example.at, &example.text);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ReasonKey {
    #[serde(with = "crate::saved::reason")]
    pub(crate) reason: Reason,
    #[serde(with = "crate::saved::class")]
    pub(crate) class: Class,
    #[serde(with = "crate::saved::disposition")]
    pub(crate) disposition: Disposition,
}

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct ReasonRow {
    pub(crate) deliveries: u64,
    pub(crate) domains: Set<u32>,
    pub(crate) templates: Map<u32, Seen>,
    pub(crate) example: Option<Example>,
}

/// All failures of a batch, or of the run.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Failures {
    pub(crate) reasons: Map<ReasonKey, ReasonRow>,
    /// Reply templates.
    pub(crate) templates: Names,
}

impl Failures {
    /// Takes in a failed delivery to `cell`.
    pub(crate) fn push(&mut self, failure: &Failure<'_>, cell: Cell) {
        let template = (!failure.template.is_empty()).then(|| self.templates.number(failure.template));
        let key = ReasonKey { reason: failure.reason, class: failure.class, disposition: failure.disposition };
        let row = self.reasons.entry(key).or_default();
        row.deliveries += 1;
        row.domains.insert(cell.domain);
        keep_smaller(&mut row.example, failure.at, failure.text);
        if let Some(template) = template {
            let seen = row.templates.entry(template).or_default();
            seen.count += 1;
            // Only what no rule knows is asked for template by template.
            if failure.reason == Reason::Unknown {
                keep_smaller(&mut seen.example, failure.at, failure.text);
            }
        }
    }

    /// Takes in the failures of a batch.
    pub(crate) fn merge(&mut self, other: Failures, to: &Renumbering) {
        let templates = self.templates.merge(&other.templates);
        let all_templates = |kept: &mut Map<u32, Seen>, from: Map<u32, Seen>| {
            for (template, seen) in from {
                kept.entry(templates[template as usize]).or_default().merge(seen);
            }
        };
        for (key, from) in other.reasons {
            let row = self.reasons.entry(key).or_default();
            row.deliveries += from.deliveries;
            row.domains.extend(from.domains.iter().map(|&d| to.domains[d as usize]));
            if let Some(example) = from.example {
                keep_smaller(&mut row.example, example.at, &example.text);
            }
            all_templates(&mut row.templates, from.templates);
        }
    }

    /// Templates by count, falling, then by text.
    pub(crate) fn ranked<'a>(&'a self, templates: &'a Map<u32, Seen>) -> Vec<(&'a str, &'a Seen)> {
        let mut all: Vec<_> = templates.iter().map(|(&t, seen)| (self.templates.text(t), seen)).collect();
        all.sort_unstable_by(|a, b| b.1.count.cmp(&a.1.count).then(a.0.cmp(b.0)));
        all
    }

    /// The templates of failures that no rule knows, most frequent first.
    pub(crate) fn unknown_templates(&self, top: usize) -> Vec<UnknownTemplate> {
        let mut all: Map<u32, Seen> = Map::default();
        for (_, row) in self.reasons.iter().filter(|(key, _)| key.reason == Reason::Unknown) {
            for (&template, seen) in &row.templates {
                all.entry(template).or_default().merge(seen.clone());
            }
        }
        let ranked = self.ranked(&all).into_iter().take(top);
        ranked
            .map(|(template, seen)| UnknownTemplate {
                template: template.to_owned(),
                deliveries: seen.count,
                example: seen.example.as_ref().map(Example::lossy).unwrap_or_default(),
            })
            .collect()
    }
}

/// A kind of reply that no rule knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTemplate {
    /// The reply, addresses, IPs and ids masked.
    pub template: String,
    /// Failed deliveries with it.
    pub deliveries: u64,
    /// The oldest such reply, as logged; undecodable bytes are U+FFFD. Empty where none is known.
    pub example: String,
}
