//! Finds the strongest rule that holds for a masked reply (the two strongest, to explain it), the lists it names and the
//! providers that speak.
//!
//! One pass over the text finds the texts that patterns are looked for by; what could still win is then tried, strongest first,
//! and the rest is never matched. Nothing here knows what a reason means, or what class a verdict has.
//!
//! `<address>: recipient address rejected: user unknown` hits `recipient.unknown` and, weaker, `recipient.rejected`.

use std::cell::Cell;
use std::collections::BinaryHeap;
use std::sync::{Arc, OnceLock};

use bouncestat_record::{EnhancedCode, Stage};

use crate::builtin;
use crate::matcher::{BUDGET, Matcher};
use crate::rule::Rule;
use crate::scan::{Live, MOST, Scan, Words};
use crate::tables::{ANYONE, Built, RuleRow, Run, Tables, Use};

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

/// All that one pass found, and the room it needs.
#[derive(Debug, Default)]
pub(crate) struct Found {
    words: Words,
    scans: [Scan; 2],
    /// What may hold, the strongest first.
    order: Vec<Try>,
    refused: Vec<u16>,
    /// Providers that speak, one bit each.
    speakers: u128,
    pub lists: Vec<u16>,
    pub states: Vec<u16>,
    pub signs: Vec<u16>,
    pub best: Option<Hit>,
    pub second: Option<Hit>,
    /// Whether the second best is looked for.
    two: bool,
    /// How many steps were taken: bounded, whatever the text.
    pub steps: u32,
}

/// A rule that may hold, packed: the larger, the earlier it is tried. From above: 22 bits of score, 16 of the rule (of equals the
/// first), one of the layer, 13 of the number in the layer's `live` (the first); the last one of all for a rule without patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Try(u64);

const BARE: u32 = 0x1fff;
const _: () = assert!(MOST < BARE as usize);

impl Try {
    #[inline]
    fn new(score: u32, rule: u16, layer: u8, live: u32) -> Self {
        Self(u64::from(score) << 30 | u64::from(!rule) << 14 | u64::from(layer) << 13 | u64::from(BARE - live))
    }

    fn score(self) -> u32 {
        (self.0 >> 30) as u32
    }

    fn rule(self) -> u16 {
        !((self.0 >> 14) as u16)
    }

    fn layer(self) -> usize {
        (self.0 >> 13 & 1) as usize
    }

    fn live(self) -> u32 {
        BARE - (self.0 & u64::from(BARE)) as u32
    }
}

impl Found {
    /// Looks for the second best too.
    pub(crate) fn for_two() -> Self {
        Self { two: true, ..Self::default() }
    }

    fn clear(&mut self) {
        self.order.clear();
        self.refused.clear();
        self.lists.clear();
        self.states.clear();
        self.signs.clear();
        self.best = None;
        self.second = None;
    }
}

enum Held {
    Builtin,
    Own(Box<Built>),
}

/// Rules that belong together: the crate's own, or a user's.
pub(crate) struct Layer {
    held: Held,
    /// The rules' ids.
    pub ids: Vec<Arc<str>>,
    regexes: Vec<(u16, LazyRegex)>,
    /// How many rules come before these.
    pub before: usize,
}

impl Layer {
    /// The crate's own rules, behind `before` others.
    pub(crate) fn builtin(before: usize) -> Self {
        let regexes = builtin::REGEXES.iter().map(|(rule, source)| (*rule, LazyRegex::new(source))).collect();
        let ids = builtin::RULE_IDS.iter().map(|id| Arc::from(*id)).collect();
        Self { held: Held::Builtin, ids, regexes, before }
    }

    /// A user's rules, in front of all others.
    pub(crate) fn own(rules: &[Rule], built: Built) -> Self {
        let regex = |(index, rule): (usize, &Rule)| Some((index as u16, LazyRegex::new(rule.regex.as_deref()?)));
        let regexes = rules.iter().enumerate().filter_map(regex).collect();
        Self { held: Held::Own(Box::new(built)), ids: rules.iter().map(|r| r.id.clone()).collect(), regexes, before: 0 }
    }

    /// What the rules say.
    #[inline]
    pub(crate) fn rules(&self) -> &[RuleRow] {
        match &self.held {
            Held::Builtin => builtin::TABLES.rules,
            Held::Own(built) => &built.rules,
        }
    }

    /// What the rules are made of.
    #[inline]
    pub(crate) fn tables(&self) -> Tables<'_> {
        match &self.held {
            Held::Builtin => builtin::TABLES,
            Held::Own(built) => built.tables(),
        }
    }
}

/// A regular expression that is compiled when a candidate first needs it.
#[derive(Debug)]
pub(crate) struct LazyRegex {
    source: Box<str>,
    compiled: OnceLock<Option<regex::bytes::Regex>>,
}

impl LazyRegex {
    fn new(source: &str) -> Self {
        Self { source: source.into(), compiled: OnceLock::new() }
    }

    pub(crate) fn build(source: &str) -> Result<regex::bytes::Regex, regex::Error> {
        // A small size limit bounds both memory and the time for one reply.
        regex::bytes::RegexBuilder::new(source).size_limit(1 << 20).dfa_size_limit(1 << 20).nest_limit(32).build()
    }

    fn find(&self, text: &[u8]) -> Option<(usize, usize)> {
        let regex = self.compiled.get_or_init(|| Self::build(&self.source).ok()).as_ref()?;
        regex.find(text).map(|m| (m.start(), m.end()))
    }
}

/// Looks through `text`; the best rule is left in `found`, and the second best where someone asks for it: it decides nothing.
pub(crate) fn run(layers: &[Layer], text: &[u8], context: &Context, found: &mut Found) {
    found.clear();
    let left = Cell::new(BUDGET);
    let mut scans = std::mem::take(&mut found.scans);
    let mut words = std::mem::take(&mut found.words);
    words.read(text);
    // Signs, lists and states are wanted at once: which rules may hold depends on who speaks.
    let views = [layers[0].tables(), layers[layers.len() - 1].tables()];
    for (tables, scan) in views.iter().zip(&mut scans).take(layers.len()) {
        scan.run(tables, text, &words);
        let matcher = Matcher { tables, text, words: &words, left: &left };
        for live in &scan.eager {
            let live = scan.live[*live as usize];
            let row = &tables.patterns[usize::from(live.pattern)];
            let uses = row.uses.of(tables.uses);
            if uses.iter().all(|u| found.knows(*u)) || matcher.around(row, live.start as usize, live.end as usize).is_none() {
                continue;
            }
            uses.iter().for_each(|u| found.note(*u));
        }
    }
    found.speak(context);
    for (number, layer) in layers.iter().enumerate() {
        found.gather(number as u8, layer.before, &views[number], &scans[number], context);
    }
    let mut order = BinaryHeap::from(std::mem::take(&mut found.order));
    while let Some(one) = order.pop() {
        let (rule, number) = (one.rule(), one.layer());
        if found.best.is_some_and(|b| b.rule == usize::from(rule)) || found.refused.contains(&rule) {
            continue;
        }
        let layer = &layers[number];
        let trial = Trial { layer, tables: &views[number], text, words: &words, left: &left };
        let scan = &mut scans[number];
        let span = match one.live() {
            BARE => None,
            live => match trial.span(scan.live[live as usize]) {
                None => continue,
                span => span,
            },
        };
        let Some(span) = trial.conditions(usize::from(rule) - layer.before, span, scan) else {
            found.refused.push(rule);
            continue;
        };
        let hit = Some(Hit { rule: usize::from(rule), score: one.score(), span });
        if found.best.is_some() {
            found.second = hit;
            break;
        }
        found.best = hit;
        if !found.two {
            break;
        }
    }
    found.order = order.into_vec();
    found.steps = BUDGET - left.get() + scans.iter().map(|s| s.steps).sum::<u32>();
    found.scans = scans;
    found.words = words;
}

impl Found {
    fn knows(&self, usage: Use) -> bool {
        match usage {
            Use::Rule(_) => true,
            Use::List(n) => self.lists.contains(&n),
            Use::Sign(n) => self.signs.contains(&n),
            Use::State(n) => self.states.contains(&n),
        }
    }

    fn note(&mut self, usage: Use) {
        if self.knows(usage) {
            return;
        }
        match usage {
            Use::Rule(_) => {}
            Use::List(n) => self.lists.push(n),
            Use::Sign(n) => self.signs.push(n),
            Use::State(n) => self.states.push(n),
        }
    }

    /// Collects the rules that may hold by all that costs nothing to ask.
    fn gather(&mut self, layer: u8, before: usize, tables: &Tables<'_>, scan: &Scan, context: &Context) {
        let speakers = self.speakers;
        let may_hold = |row: &RuleRow| {
            row.providers & speakers != 0
                && (row.codes.len == 0
                    || row.codes.of(tables.codes).iter().any(|c| c.matches(context.basic, context.enhanced, context.digit)))
                && (row.stages == 0 || context.stage.is_some_and(|s| row.stages >> s as u8 & 1 == 1))
        };
        let mut add = |rule: u16, literal: u16, live: u32| {
            let row = &tables.rules[usize::from(rule)];
            if may_hold(row) {
                let score = row.score + u32::from(literal.min(99)) * 100;
                self.order.push(Try::new(score, before as u16 + rule, layer, live));
            }
        };
        for (index, live) in scan.live.iter().enumerate() {
            let row = &tables.patterns[usize::from(live.pattern)];
            for usage in row.uses.of(tables.uses) {
                if let Use::Rule(rule) = *usage {
                    add(rule, row.literal, index as u32);
                }
            }
        }
        for rule in tables.bare {
            add(*rule, 0, BARE);
        }
    }

    /// Notes who speaks: by the host, the domain and the text.
    fn speak(&mut self, context: &Context) {
        let speaking = context.provider.iter().flatten().chain(&self.signs);
        self.speakers = speaking.fold(ANYONE, |bits, number| bits | 1 << number);
    }
}

/// One rule being tried.
struct Trial<'a> {
    layer: &'a Layer,
    tables: &'a Tables<'a>,
    text: &'a [u8],
    words: &'a Words,
    left: &'a Cell<u32>,
}

impl Trial<'_> {
    fn span(&self, live: Live) -> Option<(usize, usize)> {
        let row = &self.tables.patterns[usize::from(live.pattern)];
        let matcher = Matcher { tables: self.tables, text: self.text, words: self.words, left: self.left };
        matcher.around(row, live.start as usize, live.end as usize)
    }

    /// Whether the conditions on the text hold; gives the span, which an expression may move.
    fn conditions(&self, rule: usize, span: Option<(usize, usize)>, scan: &mut Scan) -> Option<Option<(usize, usize)>> {
        let row = &self.tables.rules[rule];
        let mut any = |run: Run| {
            let patterns = run.of(self.tables.conditions);
            patterns.iter().any(|p| scan.holds(*p, |live| self.span(live).is_some()))
        };
        if any(row.unless) || (row.also.len > 0 && !any(row.also)) {
            return None;
        }
        if !row.regex {
            return Some(span);
        }
        let (_, regex) = self.layer.regexes.iter().find(|(index, _)| usize::from(*index) == rule)?;
        regex.find(self.text).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::mask;

    /// Steps that a reply takes, and the bytes of its masked form.
    fn steps(text: &str) -> (u32, u32) {
        let layers = [Layer::builtin(0)];
        let (mut masked, mut found) = (Vec::new(), Found::default());
        mask(text.as_bytes(), &mut masked);
        run(&layers, &masked, &Context::default(), &mut found);
        (found.steps, masked.len() as u32)
    }

    #[test]
    fn work_grows_no_faster_than_the_text_and_ends() {
        for part in [
            "user mailbox account .. recipient ",
            "blocked using ",
            "the mailbox of this user is not (",
            "message rejected quota ",
            "a",
            "(",
            "<a@b.c>",
            "not not ",
            "spam ip blocked ",
        ] {
            let of = |bytes: usize| steps(&("550 ".to_owned() + &part.repeat(bytes / part.len())));
            let ((small, _), (large, _), (huge, _), (most, _)) = (of(500), of(2_000), of(10_000), of(100_000));
            assert!(large <= 6 * small + 1_000, "{part}: {small} steps for 500 bytes, {large} for 2,000");
            // What is longer than the limit is not looked at.
            assert!(most <= huge + huge / 10 + 100, "{part}: {huge} steps for 10 kB, {most} for 100 kB");
            assert!(huge < 2 * BUDGET, "{part}: {huge}");
        }
    }
}
