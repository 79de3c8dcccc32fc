//! The texts that Exim writes behind its fields: what they say of stage and host, and which of them are no attempt, or the last word.
//!
//! `… : SMTP error from remote mail server after RCPT TO:<a@b>: host mx1.b [192.0.2.7]: 550 5.1.1 unknown` (host inside: to 4.84)
//!
//! Only Exim's own words count: a reply that quotes them stands behind a wrapper and is never looked at. What is not here: reasons and
//! codes, which are the classification's.

use std::borrow::Cow;

use bouncestat_record::Stage;
use memchr::memchr;
use memchr::memmem;

use super::fields::{brackets, milliseconds};

/// Texts of deferrals where nothing was tried (`retry.c`, `deliver.c`, `smtp.c` of Exim 4.69 to 4.100).
const WAITING: [&[u8]; 11] = [
    b"retry time not reached",
    b"retry time not yet reached",
    b"concurrency limit reached for transport",
    b"domain is held",
    b"domain is in queue_domains",
    b"SMTP delivery explicitly queued",
    b"domain matches queue_smtp_domains",
    b"first-pass only routing",
    b"reusing SMTP connection skips",
    b"local delivery only",
    b"local delivery suppressed",
];

/// Fronts of texts that pass on what the other side said.
const WRAPPERS: [&[u8]; 4] =
    [b"SMTP error from remote mail", b"LMTP error after ", b"Malformed SMTP reply", b"Malformed LMTP reply"];

fn is_remote(message: &[u8]) -> bool {
    WRAPPERS.iter().any(|front| message.starts_with(front))
}

fn begins(message: &[u8], front: &[u8]) -> bool {
    message.get(..front.len()).is_some_and(|m| m.eq_ignore_ascii_case(front))
}

/// Whether a deferral with this text tried nothing.
pub(super) fn is_waiting(message: &[u8]) -> bool {
    WAITING.iter().any(|front| begins(message, front))
        || begins(message, b"all hosts") && memmem::find(message, b"not reached").is_some()
}

/// Whether a failure with this text gives up what failed for too long, and is no reject of its own.
pub(super) fn is_given_up(message: &[u8]) -> bool {
    const EXCEEDED: &[u8] = b"retry timeout exceeded";
    if let Some(before) = message.strip_suffix(EXCEEDED) {
        // Exim appends its words to the cause. Behind a reject for good they can only be the other side's own.
        return before.is_empty() || before.ends_with(b": ") && !refuses_for_good(before);
    }
    !is_remote(message)
        && (begins(message, b"retry time not reached")
            // As a submission program it queues nothing: what is deferred is given up.
            || begins(message, b"mua_wrapper forced failure") || memmem::find(message, b"have been failing for a long time").is_some())
}

/// Whether a wrapped reply begins with 5.
fn refuses_for_good(message: &[u8]) -> bool {
    is_remote(message)
        && memchr::memchr_iter(b':', message)
            .any(|n| matches!(message[n + 1..], [b' ', b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..]))
}

/// Where in the session the text says it happened, where that is clear.
pub(super) fn stage(message: &[u8]) -> Option<Stage> {
    let after: &[u8] = match message.first()? {
        b'S' | b'L' if is_remote(message) || message.starts_with(b"SMTP timeout") => b" after ",
        b'R' if message.starts_with(b"Remote host ") => b" in response to ",
        b'M' if is_remote(message) => b" in response to ",
        _ => return None,
    };
    let command = &message[memmem::find(message, after)? + after.len()..];
    let command = command.strip_prefix(b"pipelined ").unwrap_or(command);
    const STAGES: [(&[u8], Stage); 11] = [
        (b"RCPT TO", Stage::Rcpt),
        (b"end of data", Stage::EndOfData),
        (b"MAIL FROM", Stage::Mail),
        (b"initial connection", Stage::Connect),
        (b"EHLO", Stage::Helo),
        (b"HELO", Stage::Helo),
        (b"LHLO", Stage::Helo),
        (b"STARTTLS", Stage::Helo),
        (b"AUTH", Stage::Helo),
        (b"DATA", Stage::Data),
        (b"sending data block", Stage::EndOfData),
    ];
    if command.starts_with(b"DATA") && message.starts_with(b"LMTP") {
        // LMTP answers for each recipient when the message is through, and Exim names the last command.
        return None;
    }
    STAGES.iter().find(|(front, _)| command.starts_with(front)).map(|(_, stage)| *stage)
}

/// Name and IP of the host inside the text, as up to 4.84.
pub(super) fn old_host(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = if message.starts_with(b"SMTP error from remote mail") {
        &message[memmem::find(message, b": host ")? + 7..]
    } else {
        const FRONTS: [&[u8]; 4] = [
            b"SMTP timeout while connected to ",
            b"Remote host ",
            b"Malformed SMTP reply from ",
            b"a TLS session is required for ",
        ];
        FRONTS.iter().find_map(|front| message.strip_prefix(*front))?
    };
    let space = memchr(b' ', rest)?;
    let ip = brackets(&rest[space + 1..])?;
    let plausible = !ip.is_empty() && ip.iter().all(|b| b.is_ascii_hexdigit() || b".:".contains(b));
    plausible.then_some((&rest[..space], ip))
}

/// A reply without the backslashes that Exim put before quotes and backslashes.
pub(super) fn unescape(reply: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\\', reply).is_none() {
        return Cow::Borrowed(reply);
    }
    let mut plain = Vec::with_capacity(reply.len());
    let mut bytes = reply.iter().copied().peekable();
    while let Some(b) = bytes.next() {
        plain.push(match b {
            b'\\' => bytes.next_if(|next| matches!(next, b'"' | b'\\')).unwrap_or(b),
            other => other,
        });
    }
    Cow::Owned(plain)
}

/// A failure's text without the delivery time that stands behind it.
pub(super) fn without_delivery_time(message: &[u8]) -> &[u8] {
    let Some(n) = memmem::rfind(message, b" DT=") else {
        return message;
    };
    if milliseconds(&message[n + 4..]).is_some() { &message[..n] } else { message }
}
