//! The masked form of a reply: what rules are matched against, what verdicts are remembered by, what templates show.
//!
//! One pass: the leading codes are taken off and reported, the prefixes of continued lines are dropped, letters become lower
//! case, white space one space, addresses `<address>`, IPs `<ip>`, ids, dates and long numbers `<id>`. Rules see only this
//! form, so a verdict is a function of it: that is what makes remembering verdicts safe. It does not take wrappers off: that is
//! [`crate::isolate`].
//!
//! `550-5.1.1 <Bob@ex.test> No such user q12-20020a05si123.4 - gsmtp` becomes `<address> no such user <id> - gsmtp`.

use bouncestat_record::EnhancedCode;

use crate::token::{escape, space, token, wide};

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

    /// Whether another reply begins at the word at `at`, which is none of this one.
    fn ends(&self, text: &[u8], at: usize) -> bool {
        let rest = &text[at..];
        if !self.known {
            return false;
        }
        // Sendmail's transcript goes on with its own line: `554 <bob@ex.test>... Remote protocol error`.
        let own = at > 0
            && matches!(rest[0], b'4' | b'5')
            && !rest.starts_with(&self.code)
            && leading_code(rest).is_some()
            && rest[3..].starts_with(b" <");
        // A pipelined session's `503 RCPT first` after another reply is an echo of it.
        own || (self.code != *b"503" && rest.starts_with(b"503") && matches!(rest.get(3), Some(b' ' | b'-')))
    }
}

/// What a byte asks for: 0 nothing, it stays; 1 a look at its word; 2 a closer look.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        kinds[byte] = match b {
            b'0'..=b'9' | b'@' => 1,
            0x7f.. | ..=b' ' | b'\\' | b'>' => 2,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'@' | b'-' | b'_' | b'+' | b':')
}

/// Writes what stays as it is, in lower case.
fn copy(text: &[u8], out: &mut Vec<u8>) {
    let from = out.len();
    out.extend_from_slice(text);
    out[from..].make_ascii_lowercase();
}

/// Masks what follows the codes: copies runs of bytes that stay, and looks closer at what does not.
fn body(text: &[u8], out: &mut Vec<u8>, codes: &mut Codes, lines: &Lines) {
    let (mut at, mut run) = (0, 0);
    while let Some(plain) = text[at..].iter().position(|byte| KINDS[usize::from(*byte)] != 0) {
        at += plain;
        let byte = text[at];
        if byte == b' ' && run < at && text[at - 1] != b' ' {
            at += 1;
        } else if KINDS[usize::from(byte)] == 1 {
            // Words are taken whole.
            let from = text[run..at].iter().rposition(|b| !is_word(*b)).map_or(run, |before| run + before + 1);
            let end = text[at..].iter().position(|b| !is_word(*b)).map_or(text.len(), |after| at + after);
            copy(&text[run..from], out);
            if text[from].is_ascii_digit() {
                let skip = lines.prefix(&text[from..]);
                if skip > 0 {
                    (at, run) = (from + skip, from + skip);
                    continue;
                }
                if lines.ends(text, from) {
                    run = text.len();
                    break;
                }
            }
            let begin = out.len();
            copy(&text[from..end], out);
            token(out, begin, codes);
            (at, run) = (end, end);
        } else if byte == b'>' {
            // Only an address can stand before it that was masked with brackets of its own.
            at += 1;
            if run + 1 < at && text[at - 2] != b'>' {
                continue;
            }
            copy(&text[run..at], out);
            run = at;
            if out.ends_with(b"<<address>>") {
                out.truncate(out.len() - 11);
                out.extend_from_slice(b"<address>");
            }
        } else {
            copy(&text[run..at], out);
            at += match byte {
                0x80.. => wide(&text[at..], out),
                b'\\' => escape(&text[at..], out),
                _ => {
                    space(out);
                    1
                }
            };
            run = at;
        }
    }
    copy(&text[run..], out);
    while out.last() == Some(&b' ') {
        out.pop();
    }
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
