//! Matches one pattern around a text of it that was found.
//!
//! Words match on word boundaries, gaps try every place within their bound, and a budget of steps, shared by all patterns of one
//! reply, bounds what a hostile reply can cost. Which patterns are tried is [`crate::engine`]'s.
//!
//! `(mailbox|account) .. disabled`, found by `disabled` in `the account of bob is disabled`, spans `account of bob is disabled`.

use std::cell::Cell;

use crate::pattern::WORD;
use crate::scan::Words;
use crate::tables::{Choice, Part, PatternRow, Tables};

/// Steps that all patterns together may take in one reply: real ones take some hundred.
pub(crate) const BUDGET: u32 = 200_000;

/// A masked text, and what is left of the budget for it.
#[derive(Clone, Copy)]
pub(crate) struct Matcher<'a> {
    pub tables: &'a Tables<'a>,
    pub text: &'a [u8],
    pub words: &'a Words,
    pub left: &'a Cell<u32>,
}

/// Whether `at` lies at the border of a word.
#[inline]
pub(crate) fn border(text: &[u8], at: usize) -> bool {
    at == 0 || !text.get(at).is_some_and(u8::is_ascii_alphanumeric) || !text[at - 1].is_ascii_alphanumeric()
}

impl Matcher<'_> {
    /// Matches `row` around its key, which stands at `start..end`; gives the span of the match.
    pub fn around(&self, row: &PatternRow, start: usize, end: usize) -> Option<(usize, usize)> {
        let parts = row.parts.of(self.tables.parts);
        let key = usize::from(row.key);
        let part = &parts[key];
        if !(part.opens || border(self.text, start)) || !(part.goes_on || border(self.text, end)) {
            return None;
        }
        let to = self.forward(&parts[key + 1..], end)?;
        let from = self.backward(&parts[..key], start)?;
        Some((from, to))
    }

    fn has(&self, set: u16, byte: Option<&u8>) -> bool {
        let set = &self.tables.sets[usize::from(set)];
        match byte {
            Some(b) => set[usize::from(b >> 6)] >> (b & 63) & 1 == 1,
            None => *set == [u64::MAX; 4],
        }
    }

    fn choices(&self, part: &Part) -> (&[Choice], &[Choice]) {
        let from = usize::from(part.at);
        let middle = from + usize::from(part.all);
        (&self.tables.choices[from..middle], &self.tables.choices[middle..middle + usize::from(part.open)])
    }

    /// Whether a text stands at `at`; looks at both ends before it compares.
    #[inline]
    fn stands(&self, at: usize, choice: &Choice) -> bool {
        let len = usize::from(choice.len);
        if len == 0 {
            return at <= self.text.len();
        }
        let Some(there) = self.text.get(at..at + len) else { return false };
        there[0] == choice.edges[0]
            && there[len - 1] == choice.edges[1]
            && there == &self.tables.bytes[choice.at as usize..choice.at as usize + len]
    }

    /// Takes a step; nothing matches any more when the budget is used up.
    fn step(&self) -> Option<()> {
        self.left.set(self.left.get().checked_sub(1)?);
        Some(())
    }

    fn forward(&self, parts: &[Part], at: usize) -> Option<usize> {
        let [part, rest @ ..] = parts else { return Some(at) };
        let text = self.text;
        if part.gap > 0 {
            let room = &text[at..text.len().min(at + usize::from(part.gap))];
            let room = if part.word { &room[..room.iter().position(|&b| b == b' ').unwrap_or(room.len())] } else { room };
            let Some(next) = rest.first() else {
                return Some(at + room.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(room.len()));
            };
            if next.at_start {
                let from = self.words.starts.partition_point(|start| (*start as usize) < at);
                let starts = self.words.starts[from..].iter().map(|start| *start as usize);
                let mut starts = starts.take_while(|start| *start <= at + room.len());
                return starts.find_map(|start| self.forward(rest, start));
            }
            return (0..=room.len()).filter(|n| self.has(next.first, text.get(at + n))).find_map(|n| self.forward(rest, at + n));
        }
        if !self.has(part.first, text.get(at)) || !(part.opens || border(text, at)) {
            return None;
        }
        self.step()?;
        let (all, open) = self.choices(part);
        let whole = |c: &&Choice| self.stands(at, c) && (part.goes_on || border(text, at + usize::from(c.len)));
        let found = all.iter().filter(whole).find_map(|c| self.forward(rest, at + usize::from(c.len)));
        if found.is_some() || open.is_empty() {
            return found;
        }
        open.iter().filter(|c| self.stands(at, c)).find_map(|c| {
            let from = at + usize::from(c.len);
            let room = text[from..text.len().min(from + WORD)].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
            if rest.is_empty() {
                return Some(from + room);
            }
            (0..=room).find_map(|n| self.forward(rest, from + n))
        })
    }

    fn backward(&self, parts: &[Part], at: usize) -> Option<usize> {
        let [rest @ .., part] = parts else { return Some(at) };
        let text = self.text;
        if part.gap > 0 {
            let Some(previous) = rest.last() else { return Some(at) };
            let room = &text[at - at.min(usize::from(part.gap))..at];
            let room = if part.word { &room[room.iter().rposition(|&b| b == b' ').map_or(0, |p| p + 1)..] } else { room };
            if previous.at_end {
                let to = self.words.ends.partition_point(|end| (*end as usize) <= at);
                let ends = self.words.ends[..to].iter().rev().map(|end| *end as usize);
                let mut ends = ends.take_while(|end| *end + room.len() >= at);
                return ends.find_map(|end| self.backward(rest, end));
            }
            return (0..=room.len())
                .filter(|n| self.has(previous.last, text[..at - n].last()))
                .find_map(|n| self.backward(rest, at - n));
        }
        if !self.has(part.last, text[..at].last()) {
            return None;
        }
        self.step()?;
        let (all, open) = self.choices(part);
        let begins = |c: &Choice, end: usize| {
            let len = usize::from(c.len);
            end >= len && self.stands(end - len, c) && (part.opens || border(text, end - len))
        };
        let ends = part.goes_on || border(text, at);
        let found = all.iter().filter(|c| ends && begins(c, at)).find_map(|c| self.backward(rest, at - usize::from(c.len)));
        if found.is_some() || open.is_empty() {
            return found;
        }
        let room = text[at - at.min(WORD)..at].iter().rev().take_while(|b| b.is_ascii_alphanumeric()).count();
        (0..=room).find_map(|n| {
            open.iter().filter(|c| begins(c, at - n)).find_map(|c| self.backward(rest, at - n - usize::from(c.len)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{Names, compile};
    use crate::rule;
    use crate::tables::Run;

    struct Nobody;

    impl Names for Nobody {
        fn provider(&self, _: &str) -> Option<u16> {
            None
        }

        fn list(&self, _: &str) -> Option<u16> {
            None
        }
    }

    /// Whether `pattern` matches, and how many steps that took.
    fn search(pattern: &str, text: &str) -> (bool, u32) {
        let toml = format!("[[rule]]\nid = \"x\"\nreason = \"policy\"\nmatch = ['{pattern}']");
        let built =
            compile(&rule::read(&toml, "x.toml", true).unwrap(), &[], &Nobody, &|text| 9 - text.len().min(8) as u32).unwrap();
        let (tables, left) = (built.tables(), Cell::new(BUDGET));
        let mut words = Words::default();
        words.read(text.as_bytes());
        let matcher = Matcher { tables: &tables, text: text.as_bytes(), words: &words, left: &left };
        let found = built.patterns.iter().any(|row| {
            let part = &row.parts.of(&built.parts)[usize::from(row.key)];
            let key = Run { at: part.at, len: part.all };
            (0..text.len()).any(|at| {
                let mut choices = key.of(&built.choices).iter();
                choices.any(|c| matcher.stands(at, c) && matcher.around(row, at, at + usize::from(c.len)).is_some())
            })
        });
        (found, BUDGET - left.get())
    }

    fn hits(pattern: &str, text: &str) -> bool {
        search(pattern, text).0
    }

    #[test]
    fn words_gaps_and_alternatives() {
        assert!(hits("user unknown", "<address>: user unknown"));
        assert!(!hits("user unknown", "superuser unknown"));
        assert!(!hits("user unknown", "user unknowns"));
        assert!(hits("user unknown*", "user unknowns"));
        assert!(hits("(mailbox|account) .. (is |was |)disabled*", "the account of bob is disabled."));
        assert!(hits("no such (user|mailbox|)", "no such thing"), "an empty alternative matches");
        assert!(!hits("mailbox .. full", "mailbox fully"));
        assert!(hits("reject* by", "was rejected by us"));
        assert!(!hits("reject* by", "reject it by"));
    }

    #[test]
    fn steps_grow_with_the_text_and_end() {
        let steps = |n: usize| search("user .. mailbox .. unknown .. here", &"user mailbox unknown ".repeat(n)).1;
        assert!(steps(20) > 20);
        assert!(steps(40) <= 3 * steps(20), "{} {}", steps(20), steps(40));
        assert!(steps(4_000) <= BUDGET);
    }
}
