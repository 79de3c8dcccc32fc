//! The `recipient-status` cell: which text belongs to which recipient, and what kind of failure it tells of. Not here: reasons
//! (classification takes the text as logged).
//!
//! Two dialects, either in any row: `550 5.1.1 RESOLVER.ADR.RecipNotFound; not found` and
//! `[{LED=550 5.1.1 User unknown};{MSG=};{FQDN=mx1.ok.test};{IP=203.0.113.9};{LRT=11.08.2026 09:47:13}]`.
//!
//! LRT follows the server's locale: it is never read.

use std::borrow::Cow;

use bouncestat_record::EnhancedCode;
use memchr::{memchr, memchr_iter, memchr3_iter, memmem};

use super::collection::{members, part};

/// The statuses of a row.
#[derive(Debug)]
pub(super) enum Statuses<'a> {
    /// One a recipient.
    Each(Vec<Cow<'a, [u8]>>),
    /// The same for all.
    Same(Cow<'a, [u8]>),
    /// Nothing tells which is whose: no text for any. What kind of end they tell of is known where all tell of the same, and then the words
    /// that all begin with are those of each.
    Unclear(End, Cow<'a, [u8]>),
}

impl<'a> Statuses<'a> {
    /// Takes a cell apart for `recipients` (at least one).
    ///
    /// Where the members don't match, a single one is for all; where `;` seems to belong to the texts (`…; not found;550 …`), it is
    /// cut only before text; and where nothing fits, all that say the same stand for all, and others for none.
    pub(super) fn align(cell: Cow<'a, [u8]>, recipients: usize) -> Self {
        if cell.is_empty() {
            return Self::Same(cell);
        }
        let mut members = members(&cell);
        if members.len() == recipients {
            return Self::Each(members);
        }
        if recipients == 1 {
            return Self::Same(cell);
        }
        if members.len() > 1 {
            let texts = cut_before_text(&cell);
            if texts.len() == recipients {
                return Self::Each(texts);
            }
        }
        let first = members.swap_remove(0);
        if members.iter().all(|member| *member == first) {
            return Self::Same(first);
        }
        let end = End::read(&first);
        if end == End::Refused || members.iter().any(|member| End::read(member) != end) {
            return Self::Unclear(End::Refused, Cow::Borrowed(b""));
        }
        let shared = members.iter().map(|member| shared_words(&first, member)).min().unwrap_or(0);
        Self::Unclear(end, part(&first, 0..shared))
    }

    /// The end that all tell of, where nothing tells which status is whose.
    pub(super) fn unclear(&self) -> Option<End> {
        match self {
            Self::Unclear(end, _) => Some(*end),
            Self::Each(_) | Self::Same(_) => None,
        }
    }

    /// The status of a recipient.
    pub(super) fn take(&mut self, index: usize) -> Cow<'a, [u8]> {
        match self {
            Self::Each(texts) => std::mem::take(&mut texts[index]),
            Self::Same(text) => text.clone(),
            Self::Unclear(_, text) => text.clone(),
        }
    }

    /// Bytes that [`take`](Self::take) copies for each recipient.
    pub(super) fn copied(&self) -> usize {
        match self {
            Self::Same(Cow::Owned(text)) | Self::Unclear(_, Cow::Owned(text)) => text.len(),
            _ => 0,
        }
    }
}

/// How many bytes of whole words two texts begin with in common.
fn shared_words(a: &[u8], b: &[u8]) -> usize {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let ends = |text: &[u8]| text.get(same).is_none_or(|b| *b == b' ');
    if ends(a) && ends(b) { same } else { memchr::memrchr(b' ', &a[..same]).unwrap_or(0) }
}

/// Cuts at each `;` that no space follows.
fn cut_before_text<'a>(cell: &Cow<'a, [u8]>) -> Vec<Cow<'a, [u8]>> {
    let mut out = Vec::new();
    let mut start = 0;
    for at in memchr_iter(b';', cell) {
        if cell.get(at + 1).is_some_and(|b| !matches!(b, b' ' | b'\t'..=b'\r' | 0x1c..=0x1f)) {
            out.push(part(cell, start..at));
            start = at + 1;
        }
    }
    out.push(part(cell, start..cell.len()));
    out
}

/// What kind of end a FAIL is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Refused.
    Refused,
    /// Time was over.
    Expired,
    /// An administrator took it out of the queue.
    ByHand,
    /// 2.x: all is well, the copy was only not needed.
    Handled,
}

impl End {
    /// Reads it from a status of either dialect.
    pub(super) fn read(status: &[u8]) -> Self {
        let error = last_error(status).trim_ascii();
        let (code, leading) = leading_codes(error);
        let enhanced = leading.or_else(|| first_enhanced(error));
        if find(error, b"queue.expired").is_some() || enhanced.is_some_and(is_expiry) {
            return Self::Expired;
        }
        if is_by_hand(error) {
            return Self::ByHand;
        }
        // A number inside a reject's text (`550 blocked by Filter 2.5.1`) does not make it a success.
        match leading.map(|enhanced| enhanced.class).or(code) {
            Some(2) => Self::Handled,
            _ => Self::Refused,
        }
    }
}

fn is_expiry(code: EnhancedCode) -> bool {
    matches!((code.class, code.subject, code.detail), (4, 4, 7) | (5, 4, 300))
}

/// The text of `LED=`, or the whole status where it is not wrapped. LED may hold anything, so it ends at the last `};{MSG=`.
fn last_error(status: &[u8]) -> &[u8] {
    const OPEN: &[u8] = b"{LED=";
    let Some(open) = memmem::find(status, OPEN) else {
        return status;
    };
    let inside = &status[open + OPEN.len()..];
    memmem::rfind(inside, b"};{MSG=").map_or(status, |end| &inside[..end])
}

/// Whether the queue says that an administrator did it: `QUEUE.Admin`, `QUEUE.DDAdmin`, `QUEUE.PoisonAdmin`.
fn is_by_hand(text: &[u8]) -> bool {
    const QUEUE: &[u8] = b"queue.";
    let Some(at) = find(text, QUEUE) else {
        return false;
    };
    let token = &text[at + QUEUE.len()..];
    let token = &token[..token.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(token.len())];
    token.len() >= 5 && token[token.len() - 5..].eq_ignore_ascii_case(b"admin")
}

/// Where `needle` begins in `text`; case does not matter.
fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|found| found.eq_ignore_ascii_case(needle))
}

/// The first digit of the basic code at the start of `text`, and the enhanced code behind it or at the start itself.
fn leading_codes(text: &[u8]) -> (Option<u8>, Option<EnhancedCode>) {
    let enhanced = |text| EnhancedCode::parse_prefix(text).map(|(code, _)| code);
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits < 3 {
        return (None, enhanced(text));
    }
    let rest = &text[3..];
    let gap = rest.iter().take_while(|b| matches!(b, b' ' | b'-')).count();
    (Some(text[0] - b'0'), if gap > 0 { enhanced(&rest[gap..]) } else { None })
}

/// The first enhanced code anywhere that is not part of a longer number.
fn first_enhanced(text: &[u8]) -> Option<EnhancedCode> {
    let starts = memchr3_iter(b'2', b'4', b'5', text);
    let mut free = starts.filter(|&at| at == 0 || !matches!(text[at - 1], b'0'..=b'9' | b'.'));
    free.find_map(|at| EnhancedCode::parse_prefix(&text[at..])).map(|(code, _)| code)
}

/// The remote server that a wrapped status names: host and IP, each empty where it has none.
pub(super) fn remote<'a>(status: &Cow<'a, [u8]>) -> (Cow<'a, [u8]>, Cow<'a, [u8]>) {
    if !status.starts_with(b"[{") {
        return (Cow::Borrowed(b""), Cow::Borrowed(b""));
    }
    let mut host = value(status, b"{FQDN=");
    if host.is_empty() {
        host = value(status, b"{Last attempted server name=");
    }
    (host, without_port(value(status, b"{IP=")))
}

/// `192.0.2.1` of `192.0.2.1:25`.
fn without_port(ip: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let mut colons = memchr_iter(b':', &ip);
    match (colons.next(), colons.next()) {
        (Some(at), None) => part(&ip, 0..at),
        _ => ip,
    }
}

/// What stands behind the last `key`, which no remote text comes after.
fn value<'a>(status: &Cow<'a, [u8]>, key: &[u8]) -> Cow<'a, [u8]> {
    let range = memmem::rfind(status, key).and_then(|at| {
        let start = at + key.len();
        memchr(b'}', &status[start..]).map(|length| start..start + length)
    });
    range.map_or(Cow::Borrowed(b""), |range| part(status, range))
}

/// The remote server's reply in a SEND row's source-context: `session;reply;ClientSubmitTime:…`.
pub(super) fn reply<'a>(context: &Cow<'a, [u8]>) -> Option<Cow<'a, [u8]>> {
    let start = memchr(b';', context)? + 1;
    let end = start + memmem::rfind(&context[start..], b";ClientSubmitTime:")?;
    (end > start).then(|| part(context, start..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn statuses_find_their_recipients() {
        let table: [(&str, usize, &[&str]); 11] = [
            ("", 2, &["", ""]),
            ("250 ok;550 no", 2, &["250 ok", "550 no"]),
            ("550 5.1.1 X; not found", 1, &["550 5.1.1 X; not found"]),
            ("550 5.1.1 X", 2, &["550 5.1.1 X", "550 5.1.1 X"]),
            ("'550 5.1.1 X; not found'", 2, &["550 5.1.1 X; not found", "550 5.1.1 X; not found"]),
            ("550 5.1.1 X; not found;550 5.1.1 Y; no", 2, &["550 5.1.1 X; not found", "550 5.1.1 Y; no"]),
            ("'550 a; b';'451 it''s; c'", 2, &["550 a; b", "451 it's; c"]),
            ("a;b;c", 2, &["", ""]),
            ("a;a;a", 2, &["a", "a"]),
            ("a; b;c", 2, &["a; b", "c"]),
            ("To;Cc", 3, &["", "", ""]),
        ];
        for (cell, recipients, want) in table {
            let mut statuses = Statuses::align(Cow::Borrowed(cell.as_bytes()), recipients);
            let got: Vec<String> = (0..recipients).map(|i| text(&statuses.take(i))).collect();
            assert_eq!(got, want, "{cell}");
        }
    }

    #[test]
    fn what_misaligned_statuses_agree_on() {
        let unclear = |cell: &str| Statuses::align(Cow::Borrowed(cell.as_bytes()), 2).unclear();
        assert_eq!(unclear("550 4.4.7 a;550 4.4.7 b;550 4.4.7 c"), Some(End::Expired));
        assert_eq!(unclear("550 5.1.1 a;550 4.4.7 b;550 5.2.1 c"), Some(End::Refused));
        assert_eq!(unclear("250 2.1.5 a;250 2.1.5 b;250 2.1.5 c"), Some(End::Handled));
        assert_eq!(unclear("550 5.1.1 a;550 4.4.7 b"), None);
    }

    #[test]
    fn ends() {
        use End::*;
        for (status, end) in [
            ("550 4.4.7 QUEUE.Expired; message expired", Expired),
            ("[{LED=550 4.4.7 QUEUE.Expired; message expired};{MSG=};{FQDN=mail.stage.test};{IP=203.0.113.25};{LRT=}]", Expired),
            ("queue.expired", Expired),
            ("550 5.4.300 Message expired", Expired),
            ("Message expired (4.4.7)", Expired),
            ("550 4.4.70 no such code", Refused),
            ("550 4.3.2 QUEUE.Admin; message deleted by administrative action", ByHand),
            ("[{LED=550 4.3.2 QUEUE.DDAdmin; x};{MSG=};{FQDN=};{IP=};{LRT=}]", ByHand),
            ("550 4.3.2 QUEUE.PoisonAdmin; x", ByHand),
            ("550 4.3.2 QUEUE.TransportAgent; message deleted by transport agent", Refused),
            ("550 4.3.2 QUEUE.Ad", Refused),
            ("250 2.1.5 RESOLVER.GRP.Expanded; distribution list expanded", Handled),
            ("250 OK", Handled),
            ("550 5.1.1 not 2.1.5", Refused),
            ("550 blocked by Filter 2.5.1", Refused),
            ("2.1.5 handled", Handled),
            ("250 5.1.1 odd", Refused),
            ("550 2.1.5 odd", Handled),
            ("#< #4.4.7 smtp;550 4.4.7 expired>", Expired),
            ("<addr> recipient rejected", Refused),
            ("Client 2.2.2.2 refused", Refused),
            ("[{LED=};{MSG=250 2.0.0};{FQDN=};{IP=};{LRT=}]", Refused),
            ("[{LED=550 5.1.1 };{MSG= 4.4.7};{MSG=};{FQDN=};{IP=};{LRT=}]", Refused),
            ("[{LED=450 4.4.316 Connection refused", Refused),
            ("", Refused),
        ] {
            assert_eq!(End::read(status.as_bytes()), end, "{status}");
        }
    }

    #[test]
    fn remotes_in_every_locale() {
        for lrt in ["1/29/2025 7:07:29 PM", "11.08.2026 09:47:13", "12/03/2025 19:50:43", ""] {
            let status =
                format!("[{{LED=550 {{FQDN=fake}};{{IP=6}} x}};{{MSG=}};{{FQDN=mx.a.test}};{{IP=192.0.2.1}};{{LRT={lrt}}}]");
            let (host, ip) = remote(&Cow::Borrowed(status.as_bytes()));
            assert_eq!((text(&host), text(&ip)), ("mx.a.test".into(), "192.0.2.1".into()));
        }
        let online = "[{LED=450 4.4.316 Connection refused};{MSG=Socket error code 10061};{Last attempted server name=h.a.test}";
        assert_eq!(text(&remote(&Cow::Borrowed(online.as_bytes())).0), "h.a.test");
        let with_port = |ip: &str| text(&remote(&Cow::Borrowed(format!("[{{LED=}};{{IP={ip}}}]").as_bytes())).1);
        assert_eq!((with_port("192.0.2.1:25"), with_port("2001:db8::1")), ("192.0.2.1".into(), "2001:db8::1".into()));
        assert_eq!(text(&remote(&Cow::Borrowed(b"550 said {FQDN=fake}")).0), "");
    }

    #[test]
    fn replies() {
        let reply = |context: &str| reply(&Cow::Borrowed(context.as_bytes())).map(|r| text(&r));
        assert_eq!(reply("08DD1;250 2.6.0 <a@b> x; y;ClientSubmitTime:2025").as_deref(), Some("250 2.6.0 <a@b> x; y"));
        assert_eq!(reply("08DD1;;ClientSubmitTime:"), None);
        assert_eq!(reply("08DD1;250 ok"), None);
        assert_eq!(reply(""), None);
    }
}
