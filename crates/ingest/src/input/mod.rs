//! The input room: from what the user typed to bytes cut at line ends.
//!
//! `discover` turns PATHs into an ordered list of [`Source`]s, `decompress` opens one as plain text whatever
//! it is packed in, `peek` looks at its beginning and end, `chunks` cuts it into owned pieces that threads can work
//! on. What went wrong on the way is a [`Problem`], which never costs what could be read.
//!
//! Not here: what a line means, which server wrote it (`detect`), and whether two files hold the same lines.
//! All that this room knows of a line is that it ends in `\n`:
//!
//! ```text
//! Nov 22 13:07:02 mx1 postfix/smtp[2381]: 4B5F2C0: to=<a@example.com>, relay=none, status=deferred (timeout)
//! ```

pub mod chunks;
mod codec;
pub mod decompress;
pub mod discover;
mod encoding;
pub mod names;
mod order;
pub mod peek;
pub mod places;
mod problem;
mod raw;
mod sniff;
mod source;

pub use chunks::{Chunk, ChunkOptions, Chunks, lines};
pub use codec::Compression;
pub use decompress::{Reader, open, open_at};
pub use discover::{DiscoverOptions, Discovery, discover};
pub use encoding::Encoding;
pub use names::{Age, Rotation, rotation_rank};
pub use peek::{Peek, open_peeked, peek};
pub use places::{Machine, Place, Places, default_places};
pub use problem::{Problem, ProblemKind};
pub use source::{Identity, Source, SourceKind};
