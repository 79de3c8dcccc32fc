//! A run whose messages are kept as they are, to be folded later and more than once: what is whole goes to a [`Keeper`], what is open
//! stays in the stitcher for the next run.
//!
//! What is not here: where they are kept.

use bouncestat_record::Mta;

use crate::event::Kind;
use crate::join::fold::View;
use crate::join::scan::{Scan, Wanted};
use crate::join::stitch::{Ids, Stitcher, Whole};
use crate::join::store::Event;
use crate::plan::Plan;
use crate::reject::Kept;

use super::{Progress, RunOptions, Summary, drive, view_of};

/// Keeps the messages of a run.
pub trait Keeper: Sync {
    /// What some messages become.
    type Part: Send;
    /// An empty part.
    fn begin(&self) -> Self::Part;
    /// Adds a whole message; `kept` of its events were kept by an earlier run.
    fn message(&self, part: &mut Self::Part, message: View<'_>, kept: usize);
    /// Adds a reject of our own, from the file of this number.
    fn reject(&self, part: &mut Self::Part, mta: Mta, file: u32, reject: &Kept);
    /// Looks at an attempt, a recipient that is given up, or a removal, in the order of the log, as soon as it is read.
    fn seen(&self, _part: &mut Self::Part, _message: View<'_>, _event: &Event) {}
}

/// Reads the files of a plan and keeps their messages; `stitcher` knows what earlier runs left open, and what this one leaves.
pub fn gather<K: Keeper>(
    plan: Plan,
    options: &RunOptions,
    stitcher: &mut Stitcher,
    keeper: &K,
    on_part: &mut dyn FnMut(K::Part),
    on_progress: &dyn Fn(Progress),
) -> Summary {
    let wanted = Wanted { rejects: true, unrecognised: false };
    let each = |scan: &Scan, whole: Vec<Whole>, _: &Ids| keep(scan, &whole, keeper);
    let mut summary = drive(plan, options, wanted, stitcher, &each, on_part, on_progress);
    summary.open_messages = stitcher.open_messages();
    summary
}

fn keep<K: Keeper>(scan: &Scan, whole: &[Whole], keeper: &K) -> K::Part {
    let mut part = keeper.begin();
    let mut events = Vec::new();
    for fragment in &scan.fragments {
        let text = scan.text();
        events.clear();
        events.extend(scan.events(fragment).copied());
        let view = View { mta: scan.mta, host: text.get(fragment.host), id: text.get(fragment.id), events: &events, text };
        let ends = |kind: Kind| kind.is_attempt() || matches!(kind, Kind::GaveUp | Kind::RemovedByHand);
        events.iter().filter(|event| ends(event.kind)).for_each(|event| keeper.seen(&mut part, view, event));
    }
    for whole in whole {
        match whole {
            Whole::Inside(index) => {
                let fragment = &scan.fragments[*index as usize];
                events.clear();
                events.extend(scan.events(fragment).copied());
                let text = scan.text();
                let (host, id) = (text.get(fragment.host), text.get(fragment.id));
                keeper.message(&mut part, View { mta: scan.mta, host, id, events: &events, text }, 0);
            }
            Whole::Apart(message) => keeper.message(&mut part, view_of(message), message.kept),
        }
    }
    for kept in scan.rejects.iter().flatten() {
        keeper.reject(&mut part, scan.mta, scan.file(), kept);
    }
    part
}
