//! Two hosts of ours, one of which hands over to the other: whose log is collected first must not show.

use std::collections::HashSet;

use super::answers::{Answers, is_tidy, parquet_rows};
use super::collect;
use super::logs::lines_of;
use crate::common::{Folder, bytes_of, sample};

/// The queue id of a line of Postfix.
fn queue_id(line: &str) -> Option<&str> {
    let word = line.split_once("]: ")?.1.split_once(": ")?.0;
    (word.len() >= 6 && word.chars().all(|c| c.is_ascii_alphanumeric())).then_some(word)
}

/// The ids under which mail was handed over and that have lines of their own.
fn handed_over(lines: &[String]) -> HashSet<String> {
    let own: HashSet<&str> = lines.iter().filter_map(|line| queue_id(line)).collect();
    let named = lines.iter().filter_map(|line| Some(line.split_once("queued as ")?.1.trim_end().trim_end_matches(')')));
    named.filter(|id| own.contains(id)).map(ToOwned::to_owned).collect()
}

fn text_of(file: &str) -> Vec<String> {
    lines_of(file).into_iter().map(|line| String::from_utf8_lossy(&line).into_owned()).collect()
}

/// The laboratory's log as two hosts would have written it: what was handed back to the same Postfix went to another one.
pub fn two_hosts() -> [Vec<u8>; 2] {
    let lines = text_of("postfix/lab-long/maillog");
    let ids = handed_over(&lines);
    assert_eq!(ids.len(), 5);
    let (inner, outer): (Vec<String>, Vec<String>) =
        lines.into_iter().partition(|line| queue_id(line).is_some_and(|id| ids.contains(id)));
    assert!(inner.len() > 20);
    [outer.concat().into_bytes(), inner.concat().replace(" lab postfix", " relay postfix").into_bytes()]
}

/// How many rows name one of the ids in their reply.
fn rows_of_hops(dataset: &str, ids: &HashSet<String>) -> usize {
    let rows = parquet_rows(dataset);
    rows.iter().filter(|row| ids.iter().any(|id| row.contains(&format!("queued as {id}")))).count()
}

/// Collects two logs, one after the other, in both orders; the report is that of both logs, and rows of hops are gone.
#[track_caller]
fn in_either_order(outer: &[u8], inner: &[u8], ids: &HashSet<String>) {
    let folder = Folder::new();
    let paths = [folder.file("logs/mail.log", outer), folder.file("logs/relay.log", inner)];
    let batch = Answers::of(&[&folder.path("logs")]).without_places();
    let hops = batch.report("report")["excluded"]["hops"].as_u64().expect("a number") as usize;
    assert!(hops >= ids.len(), "{hops}");
    for order in [[0, 1], [1, 0]] {
        let dataset = folder.path(&format!("ds{}", order[0]));
        collect(&[&paths[order[0]]], &dataset).exits(0);
        let before = rows_of_hops(&dataset, ids);
        let told = collect(&[&paths[order[1]]], &dataset).exits(0).json();
        if order[0] == 0 {
            assert_eq!(before, hops, "they look like deliveries until the other log is there");
            assert!(told["made_again"].as_u64() > Some(0), "{told}");
        }
        assert_eq!(rows_of_hops(&dataset, ids), 0);
        let answers = Answers::of(&[&dataset]);
        assert_eq!(parquet_rows(&dataset).len(), answers.attempts().len());
        batch.equal(&answers.without_places(), if order[0] == 0 { "outer host first" } else { "inner host first" });
        is_tidy(&dataset);
    }
}

#[test]
fn two_hosts_in_either_order() {
    let [outer, inner] = two_hosts();
    let ids = handed_over(&text_of("postfix/lab-long/maillog"));
    in_either_order(&outer, &inner, &ids);
}

#[test]
fn hosts_a_and_b_in_either_order() {
    let lines = text_of("postfix/queue-life/maillog");
    let (b, a): (Vec<String>, Vec<String>) = lines.iter().cloned().partition(|line| line.contains("+00:00 b postfix"));
    let folder = Folder::new();
    let paths = [folder.file("logs/a.log", a.concat()), folder.file("logs/b.log", b.concat())];
    let batch = Answers::of(&[&folder.path("logs")]).without_places();
    for [first, second] in [[0, 1], [1, 0]] {
        let dataset = folder.path(&format!("ds{first}"));
        collect(&[&paths[first]], &dataset).exits(0);
        collect(&[&paths[second]], &dataset).exits(0);
        batch.equal(&Answers::of(&[&dataset]).without_places(), "a and b");
        let relayed = HashSet::from(["AEB2C3D4E5".to_owned()]);
        assert_eq!(rows_of_hops(&dataset, &relayed), 0);
    }
}

/// What tracking says of a recipient is completed by the protocol logs, whichever is collected first.
#[test]
fn exchange_tracking_and_send_protocol_in_either_order() {
    let folder = Folder::new();
    let names = ["MSGTRK2026032007-1.LOG", "SEND2026032007-1.LOG", "SEND2026032008-1.LOG"];
    let paths = names.map(|name| {
        folder.file(&format!("EX1/{name}"), bytes_of(&sample(&format!("exchange/send-protocol-and-tracking/{name}"))))
    });
    let batch = Answers::of(&[&folder.path("EX1")]);
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0], [0, 2, 1], [2, 0, 1]] {
        let dataset = folder.path(&format!("ds{order:?}"));
        for file in order {
            collect(&[&paths[file]], &dataset).exits(0);
        }
        batch.equal(&Answers::of(&[&dataset]), &format!("{order:?}"));
        assert_eq!(parquet_rows(&dataset).len(), batch.attempts().len());
    }
}
