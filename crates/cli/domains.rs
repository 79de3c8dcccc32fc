//! `--domain`: the recipients' domains that are asked for.

use anyhow::{Result, bail};
use bouncestat_record::address;

use crate::args::Common;

/// Domains, in the form in which they are counted. None: all.
pub struct Domains(Vec<String>);

impl Domains {
    /// What the options say.
    pub fn new(common: &Common) -> Result<Self> {
        let mut all = Vec::new();
        for text in &common.domain {
            let (below, name) = match text.trim().strip_prefix('.') {
                Some(name) => (".", name),
                None => ("", text.trim()),
            };
            if name.is_empty() || name.contains('@') {
                bail!("--domain {text:?} is no domain; write example.com, or .example.com with all that is below it");
            }
            all.push(format!("{below}{}", address::normal_domain(name.as_bytes())));
        }
        Ok(Self(all))
    }

    /// Whether deliveries to a domain count.
    pub fn takes(&self, domain: &str) -> bool {
        let fits = |wanted: &String| match wanted.strip_prefix('.') {
            Some(above) => domain == above || domain.ends_with(wanted.as_str()),
            None => domain == wanted,
        };
        self.0.is_empty() || self.0.iter().any(fits)
    }

    /// Whether all do.
    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// The domains, as a list for people.
    pub fn list(&self) -> String {
        self.0.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_and_what_is_below() {
        let domains = Domains(vec!["a.test".into(), ".b.test".into()]);
        for (domain, taken) in [("a.test", true), ("x.a.test", false), ("b.test", true), ("x.b.test", true), ("xb.test", false)] {
            assert_eq!(domains.takes(domain), taken, "{domain}");
        }
        assert!(Domains(Vec::new()).takes("any.test"));
    }
}
