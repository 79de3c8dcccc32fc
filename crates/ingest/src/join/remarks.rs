//! What lines say that is no event of a message: losses, domains that could not be reached, events that nobody knows. Counted by name.

use std::collections::BTreeMap;

use crate::event::Remark;

/// Remarks by name, each with how many lines say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Lines in which a syslog says that it lost lines, by its name: how many say so, and how many lines they name.
    pub lost: BTreeMap<String, (u64, u64)>,
    /// Failures to reach any server of a domain.
    pub unreachable: BTreeMap<String, u64>,
    /// Events that are not known.
    pub unknown_events: BTreeMap<String, u64>,
}

impl Remarks {
    /// Counts one.
    pub(crate) fn take(&mut self, remark: Remark<'_>) {
        let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        match remark {
            Remark::Lost(by, lines) => {
                let (says, lost) = self.lost.entry(name(by)).or_default();
                *says += 1;
                *lost += lines;
            }
            Remark::Unreachable(domain) => *self.unreachable.entry(name(domain).to_lowercase()).or_default() += 1,
            Remark::UnknownEvent(event) => *self.unknown_events.entry(name(event).to_uppercase()).or_default() += 1,
        }
    }

    /// Adds others.
    pub fn add(&mut self, other: &Remarks) {
        for (by, (says, lost)) in &other.lost {
            let sum = self.lost.entry(by.clone()).or_default();
            *sum = (sum.0 + says, sum.1 + lost);
        }
        for (all, more) in [(&mut self.unreachable, &other.unreachable), (&mut self.unknown_events, &other.unknown_events)] {
            more.iter().for_each(|(name, n)| *all.entry(name.clone()).or_default() += n);
        }
    }
}
