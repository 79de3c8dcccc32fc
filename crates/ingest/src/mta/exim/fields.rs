//! The fields between a line's address and its text, and the arrival's fields: `KEY=value` words, in whatever order an era has them.
//!
//! `… R=remote T=remote_smtp S=365 H=127.0.0.1 [127.0.0.1]:2525* I=[127.0.0.1]:35264 L C="250 2.0.0 Ok" QT=0.084s DT=0.011s`
//!
//! Unknown keys and bare words (`DS`, `K`, `L*`, `PRDR`) are passed over. What is not here: the address, what the text means.

use memchr::memchr;
use memchr::memmem;

use super::address::{after_angles, after_quoted};

/// What the fields of a line say; empty or `None` where they don't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// `H=`: name and IP of the other side.
    pub host: &'a [u8],
    pub ip: &'a [u8],
    /// `I=`: our own IP.
    pub source_ip: &'a [u8],
    /// `C=`: the reply, still escaped.
    pub reply: &'a [u8],
    /// `F=`: the envelope sender.
    pub sender: Option<&'a [u8]>,
    /// `id=`: the `Message-ID:` header.
    pub message_id: &'a [u8],
    /// `S=`: bytes.
    pub size: Option<i64>,
    /// `QT=`: milliseconds from arrival on.
    pub queue_ms: Option<i64>,
    /// `T=**bypassed**`: a file that is `/dev/null`.
    pub bypassed: bool,
    /// What stands after the first separator.
    pub message: &'a [u8],
}

/// Where fields end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// At `: `, or ` : ` from 4.99 on; the text follows.
    Text,
    /// At the end of the line, or at the subject or the recipients of an arrival, which may hold anything.
    Subject,
}

/// Reads the fields of `tail`.
pub(super) fn scan(tail: &[u8], until: Until) -> Found<'_> {
    let mut found = Found::default();
    let mut at = 0;
    while at < tail.len() {
        if tail[at] == b' ' {
            at += 1;
        }
        let rest = &tail[at..];
        if until == Until::Text
            && let Some(message) = rest.strip_prefix(b": ")
        {
            found.message = message;
            break;
        }
        at += match rest {
            [b'H', b'=', ..] => host(rest, until, &mut found),
            [b'I', b'=', b'[', ..] => {
                found.source_ip = brackets(&rest[2..]).unwrap_or_default();
                word(rest, until)
            }
            [b'C', b'=', b'"', ..] => {
                let end = after_quoted(rest, 2);
                // Cut short, the reply has no closing quote.
                let (content, end) = if end > 2 { (&rest[3..end - 1], end) } else { (&rest[3..], rest.len()) };
                found.reply = content;
                end
            }
            [b'F', b'=', b'<', ..] => match after_angles(rest, 2) {
                Some(end) => {
                    found.sender = Some(&rest[3..end - 1]);
                    end
                }
                None => word(rest, until),
            },
            [b'P', b'=', b'<', ..] => after_angles(rest, 2).unwrap_or_else(|| word(rest, until)),
            [b'S', b'R', b'S', b'=', b'<', ..] => after_angles(rest, 4).unwrap_or_else(|| word(rest, until)),
            [b'D', b'N', b'=', b'"', ..] => quoted(rest, 3).unwrap_or_else(|| word(rest, until)),
            [b'T', b'=', b'"', ..] | [b'f', b'o', b'r', b' ', ..] if until == Until::Subject => {
                break;
            }
            [b'S', b'=', ..] => {
                let end = word(rest, until);
                found.size = std::str::from_utf8(&rest[2..end]).ok().and_then(|n| n.parse().ok());
                end
            }
            [b'i', b'd', b'=', ..] | [b'i', b'd', b'*', b'=', ..] => {
                let end = word(rest, until);
                let start = if rest[2] == b'=' { 3 } else { 4 };
                found.message_id = without_angles(&rest[start.min(end)..end]);
                end
            }
            [b'Q', b'T', b'=', ..] => {
                let end = word(rest, until);
                found.queue_ms = milliseconds(&rest[3..end]);
                end
            }
            [b'T', b'=', ..] => {
                let end = word(rest, until);
                found.bypassed |= &rest[2..end] == b"**bypassed**";
                end
            }
            _ => word(rest, until),
        };
    }
    found
}

/// The end of the word at the front; before a colon that separates.
fn word(rest: &[u8], until: Until) -> usize {
    match memchr(b' ', rest) {
        Some(end) if until == Until::Text && end > 0 && rest[end - 1] == b':' => end - 1,
        Some(end) => end,
        None => rest.len(),
    }
}

/// The end of `DN="…"`, whose inner quotes Exim does not escape.
fn quoted(rest: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        at += memchr(b'"', rest.get(at..)?)? + 1;
        if matches!(rest.get(at), None | Some(b' ' | b':')) {
            return Some(at);
        }
    }
}

/// `H=name (helo) [ip]:port*`: the last `[ip]` counts. Gives the end.
fn host<'a>(rest: &'a [u8], until: Until, found: &mut Found<'a>) -> usize {
    let mut at = if rest.get(2) == Some(&b'(') { 2 } else { word(rest, until) };
    found.host = &rest[2..at];
    loop {
        let next = rest[at..].strip_prefix(b" ").unwrap_or(&rest[at..]);
        let skipped = rest.len() - at - next.len();
        match next {
            [b'(', ..] => {
                // What a client calls itself may hold anything, brackets too.
                let Some(end) = memmem::find(next, b") [") else {
                    return at;
                };
                if found.host.is_empty() {
                    found.host = &next[1..end];
                }
                at += skipped + end + 1;
            }
            [b'[', ..] => {
                let Some(ip) = brackets(next) else { return at };
                found.ip = ip;
                at += skipped + ip.len() + 2;
                at += port(&rest[at..]);
            }
            [b'D', b'S', b' ', ..] if found.ip.is_empty() => at += skipped + 2,
            _ => return at,
        }
    }
}

/// The length of `:2525*`, each part optional.
fn port(rest: &[u8]) -> usize {
    let digits = match rest.strip_prefix(b":") {
        Some(after) => after.iter().take_while(|b| b.is_ascii_digit()).count(),
        None => 0,
    };
    let end = if digits > 0 { digits + 1 } else { 0 };
    end + usize::from(rest.get(end) == Some(&b'*'))
}

/// What `[…]` at the front holds.
pub(super) fn brackets(text: &[u8]) -> Option<&[u8]> {
    let inner = text.strip_prefix(b"[")?;
    Some(&inner[..memchr(b']', inner)?])
}

pub(super) fn without_angles(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"<").and_then(|t| t.strip_suffix(b">")).unwrap_or(text)
}

/// Exim's durations: `0.084s`, `7s`, `1m3s`, `2d4h`, `1w`.
pub(super) fn milliseconds(text: &[u8]) -> Option<i64> {
    let mut total = 0i64;
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let number: i64 = std::str::from_utf8(&rest[..length]).ok()?.parse().ok()?;
        rest = &rest[length..];
        let mut thousandths = 0;
        if let Some(after) = rest.strip_prefix(b".") {
            let digits = after.iter().take_while(|b| b.is_ascii_digit()).count();
            let mut unit = 100;
            for digit in &after[..digits] {
                thousandths += i64::from(digit - b'0') * unit;
                unit /= 10;
            }
            rest = &after[digits..];
        }
        let unit = match rest.first()? {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        rest = &rest[1..];
        let whole = number.checked_mul(1000 * unit)?;
        total = total.checked_add(whole)?.checked_add(thousandths * unit)?;
    }
    (!text.is_empty()).then_some(total)
}
