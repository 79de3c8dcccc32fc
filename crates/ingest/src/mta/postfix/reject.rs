//! What Postfix refused (`smtpd/smtpd_check.c`, `cleanup/cleanup_message.c`, `postscreen/postscreen_smtpd.c`):
//!
//! `NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <a@b.example>: Relay access denied; from=<x@y.example> to=<a@b.example> proto=SMTP helo=<z>`
//!
//! `reject`, `milter-reject` and `proxy-reject` refuse; `reject_warning`, `hold`, `discard`, `filter` and the rest do not. A header's text may hold
//! anything, so the parts are found from the end.

use std::borrow::Cow;

use bouncestat_record::Stage;
use memchr::memmem;

use super::queue_id::is_queue_id;
use crate::reject::Reject;

/// Reads the text of a line, without its moment and host; `None` where it refuses nothing.
pub(super) fn read(text: &[u8]) -> Option<Reject<'_>> {
    if let Some(rest) = text.strip_prefix(b"warning: ") {
        return limit(rest);
    }
    if let Some(rest) = text.strip_prefix(b"too many errors after ") {
        return too_many_errors(rest);
    }
    let end = memmem::find(&text[..text.len().min(40)], b": ")?;
    let id = &text[..end];
    if id != b"NOQUEUE" && !is_queue_id(id) {
        return None;
    }
    let rest = &text[end + 2..];
    let rest = [&b"reject: "[..], b"milter-reject: ", b"proxy-reject: "].iter().find_map(|verb| rest.strip_prefix(*verb))?;
    if rest.starts_with(b"header ") || rest.starts_with(b"body ") || rest.starts_with(b"mime-error ") {
        return content(rest);
    }
    let colon = memchr::memchr2(b' ', b':', rest)?;
    let mut reject = Reject { stage: stage(&rest[..colon]), count: 1, ..Reject::default() };
    let mut said = &rest[colon..];
    if let Some(from) = said.strip_prefix(b" from ") {
        said = client(from, &mut reject)?;
    } else if let Some(at) = memmem::find(said, b": ") {
        // A command that is no stage of its own: `UNKNOWN`, `END-OF-MESSAGE` of a proxy.
        said = &said[at..];
    }
    let said = said.strip_prefix(b": ")?;
    let (said, fields) = envelope_start(said).map_or((said, &b""[..]), |at| (&said[..at], &said[at + 2..]));
    envelope(fields, &mut reject);
    reject.temporary = said.first() == Some(&b'4');
    // postscreen's own words, where it drops a client without a reply.
    if !said.first().is_some_and(u8::is_ascii_digit) {
        (reject.temporary, reject.smtp_code) = (true, Some(421));
    }
    reject.text = Cow::Borrowed(said);
    Some(reject)
}

/// `header Subject: x from mail.example[192.0.2.7]; from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<e>: 5.7.1 text`.
fn content(rest: &[u8]) -> Option<Reject<'_>> {
    let mut reject = Reject { stage: Some(Stage::EndOfData), count: 1, ..Reject::default() };
    let fields = memmem::rfind(rest, b"; from=<")?;
    let from = memmem::rfind(&rest[..fields], b" from ")?;
    // `local` for mail that was not received by SMTP.
    client(&rest[from + 6..fields], &mut reject);
    let tail = &rest[fields + 2..];
    let end = memmem::find(tail, b">: ").map(|at| at + 1).or_else(|| memmem::find(tail, b": "))?;
    envelope(&tail[..end], &mut reject);
    let said = &tail[end + 2..];
    reject.temporary = said.first() == Some(&b'4');
    reject.smtp_code = (!said.get(..3).is_some_and(|code| code.iter().all(u8::is_ascii_digit))).then_some(if reject.temporary {
        451
    } else {
        550
    });
    reject.text = Cow::Borrowed(said);
    Some(reject)
}

/// `Connection rate limit exceeded: 61 from mail.example[192.0.2.7] for service smtp`; the codes are smtpd's (`smtpd/smtpd.c`).
fn limit(rest: &[u8]) -> Option<Reject<'_>> {
    let (_, stage, code) = [
        (&b"Connection rate limit exceeded: "[..], Stage::Connect, 421),
        (b"Connection concurrency limit exceeded: ", Stage::Connect, 421),
        (b"New TLS session rate limit exceeded: ", Stage::Helo, 454),
        (b"AUTH command rate limit exceeded: ", Stage::Helo, 450),
        (b"Message delivery request rate limit exceeded: ", Stage::Mail, 450),
        (b"Recipient address rate limit exceeded: ", Stage::Rcpt, 450),
    ]
    .into_iter()
    .find(|(words, ..)| rest.starts_with(words))?;
    let from = memmem::find(rest, b" from ")?;
    let mut reject = Reject { stage: Some(stage), temporary: true, smtp_code: Some(code), count: 1, ..Reject::default() };
    client(&rest[from + 6..], &mut reject)?;
    reject.text = Cow::Borrowed(&rest[..memchr::memchr(b':', rest)?]);
    Some(reject)
}

/// `too many errors after RCPT from mail.example[192.0.2.7]`: the client is sent away.
fn too_many_errors(rest: &[u8]) -> Option<Reject<'_>> {
    let from = memmem::find(rest, b" from ")?;
    let command = &rest[..rest.iter().position(|&b| b == b' ')?];
    let mut reject = Reject { stage: stage(command), temporary: true, smtp_code: Some(421), count: 1, ..Reject::default() };
    client(&rest[from + 6..], &mut reject)?;
    reject.text = Cow::Borrowed(b"too many errors");
    Some(reject)
}

/// The stage that a command of smtpd's names.
fn stage(command: &[u8]) -> Option<Stage> {
    match command {
        b"CONNECT" => Some(Stage::Connect),
        b"HELO" | b"EHLO" | b"STARTTLS" | b"AUTH" | b"XCLIENT" | b"XFORWARD" => Some(Stage::Helo),
        b"MAIL" => Some(Stage::Mail),
        b"RCPT" => Some(Stage::Rcpt),
        b"DATA" => Some(Stage::Data),
        b"BDAT" | b"END-OF-MESSAGE" => Some(Stage::EndOfData),
        _ => None,
    }
}

/// `mail.example[192.0.2.7]`, `unknown[2001:db8::7]:25`, postscreen's `[192.0.2.7]:40123`; gives what stands behind.
fn client<'a>(text: &'a [u8], reject: &mut Reject<'a>) -> Option<&'a [u8]> {
    let open = memchr::memchr(b'[', text)?;
    let close = open + memchr::memchr(b']', &text[open..])?;
    let name = &text[..open];
    if name.iter().any(|b| b.is_ascii_whitespace()) {
        return None;
    }
    if name != b"unknown" {
        reject.client_name = Cow::Borrowed(name);
    }
    reject.client_ip = Cow::Borrowed(&text[open + 1..close]);
    let rest = &text[close + 1..];
    let port = rest.strip_prefix(b":").map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count());
    Some(if port > 0 { &rest[1 + port..] } else { rest })
}

/// Where the envelope begins behind a reply, which may hold anything.
fn envelope_start(said: &[u8]) -> Option<usize> {
    [&b"; from=<"[..], b"; proto=", b"; helo=<"].iter().find_map(|key| memmem::rfind(said, key))
}

/// `from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<e>`; postscreen parts them with commas.
fn envelope<'a>(fields: &'a [u8], reject: &mut Reject<'a>) {
    let value = |key: &[u8]| -> Option<&'a [u8]> {
        let at = if fields.starts_with(key) { Some(0) } else { memmem::find(fields, &[b" ", key].concat()).map(|at| at + 1) };
        let value = &fields[at? + key.len()..];
        let next = [&b"> to=<"[..], b">, to=<", b"> proto=", b">, proto=", b"> helo=<", b"> sasl_", b"> orig_"];
        let end = next.iter().filter_map(|next| memmem::find(value, next)).min();
        let end = end.or_else(|| memchr::memrchr(b'>', value))?;
        Some(&value[..end])
    };
    reject.sender = value(b"from=<").map(Cow::Borrowed);
    reject.recipient = value(b"to=<").map(Cow::Borrowed).unwrap_or_default();
    reject.helo = value(b"helo=<").map(Cow::Borrowed).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let got = read(line.as_bytes()).map(|r| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            format!(
                "{:?} {} {}[{}] {:?}>{} {} {:?}|{}",
                r.stage.map(Stage::as_str).unwrap_or("-"),
                if r.temporary { "later" } else { "never" },
                text(&r.client_name),
                text(&r.client_ip),
                r.sender.as_deref().map(text),
                text(&r.recipient),
                text(&r.helo),
                r.smtp_code,
                text(&r.text)
            )
        });
        assert_eq!(got.as_deref().unwrap_or("none"), expected, "{line}");
    }

    #[test]
    fn smtpd() {
        check(
            "NOQUEUE: reject: RCPT from mx.example[192.0.2.7]: 554 5.7.1 <a@b.example>: Relay access denied; from=<x@y.example> to=<a@b.example> proto=SMTP helo=<z.example>",
            r#""rcpt" never mx.example[192.0.2.7] Some("x@y.example")>a@b.example z.example None|554 5.7.1 <a@b.example>: Relay access denied"#,
        );
        check(
            "4jXVcG2tc6z1XXTY: milter-reject: END-OF-MESSAGE from unknown[2001:db8::7]: 5.7.1 Spam message rejected; from=<> to=<a@b.example> proto=ESMTP helo=<[192.0.2.7]>",
            r#""end_of_data" never [2001:db8::7] Some("")>a@b.example [192.0.2.7] None|5.7.1 Spam message rejected"#,
        );
        check(
            "NOQUEUE: reject: CONNECT from unknown[192.0.2.7]:2525: 450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.7]; proto=SMTP",
            r#""connect" later [192.0.2.7] None>  None|450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.7]"#,
        );
        check(
            "warning: Connection rate limit exceeded: 61 from mx.example[192.0.2.7] for service smtp",
            r#""connect" later mx.example[192.0.2.7] None>  Some(421)|Connection rate limit exceeded"#,
        );
        check(
            "too many errors after RCPT from unknown[192.0.2.7]",
            r#""rcpt" later [192.0.2.7] None>  Some(421)|too many errors"#,
        );
    }

    #[test]
    fn cleanup_and_postscreen() {
        check(
            "ADD5998B82: reject: header Subject: cheap from us[1]; from=<x> pills from mx.example[192.0.2.7]; from=<x@y.example> to=<a@b.example> proto=ESMTP helo=<mx.example>: 5.7.1 no pills",
            r#""end_of_data" never mx.example[192.0.2.7] Some("x@y.example")>a@b.example mx.example Some(550)|5.7.1 no pills"#,
        );
        check(
            "ADD5998B82: reject: body viagra from local; from=<root@mx.example> to=<a@b.example>: 5.7.1 no pills",
            r#""end_of_data" never [] Some("root@mx.example")>a@b.example  Some(550)|5.7.1 no pills"#,
        );
        check(
            "NOQUEUE: reject: RCPT from [192.0.2.7]:40123: 550 5.7.1 Service unavailable; client [192.0.2.7] blocked using zen.example; from=<x@y.example>, to=<a@b.example>, proto=ESMTP, helo=<z>",
            r#""rcpt" never [192.0.2.7] Some("x@y.example")>a@b.example z None|550 5.7.1 Service unavailable; client [192.0.2.7] blocked using zen.example"#,
        );
        check(
            "NOQUEUE: reject: CONNECT from [192.0.2.7]:40123: all server ports busy",
            r#""connect" later [192.0.2.7] None>  Some(421)|all server ports busy"#,
        );
    }

    #[test]
    fn what_refuses_nothing() {
        for line in [
            "NOQUEUE: reject_warning: RCPT from mx.example[192.0.2.7]: 554 5.7.1 x; from=<> to=<a@b.example> proto=SMTP helo=<z>",
            "4jXVcG2tc6z1XXTY: hold: header Subject: x from local; from=<a@b.example>: x",
            "NOQUEUE: reject: ",
            "NOQUEUE: reject: RCPT from ",
            "connect from mx.example[192.0.2.7]",
            "lost connection after RCPT from mx.example[192.0.2.7]",
            "",
        ] {
            check(line, "none");
        }
    }
}
