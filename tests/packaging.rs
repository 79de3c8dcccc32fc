//! The units that are shipped: as closed as each other, each with its timer, and all in the package.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging")
}

/// The files with this ending: name and text.
fn units(ending: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let named = entries.filter(|path| path.extension().is_some_and(|e| e == ending));
    named.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())).collect()
}

/// What closes a service: its lines from `ProtectSystem=` to the next empty one.
fn closed(unit: &str) -> Vec<&str> {
    unit.lines().skip_while(|line| !line.starts_with("ProtectSystem=")).take_while(|line| !line.is_empty()).collect()
}

#[test]
fn services_are_closed_alike_and_run_as_their_user() {
    let services = units("service");
    let want = closed(&services["bouncestat"]);
    assert!(want.contains(&"NoNewPrivileges=yes") && want.contains(&"CapabilityBoundingSet=") && want.len() > 20, "{want:?}");
    for (name, unit) in &services {
        assert_eq!(closed(unit), want, "{name}.service");
        for line in ["User=bouncestat", "SupplementaryGroups=adm"] {
            assert!(unit.lines().any(|l| l == line), "{name}.service: {line}");
        }
        // Only what is written for another program's eyes may be read by all.
        let mode = if name == "bouncestat" { "StateDirectoryMode=0755" } else { "StateDirectoryMode=0750" };
        assert!(unit.lines().any(|l| l == mode), "{name}.service: {mode}");
    }
}

#[test]
fn what_is_not_started_at_boot_has_a_timer() {
    let timers = units("timer");
    for (name, unit) in units("service") {
        assert_ne!(unit.contains("WantedBy=multi-user.target"), timers.contains_key(&name), "{name}");
    }
    assert!(timers.values().all(|unit| unit.contains("WantedBy=timers.target")));
}

#[test]
fn both_ways_to_the_package_take_all_of_them() {
    let deb = fs::read_to_string(folder().join("deb.sh")).unwrap();
    let cargo = fs::read_to_string(folder().join("../Cargo.toml")).unwrap();
    for part in ["packaging/*.service", "packaging/*.timer", "packaging/bouncestat.sysusers", "packaging/bouncestat.tmpfiles"] {
        assert!(deb.contains(part) && cargo.contains(part), "{part}");
    }
}
