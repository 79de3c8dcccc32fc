//! Checks rules: the crate's own (as a test) and the user's (`bouncestat rules lint FILE`).
//!
//! Every example is won by its own rule, no `not` example is, ids are unique, reasons, codes, providers and lists known,
//! expressions bounded, no rule unreachable.
//!
//! `my.toml: rule `x`: example is won by `recipient.unknown`: 550 No such user`

use bouncestat_record::Reply;

use crate::classifier::Classifier;
use crate::rule::Rule;

/// One fault that a lint found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintFinding {
    /// The rule; empty where the whole file is meant.
    pub rule: String,
    /// What is wrong.
    pub message: String,
}

/// Lints a user's rule file as it would be used: in front of the crate's own rules.
pub fn lint(toml_text: &str, file_name: &str) -> Vec<LintFinding> {
    match Classifier::with_user_rules(toml_text, file_name) {
        Err(error) => vec![LintFinding { rule: String::new(), message: error.to_string() }],
        Ok(classifier) => {
            let mut findings: Vec<LintFinding> =
                classifier.rules().filter(|r| r.user).flat_map(|r| check(&classifier, r)).collect();
            // A user's rule that takes over an example of the crate's own rules is allowed, but worth knowing where it is wide.
            let taken = classifier.rules().filter(|r| !r.user).flat_map(|r| r.examples.iter().map(move |e| (r, e)));
            let mut shadows: Vec<(String, usize)> = Vec::new();
            for (own, example) in taken {
                let winner = classifier.classify(&example_reply(&classifier, own, example)).rule_id;
                if classifier.rules().take_while(|r| r.user).any(|r| r.id == winner) {
                    match shadows.iter_mut().find(|(id, _)| **id == *winner) {
                        Some((_, n)) => *n += 1,
                        None => shadows.push((winner.to_string(), 1)),
                    }
                }
            }
            findings.extend(shadows.into_iter().filter(|(_, n)| *n > 20).map(|(rule, n)| LintFinding {
                rule,
                message: format!("very wide: it takes over {n} examples of the built-in rules"),
            }));
            findings
        }
    }
}

impl Classifier {
    /// Checks every rule of this classifier, the crate's own included.
    pub fn check_rules(&self) -> Vec<LintFinding> {
        self.rules().flat_map(|rule| check(self, rule)).collect()
    }
}

/// Checks one rule of `classifier`.
pub(crate) fn check(classifier: &Classifier, rule: &Rule) -> Vec<LintFinding> {
    let finding = |message: String| LintFinding { rule: rule.id.to_string(), message };
    let mut findings = Vec::new();
    if rule.examples.is_empty() {
        findings.push(finding("has no example: nothing proves that it can win".into()));
    }
    for example in &rule.examples {
        let winner = classifier.classify(&example_reply(classifier, rule, example)).rule_id;
        if winner != rule.id {
            findings.push(finding(format!("example is won by `{winner}`: {example}")));
        }
    }
    for not in &rule.not {
        if classifier.classify(&example_reply(classifier, rule, not)).rule_id == rule.id {
            findings.push(finding(format!("wins what it should not: {not}")));
        }
    }
    if let Some(regex) = &rule.regex {
        if let Err(error) = crate::rule::LazyRegex::build(regex.source()) {
            findings.push(finding(format!("regex: {error}")));
        }
        if rule.patterns.is_empty() {
            findings.push(finding("regex without `match`: it runs on every reply; give a text that must stand in it".into()));
        }
    }
    for pattern in rule.patterns.iter().chain(&rule.also).chain(&rule.unless) {
        if let Err(error) = crate::pattern::Pattern::parse_all(pattern) {
            findings.push(finding(format!("pattern `{pattern}`: {error}")));
        }
    }
    if rule.source.is_empty() && !rule.user {
        findings.push(finding("names no source".into()));
    }
    findings
}

/// An example as a reply of the rule's provider.
pub(crate) fn example_reply<'a>(classifier: &'a Classifier, rule: &Rule, example: &'a str) -> Reply<'a> {
    let host = rule.providers.first().filter(|_| !rule.anywhere).and_then(|p| classifier.sample_host(p));
    Reply { text: example.as_bytes(), relay_host: host, ..Reply::default() }
}
