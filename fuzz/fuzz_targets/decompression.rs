//! Unpacking and cutting of any bytes: no panic, no endless loop, and small chunks hold what large ones hold.
//!
//! The first byte chooses the size of chunks and lines.

#![no_main]

use std::io::Cursor;

use bouncestat_fuzz::nowhere;
use bouncestat_ingest::input::{ChunkOptions, Chunks, Reader};
use libfuzzer_sys::fuzz_target;

/// What is read at most: small bytes can hold very many zeros.
const MOST: usize = 8 << 20;

fn read(packed: &[u8], options: ChunkOptions) -> Option<(Vec<u8>, u64, bool)> {
    let reader = Reader::new(nowhere(), Box::new(Cursor::new(packed.to_vec()))).ok()?;
    let mut chunks = Chunks::new(reader, options);
    let (mut text, mut lasts, mut end) = (Vec::new(), 0, None);
    while text.len() < MOST {
        let Some(chunk) = chunks.next() else { break };
        assert_eq!(lasts, 0, "a chunk after the last");
        assert!(end.is_none_or(|end| chunk.offset >= end), "chunks overlap");
        end = Some(chunk.offset + chunk.data.len() as u64);
        lasts += u32::from(chunk.last);
        if !chunk.last && chunks.oversized() == 0 {
            assert!(chunk.data.is_empty() || chunk.data.ends_with(b"\n"), "a line is split");
        }
        text.extend_from_slice(&chunk.data);
    }
    chunks.problems();
    Some((text, chunks.oversized(), lasts == 1))
}

fuzz_target!(|data: &[u8]| {
    let Some((&size, packed)) = data.split_first() else { return };
    let small = ChunkOptions { target: 1 + usize::from(size & 15), max_line: 64 + usize::from(size) };
    let large = ChunkOptions::default();
    let (a, b) = (read(packed, small), read(packed, large));
    assert_eq!(a.is_some(), b.is_some());
    if let (Some((a, 0, true)), Some((b, 0, true))) = (a, b) {
        // Holes of zeros are left out where they are longer than the longest line.
        let solid = |text: Vec<u8>| text.into_iter().filter(|b| *b != 0).collect::<Vec<_>>();
        assert!(solid(a) == solid(b), "small chunks hold something else");
    }
});
