use super::*;

/// Reads a text in chunks that end behind every `lines` line ends; gives the lines, their places, and how many were joined.
fn read(text: &[u8], lines: usize) -> (Vec<String>, Vec<(u64, u64)>, u64) {
    let mut joiner = Joiner::default();
    let (mut out, mut places, mut joined, mut offset, mut base) = (Vec::new(), Vec::new(), 0, 0, 0);
    let mut take = |(text, at): (Vec<u8>, Places)| {
        assert_eq!(at.base(), base, "positions are those of the text that comes out");
        base += text.len() as u64;
        for (n, (start, line)) in crate::input::lines(&text).enumerate() {
            out.push(String::from_utf8_lossy(line).into_owned());
            let (_, offset, lines) = at.of(n, start);
            places.push((offset, lines));
        }
        joined += at.joined;
    };
    let ends: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').collect();
    for chunk in ends.chunks(lines) {
        let chunk = chunk.concat();
        let length = chunk.len() as u64;
        take(joiner.take(chunk, offset));
        offset += length;
    }
    joiner.finish(offset).map(&mut take);
    (out, places, joined)
}

#[track_caller]
fn check(text: &[u8], want: &[&str], joined: u64) -> Vec<(u64, u64)> {
    let (lines, places, n) = read(text, usize::MAX);
    assert_eq!((&lines[..], n), (&want.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>()[..], joined));
    let physical: u64 = places.iter().map(|(_, n)| n).sum();
    assert_eq!(physical as usize, text.split_inclusive(|b| *b == b'\n').count());
    for cut in [1, 2, 3, 5] {
        assert_eq!(read(text, cut), (lines.clone(), places.clone(), n), "cut behind every {cut}");
    }
    places
}

#[test]
fn containers_parts() {
    let text = b"2026-11-17T00:00:05.1Z stdout F whole\n\
        2026-11-17T00:00:05.2Z stdout P Nov 17 00:00:05 lab post\n\
        2026-11-17T00:00:05.2Z stderr F other\n\
        2026-11-17T00:00:05.3Z stdout P fix/smtp[1]: 4j\n\
        2026-11-17T00:00:05.4Z stdout F : x\n\
        2026-11-17T00:00:05.4Z stdout P never ended\n";
    let places = check(
        text,
        &[
            "2026-11-17T00:00:05.1Z stdout F whole",
            "2026-11-17T00:00:05.2Z stderr F other",
            "2026-11-17T00:00:05.2Z stdout F Nov 17 00:00:05 lab postfix/smtp[1]: 4j: x",
            "2026-11-17T00:00:05.4Z stdout P never ended",
        ],
        1,
    );
    assert_eq!(places[2].1, 3);
}

#[test]
fn dockers_parts() {
    let record = |text: &str, stream: &str, second: u32| {
        format!("{{\"log\":\"{text}\",\"stream\":\"{stream}\",\"time\":\"2026-11-17T00:00:0{second}Z\"}}\n")
    };
    let text = record(r"whole\n", "stdout", 1)
        + &record(r#"Nov 17 a \",\"stream\" \\n"#, "stdout", 2)
        + &record(r"other\n", "stderr", 3)
        + &record("b", "stdout", 4)
        + &record(r" c\n", "stdout", 5)
        + &record("never ended", "stderr", 6);
    let places = check(
        text.as_bytes(),
        &[
            r#"{"log":"whole\n","stream":"stdout","time":"2026-11-17T00:00:01Z"}"#,
            r#"{"log":"other\n","stream":"stderr","time":"2026-11-17T00:00:03Z"}"#,
            r#"{"log":"Nov 17 a \",\"stream\" \\nb c\n","stream":"stdout","time":"2026-11-17T00:00:05Z"}"#,
            r#"{"log":"never ended","stream":"stderr","time":"2026-11-17T00:00:06Z"}"#,
        ],
        1,
    );
    assert_eq!(places[2].1, 3);
}

#[test]
fn exims_parts_between_those_of_another_process() {
    let text = b"Nov 22 13:07:02 mx exim[7]: [1/3] 2026-11-22 13:07:02 1xV7He-00060W-1p ** a@b.te\n\
        Nov 22 13:07:02 mx exim[8]: [1\\2] one\r\n\
        Nov 22 13:07:02 mx exim[7]: [2/3] st: 55\n\
        Nov 22 13:07:02 mx exim[9]: [1/2] its rest is lost\n\
        Nov 22 13:07:03 mx exim[8]: [2/2] two\r\n\
        Nov 22 13:07:02 mx exim[7]: [3/3] 0 no\n\
        Nov 22 13:07:02 mx exim[9]: [1/2] a new line\n\
        Nov 22 13:07:02 mx exim[5]: [2/2] its beginning is lost\n\
        <22>Nov 22 13:07:02 exim[6]: [1/2] no \n\
        <22>Nov 22 13:07:02 exim[6]: [2/2] host";
    check(
        text,
        &[
            "Nov 22 13:07:02 mx exim[8]: one two",
            "Nov 22 13:07:02 mx exim[7]: 2026-11-22 13:07:02 1xV7He-00060W-1p ** a@b.test: 550 no",
            "Nov 22 13:07:02 mx exim[9]: [1/2] its rest is lost",
            "Nov 22 13:07:02 mx exim[5]: [2/2] its beginning is lost",
            "<22>Nov 22 13:07:02 exim[6]: no host",
            "Nov 22 13:07:02 mx exim[9]: [1/2] a new line",
        ],
        3,
    );
}

#[test]
fn the_journals_export() {
    let mut text =
        b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795354926423193\n_HOSTNAME=lab\nSYSLOG_IDENTIFIER=postfix/smtp\n_PID=294\n\
        MESSAGE=4j: a=b\n\n__CURSOR=s=2\n__REALTIME_TIMESTAMP=1795354926423194\nMESSAGE\n"
            .to_vec();
    // Ten bytes: the length itself holds a line end.
    text.extend_from_slice(&10u64.to_le_bytes());
    text.extend_from_slice(b"\xffone\n\ntwo\xc3\n_COMM=exim\n\nno record\n__CURSOR=s=3\nMESSAGE=without a time\n\n");
    text.extend_from_slice(b"__CURSOR=s=4\n__REALTIME_TIMESTAMP=1795354926423195\nSYSLOG_IDENTIFIER=a\nMESSAGE=last");
    let (lines, places, joined) = read(&text, usize::MAX);
    assert_eq!(
        lines,
        [
            "2026-11-22T13:42:06.423193Z lab postfix/smtp[294]: 4j: a=b",
            "2026-11-22T13:42:06.423194Z - exim[0]: \u{fffd}one  two\u{fffd}",
            "no record",
            "",
            "2026-11-22T13:42:06.423195Z - a[0]: last",
        ]
    );
    assert_eq!(places[0], (0, 7));
    assert_eq!(joined, 0);
    for cut in [1, 2, 3, 5] {
        assert_eq!(read(&text, cut), (lines.clone(), places.clone(), 0), "cut behind every {cut}");
    }
}

#[test]
fn what_only_looks_like_a_part() {
    for line in [
        "Nov 22 13:07:02 mx exim[7]: [1/1] whole",
        "Nov 22 13:07:02 mx exim[7]: [0/2] x",
        "Nov 22 13:07:02 mx exim[7]: x [1/2] y",
        "[1/2] x",
        "2026-11-17T00:00:05.1Z stdout X x",
    ] {
        let text = format!("{line}\n");
        check(text.as_bytes(), &[line], 0);
    }
}
