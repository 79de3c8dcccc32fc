//! Reads Microsoft Exchange's message tracking log, of 2007 to SE, all column layouts.
//!
//! `2025-03-04T07:21:33.118Z,,,203.0.113.9,mx1.ok.test,08DD1;250 2.6.0 Queued;ClientSubmitTime:,Outbound,SMTP,SENDEXTERNAL,…`
//!
//! What a column means is told by the last `#Fields:` line before the row, in files without one by the number of columns. What is not
//! here: joining the rows of one message over servers (`join`), what the sessions of a protocol log come to (`join::sessions`,
//! `join::receive`).

mod cells;
mod collection;
mod columns;
mod online;
pub(crate) mod protocol;
pub(crate) mod receive;
mod row;
mod row_event;
mod stamp;
mod status;
mod table;
mod tracking;

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use memchr::{memchr, memrchr};

use super::FileFacts;
use crate::event::{Remark, Sink, Sort};
use crate::lines;
use cells::Cells;
use columns::{Columns, Header};
use row::Row;
use row_event::RowEvent;
use table::Table;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Which of Exchange's logs a file is, by its `#Log-type:` line, or by the names of its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LogType {
    /// The message tracking log, and Exchange Online's extended report; also what a file without a type is taken for.
    Tracking,
    /// The SMTP send protocol log.
    Send,
    /// The SMTP receive protocol log.
    Receive,
    /// The log of the anti-spam agents.
    Agent,
    /// The transport connectivity log.
    Connectivity,
    /// Exchange Online's summary of a historical search.
    Summary,
    /// Exchange Online's message trace.
    Trace,
    /// Another one: understood, and says nothing.
    Other,
}

impl LogType {
    fn read(value: &[u8]) -> Self {
        let says = |name: &[u8]| value.windows(name.len()).any(|w| w.eq_ignore_ascii_case(name));
        if says(b"message tracking") {
            Self::Tracking
        } else if says(b"smtp send protocol") {
            Self::Send
        } else if says(b"smtp receive protocol") {
            Self::Receive
        } else if says(b"agent log") {
            Self::Agent
        } else if says(b"connectivity") {
            Self::Connectivity
        } else {
            Self::Other
        }
    }

    /// What the columns of a log of this type are, by their names.
    fn table(self, names: &[u8]) -> Option<Table> {
        match self {
            Self::Send => Table::read(names, &protocol::SEND, 6),
            Self::Receive => Table::read(names, &receive::RECEIVE, 6),
            Self::Agent => Table::read(names, &receive::AGENT, 3),
            Self::Connectivity => Table::read(names, &protocol::CONNECTIVITY, 3),
            Self::Summary => Table::read(names, &online::SUMMARY, 3),
            Self::Trace => Table::read(names, &online::TRACE, 7),
            Self::Tracking | Self::Other => None,
        }
    }

    /// The type of an export whose first line is this one: the names of columns without a mark before them.
    fn of_export(line: &[u8]) -> Option<Self> {
        if !line.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'"') {
            return None;
        }
        let has = |name: &[u8]| memchr::memmem::find(line, name).is_some();
        if has(b"date_time_utc") && has(b"event_id") {
            Some(Self::Tracking)
        } else if has(b"origin_timestamp_utc") && has(b"recipient_status") {
            Some(Self::Summary)
        } else if has(b"MessageTraceId") && has(b"RecipientAddress") {
            Some(Self::Trace)
        } else {
            None
        }
    }
}

/// What a `#` line sets.
enum Heading<'a> {
    /// `#Fields:`, with the names.
    Fields(&'a [u8]),
    /// `#Log-type:`, with the type.
    LogType(&'a [u8]),
    /// Any other.
    Other,
}

impl<'a> Heading<'a> {
    fn read(line: &'a [u8]) -> Self {
        if let Some(names) = after(line, b"#fields:") {
            Self::Fields(names)
        } else if let Some(value) = after(line, b"#log-type:") {
            Self::LogType(value)
        } else {
            Self::Other
        }
    }
}

/// Reads the lines of one file.
#[derive(Clone)]
pub struct Reader {
    /// The folder that the file stands in: the server's name, for messages that have no id of their own.
    folder: Arc<str>,
    log_type: LogType,
    header: Header,
    /// The names of the columns, as the last header wrote them.
    names: Arc<[u8]>,
    /// The columns of a log that is no tracking log.
    table: Option<Table>,
    /// Room for the cells of a row, used again for each.
    cells: Cells,
}

impl Reader {
    /// A reader that stands at the start of its file, or, where the file is read from its middle, below the file's first header.
    pub fn new(facts: FileFacts) -> Self {
        let mut reader = Self::bare(facts.folder);
        for (_, line) in lines::lines(&facts.head) {
            let line = strip(line);
            match line.first() {
                Some(b'#') => reader.heading(line),
                Some(_) if reader.export_heading(line) => {}
                Some(_) => break,
                None => {}
            }
        }
        reader
    }

    /// A reader that knows nothing of its file.
    fn bare(folder: Arc<str>) -> Self {
        Self {
            folder,
            log_type: LogType::Tracking,
            header: Header::Missing,
            names: Arc::from([]),
            table: None,
            cells: Cells::default(),
        }
    }

    /// Moves over a chunk: only its last header matters.
    pub fn skip(&mut self, chunk: &[u8]) {
        const EXPORTS: [&[u8]; 3] = [b"date_time_utc", b"origin_timestamp_utc", b"MessageTraceId"];
        if EXPORTS.iter().any(|name| memchr::memmem::find(chunk, name).is_some()) {
            for (_, line) in lines::lines(chunk) {
                let line = strip(line);
                match line.first() {
                    Some(b'#') => self.heading(line),
                    Some(_) => _ = self.export_heading(line),
                    None => {}
                }
            }
            return;
        }
        let (mut fields, mut log_type) = (false, false);
        let mut end = chunk.len();
        while let Some(at) = memrchr(b'#', &chunk[..end]) {
            end = at;
            if !starts_line(chunk, at) {
                continue;
            }
            let line = &chunk[at..];
            let line = strip(&line[..memchr(b'\n', line).unwrap_or(line.len())]);
            match Heading::read(line) {
                Heading::Fields(_) if !fields => fields = true,
                Heading::LogType(_) if !log_type => log_type = true,
                _ => continue,
            }
            self.heading(line);
            if fields && log_type {
                break;
            }
        }
    }

    /// Reads one line.
    pub fn line<'a, S: Sink<'a>>(&mut self, line: &'a [u8], sink: &mut S) -> Sort {
        let line = strip(line);
        match (line.first(), self.log_type) {
            (None, _) => Sort::Irrelevant,
            (Some(b'#'), _) => {
                self.heading(line);
                Sort::Irrelevant
            }
            (Some(_), _) if self.export_heading(line) => Sort::Irrelevant,
            (Some(_), LogType::Other) => Sort::Irrelevant,
            (Some(_), _) if self.is_for_rejects() && !sink.wants_rejects() => Sort::Irrelevant,
            (Some(_), LogType::Tracking) => match self.row(line) {
                Ok((row, event)) => tracking::read(&row, event, sink),
                Err(unknown) => {
                    if !unknown.is_empty() {
                        sink.remark(Remark::UnknownEvent(&unknown));
                    }
                    Sort::Unrecognised
                }
            },
            (Some(_), log_type) => {
                let Some(table) = &self.table else { return Sort::Unrecognised };
                if !table.cut(line, &mut self.cells) {
                    return Sort::Unrecognised;
                }
                match log_type {
                    LogType::Send => protocol::send(line, &self.cells, table, sink),
                    LogType::Connectivity => protocol::connectivity(line, &self.cells, table, sink),
                    LogType::Receive => receive::receive(line, &self.cells, table, &self.folder, sink),
                    LogType::Agent => receive::agent(line, &self.cells, table, &self.folder, sink),
                    LogType::Summary => online::summary(line, &self.cells, table, sink),
                    _ => online::trace(line, &self.cells, table, sink),
                }
            }
        }
    }

    /// Whether the log is read only where rejects are asked for.
    pub fn is_for_rejects(&self) -> bool {
        matches!(self.log_type, LogType::Receive | LogType::Agent)
    }

    /// Takes in a `#` line.
    fn heading(&mut self, line: &[u8]) {
        match Heading::read(line) {
            Heading::Fields(names) => {
                self.header = Header::read(names);
                self.names = Arc::from(names);
            }
            Heading::LogType(value) => self.log_type = LogType::read(value),
            Heading::Other => return,
        }
        self.table = self.log_type.table(&self.names);
    }

    /// Takes in the first line of an export; false where it is another line.
    fn export_heading(&mut self, line: &[u8]) -> bool {
        let Some(log_type) = LogType::of_export(line) else { return false };
        self.log_type = log_type;
        self.header = Header::read(line);
        self.names = Arc::from(line);
        self.table = log_type.table(line);
        true
    }

    /// The line as a row; else the name of an event that is not documented, or nothing where it is torn or not of its columns.
    fn row<'r, 'a>(&'r mut self, line: &'a [u8]) -> Result<(Row<'r, 'a>, RowEvent), Cow<'a, [u8]>> {
        const TORN: Cow<'static, [u8]> = Cow::Borrowed(b"");
        let columns: &Columns = match &self.header {
            Header::Known(columns) => {
                let count = self.cells.cut(line, columns.width());
                (count == columns.width()).then_some(columns).ok_or(TORN)?
            }
            Header::Missing => {
                let count = self.cells.cut(line, columns::WIDEST);
                columns::of_width(count).ok_or(TORN)?
            }
            Header::Unusable => return Err(TORN),
        };
        Row::new(line, &self.cells, columns, &self.folder)
    }
}

/// Lines that only Exchange writes: the marks of its header, and rows that fit their columns and name a documented event.
pub fn detect(head: &[u8]) -> usize {
    let mut reader = Reader::bare("".into());
    lines::lines(head).filter(|(_, line)| is_ours(&mut reader, strip(line))).count()
}

fn is_ours(reader: &mut Reader, line: &[u8]) -> bool {
    match line.first() {
        None => false,
        Some(b'#') => {
            reader.heading(line);
            match Heading::read(line) {
                Heading::Fields(names) => after(names, b"date-time,").is_some(),
                Heading::LogType(_) => true,
                Heading::Other => after(line, b"#software:").is_some_and(|name| after(name, b"microsoft exchange").is_some()),
            }
        }
        Some(_) if reader.export_heading(line) => true,
        Some(_) => reader.row(line).is_ok(),
    }
}

/// What follows `start`, written in lower case, at the start of `text`, trimmed; case does not matter.
fn after<'a>(text: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    let (found, rest) = text.split_at_checked(start.len())?;
    found.eq_ignore_ascii_case(start).then_some(rest.trim_ascii())
}

/// The line without byte-order marks before it and returns behind it.
fn strip(mut line: &[u8]) -> &[u8] {
    while let Some(rest) = line.strip_suffix(b"\r") {
        line = rest;
    }
    while let Some(rest) = line.strip_prefix(BOM) {
        line = rest;
    }
    line
}

/// Whether a line begins at `at`, byte-order marks and the NULs of a hole aside: `lines` takes those off too.
fn starts_line(chunk: &[u8], at: usize) -> bool {
    let mut before = &chunk[..at];
    while let Some(rest) = before.strip_suffix(BOM).or_else(|| before.strip_suffix(b"\0")) {
        before = rest;
    }
    before.is_empty() || before.ends_with(b"\n")
}
