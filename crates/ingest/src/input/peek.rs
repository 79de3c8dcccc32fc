//! The beginning and the end of a source, for finding out what it is and which time it covers, before all of it is read.
//!
//! Cheap: of a packed file no more is unpacked than the head needs. What can be read only once (standard input, a pipe)
//! is peeked with [`open_peeked`], whose reader gives the same bytes again. Not here: which server wrote it (`detect`).
//!
//! ```text
//! #Software: Microsoft Exchange Server
//! ```

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use memchr::{memchr, memrchr};

use super::codec::Compression;
use super::decompress::{Reader, open};
use super::encoding::{Encoding, Utf16};
use super::problem::{Problem, ProblemKind};
use super::sniff::foreign;
use super::source::{Source, SourceKind};

/// The longest head, in bytes of unpacked text.
pub const HEAD_BYTES: usize = 256 << 10;
/// The longest tail, in bytes of the file.
pub const TAIL_BYTES: usize = 16 << 10;

/// What can be seen of a source without reading all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peek {
    /// The first text: whole lines, unless it is all there is or a single line fills it.
    pub head: Vec<u8>,
    /// The last lines of a plain file that is longer than its head.
    pub tail: Option<Vec<u8>>,
    /// How the source is packed.
    pub compression: Compression,
    /// How its text is written.
    pub encoding: Encoding,
    /// True where the head is all that can be read.
    pub complete: bool,
    /// True where it is no text: give it up.
    pub binary: bool,
    /// What is wrong already: the source is empty or no log, or its head is cut or damaged.
    pub problem: Option<Problem>,
}

/// Peeks into a file and closes it again. What can be read only once is refused: see [`open_peeked`].
pub fn peek(source: &Source) -> Result<Peek, Problem> {
    if !source.rereadable() {
        let message = "can be read only once";
        return Err(Problem::new(ProblemKind::Unreadable, &source.path, message, "save it to a file first"));
    }
    open_peeked(source).map(|(peek, _)| peek)
}

/// Opens a source and peeks into it. The reader still gives all of its text, the head included.
pub fn open_peeked(source: &Source) -> Result<(Peek, Reader), Problem> {
    let mut reader = open(source)?;
    let mut peek = peek_reader(&mut reader);
    if !peek.complete && peek.compression == Compression::Plain && source.kind == SourceKind::File {
        // A file that was rotated away in this moment has a head and no tail.
        peek.tail = tail(&source.path, peek.encoding).unwrap_or_default();
        if let Some(tail) = &peek.tail
            && peek.binary
            && peek.head.iter().all(|b| *b == 0)
            && !is_binary(tail)
        {
            // A hole at the beginning (logrotate's copytruncate), and a log after it.
            peek.binary = false;
            peek.problem = None;
        }
    }
    Ok((peek, reader))
}

/// Looks at the beginning of what `reader` will give, and takes nothing from it.
fn peek_reader(reader: &mut Reader) -> Peek {
    let seen = reader.look(HEAD_BYTES + 1);
    let complete = seen.len() <= HEAD_BYTES;
    let mut head = seen[..seen.len().min(HEAD_BYTES)].to_vec();
    if !complete && let Some(at) = memrchr(b'\n', &head) {
        head.truncate(at + 1);
    }
    let known = foreign(&head);
    let binary = known.is_some() || is_binary(&head);
    let problem = if let Some(problem) = reader.problems().iter().find(|p| p.is_failure()) {
        Some(problem.clone())
    } else if let Some(f) = known {
        Some(Problem::new(f.kind, reader.path(), format!("holds {}", what(f.what)), f.remedy))
    } else if binary {
        let message = "is binary data, not a log";
        Some(Problem::new(ProblemKind::NotALog, reader.path(), message, "give the text log instead"))
    } else if head.is_empty() && complete {
        Some(Problem::new(ProblemKind::EmptyFile, reader.path(), "is empty", "nothing was logged there yet"))
    } else {
        None
    };
    Peek { head, tail: None, compression: reader.compression(), encoding: reader.encoding(), complete, binary, problem }
}

/// `packed with lz4` reads well after "is", not after "holds".
fn what(what: &str) -> String {
    if what.starts_with("packed") { format!("data {what}") } else { what.to_owned() }
}

/// True for what no log looks like: NULs, or many control bytes.
///
/// A long run of NULs is a hole (copytruncate, a crash, a full disk) and does not count, wherever it is.
fn is_binary(text: &[u8]) -> bool {
    const HOLE: usize = 64;
    let (mut rest, mut nuls, mut controls) = (0, 0, 0);
    for run in text.chunk_by(|a, b| (*a == 0) == (*b == 0)) {
        if run[0] != 0 {
            rest += run.len();
            controls += run.iter().filter(|b| matches!(b, 1..=7 | 11 | 14..=26 | 28..=31 | 127)).count();
        } else if run.len() < HOLE {
            rest += run.len();
            nuls += run.len();
        }
    }
    if rest == 0 {
        return !text.is_empty();
    }
    nuls * 50 > rest || (nuls + controls) * 20 > rest
}

/// The last lines of a plain file.
fn tail(path: &Path, encoding: Encoding) -> io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut start = size.saturating_sub(TAIL_BYTES as u64);
    let wide = matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be);
    if wide {
        start &= !1;
    }
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::with_capacity(TAIL_BYTES + 1);
    file.take(TAIL_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if wide {
        let mut text = Vec::with_capacity(bytes.len());
        let mut utf16 = Utf16::new(encoding == Encoding::Utf16Be);
        utf16.push(&bytes, &mut text);
        utf16.finish(&mut text);
        bytes = text;
    }
    Ok(memchr(b'\n', &bytes).map(|at| bytes.split_off(at + 1)).filter(|lines| !lines.is_empty()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn peek_bytes(bytes: &[u8]) -> Peek {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail.log");
        fs::write(&path, bytes).unwrap();
        peek(&Source::from_path(&path).unwrap()).unwrap()
    }

    fn numbered(count: usize) -> Vec<u8> {
        (0..count).flat_map(|n| format!("Nov 22 13:07:02 mx1 line {n}\n").into_bytes()).collect()
    }

    #[test]
    fn a_short_file_is_all_head() {
        let seen = peek_bytes(b"one\ntwo");
        assert_eq!((&seen.head[..], seen.complete, seen.binary), (&b"one\ntwo"[..], true, false));
        assert_eq!((seen.tail, seen.problem), (None, None));
    }

    #[test]
    fn a_long_file_has_a_head_and_a_tail_of_whole_lines() {
        let text = numbered(20_000);
        let seen = peek_bytes(&text);
        assert!(!seen.complete && seen.head.len() <= HEAD_BYTES && seen.head.ends_with(b"\n"));
        assert!(text.starts_with(&seen.head));
        let tail = seen.tail.unwrap();
        assert!(tail.len() <= TAIL_BYTES && tail.starts_with(b"Nov 22") && text.ends_with(&tail));

        let wide: Vec<u8> = text.iter().flat_map(|b| [*b, 0]).collect();
        let seen = peek_bytes(&wide);
        assert_eq!(seen.encoding, Encoding::Utf16Le);
        assert!(text.starts_with(&seen.head) && text.ends_with(&seen.tail.unwrap()));
    }

    #[test]
    fn exactly_the_head_is_complete() {
        let seen = peek_bytes(&[b'x'; HEAD_BYTES]);
        assert!(seen.complete && seen.head.len() == HEAD_BYTES && seen.tail.is_none());
        let seen = peek_bytes(&[b'x'; HEAD_BYTES + 1]);
        assert!(!seen.complete && seen.head.len() == HEAD_BYTES && seen.tail.is_none());
    }

    #[test]
    fn what_is_no_log() {
        let noise: Vec<u8> = (0..5000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for bytes in [&noise[..], &[0; 3000], b"\x7fab\0\0\0\x01\x02\x03"] {
            let seen = peek_bytes(bytes);
            assert!(seen.binary);
            let problem = seen.problem.unwrap();
            assert!(problem.kind == ProblemKind::NotALog && !problem.is_failure());
        }
        let empty = peek_bytes(b"");
        assert!(empty.complete && !empty.binary);
        assert_eq!(empty.problem.unwrap().kind, ProblemKind::EmptyFile);
        assert!(!peek_bytes(b"Stra\xdfe \x1b[1mbold\x1b[0m\tand\r\n").binary);
    }

    #[test]
    fn a_hole_before_a_log_is_no_binary() {
        let text = numbered(1000);
        assert!(!peek_bytes(&[&[0; 5000][..], &text].concat()).binary);
        let seen = peek_bytes(&[&vec![0; HEAD_BYTES * 2][..], &text].concat());
        assert!(!seen.binary && seen.problem.is_none() && seen.tail.is_some());
    }
}
