//! What a reply's words and odd bytes become in its masked form: addresses, IPs and ids are named, escapes and white space undone.
//!
//! Where words begin and end is [`crate::text`]'s.
//!
//! `bob@ex.test` becomes `<address>`, `192.0.2.1` `<ip>`, `q12-20020a05si123.4` `<id>`; `mail.example.com` and `127.0.0.4` stay.

use bouncestat_record::EnhancedCode;

use crate::text::Codes;

/// White space: one space, none at the front.
pub(crate) fn space(out: &mut Vec<u8>) {
    if out.last().is_some_and(|&b| b != b' ') {
        out.push(b' ');
    }
}

/// A character outside ASCII, in lower case; typographic quotes become plain ones.
pub(crate) fn wide(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let len = match rest[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    match rest.get(..len).and_then(|bytes| std::str::from_utf8(bytes).ok()).and_then(|s| s.chars().next()) {
        Some('\u{2018}' | '\u{2019}') => out.push(b'\''),
        Some('\u{201c}' | '\u{201d}') => out.push(b'"'),
        Some('\u{a0}' | '\u{3000}') => out.push(b' '),
        Some(c) => {
            let mut room = [0; 4];
            for lower in c.to_lowercase() {
                out.extend_from_slice(lower.encode_utf8(&mut room).as_bytes());
            }
        }
        None => {
            out.push(rest[0]);
            return 1;
        }
    }
    len
}

/// Exim writes a newline as `\n` and a byte as `\ooo` (string_printing in its string.c): `\303\234` is the letter `Ü`.
pub(crate) fn escape(rest: &[u8], out: &mut Vec<u8>) -> usize {
    if matches!(rest.get(1), Some(b'n' | b'r' | b't')) {
        space(out);
        return 2;
    }
    let Some(first) = octal(rest) else {
        out.push(b'\\');
        return 1;
    };
    match first {
        ..=b' ' | 0x7f => space(out),
        0x80.. => {
            let (mut bytes, mut len) = ([first, 0, 0, 0], 1);
            while let Some(next) = octal(&rest[len * 4..]).filter(|next| len < 4 && (0x80..0xc0).contains(next)) {
                bytes[len] = next;
                len += 1;
            }
            return 4 * wide(&bytes[..len], out);
        }
        _ => out.push(first.to_ascii_lowercase()),
    }
    4
}

/// The byte of `\ooo` at the front of `rest`.
fn octal(rest: &[u8]) -> Option<u8> {
    match rest {
        [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => Some((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0')),
        _ => None,
    }
}

/// Masks the word that begins at `begin` of `out`, if it is an address, an IP or an id.
pub(crate) fn token(out: &mut Vec<u8>, begin: usize, codes: &mut Codes) {
    let digits = out[begin..].iter().filter(|b| b.is_ascii_digit()).count();
    let mut end = out.len();
    while end > begin && matches!(out[end - 1], b'.' | b':' | b'-') {
        end -= 1;
    }
    let word = &out[begin..end];
    let mask: &[u8] = if word.iter().position(|&b| b == b'@').is_some_and(|p| p + 1 < word.len()) {
        b"<address>"
    } else if digits == 0 {
        return;
    } else if let Some(mask) = number_like(word, digits, &out[..begin], codes) {
        mask
    } else {
        return;
    };
    let mut tail = [0u8; 4];
    let tail_len = (out.len() - end).min(4);
    tail[..tail_len].copy_from_slice(&out[end..end + tail_len]);
    out.truncate(begin);
    out.extend_from_slice(mask);
    out.extend_from_slice(&tail[..tail_len]);
}

fn number_like(word: &[u8], digits: usize, before: &[u8], codes: &mut Codes) -> Option<&'static [u8]> {
    let (mut letters, mut dots, mut colons, mut dashes, mut hex) = (0usize, 0usize, 0usize, 0usize, true);
    for &b in word {
        match b {
            b'0'..=b'9' => {}
            b'a'..=b'f' => letters += 1,
            b'.' => dots += 1,
            b':' => colons += 1,
            b'-' | b'_' => dashes += 1,
            _ => {
                letters += usize::from(b.is_ascii_alphabetic());
                hex = false;
            }
        }
    }
    if letters == 0 && dots == 2 && colons == 0 && dashes == 0 {
        if codes.enhanced.is_none()
            && let Some((code, len)) = EnhancedCode::parse_prefix(word)
            && len == word.len()
        {
            let marked = before.last().is_none_or(|b| matches!(b, b'#' | b'('));
            if codes.basic.map_or(marked, |basic| basic / 100 == u16::from(code.class)) {
                codes.enhanced = Some(code);
            }
        }
        return None;
    }
    if letters == 0 && dots == 3 && colons <= 1 && dashes == 0 {
        // What a blocklist's DNS answers is no address: 127.0.0.4 says which list, 127.255.255.254 that it is none. In brackets,
        // and as 127.0.0.1, it is this machine.
        let answer = word.starts_with(b"127.") && colons == 0 && word != b"127.0.0.1" && !before.ends_with(b"[");
        return (!answer && !word.starts_with(b"127.255.")).then_some(b"<ip>");
    }
    if colons >= 2 && hex && dots == 0 && dashes == 0 {
        return Some(if letters == 0 && colons == 2 && word.len() <= 8 { b"<id>" } else { b"<ip>" });
    }
    if letters == 0 && colons == 0 && dots == 0 && dashes == 0 {
        // Microsoft's diagnostic numbers stay: AS(16012607) says what refused.
        return (digits >= 6 && !before.ends_with(b"as(")).then_some(b"<id>");
    }
    if letters <= 2 && digits >= 6 && (dashes > 0 || colons > 0) {
        return Some(b"<id>");
    }
    if dots > 0 && letters > 0 {
        let last = word.rsplit(|&b| b == b'.').next().unwrap_or(b"");
        let host = last.len() >= 2 && last.iter().all(u8::is_ascii_alphabetic);
        return (!host && digits >= 4 && word.len() >= 10).then_some(b"<id>");
    }
    let as_number = word.len() == 10 && word.starts_with(b"as") && digits == 8;
    let code = dashes == 1 && word.len() <= 11 && word.first().is_some_and(u8::is_ascii_alphabetic);
    let long = word.len() >= 12 || (word.len() >= 9 && hex && dashes == 0);
    (digits >= 3 && long && !as_number && !code).then_some(b"<id>")
}

#[cfg(test)]
mod tests {
    fn masked(text: &str) -> String {
        let mut out = Vec::new();
        crate::text::mask(text.as_bytes(), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn escaped_bytes_are_read_as_written() {
        for (text, rest) in [
            (r"550 \303\234berlastet\012\115ore", "überlastet more"),
            (r"550 \101\040B \400 \12 \303x", "a b \\400 \\12 \u{fffd}x"),
            (r"550 caf\303\251\303\211", "caféé"),
        ] {
            assert_eq!(masked(text), rest, "{text}");
        }
    }

    #[test]
    fn answers_of_blocklists_stay() {
        for (text, rest) in [
            ("554 192.0.2.1 in zen.spamhaus.org (127.0.0.4)", "<ip> in zen.spamhaus.org (127.0.0.4)"),
            ("554 returned 127.255.255.254, [127.255.255.252]", "returned 127.255.255.254, [127.255.255.252]"),
            ("554 [127.0.1.2]:25 and 127.0.0.1", "[<ip>]:25 and <ip>"),
        ] {
            assert_eq!(masked(text), rest, "{text}");
        }
    }
}
