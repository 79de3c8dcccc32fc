//! Finds every rule, list and provider sign that a masked reply holds, in one pass of one automaton, and ranks the rules.
//!
//! The automaton is built over one required text of each pattern; a hit is a candidate, and the pattern is then matched around
//! it. Nothing here knows what a reason means, or what class a verdict has.
//!
//! `<address>: recipient address rejected: user unknown` hits `recipient.unknown` and, weaker, `recipient.rejected`.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};
use ahash::AHashMap;
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
    /// Rules with a pattern found: index, span, fixed bytes.
    rules: Vec<(u32, (usize, usize), usize)>,
    pub lists: Vec<u16>,
    pub states: Vec<u16>,
    pub signs: Vec<u16>,
    pub best: Option<Hit>,
    pub second: Option<Hit>,
}

impl Found {
    fn clear(&mut self, patterns: usize) {
        self.bits.clear();
        self.bits.resize(patterns.div_ceil(64), 0);
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

/// The automaton and what its hits mean.
pub(crate) struct Engine {
    automaton: AhoCorasick,
    /// For each text of the automaton, the patterns that need it.
    keys: Vec<Vec<u32>>,
    /// Every different pattern of all rules, lists and signs, with its uses.
    patterns: Vec<(Pattern, Vec<Use>)>,
    /// Rules without a pattern: they need only codes or a stage.
    bare: Vec<u32>,
    conditions: Vec<Conditions>,
}

/// Gives each different pattern one number.
struct Interner {
    numbers: AHashMap<Pattern, u32>,
    uses: Vec<Vec<Use>>,
}

impl Interner {
    fn number(&mut self, pattern: &Pattern) -> u32 {
        if let Some(known) = self.numbers.get(pattern) {
            return *known;
        }
        let number = self.uses.len() as u32;
        self.uses.push(Vec::new());
        self.numbers.insert(pattern.clone(), number);
        number
    }

    fn add(&mut self, pattern: &Pattern, usage: Use) {
        let number = self.number(pattern);
        self.uses[number as usize].push(usage);
    }
}

impl Engine {
    pub(crate) fn build(rules: &[Rule], lists: &Lists, providers: &Providers) -> Self {
        let mut interner = Interner { numbers: AHashMap::with_capacity(4096), uses: Vec::with_capacity(4096) };
        let mut bare = Vec::new();
        let mut conditions = Vec::with_capacity(rules.len());
        for (index, rule) in rules.iter().enumerate() {
            if rule.compiled.is_empty() {
                bare.push(index as u32);
            }
            for pattern in &rule.compiled {
                interner.add(pattern, Use::Rule(index as u32));
            }
            conditions.push(Conditions {
                providers: rule.providers.iter().filter_map(|p| providers.number(p)).collect(),
                also: rule.also.iter().map(|p| interner.number(p)).collect(),
                unless: rule.unless.iter().map(|p| interner.number(p)).collect(),
            });
        }
        lists.patterns().for_each(|(list, p)| interner.add(p, Use::List(list)));
        lists.state_patterns().for_each(|(state, p)| interner.add(p, Use::State(state)));
        providers.signs().for_each(|(provider, p)| interner.add(p, Use::Sign(provider)));
        let mut patterns: Vec<(Pattern, Vec<Use>, u32)> = Vec::with_capacity(interner.uses.len());
        for (pattern, number) in interner.numbers {
            patterns.push((pattern, std::mem::take(&mut interner.uses[number as usize]), number));
        }
        patterns.sort_unstable_by_key(|(_, _, number)| *number);
        let mut texts: AHashMap<&[u8], usize> = AHashMap::with_capacity(4096);
        let mut order: Vec<&[u8]> = Vec::new();
        let mut keys: Vec<Vec<u32>> = Vec::new();
        for (pattern, _, number) in &patterns {
            for key in pattern.keys() {
                let at = *texts.entry(key).or_insert_with(|| {
                    order.push(key);
                    keys.push(Vec::new());
                    keys.len() - 1
                });
                keys[at].push(*number);
            }
        }
        let automaton = AhoCorasickBuilder::new()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .prefilter(false)
            .build(&order)
            .expect("keys are short and bounded");
        Self { automaton, keys, patterns: patterns.into_iter().map(|(p, u, _)| (p, u)).collect(), bare, conditions }
    }

    /// Looks through `text`; the best two rules are left in `found`.
    pub(crate) fn run(&self, rules: &[Rule], text: &[u8], context: &Context, found: &mut Found) {
        found.clear(self.patterns.len());
        let mut left = MAX_CANDIDATES;
        'hits: for hit in self.automaton.find_overlapping_iter(text) {
            for &number in &self.keys[hit.pattern().as_usize()] {
                if found.has(number) {
                    continue;
                }
                if left == 0 {
                    break 'hits;
                }
                left -= 1;
                let (pattern, uses) = &self.patterns[number as usize];
                let Some(span) = pattern.match_at(text, hit.start(), hit.end()) else { continue };
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
        let held = std::mem::take(&mut found.rules);
        for &(rule, span, literal) in &held {
            self.weigh(rules, rule as usize, (Some(span), literal), text, context, found);
        }
        found.rules = held;
        for &rule in &self.bare {
            self.weigh(rules, rule as usize, (None, 0), text, context, found);
        }
    }

    fn weigh(&self, rules: &[Rule], index: usize, (mut span, literal): (Option<(usize, usize)>, usize), text: &[u8], context: &Context, found: &mut Found) {
        let rule = &rules[index];
        // Level first, then rank, then how much of the text the rule fixes, then the order of the files.
        let level = if rule.user { 2 } else { u32::from(!rule.providers.is_empty()) };
        let score = level * 1_000_000 + u32::from(rule.rank) * 10_000 + (literal.min(99) as u32) * 100;
        let better = |than: &Option<Hit>| than.is_none_or(|t| (score, std::cmp::Reverse(index)) > (t.score, std::cmp::Reverse(t.rule)));
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
