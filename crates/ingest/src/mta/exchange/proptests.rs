//! Whatever the bytes: no panic, lines counted as one of three, and a chunk skipped leaves the reader as a chunk read.

use proptest::prelude::*;

use super::collection::members;
use super::tests::{facts, row};
use super::*;
use crate::event::{Fields, Key};

type Events<'a> = Vec<(Key<'a>, Fields<'a>)>;

/// Bytes that are often near a row: the marks of both quotings, of headers and of statuses.
fn near_a_row() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => prop::sample::select(vec![
            &b","[..], b"\"", b"\"\"", b"'", b"''", b";", b"\\", b"[{LED=", b"};{MSG=", b"}]", b"{FQDN=", b"\r", b"\n", b"\xef\xbb\xbf",
            b"#", b"\n#Fields: ", b"\n#Log-type: x\n", b"date-time,event-id,message-id,recipient-address", b"FAIL", b"DELIVER", b"SEND",
            b"2025-03-04T07:21:33.118Z", b"550 4.4.7 QUEUE.", b"<>", b"a@b.test", b"<1@b>", b";ClientSubmitTime:",
        ]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

fn state(reader: &Reader) -> String {
    format!("{:?} {:?}", reader.header, reader.log_type)
}

proptest! {
    #[test]
    fn any_bytes_are_sorted_without_panic(head in near_a_row(), line in near_a_row()) {
        detect(&line);
        let mut reader = Reader::new(facts(&head));
        reader.skip(&head);
        let mut events: Events = Vec::new();
        for (_, line) in lines::lines(&line) {
            let before = events.len();
            let sort = reader.line(line, &mut events);
            prop_assert_eq!(sort == Sort::Used, events.len() > before);
        }
    }

    #[test]
    fn any_cells_in_a_row_are_sorted_without_panic(
        event in prop::sample::select(vec!["FAIL", "SEND", "DEFER", "DELIVER", "DROP", "BADMAIL", "RECEIVE", "DSN", "LOAD"]),
        cells in prop::collection::vec(near_a_row(), 5),
    ) {
        let texts: Vec<String> = cells.iter().map(|c| String::from_utf8_lossy(c).replace('\n', " ")).collect();
        let line = row(30, &[("event-id", event), ("recipient-address", &texts[0]), ("recipient-status", &texts[1]),
            ("source-context", &texts[2]), ("sender-address", &texts[3]), ("message-id", &texts[4])]);
        let mut events: Events = Vec::new();
        let sort = Reader::bare("EX".into()).line(line.as_bytes(), &mut events);
        prop_assert_ne!(sort, Sort::Unrecognised);
        prop_assert!(events.iter().all(|(_, f)| f.recipient.is_empty() || *f.recipient == *f.recipient.trim_ascii()));
    }

    #[test]
    fn skipping_a_chunk_is_reading_it(first in near_a_row(), second in near_a_row()) {
        let (mut read, mut skipped) = (Reader::bare("".into()), Reader::bare("".into()));
        for chunk in [&first, &second] {
            let mut events: Events = Vec::new();
            for (_, line) in lines::lines(chunk) {
                read.line(line, &mut events);
            }
            skipped.skip(chunk);
            prop_assert_eq!(state(&read), state(&skipped));
        }
    }

    #[test]
    fn cells_come_back_as_they_were_written(texts in prop::collection::vec("[a\",;' ]{0,6}", 1..8)) {
        let quoted: Vec<String> = texts.iter().map(|t| super::tests::cell(t)).collect();
        let line = quoted.join(",");
        let mut cells = Cells::default();
        prop_assert_eq!(cells.cut(line.as_bytes(), usize::MAX), texts.len());
        for (i, text) in texts.iter().enumerate() {
            prop_assert_eq!(&*cells.get(line.as_bytes(), i), text.as_bytes());
        }
    }

    #[test]
    fn members_come_back_as_they_were_joined(texts in prop::collection::vec("[a';,]{0,6}", 1..8)) {
        let cell = super::tests::collection(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let got: Vec<String> = members(&cell.as_bytes().into()).iter().map(|m| String::from_utf8_lossy(m).into_owned()).collect();
        // One empty member and no member are written alike.
        let want = if texts.concat().is_empty() && texts.len() == 1 { vec![] } else { texts };
        prop_assert_eq!(got, want);
    }
}
