//! Who runs the recipient's mail: by the relay's host name first, the recipient's domain second.
//!
//! One lookup a label of the name, no expressions. It knows names, not networks: an IP says nothing here.
//!
//! `gmail-smtp-in.l.google.com` gives `google`; so does a domain `gmail.com` behind an unknown relay.

use std::sync::Arc;

use ahash::AHashMap;
use serde::Deserialize;

#[derive(Deserialize)]
struct RawFile {
    provider: Vec<RawProvider>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProvider {
    id: String,
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    signs: Vec<String>,
}

/// The providers of `data/providers.toml`.
pub(crate) struct Providers {
    ids: Vec<Arc<str>>,
    samples: Vec<Option<String>>,
    hosts: AHashMap<Box<str>, u16>,
    domains: AHashMap<Box<str>, u16>,
    signs: Vec<(u16, String)>,
}

impl Providers {
    pub(crate) fn builtin() -> Self {
        let raw: RawFile = toml::from_str(include_str!("../data/providers.toml")).expect("checked by tests");
        let mut all =
            Self { ids: Vec::new(), samples: Vec::new(), hosts: AHashMap::new(), domains: AHashMap::new(), signs: Vec::new() };
        for (index, provider) in raw.provider.into_iter().enumerate() {
            let index = index as u16;
            all.samples.push(provider.hosts.first().map(|h| format!("mx1.{h}")));
            all.ids.push(provider.id.into());
            all.hosts.extend(provider.hosts.into_iter().map(|h| (h.into(), index)));
            all.domains.extend(provider.domains.into_iter().map(|d| (d.into(), index)));
            all.signs.extend(provider.signs.into_iter().map(|s| (index, s)));
        }
        all
    }

    pub(crate) fn signs(&self) -> impl Iterator<Item = (u16, &str)> {
        self.signs.iter().map(|(index, p)| (*index, p.as_str()))
    }

    pub(crate) fn number(&self, id: &str) -> Option<u16> {
        self.ids.iter().position(|i| &**i == id).map(|i| i as u16)
    }

    pub(crate) fn id(&self, number: u16) -> Arc<str> {
        self.ids[usize::from(number)].clone()
    }

    /// A host name of the provider, for trying its rules.
    pub(crate) fn sample_host(&self, id: &str) -> Option<&str> {
        self.samples[usize::from(self.number(id)?)].as_deref()
    }

    /// The provider of a relay, by the longest known suffix of its name.
    pub(crate) fn by_host(&self, host: &str) -> Option<u16> {
        suffix(&self.hosts, host)
    }

    /// The provider of a recipient's domain: the domain itself or a domain above it.
    pub(crate) fn by_domain(&self, domain: &str) -> Option<u16> {
        suffix(&self.domains, domain)
    }
}

fn suffix(map: &AHashMap<Box<str>, u16>, name: &str) -> Option<u16> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let lower;
    let mut rest = if name.bytes().any(|b| b.is_ascii_uppercase()) {
        lower = name.to_ascii_lowercase();
        lower.as_str()
    } else {
        name
    };
    if rest.len() > 255 {
        return None;
    }
    loop {
        if let Some(index) = map.get(rest) {
            return Some(*index);
        }
        rest = &rest[rest.find('.')? + 1..];
    }
}
