//! The crate's own rules and lists, as the build script made them; and the rules' texts, read when someone asks for them.

use std::sync::OnceLock;

use crate::rule::{self, FILES, Rule};

/// What the build script wrote.
mod made {
    use crate::rule::CodeMatch::*;
    use crate::tables::Use::*;
    use crate::tables::*;

    include!(concat!(env!("OUT_DIR"), "/builtin.rs"));
}

pub(crate) use made::*;

/// The rules as written, with examples and sources, in the order of [`RULE_IDS`].
pub(crate) fn rules() -> &'static [Rule] {
    static RULES: OnceLock<Vec<Rule>> = OnceLock::new();
    RULES.get_or_init(|| {
        let read = |(file, text): (&&str, &&str)| rule::read(text, file, false).expect("checked by the build script");
        FILES.iter().zip(TEXTS).flat_map(read).collect()
    })
}

/// What a rule advises, where it says something of its own.
pub(crate) fn advice(rule: usize) -> Option<&'static str> {
    ADVICE.iter().find(|(index, _)| usize::from(*index) == rule).map(|(_, advice)| *advice)
}

/// How often a text may stand in replies, for choosing what a user's pattern is looked for by.
pub(crate) fn frequency(text: &[u8]) -> u32 {
    let count = |word: &[u8]| FREQUENT.binary_search_by_key(&word, |(known, _)| known).map_or(0, |at| FREQUENT[at].1);
    crate::frequency::estimate(text, count)
}
