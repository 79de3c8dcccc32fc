//! Verdicts remembered by masked reply: the hot path of every report.
//!
//! A verdict is a function of the masked text and of what stands beside it, except for `listed`, which is read anew from each
//! reply that names an object. One memo a thread; bounded: when full it is emptied, which costs speed and nothing else.
//!
//! `550 5.1.1 <a@x.test>: No such user` and `550 5.1.1 <b@y.test>: No such user` are classified once.

use std::sync::Arc;

use ahash::AHashMap;
use bouncestat_record::{Reply, Verdict};

use crate::classifier::{Classifier, Prepared};
use crate::engine::Found;

/// Most verdicts that are remembered.
const ENTRIES: usize = 16_384;
/// Longest masked text that is remembered: what is longer hardly repeats.
const LONGEST: usize = 1_200;

struct Entry {
    verdict: Arc<Verdict>,
    /// What the list that the verdict names lists, where `listed` must be read from each reply.
    entity: Option<u16>,
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
        if prepared.succeeded() {
            // Then the text decides nothing.
            self.key.clear();
        }
        let text_len = self.key.len();
        push_context(&mut self.key, &prepared);
        if let Some(entry) = self.entries.get(self.key.as_slice()) {
            self.hits += 1;
            return fresh(classifier, entry, &prepared);
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
fn fresh(classifier: &Classifier, entry: &Entry, prepared: &Prepared<'_>) -> Arc<Verdict> {
    let Some(entity) = entry.entity else { return entry.verdict.clone() };
    let listed = classifier.listed(prepared.isolated.text, entity);
    if listed == entry.verdict.listed {
        return entry.verdict.clone();
    }
    Arc::new(Verdict { listed, ..(*entry.verdict).clone() })
}

/// Everything beside the text that a verdict depends on.
fn push_context(key: &mut Vec<u8>, prepared: &Prepared<'_>) {
    let context = &prepared.context;
    let mut room = [0; 20];
    for (at, code) in [(0, context.enhanced), (5, prepared.enhanced)] {
        if let Some(code) = code {
            room[at] = code.class;
            room[at + 1..at + 3].copy_from_slice(&code.subject.to_le_bytes());
            room[at + 3..at + 5].copy_from_slice(&code.detail.to_le_bytes());
        }
    }
    room[10..12].copy_from_slice(&prepared.smtp_code.unwrap_or(0).to_le_bytes());
    room[12..14].copy_from_slice(&context.provider[0].unwrap_or(u16::MAX).to_le_bytes());
    room[14..16].copy_from_slice(&context.provider[1].unwrap_or(u16::MAX).to_le_bytes());
    room[16] = context.stage.map_or(0xff, |s| s as u8);
    room[17] = prepared.action.map_or(0xff, |a| a as u8);
    room[18] = prepared.reply_class.unwrap_or(0xff);
    room[19] = context.digit.unwrap_or(0xff);
    key.extend_from_slice(&room);
}
