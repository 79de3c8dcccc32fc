//! What Exim refused (`smtp_in.c`, `acl.c`, `receive.c`):
//!
//! `H=(client.test) [192.0.2.7] F=<x@client.test> rejected RCPT <a@relaydeny.test>: relay not permitted`
//!
//! Exim logs the words of its configuration, not its reply: there is no code, and `temporarily rejected` is all that tells 4xx from 5xx. What precedes
//! a reject (`sender verify fail for <…>`) is no reject of its own.

use std::borrow::Cow;

use bouncestat_record::Stage;
use memchr::memmem;

use super::address::after_angles;
use crate::reject::Reject;

/// Reads what stands behind stamp, pid and message id; `None` where it refuses nothing.
pub(super) fn read(text: &[u8]) -> Option<Reject<'_>> {
    in_session(text).or_else(|| hello(text)).or_else(|| whole_message(text)).or_else(|| connection(text))
}

/// `H=… [ip] F=<sender> [temporarily ]rejected COMMAND argument: reason`.
fn in_session(text: &[u8]) -> Option<Reject<'_>> {
    let mut reject = Reject { count: 1, ..Reject::default() };
    let rest = client(text, &mut reject)?;
    let (temporary, said) = verb(rest, &mut reject)?;
    reject.temporary = temporary;
    let (stage, argument, reason) = command(said)?;
    reject.stage = Some(stage);
    match stage {
        Stage::Rcpt => reject.recipient = Cow::Borrowed(argument),
        Stage::Mail if reject.sender.is_none() => reject.sender = Some(Cow::Borrowed(argument)),
        Stage::Helo if reject.helo.is_empty() => reject.helo = Cow::Borrowed(argument),
        _ => {}
    }
    reject.text = Cow::Borrowed(reason);
    Some(reject)
}

/// `rejected EHLO from [192.0.2.7]: syntactically invalid argument(s): x_y`.
fn hello(text: &[u8]) -> Option<Reject<'_>> {
    let rest = text.strip_prefix(b"rejected ")?;
    let rest = [&b"EHLO from "[..], b"HELO from ", b"XCLIENT from "].iter().find_map(|word| rest.strip_prefix(*word))?;
    let mut reject = Reject { stage: Some(Stage::Helo), smtp_code: Some(501), count: 1, ..Reject::default() };
    let rest = client(rest, &mut reject)?;
    let at = memmem::find(rest, b": ")?;
    reject.text = Cow::Borrowed(&rest[at + 2..]);
    Some(reject)
}

/// `rejected from <x@y.example> H=mx.example [192.0.2.7]: message too big: read=20000 max=10000`.
fn whole_message(text: &[u8]) -> Option<Reject<'_>> {
    let rest = text.strip_prefix(b"rejected from <")?;
    let end = after_angles(text, b"rejected from ".len())?;
    let mut reject = Reject {
        stage: Some(Stage::EndOfData),
        sender: Some(Cow::Borrowed(&rest[..end - 1 - b"rejected from <".len()])),
        count: 1,
        ..Reject::default()
    };
    let rest = &text[end..];
    let rest = rest.strip_prefix(b" ").and_then(|host| client(host, &mut reject)).unwrap_or(rest);
    let at = memmem::find(rest, b": ")?;
    reject.text = Cow::Borrowed(&rest[at + 2..]);
    Some(reject)
}

/// A client that was sent away: `refused connection from H=… [ip] (host_reject_connection)`, `Connection from H=… [ip] refused: too many connections`,
/// `SMTP call from H=… [ip] dropped: too many syntax or protocol errors (…)`, `SMTP protocol synchronization error (…): rejected connection from H=… [ip] …`.
fn connection(text: &[u8]) -> Option<Reject<'_>> {
    let mut reject = Reject { stage: Some(Stage::Connect), count: 1, ..Reject::default() };
    if let Some(rest) = text.strip_prefix(b"refused connection from ") {
        let said = client(rest, &mut reject)?;
        reject.text = Cow::Borrowed(if said.is_empty() { b"refused connection" } else { said.trim_ascii_start() });
        return Some(reject);
    }
    if let Some(rest) = text.strip_prefix(b"Connection from ").or_else(|| text.strip_prefix(b"connection from ")) {
        let said = client(rest, &mut reject)?.strip_prefix(b" ")?;
        if !said.starts_with(b"refused") && !said.starts_with(b"temporarily refused") {
            return None;
        }
        // `smtp_in.c`: 421, but for IP options, which are 554.
        reject.temporary = !said.starts_with(b"refused (IP options)");
        reject.text = Cow::Borrowed(said);
        return Some(reject);
    }
    if let Some(rest) = text.strip_prefix(b"SMTP call from ") {
        let said = client(rest, &mut reject)?;
        let at = memmem::find(said, b"dropped: ")?;
        (reject.stage, reject.temporary) = (None, true);
        reject.text = Cow::Borrowed(&said[at + b"dropped: ".len()..]);
        return Some(reject);
    }
    if text.starts_with(b"SMTP protocol synchronization error ") {
        let at = memmem::find(text, b"rejected ")?;
        let from = at + memmem::find(&text[at..], b" from ")?;
        client(&text[from + 6..], &mut reject)?;
        reject.smtp_code = Some(554);
        reject.text = Cow::Borrowed(text[..at].trim_ascii_end());
        return Some(reject);
    }
    None
}

/// `[fields ][F=<sender> ][temporarily ]rejected said`: whether it is temporary, and what is said. A sender may hold any words.
fn verb<'a>(rest: &'a [u8], reject: &mut Reject<'a>) -> Option<(bool, &'a [u8])> {
    let sender = memmem::find(rest, b" F=<").filter(|&at| memmem::find(rest, b" rejected ").is_none_or(|verb| verb > at));
    let rest = match sender {
        Some(at) => {
            let end = after_angles(rest, at + 3)?;
            reject.sender = Some(Cow::Borrowed(&rest[at + 4..end - 1]));
            &rest[end..]
        }
        None => rest,
    };
    let at = memmem::find(rest, b" rejected ")?;
    Some((rest[..at].ends_with(b" temporarily"), &rest[at + b" rejected ".len()..]))
}

/// The stage, the argument without its brackets, and the reason.
fn command(said: &[u8]) -> Option<(Stage, &[u8], &[u8])> {
    let words: [(&[u8], Stage); 15] = [
        (b"connection", Stage::Connect),
        (b"EHLO or HELO", Stage::Helo),
        (b"EHLO", Stage::Helo),
        (b"HELO", Stage::Helo),
        (b"AUTH", Stage::Helo),
        (b"STARTTLS", Stage::Helo),
        (b"MAIL", Stage::Mail),
        (b"sender", Stage::Mail),
        (b"RCPT", Stage::Rcpt),
        (b"recipient", Stage::Rcpt),
        (b"DATA", Stage::Data),
        (b"after DATA", Stage::EndOfData),
        (b"by local_scan()", Stage::EndOfData),
        (b"during MIME ACL checks", Stage::EndOfData),
        (b"PRDR", Stage::EndOfData),
    ];
    let (word, stage) = words.into_iter().find(|(word, _)| said.starts_with(word))?;
    let rest = &said[word.len()..];
    // `VRFY` and `ETRN` refuse no mail; a word that only begins like a command is none.
    if !matches!(rest.first(), None | Some(b' ' | b':')) {
        return None;
    }
    let argument = rest.trim_ascii_start();
    if argument.first() == Some(&b'<')
        && let Some(end) = after_angles(argument, 0)
    {
        let reason = argument[end..].strip_prefix(b": ").unwrap_or(&argument[end..]);
        return Some((stage, &argument[1..end - 1], reason.trim_ascii()));
    }
    let at = memmem::find(rest, b": ");
    let (argument, reason) = at.map_or((rest, &b""[..]), |at| (&rest[..at], &rest[at + 2..]));
    Some((stage, argument.trim_ascii(), reason))
}

/// `H=mx.example (helo) [192.0.2.7]:40123`, with or without `H=`; gives what stands behind.
fn client<'a>(text: &'a [u8], reject: &mut Reject<'a>) -> Option<&'a [u8]> {
    let text = text.strip_prefix(b"H=").unwrap_or(text);
    // The helo may be an address literal: `([192.0.2.9]) [192.0.2.7]`.
    let mut at = 0;
    if !matches!(text.first()?, b'(' | b'[') {
        let end = memchr::memchr(b' ', text)?;
        reject.client_name = Cow::Borrowed(&text[..end]);
        at = end + 1;
    }
    if text.get(at) == Some(&b'(') {
        let end = at + memmem::find(&text[at..], b") ")?;
        reject.helo = Cow::Borrowed(&text[at + 1..end]);
        at = end + 2;
    }
    let rest = text.get(at..)?.strip_prefix(b"[")?;
    let end = memchr::memchr(b']', rest)?;
    let ip = &rest[..end];
    if !ip.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':' | b'%')) {
        return None;
    }
    reject.client_ip = Cow::Borrowed(ip);
    Some(&rest[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let got = read(line.as_bytes()).map(|r| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            format!(
                "{} {} {}({})[{}] {:?}>{} {:?}|{}",
                r.stage.map(Stage::as_str).unwrap_or("-"),
                if r.temporary { "later" } else { "never" },
                text(&r.client_name),
                text(&r.helo),
                text(&r.client_ip),
                r.sender.as_deref().map(text),
                text(&r.recipient),
                r.smtp_code,
                text(&r.text)
            )
        });
        assert_eq!(got.as_deref().unwrap_or("none"), expected, "{line}");
    }

    #[test]
    fn in_a_session() {
        check(
            "H=(client.test) [192.0.2.7] F=<x@client.test> rejected RCPT <a@relaydeny.test>: relay not permitted",
            r#"rcpt never (client.test)[192.0.2.7] Some("x@client.test")>a@relaydeny.test None|relay not permitted"#,
        );
        check(
            r#"H=mx.example ([192.0.2.9]) [2001:db8::7]:39310 I=[192.0.2.1]:25 X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=no SNI="a b" F=<"a> rejected RCPT <x"@y.example> temporarily rejected RCPT <a@b.example>: greylisted"#,
            r#"rcpt later mx.example([192.0.2.9])[2001:db8::7] Some("\"a> rejected RCPT <x\"@y.example")>a@b.example None|greylisted"#,
        );
        check(
            "H=mx.example [192.0.2.7] F=<> rejected after DATA: This message contains malware (Eicar)",
            r#"end_of_data never mx.example()[192.0.2.7] Some("")> None|This message contains malware (Eicar)"#,
        );
        check(
            "H=mx.example [192.0.2.7] rejected EHLO or HELO friend: no such name",
            "helo never mx.example(friend)[192.0.2.7] None> None|no such name",
        );
        check(
            "H=[192.0.2.7] rejected MAIL <x@y.example>: not today",
            r#"mail never ()[192.0.2.7] Some("x@y.example")> None|not today"#,
        );
    }

    #[test]
    fn sent_away() {
        check(
            "rejected EHLO from (x_y) [192.0.2.7]: syntactically invalid argument(s): x_y",
            "helo never (x_y)[192.0.2.7] None> Some(501)|syntactically invalid argument(s): x_y",
        );
        check(
            "rejected from <x@y.example> H=mx.example [192.0.2.7]: message too big: read=20000 max=10000",
            r#"end_of_data never mx.example()[192.0.2.7] Some("x@y.example")> None|message too big: read=20000 max=10000"#,
        );
        check(
            "refused connection from mx.example [192.0.2.7] (host_reject_connection)",
            "connect never mx.example()[192.0.2.7] None> None|(host_reject_connection)",
        );
        check(
            "Connection from [192.0.2.7] refused: too many connections",
            "connect later ()[192.0.2.7] None> None|refused: too many connections",
        );
        check(
            r#"SMTP call from [192.0.2.7] dropped: too many syntax or protocol errors (last command was "XXX")"#,
            r#"- later ()[192.0.2.7] None> None|too many syntax or protocol errors (last command was "XXX")"#,
        );
    }

    #[test]
    fn what_refuses_nothing() {
        for line in [
            "H=mx.example [192.0.2.7] sender verify fail for <x@y.example>: Unrouteable address",
            "H=mx.example [192.0.2.7] Warning: was not rejected because it is Sunday",
            "H=mx.example [192.0.2.7] rejected VRFY a@b.example: no",
            "unexpected disconnection while reading SMTP command from [192.0.2.7]",
            "** a@b.example R=remote T=remote_smtp H=mx.example [192.0.2.7]: SMTP error: 550 rejected RCPT <a@b.example>",
            "H=",
            "H=mx.example",
            "",
        ] {
            check(line, "none");
        }
    }
}
