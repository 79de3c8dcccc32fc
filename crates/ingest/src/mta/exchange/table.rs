//! The columns of Exchange's other logs, by their names. Not here: the tracking log's own (`columns`).
//!
//! `#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context`

use std::borrow::Cow;
use std::sync::Arc;

use super::cells::Cells;

/// Where the columns stand that a log is read by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    width: usize,
    at: Arc<[usize]>,
}

impl Table {
    /// Finds `wanted` (lower case, words apart by hyphens) in a header; `None` where one of the first `needed` is missing.
    pub(super) fn read(names: &[u8], wanted: &[&str], needed: usize) -> Option<Self> {
        let mut cells = Cells::default();
        let width = cells.cut(names, usize::MAX - 1);
        let all: Vec<Vec<u8>> = (0..width).map(|i| plain(&cells.get(names, i))).collect();
        let place = |name: &&str| all.iter().position(|known| known == name.as_bytes()).unwrap_or(usize::MAX);
        let at: Arc<[usize]> = wanted.iter().map(place).collect();
        at.iter().take(needed).all(|at| *at != usize::MAX).then_some(Self { width, at })
    }

    /// Cuts a line; false where it is no row of these columns.
    pub(super) fn cut(&self, line: &[u8], cells: &mut Cells) -> bool {
        cells.cut(line, self.width) == self.width
    }

    /// The text of the wanted column with this number; empty where there is none.
    pub(super) fn get<'a>(&self, line: &'a [u8], cells: &Cells, column: usize) -> Cow<'a, [u8]> {
        cells.get(line, self.at[column])
    }
}

/// A column's name in lower case, with hyphens: Exchange Online writes `recipient_status` for `recipient-status`.
pub(super) fn plain(name: &[u8]) -> Vec<u8> {
    let name = name.trim_ascii().to_ascii_lowercase();
    name.into_iter().map(|b| if b == b'_' { b'-' } else { b }).collect()
}
