//! The progress bar: bytes, rate and time left, on a terminal only.

use std::io::IsTerminal;

use bouncestat_ingest::run::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// Shows how far a run is.
pub struct Bar(Option<ProgressBar>);

impl Bar {
    /// A bar for so many bytes, where that is known; nothing where nobody looks.
    pub fn new(total: Option<u64>, hidden: bool) -> Self {
        if hidden || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let (bar, form) = match total {
            Some(total) => (ProgressBar::new(total), "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left"),
            None => (ProgressBar::no_length(), "{spinner} {bytes} {bytes_per_sec}"),
        };
        bar.set_style(ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(Some(bar))
    }

    /// Moves it.
    pub fn at(&self, progress: Progress) {
        if let Some(bar) = &self.0 {
            bar.set_position(progress.packed);
        }
    }

    /// Takes it away.
    pub fn done(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
