//! The reports: each makes one table of the sums. To add one: its columns in `schema`, a function here, an entry in [`REPORTS`].

mod causes;
pub(crate) mod comparison;
mod over_time;
mod rates;
mod reasons;
pub(crate) mod suspect_rows;
pub(crate) mod suspects;
mod unknown_replies;

use crate::causes::Causes;
use crate::cells::Keys;
use crate::failures::Failures;
use crate::refusals::Refusals;
use crate::sums::Group;
use crate::timeline::Timeline;
use crate::{Frame, Result};

pub use suspects::Thresholds;

/// What reports are made of.
pub(crate) struct State<'a> {
    pub(crate) keys: &'a Keys,
    /// A group for each of `keys.cells`.
    pub(crate) cells: &'a [Group],
    /// A group for each of `keys.senders`.
    pub(crate) senders: &'a [Group],
    pub(crate) failures: &'a Failures,
    pub(crate) refusals: &'a Refusals,
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
    suspect_rows::suspects,
    unknown_replies::unknown_replies,
    over_time::timeline,
    over_time::delays,
    causes::provider_reasons,
    causes::domain_reasons,
    causes::source_reasons,
    causes::sender_reasons,
    causes::replies,
];

/// Tables that other commands make: `attempts`, `suspects`, `suppress`, `rejects`, `--unrecognised`, and `--compare`.
#[cfg(test)]
pub(crate) static ELSEWHERE: &[&crate::schema::TableSpec] = &[
    &crate::schema::ATTEMPTS,
    &crate::schema::EVIDENCE,
    &crate::schema::LOOKALIKES,
    &crate::schema::SUPPRESS,
    &crate::schema::CHANGES,
    &crate::schema::REJECT_TOTALS,
    &crate::schema::REJECT_HOSTS,
    &crate::schema::REJECT_REASONS,
    &crate::schema::REJECT_BLOCKLISTS,
    &crate::schema::REJECT_NETWORKS,
    &crate::schema::REJECT_DOMAINS,
    &crate::schema::UNRECOGNISED,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn every_table_has_its_report() {
        let (keys, failures, refusals) = (Keys::default(), Failures::default(), Refusals::default());
        let (causes, timeline) = (Causes::default(), Timeline::default());
        let state = State {
            keys: &keys,
            cells: &[],
            senders: &[],
            failures: &failures,
            refusals: &refusals,
            causes: &causes,
            timeline: &timeline,
            files: &[],
        };
        let made: Vec<_> = REPORTS.iter().map(|build| build(&state).unwrap().spec().name).collect();
        let elsewhere = |t: &str| ELSEWHERE.iter().any(|e| e.name == t);
        let listed: Vec<_> = schema::TABLES.iter().map(|t| t.name).filter(|t| !elsewhere(t)).collect();
        assert_eq!(made, listed);
    }
}
