//! `bouncestat explain TEXT`: what a code, a reply or a log line means, why we say so, and what to do.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::{Result, bail};
use bouncestat_classification::{Classifier, Explanation, ReasonExplanation};
use bouncestat_ingest::mta::{detect, failure_in_line};
use bouncestat_record::{EnhancedCode, Level, Reason, Reply};

use super::classify::verdict_json;
use crate::args::{Common, Explain};
use crate::exit;
use crate::notes::name;
use crate::output::Output;
use crate::settings::{redactor, rules};

/// Explains a text.
pub fn run(args: &Explain, common: &Common) -> Result<u8> {
    let rules = rules(common)?;
    let text = args.text.join(" ");
    if text.trim().is_empty() {
        bail!("explain needs a code (550, 5.7.26), a reply or a log line");
    }
    if let Some(other) = common.format.as_deref().filter(|f| !["json", "table"].contains(f)) {
        bail!("explain has no format {other:?}; there are table and json");
    }
    let text = text.trim();
    let answer = if common.format.as_deref() == Some("json") {
        reply_words(&rules, text, true)
    } else if let Some(code) = rules.explain_code(text) {
        code_words(&code)
    } else if let Some(reason) = rules.explain_reason(text) {
        reason_words(&reason)
    } else if looks_like_a_code(text) {
        bail!("{text} is no reply code: a basic code is 200 to 599 (550), an enhanced one begins with 2, 4 or 5 (5.7.26)");
    } else {
        reply_words(&rules, text, false)
    };
    // What was typed may name someone, and its explanation quotes it.
    let answer = redactor(common)?.text(&answer);
    let output = Output::new(common.output.as_deref());
    let mut out = output.open()?;
    out.write_all(answer.as_bytes())?;
    out.flush()?;
    drop(out);
    output.commit()?;
    Ok(exit::FINE)
}

fn code_words(code: &bouncestat_classification::CodeExplanation) -> String {
    let mut text = format!("{}\n", code.code);
    let meaning = code.meaning.as_ref().map_or_else(|| "not registered".to_owned(), |meaning| meaning.words());
    let _ = writeln!(text, "  registry     {meaning}");
    let _ = writeln!(text, "  reason       {}", code.reason);
    let _ = writeln!(text, "  class        {}", code.class);
    let _ = writeln!(text, "  disposition  {}", code.disposition);
    let _ = writeln!(text, "  advice       {}", code.advice);
    for (provider, reason) in &code.providers {
        let _ = writeln!(text, "  at {provider:9} {reason}");
    }
    text
}

fn reason_words(reason: &ReasonExplanation) -> String {
    let mut text = format!("{}\n", reason.reason);
    let _ = writeln!(text, "  means        {}", reason.definition);
    let [good, now] = reason.classes;
    let [first, then] = reason.dispositions;
    if (good, first) == (now, then) {
        let _ = writeln!(text, "  class        {good}\n  disposition  {first}");
    } else {
        let _ = writeln!(text, "  class        {good} at 5xx, {now} at 4xx\n  disposition  {first} at 5xx, {then} at 4xx");
    }
    let _ = writeln!(text, "  advice       {}", reason.advice);
    let _ = writeln!(text, "  rules        {} (bouncestat rules list)", reason.rules);
    text
}

/// Whether `text` is digits and dots alone, in the shape of a code.
fn looks_like_a_code(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let numbers = parts.iter().all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    numbers && (parts.len() == 3 || (parts.len() == 1 && text.len() == 3))
}

fn reply_words(rules: &Classifier, text: &str, as_json: bool) -> String {
    let part = failure_in_line(text.as_bytes());
    let relay = part.as_ref().map(|p| String::from_utf8_lossy(&p.relay_host).into_owned()).filter(|host| !host.is_empty());
    let reply = Reply {
        text: part.as_ref().map_or(text.as_bytes(), |p| &p.text),
        enhanced_code: part.as_ref().and_then(|p| p.enhanced_code),
        relay_host: relay.as_deref(),
        action: part.as_ref().and_then(|p| p.action),
        mta: part.as_ref().map(|p| p.mta),
        ..Reply::default()
    };
    let explanation = rules.explain(&reply);
    // A line without an attempt has no reply to explain; what is said of it as a text alone must not pass for more.
    if part.is_none()
        && !as_json
        && explanation.verdict.reason == Reason::Unknown
        && let Some(mta) = detect(text.as_bytes())
    {
        return format!("This is a line of {}'s log, but of no attempt to deliver: it holds no reply to explain.\n", name(mta));
    }
    if as_json {
        return format!("{}\n", verdict_json(text, &explanation));
    }
    words(&explanation)
}

fn words(e: &Explanation) -> String {
    let v = &e.verdict;
    let mut text = String::new();
    let codes = [v.smtp_code.map(|c| c.to_string()), v.enhanced_code.map(|c| c.to_string())];
    let codes: Vec<String> = codes.into_iter().flatten().collect();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:12} {value}");
        }
    };
    line("reason", &format!("{} ({})", v.reason, e.reason_definition));
    line("class", v.class.as_str());
    line("disposition", v.disposition.as_str());
    line("advice", &e.advice);
    line("codes", &codes.join(" "));
    line("registry", e.meaning.as_deref().unwrap_or(""));
    match (v.level, v.reason) {
        (Level::None, Reason::Unknown) => line("decided by", "nothing: no rule knows the words, and no code tells why"),
        (Level::None, _) => line("decided by", "the positive code, or the delivery that the log tells of"),
        _ => line("decided by", &format!("{} ({} evidence)", v.rule_id, v.level)),
    }
    line("words", e.matched.as_deref().unwrap_or(""));
    line("next best", e.runner_up.as_deref().unwrap_or(""));
    line("provider", v.provider.as_deref().unwrap_or(""));
    line("blocklist", v.blocklist.as_deref().unwrap_or(""));
    line("listed", v.listed.as_deref().unwrap_or(""));
    line("ask at", e.delist_url.as_deref().unwrap_or(""));
    line("template", &e.template);
    if v.reason == Reason::Unknown {
        text.push_str(
            "\nNo rule knows these words. To add one, choose its reason, write it to a file and use it with --rules FILE:\n\n",
        );
        let quoted = |words: &str| words.replace('\\', "\\\\").replace('"', "\\\"");
        let _ = writeln!(
            text,
            "[[rule]]\nid = \"my-rule\"\nreason = \"policy\"\nmatch = [\"{}\"]\nexamples = [\"{}\"]\nsource = \"where you learnt it\"",
            quoted(&pattern(&e.template)),
            quoted(&e.template),
        );
        let reasons: Vec<&str> = Reason::ALL.iter().filter(|r| **r != Reason::None).map(|r| r.as_str()).collect();
        let _ = writeln!(text, "\nReasons: {}", reasons.join(", "));
    }
    text
}

/// The words of a masked reply as a rule's pattern: without its codes, and with what patterns mean otherwise escaped.
fn pattern(template: &str) -> String {
    let is_code = |word: &str| word.parse::<u16>().is_ok() || EnhancedCode::parse(word).is_some();
    let words = template.split_whitespace().skip_while(|word| is_code(word)).collect::<Vec<_>>().join(" ");
    words.chars().fold(String::new(), |mut out, c| {
        if "()|*\\".contains(c) {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_that_is_printed_passes_the_lint() {
        for reply in ["550 blah xyzzy", "550 5.9.9 zorg (really) not | so *", "plonk quux wibble"] {
            let explanation = Classifier::builtin().explain(&Reply { text: reply.as_bytes(), ..Reply::default() });
            let words = words(&explanation);
            let rule = words.split("[[rule]]").nth(1).expect("a rule").split("\nReasons").next().unwrap_or_default();
            let findings = bouncestat_classification::lint(&format!("[[rule]]{rule}"), "mine.toml");
            assert!(findings.is_empty(), "{reply}: {findings:?}");
        }
    }
}
