//! The delivery record, one form for all agents (`global/log_adhoc.c`):
//!
//! `to=<ADDR>[, orig_to=<ADDR>], relay=RELAY[, conn_use=N], delay=T[, delays=a/b/c/d][, tls=…][, dsn=D.D.D], status=STATUS (TEXT)`
//!
//! Keys that are not known are passed over. Addresses are quoted and may hold `>` and `, `.

use std::borrow::Cow;

use bouncestat_record::EnhancedCode;
use bouncestat_record::time::Micros;

use super::Said;
use super::tag::Tag;
use crate::event::{Fields, Kind};
use crate::mta::hand_over;

/// Reads a record from its `to=<`.
pub(super) fn read<'a>(rest: &'a [u8], tag: &Tag<'_>, at: Micros) -> Said<'a> {
    match fields(rest, tag, at) {
        Some(fields) => Said::Event(fields),
        None => Said::Unclear,
    }
}

fn fields<'a>(rest: &'a [u8], tag: &Tag<'_>, at: Micros) -> Option<Fields<'a>> {
    let mut fields = Fields::new(Kind::Sent, at);
    let (to, mut rest) = address(&rest[b"to=<".len()..])?;
    fields.recipient = Cow::Borrowed(to);
    if let Some(original) = rest.strip_prefix(b"orig_to=<") {
        let (original, after) = address(original)?;
        fields.original = Cow::Borrowed(original);
        rest = after;
    }
    let relay = rest.strip_prefix(b"relay=")?;
    // A relay's name has no comma but in a pipe's or socket's odd name; the next key ends it.
    let end = find(&[b", delay=", b", conn_use="], relay)?;
    let (host, ip) = split_relay(&relay[..end]);
    fields.relay_host = Cow::Borrowed(host);
    fields.relay_ip = Cow::Borrowed(ip);
    fields.local = tag.is_local() || (tag.is_without_daemon() && matches!(host, b"local" | b"virtual"));
    rest = &relay[end + 2..];
    let status = loop {
        let equals = memchr::memchr(b'=', rest)?;
        let (key, value) = (&rest[..equals], &rest[equals + 1..]);
        if key == b"status" {
            break value;
        }
        let end = find(&[b", "], value)?;
        match key {
            b"delay" => fields.delay_ms = milliseconds(&value[..end]),
            b"dsn" => fields.enhanced_code = std::str::from_utf8(&value[..end]).ok().and_then(EnhancedCode::parse),
            _ => {}
        }
        rest = &value[end + 2..];
    };
    let word = status.iter().position(|&b| b == b' ').unwrap_or(status.len());
    fields.kind = match &status[..word] {
        b"sent" if tag.daemon == b"discard" => Kind::Discarded,
        // Nothing else sends to nowhere.
        b"sent" if tag.is_without_daemon() && fields.relay_host.is_empty() => Kind::Discarded,
        b"sent" => Kind::Sent,
        b"bounced" => Kind::Bounced,
        b"deferred" | b"SOFTBOUNCE" => Kind::Deferred,
        b"deliverable" | b"undeliverable" | b"undeliverable-but-not-cached" => Kind::Probe,
        _ => return None,
    };
    let (text, cut) = text(&status[word..]);
    fields.text = Cow::Borrowed(text);
    fields.cut = cut;
    if fields.kind == Kind::Sent
        && let Some(id) = hand_over::next_id(text)
    {
        fields.next_id = Cow::Borrowed(id);
    }
    Some(fields)
}

/// An address up to its closing `>, `, and what follows. A quoted local part may hold anything (RFC 5321, section 4.1.2).
fn address(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let from = after_quoted(text);
    let ends = find(&[b">, relay=", b">, orig_to=<"], &text[from..])?;
    let end = from + ends;
    Some((&text[..end], &text[end + 3..]))
}

/// Where the quoted local part ends that an address begins with; 0 where it begins with none.
pub(super) fn after_quoted(text: &[u8]) -> usize {
    if text.first() != Some(&b'"') {
        return 0;
    }
    let mut at = 1;
    while at < text.len() && text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    // A quote that never closes is only an odd character.
    if at >= text.len() { 0 } else { at }
}

/// Where the first of some words stands. They begin alike and stand near, so that their first byte finds them soonest.
fn find(words: &[&[u8]], text: &[u8]) -> Option<usize> {
    let first = words[0][0];
    memchr::memchr_iter(first, text).find(|at| words.iter().any(|word| text[*at..].starts_with(word)))
}

/// `host[ip]:port`, `host[path]`, `none`, `local`: the name and the IP.
fn split_relay(relay: &[u8]) -> (&[u8], &[u8]) {
    if relay == b"none" {
        return (b"", b"");
    }
    let Some(open) = memchr::memchr(b'[', relay) else { return (relay, b"") };
    let inner = &relay[open + 1..];
    let inner = &inner[..memchr::memchr(b']', inner).unwrap_or(inner.len())];
    (&relay[..open], if inner.first() == Some(&b'/') || inner.first() == Some(&b'p') { b"" } else { inner })
}

/// ` (TEXT)` to the end of the line, without the last parenthesis; and whether that is missing, so that the line was cut.
fn text(rest: &[u8]) -> (&[u8], bool) {
    let Some(text) = rest.strip_prefix(b" (") else { return (b"", true) };
    let text = text.trim_ascii_end();
    match text.strip_suffix(b")") {
        Some(text) => (text.trim_ascii_end(), false),
        None => (text, true),
    }
}

/// `0.07`, `12`, `1.2e+02` seconds (`%g`), as milliseconds.
fn milliseconds(seconds: &[u8]) -> Option<i64> {
    let seconds: f64 = std::str::from_utf8(seconds).ok()?.parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then(|| (seconds * 1000.0).round() as i64)
}
