//! Verdicts remembered by masked reply: the hot path of every report.
//!
//! A verdict is a function of the masked text and of what stands beside it, except for `listed`, which is read anew from each
//! reply that names an object. One memo a thread; bounded: when full it is emptied, which costs speed and nothing else.
//!
//! `550 5.1.1 <a@x.test>: No such user` and `550 5.1.1 <b@y.test>: No such user` are classified once.

use std::sync::Arc;

use ahash::AHashMap;
use bouncestat_record::{Reply, Verdict};

use crate::blocklist;
use crate::classifier::{Classifier, Prepared};
use crate::engine::Found;

/// Most verdicts that are remembered.
const ENTRIES: usize = 16_384;
/// Longest masked text that is remembered: what is longer hardly repeats.
const LONGEST: usize = 1_200;

struct Entry {
    verdict: Arc<Verdict>,
    /// What the list that the verdict names lists, where `listed` must be read from each reply.
    entity: Option<String>,
}

/// A cache of verdicts. Use it with one classifier only.
pub struct Memo {
    entries: AHashMap<Box<[u8]>, Entry>,
    key: Vec<u8>,
    found: Found,
    hits: u64,
    misses: u64,
}

impl Default for Memo {
    fn default() -> Self {
        Self { entries: AHashMap::new(), key: Vec::new(), found: Found::default(), hits: 0, misses: 0 }
    }
}

impl Memo {
    /// An empty memo.
    pub fn new() -> Self {
        Self::default()
    }

    /// How often a verdict was remembered, and how often not.
    pub fn stats(&self) -> (u64, u64) {
        (self.hits, self.misses)
    }

    /// The same verdict as [`Classifier::classify`] gives.
    pub fn classify(&mut self, classifier: &Classifier, reply: &Reply<'_>) -> Arc<Verdict> {
        let prepared = classifier.prepare(reply, &mut self.key);
        let text_len = self.key.len();
        push_context(&mut self.key, &prepared);
        if let Some(entry) = self.entries.get(self.key.as_slice()) {
            self.hits += 1;
            return fresh(entry, &prepared);
        }
        self.misses += 1;
        let decision = classifier.decide(&prepared, &self.key[..text_len], &mut self.found);
        let verdict = Arc::new(classifier.verdict(&prepared, &decision));
        if text_len <= LONGEST {
            if self.entries.len() >= ENTRIES {
                self.entries.clear();
            }
            let entry = Entry { verdict: verdict.clone(), entity: decision.entity };
            self.entries.insert(self.key.as_slice().into(), entry);
        }
        verdict
    }
}

/// The remembered verdict with the object that this reply names.
fn fresh(entry: &Entry, prepared: &Prepared<'_>) -> Arc<Verdict> {
    let Some(entity) = &entry.entity else { return entry.verdict.clone() };
    let listed = blocklist::listed(prepared.isolated.text, entity);
    if listed == entry.verdict.listed {
        return entry.verdict.clone();
    }
    Arc::new(Verdict { listed, ..(*entry.verdict).clone() })
}

/// Everything beside the text that a verdict depends on.
fn push_context(key: &mut Vec<u8>, prepared: &Prepared<'_>) {
    let context = &prepared.context;
    let mut enhanced = |code: Option<bouncestat_record::EnhancedCode>| match code {
        Some(c) => {
            key.push(c.class);
            key.extend_from_slice(&c.subject.to_le_bytes());
            key.extend_from_slice(&c.detail.to_le_bytes());
        }
        None => key.extend_from_slice(&[0; 5]),
    };
    enhanced(context.enhanced);
    enhanced(prepared.enhanced);
    key.extend_from_slice(&prepared.smtp_code.unwrap_or(0).to_le_bytes());
    for provider in context.provider {
        key.extend_from_slice(&provider.unwrap_or(u16::MAX).to_le_bytes());
    }
    key.push(context.stage.map_or(0xff, |s| s as u8));
    key.push(prepared.action.map_or(0xff, |a| a as u8));
    key.push(prepared.reply_class.unwrap_or(0xff));
    key.push(context.digit.unwrap_or(0xff));
}
