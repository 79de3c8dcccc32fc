//! Logs that grow and rotate while they are collected.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::common::{PACKED, bytes_of, pack, sample};

/// A log in a folder of its own: the host of lines that name none.
pub struct Log {
    folder: String,
    name: String,
}

impl Log {
    /// An empty log.
    pub fn new(folder: String, name: &str) -> Self {
        fs::create_dir_all(&folder).expect("a folder");
        let log = Self { folder, name: name.to_owned() };
        fs::write(log.path(), b"").expect("a file");
        log
    }

    /// The file that is written to.
    pub fn path(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }

    /// A rotated file.
    pub fn old(&self, age: usize, extension: &str) -> String {
        format!("{}/{}.{age}{extension}", self.folder, self.name)
    }

    /// The folder.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// Writes to its end.
    pub fn grow(&self, bytes: &[u8]) {
        OpenOptions::new().append(true).open(self.path()).and_then(|mut file| file.write_all(bytes)).expect("it grows");
    }

    /// Whether it holds a whole line, even where it begins inside of one.
    pub fn has_whole_line(&self) -> bool {
        fs::read(self.path()).expect("it is there").iter().filter(|b| **b == b'\n').count() > 1
    }

    /// Rotates: by a rename, or by a copy after which the file is emptied.
    pub fn rotate(&self, by_copy: bool) {
        for age in (1..100).rev() {
            for extension in ["", ".gz"] {
                if Path::new(&self.old(age, extension)).exists() {
                    fs::rename(self.old(age, extension), self.old(age + 1, extension)).expect("it is renamed");
                }
            }
        }
        if by_copy {
            fs::copy(self.path(), self.old(1, "")).expect("it is copied");
            OpenOptions::new().write(true).truncate(true).open(self.path()).expect("it is emptied");
        } else {
            fs::rename(self.path(), self.old(1, "")).expect("it is renamed");
            fs::write(self.path(), b"").expect("a new file");
        }
    }

    /// Packs a rotated file, if it is there and plain.
    pub fn pack(&self, age: usize) {
        let plain = self.old(age, "");
        if let Ok(bytes) = fs::read(&plain) {
            fs::write(self.old(age, ".gz"), pack(PACKED[0].0, &bytes)).expect("it is packed");
            fs::remove_file(&plain).expect("it is there");
        }
    }
}

/// The lines of a sample, with their ends.
pub fn lines_of(file: &str) -> Vec<Vec<u8>> {
    bytes_of(&sample(file)).split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
}

/// Numbers that look random and are the same in every run (SplitMix64).
pub struct Numbers(pub u64);

impl Numbers {
    /// The next one, below a limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit.max(1)
    }
}
