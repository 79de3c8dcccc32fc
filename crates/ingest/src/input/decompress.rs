//! Opens a source as plain text, whatever it is packed in, and loses nothing that can be read.
//!
//! Compression is told by content (`sniff`), never by name. All members of a file are read, one after the other.
//! Where a file ends early or is damaged, [`Reader::read`] gives all that came out and then ends; what happened is in
//! [`Reader::problems`]. So reading has no error path: a short file is a file with a problem. Files are read in large
//! blocks and never mapped: a file that shrinks under a map kills the process.
//!
//! Not here: what is inside archives (zip, tar, 7z), which become a [`Problem`]; lines (`chunks`).
//!
//! ```text
//! mail.log.2.gz: the gz data ends early (at byte 81920 of the unpacked text); copy the file again…
//! ```

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::codec::{Codec, Compression, State};
use super::encoding::{DETECT_BYTES, Encoding, Utf16, detect};
use super::problem::{Problem, ProblemKind};
use super::raw::{BLOCK, Raw};
use super::sniff::{SNIFF_BYTES, Sniff, cut_mark, packed, sniff};
use super::source::{Identity, Source, SourceKind, identity};

/// Foreign bytes after a whole member, up to this many, are taken for padding; more may be a damaged member.
const PADDING: u64 = 4096;

/// Opens a source. An error means that nothing at all can be read from it.
pub fn open(source: &Source) -> Result<Reader, Problem> {
    if source.kind == SourceKind::Stdin {
        return Reader::new(&source.path, Box::new(io::stdin()));
    }
    let file = File::open(&source.path).map_err(|e| Problem::from_io(&source.path, &e))?;
    let opened = file.metadata().ok().filter(|_| source.kind == SourceKind::File).and_then(|metadata| identity(&metadata));
    Ok(Reader { identity: opened, ..Reader::new(&source.path, Box::new(file))? })
}

/// Opens a source so that its text begins at `offset`, the place of a line's first byte. A plain file is not read up to there; of other
/// files the beginning is unpacked and thrown away.
pub fn open_at(source: &Source, offset: u64) -> Result<Reader, Problem> {
    let mut reader = open(source)?;
    if offset <= reader.start {
        return Ok(reader);
    }
    let plain = reader.compression == Compression::Plain && reader.utf16.is_none() && source.kind == SourceKind::File;
    if plain {
        let failed = |e: io::Error| Problem::from_io(&source.path, &e);
        let mut file = File::open(&source.path).map_err(failed)?;
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        reader.identity = file.metadata().ok().and_then(|metadata| identity(&metadata));
        reader.raw = Raw::new(Box::new(file));
        reader.spill.clear();
        reader.spilled = 0;
        // The end may have been seen already.
        reader.ended = false;
    } else {
        let mut left = offset - reader.start;
        let mut buffer = vec![0; BLOCK];
        while left > 0 {
            let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            match reader.read(&mut buffer[..most]) {
                0 => break,
                n => left -= n as u64,
            }
        }
    }
    reader.start = offset;
    reader.unpacked = (reader.spill.len() - reader.spilled) as u64;
    Ok(reader)
}

/// The unpacked text of one source.
pub struct Reader {
    path: PathBuf,
    raw: Raw,
    compression: Compression,
    encoding: Encoding,
    codec: Option<Codec>,
    utf16: Option<Utf16>,
    scratch: Vec<u8>,
    /// Text that was looked at, or transcoded, and is not yet given out.
    spill: Vec<u8>,
    spilled: usize,
    unpacked: u64,
    start: u64,
    ended: bool,
    identity: Option<Identity>,
    problems: Vec<Problem>,
}

impl Reader {
    /// A reader over any stream of bytes; `path` is for messages.
    pub fn new(path: &Path, inner: Box<dyn Read + Send>) -> Result<Self, Problem> {
        let mut raw = Raw::new(inner);
        let verdict = sniff(raw.want(SNIFF_BYTES));
        if raw.want(1).is_empty()
            && let Some(error) = raw.error.take()
        {
            return Err(Problem::from_io(path, &error));
        }
        let compression = match verdict {
            Sniff::Plain => Compression::Plain,
            Sniff::Packed(compression) => compression,
            Sniff::Foreign(f) => {
                return Err(Problem::new(f.kind, path, format!("is {}", f.what), f.remedy));
            }
        };
        let codec = Codec::new(compression).map_err(|e| Problem::new(ProblemKind::Unreadable, path, e, "free some memory"))?;
        let mut reader = Self {
            path: path.to_owned(),
            raw,
            compression,
            encoding: Encoding::Bytes,
            codec,
            utf16: None,
            scratch: Vec::new(),
            spill: Vec::new(),
            spilled: 0,
            unpacked: 0,
            start: 0,
            ended: false,
            identity: None,
            problems: Vec::new(),
        };
        reader.look(DETECT_BYTES);
        reader.decode();
        Ok(reader)
    }

    /// Finds out the encoding from what was looked at, and takes the mark off.
    fn decode(&mut self) {
        let (encoding, mark) = detect(&self.spill);
        self.encoding = encoding;
        match encoding {
            Encoding::Bytes => {}
            Encoding::Utf8Mark => {
                self.spilled = mark;
                self.start = mark as u64;
            }
            Encoding::Utf16Le | Encoding::Utf16Be => {
                let seen = std::mem::take(&mut self.spill);
                let mut utf16 = Utf16::new(encoding == Encoding::Utf16Be);
                utf16.push(&seen[mark..], &mut self.spill);
                self.utf16 = Some(utf16);
            }
        }
    }

    /// Which file this is, whatever its name leads to by now.
    pub fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// Reads the next bytes of text. 0 is the end: then [`Reader::problems`] is complete.
    pub fn read(&mut self, out: &mut [u8]) -> usize {
        if out.is_empty() {
            return 0;
        }
        if self.spilled == self.spill.len() {
            if self.utf16.is_none() {
                return self.unpack(out);
            }
            self.grow();
        }
        let rest = &self.spill[self.spilled..];
        let n = rest.len().min(out.len());
        out[..n].copy_from_slice(&rest[..n]);
        self.spilled += n;
        n
    }

    /// The next bytes of text without taking them: `wanted` of them, or fewer where the text ends before.
    pub(super) fn look(&mut self, wanted: usize) -> &[u8] {
        while self.spill.len() - self.spilled < wanted && self.grow() {}
        &self.spill[self.spilled..]
    }

    /// Adds text to what is to be given out; false at the end.
    fn grow(&mut self) -> bool {
        if self.spilled == self.spill.len() {
            self.spill.clear();
            self.spilled = 0;
        }
        let before = self.spill.len();
        let Some(mut utf16) = self.utf16.take() else {
            let mut spill = std::mem::take(&mut self.spill);
            spill.resize(before + BLOCK / 4, 0);
            let n = self.unpack(&mut spill[before..]);
            spill.truncate(before + n);
            self.spill = spill;
            return n > 0;
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.resize(BLOCK / 4, 0);
        // A piece may hold but half a character and so give nothing: go on.
        while self.spill.len() == before {
            let n = self.unpack(&mut scratch);
            utf16.push(&scratch[..n], &mut self.spill);
            if n == 0 {
                if utf16.finish(&mut self.spill) {
                    let message = "the UTF-16 text ends in the middle of a character";
                    self.report(ProblemKind::Truncated, message, "copy or export the file again");
                }
                return self.spill.len() > before;
            }
        }
        self.scratch = scratch;
        self.utf16 = Some(utf16);
        true
    }

    /// Unpacks the next bytes, before any transcoding; 0 at the end.
    fn unpack(&mut self, out: &mut [u8]) -> usize {
        while !self.ended {
            let Some(codec) = &mut self.codec else {
                let n = self.raw.read(out);
                self.unpacked += n as u64;
                if n == 0 {
                    self.ended = true;
                    self.io_problem();
                }
                return n;
            };
            let input = self.raw.want(1);
            let at_end = input.is_empty();
            let step = codec.step(input, out);
            self.raw.consume(step.consumed);
            self.unpacked += step.produced as u64;
            let stuck = step.consumed == 0 && step.produced == 0;
            match step.state {
                State::More if stuck && at_end => self.cut(),
                State::More if stuck => self.damaged("its contents make no sense"),
                State::More => {}
                State::End => self.next_member(),
                State::BadSum(skip) => {
                    self.damaged("its checksum is wrong, though all of it could be unpacked");
                    let skip = self.raw.want(skip).len().min(skip);
                    self.raw.consume(skip);
                    self.ended = false;
                    self.next_member();
                }
                State::Corrupt(message) => self.damaged(&message),
            }
            if step.produced > 0 {
                return step.produced;
            }
        }
        0
    }

    /// After a whole member: another one, padding, rubbish, or the end.
    fn next_member(&mut self) {
        let mut zeros = 0;
        loop {
            let input = self.raw.want(1);
            let n = input.iter().take_while(|b| **b == 0).count();
            let done = input.is_empty() || n < input.len();
            zeros += n as u64;
            self.raw.consume(n);
            if done {
                break;
            }
        }
        let rest = self.raw.want(SNIFF_BYTES);
        if packed(rest) == Some(self.compression) {
            match Codec::new(self.compression) {
                Ok(codec) => self.codec = codec,
                Err(message) => self.damaged(&message),
            }
            return;
        }
        if rest.len() < 8 && cut_mark(self.compression, rest) {
            return self.cut();
        }
        let mut foreign = 0;
        while !self.raw.want(1).is_empty() {
            foreign += self.raw.available().len() as u64;
            self.raw.consume(self.raw.available().len());
        }
        self.ended = true;
        if self.io_problem() {
            return;
        }
        let name = self.compression;
        if foreign > PADDING {
            let message = format!("{foreign} bytes after the last whole {name} member are not {name} data");
            self.report(ProblemKind::Corrupt, message, self.check_remedy());
        } else if foreign > 0 {
            let message = format!("{foreign} bytes of rubbish after the {name} data were left out");
            self.report(ProblemKind::TrailingData, message, "nothing of the log is lost");
        } else if zeros > 0 && !(name == Compression::Xz && zeros % 4 == 0) {
            // The xz format itself allows padding in fours (xz-file-format.txt, 2.2).
            let message = format!("{zeros} zero bytes after the {name} data were left out");
            self.report(ProblemKind::TrailingData, message, "nothing of the log is lost");
        }
    }

    /// The packed data stops before its end.
    fn cut(&mut self) {
        self.ended = true;
        if !self.io_problem() {
            let message = format!("the {} data ends early; what came before is read", self.compression);
            self.report(ProblemKind::Truncated, message, self.check_remedy());
        }
    }

    fn damaged(&mut self, why: &str) {
        self.ended = true;
        let message = format!("the {} data is damaged ({why}); what came before is read", self.compression);
        self.report(ProblemKind::Corrupt, message, self.check_remedy());
    }

    /// True where the system stopped the reading, which is then reported.
    fn io_problem(&mut self) -> bool {
        let Some(error) = self.raw.error.take() else {
            return false;
        };
        self.problems.push(Problem::from_io(&self.path, &error).at(self.unpacked));
        true
    }

    fn check_remedy(&self) -> String {
        format!("copy the file again, and check it with: {}", self.compression.test_command())
    }

    fn report(&mut self, kind: ProblemKind, message: impl Into<String>, remedy: impl Into<String>) {
        let problem = Problem::new(kind, &self.path, message, remedy);
        self.problems.push(problem.at(self.unpacked));
    }

    /// How the source is packed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// How its text is written.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The offset of the first byte of text: 3 after a UTF-8 byte-order mark, else 0. In UTF-16 files offsets count the
    /// bytes of the UTF-8 text that is given out.
    pub fn start_offset(&self) -> u64 {
        self.start
    }

    /// Bytes unpacked so far (marks included, before transcoding): at the end, the size for the coverage.
    pub fn unpacked(&self) -> u64 {
        self.unpacked
    }

    /// Bytes taken from the file so far, packed: for the progress bar, beside [`Source::size`].
    pub fn packed(&self) -> u64 {
        self.raw.total
    }

    /// What went wrong so far, in the order of its place; complete once [`Reader::read`] has given 0.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The path for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("path", &self.path)
            .field("compression", &self.compression)
            .field("encoding", &self.encoding)
            .field("unpacked", &self.unpacked)
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}
