//! Where a run of `follow` is: what it has read, and what it has written. And how fast that goes.

use std::collections::VecDeque;

use bouncestat_record::time::{Micros, SECOND};

/// Where a run is. The engine fills it in; nothing here is worked out from lines.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// The present.
    pub now: Micros,
    /// When the run began.
    pub since: Micros,
    /// Lines read since then.
    pub lines: u64,
    /// Lines among them that look like a mail server's and were not understood.
    pub unrecognised: u64,
    /// Bytes read since then.
    pub bytes: u64,
    /// Files that are followed.
    pub files: usize,
    /// The newest event of all that was read.
    pub newest: Option<Micros>,
    /// Messages that are still open.
    pub open_messages: usize,
    /// What was written with `--into`; `None` without it.
    pub commits: Option<Commits>,
    /// Whether there is more to read than was read yet. Rates are then those before the newest event, not before the present.
    pub is_behind: bool,
    /// Whether files are looked at from time to time, as nobody tells of changes.
    pub is_polling: bool,
    /// What went wrong last, in one sentence.
    pub problem: Option<String>,
}

/// What was written into the dataset.
#[derive(Clone, Copy, Debug, Default)]
pub struct Commits {
    /// How often.
    pub count: u64,
    /// Rows.
    pub rows: u64,
    /// The last time.
    pub last: Option<Micros>,
}

impl Status {
    /// How long ago the newest event was, in milliseconds. Negative where the server's clock is ahead.
    pub fn lag_ms(&self) -> Option<i64> {
        self.newest.map(|newest| (self.now - newest) / 1_000)
    }
}

/// Over how long the pace is taken.
const SPAN: Micros = 10 * SECOND;

/// Lines a second over the last ten seconds.
#[derive(Debug, Default)]
pub struct Pace(VecDeque<(Micros, u64)>);

impl Pace {
    /// Takes note of how many lines were read until now, and gives the pace; `None` before a second has passed.
    pub fn add(&mut self, now: Micros, lines: u64) -> Option<u64> {
        // A clock that was set back begins anew.
        if self.0.back().is_some_and(|(last, before)| now < *last || lines < *before) {
            self.0.clear();
        }
        // Calls within a tenth of a second add nothing.
        if self.0.back().is_none_or(|(last, _)| now - last >= SECOND / 10) {
            self.0.push_back((now, lines));
        }
        // One stands at the beginning of the span or before it.
        while self.0.get(1).is_some_and(|(at, _)| now - at >= SPAN) {
            self.0.pop_front();
        }
        let (at, before) = *self.0.front()?;
        let passed = u64::try_from(now - at).ok().filter(|passed| *passed >= SECOND as u64)?;
        Some((u128::from(lines - before) * SECOND as u128 / u128::from(passed)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_is_that_of_the_last_seconds() {
        let mut pace = Pace::default();
        assert_eq!(pace.add(0, 1_000), None);
        assert_eq!(pace.add(SECOND / 2, 1_500), None);
        assert_eq!(pace.add(SECOND, 2_000), Some(1_000));
        for second in 2..=20 {
            pace.add(second * SECOND, 2_000);
        }
        assert_eq!(pace.add(21 * SECOND, 2_100), Some(10));
        assert!(pace.0.len() < 20);
        assert_eq!(pace.add(20 * SECOND, 2_100), None, "a clock that was set back");
    }
}
