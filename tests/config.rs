//! `bouncestat.toml`: where it is found, what overrules it, and what is said of mistakes.

use crate::common::{Folder, bytes_of, command, finish, root, run, sample, total};

fn lab() -> String {
    sample("postfix/lab-long")
}

#[test]
fn flags_overrule_the_file_and_the_file_the_defaults() {
    let folder = Folder::with("b.toml", "format = \"csv\"\ntop = 2\ntz = \"UTC\"\n\n[check]\nmax = [\"hard_rate=5%\"]\n");
    let config = folder.path("b.toml");
    let rows = |args: &[&str]| run(&[args, &["--config", &config, &lab()]].concat()).exits(0).text().lines().count();
    assert_eq!((rows(&[]), rows(&["--top", "5"]), rows(&["report", "--top", "5"])), (3, 6, 6));
    // A format is for the commands that have it, and an extension that is typed comes first.
    assert!(run(&["--config", &config, "explain", "550"]).exits(0).text().contains("reason"));
    run(&["--config", &config, "-o", &folder.path("r.json"), &lab()]).exits(0);
    assert!(std::fs::read(folder.path("r.json")).unwrap().starts_with(b"{"));
    run(&["--config", &config, &lab()]).exits(0).says(&["settings of", "b.toml: format, top, tz"]);
    // A command takes of it what it has a use for.
    run(&["--config", &config, "rules", "stats", &lab()]).exits(0).says(&["b.toml: top, tz"]);
    run(&["check", "--config", &config, "--format", "json", &lab()]).exits(2).says(&["check.max"]);
    let more = folder.file("c.toml", "top = 2\ntz = \"UTC\"\n[report]\ntop = 4\nformat = \"csv\"\n[check]\nformat = \"json\"\n");
    let rows = |args: &[&str]| run(&[args, &["--config", &more, &lab()]].concat()).exits(0).text().lines().count();
    assert_eq!((rows(&[]), rows(&["report"]), rows(&["--top", "5"])), (5, 5, 6), "a section overrules what stands above it");
    run(&["check", "--config", &config, "--format", "json", "--max", "hard_rate=90%", &lab()]).exits(0);
}

#[test]
fn the_usual_places_and_the_environment() {
    let folder = Folder::with("bouncestat/bouncestat.toml", "format = \"json\"\n");
    let other = Folder::with("b.toml", "format = \"csv\"\n");
    let begins = |configure: &dyn Fn(&mut std::process::Command) -> bool, start: &str| {
        let mut command = command();
        command.env_remove("BOUNCESTAT_CONFIG").env("XDG_CONFIG_HOME", folder.path(""));
        assert!(configure(command.args(["--tz", "UTC", &lab()])));
        let ran = finish(&mut command, b"").exits(0);
        assert!(ran.text().starts_with(start), "{}", &ran.text()[..80]);
    };
    if cfg!(unix) {
        begins(&|_| true, "{");
    }
    begins(&|c| c.env("BOUNCESTAT_CONFIG", other.path("b.toml")).get_envs().len() > 0, "domain,");
    begins(&|c| c.env("BOUNCESTAT_CONFIG", "").get_envs().len() > 0, "bouncestat ");
    begins(
        &|c| c.env("BOUNCESTAT_CONFIG", "/no/such/file").args(["--config", &other.path("b.toml")]).get_envs().len() > 0,
        "domain,",
    );
}

#[test]
fn paths_are_read_where_none_is_typed() {
    let folder = Folder::with("logs/mail.log", bytes_of(&sample("postfix/sink/maillog")));
    let config = folder.file("b.toml", "paths = [\"logs/*.log\"]\ntz = \"UTC\"\n");
    let report = run(&["--config", &config, "--format", "json"]).exits(0).json();
    assert_eq!(total(&report, "deliveries"), 23);
    let report = run(&["--config", &config, "--format", "json", &lab()]).exits(0).json();
    assert_eq!(total(&report, "deliveries"), 139, "what is typed is read instead");
}

#[test]
fn mistakes_name_file_line_and_key() {
    let wrong = |text: &str, words: &[&str]| {
        let folder = Folder::with("b.toml", text);
        let ran = run(&["--config", &folder.path("b.toml"), &lab()]).exits(2).says(&["b.toml, line "]).says(words);
        assert!(ran.out.is_empty());
    };
    wrong("tz = \"UTC\"\nsinse = \"24h\"\n", &["line 2", "no setting \"sinse\"", "did you mean since?"]);
    wrong("quota_class = \"soft\"\n", &["line 1", "quota_class", "quota-class"]);
    wrong("threads = 0\n", &["line 1", "threads"]);
    wrong("mta = \"sendmail\"\n", &["line 1", "sendmail", "postfix"]);
    wrong("recursive = \"yes\"\n", &["line 1", "true or false"]);
    wrong("since = [\"1h\", \"2h\"]\n", &["line 1", "one value"]);
    wrong("output = \"x\"\n", &["command line"]);
    wrong("a = \n", &["line 1"]);
    wrong("[check]\n\nmaxx = [\"hard=1\"]\n", &["line 3", "maxx"]);
    wrong("[check]\nby = \"sender\"\n", &["line 2", "sender-domain"]);
    run(&["--config", "no/such.toml", &lab()]).exits(2).says(&["no/such.toml", "cannot be read"]);
    // A wrong value that only a run finds names the file, too.
    let folder = Folder::with("b.toml", "since = \"nonsense\"\n");
    run(&["--config", &folder.path("b.toml"), &lab()]).exits(2).says(&["\"nonsense\" is no time", "b.toml were in use"]);
}

/// The example is read as it is, and with every line that is a setting in force.
#[test]
fn the_example_is_sound() {
    let example = std::fs::read_to_string(root().join("packaging/bouncestat.toml")).unwrap();
    let folder = Folder::with("b.toml", &example);
    run(&["--config", &folder.path("b.toml"), &lab()]).exits(0);
    let is_setting =
        |line: &str| line.split_once(" = ").is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
    let all: String =
        example.lines().map(|l| l.strip_prefix('#').filter(|l| is_setting(l)).unwrap_or(l).to_owned() + "\n").collect();
    assert!(all.matches('#').count() + 8 < example.matches('#').count(), "{all}");
    folder.file("b.toml", &all);
    folder.file("redact.key", "0123456789abcdef");
    folder.file("rules.toml", "");
    run(&["--config", &folder.path("b.toml"), "--since", "2026-01-01", &lab()]).exits(1).says(&["fail-over"]);
    // Every option that may be set stands in it.
    let help = run(&["--help"]).exits(0);
    let long =
        |line: &str| line.trim().split("--").nth(1).map(|rest| rest.split([' ', '<']).next().unwrap_or("").trim().to_owned());
    for option in help.text().lines().filter(|l| l.trim_start().starts_with('-') && !l.contains(" - ")).filter_map(long) {
        let once = [
            "help",
            "version",
            "config",
            "output",
            "export",
            "until",
            "as-of",
            "domain",
            "table",
            "csv-excel",
            "compare",
            "unrecognised",
        ];
        assert!(
            once.contains(&option.as_str()) || all.contains(&format!("{option} = ")),
            "--{option} is not in packaging/bouncestat.toml"
        );
    }
}
