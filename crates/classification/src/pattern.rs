//! The small pattern language of rules: bounded, linear, and cheap to build.
//!
//! A pattern is matched against a reply in its masked form (see [`crate::text`]): lower case, single spaces, addresses as
//! `<address>`. It is no regular expression: it has words, `(a|b)` alternatives, `*` (the word may go on, up to 24 bytes)
//! and `..` (a gap of up to 80 bytes), and nothing that can run away. Words match on word boundaries.
//!
//! `(mailbox|account) .. (is|was) disabled*` matches `the account of bob is disabled.`

use crate::expand::{flatten, open_group};

/// Longest gap that `..` spans, in bytes.
pub(crate) const GAP: usize = 80;
/// Longest rest of a word that `*` spans, in bytes.
pub(crate) const WORD: usize = 24;
/// Most elements in one pattern: together with the gap bound this bounds the work for one candidate.
const MAX_ELEMENTS: usize = 16;

/// One part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Element {
    /// One of these texts (one entry for a plain text), longest first; those of the second list may go on inside the word.
    Any(Vec<Box<[u8]>>, Vec<Box<[u8]>>),
    /// Up to `max` bytes; only inside a word when `word`.
    Gap { max: usize, word: bool },
}

/// One pattern as written, before [`crate::compile`] makes it flat.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    pub(crate) elements: Vec<Element>,
    /// How many bytes the pattern fixes: the more, the more it says.
    pub(crate) literal: usize,
}

impl Pattern {
    /// Reads a pattern whose alternatives may hold `*` and `..` themselves: each of those becomes a pattern of its own.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        if text.len() > 2_000 {
            return Err("longer than 2,000 bytes".into());
        }
        Self::parse_flat(&flatten(text).ok_or("a group stands for too many texts")?)
    }

    fn parse_flat(text: &str) -> Result<Vec<Self>, String> {
        let group = match open_group(text, false) {
            None => match Self::parse(text) {
                Ok(pattern) => return Ok(vec![pattern]),
                // Nothing fixed but words that go on: each of them becomes a pattern.
                Err(error) => open_group(text, true).ok_or(error)?,
            },
            Some(group) => group,
        };
        let (open, close) = group;
        let mut all = Vec::new();
        for alternative in text[open + 1..close].split('|') {
            let one = format!("{}{alternative}{}", &text[..open], &text[close + 1..]);
            all.extend(Self::parse_flat(&one)?);
        }
        if all.len() > 200 {
            return Err("more than 200 patterns in one".into());
        }
        Ok(all)
    }

    /// Reads a pattern; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut elements: Vec<Element> = Vec::new();
        let mut rest = text.as_bytes();
        let mut run: Vec<u8> = Vec::new();
        let flush = |run: &mut Vec<u8>, elements: &mut Vec<Element>| {
            if !run.is_empty() {
                elements.push(Element::Any(vec![std::mem::take(run).into_boxed_slice()], Vec::new()));
            }
        };
        if text.chars().any(|c| c.is_uppercase()) {
            return Err("patterns are written in lower case".into());
        }
        while let Some(&byte) = rest.first() {
            match byte {
                b'*' => {
                    flush(&mut run, &mut elements);
                    elements.push(Element::Gap { max: WORD, word: true });
                    rest = &rest[1..];
                }
                b'.' if rest.starts_with(b"..") => {
                    while run.last() == Some(&b' ') {
                        run.pop();
                    }
                    flush(&mut run, &mut elements);
                    elements.push(Element::Gap { max: GAP, word: false });
                    rest = rest[2..].trim_ascii_start();
                }
                b'(' => {
                    flush(&mut run, &mut elements);
                    let end = rest.iter().position(|&b| b == b')').ok_or("`(` without `)`")?;
                    if rest[1..end].contains(&b'(') {
                        return Err("groups are nested too deeply; a literal parenthesis is `\\(`".into());
                    }
                    let (mut all, mut open) = (Vec::<Box<[u8]>>::new(), Vec::<Box<[u8]>>::new());
                    for alternative in rest[1..end].split(|&b| b == b'|') {
                        match alternative.strip_suffix(b"*") {
                            Some(begin) => open.push(begin.into()),
                            None => all.push(alternative.into()),
                        }
                    }
                    all.sort_by_key(|alternative| std::cmp::Reverse(alternative.len()));
                    elements.push(Element::Any(all, open));
                    rest = &rest[end + 1..];
                }
                b')' => return Err("`)` without `(`; a literal one is `\\)`".into()),
                b'\\' if rest.len() > 1 => {
                    run.push(rest[1]);
                    rest = &rest[2..];
                }
                _ => {
                    run.push(byte);
                    rest = &rest[1..];
                }
            }
        }
        flush(&mut run, &mut elements);
        if elements.len() > MAX_ELEMENTS {
            return Err(format!("more than {MAX_ELEMENTS} parts"));
        }
        // Each gap multiplies the work at one candidate: three bound it.
        if elements.iter().filter(|e| matches!(e, Element::Gap { word: false, .. })).count() > 3 {
            return Err("more than three gaps".into());
        }
        // What every match fixes: the shortest text of each part.
        let shortest = |element: &Element| match element {
            Element::Any(all, open) if open.is_empty() => all.iter().map(|a| a.len()).min().unwrap_or(0),
            _ => 0,
        };
        if elements.is_empty() {
            return Err("empty pattern".into());
        }
        if !elements.iter().any(|element| shortest(element) >= 2) {
            return Err("needs a fixed part of at least two bytes".into());
        }
        if matches!(elements[0], Element::Gap { word: false, .. })
            || matches!(elements[elements.len() - 1], Element::Gap { word: false, .. })
        {
            return Err("a gap at the edge matches nothing".into());
        }
        let literal = elements.iter().map(shortest).sum();
        Ok(Self { elements, literal })
    }

    /// Whether a match of the element may begin inside a word: after `*` or another fixed part.
    pub(crate) fn opens(&self, index: usize) -> bool {
        match index.checked_sub(1).map(|i| &self.elements[i]) {
            None => false,
            Some(Element::Gap { word, .. }) => *word,
            Some(Element::Any(_, open)) => open.is_empty(),
        }
    }

    /// Whether a match of the element may end inside a word.
    pub(crate) fn goes_on(&self, index: usize) -> bool {
        match self.elements.get(index + 1) {
            None => false,
            Some(Element::Gap { word, .. }) => *word,
            Some(Element::Any(..)) => true,
        }
    }

    /// A text that the pattern matches.
    pub(crate) fn sample(&self) -> String {
        let text = |element: &Element| match element {
            Element::Any(all, open) => {
                all.iter().chain(open).next().map_or_else(String::new, |t| String::from_utf8_lossy(t).into())
            }
            Element::Gap { word: true, .. } => String::new(),
            Element::Gap { .. } => " ".into(),
        };
        self.elements.iter().map(text).collect()
    }

    /// Makes parts that meet inside a word one part, so that their texts can be looked for where the word begins.
    pub(crate) fn joined(mut self) -> Self {
        let mut index = 1;
        while index < self.elements.len() {
            let joined = match (&self.elements[index - 1], &self.elements[index]) {
                (Element::Any(front, none), Element::Any(all, open))
                    if none.is_empty()
                        && front.len() * (all.len() + open.len()) <= 64
                        && all.iter().chain(open).any(|text| self.inside(index, text)) =>
                {
                    let pairs = |tails: &[Box<[u8]>]| {
                        let mut texts: Vec<Box<[u8]>> =
                            front.iter().flat_map(|f| tails.iter().map(|tail| [&**f, tail].concat().into())).collect();
                        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
                        texts.dedup();
                        texts
                    };
                    Some(Element::Any(pairs(all), pairs(open)))
                }
                _ => None,
            };
            match joined {
                Some(one) => {
                    self.elements.splice(index - 1..=index, [one]);
                }
                None => index += 1,
            }
        }
        self
    }

    /// The texts of an element by which the pattern can be looked for: each match has one of them.
    pub(crate) fn keys(&self, index: usize) -> Option<&[Box<[u8]>]> {
        match &self.elements[index] {
            Element::Any(all, open) if open.is_empty() && all.iter().all(|text| text.len() >= 2) => Some(all),
            _ => None,
        }
    }

    /// The texts of an element, if each begins with four bytes where a word begins: what every match needs.
    pub(crate) fn starts(&self, index: usize) -> Option<Vec<&[u8]>> {
        let Element::Any(all, open) = &self.elements[index] else { return None };
        let mut texts = Vec::with_capacity(all.len() + open.len());
        for text in all.iter().chain(open) {
            let bare = text.strip_prefix(b" ").unwrap_or(text);
            let inside = bare.len() == text.len() && self.inside(index, text);
            if inside || bare.len() < 4 || !bare[0].is_ascii_alphanumeric() {
                return None;
            }
            texts.push(bare);
        }
        Some(texts)
    }

    /// Whether `text` may begin inside a word where it stands for the element: after a letter that another part ends with.
    pub(crate) fn inside(&self, index: usize, text: &[u8]) -> bool {
        if !self.opens(index) || !text.first().is_some_and(u8::is_ascii_alphanumeric) {
            return false;
        }
        match &self.elements[index - 1] {
            Element::Gap { .. } => true,
            Element::Any(all, _) => all.iter().any(|before| match before.last() {
                Some(last) => last.is_ascii_alphanumeric(),
                None => self.inside(index - 1, text),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_with_gaps_become_patterns() {
        assert_eq!(Pattern::parse_all("x(a|recogni(s|z)ed|b .. c)y").unwrap().len(), 4);
        assert_eq!(Pattern::parse_all("(mailbox|account) .. (is |was |)disabled*").unwrap().len(), 1);
    }

    #[test]
    fn what_is_refused() {
        for bad in ["", "a", "User", "(a", ".. x", "x ..", "aa .. bb .. cc .. dd .. ee"] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }
}
