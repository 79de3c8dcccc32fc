//! A row an attempt: the columns of the contract.

use super::{Kind, TableSpec, column, nullable};

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
