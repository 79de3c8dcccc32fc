//! The input room from outside: real packed bytes, made by the encoders of the same crates, whole, cut and damaged;
//! and folders as they lie on mail servers.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use bouncestat_ingest::input::{
    Chunk, ChunkOptions, Chunks, Compression, DiscoverOptions, Encoding, Problem, ProblemKind, Reader, Source, SourceKind,
    discover, lines, open, open_peeked, peek,
};
use proptest::prelude::*;

const PACKED: [Compression; 4] = [Compression::Gzip, Compression::Bzip2, Compression::Xz, Compression::Zstd];

/// Lines that do not pack too well, so that a file cut anywhere still holds something.
fn log(count: u32) -> Vec<u8> {
    let mut text = Vec::new();
    for n in 0..count {
        let id = n.wrapping_mul(2_654_435_761) ^ (n << 7);
        writeln!(text, "Nov 22 13:07:02 mx1 postfix/smtp[{}]: {id:08X}: to=<u{n}@example.com>, status=sent", id % 9973).unwrap();
    }
    text
}

fn pack(compression: Compression, text: &[u8]) -> Vec<u8> {
    match compression {
        Compression::Plain => text.to_vec(),
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Bzip2 => {
            // Blocks of 100 kB, so that there are several.
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
            encoder.include_checksum(true).unwrap();
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
    }
}

fn reader(bytes: &[u8]) -> Result<Reader, Problem> {
    Reader::new(Path::new("test.log"), Box::new(Cursor::new(bytes.to_vec())))
}

/// All that can be read, and what is wrong.
fn unpack(bytes: &[u8]) -> (Vec<u8>, Vec<Problem>) {
    let mut reader = reader(bytes).unwrap();
    let mut text = Vec::new();
    let mut block = vec![0; 70_001];
    loop {
        match reader.read(&mut block) {
            0 => break,
            n => text.extend_from_slice(&block[..n]),
        }
    }
    assert_eq!(reader.read(&mut block), 0, "the end stays the end");
    assert!(reader.packed() <= bytes.len() as u64);
    (text, reader.problems().to_vec())
}

fn kinds(problems: &[Problem]) -> Vec<ProblemKind> {
    problems.iter().map(|p| p.kind).collect()
}

#[test]
fn every_packing_gives_the_same_text() {
    let text = log(6000);
    for compression in [&PACKED[..], &[Compression::Plain]].concat() {
        let (got, problems) = unpack(&pack(compression, &text));
        assert!(got == text, "{compression}");
        assert_eq!(problems, [], "{compression}");
        assert_eq!(reader(&pack(compression, &text)).unwrap().compression(), compression);
        // The beginning of a mark does not end a file.
        assert_eq!(unpack(&pack(compression, b"a\n")).0, b"a\n");
    }
}

#[test]
fn all_members_are_read_empty_ones_too() {
    let (one, two) = (log(3000), log(10));
    for compression in PACKED {
        let parts = [&b""[..], &one, b"", b"", &two, b""].map(|text| pack(compression, text));
        let (got, problems) = unpack(&parts.concat());
        assert!(got == [&one[..], &two].concat(), "{compression}");
        assert_eq!(problems, [], "{compression}");
        let (got, problems) = unpack(&pack(compression, b""));
        assert_eq!((got.len(), problems.len()), (0, 0), "{compression}");
    }
}

#[test]
fn a_cut_file_gives_what_it_holds() {
    let text = log(6000);
    for compression in PACKED {
        let packed = pack(compression, &text);
        let mut last = 0;
        for seventh in 1..7 {
            let (got, problems) = unpack(&packed[..packed.len() * seventh / 7]);
            assert!(text.starts_with(&got), "{compression}");
            assert_eq!(kinds(&problems), [ProblemKind::Truncated], "{compression}");
            assert_eq!(problems[0].offset, Some(got.len() as u64));
            assert!(problems[0].is_failure());
            // A block that is not whole gives nothing: bzip2 100 kB, zstd 128 KiB. gzip and xz give nearly all.
            let slack = if matches!(compression, Compression::Gzip | Compression::Xz) { 40_000 } else { 150_000 };
            assert!(got.len() + slack > text.len() * seventh / 7, "{compression} {seventh}: {}", got.len());
            assert!(got.len() >= last);
            last = got.len();
        }
    }
}

/// The reader of the library and ours, on a file cut at every byte.
#[test]
fn a_gz_cut_at_any_byte() {
    let text = log(40);
    let packed = [pack(Compression::Gzip, &text), pack(Compression::Gzip, b"more\n")].concat();
    let whole = [&text[..], b"more\n"].concat();
    let boundary = pack(Compression::Gzip, &text).len();
    for cut in 2..packed.len() {
        let (got, problems) = unpack(&packed[..cut]);
        assert!(whole.starts_with(&got));
        if cut == boundary {
            assert!(got == text && problems.is_empty(), "a whole member");
        } else {
            assert_eq!(kinds(&problems), [ProblemKind::Truncated], "cut at {cut}");
        }
        let mut library = Vec::new();
        let mut decoder = flate2::read::MultiGzDecoder::new(&packed[..cut]);
        let _ = decoder.read_to_end(&mut library);
        assert!(got.len() >= library.len(), "cut at {cut}");
    }
}

#[test]
fn a_damaged_file_gives_what_came_before() {
    let text = log(6000);
    for compression in PACKED {
        let whole = pack(compression, &text);
        for seventh in 1..7 {
            let mut packed = whole.clone();
            let at = packed.len() * seventh / 7;
            for byte in &mut packed[at..at + 64] {
                *byte = !*byte;
            }
            let (got, problems) = unpack(&packed);
            let sound = got.iter().zip(&text).take_while(|(a, b)| a == b).count();
            assert!(sound + 270_000 > text.len() * seventh / 7, "{compression} {seventh}: {sound}");
            assert!(problems.iter().any(Problem::is_failure), "{compression} {seventh}: {problems:?}");
        }
    }
}

/// Gives a few bytes a call, and then what a broken disk or mount gives.
struct Flaky(Cursor<Vec<u8>>, usize);

impl Read for Flaky {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = out.len().min(self.1);
        match self.0.read(&mut out[..n])? {
            0 => Err(std::io::Error::other("stale file handle")),
            n => Ok(n),
        }
    }
}

#[test]
fn a_failing_disk_gives_what_came_before() {
    let text = log(300);
    for compression in [&PACKED[..], &[Compression::Plain]].concat() {
        let packed = pack(compression, &text);
        for piece in [1, 3, 1000] {
            for cut in [0, packed.len() / 2] {
                let stream = Flaky(Cursor::new(packed[..packed.len() - cut].to_vec()), piece);
                let mut reader = Reader::new(Path::new("test.log"), Box::new(stream)).unwrap();
                let mut got = Vec::new();
                let mut block = [0; 4096];
                while let n @ 1.. = reader.read(&mut block) {
                    got.extend_from_slice(&block[..n]);
                }
                assert!(text.starts_with(&got) && (cut > 0 || got == text), "{compression}");
                assert_eq!(kinds(reader.problems()), [ProblemKind::Unreadable], "{compression}");
                assert!(reader.problems()[0].message.contains("stale file handle"));
            }
        }
    }
    let nothing = Reader::new(Path::new("test.log"), Box::new(Flaky(Cursor::default(), 1)));
    assert_eq!(nothing.unwrap_err().kind, ProblemKind::Unreadable);
}

#[test]
fn a_wrong_sum_costs_nothing_but_a_word() {
    let (one, two) = (log(100), log(7));
    for (back, byte) in [(8, 0), (8, 3), (4, 0)] {
        let mut first = pack(Compression::Gzip, &one);
        let at = first.len() - back + byte;
        first[at] ^= 1;
        let (got, problems) = unpack(&[first, pack(Compression::Gzip, &two)].concat());
        assert!(got == [&one[..], &two].concat(), "{back}: {} bytes, {problems:?}", got.len());
        assert_eq!(kinds(&problems), [ProblemKind::Corrupt]);
    }
}

#[test]
fn what_follows_a_whole_member() {
    let text = log(50);
    for compression in PACKED {
        let packed = pack(compression, &text);
        for (rest, kind) in [
            (&[0; 1001][..], ProblemKind::TrailingData),
            (b"rubbish", ProblemKind::TrailingData),
            (b"\0\0\0\0rubbish", ProblemKind::TrailingData),
            (&[b'r'; 5000], ProblemKind::Corrupt),
        ] {
            let (got, problems) = unpack(&[&packed[..], rest].concat());
            assert!(got == text, "{compression}");
            assert_eq!(kinds(&problems), [kind], "{compression}: {problems:?}");
            assert_eq!(problems[0].is_failure(), kind == ProblemKind::Corrupt);
        }
        // Padding between members, as tapes and xz write it.
        let (got, problems) = unpack(&[&packed[..], &[0; 512], &packed].concat());
        assert!(got == [&text[..], &text].concat() && problems.is_empty(), "{compression}: {problems:?}");
        // Of the next member there is but the first byte.
        let (got, problems) = unpack(&[&packed[..], &packed[..1]].concat());
        assert!(got == text, "{compression}");
        assert_eq!(kinds(&problems), [ProblemKind::Truncated], "{compression}");
    }
    let padded = [pack(Compression::Xz, &text), vec![0; 8]].concat();
    assert_eq!(unpack(&padded).1, []);
}

#[test]
fn archives_are_named_with_a_remedy() {
    for (bytes, kind) in [
        (&b"PK\x03\x04zip"[..], ProblemKind::Archive),
        (b"7z\xbc\xaf\x27\x1c", ProblemKind::Archive),
        (b"\x1f\x9d\x90compress", ProblemKind::Archive),
        (b"LPKSHHRH\0\0", ProblemKind::NotALog),
    ] {
        let problem = reader(bytes).unwrap_err();
        assert_eq!(problem.kind, kind);
        assert!(!problem.remedy.is_empty() && problem.to_string().starts_with("test.log: is "), "{problem}");
    }
    // A tar inside a gz is seen when it is peeked.
    let mut tar = vec![b'm'; 600];
    tar[100..157].fill(0);
    tar[257..262].copy_from_slice(b"ustar");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log.gz");
    fs::write(&path, pack(Compression::Gzip, &tar)).unwrap();
    let seen = peek(&Source::from_path(&path).unwrap()).unwrap();
    assert!(seen.binary);
    assert_eq!(seen.problem.unwrap().kind, ProblemKind::Archive);
}

#[test]
fn utf16_with_and_without_a_mark_packed_and_plain() {
    let text = "date_time_utc,sender\r\n\u{e4}\u{20ac}\u{1f4ec},x@example.com\r\n".repeat(1500);
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (bytes, encoding) in [
        (little.clone(), Encoding::Utf16Le),
        ([b"\xff\xfe", &little[..]].concat(), Encoding::Utf16Le),
        (big.clone(), Encoding::Utf16Be),
        ([b"\xfe\xff", &big[..]].concat(), Encoding::Utf16Be),
        ([b"\xef\xbb\xbf", text.as_bytes()].concat(), Encoding::Utf8Mark),
        (text.clone().into_bytes(), Encoding::Bytes),
    ] {
        for compression in [&PACKED[..], &[Compression::Plain]].concat() {
            let packed = pack(compression, &bytes);
            let opened = reader(&packed).unwrap();
            assert_eq!(opened.encoding(), encoding);
            assert_eq!(opened.start_offset(), if encoding == Encoding::Utf8Mark { 3 } else { 0 });
            let (got, problems) = unpack(&packed);
            assert!(got == text.as_bytes(), "{encoding:?} {compression}");
            assert_eq!(problems, []);
        }
    }
    let odd = [&little[..], b"x"].concat();
    let (got, problems) = unpack(&odd);
    assert!(got == text.as_bytes());
    assert_eq!(kinds(&problems), [ProblemKind::Truncated]);
    assert_eq!(unpack(b"\xff\xfe"), (vec![], vec![]));
}

#[test]
fn chunks_of_a_packed_file_and_its_lines() {
    let text = String::from_utf8(log(5000)).unwrap().replace('\n', "\r\n").into_bytes();
    let packed = pack(Compression::Gzip, &text);
    let options = ChunkOptions { target: 10_000, ..ChunkOptions::default() };
    let mut chunks = Chunks::new(reader(&packed[..packed.len() - 20]).unwrap(), options);
    let all: Vec<Chunk> = chunks.by_ref().collect();
    let joined: Vec<u8> = all.iter().flat_map(|c| c.data.clone()).collect();
    assert!(text.starts_with(&joined) && joined.len() + 2000 > text.len());
    assert_eq!(all.iter().filter(|c| c.last).count(), 1);
    assert_eq!(kinds(&chunks.problems()), [ProblemKind::Truncated]);
    assert_eq!(chunks.reader().unpacked(), joined.len() as u64);
    for chunk in &all[..all.len() - 1] {
        assert!(lines(&chunk.data).all(|(_, line)| line.starts_with(b"Nov 22") && line.ends_with(b"status=sent")));
    }
}

#[test]
fn what_was_peeked_is_still_read() {
    let text = log(6000);
    let folder = tempfile::tempdir().unwrap();
    for compression in [&PACKED[..], &[Compression::Plain]].concat() {
        let path = folder.path().join("mail.log");
        fs::write(&path, pack(compression, &text)).unwrap();
        let source = Source::from_path(&path).unwrap();
        let (seen, mut reader) = open_peeked(&source).unwrap();
        assert!(text.starts_with(&seen.head) && seen.head.ends_with(b"\n") && !seen.complete && !seen.binary);
        assert_eq!(seen.tail.is_some(), compression == Compression::Plain);
        assert_eq!((seen.compression, &seen.problem), (compression, &None));
        let mut got = Vec::new();
        let mut block = vec![0; 1 << 16];
        while let n @ 1.. = reader.read(&mut block) {
            got.extend_from_slice(&block[..n]);
        }
        assert!(got == text, "{compression}");
    }
    // Cut within the head: what there is, and why there is no more.
    let path = folder.path().join("cut.gz");
    fs::write(&path, &pack(Compression::Gzip, &log(100))[..300]).unwrap();
    let seen = peek(&Source::from_path(&path).unwrap()).unwrap();
    assert!(seen.complete && !seen.head.is_empty());
    assert_eq!(seen.problem.unwrap().kind, ProblemKind::Truncated);
    // A gz of 0 bytes, and a gz of no text.
    for bytes in [vec![], pack(Compression::Gzip, b"")] {
        fs::write(&path, bytes).unwrap();
        let problem = peek(&Source::from_path(&path).unwrap()).unwrap().problem.unwrap();
        assert!(problem.kind == ProblemKind::EmptyFile && !problem.is_failure());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        magic in prop::sample::select(vec![&b""[..], b"\x1f\x8b\x08", b"\x1f\x8b\x08\0\0\0\0\0\0\0", b"BZh9\x31\x41\x59\x26\x53\x59",
            b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46", b"\x28\xb5\x2f\xfd", b"\x51\x2a\x4d\x18", b"\xff\xfe"]),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        if let Ok(reader) = reader(&[magic, &rest].concat()) {
            let mut chunks = Chunks::new(reader, ChunkOptions { target: 16, max_line: 64 });
            prop_assert!(chunks.by_ref().all(|c| c.data.len() <= 65));
        }
    }

    #[test]
    fn a_damaged_byte_is_never_silent(which in 0usize..4, at in any::<prop::sample::Index>(), flip in 1u8..) {
        let text = log(30);
        let mut packed = pack(PACKED[which], &text);
        *at.get_mut(&mut packed) ^= flip;
        if let Ok(opened) = reader(&packed)
            && opened.compression() == PACKED[which]
        {
            let (got, problems) = unpack(&packed);
            prop_assert!(got == text || problems.iter().any(Problem::is_failure), "{:?}", problems);
        }
    }
}

/// A folder as it is on a mail server with several ways to some files.
fn server() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("mx1");
    fs::create_dir_all(folder.join("old")).unwrap();
    for name in [
        "mail.log",
        "mail.log.1",
        "mail.log.2.gz",
        "mail.log.10.gz",
        "mainlog-20261122",
        "mainlog-20261121.gz",
        "mainlog",
        "MSGTRK2026112201-9.LOG",
        "MSGTRK2026112201-10.LOG",
        "wtmp",
        "lastlog",
        "system.journal",
        "package.json",
        ".hidden",
        "old/mail.log.11.gz",
    ] {
        fs::write(folder.join(name), name).unwrap();
    }
    root
}

fn names(sources: &[Source]) -> Vec<String> {
    sources.iter().map(|s| s.path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_folder_gives_its_logs_the_oldest_first() {
    let root = server();
    let folder = root.path().join("mx1");
    let found = discover(std::slice::from_ref(&folder), &DiscoverOptions::default());
    let expected = [
        "mail.log.10.gz",
        "mail.log.2.gz",
        "mail.log.1",
        "mail.log",
        "mainlog-20261121.gz",
        "mainlog-20261122",
        "mainlog",
        "MSGTRK2026112201-9.LOG",
        "MSGTRK2026112201-10.LOG",
    ];
    assert_eq!(names(&found.sources), expected);
    assert_eq!(found.problems, []);
    assert_eq!(found.skipped.len(), 5);
    assert!(found.sources.iter().all(|s| s.folder == "mx1" && s.kind == SourceKind::File && s.modified.is_some()));

    let all = discover(std::slice::from_ref(&folder), &DiscoverOptions { recursive: true });
    assert_eq!(all.sources.len(), expected.len() + 1);
    assert_eq!(all.sources.last().unwrap().folder, "old");

    // Named by the user it is read, whatever the name.
    let named = discover(&[folder.join("wtmp")], &DiscoverOptions::default());
    assert_eq!(names(&named.sources), ["wtmp"]);
}

#[test]
fn no_order_of_paths_changes_anything() {
    let root = server();
    let folder = root.path().join("mx1");
    let mut paths = vec![
        folder.clone(),
        folder.join("../mx1/mail.log"),
        folder.join("m*log*"),
        folder.join("./mail.log.1"),
        folder.join("gone.log"),
        PathBuf::from("-"),
        folder.join("nothing*"),
        PathBuf::from("-"),
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.join("mail.log"), folder.join("a-link.log")).unwrap();
        std::os::unix::fs::symlink(&folder, root.path().join("linked")).unwrap();
        fs::hard_link(folder.join("mail.log.1"), folder.join("zz-hard.log")).unwrap();
        paths.push(root.path().join("linked"));
        paths.push(folder.join("a-link.log"));
        paths.push(folder.join("zz-hard.log"));
    }
    let expected = discover(&paths, &DiscoverOptions::default());
    assert_eq!(expected.sources.len(), 10, "{:?}", names(&expected.sources));
    assert_eq!(expected.sources.last().unwrap().kind, SourceKind::Stdin);
    assert_eq!(expected.sources.last().unwrap().folder, "-");
    assert!(names(&expected.sources).contains(&"mail.log".to_owned()));
    assert!(!names(&expected.sources).contains(&"zz-hard.log".to_owned()));
    assert_eq!(kinds(&expected.problems), [ProblemKind::NotFound, ProblemKind::NoMatch]);
    for turn in 0..paths.len() {
        paths.rotate_left(1);
        paths.swap(0, turn);
        assert_eq!(discover(&paths, &DiscoverOptions::default()), expected);
        let mut back = paths.clone();
        back.reverse();
        assert_eq!(discover(&back, &DiscoverOptions::default()), expected);
    }
}

#[test]
fn folders_without_logs_and_missing_things() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("below")).unwrap();
    let found = discover(&[root.path().to_owned()], &DiscoverOptions::default());
    assert_eq!(kinds(&found.problems), [ProblemKind::EmptyFolder]);
    assert!(found.problems[0].remedy.contains("--recursive") && !found.problems[0].is_failure());
    let missing = discover(&[root.path().join("no/mail.log")], &DiscoverOptions::default());
    assert_eq!(kinds(&missing.problems), [ProblemKind::NotFound]);
    let invalid = discover(&[root.path().join("[")], &DiscoverOptions::default());
    assert_eq!(kinds(&invalid.problems), [ProblemKind::NoMatch]);
    // A file whose name looks like a pattern is a file.
    let odd = root.path().join("mail[1]*.log");
    if fs::write(&odd, b"x\n").is_ok() {
        assert_eq!(discover(&[odd], &DiscoverOptions::default()).sources.len(), 1);
    }
    let source = Source { path: root.path().join("gone"), ..Source::stdin() };
    let source = Source { kind: SourceKind::File, ..source };
    assert_eq!(open(&source).unwrap_err().kind, ProblemKind::NotFound);
}

#[cfg(unix)]
#[test]
fn links_pipes_and_forbidden_files() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("logs");
    fs::create_dir(&folder).unwrap();
    symlink(&folder, folder.join("round")).unwrap();
    symlink(folder.join("gone"), folder.join("dangling.log")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.join("s.log")).unwrap();
    fs::write(folder.join("mail.log"), b"x\n").unwrap();
    let found = discover(std::slice::from_ref(&folder), &DiscoverOptions { recursive: true });
    assert_eq!(names(&found.sources), ["mail.log"]);
    assert_eq!(kinds(&found.problems), [ProblemKind::NotFound]);
    assert!(found.problems[0].remedy.contains("link"));

    // Standard input by its path, or a process substitution: read once, and never peeked by reopening.
    let pipe = Source::from_path(Path::new("/dev/null")).unwrap();
    assert_eq!((pipe.kind, pipe.size), (SourceKind::Pipe, None));
    assert!(peek(&pipe).is_err());
    assert!(open_peeked(&pipe).unwrap().0.complete);

    let secret = folder.join("secret.log");
    fs::write(&secret, b"x\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&secret).is_ok() {
        return; // root may read everything
    }
    let problem = open(&Source::from_path(&secret).unwrap()).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Unreadable);
    assert!(problem.is_failure());
}

proptest! {
    #[test]
    fn cut_anywhere_it_is_the_same_text(
        parts in prop::collection::vec("[a-z\r\u{e4}]{0,30}\n|[a-z]{0,9}", 0..40),
        target in 1usize..90,
        recycle: bool,
    ) {
        let text = parts.concat().into_bytes();
        let reader = reader(&text).unwrap();
        let mut chunks = Chunks::new(reader, ChunkOptions { target, max_line: 400 });
        let mut joined = Vec::new();
        let mut ended = text.is_empty();
        while let Some(chunk) = chunks.next() {
            prop_assert!(!ended);
            prop_assert_eq!(chunk.offset, joined.len() as u64);
            prop_assert!(!chunk.data.is_empty());
            prop_assert!(chunk.last || chunk.data.ends_with(b"\n"));
            joined.extend_from_slice(&chunk.data);
            ended = chunk.last;
            if recycle {
                chunks.recycle(chunk.data);
            }
        }
        prop_assert!(ended);
        prop_assert_eq!(chunks.oversized(), 0);
        let expected: Vec<_> = text.split(|b| *b == b'\n').collect();
        let count = expected.len() - usize::from(text.is_empty() || text.ends_with(b"\n"));
        prop_assert_eq!(lines(&joined).count(), count);
        prop_assert_eq!(joined, text);
    }

    #[test]
    fn long_lines_keep_their_beginning(
        lengths in prop::collection::vec(0usize..60, 0..20),
        target in 1usize..40,
        max_line in 1usize..40,
    ) {
        let text: Vec<u8> = lengths.iter().flat_map(|n| [vec![b'x'; *n], b"\n".to_vec()].concat()).collect();
        let mut state = Chunks::new(reader(&text).unwrap(), ChunkOptions { target, max_line });
        let chunks: Vec<Chunk> = state.by_ref().collect();
        let got: Vec<_> = chunks
            .iter()
            .flat_map(|c| lines(&c.data).map(|(at, line)| (c.offset + at as u64, line.len())))
            .collect();
        let mut at = 0;
        let mut expected = Vec::new();
        for n in &lengths {
            expected.push((at, (*n).min(max_line)));
            at += *n as u64 + 1;
        }
        prop_assert_eq!(got, expected);
        prop_assert_eq!(state.oversized(), lengths.iter().filter(|n| **n > max_line).count() as u64);
    }
}
