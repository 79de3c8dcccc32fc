//! What a line says behind its message id: the flag, the address, the fields, the text, made into one event.
//!
//! `… == r451@short.test R=remote T=remote_smtp defer (-44) H=mx [192.0.2.7]: SMTP error from remote mail server after RCPT TO:<…>: 451 …`
//!
//! What is not here: stamp and id (`frame`), and what becomes of the message (the join).

use std::borrow::Cow;

use memchr::{memchr, memmem, memrchr};

use super::address::{Address, after_quoted};
use super::fields::{self, Found, Until};
use super::text;
use crate::event::{Fields, Kind, Sort};
use crate::mta::hand_over;

/// Reads what stands behind the message id. The event's moment is still unset.
pub(super) fn read(rest: &[u8]) -> Result<Fields<'_>, Sort> {
    if let [a, b, b' ', text @ ..] = rest {
        let text = text.trim_ascii_start();
        match [*a, *b] {
            [b'<', b'='] => return arrived(text),
            [b'=' | b'-' | b'>', b'>'] => return sent(text, Kind::Sent),
            [b'*', b'>'] => return sent(text, Kind::Suppressed),
            [b'*', b'*'] => return failed(text),
            [b'=', b'='] => return deferred(text),
            _ => return Err(Sort::Irrelevant),
        }
    }
    let kind = match rest.first() {
        Some(b'C') if rest == b"Completed" || rest.starts_with(b"Completed ") => Kind::Removed,
        Some(b'c') if rest.starts_with(b"cancelled by ") => Kind::RemovedByHand,
        Some(b'r') if rest.starts_with(b"removed by ") => Kind::RemovedByHand,
        _ => return Err(Sort::Irrelevant),
    };
    let mut event = Fields::new(kind, 0);
    if kind == Kind::RemovedByHand {
        event.text = Cow::Borrowed(rest);
    }
    Ok(event)
}

/// `<= sender H=… P=… S=… id=… T="…"`.
fn arrived(text: &[u8]) -> Result<Fields<'_>, Sort> {
    if text.is_empty() {
        return Err(Sort::Unrecognised);
    }
    let start = if text.starts_with(b"\"") { after_quoted(text, 0) } else { 0 };
    let end = memchr(b' ', &text[start..]).map_or(text.len(), |n| n + start);
    let found = fields::scan(&text[end..], Until::Subject);
    let mut event = Fields::new(Kind::Born, 0);
    event.sender = Some(Cow::Borrowed(fields::without_angles(&text[..end])));
    event.size = found.size;
    event.message_id = Cow::Borrowed(found.message_id);
    Ok(event)
}

/// `=> address F=<…> R=… T=… H=… C="…" QT=…`, `->`, `>>`, `*>`; and what is thrown away under the same flags.
fn sent(text: &[u8], kind: Kind) -> Result<Fields<'_>, Sort> {
    if [&b"discarded"[..], b"blackhole"].iter().any(|word| {
        text.strip_prefix(*word).is_some_and(|rest| rest.is_empty() || rest.starts_with(b" (") || rest.starts_with(b" <"))
    }) {
        // The whole message, by a system filter or an ACL.
        let mut event = Fields::new(Kind::Discarded, 0);
        event.text = Cow::Borrowed(text);
        return Ok(event);
    }
    let address = Address::split(text);
    let found = fields::scan(address.tail, Until::Subject);
    let mut event = to(&address, &found, kind)?;
    if kind == Kind::Sent && (address.last.starts_with(b":blackhole:") || found.bypassed) {
        event.kind = Kind::Discarded;
    }
    event.text = text::unescape(found.reply);
    event.next_id = Cow::Borrowed(hand_over::next_id(found.reply).unwrap_or_default());
    event.delay_ms = found.queue_ms;
    event.local = found.ip.is_empty();
    Ok(event)
}

/// `** address R=… T=… H=…: text`.
fn failed(text: &[u8]) -> Result<Fields<'_>, Sort> {
    // Exim as a submission program: all recipients at once, none by name.
    if text.starts_with(b"mua_wrapper is set") {
        let mut event = Fields::new(Kind::Bounced, 0);
        event.text = Cow::Borrowed(text);
        return Ok(event);
    }
    let mut address = Address::split(text);
    let mut found = fields::scan(address.tail, Until::Text);
    if address.tail.is_empty()
        && let Some((last, words)) = mua_failure(address.last)
    {
        address.last = last;
        found.message = words;
    }
    let message = text::without_delivery_time(found.message);
    let mut event = to(&address, &found, Kind::Bounced)?;
    if text::is_given_up(message) {
        event.kind = Kind::GaveUp;
    }
    event.stage = text::stage(message);
    old_host(&mut event, message);
    event.text = Cow::Borrowed(message);
    Ok(event)
}

/// `x@y routing yielded a local delivery`, `x@y mua_wrapper forced failure for deferred delivery`: address and words.
fn mua_failure(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memmem::rfind(text, b" routing yielded a ").or_else(|| memmem::rfind(text, b" mua_wrapper forced failure"))?;
    Some((&text[..at], &text[at + 1..]))
}

/// `== address R=… T=… defer (-44) H=…: text`.
fn deferred(text: &[u8]) -> Result<Fields<'_>, Sort> {
    let address = Address::split(text);
    let deferral = Deferral::read(address.tail);
    let kind = if text::is_waiting(deferral.found.message) { Kind::Waiting } else { Kind::Deferred };
    let mut event = to(&address, &deferral.found, kind)?;
    event.stage = text::stage(deferral.found.message);
    old_host(&mut event, deferral.found.message);
    event.text = deferral.text;
    Ok(event)
}

struct Deferral<'a> {
    found: Found<'a>,
    /// The system's error and Exim's text.
    text: Cow<'a, [u8]>,
}

impl<'a> Deferral<'a> {
    /// `defer (-44) H=…: text`, `defer (111): Connection refused`, `defer (110): Connection timed out H=…: text`; from 4.100 on
    /// `defer H=…: text`, `defer: text`, `defer (Connection refused)`.
    fn read(tail: &'a [u8]) -> Self {
        let Some(rest) = after_defer(tail) else {
            let found = fields::scan(tail, Until::Text);
            return Self { found, text: Cow::Borrowed(found.message) };
        };
        let mut cause = &b""[..];
        let mut rest = rest;
        if let Some(inner) = rest.strip_prefix(b" (")
            && let Some(close) = memchr(b')', inner)
        {
            rest = &inner[close + 1..];
            match number(&inner[..close]) {
                None => cause = &inner[..close],
                Some(errno) if errno > 0 => {
                    if let Some(words) = rest.strip_prefix(b": ") {
                        let end = error_end(words);
                        cause = &words[..end];
                        rest = &words[end..];
                        if let Some(message) = rest.strip_prefix(b": ") {
                            let found = Found { message, ..Found::default() };
                            return Self { found, text: Cow::Borrowed(words) };
                        }
                    }
                }
                Some(_) => {}
            }
        }
        let found = fields::scan(rest, Until::Text);
        let text = match (cause, found.message) {
            (b"", message) => Cow::Borrowed(message),
            (cause, b"") => Cow::Borrowed(cause),
            (cause, message) => Cow::Owned([cause, b": ", message].concat()),
        };
        Self { found, text }
    }
}

/// What follows the word `defer`; `None` where a text begins before it.
fn after_defer(tail: &[u8]) -> Option<&[u8]> {
    let mut rest = tail;
    while let Some(word) = rest.strip_prefix(b" ") {
        if let Some(after) = word.strip_prefix(b"defer")
            && matches!(after.first(), None | Some(b' ' | b':'))
        {
            return Some(after);
        }
        let end = memchr(b' ', word)?;
        if word[..end].ends_with(b":") {
            return None;
        }
        rest = &word[end..];
    }
    None
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Where the system's words end: at a field or at the next separator.
fn error_end(words: &[u8]) -> usize {
    let ends = [&b": "[..], b" H=", b" DT="];
    ends.iter().filter_map(|end| memmem::find(words, end)).min().unwrap_or(words.len())
}

/// An event of this kind for the address: recipient, original, hosts.
fn to<'a>(address: &Address<'a>, found: &Found<'a>, kind: Kind) -> Result<Fields<'a>, Sort> {
    if address.last.is_empty() {
        return Err(Sort::Unrecognised);
    }
    let mut event = Fields::new(kind, 0);
    let origin = address.origin();
    event.recipient = recipient(address, origin);
    event.original = Cow::Borrowed(origin);
    event.relay_host = Cow::Borrowed(found.host);
    event.relay_ip = Cow::Borrowed(found.ip);
    event.source_ip = Cow::Borrowed(found.source_ip);
    event.sender = found.sender.map(Cow::Borrowed);
    event.local = found.ip.is_empty() && address.is_pipe_file_or_reply();
    Ok(event)
}

/// The address of the delivery: the final one; for commands, files, replies and nowhere the one they stand for.
fn recipient<'a>(address: &Address<'a>, origin: &'a [u8]) -> Cow<'a, [u8]> {
    let last = address.last;
    if origin.is_empty() {
        let bare = fields::without_angles(last);
        return Cow::Borrowed(if bare.contains(&b'@') { bare } else { last });
    }
    if address.is_pipe_file_or_reply() {
        return Cow::Borrowed(origin);
    }
    if last.contains(&b'@') {
        // Expiry lines have the quotes that the others lost, so the quoted form is the recipient.
        return Cow::Borrowed(if is_quoted_form(origin, last) { origin } else { last });
    }
    // `bob <bob@local.test>`: a router with `log_as_local` leaves the domain out, but only where the delivery succeeded. An alias
    // (`bob <team@local.test>`) is nearly always in the same domain, and its recipients are deliveries of their own.
    match memrchr(b'@', origin) {
        Some(at) if !origin[..at].eq_ignore_ascii_case(last) => Cow::Owned([last, &origin[at..]].concat()),
        _ => Cow::Borrowed(origin),
    }
}

/// Whether `quoted` is `"with space"@a.test` where `plain` is `with space@a.test`.
fn is_quoted_form(quoted: &[u8], plain: &[u8]) -> bool {
    let inner = quoted.strip_prefix(b"\"").and_then(|rest| {
        let at = memrchr(b'@', rest).filter(|&at| at > 0 && rest[at - 1] == b'"')?;
        Some((&rest[..at - 1], &rest[at..]))
    });
    let Some((local, domain)) = inner else {
        return false;
    };
    let Some(at) = memrchr(b'@', plain) else {
        return false;
    };
    let (plain_local, plain_domain) = plain.split_at(at);
    domain.eq_ignore_ascii_case(plain_domain)
        && local.iter().filter(|&&b| b != b'\\').eq(plain_local.iter().filter(|&&b| b != b'\\'))
}

fn old_host<'a>(event: &mut Fields<'a>, message: &'a [u8]) {
    if event.relay_ip.is_empty()
        && let Some((host, ip)) = text::old_host(message)
    {
        event.relay_host = Cow::Borrowed(host);
        event.relay_ip = Cow::Borrowed(ip);
        event.local = false;
    }
}
