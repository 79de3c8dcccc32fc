//! The way from a count of failures to the lines behind it: for each cell and sender domain, and for each kind of reply, how many
//! failed why, and where the oldest of them stands in the logs.
//!
//! Bounded by distinct (cell, reason) and (sender domain, reason), and by reply templates, not by failures.

use serde::{Deserialize, Serialize};
use std::hash::Hash;

use bouncestat_record::time::Micros;
use bouncestat_record::{Delivery, Try};

use crate::cells::Renumbering;
use crate::failures::{Failure, Map, ReasonKey};
use crate::names::Names;

/// Where the line of a failure stands. Known places come before unknown ones, then the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Place {
    /// No line of the input tells the cause.
    unknown: bool,
    /// When the attempt was.
    pub(crate) at: Micros,
    file: u32,
    offset: u64,
}

impl Place {
    fn of(delivery: &Delivery<'_>) -> Self {
        match delivery.cause.as_ref().or(delivery.tries.last()) {
            Some(&Try { at, file, offset, .. }) => Place { unknown: false, at, file, offset },
            None => Place { unknown: true, at: delivery.born, file: 0, offset: 0 },
        }
    }

    /// What comes first, however logs are cut into files: files have other numbers then.
    fn moment(self) -> (bool, Micros) {
        (self.unknown, self.at)
    }

    /// The number of the file in the run's list, and the offset of the line.
    pub(crate) fn line(self) -> Option<(usize, i64)> {
        (!self.unknown).then_some((self.file as usize, i64::try_from(self.offset).unwrap_or(i64::MAX)))
    }
}

/// Failures of one kind.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Cause {
    pub(crate) deliveries: i64,
    pub(crate) oldest: Place,
    /// The template of the oldest one's reply.
    pub(crate) template: Option<u32>,
}

impl Cause {
    /// Takes in others of this kind. Of several in one moment, the smaller template counts.
    fn add(&mut self, other: Cause, names: &Names) {
        self.deliveries += other.deliveries;
        let text = |template: Option<u32>| template.map(|t| names.text(t));
        let mine = (self.oldest.moment(), text(self.template), self.oldest);
        if (other.oldest.moment(), text(other.template), other.oldest) < mine {
            (self.oldest, self.template) = (other.oldest, other.template);
        }
    }
}

/// Failures with the same kind of reply.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) deliveries: i64,
    pub(crate) oldest: Place,
    /// The oldest one's reply, as logged.
    pub(crate) example: Box<[u8]>,
}

/// The causes of a batch, or of the run. Templates are numbered as in [`crate::failures::Failures`].
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Causes {
    pub(crate) by_cell: Map<(u32, ReasonKey), Cause>,
    pub(crate) by_sender: Map<(u32, ReasonKey), Cause>,
    pub(crate) replies: Map<(ReasonKey, Option<u32>), Reply>,
}

impl Causes {
    /// Takes in a failed delivery.
    pub(crate) fn push(&mut self, failure: &Failure<'_>, delivery: &Delivery<'_>, cell: u32, sender: u32, templates: &mut Names) {
        let key = ReasonKey { reason: failure.reason, class: failure.class, disposition: failure.disposition };
        let template = (!failure.template.is_empty()).then(|| templates.number(failure.template));
        let cause = Cause { deliveries: 1, oldest: Place::of(delivery), template };
        put(&mut self.by_cell, (cell, key), cause, templates);
        put(&mut self.by_sender, (sender, key), cause, templates);
        self.reply((key, template), 1, cause.oldest, failure.text);
    }

    fn reply(&mut self, key: (ReasonKey, Option<u32>), deliveries: i64, oldest: Place, example: &[u8]) {
        match self.replies.get_mut(&key) {
            None => drop(self.replies.insert(key, Reply { deliveries, oldest, example: example.into() })),
            Some(reply) => {
                reply.deliveries += deliveries;
                if (oldest.moment(), example, oldest) < (reply.oldest.moment(), &*reply.example, reply.oldest) {
                    (reply.oldest, reply.example) = (oldest, example.into());
                }
            }
        }
    }

    /// Takes in the causes of a batch; `to` and `templates` are the run's numbers for those of the batch.
    pub(crate) fn merge(&mut self, other: Causes, to: &Renumbering, templates: &[u32], names: &Names) {
        let renumbered = |cause: Cause| Cause { template: cause.template.map(|t| templates[t as usize]), ..cause };
        for ((cell, key), cause) in other.by_cell {
            put(&mut self.by_cell, (to.cells[cell as usize], key), renumbered(cause), names);
        }
        for ((sender, key), cause) in other.by_sender {
            put(&mut self.by_sender, (to.senders[sender as usize], key), renumbered(cause), names);
        }
        for ((key, template), reply) in other.replies {
            let template = template.map(|t| templates[t as usize]);
            self.reply((key, template), reply.deliveries, reply.oldest, &reply.example);
        }
    }

    /// The causes of each key that `of` makes of a number: of a cell its domain, say.
    pub(crate) fn rolled_up(
        causes: &Map<(u32, ReasonKey), Cause>,
        of: impl Fn(u32) -> u32,
        names: &Names,
    ) -> Map<(u32, ReasonKey), Cause> {
        let mut all = Map::default();
        for (&(number, key), &cause) in causes {
            put(&mut all, (of(number), key), cause, names);
        }
        all
    }
}

fn put<K: Eq + Hash>(causes: &mut Map<K, Cause>, key: K, cause: Cause, names: &Names) {
    match causes.get_mut(&key) {
        None => drop(causes.insert(key, cause)),
        Some(kept) => kept.add(cause, names),
    }
}
