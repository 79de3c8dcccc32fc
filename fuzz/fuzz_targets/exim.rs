//! The reader of Exim's lines, and the join behind it: no panic, and a log that is cut says what the whole one says.

#![no_main]

use bouncestat_fuzz::check_reader;
use bouncestat_record::Mta;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| check_reader(Mta::Exim, data));
