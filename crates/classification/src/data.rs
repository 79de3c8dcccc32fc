//! Reads `data/providers.toml` and `data/blocklists.toml`, for the build script.
//!
//! It knows the files' fields, not what they are for: see [`crate::provider`] and [`crate::blocklist`].

use serde::Deserialize;

/// `data/providers.toml`.
#[derive(Deserialize)]
pub struct Providers {
    /// The providers, in the order that decides between signs.
    pub provider: Vec<Provider>,
}

/// A provider.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Stable id.
    pub id: String,
    /// Suffixes of relays' names.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Recipients' domains.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Patterns that only it writes.
    #[serde(default)]
    pub signs: Vec<String>,
}

/// `data/blocklists.toml`.
#[derive(Deserialize)]
pub struct Blocklists {
    /// The lists.
    pub list: Vec<List>,
    /// What citing a list means.
    pub state: Vec<State>,
}

/// A blocklist.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Stable id.
    pub id: String,
    /// Its own name.
    pub name: String,
    /// What it lists.
    pub entity: String,
    /// Which of several lists is the most specific.
    pub rank: u8,
    /// The state that citing it has, where it is no listing.
    #[serde(default)]
    pub state: Option<String>,
    /// Whether it lists whole networks for what some of their addresses do.
    #[serde(default)]
    pub neighbourhood: bool,
    /// Patterns that name it.
    #[serde(rename = "match")]
    pub patterns: Vec<String>,
    /// Where to ask.
    #[serde(default)]
    pub url: String,
    /// Who can ask.
    #[serde(default)]
    pub who: String,
    /// What to do.
    #[serde(default)]
    pub advice: String,
}

/// What citing a list means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Its name.
    pub state: String,
    /// Patterns that prove it.
    #[serde(rename = "match")]
    pub patterns: Vec<String>,
}
