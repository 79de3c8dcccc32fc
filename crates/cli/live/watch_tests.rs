//! Real files in a temporary folder. Waits that must end are long, those that must not are short: nothing hangs on the speed of the machine.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::thread;

use super::*;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(150);

/// A watch that takes no signals: other tests raise some.
fn watch(paths: &[PathBuf]) -> Watch {
    let mut watch = Watch::listening(paths, false, false, &[]).unwrap();
    assert!(!watch.is_polling(), "{:?}", watch.trouble());
    quiet(&mut watch);
    watch
}

/// Takes what was told already.
fn quiet(watch: &mut Watch) {
    while watch.wait(SHORT) != Woke::TimedOut {}
}

#[track_caller]
fn wakes(watch: &mut Watch, what: &str, act: impl FnOnce()) {
    act();
    assert_eq!(watch.wait(LONG), Woke::Changed, "{what}");
    quiet(watch);
}

fn append(path: &Path) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(b"a line\n").unwrap();
}

#[test]
fn whatever_happens_to_a_log_ends_the_wait() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("mail.log");
    append(&log);
    for path in [log.clone(), dir.path().to_owned(), dir.path().join("mail*")] {
        let mut watch = watch(&[path]);
        wakes(&mut watch, "append", || append(&log));
        wakes(&mut watch, "rename", || fs::rename(&log, dir.path().join("mail.log.1")).unwrap());
        wakes(&mut watch, "create", || append(&log));
        wakes(&mut watch, "truncate", || drop(File::create(&log).unwrap()));
        wakes(&mut watch, "remove", || fs::remove_file(dir.path().join("mail.log.1")).unwrap());
    }
}

#[test]
fn reading_and_doing_nothing_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("mail.log");
    append(&log);
    let mut watch = watch(&[dir.path().to_owned()]);
    let mut text = String::new();
    File::open(&log).unwrap().read_to_string(&mut text).unwrap();
    fs::read_dir(dir.path()).unwrap().for_each(drop);
    assert_eq!(watch.wait(SHORT), Woke::TimedOut);
}

#[test]
fn a_folder_that_is_made_later_goes_and_comes_again() {
    let dir = tempfile::tempdir().unwrap();
    let (above, folder) = (dir.path().join("logs"), dir.path().join("logs/exim4"));
    let log = folder.join("mainlog");
    let mut watch = watch(std::slice::from_ref(&log));
    wakes(&mut watch, "the folder above is made", || fs::create_dir(&above).unwrap());
    wakes(&mut watch, "the folder is made", || fs::create_dir(&folder).unwrap());
    wakes(&mut watch, "create", || append(&log));
    wakes(&mut watch, "append", || append(&log));
    wakes(&mut watch, "all is removed", || fs::remove_dir_all(&above).unwrap());
    wakes(&mut watch, "made again, at once", || fs::create_dir_all(&folder).unwrap());
    wakes(&mut watch, "create in the new one", || append(&log));
    wakes(&mut watch, "append in the new one", || append(&log));
}

#[test]
fn folders_below_are_watched_where_the_path_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let pattern = dir.path().join("*/mail.log");
    let mut watch = watch(&[pattern]);
    wakes(&mut watch, "a folder below", || fs::create_dir(dir.path().join("mx1")).unwrap());
    wakes(&mut watch, "a log in it", || append(&dir.path().join("mx1/mail.log")));
    wakes(&mut watch, "append", || append(&dir.path().join("mx1/mail.log")));
}

#[test]
fn many_changes_are_told_as_few() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("mail.log");
    append(&log);
    let mut watch = watch(std::slice::from_ref(&log));
    let start = Instant::now();
    let writer = thread::spawn(move || {
        for _ in 0..2_000 {
            append(&log);
            thread::sleep(Duration::from_micros(100));
        }
    });
    let mut told = 0;
    while !writer.is_finished() {
        told += usize::from(watch.wait(SHORT) == Woke::Changed);
    }
    writer.join().unwrap();
    let most = start.elapsed().as_millis() / GATHER.as_millis() + 2;
    assert!(told > 0 && told as u128 <= most, "{told} of at most {most}");
}

#[test]
fn a_call_ends_a_wait_at_once_and_a_stop_ends_all() {
    let dir = tempfile::tempdir().unwrap();
    let mut watch = watch(&[dir.path().to_owned()]);
    let waker = watch.waker();
    let called = thread::spawn(move || {
        waker.call();
        waker
    });
    assert_eq!(watch.wait(LONG), Woke::Called);
    assert_eq!(watch.wait(SHORT), Woke::TimedOut);
    called.join().unwrap().stop();
    assert!(watch.is_stopped());
    assert_eq!((watch.wait(LONG), watch.wait(LONG)), (Woke::Stopped, Woke::Stopped));
}

#[test]
fn polling_waits_a_second_at_most_and_sees_no_changes() {
    let dir = tempfile::tempdir().unwrap();
    let mut watch = Watch::listening(&[dir.path().to_owned()], false, true, &[]).unwrap();
    assert!(watch.is_polling() && watch.trouble().is_none());
    append(&dir.path().join("mail.log"));
    let start = Instant::now();
    assert_eq!(watch.wait(LONG), Woke::TimedOut);
    assert!(start.elapsed() < LONG / 2);
}

#[cfg(unix)]
#[test]
fn a_signal_stops() {
    // One that nothing else in this program uses.
    let signal = signal_hook::consts::SIGUSR2;
    let mut watch = Watch::listening(&[], false, false, &[signal]).unwrap();
    let raised = thread::spawn(move || signal_hook::low_level::raise(signal).unwrap());
    assert_eq!(watch.wait(LONG), Woke::Stopped);
    raised.join().unwrap();
}

#[test]
fn names_and_lines_are_told_apart() {
    use notify::event::{CreateKind, DataChange, RenameMode};
    assert_eq!(change(&EventKind::Create(CreateKind::File)), Change::Names);
    assert_eq!(change(&EventKind::Modify(ModifyKind::Name(RenameMode::Both))), Change::Names);
    assert_eq!(change(&EventKind::Modify(ModifyKind::Data(DataChange::Any))), Change::Lines);
    assert_eq!(change(&EventKind::Access(AccessKind::Open(AccessMode::Any))), Change::None);
    assert_eq!(change(&EventKind::Access(AccessKind::Close(AccessMode::Read))), Change::None);
}
