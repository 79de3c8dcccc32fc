//! How often words stand in replies, as the rules' own examples tell: patterns are looked for by what is rare.
//!
//! An estimate for choosing, made by the build script; no verdict depends on it.
//!
//! `mailbox` stands in a hundred examples, `quota exceeded` in as many as the rarer of its words.

use std::collections::HashMap;

/// Counts of words' beginnings; the build script's.
#[allow(dead_code, reason = "the build script counts")]
#[derive(Default)]
pub(crate) struct Frequency {
    counts: HashMap<Vec<u8>, u32>,
}

#[allow(dead_code, reason = "the build script counts")]
impl Frequency {
    /// Counts the words of a reply.
    pub(crate) fn read(&mut self, reply: &str) {
        for word in words(reply.to_lowercase().as_bytes()) {
            for end in 1..=word.len().min(16) {
                *self.counts.entry(word[..end].to_vec()).or_default() += 1;
            }
        }
    }

    /// Words' beginnings that stand in at least `least` places.
    pub(crate) fn common(&self, least: u32) -> Vec<(&[u8], u32)> {
        let mut all: Vec<(&[u8], u32)> = self.counts.iter().filter(|(_, n)| **n >= least).map(|(w, n)| (&**w, *n)).collect();
        all.sort_unstable();
        all
    }
}

/// The rarest word of `text` decides, and each word beside it makes it rarer still.
pub(crate) fn estimate(text: &[u8], count: impl Fn(&[u8]) -> u32) -> u32 {
    let rarest = words(text).map(|word| count(&word[..word.len().min(16)])).min().unwrap_or(1_000);
    let words = words(text).count().max(1) as u32;
    // In hundredths; long words first where nothing is known.
    rarest * 100 / words + 24 - text.len().min(24) as u32
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| b.is_ascii_whitespace() || b.is_ascii_punctuation()).filter(|word| !word.is_empty())
}
