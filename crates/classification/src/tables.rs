//! The flat form of rules: what [`crate::compile`] writes and [`crate::engine`] reads.
//!
//! For the crate's own rules the build script prints these tables as Rust source, so that nothing has to be built when a program
//! starts; for a user's rules they are made at run time. Plain numbers, no behaviour.
//!
//! A row of [`Node`] is a place in the tree of texts, a row of [`PatternRow`] a pattern, a row of [`RuleRow`] a rule's conditions.

use crate::rule::CodeMatch;

/// Instead of a number: there is none.
pub const NONE: u16 = u16::MAX;

/// A range of a table's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The first row.
    pub at: u16,
    /// How many.
    pub len: u16,
}

impl Run {
    /// The rows.
    #[inline]
    pub fn of<T>(self, table: &[T]) -> &[T] {
        &table[usize::from(self.at)..usize::from(self.at) + usize::from(self.len)]
    }
}

/// An entry of a hash table from the first bytes of texts to a node.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The first four or two bytes.
    pub prefix: u32,
    /// The node behind them; [`NONE`] in an empty slot.
    pub node: u16,
}

impl Slot {
    /// Where a prefix is looked for first; `size` is a power of two.
    #[inline]
    pub fn home(prefix: u32, size: usize) -> usize {
        (prefix.wrapping_mul(0x9e37_79b1) >> 16) as usize & (size - 1)
    }
}

/// A node of the tree of texts.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Where the bytes that lead to it from its parent stand in `bytes`.
    pub label: u32,
    /// How many they are.
    pub len: u8,
    /// How many children it has.
    pub count: u8,
    /// The first child; `firsts` has the first byte of each.
    pub child: u16,
    /// The atom whose text ends here: anywhere, and only at a word's end.
    pub ends: [u16; 2],
}

/// A pattern that is looked for by a text.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The pattern.
    pub pattern: u16,
    /// Whether a space must stand before the text: texts are looked up without one.
    pub space: bool,
    /// Whether the pattern has uses other than rules, which are wanted at once.
    pub eager: bool,
    /// Words of which one must stand in the reply, and words of which one must stand there too: as [`bloom`] gives them.
    pub needs: [u64; 2],
    /// The same more exactly, where they are no more than two words: as [`sign`] numbers them, or [`SIGNS`].
    pub signs: [u16; 2],
}

/// A bit for the first four bytes of a word: others may have the same.
#[inline]
pub fn bloom(first: [u8; 4]) -> u64 {
    1 << (u32::from_le_bytes(first).wrapping_mul(0xc2b2_ae35) >> 26)
}

/// How many numbers [`sign`] gives.
pub const SIGNS: u16 = 1024;

/// A number for the first four bytes of a word: others may have the same.
#[inline]
pub fn sign(first: [u8; 4]) -> u16 {
    (u32::from_le_bytes(first).wrapping_mul(0x85eb_ca6b) >> 22) as u16
}

/// A number below 64 for two bytes.
#[inline]
pub fn pair(first: u8, second: u8) -> u8 {
    first.wrapping_mul(31).wrapping_add(second) & 63
}

/// What a pattern is there for, if not for a condition alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is one of a rule's patterns.
    Rule(u16),
    /// It names a blocklist.
    List(u16),
    /// It shows that a provider speaks.
    Sign(u16),
    /// It tells what citing a list means.
    State(u16),
}

/// A pattern.
#[derive(Clone, Copy, Debug)]
pub struct PatternRow {
    /// Its elements, in `parts`.
    pub parts: Run,
    /// The element that was looked for.
    pub key: u8,
    /// How many bytes it fixes.
    pub literal: u16,
    /// What it is there for.
    pub uses: Run,
}

/// An element of a pattern: one of several texts, or (without texts) a gap.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The first of its texts, in `choices`.
    pub at: u16,
    /// How many texts it has, longest first.
    pub all: u16,
    /// How many follow that may go on inside the word.
    pub open: u16,
    /// Longest gap; 0 for texts.
    pub gap: u8,
    /// Whether the gap stays inside a word.
    pub word: bool,
    /// Whether it may begin inside a word.
    pub opens: bool,
    /// Whether it may end inside a word.
    pub goes_on: bool,
    /// Whether every match begins where a word begins.
    pub at_start: bool,
    /// Whether every match ends where a word ends.
    pub at_end: bool,
    /// The bytes that it can begin with, in `sets`.
    pub first: u16,
    /// The bytes that it can end with, in `sets`.
    pub last: u16,
}

/// One text of a part.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// Where it stands in `bytes`.
    pub at: u32,
    /// How long it is.
    pub len: u16,
    /// Its first and last byte.
    pub edges: [u8; 2],
}

/// Instead of a provider: it always speaks. The others have lower bits.
pub const ANYONE: u128 = 1 << 127;

/// What a rule says and asks for beside its patterns.
#[derive(Clone, Copy, Debug)]
pub struct RuleRow {
    /// Level and rank, without what the pattern adds.
    pub score: u32,
    /// Number of the reason.
    pub reason: u8,
    /// Number of the disposition; 255 where the reason decides.
    pub disposition: u8,
    /// The stages, one bit each; 0 is any.
    pub stages: u8,
    /// Whether it is about a provider.
    pub bound: bool,
    /// Whether it has an expression.
    pub regex: bool,
    /// The blocklist that it proves.
    pub list: u16,
    /// Codes of which one is needed.
    pub codes: Run,
    /// Providers of which one must speak, one bit each; [`ANYONE`] where that is not asked.
    pub providers: u128,
    /// Patterns of which one must match.
    pub also: Run,
    /// Patterns of which none may match.
    pub unless: Run,
}

macro_rules! tables {
    ($($(#[$meta:meta])* $name:ident: $row:ty,)+) => {
        /// All tables, for reading.
        #[derive(Clone, Copy, Debug)]
        pub struct Tables<'a> { $($(#[$meta])* pub $name: &'a [$row],)+ }

        /// All tables, owned.
        #[derive(Clone, Debug, Default)]
        pub struct Built { $($(#[$meta])* pub $name: Vec<$row>,)+ }

        #[allow(dead_code, reason = "one for the build script, one for the program")]
        impl Built {
            /// The tables for reading.
            pub fn tables(&self) -> Tables<'_> { Tables { $($name: &self.$name,)+ } }

            /// The tables as the fields of a Rust expression.
            pub fn source(&self) -> String {
                let mut text = String::new();
                $(text.push_str(&format!("{}: &{:?},\n", stringify!($name), self.$name));)+
                text
            }
        }
    };
}

tables! {
    /// The texts.
    bytes: u8,
    /// What may begin with a byte: 1 a text of four bytes or more, 2 a shorter one, 4 and 8 the same inside a word.
    starts: u8,
    /// The first two bytes of texts that may begin inside a word, one bit each, as [`pair`] numbers them: one row.
    inner: u64,
    /// Texts of four bytes or more.
    long: Slot,
    /// Texts of two or three bytes.
    short: Slot,
    /// Those of `long` that may begin inside a word.
    inner_long: Slot,
    /// Those of `short` that may begin inside a word.
    inner_short: Slot,
    /// The tree of texts.
    nodes: Node,
    /// The first byte of each node.
    firsts: u8,
    /// The texts that are looked for: the patterns that are matched around each, in `keys`.
    atoms: Run,
    /// Patterns, by text.
    keys: Key,
    /// The patterns.
    patterns: PatternRow,
    /// Uses, by pattern.
    uses: Use,
    /// Elements, by pattern.
    parts: Part,
    /// Texts, by element.
    choices: Choice,
    /// Sets of bytes.
    sets: [u64; 4],
    /// The rules.
    rules: RuleRow,
    /// Codes, by rule.
    codes: CodeMatch,
    /// Patterns that are conditions, by rule.
    conditions: u16,
    /// Rules without patterns.
    bare: u16,
}

/// A blocklist of `data/blocklists.toml`.
#[derive(Clone, Copy, Debug)]
pub struct ListRow<'a> {
    /// Stable id.
    pub id: &'a str,
    /// Its own name.
    pub name: &'a str,
    /// What it lists.
    pub entity: &'a str,
    /// Where to ask.
    pub url: &'a str,
    /// Who can ask.
    pub who: &'a str,
    /// What to do.
    pub advice: &'a str,
    /// Whether it lists whole networks for what some of their addresses do.
    pub neighbourhood: bool,
    /// Which of several lists is the most specific.
    pub rank: u8,
    /// Number of the state that citing it has.
    pub state: u8,
}
