//! What is read: PATHs, or the usual places of this machine.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use bouncestat_ingest::input::{DiscoverOptions, Machine, Places, Problem, Source, default_places, discover};
use bouncestat_ingest::plan::{Plan, plan};

use crate::args::Common;
use crate::settings::Settings;
use crate::{notes, when};

/// The dataset that a PATH names, if one does: it stands alone.
pub fn dataset<'p>(paths: &'p [PathBuf], common: &'p Common) -> Result<Option<&'p Path>> {
    let paths = if paths.is_empty() { &common.from_file.paths } else { paths };
    if let Some(dir) = paths.iter().find(|path| bouncestat_store::is_begun(path)) {
        bail!("{} is a dataset that was begun and holds nothing yet: run bouncestat collect into it again", dir.display());
    }
    let Some(dir) = paths.iter().find(|path| bouncestat_store::is_dataset(path)) else { return Ok(None) };
    if paths.len() > 1 {
        bail!("{} is a dataset: name it alone, logs and other datasets by themselves", dir.display());
    }
    Ok(Some(dir))
}

/// Finds the logs and looks into them. Without a PATH: those of the file of settings, else the usual places.
pub fn find(paths: &[PathBuf], common: &Common, settings: &Settings) -> Result<Plan> {
    let (sources, mut problems) = sources(paths, common)?;
    let mut plan = plan(sources, &settings.plan_options(common));
    problems.append(&mut plan.problems);
    plan.problems = problems;
    Ok(plan)
}

/// Where logs are looked for.
pub fn places(paths: &[PathBuf], common: &Common) -> Vec<PathBuf> {
    let paths = if paths.is_empty() { &common.from_file.paths } else { paths };
    if !paths.is_empty() {
        return paths.to_vec();
    }
    let places = default_places(&Machine::this(std::env::var_os("ExchangeInstallPath").map(PathBuf::from)));
    places.looked.iter().map(|place| place.pattern.clone()).collect()
}

/// Finds the logs.
pub fn sources(paths: &[PathBuf], common: &Common) -> Result<(Vec<Source>, Vec<Problem>)> {
    let paths = if paths.is_empty() { &common.from_file.paths } else { paths };
    let (paths, before) = if paths.is_empty() {
        let places = default_places(&Machine::this(std::env::var_os("ExchangeInstallPath").map(PathBuf::from)));
        let found = places.found();
        if found.is_empty() && places.problems.is_empty() {
            return Err(no_logs(&places));
        }
        if is_piped() {
            notes::note("note: standard input is not read without a PATH of -; these are the logs of this machine");
        }
        (found, places.problems)
    } else {
        half_a_time(paths)?;
        (paths.to_vec(), Vec::new())
    };
    let discovery = discover(&paths, &DiscoverOptions { recursive: common.recursive });
    let mut problems = before;
    problems.extend(discovery.problems);
    Ok((discovery.sources, problems))
}

/// The error of a machine without mail logs: where was looked, and where they may be instead.
fn no_logs(places: &Places) -> anyhow::Error {
    let looked: Vec<String> = places.looked.iter().map(|p| format!("  {:25}  {}", p.who, p.pattern.display())).collect();
    let mut text = format!("no mail logs were found on this machine; looked for\n{}\n", looked.join("\n"));
    if is_piped() {
        text.push_str("Standard input is a pipe; to read it: bouncestat -\n");
    }
    if cfg!(unix) && ["/var/log/journal", "/run/log/journal"].iter().any(|dir| Path::new(dir).is_dir()) {
        // 2 is the facility "mail" of RFC 5424.
        text.push_str("This machine keeps a journal: journalctl -o json SYSLOG_FACILITY=2 | bouncestat -\n");
    }
    text.push_str("Name the logs: bouncestat PATH... (files, folders, globs, or - for standard input)");
    anyhow!(text)
}

/// `--since 2026-11-20 13:00` without quotation marks leaves `13:00` as a PATH.
fn half_a_time(paths: &[PathBuf]) -> Result<()> {
    let time = paths.iter().find(|p| p.to_str().is_some_and(|text| when::time_of_day(text).is_some()) && !p.exists());
    match time {
        Some(time) => {
            let time = time.display();
            bail!(
                "{time}: there is no such file; a time after a date belongs into quotation marks: --since \"2026-11-20 {time}\""
            )
        }
        None => Ok(()),
    }
}

/// Whether something is piped or redirected into us. It is read only where `-` asks for it: cron and ssh leave pipes open.
fn is_piped() -> bool {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        use std::os::unix::fs::FileTypeExt;
        let kind = std::io::stdin().as_fd().try_clone_to_owned().map(std::fs::File::from).and_then(|stdin| stdin.metadata());
        kind.is_ok_and(|m| m.file_type().is_fifo() || (m.is_file() && m.len() > 0))
    }
    #[cfg(not(unix))]
    {
        false
    }
}
