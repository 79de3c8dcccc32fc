//! THE column list: every table of every output, its columns in their order, their types, and what they mean.
//!
//! JSON, CSV, Parquet, Markdown and the documents are made from it; nothing else names a column. The words are those of the
//! contract. Within one [`SCHEMA_VERSION`] columns are only added, at the end of a table.

mod rejects;

pub use rejects::*;

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

/// A row a source that seems to be refused for its reputation.
#[rustfmt::skip]
pub static SUSPECTS: TableSpec = TableSpec {
    name: "suspects",
    meaning: "One row a source that a receiver or a blocklist seems to refuse for its reputation; by score, falling, then refused, \
              falling, then source, listed, blocklist, provider. At least two recipients were refused, by two replies. Rows that a list \
              names have that list; the others are the provider's own judgement.",
    columns: &[
        column("source", Kind::Utf8, "Who sent: log host, /instance where there is one, [IP] where it is known"),
        nullable("listed", Kind::Utf8, "The IP, network, domain or URL that the replies name"),
        nullable("blocklist", Kind::Utf8, "The blocklist that the replies prove"),
        nullable("provider", Kind::Utf8, "Who runs the mail of the recipients"),
        column("score", Kind::Float64, "How certain it looks, 0 to 1: 0.4 score_share + 0.25 score_receivers + 0.2 score_explicit + 0.15 score_onset"),
        column("deliveries", Kind::Int64, "Deliveries of the source to that provider; to the refusing domains for a list, or where the provider is not known"),
        column("refused", Kind::Int64, "Those that were refused for reputation at least once, even if they got through later"),
        column("first_seen", Kind::Timestamp, "The oldest of these refusals, UTC"),
        column("last_seen", Kind::Timestamp, "The newest of these refusals, UTC"),
        column("domains", Kind::Utf8List, "Recipient domains refusing, sorted, at most 20"),
        column("evidence", Kind::Utf8List, "Replies, as logged: the oldest of each of the three most frequent kinds"),
        nullable("delist_url", Kind::Utf8, "Where to ask for removal"),
        column("kind", Kind::Utf8, "The clearest accusation: listed, reputation, or rate_limit (one that its words explain by reputation)"),
        column("share", Kind::Float64, "refused / deliveries, a fraction"),
        column("share_low", Kind::Float64, "Lower end of the 95 % Wilson interval of share, a fraction"),
        column("share_high", Kind::Float64, "Upper end of the 95 % Wilson interval of share, a fraction"),
        column("score_share", Kind::Float64, "Part of the score, 0 to 1: share_low"),
        column("score_receivers", Kind::Float64, "Part of the score, 0 to 1: n / (n + 2) of n independent receivers"),
        column("score_explicit", Kind::Float64, "Part of the score, 0 to 1: how explicit the clearest reply is; a named list 1, a named object 0.9, words 0.7, a rate limit 0.5, a code alone 0.4"),
        column("score_onset", Kind::Float64, "Part of the score, 0 to 1: how sudden; 1 where mail was taken before the first refusal and none since, half the share where some still is, 0 where none was taken before or the window before had the same trouble"),
        column("receivers", Kind::Int64, "Receivers that refuse, each independent of the others: providers, or organisations of the relays"),
        column("recipients", Kind::Int64, "Different recipients refused"),
        column("refusing_domains", Kind::Int64, "Different recipient domains refusing"),
        column("replies", Kind::Int64, "Replies that said so; what Postfix repeats of an older reply (delivery temporarily suspended) is none"),
        column("delivered_later", Kind::Int64, "Those of refused that got through later"),
        nullable("last_accepted", Kind::Timestamp, "The newest delivery among deliveries that was handed over, UTC"),
        nullable("deliveries_before", Kind::Int64, "deliveries in the window before; null where none was looked at"),
        nullable("refused_before", Kind::Int64, "refused in the window before; null where none was looked at"),
        nullable("trend", Kind::Utf8, "new, rising, steady or falling against the window before; null where none was looked at"),
        column("who", Kind::Utf8, "Who is to be asked"),
        column("advice", Kind::Utf8, "What to do"),
    ],
};

/// A row a kind of reply of a suspect.
#[rustfmt::skip]
pub static EVIDENCE: TableSpec = TableSpec {
    name: "evidence",
    meaning: "One row a kind of reply that accuses a suspect; in the order of the suspects, then by deliveries, falling, then template.",
    columns: &[
        column("suspect", Kind::Int64, "The suspect's row in the table suspects, from 1"),
        column("source", Kind::Utf8, "The suspect's source"),
        nullable("listed", Kind::Utf8, "The suspect's listed object"),
        nullable("blocklist", Kind::Utf8, "The suspect's blocklist"),
        nullable("provider", Kind::Utf8, "The suspect's provider"),
        column("template", Kind::Utf8, "The reply, addresses, IPs and ids masked"),
        column("deliveries", Kind::Int64, "Deliveries that met such a reply"),
        column("first_seen", Kind::Timestamp, "The oldest such reply, UTC"),
        column("last_seen", Kind::Timestamp, "The newest such reply, UTC"),
        column("example", Kind::Utf8, "The oldest such reply, as logged"),
        nullable("source_file", Kind::Utf8, "The log it stands in"),
        column("source_offset", Kind::Int64, "Offset of its line in the unpacked log, bytes"),
    ],
};

/// A row a group of refusals that looks like a suspect and is none.
#[rustfmt::skip]
pub static LOOKALIKES: TableSpec = TableSpec {
    name: "lookalikes",
    meaning: "One row a group of refusals that looks like a suspect and is none; by refused, falling, then kind, source, listed, \
              blocklist, provider.",
    columns: &[
        column("kind", Kind::Utf8, "Why it is none: neighbourhood (a list of whole networks), policy_list, dead_list, resolver_error, greylist, content, unexplained (refused before a recipient was named, without a reason), one_recipient, too_few (refusals or replies), too_rare (share), too_weak (score)"),
        column("source", Kind::Utf8, "Who sent"),
        nullable("listed", Kind::Utf8, "The IP, network, domain or URL that the replies name"),
        nullable("blocklist", Kind::Utf8, "The blocklist that the replies name"),
        nullable("provider", Kind::Utf8, "Who runs the mail of the recipients"),
        column("deliveries", Kind::Int64, "Deliveries of the source to that provider; to the refusing domains for a list, or where the provider is not known"),
        column("refused", Kind::Int64, "Those that were refused so at least once"),
        column("recipients", Kind::Int64, "Different recipients refused"),
        column("first_seen", Kind::Timestamp, "The oldest of these refusals, UTC"),
        column("last_seen", Kind::Timestamp, "The newest of these refusals, UTC"),
        column("domains", Kind::Utf8List, "Recipient domains refusing, sorted, at most 20"),
        nullable("example", Kind::Utf8, "The oldest reply of the most frequent kind, as logged"),
        nullable("source_file", Kind::Utf8, "The log it stands in"),
        nullable("source_offset", Kind::Int64, "Offset of its line in the unpacked log, bytes"),
        column("who", Kind::Utf8, "Who is to be asked"),
        column("advice", Kind::Utf8, "What to do"),
        nullable("delist_url", Kind::Utf8, "Where to look it up or to ask for removal"),
    ],
};

/// A row an address or domain to stop mailing.
#[rustfmt::skip]
pub static SUPPRESS: TableSpec = TableSpec {
    name: "suppress",
    meaning: "One row an address or a whole domain to stop mailing. Domains first; by failures, falling, then entry. Only failures after \
              the newest delivery count; where the domain was the reason, after the newest delivery to anyone there.",
    columns: &[
        column("kind", Kind::Utf8, "address or domain"),
        column("entry", Kind::Utf8, "The address (its domain in lower case, A-labels) or the domain"),
        column("domain", Kind::Utf8, "The domain of the entry"),
        column("reason", Kind::Utf8, "Why the newest of the failures that decided happened"),
        column("policy", Kind::Utf8, "What decided: hard, soft or domain"),
        column("failures", Kind::Int64, "Deliveries that failed so since the newest delivery"),
        column("hard", Kind::Int64, "Those of them that were hard"),
        column("soft", Kind::Int64, "Those of them that were soft"),
        column("first_failed", Kind::Timestamp, "The oldest of these failures, UTC"),
        column("last_failed", Kind::Timestamp, "The newest of these failures, UTC"),
        nullable("last_delivered", Kind::Timestamp, "The newest delivery before them, UTC; null where the window has none"),
        nullable("smtp_code", Kind::Int64, "Basic code of the newest reply that decided"),
        nullable("enhanced_code", Kind::Utf8, "Its enhanced code (RFC 3463)"),
        column("rule_id", Kind::Utf8, "The rule that judged it"),
        nullable("reply_text", Kind::Utf8, "The reply or local error, as logged"),
        nullable("source_file", Kind::Utf8, "The log it stands in"),
        column("source_offset", Kind::Int64, "Offset of its line in the unpacked log, bytes"),
    ],
};

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

/// A row an attempt.
#[rustfmt::skip]
pub static ATTEMPTS: TableSpec = TableSpec {
    name: "attempts",
    meaning: "One row an attempt, in the order in which they are given; an attempt that the log repeats N times is N rows.",
    columns: &[
        column("event_time", Kind::Timestamp, "When, UTC"),
        column("event_date", Kind::Date, "The day of event_time, UTC"),
        column("delivery_id", Kind::Utf8, "The same 16 hexadecimal digits for all attempts of one delivery"),
        column("mta", Kind::Utf8, "Which server wrote the log: postfix, exim or exchange"),
        nullable("log_host", Kind::Utf8, "The host that logged it"),
        nullable("instance", Kind::Utf8, "The queue's name on that host"),
        nullable("queue_id", Kind::Utf8, "The server's own id of the message"),
        nullable("message_id", Kind::Utf8, "The Message-ID header"),
        nullable("sender", Kind::Utf8, "The envelope sender; null where no line names it"),
        column("sender_domain", Kind::Utf8, "Its domain; (unknown) where no line names it"),
        column("recipient", Kind::Utf8, "The final recipient address, as written"),
        column("recipient_domain", Kind::Utf8, "Its domain; (local) where there is none"),
        nullable("provider", Kind::Utf8, "Who runs the recipient's mail"),
        nullable("relay_host", Kind::Utf8, "The next hop's name; null where none was reached"),
        nullable("relay_ip", Kind::Utf8, "The next hop's IP; null where none was reached"),
        column("direction", Kind::Utf8, "outbound, or local: to a mailbox, pipe or file here"),
        nullable("outcome", Kind::Utf8, "What the server did about the attempt: delivered, bounced or deferred"),
        nullable("class", Kind::Utf8, "hard or soft; null for delivered ones"),
        nullable("reason", Kind::Utf8, "Why it failed; null for delivered ones"),
        nullable("disposition", Kind::Utf8, "What to do about it; null for delivered ones"),
        nullable("rule_id", Kind::Utf8, "The rule that decided; null for delivered ones"),
        nullable("smtp_code", Kind::Int64, "The reply's basic code"),
        nullable("enhanced_code", Kind::Utf8, "The reply's enhanced code (RFC 3463)"),
        nullable("reply_class", Kind::Int64, "First digit of the reply, as sent: 2, 3, 4 or 5"),
        nullable("stage", Kind::Utf8, "Where in the session: connect, helo, mail, rcpt, data, end_of_data"),
        nullable("blocklist", Kind::Utf8, "The blocklist that the reply proves"),
        nullable("listed", Kind::Utf8, "The IP, network, domain or URL that the reply names"),
        nullable("reply_text", Kind::Utf8, "The reply or local error, as logged; undecodable bytes are U+FFFD"),
        nullable("size_bytes", Kind::Int64, "The message's size, bytes"),
        nullable("delay_ms", Kind::Int64, "From the message's arrival to the end of this attempt, milliseconds"),
        column("source_file", Kind::Utf8, "The log it stands in"),
        column("source_offset", Kind::Int64, "Offset of the line in the unpacked log, bytes"),
    ],
};

/// What `--unrecognised` writes.
pub static UNRECOGNISED: TableSpec = TableSpec {
    name: "unrecognised",
    meaning: "One row a shape of lines that look like a mail server's delivery and were not understood, in the file that --unrecognised names; by lines, falling, then shape. Of the first 10,000 shapes; a last row counts the lines of others.",
    columns: &[
        column("lines", Kind::Int64, "Lines of this shape"),
        column("shape", Kind::Utf8, "The line without stamp and host; addresses, IPs, ids and numbers masked"),
        nullable("example", Kind::Utf8, "The first such line"),
        nullable("source_file", Kind::Utf8, "The log it stands in"),
        nullable("source_offset", Kind::Int64, "Its offset in the unpacked log, bytes"),
    ],
};

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
