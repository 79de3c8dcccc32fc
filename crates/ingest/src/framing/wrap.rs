//! Wrappers around whole lines: what containers and the journal put around the line that a server wrote.
//!
//! | wrapper | looks like |
//! |---|---|
//! | Kubernetes CRI | `2026-11-17T00:00:05.123Z stdout F Nov 17 00:00:05 lab postfix/smtp[1]: …` |
//! | Docker json-file | `{"log":"Nov 17 00:00:05 lab postfix/smtp[1]: …\n","stream":"stdout","time":"2026-11-17T00:00:05Z"}` |
//! | journald as JSON | `{"__REALTIME_TIMESTAMP":"…","_HOSTNAME":"lab","SYSLOG_IDENTIFIER":"postfix/smtp","MESSAGE":"…"}` |
//! | a syslog in a syslog | `May 02 10:00:00 node docker[1]: May  2 10:00:00 lab postfix/smtp[1]: …` |
//!
//! The server's own stamp stays the clock; the wrapper's only lends year, zone or precision. What is not here: the parts of a line that
//! CRI cut (`P`) and the journal's export format, which `rejoin` makes lines of.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat};
use serde_json::Value;

use super::{Frame, Stamp};

/// The line inside a container's or the journal's wrapper; `None` where there is no wrapper.
pub fn inner(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    match line.first()? {
        b'{' => from_json(line).map(Cow::Owned),
        b'0'..=b'9' => from_cri(line),
        _ => None,
    }
}

/// All lines of a block without their wrappers; the block itself where there are none.
pub fn unwrapped(block: &[u8]) -> Cow<'_, [u8]> {
    if !crate::lines::lines(block).take(20).any(|(_, line)| inner(line).is_some()) {
        return Cow::Borrowed(block);
    }
    let mut out = Vec::with_capacity(block.len());
    for (_, line) in crate::lines::lines(block) {
        out.extend_from_slice(inner(line).as_deref().unwrap_or(line));
        out.push(b'\n');
    }
    Cow::Owned(out)
}

/// `TIME stdout|stderr F|P LINE`.
fn from_cri(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    let space = line.iter().take(40).position(|&b| b == b' ')?;
    let rest = line[space + 1..].strip_prefix(b"std")?;
    let rest = rest.strip_prefix(b"out ").or_else(|| rest.strip_prefix(b"err "))?;
    let text = rest.strip_prefix(b"F ").or_else(|| rest.strip_prefix(b"P "))?;
    let (outer, _) = Stamp::read(line)?;
    Some(lend(text, &outer))
}

fn from_json(line: &[u8]) -> Option<Vec<u8>> {
    let Value::Object(object) = serde_json::from_slice(line).ok()? else { return None };
    if let Some(text) = object.get("log").and_then(Value::as_str) {
        let text = text.trim_end_matches(['\n', '\r']).as_bytes();
        let outer = object.get("time").and_then(Value::as_str).and_then(|t| Stamp::read(t.as_bytes()));
        return Some(outer.map_or_else(|| text.to_vec(), |(outer, _)| lend(text, &outer).into_owned()));
    }
    let message = match object.get("MESSAGE")? {
        Value::String(text) => text.clone().into_bytes(),
        // The journal writes bytes that are no UTF-8 as numbers.
        Value::Array(bytes) => {
            bytes.iter().map(|b| b.as_u64().and_then(|b| u8::try_from(b).ok())).collect::<Option<Vec<u8>>>()?
        }
        _ => return None,
    };
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let micros: i64 = text("__REALTIME_TIMESTAMP").or_else(|| text("_SOURCE_REALTIME_TIMESTAMP"))?.parse().ok()?;
    let at = DateTime::from_timestamp_micros(micros)?.to_rfc3339_opts(SecondsFormat::Micros, true);
    let host = text("_HOSTNAME").unwrap_or("-");
    let tag = text("SYSLOG_IDENTIFIER").or_else(|| text("_COMM"))?;
    let pid = text("_PID").or_else(|| text("SYSLOG_PID")).unwrap_or("0");
    let mut line = format!("{at} {host} {tag}[{pid}]: ").into_bytes();
    line.extend_from_slice(&message);
    Some(line)
}

/// Puts what the outer stamp knows and the inner one does not into the inner line.
fn lend<'a>(text: &'a [u8], outer: &Stamp) -> Cow<'a, [u8]> {
    let Some((inner, end)) = Stamp::read(text) else { return Cow::Borrowed(text) };
    if inner.year.is_some() && inner.offset.is_some() {
        return Cow::Borrowed(text);
    }
    let lent = inner.lent(outer);
    if lent == inner {
        return Cow::Borrowed(text);
    }
    if inner.year.is_some() && text[10] == b' ' {
        // Exim's own form, where a zone stands apart.
        let offset = lent.offset.unwrap_or_default();
        let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
        let zone = format!(" {sign}{:02}{:02}", minutes / 60, minutes % 60);
        return Cow::Owned([&text[..end], zone.as_bytes(), &text[end..]].concat());
    }
    Cow::Owned([lent.rfc3339().as_bytes(), &text[end..]].concat())
}

/// The frame inside a frame: a syslog that was logged again by another program.
pub(super) fn framed_again<'a>(outer: &Frame<'a>) -> Option<Frame<'a>> {
    // Only where the text begins as a stamp does.
    if !outer.text.first().is_some_and(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'<') {
        return None;
    }
    let mut inner = super::syslog(outer.text)?;
    inner.stamp = inner.stamp.lent(&outer.stamp);
    Some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, want: &str) {
        assert_eq!(inner(line.as_bytes()).map(|l| String::from_utf8(l.into_owned()).unwrap()).as_deref(), Some(want), "{line}");
    }

    #[test]
    fn containers_and_the_journal() {
        check("2026-11-17T00:00:05.123Z stdout F hello", "hello");
        check(
            "2026-11-16T23:00:05.123456789Z stdout F Nov 17 00:00:05 lab postfix/smtp[1]: x",
            "2026-11-17T00:00:05+01:00 lab postfix/smtp[1]: x",
        );
        check(
            r#"{"log":"Nov 17 00:00:05 lab postfix/smtp[1]: \"x\"\n","stream":"stdout","time":"2026-11-17T00:00:05.5Z"}"#,
            "2026-11-17T00:00:05+00:00 lab postfix/smtp[1]: \"x\"",
        );
        check(
            r#"{"__REALTIME_TIMESTAMP":"1795354926423193","_HOSTNAME":"lab","SYSLOG_IDENTIFIER":"postfix/smtp","_PID":"294","MESSAGE":"x: y"}"#,
            "2026-11-22T13:42:06.423193Z lab postfix/smtp[294]: x: y",
        );
        check(
            r#"{"__REALTIME_TIMESTAMP":"1795354926423193","_HOSTNAME":"lab","SYSLOG_IDENTIFIER":"a","MESSAGE":[120,255]}"#
                .replace("255", "121")
                .as_str(),
            "2026-11-22T13:42:06.423193Z lab a[0]: xy",
        );
        for bare in
            ["", "Nov 17 00:00:05 lab postfix/smtp[1]: x", "2026-11-17T00:00:05Z lab postfix/smtp[1]: x", "{", "{\"a\":1}"]
        {
            assert_eq!(inner(bare.as_bytes()), None, "{bare}");
        }
    }

    #[test]
    fn a_year_is_lent_over_new_year() {
        check(
            "2027-01-01T00:00:02Z stderr F Dec 31 23:59:59 lab postfix/smtp[1]: x",
            "2026-12-31T23:59:59+00:00 lab postfix/smtp[1]: x",
        );
    }
}
