//! Lines in a block of bytes.

/// The lines of `block`, each with its offset, without `\n` and without one final `\r`.
pub fn lines(block: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = block.get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        let offset = start;
        start += end + 1;
        Some((offset, line.strip_suffix(b"\r").unwrap_or(line)))
    })
}

/// The last line of `block` and its offset.
pub fn last_line(block: &[u8]) -> Option<(usize, &[u8])> {
    let body = block.strip_suffix(b"\n").unwrap_or(block);
    let body = body.strip_suffix(b"\r").unwrap_or(body);
    if body.is_empty() {
        return None;
    }
    let start = memchr::memrchr(b'\n', body).map_or(0, |i| i + 1);
    Some((start, &body[start..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lf_crlf_and_no_end() {
        let got: Vec<_> = lines(b"a\r\n\nbc").collect();
        assert_eq!(got, [(0, b"a".as_slice()), (3, b""), (4, b"bc")]);
        assert_eq!(last_line(b"a\nbc\r\n"), Some((2, b"bc".as_slice())));
        assert_eq!(last_line(b"\n"), None);
    }
}
