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
#[derive(Clone, Default)]
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

    /// Counts what another sketch has counted.
    pub(crate) fn merge(&mut self, other: &Sketch) {
        for &entry in &other.entries {
            self.push(entry);
        }
    }

    fn push(&mut self, entry: u64) {
        self.entries.push(entry);
        // Sorting only when half is new keeps the cost of an entry logarithmic and the memory within three times the need.
        if self.entries.len() >= 2 * self.compact + 64 {
            self.compact();
        }
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

    /// The delays, milliseconds, that the given shares (in percent) did not exceed, by nearest rank; `None` when none is counted.
    pub(crate) fn percentiles<const N: usize>(&mut self, percents: [u64; N]) -> Option<[i64; N]> {
        self.compact();
        let total: u64 = self.entries.iter().map(|e| e & COUNT_MASK).sum();
        if total == 0 {
            return None;
        }
        Some(percents.map(|percent| {
            let rank = (u128::from(total) * u128::from(percent)).div_ceil(100) as u64;
            let mut seen = 0;
            let at = self.entries.iter().find(|&&e| {
                seen += e & COUNT_MASK;
                seen >= rank
            });
            delay(at.map_or(0, |e| (e >> COUNT_BITS) as u32))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_round_to_four_digits_and_keep_the_order() {
        for (from, to) in [
            (0, 0), (-5, 0), (9_999, 9_999), (10_000, 10_000), (10_004, 10_000), (10_005, 10_010), (12_344, 12_340), (99_994, 99_990),
            (99_995, 100_000), (100_049, 100_000), (432_123_456, 432_100_000), (i64::MAX, 9_223_000_000_000_000_000),
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
    fn percentiles_are_nearest_rank_in_any_order() {
        let values: Vec<i64> = (1..=1000).map(|i| (i * 7919) % 1009).collect();
        let mut sorted = values.clone();
        sorted.sort_unstable();
        let (mut forward, mut left, mut right) = (Sketch::default(), Sketch::default(), Sketch::default());
        values.iter().for_each(|&v| forward.add(bucket(v)));
        values.iter().rev().enumerate().for_each(|(i, &v)| if i % 3 == 0 { left.add(bucket(v)) } else { right.add(bucket(v)) });
        right.merge(&left);
        let expected = Some([sorted[499], sorted[949]]);
        assert_eq!(forward.percentiles([50, 95]), expected);
        assert_eq!(right.percentiles([50, 95]), expected);
        assert_eq!(Sketch::default().percentiles([50]), None);
    }
}
