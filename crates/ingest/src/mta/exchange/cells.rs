//! Cuts a row into its cells (RFC 4180, as lenient as spreadsheets are). Not here: what a column means, collections inside a cell.
//!
//! `2025-03-04T07:21:33.118Z,,"RE: Invoice 4711, due ""tomorrow""",SMTP`
//!
//! A quote opens a cell only as its first byte; a cell that is never closed runs to the end of the line.

use std::borrow::Cow;

use memchr::memchr;

/// Where the cells of one line stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells {
    spans: Vec<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    end: usize,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    /// The bytes are the text.
    Plain,
    /// The bytes are between quotes, and quotes among them are doubled.
    Doubled,
    /// Text goes on behind the closing quote; the span begins with the opening one.
    Overrun,
}

impl Cells {
    /// Cuts `line`; gives the number of cells, or `limit + 1` where there are more than `limit`.
    pub(super) fn cut(&mut self, line: &[u8], limit: usize) -> usize {
        self.spans.clear();
        let mut at = 0;
        loop {
            if self.spans.len() == limit {
                return limit + 1;
            }
            let (span, stop) = cell(line, at);
            self.spans.push(span);
            if stop >= line.len() {
                return self.spans.len();
            }
            at = stop + 1;
        }
    }

    /// The text of a cell of the line that was cut last; empty where there is no such cell.
    pub(super) fn get<'a>(&self, line: &'a [u8], index: usize) -> Cow<'a, [u8]> {
        let Some(&Span { start, end, form }) = self.spans.get(index) else {
            return Cow::Borrowed(b"");
        };
        let text = &line[start..end];
        match form {
            Form::Plain => Cow::Borrowed(text),
            Form::Doubled => Cow::Owned(undouble(text, b'"')),
            Form::Overrun => Cow::Owned(overrun(text)),
        }
    }
}

/// The cell that begins at `start`, and the index of the comma or line end behind it.
fn cell(line: &[u8], start: usize) -> (Span, usize) {
    let comma = |from: usize| memchr(b',', &line[from..]).map_or(line.len(), |i| from + i);
    match line.get(start) {
        Some(b'"') => {}
        Some(b',') => {
            return (Span { start, end: start, form: Form::Plain }, start);
        }
        _ => {
            let end = comma(start);
            return (Span { start, end, form: Form::Plain }, end);
        }
    }
    let inside = start + 1;
    let (mut at, mut form) = (inside, Form::Plain);
    while let Some(i) = memchr(b'"', &line[at..]) {
        let quote = at + i;
        match line.get(quote + 1) {
            Some(b'"') => {
                form = Form::Doubled;
                at = quote + 2;
            }
            Some(b',') | None => {
                return (Span { start: inside, end: quote, form }, quote + 1);
            }
            Some(_) => {
                let end = comma(quote + 1);
                return (Span { start, end, form: Form::Overrun }, end);
            }
        }
    }
    (Span { start: inside, end: line.len(), form }, line.len())
}

/// `text` with each pair of `quote`s made one.
pub(super) fn undouble(text: &[u8], quote: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(i) = memchr(quote, rest) {
        out.extend_from_slice(&rest[..=i]);
        rest = &rest[i + 1..];
        rest = rest.strip_prefix(&[quote]).unwrap_or(rest);
    }
    out.extend_from_slice(rest);
    out
}

/// A quoted text and what follows it: `"a""b"c"d` is `a"bc"d`.
fn overrun(text: &[u8]) -> Vec<u8> {
    let mut at = 1;
    while let Some(i) = memchr(b'"', &text[at..]) {
        at += i + 1;
        if text.get(at) != Some(&b'"') {
            let mut out = undouble(&text[1..at - 1], b'"');
            out.extend_from_slice(&text[at..]);
            return out;
        }
        at += 1;
    }
    undouble(&text[1..], b'"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(line: &str) -> Vec<String> {
        let mut cells = Cells::default();
        let count = cells.cut(line.as_bytes(), 20);
        (0..count).map(|i| String::from_utf8(cells.get(line.as_bytes(), i).into_owned()).unwrap()).collect()
    }

    #[test]
    fn cells_as_spreadsheets_cut_them() {
        let table: [(&str, &[&str]); 9] = [
            ("a,b", &["a", "b"]),
            ("a,,", &["a", "", ""]),
            ("\"a,b\",c", &["a,b", "c"]),
            ("\"\",\"\"\"\"", &["", "\""]),
            ("\"say \"\"x\"\", y\"", &["say \"x\", y"]),
            ("it's 3\" wide,b", &["it's 3\" wide", "b"]),
            ("\"never closed, b", &["never closed, b"]),
            ("\"a\"\"b\"c\"d,e", &["a\"bc\"d", "e"]),
            (",\"x\"", &["", "x"]),
        ];
        for (line, cells) in table {
            assert_eq!(cut(line), cells, "{line}");
        }
        assert_eq!(Cells::default().cut(b"a,b,c,d", 2), 3);
    }

    #[test]
    fn plain_and_simply_quoted_cells_are_borrowed() {
        let line = b"a,\"b,c\"";
        let mut cells = Cells::default();
        cells.cut(line, 2);
        assert!(matches!(cells.get(line, 0), Cow::Borrowed(b"a")));
        assert!(matches!(cells.get(line, 1), Cow::Borrowed(b"b,c")));
    }
}
