//! Syslog frames and stamps: no panic, what is taken off is a piece of the line, and a moment is where its stamp says.

#![no_main]

use bouncestat_fuzz::clock;
use bouncestat_ingest::framing::{Stamp, syslog};
use bouncestat_ingest::input::lines;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut clock = clock();
    for (_, line) in lines(data) {
        if let Some(frame) = syslog(line) {
            assert!(line.ends_with(frame.text));
            assert!(!frame.host.is_empty() && !frame.tag.is_empty());
            frame.stamp.at(&mut clock);
        }
        if let Some((stamp, end)) = Stamp::read(line) {
            assert!(end <= line.len());
            stamp.at(&mut clock);
        }
    }
});
