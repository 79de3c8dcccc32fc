//! Who refuses us, what only looks like it, and whom to stop mailing.

use super::{Kind, TableSpec, column, nullable};

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
