//! Which folders are to be watched for some PATHs: those that hold the files.
//!
//! `/var/log/mail.log` and `/var/log/mail*` give `/var/log`; `/var/log/*/mail.log` gives `/var/log` with all that is below it. Logs that
//! are links (`/var/log/containers/*.log`) are written elsewhere: that folder is watched too.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::watch::or_here;

/// A folder to watch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Folder {
    /// The folder; it may not be there yet.
    pub path: PathBuf,
    /// Whether what is below it is watched too.
    pub all_below: bool,
}

/// Links that are looked at in one folder.
const LINKS: usize = 1_000;

/// The folders of some PATHs.
pub fn folders(paths: &[PathBuf], recursive: bool) -> BTreeSet<Folder> {
    let mut all = BTreeSet::new();
    for path in paths.iter().filter(|path| *path != Path::new("-")) {
        let folder = folder(path, recursive);
        links(&folder.path, path, &mut all);
        all.insert(folder);
    }
    all
}

/// The folder of one PATH.
fn folder(path: &Path, recursive: bool) -> Folder {
    if path.is_dir() {
        return Folder { path: path.to_owned(), all_below: recursive };
    }
    let is_pattern = |part: &Component<'_>| part.as_os_str().to_string_lossy().contains(['*', '?', '[']);
    // A file may have such characters in its name.
    if !path.exists() && path.components().any(|part| is_pattern(&part)) {
        let fixed: PathBuf = path.components().take_while(|part| !is_pattern(part)).collect();
        let open = path.components().count() - fixed.components().count();
        return Folder { path: or_here(&fixed), all_below: open > 1 };
    }
    Folder { path: or_here(path.parent().unwrap_or(path)), all_below: false }
}

/// Adds the folders into which links lead: of a file that is one, or of those in a folder.
fn links(folder: &Path, path: &Path, all: &mut BTreeSet<Folder>) {
    let mut add = |link: &Path| {
        if link.is_symlink()
            && let Ok(target) = link.canonicalize()
            && let Some(parent) = target.parent().filter(|_| target.is_file())
        {
            all.insert(Folder { path: parent.to_owned(), all_below: false });
        }
    };
    add(path);
    if path != folder && path.exists() {
        return;
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()))
        .take(LINKS)
        .for_each(|entry| add(&entry.path()));
}

/// The folder itself, or the nearest one above it that is there.
pub fn nearest(path: &Path) -> Option<PathBuf> {
    path.ancestors().map(or_here).find(|above| above.is_dir())
}

/// What tells a folder from another one of the same name.
pub type Identity = (u64, u64);

/// Which folder this is now.
#[cfg(unix)]
pub fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    path.metadata().ok().map(|data| (data.dev(), data.ino()))
}

/// Which folder this is now, by the time at which it was made.
#[cfg(not(unix))]
pub fn identity(path: &Path) -> Option<Identity> {
    let made = path.metadata().ok()?.created().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some((made.as_secs(), u64::from(made.subsec_nanos())))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_path_has_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join("logs");
        fs::create_dir(&logs).unwrap();
        fs::write(logs.join("mail.log"), "x\n").unwrap();
        fs::write(logs.join("odd[1].log"), "x\n").unwrap();
        let check = |path: &str, recursive, want: &str, all_below| {
            let want = Folder { path: dir.path().join(want), all_below };
            assert_eq!(folders(&[dir.path().join(path)], recursive), BTreeSet::from([want]), "{path}");
        };
        check("logs/mail.log", true, "logs", false);
        check("logs", false, "logs", false);
        check("logs", true, "logs", true);
        check("logs/mail*", false, "logs", false);
        check("logs/odd[1].log", false, "logs", false);
        check("*/mail.log*", false, "", true);
        check("logs/gone/mail.log", false, "logs/gone", false);
        assert_eq!(folders(&["mail.log".into()], false).first().unwrap().path, Path::new("."));
        assert!(folders(&["-".into()], false).is_empty());
        assert_eq!(nearest(&logs.join("a/b/c")), Some(logs));
        assert_eq!(nearest(Path::new("no-such-folder/x")), Some(PathBuf::from(".")));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_to_where_they_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        for name in ["pods", "containers"] {
            fs::create_dir(dir.join(name)).unwrap();
        }
        fs::write(dir.join("pods/0.log"), "x\n").unwrap();
        std::os::unix::fs::symlink(dir.join("pods/0.log"), dir.join("containers/mx.log")).unwrap();
        std::os::unix::fs::symlink(dir.join("pods/none"), dir.join("containers/broken.log")).unwrap();
        for path in ["containers", "containers/mx.log", "containers/*.log"] {
            let found: Vec<_> = folders(&[dir.join(path)], false).into_iter().map(|folder| folder.path).collect();
            assert_eq!(found, [dir.join("containers"), dir.join("pods")], "{path}");
        }
    }
}
