//! Checks rules: the crate's own (as a test) and the user's (`bouncestat rules lint FILE`).
//!
//! Every example is won by its own rule, no `not` example is, ids are unique, reasons, codes, providers and lists known,
//! expressions bounded, no rule unreachable.
//!
//! `my.toml: rule `x`: example is won by `recipient.unknown`: 550 No such user`

use bouncestat_record::{EnhancedCode, Level, Reply};

use crate::classifier::Classifier;
use crate::engine::LazyRegex;
use crate::pattern::Pattern;
use crate::rule::{CodeMatch, Rule};

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
        Err(error) => {
            let rule = error.place.split('`').nth(1).unwrap_or_default().to_owned();
            vec![LintFinding { rule, message: error.message }]
        }
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
    /// Checks the user's own rules.
    pub fn check_own_rules(&self) -> Vec<LintFinding> {
        self.user.iter().flat_map(|rule| check(self, rule)).collect()
    }

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
        if let Err(error) = LazyRegex::build(regex) {
            findings.push(finding(format!("regex: {error}")));
        }
        if rule.patterns.is_empty() {
            findings.push(finding("regex without `match`: it runs on every reply; give a text that must stand in it".into()));
        }
    }
    for pattern in rule.patterns.iter().chain(&rule.also).chain(&rule.unless) {
        if let Err(error) = Pattern::parse_all(pattern) {
            findings.push(finding(format!("pattern `{pattern}`: {error}")));
        }
    }
    if let Some(winners) = unreachable(classifier, rule) {
        findings.push(finding(format!("unreachable: whatever it matches is won by {winners}")));
    }
    if rule.source.is_empty() && !rule.user {
        findings.push(finding("names no source".into()));
    }
    findings
}

/// The rules that win everything that a rule matches: each of its examples, and each of its patterns taken as a text.
fn unreachable(classifier: &Classifier, rule: &Rule) -> Option<String> {
    let (code, enhanced) = match rule.codes.first() {
        Some(CodeMatch::Absent) => (None, None),
        Some(CodeMatch::Basic(code)) => (Some(*code), None),
        Some(CodeMatch::Class(class)) => (Some(u16::from(*class) * 100 + 50), None),
        Some(CodeMatch::Enhanced { class, subject, from, .. }) => {
            let class = class.unwrap_or(5);
            (Some(u16::from(class) * 100 + 50), Some(EnhancedCode { class, subject: *subject, detail: *from }))
        }
        None => (Some(550), None),
    };
    let sample = |text: &String| Pattern::parse_all(text).unwrap_or_default().first().map(Pattern::sample);
    let also = rule.also.first().and_then(sample).unwrap_or_default();
    let mut texts: Vec<String> = rule.examples.clone();
    if rule.regex.is_none() {
        for pattern in rule.patterns.iter().flat_map(|text| Pattern::parse_all(text).unwrap_or_default()) {
            let codes = [code.map(|c| c.to_string()), enhanced.map(|c| c.to_string())];
            let words: Vec<String> = codes.into_iter().flatten().chain([pattern.sample(), also.clone()]).collect();
            texts.push(words.join(" "));
        }
    }
    let mut winners: Vec<String> = Vec::new();
    for text in &texts {
        let reply = Reply { stage: rule.stages.first().copied(), ..example_reply(classifier, rule, text) };
        let verdict = classifier.classify(&reply);
        // What a code wins, the rule does not match, or means to leave to it.
        if verdict.rule_id == rule.id || !matches!(verdict.level, Level::Provider | Level::Text) {
            return None;
        }
        let winner = format!("`{}`", verdict.rule_id);
        if !winners.contains(&winner) {
            winners.push(winner);
        }
    }
    (!winners.is_empty()).then(|| winners.join(", "))
}

/// An example as a reply of the rule's provider.
pub(crate) fn example_reply<'a>(classifier: &'a Classifier, rule: &Rule, example: &'a str) -> Reply<'a> {
    let host = rule.providers.first().filter(|_| !rule.anywhere).and_then(|p| classifier.sample_host(p));
    Reply { text: example.as_bytes(), relay_host: host, ..Reply::default() }
}
