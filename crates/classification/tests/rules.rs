//! Walks every rule: examples won by their own rule, `not` examples not, sources named, no rule unreachable.

use std::collections::HashSet;

use bouncestat_classification::{Classifier, Memo, lint};
use bouncestat_record::{Action, Reply};

#[test]
fn every_rule_wins_its_examples() {
    let classifier = Classifier::builtin();
    let mut ids = HashSet::new();
    for rule in classifier.rules() {
        assert!(ids.insert(rule.id.clone()), "{} twice", rule.id);
    }
    let faults: Vec<String> = classifier.check_rules().into_iter().map(|f| format!("{}: {}", f.rule, f.message)).collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_users_rules_come_first_and_are_linted() {
    let good = r#"
[[rule]]
id = "acme.parked"
reason = "domain_invalid"
match = ["parked by acme"]
examples = ["550 This domain is parked by Acme"]
not = ["550 User unknown"]
"#;
    assert_eq!(lint(good, "my.toml"), vec![]);
    let classifier = Classifier::with_user_rules(good, "my.toml").unwrap();
    let verdict = classifier.classify(&Reply { text: b"550 5.1.1 user unknown, parked by ACME", ..Reply::default() });
    assert_eq!(&*verdict.rule_id, "acme.parked");
    assert_ne!(classifier.rules_version(), Classifier::builtin().rules_version());
    for (bad, word) in [
        ("[[rule]]\nid = \"a\"\nreason = \"nonsense\"\nmatch = [\"xyz\"]", "unknown reason"),
        ("[[rule]]\nid = \"a\"\nreason = \"policy\"\nmatch = [\"XYZ\"]", "lower case"),
        ("[[rule]]\nid = \"a\"\nreason = \"policy\"\nregex = \"(\"", "regex"),
        ("[[rule]]\nid = \"a\"\nreason = \"policy\"\nmatch = [\"xyzzy\"]\nexamples = [\"550 user unknown\"]", "won by"),
        ("[[rule]]\nid = \"a\"\nreason = \"policy\"\nmatch = [\"xyzzy\"]", "no example"),
        ("[[rule]]\nid = \"recipient.unknown\"\nreason = \"policy\"\nmatch = [\"xyzzy\"]", "already used"),
        ("nonsense", "line 1"),
    ] {
        let findings = lint(bad, "my.toml");
        assert!(findings.iter().any(|f| f.message.contains(word)), "{bad}: {findings:?}");
    }
}

#[test]
fn remembered_verdicts_equal_fresh_ones() {
    let classifier = Classifier::builtin();
    let mut memo = Memo::new();
    for round in 0..3 {
        for rule in classifier.rules() {
            for example in rule.examples.iter().chain(&rule.not) {
                for action in [None, Some(Action::Bounced), Some(Action::Deferred)] {
                    let varied =
                        example.replace("192.0.2.1", &format!("192.0.2.{}", round + 1)).replace("zoe@", &format!("user{round}@"));
                    let reply = Reply {
                        text: varied.as_bytes(),
                        action,
                        relay_host: rule.providers.first().and_then(|p| classifier.sample_host(p)),
                        ..Reply::default()
                    };
                    assert_eq!(*memo.classify(classifier, &reply), classifier.classify(&reply), "{varied}");
                }
            }
        }
    }
    assert!(memo.stats().0 > memo.stats().1);
}

#[test]
fn linear_and_calm_on_hostile_replies() {
    let classifier = Classifier::builtin();
    let hostile = [
        "550 ".to_owned() + &"user mailbox account .. recipient ".repeat(400),
        "550 ".to_owned() + &"blocked using ".repeat(800),
        "(".repeat(10_000),
        "550-".repeat(3_000),
        "<a@b.c>".repeat(1_500),
        "\\n".repeat(5_000),
        "1.2.3.4.".repeat(1_300),
        "é".repeat(5_000),
    ];
    for text in &hostile {
        let begin = std::time::Instant::now();
        classifier.classify(&Reply { text: text.as_bytes(), ..Reply::default() });
        assert!(begin.elapsed().as_millis() < 200, "{} ms", begin.elapsed().as_millis());
    }
}

proptest::proptest! {
    /// Whatever a server writes: no panic, the same verdict twice, and from the memo.
    #[test]
    fn any_reply_is_answered_the_same_way(
        parts in proptest::collection::vec(proptest::prop_oneof![
            proptest::strategy::Just("550 ".to_owned()), proptest::strategy::Just("5.7.1 ".to_owned()), proptest::strategy::Just("host mx.a.test[192.0.2.1] said: ".to_owned()),
            proptest::strategy::Just("blocked using zen.spamhaus.org ".to_owned()), proptest::strategy::Just("user unknown ".to_owned()), proptest::strategy::Just("[{LED=".to_owned()),
            proptest::strategy::Just("SMTP error from remote mail server after RCPT TO:<".to_owned()), proptest::strategy::Just("returned '".to_owned()), proptest::strategy::Just("<a@b.test> ".to_owned()),
            "\\PC{0,20}", "[0-9.:@<>() -]{0,20}",
        ], 0..12),
    ) {
        let text = parts.concat();
        let reply = Reply { text: text.as_bytes(), ..Reply::default() };
        let classifier = Classifier::builtin();
        let fresh = classifier.classify(&reply);
        let mut memo = Memo::new();
        proptest::prop_assert_eq!(&*memo.classify(classifier, &reply), &fresh);
        proptest::prop_assert_eq!(&*memo.classify(classifier, &reply), &fresh);
        proptest::prop_assert_eq!(&classifier.explain(&reply).verdict, &fresh);
        bouncestat_classification::template(text.as_bytes());
    }
}

/// The variants that must be known lie outside this repository; where they are not, the test says so.
#[test]
fn seed_variants() {
    let shared = std::env::var_os("BOUNCESTAT_SHARED")
        .map_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), Into::into);
    let path = shared.join("classification/seed_codes.csv");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return;
    };
    let classifier = Classifier::builtin();
    let mut wrong = Vec::new();
    for line in text.lines().skip(1) {
        let mut fields = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                c => fields.last_mut().unwrap().push(c),
            }
        }
        let reply = Reply {
            text: fields[2].as_bytes(),
            smtp_code: fields[0].parse().ok(),
            enhanced_code: bouncestat_record::EnhancedCode::parse(&fields[1]),
            ..Reply::default()
        };
        let verdict = classifier.classify(&reply);
        if verdict.reason.as_str() != fields[4] && !fields[5].split('|').any(|a| a == verdict.reason.as_str()) {
            wrong.push(format!("{} {} {}: {} by {}", fields[0], fields[1], fields[2], verdict.reason, verdict.rule_id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
