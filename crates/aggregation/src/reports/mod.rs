//! The reports: each makes one table of the sums. To add one: its columns in `schema`, a function here, an entry in [`REPORTS`].

mod causes;
mod over_time;
mod rates;
mod reasons;
mod suspects;
mod unknown_replies;

use crate::causes::Causes;
use crate::cells::Keys;
use crate::failures::Failures;
use crate::sums::Group;
use crate::timeline::Timeline;
use crate::{Frame, Result};

/// What reports are made of.
pub(crate) struct State<'a> {
    pub(crate) keys: &'a Keys,
    /// A group for each of `keys.cells`.
    pub(crate) cells: &'a [Group],
    /// A group for each of `keys.senders`.
    pub(crate) senders: &'a [Group],
    pub(crate) failures: &'a Failures,
    pub(crate) causes: &'a Causes,
    pub(crate) timeline: &'a Timeline,
    /// The names of the files that places number.
    pub(crate) files: &'a [String],
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
    over_time::timeline,
    over_time::delays,
    causes::provider_reasons,
    causes::domain_reasons,
    causes::source_reasons,
    causes::sender_reasons,
    causes::replies,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn every_table_but_the_attempts_has_its_report() {
        let (keys, failures) = (Keys::default(), Failures::default());
        let (causes, timeline) = (Causes::default(), Timeline::default());
        let state = State {
            keys: &keys,
            cells: &[],
            senders: &[],
            failures: &failures,
            causes: &causes,
            timeline: &timeline,
            files: &[],
        };
        let made: Vec<_> = REPORTS.iter().map(|build| build(&state).unwrap().spec().name).collect();
        let listed: Vec<_> = schema::TABLES.iter().map(|t| t.name).filter(|&t| t != schema::ATTEMPTS.name).collect();
        assert_eq!(made, listed);
    }
}
