//! What the first bytes of a file say it is: plain, packed, or a format in which no log line can be found.
//!
//! Only marks that no line of text can begin with are believed. Not here: whether unknown bytes are text (`peek`).

use super::codec::Compression;
use super::problem::ProblemKind;

/// How many bytes are enough to decide (a tar's mark lies at 257).
pub(super) const SNIFF_BYTES: usize = 264;

/// The verdict on the first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sniff {
    /// Nothing known: read as it is.
    Plain,
    /// Packed in a way that is read here.
    Packed(Compression),
    /// A known format that is not read here.
    Foreign(&'static Foreign),
}

/// A format that is not read here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    at: usize,
    magic: &'static [u8],
    pub(super) what: &'static str,
    pub(super) kind: ProblemKind,
    pub(super) remedy: &'static str,
}

const UNPACK: &str = "unpack it and give the log in it";
const NO_LOG: &str = "give the text log instead";

const fn archive(magic: &'static [u8], what: &'static str) -> Foreign {
    Foreign { at: 0, magic, what, kind: ProblemKind::Archive, remedy: UNPACK }
}

const fn no_log(magic: &'static [u8], what: &'static str) -> Foreign {
    Foreign { at: 0, magic, what, kind: ProblemKind::NotALog, remedy: NO_LOG }
}

/// Marks from each format's own specification, as the `file` command's magic lists them.
static FOREIGN: [Foreign; 23] = [
    archive(b"PK\x03\x04", "a zip archive"),
    archive(b"PK\x05\x06", "a zip archive"),
    archive(b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    archive(b"Rar!\x1a\x07", "a rar archive"),
    archive(b"MSCF\0\0\0\0", "a cabinet archive"),
    Foreign { at: 257, ..archive(b"ustar", "a tar archive") },
    archive(b"\x1f\x9d", "packed with compress (.Z)"),
    archive(b"\x1f\xa0", "packed with compress (.Z)"),
    archive(b"\x04\x22\x4d\x18", "packed with lz4"),
    archive(b"LZIP\x01", "packed with lzip"),
    archive(b"\x89LZO\0\r\n\x1a\n", "packed with lzop"),
    archive(b"\x5d\0\0", "packed with the old lzma format"),
    archive(b"\xff\x06\0\0sNaPpY", "packed with snappy"),
    Foreign {
        remedy: "read it with: journalctl --file FILE -o short-iso-precise | bouncestat -",
        ..no_log(b"LPKSHHRH", "a systemd journal")
    },
    no_log(b"SQLite format 3\0", "an SQLite database"),
    no_log(b"PAR1\x15", "a Parquet file"),
    no_log(b"ElfFile\0", "a Windows event log"),
    no_log(b"\x7fELF", "a program"),
    no_log(b"%PDF-", "a PDF document"),
    no_log(b"\x89PNG\r\n\x1a\n", "an image"),
    no_log(b"\xff\xd8\xff", "an image"),
    no_log(b"GIF89a", "an image"),
    no_log(b"\xd4\xc3\xb2\xa1", "a network capture"),
];

const GZIP: &[u8] = b"\x1f\x8b\x08";
const XZ: &[u8] = b"\xfd7zXZ\0";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// After `BZh` and a digit: the first block (the digits of pi), or the end of an empty stream (of its root).
const BZIP2_BLOCK: &[u8] = b"\x31\x41\x59\x26\x53\x59";
const BZIP2_END: &[u8] = b"\x17\x72\x45\x38\x50\x90";

/// Looks at the first bytes, up to [`SNIFF_BYTES`] of them or the whole file where it is shorter.
pub(super) fn sniff(head: &[u8]) -> Sniff {
    if let Some(compression) = packed(head) {
        return Sniff::Packed(compression);
    }
    match foreign(head) {
        Some(foreign) => Sniff::Foreign(foreign),
        None => Sniff::Plain,
    }
}

/// A known format that is not read here, in unpacked text too.
pub(super) fn foreign(head: &[u8]) -> Option<&'static Foreign> {
    FOREIGN.iter().find(|f| head.get(f.at..).is_some_and(|from| from.starts_with(f.magic)))
}

/// The packing, from its mark. A file so short that its mark is cut is packed too: it ends early.
pub(super) fn packed(head: &[u8]) -> Option<Compression> {
    let is = |magic: &[u8]| {
        let n = head.len().min(magic.len());
        n >= 2 && head[..n] == magic[..n]
    };
    if is(GZIP) {
        return Some(Compression::Gzip);
    }
    if is(XZ) {
        return Some(Compression::Xz);
    }
    // A skippable frame (RFC 8878, 3.1.2) may come first: pzstd writes them.
    if is(ZSTD) || (head.len() >= 4 && head[0] & 0xf0 == 0x50 && &head[1..4] == b"\x2a\x4d\x18") {
        return Some(Compression::Zstd);
    }
    if head.len() >= 4 && head.starts_with(b"BZh") && matches!(head[3], b'1'..=b'9') {
        let rest = &head[4..head.len().min(10)];
        if BZIP2_BLOCK.starts_with(rest) || BZIP2_END.starts_with(rest) {
            return Some(Compression::Bzip2);
        }
    }
    None
}

/// True where these last bytes of a file can be the beginning of a mark that was cut.
pub(super) fn cut_mark(compression: Compression, rest: &[u8]) -> bool {
    let magic = match compression {
        Compression::Plain => return false,
        Compression::Gzip => GZIP,
        Compression::Bzip2 => b"BZh",
        Compression::Xz => XZ,
        Compression::Zstd => ZSTD,
    };
    !rest.is_empty() && magic.starts_with(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_plain() {
        for text in [
            &b""[..],
            b"\x1f",
            b"Nov 22 13:07:02 mx1 postfix/smtp[1]: x",
            b"2026-11-22 13:07:02 1xV7 <= a@b",
            b"\xef\xbb\xbf#Software: Microsoft Exchange Server",
            b"\xff\xfed\0a\0t\0e\0",
            b"BZh9 is the name of my host",
            b"Rar! said the cat",
        ] {
            assert_eq!(sniff(text), Sniff::Plain, "{:?}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn marks_are_known_even_when_cut() {
        for n in 2..=3 {
            assert_eq!(sniff(&GZIP[..n]), Sniff::Packed(Compression::Gzip));
        }
        assert_eq!(sniff(&XZ[..2]), Sniff::Packed(Compression::Xz));
        assert_eq!(sniff(&ZSTD[..3]), Sniff::Packed(Compression::Zstd));
        assert_eq!(sniff(b"BZh9"), Sniff::Packed(Compression::Bzip2));
        assert_eq!(sniff(b"\x51\x2a\x4d\x18\0\0\0\0"), Sniff::Packed(Compression::Zstd));
        let mut tar = vec![b'm'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert!(matches!(sniff(&tar), Sniff::Foreign(f) if f.kind == ProblemKind::Archive));
        assert!(matches!(sniff(b"PK\x03\x04rest"), Sniff::Foreign(f) if f.kind == ProblemKind::Archive));
        assert!(matches!(sniff(b"LPKSHHRH\0"), Sniff::Foreign(f) if f.kind == ProblemKind::NotALog));
    }
}
