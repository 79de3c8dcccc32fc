//! Moments as whole microseconds since 1970-01-01T00:00:00Z, the unit of every output.
//!
//! Reading stamps, guessing years and zones is ingest's work; printing them is export's.

/// Microseconds since the Unix epoch, UTC.
pub type Micros = i64;

/// Microseconds in a second.
pub const SECOND: Micros = 1_000_000;
/// Microseconds in a day.
pub const DAY: Micros = 86_400 * SECOND;
