//! Lines of a block of bytes: all of them, or the last.

pub use crate::input::lines;

/// The last line of `block` and its offset, without its line end.
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
    fn lf_crlf_and_nothing() {
        assert_eq!(last_line(b"a\nbc\r\n"), Some((2, b"bc".as_slice())));
        assert_eq!(last_line(b"\n"), None);
    }
}
