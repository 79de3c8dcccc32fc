//! Takes the syslog frame off a line: stamp, host, tag.
//!
//! `Nov 22 13:42:06 lab postfix/smtp[294]: 4jXVcG…` and its RFC 3339, RFC 5424, year-first and `journalctl` forms. The form is told line by line.
//! Wrappers around whole lines are `wrap`'s. What is not here: what the message says.

pub mod loss;
pub mod stamp;
pub mod wrap;

pub use stamp::Stamp;

/// A line without its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When, as written.
    pub stamp: Stamp,
    /// The host that logged it.
    pub host: &'a [u8],
    /// The program (`postfix/smtp`), without its process id.
    pub tag: &'a [u8],
    /// What it said.
    pub text: &'a [u8],
}

/// Takes the frame off. `None` where the line has no syslog frame.
pub fn syslog(line: &[u8]) -> Option<Frame<'_>> {
    let line = without_priority(line);
    if let Some(rest) = line.strip_prefix(b"1 ")
        && let Some(frame) = rfc5424(rest)
    {
        return Some(frame);
    }
    let (stamp, end) = Stamp::read(line)?;
    let rest = line.get(end..)?.strip_prefix(b" ")?;
    let (host, rest) = token(rest)?;
    let (host, (tag, text)) = match tag(rest).or_else(|| tag(without_facility(rest)?)) {
        Some(found) => (host, found),
        None if is_facility(host) => {
            let (host, rest) = token(rest)?;
            (host, tag(rest)?)
        }
        None => return None,
    };
    let frame = Frame { stamp, host, tag, text: without_solaris_id(text) };
    // Mail servers' own tags have a slash or are short; a container's engine logs whole lines again.
    Some(wrap::framed_again(&frame).unwrap_or(frame))
}

/// What follows `mail.info ` (busybox).
fn without_facility(text: &[u8]) -> Option<&[u8]> {
    let (word, rest) = token(text)?;
    let dot = word.iter().position(|&b| b == b'.')?;
    let plain = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_alphanumeric);
    (plain(&word[..dot]) && plain(&word[dot + 1..])).then_some(rest)
}

/// `mail.info`, before the host (a template of syslog-ng). A host may have such a name, but then its tag follows.
fn is_facility(word: &[u8]) -> bool {
    const LEVELS: [&[u8]; 8] = [b"emerg", b"alert", b"crit", b"err", b"warning", b"notice", b"info", b"debug"];
    let Some(dot) = word.iter().position(|&b| b == b'.') else { return false };
    LEVELS.contains(&&word[dot + 1..]) && word[..dot].iter().all(u8::is_ascii_alphanumeric)
}

/// What follows `[ID 197553 mail.info] ` (Solaris).
fn without_solaris_id(text: &[u8]) -> &[u8] {
    let Some(rest) = text.strip_prefix(b"[ID ") else { return text };
    match rest.iter().take(40).position(|&b| b == b']') {
        Some(end) => rest[end + 1..].trim_ascii_start(),
        None => text,
    }
}

/// `<22>` at the start of what comes from a socket.
fn without_priority(line: &[u8]) -> &[u8] {
    if line.first() == Some(&b'<')
        && let Some(end) = line.iter().take(5).position(|&b| b == b'>')
        && end > 1
        && line[1..end].iter().all(u8::is_ascii_digit)
    {
        return &line[end + 1..];
    }
    line
}

/// A word and what follows its space.
fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b' ', text)?;
    (end > 0).then(|| (&text[..end], &text[end + 1..]))
}

/// `postfix/smtp[294]: text`, `postfix/smtp: text`.
fn tag(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().take(256).position(|&b| matches!(b, b'[' | b':' | b' '))?;
    let (tag, rest) = text.split_at(end);
    if tag.is_empty() {
        return None;
    }
    let rest = match rest[0] {
        b'[' => {
            let close = rest.iter().take(16).position(|&b| b == b']')?;
            &rest[close + 1..]
        }
        _ => rest,
    };
    let rest = rest.strip_prefix(b":")?;
    Some((tag, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// `TIME HOST APP PID MSGID SD MSG` (RFC 5424, section 6), after the version.
fn rfc5424(text: &[u8]) -> Option<Frame<'_>> {
    let (stamp, end) = Stamp::read(text)?;
    let rest = text.get(end..)?.strip_prefix(b" ")?;
    let (host, rest) = token(rest)?;
    let (tag, rest) = token(rest)?;
    let (_pid, rest) = token(rest)?;
    let (_message_id, rest) = token(rest)?;
    let text = after_structured_data(rest)?;
    Some(Frame { stamp, host, tag, text: text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text) })
}

/// What follows `-` or `[id name="value"…]…` (`\]` and `\"` are escaped inside values).
fn after_structured_data(text: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = text.strip_prefix(b"- ") {
        return Some(rest);
    }
    let (mut quoted, mut escaped, mut depth) = (false, false, 0);
    for (i, &b) in text.iter().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' if !quoted => depth = 1,
            b']' if !quoted => depth = 0,
            b' ' if !quoted && depth == 0 => return Some(&text[i + 1..]),
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, host: &str, tag: &str, text: &str) {
        let frame = syslog(line.as_bytes()).expect(line);
        let parts = [frame.host, frame.tag, frame.text].map(|b| std::str::from_utf8(b).unwrap());
        assert_eq!(parts, [host, tag, text], "{line}");
    }

    #[test]
    fn every_form_of_frame() {
        check("Nov  2 13:42:06 lab postfix/smtp[294]: 4j: x", "lab", "postfix/smtp", "4j: x");
        check("<22>Nov 22 13:42:06 lab postfix/smtp[294]: x", "lab", "postfix/smtp", "x");
        check("Nov 02 13:42:06 lab postfix-out/qmgr[1]: x [y]: z", "lab", "postfix-out/qmgr", "x [y]: z");
        check("2026-11-17T00:00:05.123456+01:00 mx1 postfix/smtp[1]: x", "mx1", "postfix/smtp", "x");
        check("2013 Jun 10 06:27:30.123 mx1 postfix/smtp[1]: x", "mx1", "postfix/smtp", "x");
        check("2026-11-17T00:00:05Z mail.info mx1 postfix/smtp[1]: x", "mx1", "postfix/smtp", "x");
        check("2026-11-17T00:00:05Z mail.info postfix/smtp[1]: x", "mail.info", "postfix/smtp", "x");
        check("Sun 2026-11-22 13:42:06 CET mx1 postfix@-.service[1]: x", "mx1", "postfix@-.service", "x");
        check("<22>1 2026-11-17T00:00:05Z mx1 postfix/smtp 294 - - x: y", "mx1", "postfix/smtp", "x: y");
        check("<22>1 2026-11-17T00:00:05Z mx1 postfix/smtp 294 - [a b=\"] \\\" c\"][d] x", "mx1", "postfix/smtp", "x");
        check("Nov 22 13:42:06 lab exim: x", "lab", "exim", "x");
        check("Nov 22 13:42:06 lab mail.info postfix/smtp[1]: x", "lab", "postfix/smtp", "x");
        check("Nov 22 13:42:06 lab postfix/smtp[1]: [ID 197553 mail.info] x", "lab", "postfix/smtp", "x");
        check("Nov 22 13:42:06 node docker[1]: Nov 22 13:42:06 lab postfix/smtp[1]: x", "lab", "postfix/smtp", "x");
        check("2026-11-22T13:42:06Z node docker[1]: <22>Nov 22 13:42:06 lab postfix/smtp[1]: x", "lab", "postfix/smtp", "x");
    }

    #[test]
    fn what_has_no_frame() {
        for line in ["", "hello", "Nov 22", "Nov 22 13:42:06", "Nov 22 13:42:06 lab", "Nov 22 13:42:06 lab words only", "<22>1 x"]
        {
            assert_eq!(syslog(line.as_bytes()), None, "{line}");
        }
    }
}
