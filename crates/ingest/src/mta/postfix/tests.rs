use chrono::NaiveDate;

use super::*;
use crate::clock::Zone;

type Read<'a> = (Sort, Vec<(Key<'a>, Fields<'a>)>);

fn read(text: &str) -> Read<'_> {
    let clock = Clock::new(Zone::UTC, NaiveDate::from_ymd_opt(2026, 11, 1).unwrap());
    let mut sink = Vec::new();
    let sort = Reader { clock }.line(text.as_bytes(), &mut sink);
    (sort, sink)
}

/// The one event of a line whose payload is `payload`, with its fields in a readable form.
fn one(tag: &str, payload: &str) -> String {
    let line = format!("Nov 22 13:42:06 lab {tag}[294]: {payload}");
    let (sort, events) = read(&line);
    assert_eq!(sort, Sort::Used, "{line}");
    let s = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (key, f) = &events[0];
    let sender = f.sender.as_ref().map_or("-".into(), |b| format!("<{}>", s(b)));
    format!(
        "{} {:?} to={} orig={} relay={}[{}] dsn={} delay={} next={} sender={sender} text={}",
        s(&key.id),
        f.kind,
        s(&f.recipient),
        s(&f.original),
        s(&f.relay_host),
        s(&f.relay_ip),
        f.enhanced_code.map_or("-".into(), |c| c.to_string()),
        f.delay_ms.map_or(-1, |d| d),
        s(&f.next_id),
        s(&f.text)
    )
}

#[test]
fn delivery_records() {
    assert_eq!(
        one(
            "postfix/smtp",
            "4jXVcG2tc6z1XXTY: to=<u0@ok.test>, relay=mx.ok.test[127.0.1.10]:25, delay=0.07, delays=0.06/0.01/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 02F12E00001)"
        ),
        "4jXVcG2tc6z1XXTY Sent to=u0@ok.test orig= relay=mx.ok.test[127.0.1.10] dsn=2.0.0 delay=70 next=02F12E00001 sender=- text=250 2.0.0 Ok: queued as 02F12E00001"
    );
    assert_eq!(
        one(
            "postfix-out/smtp",
            "E26A2998B7E: to=<\"a>, relay=x\"@ok.test>, orig_to=<b@ok.test>, relay=none, conn_use=3, delay=12, delays=1/2/3/6, tls=may?, dsn=4.4.1, status=deferred (connect to x[::1]:25: (odd))"
        ),
        "E26A2998B7E Deferred to=\"a>, relay=x\"@ok.test orig=b@ok.test relay=[] dsn=4.4.1 delay=12000 next= sender=- text=connect to x[::1]:25: (odd)"
    );
    assert_eq!(
        one("postfix/smtp", "E26A2998B7E: to=<a@b.test>, relay=mx.b.test[192.0.2.1], delay=1, status=sent (250 ok)"),
        "E26A2998B7E Sent to=a@b.test orig= relay=mx.b.test[192.0.2.1] dsn=- delay=1000 next= sender=- text=250 ok"
    );
    let kinds = [
        ("postfix/discard", "sent (silently)", "Discarded"),
        ("postfix/smtp", "SOFTBOUNCE (host x said: 550 no)", "Deferred"),
        ("postfix/smtp", "undeliverable-but-not-cached (host x said: 450 no)", "Probe"),
        ("any-name/pipe", "bounced (user unknown. Command output: no such mailbox here )", "Bounced"),
    ];
    for (tag, status, kind) in kinds {
        let got =
            one(tag, &format!("E26A2998B7E: to=<a@b.test>, relay=none, delay=1, delays=1/0/0/0, dsn=2.0.0, status={status}"));
        assert!(got.contains(kind), "{got}");
    }
}

#[test]
fn lines_of_the_queue() {
    assert_eq!(
        one("postfix/qmgr", "E26A2998B7E: from=<s@b.test>, size=246, nrcpt=1 (queue active)"),
        "E26A2998B7E About to= orig= relay=[] dsn=- delay=-1 next= sender=<s@b.test> text="
    );
    assert!(one("postfix/qmgr", "E26A2998B7E: from=<s@b.test>, status=force-expired, returned to sender").contains("GaveUp"));
    assert!(one("postfix/qmgr", "E26A2998B7E: removed").contains("Removed"));
    assert!(one("postfix/postsuper", "E26A2998B7E: removed").contains("RemovedByHand"));
    assert!(one("postfix/pickup", "E26A2998B7E: uid=0 from=<root>").contains("Born"));
    assert!(
        one("postfix/smtpd", "E26A2998B7E: client=localhost[127.0.0.1], orig_queue_id=0ADD5998B82, orig_client=x[192.0.2.1]")
            .contains("next=0ADD5998B82")
    );
    assert!(one("postfix/bounce", "E26A2998B7E: sender non-delivery notification: 0ADD5998B82").starts_with("0ADD5998B82 About"));
}

#[test]
fn a_requeued_message_goes_on_under_its_new_id() {
    let (_, events) = read("Nov 22 13:42:06 lab postfix/pickup[1]: 0ADD5998B82: uid=89 from=<a@b.test> orig_id=E26A2998B7E");
    let kinds: Vec<_> = events.iter().map(|(key, f)| (key.id.to_vec(), f.kind, f.next_id.to_vec())).collect();
    let (old, new) = (b"E26A2998B7E".to_vec(), b"0ADD5998B82".to_vec());
    assert_eq!(kinds, [(old, Kind::Requeued, new.clone()), (new, Kind::Born, Vec::new())]);
}

#[test]
fn repeats_and_cut_lines() {
    let (_, events) = read(
        "Nov 22 13:42:06 lab postfix/smtp[1]: message repeated 3 times: [ E26A2998B7E: to=<a@b.test>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (x)]",
    );
    assert_eq!(events[0].1.count, 3);
    let (_, events) = read(
        "Nov 22 13:42:06 lab postfix/smtp[1]: E26A2998B7E: to=<a@b.test>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (host x said: 450 cut he",
    );
    assert!(events[0].1.cut);
    let (sort, _) = read("Nov 22 13:42:06 lab postfix/smtp[1]: E26A2998B7E: to=<a@b.test>, relay=none, delay=1, del");
    assert_eq!(sort, Sort::Unrecognised);
}

#[test]
fn what_is_no_delivery() {
    for line in [
        "",
        "Nov 22 13:42:06 lab sshd[1]: Accepted publickey for root",
        "Nov 22 13:42:06 lab postfix/smtpd[1]: NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 5.7.1 no; from=<> to=<a@b>",
        "Nov 22 13:42:06 lab postfix/smtp[1]: E26A2998B7E: host x[192.0.2.1] said: 450 4.2.0 status=deferred (in reply to RCPT TO command)",
        "Nov 22 13:42:06 lab postfix/smtp[1]: connect to x[192.0.2.1]:25: Connection refused",
    ] {
        assert_eq!(read(line).0, Sort::Irrelevant, "{line}");
        assert_eq!(detect(line.as_bytes()), usize::from(line.contains("postfix")), "{line}");
    }
}

proptest::proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let text = [b"Nov 22 13:42:06 lab postfix/smtp[1]: E26A2998B7E: to=<".as_slice(), &bytes].concat();
        let clock = Clock::new(Zone::UTC, NaiveDate::from_ymd_opt(2026, 11, 1).unwrap());
        Reader { clock: clock.clone() }.line(&text, &mut Vec::new());
        Reader { clock }.line(&bytes, &mut Vec::new());
    }
}
