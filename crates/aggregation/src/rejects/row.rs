//! The counts of one group of refusals.

use bouncestat_record::time::Micros;
use bouncestat_record::{Reason, Rejection};

use crate::failures::{Map, Set};

/// A refusal with what was made of it.
pub(super) struct Seen<'a> {
    pub rejection: &'a Rejection<'a>,
    pub reason: Reason,
    pub template: &'a str,
    pub network: &'a str,
    pub domain: Option<&'a str>,
}

/// Counts, and what they are of.
#[derive(Clone, Default)]
pub(super) struct Row {
    pub rejects: u64,
    pub temporary: u64,
    /// By IP: how often, and its name where it has one.
    clients: Map<String, (u64, String)>,
    networks: Set<String>,
    domains: Set<String>,
    reasons: Map<Reason, u64>,
    templates: Map<String, u64>,
    pub span: Option<(Micros, Micros)>,
    pub oldest: Option<Oldest>,
}

/// The oldest refusal of a group: its moment, place and reply.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Oldest {
    at: Micros,
    // Before the place: files are cut elsewhere, and numbered otherwise, in another run over the same lines.
    pub text: String,
    pub file: u32,
    pub offset: u64,
}

impl Row {
    pub fn add(&mut self, seen: &Seen<'_>) {
        let r = seen.rejection;
        let count = u64::from(r.count);
        self.rejects += count;
        self.temporary += if r.temporary { count } else { 0 };
        if !r.client_ip.is_empty() {
            self.client_of(r.client_ip, count, r.client_name);
            insert(&mut self.networks, seen.network);
        }
        if let Some(domain) = seen.domain {
            insert(&mut self.domains, domain);
        }
        *self.reasons.entry(seen.reason).or_default() += count;
        add(&mut self.templates, seen.template, count);
        self.span = Some(self.span.map_or((r.at, r.at), |(a, b)| (a.min(r.at), b.max(r.at))));
        if self.oldest.as_ref().is_none_or(|o| r.at <= o.at) {
            let text = String::from_utf8_lossy(r.text).into_owned();
            let this = Oldest { at: r.at, text, file: r.file, offset: r.offset };
            self.oldest = Some(match self.oldest.take() {
                Some(oldest) => oldest.min(this),
                None => this,
            });
        }
    }

    pub fn merge(&mut self, other: Self) {
        self.rejects += other.rejects;
        self.temporary += other.temporary;
        other.clients.into_iter().for_each(|(ip, (n, name))| self.client_of(&ip, n, &name));
        self.networks.extend(other.networks);
        self.domains.extend(other.domains);
        other.reasons.into_iter().for_each(|(reason, n)| *self.reasons.entry(reason).or_default() += n);
        other.templates.into_iter().for_each(|(template, n)| *self.templates.entry(template).or_default() += n);
        self.span = match (self.span, other.span) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (a, b) => a.or(b),
        };
        self.oldest = match (self.oldest.take(), other.oldest) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    /// Different client IPs, client networks and recipient domains.
    pub fn distinct(&self) -> [usize; 3] {
        [self.clients.len(), self.networks.len(), self.domains.len()]
    }

    /// Clients are told apart by IP; a name comes and goes with DNS. Of several, the first by the alphabet is kept.
    fn client_of(&mut self, ip: &str, count: u64, name: &str) {
        if !self.clients.contains_key(ip) {
            self.clients.insert(ip.to_owned(), Default::default());
        }
        let Some((n, known)) = self.clients.get_mut(ip) else { return };
        *n += count;
        if !name.is_empty() && (known.is_empty() || name < known.as_str()) {
            name.clone_into(known);
        }
    }

    /// The client with the most refusals: its name, else its IP.
    pub fn client(&self) -> Option<&str> {
        let most = self.clients.iter().max_by(|a, b| a.1.0.cmp(&b.1.0).then_with(|| b.0.cmp(a.0)));
        most.map(|(ip, (_, name))| if name.is_empty() { ip.as_str() } else { name.as_str() })
    }

    /// The most frequent reason.
    pub fn reason(&self) -> Reason {
        most(&self.reasons, |a, b| a.as_str().cmp(b.as_str())).copied().unwrap_or(Reason::Unknown)
    }

    /// The most frequent reply, masked.
    pub fn template(&self) -> Option<&str> {
        most(&self.templates, |a, b| a.cmp(b)).map(String::as_str).filter(|template| !template.is_empty())
    }
}

fn add(map: &mut Map<String, u64>, key: &str, count: u64) {
    match map.get_mut(key) {
        Some(n) => *n += count,
        None => drop(map.insert(key.to_owned(), count)),
    }
}

fn insert(set: &mut Set<String>, key: &str) {
    if !set.contains(key) {
        set.insert(key.to_owned());
    }
}

/// The key with the highest count, the first of them by `order`.
fn most<K>(counts: &Map<K, u64>, order: impl Fn(&K, &K) -> std::cmp::Ordering) -> Option<&K> {
    counts.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| order(b.0, a.0))).map(|(key, _)| key)
}
