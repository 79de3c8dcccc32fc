//! Rules of the user's own: any text is a set of rules or an error that says where, and no pattern panics.

#![no_main]

use bouncestat_classification::Classifier;
use bouncestat_record::Reply;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(rules) = Classifier::with_user_rules(text, "fuzz.toml") {
        rules.classify(&Reply { text: text.as_bytes(), ..Reply::default() });
    }
});
