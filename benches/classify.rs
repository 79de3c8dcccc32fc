//! What a reply costs: remembered, seen for the first time, and made into a template.
//!
//! The replies are those of a generated log, with the addresses, ids and hosts that make each one different. Beside them stand
//! anchors: the same patterns given to `regex`.

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

/// The anchors: the same patterns for `regex`, on replies that are already isolated and masked. They only find what matches; codes,
/// providers, conditions, ranks and the verdict are not their work.
mod anchor {
    use super::*;
    use bouncestat_classification::{isolate::isolate, text};
    use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

    /// A rule's pattern as a regular expression: `..` any gap, `*` the rest of a word.
    fn expression(pattern: &str) -> String {
        let mut out = String::from(r"(?-u)(?:^|\b)");
        let mut rest = pattern.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '(' | ')' | '|' => {
                    out.push(c);
                    if c == '(' {
                        out.push_str("?:");
                    }
                }
                '*' => out.push_str("[0-9a-z]*"),
                '.' if rest.peek() == Some(&'.') => {
                    rest.next();
                    while out.ends_with(' ') {
                        out.pop();
                    }
                    rest.next_if_eq(&' ');
                    out.push_str(".*");
                }
                '\\' => out.push_str(&regex::escape(&rest.next().map(String::from).unwrap_or_default())),
                c => out.push_str(&regex::escape(&c.to_string())),
            }
        }
        out
    }

    /// The patterns of every rule, in the order of the files.
    fn expressions() -> Vec<String> {
        let patterns = Classifier::builtin().rules().flat_map(|rule| &rule.patterns);
        patterns.map(|pattern| expression(pattern)).collect()
    }

    /// The examples of all rules: as many wordings as there are, each once.
    fn replies() -> Vec<&'static [u8]> {
        Classifier::builtin().rules().flat_map(|rule| &rule.examples).map(|example| example.as_bytes()).collect()
    }

    fn masked() -> Vec<Vec<u8>> {
        let mask = |reply: &[u8]| {
            let mut out = Vec::new();
            text::mask(isolate(reply).text, &mut out);
            out
        };
        replies().into_iter().map(mask).collect()
    }

    /// Whole verdicts, nothing remembered.
    #[divan::bench(sample_count = 10)]
    fn bouncestat(bencher: Bencher<'_, '_>) {
        let (rules, replies) = (Classifier::builtin(), replies());
        bencher.counter(ItemsCount::new(replies.len())).bench_local(|| {
            for text in &replies {
                black_box(rules.classify(&Reply { text, ..Reply::default() }));
            }
        });
    }

    /// One `RegexSet` over all patterns. It builds its automaton as it reads: the slowest sample is the first.
    #[divan::bench(sample_count = 3)]
    fn regex_set(bencher: Bencher<'_, '_>) {
        // Only the limit that keeps so many patterns from being built is raised.
        let set: RegexSet = RegexSetBuilder::new(expressions()).size_limit(1 << 28).build().expect("patterns are plain");
        let replies = masked();
        assert!(replies.iter().filter(|reply| set.is_match(reply)).count() * 2 > replies.len(), "patterns that match nothing");
        bencher.counter(ItemsCount::new(replies.len())).bench_local(|| {
            for reply in &replies {
                black_box(set.matches(reply));
            }
        });
    }

    /// One expression after the other, until one matches: how such classifiers are mostly written.
    #[divan::bench(sample_count = 10)]
    fn regex_list(bencher: Bencher<'_, '_>) {
        let build = |e: String| RegexBuilder::new(&e).build().expect("patterns are plain");
        let list: Vec<Regex> = expressions().into_iter().map(build).collect();
        let replies = masked();
        bencher.counter(ItemsCount::new(replies.len())).bench_local(|| {
            for reply in &replies {
                black_box(list.iter().position(|expression| expression.is_match(reply)));
            }
        });
    }
}

/// Rules made ready: paid once a run.
#[divan::bench]
fn build_rules() -> Classifier {
    Classifier::with(bouncestat_classification::Options::default())
}
