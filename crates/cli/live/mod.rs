//! The terminal side of `bouncestat follow`: what is seen is printed line by line, or summed on a screen; and what waits for files,
//! keys and signals.
//!
//! It reads no log and decides nothing: [`seen::Seen`] comes from the engine, judged. Straight path:
//! `Watch::wait` → engine → `Seen` → `Lines`, `JsonLines`, or `Rates` → `View` → `Screen`.

pub mod draw;
pub mod json;
pub mod lines;
pub mod rates;
pub mod screen;
pub mod seen;
mod signals;
pub mod status;
pub mod suspects;
pub mod view;
pub mod watch;
mod watched;

#[cfg(test)]
mod draw_tests;
#[cfg(test)]
mod samples;
