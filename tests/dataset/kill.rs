//! SIGKILL at moments that nobody chose, while a log grows and rotates: nothing is lost, nothing is counted twice.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::answers::{Answers, is_dataset, is_tidy, parquet_rows, report_of};
use super::logs::{Log, Numbers, lines_of};
use super::{collect, thorough};
use crate::common::{Folder, command};

/// The laboratory's log as many hosts would have written it side by side, in the order of time.
fn many_hosts(hosts: usize) -> Vec<Vec<u8>> {
    let of_hosts = |line: Vec<u8>| {
        let line = String::from_utf8_lossy(&line).into_owned();
        (0..hosts).map(move |host| line.replacen(" lab postfix", &format!(" lab{host} postfix"), 1).into_bytes())
    };
    lines_of("postfix/lab-long/maillog").into_iter().flat_map(of_hosts).collect()
}

/// Runs and kills; gives whether the run was still there.
fn collect_and_kill(logs: &str, into: &str, after: Duration) -> bool {
    let mut command = command();
    command.args(["collect", "--tz", "UTC", "--into", into, logs]);
    let run = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut run = run.expect("the program starts");
    std::thread::sleep(after);
    run.kill().expect("it is a run of this test");
    run.wait().expect("it ends").code().is_none()
}

fn lines_in(report: &str) -> u64 {
    let report: Value = serde_json::from_str(report).expect("a report");
    report["coverage"]["lines"].as_u64().expect("lines")
}

#[test]
fn killed_at_random_moments() {
    let (kills, hosts) = if thorough() { (200, 60) } else { (20, 20) };
    let lines = many_hosts(hosts);
    let folder = Folder::new();
    let log = Log::new(folder.path("mx"), "mail.log");
    let dataset = folder.path("ds");
    // How long a run over all of it takes when nothing disturbs it.
    let all = folder.file("all/mail.log", lines.concat());
    let begun = Instant::now();
    collect(&[&all], &folder.path("other")).exits(0);
    let whole = begun.elapsed();

    log.grow(&lines[..lines.len() / 4].concat());
    let mut numbers = Numbers(20);
    let (mut done, mut tried, mut committed, mut written) = (0, 0, 0, lines.len() / 4);
    // A run that is over before it is killed is tried again; where all of them are so fast, the test ends all the same.
    while done < kills && tried < 4 * kills {
        tried += 1;
        let next = (written + lines.len() / (3 * kills)).min(lines.len());
        log.grow(&lines[written..next].concat());
        written = next;
        if tried % 12 == 0 && log.has_whole_line() {
            log.rotate(tried % 24 == 0);
            log.pack(2);
        }
        let delay = whole * numbers.below(1000) as u32 / 1000;
        done += usize::from(collect_and_kill(log.folder(), &dataset, delay));
        parquet_rows(&dataset);
        if is_dataset(&dataset) {
            let lines = lines_in(&report_of(&dataset));
            assert!(lines == committed || lines == written as u64, "kill {tried}: {lines}, not {committed} or {written}");
            committed = lines;
        } else {
            assert_eq!(committed, 0, "the manifest is gone");
        }
    }
    println!(
        "{done} kills, {tried} runs, {committed} of {written} lines committed before the last run; a whole run took {whole:?}"
    );
    collect(&[log.folder()], &dataset).exits(0);
    is_tidy(&dataset);
    let batch = Answers::of(&[log.folder()]).without_places();
    let answers = Answers::of(&[&dataset]);
    assert_eq!(parquet_rows(&dataset).len(), answers.attempts().len());
    let undisturbed = folder.path("undisturbed");
    collect(&[log.folder()], &undisturbed).exits(0);
    let answers = answers.without_places();
    Answers::of(&[&undisturbed]).without_places().equal(&answers, "killed, and undisturbed");
    batch.equal(&answers, "killed, and the logs");
}
