//! One row, its columns by name, and what all its events share: key, sender, message id. Not here: what it says of its recipients.
//!
//! `…,08DD1;250 2.6.0 Queued;ClientSubmitTime:,Outbound,SMTP,SENDEXTERNAL,1017,<a.1@ex.test>,e8b9…-…,bob@ok.test,250 2.1.5 OK,…`

use std::borrow::Cow;

use bouncestat_record::time::Micros;
use memchr::memmem;

use super::cells::Cells;
use super::columns::{Column, Columns};
use super::row_event::RowEvent;
use super::stamp;
use crate::event::{Fields, Key, Kind};

/// A row that fits its columns.
pub(super) struct Row<'r, 'a> {
    line: &'a [u8],
    cells: &'r Cells,
    columns: &'r Columns,
    folder: &'r str,
    at: Micros,
}

impl<'r, 'a> Row<'r, 'a> {
    /// The row that stands in `cells`, and its event; else the name of an event that is not documented, or nothing where it is torn.
    pub(super) fn new(
        line: &'a [u8],
        cells: &'r Cells,
        columns: &'r Columns,
        folder: &'r str,
    ) -> Result<(Self, RowEvent), Cow<'a, [u8]>> {
        const TORN: Cow<'static, [u8]> = Cow::Borrowed(b"");
        let get = |column| cells.get(line, columns.index(column));
        let at = stamp::read(&get(Column::DateTime)).ok_or(TORN)?;
        // A row that was cut inside its last cell still has all its columns.
        if columns.ends_with(Column::SchemaVersion) && !is_schema_version(&get(Column::SchemaVersion)) {
            return Err(TORN);
        }
        let name = get(Column::EventId);
        match RowEvent::read(&name) {
            Some(event) => Ok((Self { line, cells, columns, folder, at }, event)),
            None if name.iter().all(u8::is_ascii_alphabetic) => Err(name),
            None => Err(TORN),
        }
    }

    /// The text of a column; empty where the layout has no such column.
    pub(super) fn get(&self, column: Column) -> Cow<'a, [u8]> {
        self.cells.get(self.line, self.columns.index(column))
    }

    /// Whether custom-data holds `mark`.
    pub(super) fn custom_data_says(&self, mark: &[u8]) -> bool {
        memmem::find(&self.get(Column::CustomData), mark).is_some()
    }

    /// Whether the message has the null sender: it is a notification.
    pub(super) fn is_notification(&self) -> bool {
        *self.get(Column::ReturnPath) == *b"<>"
    }

    /// Whether sender or custom-data show a health probe.
    pub(super) fn is_probe(&self) -> bool {
        is_probe(&self.get(Column::SenderAddress)) || self.custom_data_says(b"IsProbe=true")
    }

    /// The message: one for all servers where the row has an id that they share. `None` where it has no id at all.
    pub(super) fn key(&self) -> Option<Key<'a>> {
        let mut id = self.get(Column::NetworkMessageId);
        if id.iter().any(|b| !matches!(b, b'0' | b'-')) {
            if id.iter().any(u8::is_ascii_uppercase) {
                id.to_mut().make_ascii_lowercase();
            }
            return Some(key(id));
        }
        let id = self.get(Column::MessageId);
        if !id.is_empty() {
            return Some(key(id));
        }
        let own = self.get(Column::InternalMessageId);
        (!own.is_empty()).then(|| self.of_folder(&own))
    }

    /// The message, for rows that count even where they have no id.
    pub(super) fn key_or_folder(&self) -> Key<'a> {
        self.key().unwrap_or_else(|| self.of_folder(b""))
    }

    fn of_folder(&self, id: &[u8]) -> Key<'a> {
        key(Cow::Owned([self.folder.as_bytes(), b"/", id].concat()))
    }

    /// An event of this row, with what all of them say.
    pub(super) fn fields(&self, kind: Kind) -> Fields<'a> {
        let mut fields = Fields::new(kind, self.at);
        let return_path = self.get(Column::ReturnPath);
        fields.sender = match &*return_path {
            b"<>" => Some(Cow::Borrowed(b"")),
            b"" => Some(self.get(Column::SenderAddress)).filter(|sender| !sender.is_empty()),
            _ => Some(return_path),
        };
        fields.message_id = self.get(Column::MessageId);
        fields.size = number(&self.get(Column::TotalBytes));
        fields
    }
}

/// A message that is followed over all servers.
fn key(id: Cow<'_, [u8]>) -> Key<'_> {
    Key { host: Cow::Borrowed(b""), id }
}

/// Whether an address is one of the health checks' own.
pub(crate) fn is_probe(address: &[u8]) -> bool {
    let address = address.trim_ascii();
    [b"healthmailbox".as_slice(), b"extest_", b"inboundproxy@"].iter().any(|start| starts_with(address, start))
}

/// Whether `text` starts with `start`, which is in lower case; case does not matter.
pub(super) fn starts_with(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start))
}

/// The form in which Exchange's addresses are compared: trimmed, in lower case.
pub(super) fn comparable(address: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let trimmed = match address {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
        Cow::Owned(text) if text.trim_ascii().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim_ascii().to_vec()),
    };
    if trimmed.iter().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return trimmed;
    }
    let lower = match std::str::from_utf8(&trimmed) {
        Ok(text) => text.to_lowercase().into_bytes(),
        Err(_) => trimmed.to_ascii_lowercase(),
    };
    if *lower == *trimmed { trimmed } else { Cow::Owned(lower) }
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok().filter(|&n| n >= 0)
}

/// `15.02.1544.011`
fn is_schema_version(text: &[u8]) -> bool {
    text.len() == 14
        && text.iter().enumerate().all(|(i, b)| if matches!(i, 2 | 5 | 10) { *b == b'.' } else { b.is_ascii_digit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_compare_in_lower_case() {
        for (address, want) in
            [("Anna@UPPER.Example", "anna@upper.example"), (" a@b ", "a@b"), ("JOSÉ@bücher.test", "josé@bücher.test"), ("", "")]
        {
            assert_eq!(*comparable(Cow::Borrowed(address.as_bytes())), *want.as_bytes());
            assert_eq!(*comparable(Cow::Owned(address.into())), *want.as_bytes());
        }
        assert_eq!(*comparable(Cow::Borrowed(b"\xe9A@X")), *b"\xe9a@x");
        assert!(matches!(comparable(Cow::Borrowed(" josé@b ".as_bytes())), Cow::Borrowed(_)));
    }

    #[test]
    fn schema_versions() {
        assert!(is_schema_version(b"15.02.1544.011"));
        for cut in ["15.02.1544.01", "", "15.02.15440011", "15.2.1544.0011"] {
            assert!(!is_schema_version(cut.as_bytes()), "{cut}");
        }
    }
}
