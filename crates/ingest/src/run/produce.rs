//! Reads files one after the other and hands out their chunks, each with a reader that stands at its start.
//!
//! Runs in a thread of its own, so that unpacking goes on while chunks are scanned.

use std::sync::mpsc::{Receiver, SyncSender};

use memchr::memchr_iter;

use crate::input::{self, ChunkOptions, Chunks, Problem};
use crate::mta::LineReader;
use crate::plan::PlannedFile;

/// A chunk to scan.
pub(super) struct Piece {
    pub file: u32,
    pub reader: LineReader,
    pub chunk: Vec<u8>,
    pub offset: u64,
    /// Bytes of all files read so far, as they lie on the disk.
    pub packed: u64,
}

/// What reading tells.
pub(super) enum Note {
    /// A chunk to scan.
    Piece(Piece),
    /// Lines that only count: nothing of a mail server is in them.
    Lines { lines: u64, bytes: u64 },
    /// Something is wrong with a file.
    Problem(Problem),
}

/// Reads all files into buffers that come back through `spare`. Ends early when nobody listens any more.
pub(super) fn produce(files: Vec<PlannedFile>, options: ChunkOptions, send: &SyncSender<Note>, spare: &Receiver<Vec<u8>>) {
    let mut packed_before = 0;
    for (index, file) in files.into_iter().enumerate() {
        let size = file.source.size.unwrap_or(0);
        let opened = match file.opened {
            Some(reader) => Ok(reader),
            None => input::open(&file.source),
        };
        let told = match opened {
            Ok(reader) => {
                let chunks = Chunks::new(reader, options);
                read(index as u32, chunks, file.reader, packed_before, send, spare)
            }
            Err(problem) => send.send(Note::Problem(problem)).is_ok(),
        };
        if !told {
            return;
        }
        packed_before += size;
    }
}

fn read(
    file: u32,
    mut chunks: Chunks,
    mut reader: Option<LineReader>,
    packed_before: u64,
    send: &SyncSender<Note>,
    spare: &Receiver<Vec<u8>>,
) -> bool {
    let mut handed_out = 0;
    loop {
        spare.try_iter().for_each(|buffer| chunks.recycle(buffer));
        let Some(chunk) = chunks.next() else { break };
        handed_out += chunk.data.len() as u64;
        let note = match &mut reader {
            None => {
                let ends = memchr_iter(b'\n', &chunk.data).count() as u64;
                let open_end = u64::from(chunk.data.last().is_some_and(|b| *b != b'\n'));
                let note = Note::Lines { lines: ends + open_end, bytes: chunk.data.len() as u64 };
                chunks.recycle(chunk.data);
                note
            }
            Some(reader) => {
                let here = reader.clone();
                if !chunk.last {
                    reader.skip(&chunk.data);
                }
                let packed = packed_before + chunks.reader().packed();
                Note::Piece(Piece { file, reader: here, chunk: chunk.data, offset: chunk.offset, packed })
            }
        };
        if send.send(note).is_err() {
            return false;
        }
    }
    // Holes and the rest of endless lines are read too.
    let unseen = chunks.reader().unpacked().saturating_sub(handed_out);
    if unseen > 0 && send.send(Note::Lines { lines: 0, bytes: unseen }).is_err() {
        return false;
    }
    chunks.problems().into_iter().all(|problem| send.send(Note::Problem(problem)).is_ok())
}
