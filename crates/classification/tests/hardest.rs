//! The table of the hardest replies in docs/classification.md holds: each row is a reply, its reason, class and disposition.
//!
//! A row reads `| `550 Rejected` | unknown | hard | review | no evidence |`.

use bouncestat_classification::Classifier;
use bouncestat_record::Reply;

#[test]
fn the_table_of_the_hardest_replies_holds() {
    let document = include_str!("../../../docs/classification.md");
    let table = document.split("## The hardest replies").nth(1).expect("the section");
    let table = table.split("\n## ").next().expect("its text");
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in table.lines().filter(|l| l.starts_with("| `")) {
        count += 1;
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [reply, reason, class, disposition, why] = cells.as_slice() else { panic!("five cells: {row}") };
        assert!(!why.is_empty(), "says why: {row}");
        let text = reply.trim_matches('`').replace("\\n", "\n");
        let verdict = Classifier::builtin().classify(&Reply { text: text.as_bytes(), ..Reply::default() });
        let got = [verdict.reason.as_str(), verdict.class.as_str(), verdict.disposition.as_str()];
        if got != [*reason, *class, *disposition] {
            wrong.push(format!("{got:?} by {}: {row}", verdict.rule_id));
        }
    }
    assert!(count >= 20, "only {count} rows");
    assert!(wrong.is_empty(), "{} of {count} wrong\n{}", wrong.len(), wrong.join("\n"));
}
