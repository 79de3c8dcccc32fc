//! What was typed and what a file of settings says, put together: flags before file before defaults.
//!
//! Both become words of a command line that are parsed by the one definition, so that a setting means what its option means.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use anyhow::{Result, anyhow};
use clap::{Arg, ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser};

use crate::args::{Args, Common, FromFile};
use crate::config::{self, Setting};
use crate::definition::{definition, has_format, is_typed, levels, takes, version};

/// The common options alone.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, args_override_self = true)]
struct Layered {
    #[command(flatten)]
    common: Common,
}

/// Why there are no arguments.
#[derive(Debug)]
pub enum Stop {
    /// The parser says so: wrong usage, or help and version were asked for.
    Parser(clap::Error),
    /// We do.
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// Reads a command line and the file of settings.
pub fn read(words: Vec<OsString>) -> Result<Args, Stop> {
    let mut definition = definition();
    if words.iter().any(|word| word == "--version" || word == "-V") {
        definition = definition.version(version());
    }
    let mut matches = definition.clone().try_get_matches_from(&words).map_err(Stop::Parser)?;
    let common: Vec<Arg> = Layered::command().get_arguments().cloned().collect();
    let (path, all) = levels(&matches);
    let path: Vec<String> = path.into_iter().map(str::to_owned).collect();
    let here: Vec<&str> = path.iter().map(String::as_str).collect();
    not_taken(&here, &common, &all[..all.len() - 1])?;

    let named = all.iter().rev().find_map(|m| m.try_get_one::<std::path::PathBuf>("config").ok().flatten());
    let known = definition.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let file = if reads_settings(&here) { config::find(named.map(|p| p.as_path()), &common, &known)? } else { None };

    let mut used = Vec::new();
    let mut layered = Vec::new();
    let mut from_file = FromFile::default();
    if let Some(file) = &file {
        for setting in &file.settings {
            let option = option(&common, setting, &file.path)?;
            let id = option.get_id().as_str();
            let words = setting.words(option, &file.path)?;
            check(Layered::command(), &[], &words, setting, &file.path)?;
            // A format for all commands is for those that have it, and the extension of a typed -o comes first.
            let fits = id != "format" || (has_format(&here, setting.text()) && !all.iter().any(|m| is_typed(m, "output")));
            if takes(&here, id) && fits && !all.iter().any(|m| is_typed(m, id)) {
                layered.extend(words);
                used.push(setting.key.clone());
            }
        }
        from_file.paths = file.paths.clone();
    }
    // A section of the file that has the command's name holds more options for it, and its own.
    let name = here.first().copied().unwrap_or("report");
    let mut own = Vec::new();
    for more in section_settings(&definition, &common, file.as_ref())? {
        let id = more.option.get_id().as_str();
        if more.command != name || all.iter().any(|m| is_typed(m, id)) {
            continue;
        }
        if is_common(&common, name, &more.option) {
            layered.extend(more.words)
        } else {
            own.extend(more.words)
        }
        used.push(format!("{name}.{}", more.setting.key));
    }
    for level in &all {
        for option in &common {
            // A command may have an argument of its own by the name of an option that it does not take (`schema TABLE`).
            let id = option.get_id().as_str();
            if takes(&here, id) && is_typed(level, id) {
                layered.extend(typed(level, option));
            }
        }
    }

    if !own.is_empty() {
        let mut again = words.clone();
        let at = place(&definition, &words, name) + 1;
        again.splice(at..at, own);
        matches = definition.clone().try_get_matches_from(&again).map_err(Stop::Parser)?;
    }
    let mut args = Args::from_arg_matches(&matches).map_err(Stop::Parser)?;
    args.common = Layered::try_parse_from(layered).map_err(Stop::Parser)?.common;
    if let Some(file) = file.filter(|file| !used.is_empty() || !file.paths.is_empty()) {
        from_file.used = Some((file.path, used));
    }
    args.common.from_file = from_file;
    Ok(args)
}

/// Whether a command has a use for a file of settings.
fn reads_settings(path: &[&str]) -> bool {
    !matches!(path, ["completions" | "man" | "schema"] | ["rules", "lint"])
}

/// An option that stands before a command that does not take it; the command itself lets no other pass.
fn not_taken(path: &[&str], common: &[Arg], levels: &[&ArgMatches]) -> Result<()> {
    for option in common {
        let id = option.get_id().as_str();
        if !takes(path, id) && levels.iter().any(|m| is_typed(m, id)) {
            let long = option.get_long().unwrap_or(id);
            let command = path.join(" ");
            return Err(anyhow!("{command} takes no --{long}; see bouncestat {command} --help"));
        }
    }
    Ok(())
}

/// The words of an option, as they were typed.
fn typed(matches: &ArgMatches, option: &Arg) -> Vec<OsString> {
    let long = format!("--{}", option.get_long().unwrap_or(option.get_id().as_str()));
    if !option.get_action().takes_values() {
        return vec![long.into()];
    }
    let values = matches.get_raw(option.get_id().as_str()).into_iter().flatten();
    values.map(|value| with_value(&long, value)).collect()
}

fn with_value(long: &str, value: &OsStr) -> OsString {
    let mut word = OsString::from(format!("{long}="));
    word.push(value);
    word
}

/// The option that a setting is about.
fn option<'a>(options: &'a [Arg], setting: &Setting, path: &Path) -> Result<&'a Arg> {
    options
        .iter()
        .find(|o| o.get_long() == Some(&setting.key) && config::may_be_set(o))
        .ok_or_else(|| setting.unknown(path, options.iter().filter(|o| config::may_be_set(o)).filter_map(Arg::get_long)))
}

/// A setting's value, tried alone, so that an error can name its line.
fn check(command: clap::Command, before: &[&str], words: &[OsString], setting: &Setting, path: &Path) -> Result<()> {
    let words = before.iter().map(OsString::from).chain(words.iter().cloned());
    match command.try_get_matches_from(words) {
        Err(error) if error.kind() != clap::error::ErrorKind::MissingRequiredArgument => Err(setting.wrong(path, &said(&error))),
        _ => Ok(()),
    }
}

/// What the parser says, in one line, without usage and tips.
pub fn said(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let line = lines.join(" ");
    line.strip_prefix("error: ").map(str::to_owned).unwrap_or(line)
}

/// Whether an option of a command is one of the common ones.
fn is_common(common: &[Arg], command: &str, option: &Arg) -> bool {
    let id = option.get_id();
    takes(&[command], id.as_str()) && common.iter().any(|c| c.get_id() == id)
}

/// A setting of a section.
struct OfCommand<'f> {
    command: &'f str,
    setting: &'f Setting,
    option: Arg,
    words: Vec<OsString>,
}

/// The settings of all sections. What is wrong is said whichever command runs.
fn section_settings<'f>(
    definition: &clap::Command,
    common: &[Arg],
    file: Option<&'f config::File>,
) -> Result<Vec<OfCommand<'f>>> {
    let mut all = Vec::new();
    let Some(file) = file else { return Ok(all) };
    for section in &file.sections {
        let Some(command) = definition.find_subcommand(&section.name) else { continue };
        let options: Vec<Arg> = command.get_arguments().cloned().collect();
        for setting in &section.settings {
            let option = option(&options, setting, &file.path)?;
            let words = setting.words(option, &file.path)?;
            match is_common(common, &section.name, option) {
                true => check(Layered::command(), &[], &words, setting, &file.path)?,
                false => check(definition.clone(), &["bouncestat", &section.name], &words, setting, &file.path)?,
            }
            all.push(OfCommand { command: &section.name, setting, option: option.clone(), words });
        }
    }
    Ok(all)
}

/// Where in a command line the command stands: an option's value before it may be the same word.
fn place(definition: &clap::Command, words: &[OsString], command: &str) -> usize {
    let is_command = |at: &usize| {
        let ignoring = definition.clone().ignore_errors(true);
        words[*at] == command && ignoring.try_get_matches_from(&words[..=*at]).is_ok_and(|m| m.subcommand_name() == Some(command))
    };
    (1..words.len()).find(is_command).unwrap_or(words.len() - 1)
}

/// Whether a format is asked for, told from the words alone, as they may be wrong.
fn asks_for(words: &[OsString], format: &str) -> bool {
    words.windows(2).any(|pair| pair[0] == "--format" && pair[1] == format)
        || words.iter().any(|w| *w == *format!("--format={format}"))
}

/// Whether the answer of a failed run should be JSON.
pub fn wants_json(words: &[OsString]) -> bool {
    asks_for(words, "json") || wants_lines(words)
}

/// Whether it should be one line of JSON.
pub fn wants_lines(words: &[OsString]) -> bool {
    asks_for(words, "jsonl")
}

/// The command that was meant, told from words that may be wrong.
pub fn command_of(words: &[OsString]) -> Option<String> {
    let matches = definition().ignore_errors(true).try_get_matches_from(words).ok()?;
    matches.subcommand_name().map(str::to_owned)
}

/// Whether an option may be repeated.
pub fn repeats(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Append)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Command;

    fn parse(words: &[&str]) -> Args {
        read(words.iter().map(OsString::from).collect()).expect("sound")
    }

    #[test]
    fn paths_and_options_stand_before_and_after_commands() {
        let args = parse(&["bouncestat", "--since", "24h", "a", "b"]);
        assert!(args.command.is_none());
        assert_eq!((args.paths.len(), args.common.since.as_deref()), (2, Some("24h")));
        let args = parse(&["bouncestat", "--since", "24h", "attempts", "a", "--top", "3"]);
        assert!(matches!(args.command, Some(Command::Attempts(ref paths)) if paths.paths.paths.len() == 1));
        assert_eq!((args.common.since.as_deref(), args.common.top), (Some("24h"), Some(3)));
        let args = parse(&["bouncestat", "--since", "24h", "attempts", "--since", "7d"]);
        assert_eq!(args.common.since.as_deref(), Some("7d"));
    }

    #[test]
    fn the_command_is_found_behind_a_value_of_the_same_name() {
        let words: Vec<OsString> = ["bouncestat", "--host", "check", "check", "x"].iter().map(OsString::from).collect();
        assert_eq!(place(&definition(), &words, "check"), 3);
    }
}
