//! Takes a collection cell apart: recipients, statuses. Not here: which status belongs to which recipient.
//!
//! `'o''brien@ok.test';anna@ok.test`: members are joined by `;`, one that holds `;` or `'` stands in single quotes, inner ones doubled.
//!
//! Exports by cmdlets leave the quotes out: a member that begins with `[{` then runs to its `}]`.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memmem};

use super::cells::undouble;

/// The members of a collection; none of an empty cell.
pub(super) fn members<'a>(cell: &Cow<'a, [u8]>) -> Vec<Cow<'a, [u8]>> {
    let mut out = Vec::new();
    if cell.is_empty() {
        return out;
    }
    let mut at = 0;
    loop {
        let end = if let Some((inside, doubled, end)) = quoted(cell, at) {
            out.push(if doubled { Cow::Owned(undouble(&cell[inside], b'\'')) } else { part(cell, inside) });
            end
        } else {
            let end = bare_end(cell, at);
            out.push(part(cell, at..end));
            end
        };
        if end >= cell.len() {
            return out;
        }
        at = end + 1;
    }
}

/// Part of a cell, borrowed where the cell is.
pub(super) fn part<'a>(cell: &Cow<'a, [u8]>, range: Range<usize>) -> Cow<'a, [u8]> {
    match cell {
        Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
        Cow::Owned(text) => Cow::Owned(text[range].to_vec()),
    }
}

/// The quoted member at `at`: its inside, whether it has doubled quotes, and where it ends. `None` where quotes don't fit.
fn quoted(cell: &[u8], at: usize) -> Option<(Range<usize>, bool, usize)> {
    if cell.get(at) != Some(&b'\'') {
        return None;
    }
    let (mut from, mut doubled) = (at + 1, false);
    loop {
        let quote = from + memchr(b'\'', &cell[from..])?;
        match cell.get(quote + 1) {
            Some(b'\'') => {
                doubled = true;
                from = quote + 2;
            }
            Some(b';') | None => return Some((at + 1..quote, doubled, quote + 1)),
            Some(_) => return None,
        }
    }
}

/// Where the unquoted member at `at` ends.
fn bare_end(cell: &[u8], at: usize) -> usize {
    let rest = &cell[at..];
    if rest.starts_with(b"[{") {
        let mut ends = memmem::find_iter(rest, b"}]").map(|i| at + i + 2);
        return ends.find(|&end| matches!(cell.get(end), Some(b';') | None)).unwrap_or(cell.len());
    }
    memchr(b';', rest).map_or(cell.len(), |i| at + i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_as_exchange_joins_them() {
        let table: [(&str, &[&str]); 13] = [
            ("", &[]),
            ("a", &["a"]),
            ("a;b", &["a", "b"]),
            ("a;", &["a", ""]),
            ("'a;b';c", &["a;b", "c"]),
            ("'o''brien@x';b", &["o'brien@x", "b"]),
            ("'a';", &["a", ""]),
            ("''''", &["'"]),
            ("o'brien@x;b", &["o'brien@x", "b"]),
            ("'a'b;c", &["'a'b", "c"]),
            ("'open;b", &["'open", "b"]),
            ("[{LED=550 a; b};{LRT=}];[{LED=};{LRT=}]", &["[{LED=550 a; b};{LRT=}]", "[{LED=};{LRT=}]"]),
            ("[{LED=550 a}]x;b", &["[{LED=550 a}]x;b"]),
        ];
        for (cell, want) in table {
            let cell = Cow::Borrowed(cell.as_bytes());
            let got: Vec<String> = members(&cell).iter().map(|m| String::from_utf8_lossy(m).into_owned()).collect();
            assert_eq!(got, want, "{cell:?}");
        }
    }

    #[test]
    fn members_are_borrowed_where_they_stand_as_they_are() {
        let cell = Cow::Borrowed(b"a;'b;c'".as_slice());
        assert!(members(&cell).iter().all(|m| matches!(m, Cow::Borrowed(_))));
    }
}
