//! `bouncestat rules list|stats|lint`: the classification rules.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bouncestat_classification::Rule;
use bouncestat_ingest::run::Consumer;
use bouncestat_record::{Delivery, Outcome};
use serde_json::{Value, json};

use super::{Ready, tell};
use crate::args::{Common, RulesAction};
use crate::consumers::{Only, rule_of};
use crate::exit;
use crate::output::Output;
use crate::settings::{Rules, Settings, domains, rules};

/// Does what was asked with rules.
pub fn run(action: &RulesAction, common: &Common) -> Result<u8> {
    match action {
        RulesAction::List => list(common),
        RulesAction::Stats(paths) => stats(&paths.paths, common),
        RulesAction::Lint { file } => lint(file),
    }
}

fn print(text: &str, common: &Common) -> Result<()> {
    let output = Output::new(common.output.as_deref());
    let mut out = output.open()?;
    out.write_all(text.as_bytes())?;
    out.flush()?;
    drop(out);
    output.commit()
}

fn list(common: &Common) -> Result<u8> {
    let rules = rules(common)?;
    let mut text = String::new();
    let as_json = match common.format.as_deref() {
        None | Some("table") => false,
        Some("json") => true,
        Some(other) => bail!("rules list has no format {other:?}; there are table and json"),
    };
    if as_json {
        let one = |r: &Rule| json!({"id": &*r.id, "reason": r.reason.as_str(), "providers": r.providers, "source": r.source, "file": &*r.file});
        print(&format!("{:#}\n", Value::from(rules.rules().map(one).collect::<Vec<_>>())), common)?;
        return Ok(exit::FINE);
    }
    for rule in rules.rules() {
        let providers = if rule.providers.is_empty() { "-".to_owned() } else { rule.providers.join(",") };
        let _ = writeln!(text, "{:44} {:20} {:12} {}", rule.id, rule.reason.as_str(), providers, rule.source);
    }
    print(&text, common)?;
    Ok(exit::FINE)
}

/// Counts failed deliveries by rule.
struct ByRule<'r> {
    rules: &'r Rules,
}

impl Consumer for ByRule<'_> {
    type Part = BTreeMap<String, u64>;

    fn begin(&self) -> Self::Part {
        BTreeMap::new()
    }

    fn delivery(&self, part: &mut Self::Part, delivery: &Delivery<'_>) {
        if delivery.outcome != Outcome::Delivered {
            *part.entry(rule_of(self.rules, delivery)).or_default() += 1;
        }
    }
}

fn stats(paths: &[PathBuf], common: &Common) -> Result<u8> {
    let settings = Settings::resolve(common)?;
    let rules = rules(common)?;
    let domains = domains(common)?;
    let ready = Ready::new(paths, common, &settings)?;
    let mut total: BTreeMap<String, u64> = BTreeMap::new();
    let summary = ready.run(common, &Only { domains: &domains, inner: ByRule { rules: &rules } }, &mut |part| {
        for (rule, n) in part {
            *total.entry(rule).or_default() += n;
        }
    });
    let code = tell(&summary, "attempt")?;
    let mut rows: Vec<_> = total.into_iter().collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut text = String::new();
    for (rule, n) in rows.iter().take(common.top.unwrap_or(usize::MAX)) {
        let _ = writeln!(text, "{n:>12}  {rule}");
    }
    print(&text, common)?;
    Ok(code)
}

fn lint(file: &Path) -> Result<u8> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))?;
    let findings = bouncestat_classification::lint(&text, &file.display().to_string());
    for finding in &findings {
        println!("{}: {}: {}", file.display(), if finding.rule.is_empty() { "(file)" } else { &finding.rule }, finding.message);
    }
    let noun = if findings.len() == 1 { "finding" } else { "findings" };
    eprintln!("bouncestat: {}: {} {noun}", file.display(), findings.len());
    Ok(if findings.is_empty() { exit::FINE } else { exit::NOTHING })
}
