//! One pass over a masked text: which of the rules' texts stand where, and which patterns that leaves.
//!
//! Texts are looked up where a word begins; see [`crate::tree`] for how. A pattern lives when a text of its key stands in the
//! reply. Matching it is [`crate::matcher`]'s.
//!
//! `user unknown` finds `user unknown`, and so the patterns that are looked for by it.

use crate::matcher::border;
use crate::tables::{NONE, SIGNS, Slot, Tables, bloom, pair, sign};

/// Most living patterns that are looked at in one reply: far more than real replies have, and a bound for hostile ones.
pub(crate) const MOST: usize = 6_000;

/// A pattern that may match, and where its key stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live {
    pub pattern: u16,
    pub start: u32,
    pub end: u32,
}

/// Where the words of a text begin and end.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub starts: Vec<u32>,
    pub ends: Vec<u32>,
    /// Bytes beside words that are no spaces.
    others: Vec<u32>,
    /// The words' first bytes as [`bloom`] gives them; never empty.
    bloom: u64,
    /// The same as [`sign`] numbers them, one bit each; that of [`SIGNS`] is set.
    signs: Vec<u64>,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Which of eight bytes (none above 127) lie in `from..=to`: the high bit of each.
#[inline]
const fn within(bytes: u64, from: u64, to: u64) -> u64 {
    (bytes + (0x80 - from) * ONES) & !(bytes + (0x7f - to) * ONES) & HIGHS
}

/// Letters and digits, and spaces, of 64 bytes: one bit each.
#[inline]
fn kinds(block: &[u8; 64]) -> [u64; 2] {
    let mut kinds = [0; 2];
    for (number, eight) in block.as_chunks().0.iter().enumerate() {
        let bytes = u64::from_le_bytes(*eight);
        let low = bytes & !HIGHS;
        let word = within(low, 0x30, 0x39) | within(low | (0x20 * ONES), 0x61, 0x7a);
        for (kind, found) in kinds.iter_mut().zip([word, within(low, 0x20, 0x20)]) {
            // The product moves the high bits of all bytes side by side.
            let bits = ((found & !bytes) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            *kind |= bits << (number * 8);
        }
    }
    kinds
}

/// Adds the places of `bits`, behind `base`.
#[inline]
fn places(mut bits: u64, base: usize, to: &mut Vec<u32>) {
    while bits != 0 {
        to.push(base as u32 + bits.trailing_zeros());
        bits &= bits - 1;
    }
}

impl Words {
    /// Reads `text`, 64 bytes at a time.
    pub(crate) fn read(&mut self, text: &[u8]) {
        self.starts.clear();
        self.ends.clear();
        self.others.clear();
        self.bloom = 0;
        reset(&mut self.signs, usize::from(SIGNS) + 1);
        set(&mut self.signs, SIGNS);
        let mut inside = 0;
        let mut rest = [b' '; 64];
        let (blocks, tail) = text.as_chunks::<64>();
        rest[..tail.len()].copy_from_slice(tail);
        for (number, block) in blocks.iter().chain([&rest]).enumerate() {
            let [word, space] = kinds(block);
            let before = (word << 1) | inside;
            places(word & !before, number * 64, &mut self.starts);
            places(!word & before, number * 64, &mut self.ends);
            places(!word & !space, number * 64, &mut self.others);
            inside = word >> 63;
        }
        for start in &self.starts {
            if let Some(first) = text[*start as usize..].first_chunk() {
                self.bloom |= bloom(*first);
                set(&mut self.signs, sign(*first));
            }
        }
        // A key without needs has all bits; it must live in a text without words too.
        self.bloom |= u64::from(self.bloom == 0);
    }
}

/// What one pass found.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Patterns that may match, in the order of their places.
    pub live: Vec<Live>,
    /// Those of them that are wanted at once, as numbers in `live`.
    pub eager: Vec<u32>,
    /// Patterns that stand in `live`, one bit each.
    lives: Vec<u64>,
    /// Conditions that were tried, and those that hold.
    tried: Vec<u64>,
    held: Vec<u64>,
    /// How many nodes and patterns were looked at.
    pub steps: u32,
}

fn bit(bits: &[u64], at: u16) -> bool {
    bits[usize::from(at) / 64] >> (at % 64) & 1 == 1
}

fn set(bits: &mut [u64], at: u16) {
    bits[usize::from(at) / 64] |= 1 << (at % 64);
}

fn reset(bits: &mut Vec<u64>, len: usize) {
    bits.clear();
    bits.resize(len.div_ceil(64), 0);
}

impl Scan {
    /// Looks through `text`.
    pub(crate) fn run(&mut self, tables: &Tables<'_>, text: &[u8], words: &Words) {
        reset(&mut self.lives, tables.patterns.len());
        reset(&mut self.tried, tables.patterns.len());
        reset(&mut self.held, tables.patterns.len());
        self.live.clear();
        self.eager.clear();
        self.steps = 0;
        let outer = Roots { long: tables.long, short: tables.short, shift: 0 };
        words.starts.iter().for_each(|at| self.look(tables, text, words, &outer, *at as usize));
        words.others.iter().for_each(|at| self.look(tables, text, words, &outer, *at as usize));
        let pairs = tables.inner[0];
        if pairs != 0 {
            let inner = Roots { long: tables.inner_long, short: tables.inner_short, shift: 2 };
            for (start, end) in words.starts.iter().zip(&words.ends) {
                let from = *start as usize + 1;
                for (at, two) in text[from..text.len().min(*end as usize + 1)].windows(2).enumerate() {
                    if pairs >> pair(two[0], two[1]) & 1 != 0 {
                        self.look(tables, text, words, &inner, from + at);
                    }
                }
            }
        }
    }

    /// Looks up what begins at `at`.
    #[inline]
    fn look(&mut self, tables: &Tables<'_>, text: &[u8], words: &Words, roots: &Roots<'_>, at: usize) {
        let kinds = tables.starts[usize::from(text[at])] >> roots.shift;
        if kinds & 1 != 0
            && let Some(first) = text[at..].first_chunk()
            && let Some(node) = find(roots.long, u32::from_le_bytes(*first))
        {
            self.walk(tables, text, words, node, at, at + 4);
        }
        if kinds & 2 != 0
            && let Some(&[a, b]) = text[at..].first_chunk()
            && let Some(node) = find(roots.short, u32::from_le_bytes([a, b, 0, 0]))
        {
            self.walk(tables, text, words, node, at, at + 2);
        }
    }

    /// Follows the tree from a node behind the first bytes of a text.
    fn walk(&mut self, tables: &Tables<'_>, text: &[u8], words: &Words, node: u16, start: usize, mut at: usize) {
        let mut node = &tables.nodes[usize::from(node)];
        loop {
            self.steps += 1;
            let [anywhere, at_end] = node.ends;
            if anywhere != NONE {
                self.found(tables, text, words, anywhere, start, at);
            }
            if at_end != NONE && border(text, at) {
                self.found(tables, text, words, at_end, start, at);
            }
            let child = usize::from(node.child);
            let Some(next) = text.get(at) else { return };
            let Some(index) = tables.firsts[child..child + usize::from(node.count)].iter().position(|b| b == next) else {
                return;
            };
            node = &tables.nodes[child + index];
            let (label, len) = (node.label as usize, usize::from(node.len));
            if text.get(at..at + len) != Some(&tables.bytes[label..label + len]) {
                return;
            }
            at += len;
        }
    }

    /// Takes the patterns that are looked for by a text, if a word that they need stands somewhere too.
    fn found(&mut self, tables: &Tables<'_>, text: &[u8], words: &Words, atom: u16, start: usize, end: usize) {
        let space = start > 0 && text[start - 1] == b' ';
        for key in tables.atoms[usize::from(atom)].of(tables.keys) {
            self.steps += 1;
            let [rare, other] = key.needs;
            if rare & words.bloom == 0 || other & words.bloom == 0 || (key.space && !space) {
                continue;
            }
            if !key.signs.iter().any(|sign| bit(&words.signs, *sign)) {
                continue;
            }
            if self.live.len() == MOST {
                return;
            }
            if key.eager {
                self.eager.push(self.live.len() as u32);
            }
            set(&mut self.lives, key.pattern);
            self.live.push(Live { pattern: key.pattern, start: (start - usize::from(key.space)) as u32, end: end as u32 });
        }
    }

    /// Whether a condition holds; `matches` is asked once for each of its places.
    pub(crate) fn holds(&mut self, pattern: u16, mut matches: impl FnMut(Live) -> bool) -> bool {
        if !bit(&self.lives, pattern) {
            return false;
        }
        if !bit(&self.tried, pattern) {
            set(&mut self.tried, pattern);
            if self.live.iter().filter(|live| live.pattern == pattern).any(|live| matches(*live)) {
                set(&mut self.held, pattern);
            }
        }
        bit(&self.held, pattern)
    }
}

/// Where texts begin.
struct Roots<'a> {
    long: &'a [Slot],
    short: &'a [Slot],
    /// How far the bits of `starts` that are meant are shifted.
    shift: u8,
}

/// The node behind the first bytes of a text.
#[inline]
fn find(slots: &[Slot], prefix: u32) -> Option<u16> {
    let mut at = Slot::home(prefix, slots.len());
    loop {
        let slot = slots[at & (slots.len() - 1)];
        if slot.node == NONE {
            return None;
        }
        if slot.prefix == prefix {
            return Some(slot.node);
        }
        at += 1;
    }
}
