//! Deliveries over time, in steps that are as fine as the span allows.
//!
//! Bounded: never more than [`MOST`] different steps are kept. When there are more, all are put into steps of the next width, and
//! each width is a multiple of the one before. That a width is too fine is told by how many of its steps are used; more
//! deliveries never use fewer. So the width at the end is the same in whatever order the deliveries come and however they are cut.

use bouncestat_record::time::{DAY, Micros, SECOND};
use serde::{Deserialize, Serialize};

use crate::failures::Map;
use crate::sums::Flags;

/// Widths of a step, each a multiple of the one before: from a second to a hundred years of weeks.
const WIDTHS: [Micros; 12] = [
    SECOND,
    10 * SECOND,
    60 * SECOND,
    300 * SECOND,
    900 * SECOND,
    3_600 * SECOND,
    21_600 * SECOND,
    DAY,
    7 * DAY,
    28 * DAY,
    364 * DAY,
    36_400 * DAY,
];

/// Steps kept while counting.
const MOST: usize = 4_096;

/// Rows that people can still see in one picture.
const ROWS: i64 = 200;

/// The flags that a step counts, in the order of [`Counts`].
const COUNTED: [u8; 7] =
    [Flags::DELIVERED, Flags::DELAYED, Flags::BOUNCED, Flags::EXPIRED, Flags::DEFERRED, Flags::HARD, Flags::SOFT];

/// delivered, delayed, bounced, expired, deferred, hard, soft.
pub(crate) type Counts = [i64; COUNTED.len()];

fn add(to: &mut Counts, from: &Counts) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

/// Counts of a batch, or of the run.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Timeline {
    /// Which of [`WIDTHS`].
    width: usize,
    steps: Map<i64, Counts>,
    /// The step that was counted last, not in `steps` yet: a log is in the order of time.
    last: Option<(i64, Counts)>,
    /// Deliveries without an attempt in the window.
    never: Counts,
}

/// The rows of the table.
pub(crate) struct Steps {
    /// Width of a step, seconds.
    pub(crate) seconds: i64,
    /// When a step begins, and what it counts; steps without deliveries between others are there, too.
    pub(crate) rows: Vec<(Micros, Counts)>,
    /// Deliveries without an attempt in the window.
    pub(crate) never: Counts,
}

impl Timeline {
    /// Counts a delivery whose last attempt was then.
    pub(crate) fn push(&mut self, at: Option<Micros>, flags: Flags) {
        let counts = COUNTED.map(|flag| flags.bit(flag));
        let Some(at) = at else { return add(&mut self.never, &counts) };
        let step = at.div_euclid(WIDTHS[self.width]);
        match &mut self.last {
            Some((last, sums)) if *last == step => add(sums, &counts),
            _ => {
                self.settle();
                // Settling may have widened the steps.
                self.last = Some((at.div_euclid(WIDTHS[self.width]), counts));
            }
        }
    }

    fn settle(&mut self) {
        if let Some((step, counts)) = self.last.take() {
            add(self.steps.entry(step).or_default(), &counts);
            self.bound();
        }
    }

    fn bound(&mut self) {
        while self.steps.len() > MOST && self.width + 1 < WIDTHS.len() {
            self.widen(self.width + 1);
        }
    }

    fn widen(&mut self, width: usize) {
        let factor = WIDTHS[width] / WIDTHS[self.width];
        self.width = width;
        if factor > 1 {
            for (step, counts) in std::mem::take(&mut self.steps) {
                add(self.steps.entry(step.div_euclid(factor)).or_default(), &counts);
            }
        }
    }

    /// Takes in the counts of a batch.
    pub(crate) fn merge(&mut self, mut other: Timeline) {
        self.settle();
        other.settle();
        let width = self.width.max(other.width);
        self.widen(width);
        other.widen(width);
        add(&mut self.never, &other.never);
        for (step, counts) in other.steps {
            add(self.steps.entry(step).or_default(), &counts);
        }
        self.bound();
    }

    /// The rows, in the order of time. What was pushed since the last merge is not among them.
    pub(crate) fn rows(&self) -> Steps {
        let at = |width: usize, step: i64| step.div_euclid(WIDTHS[width] / WIDTHS[self.width]);
        let (first, last) = (self.steps.keys().min(), self.steps.keys().max());
        let (Some(&first), Some(&last)) = (first, last) else {
            return Steps { seconds: WIDTHS[self.width] / SECOND, rows: Vec::new(), never: self.never };
        };
        let fits = |&width: &usize| at(width, last) - at(width, first) < ROWS;
        let width = (self.width..WIDTHS.len()).find(fits).unwrap_or(WIDTHS.len() - 1);
        let from = at(width, first);
        let starts = (from..=at(width, last)).map(|step| (step * WIDTHS[width], Counts::default()));
        let mut rows: Vec<_> = starts.collect();
        for (&step, counts) in &self.steps {
            add(&mut rows[(at(width, step) - from) as usize].1, counts);
        }
        Steps { seconds: WIDTHS[width] / SECOND, rows, never: self.never }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered() -> Flags {
        let mut flags = Flags::default();
        flags.set(Flags::DELIVERED, true);
        flags
    }

    fn counted(times: &[Micros], batches: usize) -> (i64, Vec<(Micros, Counts)>) {
        let mut whole = Timeline::default();
        for part in times.chunks(times.len().div_ceil(batches)) {
            let mut batch = Timeline::default();
            part.iter().for_each(|&at| batch.push(Some(at), delivered()));
            whole.merge(batch);
        }
        let steps = whole.rows();
        (steps.seconds, steps.rows)
    }

    #[test]
    fn the_order_and_the_cuts_do_not_show() {
        for (span, seconds) in
            [(1, 1), (150, 1), (7_200, 60), (86_400, 900), (86_400 * 30, 21_600), (86_400 * 4_000, 28 * 86_400)]
        {
            let mut times: Vec<Micros> = (0..20_000).map(|i| (i * 7_919 % 20_000) * span * SECOND / 20_000).collect();
            let (width, rows) = counted(&times, 1);
            assert_eq!(width, seconds, "{span}");
            assert_eq!(rows.iter().map(|r| r.1[0]).sum::<i64>(), 20_000);
            assert!(rows.len() <= ROWS as usize && rows.is_sorted());
            for batches in [2, 7, 400] {
                times.rotate_left(771);
                assert!(counted(&times, batches) == (width, rows.clone()), "{span} in {batches}");
            }
        }
    }

    #[test]
    fn gaps_are_rows_and_wrong_clocks_cost_no_memory() {
        let (seconds, rows) = counted(&[0, 5 * SECOND], 1);
        assert_eq!((seconds, rows.len()), (1, 6));
        let (_, rows) = counted(&[-9_000 * 365 * DAY, 0, 9_000 * 365 * DAY], 2);
        assert!(rows.len() <= 200, "{}", rows.len());
    }

    #[test]
    fn without_an_attempt_there_is_no_moment() {
        let mut timeline = Timeline::default();
        timeline.push(None, delivered());
        let steps = timeline.rows();
        assert!(steps.rows.is_empty() && steps.never[0] == 1);
    }
}
