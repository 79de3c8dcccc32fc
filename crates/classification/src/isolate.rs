//! Takes off what the logging server wrote around this hop's reply: Postfix's, Exim's and Exchange's wrappers, and the prose of
//! bounce messages.
//!
//! It does not read codes (that is [`crate::text`]) and decides nothing. A reply that begins with a code of its own is never cut
//! at something it quotes: `550 Sender verify failed: host x said: 550 no such user` is about the sender.
//!
//! `host mx.a.test[192.0.2.1] said: 550 5.1.1 No such user (in reply to RCPT TO command)` gives `550 5.1.1 No such user`,
//! host `mx.a.test`, stage rcpt.

use std::sync::LazyLock;

use bouncestat_record::Stage;
use memchr::memmem;

use crate::text::leading_code;
use crate::wrapper::{Wrapper, find};

/// This hop's reply, or the local error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isolated<'a> {
    /// The reply without its wrappers.
    pub text: &'a [u8],
    /// The host that said it, where the wrapper names it.
    pub host: Option<&'a [u8]>,
    /// Where in the session it was said, where the wrapper tells.
    pub stage: Option<Stage>,
    /// Whether a wrapper proves that another server said it.
    pub remote: bool,
    /// A reply inside `text`, where the logging server's own words around it decide: it still gives the codes.
    pub quoted: Option<&'a [u8]>,
}

/// Isolates this hop's reply in `text`.
pub fn isolate(text: &[u8]) -> Isolated<'_> {
    let mut found = Isolated { text: text.trim_ascii(), host: None, stage: None, remote: false, quoted: None };
    if let Some(rest) = found.text.strip_prefix(b"delivery temporarily suspended: ") {
        found.text = rest;
    }
    in_reply_to(&mut found);
    for _ in 0..4 {
        let begins_with_code = leading_code(found.text).is_some();
        let window = &found.text[..found.text.len().min(crate::text::LIMIT)];
        if begins_with_code && !quotes(window) {
            break;
        }
        let Some((wrapper, start, end)) = find(window) else { break };
        if begins_with_code && !matches!(wrapper, Wrapper::Quoted | Wrapper::Arrow) {
            break;
        }
        let before = &found.text[..start];
        let after = &found.text[end..];
        if !unwrap(&mut found, wrapper, before, after) {
            break;
        }
    }
    after_success(&mut found);
    if found.stage.is_none() && leading_code(found.text).is_none() {
        found.stage = local_stage(found.text);
    }
    found
}

/// Whether `text` may hold a wrapper that quotes a reply, the only kind that counts behind a code: asked of nearly every reply.
fn quotes(text: &[u8]) -> bool {
    let behind = |at: usize, word: &[u8]| at >= word.len() && text[at - word.len()..at].eq_ignore_ascii_case(word);
    memchr::memchr2_iter(b'"', b'\'', text).any(|at| behind(at, b"responded with: ") || behind(at, b"returned "))
        || memchr::memchr_iter(b'>', text).any(|at| behind(at, b" -"))
}

/// A transcript may give the answer to an earlier command first: `354 End data with … 451 4.3.0 queue file write error`.
fn after_success(found: &mut Isolated<'_>) {
    if !matches!(leading_code(found.text), Some((200..=399, _))) {
        return;
    }
    let text = found.text;
    let begins = |at: &usize| {
        matches!(text[*at + 1], b'4' | b'5')
            && leading_code(&text[*at + 1..]).is_some()
            && text.get(at + 4) == Some(&b' ')
            && text.get(at + 5) == Some(&text[*at + 1])
    };
    if let Some(at) = memchr::memchr_iter(b' ', &text[..text.len() - 1]).find(begins) {
        found.text = &text[at + 1..];
    }
}

/// Postfix ends a reply with `(in reply to RCPT TO command)` (smtp_trouble.c).
fn in_reply_to(found: &mut Isolated<'_>) {
    // The wrapper closes with a parenthesis at the very end.
    if found.text.last() != Some(&b')') {
        return;
    }
    let tail_at = found.text.len().saturating_sub(80);
    let opens =
        memchr::memrchr_iter(b'(', &found.text[tail_at..]).find(|at| found.text[tail_at + at..].starts_with(b"(in reply to "));
    if let Some(at) = opens {
        let at = tail_at + at;
        found.stage = command_stage(&found.text[at + 13..]);
        found.text = found.text[..at].trim_ascii_end();
    }
}

fn unwrap<'a>(found: &mut Isolated<'a>, wrapper: Wrapper, before: &'a [u8], after: &'a [u8]) -> bool {
    match wrapper {
        Wrapper::Said | Wrapper::Talk => {
            // Postfix's own words decide here; what the server said comes after them (smtp_sasl_glue.c).
            if before.starts_with(b"SASL authentication failed") {
                found.quoted = Some(after);
                return false;
            }
            found.host = host_before(before).or(found.host);
            if wrapper == Wrapper::Talk {
                found.stage = Some(Stage::Connect);
            }
            found.text = after;
            found.remote = true;
        }
        Wrapper::StartTls => {
            found.host = host_before(before).or(found.host);
            found.quoted = Some(after);
            found.stage = Some(Stage::Helo);
            return false;
        }
        // Exim tries HELO after a refused EHLO; where the connection is gone by then, this is the reply (smtp.c).
        Wrapper::Ehlo => {
            found.text = after.strip_suffix(b")").unwrap_or(after);
            found.stage = Some(Stage::Helo);
            found.remote = true;
        }
        Wrapper::Exim | Wrapper::Lmtp => {
            found.stage = command_stage(after).or(found.stage);
            // In LMTP the replies to the message come one a recipient, and Exim names the command before it.
            if wrapper == Wrapper::Lmtp && found.stage == Some(Stage::Data) {
                found.stage = Some(Stage::EndOfData);
            }
            let Some(reply) = after_command(after) else { return false };
            found.text = reply;
            if let Some(rest) = reply.strip_prefix(b"host ")
                && let Some(end) = memmem::find(rest, b": ")
            {
                found.host = rest[..end].split(|&b| b == b' ').next();
                found.text = &rest[end + 2..];
            }
            found.remote = true;
        }
        Wrapper::Led => {
            let end = memmem::rfind(after, b"};{MSG=")
                .or_else(|| memmem::find(after, b"};{"))
                .or_else(|| memmem::find(after, b"}]"))
                .unwrap_or(after.len());
            let mut reply = &after[..end];
            if reply.is_empty()
                && let Some(message) = after.get(end + 7..)
            {
                reply = &message[..memmem::find(message, b"};{").unwrap_or(message.len())];
            }
            if let Some(fqdn) = memmem::find(&after[end..], b"{FQDN=") {
                let name = &after[end + fqdn + 6..];
                found.host = name.split(|&b| b == b'}').next().filter(|n| !n.is_empty());
            }
            found.text = reply.trim_ascii();
            found.remote |= found.host.is_some();
        }
        Wrapper::Prose => {
            let after = after.trim_ascii_start();
            if after.len() < 4 {
                return false;
            }
            found.text = after;
            found.remote = true;
        }
        Wrapper::DidNotLike => {
            found.stage = command_stage(after);
            let Some(colon) = memchr::memchr(b':', after) else { return false };
            found.text = after[colon + 1..].trim_ascii();
            found.remote = true;
        }
        Wrapper::Quoted => {
            let after = after.trim_ascii_start();
            if leading_code(after).is_none() {
                return false;
            }
            let quote: &[u8] =
                if before.len() + 1 < found.text.len() && found.text[..found.text.len() - after.len()].ends_with(b"'") {
                    b"'"
                } else {
                    b"\""
                };
            let end = memmem::rfind(after, quote).unwrap_or(after.len());
            found.text = &after[..end];
            found.remote = true;
        }
        Wrapper::Arrow => {
            let after = after.trim_ascii_start();
            if leading_code(after).is_none() {
                return false;
            }
            found.text = after;
            found.remote = true;
        }
    }
    true
}

/// The reply behind Exim's `RCPT TO:<a@b>: ` or `initial connection: `.
fn after_command(after: &[u8]) -> Option<&[u8]> {
    // A bracket behind the first `: ` belongs to the reply: `end of data: 552 5.2.2 <a@b>: Mailbox full`.
    let reply = memmem::find(after, b": ")?;
    let start = match memchr::memchr(b'<', &after[..reply.min(40)]) {
        Some(open) => open + memchr::memchr(b'>', &after[open..])?,
        None => 0,
    };
    let colon = memmem::find(&after[start..], b": ")?;
    Some(&after[start + colon + 2..])
}

/// The host's name in `host NAME[ip]` before a wrapper.
fn host_before(before: &[u8]) -> Option<&[u8]> {
    let at = memmem::rfind(before, b"host ")?;
    let name = &before[at + 5..];
    let end = name.iter().position(|b| matches!(b, b'[' | b' ' | b':')).unwrap_or(name.len());
    (end > 0).then_some(&name[..end])
}

/// The stage of the command that `text` begins with, as Postfix and Exim name commands.
fn command_stage(text: &[u8]) -> Option<Stage> {
    let text = text.strip_prefix(b"pipelined ").unwrap_or(text);
    let text = text.strip_prefix(b"final ").unwrap_or(text);
    let is = |prefix: &[u8]| text.len() >= prefix.len() && text[..prefix.len()].eq_ignore_ascii_case(prefix);
    Some(if is(b"RCPT") {
        Stage::Rcpt
    } else if is(b"MAIL") {
        Stage::Mail
    } else if is(b"end of data") || is(b"sending data block") || is(b"message body") || is(b"BDAT") {
        Stage::EndOfData
    } else if is(b"DATA") {
        Stage::Data
    } else if is(b"EHLO") || is(b"HELO") || is(b"LHLO") || is(b"STARTTLS") || is(b"AUTH") {
        Stage::Helo
    } else if is(b"initial") || is(b"greeting") || is(b"the initial server greeting") {
        Stage::Connect
    } else {
        return None;
    })
}

/// The stage that a local error tells: `while sending RCPT TO`, `connect to …` (Postfix smtp_trouble.c and smtp_connect.c).
fn local_stage(text: &[u8]) -> Option<Stage> {
    const MARKS: [&str; 6] =
        ["while sending ", "while receiving the ", "while performing the ", "in response to \"", "in response to ", "after "];
    static FINDERS: LazyLock<[memmem::Finder<'static>; 6]> = LazyLock::new(|| MARKS.map(memmem::Finder::new));
    for finder in FINDERS.iter() {
        if let Some(at) = finder.find(text)
            && let Some(stage) = command_stage(&text[at + finder.needle().len()..])
        {
            return Some(stage);
        }
    }
    if text.starts_with(b"connect to ") || text.starts_with(b"Connection refused") {
        return Some(Stage::Connect);
    }
    TLS_FAILURES.iter().any(|words| text.starts_with(words)).then_some(Stage::Helo)
}

/// How the servers begin to say that TLS failed, which is where the session then was (Postfix smtp_proto.c, Exim smtp.c and tls-*.c).
const TLS_FAILURES: &[&[u8]] = &[
    b"TLS is required, but ",
    b"Cannot start TLS: ",
    b"Server certificate not ",
    b"a TLS session is required, but ",
    b"TLS session: ",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, reply: &str, host: Option<&str>, stage: Option<Stage>) {
        let found = isolate(text.as_bytes());
        assert_eq!(String::from_utf8_lossy(found.text), reply);
        assert_eq!(found.host.map(String::from_utf8_lossy).as_deref(), host);
        assert_eq!(found.stage, stage);
    }

    #[test]
    fn postfix() {
        check(
            "host mx.a.test[192.0.2.1] said: 550 5.1.1 No (in reply to RCPT TO command)",
            "550 5.1.1 No",
            Some("mx.a.test"),
            Some(Stage::Rcpt),
        );
        check(
            "host mx.a.test[192.0.2.1] refused to talk to me: 554 5.7.1 no",
            "554 5.7.1 no",
            Some("mx.a.test"),
            Some(Stage::Connect),
        );
        check(
            "delivery temporarily suspended: connect to a.test[192.0.2.1]:25: Connection refused",
            "connect to a.test[192.0.2.1]:25: Connection refused",
            None,
            Some(Stage::Connect),
        );
        check(
            "lost connection with a.test[192.0.2.1] while sending end of data -- message may be sent more than once",
            "lost connection with a.test[192.0.2.1] while sending end of data -- message may be sent more than once",
            None,
            Some(Stage::EndOfData),
        );
    }

    #[test]
    fn exim() {
        check("SMTP error from remote mail server after RCPT TO:<a@b.test>: 550 No", "550 No", None, Some(Stage::Rcpt));
        check(
            "SMTP error from remote mail server after pipelined MAIL FROM:<a@b.test> SIZE=1: 451 No",
            "451 No",
            None,
            Some(Stage::Mail),
        );
        check(
            "SMTP error from remote mail server after initial connection: host mx.a.test [192.0.2.1]: 554 No",
            "554 No",
            Some("mx.a.test"),
            Some(Stage::Connect),
        );
        check(
            "SMTP error from remote mail server after end of data: 552 5.2.2 <a@b.test>: Mailbox full",
            "552 5.2.2 <a@b.test>: Mailbox full",
            None,
            Some(Stage::EndOfData),
        );
        check("LMTP error after DATA: 552 5.2.2 <a@b.test> Full", "552 5.2.2 <a@b.test> Full", None, Some(Stage::EndOfData));
        check(
            "Remote host closed connection in response to HELO mta.test (EHLO response was: 421 4.3.2 mx.a.test Closing)",
            "421 4.3.2 mx.a.test Closing",
            None,
            Some(Stage::Helo),
        );
    }

    #[test]
    fn failures_of_tls() {
        for text in [
            "TLS is required, but was not offered by host mx.a.test[192.0.2.1]",
            "a TLS session is required, but the server did not offer TLS support",
            "Cannot start TLS: handshake failure",
        ] {
            check(text, text, None, Some(Stage::Helo));
        }
        let text = b"TLS is required, but host mx.a.test[192.0.2.1] refused to start TLS: 454 4.7.0 not now";
        let found = isolate(text);
        assert_eq!((found.text, found.quoted, found.stage), (&text[..], Some(&b"454 4.7.0 not now"[..]), Some(Stage::Helo)));
    }

    #[test]
    fn exchange() {
        check(
            "[{LED=550 5.1.8 Access denied; x};{MSG=};{FQDN=mx.a.test};{IP=192.0.2.1};{LRT=1/1/2026}]",
            "550 5.1.8 Access denied; x",
            Some("mx.a.test"),
            None,
        );
        check("[{LED=};{MSG=Socket error};{FQDN=};{IP=};{LRT=}]", "Socket error", None, None);
        check(
            "451 4.4.0 Primary target IP address responded with: \"421 4.2.1 Unable to connect.\" Attempted failover",
            "421 4.2.1 Unable to connect.",
            None,
            None,
        );
    }

    #[test]
    fn an_echo_is_not_this_hops_reply() {
        check(
            "550 Sender verify failed: host x said: 550 no such user",
            "550 Sender verify failed: host x said: 550 no such user",
            None,
            None,
        );
    }
}
