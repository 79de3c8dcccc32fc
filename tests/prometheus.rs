//! `--format prometheus`: what the textfile collector takes, with labels that are bounded.

use std::collections::BTreeSet;

use crate::common::{Folder, report, run, sample, total};

/// Name, labels, value.
type Sample = (String, Vec<(String, String)>, f64);

/// Reads the exposition format by its own rules.
#[track_caller]
fn samples(text: &str) -> Vec<Sample> {
    let (mut helped, mut typed, mut done) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut current = String::new();
    let mut all = Vec::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(helped.insert(rest.split_once(' ').expect(line).0.to_owned()), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect(line);
            assert!(kind == "gauge" && helped.contains(name) && typed.insert(name.to_owned()), "{line}");
            done.insert(std::mem::replace(&mut current, name.to_owned()));
        } else {
            let (head, value) = line.rsplit_once(' ').expect(line);
            let (name, labels) =
                head.split_once('{').map_or((head, ""), |(name, rest)| (name, rest.strip_suffix('}').expect(line)));
            assert!(name == current && !done.contains(name), "{line} is not together with its kind");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
            all.push((name.to_owned(), pairs(labels), value.parse().expect(line)));
        }
    }
    let distinct: BTreeSet<_> = all.iter().map(|(name, labels, _)| format!("{name}{labels:?}")).collect();
    assert_eq!(distinct.len(), all.len(), "a sample stands twice");
    all
}

fn pairs(mut text: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"").expect(text);
        let (mut value, mut escaped, mut end) = (String::new(), false, None);
        for (at, c) in rest.char_indices() {
            match (escaped, c) {
                (false, '\\') => escaped = true,
                (false, '"') => {
                    end = Some(at);
                    break;
                }
                _ => {
                    assert!(!escaped || ['\\', '"', 'n'].contains(&c), "{text}");
                    escaped = false;
                    value.push(c);
                }
            }
        }
        all.push((name.to_owned(), value));
        let rest = &rest[end.expect("a closing mark") + 1..];
        text = rest.strip_prefix(',').unwrap_or(rest);
    }
    all
}

#[test]
fn it_holds_the_numbers_of_the_report() {
    let logs = sample("mixed/all-three");
    let ran = run(&["--tz", "UTC", "--format", "prometheus", &logs]).exits(0);
    let samples = samples(ran.text());
    let report = report(&[&logs]);
    let sum = |name: &str, part: &str| -> f64 {
        samples.iter().filter(|(n, labels, _)| n == name && labels.iter().any(|(_, v)| v == part)).map(|(.., value)| value).sum()
    };
    for outcome in ["delivered", "bounced", "expired", "deferred"] {
        for family in ["bouncestat_deliveries", "bouncestat_provider_deliveries", "bouncestat_server_deliveries"] {
            assert_eq!(sum(family, outcome), total(&report, outcome) as f64, "{family} {outcome}");
        }
    }
    let failed: f64 = samples.iter().filter(|(n, ..)| n == "bouncestat_reason_failures").map(|(.., value)| value).sum();
    assert_eq!(failed as u64, total(&report, "hard") + total(&report, "soft"));
}

#[test]
fn labels_are_bounded() {
    let ran = run(&["--tz", "UTC", "--format", "prometheus", &sample("postfix/lab-long")]).exits(0);
    let known = [
        "version",
        "rules",
        "schema",
        "state",
        "kind",
        "outcome",
        "class",
        "quantile",
        "provider",
        "server",
        "reason",
        "disposition",
    ];
    for (_, labels, _) in samples(ran.text()) {
        assert!(labels.iter().all(|(name, value)| known.contains(&name.as_str()) && !value.contains("hard.test")), "{labels:?}");
    }
}

#[test]
fn a_file_appears_whole_and_an_empty_window_is_zeros() {
    let folder = Folder::new();
    let path = folder.path("bouncestat.prom");
    run(&["--tz", "UTC", "--since", "2030-01-01", "-o", &path, &sample("postfix/sink")]).exits(0);
    let samples = samples(&std::fs::read_to_string(&path).unwrap());
    assert!(samples.iter().any(|(name, labels, value)| name == "bouncestat_deliveries" && !labels.is_empty() && *value == 0.0));
    assert_eq!(std::fs::read_dir(folder.path("")).unwrap().count(), 1);
}
