//! The tables of `bouncestat rejects`: what our own servers refused.

use super::{Column, Kind, TableSpec, column, nullable};

/// The columns of a row of rejects.
#[rustfmt::skip]
pub const REJECT_ROW: [Column; 7] = [
    column("rejects", Kind::Int64, "Refusals: one each command, message or connection that our server did not take"),
    column("temporary", Kind::Int64, "Those with a 4xx reply: the client may try again"),
    column("clients", Kind::Int64, "Different client IPs among them"),
    column("networks", Kind::Int64, "Different client networks among them: /24 of IPv4, /64 of IPv6"),
    column("recipient_domains", Kind::Int64, "Different recipient domains among them; rejects before RCPT have none"),
    nullable("first_event", Kind::Timestamp, "The oldest, UTC"),
    nullable("last_event", Kind::Timestamp, "The newest, UTC"),
];

/// Columns around a row of rejects.
const fn around<const K: usize, const L: usize, const N: usize>(keys: [Column; K], more: [Column; L]) -> [Column; N] {
    assert!(K + REJECT_ROW.len() + L == N);
    let mut all = [REJECT_ROW[0]; N];
    let mut i = 0;
    while i < N {
        all[i] = if i < K {
            keys[i]
        } else if i < K + REJECT_ROW.len() {
            REJECT_ROW[i - K]
        } else {
            more[i - K - REJECT_ROW.len()]
        };
        i += 1;
    }
    all
}

/// Why most of a row's rejects happened.
const REASON: Column = column("reason", Kind::Utf8, "The most frequent reason");
/// How rejects of one kind read, and where.
#[rustfmt::skip]
const EXAMPLE: [Column; 4] = [
    nullable("template", Kind::Utf8, "The most frequent reply, addresses, IPs and ids masked"),
    nullable("example", Kind::Utf8, "The oldest reply, as logged"),
    nullable("source_file", Kind::Utf8, "The log in which the oldest stands"),
    nullable("source_offset", Kind::Int64, "Offset of its line in the unpacked log, bytes"),
];

#[rustfmt::skip]
static HOST_COLUMNS: [Column; 10] = around([
    column("log_host", Kind::Utf8, "The host that refused"),
    column("mta", Kind::Utf8, "Its server: postfix, exim or exchange"),
], [REASON]);
#[rustfmt::skip]
static REASON_COLUMNS: [Column; 13] = around([
    column("reason", Kind::Utf8, "Why they were refused"),
    nullable("stage", Kind::Utf8, "Where in the session: connect, helo, mail, rcpt, data, end_of_data"),
], EXAMPLE);
#[rustfmt::skip]
static LIST_COLUMNS: [Column; 13] = around([
    column("blocklist", Kind::Utf8, "The blocklist that our reply names"),
    column("state", Kind::Utf8, "listed, policy, greylist, dead_list or resolver_error: a dead list or a resolver error refuses mail that is not listed"),
], EXAMPLE);
#[rustfmt::skip]
static NETWORK_COLUMNS: [Column; 10] = around([
    column("network", Kind::Utf8, "The client's network: /24 of IPv4, /64 of IPv6; (local) for mail from the host itself"),
    nullable("client", Kind::Utf8, "The client with the most rejects: its name in DNS, or its IP"),
], [REASON]);
#[rustfmt::skip]
static DOMAIN_COLUMNS: [Column; 9] = around(
    [column("recipient_domain", Kind::Utf8, "The recipients' domain; (none) for rejects before RCPT")],
    [REASON],
);

/// The whole window: one row.
pub static REJECT_TOTALS: TableSpec =
    TableSpec { name: "reject_totals", meaning: "One row: every refusal in the window.", columns: &REJECT_ROW };

/// A row a host of ours.
pub static REJECT_HOSTS: TableSpec = TableSpec {
    name: "reject_hosts",
    meaning: "One row a host that refused; by rejects, falling, then host and server.",
    columns: &HOST_COLUMNS,
};

/// A row a reason and stage.
pub static REJECT_REASONS: TableSpec = TableSpec {
    name: "reject_reasons",
    meaning: "One row a (reason, stage); by rejects, falling, then these.",
    columns: &REASON_COLUMNS,
};

/// A row a blocklist.
pub static REJECT_BLOCKLISTS: TableSpec = TableSpec {
    name: "reject_blocklists",
    meaning: "One row a (blocklist, state) that our replies name; by rejects, falling, then these.",
    columns: &LIST_COLUMNS,
};

/// A row a client network.
pub static REJECT_NETWORKS: TableSpec = TableSpec {
    name: "reject_networks",
    meaning: "One row a network of clients; by rejects, falling, then the network.",
    columns: &NETWORK_COLUMNS,
};

/// A row a recipient domain.
pub static REJECT_DOMAINS: TableSpec = TableSpec {
    name: "reject_domains",
    meaning: "One row a recipient domain; by rejects, falling, then the domain.",
    columns: &DOMAIN_COLUMNS,
};

/// Every table of rejects, in the order of the outputs.
pub static REJECT_TABLES: &[&TableSpec] =
    &[&REJECT_TOTALS, &REJECT_HOSTS, &REJECT_REASONS, &REJECT_BLOCKLISTS, &REJECT_NETWORKS, &REJECT_DOMAINS];
