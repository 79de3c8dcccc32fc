//! Tables of rates: the totals, and a row a domain, provider, source or sender domain; what changed against the window before.

use super::{Column, Kind, TableSpec, column, nullable};

/// The columns of a row of rates: the contract's ROW.
#[rustfmt::skip]
pub const ROW: [Column; 20] = [
    column("deliveries", Kind::Int64, "Deliveries: recipients of messages, one each however often it was tried"),
    column("delivered", Kind::Int64, "Deliveries that were handed over"),
    column("delayed", Kind::Int64, "Delivered ones that had failed for a while before"),
    column("bounced", Kind::Int64, "Deliveries refused for good"),
    column("expired", Kind::Int64, "Deliveries given up after temporary failures"),
    column("deferred", Kind::Int64, "Deliveries still in the queue at the end of the window"),
    column("hard", Kind::Int64, "Failed deliveries for which trying again will not help"),
    column("soft", Kind::Int64, "Failed deliveries for which trying again may help; expired and deferred ones always"),
    nullable("hard_rate", Kind::Float64, "hard / deliveries, a fraction; null without deliveries"),
    nullable("hard_rate_low", Kind::Float64, "Lower end of the 95 % Wilson interval of hard_rate, a fraction"),
    nullable("hard_rate_high", Kind::Float64, "Upper end of the 95 % Wilson interval of hard_rate, a fraction"),
    nullable("soft_rate", Kind::Float64, "soft / deliveries, a fraction; null without deliveries"),
    nullable("soft_rate_low", Kind::Float64, "Lower end of the 95 % Wilson interval of soft_rate, a fraction"),
    nullable("soft_rate_high", Kind::Float64, "Upper end of the 95 % Wilson interval of soft_rate, a fraction"),
    column("attempts", Kind::Int64, "Attempts of these deliveries inside the window"),
    column("reputation", Kind::Int64, "Failed deliveries whose reason is about what is thought of us"),
    nullable("delay_p50_ms", Kind::Int64, "Median time from arrival to delivery, milliseconds, to four significant digits"),
    nullable("delay_p95_ms", Kind::Int64, "Time from arrival to delivery that 95 % did not exceed, milliseconds, to four digits"),
    nullable("first_event", Kind::Timestamp, "The oldest attempt, UTC"),
    nullable("last_event", Kind::Timestamp, "The newest attempt, UTC"),
];

/// Columns before a row of rates.
const fn keyed<const K: usize, const N: usize>(keys: [Column; K]) -> [Column; N] {
    assert!(K + ROW.len() == N);
    let mut all = [ROW[0]; N];
    let mut i = 0;
    while i < N {
        all[i] = if i < K { keys[i] } else { ROW[i - K] };
        i += 1;
    }
    all
}

#[rustfmt::skip]
static DOMAIN_COLUMNS: [Column; 22] = keyed([
    column("domain", Kind::Utf8, "The recipients' domain: lower case, A-labels, no final dot; (local) where there is none"),
    nullable("provider", Kind::Utf8, "Who runs the domain's mail, most often in these deliveries; null where not known"),
]);
#[rustfmt::skip]
static PROVIDER_COLUMNS: [Column; 21] = keyed([column("provider", Kind::Utf8, "Who runs the recipients' mail; (other) where not known")]);
#[rustfmt::skip]
static SOURCE_COLUMNS: [Column; 21] = keyed([column("source", Kind::Utf8, "Who sent: log host, /instance where there is one, [IP] where it is known")]);
#[rustfmt::skip]
static SENDER_COLUMNS: [Column; 21] = keyed([column("sender_domain", Kind::Utf8, "The envelope sender's domain; (unknown) where no line names the sender")]);

/// The whole window: one row.
pub static TOTALS: TableSpec = TableSpec { name: "totals", meaning: "One row: everything in the window.", columns: &ROW };

/// A row a recipient domain.
pub static DOMAINS: TableSpec = TableSpec {
    name: "domains",
    meaning: "One row a recipient domain. The most certain trouble first: by the lower end of the 95 % Wilson interval of \
              (hard + soft) / deliveries, falling; then deliveries, falling; then the name.",
    columns: &DOMAIN_COLUMNS,
};

/// A row a provider.
pub static PROVIDERS: TableSpec =
    TableSpec { name: "providers", meaning: "One row a provider, sorted like domains.", columns: &PROVIDER_COLUMNS };

/// A row a source.
pub static SOURCES: TableSpec =
    TableSpec { name: "sources", meaning: "One row a source, sorted like domains.", columns: &SOURCE_COLUMNS };

/// A row a sender domain.
pub static SENDER_DOMAINS: TableSpec =
    TableSpec { name: "sender_domains", meaning: "One row a sender domain, sorted like domains.", columns: &SENDER_COLUMNS };

/// A row a rate, reason or suspect beside the window before.
#[rustfmt::skip]
pub static CHANGES: TableSpec = TableSpec {
    name: "changes",
    meaning: "One row a share now and in the window before (--compare): the totals and the suspects always, of sources, providers, \
              domains and reasons what changed for certain (the 95 % interval of the difference leaves out 0). By kind, then by how far it moved.",
    columns: &[
        column("kind", Kind::Utf8, "totals, suspect, reason, source, provider, sender_domain or domain"),
        nullable("name", Kind::Utf8, "Which one; null for the totals"),
        column("measure", Kind::Utf8, "hard, soft, delayed, reputation; refused for suspects"),
        column("change", Kind::Utf8, "new, rising, steady, falling or gone"),
        column("deliveries_before", Kind::Int64, "Deliveries in the window before"),
        column("count_before", Kind::Int64, "How many of them are meant by the measure"),
        nullable("rate_before", Kind::Float64, "count_before / deliveries_before, a fraction; null without deliveries"),
        column("deliveries", Kind::Int64, "Deliveries in the window"),
        column("count", Kind::Int64, "How many of them are meant by the measure"),
        nullable("rate", Kind::Float64, "count / deliveries, a fraction; null without deliveries"),
    ],
};
