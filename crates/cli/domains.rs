//! `--domain`: the recipients' domains that are asked for.

use bouncestat_record::address;

/// Domains, in the form in which they are counted. None: all.
pub struct Domains(Vec<String>);

impl Domains {
    /// Domains as typed, those with a dot before them with all that is below; the text that is none is the error.
    pub fn new(texts: &[String]) -> Result<Self, String> {
        let mut all = Vec::new();
        for text in texts {
            let (below, name) = match text.trim().strip_prefix('.') {
                Some(name) => (".", name),
                None => ("", text.trim()),
            };
            if name.is_empty() || name.contains('@') {
                return Err(text.clone());
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
    #[test]
    fn domains_and_what_is_below() {
        let domains = |texts: &[&str]| super::Domains::new(&texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
        let some = domains(&["A.test.", ".b.test"]).expect("sound");
        for (domain, taken) in [("a.test", true), ("x.a.test", false), ("b.test", true), ("x.b.test", true), ("xb.test", false)] {
            assert_eq!(some.takes(domain), taken, "{domain}");
        }
        assert!(domains(&[]).expect("sound").takes("any.test"));
        assert!(domains(&["a@b.test"]).is_err() && domains(&["."]).is_err());
    }
}
