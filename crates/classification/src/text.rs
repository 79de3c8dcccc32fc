//! The masked form of a reply: what rules are matched against, what verdicts are remembered by, what templates show.
//!
//! One pass: the leading codes are taken off and reported, the prefixes of continued lines are dropped, letters become lower
//! case, white space one space, addresses `<address>`, IPs `<ip>`, ids, dates and long numbers `<id>`. Rules see only this
//! form, so a verdict is a function of it: that is what makes remembering verdicts safe. It does not take wrappers off: that is
//! [`crate::isolate`].
//!
//! `550-5.1.1 <Bob@ex.test> No such user q12-20020a05si123.4 - gsmtp` becomes `<address> no such user <id> - gsmtp`.

use bouncestat_record::EnhancedCode;

/// Longest part of a reply that is looked at, in bytes: Postfix cuts its lines at 2,000, Exim at 8,192, and what decides
/// stands at the front.
pub const LIMIT: usize = 4096;

/// The codes found at the front of a reply, or behind `#` or in parentheses further on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Codes {
    /// The basic code.
    pub basic: Option<u16>,
    /// The enhanced code.
    pub enhanced: Option<EnhancedCode>,
}

/// Reads a basic code at the very start of `text`; gives it and the number of bytes it takes.
pub fn leading_code(text: &[u8]) -> Option<(u16, usize)> {
    let [a, b, c, ..] = text else { return None };
    if !(b'1'..=b'5').contains(a) || !b.is_ascii_digit() || !c.is_ascii_digit() {
        return None;
    }
    match text.get(3) {
        None => {}
        Some(b'.') if !text.get(4).is_some_and(u8::is_ascii_digit) => {}
        Some(b' ' | b'-' | b':' | b';' | b'\r' | b'\n' | b'\t' | b',' | b'(' | b')' | b'\'' | b'"' | b'\\' | b'#') => {}
        _ => return None,
    }
    Some((u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0'), 3))
}

/// Reads an enhanced code that may be dressed as `#5.1.1`, `(5.1.1)`, `[5.1.1]`, `<#5.1.1`, `(#5.1.1)`.
fn dressed_enhanced(text: &[u8]) -> Option<(EnhancedCode, usize)> {
    let dress = text.iter().take(3).take_while(|b| matches!(b, b'#' | b'(' | b'[' | b'<')).count();
    let (code, len) = EnhancedCode::parse_prefix(&text[dress..])?;
    let mut end = dress + len;
    if text.get(end).is_some_and(u8::is_ascii_alphabetic) {
        return None;
    }
    while dress > 0 && text.get(end).is_some_and(|b| matches!(b, b')' | b']' | b'>')) {
        end += 1;
    }
    Some((code, end))
}

/// Whether `rest` begins like a reply that Sendmail or a program names by type: `smtp; 550 …`, `<<< 550 …`.
fn skip_front(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = rest.trim_ascii_start();
        let lower = |prefix: &[u8]| rest.len() >= prefix.len() && rest[..prefix.len()].eq_ignore_ascii_case(prefix);
        if lower(b"smtp;") {
            rest = &rest[5..];
        } else if lower(b"<<<") {
            rest = &rest[3..];
        } else if rest.first().is_some_and(|b| matches!(b, b'\'' | b'"' | b'('))
            && (leading_code(&rest[1..]).is_some() || dressed_enhanced(&rest[1..]).is_some())
        {
            rest = &rest[1..];
        } else {
            return rest;
        }
    }
}

/// Writes the masked form of `text` to `out` (cleared first) and gives the codes it carries.
pub fn mask(text: &[u8], out: &mut Vec<u8>) -> Codes {
    out.clear();
    let text = &text[..text.len().min(LIMIT)];
    let mut rest = skip_front(text);
    let mut codes = Codes::default();
    let mut lines = Lines { code: [0; 3], known: false, continued: false, enhanced: None };
    if let Some((code, len)) = leading_code(rest) {
        codes.basic = Some(code);
        lines.code.copy_from_slice(&rest[..3]);
        lines.known = true;
        lines.continued = rest.get(3) == Some(&b'-');
        rest = rest[len..].trim_ascii_start();
        while rest.first().is_some_and(|b| matches!(b, b'-' | b':' | b';' | b',' | b')' | b'\'')) {
            rest = rest[1..].trim_ascii_start();
        }
    }
    if let Some((code, len)) = dressed_enhanced(rest)
        && codes.basic.is_none_or(|basic| basic >= 400)
    {
        codes.enhanced = Some(code);
        lines.enhanced = Some(code);
        rest = &rest[len..];
        while rest.first().is_some_and(|b| matches!(b, b' ' | b':' | b'-' | b',')) {
            rest = &rest[1..];
        }
    }
    body(rest, out, &mut codes, &lines);
    codes
}

/// What is known of the prefixes of a reply's lines.
struct Lines {
    code: [u8; 3],
    known: bool,
    continued: bool,
    enhanced: Option<EnhancedCode>,
}

impl Lines {
    /// How many bytes of `rest`, at a word's start, are a repeated line prefix (`550-5.7.1 `, or `550 ` that ends such lines).
    fn prefix(&self, rest: &[u8]) -> usize {
        if !self.known || rest.len() < 4 || rest[..3] != self.code {
            return 0;
        }
        let after = &rest[4..];
        let enhanced = dressed_enhanced(after).filter(|(code, _)| Some(*code) == self.enhanced);
        let sure = match rest[3] {
            b'-' => true,
            b' ' => self.continued || enhanced.is_some(),
            _ => false,
        };
        if !sure {
            return 0;
        }
        4 + enhanced.map_or(0, |(_, len)| len)
    }
}

fn body(text: &[u8], out: &mut Vec<u8>, codes: &mut Codes, lines: &Lines) {
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        if is_word(byte) {
            // Words are taken whole, so a word begins here.
            let skip = lines.prefix(&text[at..]);
            if skip > 0 {
                at += skip;
                continue;
            }
            // Sendmail's transcript goes on with its own line: `554 <bob@ex.test>... Remote protocol error`.
            if lines.known
                && at > 0
                && matches!(text[at], b'4' | b'5')
                && !text[at..].starts_with(&lines.code)
                && leading_code(&text[at..]).is_some()
                && text[at + 3..].starts_with(b" <")
            {
                break;
            }
            // A pipelined session's `503 RCPT first` after another reply is an echo of it.
            if lines.known
                && lines.code != *b"503"
                && text[at..].starts_with(b"503")
                && matches!(text.get(at + 3), Some(b' ' | b'-'))
            {
                break;
            }
            let begin = out.len();
            let (mut digits, mut at_sign, mut end) = (0usize, false, at);
            while end < text.len() && is_word(text[end]) {
                digits += usize::from(text[end].is_ascii_digit());
                at_sign |= text[end] == b'@';
                out.push(text[end].to_ascii_lowercase());
                end += 1;
            }
            if digits > 0 || at_sign {
                token(out, begin, digits, at_sign, codes);
            }
            at = end;
        } else if byte >= 0x80 {
            at += wide(&text[at..], out);
        } else if byte == b'\\' {
            at += escape(&text[at..], out);
        } else if byte <= b' ' || byte == 0x7f {
            if out.last().is_some_and(|&b| b != b' ') {
                out.push(b' ');
            }
            at += 1;
        } else {
            out.push(byte);
            at += 1;
            if byte == b'>' && out.ends_with(b"<<address>>") {
                out.truncate(out.len() - 11);
                out.extend_from_slice(b"<address>");
            }
        }
    }
    while out.last() == Some(&b' ') {
        out.pop();
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'@' | b'-' | b'_' | b'+' | b':')
}

/// A character outside ASCII, in lower case; typographic quotes become plain ones.
fn wide(rest: &[u8], out: &mut Vec<u8>) -> usize {
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

/// Exim writes a newline as `\n` and a byte as `\ooo` (string_printing in its string.c).
fn escape(rest: &[u8], out: &mut Vec<u8>) -> usize {
    match rest.get(1) {
        Some(b'n' | b'r' | b't') => {
            if out.last().is_some_and(|&b| b != b' ') {
                out.push(b' ');
            }
            2
        }
        Some(b'0'..=b'3') if rest.len() >= 4 && rest[2..4].iter().all(|b| (b'0'..=b'7').contains(b)) => {
            out.push((rest[1] - b'0') << 6 | (rest[2] - b'0') << 3 | (rest[3] - b'0'));
            4
        }
        _ => {
            out.push(b'\\');
            1
        }
    }
}

/// Masks the word that begins at `begin` of `out`, if it is an address, an IP or an id.
fn token(out: &mut Vec<u8>, begin: usize, digits: usize, at_sign: bool, codes: &mut Codes) {
    let mut end = out.len();
    while end > begin && matches!(out[end - 1], b'.' | b':' | b'-') {
        end -= 1;
    }
    let word = &out[begin..end];
    let mask: &[u8] = if at_sign && word.iter().position(|&b| b == b'@').is_some_and(|p| p + 1 < word.len()) {
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
        // A list answers with a loopback address: 127.0.0.10 tells which of its parts, 127.255.255.254 that it refuses to answer.
        if word.starts_with(b"127.") {
            return None;
        }
        return Some(b"<ip>");
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

/// The masked form of a reply for grouping: wrappers taken off, codes kept, query parameters of URLs cut.
pub fn template(text: &[u8]) -> String {
    let isolated = crate::isolate::isolate(text);
    let mut out = Vec::with_capacity(isolated.text.len());
    let codes = mask(isolated.text, &mut out);
    let body = String::from_utf8_lossy(&out);
    let mut result = String::with_capacity(body.len() + 12);
    if let Some(code) = codes.basic {
        result.push_str(&format!("{code} "));
    }
    if let Some(code) = codes.enhanced {
        result.push_str(&format!("{code} "));
    }
    for (index, word) in body.split(' ').enumerate() {
        if index > 0 {
            result.push(' ');
        }
        match word.find("://").and_then(|url| word[url..].find('?').map(|q| url + q)) {
            Some(query) => {
                result.push_str(&word[..query]);
                result.push_str("?<query>");
            }
            None => result.push_str(word),
        }
    }
    result.truncate(result.trim_end().len());
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> (String, Codes) {
        let mut out = Vec::new();
        let codes = mask(text.as_bytes(), &mut out);
        (String::from_utf8(out).unwrap(), codes)
    }

    #[test]
    fn codes_in_every_shape() {
        for (text, basic, enhanced, rest) in [
            ("550 5.1.1 No", Some(550), Some("5.1.1"), "no"),
            ("550 #5.1.10 No", Some(550), Some("5.1.10"), "no"),
            ("550 (5.7.1): No", Some(550), Some("5.7.1"), "no"),
            ("550-5.7.1 a\n550-5.7.1 b\n550 5.7.1 c", Some(550), Some("5.7.1"), "a b c"),
            (
                r"550-Verification failed\n550-Called: x\n550 Sender verify failed",
                Some(550),
                None,
                "verification failed called: x sender verify failed",
            ),
            ("5.2.2 full", None, Some("5.2.2"), "full"),
            ("550 No such user (#5.1.1)", Some(550), Some("5.1.1"), "no such user (#5.1.1)"),
            ("500.0 Internal server error", None, None, "500.0 internal server error"),
            ("192.0.2.1 said no", None, None, "<ip> said no"),
        ] {
            let (body, codes) = masked(text);
            assert_eq!((codes.basic, codes.enhanced.map(|c| c.to_string())), (basic, enhanced.map(String::from)), "{text}");
            assert_eq!(body, rest, "{text}");
        }
    }

    #[test]
    fn what_varies_is_masked_and_what_means_something_is_kept() {
        for (text, rest) in [
            ("550 <Bob@Ex.test>: no [192.0.2.1]:25", "<address>: no [<ip>]:25"),
            ("550 2001:db8::1 at 12:30:45 on 2026-11-20T10:00:00.123Z", "<ip> at <id> on <id>"),
            (
                "421 RP-001 (S3150) AS(16012607) as16012607 BL000010 OFR_506",
                "rp-001 (s3150) as(16012607) as16012607 bl000010 ofr_506",
            ),
            ("550 q12-20020a05si123.4 - gsmtp", "<id> - gsmtp"),
            ("550 see mail.example.com/x?p=1", "see mail.example.com/x?p=1"),
        ] {
            assert_eq!(masked(text).0, rest);
        }
    }

    #[test]
    fn templates_keep_codes_and_cut_queries() {
        assert_eq!(
            template(b"host mx.a.test[192.0.2.1] said: 550 5.9.9 <a@b.test> weird, see https://x.test/y?ip=192.0.2.1 (in reply to RCPT TO command)"),
            "550 5.9.9 <address> weird, see https://x.test/y?<query>"
        );
    }
}
