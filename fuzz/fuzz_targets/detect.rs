//! Whose log is it, and what does a single line say: no panic.

#![no_main]

use bouncestat_ingest::mta::{detect, failure_in_line};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let found = detect(data);
    if let Some(attempt) = failure_in_line(data) {
        assert_eq!(Some(attempt.mta), found);
    }
});
