//! What the messages of other segments say of a segment's: that they came from them, which makes these hand-overs between our own servers.

use bouncestat_record::time::{DAY, Micros};

use crate::dataset::Dataset;
use crate::ids::Ids;
use crate::manifest::Segment;
use crate::{Error, Result};

/// So far apart may a hand-over and the message stand that it became.
const HOP: Micros = 8 * DAY;

type Span = Option<(i64, i64)>;

/// The ids from which messages came, segment by segment.
#[derive(Default)]
pub(crate) struct CameFrom(Vec<(Span, Vec<u64>)>);

impl CameFrom {
    /// Of those segments that are near a span; `fails` takes what cannot be read.
    pub fn load<'s>(
        dataset: &Dataset,
        segments: impl Iterator<Item = &'s Segment>,
        span: Span,
        fails: &mut dyn FnMut(Error),
    ) -> Self {
        let mut this = Self::default();
        for segment in segments.filter(|segment| are_near(segment.span, span)) {
            match dataset.ids(segment) {
                Ok(ids) => this.add(segment, &ids),
                Err(error) => fails(error),
            }
        }
        this
    }

    pub fn add(&mut self, segment: &Segment, ids: &Ids) {
        self.0.push((segment.span, ids.came_from.clone()));
    }

    /// What counts for a segment.
    pub fn near(&self, span: Span) -> Vec<u64> {
        self.0.iter().filter(|(other, _)| are_near(*other, span)).flat_map(|(_, ids)| ids.iter().copied()).collect()
    }
}

fn are_near(a: Span, b: Span) -> bool {
    a.zip(b).is_none_or(|(a, b)| a.0 - HOP <= b.1 && b.0 - HOP <= a.1)
}

/// The span of several segments; `None` where one has none: then all are near.
pub(crate) fn span_of<'s>(segments: impl Iterator<Item = &'s Segment>) -> Span {
    segments.map(|segment| segment.span).reduce(|a, b| a.zip(b).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1)))).flatten()
}

/// An error that does not stop what is done.
pub(crate) fn or_problem<T>(result: Result<T>, problems: &mut Vec<bouncestat_ingest::input::Problem>) -> Option<T> {
    result.map_err(|error| problems.push(crate::read::damaged(&error))).ok()
}
