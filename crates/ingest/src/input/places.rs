//! Where the three servers usually log: what is read when no PATH is given.
//!
//! What was looked for is told as well as what was found, so that a machine without logs gets an answer that helps.
//! Reads no environment: the CLI looks up `ExchangeInstallPath` and passes it in. Exim's rejectlog and paniclog are left
//! out: every real line of a rejectlog stands in the mainlog too. Not here: the journal, which is no file of text.
//!
//! ```text
//! /var/log/mail.log*   /var/log/exim4/mainlog*   V15\TransportRoles\Logs\MessageTracking\MSGTRK*.LOG
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::discover::match_options;
use super::names::is_foreign_name;
use super::order::SortKey;
use super::problem::Problem;

/// The machine on which logs are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// What all places are below: `/`, the system drive, or a test's folder.
    pub root: PathBuf,
    /// Look for Exchange in its default folders.
    pub windows: bool,
    /// Where Exchange says it is installed (`ExchangeInstallPath`), as it is, not below the root.
    pub exchange_install: Option<PathBuf>,
}

impl Machine {
    /// The machine that we run on, given what its environment says of Exchange.
    pub fn this(exchange_install: Option<PathBuf>) -> Self {
        let root = if cfg!(windows) { r"C:\" } else { "/" };
        Self { root: PathBuf::from(root), windows: cfg!(windows), exchange_install }
    }
}

/// One place that was looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Who usually logs there.
    pub who: &'static str,
    /// Folder and pattern.
    pub pattern: PathBuf,
    /// The logs there, the oldest first.
    pub found: Vec<PathBuf>,
}

/// All usual places of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Every place, also those without logs.
    pub looked: Vec<Place>,
    /// Places that exist and could not be looked into.
    pub problems: Vec<Problem>,
}

impl Places {
    /// All logs that were found, for [`discover`](super::discover()).
    pub fn found(&self) -> Vec<PathBuf> {
        self.looked.iter().flat_map(|place| place.found.iter().cloned()).collect()
    }
}

/// Syslog's files by the distributions' defaults; `maillog_file` as Postfix's MAILLOG_README suggests it; Exim's
/// `log_file_path` of Debian, Red Hat, cPanel, FreeBSD and of its own default `$spool/log/%slog`.
const UNIX: [(&str, &str, &str); 13] = [
    ("Postfix or Exim by syslog", "var/log", "mail.log*"),
    ("Postfix or Exim by syslog", "var/log", "maillog*"),
    ("Postfix or Exim by syslog", "var/log", "mail"),
    ("Postfix or Exim by syslog", "var/log", "mail-[0-9]*"),
    ("Postfix or Exim by syslog", "var/log/mail", "*"),
    ("Postfix", "var/log", "postfix*.log*"),
    ("Exim", "var/log/exim4", "mainlog*"),
    ("Exim", "var/log/exim", "mainlog*"),
    ("Exim", "var/log/exim", "main.log*"),
    ("Exim", "var/log/exim", "exim_mainlog*"),
    ("Exim", "var/log", "exim_mainlog*"),
    ("Exim", "var/spool/exim/log", "mainlog*"),
    ("Exim", "var/spool/exim4/log", "mainlog*"),
];

/// Exchange 2013 and later, and 2010.
const EXCHANGE_ROOTS: [&str; 2] = ["V15", "V14"];

/// Looks into the usual places.
pub fn default_places(machine: &Machine) -> Places {
    let mut places = Places::default();
    if !machine.windows {
        for (who, folder, pattern) in UNIX {
            places.look(who, &machine.root.join(folder), pattern);
        }
    }
    let mut roots: Vec<PathBuf> = machine.exchange_install.iter().cloned().collect();
    if machine.windows {
        let parent = machine.root.join("Program Files").join("Microsoft").join("Exchange Server");
        roots.extend(EXCHANGE_ROOTS.map(|version| parent.join(version)));
    }
    let mut seen = Vec::new();
    for root in roots {
        let identity = root.canonicalize().unwrap_or_else(|_| root.clone());
        if !seen.contains(&identity) {
            seen.push(identity);
            let folder = root.join("TransportRoles").join("Logs").join("MessageTracking");
            places.look("Exchange", &folder, "MSGTRK*.LOG");
        }
    }
    places
}

impl Places {
    /// A folder that is not there is no problem; one that may not be listed is.
    fn look(&mut self, who: &'static str, folder: &Path, pattern: &str) {
        let matcher = Pattern::new(pattern).expect("a constant pattern");
        // Exchange writes .LOG and .log.
        let options = MatchOptions { case_sensitive: who != "Exchange", ..match_options() };
        let mut found = Vec::new();
        match fs::read_dir(folder) {
            Ok(entries) => {
                for entry in entries.flatten() {
                    let name = entry.file_name();
                    let name = name.to_string_lossy();
                    let path = entry.path();
                    if !matcher.matches_with(&name, options) || is_foreign_name(&name) {
                        continue;
                    }
                    match fs::metadata(&path) {
                        Ok(metadata) if metadata.is_file() => found.push(path),
                        Ok(_) => {}
                        Err(error) => self.problems.push(Problem::from_io(&path, &error)),
                    }
                }
            }
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => {
                let problem = Problem::from_io(folder, &error);
                if !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
            }
        }
        found.sort_by_cached_key(|path| SortKey::new(path));
        self.looked.push(Place { who, pattern: folder.join(pattern), found });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[&str]) -> (tempfile::TempDir, Machine) {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x\n").unwrap();
        }
        let machine = Machine { root: root.path().to_owned(), windows: false, exchange_install: None };
        (root, machine)
    }

    fn found(machine: &Machine, root: &Path) -> Vec<String> {
        let places = default_places(machine);
        assert_eq!(places.problems, []);
        let short = |p: PathBuf| p.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        places.found().into_iter().map(short).collect()
    }

    #[test]
    fn the_three_servers_on_their_machines() {
        let (root, unix) = machine(&[
            "var/log/mail.log",
            "var/log/mail.log.1",
            "var/log/mail.log.10.gz",
            "var/log/mail.log.2.gz",
            "var/log/syslog",
            "var/log/mail.err",
            "var/log/postfix.log",
            "var/log/exim4/mainlog",
            "var/log/exim4/rejectlog",
            "var/log/exim4/paniclog",
            "var/log/exim_mainlog-20261101.gz",
            "var/log/exim/main.log",
        ]);
        assert_eq!(
            found(&unix, root.path()),
            [
                "var/log/mail.log.10.gz",
                "var/log/mail.log.2.gz",
                "var/log/mail.log.1",
                "var/log/mail.log",
                "var/log/postfix.log",
                "var/log/exim4/mainlog",
                "var/log/exim/main.log",
                "var/log/exim_mainlog-20261101.gz",
            ]
        );

        let logs = "Program Files/Microsoft/Exchange Server/V15/TransportRoles/Logs/MessageTracking";
        let names = ["MSGTRK2026112201-10.LOG", "MSGTRK2026112201-9.LOG", "MSGTRKMD2026112201-1.log", "index.txt"];
        let files = names.map(|n| format!("{logs}/{n}"));
        let (root, mut windows) = machine(&files.each_ref().map(|f| &f[..]));
        windows.windows = true;
        let expected = [1, 0, 2].map(|n: usize| files[n].clone());
        assert_eq!(found(&windows, root.path()), expected);
        // The environment names the same folder: once is enough.
        windows.exchange_install = Some(root.path().join("Program Files/Microsoft/Exchange Server/V15"));
        assert_eq!(found(&windows, root.path()), expected);
    }

    #[test]
    fn a_machine_without_logs_tells_where_it_looked() {
        let (root, unix) = machine(&[]);
        let places = default_places(&unix);
        assert!(places.found().is_empty() && places.problems.is_empty());
        assert!(places.looked.iter().any(|p| p.pattern == root.path().join("var/log/mail.log*")));
    }
}
