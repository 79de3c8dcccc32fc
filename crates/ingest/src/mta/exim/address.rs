//! The address at the front of a delivery line: `final (parent, parent) <original>`, cut where the first field or text begins.
//!
//! `2026-11-22 13:06:17 1xV7Gs-0005tr-0k => with space@remote.test <"with space"@remote.test> R=remote T=remote_smtp H=…`
//!
//! Exim writes local parts without their quotes, commands and paths as they are: a space ends nothing. What is not here: which of the
//! addresses is the recipient of a delivery (`flags`).

use memchr::{memchr, memchr_iter, memrchr};

/// An address as logged, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// Where it goes: an address, a bare local part, `|command`, `/file`, `>reply`, `:blackhole:`.
    pub last: &'a [u8],
    /// The addresses in between, innermost first, with `, ` between them.
    pub parents: &'a [u8],
    /// The address that the message came with.
    pub top: &'a [u8],
    /// From the first field or text on, with what separates it.
    pub tail: &'a [u8],
}

impl<'a> Address<'a> {
    /// Cuts the text after a flag.
    pub fn split(text: &'a [u8]) -> Self {
        // A command or a path may hold what looks like a field, `:blackhole: <a@b>` what looks like a separator.
        let special = matches!(text.first(), Some(b'|' | b'/' | b'>' | b':'));
        let first = &text[..memchr(b' ', text).unwrap_or(text.len())];
        if begins_tail(text) && !first.contains(&b'@') {
            return Self::cut(text, 0, 0, b"");
        }
        let quoted = if text.first() == Some(&b'"') { after_quoted(text, 0) } else { 0 };
        let mut stop: Option<usize> = None;
        let mut field_seen = false;
        for space in memchr_iter(b' ', &text[quoted..]).map(|n| n + quoted) {
            if let Some(end) = stop_at(text, space) {
                if !special {
                    return Self::cut(text, end, end, b"");
                }
                field_seen |= end == space;
                stop = stop.or(Some(end));
            }
            if text.get(space + 1) == Some(&b'<')
                && let Some(end) = after_angles(text, space + 1)
                && ends_at(text, end, field_seen)
            {
                return Self::cut(text, space, end, &text[space + 2..end - 1]);
            }
        }
        let end = stop.unwrap_or(text.len());
        Self::cut(text, end, end, b"")
    }

    fn cut(text: &'a [u8], end: usize, tail: usize, top: &'a [u8]) -> Self {
        let (last, parents) = match take_parents(&text[..end]) {
            // Without an original, brackets are only parents where they hold an address.
            Some((last, parents)) if !top.is_empty() || parents.contains(&b'@') => (last, parents),
            _ => (&text[..end], &b""[..]),
        };
        Self { last, parents, top, tail: &text[tail..] }
    }

    /// The address it all began with: the original, else the outermost parent; empty where there is neither.
    pub fn origin(&self) -> &'a [u8] {
        if !self.top.is_empty() {
            return self.top;
        }
        match memchr::memmem::rfind(self.parents, b", ") {
            Some(n) => &self.parents[n + 2..],
            None => self.parents,
        }
    }

    /// Whether it goes into a command, a file, an automatic reply or nowhere, and not to an address.
    pub fn is_pipe_file_or_reply(&self) -> bool {
        matches!(self.last.first(), Some(b'|' | b'/' | b'>'))
            || self.last.starts_with(b"save ")
            || self.last.starts_with(b":blackhole:")
            || memchr::memmem::find(self.last, b" |/").is_some()
    }
}

/// `final (a, b)` into its halves.
fn take_parents(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = text.strip_suffix(b")")?;
    let open = memrchr(b'(', inner).filter(|&n| n > 1 && inner[n - 1] == b' ')?;
    let parents = &inner[open + 1..];
    (!parents.contains(&b')')).then_some((&text[..open - 1], parents))
}

/// Where an address ends that may end at this space: before the space, or before the colon before it.
fn stop_at(text: &[u8], space: usize) -> Option<usize> {
    if space > 0 && text[space - 1] == b':' {
        return Some(space - 1);
    }
    begins_tail(&text[space + 1..]).then_some(space)
}

/// Whether what follows the space behind an address is a field, `: `, or the word of a deferral.
fn begins_tail(rest: &[u8]) -> bool {
    match rest.first() {
        Some(b'F' | b'P') => rest[1..].starts_with(b"=<"),
        Some(b'S') => rest.starts_with(b"SRS=<"),
        Some(b'Q' | b'R' | b'T') => rest.get(1) == Some(&b'=') && rest.get(2).is_some_and(|b| !b.is_ascii_whitespace()),
        Some(b':') => rest.get(1) == Some(&b' '),
        Some(b'r') => rest.strip_prefix(b"routing ").is_some_and(begins_defer),
        Some(b'd') => begins_defer(rest),
        _ => false,
    }
}

fn begins_defer(rest: &[u8]) -> bool {
    let Some(rest) = rest.strip_prefix(b"defer") else {
        return false;
    };
    rest.is_empty() || [&b" ("[..], b":", b" H=", b" DT=", b" DSN="].iter().any(|next| rest.starts_with(next))
}

/// Whether an original address that ends at `end` is one: nothing or a tail follows. Behind a field, a colon is a text's.
fn ends_at(text: &[u8], end: usize, field_seen: bool) -> bool {
    match &text[end..] {
        [] => true,
        [b':', b' ', ..] => !field_seen,
        [b' ', b':', b' ', ..] => !field_seen,
        [b' ', rest @ ..] => begins_tail(rest),
        _ => false,
    }
}

/// The index after the `>` that closes the `<` at `open`; quoted local parts and one inner pair may hold others.
pub(super) fn after_angles(text: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        match text.get(at)? {
            b'>' => return Some(at + 1),
            b'"' => {
                let end = after_quoted(text, at);
                if end == at {
                    return None;
                }
                at = end;
            }
            b'<' => at += memchr(b'>', &text[at..])? + 1,
            _ => at += 1,
        }
    }
}

/// The index after the quote that closes the one at `open`; `open` itself where none does.
pub(super) fn after_quoted(text: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while let Some(&b) = text.get(at) {
        match b {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    open
}
