//! The small pattern language of rules: bounded, linear, and cheap to build.
//!
//! A pattern is matched against a reply in its masked form (see [`crate::text`]): lower case, single spaces, addresses as
//! `<address>`. It is no regular expression: it has words, `(a|b)` alternatives, `*` (the word may go on, up to 24 bytes)
//! and `..` (a gap of up to 80 bytes), and nothing that can run away. Words match on word boundaries.
//!
//! `(mailbox|account) .. (is|was) disabled*` matches `the account of bob is disabled.`

use crate::expand::{flatten, open_group};

/// Longest gap that `..` spans, in bytes.
const GAP: usize = 80;
/// Longest rest of a word that `*` spans, in bytes.
const WORD: usize = 24;
/// Most elements in one pattern: together with the gap bound this bounds the work for one candidate.
const MAX_ELEMENTS: usize = 16;

/// Words that stand in so many replies that they make poor keys.
const COMMON: &[&[u8]] = &[
    b"message",
    b"messages",
    b"mail",
    b"email",
    b"e-mail",
    b"connection",
    b"connections",
    b"user",
    b"address",
    b"recipient",
    b"rejected",
    b"blocked",
    b"account",
    b"mailbox",
    b"header",
    b"domain",
    b"server",
    b"host",
    b"client",
    b"sender",
    b"denied",
    b"refused",
    b"not",
    b"is",
    b"has been",
    b"was",
    b"been",
    b"does not",
    b"data",
    b"error",
    b"invalid",
    b"unknown",
    b"not found",
    b"listed",
    b"found",
    b"your",
    b"from",
    b"for",
    b"by",
    b"ip",
    b"failed",
    b"temporarily",
    b"service",
    b"<address>",
    b"<ip>",
    b"the",
    b"please",
    b"smtp",
];

/// Whether `word` is one of [`COMMON`], asked for thousands of texts while the rules are read.
fn is_common(word: &[u8]) -> bool {
    static SET: std::sync::OnceLock<ahash::AHashSet<&[u8]>> = std::sync::OnceLock::new();
    word.len() <= 11 && SET.get_or_init(|| COMMON.iter().copied().collect()).contains(word)
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Element {
    /// One of these texts (one entry for a plain text), longest first; those of the second list may go on inside the word.
    Any(Vec<Box<[u8]>>, Vec<Box<[u8]>>),
    /// Up to `max` bytes; only inside a word when `word`.
    Gap { max: usize, word: bool },
}

/// The bytes that an element's texts begin and end with: most places of a gap are passed over by them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Edges {
    first: ByteSet,
    last: ByteSet,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ByteSet([u64; 4]);

impl ByteSet {
    fn of(bytes: impl Iterator<Item = Option<u8>>) -> Self {
        let mut set = [0; 4];
        for byte in bytes {
            match byte {
                Some(b) => set[usize::from(b >> 6)] |= 1 << (b & 63),
                None => set = [u64::MAX; 4],
            }
        }
        Self(set)
    }

    fn has(&self, byte: Option<&u8>) -> bool {
        self.0 == [u64::MAX; 4] || byte.is_some_and(|b| self.0[usize::from(b >> 6)] >> (b & 63) & 1 == 1)
    }
}

impl Edges {
    fn of(element: &Element) -> Self {
        match element {
            Element::Gap { .. } => Self { first: ByteSet([u64::MAX; 4]), last: ByteSet([u64::MAX; 4]) },
            Element::Any(all, open) => Self {
                first: ByteSet::of(all.iter().chain(open).map(|a| a.first().copied())),
                last: if open.is_empty() { ByteSet::of(all.iter().map(|a| a.last().copied())) } else { ByteSet([u64::MAX; 4]) },
            },
        }
    }
}

/// One pattern, ready to match.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    elements: Vec<Element>,
    edges: Vec<Edges>,
    key: usize,
    literal: usize,
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
                    let end = memchr::memchr(b')', rest).ok_or("`(` without `)`")?;
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
        // The key is the part whose shortest text is longest: a candidate needs it, so it should be rare.
        let shortest = |element: &Element| match element {
            Element::Any(all, open) if open.is_empty() => all.iter().map(|a| a.len()).min().unwrap_or(0),
            _ => 0,
        };
        let rarity = |element: &Element| match element {
            Element::Any(all, open) if open.is_empty() => {
                all.iter().map(|a| if is_common(a.trim_ascii()) { a.len().min(2) } else { a.len().min(8) }).min().unwrap_or(0)
            }
            _ => 0,
        };
        let key = (0..elements.len())
            .max_by_key(|&i| {
                let single = matches!(&elements[i], Element::Any(all, _) if all.len() == 1);
                (rarity(&elements[i]), single, std::cmp::Reverse(i))
            })
            .ok_or("empty pattern")?;
        if shortest(&elements[key]) < 2 {
            return Err("needs a fixed part of at least two bytes".into());
        }
        if matches!(elements[0], Element::Gap { word: false, .. })
            || matches!(elements[elements.len() - 1], Element::Gap { word: false, .. })
        {
            return Err("a gap at the edge matches nothing".into());
        }
        let literal = elements.iter().map(shortest).sum();
        let edges = elements.iter().map(Edges::of).collect();
        Ok(Self { elements, edges, key, literal })
    }

    /// The texts of which one must stand in every match.
    pub fn keys(&self) -> &[Box<[u8]>] {
        match &self.elements[self.key] {
            Element::Any(all, _) => all,
            Element::Gap { .. } => &[],
        }
    }

    /// The parts beside the key that are long enough to be looked for: each a set of texts of which one must stand in every match.
    pub fn required(&self) -> impl Iterator<Item = Vec<&[u8]>> {
        self.elements.iter().enumerate().filter(|(index, _)| *index != self.key).filter_map(|(_, element)| {
            let Element::Any(all, open) = element else { return None };
            let texts: Vec<&[u8]> = all.iter().chain(open).map(|text| &**text).collect();
            texts.iter().all(|text| text.len() >= 4).then_some(texts)
        })
    }

    /// How many bytes the pattern fixes: the more, the more it says.
    pub fn literal_len(&self) -> usize {
        self.literal
    }

    /// Matches around a key that stands at `start..end` in `text`; gives the span of the match.
    pub fn match_at(&self, text: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
        if !self.start_ok(self.key, text, start) || !self.end_ok(self.key, text, end) {
            return None;
        }
        let to = self.forward(self.key + 1, text, end)?;
        let from = self.backward(self.key, text, start)?;
        Some((from, to))
    }

    /// Searches `text` without an automaton.
    #[cfg(test)]
    pub fn find(&self, text: &[u8]) -> Option<(usize, usize)> {
        for key in self.keys() {
            for at in memchr::memmem::find_iter(text, key) {
                if let Some(span) = self.match_at(text, at, at + key.len()) {
                    return Some(span);
                }
            }
        }
        None
    }

    fn forward(&self, index: usize, text: &[u8], at: usize) -> Option<usize> {
        match self.elements.get(index) {
            None => Some(at),
            Some(Element::Any(all, open)) => {
                if !self.edges[index].first.has(text.get(at)) || !self.start_ok(index, text, at) {
                    return None;
                }
                let whole = |a: &[u8]| stands(text, at, a) && self.end_ok(index, text, at + a.len());
                let found = all.iter().filter(|a| whole(a)).find_map(|a| self.forward(index + 1, text, at + a.len()));
                found.or_else(|| {
                    open.iter().filter(|a| stands(text, at, a)).find_map(|a| {
                        let from = at + a.len();
                        let room =
                            text[from..text.len().min(from + WORD)].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
                        if index + 1 == self.elements.len() {
                            return Some(from + room);
                        }
                        (0..=room).find_map(|n| self.forward(index + 1, text, from + n))
                    })
                })
            }
            Some(Element::Gap { max, word }) => {
                let room = &text[at..text.len().min(at + max)];
                let room = if *word { &room[..room.iter().position(|&b| b == b' ').unwrap_or(room.len())] } else { room };
                if index + 1 == self.elements.len() {
                    return Some(at + room.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(room.len()));
                }
                let first = &self.edges[index + 1].first;
                (0..=room.len()).filter(|n| first.has(text.get(at + n))).find_map(|n| self.forward(index + 1, text, at + n))
            }
        }
    }

    fn backward(&self, index: usize, text: &[u8], at: usize) -> Option<usize> {
        let Some(index) = index.checked_sub(1) else { return Some(at) };
        match &self.elements[index] {
            Element::Any(all, open) => {
                if !self.edges[index].last.has(text[..at].last()) {
                    return None;
                }
                let begins = |a: &[u8], end: usize| {
                    end >= a.len() && stands(text, end - a.len(), a) && self.start_ok(index, text, end - a.len())
                };
                let found = all
                    .iter()
                    .filter(|a| begins(a, at) && self.end_ok(index, text, at))
                    .find_map(|a| self.backward(index, text, at - a.len()));
                if found.is_some() || open.is_empty() {
                    return found;
                }
                let room = text[at - at.min(WORD)..at].iter().rev().take_while(|b| b.is_ascii_alphanumeric()).count();
                (0..=room).find_map(|n| {
                    open.iter().filter(|a| begins(a, at - n)).find_map(|a| self.backward(index, text, at - n - a.len()))
                })
            }
            Element::Gap { max, word } => {
                let room = &text[at - at.min(*max)..at];
                let room = if *word { &room[room.iter().rposition(|&b| b == b' ').map_or(0, |p| p + 1)..] } else { room };
                if index == 0 {
                    return Some(at);
                }
                let last = &self.edges[index - 1].last;
                (0..=room.len()).filter(|n| last.has(text[..at - n].last())).find_map(|n| self.backward(index, text, at - n))
            }
        }
    }

    /// A word that begins here must not begin inside another word, except after `*` or another fixed part.
    fn start_ok(&self, index: usize, text: &[u8], at: usize) -> bool {
        let open = match index.checked_sub(1).map(|i| &self.elements[i]) {
            None => false,
            Some(Element::Gap { word, .. }) => *word,
            Some(Element::Any(_, open)) => open.is_empty(),
        };
        open || at == 0 || !text.get(at).is_some_and(u8::is_ascii_alphanumeric) || !text[at - 1].is_ascii_alphanumeric()
    }

    fn end_ok(&self, index: usize, text: &[u8], at: usize) -> bool {
        let open = match self.elements.get(index + 1) {
            None => false,
            Some(Element::Gap { word, .. }) => *word,
            Some(Element::Any(..)) => true,
        };
        open || at == 0 || !text.get(at).is_some_and(u8::is_ascii_alphanumeric) || !text[at - 1].is_ascii_alphanumeric()
    }
}

/// Whether `part` stands at `at`; looks at both ends before it compares.
#[inline]
fn stands(text: &[u8], at: usize, part: &[u8]) -> bool {
    let Some((&last, &first)) = part.last().zip(part.first()) else { return at <= text.len() };
    let end = at + part.len();
    end <= text.len() && text[at] == first && text[end - 1] == last && text[at..end] == *part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().find(text.as_bytes()).is_some()
    }

    #[test]
    fn words_gaps_and_alternatives() {
        assert!(hits("user unknown", "<address>: user unknown"));
        assert!(!hits("user unknown", "superuser unknown"));
        assert!(!hits("user unknown", "user unknowns"));
        assert!(hits("user unknown*", "user unknowns"));
        assert!(hits("(mailbox|account) .. (is |was |)disabled*", "the account of bob is disabled."));
        assert_eq!(Pattern::parse_all("x(a|recogni(s|z)ed|b .. c)y").unwrap().len(), 4);
        assert!(hits("no such (user|mailbox|)", "no such thing"), "an empty alternative matches");
        assert!(!hits("mailbox .. full", "mailbox fully"));
        assert!(hits("reject* by", "was rejected by us"));
        assert!(!hits("reject* by", "reject it by"));
    }

    #[test]
    fn what_is_refused() {
        for bad in ["", "a", "User", "(a", ".. x", "x ..", "aa .. bb .. cc .. dd .. ee"] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn linear_on_hostile_text() {
        let pattern = Pattern::parse("user .. user .. unknown").unwrap();
        let text = "user ".repeat(2000);
        let begin = std::time::Instant::now();
        assert!(pattern.find(text.as_bytes()).is_none());
        assert!(begin.elapsed().as_millis() < 2_000);
    }
}
