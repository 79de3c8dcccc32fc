//! Finds every rule, list and provider sign that a masked reply holds, in one pass of one automaton, and ranks the rules.
//!
//! The automaton is built over one required text of each pattern; a hit is a candidate, and the pattern is then matched around
//! it. Nothing here knows what a reason means, or what class a verdict has.
//!
//! `<address>: recipient address rejected: user unknown` hits `recipient.unknown` and, weaker, `recipient.rejected`.

use ahash::AHashMap;
use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};
use bouncestat_record::{EnhancedCode, Stage};

use crate::blocklist::Lists;
use crate::pattern::Pattern;
use crate::provider::Providers;
use crate::rule::Rule;

/// Most candidates that are looked at in one reply: far more than real replies have, and a bound for hostile ones.
const MAX_CANDIDATES: usize = 3000;

/// What a pattern is there for; a pattern that is only a condition has none of these.
#[derive(Clone, Copy, Debug)]
enum Use {
    Rule(u32),
    List(u16),
    Sign(u16),
    State(u16),
}

/// What is known beside the masked text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Context {
    pub basic: Option<u16>,
    pub enhanced: Option<EnhancedCode>,
    pub digit: Option<u8>,
    pub stage: Option<Stage>,
    /// Providers by relay host and recipient domain.
    pub provider: [Option<u16>; 2],
}

/// A rule that holds, with its strength and the span of the masked text that it matched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub rule: usize,
    pub score: u32,
    pub span: Option<(usize, usize)>,
}

/// All that one pass found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// One bit a pattern.
    bits: Vec<u64>,
    /// One bit a required part.
    groups: Vec<u64>,
    /// Hits of keys: text of the automaton, start, end.
    hits: Vec<(u32, u32, u32)>,
    /// Rules with a pattern found: index, span, fixed bytes.
    rules: Vec<(u32, (usize, usize), usize)>,
    pub lists: Vec<u16>,
    pub states: Vec<u16>,
    pub signs: Vec<u16>,
    pub best: Option<Hit>,
    pub second: Option<Hit>,
}

impl Found {
    fn clear(&mut self, patterns: usize, groups: usize) {
        self.bits.clear();
        self.bits.resize(patterns.div_ceil(64), 0);
        self.groups.clear();
        self.groups.resize(groups.div_ceil(64), 0);
        self.hits.clear();
        self.rules.clear();
        self.lists.clear();
        self.states.clear();
        self.signs.clear();
        self.best = None;
        self.second = None;
    }

    fn has(&self, pattern: u32) -> bool {
        self.bits[pattern as usize / 64] >> (pattern % 64) & 1 == 1
    }

    fn set(&mut self, pattern: u32) {
        self.bits[pattern as usize / 64] |= 1 << (pattern % 64);
    }
}

/// The conditions of one rule on the text and the speaker, as numbers.
#[derive(Default)]
struct Conditions {
    providers: Vec<u16>,
    also: Vec<u32>,
    unless: Vec<u32>,
}

/// Instead of a required part: none is needed.
const ALWAYS: u32 = u32::MAX;

/// One text of the automaton.
#[derive(Default)]
struct Atom {
    /// The patterns that are matched around it, each with one part that it needs besides, or [`ALWAYS`].
    keys: Vec<(u32, u32)>,
    /// The required parts (sets of texts) that it stands for.
    groups: Vec<u32>,
}

struct Compiled {
    pattern: Pattern,
    uses: Vec<Use>,
    /// Parts that must stand somewhere in the text before matching is tried.
    required: Vec<u32>,
}

/// The automaton and what its hits mean.
pub(crate) struct Engine {
    automaton: AhoCorasick,
    atoms: Vec<Atom>,
    /// Every different pattern of all rules, lists and signs.
    patterns: Vec<Compiled>,
    groups: usize,
    /// Rules without a pattern: they need only codes or a stage.
    bare: Vec<u32>,
    conditions: Vec<Conditions>,
}

/// Reads each different pattern text once and numbers the patterns.
struct Interner<'a> {
    numbers: AHashMap<&'a str, std::ops::Range<u32>>,
    patterns: Vec<(Pattern, Vec<Use>)>,
}

impl<'a> Interner<'a> {
    fn numbers(&mut self, text: &'a str) -> std::ops::Range<u32> {
        if let Some(known) = self.numbers.get(text) {
            return known.clone();
        }
        let from = self.patterns.len() as u32;
        self.patterns.extend(Pattern::parse_all(text).unwrap_or_default().into_iter().map(|p| (p, Vec::new())));
        let range = from..self.patterns.len() as u32;
        self.numbers.insert(text, range.clone());
        range
    }

    fn add(&mut self, text: &'a str, usage: Use) {
        for number in self.numbers(text) {
            self.patterns[number as usize].1.push(usage);
        }
    }
}

impl Engine {
    pub(crate) fn build(rules: &[Rule], lists: &Lists, providers: &Providers) -> Self {
        let mut interner = Interner { numbers: AHashMap::with_capacity(4096), patterns: Vec::with_capacity(3000) };
        let mut bare = Vec::new();
        let mut conditions = Vec::with_capacity(rules.len());
        for (index, rule) in rules.iter().enumerate() {
            if rule.patterns.is_empty() {
                bare.push(index as u32);
            }
            for pattern in &rule.patterns {
                interner.add(pattern, Use::Rule(index as u32));
            }
            conditions.push(Conditions {
                providers: rule.providers.iter().filter_map(|p| providers.number(p)).collect(),
                also: rule.also.iter().flat_map(|p| interner.numbers(p)).collect(),
                unless: rule.unless.iter().flat_map(|p| interner.numbers(p)).collect(),
            });
        }
        lists.patterns().for_each(|(list, p)| interner.add(p, Use::List(list)));
        lists.state_patterns().for_each(|(state, p)| interner.add(p, Use::State(state)));
        providers.signs().for_each(|(provider, p)| interner.add(p, Use::Sign(provider)));
        let patterns = interner.patterns;
        let mut texts: AHashMap<&[u8], usize> = AHashMap::with_capacity(8192);
        let mut order: Vec<&[u8]> = Vec::with_capacity(4000);
        let mut atoms: Vec<Atom> = Vec::with_capacity(4000);
        let mut groups: AHashMap<Vec<&[u8]>, u32> = AHashMap::with_capacity(4096);
        let mut required: Vec<Vec<u32>> = Vec::with_capacity(patterns.len());
        for (number, (pattern, _)) in patterns.iter().enumerate() {
            let mut atom = |text| {
                *texts.entry(text).or_insert_with(|| {
                    order.push(text);
                    order.len() - 1
                })
            };
            let keys: Vec<usize> = pattern.keys().iter().map(|key| atom(key)).collect();
            let mut parts = Vec::new();
            let mut fresh: Vec<(usize, u32)> = Vec::new();
            for part in pattern.required() {
                let next = groups.len() as u32;
                parts.push(match groups.get(&part) {
                    Some(known) => *known,
                    None => {
                        fresh.extend(part.iter().map(|text| (atom(text), next)));
                        groups.insert(part, next);
                        next
                    }
                });
            }
            atoms.resize_with(order.len(), Atom::default);
            let first = parts.first().copied().unwrap_or(ALWAYS);
            keys.into_iter().for_each(|at| atoms[at].keys.push((number as u32, first)));
            fresh.into_iter().for_each(|(at, group)| atoms[at].groups.push(group));
            required.push(parts);
        }
        let group_count = groups.len();
        let automaton = AhoCorasickBuilder::new()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .prefilter(false)
            .build(&order)
            .expect("keys are short and bounded");
        let patterns =
            patterns.into_iter().zip(required).map(|((pattern, uses), required)| Compiled { pattern, uses, required }).collect();
        Self { automaton, atoms, patterns, groups: group_count, bare, conditions }
    }

    /// Looks through `text`; the best two rules are left in `found`.
    pub(crate) fn run(&self, rules: &[Rule], text: &[u8], context: &Context, found: &mut Found) {
        found.clear(self.patterns.len(), self.groups);
        for hit in self.automaton.find_overlapping_iter(text) {
            let number = hit.pattern().as_u32();
            let atom = &self.atoms[number as usize];
            for &group in &atom.groups {
                found.groups[group as usize / 64] |= 1 << (group % 64);
            }
            if !atom.keys.is_empty() {
                found.hits.push((number, hit.start() as u32, hit.end() as u32));
            }
        }
        let mut left = MAX_CANDIDATES;
        let hits = std::mem::take(&mut found.hits);
        'hits: for &(atom, start, end) in &hits {
            for &(number, part) in &self.atoms[atom as usize].keys {
                if found.has(number) || (part != ALWAYS && found.groups[part as usize / 64] >> (part % 64) & 1 == 0) {
                    continue;
                }
                let compiled = &self.patterns[number as usize];
                if compiled.required.iter().any(|g| found.groups[*g as usize / 64] >> (g % 64) & 1 == 0) {
                    continue;
                }
                if left == 0 {
                    break 'hits;
                }
                left -= 1;
                let Compiled { pattern, uses, .. } = compiled;
                let Some(span) = pattern.match_at(text, start as usize, end as usize) else { continue };
                found.set(number);
                for usage in uses {
                    match *usage {
                        Use::Rule(rule) => match found.rules.iter_mut().find(|r| r.0 == rule) {
                            None => found.rules.push((rule, span, pattern.literal_len())),
                            Some(known) if known.2 < pattern.literal_len() => *known = (rule, span, pattern.literal_len()),
                            Some(_) => {}
                        },
                        Use::List(list) => push_new(&mut found.lists, list),
                        Use::State(state) => push_new(&mut found.states, state),
                        Use::Sign(sign) => push_new(&mut found.signs, sign),
                    }
                }
            }
        }
        found.hits = hits;
        let held = std::mem::take(&mut found.rules);
        for &(rule, span, literal) in &held {
            self.weigh(rules, rule as usize, (Some(span), literal), text, context, found);
        }
        found.rules = held;
        for &rule in &self.bare {
            self.weigh(rules, rule as usize, (None, 0), text, context, found);
        }
    }

    fn weigh(
        &self,
        rules: &[Rule],
        index: usize,
        (mut span, literal): (Option<(usize, usize)>, usize),
        text: &[u8],
        context: &Context,
        found: &mut Found,
    ) {
        let rule = &rules[index];
        // Level first, then rank, then how much of the text the rule fixes, then the order of the files.
        let level = if rule.user { 2 } else { u32::from(!rule.providers.is_empty()) };
        let score = level * 1_000_000 + u32::from(rule.rank) * 10_000 + (literal.min(99) as u32) * 100;
        let better =
            |than: &Option<Hit>| than.is_none_or(|t| (score, std::cmp::Reverse(index)) > (t.score, std::cmp::Reverse(t.rule)));
        if !better(&found.second) {
            return;
        }
        let conditions = &self.conditions[index];
        if !rule.providers.is_empty() && !rule.anywhere {
            let speaks = |v: &u16| context.provider.contains(&Some(*v)) || found.signs.contains(v);
            if !conditions.providers.iter().any(speaks) {
                return;
            }
        }
        if !rule.codes.is_empty() && !rule.codes.iter().any(|c| c.matches(context.basic, context.enhanced, context.digit)) {
            return;
        }
        if !rule.stages.is_empty() && !context.stage.is_some_and(|s| rule.stages.contains(&s)) {
            return;
        }
        if conditions.unless.iter().any(|p| found.has(*p)) {
            return;
        }
        if !conditions.also.is_empty() && !conditions.also.iter().any(|p| found.has(*p)) {
            return;
        }
        if let Some(regex) = &rule.regex {
            match regex.find(text) {
                Some(found) => span = Some(found),
                None => return,
            }
        }
        let hit = Hit { rule: index, score, span };
        if better(&found.best) {
            found.second = found.best;
            found.best = Some(hit);
        } else {
            found.second = Some(hit);
        }
    }
}

fn push_new(list: &mut Vec<u16>, value: u16) {
    if !list.contains(&value) {
        list.push(value);
    }
}
