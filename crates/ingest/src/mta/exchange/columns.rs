//! What the columns of a row mean. Not here: cutting rows.
//!
//! `#Fields: date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,…`
//!
//! Never inferred from `#Version`: it says 14.0.0.0 on all of 2010, and other logs' versions differ from the server's.

use std::sync::{Arc, LazyLock};

use super::cells::Cells;
use super::table::plain;

/// A column that this reader uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    DateTime,
    ClientIp,
    ClientHostname,
    ServerIp,
    ServerHostname,
    SourceContext,
    ConnectorId,
    Source,
    EventId,
    InternalMessageId,
    MessageId,
    NetworkMessageId,
    RecipientAddress,
    RecipientStatus,
    TotalBytes,
    SenderAddress,
    ReturnPath,
    CustomData,
    SchemaVersion,
}

/// The names of [`Column`]s, in their order.
const NAMES: [&str; 19] = [
    "date-time",
    "client-ip",
    "client-hostname",
    "server-ip",
    "server-hostname",
    "source-context",
    "connector-id",
    "source",
    "event-id",
    "internal-message-id",
    "message-id",
    "network-message-id",
    "recipient-address",
    "recipient-status",
    "total-bytes",
    "sender-address",
    "return-path",
    "custom-data",
    "schema-version",
];

/// Without these a row cannot be counted.
const NEEDED: [Column; 4] = [Column::DateTime, Column::EventId, Column::MessageId, Column::RecipientAddress];

/// The index of a column that there is not: no line has so many cells.
const ABSENT: usize = usize::MAX;

/// Where each column stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    width: usize,
    at: [usize; NAMES.len()],
}

impl Columns {
    /// Reads the names of a `#Fields:` line: any order, unknown ones too. `None` where a needed one is missing.
    fn read(names: &[u8]) -> Option<Self> {
        let mut cells = Cells::default();
        let width = cells.cut(names, usize::MAX - 1);
        let mut at = [ABSENT; NAMES.len()];
        for index in 0..width {
            let name = plain(&cells.get(names, index));
            // So Exchange Online's extended report calls it.
            let name = if name == b"date-time-utc" { &b"date-time"[..] } else { &name };
            if let Some(column) = NAMES.iter().position(|known| known.as_bytes() == name) {
                at[column] = index;
            }
        }
        let columns = Self { width, at };
        NEEDED.iter().all(|&column| columns.index(column) != ABSENT).then_some(columns)
    }

    /// The number of columns.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The index of a column; beyond every row where there is none.
    pub(super) fn index(&self, column: Column) -> usize {
        self.at[column as usize]
    }

    /// Whether `column` is the last one of a row.
    pub(super) fn ends_with(&self, column: Column) -> bool {
        self.index(column) == self.width - 1
    }
}

/// What the last `#Fields:` line said.
#[derive(Clone, Debug)]
pub(super) enum Header {
    /// There was none: the number of columns tells.
    Missing,
    /// The columns.
    Known(Arc<Columns>),
    /// It does not name what a row must have.
    Unusable,
}

impl Header {
    /// Reads what follows `#Fields:`.
    pub(super) fn read(names: &[u8]) -> Self {
        Columns::read(names).map_or(Self::Unusable, |columns| Self::Known(Arc::new(columns)))
    }
}

/// The columns of 2016, 2019 and SE. 2013 has the first 27, 2010 those without network-message-id, 2007 the first 21 of 2010.
pub(super) const SINCE_2016: &str = "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,\
    internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,\
    related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,\
    original-client-ip,original-server-ip,custom-data,transport-traffic-type,log-id,schema-version";

/// The most columns that a layout has.
pub(super) const WIDEST: usize = 30;

static LAYOUTS: LazyLock<[Columns; 4]> = LazyLock::new(|| {
    let since_2016: Vec<&str> = SINCE_2016.split(',').collect();
    let in_2013 = &since_2016[..27];
    let in_2010: Vec<&str> = in_2013.iter().copied().filter(|&name| name != "network-message-id").collect();
    let layouts = [&in_2010[..21], &in_2010, in_2013, &since_2016];
    layouts.map(|names| Columns::read(names.join(",").as_bytes()).expect("the layouts have all needed columns"))
});

/// The layout that has so many columns.
pub(super) fn of_width(width: usize) -> Option<&'static Columns> {
    LAYOUTS.iter().find(|columns| columns.width == width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_by_width() {
        for (width, network_id, recipient, custom) in
            [(21, ABSENT, 11, ABSENT), (26, ABSENT, 11, 25), (27, 11, 12, 26), (30, 11, 12, 26)]
        {
            let columns = of_width(width).unwrap();
            assert_eq!(columns.index(Column::NetworkMessageId), network_id);
            assert_eq!(columns.index(Column::RecipientAddress), recipient);
            assert_eq!(columns.index(Column::CustomData), custom);
            assert_eq!(columns.ends_with(Column::SchemaVersion), width == WIDEST);
        }
        assert!(of_width(28).is_none());
    }

    #[test]
    fn names_stand_for_their_columns() {
        assert_eq!(NAMES[Column::SchemaVersion as usize], "schema-version");
        assert_eq!(NAMES[Column::RecipientStatus as usize], "recipient-status");
        let odd = Columns::read(b"Recipient-Address, x-new ,event-id,\"date-time\",message-id").unwrap();
        assert_eq!((odd.width(), odd.index(Column::RecipientAddress), odd.index(Column::DateTime)), (5, 0, 3));
        assert_eq!(Columns::read(b"date-time,connector-id,session-id"), None);
        assert_eq!(Columns::read(b""), None);
    }
}
