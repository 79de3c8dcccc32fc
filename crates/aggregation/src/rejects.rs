//! What our own servers refused, counted: by host, reason, blocklist, client network and recipient domain.
//!
//! No deliveries, no rates: what was refused has no denominator in these logs. Bounded by distinct clients, recipient domains and reply templates.

mod row;
mod tables;

use std::net::IpAddr;

use bouncestat_record::{BlocklistState, Mta, Reason, Rejection, Stage, Verdict, address};

use crate::failures::Map;
use crate::report::{Meta, Report};
use row::Row;

/// Refusals, counted.
#[derive(Clone, Default)]
pub struct Rejects {
    total: Row,
    hosts: Map<(String, Mta), Row>,
    reasons: Map<(Reason, Option<Stage>), Row>,
    blocklists: Map<(String, BlocklistState), Row>,
    networks: Map<String, Row>,
    domains: Map<String, Row>,
}

/// Where mail comes from that no other host sent.
const LOCAL: &str = "(local)";
/// The recipient domain of what was refused before a recipient was named.
const NONE: &str = "(none)";

impl Rejects {
    /// Counts one refusal with what its reply means; `template` is the reply, masked.
    pub fn push(&mut self, rejection: &Rejection<'_>, verdict: &Verdict, template: &str) {
        let domain = match rejection.recipient {
            "" => None,
            recipient => Some(address::domain(recipient.as_bytes())),
        };
        let network = network(rejection.client_ip);
        let seen = row::Seen { rejection, reason: verdict.reason, template, network: &network, domain: domain.as_deref() };
        self.total.add(&seen);
        self.hosts.entry((rejection.log_host.to_owned(), rejection.mta)).or_default().add(&seen);
        let stage = rejection.stage.or(verdict.stage);
        self.reasons.entry((verdict.reason, stage)).or_default().add(&seen);
        if let (Some(list), Some(state)) = (&verdict.blocklist, verdict.blocklist_state) {
            self.blocklists.entry((list.to_string(), state)).or_default().add(&seen);
        }
        self.networks.entry(network.clone()).or_default().add(&seen);
        self.domains.entry(domain.as_deref().unwrap_or(NONE).to_owned()).or_default().add(&seen);
    }

    /// Takes in the counts of another part of the log.
    pub fn merge(&mut self, other: Self) {
        fn all<K: Eq + std::hash::Hash>(into: &mut Map<K, Row>, from: Map<K, Row>) {
            from.into_iter().for_each(|(key, row)| into.entry(key).or_default().merge(row));
        }
        self.total.merge(other.total);
        all(&mut self.hosts, other.hosts);
        all(&mut self.reasons, other.reasons);
        all(&mut self.blocklists, other.blocklists);
        all(&mut self.networks, other.networks);
        all(&mut self.domains, other.domains);
    }

    /// How many refusals there are.
    pub fn count(&self) -> u64 {
        self.total.rejects
    }

    /// Makes the report; `files` are the names of the files that places number.
    pub fn finish(self, mut meta: Meta, files: &[String]) -> crate::Result<Report> {
        meta.check()?;
        let span = self.total.span;
        meta.window.first_event = meta.window.first_event.or(span.map(|(first, _)| first));
        meta.window.last_event = meta.window.last_event.or(span.map(|(_, last)| last));
        Ok(Report { meta, before: None, tables: tables::all(&self, files) })
    }
}

/// The network of a client: /24 of IPv4, /64 of IPv6, because who misbehaves has the whole of it.
fn network(ip: &str) -> String {
    match ip.parse() {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => network(&ip.to_string()),
            None => {
                let [a, b, c, d, ..] = ip.segments();
                format!("{}/64", std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        },
        Err(_) if ip.is_empty() => LOCAL.to_owned(),
        // A zone index or a name where an IP was expected: as it is.
        Err(_) => ip.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        for (ip, expected) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("", "(local)"),
            ("fe80::1%eth0", "fe80::1%eth0"),
        ] {
            assert_eq!(network(ip), expected);
        }
    }
}
