//! Reads and checks the rules and the lists beside them, and writes them as tables in Rust: a program that starts builds nothing.
//!
//! A rule that can't be read stops the build with its place. The tables are made by the crate's own modules, which serve a user's
//! rules at run time too.

#![allow(dead_code, reason = "the program uses the rest of these modules")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use bouncestat_record::BlocklistState;

#[path = "src/compile.rs"]
mod compile;
#[path = "src/data.rs"]
mod data;
#[path = "src/expand.rs"]
mod expand;
#[path = "src/frequency.rs"]
mod frequency;
#[path = "src/pattern.rs"]
mod pattern;
#[path = "src/rule.rs"]
mod rule;
#[path = "src/tables.rs"]
mod tables;
#[path = "src/tree.rs"]
mod tree;

struct Known {
    providers: Vec<String>,
    lists: Vec<String>,
}

impl compile::Names for Known {
    fn provider(&self, id: &str) -> Option<u16> {
        self.providers.iter().position(|p| p == id).map(|n| n as u16)
    }

    fn list(&self, id: &str) -> Option<u16> {
        self.lists.iter().position(|l| l == id).map(|n| n as u16)
    }
}

fn main() {
    match tables() {
        Ok(text) => {
            let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("builtin.rs");
            std::fs::write(out, text).expect("cargo's folder takes files");
        }
        // Said in cargo's own way: one line, no backtrace.
        Err(fault) => println!("cargo::error={}", fault.replace('\n', " ")),
    }
}

/// The crate's rules and data as Rust source.
fn tables() -> Result<String, String> {
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build.rs");
    for module in ["compile", "data", "expand", "frequency", "pattern", "rule", "tables", "tree"] {
        println!("cargo::rerun-if-changed=src/{module}.rs");
    }
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut read = |path: &Path| -> Result<String, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        // FNV-1a over all rules and tables: stable over builds, machines and versions of Rust.
        for byte in text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(text)
    };
    let mut rules = Vec::new();
    for file in rule::FILES {
        let text = read(&Path::new("rules").join(file))?;
        rules.extend(rule::read(&text, file, false).map_err(|e| e.to_string())?);
    }
    rule::unique(&rules, |_| false).map_err(|e| e.to_string())?;
    read(Path::new("data/enhanced.tsv"))?;
    read(Path::new("data/basic.tsv"))?;
    let text = read(Path::new("data/providers.toml"))?;
    let providers: data::Providers = toml::from_str(&text).map_err(|e| format!("providers.toml: {e}"))?;
    let text = read(Path::new("data/blocklists.toml"))?;
    let lists: data::Blocklists = toml::from_str(&text).map_err(|e| format!("blocklists.toml: {e}"))?;

    let state = |name: &str| BlocklistState::from_name(name).ok_or_else(|| format!("blocklists.toml: unknown state `{name}`"));
    let mut marks: Vec<(tables::Use, &str)> = Vec::new();
    let mut list_rows = Vec::new();
    for (number, list) in lists.list.iter().enumerate() {
        marks.extend(list.patterns.iter().map(|p| (tables::Use::List(number as u16), p.as_str())));
        list_rows.push(tables::ListRow {
            id: &list.id,
            name: &list.name,
            entity: &list.entity,
            url: &list.url,
            who: &list.who,
            advice: &list.advice,
            neighbourhood: list.neighbourhood,
            rank: list.rank,
            state: list.state.as_deref().map_or(Ok(BlocklistState::Listed), state)? as u8,
        });
    }
    for mark in &lists.state {
        let number = state(&mark.state)? as u16;
        marks.extend(mark.patterns.iter().map(|p| (tables::Use::State(number), p.as_str())));
    }
    let (mut hosts, mut domains) = (Vec::new(), Vec::new());
    for (number, provider) in providers.provider.iter().enumerate() {
        let number = number as u16;
        marks.extend(provider.signs.iter().map(|p| (tables::Use::Sign(number), p.as_str())));
        hosts.extend(provider.hosts.iter().map(|h| (h, number)));
        domains.extend(provider.domains.iter().map(|d| (d, number)));
    }
    if providers.provider.len() > 127 {
        return Err("providers.toml: more than 127 providers".into());
    }
    let known = Known {
        providers: providers.provider.iter().map(|p| p.id.clone()).collect(),
        lists: lists.list.iter().map(|l| l.id.clone()).collect(),
    };
    let mut frequency = frequency::Frequency::default();
    rules.iter().flat_map(|r| r.examples.iter().chain(&r.not)).for_each(|reply| frequency.read(reply));
    // The address and the IP are in their masked form nearly everywhere.
    (0..300).for_each(|_| frequency.read("<address> <ip>"));
    let frequent = frequency.common(1);
    let count = |word: &[u8]| frequent.binary_search_by_key(&word, |(known, _)| known).map_or(0, |at| frequent[at].1);
    let estimate = |text: &[u8]| frequency::estimate(text, count);
    let built = compile::compile(&rules, &marks, &known, &estimate).map_err(|e| e.to_string())?;

    let mut out = String::new();
    let ids: Vec<&str> = rules.iter().map(|r| &*r.id).collect();
    let regexes: Vec<(u16, &str)> =
        rules.iter().enumerate().filter_map(|(index, r)| Some((index as u16, r.regex.as_deref()?))).collect();
    let _ = writeln!(out, "/// State of the hash of rules and data.\npub const HASH: u64 = {hash};");
    let _ = writeln!(out, "/// The rule files' texts, in the order of their names.\npub static TEXTS: &[&str] = &[");
    for file in rule::FILES {
        let _ = writeln!(out, "include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/rules/{file}\")),");
    }
    let _ = writeln!(out, "];");
    let _ = writeln!(out, "/// Ids of the rules.\npub static RULE_IDS: &[&str] = &{ids:?};");
    let _ = writeln!(out, "/// Expressions of rules.\npub static REGEXES: &[(u16, &str)] = &{regexes:?};");
    let advice: Vec<(u16, &str)> =
        rules.iter().enumerate().filter_map(|(index, r)| Some((index as u16, r.advice.as_deref()?))).collect();
    let _ = writeln!(out, "/// What rules advise.\npub static ADVICE: &[(u16, &str)] = &{advice:?};");
    let _ = writeln!(out, "/// Ids of the providers.\npub static PROVIDER_IDS: &[&str] = &{:?};", known.providers);
    let _ = writeln!(out, "/// Suffixes of relays' names.\npub static HOSTS: &[(&str, u16)] = &{hosts:?};");
    let _ = writeln!(out, "/// Domains of providers.\npub static DOMAINS: &[(&str, u16)] = &{domains:?};");
    let _ = writeln!(out, "/// The blocklists.\npub static LISTS: &[ListRow<'static>] = &{list_rows:?};");
    let frequent = frequency.common(8);
    let _ = writeln!(out, "/// How often words begin with something.\npub static FREQUENT: &[(&[u8], u32)] = &[");
    frequent.iter().for_each(|(word, n)| {
        let _ = writeln!(out, "(&{word:?}, {n}),");
    });
    let _ = writeln!(out, "];\n/// The rules' tables.\npub static TABLES: Tables<'static> = Tables {{\n{}}};", built.source());
    Ok(out)
}
