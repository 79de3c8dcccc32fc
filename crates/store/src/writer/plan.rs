//! What is new in some logs: files that were read to their end are left out, others go on where reading stopped.

use std::collections::HashMap;

use bouncestat_ingest::input::{Problem, Source, SourceKind, rotation_rank};
use bouncestat_ingest::plan::{Plan, PlanOptions, PlannedFile, plan};
use bouncestat_record::time::{Micros, SECOND};

use crate::files::{Found, Name};
use crate::writer::Writer;

/// A file that was written to so recently may be in the middle of a line.
const STILL_WRITTEN: Micros = 3600 * SECOND;

/// What there is to read.
pub struct Planned {
    /// The new parts of logs.
    pub plan: Plan,
    /// How many files hold nothing new.
    pub unchanged: usize,
}

impl Writer {
    /// Plans what is new in `sources`.
    pub fn plan(&mut self, sources: Vec<Source>, options: &PlanOptions) -> Planned {
        // All are looked into: what is new gets its years from its neighbours, too.
        let mut all = plan(sources, options);
        let mut problems = std::mem::take(&mut all.problems);
        let mut unchanged = 0;
        let mut goes_on: HashMap<usize, PlannedFile> = HashMap::new();
        let mut files = Vec::new();
        mark_live(&mut all.files, options.now);
        for file in all.files {
            match self.files.find(&file.source) {
                Ok(Found::New) => files.push((file, None)),
                Ok(Found::Read) => unchanged += 1,
                Ok(Found::Known(known)) => {
                    let consumed = self.files.get(known).consumed;
                    // Of several copies one is enough: the longest plain one, whose length tells whether there is more.
                    let better =
                        |a: &PlannedFile, b: &PlannedFile| length(a).unwrap_or(consumed + 1) > length(b).unwrap_or(consumed + 1);
                    match goes_on.remove(&known) {
                        Some(other) if better(&other, &file) => {
                            unchanged += 1;
                            goes_on.insert(known, other)
                        }
                        Some(_) => {
                            unchanged += 1;
                            goes_on.insert(known, file)
                        }
                        None => goes_on.insert(known, file),
                    };
                }
                Err(problem) => {
                    problems.push(problem);
                    files.push((file, None));
                }
            }
        }
        let mut goes_on: Vec<(usize, PlannedFile)> = goes_on.into_iter().collect();
        goes_on.sort_by_key(|(known, _)| *known);
        for (known, mut file) in goes_on {
            let (consumed, held) = (self.files.get(known).consumed, self.files.get(known).held());
            if length(&file).is_some_and(|length| length <= consumed)
                && (held.parts.is_empty() && held.record.is_none() || file.live)
            {
                self.files.same(&file.source, known);
                unchanged += 1;
                continue;
            }
            match file.resume(consumed, held, true) {
                Ok(()) => files.push((file, Some(known))),
                Err(problem) => problems.push(problem),
            }
        }
        self.sources.clear();
        let mut numbered = Vec::with_capacity(files.len());
        for (mut file, known) in files {
            file.number = self.number(&file.source);
            self.sources.insert(file.number, (file.source.clone(), known));
            numbered.push(file);
        }
        only_of(&mut problems, &numbered);
        Planned { plan: Plan::of(numbered, problems, true), unchanged }
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

/// The length of a plain file as it lies on the disk; of others it tells nothing.
fn length(file: &PlannedFile) -> Option<u64> {
    let plain = file.source.kind == SourceKind::File
        && bouncestat_ingest::input::open(&file.source).is_ok_and(|reader| {
            reader.compression() == bouncestat_ingest::input::Compression::Plain
                && matches!(
                    reader.encoding(),
                    bouncestat_ingest::input::Encoding::Bytes | bouncestat_ingest::input::Encoding::Utf8Mark
                )
        });
    file.source.size.filter(|_| plain)
}

/// What is wrong with a file that was read long ago was said then.
fn only_of(problems: &mut Vec<Problem>, files: &[PlannedFile]) {
    problems.retain(|problem| problem.is_failure() || files.iter().any(|file| file.source.path == problem.path));
}

/// Marks the youngest file of each log, where it was written to not long ago; and the one before it, as long as the youngest holds no
/// whole line: a rotation in the middle of a line leaves its beginning there.
fn mark_live(files: &mut [PlannedFile], now: Micros) {
    let mut logs: HashMap<_, Vec<_>> = HashMap::new();
    for (i, file) in files.iter().enumerate().filter(|(_, file)| file.source.kind == SourceKind::File) {
        let name = file.source.path.file_name().unwrap_or_default().to_string_lossy();
        let rank = rotation_rank(&name);
        logs.entry((file.source.path.parent().map(ToOwned::to_owned), rank.set)).or_default().push((rank.age, i));
    }
    for mut log in logs.into_values() {
        log.sort();
        // A file that holds no log yet may be the beginning of one.
        let is_log = log.iter().any(|(_, i)| files[*i].mta.is_some() || !has_whole_line(&files[*i].source));
        for (_, i) in log.into_iter().rev().take_while(|_| is_log) {
            let modified = files[i].source.modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            files[i].live = modified.is_some_and(|at| at.as_micros() as Micros > now - STILL_WRITTEN);
            if !files[i].live || has_whole_line(&files[i].source) {
                break;
            }
        }
    }
}

/// Whether a file holds the end of a line. One that is large does, for all that matters here.
fn has_whole_line(source: &Source) -> bool {
    const SMALL: u64 = 64 << 10;
    source.size.is_none_or(|size| size > SMALL) || std::fs::read(&source.path).is_ok_and(|bytes| bytes.contains(&b'\n'))
}
