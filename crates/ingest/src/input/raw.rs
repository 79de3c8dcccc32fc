//! A stream of bytes with a buffer that can be looked into before anything is taken.
//!
//! Like `BufRead`, with two differences: it can be asked for a number of bytes (a mark must not be missed because a pipe
//! gave it in two pieces), and an error of the system ends the stream instead of replacing what was read.

use std::io::{self, Read};

/// What is read at once into the buffer.
pub(super) const BLOCK: usize = 128 << 10;

/// The bytes as they lie on the disk, with a buffer that can be looked into.
pub(super) struct Raw {
    inner: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    /// Bytes read so far.
    pub(super) total: u64,
    ended: bool,
    /// What stopped the reading, if not the end.
    pub(super) error: Option<io::Error>,
}

impl Raw {
    /// Nothing is read yet.
    pub(super) fn new(inner: Box<dyn Read + Send>) -> Self {
        let buffer = vec![0; BLOCK];
        Self { inner, buffer, from: 0, to: 0, total: 0, ended: false, error: None }
    }

    /// What is in the buffer.
    pub(super) fn available(&self) -> &[u8] {
        &self.buffer[self.from..self.to]
    }

    /// Takes bytes from the front of the buffer.
    pub(super) fn consume(&mut self, n: usize) {
        self.from += n;
    }

    /// At least `n` bytes (at most [`BLOCK`]), or what is left.
    pub(super) fn want(&mut self, n: usize) -> &[u8] {
        while self.to - self.from < n && !self.ended {
            self.buffer.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
            let read = self.inner.read(&mut self.buffer[self.to..]);
            self.to += self.count(read);
        }
        self.available()
    }

    /// What the buffer holds, or the next block straight into `out`.
    pub(super) fn read(&mut self, out: &mut [u8]) -> usize {
        let n = self.available().len().min(out.len());
        if n > 0 {
            out[..n].copy_from_slice(&self.available()[..n]);
            self.consume(n);
            return n;
        }
        while !self.ended {
            let read = self.inner.read(out);
            let n = self.count(read);
            if n > 0 {
                return n;
            }
        }
        0
    }

    /// 0 both for the end and for an interrupted call, which leaves `ended` false.
    fn count(&mut self, read: io::Result<usize>) -> usize {
        match read {
            Ok(n) => {
                self.ended = n == 0;
                self.total += n as u64;
                n
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => 0,
            Err(e) => {
                self.ended = true;
                self.error = Some(e);
                0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte a call, interrupted before each, and fails in the end.
    struct Drip(Vec<u8>, bool);

    impl Read for Drip {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if self.0.is_empty() {
                return Err(io::Error::other("the disk is gone"));
            }
            out[0] = self.0.remove(0);
            Ok(1)
        }
    }

    #[test]
    fn a_slow_and_broken_stream_loses_nothing() {
        let mut raw = Raw::new(Box::new(Drip(b"abcdef".to_vec(), false)));
        assert_eq!(raw.want(3), b"abc");
        raw.consume(2);
        assert_eq!(raw.want(2), b"cd");
        let mut out = [0; 8];
        assert_eq!(raw.read(&mut out), 2);
        assert_eq!(raw.read(&mut out), 1);
        assert_eq!(raw.want(9), b"f");
        assert_eq!(raw.read(&mut out), 1);
        assert_eq!(raw.read(&mut out), 0);
        assert_eq!(raw.total, 6);
        assert_eq!(raw.error.unwrap().to_string(), "the disk is gone");
    }
}
