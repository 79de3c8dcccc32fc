//! Explains a verdict: what the codes mean by registry, which words decided, what came second, and what to do with the
//! parameters of the text filled in.
//!
//! Slower than classifying, and never on the hot path. It adds nothing to the verdict: the two always agree.
//!
//! `explain_code("5.7.26")` gives the registry's words, our reason, and what else a provider means by it.

use std::sync::Arc;

use bouncestat_record::{BlocklistState, Class, Disposition, EnhancedCode, Reason, Reply, Verdict};

use crate::classifier::Classifier;
use crate::codes::Meaning;
use crate::decide;
use crate::engine::Found;
use crate::rule::CodeMatch;

/// A verdict with its grounds.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The verdict, as [`Classifier::classify`] gives it.
    pub verdict: Verdict,
    /// The words that decided, in the masked form of the reply.
    pub matched: Option<String>,
    /// The rule or code that came second.
    pub runner_up: Option<Arc<str>>,
    /// What to do, with the IP, list, URL and retry time of this reply.
    pub advice: String,
    /// Where to look up or ask for removal.
    pub delist_url: Option<String>,
    /// What the codes mean by registry, in words.
    pub meaning: Option<String>,
    /// What our reason means.
    pub reason_definition: &'static str,
    /// The masked reply, ready to become a rule.
    pub template: String,
}

/// What a code alone means.
#[derive(Clone, Debug)]
pub struct CodeExplanation {
    /// The code as it is written in outputs.
    pub code: String,
    /// The registry's or standard's entry.
    pub meaning: Option<Meaning>,
    /// The reason that the code alone gives.
    pub reason: Reason,
    /// The class that the code alone gives.
    pub class: Class,
    /// What to do.
    pub disposition: Disposition,
    /// What to do, in words.
    pub advice: String,
    /// What providers mean by it, where that differs: provider and reason.
    pub providers: Vec<(String, Reason)>,
}

/// Our words about a reason: (advice, definition).
pub fn reason_words(reason: Reason) -> (&'static str, &'static str) {
    let name = reason.as_str();
    include_str!("../data/reasons.tsv")
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('\t');
            (fields.next()? == name).then(|| (fields.next().unwrap_or(""), fields.next().unwrap_or("")))
        })
        .next()
        .unwrap_or(("Nothing to do.", "the reply is positive"))
}

impl Classifier {
    /// Classifies a reply and says why.
    pub fn explain(&self, reply: &Reply<'_>) -> Explanation {
        let mut masked = Vec::new();
        let prepared = self.prepare(reply, &mut masked);
        let decision = self.decide(&prepared, &masked, &mut Found::default());
        let verdict = self.verdict(&prepared, &decision);
        let text = String::from_utf8_lossy(prepared.isolated.text).into_owned();
        let own_advice = decision.index.and_then(|i| self.rules[i].advice.clone());
        let delist_url = self.delist_url(&verdict);
        let meaning = self.meaning(&verdict);
        let (general, reason_definition) = reason_words(verdict.reason);
        let mut advice = own_advice.unwrap_or_else(|| general.to_owned());
        if verdict.reason == Reason::Unknown {
            advice = "Unknown: no rule knows these words, and the code alone does not say why. Read the reply; to teach bouncestat, add a rule with these words to a rule file (--rules).".to_owned();
        }
        self.add_parameters(&mut advice, &verdict, &text, delist_url.as_deref());
        Explanation {
            matched: decision.span.map(|(from, to)| String::from_utf8_lossy(&masked[from..to]).into_owned()),
            runner_up: decision.runner_up,
            advice,
            delist_url,
            meaning,
            reason_definition,
            template: crate::template(reply.text),
            verdict,
        }
    }

    fn add_parameters(&self, advice: &mut String, verdict: &Verdict, text: &str, delist_url: Option<&str>) {
        let mut add = |sentence: String| {
            if !advice.is_empty() {
                advice.push(' ');
            }
            advice.push_str(&sentence);
        };
        if let Some(list) = verdict.blocklist.as_ref().and_then(|id| self.lists.get(id)) {
            let object = verdict.listed.as_deref().map_or_else(String::new, |l| format!(" ({l})"));
            match verdict.blocklist_state {
                Some(BlocklistState::DeadList) => add(format!(
                    "{} is shut down: the receiver asks a dead list and must mend that; nothing is listed.",
                    list.name
                )),
                Some(BlocklistState::ResolverError) => add(format!(
                    "This is no listing: {} refuses the receiver's DNS resolver; tell the receiver's postmaster.",
                    list.name
                )),
                Some(BlocklistState::Greylist) => add(format!("{}: a delay, no listing; retry.", list.name)),
                Some(BlocklistState::Policy) => add(format!(
                    "{}{object}: a policy list, no accusation. Removal: {}. {}",
                    list.name,
                    list.who,
                    sentence(&list.advice)
                )),
                _ => add(format!("{}{object}. Removal: {}. {}", list.name, list.who, sentence(&list.advice))),
            }
        } else if let Some(listed) = &verdict.listed {
            add(format!("Named in the reply: {listed}."));
        }
        if let Some(url) = delist_url {
            add(format!("See {url}"));
        } else if let Some(url) = first_url(text) {
            add(format!("The reply points to {url}"));
        }
        if let Some(wait) = retry_time(text) {
            add(format!("The server asks to wait {wait}."));
        }
        let trimmed = advice.trim_end().len();
        advice.truncate(trimmed);
    }

    fn delist_url(&self, verdict: &Verdict) -> Option<String> {
        if matches!(
            verdict.blocklist_state,
            Some(BlocklistState::DeadList | BlocklistState::ResolverError | BlocklistState::Greylist)
        ) {
            return None;
        }
        let list = self.lists.get(verdict.blocklist.as_ref()?)?;
        let url = list.url.as_str();
        if url.is_empty() {
            return None;
        }
        Some(match &verdict.listed {
            Some(object) if url.ends_with("?ip=") => format!("{url}{object}"),
            Some(object) if url == "https://check.spamhaus.org/" => format!("https://check.spamhaus.org/results/?query={object}"),
            _ => url.to_owned(),
        })
    }

    fn meaning(&self, verdict: &Verdict) -> Option<String> {
        let enhanced = verdict.enhanced_code.map(|code| match self.codes.enhanced_meaning(code) {
            Some(m) => format!("{code} {}: {}", m.title, m.description),
            None => format!("{code} is not registered"),
        });
        let basic = verdict.smtp_code.and_then(|code| self.codes.basic_meaning(code).map(|m| format!("{code} {}", m.title)));
        match (basic, enhanced) {
            (Some(basic), Some(enhanced)) => Some(format!("{basic}. {enhanced}")),
            (basic, enhanced) => basic.or(enhanced),
        }
    }

    /// Explains a code alone: `550`, `5.7.26`, or `X.7.26`. [`None`] where the text is no code.
    pub fn explain_code(&self, code: &str) -> Option<CodeExplanation> {
        let code = code.trim();
        if code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit()) {
            let number: u16 = code.parse().ok()?;
            let evidence = self.codes.basic(number);
            let reason = evidence.map_or(if number < 400 { Reason::None } else { Reason::Unknown }, |e| e.reason);
            let meaning = self.codes.basic_meaning(number).cloned();
            let class = decide::class(reason, Some((number / 100) as u8), None, decide::Options::default());
            return Some(self.code_explanation(code.to_owned(), meaning, reason, class, |c| {
                c.matches(Some(number), None, None) && matches!(c, CodeMatch::Basic(_))
            }));
        }
        let concrete = match code.strip_prefix(['X', 'x']) {
            Some(rest) => format!("5{rest}"),
            None => code.to_owned(),
        };
        let enhanced = EnhancedCode::parse(&concrete)?;
        let reason = match enhanced.class {
            2 => Reason::None,
            _ => self.codes.enhanced(enhanced).map_or(Reason::Unknown, |e| e.reason),
        };
        let class = decide::class(reason, Some(enhanced.class), None, decide::Options::default());
        let meaning = self.codes.enhanced_meaning(enhanced).cloned();
        Some(self.code_explanation(enhanced.to_string(), meaning, reason, class, |c| c.matches(None, Some(enhanced), None)))
    }

    fn code_explanation(
        &self,
        code: String,
        meaning: Option<Meaning>,
        reason: Reason,
        class: Class,
        about: impl Fn(CodeMatch) -> bool,
    ) -> CodeExplanation {
        let mut providers: Vec<(String, Reason)> = Vec::new();
        for rule in self.rules.iter().filter(|r| r.patterns.is_empty() && r.codes.iter().any(|c| about(*c))) {
            providers.extend(
                rule.providers.iter().map(|p| (p.clone(), rule.reason)).filter(|p| !providers.contains(p)).collect::<Vec<_>>(),
            );
        }
        let advice = match reason {
            Reason::Unknown => "The code alone does not say why: the text of the reply must tell.".to_owned(),
            reason => reason_words(reason).0.to_owned(),
        };
        CodeExplanation { code, meaning, reason, class, disposition: decide::disposition(reason, class), advice, providers }
    }

    /// Every registered enhanced code, as `X.Y.Z` with class X left open, and every known basic code.
    pub fn known_codes(&self) -> Vec<String> {
        let enhanced = self.codes.registered().into_iter().map(|(subject, detail)| format!("X.{subject}.{detail}"));
        self.codes.registered_basic().into_iter().map(|c| c.to_string()).chain(enhanced).collect()
    }

    /// The facts about a blocklist.
    pub fn blocklist(&self, id: &str) -> Option<&crate::Blocklist> {
        self.lists.get(id)
    }
}

fn sentence(text: &str) -> String {
    match text.chars().next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), text[first.len_utf8()..].trim_end_matches('.')),
        None => String::new(),
    }
}

fn first_url(text: &str) -> Option<&str> {
    let at = text.find("https://").or_else(|| text.find("http://"))?;
    let url = &text[at..];
    let end = url.find(|c: char| c.is_whitespace() || matches!(c, '>' | '"' | '\'' | ')' | ']' | ';' | ',')).unwrap_or(url.len());
    Some(url[..end].trim_end_matches('.'))
}

/// A retry time as servers write it: `in 300 seconds`, `for 5 minutes`.
fn retry_time(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| c.is_whitespace() || c == ',' || c == '(' || c == ')').filter(|w| !w.is_empty()).collect();
    words.windows(2).find_map(|pair| {
        let number: u32 = pair[0].parse().ok()?;
        let unit = pair[1].trim_matches(|c: char| !c.is_ascii_alphabetic());
        let known = ["s", "sec", "secs", "second", "seconds", "min", "mins", "minute", "minutes", "hour", "hours", "day", "days"];
        (known.contains(&unit) && number > 0).then(|| format!("{number} {unit}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_filled_in() {
        let text = b"554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org";
        let explanation = Classifier::builtin().explain(&Reply { text, ..Reply::default() });
        assert!(explanation.advice.contains("192.0.2.7"), "{}", explanation.advice);
        assert_eq!(explanation.delist_url.as_deref(), Some("https://check.spamhaus.org/results/?query=192.0.2.7"));
        assert!(explanation.meaning.unwrap().contains("Delivery not authorized"));
        let text = b"450 4.2.0 Greylisted, please try again in 300 seconds";
        let explanation = Classifier::builtin().explain(&Reply { text, ..Reply::default() });
        assert!(explanation.advice.contains("300 seconds"), "{}", explanation.advice);
    }

    #[test]
    fn every_known_code_answers() {
        let classifier = Classifier::builtin();
        for code in classifier.known_codes() {
            let explained = classifier.explain_code(&code).unwrap_or_else(|| panic!("{code}"));
            assert!(explained.meaning.is_some_and(|m| !m.title.is_empty()), "{code}");
            assert!(!explained.advice.is_empty(), "{code}");
        }
        assert_eq!(classifier.explain_code("5.7.26").unwrap().reason, Reason::AuthFailed);
        assert!(classifier.explain_code("hello").is_none());
    }
}
