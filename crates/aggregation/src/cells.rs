//! The keys that deliveries are counted under.
//!
//! A **cell** is a (recipient domain, provider, source). A delivery is summed once for its cell and once for its sender domain;
//! domains, providers, sources and totals are sums of cells, so that four tables cost one grouping. Servers have few sources
//! and a domain has few providers: there are hardly more cells than domains.

use bouncestat_record::{Delivery, address};
use serde::{Deserialize, Serialize};

use crate::OTHER;
use crate::failures::Map;
use crate::names::Names;

/// Numbers in the dictionaries of [`Keys`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub(crate) domain: u32,
    pub(crate) provider: u32,
    pub(crate) source: u32,
}

/// The dictionaries of a batch, or of the whole run.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Keys {
    pub(crate) domains: Names,
    pub(crate) providers: Names,
    pub(crate) sources: Names,
    pub(crate) senders: Names,
    pub(crate) cells: Vec<Cell>,
    #[serde(skip)]
    cell_numbers: Map<Cell, u32>,
}

/// What a batch has seen before, as it was written: it spares the work of bringing it into its counted form again.
#[derive(Default)]
pub(crate) struct Seen {
    /// From the `@` on.
    domains: Map<Box<str>, u32>,
    senders: Map<Box<str>, u32>,
    /// The last sources; a log has few, and mostly those of the last lines.
    sources: Vec<Source>,
}

struct Source {
    host: Box<str>,
    instance: Box<str>,
    ip: Box<str>,
    number: u32,
}

/// Sources kept in [`Seen`].
const SOURCES: usize = 8;

/// Equality that leaves empty texts alone: where an allocated one is empty its pointer dangles, and glibc's AVX-512 `memcmp` takes
/// 100 ns to find out on AMD that it has nothing to read there (measured; it was half the cost of a delivery).
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && (a.is_empty() || a == b)
}

/// The number of an address's domain.
fn number_of_domain(names: &mut Names, seen: &mut Map<Box<str>, u32>, address: &str) -> u32 {
    let written = address.rfind('@').map_or("", |at| &address[at..]);
    if let Some(&number) = seen.get(written) {
        return number;
    }
    let number = names.number(&address::domain(written.as_bytes()));
    seen.insert(written.into(), number);
    number
}

/// For the numbers of a batch, those of the run.
pub(crate) struct Renumbering {
    pub(crate) domains: Vec<u32>,
    pub(crate) providers: Vec<u32>,
    pub(crate) sources: Vec<u32>,
    pub(crate) senders: Vec<u32>,
    pub(crate) cells: Vec<u32>,
}

impl Keys {
    /// The cell and the sender domain of a delivery.
    pub(crate) fn of(&mut self, delivery: &Delivery<'_>, provider: Option<&str>, seen: &mut Seen) -> (u32, u32) {
        let domain = number_of_domain(&mut self.domains, &mut seen.domains, delivery.recipient);
        let provider = self.providers.number(provider.unwrap_or(OTHER));
        let source = self.source(delivery, seen);
        let sender = match delivery.sender {
            Some(sender) => number_of_domain(&mut self.senders, &mut seen.senders, sender),
            None => self.senders.number(address::UNKNOWN),
        };
        (self.cell(Cell { domain, provider, source }), sender)
    }

    fn cell(&mut self, cell: Cell) -> u32 {
        let next = self.cells.len() as u32;
        let number = *self.cell_numbers.entry(cell).or_insert(next);
        if number == next {
            self.cells.push(cell);
        }
        number
    }

    /// `host/instance [ip]`, without what is not known.
    fn source(&mut self, delivery: &Delivery<'_>, seen: &mut Seen) -> u32 {
        let (host, instance, ip) = (delivery.log_host, delivery.instance, delivery.source_ip);
        let known = seen.sources.iter().find(|s| same(&s.host, host) && same(&s.instance, instance) && same(&s.ip, ip));
        if let Some(source) = known {
            return source.number;
        }
        let mut name = String::from(host);
        if !instance.is_empty() {
            name.push('/');
            name.push_str(instance);
        }
        if !ip.is_empty() {
            name.push_str(if name.is_empty() { "[" } else { " [" });
            name.push_str(ip);
            name.push(']');
        }
        let number = self.sources.number(&name);
        if seen.sources.len() == SOURCES {
            seen.sources.remove(0);
        }
        seen.sources.push(Source { host: host.into(), instance: instance.into(), ip: ip.into(), number });
        number
    }

    /// Takes in the dictionaries of a batch.
    pub(crate) fn merge(&mut self, other: &Keys) -> Renumbering {
        let domains = self.domains.merge(&other.domains);
        let providers = self.providers.merge(&other.providers);
        let sources = self.sources.merge(&other.sources);
        let senders = self.senders.merge(&other.senders);
        let cells = other.cells.iter().map(|cell| {
            self.cell(Cell {
                domain: domains[cell.domain as usize],
                provider: providers[cell.provider as usize],
                source: sources[cell.source as usize],
            })
        });
        let cells = cells.collect();
        Renumbering { domains, providers, sources, senders, cells }
    }

    /// The provider's name, `None` for the one that is not known.
    pub(crate) fn provider(&self, number: u32) -> Option<&str> {
        Some(self.providers.text(number)).filter(|&p| p != OTHER)
    }
}
