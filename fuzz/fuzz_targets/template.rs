//! Wrappers off and masking: no panic, no growth without bound, no line ends, nothing of an address left.

#![no_main]

use bouncestat_classification::{isolate::isolate, template, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let isolated = isolate(data);
    assert!(isolated.text.len() <= data.len());
    let mut masked = Vec::new();
    text::mask(isolated.text, &mut masked);
    assert!(!masked.iter().any(u8::is_ascii_uppercase), "letters are lower case");
    let template = template(data);
    // `a@b ` may become `<address> `, an undecodable byte a character of three.
    assert!(template.len() <= 9 * data.len() + 16, "{} bytes of {}", template.len(), data.len());
    assert!(!template.contains(['\n', '\r']), "a template is one line");
});
