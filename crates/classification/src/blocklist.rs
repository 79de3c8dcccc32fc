//! Blocklists: which list a reply proves, what citing it means, and what is listed.
//!
//! Facts only (`data/blocklists.toml`): the lists are never asked. Whether a reply refuses because of a list is decided by the
//! rules; here a list is named and read.
//!
//! `client [192.0.2.1] blocked using zen.spamhaus.org` names `spamhaus-zen`, listed, object `192.0.2.1`.

use std::sync::Arc;

use bouncestat_record::BlocklistState;

use crate::builtin::LISTS;

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
    all: Vec<Blocklist>,
}

impl Lists {
    pub(crate) fn builtin() -> Self {
        let list = |row: &crate::tables::ListRow<'_>| Blocklist {
            id: row.id.into(),
            name: row.name.into(),
            entity: row.entity.into(),
            url: row.url.into(),
            who: row.who.into(),
            advice: row.advice.into(),
            neighbourhood: row.neighbourhood,
            rank: row.rank,
            state: BlocklistState::ALL[usize::from(row.state)],
        };
        Self { all: LISTS.iter().map(list).collect() }
    }

    pub(crate) fn number(&self, id: &str) -> Option<u16> {
        self.all.iter().position(|l| &*l.id == id).map(|n| n as u16)
    }

    /// The list of a number; [`None`] for [`crate::tables::NONE`].
    pub(crate) fn at(&self, number: u16) -> Option<&Blocklist> {
        self.all.get(usize::from(number))
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Blocklist> {
        self.all.iter().find(|l| &*l.id == id)
    }

    /// The most specific of the lists found.
    pub(crate) fn pick(&self, found: &[u16]) -> Option<u16> {
        let key = |n: &u16| {
            let list = &self.all[usize::from(*n)];
            (list.rank, std::cmp::Reverse(&list.id))
        };
        found.iter().copied().max_by(|a, b| key(a).cmp(&key(b)))
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
    .filter(|w| w.len() >= 4 && w.iter().any(|b| matches!(b, b'.' | b':')))
}

/// A word without the code of the line that it begins: `554-192.0.2.1`.
fn without_code(word: &[u8]) -> &[u8] {
    match word {
        [b'4' | b'5', a, b, b'-', rest @ ..] if a.is_ascii_digit() && b.is_ascii_digit() => rest,
        _ => word,
    }
}

fn ip_in(word: &[u8]) -> Option<String> {
    let word = std::str::from_utf8(without_code(word)).ok()?;
    let word = word.trim_end_matches(['.', ':', '-']).trim_start_matches("IPv6:");
    // `550-203.0.113.5 is …`: a code that a line goes on behind.
    let word = match word.as_bytes() {
        [b'4' | b'5', b'0'..=b'9', b'0'..=b'9', b'-', ..] => &word[4..],
        _ => word,
    };
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
    let word = std::str::from_utf8(without_code(word)).ok()?.trim_end_matches(['.', ':', '-']);
    let url = word.get(..8).is_some_and(|p| p.to_ascii_lowercase().starts_with("http"));
    if url && !entity.contains("uri") {
        // A lookup's address may end with the name that is listed.
        let (_, looked_up) = word.split_once("/lookup/")?;
        return domain_in(looked_up.as_bytes(), entity);
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
            ("554-192.0.2.9 is listed", "ip", Some("192.0.2.9")),
            ("see https://check.test/query/lookup/bad.example. now", "ip/domain", Some("bad.example")),
            ("127.0.0.2 means listed", "ip", None),
            ("550-203.0.113.5 is listed", "ip", Some("203.0.113.5")),
            ("554-2001:db8::5 is listed", "ip", Some("2001:db8::5")),
            ("nothing here", "ip", None),
        ] {
            assert_eq!(listed(text.as_bytes(), entity).as_deref(), expected, "{text}");
        }
    }
}
