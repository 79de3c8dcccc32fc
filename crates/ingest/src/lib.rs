//! From bytes to deliveries: finds, unpacks and cuts logs, reads their lines, and joins what they say of one message.
//!
//! What is not here: why a reply refuses (classification), counting (aggregation). No clock, environment or terminal is read.

pub mod clock;
pub mod event;
mod evidence;
pub mod framing;
pub mod input;
pub mod join;
pub mod lines;
pub mod mta;
pub mod plan;
pub mod reject;
pub mod rejoin;
pub mod run;

pub use evidence::YearFrom;
