//! SMTP's own words: enhanced status codes (RFC 3463) and the stages of a session (RFC 5321).
//!
//! `550 5.1.10 RESOLVER.ADR.RecipientNotFound` has the basic code 550 and the enhanced code 5.1.10.

use std::fmt;

use crate::named_enum;

/// An enhanced status code, `class.subject.detail` (RFC 3463, section 2). Details have up to three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedCode {
    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    pub class: u8,
    /// What the code is about: 1 address, 2 mailbox, 3 system, 4 network, 5 protocol, 6 content, 7 policy.
    pub subject: u16,
    /// The precise condition.
    pub detail: u16,
}

impl EnhancedCode {
    /// Reads a code at the very start of `text`; gives it and the number of bytes it takes.
    ///
    /// The code must not go on with a digit or with `.digit`: `5.1.10` is never read as `5.1.1`, and `4.16.55.1` is no code.
    pub fn parse_prefix(text: &[u8]) -> Option<(Self, usize)> {
        let class = match text.first()? {
            b'2' => 2,
            b'4' => 4,
            b'5' => 5,
            _ => return None,
        };
        if text.get(1) != Some(&b'.') {
            return None;
        }
        let (subject, end) = number(text, 2)?;
        if text.get(end) != Some(&b'.') {
            return None;
        }
        let (detail, end) = number(text, end + 1)?;
        let goes_on = text.get(end) == Some(&b'.') && text.get(end + 1).is_some_and(u8::is_ascii_digit);
        (!goes_on).then_some((Self { class, subject, detail }, end))
    }

    /// Reads a text that is a code and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let (code, end) = Self::parse_prefix(text.as_bytes())?;
        (end == text.len()).then_some(code)
    }
}

/// Up to three digits from `start`; gives the number and the index after it.
fn number(text: &[u8], start: usize) -> Option<(u16, usize)> {
    let digits = text[start.min(text.len())..].iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || digits > 3 {
        return None;
    }
    let value = text[start..start + digits].iter().fold(0, |n, b| n * 10 + u16::from(b - b'0'));
    Some((value, start + digits))
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

named_enum! {
    /// Where in the SMTP session a reply came (RFC 5321, section 4.1.1).
    pub enum Stage {
        /// Before or at the greeting.
        Connect = "connect",
        /// `EHLO`, `HELO`, `LHLO`, `STARTTLS` or `AUTH`.
        Helo = "helo",
        /// `MAIL FROM`.
        Mail = "mail",
        /// `RCPT TO`.
        Rcpt = "rcpt",
        /// The `DATA` command itself.
        Data = "data",
        /// After the message was sent.
        EndOfData = "end_of_data",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_codes_with_three_digit_details_and_no_addresses() {
        assert_eq!(EnhancedCode::parse_prefix(b"5.1.10 x").map(|(c, n)| (c.to_string(), n)), Some(("5.1.10".into(), 6)));
        assert_eq!(EnhancedCode::parse("4.7.650").unwrap().detail, 650);
        for no in ["4.16.55.1", "3.1.1", "5.1", "5.1.", "5.1.1234", "5..1", "", "500.0"] {
            assert_eq!(EnhancedCode::parse_prefix(no.as_bytes()), None, "{no}");
        }
        assert!(EnhancedCode::parse_prefix(b"5.1.1.").is_some(), "a full stop ends a sentence");
    }
}
