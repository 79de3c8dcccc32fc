//! What a reply costs: remembered, seen for the first time, and made into a template.
//!
//! The replies are those of a generated log, with the addresses, ids and hosts that make each one different.

mod common;

use std::sync::Arc;

use bouncestat_classification::{Classifier, Memo, template};
use bouncestat_ingest::clock::{Clock, Zone};
use bouncestat_ingest::event::{Fields, Key, Kind};
use bouncestat_ingest::input::lines;
use bouncestat_ingest::mta::{FileFacts, LineReader};
use bouncestat_record::{Action, Mta, Reply};
use chrono::NaiveDate;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// What a refused attempt says.
struct Refusal {
    text: Vec<u8>,
    relay_host: String,
    domain: String,
    action: Action,
}

impl Refusal {
    fn reply(&self) -> Reply<'_> {
        Reply {
            text: &self.text,
            relay_host: Some(&self.relay_host),
            recipient_domain: Some(&self.domain),
            action: Some(self.action),
            mta: Some(Mta::Postfix),
            ..Reply::default()
        }
    }
}

fn refusals() -> Vec<Refusal> {
    let log = std::fs::read(common::postfix_log()).expect("the log was just made");
    let clock = Clock::new(Zone::UTC, NaiveDate::from_ymd_opt(2026, 11, 1).expect("a date"));
    let mut reader =
        LineReader::new(Mta::Postfix, FileFacts { folder: Arc::from("bench"), clock, head: Arc::from(&log[..4096]) });
    let mut events: Vec<(Key<'_>, Fields<'_>)> = Vec::new();
    for (_, line) in lines(&log) {
        reader.line(line, &mut events);
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let refusal = |fields: Fields<'_>| {
        let action = match fields.kind {
            Kind::Bounced => Action::Bounced,
            Kind::Deferred => Action::Deferred,
            _ => return None,
        };
        let domain = fields.recipient.rsplit(|b| *b == b'@').next().unwrap_or_default();
        Some(Refusal { relay_host: text(&fields.relay_host), domain: text(domain), text: fields.text.into_owned(), action })
    };
    events.into_iter().filter_map(|(_, fields)| refusal(fields)).collect()
}

/// Every reply of the log, with a memo that has seen them all.
#[divan::bench]
fn memo_hit(bencher: Bencher<'_, '_>) {
    let (rules, replies, mut memo) = (Classifier::builtin(), refusals(), Memo::new());
    for refusal in &replies {
        memo.classify(rules, &refusal.reply());
    }
    let before = memo.stats();
    bencher.counter(ItemsCount::new(replies.len())).bench_local(|| {
        for refusal in &replies {
            black_box(memo.classify(rules, &refusal.reply()));
        }
    });
    assert_eq!(memo.stats().1, before.1, "a reply was not remembered");
}

/// Every reply of the log, nothing remembered.
#[divan::bench]
fn memo_miss(bencher: Bencher<'_, '_>) {
    let (rules, replies) = (Classifier::builtin(), refusals());
    bencher.counter(ItemsCount::new(replies.len())).bench_local(|| {
        for refusal in &replies {
            black_box(rules.classify(&refusal.reply()));
        }
    });
}

#[divan::bench]
fn templates(bencher: Bencher<'_, '_>) {
    let replies = refusals();
    bencher.counter(ItemsCount::new(replies.len())).bench_local(|| {
        for refusal in &replies {
            black_box(template(&refusal.text));
        }
    });
}

#[divan::bench]
fn provider(bencher: Bencher<'_, '_>) {
    let (rules, replies) = (Classifier::builtin(), refusals());
    bencher.counter(ItemsCount::new(replies.len())).bench_local(|| {
        for refusal in &replies {
            black_box(rules.provider(Some(&refusal.relay_host), Some(&refusal.domain)));
        }
    });
}

/// Rules read and automata built: paid once a run.
#[divan::bench]
fn build_rules() -> Classifier {
    Classifier::with(bouncestat_classification::Options::default())
}
