//! Writes the messages of some segments anew, into other segments: by the day on which they end, all into one, or without the old ones.
//!
//! Lines and remarks of a segment go where its last event goes, so that a report that begins on any day counts the same lines as before.
//! Memory is bounded: blocks are read one by one, and not too many files are written side by side.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bouncestat_ingest::event::Kind;
use bouncestat_ingest::join::fold::View;
use bouncestat_ingest::join::hash_bytes;
use bouncestat_ingest::join::store::Part;

use super::day_of;
use crate::Result;
use crate::fill::Make;
use crate::ids::Ids;
use crate::manifest::Segment;
use crate::read::remarks_of;
use crate::segment::Writing;
use crate::writer::segment;

/// So many files are written at once.
const AT_ONCE: usize = 60;
/// So many bytes may wait for their blocks in all of them together.
const MOST_WAITING: usize = 96 << 20;
/// So often is that looked at, in messages.
const LOOK: usize = 512;

/// Where what ends on a day goes; `None`: nowhere.
pub(crate) type Place<'p> = dyn Fn(i64) -> Option<i64> + 'p;

/// A segment that is written, and the place that it has.
struct Out {
    writing: Writing,
    ids: Ids,
}

/// What is written.
type Done = Vec<(i64, Segment, Ids)>;

/// Writes `inputs` anew; numbers begin at `number`. Segments come without ids and attempts on the disk.
pub(crate) fn rewrite(make: &Make<'_>, inputs: &[Segment], mut number: u64, place: &Place<'_>) -> Result<Vec<(Segment, Ids)>> {
    let mut done: Done = Vec::new();
    let mut finished = BTreeSet::new();
    loop {
        let mut pass = Pass { make, number, place, outs: BTreeMap::new(), later: false, done: &mut done, finished: &finished };
        for input in inputs {
            pass.read(input)?;
        }
        let later = pass.later;
        number = pass.end()?;
        finished.extend(done.iter().map(|(place, ..)| *place));
        if !later {
            break;
        }
    }
    let old = inputs.iter().map(|input| make.dataset.ids(input)).collect::<Result<Vec<_>>>()?;
    share(&mut done, inputs, old, place);
    Ok(done.into_iter().map(|(_, segment, ids)| (segment, ids)).collect())
}

/// One reading of all inputs.
struct Pass<'p> {
    make: &'p Make<'p>,
    number: u64,
    place: &'p Place<'p>,
    outs: BTreeMap<i64, Out>,
    /// Whether something is left for the next pass.
    later: bool,
    done: &'p mut Done,
    finished: &'p BTreeSet<i64>,
}

impl Pass<'_> {
    fn read(&mut self, input: &Segment) -> Result<()> {
        let Some(blocks) = self.make.dataset.blocks(input)? else { return Ok(()) };
        let (mut looked, disk) = (0, self.make.disk);
        for contents in blocks {
            let contents = contents?;
            for view in contents.messages() {
                let day = last(&view).or(input.span.map(|(_, last)| last)).map_or(0, day_of);
                if let Some((place, out)) = self.out(day)? {
                    ids_of(&view, &mut out.ids);
                    if out.writing.message(view, disk)? {
                        self.close(place)?;
                    }
                }
                looked += 1;
                if looked % LOOK == 0 {
                    self.make_room()?;
                }
            }
            for (mta, file, kept) in contents.rejects() {
                if let Some((place, out)) = self.out(day_of(kept.reject.at))?
                    && out.writing.reject(mta, file, &kept, disk)?
                {
                    self.close(place)?;
                }
            }
        }
        Ok(())
    }

    /// Where what ends on a day is written; `None`: nowhere, or in another pass.
    fn out(&mut self, day: i64) -> Result<Option<(i64, &mut Out)>> {
        let Some(place) = (self.place)(day).filter(|place| !self.finished.contains(place)) else { return Ok(None) };
        if !self.outs.contains_key(&place) {
            if self.outs.len() == AT_ONCE {
                self.later = true;
                return Ok(None);
            }
            let writing = Writing::begin(&self.make.dataset.dir, self.number, self.make.disk)?;
            self.number += 1;
            self.outs.insert(place, Out { writing, ids: Ids::default() });
        }
        Ok(self.outs.get_mut(&place).map(|out| (place, out)))
    }

    /// Ends a file that is full, and begins the next one of the same place, so that no other place takes its turn.
    fn close(&mut self, place: i64) -> Result<()> {
        let writing = Writing::begin(&self.make.dataset.dir, self.number, self.make.disk)?;
        self.number += 1;
        if let Some(full) = self.outs.insert(place, Out { writing, ids: Ids::default() }) {
            self.keep(place, full)?;
        }
        Ok(())
    }

    fn keep(&mut self, place: i64, out: Out) -> Result<()> {
        if let Some(written) = out.writing.end(self.make.disk)? {
            self.done.push((place, segment(written.number, Some(written)).0, out.ids));
        }
        Ok(())
    }

    fn make_room(&mut self) -> Result<()> {
        if self.outs.values().map(|out| out.writing.waiting()).sum::<usize>() > MOST_WAITING {
            for out in self.outs.values_mut() {
                out.writing.write_block(self.make.disk)?;
            }
        }
        Ok(())
    }

    fn end(mut self) -> Result<u64> {
        for (place, out) in std::mem::take(&mut self.outs) {
            self.keep(place, out)?;
        }
        Ok(self.number)
    }
}

/// Gives lines, remarks and ids of the inputs to what was made of them.
fn share(done: &mut Done, inputs: &[Segment], old: Vec<Ids>, place: &Place<'_>) {
    let hops: HashSet<u64> = old.iter().flat_map(|ids| ids.hops.iter().copied()).collect();
    for (_, _, ids) in done.iter_mut() {
        let mut all = Ids::new(ids.seen.drain(..), std::mem::take(&mut ids.named), ids.came_from.drain(..));
        all.settle(|id| hops.contains(&id));
        *ids = all;
    }
    let told = |list: fn(&Ids) -> &Vec<u64>| -> HashSet<u64> { done.iter().flat_map(|(_, _, ids)| list(ids)).copied().collect() };
    let (seen, came_from) = (told(|ids| &ids.seen), told(|ids| &ids.came_from));
    let (named, known_hops) = (told(|ids| &ids.named), told(|ids| &ids.hops));
    let rest = |ids: Vec<u64>, told: &HashSet<u64>| ids.into_iter().filter(|id| !told.contains(id)).collect::<Vec<_>>();
    for (input, ids) in inputs.iter().zip(old) {
        let wanted = input.span.and_then(|(_, last)| place(day_of(last)));
        let here = |(at, segment, _): &&mut (i64, Segment, Ids)| (Some(*at) == wanted, segment.span.map(|(_, last)| last));
        let Some((_, segment, of)) = done.iter_mut().max_by_key(here) else { continue };
        segment.lines.add(input.lines);
        segment.remarks.add(&remarks_of(&input.remarks));
        // Ids of lines whose messages are open, or in another segment.
        of.merge(Ids {
            seen: rest(ids.seen, &seen),
            named: rest(ids.named, &named).into_iter().filter(|id| !known_hops.contains(id)).collect(),
            hops: rest(ids.hops, &known_hops),
            came_from: rest(ids.came_from, &came_from),
        });
    }
}

/// The moment of the last event.
fn last(view: &View<'_>) -> Option<i64> {
    view.events.iter().map(|event| event.at).max()
}

/// What a message tells of ids, as the logs' lines did when they were read.
pub(crate) fn ids_of(view: &View<'_>, ids: &mut Ids) {
    ids.seen.push(hash_bytes(view.id));
    for event in view.events {
        let next = view.text.get(event.span(Part::NextId));
        if next.is_empty() {
            continue;
        }
        match event.kind {
            Kind::Sent => ids.named.push(hash_bytes(next)),
            Kind::Born => ids.came_from.push(hash_bytes(next)),
            _ => {}
        }
    }
}
