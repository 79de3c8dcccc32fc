//! Whatever stands in a line, reading it ends and never panics.

use proptest::prelude::*;

use super::super::{detect, id_epoch, is_message_id};
use super::reader;
use crate::event::{Fields, Key};

/// Pieces of real lines, and bytes that end, open or close something.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "2026-11-22 13:06:15 ", "2026-11-22 13:06:15.5 +0100 ", "[1] ", "[1/2] ", "1xV7Gp-0005rN-2i ", "<22>Nov 22 13:06:15 mx exim[1]: ",
            "1xV7Lb-000000007gV-2qQP ", "<= ", "=> ", "-> ", "** ", "== ", "*> ", "Completed", "a@b.test", "|cmd", ":blackhole:", "save ",
            " <a@b.test>", " (a@b.test, c@d.test)", " R=r", " T=t", " T=\"x", " H=", "(h) ", "[192.0.2.1]", ":25", "*", " I=[", " C=\"250 ok",
            " QT=1s", " QT=99999999999999999999w", " DT=0s", " defer", " (-44)", " (110): Connection timed out", ": ", " : ", "\"", "\\", "<", ">",
            " routing defer", "SMTP error from remote mail server after RCPT TO:<", ": host h [", "retry timeout exceeded", " F=<", " DN=\"",
            " S=99999999999999999999", " id=", " id*=", " ",
        ]).prop_map(|text: &str| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn read(line: &[u8]) {
    let mut reader = reader("UTC", "");
    let mut events: Vec<(Key<'_>, Fields<'_>)> = Vec::new();
    reader.line(line, &mut events);
    reader.skip(line, 0);
    detect(line);
    id_epoch(line);
    is_message_id(line);
}

proptest! {
    #[test]
    fn any_bytes(line in prop::collection::vec(any::<u8>(), 0..200)) {
        read(&line);
    }

    #[test]
    fn any_bytes_behind_a_flag(flag in "<=|=>|->|\\*\\*|==|\\*>", rest in prop::collection::vec(any::<u8>(), 0..120)) {
        read(&[b"2026-11-22 13:06:15 1xV7Gp-0005rN-2i ", flag.as_bytes(), b" ", &rest].concat());
    }

    #[test]
    fn pieces_in_any_order(line in pieces()) {
        read(&line);
        read(&[b"2026-11-22 13:06:15 1xV7Gp-0005rN-2i => ".as_slice(), &line].concat());
        read(&[b"2026-11-22 13:06:15 1xV7Gp-0005rN-2i == ".as_slice(), &line].concat());
    }

    #[test]
    fn a_real_line_cut_anywhere(cut in 0usize..400) {
        let line = br#"<22>Nov 22 13:07:02 mx exim[1]: [1\2] 2026-11-22 13:06:35.655 +0000 [23098] 1xV7H9-00060W-1p => ok1@remote.test (p@a.test) <"o o"@a.test> F=<s@l.test> R=remote T=remote_smtp H=h [127.0.0.1]:2525* I=[127.0.0.1]:35264 L C="250 2.0.0 \"Ok\": queued as SINK000001" QT=0.084s DT=0.011s"#;
        read(&line[..cut.min(line.len())]);
        read(&line[cut.min(line.len())..]);
    }
}
