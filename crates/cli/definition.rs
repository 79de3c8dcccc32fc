//! The one definition of the command line: which command takes which of the common options.
//!
//! Parsing, help, completions and man pages are made from it, so that a command shows and takes only what it has a use for. Options
//! may stand before the command, too (`bouncestat --since 24h attempts`); one that the command does not take is an error then as well.

use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, Command, CommandFactory, parser::ValueSource};

use crate::args::Args;

const WINDOW: &[&str] = &["since", "until", "as_of", "tz"];
const INPUT: &[&str] = &["mta", "host", "recursive", "domain"];
const JUDGE: &[&str] = &["rules", "quota_class"];
const RUN: &[&str] = &["threads", "no_progress"];
const PRIVACY: &[&str] = &["redact", "redact_key_file"];
/// Where the payload goes, and as what.
const PAYLOAD: &[&str] = &["format", "output"];
/// What every command takes.
const ALWAYS: &[&str] = &["quiet", "config"];
/// What only the report takes, which takes all options.
const REPORT: &[&str] = &["table", "fail_over", "unrecognised"];

/// The common options of a command, by its path (`["rules", "stats"]`); `None`: all of them.
fn taken(path: &[&str]) -> Option<Vec<&'static str>> {
    let groups: &[&[&str]] = match path {
        [] | ["report"] => return None,
        ["attempts"] => &[
            WINDOW,
            INPUT,
            JUDGE,
            RUN,
            PRIVACY,
            PAYLOAD,
            &["top", "export", "csv_excel", "width", "color", "unrecognised"],
            ALWAYS,
        ],
        ["rejects"] => &[
            WINDOW,
            INPUT,
            JUDGE,
            RUN,
            PRIVACY,
            PAYLOAD,
            &["top", "table", "export", "csv_excel", "width", "color", "unrecognised"],
            ALWAYS,
        ],
        ["check"] => &[WINDOW, INPUT, JUDGE, RUN, PRIVACY, PAYLOAD, &["top"], ALWAYS],
        ["suspects"] | ["suppress"] => {
            &[WINDOW, INPUT, JUDGE, RUN, PRIVACY, PAYLOAD, &["top", "table", "export", "csv_excel", "width", "color"], ALWAYS]
        }
        ["collect"] => &[&["tz"], &["mta", "host", "recursive"], JUDGE, RUN, PRIVACY, PAYLOAD, ALWAYS],
        ["follow"] => &[&["since", "tz"], INPUT, JUDGE, RUN, PRIVACY, PAYLOAD, &["color", "width"], ALWAYS],
        ["reclassify"] | ["compact"] | ["verify"] => &[JUDGE, RUN, PAYLOAD, ALWAYS],
        ["expire"] => &[&["as_of", "tz"], JUDGE, RUN, PAYLOAD, ALWAYS],
        ["classify"] | ["explain"] => &[JUDGE, PRIVACY, PAYLOAD, ALWAYS],
        ["rules", "list"] => &[JUDGE, PAYLOAD, ALWAYS],
        ["rules", "stats"] => &[WINDOW, INPUT, JUDGE, RUN, &["top", "output"], ALWAYS],
        ["schema"] => &[PAYLOAD, ALWAYS],
        ["completions"] => &[&["output"], ALWAYS],
        ["rules", "lint"] | ["man"] => &[ALWAYS],
        _ => return None,
    };
    Some(groups.concat())
}

/// Whether a command takes a common option. A command that stands in no list reads logs and makes tables.
pub fn takes(path: &[&str], option: &str) -> bool {
    match taken(path) {
        Some(options) => options.contains(&option),
        None => matches!(path, [] | ["report"]) || !REPORT.contains(&option),
    }
}

/// Whether a command writes a format.
pub fn has_format(path: &[&str], name: &str) -> bool {
    formats(path).contains(&name)
}

/// The formats of a command, where they are not those of the report.
fn formats(path: &[&str]) -> Vec<&'static str> {
    match path {
        ["schema"] => vec!["markdown", "json"],
        ["rules", "list"] | ["explain"] => vec!["table", "json"],
        ["classify"] => vec!["jsonl", "json"],
        ["check"] => vec!["nagios", "json"],
        ["follow"] => vec!["table", "jsonl"],
        ["collect"] | ["reclassify"] | ["compact"] | ["expire"] | ["verify"] => vec!["table", "json"],
        ["rejects"] => bouncestat_export::FORMATS.iter().map(|f| f.name()).filter(|name| *name != "prometheus").collect(),
        ["attempts"] => bouncestat_export::FORMATS.iter().filter(|f| f.has_attempts()).map(|f| f.name()).collect(),
        _ => bouncestat_export::FORMATS.iter().map(|f| f.name()).collect(),
    }
}

/// The definition.
pub fn definition() -> Command {
    build(false)
}

/// The definition for completions and man pages, where the values of `--format` are listed.
pub fn for_documents() -> Command {
    build(true)
}

/// The version of the program and of its rules, which must be compiled for it.
pub fn version() -> &'static str {
    static VERSION: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    VERSION.get_or_init(|| {
        let rules = bouncestat_classification::Classifier::builtin().rules_version();
        format!("{} (rules {rules})", env!("CARGO_PKG_VERSION"))
    })
}

fn build(documents: bool) -> Command {
    let all = Args::command();
    let common: Vec<clap::Arg> = all.get_arguments().filter(|a| !a.is_positional()).cloned().collect();
    let command = shaped(all, &[], documents).version(if documents { version() } else { env!("CARGO_PKG_VERSION") });
    with_common(command, &common, &mut Vec::new(), documents)
}

/// Gives every command below the options that it takes; a command of commands takes what any of them takes.
fn with_common(mut command: Command, common: &[clap::Arg], path: &mut Vec<String>, documents: bool) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for name in names {
        path.push(name.clone());
        command = command.mut_subcommand(&name, |mut sub| {
            let here: Vec<&str> = path.iter().map(String::as_str).collect();
            let below: Vec<String> = sub.get_subcommands().map(|c| c.get_name().to_owned()).collect();
            for arg in common {
                let id = arg.get_id().as_str();
                let own = sub.get_arguments().any(|a| a.get_id() == arg.get_id());
                let wanted = match &below[..] {
                    [] => takes(&here, id),
                    below => below.iter().any(|b| takes(&[&here[..], &[b]].concat(), id)),
                };
                if wanted && !own {
                    sub = sub.arg(arg.clone());
                }
            }
            sub = shaped(sub, &here, documents);
            with_common(sub, common, path, documents)
        });
        path.pop();
    }
    command
}

/// Names the formats of a command.
fn shaped(command: Command, path: &[&str], documents: bool) -> Command {
    if !command.get_arguments().any(|a| a.get_id() == "format") {
        return command;
    }
    let names = formats(path);
    let default = match path {
        [] | ["report"] | ["attempts"] => "by the extension of -o, else table",
        _ => names[0],
    };
    let help =
        if documents { format!("Format [default: {default}]") } else { format!("{} [default: {default}]", names.join(", ")) };
    command.mut_arg("format", |arg| {
        let arg = arg.help(help);
        if documents { arg.value_parser(PossibleValuesParser::new(names)) } else { arg }
    })
}

/// The commands of a command line, outermost first, and the matches of each, those before the first command first.
pub fn levels(matches: &ArgMatches) -> (Vec<&str>, Vec<&ArgMatches>) {
    let (mut path, mut levels) = (Vec::new(), vec![matches]);
    let mut at = matches;
    while let Some((name, below)) = at.subcommand() {
        path.push(name);
        levels.push(below);
        at = below;
    }
    (path, levels)
}

/// Whether an option was typed, and not only has a default.
pub fn is_typed(matches: &ArgMatches, id: &str) -> bool {
    matches.try_contains_id(id).is_ok() && matches.value_source(id) == Some(ValueSource::CommandLine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_sound() {
        definition().debug_assert();
        for_documents().debug_assert();
    }

    #[test]
    fn a_command_has_only_what_it_takes() {
        let all = definition();
        let options = |path: &[&str]| {
            let mut command = &all;
            for name in path {
                command = command.find_subcommand(name).expect("a command");
            }
            command.get_arguments().map(|a| a.get_id().to_string()).collect::<Vec<_>>()
        };
        assert!(options(&["attempts"]).contains(&"since".into()) && !options(&["attempts"]).contains(&"fail_over".into()));
        assert!(!options(&["explain"]).contains(&"since".into()));
        assert!(options(&["rules", "stats"]).contains(&"since".into()) && !options(&["rules", "list"]).contains(&"since".into()));
    }

    #[test]
    fn the_groups_name_options_that_exist() {
        let command = Args::command();
        for group in [WINDOW, INPUT, JUDGE, RUN, PRIVACY, PAYLOAD, ALWAYS, REPORT] {
            for option in group {
                assert!(command.get_arguments().any(|a| a.get_id() == option), "{option}");
            }
        }
    }
}
