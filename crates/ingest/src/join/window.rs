//! The window that a run looks through: `since ≤ event < until`, and nothing after "now".

use bouncestat_record::time::Micros;

/// Which events count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Window {
    /// The first moment that counts.
    pub since: Option<Micros>,
    /// The first moment that does not count any more.
    pub until: Option<Micros>,
}

/// Where an event lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before the window: what is known of it still holds.
    Before,
    /// Inside.
    Inside,
    /// After: it has not happened yet.
    After,
}

impl Window {
    /// Where a moment lies.
    pub fn side(&self, at: Micros) -> Side {
        if self.until.is_some_and(|until| at >= until) {
            Side::After
        } else if self.since.is_some_and(|since| at < since) {
            Side::Before
        } else {
            Side::Inside
        }
    }
}
