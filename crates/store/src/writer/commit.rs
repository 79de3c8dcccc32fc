//! A commit: what was gathered becomes part of the dataset, together with how far each log was read.

use std::collections::HashSet;

use bouncestat_aggregation::{AttemptBatch, Batch, Meta};
use bouncestat_ingest::event::Kind;
use bouncestat_ingest::join::hash_bytes;
use bouncestat_ingest::join::stitch::{Message, resolve};
use bouncestat_ingest::join::store::Part;
use bouncestat_ingest::run::Consumer;
use bouncestat_record::Mta;
use bouncestat_record::time::{DAY, Micros};

use crate::Result;
use crate::block::Builder;
use crate::dataset::entry;
use crate::fill::Make;
use crate::ids::Ids;
use crate::manifest::{Lines, Remarks, Segment, State};
use crate::read::{damaged, view_of};
use crate::segment::Written;
use crate::state::Saved;
use crate::view::{self, Known};
use crate::writer::Writer;

/// A message of Exchange ends nowhere in its logs: it is taken for whole when nothing was heard of it for so long.
const IDLE_EXCHANGE: Micros = 7 * DAY;
/// No queue keeps mail so long: an open message of which nothing was heard since then lost its end.
const IDLE: Micros = 30 * DAY;
/// So far apart may a hand-over and the message stand that it names.
const HOP: Micros = 8 * DAY;

/// What a commit did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Committed {
    /// Lines that are part of the dataset now.
    pub lines: u64,
    /// Messages that are whole now.
    pub messages: u64,
    /// Messages that are open.
    pub open: u64,
    /// Attempts in the files that were written; those of open messages are written with every commit.
    pub attempts: u64,
    /// Segments whose attempts were made again, because some of them turned out to be hops.
    pub again: usize,
}

impl Writer {
    /// Makes what was gathered part of the dataset; `rows` makes attempts, `meta` goes into their files, `now` is the present.
    pub fn commit<C: Consumer<Part = (AttemptBatch, Batch)>>(&mut self, rows: &C, meta: &Meta, now: Micros) -> Result<Committed> {
        self.close_idle(now)?;
        for writing in std::mem::take(&mut self.writing).into_iter().flatten() {
            self.written.extend(writing.end(&self.disk)?);
        }
        let mut next = self.dataset.manifest.clone();
        let newest = self.written.iter().map(|written| written.number).max();
        next.generation = newest.unwrap_or(0).max(self.next_number());
        next.version = env!("CARGO_PKG_VERSION").to_owned();
        let generation = next.generation;
        let mut done = Committed { lines: self.lines.lines, ..Committed::default() };

        let run = self.stitcher.take_ids();
        self.load_recent()?;
        let mut fresh: Vec<(Segment, Ids)> = Vec::new();
        for written in std::mem::take(&mut self.written) {
            fresh.push(segment(written.number, Some(written)));
        }
        if fresh.is_empty() && (self.lines != Lines::default() || !run.seen.is_empty()) {
            fresh.push(segment(self.next_number(), None));
        }
        if let Some((first, ids)) = fresh.first_mut() {
            (first.lines, first.remarks) = (std::mem::take(&mut self.lines), std::mem::take(&mut self.remarks));
            *ids = Ids::new(run.seen.iter().copied(), std::mem::take(&mut ids.named), run.came_from.iter().copied());
        }
        let is_seen = |id| run.seen.contains(&id) || self.knows(id);
        fresh.iter_mut().for_each(|(_, ids)| _ = ids.settle(is_seen));

        // What was a delivery so far, and turns out to be a hop now.
        let mut again: HashSet<u64> = HashSet::new();
        for (number, ids) in &mut self.ids {
            let came = run.came_from.iter().any(|id| ids.seen.binary_search(id).is_ok());
            if ids.settle(|id| run.seen.contains(&id)) || came {
                again.insert(*number);
            }
        }
        done.again = again.len();
        let came_from: Vec<u64> = self.ids.values().flat_map(|ids| ids.came_from.iter().copied()).chain(run.came_from).collect();

        for segment in next.segments.iter_mut().filter(|segment| again.contains(&segment.number)) {
            let ids = self.ids.get(&segment.number).cloned().unwrap_or_default();
            match self.fill(segment, &ids, &came_from, generation, rows, meta) {
                Err(error) if error.is_of_file() => self.problems.push(damaged(&error)),
                done => done?,
            }
        }
        for (segment, ids) in &mut fresh {
            self.fill(segment, ids, &came_from, generation, rows, meta)?;
            done.messages += segment.counts.0;
            done.attempts += segment.attempts.iter().map(|day| day.rows).sum::<u64>();
        }
        let fresh_ids: Vec<(u64, Ids)> = fresh.iter().map(|(segment, ids)| (segment.number, ids.clone())).collect();
        next.segments.extend(fresh.into_iter().map(|(segment, _)| segment));
        self.ids.extend(fresh_ids);
        let state = self.state(&came_from, generation, rows, meta)?;
        done.open = state.open;
        done.attempts += state.attempts.iter().map(|day| day.rows).sum::<u64>();
        next.state = Some(state);
        self.dataset.switch(next, &self.disk)?;
        Ok(done)
    }

    /// Takes messages for whole of which nothing was heard for long.
    fn close_idle(&mut self, now: Micros) -> Result<()> {
        let open = self.stitcher.open();
        let newest = open.iter().flat_map(|message| message.events.iter().map(|event| event.at)).max();
        let committed = self.dataset.manifest.segments.iter().filter_map(|segment| segment.span).map(|(_, last)| last).max();
        let Some(newest) = newest.max(committed) else { return Ok(()) };
        // A clock that went wrong must not end anything: both have to agree.
        let now = now.min(newest);
        let is_idle = |message: &Message| {
            let limit = if message.mta == Mta::Exchange { IDLE_EXCHANGE } else { IDLE };
            let last = message.events.iter().map(|event| event.at).max().unwrap_or(Micros::MIN);
            // What was heard of in this run may go on in the next one, however old it is.
            message.kept == message.events.len() && last < now - limit
        };
        if !open.iter().any(|message| is_idle(message)) {
            return Ok(());
        }
        // As they are kept: what names a message must be equal in all of them.
        let all: Vec<Message> = open.into_iter().map(|message| self.shown(message)).collect();
        let idle = self.stitcher.take_idle(is_idle);
        let mut block = Builder::default();
        if idle.iter().any(|message| message.mta == Mta::Exchange) {
            // Sessions and what tracking says are put together as if nothing more came.
            let ids: HashSet<Vec<u8>> = idle.iter().map(|message| message.id.to_vec()).collect();
            let (messages, rejects) = resolve(all);
            let whole = |message: &&Message| message.mta == Mta::Exchange && ids.contains(&*message.id);
            messages.iter().filter(whole).for_each(|message| block.message(view_of(message)));
            let limit = now - IDLE_EXCHANGE;
            let old = rejects.iter().filter(|(_, kept)| kept.reject.at < limit);
            old.for_each(|(file, kept)| block.reject(Mta::Exchange, *file, kept));
        }
        idle.iter()
            .filter(|message| message.mta != Mta::Exchange)
            .for_each(|message| block.message(view_of(&self.shown(message))));
        self.add(super::LATE, block)
    }

    /// A message as it is kept.
    fn shown(&self, message: &Message) -> Message {
        match &self.redact {
            None => message.clone(),
            Some(redact) => {
                let shown = redact.message(view_of(message), message.kept);
                Message { mixed: message.mixed, hands_over: message.hands_over, queue: message.queue.clone(), ..shown }
            }
        }
    }

    /// Loads the ids of segments that are not long ago.
    fn load_recent(&mut self) -> Result<()> {
        let oldest = self.stitcher.open().iter().flat_map(|m| m.events.iter().map(|e| e.at)).min();
        let written = self.written.iter().filter_map(|written| written.span).map(|(first, _)| first).min();
        let since = match (oldest, written) {
            (Some(a), Some(b)) => a.min(b),
            (a, b) => a.or(b).unwrap_or(Micros::MAX),
        }
        .saturating_sub(HOP);
        for segment in self.dataset.manifest.segments.iter().filter(|s| s.span.is_none_or(|(_, last)| last >= since)) {
            if !self.ids.contains_key(&segment.number) {
                match self.dataset.ids(segment) {
                    Ok(ids) => _ = self.ids.insert(segment.number, ids),
                    // What it proves of hops is not known now. That must not keep new lines out.
                    Err(error) => self.problems.push(damaged(&error)),
                }
            }
        }
        Ok(())
    }

    /// Whether an id was seen not long ago.
    fn knows(&self, id: u64) -> bool {
        self.ids.values().any(|ids| ids.seen.binary_search(&id).is_ok())
    }

    /// Writes the ids and attempts of a segment.
    fn fill<C: Consumer<Part = (AttemptBatch, Batch)>>(
        &self,
        segment: &mut Segment,
        ids: &Ids,
        came_from: &[u64],
        generation: u64,
        rows: &C,
        meta: &Meta,
    ) -> Result<()> {
        self.make().fill(segment, ids, came_from, generation, rows, meta)
    }

    fn make(&self) -> Make<'_> {
        Make { dataset: &self.dataset, disk: &self.disk, names: &self.tail.names, judged_by: &self.judged_by }
    }

    /// Writes open messages, how far files were read, and the attempts so far.
    fn state<C: Consumer<Part = (AttemptBatch, Batch)>>(
        &self,
        came_from: &[u64],
        generation: u64,
        rows: &C,
        meta: &Meta,
    ) -> Result<State> {
        let open: Vec<Message> = self.stitcher.open().into_iter().map(|message| self.shown(message)).collect();
        let hops: Vec<u64> = open.iter().flat_map(named).filter(|id| self.knows(*id)).collect();
        let (bytes, span) = Saved::pack(&open, &hops, self.stitcher.newest(), &self.tail.files, &self.tail.names);
        let file = entry(format!("state/{generation:08}.bin"), &bytes);
        self.disk.write(&self.dataset.path(&file.file), &bytes)?;
        let known = Known::new(hops, came_from.iter().copied(), &self.tail.names);
        let count = open.len() as u64;
        let (resolved, _) = resolve(open);
        let days = view::of_views(resolved.iter().map(view_of), &known, rows, meta, &self.dataset.manifest.redaction)?;
        let attempts = self.make().write_days(&format!("open-{generation:08}"), days)?;
        Ok(State {
            entry: file,
            open: count,
            unended: self.stitcher.open_without_end(),
            span,
            rules: meta.rules.clone(),
            attempts,
        })
    }
}

/// A segment that has no ids and attempts yet.
pub(crate) fn segment(number: u64, written: Option<Written>) -> (Segment, Ids) {
    let (messages, named, counts, span) = match written {
        Some(written) => (Some(written.file), written.named, written.counts, written.span),
        None => (None, Vec::new(), (0, 0, 0), None),
    };
    let segment = Segment {
        number,
        messages,
        ids: entry(String::new(), b""),
        counts,
        span,
        lines: Lines::default(),
        remarks: Remarks::default(),
        day: None,
        rules: String::new(),
        attempts: Vec::new(),
        sums: None,
    };
    (segment, Ids::new([], named, []))
}

/// The ids under which a message was handed over, as hashes.
pub(crate) fn named(message: &Message) -> Vec<u64> {
    let sent = message.events.iter().filter(|event| event.kind == Kind::Sent);
    let ids = sent.map(|event| message.text().get(event.span(Part::NextId))).filter(|id| !id.is_empty());
    ids.map(hash_bytes).collect()
}
