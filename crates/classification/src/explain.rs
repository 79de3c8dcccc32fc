//! Explains a verdict: what the codes mean by registry, which words decided, what came second, and what to do with the
//! parameters of the text filled in.
//!
//! Slower than classifying, and never on the hot path. It adds nothing to the verdict: the two always agree.
//!
//! `explain_code("5.7.26")` gives the registry's words, our reason, and what else a provider means by it.

use std::sync::Arc;

use bouncestat_record::{BlocklistState, Class, Disposition, EnhancedCode, Family, Reason, Reply, Verdict};

use crate::blocklist;
use crate::builtin::PROVIDER_IDS;
use crate::classifier::{Classifier, Winner};
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

/// What a reason means.
#[derive(Clone, Debug)]
pub struct ReasonExplanation {
    /// The reason.
    pub reason: Reason,
    /// What it means.
    pub definition: &'static str,
    /// The class of a refusal for good, and of one for now.
    pub classes: [Class; 2],
    /// What to do then.
    pub dispositions: [Disposition; 2],
    /// What to do, in words.
    pub advice: &'static str,
    /// How many rules give it.
    pub rules: usize,
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
        let decision = self.decide(&prepared, &masked, &mut Found::for_two());
        let verdict = self.verdict(&prepared, &decision);
        let text = String::from_utf8_lossy(prepared.isolated.text).into_owned();
        let own_advice = match decision.winner {
            Winner::Rule(hit) => self.advice(hit.rule),
            _ => None,
        };
        let span = match decision.winner {
            Winner::Rule(hit) => hit.span,
            _ => None,
        };
        let delist_url = self.delist_url(&verdict);
        let meaning = self.meaning(&verdict);
        let (general, reason_definition) = reason_words(verdict.reason);
        let mut advice = own_advice.unwrap_or(general).to_owned();
        if verdict.reason == Reason::Unknown {
            advice = "Unknown: no rule knows these words, and the code alone does not say why. Read the reply; to teach bouncestat, add a rule with these words to a rule file (--rules).".to_owned();
        }
        self.add_parameters(&mut advice, &verdict, &text, delist_url.as_deref());
        Explanation {
            matched: span.map(|(from, to)| String::from_utf8_lossy(&masked[from..to]).into_owned()),
            runner_up: match decision.second {
                Winner::Nothing => None,
                second => Some(self.name(second).clone()),
            },
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
        } else if let Some(named) = verdict.listed.clone().or_else(|| named_ip(verdict, text)) {
            add(format!("Named in the reply: {named}."));
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

    pub(crate) fn delist_url(&self, verdict: &Verdict) -> Option<String> {
        if matches!(
            verdict.blocklist_state,
            Some(BlocklistState::DeadList | BlocklistState::ResolverError | BlocklistState::Greylist)
        ) {
            return None;
        }
        let list = self.lists.get(verdict.blocklist.as_ref()?)?;
        // Microsoft keeps two lists: Outlook.com's (S3140, S3150) and, with codes of its own, that of Microsoft 365.
        let url = match verdict.enhanced_code {
            Some(code) if &*list.id == "microsoft" && code.subject == 7 && code.detail >= 500 => "https://sender.office.com/",
            _ => list.url.as_str(),
        };
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
            Some(m) => format!("{code} {}", m.words()),
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

    /// What providers mean by codes alone: provider and reason, of the rules without words that are `about` one of their codes.
    fn by_codes(&self, about: impl Fn(CodeMatch) -> bool) -> Vec<(String, Reason)> {
        let mut all: Vec<(String, Reason)> = Vec::new();
        for layer in &self.layers {
            let tables = layer.tables();
            let rows = tables.bare.iter().map(|rule| &tables.rules[usize::from(*rule)]);
            for row in rows.filter(|row| row.codes.of(tables.codes).iter().any(|code| about(*code))) {
                let reason = Reason::ALL[usize::from(row.reason)];
                for number in (0..PROVIDER_IDS.len()).filter(|number| row.providers >> number & 1 == 1) {
                    let one = (PROVIDER_IDS[number].to_owned(), reason);
                    if !all.contains(&one) {
                        all.push(one);
                    }
                }
            }
        }
        all
    }

    fn code_explanation(
        &self,
        code: String,
        meaning: Option<Meaning>,
        reason: Reason,
        class: Class,
        about: impl Fn(CodeMatch) -> bool,
    ) -> CodeExplanation {
        let providers = self.by_codes(about);
        let advice = match reason {
            Reason::Unknown => "The code alone does not say why: the text of the reply must tell.".to_owned(),
            reason => reason_words(reason).0.to_owned(),
        };
        CodeExplanation { code, meaning, reason, class, disposition: decide::disposition(reason, class), advice, providers }
    }

    /// Explains a reason by its name. [`None`] where the text is none.
    pub fn explain_reason(&self, name: &str) -> Option<ReasonExplanation> {
        let reason = Reason::from_name(name.trim())?;
        let (advice, definition) = reason_words(reason);
        let classes = [5, 4].map(|digit| decide::class(reason, Some(digit), None, decide::Options::default()));
        let dispositions = classes.map(|class| decide::disposition(reason, class));
        let rules = self.layers.iter().flat_map(|layer| layer.rules()).filter(|row| row.reason == reason as u8).count();
        Some(ReasonExplanation { reason, definition, classes, dispositions, advice, rules })
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

/// The IP that a refusal of us names, where that is what must be looked at.
fn named_ip(verdict: &Verdict, text: &str) -> Option<String> {
    // Without a code the logging server speaks, and the IP is the other's.
    let about_us =
        verdict.smtp_code.is_some() && matches!(verdict.reason.family(), Family::Identity | Family::Reputation | Family::Rate);
    blocklist::listed(text.as_bytes(), "ip").filter(|_| about_us)
}

pub(crate) fn sentence(text: &str) -> String {
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

/// A retry time as servers write it: `try again in 300 seconds`, `(wait 5 min)`, `retry in 60s`, `come back in 00:05:00`.
///
/// Words that ask to wait must stand shortly before it: `100 messages in 60 seconds, try again later` names no such time.
fn retry_time(text: &str) -> Option<String> {
    const UNITS: &[&str] =
        &["s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute", "minutes", "h", "hour", "hours", "day", "days"];
    let lower = text.to_ascii_lowercase();
    let space = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '=' | '-');
    let words: Vec<&str> = lower.split(space).map(|w| w.trim_end_matches(['.', '!', ':'])).filter(|w| !w.is_empty()).collect();
    let asks = |word: &&str| {
        matches!(*word, "again" | "retry" | "wait" | "waiting" | "back" | "later" | "minimum")
            || ["greylist", "graylist", "delay", "defer", "retr"].iter().any(|start| word.starts_with(start))
    };
    (0..words.len()).find_map(|at| {
        if !words[at.saturating_sub(6)..at].iter().any(asks) {
            return None;
        }
        let word = words[at];
        let clock: Vec<&str> = word.split(':').collect();
        // A clock is a time to wait only where it is said to be: otherwise it is the time of day.
        let waits = at > 0 && matches!(words[at - 1], "in" | "wait" | "for" | "least" | "after" | "minimum");
        if waits && clock.len() == 3 && clock.iter().all(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())) {
            return Some(word.to_owned());
        }
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let number: u32 = word[..digits].parse().ok().filter(|number| *number > 0)?;
        let unit = if digits < word.len() { &word[digits..] } else { words.get(at + 1)? };
        UNITS.contains(&unit).then(|| format!("{number} {unit}"))
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
        for (text, parts) in [
            ("450 4.2.0 Greylisted, please try again in 300 seconds", &["wait 300 seconds"][..]),
            ("451 4.7.1 Greylisted (wait 60 seconds)", &["wait 60 seconds"]),
            ("451 4.7.1 Greylisting in action, please come back in 00:05:00", &["wait 00:05:00"]),
            ("421 4.7.0 Too many connections, retry in 90s", &["wait 90 s"]),
            ("550 5.7.25 [192.0.2.9] has no PTR record, see https://acme.test/ptr.", &["192.0.2.9", "https://acme.test/ptr"]),
            ("421 4.7.0 [192.0.2.9] sends too fast; please try again later", &["192.0.2.9"]),
            (
                "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using bl.spamcop.net; see https://www.spamcop.net/bl.shtml?192.0.2.7",
                &["192.0.2.7", "SpamCop", "https://"],
            ),
        ] {
            let explanation = Classifier::builtin().explain(&Reply { text: text.as_bytes(), ..Reply::default() });
            for part in parts {
                assert!(explanation.advice.contains(part), "{text}: {part}: {}", explanation.advice);
            }
        }
        for no in [
            "450 100 messages in 60 seconds, try again later",
            "550 older than 5 days",
            "450 try again later",
            "450 retry until Sun 23:34:45",
        ] {
            assert_eq!(retry_time(no), None, "{no}");
        }
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
