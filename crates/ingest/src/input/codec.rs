//! One packed member (a gzip member, a bzip2 or xz stream, a zstd frame) at a time, over four libraries in one shape.
//!
//! The low-level interfaces are used on purpose: the libraries' readers throw away what a call had already unpacked
//! when that same call meets damage. Not here: where the bytes come from, and what follows a member (`decompress`).

use std::fmt;

use flate2::FlushDecompress;
use liblzma::stream::{Action, Stream};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

/// How a file is packed, told by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    Plain,
    /// gzip, RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// Zstandard, RFC 8878.
    Zstd,
}

impl Compression {
    /// The usual ending of its files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gz",
            Self::Bzip2 => "bz2",
            Self::Xz => "xz",
            Self::Zstd => "zst",
        }
    }

    /// The command that checks such a file.
    pub(super) fn test_command(self) -> &'static str {
        match self {
            Self::Plain => "cat",
            Self::Gzip => "gzip -t",
            Self::Bzip2 => "bzip2 -t",
            Self::Xz => "xz -t",
            Self::Zstd => "zstd -t",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What one step did.
pub(super) struct Step {
    /// Bytes of the input that are done with.
    pub(super) consumed: usize,
    /// Bytes that were written to the output.
    pub(super) produced: usize,
    /// Where the member stands.
    pub(super) state: State,
}

/// Where a member stands after a step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It goes on. No progress without input means that it was cut.
    More,
    /// It is complete and sound.
    End,
    /// All of it was unpacked, and its checksum is wrong. The next member begins after so many bytes.
    BadSum(usize),
    /// From here on nothing can be unpacked.
    Corrupt(String),
}

/// The unpacker of one member.
pub(super) enum Codec {
    Gzip(Box<flate2::Decompress>),
    Bzip2(Box<bzip2::Decompress>),
    Xz(Box<Stream>),
    /// With the number of bytes that it asks for next.
    Zstd(Box<Decoder<'static>>, usize),
}

/// xz's preset -9 needs 65 MiB; its format allows 4 GiB.
const XZ_MEMORY: u64 = 1 << 30;
/// What `zstd --long=31` writes, the most there is (on 32 bits 30).
const ZSTD_WINDOW_LOG: u32 = if cfg!(target_pointer_width = "64") { 31 } else { 30 };
/// zstd tells what it needs once it has seen this much of a frame.
const ZSTD_FIRST: usize = 5;

impl Codec {
    /// A fresh unpacker; none for plain files.
    pub(super) fn new(compression: Compression) -> Result<Option<Self>, String> {
        Ok(Some(match compression {
            Compression::Plain => return Ok(None),
            Compression::Gzip => Self::Gzip(Box::new(flate2::Decompress::new_gzip(15))),
            Compression::Bzip2 => Self::Bzip2(Box::new(bzip2::Decompress::new(false))),
            Compression::Xz => {
                let stream = Stream::new_stream_decoder(XZ_MEMORY, 0).map_err(|e| e.to_string())?;
                Self::Xz(Box::new(stream))
            }
            Compression::Zstd => {
                let mut decoder = Decoder::new().map_err(|e| e.to_string())?;
                decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG)).map_err(|e| e.to_string())?;
                Self::Zstd(Box::new(decoder), ZSTD_FIRST)
            }
        }))
    }

    /// Unpacks what it can from `input` to `out`, and keeps what it unpacked even where it then meets damage.
    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        match self {
            Self::Gzip(inflate) => {
                let before = (inflate.total_in(), inflate.total_out());
                let result = inflate.decompress(input, out, FlushDecompress::None);
                let state = match result {
                    Ok(flate2::Status::StreamEnd) => State::End,
                    Ok(_) => State::More,
                    // zlib's words. Both sums lie behind the data; four bytes of length follow the first.
                    Err(e) => match e.message() {
                        Some("incorrect data check") => State::BadSum(4),
                        Some("incorrect length check") => State::BadSum(0),
                        Some(message) => State::Corrupt(message.to_owned()),
                        None => State::Corrupt(e.to_string()),
                    },
                };
                Step::new(before, (inflate.total_in(), inflate.total_out()), state)
            }
            Self::Bzip2(bunzip) => {
                let before = (bunzip.total_in(), bunzip.total_out());
                let state = match bunzip.decompress(input, out) {
                    Ok(bzip2::Status::StreamEnd) => State::End,
                    Ok(_) => State::More,
                    Err(e) => State::Corrupt(e.to_string()),
                };
                Step::new(before, (bunzip.total_in(), bunzip.total_out()), state)
            }
            Self::Xz(stream) => {
                let before = (stream.total_in(), stream.total_out());
                let state = match stream.process(input, out, Action::Run) {
                    Ok(liblzma::stream::Status::StreamEnd) => State::End,
                    Ok(_) => State::More,
                    Err(e) => State::Corrupt(e.to_string()),
                };
                Step::new(before, (stream.total_in(), stream.total_out()), state)
            }
            Self::Zstd(decoder, wanted) => {
                // Given no more than it asks for, it unpacks one block a call, so a bad block costs only itself.
                let mut source = InBuffer::around(&input[..input.len().min(*wanted)]);
                let mut target = OutBuffer::around(out);
                let state = match decoder.run(&mut source, &mut target) {
                    Ok(0) => State::End,
                    Ok(hint) => {
                        *wanted = hint;
                        State::More
                    }
                    Err(e) => State::Corrupt(e.to_string()),
                };
                Step { consumed: source.pos(), produced: target.pos(), state }
            }
        }
    }
}

impl Step {
    fn new(before: (u64, u64), after: (u64, u64), state: State) -> Self {
        // Both differ by no more than the length of a slice.
        Self { consumed: (after.0 - before.0) as usize, produced: (after.1 - before.1) as usize, state }
    }
}
