//! The laboratory: real Postfix and real Exim deliver to a scripted server, and what we make of their logs is compared with the script,
//! recipient by recipient (`lab/README.md`).
//!
//! The truth is never ours: `lab/run` writes it from `lab/scenarios.toml`, after it has checked that the wire saw the same. Logs of one good
//! run of each server are samples, and are compared without the servers. `BOUNCESTAT_LAB` says whether the servers themselves run:
//! `required` (they must), `off`, or nothing (where the machine can run them).

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use crate::common::{Folder, report, root, run, sample};

/// `lab/run` exits so where the machine cannot run the servers.
const CANNOT: i32 = 77;

const SERVERS: [&str; 2] = ["postfix", "exim"];

fn truth_in(folder: &str) -> Value {
    let path = root().join(folder).join("expected/truth.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("no {name}"))
}

/// What is not as the script says, by scenario; "" for what belongs to none.
fn differences(folder: &str, truth: &Value) -> BTreeMap<String, Vec<String>> {
    let ran = run(&["attempts", "--tz", "UTC", "--format", "jsonl", folder]).exits(0);
    let attempts: Vec<Value> = ran.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let report = report(&[folder]);
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut say = |scenario: &str, what: String| wrong.entry(scenario.to_owned()).or_default().push(what);
    let mut domains: BTreeMap<&str, &str> = BTreeMap::new();
    for expected in list(truth, "recipients") {
        let (scenario, recipient) =
            (expected["scenario"].as_str().expect("a name"), expected["recipient"].as_str().expect("one"));
        let ours: Vec<&Value> = attempts.iter().filter(|row| row["recipient"] == recipient).collect();
        if json!(ours.len()) != expected["attempts"] {
            say(scenario, format!("{recipient}: {} attempts, not {}", ours.len(), expected["attempts"]));
        }
        if let Some(last) = ours.last() {
            domains.insert(last["recipient_domain"].as_str().expect("a domain"), scenario);
            for difference in of_attempt(last, expected) {
                say(scenario, format!("{recipient}: {difference}\n        {}", last["reply_text"]));
            }
        }
    }
    for row in &attempts {
        if !list(truth, "recipients").iter().any(|expected| expected["recipient"] == row["recipient"]) {
            say("", format!("an attempt for {}, which the script does not know", row["recipient"]));
        }
    }
    let rows: BTreeMap<&str, &Value> =
        list(&report, "domains").iter().map(|row| (row["domain"].as_str().expect("one"), row)).collect();
    for (domain, expected) in truth["domains"].as_object().expect("domains") {
        let scenario = domains.get(domain.as_str()).copied().unwrap_or_default();
        for (name, number) in expected.as_object().expect("a row") {
            let ours = rows.get(domain.as_str()).map_or(&Value::Null, |row| &row[name]);
            if ours != number {
                say(scenario, format!("{domain}: {name} is {ours}, not {number}"));
            }
        }
    }
    for part in ["totals", "excluded"] {
        for (name, number) in truth[part].as_object().expect("numbers") {
            if report[part][name] != *number {
                say("", format!("{part}: {name} is {}, not {number}", report[part][name]));
            }
        }
    }
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for row in list(&report, "reasons") {
        *reasons.entry(row["reason"].as_str().expect("a reason")).or_default() += row["deliveries"].as_u64().expect("a number");
    }
    if json!(reasons) != truth["reasons"] {
        say("", format!("reasons: {}, not {}", json!(reasons), truth["reasons"]));
    }
    if report["coverage"]["unrecognised"] != 0 {
        say("", format!("{} lines are not understood", report["coverage"]["unrecognised"]));
    }
    wrong
}

/// What the last attempt of a recipient says otherwise than the script.
fn of_attempt(last: &Value, expected: &Value) -> Vec<String> {
    // An attempt is never expired: what expires was deferred before.
    let outcome = if expected["outcome"] == "expired" { &json!("deferred") } else { &expected["outcome"] };
    let mut columns = vec![("outcome", outcome), ("instance", &expected["instance"])];
    if expected["outcome"] != "delivered" {
        columns.extend(["class", "reason", "stage", "smtp_code", "enhanced_code"].map(|name| (name, &expected[name])));
    }
    columns.retain(|(name, value)| last[*name] != **value);
    columns.iter().map(|(name, value)| format!("{name} is {}, not {value}", last[*name])).collect()
}

/// One server's truth, and what is not so.
struct Compared {
    server: &'static str,
    truth: Value,
    wrong: BTreeMap<String, Vec<String>>,
}

/// Prints a line a scenario and a column a server; gives what is wrong.
fn table(results: &[Compared]) -> Vec<String> {
    let mut names: Vec<&str> = Vec::new();
    for Compared { truth, .. } in results {
        let new = truth["scenarios"].as_object().expect("scenarios").keys().map(String::as_str);
        names.extend(new.filter(|name| !names.contains(name)).collect::<Vec<_>>());
    }
    let mut lines = vec![format!("{:26}{}", "scenario", results.iter().map(|r| format!("{:>16}", r.server)).collect::<String>())];
    for name in names {
        let cell = |Compared { truth, wrong, .. }: &Compared| {
            let recipients = list(truth, "recipients").iter().filter(|row| row["scenario"] == name).count();
            let text = match (wrong.get(name), truth["scenarios"].get(name), recipients) {
                (Some(_), ..) => "DIFFERS".to_owned(),
                (_, None, _) => "-".to_owned(),
                (_, _, 0) => "equal, excluded".to_owned(),
                (_, _, 1) => "equal".to_owned(),
                _ => format!("equal, {recipients}"),
            };
            format!("{text:>16}")
        };
        lines.push(format!("{name:26}{}", results.iter().map(cell).collect::<String>()));
    }
    let sums = |Compared { truth, .. }: &Compared| format!("{:>16}", truth["scenarios"].as_object().expect("scenarios").len());
    lines.push(format!("{:26}{}", "scenarios", results.iter().map(sums).collect::<String>()));
    let sums = |Compared { truth, .. }: &Compared| format!("{:>16}", truth["totals"]["deliveries"].to_string());
    lines.push(format!("{:26}{}", "deliveries", results.iter().map(sums).collect::<String>()));
    println!("{}", lines.join("\n"));
    let tell = |server: &str, wrong: &BTreeMap<String, Vec<String>>| {
        wrong.iter().map(|(name, what)| format!("{server}, {name}:\n    {}", what.join("\n    "))).collect::<Vec<_>>()
    };
    results.iter().flat_map(|Compared { server, wrong, .. }| tell(server, wrong)).collect()
}

/// Compares folders with their truths, and demands that nothing differs.
fn compare(folders: &[(&'static str, String)]) {
    let results: Vec<_> = folders
        .iter()
        .map(|(server, folder)| {
            let truth = truth_in(folder);
            let wrong = differences(folder, &truth);
            Compared { server, truth, wrong }
        })
        .collect();
    let wrong = table(&results);
    assert!(wrong.is_empty(), "not as the script says:\n{}", wrong.join("\n"));
    for Compared { server, truth, .. } in &results {
        let scenarios = truth["scenarios"].as_object().expect("scenarios").len();
        assert!(scenarios >= 60, "only {scenarios} scenarios of {server}");
    }
}

#[test]
fn logs_of_a_good_run_are_as_the_script_says() {
    compare(&SERVERS.map(|server| (server, sample(&format!("{server}/lab-scenarios")))));
}

#[test]
fn real_servers_are_as_the_script_says() {
    let wish = std::env::var("BOUNCESTAT_LAB").unwrap_or_default();
    if wish == "off" {
        println!("skipped: BOUNCESTAT_LAB=off");
        return;
    }
    let folders = SERVERS.map(|server| (server, Folder::new()));
    // Both at once: each has a root and addresses of its own.
    let runs: Vec<_> = folders
        .iter()
        .map(|(server, folder)| {
            let mut command = Command::new("python3");
            command.arg(root().join("lab/run")).arg(server).arg(folder.path("")).env_remove("PYTHONPATH");
            std::thread::spawn(move || command.output())
        })
        .collect();
    let mut cannot = Vec::new();
    for run in runs {
        let said = match run.join().expect("the thread ends") {
            Ok(ran) if ran.status.success() => {
                print!("{}", String::from_utf8_lossy(&ran.stdout));
                continue;
            }
            Ok(ran) => {
                let said = String::from_utf8_lossy(&ran.stderr).into_owned();
                assert!(ran.status.code() == Some(CANNOT), "{said}");
                said
            }
            Err(error) => format!("python3: {error}"),
        };
        cannot.push(said);
    }
    if !cannot.is_empty() {
        assert_ne!(wish, "required", "{}", cannot.concat());
        println!("skipped: real servers were not run: {}", cannot.concat());
        return;
    }
    compare(&folders.each_ref().map(|(server, folder)| (*server, folder.path(""))));
}
