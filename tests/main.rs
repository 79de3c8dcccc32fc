//! The command as its users run it: one file a command, one for each promise that holds for all of them.
//!
//! One program, so that the libraries are linked once. `cargo test --release --test cli samples` runs one file,
//! `BLESS=1 cargo test --release --test cli` rewrites the goldens; then read `git diff`.

mod common;

mod attempts;
mod bad_input;
mod check;
mod classify;
mod compact;
mod completions;
mod config;
mod dataset;
mod expire;
mod explain;
mod follow;
mod invariance;
mod kept;
mod lab;
mod man;
mod notes;
mod packaging;
mod page;
mod prometheus;
mod readme;
mod reclassify;
mod redact;
mod rejects;
mod report;
mod reports;
mod rules;
mod samples;
mod schema;
mod suppress;
mod suspects;
mod unrecognised;
mod verify;
mod window;
