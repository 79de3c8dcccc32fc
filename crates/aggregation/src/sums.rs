//! Rows of flags, and the sums that polars makes of a block of them.
//!
//! A block never holds more than [`BLOCK`] rows, so that three flags fit into one column: 21 bits each, and no sum of a block
//! can reach the next flag. Ten counters cost four sums.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::sketch::Sketch;

/// Rows of a block. Larger blocks do not fit into a processor's cache, smaller ones cost more groupings.
pub(crate) const BLOCK: usize = 131_072;

const FIELD: u32 = 21;
const MASK: i64 = (1 << FIELD) - 1;
const _: () = assert!(BLOCK < MASK as usize);

/// A delay that is not known.
pub(crate) const NO_DELAY: u32 = u32::MAX;

/// What is counted of a delivery, each a bit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flags(u8);

impl Flags {
    pub(crate) const DELIVERED: u8 = 1;
    pub(crate) const DELAYED: u8 = 1 << 1;
    pub(crate) const BOUNCED: u8 = 1 << 2;
    pub(crate) const EXPIRED: u8 = 1 << 3;
    pub(crate) const DEFERRED: u8 = 1 << 4;
    pub(crate) const HARD: u8 = 1 << 5;
    pub(crate) const SOFT: u8 = 1 << 6;
    pub(crate) const REPUTATION: u8 = 1 << 7;

    pub(crate) fn set(&mut self, flag: u8, on: bool) {
        self.0 |= if on { flag } else { 0 };
    }

    pub(crate) fn bit(self, flag: u8) -> i64 {
        i64::from(self.0 >> flag.trailing_zeros() & 1)
    }

    /// deliveries, delivered, delayed
    fn a(self) -> i64 {
        pack([1, self.bit(Self::DELIVERED), self.bit(Self::DELAYED)])
    }

    /// bounced, expired, deferred
    fn b(self) -> i64 {
        pack([self.bit(Self::BOUNCED), self.bit(Self::EXPIRED), self.bit(Self::DEFERRED)])
    }

    /// hard, soft, reputation
    fn c(self) -> i64 {
        pack([self.bit(Self::HARD), self.bit(Self::SOFT), self.bit(Self::REPUTATION)])
    }
}

fn pack([low, middle, high]: [i64; 3]) -> i64 {
    low | middle << FIELD | high << (2 * FIELD)
}

fn unpack(packed: i64) -> [i64; 3] {
    [packed & MASK, packed >> FIELD & MASK, packed >> (2 * FIELD) & MASK]
}

/// Rows, column by column: one a delivery.
#[derive(Default)]
pub(crate) struct Rows {
    cell: Vec<u32>,
    sender: Vec<u32>,
    flags: Vec<Flags>,
    attempts: Vec<u32>,
    /// `i64::MAX` where there is no attempt
    first: Vec<i64>,
    /// `i64::MIN` where there is no attempt
    last: Vec<i64>,
    delay: Vec<u32>,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.cell.len()
    }

    pub(crate) fn push(&mut self, cell: u32, sender: u32, flags: Flags, attempts: u32, events: (i64, i64), delay: u32) {
        self.cell.push(cell);
        self.sender.push(sender);
        self.flags.push(flags);
        self.attempts.push(attempts);
        self.first.push(events.0);
        self.last.push(events.1);
        self.delay.push(delay);
    }

    /// Adds rows of a batch under the numbers of the run.
    pub(crate) fn append(&mut self, other: &Rows, rows: std::ops::Range<usize>, cells: &[u32], senders: &[u32]) {
        self.cell.extend(other.cell[rows.clone()].iter().map(|&n| cells[n as usize]));
        self.sender.extend(other.sender[rows.clone()].iter().map(|&n| senders[n as usize]));
        self.flags.extend_from_slice(&other.flags[rows.clone()]);
        self.attempts.extend_from_slice(&other.attempts[rows.clone()]);
        self.first.extend_from_slice(&other.first[rows.clone()]);
        self.last.extend_from_slice(&other.last[rows.clone()]);
        self.delay.extend_from_slice(&other.delay[rows]);
    }

    /// Sums the rows into the groups of their cells and of their sender domains. The groups must be there.
    pub(crate) fn sum_into(self, cells: &mut [Group], senders: &mut [Group]) -> Result<()> {
        for ((&cell, &sender), &delay) in self.cell.iter().zip(&self.sender).zip(&self.delay) {
            if delay != NO_DELAY {
                cells[cell as usize].delays.add(delay);
                senders[sender as usize].delays.add(delay);
            }
        }
        let packed = |of: fn(Flags) -> i64| -> Vec<i64> { self.flags.iter().map(|&f| of(f)).collect() };
        let attempts: Vec<i64> = self.attempts.iter().map(|&n| i64::from(n)).collect();
        let frame = DataFrame::new(
            self.cell.len(),
            vec![
                Series::from_vec("a".into(), packed(Flags::a)).into(),
                Series::from_vec("b".into(), packed(Flags::b)).into(),
                Series::from_vec("c".into(), packed(Flags::c)).into(),
                Series::from_vec("attempts".into(), attempts).into(),
                Series::from_vec("first".into(), self.first).into(),
                Series::from_vec("last".into(), self.last).into(),
                Series::from_vec("cell".into(), self.cell).into(),
                Series::from_vec("sender".into(), self.sender).into(),
            ],
        )?;
        sum_by(&frame, "cell", cells)?;
        sum_by(&frame, "sender", senders)
    }
}

/// Adds the partial sums of a block to the groups that the numbers in column `key` name.
#[expect(deprecated, reason = "what is not deprecated is the lazy engine, a feature that multiplies the time of the build")]
fn sum_by(frame: &DataFrame, key: &str, groups: &mut [Group]) -> Result<()> {
    let by = frame.group_by([key])?;
    let sums = by.clone().select(["a", "b", "c", "attempts"]).sum()?;
    let first = by.clone().select(["first"]).min()?;
    let last = by.select(["last"]).max()?;

    // The grouping is the same, so is the order of its groups. Columns: the key, then what was asked for.
    let ints = |frame: &DataFrame, column: usize| -> Result<Vec<i64>> {
        Ok(frame.columns()[column].i64()?.into_no_null_iter().collect())
    };
    let (a, b, c, attempts) = (ints(&sums, 1)?, ints(&sums, 2)?, ints(&sums, 3)?, ints(&sums, 4)?);
    let (first, last) = (ints(&first, 1)?, ints(&last, 1)?);
    for (i, number) in sums.columns()[0].u32()?.into_no_null_iter().enumerate() {
        let [deliveries, delivered, delayed] = unpack(a[i]);
        let [bounced, expired, deferred] = unpack(b[i]);
        let [hard, soft, reputation] = unpack(c[i]);
        groups[number as usize].sums.add(&Sums {
            deliveries,
            delivered,
            delayed,
            bounced,
            expired,
            deferred,
            hard,
            soft,
            attempts: attempts[i],
            reputation,
            first: first[i],
            last: last[i],
        });
    }
    Ok(())
}

/// The counters of a row of rates.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Sums {
    pub(crate) deliveries: i64,
    pub(crate) delivered: i64,
    pub(crate) delayed: i64,
    pub(crate) bounced: i64,
    pub(crate) expired: i64,
    pub(crate) deferred: i64,
    pub(crate) hard: i64,
    pub(crate) soft: i64,
    pub(crate) attempts: i64,
    pub(crate) reputation: i64,
    /// `i64::MAX` without attempts.
    pub(crate) first: i64,
    /// `i64::MIN` without attempts.
    pub(crate) last: i64,
}

impl Default for Sums {
    fn default() -> Self {
        Sums {
            deliveries: 0,
            delivered: 0,
            delayed: 0,
            bounced: 0,
            expired: 0,
            deferred: 0,
            hard: 0,
            soft: 0,
            attempts: 0,
            reputation: 0,
            first: i64::MAX,
            last: i64::MIN,
        }
    }
}

impl Sums {
    /// Adds other counters.
    pub(crate) fn add(&mut self, other: &Sums) {
        self.deliveries += other.deliveries;
        self.delivered += other.delivered;
        self.delayed += other.delayed;
        self.bounced += other.bounced;
        self.expired += other.expired;
        self.deferred += other.deferred;
        self.hard += other.hard;
        self.soft += other.soft;
        self.attempts += other.attempts;
        self.reputation += other.reputation;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

impl Group {
    /// Adds another group.
    pub(crate) fn add(&mut self, other: &Group) {
        self.sums.add(&other.sums);
        self.delays.merge(&other.delays);
    }
}

/// Counters and delays of one key.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) sums: Sums,
    pub(crate) delays: Sketch,
}
