//! How a count in one window compares with the same count in the window before.

use bouncestat_record::named_enum;

use crate::wilson::interval;

named_enum! {
    /// What became of a rate from one window to the next.
    pub enum Change {
        /// There was none before.
        New = "new",
        /// Higher for certain.
        Rising = "rising",
        /// No difference that is certain.
        Steady = "steady",
        /// Lower for certain.
        Falling = "falling",
        /// There was one before, and is none now.
        Gone = "gone",
    }
}

/// `part` of `whole`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) part: i64,
    pub(crate) whole: i64,
}

impl Share {
    pub(crate) fn rate(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }
}

/// Compares two shares; without deliveries in both windows there is nothing to compare. A change is certain where the 95 % interval of the difference leaves out 0: Newcombe's hybrid of two
/// Wilson intervals (R. G. Newcombe, 1998, Statistics in Medicine 17:873, method 10).
pub(crate) fn compare(before: Share, now: Share) -> Change {
    let (Some((low_b, high_b)), Some((low_n, high_n))) = (interval(before.part, before.whole), interval(now.part, now.whole))
    else {
        return Change::Steady;
    };
    let (b, n) = (before.rate().unwrap_or(0.0), now.rate().unwrap_or(0.0));
    let low = (n - b) - ((n - low_n).powi(2) + (high_b - b).powi(2)).sqrt();
    let high = (n - b) + ((high_n - n).powi(2) + (b - low_b).powi(2)).sqrt();
    match (before.part, now.part) {
        _ if low > 0.0 && before.part == 0 => Change::New,
        _ if low > 0.0 => Change::Rising,
        _ if high < 0.0 && now.part == 0 => Change::Gone,
        _ if high < 0.0 => Change::Falling,
        _ => Change::Steady,
    }
}

/// The same for something whose mere appearance is news: a suspect, a reason.
pub(crate) fn appearance(before: Share, now: Share) -> Change {
    match (before.part, now.part) {
        (0, 1..) => Change::New,
        (1.., 0) => Change::Gone,
        _ => compare(before, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: (i64, i64), now: (i64, i64), want: Change) {
        let share = |(part, whole)| Share { part, whole };
        assert_eq!(compare(share(before), share(now)), want, "{before:?} {now:?}");
    }

    #[test]
    fn only_what_is_certain_is_a_change() {
        check((1, 100), (3, 100), Change::Steady);
        check((10, 1000), (40, 1000), Change::Rising);
        check((40, 1000), (10, 1000), Change::Falling);
        check((0, 1000), (40, 1000), Change::New);
        check((0, 1), (1, 1), Change::Steady);
        check((0, 0), (1, 1), Change::Steady);
        check((40, 1000), (0, 1000), Change::Gone);
        check((3, 3), (0, 0), Change::Steady);
        check((0, 0), (0, 0), Change::Steady);
        // Newcombe 1998, table II (a): 56/70 - 48/80 = 0.2, 95 %: 0.0524 to 0.3339.
        check((48, 80), (56, 70), Change::Rising);
    }

    #[test]
    fn a_first_suspect_is_news_however_few() {
        assert_eq!(appearance(Share { part: 0, whole: 10 }, Share { part: 1, whole: 10 }), Change::New);
        assert_eq!(appearance(Share { part: 2, whole: 10 }, Share { part: 0, whole: 10 }), Change::Gone);
    }
}
