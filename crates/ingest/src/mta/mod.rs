//! The readers of the servers' logs. Each turns lines into events and keeps only what a file's later lines need: the header of an
//! Exchange log, the running year of a syslog.
//!
//! A reader never fails: a line is used, irrelevant or unrecognised.

pub mod exchange;
pub mod exim;
pub mod hand_over;
pub mod postfix;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use bouncestat_record::{Action, EnhancedCode, Mta};
use chrono::NaiveDate;

use crate::clock::{Clock, Zone};
use crate::event::{Fields, Key, Kind, Remark, Sink, Sort};
use crate::framing::wrap;
use crate::reject::Reject;

/// What a reader is told about the file it reads.
#[derive(Clone, Debug)]
pub struct FileFacts {
    /// The name that stands for the log host where lines have none: the folder's, or `--host`.
    pub folder: Arc<str>,
    /// Turns stamps into moments.
    pub clock: Clock,
    /// The first lines of the file, already unpacked.
    pub head: Arc<[u8]>,
}

/// One file's reader. Cloning it at a chunk's start lets the chunk be read apart from the others.
#[derive(Clone)]
pub enum LineReader {
    /// Postfix.
    Postfix(postfix::Reader),
    /// Exim.
    Exim(exim::Reader),
    /// Microsoft Exchange.
    Exchange(exchange::Reader),
}

impl LineReader {
    /// The reader of a file that `mta` wrote.
    pub fn new(mta: Mta, facts: FileFacts) -> Self {
        match mta {
            Mta::Postfix => Self::Postfix(postfix::Reader::new(facts)),
            Mta::Exim => Self::Exim(exim::Reader::new(facts)),
            Mta::Exchange => Self::Exchange(exchange::Reader::new(facts)),
        }
    }

    /// Whose log it reads.
    pub fn mta(&self) -> Mta {
        match self {
            Self::Postfix(_) => Mta::Postfix,
            Self::Exim(_) => Mta::Exim,
            Self::Exchange(_) => Mta::Exchange,
        }
    }

    /// Whether the log that it stands in is read only where rejects of our own are asked for.
    pub fn is_for_rejects(&self) -> bool {
        match self {
            Self::Postfix(_) | Self::Exim(_) => false,
            Self::Exchange(r) => r.is_for_rejects(),
        }
    }

    /// Says where in the file the next line stands: years run along fixed places of it.
    pub fn seek(&mut self, position: u64) {
        match self {
            Self::Postfix(r) => r.seek(position),
            Self::Exim(r) => r.seek(position),
            Self::Exchange(_) => {}
        }
    }

    /// Moves over a chunk that begins at `offset` without reading it, so that the reader stands where the next chunk begins.
    pub fn skip(&mut self, chunk: &[u8], offset: u64) {
        match self {
            Self::Postfix(r) => r.skip(chunk, offset),
            Self::Exim(r) => r.skip(chunk, offset),
            Self::Exchange(r) => r.skip(chunk),
        }
    }

    /// Reads one line (without its line end).
    pub fn line<'a, S: Sink<'a>>(&mut self, line: &'a [u8], sink: &mut S) -> Sort {
        let sort = match wrap::inner(line) {
            None => self.bare_line(line, sink),
            Some(Cow::Borrowed(inner)) => self.bare_line(inner, sink),
            Some(Cow::Owned(inner)) => self.bare_line(&inner, &mut Owning { sink, life: PhantomData }),
        };
        if sort == Sort::Used
            && let Some(second) = self.repeated_hour()
        {
            sink.remark(Remark::RepeatedHour(second));
        }
        sort
    }

    /// Whether the line that was read last stands in an hour that autumn repeats, and then whether the order of lines shows that it is of the second time.
    pub fn repeated_hour(&self) -> Option<bool> {
        match self {
            Self::Postfix(r) => r.repeated_hour(),
            Self::Exim(r) => r.repeated_hour(),
            Self::Exchange(_) => None,
        }
    }

    /// Reads a line as its server wrote it.
    fn bare_line<'a, S: Sink<'a>>(&mut self, line: &'a [u8], sink: &mut S) -> Sort {
        match self {
            Self::Postfix(r) => r.line(line, sink),
            Self::Exim(r) => r.line(line, sink),
            Self::Exchange(r) => r.line(line, sink),
        }
    }
}

/// Hands on events with texts of their own, because their line does not last.
struct Owning<'s, 'long, S: Sink<'long>> {
    sink: &'s mut S,
    life: PhantomData<&'long ()>,
}

impl<'short, 'long, S: Sink<'long>> Sink<'short> for Owning<'_, 'long, S> {
    fn push(&mut self, key: Key<'short>, fields: Fields<'short>) {
        self.sink.push(key.into_owned(), fields.into_owned());
    }

    fn wants_rejects(&self) -> bool {
        self.sink.wants_rejects()
    }

    fn reject(&mut self, reject: Reject<'short>) {
        self.sink.reject(reject.into_owned());
    }

    fn remark(&mut self, remark: Remark<'_>) {
        self.sink.remark(remark);
    }
}

/// How surely the first lines of a file are this server's: the number of lines that only it writes.
pub fn detect(head: &[u8]) -> Option<Mta> {
    let head = &*wrap::unwrapped(head);
    let scores =
        [(exchange::detect(head), Mta::Exchange), (exim::detect(head), Mta::Exim), (postfix::detect(head), Mta::Postfix)];
    let best = scores.iter().max_by_key(|(score, _)| *score)?;
    (best.0 > 0).then_some(best.1)
}

/// What one log line says of an attempt.
#[derive(Clone, Debug)]
pub struct LineAttempt {
    /// Whose line.
    pub mta: Mta,
    /// The reply or error.
    pub text: Vec<u8>,
    /// The next hop's name; may be empty.
    pub relay_host: Vec<u8>,
    /// The enhanced code that stands apart from the text.
    pub enhanced_code: Option<EnhancedCode>,
    /// What the server did.
    pub action: Option<Action>,
}

/// The attempt in a single log line, whoever wrote it; `None` where the line is none of an attempt.
pub fn failure_in_line(line: &[u8]) -> Option<LineAttempt> {
    let mta = detect(line)?;
    let clock = Clock::new(Zone::UTC, NaiveDate::default());
    let mut reader = LineReader::new(mta, FileFacts { folder: Arc::from(""), clock, head: Arc::from(line) });
    let mut sink: Vec<(Key<'_>, Fields<'_>)> = Vec::new();
    reader.line(line, &mut sink);
    let (_, fields) = sink.into_iter().find(|(_, fields)| !fields.text.is_empty())?;
    let action = match fields.kind {
        Kind::Sent | Kind::Mailbox | Kind::Relayed => Action::Delivered,
        Kind::Bounced | Kind::Failed => Action::Bounced,
        Kind::GaveUp => Action::Expired,
        _ => Action::Deferred,
    };
    Some(LineAttempt {
        mta,
        text: fields.text.into_owned(),
        relay_host: fields.relay_host.into_owned(),
        enhanced_code: fields.enhanced_code,
        action: Some(action),
    })
}
