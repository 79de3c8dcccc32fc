//! What rows say of their message: its id, and what all its events carry.

use std::borrow::Cow;

use super::*;

#[test]
fn the_id_of_a_message() {
    let key = |set: &[(&str, &str)]| {
        let line = row(30, &[set, &[("event-id", "DELIVER"), TO_BOB]].concat());
        read(&line).1[0].split(" Mailbox").next().unwrap().to_owned()
    };
    assert_eq!(key(&[("network-message-id", &NET.to_uppercase())]), "NET");
    assert_eq!(key(&[("network-message-id", "00000000-0000-0000-0000-000000000000")]), "<a.1@ex.test>");
    assert_eq!(key(&[("network-message-id", "")]), "<a.1@ex.test>");
    assert_eq!(key(&[("network-message-id", ""), ("message-id", "")]), "EX16A/1017");
    let nothing = [("network-message-id", ""), ("message-id", ""), ("internal-message-id", "")];
    assert_eq!(key(&nothing), "EX16A/", "a delivery counts even without an id");
    let line = row(30, &[&nothing[..], &[("event-id", "RECEIVE")]].concat());
    assert_eq!(read(&line), (Sort::Irrelevant, vec![]), "all arrivals without an id would be one message");
}

#[test]
fn what_all_events_carry() {
    let line = row(30, &[SEND, TO_BOB, OUT]);
    let mut events: Vec<(Key<'_>, Fields<'_>)> = Vec::new();
    Reader::new(facts(b"")).line(line.as_bytes(), &mut events);
    let (key, f) = &events[0];
    assert_eq!((f.at, f.size, f.count, f.cut), (1_741_072_893_118_000, Some(4711), 1, false));
    assert_eq!((&*key.host, &*f.message_id, &*f.instance, &*f.source_ip), (&b""[..], &b"<a.1@ex.test>"[..], &b""[..], &b""[..]));
    assert!(matches!((&key.id, &f.message_id), (Cow::Borrowed(_), Cow::Borrowed(_))), "nothing is copied without need");
}

#[test]
fn a_hostile_row_does_not_fill_the_memory() {
    let status = "550 \"".repeat(40_000);
    let line = row(30, &[FAIL, ("recipient-address", &"a@b.test;".repeat(20_000)), ("recipient-status", &status)]);
    assert_eq!(read(&line), (Sort::Unrecognised, vec![]));
}
