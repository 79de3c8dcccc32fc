//! Replies of our own that cite blocklists, as servers quote them, and near misses that cite none: which list, in what state,
//! and what is listed.
//!
//! `550 5.7.1 Service unavailable; client [192.0.2.14] blocked using pbl.spamhaus.org` is `spamhaus-pbl`, policy, `192.0.2.14`.

use bouncestat_classification::Classifier;
use bouncestat_record::Reply;

/// How often something was said, was to be said, and was said rightly.
#[derive(Default)]
struct Tally {
    said: usize,
    wanted: usize,
    right: usize,
}

impl Tally {
    fn add(&mut self, got: &str, want: &str) {
        self.said += usize::from(!got.is_empty());
        self.wanted += usize::from(!want.is_empty());
        self.right += usize::from(!got.is_empty() && got == want);
    }

    fn show(&self, name: &str) -> String {
        format!("{name}: precision {}/{}, recall {}/{}", self.right, self.said, self.right, self.wanted)
    }
}

#[test]
fn lists_are_named_as_servers_quote_them() {
    let classifier = Classifier::builtin();
    let (mut lists, mut states, mut objects) = (Tally::default(), Tally::default(), Tally::default());
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in include_str!("blocklists.jsonl").lines().filter(|l| !l.is_empty()) {
        count += 1;
        let case: serde_json::Value = serde_json::from_str(line).expect("JSON lines");
        let field = |name: &str| case[name].as_str();
        let text = field("text").expect("text");
        let verdict = classifier.classify(&Reply { text: text.as_bytes(), relay_host: field("rhost"), ..Reply::default() });
        let got = [
            ("reason", verdict.reason.as_str()),
            ("blocklist", verdict.blocklist.as_deref().unwrap_or("")),
            ("blocklist_state", verdict.blocklist_state.map_or("", |s| s.as_str())),
            ("listed", verdict.listed.as_deref().unwrap_or("")),
        ];
        let want = |name: &str| field(name).expect("every case has every field");
        lists.add(got[1].1, want("blocklist"));
        states.add(got[2].1, want("blocklist_state"));
        objects.add(got[3].1, want("listed"));
        let faults: Vec<String> = got
            .iter()
            .filter(|(name, is)| *is != want(name))
            .map(|(name, is)| format!("{name} {is:?}, not {:?}", want(name)))
            .collect();
        if !faults.is_empty() {
            wrong.push(format!("{} [{}] {text}", faults.join("; "), verdict.rule_id));
        }
    }
    assert!(count >= 150, "only {count} replies");
    assert!(
        wrong.is_empty(),
        "{} of {count} wrong; {}; {}; {}\n{}",
        wrong.len(),
        lists.show("blocklist"),
        states.show("state"),
        objects.show("listed"),
        wrong.join("\n")
    );
}
