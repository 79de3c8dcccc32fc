//! Reads files one after the other and hands out their chunks, each with a reader that stands at its start.
//!
//! Runs in a thread of its own, so that unpacking goes on while chunks are scanned.

use std::sync::mpsc::{Receiver, SyncSender};

use memchr::{memchr_iter, memrchr};

use crate::input::{self, ChunkOptions, Chunks, Problem};
use crate::mta::LineReader;
use crate::plan::PlannedFile;
use crate::rejoin::{Joiner, Places};

use super::halves::Halves;

/// A chunk to scan.
pub(super) struct Piece {
    /// The number of its file.
    pub file: u32,
    pub reader: LineReader,
    pub chunk: Vec<u8>,
    pub places: Places,
    /// Bytes of the text as it was read.
    pub bytes: u64,
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
    /// A file was read as far as it goes.
    End(FileEnd),
}

/// How far a file was read, and what is needed to go on from there.
#[derive(Clone)]
pub struct FileEnd {
    /// The number of the file.
    pub number: u32,
    /// The place behind the last line that was read, in the unpacked text.
    pub consumed: u64,
    /// Stands at that place; `None` for a file that is no log of a mail server.
    pub reader: Option<LineReader>,
    /// Parts of lines that wait for their end.
    pub joiner: Joiner,
}

impl std::fmt::Debug for FileEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileEnd").field("number", &self.number).field("consumed", &self.consumed).finish_non_exhaustive()
    }
}

/// Reads all files into buffers that come back through `spare`. Ends early when nobody listens any more.
pub(super) fn produce(files: Vec<PlannedFile>, options: ChunkOptions, send: &SyncSender<Note>, spare: &Receiver<Vec<u8>>) {
    let mut packed_before = 0;
    let mut halves = Halves::new(&files);
    for (index, file) in files.into_iter().enumerate() {
        let size = file.source.size.unwrap_or(0);
        let opened = match file.opened {
            Some(reader) => Ok(reader),
            None => input::open_at(&file.source, file.from),
        };
        let told = match opened {
            // It was rotated away in this moment: whoever looks again finds it under another name, and the new one beside it.
            Ok(reader) if file.identity.is_some() && reader.identity() != file.identity => true,
            Ok(reader) => {
                let chunks = Chunks::new(reader, options);
                let reading = Reading {
                    place: index,
                    file: file.number,
                    live: file.live,
                    looked: file.looked,
                    packed_before,
                    handed_out: 0,
                    held: 0,
                    send,
                };
                reading.read(chunks, file.reader, file.joiner, &mut halves, spare)
            }
            Err(problem) => send.send(Note::Problem(problem)).is_ok(),
        };
        if !told {
            return;
        }
        packed_before += size;
    }
}

/// One file that is read.
struct Reading<'s> {
    /// Its place in the plan.
    place: usize,
    file: u32,
    /// Somebody still writes it: what has no end yet is left for the next run.
    live: bool,
    /// Where nobody reads its lines: so far it is known that nothing of a mail server is in it.
    looked: Option<u64>,
    packed_before: u64,
    /// Bytes of the text that were handed out.
    handed_out: u64,
    /// Bytes at its end that were left.
    held: u64,
    send: &'s SyncSender<Note>,
}

impl Reading<'_> {
    fn read(
        mut self,
        mut chunks: Chunks,
        mut reader: Option<LineReader>,
        mut joiner: Joiner,
        halves: &mut Halves,
        spare: &Receiver<Vec<u8>>,
    ) -> bool {
        let mut end = chunks.reader().start_offset();
        loop {
            spare.try_iter().for_each(|buffer| chunks.recycle(buffer));
            let Some(mut chunk) = chunks.next() else { break };
            let new = reader.is_none() && self.beyond(&mut chunk.data, chunk.offset);
            let (mut data, offset) = halves.mend(self.place, chunk.data, chunk.offset, chunk.last && !new);
            if self.live && chunk.last {
                let whole = memrchr(b'\n', &data).map_or(0, |i| i + 1);
                self.held = (data.len() - whole) as u64;
                data.truncate(whole);
            }
            let bytes = data.len() as u64;
            self.handed_out += bytes;
            end = offset + bytes;
            let told = match &mut reader {
                None => {
                    let told = self.count_lines(&data);
                    chunks.recycle(data);
                    told
                }
                Some(reader) => {
                    let packed = self.packed_before + chunks.reader().packed();
                    let piece = joiner.take(data, offset);
                    let more = self.live || !chunk.last || joiner.is_open();
                    self.hand_out(piece, bytes, reader, packed, more)
                }
            };
            if !told {
                return false;
            }
            if new {
                // The rest of it is not read at all.
                return self.send.send(Note::End(FileEnd { number: self.file, consumed: end, reader, joiner })).is_ok();
            }
        }
        let packed = self.packed_before + chunks.reader().packed();
        if !self.live
            && let (Some(rest), Some(reader)) = (joiner.finish(end), &mut reader)
            && !self.hand_out(rest, 0, reader, packed, false)
        {
            return false;
        }
        // Holes and the rest of endless lines are read too.
        let length = halves.length(self.place, chunks.reader().unpacked());
        let unseen = length.saturating_sub(self.handed_out + self.held);
        if unseen > 0 && self.send.send(Note::Lines { lines: 0, bytes: unseen }).is_err() {
            return false;
        }
        let told = chunks.problems().into_iter().all(|problem| self.send.send(Note::Problem(problem)).is_ok());
        told && self
            .send
            .send(Note::End(FileEnd { number: self.file, consumed: chunks.position() - self.held, reader, joiner }))
            .is_ok()
    }

    /// Cuts off what was written since somebody looked for a mail server in it; false where nothing was.
    fn beyond(&self, data: &mut Vec<u8>, offset: u64) -> bool {
        let Some(looked) = self.looked else { return false };
        let most = usize::try_from(looked.saturating_sub(offset)).unwrap_or(usize::MAX);
        if data.len() <= most {
            return false;
        }
        // Its last line may have had no end then.
        data.truncate(memrchr(b'\n', &data[..most]).map_or(0, |i| i + 1));
        true
    }

    /// Hands out a piece with a reader that stands at its start, and moves on where more follows.
    fn hand_out(&self, (chunk, places): (Vec<u8>, Places), bytes: u64, reader: &mut LineReader, packed: u64, more: bool) -> bool {
        let here = reader.clone();
        if more {
            reader.skip(&chunk, places.base());
        }
        self.send.send(Note::Piece(Piece { file: self.file, reader: here, chunk, places, bytes, packed })).is_ok()
    }

    /// Hands out lines that nobody reads.
    fn count_lines(&self, data: &[u8]) -> bool {
        let ends = memchr_iter(b'\n', data).count() as u64;
        let open_end = u64::from(data.last().is_some_and(|b| *b != b'\n'));
        self.send.send(Note::Lines { lines: ends + open_end, bytes: data.len() as u64 }).is_ok()
    }
}
