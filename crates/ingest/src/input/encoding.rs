//! From the bytes of a file to the bytes that the parsers see: UTF-16 becomes UTF-8, a byte-order mark goes away.
//!
//! Everything else stays as it is: mail logs hold bytes of any kind, and nothing here insists on UTF-8. UTF-16 comes
//! from Exchange Online's exports (often without a mark) and from PowerShell's `>`:
//!
//! ```text
//! o\0r\0i\0g\0i\0n\0_\0t\0i\0m\0e\0s\0t\0a\0m\0p\0_\0u\0t\0c\0,\0
//! ```

/// How the text of a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes as they are: ASCII, UTF-8 or anything else.
    Bytes,
    /// UTF-8 with a byte-order mark, which is taken off.
    Utf8Mark,
    /// UTF-16, little end first; read as UTF-8.
    Utf16Le,
    /// UTF-16, big end first; read as UTF-8.
    Utf16Be,
}

/// How many bytes are enough to decide.
pub(super) const DETECT_BYTES: usize = 1024;

/// Tells the encoding by the first bytes, and how many of them are the mark.
pub(super) fn detect(head: &[u8]) -> (Encoding, usize) {
    if head.starts_with(b"\xef\xbb\xbf") {
        return (Encoding::Utf8Mark, 3);
    }
    if head.starts_with(b"\xff\xfe") {
        return (Encoding::Utf16Le, 2);
    }
    if head.starts_with(b"\xfe\xff") {
        return (Encoding::Utf16Be, 2);
    }
    // Without a mark: every other byte of mostly ASCII text is NUL, and the others nearly never are.
    let pairs = head[..head.len().min(DETECT_BYTES)].chunks_exact(2);
    let count = pairs.len();
    let (mut first, mut second) = (0, 0);
    for pair in pairs {
        first += usize::from(pair[0] == 0);
        second += usize::from(pair[1] == 0);
    }
    let many = |n: usize| n * 10 >= count * 6;
    let few = |n: usize| n * 20 <= count;
    match count {
        0..4 => (Encoding::Bytes, 0),
        _ if many(second) && few(first) => (Encoding::Utf16Le, 0),
        _ if many(first) && few(second) => (Encoding::Utf16Be, 0),
        _ => (Encoding::Bytes, 0),
    }
}

/// Turns UTF-16 into UTF-8 piece by piece; a pair of bytes or of surrogates may be cut between pieces.
#[derive(Debug)]
pub(super) struct Utf16 {
    big_endian: bool,
    byte: Option<u8>,
    high: Option<u16>,
}

impl Utf16 {
    pub(super) fn new(big_endian: bool) -> Self {
        Self { big_endian, byte: None, high: None }
    }

    /// Appends the text of `input` to `out`; a surrogate without its other half becomes U+FFFD.
    pub(super) fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>) {
        if let Some(first) = self.byte.take() {
            let Some((&second, rest)) = input.split_first() else {
                self.byte = Some(first);
                return;
            };
            self.unit([first, second], out);
            input = rest;
        }
        let pairs = input.chunks_exact(2);
        self.byte = pairs.remainder().first().copied();
        for pair in pairs {
            self.unit([pair[0], pair[1]], out);
        }
    }

    /// Ends the text. True where an odd byte was left over.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> bool {
        if self.high.take().is_some() {
            put(char::REPLACEMENT_CHARACTER, out);
        }
        self.byte.take().is_some()
    }

    fn unit(&mut self, pair: [u8; 2], out: &mut Vec<u8>) {
        let unit = if self.big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
        if self.high.is_none() && unit < 0x80 {
            out.push(pair[usize::from(self.big_endian)]);
            return;
        }
        let low = (0xdc00..0xe000).contains(&unit);
        if let Some(high) = self.high.take() {
            if low {
                let code = 0x1_0000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00);
                put(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), out);
                return;
            }
            put(char::REPLACEMENT_CHARACTER, out);
        }
        if (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
        } else {
            put(char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER), out);
        }
    }
}

fn put(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn le(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn marks_and_patterns() {
        assert_eq!(detect(b"\xef\xbb\xbf#Software"), (Encoding::Utf8Mark, 3));
        assert_eq!(detect(&[b"\xff\xfe", &le("date")[..]].concat()), (Encoding::Utf16Le, 2));
        assert_eq!(detect(&le("date_time_utc,subject")), (Encoding::Utf16Le, 0));
        assert_eq!(detect(b"\0d\0a\0t\0e\0_\0t"), (Encoding::Utf16Be, 0));
        assert_eq!(detect(b"Nov 22 13:07:02 mx1"), (Encoding::Bytes, 0));
        assert_eq!(detect(&[0; 1024]), (Encoding::Bytes, 0));
        assert_eq!(detect(b""), (Encoding::Bytes, 0));
        // A journal's export has a few NULs of its own.
        assert_eq!(detect(b"MESSAGE\n\x05\0\0\0\0\0\0\0hello\nMESSAGE=a longer text"), (Encoding::Bytes, 0));
    }

    #[test]
    fn lone_surrogates_are_replaced() {
        let mut utf16 = Utf16::new(false);
        let mut out = Vec::new();
        utf16.push(b"\x00\xd8a\0\x00\xdcb\0\x3d\xd8", &mut out);
        assert!(!utf16.finish(&mut out));
        assert_eq!(out, "\u{fffd}a\u{fffd}b\u{fffd}".as_bytes());
    }

    proptest::proptest! {
        #[test]
        fn any_text_cut_anywhere(text in ".{0,40}", big: bool, piece in 1usize..7, odd: bool) {
            let mut bytes: Vec<u8> = text
                .encode_utf16()
                .flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() })
                .collect();
            if odd {
                bytes.push(b'x');
            }
            let mut utf16 = Utf16::new(big);
            let mut out = Vec::new();
            for part in bytes.chunks(piece) {
                utf16.push(part, &mut out);
            }
            proptest::prop_assert_eq!(utf16.finish(&mut out), odd);
            proptest::prop_assert_eq!(out, text.into_bytes());
        }
    }
}
