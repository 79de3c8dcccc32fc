//! One self-contained page: to be read in a browser, mailed and printed.
//!
//! It loads nothing. Its Content-Security-Policy allows the one script and the one style that it holds, by their hashes, and nothing
//! else; without script every table is there, in the report's order, and only sorting and filtering are missing. The template
//! library (maud) escapes every text, and what could turn the direction of writing or drive a terminal is U+FFFD (`text::printable`).
//!
//! What this is not: it computes no rate; the numbers are those of the tables. It is not for millions of rows: each table is cut,
//! says so, and names the place of the rest.

mod charts;
mod coverage;
mod reasons;
mod summary;
mod tables;

use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bouncestat_aggregation::{Frame, Meta, Report};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::{AttemptSink, Clock, Format, Options, Result, view};

/// `--format html`.
pub(crate) struct Html;

/// Rows of a table where nothing is said.
const TOP: usize = 200;
/// Rows of a table at most, whatever is asked for: a browser can still open and sort them (with 100,000 it could not).
const MOST: usize = 5_000;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

impl Format for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["html", "htm"]
    }

    fn report(&self, report: &Report, options: &Options<'_>, out: &mut (dyn Write + Send)) -> Result<()> {
        let page = Page { report, options, clock: view::clock(options), top: options.top.unwrap_or(TOP).min(MOST) };
        if report.table("reject_totals").is_some() {
            return page.rejects(out);
        }
        let title = format!("Bounces, {}", view::window(&report.meta, page.clock));
        let body = html! {
            header {
                a.skip href="#summary" { "Skip to the summary" }
                (summary::head(&page))
                (tables::contents(&page))
            }
            main {
                (coverage::notes(&page))
                (summary::todo(&page))
                (summary::totals(&page))
                (charts::timeline(&page)?)
                (charts::rates(&page)?)
                (tables::section(&page, "domains"))
                (tables::section(&page, "providers"))
                (charts::heat(&page)?)
                (reasons::section(&page))
                (tables::section(&page, "suspects"))
                (tables::section(&page, "sources"))
                (tables::section(&page, "sender_domains"))
                (charts::delays(&page)?)
                (tables::section(&page, "unknown_replies"))
                (coverage::section(&page))
            }
            (coverage::footer(&page))
        };
        Ok(out.write_all(document(&title, &body).as_bytes())?)
    }

    fn attempts<'w>(&self, out: Box<dyn Write + Send + 'w>, options: &Options<'w>) -> Result<Box<dyn AttemptSink + 'w>> {
        Ok(Box::new(Attempts { out, clock: view::clock(options), rows: String::new(), shown: 0, all: 0 }))
    }
}

/// What the parts of the page are made of.
struct Page<'a> {
    report: &'a Report,
    options: &'a Options<'a>,
    clock: Clock<'a>,
    /// Rows of a table at most.
    top: usize,
}

impl<'a> Page<'a> {
    fn frame(&self, table: &str) -> Option<&'a Frame> {
        self.report.table(table).map(|t| &t.frame)
    }

    /// The page of rejects: its tables, one after the other.
    fn rejects(&self, out: &mut (dyn Write + Send)) -> Result<()> {
        let title = format!("Rejects, {}", view::window_of(self.report, self.clock));
        let body = html! {
            header { h1 { (title) " (" (self.options.zone) ")" } p.sub { (view::coverage(self.report)) "." } }
            main {
                (coverage::notes(self))
                @for table in &self.report.tables { (tables::section(self, table.name)) }
            }
            (coverage::footer(self))
        };
        Ok(out.write_all(document(&title, &body).as_bytes())?)
    }
}

/// The whole document around a body.
fn document(title: &str, body: &Markup) -> String {
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
        source_hash(SCRIPT),
        source_hash(STYLE)
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { (title) }
                // Ours, and hashed as it stands: neither holds an end tag.
                style { (PreEscaped(STYLE)) }
            }
            body {
                (body)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string() + "\n"
}

/// A hash as the policy takes it, <https://www.w3.org/TR/CSP3/#grammardef-hash-source>.
fn source_hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// Attempts on a page; the first ones, where there are many.
struct Attempts<'w> {
    out: Box<dyn Write + Send + 'w>,
    clock: Clock<'w>,
    rows: String,
    shown: usize,
    all: usize,
}

impl AttemptSink for Attempts<'_> {
    fn write(&mut self, batch: &Frame) -> Result<()> {
        let room = (MOST - self.shown).min(batch.len());
        for row in 0..room {
            self.rows.push_str(&tables::row(view::ATTEMPT, &view::Row::new(batch, row, self.clock), None, None).into_string());
        }
        self.shown += room;
        self.all += batch.len();
        Ok(())
    }

    fn finish(mut self: Box<Self>, meta: &Meta) -> Result<()> {
        let count = |n: usize| crate::text::count(i64::try_from(n).unwrap_or(i64::MAX));
        let title = format!("Attempts, {}", view::window(meta, self.clock));
        let cut = self.shown < self.all;
        let body = html! {
            header { h1 { (title) } p.sub { (view::coverage_of_attempts(meta)) "." } }
            main {
                div.rows tabindex="0" role="region" aria-label="Attempts" {
                    table #attempts data-sort="attempts" {
                        caption { span {
                            @if cut { "The first " (count(self.shown)) " of " (count(self.all)) " attempts. --format csv writes all of them." }
                            @else { (count(self.all)) " attempts." }
                        } }
                        (tables::head(view::ATTEMPT))
                        tbody { (PreEscaped(&self.rows)) }
                    }
                }
            }
        };
        self.out.write_all(document(&title, &body).as_bytes())?;
        Ok(self.out.flush()?)
    }
}
