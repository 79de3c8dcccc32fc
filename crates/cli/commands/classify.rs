//! `bouncestat classify [FILE|-]`: replies, one a line, to verdicts; output line n answers input line n.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use bouncestat_classification::{Classifier, Explanation};
use bouncestat_record::{EnhancedCode, Reply};
use serde_json::{Map, Value, json};

use crate::args::{Classify, Common};
use crate::exit;
use crate::output::Output;
use crate::settings::{redactor, rules};

/// Classifies replies.
pub fn run(args: &Classify, common: &Common) -> Result<u8> {
    if let Some(other) = common.format.as_deref().filter(|f| !["json", "jsonl"].contains(f)) {
        bail!("classify writes JSON lines only, not {other:?}");
    }
    let rules = rules(common)?;
    let redact = redactor(common)?;
    let mut input: Box<dyn BufRead> = if args.file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(&args.file).with_context(|| format!("{}: cannot be read", args.file.display()))?;
        Box::new(BufReader::new(file))
    };
    let output = Output::new(common.output.as_deref());
    let mut out = output.open()?;
    let mut line = Vec::new();
    let (mut number, mut bad) = (0u64, 0u64);
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line).with_context(|| format!("{}: cannot be read", args.file.display()))?;
        if read == 0 {
            break;
        }
        number += 1;
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let mut answer = if args.jsonl {
            answer_object(&rules, text).unwrap_or_else(|error| {
                bad += 1;
                eprintln!("bouncestat: {}: line {number}: {error:#}", args.file.display());
                json!({"input": String::from_utf8_lossy(text), "error": format!("{error:#}")})
            })
        } else {
            answer(&rules, &Reply { text, ..Reply::default() }, &String::from_utf8_lossy(text))
        };
        redact.json(&mut answer);
        serde_json::to_writer(&mut *out, &answer).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    drop(out);
    output.commit()?;
    Ok(if bad == 0 { exit::FINE } else { exit::PARTIAL })
}

/// The answer to `{"text", "code"?, "enhanced"?, "rhost"?}`.
fn answer_object(rules: &Classifier, line: &[u8]) -> Result<Value> {
    let object: Map<String, Value> = serde_json::from_slice(line)
        .context("no JSON object; write {\"text\": \"550 5.1.1 …\", \"rhost\": \"mx.example.com\"}")?;
    let string = |key: &str| object.get(key).and_then(Value::as_str).filter(|s| !s.is_empty());
    let Some(text) = string("text").or_else(|| object.get("text").and_then(Value::as_str)) else {
        bail!("the object has no \"text\"");
    };
    let code = match object.get("code") {
        Some(Value::Number(n)) => n.as_u64().and_then(|n| u16::try_from(n).ok()),
        Some(Value::String(s)) => s.trim().parse().ok(),
        _ => None,
    };
    let reply = Reply {
        text: text.as_bytes(),
        smtp_code: code,
        enhanced_code: string("enhanced").and_then(|e| EnhancedCode::parse(e.trim())),
        relay_host: string("rhost"),
        ..Reply::default()
    };
    Ok(answer(rules, &reply, text))
}

fn answer(rules: &Classifier, reply: &Reply<'_>, input: &str) -> Value {
    verdict_json(input, &rules.explain(reply))
}

/// A verdict as the contract writes it.
pub(super) fn verdict_json(input: &str, explanation: &Explanation) -> Value {
    let v = &explanation.verdict;
    json!({
        "input": input,
        "smtp_code": v.smtp_code,
        "enhanced_code": v.enhanced_code.map(|c| c.to_string()),
        "reply_class": v.reply_class,
        "class": v.class.as_str(),
        "reason": v.reason.as_str(),
        "disposition": v.disposition.as_str(),
        "rule_id": &*v.rule_id,
        "level": v.level.as_str(),
        "matched": explanation.matched,
        "runner_up": explanation.runner_up.as_deref(),
        "blocklist": v.blocklist.as_deref(),
        "blocklist_state": v.blocklist_state.map(|s| s.as_str()),
        "listed": v.listed,
        "provider": v.provider.as_deref(),
        "advice": explanation.advice,
        "delist_url": explanation.delist_url,
    })
}
