//! Why deliveries failed, when, and in which line it stands.

use super::{Column, Kind, ROW, TableSpec, column, nullable};

/// A row a reason, class and disposition.
#[rustfmt::skip]
pub static REASONS: TableSpec = TableSpec {
    name: "reasons",
    meaning: "One row a (reason, class, disposition) of failed deliveries; by deliveries, falling, then reason, class, disposition.",
    columns: &[
        column("reason", Kind::Utf8, "Why the deliveries failed"),
        column("class", Kind::Utf8, "hard or soft"),
        column("disposition", Kind::Utf8, "What to do about it"),
        column("deliveries", Kind::Int64, "Failed deliveries"),
        column("domains", Kind::Int64, "Different recipient domains among them"),
        nullable("template", Kind::Utf8, "The most frequent reply, addresses, IPs and ids masked"),
        nullable("example", Kind::Utf8, "The oldest reply, as logged"),
    ],
};

/// A row a kind of reply that no rule knows.
#[rustfmt::skip]
pub static UNKNOWN_REPLIES: TableSpec = TableSpec {
    name: "unknown_replies",
    meaning: "One row a kind of reply that no rule knows, ready to become a rule; by deliveries, falling, then template.",
    columns: &[
        column("template", Kind::Utf8, "The reply without wrappers, with addresses, IPs and ids masked"),
        column("deliveries", Kind::Int64, "Failed deliveries with such a reply"),
        column("example", Kind::Utf8, "One of the replies, as logged"),
    ],
};

/// A row a step of time.
#[rustfmt::skip]
pub static TIMELINE: TableSpec = TableSpec {
    name: "timeline",
    meaning: "One row a step of time, steps without deliveries too, at most 200: deliveries by the moment of their last attempt in the \
              window. The last row has no start where deliveries have no attempt in it (they expired in it).",
    columns: &[
        nullable("start", Kind::Timestamp, "When the step begins, UTC"),
        column("seconds", Kind::Int64, "How long a step is, seconds: 1, 10, 60, 300, 900, 3600, 21600, 86400, or whole weeks"),
        ROW[0], ROW[1], ROW[2], ROW[3], ROW[4], ROW[5], ROW[6], ROW[7],
    ],
};

/// A row a range of delays.
#[rustfmt::skip]
pub static DELAYS: TableSpec = TableSpec {
    name: "delays",
    meaning: "One row a range of the time from arrival to delivery, shortest first, of delivered ones whose log tells it; no row where none does.",
    columns: &[
        column("from_ms", Kind::Int64, "Where the range begins, itself inside, milliseconds; delays are rounded to four significant digits"),
        nullable("to_ms", Kind::Int64, "Where it ends, itself outside, milliseconds; null for the last"),
        column("deliveries", Kind::Int64, "Delivered deliveries that took so long"),
    ],
};

/// A table of reasons by another key: the key, then why, how often, and where the oldest stands.
#[rustfmt::skip]
const fn reasons_of(key: Column) -> [Column; 10] {
    [
        key,
        column("reason", Kind::Utf8, "Why the deliveries failed"),
        column("class", Kind::Utf8, "hard or soft"),
        column("disposition", Kind::Utf8, "What to do about it"),
        column("deliveries", Kind::Int64, "Failed deliveries"),
        column("share", Kind::Float64, "deliveries / all deliveries of that key, a fraction"),
        nullable("template", Kind::Utf8, "The oldest one's reply, addresses, IPs and ids masked"),
        column("oldest", Kind::Timestamp, "When the oldest one failed, UTC"),
        nullable("source_file", Kind::Utf8, "The log its line stands in; null where no line tells the cause"),
        nullable("source_offset", Kind::Int64, "Offset of that line in the unpacked log, bytes"),
    ]
}
static PROVIDER_REASON_COLUMNS: [Column; 10] =
    reasons_of(column("provider", Kind::Utf8, "Who runs the recipients' mail; (other) where not known"));
static DOMAIN_REASON_COLUMNS: [Column; 10] = reasons_of(column("domain", Kind::Utf8, "The recipients' domain"));
static SOURCE_REASON_COLUMNS: [Column; 10] = reasons_of(column("source", Kind::Utf8, "Who sent"));
static SENDER_REASON_COLUMNS: [Column; 10] = reasons_of(column("sender_domain", Kind::Utf8, "The envelope sender's domain"));

/// Why deliveries to a provider fail.
pub static PROVIDER_REASONS: TableSpec = TableSpec {
    name: "provider_reasons",
    meaning: "One row a (provider, reason, class, disposition) of failed deliveries; by deliveries, falling, then these.",
    columns: &PROVIDER_REASON_COLUMNS,
};

/// Why deliveries to a domain fail.
pub static DOMAIN_REASONS: TableSpec = TableSpec {
    name: "domain_reasons",
    meaning: "One row a (domain, reason, class, disposition) of failed deliveries, sorted like provider_reasons.",
    columns: &DOMAIN_REASON_COLUMNS,
};

/// Why deliveries from a source fail.
pub static SOURCE_REASONS: TableSpec = TableSpec {
    name: "source_reasons",
    meaning: "One row a (source, reason, class, disposition) of failed deliveries, sorted like provider_reasons.",
    columns: &SOURCE_REASON_COLUMNS,
};

/// Why deliveries of a sender domain fail.
pub static SENDER_REASONS: TableSpec = TableSpec {
    name: "sender_reasons",
    meaning: "One row a (sender domain, reason, class, disposition) of failed deliveries, sorted like provider_reasons.",
    columns: &SENDER_REASON_COLUMNS,
};

/// A row a kind of reply.
#[rustfmt::skip]
pub static REPLIES: TableSpec = TableSpec {
    name: "replies",
    meaning: "One row a kind of reply of a (reason, class, disposition), reasons in their order, then by deliveries, falling, then template; at \
              most 20 kinds each, and one row without a template for the rest and for failures without a reply.",
    columns: &[
        column("reason", Kind::Utf8, "Why the deliveries failed"),
        column("class", Kind::Utf8, "hard or soft"),
        column("disposition", Kind::Utf8, "What to do about it"),
        nullable("template", Kind::Utf8, "The reply, addresses, IPs and ids masked; null for the rest"),
        column("deliveries", Kind::Int64, "Failed deliveries"),
        nullable("example", Kind::Utf8, "The oldest reply, as logged; null where there is none"),
        column("oldest", Kind::Timestamp, "When it was, UTC"),
        nullable("source_file", Kind::Utf8, "The log its line stands in; null where no line tells the cause"),
        nullable("source_offset", Kind::Int64, "Offset of that line in the unpacked log, bytes"),
    ],
};
