//! One writer at a time. The lock is the operating system's: it is gone with the program that held it, in whatever way that ended.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::{Error, ErrorKind, Result};

/// The name of the file that is locked.
pub(crate) const LOCK: &str = ".lock";

/// Held as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "it is locked as long as it is open")] File);

impl Lock {
    /// Takes the lock of a folder; `since` says who holds it, for whoever comes next.
    pub fn take(dir: &Path, since: &str) -> Result<Self> {
        let path = dir.join(LOCK);
        let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = open.map_err(|e| Error::io(&path, &e))?;
        match file.try_lock() {
            Ok(()) => {
                let text = format!("process {} since {since}\n", std::process::id());
                // Who holds it is a courtesy: it is held without that, too.
                let _ =
                    file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).and_then(|_| file.write_all(text.as_bytes()));
                Ok(Self(file))
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                let holder = if holder.is_empty() { "another run" } else { holder };
                Err(Error::new(
                    ErrorKind::Locked,
                    dir,
                    format!("{holder} is writing to this dataset; wait for its end, or stop it (reports can be made meanwhile)"),
                ))
            }
            Err(TryLockError::Error(e)) => Err(Error::io(&path, &e)),
        }
    }
}
