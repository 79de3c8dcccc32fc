//! What a run will read: each source with its server, its clock and its place in time, oldest first.
//!
//! Only the first and last lines of files are read here. The order comes from what is inside, never from names alone.

mod sets;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bouncestat_record::Mta;
use bouncestat_record::time::Micros;

use crate::clock::Zone;
use crate::event::{Fields, Key, Sink, Sort};
use crate::evidence::{self, Around, Bound, YearFrom};
use crate::framing::{self, Stamp, wrap};
use crate::input::lines;
use crate::input::{self, ChunkOptions, Chunks, Identity, Peek, Problem, ProblemKind, Reader, Source, SourceKind};
use crate::join::hash_bytes;
use crate::join::scan::is_comparable;
use crate::mta::{self, FileFacts, LineReader};
use crate::reject::Reject;
use crate::rejoin::{self, Held, Joiner};
use crate::run::FileEnd;

/// What is given from outside.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// The zone of stamps without one.
    pub zone: Zone,
    /// Whether the user named it, so that evidence must not overrule it.
    pub zone_is_given: bool,
    /// The server, where the user named it.
    pub mta: Option<Mta>,
    /// The log host of lines that name none.
    pub host: Option<String>,
    /// "Now", the last resort for a year.
    pub now: Micros,
    /// Whether rejects of our own are asked for: then their lines place a file in time too.
    pub rejects: bool,
}

/// One file that will be read.
pub struct PlannedFile {
    /// Its number: events of its lines name it.
    pub number: u32,
    /// Where it is.
    pub source: Source,
    /// Who wrote it; `None`: nothing of a mail server was found in it, its lines are only counted.
    pub mta: Option<Mta>,
    /// What told the year of its stamps.
    pub year_from: YearFrom,
    /// The zone that its ids tell, where that differs from the given one.
    pub zone_from_ids: Option<Zone>,
    /// Whether its ids tell any zone, be it the given one.
    ids_tell_zone: bool,
    /// The moment of its first event.
    pub start: Option<Micros>,
    /// The moment of its last event, where that is known without reading the whole file.
    pub end: Option<Micros>,
    /// Where reading begins, in the unpacked text: what stands before was read by an earlier run.
    pub from: u64,
    /// Whether it may still grow: a last line without its end, and parts that wait for others, are left for the next run.
    pub live: bool,
    /// The file that was looked into: where the name leads to another one when it is read, that one is left for the next run.
    pub identity: Option<Identity>,
    /// For a file without a mail server in it: so far it was looked into, in the unpacked text. What was written since may be of one.
    pub(crate) looked: Option<u64>,
    /// Parts of lines that were read by an earlier run.
    pub(crate) joiner: Joiner,
    /// Stands where reading begins.
    pub(crate) reader: Option<LineReader>,
    /// Hashes of its first lines that say something, in their order: where they stand in another file, the two overlap.
    pub(crate) probes: Vec<u64>,
    /// The open source, where it can be read only once.
    pub(crate) opened: Option<Reader>,
}

/// What a run will read.
#[derive(Default)]
pub struct Plan {
    /// The files, oldest first.
    pub files: Vec<PlannedFile>,
    /// What could not be read, and hints.
    pub problems: Vec<Problem>,
    /// Whether it was made for rejects of our own.
    rejects: bool,
}

impl Plan {
    /// The moment of the newest event. Files whose end is not known are read to it.
    pub fn newest(&self) -> Option<Micros> {
        self.files.iter().filter_map(|file| file.end.or_else(|| file.read_to_end(self.rejects))).max()
    }
}

/// How many lines of a file's start that say something are looked for in other files.
const PROBES: usize = 64;
/// And how many of its very first lines, where none says anything: a rejectlog holds no events at all.
const FIRST_PROBES: usize = 8;

/// Looks into each source.
pub fn plan(sources: Vec<Source>, options: &PlanOptions) -> Plan {
    let mut plan = Plan { rejects: options.rejects, ..Plan::default() };
    for source in sources {
        match look(source, options, None) {
            Ok((file, problem)) => {
                plan.problems.extend(problem);
                plan.files.extend(file);
            }
            Err(problem) => plan.problems.push(problem),
        }
    }
    sets::share_zones(&mut plan.files, options);
    sets::agree(&mut plan.files, options);
    plan.order();
    for (number, file) in plan.files.iter_mut().enumerate() {
        file.number = number as u32;
    }
    plan
}

impl Plan {
    /// Of files that begin in one moment, the one that ends first is the older: where that is not known, it is read. A packed piece of a busy
    /// log may begin in the second in which the next piece begins.
    fn find_ends(&mut self) {
        let mut starts: Vec<Micros> = self.files.iter().filter_map(|file| file.start).collect();
        starts.sort_unstable();
        let is_shared = |start: Micros| starts.partition_point(|at| *at <= start) - starts.partition_point(|at| *at < start) > 1;
        let rejects = self.rejects;
        for file in self.files.iter_mut().filter(|file| file.end.is_none() && file.source.kind == SourceKind::File) {
            if file.start.is_some_and(is_shared) {
                file.end = file.read_to_end(rejects);
            }
        }
    }

    /// A plan of files that were looked into.
    pub fn of(files: Vec<PlannedFile>, problems: Vec<Problem>, rejects: bool) -> Self {
        let mut plan = Self { files, problems, rejects };
        plan.order();
        plan
    }

    /// Puts the files in the order of what is in them.
    pub fn order(&mut self) {
        self.find_ends();
        // A file without events has no place in time; where two begin and end together, names tell which is older.
        self.files.sort_by_cached_key(|f| {
            let name = f.source.path.file_name().unwrap_or_default().to_string_lossy();
            (f.start.is_none(), f.start, f.end.is_none(), f.end, input::rotation_rank(&name), f.source.path.clone())
        });
    }
}

type Looked = (Option<PlannedFile>, Option<Problem>);

/// `bound` is what neighbours and names tell of its years.
fn look(source: Source, options: &PlanOptions, bound: Option<Bound>) -> Result<Looked, Problem> {
    // What can be read only once is opened here, and stays open.
    let (peek, opened) = match source.kind {
        SourceKind::File => (input::peek(&source)?, None),
        SourceKind::Pipe | SourceKind::Stdin => input::open_peeked(&source).map(|(peek, reader)| (peek, Some(reader)))?,
    };
    let mark = if peek.encoding == input::Encoding::Utf8Mark { 3 } else { 0 };
    let length = peek.head.len() as u64 + mark;
    let peek = Peek { head: rejoin::text(peek.head), tail: peek.tail.map(rejoin::text), ..peek };
    let is_file = source.kind == SourceKind::File;
    let keep = |file: PlannedFile| Some(PlannedFile { opened, ..file });
    let hint = |kind, what: &str, remedy: &str| Some(Problem::new(kind, &source.path, what, remedy));
    if peek.head.is_empty() {
        let problem = hint(ProblemKind::EmptyFile, "the file is empty", "nothing to do, if nothing was logged");
        let problem = peek.problem.clone().or(problem);
        return Ok((keep(PlannedFile { looked: is_file.then_some(0), ..PlannedFile::foreign(source) }), problem));
    }
    if peek.binary {
        let hint = hint(ProblemKind::NotALog, "binary data, no log", "name the log files, or their folder");
        return Ok((None, peek.problem.clone().or(hint)));
    }
    let mut looked = (is_file && peek.complete).then_some(length);
    let found = options.mta.or_else(|| mta::detect(&peek.head)).or_else(|| search(&source, &peek, &mut looked));
    let Some(mta) = found else {
        let problem = hint(
            ProblemKind::NotALog,
            "no line of Postfix, Exim or Exchange in it",
            "if it is a mail log, say whose: --mta postfix|exim|exchange",
        );
        return Ok((keep(PlannedFile { looked, ..PlannedFile::foreign(source) }), problem));
    };
    Ok((keep(PlannedFile::new(source, &peek, mta, options, bound)), None))
}

/// Looks for the lines of a mail server past the first ones, in a file that holds other things too.
fn search(source: &Source, peek: &Peek, looked: &mut Option<u64>) -> Option<Mta> {
    if peek.complete || source.kind != SourceKind::File {
        return None;
    }
    let reader = input::open(source).ok()?;
    Chunks::new(reader, ChunkOptions::default()).find_map(|chunk| {
        *looked = Some(chunk.offset + chunk.data.len() as u64);
        mta::detect(&rejoin::text(chunk.data))
    })
}

impl PlannedFile {
    fn foreign(source: Source) -> Self {
        Self {
            number: 0,
            from: 0,
            live: false,
            identity: None,
            looked: None,
            joiner: Joiner::default(),
            source,
            mta: None,
            year_from: YearFrom::Stamp,
            zone_from_ids: None,
            ids_tell_zone: false,
            start: None,
            end: None,
            reader: None,
            probes: Vec::new(),
            opened: None,
        }
    }

    fn new(source: Source, peek: &Peek, mta: Mta, options: &PlanOptions, bound: Option<Bound>) -> Self {
        let bare_head = wrap::unwrapped(&peek.head);
        let bare_tail = peek.tail.as_deref().map(wrap::unwrapped);
        let mut zone = options.zone;
        let mut zone_from_ids = None;
        let offset = evidence::exim_offset(&bare_head).filter(|_| mta == Mta::Exim && !options.zone_is_given);
        if let Some(offset) = offset {
            let told = Zone::Fixed(offset);
            let start = input_start(&bare_head);
            if start.is_some_and(|wall| told.to_utc(wall) != zone.to_utc(wall)) {
                zone = told;
                zone_from_ids = Some(told);
            }
        }
        let around = Around {
            head: &bare_head,
            tail: bare_tail.as_deref(),
            modified: source.modified.map(micros),
            bound,
            now: options.now,
        };
        let (clock, year_from) = if evidence::is_syslog(mta, &bare_head) {
            evidence::syslog_clock(&around, zone)
        } else {
            (evidence::plain_clock(zone, options.now), YearFrom::Stamp)
        };
        let mut before_first = clock.clone();
        let folder = options.host.as_deref().unwrap_or(&source.folder);
        let facts = FileFacts { folder: Arc::from(folder), clock, head: Arc::from(peek.head.as_slice()) };
        let reader = LineReader::new(mta, facts);
        let (start, last, probes, after_head) = first_events(&reader, &peek.head, options.rejects);
        // Lines that say nothing still tell when they were written.
        let start = start.or_else(|| first_stamp(&bare_head)?.at(&mut before_first));
        let end = match (&peek.tail, peek.complete) {
            (_, true) => last.or_else(|| last_stamp(&bare_head)?.at(&mut before_first)),
            (Some(tail), false) => last_event(after_head, tail, options.rejects),
            (None, false) => None,
        };
        Self {
            number: 0,
            from: 0,
            live: false,
            identity: None,
            looked: None,
            joiner: Joiner::default(),
            source,
            mta: Some(mta),
            year_from,
            zone_from_ids,
            ids_tell_zone: offset.is_some(),
            start,
            end,
            reader: Some(reader),
            probes,
            opened: None,
        }
    }
}

impl PlannedFile {
    /// A file that goes on where a run stopped, with the reader and the parts of lines that it left.
    pub fn going_on(source: Source, end: &FileEnd, rejects: bool) -> Result<Self, Problem> {
        let mut file = Self::foreign(source);
        file.from = end.consumed;
        if let Some(reader) = &end.reader {
            file.mta = Some(reader.mta());
            file.go_on(reader.clone(), end.joiner.clone(), end.consumed, rejects)?;
        }
        Ok(file)
    }

    /// Where it stands before anything of it was read, as the end of a run that read what is before.
    pub fn end_here(&self) -> Option<FileEnd> {
        let reader = self.reader.clone()?;
        Some(FileEnd { number: self.number, consumed: self.from, reader: Some(reader), joiner: self.joiner.clone() })
    }

    /// Begins at `from`, the place behind the last line that an earlier run read; `held` are the parts of lines it left. What stands
    /// before is passed over, so that the clock is right.
    pub fn resume(&mut self, from: u64, held: Held, rejects: bool) -> Result<(), Problem> {
        let Some(mut reader) = self.reader.take() else {
            self.from = from;
            return Ok(());
        };
        let mut joiner = Joiner::default();
        for chunk in Chunks::new(input::open(&self.source)?, ChunkOptions::default()) {
            let mut data = chunk.data;
            let end = chunk.offset + data.len() as u64;
            data.truncate(usize::try_from(from.saturating_sub(chunk.offset)).unwrap_or(usize::MAX).min(data.len()));
            let (text, places) = joiner.take(data, chunk.offset);
            reader.skip(&text, places.base());
            if end >= from {
                break;
            }
        }
        self.go_on(reader, Joiner::resume(held), from, rejects)
    }

    /// Goes on where a run stopped, with the reader that it left.
    fn go_on(&mut self, reader: LineReader, joiner: Joiner, from: u64, rejects: bool) -> Result<(), Problem> {
        let options = ChunkOptions { target: input::peek::HEAD_BYTES, ..ChunkOptions::default() };
        let first = Chunks::new(input::open_at(&self.source, from)?, options).next();
        let head = first.map(|chunk| rejoin::text(chunk.data)).unwrap_or_default();
        let (start, last, probes, _) = first_events(&reader, &head, rejects);
        // What is new may hold no event, or not even a whole line: then it stands behind what was read.
        self.start = start.or(self.end).or(self.start);
        self.probes = probes;
        self.end = self.end.max(last);
        (self.reader, self.joiner, self.from) = (Some(reader), joiner, from);
        Ok(())
    }
}

impl PlannedFile {
    /// The newest event, by reading all of the file.
    fn read_to_end(&self, rejects: bool) -> Option<Micros> {
        let mut reader = self.reader.clone()?;
        let chunks = Chunks::new(input::open(&self.source).ok()?, ChunkOptions::default());
        let mut newest = None;
        let mut joiner = Joiner::default();
        for chunk in chunks {
            let (text, places) = joiner.take(chunk.data, chunk.offset);
            let mut moments = Moments::new(rejects);
            for (number, (at, line)) in lines(&text).enumerate() {
                reader.seek(places.of(number, at).0);
                reader.line(line, &mut moments);
            }
            newest = newest.max(moments.last);
        }
        newest
    }
}

/// The wall-clock time of the first stamp.
fn input_start(head: &[u8]) -> Option<chrono::NaiveDateTime> {
    let mut clock = evidence::plain_clock(Zone::UTC, 0);
    first_stamp(head)?.at(&mut clock).map(|at| Zone::UTC.to_wall(at))
}

/// The first stamp, of a syslog or of the server itself.
fn first_stamp(head: &[u8]) -> Option<Stamp> {
    lines(head).find_map(|(_, line)| framing::syslog(line).map(|f| f.stamp).or_else(|| Some(Stamp::read(line)?.0)))
}

/// The last one.
fn last_stamp(head: &[u8]) -> Option<Stamp> {
    let stamp = |line| framing::syslog(line).map(|f| f.stamp).or_else(|| Some(Stamp::read(line)?.0));
    lines(head).filter_map(|(_, line)| stamp(line)).last()
}

fn micros(time: SystemTime) -> Micros {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_micros() as Micros,
        Err(before) => -(before.duration().as_micros() as Micros),
    }
}

/// Keeps first and last moment of what it is told.
struct Moments {
    rejects: bool,
    /// Of the first that was told, not the oldest.
    first: Option<Micros>,
    last: Option<Micros>,
}

impl Moments {
    fn new(rejects: bool) -> Self {
        Self { rejects, first: None, last: None }
    }

    fn take(&mut self, at: Micros) {
        self.first = self.first.or(Some(at));
        self.last = self.last.max(Some(at));
    }
}

impl<'a> Sink<'a> for Moments {
    fn push(&mut self, _: Key<'a>, fields: Fields<'a>) {
        self.take(fields.at);
    }

    fn wants_rejects(&self) -> bool {
        self.rejects
    }

    fn reject(&mut self, reject: Reject<'a>) {
        self.take(reject.at);
    }
}

/// First and last event of the head, hashes of its first lines that say something, and the reader after it.
fn first_events(reader: &LineReader, head: &[u8], rejects: bool) -> (Option<Micros>, Option<Micros>, Vec<u64>, LineReader) {
    let mut reader = reader.clone();
    let (mut probes, mut first_lines) = (Vec::new(), Vec::new());
    let mut moments = Moments::new(rejects);
    for (_, line) in lines(head) {
        let sort = reader.line(line, &mut moments);
        if sort == Sort::Used && probes.len() < PROBES {
            probes.push(hash_bytes(line));
        } else if first_lines.len() < FIRST_PROBES && is_comparable(line) {
            first_lines.push(hash_bytes(line));
        }
    }
    // One line that says nothing may stand anywhere.
    if probes.is_empty() && first_lines.len() > 1 {
        probes = first_lines;
    }
    (moments.first, moments.last, probes, reader)
}

fn last_event(mut reader: LineReader, tail: &[u8], rejects: bool) -> Option<Micros> {
    let mut moments = Moments::new(rejects);
    for (_, line) in lines(tail) {
        reader.line(line, &mut moments);
    }
    // In the hour that autumn repeats the last lines alone do not tell which of the two it is.
    moments.last.filter(|_| reader.repeated_hour().is_none())
}
