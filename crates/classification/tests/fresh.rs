//! Replies of our own, written before anybody looked how they are classified: every one has its reason, class and blocklist.
//!
//! The wording follows what servers and their manuals say; addresses are reserved ones.

use bouncestat_classification::Classifier;
use bouncestat_record::Reply;

#[test]
fn fresh_replies_of_our_own() {
    let classifier = Classifier::builtin();
    let mut wrong = Vec::new();
    let lines = include_str!("fresh.jsonl").lines().filter(|l| !l.is_empty());
    let mut count = 0;
    for line in lines {
        count += 1;
        let case: serde_json::Value = serde_json::from_str(line).expect("JSON lines");
        let field = |name: &str| case[name].as_str();
        let text = field("text").expect("text");
        let verdict = classifier.classify(&Reply { text: text.as_bytes(), relay_host: field("rhost"), ..Reply::default() });
        let mut faults = Vec::new();
        let mut check = |name: &str, got: &str| {
            if let Some(want) = field(name)
                && want != got
            {
                faults.push(format!("{name} {got}, not {want}"));
            }
        };
        check("reason", verdict.reason.as_str());
        check("class", verdict.class.as_str());
        check("blocklist", verdict.blocklist.as_deref().unwrap_or(""));
        check("blocklist_state", verdict.blocklist_state.map_or("", |s| s.as_str()));
        check("listed", verdict.listed.as_deref().unwrap_or(""));
        if !faults.is_empty() {
            wrong.push(format!("{} [{}] {text}", faults.join("; "), verdict.rule_id));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} wrong\n{}", wrong.len(), wrong.join("\n"));
}
