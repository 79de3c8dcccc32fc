//! Who runs the recipient's mail: by the relay's host name first, the recipient's domain second.
//!
//! One lookup a label of the name, no expressions. It knows names, not networks: an IP says nothing here.
//!
//! `gmail-smtp-in.l.google.com` gives `google`; so does a domain `gmail.com` behind an unknown relay.

use std::sync::Arc;

use ahash::AHashMap;

use crate::builtin::{DOMAINS, HOSTS, PROVIDER_IDS};

/// The providers of `data/providers.toml`.
pub(crate) struct Providers {
    ids: Vec<Arc<str>>,
    samples: Vec<Option<String>>,
    hosts: AHashMap<&'static str, u16>,
    domains: AHashMap<&'static str, u16>,
}

impl Providers {
    pub(crate) fn builtin() -> Self {
        let mut samples = vec![None; PROVIDER_IDS.len()];
        for (host, number) in HOSTS {
            samples[usize::from(*number)].get_or_insert_with(|| format!("mx1.{host}"));
        }
        Self {
            samples,
            ids: PROVIDER_IDS.iter().map(|id| Arc::from(*id)).collect(),
            hosts: HOSTS.iter().copied().collect(),
            domains: DOMAINS.iter().copied().collect(),
        }
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

fn suffix(map: &AHashMap<&str, u16>, name: &str) -> Option<u16> {
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
