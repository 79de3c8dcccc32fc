//! THE column list: every table of every output, its columns in their order, their types, and what they mean.
//!
//! JSON, CSV, Parquet, Markdown and the documents are made from it; nothing else names a column. The words are those of the
//! contract. Within one [`SCHEMA_VERSION`] columns are only added, at the end of a table.

mod attempts;
mod causes;
mod rates;
mod rejects;
mod suspects;
mod unrecognised;

pub use attempts::ATTEMPTS;
pub use causes::*;
pub use rates::*;
pub use rejects::*;
pub use suspects::*;
pub use unrecognised::UNRECOGNISED;

/// The version of the column list that every output carries.
pub const SCHEMA_VERSION: &str = "1";

/// The type of a column. BI tools meet these and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text.
    Utf8,
    /// A whole number, signed, 64 bits.
    Int64,
    /// A number, 64 bits.
    Float64,
    /// True or false.
    Boolean,
    /// A day, counted from 1970-01-01.
    Date,
    /// A moment: microseconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// Texts in a fixed order: an array in JSON; joined by `"; "` where a format is flat (CSV, Parquet).
    Utf8List,
}

impl Kind {
    /// The stable name of the type, as `bouncestat schema` and the manifest print it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Utf8 => "Utf8",
            Kind::Int64 => "Int64",
            Kind::Float64 => "Float64",
            Kind::Boolean => "Boolean",
            Kind::Date => "Date",
            Kind::Timestamp => "Timestamp",
            Kind::Utf8List => "Utf8List",
        }
    }
}

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name in every output, snake_case.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// Whether a value may be missing.
    pub nullable: bool,
    /// What it means, with its unit.
    pub meaning: &'static str,
}

/// One table of the outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSpec {
    /// The name in every output, snake_case.
    pub name: &'static str,
    /// What a row is, and how rows are sorted.
    pub meaning: &'static str,
    /// The columns in their order.
    pub columns: &'static [Column],
}

impl TableSpec {
    /// The place of a column by its name.
    pub fn index(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == column)
    }
}

/// The table of this name.
pub fn table(name: &str) -> Option<&'static TableSpec> {
    TABLES.iter().copied().find(|t| t.name == name)
}

const fn column(name: &'static str, kind: Kind, meaning: &'static str) -> Column {
    Column { name, kind, nullable: false, meaning }
}

const fn nullable(name: &'static str, kind: Kind, meaning: &'static str) -> Column {
    Column { name, kind, nullable: true, meaning }
}

/// Every table, in the order of the outputs.
pub static TABLES: &[&TableSpec] = &[
    &TOTALS,
    &DOMAINS,
    &PROVIDERS,
    &SOURCES,
    &SENDER_DOMAINS,
    &REASONS,
    &SUSPECTS,
    &UNKNOWN_REPLIES,
    &TIMELINE,
    &DELAYS,
    &PROVIDER_REASONS,
    &DOMAIN_REASONS,
    &SOURCE_REASONS,
    &SENDER_REASONS,
    &REPLIES,
    &CHANGES,
    &ATTEMPTS,
    &EVIDENCE,
    &LOOKALIKES,
    &SUPPRESS,
    &REJECT_TOTALS,
    &REJECT_HOSTS,
    &REJECT_REASONS,
    &REJECT_BLOCKLISTS,
    &REJECT_NETWORKS,
    &REJECT_DOMAINS,
    &UNRECOGNISED,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_snake_case_and_explained() {
        let snake = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        for (i, table) in TABLES.iter().enumerate() {
            assert!(snake(table.name) && !table.meaning.is_empty(), "{}", table.name);
            assert!(TABLES[..i].iter().all(|t| t.name != table.name), "{}", table.name);
            for (j, column) in table.columns.iter().enumerate() {
                assert!(snake(column.name) && !column.meaning.is_empty(), "{}.{}", table.name, column.name);
                assert_eq!(table.index(column.name), Some(j), "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn columns_are_those_of_the_contract() {
        let names = |t: &TableSpec| t.columns.iter().map(|c| c.name).collect::<Vec<_>>().join(", ");
        assert_eq!(
            names(&TOTALS),
            "deliveries, delivered, delayed, bounced, expired, deferred, hard, soft, hard_rate, hard_rate_low, hard_rate_high, \
             soft_rate, soft_rate_low, soft_rate_high, attempts, reputation, delay_p50_ms, delay_p95_ms, first_event, last_event"
        );
        assert_eq!(
            names(&ATTEMPTS),
            "event_time, event_date, delivery_id, mta, log_host, instance, queue_id, message_id, sender, sender_domain, recipient, \
             recipient_domain, provider, relay_host, relay_ip, direction, outcome, class, reason, disposition, rule_id, smtp_code, \
             enhanced_code, reply_class, stage, blocklist, listed, reply_text, size_bytes, delay_ms, source_file, source_offset"
        );
        assert_eq!(DOMAINS.columns[2..], TOTALS.columns[..]);
    }
}
