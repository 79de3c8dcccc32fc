//! Makes flat tables of rules: reads each different pattern once, chooses what is looked for, and lays it out.
//!
//! Used by the build script for the crate's own rules, and at run time for a user's. What the tables mean is [`crate::tables`]'s;
//! reading them is [`crate::engine`]'s. The tree of texts is [`crate::tree`]'s.
//!
//! `(mailbox|account) .. disabled` is looked for by `disabled`, the rarer of its parts.

use std::collections::HashMap;

use crate::pattern::{Element, Pattern};
use crate::rule::{Error, ErrorKind, Rule};
use crate::tables::{ANYONE, Built, Choice, Key, NONE, Part, PatternRow, RuleRow, Run, SIGNS, Use, bloom, sign};
use crate::tree;

/// What rules may name.
pub(crate) trait Names {
    /// The number of a provider.
    fn provider(&self, id: &str) -> Option<u16>;
    /// The number of a blocklist.
    fn list(&self, id: &str) -> Option<u16>;
}

/// Makes the tables of `rules`, and of `marks`: patterns of blocklists, states and providers.
/// `frequency` estimates how often a text stands in replies: patterns are looked for by what is rare.
pub(crate) fn compile(
    rules: &[Rule],
    marks: &[(Use, &str)],
    names: &dyn Names,
    frequency: &dyn Fn(&[u8]) -> u32,
) -> Result<Built, Error> {
    let mut made = Maker::default();
    for (index, rule) in rules.iter().enumerate() {
        let fault = |kind, message: String| Error { kind, place: format!("{}: rule `{}`", rule.file, rule.id), message };
        let index = u16::try_from(index).ok().filter(|i| *i < 60_000).ok_or_else(|| fault(ErrorKind::Value, TOO_MANY.into()))?;
        let row = made.rule(index, rule, names).map_err(|(kind, message)| fault(kind, message))?;
        made.built.rules.push(row);
    }
    let whole = |message| Error { kind: ErrorKind::Pattern, place: "patterns".into(), message };
    for (usage, text) in marks {
        for number in made.numbers(text).map_err(|e| whole(format!("pattern `{text}`: {e}")))? {
            made.patterns[usize::from(number)].1.push(*usage);
        }
    }
    made.finish(frequency).map_err(whole)
}

const TOO_MANY: &str = "too many rules or patterns";

/// A new run of `rows` at the end of `table`.
fn append<T>(table: &mut Vec<T>, rows: impl IntoIterator<Item = T>) -> Result<Run, String> {
    let at = table.len();
    table.extend(rows);
    let fits = |n: usize| u16::try_from(n).ok().filter(|n| *n < NONE).ok_or_else(|| TOO_MANY.to_owned());
    fits(table.len())?;
    Ok(Run { at: fits(at)?, len: fits(table.len() - at)? })
}

/// A text that is looked for: its number where it may end anywhere, and where only at a word's end.
pub(crate) struct Text {
    pub numbers: [u16; 2],
    /// Whether it may begin inside a word.
    pub inner: bool,
}

#[derive(Default)]
struct Maker {
    built: Built,
    /// Patterns by what was written, and by what it means.
    read: HashMap<String, Vec<u16>>,
    known: HashMap<Pattern, u16>,
    patterns: Vec<(Pattern, Vec<Use>)>,
    /// Where texts stand in `bytes`.
    pool: HashMap<Box<[u8]>, u32>,
    texts: HashMap<Box<[u8]>, Text>,
    /// The patterns of each atom.
    atoms: Vec<Vec<Key>>,
}

impl Maker {
    fn numbers(&mut self, text: &str) -> Result<Vec<u16>, String> {
        if let Some(known) = self.read.get(text) {
            return Ok(known.clone());
        }
        let mut all = Vec::new();
        for pattern in Pattern::parse_all(text)?.into_iter().map(Pattern::joined) {
            let number = match self.known.get(&pattern) {
                Some(known) => *known,
                None => {
                    let number = u16::try_from(self.patterns.len()).ok().filter(|n| *n < NONE).ok_or(TOO_MANY)?;
                    self.known.insert(pattern.clone(), number);
                    self.patterns.push((pattern, Vec::new()));
                    number
                }
            };
            if !all.contains(&number) {
                all.push(number);
            }
        }
        self.read.insert(text.to_owned(), all.clone());
        Ok(all)
    }

    fn rule(&mut self, index: u16, rule: &Rule, names: &dyn Names) -> Result<RuleRow, (ErrorKind, String)> {
        let unknown = |what: &str, id: &str| (ErrorKind::Value, format!("unknown {what} `{id}`"));
        let many = |message| (ErrorKind::Value, message);
        if rule.patterns.is_empty() {
            self.built.bare.push(index);
        }
        let mut sets: [Vec<u16>; 3] = Default::default();
        for (set, texts) in sets.iter_mut().zip([&rule.patterns, &rule.also, &rule.unless]) {
            for text in texts {
                set.extend(self.numbers(text).map_err(|e| (ErrorKind::Pattern, format!("pattern `{text}`: {e}")))?);
            }
        }
        let [own, also, unless] = sets;
        for number in own {
            let uses = &mut self.patterns[usize::from(number)].1;
            if !uses.contains(&Use::Rule(index)) {
                uses.push(Use::Rule(index));
            }
        }
        let mut providers = if rule.providers.is_empty() || rule.anywhere { ANYONE } else { 0 };
        for id in &rule.providers {
            let number = names.provider(id).ok_or_else(|| unknown("provider", id))?;
            providers |= 1u128.checked_shl(u32::from(number)).filter(|bit| *bit < ANYONE).ok_or_else(|| many(TOO_MANY.into()))?;
        }
        let list = match &rule.blocklist {
            Some(id) => names.list(id).ok_or_else(|| unknown("blocklist", id))?,
            None => NONE,
        };
        // Level first, then rank; the engine adds how much of the text the pattern fixes.
        let level = if rule.user { 2 } else { u32::from(!rule.providers.is_empty()) };
        Ok(RuleRow {
            score: level * 1_000_000 + u32::from(rule.rank) * 10_000,
            reason: rule.reason as u8,
            disposition: rule.disposition.map_or(u8::MAX, |d| d as u8),
            stages: rule.stages.iter().fold(0, |bits, stage| bits | 1 << *stage as u8),
            bound: !rule.providers.is_empty(),
            regex: rule.regex.is_some(),
            list,
            codes: append(&mut self.built.codes, rule.codes.iter().copied()).map_err(many)?,
            providers,
            also: append(&mut self.built.conditions, also).map_err(many)?,
            unless: append(&mut self.built.conditions, unless).map_err(many)?,
        })
    }

    /// The number of a text that is looked for.
    fn atom(&mut self, text: &[u8], inner: bool, goes_on: bool) -> u16 {
        let entry = self.texts.entry(text.into()).or_insert(Text { numbers: [NONE; 2], inner: false });
        entry.inner |= inner;
        let number = &mut entry.numbers[usize::from(!goes_on)];
        if *number == NONE {
            // Too many are told when the tables are finished.
            *number = self.atoms.len().min(usize::from(NONE) - 1) as u16;
            self.atoms.push(Default::default());
        }
        *number
    }

    fn place(&mut self, text: &[u8]) -> u32 {
        if let Some(known) = self.pool.get(text) {
            return *known;
        }
        let at = self.built.bytes.len() as u32;
        self.built.bytes.extend_from_slice(text);
        self.pool.insert(text.into(), at);
        at
    }

    fn finish(mut self, frequency: &dyn Fn(&[u8]) -> u32) -> Result<Built, String> {
        let patterns = std::mem::take(&mut self.patterns);
        for (number, (pattern, uses)) in patterns.iter().enumerate() {
            let cost = |index: usize, texts: &[Box<[u8]>]| {
                // What may stand inside a word stands in many.
                let one = |text: &[u8]| frequency(text) + if pattern.inside(index, text) { 10_000 } else { 0 };
                texts.iter().map(|text| one(text)).fold(1, u32::saturating_add)
            };
            let all = 0..pattern.elements.len();
            let keys = all.clone().filter_map(|index| Some((index, pattern.keys(index)?)));
            let (key, texts) = keys.min_by_key(|(index, texts)| cost(*index, texts)).ok_or("a pattern without a fixed part")?;
            let mut needed: Vec<Vec<&[u8]>> =
                all.filter(|index| *index != key).filter_map(|index| pattern.starts(index)).collect();
            needed.sort_by_key(|texts| texts.iter().map(|text| frequency(text)).sum::<u32>());
            let first = |text: &[u8]| *text.first_chunk().expect("four bytes at least");
            let need = |index: usize| {
                needed.get(index).map_or(u64::MAX, |texts| texts.iter().fold(0, |bits, text| bits | bloom(first(text))))
            };
            let needs = [need(0), need(1)];
            let few = needed.iter().take(2).find(|texts| texts.len() <= 2);
            let signs = few.map_or([SIGNS; 2], |texts| [texts[0], texts[texts.len() - 1]].map(|text| sign(first(text))));
            let eager = uses.iter().any(|u| !matches!(u, Use::Rule(_)));
            for text in texts {
                let bare = text.strip_prefix(b" ").filter(|bare| bare.len() >= 2 && bare[0] != b' ');
                let row = Key { pattern: number as u16, space: bare.is_some(), eager, needs, signs };
                let inner = bare.is_none() && pattern.inside(key, text);
                let atom = self.atom(bare.unwrap_or(text), inner, pattern.goes_on(key));
                self.atoms[usize::from(atom)].push(row);
            }
            let parts: Vec<Part> =
                (0..pattern.elements.len()).map(|index| self.part(pattern, index)).collect::<Result<_, _>>()?;
            let row = PatternRow {
                parts: append(&mut self.built.parts, parts)?,
                key: key as u8,
                literal: pattern.literal.min(usize::from(NONE)) as u16,
                uses: append(&mut self.built.uses, uses.iter().copied())?,
            };
            self.built.patterns.push(row);
        }
        if self.atoms.len() >= usize::from(NONE) {
            return Err(TOO_MANY.into());
        }
        for keys in std::mem::take(&mut self.atoms) {
            let keys = append(&mut self.built.keys, keys)?;
            self.built.atoms.push(keys);
        }
        let mut texts: Vec<(Box<[u8]>, Text)> = std::mem::take(&mut self.texts).into_iter().collect();
        texts.sort_by(|a, b| a.0.cmp(&b.0));
        let texts: Vec<tree::Leaf> =
            texts.iter().map(|(text, t)| tree::Leaf { text, at: self.place(text), numbers: t.numbers, inner: t.inner }).collect();
        tree::plant(&mut self.built, &texts).then_some(self.built).ok_or_else(|| TOO_MANY.into())
    }

    fn part(&mut self, pattern: &Pattern, index: usize) -> Result<Part, String> {
        let mut part = Part {
            at: 0,
            all: 0,
            open: 0,
            gap: 0,
            word: false,
            opens: pattern.opens(index),
            goes_on: pattern.goes_on(index),
            at_start: false,
            at_end: false,
            first: 0,
            last: 0,
        };
        let (mut first, mut last) = ([u64::MAX; 4], [u64::MAX; 4]);
        match &pattern.elements[index] {
            Element::Gap { max, word } => {
                part.gap = *max as u8;
                part.word = *word;
            }
            Element::Any(all, open) => {
                first = set_of(all.iter().chain(open).map(|text| text.first().copied()));
                if open.is_empty() {
                    last = set_of(all.iter().map(|text| text.last().copied()));
                }
                let choices: Vec<Choice> = all
                    .iter()
                    .chain(open)
                    .map(|text| Choice {
                        at: self.place(text),
                        len: text.len() as u16,
                        edges: [text.first().copied().unwrap_or(0), text.last().copied().unwrap_or(0)],
                    })
                    .collect();
                let letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
                part.at_start = !part.opens && all.iter().chain(open).all(|text| letter(text.first()));
                part.at_end = !part.goes_on && open.is_empty() && all.iter().all(|text| letter(text.last()));
                part.at = append(&mut self.built.choices, choices)?.at;
                (part.all, part.open) = (all.len() as u16, open.len() as u16);
            }
        }
        (part.first, part.last) = (self.set(first), self.set(last));
        Ok(part)
    }

    fn set(&mut self, set: [u64; 4]) -> u16 {
        let sets = &mut self.built.sets;
        let known = sets.iter().position(|s| *s == set).unwrap_or_else(|| {
            sets.push(set);
            sets.len() - 1
        });
        known as u16
    }
}

/// The set of some bytes; of all, where a text is empty.
fn set_of(bytes: impl Iterator<Item = Option<u8>>) -> [u64; 4] {
    let mut set = [0; 4];
    for byte in bytes {
        match byte {
            Some(b) => set[usize::from(b >> 6)] |= 1 << (b & 63),
            None => return [u64::MAX; 4],
        }
    }
    set
}
