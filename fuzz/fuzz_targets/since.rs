//! Times as people type them: no panic, whatever is typed.

#![no_main]

#[path = "../../crates/cli/when.rs"]
mod when;

use bouncestat_ingest::clock::Zone;
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_795_000_000_000_000;

fuzz_target!(|text: &str| {
    for zone in [Some(Zone::UTC), Zone::parse("Europe/Berlin"), Zone::parse("-09:30")].into_iter().flatten() {
        let _ = when::parse("--since", text, NOW, zone);
    }
    if let Some(zone) = Zone::parse(text) {
        zone.to_utc(zone.to_wall(NOW));
    }
});
