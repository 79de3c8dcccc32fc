//! What is kept of refusals that are, or look like, refusals for reputation.
//!
//! One row a (source, kind of blame, listed object, list or provider). A delivery counts once in a row, however often it was tried,
//! and whether or not it got through in the end. Bounded by distinct rows, replies and refused recipients.
//!
//! `delivery temporarily suspended: host mx.acme.test[192.0.2.9] refused to talk to me: 554 …` is Postfix's echo of an older reply:
//! the delivery was hindered, but nobody spoke again.

use bouncestat_record::time::Micros;
use bouncestat_record::{Action, Blame, BlocklistState, Delivery, Level, Outcome, Try, Verdict};
use serde::{Deserialize, Serialize};

use crate::attempts::recipient_hash;
use crate::cells::{Cell, Keys, Renumbering};
use crate::failures::{Map, Set};
use crate::names::Names;

/// What Postfix writes before a reply that it remembers (`qmgr_defer.c`).
const ECHO: &[u8] = b"delivery temporarily suspended";

/// One refused attempt.
#[derive(Clone, Copy)]
pub struct Refusal<'a> {
    /// The attempt.
    pub attempt: &'a Try<'a>,
    /// What its reply means.
    pub verdict: &'a Verdict,
    /// Whether it accuses, or what it is instead.
    pub blame: Blame,
    /// Its reply, masked.
    pub template: &'a str,
    /// Who can lift it; asked for few of them.
    pub help: &'a dyn Fn() -> Help,
}

/// Who can lift a refusal, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Help {
    /// Who is to be asked.
    pub who: String,
    /// What to do.
    pub advice: String,
    /// Where to look it up or to ask for removal.
    pub url: Option<String>,
}

/// A line of a log as evidence. The smaller one is the older one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Proof {
    pub(crate) at: Micros,
    pub(crate) text: Box<[u8]>,
    pub(crate) file: u32,
    pub(crate) offset: u64,
}

impl Proof {
    pub(crate) fn of(attempt: &Try<'_>) -> Self {
        Proof { at: attempt.at, text: attempt.text.into(), file: attempt.file, offset: attempt.offset }
    }

    /// Whether an attempt is the older, so better, evidence.
    fn is_younger_than(&self, attempt: &Try<'_>) -> bool {
        (attempt.at, attempt.text, attempt.file, attempt.offset) < (self.at, &*self.text, self.file, self.offset)
    }

    pub(crate) fn lossy(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

/// A kind of reply: how many deliveries met it, from when to when, and the oldest line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) deliveries: u64,
    pub(crate) oldest: Proof,
    pub(crate) last: Micros,
}

/// What rows are kept by. Accusing kinds share rows: a list and a reputation are often two words for one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct RefusalKey {
    pub(crate) source: u32,
    /// `None`: it accuses.
    #[serde(with = "crate::saved::blame")]
    pub(crate) apart: Option<Blame>,
    pub(crate) listed: Option<u32>,
    pub(crate) blocklist: Option<u32>,
    /// Only where no list is named: a list speaks through many providers.
    pub(crate) provider: Option<u32>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RefusalRow {
    /// Deliveries.
    pub(crate) refused: u64,
    /// Those of them that were handed over later.
    pub(crate) delivered_later: u64,
    /// Replies that were really spoken.
    pub(crate) replies: u64,
    pub(crate) recipients: Set<u64>,
    pub(crate) domains: Set<u32>,
    pub(crate) providers: Set<u32>,
    /// Who refuses, each independent of the others: providers, and where they are not known the relays' organisations.
    pub(crate) receivers: Set<u32>,
    pub(crate) said: Map<u32, Said>,
    pub(crate) seen: Option<(Micros, Micros)>,
    /// How explicit the clearest reply is, percent.
    pub(crate) explicit: u8,
    /// The strongest kind.
    #[serde(with = "crate::saved::blame")]
    pub(crate) blame: Option<Blame>,
    /// By its oldest line.
    help: Option<(Proof, Help)>,
}

impl RefusalRow {
    fn span(&mut self, first: Micros, last: Micros) {
        let (a, b) = self.seen.unwrap_or((first, last));
        self.seen = Some((a.min(first), b.max(last)));
    }

    pub(crate) fn help(&self) -> Help {
        self.help.as_ref().map(|(_, help)| help.clone()).unwrap_or_default()
    }

    /// Takes in another row, its numbers changed by the four functions.
    fn absorb(&mut self, from: &RefusalRow, to: &Numbers<'_>) {
        self.refused += from.refused;
        self.delivered_later += from.delivered_later;
        self.replies += from.replies;
        self.recipients.extend(&from.recipients);
        self.domains.extend(from.domains.iter().map(|&n| (to.domain)(n)));
        self.providers.extend(from.providers.iter().map(|&n| (to.provider)(n)));
        self.receivers.extend(from.receivers.iter().map(|&n| (to.receiver)(n)));
        for (&template, said) in &from.said {
            merge_said(&mut self.said, (to.template)(template), said);
        }
        from.seen.into_iter().for_each(|(first, last)| self.span(first, last));
        self.explicit = self.explicit.max(from.explicit);
        self.blame = self.blame.into_iter().chain(from.blame).min();
        if let Some((proof, help)) = &from.help
            && self.help.as_ref().is_none_or(|(kept, _)| proof < kept)
        {
            self.help = Some((proof.clone(), help.clone()));
        }
    }

    /// Takes in a row of the same run.
    pub(crate) fn join(&mut self, from: &RefusalRow) {
        let same = |n| n;
        self.absorb(from, &Numbers { domain: &same, provider: &same, receiver: &same, template: &same });
    }
}

/// How the numbers of one dictionary become those of another.
struct Numbers<'a> {
    domain: &'a dyn Fn(u32) -> u32,
    provider: &'a dyn Fn(u32) -> u32,
    receiver: &'a dyn Fn(u32) -> u32,
    template: &'a dyn Fn(u32) -> u32,
}

fn merge_said(all: &mut Map<u32, Said>, template: u32, said: &Said) {
    match all.get_mut(&template) {
        None => drop(all.insert(template, said.clone())),
        Some(kept) => {
            kept.deliveries += said.deliveries;
            kept.last = kept.last.max(said.last);
            if said.oldest < kept.oldest {
                kept.oldest = said.oldest.clone();
            }
        }
    }
}

/// All refusals of a batch, or of the run.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Refusals {
    pub(crate) rows: Map<RefusalKey, RefusalRow>,
    pub(crate) templates: Names,
    /// Blocklists and listed objects.
    pub(crate) labels: Names,
    receivers: Names,
    /// First and last handing over, by cell.
    accepted: Vec<Option<(Micros, Micros)>>,
}

impl Refusals {
    /// A delivery to `cell` was handed over.
    pub(crate) fn accept(&mut self, cell: u32, at: Micros) {
        self.accept_span(cell, at, at);
    }

    fn accept_span(&mut self, cell: u32, first: Micros, last: Micros) {
        let cell = cell as usize;
        if self.accepted.len() <= cell {
            self.accepted.resize(cell + 1, None);
        }
        let (a, b) = self.accepted[cell].unwrap_or((first, last));
        self.accepted[cell] = Some((a.min(first), b.max(last)));
    }

    /// First and last handing over to a cell.
    pub(crate) fn accepted(&self, cell: usize) -> Option<(Micros, Micros)> {
        self.accepted.get(cell).copied().flatten()
    }

    /// Takes in the refused attempts of one delivery to `cell`.
    pub(crate) fn push(
        &mut self,
        delivery: &Delivery<'_>,
        cell: Cell,
        domain: &str,
        provider: Option<&str>,
        all: &[Refusal<'_>],
    ) {
        let recipient = recipient_hash(delivery.recipient);
        let mut counted: Vec<RefusalKey> = Vec::new();
        let mut said: Vec<(RefusalKey, u32)> = Vec::new();
        for refusal in all {
            let key = self.key(refusal, cell, provider.is_some());
            let template = self.templates.number(refusal.template);
            let receiver = self.receivers.number(&receiver(refusal.attempt, domain, provider));
            let attempt = refusal.attempt;
            let row = self.rows.entry(key).or_default();
            if !counted.contains(&key) {
                counted.push(key);
                row.refused += 1;
                row.delivered_later += u64::from(delivery.outcome == Outcome::Delivered);
                row.recipients.insert(recipient);
                row.domains.insert(cell.domain);
                row.providers.insert(cell.provider);
            }
            if !attempt.text.starts_with(ECHO) {
                row.replies += u64::from(attempt.count.max(1));
                row.receivers.insert(receiver);
            }
            row.span(attempt.at, attempt.at);
            row.explicit = row.explicit.max(explicit(refusal));
            row.blame = row.blame.into_iter().chain([refusal.blame]).min();
            if row.help.as_ref().is_none_or(|(kept, _)| kept.is_younger_than(attempt)) {
                row.help = Some((Proof::of(attempt), (refusal.help)()));
            }
            let first = !said.contains(&(key, template));
            if first {
                said.push((key, template));
            }
            match row.said.get_mut(&template) {
                None => drop(row.said.insert(template, Said { deliveries: 1, oldest: Proof::of(attempt), last: attempt.at })),
                Some(kept) => {
                    kept.deliveries += u64::from(first);
                    kept.last = kept.last.max(attempt.at);
                    if kept.oldest.is_younger_than(attempt) {
                        kept.oldest = Proof::of(attempt);
                    }
                }
            }
        }
    }

    fn key(&mut self, refusal: &Refusal<'_>, cell: Cell, provider_is_known: bool) -> RefusalKey {
        let verdict = refusal.verdict;
        let apart = (!refusal.blame.accuses()).then_some(refusal.blame);
        // What a content filter or a silent refusal names besides is no object of its own.
        let names = !matches!(refusal.blame, Blame::Content | Blame::Unexplained);
        let blocklist = verdict.blocklist.as_deref().filter(|_| names).map(|id| self.labels.number(id));
        let listed = verdict.listed.as_deref().filter(|_| names).map(|object| self.labels.number(object));
        let provider = (blocklist.is_none() && provider_is_known).then_some(cell.provider);
        RefusalKey { source: cell.source, apart, listed, blocklist, provider }
    }

    /// Takes in the refusals of a batch.
    pub(crate) fn merge(&mut self, other: Refusals, to: &Renumbering) {
        let templates = self.templates.merge(&other.templates);
        let labels = self.labels.merge(&other.labels);
        let receivers = self.receivers.merge(&other.receivers);
        let numbers = Numbers {
            domain: &|n| to.domains[n as usize],
            provider: &|n| to.providers[n as usize],
            receiver: &|n| receivers[n as usize],
            template: &|n| templates[n as usize],
        };
        for (key, from) in &other.rows {
            let key = RefusalKey {
                source: to.sources[key.source as usize],
                apart: key.apart,
                listed: key.listed.map(|n| labels[n as usize]),
                blocklist: key.blocklist.map(|n| labels[n as usize]),
                provider: key.provider.map(|n| to.providers[n as usize]),
            };
            self.rows.entry(key).or_default().absorb(from, &numbers);
        }
        for (cell, span) in other.accepted.iter().enumerate() {
            if let Some((first, last)) = *span {
                self.accept_span(to.cells[cell], first, last);
            }
        }
    }

    /// The names of a row.
    pub(crate) fn names<'a>(&'a self, key: &RefusalKey, row: &RefusalRow, keys: &'a Keys) -> RefusalNames<'a> {
        // Where all refusals come through one provider, it is named even beside a list.
        let only = (row.providers.len() == 1).then(|| row.providers.iter().next().copied()).flatten();
        RefusalNames {
            source: keys.sources.text(key.source),
            listed: key.listed.map(|n| self.labels.text(n)),
            blocklist: key.blocklist.map(|n| self.labels.text(n)),
            provider: key.provider.or(only).and_then(|n| keys.provider(n)),
        }
    }
}

/// What the numbers of a row stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RefusalNames<'a> {
    pub(crate) source: &'a str,
    pub(crate) listed: Option<&'a str>,
    pub(crate) blocklist: Option<&'a str>,
    pub(crate) provider: Option<&'a str>,
}

/// When a delivery was handed over.
pub(crate) fn accepted_at(delivery: &Delivery<'_>) -> Option<Micros> {
    let handed = delivery.tries.iter().rev().find(|t| t.action == Some(Action::Delivered));
    handed.filter(|_| delivery.outcome == Outcome::Delivered).map(|t| t.at)
}

/// How explicit a reply is, percent: a named list, a named object, words about reputation, a rate limit with such words, a code.
fn explicit(refusal: &Refusal<'_>) -> u8 {
    let verdict = refusal.verdict;
    match (&verdict.blocklist, &verdict.listed, verdict.level) {
        _ if refusal.blame == Blame::RateLimit => 50,
        (Some(_), _, _) if verdict.blocklist_state == Some(BlocklistState::Listed) => 100,
        (_, Some(_), _) => 90,
        (_, None, Level::Provider | Level::Text) => 70,
        _ => 40,
    }
}

/// Who refuses: the provider; else the organisation of the relay's name; else the recipient's domain.
fn receiver(attempt: &Try<'_>, domain: &str, provider: Option<&str>) -> String {
    match provider {
        Some(provider) => provider.to_owned(),
        None if attempt.relay_host.contains('.') => organisation(attempt.relay_host).to_ascii_lowercase(),
        None => domain.to_owned(),
    }
}

/// The last two labels of a name, three under a short second-level label (`co.uk`, `com.au`). No list of public suffixes: it would
/// age, and a mistake only joins two receivers of one country into one.
fn organisation(host: &str) -> &str {
    let host = host.strip_suffix('.').unwrap_or(host);
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    let (Some(top), Some(second)) = (dots.next(), dots.next()) else { return host };
    let short = host.len() - top - 1 == 2 && top - second - 1 <= 3;
    let from = if short { dots.next().map_or(0, |at| at + 1) } else { second + 1 };
    &host[from..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organisations() {
        for (host, want) in [
            ("mx1.acme.test", "acme.test"),
            ("mx1.eu.acme.co.uk", "acme.co.uk"),
            ("acme.co.uk", "acme.co.uk"),
            ("mx.acme.de.", "acme.de"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(organisation(host), want, "{host}");
        }
    }
}
