//! The reports: each makes one table of the sums. To add one: its columns in `schema`, a function here, an entry in [`REPORTS`].

mod rates;
mod reasons;
mod suspects;
mod unknown_replies;

use crate::cells::Keys;
use crate::failures::Failures;
use crate::sums::Group;
use crate::{Frame, Result};

/// What reports are made of.
pub(crate) struct State<'a> {
    pub(crate) keys: &'a Keys,
    /// A group for each of `keys.cells`.
    pub(crate) cells: &'a [Group],
    /// A group for each of `keys.senders`.
    pub(crate) senders: &'a [Group],
    pub(crate) failures: &'a Failures,
}

/// Every report, in the order of the column list.
pub(crate) static REPORTS: &[fn(&State<'_>) -> Result<Frame>] = &[
    rates::totals,
    rates::domains,
    rates::providers,
    rates::sources,
    rates::sender_domains,
    reasons::reasons,
    suspects::suspects,
    unknown_replies::unknown_replies,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn every_table_but_the_attempts_has_its_report() {
        let (keys, failures) = (Keys::default(), Failures::default());
        let state = State { keys: &keys, cells: &[], senders: &[], failures: &failures };
        let made: Vec<_> = REPORTS.iter().map(|build| build(&state).unwrap().spec().name).collect();
        let listed: Vec<_> = schema::TABLES.iter().map(|t| t.name).filter(|&t| t != schema::ATTEMPTS.name).collect();
        assert_eq!(made, listed);
    }
}
