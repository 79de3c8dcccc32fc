//! From the PATHs of the command line to the list of what is to be read: each file once, in one order.
//!
//! A PATH is a file, a folder (the logs at its top level), a pattern or `-`. What is found does not depend on the order
//! of the PATHs: a file reached twice is known by device and inode, is kept under the same one of its names, and the list
//! is sorted. Within a folder only names that surely are no logs are left out; a file that the user names is always in.
//! Links to folders are not followed inside a folder (`--recursive` could go round in circles).
//!
//! Not here: what is inside the files. Nothing is opened.
//!
//! ```text
//! mail.log-20261115.gz  mail.log.2.gz  mail.log.1  mail.log  MSGTRK2026112201-1.LOG
//! ```

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use glob::{MatchOptions, glob_with};

use super::names::is_foreign_name;
use super::order::SortKey;
use super::problem::{Problem, ProblemKind};
use super::source::{Source, located};

/// How folders are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiscoverOptions {
    /// Also the folders inside a folder.
    pub recursive: bool,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Each file once: folder by folder, set by set, the oldest first; standard input last.
    pub sources: Vec<Source>,
    /// What could not be found or listed.
    pub problems: Vec<Problem>,
    /// Files inside folders that were left out for their names.
    pub skipped: Vec<PathBuf>,
}

/// How patterns match: as a shell does, so hidden files only by a dot of their own.
pub(super) fn match_options() -> MatchOptions {
    MatchOptions { case_sensitive: !cfg!(windows), require_literal_separator: true, require_literal_leading_dot: true }
}

/// Finds the sources of all `paths`.
pub fn discover(paths: &[PathBuf], options: &DiscoverOptions) -> Discovery {
    let mut search = Search { recursive: options.recursive, ..Search::default() };
    for path in paths {
        search.path(path);
    }
    search.finish()
}

/// What tells whether two paths lead to one file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    #[cfg(unix)]
    Inode(u64, u64),
    /// On systems without inodes in the standard library, the path without links and dots.
    #[cfg_attr(unix, expect(dead_code, reason = "for other systems"))]
    Path(PathBuf),
}

/// One way to a file. The smallest way is kept, so the derived order is the preference.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    is_link: bool,
    located: PathBuf,
    /// Of several spellings the shortest.
    components: usize,
    spelled: PathBuf,
}

#[derive(Default)]
struct Search {
    recursive: bool,
    stdin: bool,
    found: BTreeMap<Identity, (Way, Metadata)>,
    problems: Vec<Problem>,
    skipped: Vec<PathBuf>,
}

impl Search {
    fn path(&mut self, path: &Path) {
        if path == Path::new("-") {
            self.stdin = true;
            return;
        }
        match fs::metadata(path) {
            Ok(metadata) => self.existing(path, metadata),
            Err(error) => match path.to_str().filter(|text| text.contains(['*', '?', '['])) {
                Some(text) if error.kind() != std::io::ErrorKind::PermissionDenied => self.pattern(path, text),
                _ => self.problems.push(Problem::from_io(path, &error)),
            },
        }
    }

    fn existing(&mut self, path: &Path, metadata: Metadata) {
        if metadata.is_dir() {
            self.top_folder(path);
        } else {
            self.add(path, metadata);
        }
    }

    /// A pattern that the shell did not expand: quoted, in a configuration, or on Windows.
    fn pattern(&mut self, path: &Path, text: &str) {
        let matches = match glob_with(text, match_options()) {
            Ok(matches) => matches,
            Err(error) => {
                let message = format!("is no file and no valid pattern: {}", error.msg);
                self.problems.push(Problem::new(ProblemKind::NoMatch, path, message, "check the brackets"));
                return;
            }
        };
        let mut any = false;
        for entry in matches {
            any = true;
            match entry {
                Ok(found) => match fs::metadata(&found) {
                    Ok(metadata) => self.existing(&found, metadata),
                    Err(error) => self.problems.push(Problem::from_io(&found, &error)),
                },
                Err(error) => self.problems.push(Problem::from_io(error.path(), error.error())),
            }
        }
        if !any {
            let remedy = "check the spelling; hidden files are matched only by a dot of their own";
            self.problems.push(Problem::new(ProblemKind::NoMatch, path, "the pattern matches nothing", remedy));
        }
    }

    fn top_folder(&mut self, path: &Path) {
        let problems = self.problems.len();
        let seen = self.folder(path);
        if seen.files == 0 && self.problems.len() == problems {
            let message = "has no file that could be a log";
            let remedy = if seen.folders > 0 && !self.recursive {
                "its folders are read with --recursive"
            } else {
                "give the folder or the file that the mail server writes to"
            };
            self.problems.push(Problem::new(ProblemKind::EmptyFolder, path, message, remedy));
        }
    }

    fn folder(&mut self, path: &Path) -> Seen {
        let mut seen = Seen::default();
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => {
                self.problems.push(Problem::from_io(path, &error));
                return seen;
            }
        };
        for entry in entries {
            let (entry, kind) = match entry.and_then(|e| e.file_type().map(|kind| (e, kind))) {
                Ok(both) => both,
                Err(error) => {
                    self.problems.push(Problem::from_io(path, &error));
                    continue;
                }
            };
            let name = entry.file_name();
            let below = spell(path, &name);
            if kind.is_dir() {
                if !name.as_encoded_bytes().starts_with(b".") {
                    seen.folders += 1;
                    if self.recursive {
                        seen.files += self.folder(&below).files;
                    }
                }
            } else if is_foreign_name(&name.to_string_lossy()) {
                self.skipped.push(below);
            } else {
                match fs::metadata(&below) {
                    Ok(metadata) if metadata.is_file() => {
                        seen.files += 1;
                        self.add(&below, metadata);
                    }
                    // A link to a folder; a socket, a pipe, a device.
                    Ok(_) => {}
                    Err(error) => self.problems.push(Problem::from_io(&below, &error)),
                }
            }
        }
        seen
    }

    fn add(&mut self, path: &Path, metadata: Metadata) {
        let way = Way {
            is_link: path.symlink_metadata().is_ok_and(|m| m.file_type().is_symlink()),
            located: located(path),
            components: path.components().count(),
            spelled: path.to_owned(),
        };
        let identity = identity(path, &metadata);
        if self.found.get(&identity).is_none_or(|(kept, _)| way < *kept) {
            self.found.insert(identity, (way, metadata));
        }
    }

    fn finish(mut self) -> Discovery {
        let mut found: Vec<_> =
            self.found.into_values().map(|(way, metadata)| (SortKey::new(&way.located), way, metadata)).collect();
        found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        let mut sources: Vec<_> = found.iter().map(|(_, way, metadata)| Source::with_metadata(&way.spelled, metadata)).collect();
        if self.stdin {
            sources.push(Source::stdin());
        }
        self.problems.sort();
        self.problems.dedup();
        self.skipped.sort();
        self.skipped.dedup();
        Discovery { sources, problems: self.problems, skipped: self.skipped }
    }
}

#[derive(Default)]
struct Seen {
    files: usize,
    folders: usize,
}

/// `.` and a name are the name.
fn spell(folder: &Path, name: &OsStr) -> PathBuf {
    if folder == Path::new(".") { PathBuf::from(name) } else { folder.join(name) }
}

#[cfg(unix)]
fn identity(_: &Path, metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Identity::Inode(metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(path: &Path, _: &Metadata) -> Identity {
    Identity::Path(path.canonicalize().unwrap_or_else(|_| located(path)))
}
