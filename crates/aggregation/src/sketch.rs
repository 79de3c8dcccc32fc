//! Delays, counted by value rounded to four significant decimal digits, for percentiles.
//!
//! Why not the values themselves: they would need memory for every delivery. Why not a t-digest: its answer depends on the
//! order of the values and of the merges. Here a million delays need at most a few ten thousand counts, a percentile is off by
//! at most 0.05 %, and any order and any cutting gives the same counts.

/// Bits of an entry that hold the count; the bucket stands above them, so that entries sort by bucket.
const COUNT_BITS: u32 = 40;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// Values below this are their own bucket; above it, each power of ten has 9,000 buckets.
const EXACT: u64 = 10_000;
const PER_DECADE: u64 = 9_000;

/// The bucket of a delay in milliseconds: numbers grow with the delay. A delay below zero (a clock set back) counts as zero.
pub(crate) fn bucket(delay_ms: i64) -> u32 {
    let value = delay_ms.max(0) as u64;
    if value < EXACT {
        return value as u32;
    }
    let mut decade = value.ilog10() - 3;
    let unit = 10u64.pow(decade);
    let mut digits = (value + unit / 2) / unit;
    if digits == EXACT {
        decade += 1;
        digits = EXACT / 10;
    }
    (EXACT + u64::from(decade - 1) * PER_DECADE + digits - EXACT / 10) as u32
}

/// The rounded delay that a bucket stands for, milliseconds.
fn delay(bucket: u32) -> i64 {
    let bucket = u64::from(bucket);
    if bucket < EXACT {
        return bucket as i64;
    }
    let (decade, digits) = ((bucket - EXACT) / PER_DECADE, (bucket - EXACT) % PER_DECADE + EXACT / 10);
    (digits * 10u64.pow(decade as u32 + 1)) as i64
}

/// Counts of rounded delays.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Sketch {
    /// `bucket << COUNT_BITS | count`; the first `compact` ones are sorted and have a bucket each.
    entries: Vec<u64>,
    compact: usize,
}

impl Sketch {
    /// Counts one delay.
    pub(crate) fn add(&mut self, bucket: u32) {
        self.push(u64::from(bucket) << COUNT_BITS | 1);
    }

    fn push(&mut self, entry: u64) {
        self.entries.push(entry);
        // Sorting only when half is new keeps the cost of an entry logarithmic and the memory within three times the need.
        if self.entries.len() >= 2 * self.compact + 64 {
            self.compact();
        }
    }

    /// The delays, rounded, milliseconds, with how often each was counted; in no order.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (i64, i64)> {
        self.entries.iter().map(|&e| (delay((e >> COUNT_BITS) as u32), (e & COUNT_MASK) as i64))
    }

    /// Counts what another one counted.
    pub(crate) fn merge(&mut self, other: &Sketch) {
        other.entries.iter().for_each(|&entry| self.push(entry));
    }

    fn compact(&mut self) {
        self.entries.sort_unstable();
        let mut kept = 0;
        for i in 0..self.entries.len() {
            let entry = self.entries[i];
            if kept > 0 && self.entries[kept - 1] >> COUNT_BITS == entry >> COUNT_BITS {
                self.entries[kept - 1] += entry & COUNT_MASK;
            } else {
                self.entries[kept] = entry;
                kept += 1;
            }
        }
        self.entries.truncate(kept);
        self.compact = kept;
    }
}

/// The delays of several sketches together. Its memory serves one question after the other.
#[derive(Default)]
pub(crate) struct Percentiles {
    entries: Vec<u64>,
    counts: Vec<u64>,
}

/// More entries than this are counted in a table of all buckets, fewer are sorted.
const MANY: usize = 8_192;

impl Percentiles {
    /// The delays, milliseconds, that the given shares (in percent) did not exceed, by nearest rank; `None` when none is counted.
    pub(crate) fn of<'a, const N: usize>(
        &mut self,
        sketches: impl Iterator<Item = &'a Sketch> + Clone,
        percents: [u64; N],
    ) -> Option<[i64; N]> {
        let entries = sketches.clone().map(|s| s.entries.len()).sum::<usize>();
        let all = sketches.flat_map(|s| s.entries.iter().copied());
        if entries <= MANY {
            self.entries.clear();
            self.entries.extend(all);
            self.entries.sort_unstable();
            return nearest_ranks(self.entries.iter().map(|&e| (e >> COUNT_BITS, e & COUNT_MASK)), percents);
        }
        self.counts.clear();
        self.counts.resize(bucket(i64::MAX) as usize + 1, 0);
        for entry in all {
            self.counts[(entry >> COUNT_BITS) as usize] += entry & COUNT_MASK;
        }
        nearest_ranks((0..).zip(self.counts.iter().copied()), percents)
    }
}

/// The same for (bucket, count) in the order of the buckets.
fn nearest_ranks<const N: usize>(sorted: impl Iterator<Item = (u64, u64)> + Clone, percents: [u64; N]) -> Option<[i64; N]> {
    let total: u64 = sorted.clone().map(|(_, count)| count).sum();
    if total == 0 {
        return None;
    }
    Some(percents.map(|percent| {
        let rank = (u128::from(total) * u128::from(percent)).div_ceil(100) as u64;
        let mut seen = 0;
        let at = sorted.clone().find(|(_, count)| {
            seen += count;
            seen >= rank
        });
        delay(at.map_or(0, |(bucket, _)| bucket as u32))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_round_to_four_digits_and_keep_the_order() {
        for (from, to) in [
            (0, 0),
            (-5, 0),
            (9_999, 9_999),
            (10_000, 10_000),
            (10_004, 10_000),
            (10_005, 10_010),
            (12_344, 12_340),
            (99_994, 99_990),
            (99_995, 100_000),
            (100_049, 100_000),
            (432_123_456, 432_100_000),
            (i64::MAX, 9_223_000_000_000_000_000),
        ] {
            assert_eq!(delay(bucket(from)), to, "{from}");
        }
        let mut last = 0;
        for value in (0..2_000_000i64).step_by(7) {
            assert!(bucket(value) >= last);
            last = bucket(value);
        }
        assert!(u64::from(bucket(i64::MAX)) < 1 << (64 - COUNT_BITS));
    }

    #[test]
    fn percentiles_are_nearest_rank_in_any_order_and_cut() {
        for n in [1, 19, 1_000, 30_000] {
            let values: Vec<i64> = (1..=n).map(|i| (i * 7919) % 9_973).collect();
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let (mut whole, mut left, mut right) = (Sketch::default(), Sketch::default(), Sketch::default());
            values.iter().for_each(|&v| whole.add(bucket(v)));
            values.iter().rev().enumerate().for_each(
                |(i, &v)| {
                    if i % 3 == 0 { left.add(bucket(v)) } else { right.add(bucket(v)) }
                },
            );
            let rank = |percent: i64| sorted[((n * percent + 99) / 100 - 1) as usize];
            let expected = Some([rank(50), rank(95)]);
            assert_eq!(Percentiles::default().of([&whole].into_iter(), [50, 95]), expected, "{n}");
            assert_eq!(Percentiles::default().of([&right, &left].into_iter(), [50, 95]), expected, "{n}");
        }
        assert_eq!(Percentiles::default().of([].into_iter(), [50]), None);
        // More entries than are sorted: many sketches, each with a few.
        let many: Vec<Sketch> = (0..20_000)
            .map(|i| {
                let mut sketch = Sketch::default();
                sketch.add(bucket(i));
                sketch
            })
            .collect();
        assert_eq!(Percentiles::default().of(many.iter(), [50, 95, 100]), Some([9_999, 19_000, 20_000]));
    }
}
