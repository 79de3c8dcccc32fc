//! The table `suppress` in the forms in which other programs import such lists: `bouncestat suppress --for NAME`.
//!
//! Only forms that their makers document. An address is as in the table; what a form cannot hold is counted and never mangled. The
//! receiver's words go nowhere but into Mailgun's `error`: they are the receiver's, and a map's values are commands.

use std::io::Write;

use bouncestat_aggregation::{Frame, Value};
use serde_json::json;

use crate::Result;
use crate::text::{count, printable, rfc2822, rfc3339};

/// A form.
pub struct List {
    /// The name after `--for`.
    pub name: &'static str,
    /// What it is, with the page that documents it.
    pub meaning: &'static str,
    /// What to know when it is imported.
    pub note: Option<&'static str>,
    /// Whether whole domains have a form of their own.
    pub domains: bool,
    safe: fn(&str) -> bool,
    write: fn(&Frame, &[usize], &mut dyn Write) -> Result<()>,
}

/// What a form has no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Whole domains.
    pub domains: usize,
    /// Entries with characters that it cannot hold.
    pub unsafe_entries: usize,
}

/// Every form.
pub static LISTS: &[List] = &[
    List {
        name: "plain",
        meaning: "one address a line",
        note: None,
        domains: false,
        safe: one_line,
        write: |frame, rows, out| each(frame, rows, out, |entry, _| entry.to_owned()),
    },
    List {
        name: "postfix-access",
        meaning: "a map for check_recipient_access: https://www.postfix.org/access.5.html",
        note: Some("then: postmap FILE, and check_recipient_access hash:FILE in smtpd_recipient_restrictions"),
        domains: true,
        safe: map_key,
        write: |frame, rows, out| each(frame, rows, out, |entry, row| format!("{entry}\t550 {}", words(frame, row))),
    },
    List {
        name: "postfix-transport",
        meaning: "a map for transport_maps: https://www.postfix.org/transport.5.html",
        note: Some("then: postmap FILE, and hash:FILE first in transport_maps"),
        domains: true,
        safe: map_key,
        write: |frame, rows, out| each(frame, rows, out, |entry, row| format!("{entry}\terror:{}", words(frame, row))),
    },
    List {
        name: "exim",
        meaning: "a file for an address list: https://www.exim.org/exim-html-current/doc/html/spec_html/ch-domain_host_address_and_local_part_lists.html",
        note: None,
        domains: true,
        safe: list_item,
        write: |frame, rows, out| {
            each(frame, rows, out, |entry, _| if entry.contains('@') { entry.to_owned() } else { format!("*@{entry}") })
        },
    },
    List {
        name: "mailchimp",
        meaning: "CSV with the column Email Address",
        note: Some("import it as cleaned or unsubscribed contacts, never as subscribed ones"),
        domains: false,
        safe: one_line,
        write: |frame, rows, out| csv(frame, rows, out, &["Email Address"], |entry, _| vec![entry.to_owned()]),
    },
    List {
        name: "mailgun",
        meaning: "CSV for the import of bounces: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/bounces",
        note: None,
        domains: false,
        safe: one_line,
        write: |frame, rows, out| {
            csv(frame, rows, out, &["address", "code", "error", "created_at"], |entry, row| {
                let code = match frame.named(row, "smtp_code") {
                    Value::Int64(code) => code,
                    _ => 550,
                };
                let error = printable(text(frame, row, "reply_text")).into_owned();
                vec![entry.to_owned(), code.to_string(), error, rfc2822(time(frame, row, "last_failed"))]
            })
        },
    },
    List {
        name: "ses",
        meaning: "CSV for an import job of Amazon SES: https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html",
        note: Some("an import job of Amazon SES takes 100,000 lines at most"),
        domains: false,
        safe: one_line,
        write: |frame, rows, out| csv(frame, rows, out, &[], |entry, _| vec![entry.to_owned(), "BOUNCE".to_owned()]),
    },
    List {
        name: "sendgrid",
        meaning: "JSON for POST /v3/asm/suppressions/global of SendGrid",
        note: None,
        domains: false,
        safe: one_line,
        write: |frame, rows, out| {
            let all: Vec<&str> = rows.iter().map(|&row| text(frame, row, "entry")).collect();
            Ok(writeln!(out, "{:#}", json!({"recipient_emails": all}))?)
        },
    },
    List {
        name: "postmark",
        meaning: "JSON for POST /message-streams/ID/suppressions: https://postmarkapp.com/developer/api/suppressions-api; a line a call",
        note: Some("each line is the body of one call: Postmark takes 50 addresses a call"),
        domains: false,
        safe: one_line,
        write: |frame, rows, out| {
            for rows in rows.chunks(50) {
                let all: Vec<_> = rows.iter().map(|&row| json!({"EmailAddress": text(frame, row, "entry")})).collect();
                writeln!(out, "{}", json!({"Suppressions": all}))?;
            }
            Ok(())
        },
    },
];

/// The form of this name.
pub fn by_name(name: &str) -> Option<&'static List> {
    LISTS.iter().find(|list| list.name == name)
}

impl List {
    /// Writes the rows of the table `suppress`; says what was left out.
    pub fn write(&self, frame: &Frame, out: &mut dyn Write) -> Result<LeftOut> {
        let mut left_out = LeftOut::default();
        let mut rows = Vec::with_capacity(frame.len());
        for row in 0..frame.len() {
            if !self.domains && text(frame, row, "kind") == "domain" {
                left_out.domains += 1;
            } else if !(self.safe)(text(frame, row, "entry")) {
                left_out.unsafe_entries += 1;
            } else {
                rows.push(row);
            }
        }
        (self.write)(frame, &rows, out)?;
        Ok(left_out)
    }
}

fn each(frame: &Frame, rows: &[usize], out: &mut dyn Write, line: impl Fn(&str, usize) -> String) -> Result<()> {
    rows.iter().try_for_each(|&row| Ok(writeln!(out, "{}", line(text(frame, row, "entry"), row))?))
}

fn csv(
    frame: &Frame,
    rows: &[usize],
    out: &mut dyn Write,
    header: &[&str],
    fields: impl Fn(&str, usize) -> Vec<String>,
) -> Result<()> {
    let mut out = ::csv::WriterBuilder::new().from_writer(out);
    if !header.is_empty() {
        out.write_record(header)?;
    }
    for &row in rows {
        out.write_record(fields(text(frame, row, "entry"), row))?;
    }
    out.flush()?;
    Ok(())
}

/// Code and words for a map of Postfix: `5.1.1 suppressed: user_unknown, 3 failures, the last 2026-11-20`.
fn words(frame: &Frame, row: usize) -> String {
    let failures = match frame.named(row, "failures") {
        Value::Int64(n) => n,
        _ => 0,
    };
    let code = if text(frame, row, "kind") == "domain" { "5.1.2" } else { "5.1.1" };
    let day = rfc3339(time(frame, row, "last_failed"));
    let day = day.split('T').next().unwrap_or_default();
    let plural = if failures == 1 { "" } else { "s" };
    format!("{code} suppressed: {}, {} failure{plural}, the last {day}", text(frame, row, "reason"), count(failures))
}

fn text<'f>(frame: &'f Frame, row: usize, column: &str) -> &'f str {
    match frame.named(row, column) {
        Value::Utf8(text) => text,
        _ => "",
    }
}

fn time(frame: &Frame, row: usize, column: &str) -> i64 {
    match frame.named(row, column) {
        Value::Timestamp(at) => at,
        _ => 0,
    }
}

fn one_line(entry: &str) -> bool {
    !entry.contains(char::is_control)
}

/// A key of a Postfix map ends at a space; a line that begins with `#` is a comment.
fn map_key(entry: &str) -> bool {
    !entry.starts_with('#') && !entry.contains(|c: char| c.is_control() || c.is_whitespace() || c == '"')
}

/// An item of an Exim list that means nothing but itself: no pattern, negation, lookup or expansion.
fn list_item(entry: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-=%/@".contains(c);
    entry.chars().all(plain) && entry.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}
