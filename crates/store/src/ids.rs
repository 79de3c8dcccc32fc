//! The ids of a segment's messages, as sorted hashes: they prove hops, where one message's reply names the id of another.
//!
//! `250 2.0.0 Ok: queued as 4jXVcG2tc6z1XXTY` is a delivery, until a message of that id shows up in a log of ours.

use serde::{Deserialize, Serialize};

/// The ids of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ids {
    /// Ids of all messages that its lines speak of, open ones too.
    pub seen: Vec<u64>,
    /// Ids under which its messages were handed over, and that no log of ours knows so far.
    pub named: Vec<u64>,
    /// The same, and a log of ours knows them.
    pub hops: Vec<u64>,
    /// Ids from which messages say they came.
    pub came_from: Vec<u64>,
}

impl Ids {
    /// With lists as they are kept: sorted, each id once.
    pub fn new(seen: impl IntoIterator<Item = u64>, named: Vec<u64>, came_from: impl IntoIterator<Item = u64>) -> Self {
        Self { seen: sorted(seen), named: sorted(named), hops: Vec::new(), came_from: sorted(came_from) }
    }

    /// Finds the hops among what is named; tells whether there are new ones.
    pub fn settle(&mut self, is_seen: impl Fn(u64) -> bool) -> bool {
        let (hops, named): (Vec<u64>, Vec<u64>) = self.named.iter().partition(|id| is_seen(**id));
        self.named = named;
        let found = !hops.is_empty();
        self.hops = sorted(self.hops.drain(..).chain(hops));
        found
    }

    /// Puts another segment's ids to these.
    pub fn merge(&mut self, other: Self) {
        for (to, from) in [
            (&mut self.seen, other.seen),
            (&mut self.named, other.named),
            (&mut self.hops, other.hops),
            (&mut self.came_from, other.came_from),
        ] {
            *to = sorted(to.drain(..).chain(from));
        }
    }
}

fn sorted(ids: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let mut ids: Vec<u64> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
