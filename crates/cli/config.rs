//! `bouncestat.toml`: where it is looked for, and what it says, each with its line. What settings mean, `layers` knows.
//!
//! ```toml
//! tz = "Europe/Berlin"
//! [check]
//! max = ["hard_rate=5%", "deferred=1000"]
//! ```

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Arg;
use toml::de::{DeTable, DeValue};

use crate::layers::repeats;

/// The name of the file.
const NAME: &str = "bouncestat.toml";
/// Options that belong to one run and not into a file: one that sends the payload elsewhere would be a trap.
const NOT_IN_A_FILE: [&str; 5] = ["config", "output", "export", "help", "version"];
/// Settings that name files; those that are not absolute lie beside the file of settings.
const FILES: [&str; 2] = ["rules", "redact-key-file"];

/// A file of settings.
#[derive(Debug)]
pub struct File {
    /// Where it lies.
    pub path: PathBuf,
    /// What it says for every command.
    pub settings: Vec<Setting>,
    /// What to read where no PATH is given.
    pub paths: Vec<PathBuf>,
    /// What it says for one command.
    pub sections: Vec<Section>,
}

/// `[check]` and what follows it.
#[derive(Debug)]
pub struct Section {
    /// The command.
    pub name: String,
    /// Its options.
    pub settings: Vec<Setting>,
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// A long option, without its dashes.
    pub key: String,
    /// What it is set to: one value, or several.
    values: Vec<Scalar>,
    /// Whether they stood in brackets.
    is_list: bool,
    /// The line that it stands in, counted from 1.
    line: usize,
}

#[derive(Debug)]
enum Scalar {
    Text(String),
    Switch(bool),
}

/// Whether an option may stand in a file.
pub fn may_be_set(option: &Arg) -> bool {
    option.get_long().is_some_and(|long| !NOT_IN_A_FILE.contains(&long))
}

/// Finds and reads the file: the one that is named, else by `BOUNCESTAT_CONFIG` (empty: none), else the first of the usual places.
pub fn find(named: Option<&Path>, common: &[Arg], commands: &BTreeSet<String>) -> Result<Option<File>> {
    let path = match (named, std::env::var_os("BOUNCESTAT_CONFIG")) {
        (Some(path), _) => path.to_owned(),
        (None, Some(path)) if path.is_empty() => return Ok(None),
        (None, Some(path)) => path.into(),
        (None, None) => match places().into_iter().find(|path| path.exists()) {
            Some(path) => path,
            None => return Ok(None),
        },
    };
    let text = std::fs::read_to_string(&path).with_context(|| format!("{}: the settings cannot be read", path.display()))?;
    read(path, &text, common, commands).map(Some)
}

/// The usual places, the user's own first.
fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if cfg!(windows) {
        places.extend(of("APPDATA").into_iter().chain(of("ProgramData")).map(|dir| dir.join("bouncestat").join(NAME)));
    } else {
        let own = of("XDG_CONFIG_HOME").or_else(|| of("HOME").map(|home| home.join(".config")));
        places.extend(own.map(|dir| dir.join("bouncestat").join(NAME)));
        places.push(Path::new("/etc/bouncestat").join(NAME));
    }
    places
}

fn read(path: PathBuf, text: &str, common: &[Arg], commands: &BTreeSet<String>) -> Result<File> {
    let line = |at: usize| 1 + text.as_bytes()[..at.min(text.len())].iter().filter(|b| **b == b'\n').count();
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        anyhow!("{}, line {}: {}", path.display(), line(at), error.message())
    })?;
    let mut file = File { path, settings: Vec::new(), paths: Vec::new(), sections: Vec::new() };
    for (key, value) in table.get_ref() {
        let at = line(key.span().start);
        let name = key.get_ref().to_string();
        if let DeValue::Table(inner) = value.get_ref() {
            if !commands.contains(&name) {
                let known = commands.iter().map(String::as_str);
                bail!("{}, line {at}: there is no command {name:?}{}", file.path.display(), near(&name, known));
            }
            let mut section = Section { name, settings: Vec::new() };
            for (key, value) in inner {
                section.settings.push(Setting::new(key.get_ref(), value.get_ref(), line(key.span().start), &file.path)?);
            }
            section.settings.sort_by_key(|setting| setting.line);
            file.sections.push(section);
            continue;
        }
        let setting = Setting::new(&name, value.get_ref(), at, &file.path)?;
        if name == "paths" {
            file.paths = setting.texts().map(|text| beside(&file.path, text)).collect();
        } else {
            file.settings.push(setting);
        }
    }
    file.settings.sort_by_key(|setting| setting.line);
    // What is wrong in the file is said whichever command runs.
    for setting in &file.settings {
        if !common.iter().any(|o| o.get_long() == Some(&setting.key) && may_be_set(o)) {
            let known = common.iter().filter(|o| may_be_set(o)).filter_map(Arg::get_long).chain(["paths"]);
            return Err(setting.unknown(&file.path, known));
        }
    }
    Ok(file)
}

/// A path as the file means it.
fn beside(file: &Path, text: &str) -> PathBuf {
    match file.parent() {
        Some(folder) if text != "-" => folder.join(text),
        _ => text.into(),
    }
}

impl Setting {
    fn new(key: &str, value: &DeValue<'_>, line: usize, path: &Path) -> Result<Self> {
        let scalar = |value: &DeValue<'_>| {
            Some(match value {
                DeValue::String(text) => Scalar::Text(text.to_string()),
                DeValue::Integer(n) => Scalar::Text(n.as_str().to_owned()),
                DeValue::Float(n) => Scalar::Text(n.as_str().to_owned()),
                DeValue::Datetime(at) => Scalar::Text(at.to_string()),
                DeValue::Boolean(on) => Scalar::Switch(*on),
                _ => return None,
            })
        };
        let (values, is_list) = match value {
            DeValue::Array(list) => (list.iter().map(|value| scalar(value.get_ref())).collect(), true),
            value => (scalar(value).map(|value| vec![value]), false),
        };
        let wrong =
            || anyhow!("{}, line {line}: {key} is neither a text, a number, true or false, nor a list of these", path.display());
        Ok(Self { key: key.to_owned(), values: values.ok_or_else(wrong)?, is_list, line })
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter_map(|value| match value {
            Scalar::Text(text) => Some(text.as_str()),
            Scalar::Switch(_) => None,
        })
    }

    /// The text of a setting that is one.
    pub fn text(&self) -> &str {
        self.texts().next().unwrap_or_default()
    }

    /// The setting as words of a command line.
    pub fn words(&self, option: &Arg, path: &Path) -> Result<Vec<OsString>> {
        let long = format!("--{}", self.key);
        if !option.get_action().takes_values() {
            return match self.values[..] {
                [Scalar::Switch(on)] => Ok(on.then(|| long.into()).into_iter().collect()),
                _ => Err(self.wrong(path, "it is true or false")),
            };
        }
        if self.texts().count() != self.values.len() {
            return Err(self.wrong(path, "it is not true or false, but a value"));
        }
        if self.is_list && !repeats(option) {
            return Err(self.wrong(path, "it is one value, not a list"));
        }
        let value = |text: &str| match FILES.contains(&self.key.as_str()) {
            true => beside(path, text).into_os_string(),
            false => text.into(),
        };
        let word = |text: &str| {
            let mut word = OsString::from(format!("{long}="));
            word.push(value(text));
            word
        };
        Ok(self.texts().map(word).collect())
    }

    /// The error of a setting that does not exist.
    pub fn unknown<'a>(&self, path: &Path, known: impl Iterator<Item = &'a str>) -> anyhow::Error {
        let why = match NOT_IN_A_FILE.contains(&self.key.as_str()) {
            true => "; it belongs on the command line".to_owned(),
            false => near(&self.key, known),
        };
        anyhow!("{}, line {}: there is no setting {:?}{why}", path.display(), self.line, self.key)
    }

    /// The error of a setting with a wrong value.
    pub fn wrong(&self, path: &Path, why: &str) -> anyhow::Error {
        anyhow!("{}, line {}: {}: {why}", path.display(), self.line, self.key)
    }
}

/// `; did you mean …?`, where something is near.
pub fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let distance = |known: &&str| strsim::damerau_levenshtein(&name.replace('_', "-"), &known.replace('_', "-"));
    let best = known.min_by_key(distance).filter(|best| distance(best) <= 1 + name.len() / 4);
    best.map(|best| format!("; did you mean {best}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn file(text: &str) -> Result<File> {
        let common: Vec<Arg> = crate::args::Args::command().get_arguments().cloned().collect();
        read("x/b.toml".into(), text, &common, &BTreeSet::from(["check".to_owned()]))
    }

    #[track_caller]
    fn fails(text: &str, words: &str) {
        let error = file(text).map(|_| ()).expect_err("it is wrong").to_string();
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn errors_name_file_line_and_key() {
        fails("tz = \"UTC\"\n\nsince_when = 1\n", "x/b.toml, line 3: there is no setting \"since_when\"");
        fails("no_progress = true\n", "did you mean no-progress?");
        fails("output = \"a\"\n", "belongs on the command line");
        fails("[chek]\nmax = 1\n", "line 1: there is no command \"chek\"; did you mean check?");
        fails("tz = \"UTC\"\ntz = \"UTC\"\n", "line 2");
        fails("tz = { a = 1 }\n", "line 1: there is no command \"tz\"");
        fails("paths = [[1]]\n", "neither a text");
    }

    #[test]
    fn paths_lie_beside_the_file() {
        let file = file("paths = [\"logs/a\", \"/var/log/b\"]\n").unwrap();
        assert_eq!(file.paths, [Path::new("x/logs/a"), Path::new("/var/log/b")]);
    }
}
