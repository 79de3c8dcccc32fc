//! `--redact local|address`: addresses become keyed hashes in all that is written; equal ones stay equal, so that counts stay right.
//!
//! A hash is the first 16 hexadecimal digits of HMAC-SHA-256 (RFC 2104) of the address in its comparable form. Who has the key finds
//! an address again: `printf %s bob@example.com | openssl dgst -sha256 -hmac KEY`. Replies are judged before, by what they said.
//!
//! Where the key comes from, `settings` knows.
//!
//! `550 5.1.1 <bob@example.com>: bob is unknown` becomes `550 5.1.1 <2f…@example.com>: 2f… is unknown`, and with `address`
//! `550 5.1.1 <2f…@7a….invalid>: 2f… is unknown`. What is not found: names that are no part of an address of this delivery.

use std::borrow::Cow;

use bouncestat_ingest::event::Kind;
use bouncestat_ingest::join::fold::View;
use bouncestat_ingest::join::stitch::Message;
use bouncestat_ingest::join::store::Part;
use bouncestat_ingest::reject::Kept;
use bouncestat_record::{Delivery, Mta, Rejection, Try, Verdict, address};
use bouncestat_store::Redact;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// What is done to addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Redaction {
    /// Nothing.
    None,
    /// The part before the @ is hashed.
    Local,
    /// The part before the @ and the domain are hashed.
    Address,
}

/// Hashes addresses, or leaves everything as it is.
#[derive(Clone)]
pub struct Redactor {
    how: Redaction,
    key: Hmac<Sha256>,
}

/// The two names of a delivery: they are hashed where they stand alone, too.
#[derive(Default)]
struct Names<'a> {
    /// Local parts, with what they become.
    locals: Vec<(&'a str, String)>,
    /// Domains, with what they become; with `address` only.
    domains: Vec<(String, String)>,
}

impl Redact for Redactor {
    fn message(&self, view: View<'_>, kept: usize) -> Message {
        let mta = Some(view.mta);
        let (all, senders) = (addresses(&view, kept, &PEOPLE), addresses(&view, kept, &[Part::Sender]));
        let pieces = |number: usize, text: &[u8]| {
            // What is said of a recipient is cleaned of that one's name, as for a report: another one's may be a word of it.
            let recipient = view.text.get(view.events[number].span(Part::Recipient));
            let mut named = senders.clone();
            match recipient.is_empty() {
                true => named.extend_from_slice(&all),
                false => named.push(String::from_utf8_lossy(recipient).into_owned()),
            }
            let named: Vec<Option<&str>> = named.iter().map(|address| Some(address.as_str())).collect();
            self.pieces(text, &self.names(&named, mta), mta)
        };
        Message::mapped(view, |number, part, text| match part {
            _ if number < kept => text.to_vec(),
            // What a session says beside its commands: it may name a message, and must name it as the message is named.
            Part::Original if view.events[number].kind == Kind::Session => self.pieces(text, &Names::default(), mta),
            Part::Recipient | Part::Original | Part::Sender => self.address(&String::from_utf8_lossy(text), mta).into_bytes(),
            Part::Reply | Part::RelayHost => pieces(number, text),
            // The same for all messages: what joins them must stay equal.
            Part::MessageId => self.pieces(text, &Names::default(), mta),
            Part::RelayIp | Part::NextId | Part::Instance | Part::SourceIp => text.to_vec(),
        })
    }

    fn key_mark(&self) -> String {
        self.hash(b"the key of a dataset of bouncestat")
    }

    fn reject(&self, mta: Mta, kept: &Kept) -> Kept {
        let mut shown = kept.clone();
        kept.tell(mta, 0, &mut |rejection| {
            self.rejection(rejection, |clean| {
                shown.reject.recipient = clean.recipient.as_bytes().to_vec().into();
                shown.reject.sender = clean.sender.map(|sender| sender.as_bytes().to_vec().into());
                shown.reject.text = clean.text.to_vec().into();
            });
        });
        shown
    }
}

impl Redactor {
    /// Hashes with a key.
    pub fn with_key(how: Redaction, key: &[u8]) -> Self {
        Self { how, key: Hmac::new_from_slice(key).expect("a key may have any length") }
    }

    /// Leaves everything as it is.
    pub fn none() -> Self {
        Self::with_key(Redaction::None, b"")
    }

    /// Whether anything is changed.
    pub fn redacts(&self) -> bool {
        self.how != Redaction::None
    }

    /// The name in the metadata of outputs.
    pub fn as_str(&self) -> &'static str {
        match self.how {
            Redaction::None => "none",
            Redaction::Local => "local",
            Redaction::Address => "address",
        }
    }

    fn hash(&self, text: &[u8]) -> String {
        let mut mac = self.key.clone();
        mac.update(text);
        mac.finalize().into_bytes()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A domain: itself, or with `address` its hash below `.invalid` (RFC 2606), which no mail ever goes to.
    fn domain(&self, domain: &str) -> String {
        match self.how {
            Redaction::Address => format!("{}.invalid", self.hash(address::normal_domain(domain.as_bytes()).as_bytes())),
            _ => domain.to_owned(),
        }
    }

    /// The hash of a local part: that of the whole address, so that equal names at two domains are not the same.
    fn local(&self, whole: &str, mta: Option<Mta>) -> String {
        let mut comparable = address::comparable(whole.as_bytes());
        if mta == Some(Mta::Exchange) {
            comparable.make_ascii_lowercase();
        }
        self.hash(&comparable)
    }

    fn address(&self, whole: &str, mta: Option<Mta>) -> String {
        match whole.rsplit_once('@') {
            Some((_, domain)) => format!("{}@{}", self.local(whole, mta), self.domain(domain)),
            None => self.local(whole, mta),
        }
    }

    /// Hands on a delivery without its addresses. The texts of its tries must have been judged before.
    pub fn delivery<R>(&self, delivery: &Delivery<'_>, then: impl FnOnce(&Delivery<'_>) -> R) -> R {
        if self.how == Redaction::None {
            return then(delivery);
        }
        let mta = Some(delivery.mta);
        let names = self.names(&[Some(delivery.recipient), delivery.sender], mta);
        let text = |text: &[u8]| self.pieces(text, &names, mta);
        let string = |text: &str| String::from_utf8_lossy(&self.pieces(text.as_bytes(), &names, mta)).into_owned();
        let recipient = self.address(delivery.recipient, mta);
        let sender = delivery.sender.map(|sender| self.address(sender, mta));
        let message_id = string(delivery.message_id);
        let texts: Vec<_> = delivery.tries.iter().chain(&delivery.cause).map(|t| (text(t.text), string(t.relay_host))).collect();
        let mut tries: Vec<Try<'_>> = delivery.tries.iter().chain(&delivery.cause).copied().collect();
        for (attempt, (text, relay_host)) in tries.iter_mut().zip(&texts) {
            (attempt.text, attempt.relay_host) = (text, relay_host);
        }
        let cause = delivery.cause.and_then(|_| tries.pop());
        then(&Delivery {
            sender: sender.as_deref(),
            recipient: &recipient,
            message_id: &message_id,
            tries: &tries,
            cause,
            ..delivery.clone()
        })
    }

    /// Hands on a reject without its addresses; names of clients stay. Its text must have been judged before.
    pub fn rejection<R>(&self, rejection: &Rejection<'_>, then: impl FnOnce(&Rejection<'_>) -> R) -> R {
        if self.how == Redaction::None {
            return then(rejection);
        }
        let mta = Some(rejection.mta);
        let given = Some(rejection.recipient).filter(|recipient| !recipient.is_empty());
        let names = self.names(&[given, rejection.sender], mta);
        let text = self.pieces(rejection.text, &names, mta);
        let recipient = given.map(|recipient| self.address(recipient, mta)).unwrap_or_default();
        let sender = rejection.sender.map(|sender| self.address(sender, mta));
        then(&Rejection { recipient: &recipient, sender: sender.as_deref(), text: &text, ..*rejection })
    }

    /// A verdict without addresses: what a reply names as listed may be one.
    pub fn verdict<'v>(&self, verdict: &'v Verdict, delivery: &Delivery<'_>) -> Cow<'v, Verdict> {
        match &verdict.listed {
            Some(listed) if self.how != Redaction::None => {
                let names = self.names(&[Some(delivery.recipient), delivery.sender], Some(delivery.mta));
                let listed = self.pieces(listed.as_bytes(), &names, Some(delivery.mta));
                let listed = String::from_utf8_lossy(&listed).into_owned();
                Cow::Owned(Verdict { listed: Some(listed), ..verdict.clone() })
            }
            _ => Cow::Borrowed(verdict),
        }
    }

    /// A text of no known delivery.
    pub fn text(&self, text: &str) -> String {
        if self.how == Redaction::None {
            return text.to_owned();
        }
        String::from_utf8_lossy(&self.pieces(text.as_bytes(), &Names::default(), None)).into_owned()
    }

    /// Every text of a JSON value.
    pub fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.json(value)),
            Value::Object(object) => object.values_mut().for_each(|value| self.json(value)),
            _ => {}
        }
    }

    fn names<'a>(&self, addresses: &[Option<&'a str>], mta: Option<Mta>) -> Names<'a> {
        let mut names = Names::default();
        for whole in addresses.iter().copied().flatten() {
            let (local, domain) = whole.rsplit_once('@').map_or((whole, None), |(local, domain)| (local, Some(domain)));
            let local = local.trim_matches('"');
            if is_telling(local) {
                names.locals.push((local, self.local(whole, mta)));
            }
            if let (Some(domain), Redaction::Address) = (domain, self.how) {
                let domain = domain.strip_suffix('.').unwrap_or(domain);
                if !domain.is_empty() {
                    names.domains.push((domain.to_owned(), self.domain(domain)));
                }
            }
        }
        // The longest first: one may end like the other.
        names.domains.sort_by_key(|(domain, _)| std::cmp::Reverse(domain.len()));
        names.locals.sort_by_key(|(local, _)| std::cmp::Reverse(local.len()));
        names
    }

    /// A text with its addresses hashed, and the names between them.
    fn pieces(&self, text: &[u8], names: &Names<'_>, mta: Option<Mta>) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 32);
        let mut done = 0;
        while let Some(found) = next_address(text, done) {
            alone(&text[done..found.start], names, &mut out);
            // `bob%40example.com` of an URL is the same address.
            let local = String::from_utf8_lossy(&text[found.start..found.at]);
            let domain = String::from_utf8_lossy(&text[found.domain..found.end]);
            out.extend_from_slice(self.local(&format!("{local}@{domain}"), mta).as_bytes());
            out.extend_from_slice(&text[found.at..found.domain]);
            out.extend_from_slice(self.domain(&domain).as_bytes());
            done = found.end;
        }
        alone(&text[done..], names, &mut out);
        out
    }
}

/// Who may be named by what is said of no recipient.
const PEOPLE: [Part; 3] = [Part::Recipient, Part::Original, Part::Sender];

/// The addresses that some parts of a message's events hold; those of the first `kept` are hashed already.
fn addresses(view: &View<'_>, kept: usize, parts: &[Part]) -> Vec<String> {
    let mut addresses = Vec::new();
    for event in view.events.iter().skip(kept) {
        let is_session = event.kind == Kind::Session;
        if is_session {
            // Its commands name them: `RCPT TO:<bob@example.com>`.
            let (text, mut done) = (view.text.get(event.span(Part::Reply)), 0);
            while let Some(found) = next_address(text, done) {
                addresses.push(String::from_utf8_lossy(&text[found.start..found.end]).into_owned());
                done = found.end;
            }
        }
        let parts = parts.iter().filter(|part| !(is_session && matches!(part, Part::Original)));
        let texts = parts.map(|part| view.text.get(event.span(*part))).filter(|text| !text.is_empty());
        addresses.extend(texts.map(|text| String::from_utf8_lossy(text).into_owned()));
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// Whether a local part says who it is, where it stands alone: `bob` and `u0` do, `a` and `550` stand for something else.
fn is_telling(local: &str) -> bool {
    let letter = local.chars().any(char::is_alphabetic);
    let digit = local.bytes().any(|b| b.is_ascii_digit());
    (letter && (digit || local.len() >= 3)) || local.len() >= 5
}

/// Where an address stands in a text.
struct Found {
    start: usize,
    /// The `@`, or `%40`.
    at: usize,
    domain: usize,
    end: usize,
}

fn next_address(text: &[u8], from: usize) -> Option<Found> {
    // RFC 5321 atext and dots, and letters beyond ASCII (RFC 6531).
    let of_local = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(b) || *b >= 0x80;
    let of_domain = |b: &u8| b.is_ascii_alphanumeric() || b"-._".contains(b) || *b >= 0x80;
    let mut look = from;
    loop {
        let at = (look..text.len()).find(|&i| text[i] == b'@' || text[i..].starts_with(b"%40"))?;
        let domain = at + if text[at] == b'@' { 1 } else { 3 };
        look = domain;
        let quote = |quoted: &[u8]| (0..quoted.len()).rev().find(|&i| quoted[i] == b'"' && (i == 0 || quoted[i - 1] != b'\\'));
        let mut start = match text[from..at].strip_suffix(b"\"").and_then(quote) {
            Some(quote) => from + quote,
            None => at - text[from..at].iter().rev().take_while(|b| of_local(b)).count(),
        };
        // In angle brackets all of it is the address, whatever a receiver let through: `<lsearch;x@example.com>`.
        if let Some(open) = text[from..start].iter().rposition(|b| b"<> \t@".contains(b)).filter(|&i| text[from + i] == b'<') {
            start = from + open + 1;
        }
        // A quotation mark before it is none of it.
        while start < at && text[start] == b'\'' {
            start += 1;
        }
        let end = match text.get(domain) {
            Some(b'[') => text[domain..].iter().position(|b| *b == b']').map_or(domain, |n| domain + n + 1),
            _ => domain + text[domain..].iter().take_while(|b| of_domain(b)).count(),
        };
        let end = end - text[domain..end].iter().rev().take_while(|b| b"._-".contains(b)).count();
        if start < at && end > domain {
            return Some(Found { start, at, domain, end });
        }
    }
}

/// Copies a text, with the names of the delivery hashed where they stand alone.
fn alone(text: &[u8], names: &Names<'_>, out: &mut Vec<u8>) {
    let is_word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80);
    let starts = |at: usize, name: &str| text[at..].get(..name.len()).is_some_and(|t| t.eq_ignore_ascii_case(name.as_bytes()));
    let mut at = 0;
    'text: while at < text.len() {
        if !is_word(at.checked_sub(1).map(|before| &text[before])) {
            for (domain, hash) in
                names.domains.iter().map(|(d, h)| (d.as_str(), h)).chain(names.locals.iter().map(|(l, h)| (*l, h)))
            {
                let next = text.get(at + domain.len());
                if starts(at, domain) && !is_word(next) && next != Some(&b'-') {
                    out.extend_from_slice(hash.as_bytes());
                    at += domain.len();
                    continue 'text;
                }
            }
        }
        out.push(text[at]);
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"0123456789abcdef";

    #[track_caller]
    fn check(how: Redaction, text: &str, want: &str) {
        let redactor = Redactor::with_key(how, KEY);
        let names = redactor.names(&[Some("bob@Example.com"), Some("news@shop.test")], None);
        let got = String::from_utf8(redactor.pieces(text.as_bytes(), &names, None)).unwrap();
        let bob = redactor.hash(b"bob@example.com");
        let want = want.replace("BOB", &bob).replace("EXAMPLE", &format!("{}.invalid", redactor.hash(b"example.com")));
        let want = want
            .replace("COMMA", &redactor.hash(b"bob,eve@other.test"))
            .replace("EVE", &redactor.hash(b"eve@other.test"))
            .replace("OTHER", &format!("{}.invalid", redactor.hash(b"other.test")));
        assert_eq!(got, want);
    }

    #[test]
    fn addresses_and_names_alone() {
        use Redaction::{Address, Local};
        check(Local, "550 5.1.1 <bob@example.com>: bob is unknown", "550 5.1.1 <BOB@example.com>: BOB is unknown");
        check(Local, "'bob@Example.com.' bobby Bob-x", "'BOB@Example.com.' bobby Bob-x");
        check(Local, "550 <bob,eve@other.test>: no", "550 <COMMA@other.test>: no");
        check(Local, "x?u=1 via eve@other.test, at @ and a@", "x?u=1 via EVE@other.test, at @ and a@");
        check(Address, "host mx.example.com said: no bob@example.com", "host mx.EXAMPLE said: no BOB@EXAMPLE");
        check(Address, "eve%40other.test example.com.au myexample.com", "EVE%40OTHER EXAMPLE.au myexample.com");
    }

    #[test]
    fn quoted_and_long_local_parts_leave_nothing() {
        let redactor = Redactor::with_key(Redaction::Local, KEY);
        for text in
            ["\"mary ann\"@x.test", "bounce+mary=y.test@x.test", "/G=Mary/S=Ann/@x.test", "märy@x.test", "mary@[192.0.2.1]"]
        {
            let shown = redactor.text(text).to_lowercase();
            assert!(!shown.contains("mary") && !shown.contains("märy") && !shown.contains("ann"), "{shown}");
        }
    }

    /// RFC 4231, test case 2: the hash is what it says it is.
    #[test]
    fn the_hash_is_hmac_sha_256() {
        let redactor = Redactor::with_key(Redaction::Local, b"Jefe");
        assert_eq!(redactor.hash(b"what do ya want for nothing?"), "5bdcc146bf60754e");
    }
}
