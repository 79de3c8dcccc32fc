//! Blocklists: which list a reply proves, what citing it means, and what is listed.
//!
//! Facts only (`data/blocklists.toml`): the lists are never asked. Whether a reply refuses because of a list is decided by the
//! rules; here a list is named and read.
//!
//! `client [192.0.2.1] blocked using zen.spamhaus.org` names `spamhaus-zen`, listed, object `192.0.2.1`.

use std::sync::Arc;

use bouncestat_record::BlocklistState;
use serde::Deserialize;

#[derive(Deserialize)]
struct RawFile {
    list: Vec<RawList>,
    state: Vec<RawState>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawList {
    id: String,
    name: String,
    entity: String,
    rank: u8,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    neighbourhood: bool,
    #[serde(rename = "match")]
    patterns: Vec<String>,
    #[serde(default)]
    url: String,
    #[serde(default)]
    who: String,
    #[serde(default)]
    advice: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawState {
    state: String,
    #[serde(rename = "match")]
    patterns: Vec<String>,
}

/// One blocklist.
#[derive(Debug)]
pub struct Blocklist {
    /// Stable id.
    pub id: Arc<str>,
    /// Its own name.
    pub name: String,
    /// What it lists: `ip`, `domain`, `uri` or several.
    pub entity: String,
    /// Where to look up or ask for removal; may end in `?ip=`.
    pub url: String,
    /// Who can ask for removal.
    pub who: String,
    /// What to do.
    pub advice: String,
    /// Whether it lists whole networks for what some of their addresses do.
    pub neighbourhood: bool,
    pub(crate) rank: u8,
    pub(crate) state: BlocklistState,
}

pub(crate) struct Lists {
    pub(crate) all: Vec<Blocklist>,
    patterns: Vec<(u16, String)>,
    states: Vec<(u16, String)>,
}

impl Lists {
    pub(crate) fn builtin() -> Self {
        let raw: RawFile = toml::from_str(include_str!("../data/blocklists.toml")).expect("checked by tests");
        let mut lists = Self { all: Vec::new(), patterns: Vec::new(), states: Vec::new() };
        for (index, list) in raw.list.into_iter().enumerate() {
            lists.patterns.extend(list.patterns.into_iter().map(|p| (index as u16, p)));
            lists.all.push(Blocklist {
                id: list.id.into(),
                name: list.name,
                entity: list.entity,
                url: list.url,
                who: list.who,
                advice: list.advice,
                neighbourhood: list.neighbourhood,
                rank: list.rank,
                state: list.state.and_then(|s| BlocklistState::from_name(&s)).unwrap_or(BlocklistState::Listed),
            });
        }
        for state in raw.state {
            let number = BlocklistState::from_name(&state.state).expect("checked by tests") as u16;
            lists.states.extend(state.patterns.into_iter().map(|p| (number, p)));
        }
        lists
    }

    pub(crate) fn patterns(&self) -> impl Iterator<Item = (u16, &str)> {
        self.patterns.iter().map(|(index, p)| (*index, p.as_str()))
    }

    pub(crate) fn state_patterns(&self) -> impl Iterator<Item = (u16, &str)> {
        self.states.iter().map(|(state, p)| (*state, p.as_str()))
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Blocklist> {
        self.all.iter().find(|l| &*l.id == id)
    }

    /// The most specific of the lists found.
    pub(crate) fn pick(&self, found: &[u16]) -> Option<&Blocklist> {
        found.iter().map(|&i| &self.all[usize::from(i)]).max_by_key(|l| (l.rank, std::cmp::Reverse(l.id.clone())))
    }
}

/// The state that marks in the text prove, strongest first: a resolver error is no listing at all.
pub(crate) fn state_of(found: &[u16]) -> Option<BlocklistState> {
    use BlocklistState as S;
    [S::ResolverError, S::Greylist, S::DeadList, S::Policy].into_iter().find(|s| found.contains(&(*s as u16)))
}

/// The object that a reply names as listed: an IP or network first, where the list has IPs; else a URL or domain.
pub(crate) fn listed(text: &[u8], entity: &str) -> Option<String> {
    let ip_first = entity.is_empty() || entity.contains("ip");
    let text = &text[..text.len().min(crate::text::LIMIT)];
    let ip = || words(text).find_map(ip_in);
    let name = || words(text).find_map(|w| domain_in(w, entity));
    if ip_first {
        ip().or_else(|| if entity.contains("domain") || entity.contains("uri") { name() } else { None })
    } else {
        name().or_else(ip)
    }
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| {
        b.is_ascii_whitespace()
            || matches!(
                b,
                b'[' | b']'
                    | b'('
                    | b')'
                    | b'<'
                    | b'>'
                    | b'"'
                    | b'\''
                    | b','
                    | b';'
                    | b'='
                    | b'&'
                    | b'?'
                    | b'|'
                    | b'!'
                    | b'{'
                    | b'}'
            )
    })
    .filter(|w| w.len() >= 4)
}

fn ip_in(word: &[u8]) -> Option<String> {
    let word = std::str::from_utf8(word).ok()?;
    let word = word.trim_end_matches(['.', ':', '-']).trim_start_matches("IPv6:");
    // A lookup's address puts the IP at the end of its path.
    let word = if word.contains("//") { word.rsplit('/').next().unwrap_or(word) } else { word };
    let (ip, net) = match word.split_once('/') {
        Some((ip, net)) if !net.is_empty() && net.len() <= 3 && net.bytes().all(|b| b.is_ascii_digit()) => (ip, Some(net)),
        Some((ip, _)) => (ip, None),
        None => (word, None),
    };
    let whole = match net {
        Some(_) => word,
        None => ip,
    };
    if ip.contains("::") || ip.matches(':').count() >= 4 {
        return ip.parse::<std::net::Ipv6Addr>().is_ok().then(|| whole.to_owned());
    }
    // `192.0.2.1:25` names a port.
    let bare = ip.split(':').next().unwrap_or(ip);
    let whole = if bare.len() < ip.len() { bare } else { whole };
    (bare.parse::<std::net::Ipv4Addr>().is_ok() && !bare.starts_with("127.")).then(|| whole.to_owned())
}

/// Hosts that replies name for help, or that answered: never the listed object.
const NOT_LISTED: &[&str] = &[
    "spamhaus",
    "surbl",
    "uribl",
    "invaluement",
    "ivmuri",
    "abusix",
    "0spam",
    "spameatingmonkey",
    "postmaster",
    "support",
    "google.com",
    "microsoft",
    "office.com",
    "outlook.com",
    "yahoo",
    "apple.com",
    "icloud.com",
    "mxtoolbox",
    "barracuda",
    "proofpoint",
    "mimecast",
    "cloudmark",
    "senderscore",
    "spamcop",
    "sorbs",
];

fn domain_in(word: &[u8], entity: &str) -> Option<String> {
    let word = std::str::from_utf8(word).ok()?.trim_end_matches(['.', ':', '-']);
    let url = word.get(..8).is_some_and(|p| p.to_ascii_lowercase().starts_with("http"));
    if url && !entity.contains("uri") {
        return None;
    }
    let name = word.rsplit('@').next().unwrap_or(word);
    let host = if url { name.split("//").nth(1)?.split('/').next()? } else { name };
    let labels: Vec<&str> = host.split('.').collect();
    let top = labels.last()?;
    let plausible = labels.len() >= 2
        && top.len() >= 2
        && (top.bytes().all(|b| b.is_ascii_alphabetic()) || top.starts_with("xn--"))
        && labels.iter().all(|l| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    let lower = host.to_ascii_lowercase();
    (plausible && !NOT_LISTED.iter().any(|n| lower.contains(n))).then(|| if url { name.to_owned() } else { host.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listed_object() {
        for (text, entity, expected) in [
            ("client [192.0.2.1] blocked using x", "ip", Some("192.0.2.1")),
            ("198.51.100.0/24 is listed", "ip", Some("198.51.100.0/24")),
            ("see https://check.test/query/ip/192.0.2.9", "ip", Some("192.0.2.9")),
            ("http://dnsbl.test/?ip=192.0.2.9", "ip", Some("192.0.2.9")),
            ("host 2001:db8::5 listed", "ip", Some("2001:db8::5")),
            ("domain bad.example listed in dbl.spamhaus.org", "domain", Some("bad.example")),
            ("Blocked, see https://bad.example/x in multi.surbl.org", "uri", Some("https://bad.example/x")),
            ("127.0.0.2 means listed", "ip", None),
            ("nothing here", "ip", None),
        ] {
            assert_eq!(listed(text.as_bytes(), entity).as_deref(), expected, "{text}");
        }
    }
}
