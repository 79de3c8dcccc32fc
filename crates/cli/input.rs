//! What is read: PATHs, or the usual places of this machine.

use std::path::PathBuf;

use anyhow::{Result, bail};
use bouncestat_ingest::input::{DiscoverOptions, Machine, default_places, discover};
use bouncestat_ingest::plan::{Plan, plan};

use crate::args::Common;
use crate::settings::Settings;

/// Finds the logs and looks into them.
pub fn find(paths: &[PathBuf], common: &Common, settings: &Settings) -> Result<Plan> {
    let (paths, before) = if paths.is_empty() {
        let places = default_places(&Machine::this(std::env::var_os("ExchangeInstallPath").map(PathBuf::from)));
        let found = places.found();
        if found.is_empty() && places.problems.is_empty() {
            let looked: Vec<String> = places.looked.iter().map(|p| format!("  {:9} {}", p.who, p.pattern.display())).collect();
            bail!(
                "no mail logs were found on this machine; looked for\n{}\nName the logs: bouncestat PATH... (files, folders, globs, or - for standard input)",
                looked.join("\n")
            );
        }
        (found, places.problems)
    } else {
        (paths.to_vec(), Vec::new())
    };
    let discovery = discover(&paths, &DiscoverOptions { recursive: common.recursive });
    let mut plan = plan(discovery.sources, &settings.plan_options(common));
    let mut problems = before;
    problems.extend(discovery.problems);
    problems.append(&mut plan.problems);
    plan.problems = problems;
    Ok(plan)
}
