//! What lines say that is no event of a message: losses, domains that could not be reached, events that nobody knows. Counted by name.

use std::collections::BTreeMap;

use crate::event::Remark;

/// A line that stands for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its file, by number in the plan.
    pub file: u32,
    /// Its offset in the unpacked file, bytes.
    pub offset: u64,
    /// How it begins.
    pub line: Vec<u8>,
}

/// Remarks by name, each with how many lines say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Lines in which a syslog says that it lost lines, by its name: how many say so, and how many lines they name.
    pub lost: BTreeMap<String, (u64, u64)>,
    /// The first line that was not understood.
    pub unrecognised: Option<Example>,
    /// Messages that were tried, and whose end no line tells, though later lines of their server follow.
    pub unended: u64,
    /// Rows of Exchange whose statuses are not as many as their recipients, so that nothing tells which is whose.
    pub misaligned: u64,
    /// Failures to reach any server of a domain.
    pub unreachable: BTreeMap<String, u64>,
    /// Events that are not known.
    pub unknown_events: BTreeMap<String, u64>,
    /// Lines that are stamped in an hour that autumn repeats, by file: how many stand before a step back of the clock, and how many behind it. None
    /// behind: nothing told the two times apart, and the earlier one is a guess.
    pub repeated_hours: BTreeMap<u32, (u64, u64)>,
}

impl Remarks {
    /// Counts one that a line of this file says.
    pub(crate) fn take(&mut self, remark: Remark<'_>, file: u32) {
        let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        match remark {
            Remark::Lost(by, lines) => {
                let (says, lost) = self.lost.entry(name(by)).or_default();
                *says += 1;
                *lost += lines;
            }
            Remark::Unreachable(domain) => *self.unreachable.entry(name(domain).to_lowercase()).or_default() += 1,
            Remark::Misaligned => self.misaligned += 1,
            Remark::RepeatedHour(second) => {
                let (before, behind) = self.repeated_hours.entry(file).or_default();
                *(if second { behind } else { before }) += 1;
            }
            Remark::UnknownEvent(event) => *self.unknown_events.entry(name(event).to_uppercase()).or_default() += 1,
        }
    }

    /// Takes note of a line that was not understood.
    pub(crate) fn unrecognised(&mut self, line: &[u8], file: u32, offset: u64) {
        const SHOWN: usize = 500;
        self.unrecognised.get_or_insert_with(|| Example { file, offset, line: line[..line.len().min(SHOWN)].to_vec() });
    }

    /// Adds those of what comes later in the log.
    pub fn add(&mut self, other: &Remarks) {
        self.unrecognised = self.unrecognised.take().or_else(|| other.unrecognised.clone());
        self.unended += other.unended;
        self.misaligned += other.misaligned;
        for (by, (says, lost)) in &other.lost {
            let sum = self.lost.entry(by.clone()).or_default();
            *sum = (sum.0 + says, sum.1 + lost);
        }
        for (file, (before, behind)) in &other.repeated_hours {
            let sum = self.repeated_hours.entry(*file).or_default();
            *sum = (sum.0 + before, sum.1 + behind);
        }
        for (all, more) in [(&mut self.unreachable, &other.unreachable), (&mut self.unknown_events, &other.unknown_events)] {
            more.iter().for_each(|(name, n)| *all.entry(name.clone()).or_default() += n);
        }
    }
}
