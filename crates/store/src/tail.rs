//! What is new in some logs: files that were read to their end are left out, others go on where reading stopped.
//!
//! The same for a nightly run and for a live one, which remembers its readers and looks only into files that changed.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use bouncestat_ingest::input::{Identity, Problem, Source, SourceKind, rotation_rank};
use bouncestat_ingest::plan::{Plan, PlanOptions, PlannedFile, plan};
use bouncestat_ingest::rejoin::Held;
use bouncestat_ingest::run::{FileEnd, Summary, has_stamp};
use bouncestat_record::time::{Micros, SECOND};

use crate::files::{Files, Found, Name, first_bytes};

/// A file that was written to so recently may be in the middle of a line.
const STILL_WRITTEN: Micros = 3600 * SECOND;

/// What there is to read.
pub struct Planned {
    /// The new parts of logs.
    pub plan: Plan,
    /// How many files hold nothing new.
    pub unchanged: usize,
}

/// A source of a plan.
struct Chosen {
    source: Source,
    /// The file to which its name led then.
    identity: Option<Identity>,
    /// The content that it goes on.
    known: Option<usize>,
    /// Its first bytes.
    head: Vec<u8>,
}

/// Knows which logs were read, and how far.
#[derive(Default)]
pub struct Tail {
    pub(crate) files: Files,
    pub(crate) names: Vec<Name>,
    /// The sources of the last plan, by number, and the contents that they go on.
    sources: HashMap<u32, Chosen>,
    /// Where contents were left, by their numbers: only what this program read itself.
    ends: HashMap<usize, FileEnd>,
}

impl Tail {
    pub(crate) fn new(files: Files, names: Vec<Name>) -> Self {
        Self { files, names, ..Self::default() }
    }

    /// The names of the logs, by the numbers that attempts name.
    pub fn names(&self) -> Vec<String> {
        self.names.iter().map(|name| name.path.display().to_string()).collect()
    }

    /// Plans what is new in `sources`. All of them are looked into: what is new gets its years from its neighbours, too.
    pub fn plan(&mut self, sources: Vec<Source>, options: &PlanOptions) -> Planned {
        let live = live(&sources, options.now);
        let files = identities(&sources);
        let mut all = plan(sources, options);
        let problems = std::mem::take(&mut all.problems);
        let planned = all.files.into_iter().map(|file| (file.source.clone(), Some(file))).collect();
        self.choose(planned, &files, &live, problems, options)
    }

    /// Plans what is new in `sources`, and looks only into what changed: for a live log.
    pub fn tick(&mut self, sources: Vec<Source>, options: &PlanOptions) -> Planned {
        let live = live(&sources, options.now);
        let files = identities(&sources);
        let planned = sources.into_iter().map(|source| (source, None)).collect();
        self.choose(planned, &files, &live, Vec::new(), options)
    }

    /// Takes all that is there for read: a live log is followed from its end.
    pub fn skip(&mut self, sources: Vec<Source>, options: &PlanOptions) -> Vec<Problem> {
        let live = live(&sources, options.now);
        let mut problems = Vec::new();
        for mut file in plan(sources, options).files {
            let size = length(&file.source).unwrap_or(u64::MAX);
            let end = match live.contains(&file.source.path) {
                true => last_line_end(&file.source).unwrap_or(size),
                false => size,
            };
            let number = match self.files.read(&file.source, &[], None, end, &Held::default(), end == size || size == u64::MAX) {
                Ok(number) => number,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            if let Some(number) = number
                && live.contains(&file.source.path)
                && file.resume(end, Held::default(), true).is_ok()
                && let Some(end) = file.end_here()
            {
                self.ends.insert(number, end);
            }
        }
        problems
    }

    /// Of some files, the new parts. A file that was not looked into yet is looked into where it must be.
    fn choose(
        &mut self,
        files: Vec<(Source, Option<PlannedFile>)>,
        identities: &HashMap<PathBuf, Identity>,
        live: &HashSet<PathBuf>,
        mut problems: Vec<Problem>,
        options: &PlanOptions,
    ) -> Planned {
        let mut unchanged = 0;
        let mut heads: HashMap<PathBuf, Vec<u8>> = HashMap::new();
        let mut fresh: Vec<(Source, Option<PlannedFile>)> = Vec::new();
        let mut goes_on: HashMap<usize, (Source, Option<PlannedFile>)> = HashMap::new();
        for (source, file) in files {
            let found = self.files.find(&source).map(|(found, head)| {
                heads.insert(source.path.clone(), head);
                found
            });
            match found {
                Ok(Found::New) => fresh.push((source, file)),
                Ok(Found::Read) => unchanged += 1,
                Ok(Found::Known(known)) => {
                    let consumed = self.files.get(known).consumed;
                    // Of several copies one is enough: the longest plain one, whose length tells whether there is more.
                    let rank = |source: &Source| length(source).unwrap_or(consumed.saturating_add(1));
                    let this = (source, file);
                    match goes_on.remove(&known) {
                        Some(other) => {
                            unchanged += 1;
                            goes_on.insert(known, if rank(&other.0) > rank(&this.0) { other } else { this })
                        }
                        None => goes_on.insert(known, this),
                    };
                }
                // Said where it is read.
                Err(_) => fresh.push((source, file)),
            }
        }
        let mut chosen: Vec<(PlannedFile, Option<usize>)> = Vec::new();
        let unseen: Vec<Source> = fresh.iter().filter(|(_, file)| file.is_none()).map(|(source, _)| source.clone()).collect();
        chosen.extend(fresh.into_iter().filter_map(|(_, file)| Some((file?, None))));
        if !unseen.is_empty() {
            let mut more = plan(unseen, options);
            problems.append(&mut more.problems);
            chosen.extend(more.files.into_iter().map(|file| (file, None)));
        }
        let mut goes_on: Vec<_> = goes_on.into_iter().collect();
        goes_on.sort_by_key(|(known, _)| *known);
        for (known, (source, file)) in goes_on {
            let (consumed, held) = (self.files.get(known).consumed, self.files.get(known).held());
            let is_live = live.contains(&source.path);
            let holds_parts = !held.parts.is_empty() || held.record.is_some();
            if length(&source).is_some_and(|length| length <= consumed) && (!holds_parts || is_live) {
                self.files.same(&source, known);
                unchanged += 1;
                continue;
            }
            match self.go_on(known, source, file, held, options) {
                Ok(file) => chosen.extend(file.map(|file| (file, Some(known)))),
                Err(problem) => problems.push(problem),
            }
        }
        self.sources.clear();
        let mut numbered = Vec::with_capacity(chosen.len());
        for (mut file, known) in chosen {
            // Where a name leads to another file by now, nobody knows which one was looked into: it is looked into again.
            let identity = identities.get(&file.source.path).copied();
            if identity != file.source.identity() {
                continue;
            }
            file.identity = identity;
            file.number = self.number(&file.source);
            file.live = live.contains(&file.source.path);
            let head = heads.remove(&file.source.path).unwrap_or_default();
            self.sources.insert(file.number, Chosen { source: file.source.clone(), identity, known, head });
            numbered.push(file);
        }
        only_of(&mut problems, &numbered);
        Planned { plan: Plan::of(numbered, problems, true), unchanged }
    }

    /// A known content that goes on in a source.
    fn go_on(
        &self,
        known: usize,
        source: Source,
        file: Option<PlannedFile>,
        held: Held,
        options: &PlanOptions,
    ) -> Result<Option<PlannedFile>, Problem> {
        let consumed = self.files.get(known).consumed;
        if file.is_none()
            && let Some(end) = self.ends.get(&known).filter(|end| end.consumed == consumed && end.reader.is_some())
        {
            return PlannedFile::going_on(source, end, options.rejects).map(Some);
        }
        let file = file.or_else(|| plan(vec![source], options).files.pop());
        file.map(|mut file| file.resume(consumed, held, options.rejects).map(|()| file)).transpose()
    }

    /// Notes how far the sources of the last plan were read, as a run tells.
    pub fn note_ends(&mut self, summary: &mut Summary) -> Vec<Problem> {
        let mut problems = Vec::new();
        for end in std::mem::take(&mut summary.ends) {
            let Some(Chosen { source, identity, known, head }) = self.sources.get(&end.number) else { continue };
            let moved = (source.identity() != *identity).then(|| now_at(source, *identity));
            let source = moved.as_ref().unwrap_or(source);
            let failed = summary.problems.iter().any(|p| p.is_failure() && p.path == source.path);
            // A file that grew meanwhile, or whose last line has no end yet, is looked into again.
            let at_end = !failed && length(source).is_none_or(|size| end.consumed >= size);
            match self.files.read(source, head, *known, end.consumed, &end.joiner.held(), at_end) {
                Ok(Some(number)) => drop(self.ends.insert(number, end)),
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        problems
    }

    /// The number of a log's name.
    fn number(&mut self, source: &Source) -> u32 {
        let name = Name { path: source.path.clone(), folder: source.folder.clone() };
        let at = self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        at as u32
    }
}

/// The files to which names lead.
fn identities(sources: &[Source]) -> HashMap<PathBuf, Identity> {
    sources.iter().filter_map(|source| Some((source.path.clone(), source.identity()?))).collect()
}

/// A file that has another name since it was read; under its old one, where it has none in the same folder any more.
fn now_at(source: &Source, identity: Option<Identity>) -> Source {
    let folder = source.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    let others =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| Source { path: entry.path(), ..source.clone() });
    let found = identity.and_then(|identity| others.into_iter().find(|other| other.identity() == Some(identity)));
    found.unwrap_or_else(|| source.clone())
}

/// The length of a plain file as it lies on the disk; of others it tells nothing.
fn length(source: &Source) -> Option<u64> {
    use bouncestat_ingest::input::{Compression, Encoding, open};
    let plain = source.kind == SourceKind::File
        && open(source).is_ok_and(|reader| {
            reader.compression() == Compression::Plain && matches!(reader.encoding(), Encoding::Bytes | Encoding::Utf8Mark)
        });
    source.size.filter(|_| plain)
}

/// What is wrong with a file that was read long ago was said then.
fn only_of(problems: &mut Vec<Problem>, files: &[PlannedFile]) {
    problems.retain(|problem| problem.is_failure() || files.iter().any(|file| file.source.path == problem.path));
}

/// The files that may be in the middle of a line: those that were written to not long ago. A server goes on in a file that was renamed until
/// it is told. But where the next file of the same log begins with the rest of a line, that line has no other end.
fn live(sources: &[Source], now: Micros) -> HashSet<PathBuf> {
    let mut logs: HashMap<_, Vec<_>> = HashMap::new();
    for (i, source) in sources.iter().enumerate().filter(|(_, source)| source.kind == SourceKind::File) {
        let name = source.path.file_name().unwrap_or_default().to_string_lossy();
        let rank = rotation_rank(&name);
        logs.entry((source.path.parent().map(ToOwned::to_owned), rank.set)).or_default().push((rank.age, i));
    }
    let mut live = HashSet::new();
    for mut log in logs.into_values() {
        log.sort();
        let mut next: Option<&Source> = None;
        for (_, i) in log.into_iter().rev() {
            let source = &sources[i];
            let modified = source.modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            if modified.is_none_or(|at| (at.as_micros() as Micros) < now - STILL_WRITTEN) {
                next = Some(source);
                continue;
            }
            if !next.is_some_and(begins_with_a_rest) {
                live.insert(source.path.clone());
            }
            next = Some(source);
        }
    }
    live
}

/// Whether the first line of a file, packed or not, is none that a log begins with. One that has no end yet tells nothing.
fn begins_with_a_rest(source: &Source) -> bool {
    let Ok((first, _)) = first_bytes(source) else { return false };
    first.iter().position(|b| *b == b'\n').is_some_and(|end| !has_stamp(&first[..end]))
}

/// The place behind the last whole line of a plain file.
fn last_line_end(source: &Source) -> Option<u64> {
    use std::io::{Read, Seek, SeekFrom};
    const LONGEST: u64 = 1 << 20;
    let size = length(source)?;
    let start = size.saturating_sub(LONGEST);
    let mut file = std::fs::File::open(&source.path).ok()?;
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut bytes = Vec::new();
    file.take(size - start).read_to_end(&mut bytes).ok()?;
    Some(bytes.iter().rposition(|b| *b == b'\n').map_or(start, |at| start + at as u64 + 1))
}
