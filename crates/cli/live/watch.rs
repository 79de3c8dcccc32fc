//! Waits until there is something to do: a log that changed, a key, a signal, or time that has passed.
//!
//! It says only *that* something changed in the folders of the logs, never what: the engine looks for itself, and looks as well when the
//! time is over. So a change that nobody tells (a network folder, a full queue of events) costs a delay and no line. Nothing is read here.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::signals::Signals;
use super::watched::{Folder, Identity, folders, identity, nearest};

/// Why a wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woke {
    /// Something changed in a folder.
    Changed,
    /// A [`Waker`] was called.
    Called,
    /// The time is over. Look for changes now as well.
    TimedOut,
    /// The program is to end: SIGINT, SIGTERM, SIGHUP. From now on every wait says so.
    Stopped,
}

/// Changes that come faster are told once in so long.
const GATHER: Duration = Duration::from_millis(50);
/// How long a wait is at most where nobody tells of changes.
const POLL: Duration = Duration::from_secs(1);
/// How often folders are looked at though nobody told of new names.
const RENEW: Duration = Duration::from_secs(10);

/// What happened since the last wait.
#[derive(Default)]
struct Bell {
    rung: Mutex<Rung>,
    heard: Condvar,
}

#[derive(Clone, Copy, Default)]
struct Rung {
    changed: bool,
    /// Names came or went: folders may have, too.
    names: bool,
    called: bool,
    stopped: bool,
}

impl Bell {
    fn ring(&self, how: impl FnOnce(&mut Rung)) {
        how(&mut self.lock());
        self.heard.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Rung> {
        // Three flags are whole, whoever panicked.
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is rung in a way that counts, or the time is over.
    fn wait(&self, at_most: Duration, counts: impl Fn(&Rung) -> bool) -> MutexGuard<'_, Rung> {
        let waited = self.heard.wait_timeout_while(self.lock(), at_most, |rung| !counts(rung));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Ends a wait from another thread.
#[derive(Clone)]
pub struct Waker(Arc<Bell>);

impl Waker {
    /// Ends the wait that is, or the next one.
    pub fn call(&self) {
        self.0.ring(|rung| rung.called = true);
    }

    /// Ends every wait, as a signal does.
    pub fn stop(&self) {
        self.0.ring(|rung| rung.stopped = true);
    }
}

/// Waits for changes in folders.
pub struct Watch {
    bell: Arc<Bell>,
    paths: Vec<PathBuf>,
    recursive: bool,
    watcher: Option<RecommendedWatcher>,
    /// What is watched, and which folder that was.
    watched: BTreeMap<PathBuf, (RecursiveMode, Identity)>,
    /// Why changes are polled for.
    trouble: Option<String>,
    last: Option<Instant>,
    /// When the folders were looked at last.
    renewed: Instant,
    _signals: Signals,
}

impl Watch {
    /// Watches the folders of files, folders and globs; `recursive`, with all that is below the folders. With `poll`, nothing is watched,
    /// and a wait is a second at most. From now on the signals that end a program end the wait instead; the second SIGINT ends the program.
    ///
    /// # Errors
    /// Where signals cannot be taken. Where folders cannot be watched, they are polled: see [`Watch::trouble`].
    pub fn new(paths: &[PathBuf], recursive: bool, poll: bool) -> io::Result<Self> {
        Self::listening(paths, recursive, poll, Signals::ENDING)
    }

    fn listening(paths: &[PathBuf], recursive: bool, poll: bool, signals: &[i32]) -> io::Result<Self> {
        let bell = Arc::new(Bell::default());
        let ringer = Waker(bell.clone());
        let signals = Signals::take(signals, move || ringer.stop())?;
        let mut watch = Self {
            bell: bell.clone(),
            paths: paths.to_vec(),
            recursive,
            watcher: None,
            watched: BTreeMap::new(),
            trouble: None,
            last: None,
            renewed: Instant::now(),
            _signals: signals,
        };
        if poll {
            return Ok(watch);
        }
        match notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let change =
                event.map_or(Change::Names, |event| if event.need_rescan() { Change::Names } else { change(&event.kind) });
            if change != Change::None {
                bell.ring(|rung| {
                    rung.changed = true;
                    rung.names |= change == Change::Names;
                });
            }
        }) {
            Ok(watcher) => watch.watcher = Some(watcher),
            Err(error) => watch.trouble = Some(error.to_string()),
        }
        watch.renew();
        Ok(watch)
    }

    /// Waits.
    pub fn wait(&mut self, at_most: Duration) -> Woke {
        if self.renewed.elapsed() >= RENEW {
            self.renew();
        }
        let at_most = if self.watcher.is_some() { at_most } else { at_most.min(POLL) };
        drop(self.bell.wait(at_most, |rung| rung.stopped || rung.called || rung.changed));
        // A server that writes a thousand lines a second must not wake us a thousand times: changes are gathered, keys and signals are not.
        let since = self.last.map_or(GATHER, |last| last.elapsed());
        let mut rung = self.bell.wait(GATHER.saturating_sub(since), |rung| rung.stopped || rung.called || !rung.changed);
        if rung.stopped {
            return Woke::Stopped;
        }
        if rung.called {
            rung.called = false;
            return Woke::Called;
        }
        if !rung.changed {
            return Woke::TimedOut;
        }
        rung.changed = false;
        let names = std::mem::take(&mut rung.names);
        drop(rung);
        self.last = Some(Instant::now());
        if names {
            // A folder that came has files already; one that went leaves none to watch.
            self.renew();
        }
        Woke::Changed
    }

    /// Whether the program is to end. For long work between two waits.
    pub fn is_stopped(&self) -> bool {
        self.bell.lock().stopped
    }

    /// What ends a wait from elsewhere.
    pub fn waker(&self) -> Waker {
        Waker(self.bell.clone())
    }

    /// Whether changes are polled for.
    pub fn is_polling(&self) -> bool {
        self.watcher.is_none()
    }

    /// Why folders that should be watched are polled.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Watches what is there now: folders come, go, and come again as others.
    fn renew(&mut self) {
        if self.watcher.is_none() {
            return;
        }
        self.renewed = Instant::now();
        let mut wanted: BTreeMap<PathBuf, RecursiveMode> = BTreeMap::new();
        for Folder { path, all_below } in folders(&self.paths, self.recursive) {
            // Until it is made, the nearest folder above it tells when.
            let there = path.is_dir();
            let Some(place) = nearest(&path) else { continue };
            let mode = if all_below && there { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            let kept = wanted.entry(place).or_insert(mode);
            if mode == RecursiveMode::Recursive {
                *kept = mode;
            }
        }
        let current: BTreeMap<PathBuf, (RecursiveMode, Identity)> =
            wanted.into_iter().filter_map(|(path, mode)| Some((path.clone(), (mode, identity(&path)?)))).collect();
        if current != self.watched
            && let Err(error) = self.change(current)
        {
            self.trouble = Some(error.to_string());
            self.watcher = None;
            self.watched.clear();
        }
    }

    fn change(&mut self, current: BTreeMap<PathBuf, (RecursiveMode, Identity)>) -> notify::Result<()> {
        let Some(watcher) = &mut self.watcher else { return Ok(()) };
        for (path, was) in &self.watched {
            if current.get(path) != Some(was) {
                // It may be gone, and the watch with it.
                let _ = watcher.unwatch(path);
            }
        }
        let mut any = false;
        for (path, is) in &current {
            if self.watched.get(path) != Some(is) {
                match watcher.watch(path, is.0) {
                    Ok(()) => any = true,
                    // It went between two looks: the next one sees that.
                    Err(_) if !path.is_dir() => {}
                    Err(error) => return Err(error),
                }
            }
        }
        self.watched = current;
        if any {
            // What happened there before it was watched, nobody told.
            self.bell.ring(|rung| rung.changed = true);
        }
        Ok(())
    }
}

/// What an event can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    None,
    Lines,
    Names,
}

/// What an event means. That a file was opened or read means nothing: we do that ourselves, and would wake ourselves for ever.
fn change(kind: &EventKind) -> Change {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Change::Lines,
        EventKind::Access(_) => Change::None,
        EventKind::Modify(ModifyKind::Name(_)) => Change::Names,
        EventKind::Modify(_) => Change::Lines,
        _ => Change::Names,
    }
}

/// The path as it is, for folders that are named without one: `mail.log` lies in `.`.
pub(super) fn or_here(path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
