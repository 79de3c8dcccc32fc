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

#[derive(Clone, Copy, Debug)]
enum Owner {
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
    /// Rules with a pattern found: index, span, fixed bytes.
    rules: Vec<(u32, (usize, usize), usize)>,
    pub lists: Vec<u16>,
    pub states: Vec<u16>,
    pub signs: Vec<u16>,
    pub best: Option<Hit>,
    pub second: Option<Hit>,
}

impl Found {
    fn clear(&mut self) {
        self.rules.clear();
        self.lists.clear();
        self.states.clear();
        self.signs.clear();
        self.best = None;
        self.second = None;
    }
}

/// The automaton and what its hits mean.
pub(crate) struct Engine {
    automaton: AhoCorasick,
    /// For each text of the automaton, the patterns that need it.
    keys: Vec<Vec<u32>>,
    patterns: Vec<(Owner, Pattern)>,
    /// Rules without a pattern: they need only codes or a stage.
    bare: Vec<u32>,
    /// For each rule, its providers as numbers.
    voices: Vec<Vec<u16>>,
}

impl Engine {
    pub(crate) fn build(rules: &[Rule], lists: &Lists, providers: &Providers) -> Self {
        let mut patterns = Vec::with_capacity(rules.len() * 4);
        let mut bare = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            if rule.compiled.is_empty() {
                bare.push(index as u32);
            }
            patterns.extend(rule.compiled.iter().map(|p| (Owner::Rule(index as u32), p.clone())));
        }
        patterns.extend(lists.patterns().map(|(list, p)| (Owner::List(list), p.clone())));
        patterns.extend(lists.state_patterns().map(|(state, p)| (Owner::State(state), p.clone())));
        patterns.extend(providers.signs().map(|(provider, p)| (Owner::Sign(provider), p.clone())));
        let mut texts: AHashMap<Box<[u8]>, usize> = AHashMap::new();
        let mut order: Vec<Box<[u8]>> = Vec::new();
        let mut keys: Vec<Vec<u32>> = Vec::new();
        for (index, (_, pattern)) in patterns.iter().enumerate() {
            for key in pattern.keys() {
                let at = *texts.entry(key.clone()).or_insert_with(|| {
                    order.push(key.clone());
                    keys.push(Vec::new());
                    keys.len() - 1
                });
                keys[at].push(index as u32);
            }
        }
        let automaton = AhoCorasickBuilder::new()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .prefilter(false)
            .build(&order)
            .expect("keys are short and bounded");
        let voices = rules.iter().map(|r| r.providers.iter().filter_map(|p| providers.number(p)).collect()).collect();
        Self { automaton, keys, patterns, bare, voices }
    }

    /// Looks through `text`; the best two rules are left in `found`.
    pub(crate) fn run(&self, rules: &[Rule], text: &[u8], context: &Context, found: &mut Found) {
        found.clear();
        let mut left = MAX_CANDIDATES;
        'hits: for hit in self.automaton.find_overlapping_iter(text) {
            for &index in &self.keys[hit.pattern().as_usize()] {
                let (owner, pattern) = &self.patterns[index as usize];
                if let Owner::Sign(sign) = owner
                    && found.signs.contains(sign)
                {
                    continue;
                }
                if left == 0 {
                    break 'hits;
                }
                left -= 1;
                let Some(span) = pattern.match_at(text, hit.start(), hit.end()) else { continue };
                match *owner {
                    Owner::Rule(rule) => match found.rules.iter_mut().find(|r| r.0 == rule) {
                        None => found.rules.push((rule, span, pattern.literal_len())),
                        Some(known) if known.2 < pattern.literal_len() => *known = (rule, span, pattern.literal_len()),
                        Some(_) => {}
                    },
                    Owner::List(list) => push_new(&mut found.lists, list),
                    Owner::State(state) => push_new(&mut found.states, state),
                    Owner::Sign(sign) => push_new(&mut found.signs, sign),
                }
            }
        }
        let held = std::mem::take(&mut found.rules);
        for &(rule, span, literal) in &held {
            self.weigh(rules, rule as usize, Some(span), literal, text, context, found);
        }
        found.rules = held;
        for &rule in &self.bare {
            self.weigh(rules, rule as usize, None, 0, text, context, found);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one place, called twice")]
    fn weigh(&self, rules: &[Rule], index: usize, span: Option<(usize, usize)>, literal: usize, text: &[u8], context: &Context, found: &mut Found) {
        let rule = &rules[index];
        let voices = &self.voices[index];
        if !rule.providers.is_empty() && !rule.anywhere {
            let speaks = |v: &u16| context.provider.contains(&Some(*v)) || found.signs.contains(v);
            if !voices.iter().any(speaks) {
                return;
            }
        }
        if !rule.codes.is_empty() && !rule.codes.iter().any(|c| c.matches(context.basic, context.enhanced, context.digit)) {
            return;
        }
        if !rule.stages.is_empty() && !context.stage.is_some_and(|s| rule.stages.contains(&s)) {
            return;
        }
        if !rule.also.is_empty() && !rule.also.iter().any(|p| p.find(text).is_some()) {
            return;
        }
        if rule.unless.iter().any(|p| p.find(text).is_some()) {
            return;
        }
        let mut span = span;
        if let Some(regex) = &rule.regex {
            match regex.find(text) {
                Some(found) => span = Some(found),
                None => return,
            }
        }
        // Level first, then rank, then how much of the text the rule fixes, then the order of the files.
        let level = if rule.user { 2 } else { u32::from(!rule.providers.is_empty()) };
        let score = level * 1_000_000 + u32::from(rule.rank) * 10_000 + (literal.min(99) as u32) * 100;
        let hit = Hit { rule: index, score, span };
        let better = |than: &Option<Hit>| than.is_none_or(|t| (score, std::cmp::Reverse(index)) > (t.score, std::cmp::Reverse(t.rule)));
        if better(&found.best) {
            found.second = found.best;
            found.best = Some(hit);
        } else if better(&found.second) {
            found.second = Some(hit);
        }
    }
}

fn push_new(list: &mut Vec<u16>, value: u16) {
    if !list.contains(&value) {
        list.push(value);
    }
}
