//! Addresses and domains to stop mailing.
//!
//! Failures of an address count from its newest delivery on: a later delivery clears it. A recipient that was refused for the
//! sender's fault (reputation, identity, content, rate) is never looked at: only replies about the recipient count, see [`Weight`].
//! What this is not: a list of everyone who ever bounced.
//!
//! Deliveries come in no order of time, so that times are kept of all failures, and of deliveries only to those that failed: in a
//! second run over the logs ([`Remember::Only`]), or of all recipients where the input can be read only once.

use std::sync::Arc;

use bouncestat_record::time::{DAY, Micros};
use bouncestat_record::{Class, Delivery, Disposition, EnhancedCode, Family, Outcome, Reason, Try, Verdict, address};

use crate::attempts::recipient_hash;
use crate::failures::{Map, Set};
use crate::refusals::{Proof, accepted_at};
use crate::{Frame, Value, schema};

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// So many hard failures of an address; 0: never for that.
    pub hard: u64,
    /// So many soft failures of an address; 0: never for that.
    pub soft: u64,
    /// Over so many days at least, from the first of them to the last.
    pub soft_days: u64,
    /// So many failures of a domain that takes no mail; 0: never.
    pub domain: u64,
}

impl Default for Policy {
    /// Hard once; soft five times over a week; domains twice, at least an hour apart.
    fn default() -> Self {
        Self { hard: 1, soft: 5, soft_days: 7, domain: 2 }
    }
}

/// Between two failures of a domain that are more than one hiccup of the resolver.
const DOMAIN_APART: Micros = DAY / 24;

/// Of whose deliveries the times are kept.
#[derive(Clone, Debug, Default)]
pub enum Remember {
    /// Nobody's: the first of two runs.
    #[default]
    Nobody,
    /// Of those that failed: the second run, which looks at nothing else.
    Only(Arc<Wanted>),
    /// Everybody's, where the input can be read only once.
    Everybody,
}

/// Recipients and domains that failed, hashed.
#[derive(Debug, Default)]
pub struct Wanted(Set<u64>);

impl Wanted {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    Soft,
    Hard,
    /// Hard, and about the whole domain: a delivery to anyone there clears it.
    Domain,
}

/// How a failure of an address counts; `None`: not at all.
fn weight(outcome: Outcome, verdict: &Verdict) -> Option<Weight> {
    let about_the_recipient = verdict.reason.family() == Family::Recipient && verdict.reason != Reason::RecipientRefused;
    match (outcome, verdict.class) {
        _ if !about_the_recipient => None,
        (Outcome::Bounced, Class::Hard) if verdict.disposition == Disposition::Suppress => {
            Some(if verdict.reason == Reason::DomainInvalid { Weight::Domain } else { Weight::Hard })
        }
        // What the receiver calls temporary, and what was given up after days of it.
        (Outcome::Bounced | Outcome::Expired, Class::Soft) => Some(Weight::Soft),
        _ => None,
    }
}

/// The newest of equal failures.
#[derive(Clone, Debug)]
struct Newest {
    proof: Proof,
    reason: Reason,
    smtp_code: Option<u16>,
    enhanced_code: Option<EnhancedCode>,
    rule_id: Arc<str>,
}

#[derive(Clone, Debug, Default)]
struct Failing {
    /// Every failure.
    failures: Vec<(Micros, Weight)>,
    /// The newest of each weight.
    newest: [Option<Newest>; 3],
}

impl Failing {
    fn add(&mut self, weight: Weight, cause: &Try<'_>, verdict: &Verdict) {
        self.failures.push((cause.at, weight));
        let kept = &mut self.newest[weight as usize];
        let newer = kept.as_ref().is_none_or(|k| k.proof < Proof::of(cause));
        if newer {
            *kept = Some(Newest {
                proof: Proof::of(cause),
                reason: verdict.reason,
                smtp_code: verdict.smtp_code,
                enhanced_code: verdict.enhanced_code,
                rule_id: verdict.rule_id.clone(),
            });
        }
    }

    fn merge(&mut self, other: Failing) {
        self.failures.extend(other.failures);
        for (kept, other) in self.newest.iter_mut().zip(other.newest) {
            if let Some(other) = other
                && kept.as_ref().is_none_or(|k| k.proof < other.proof)
            {
                *kept = Some(other);
            }
        }
    }
}

/// Failures and deliveries of one worker, or of the run.
#[derive(Default)]
pub struct Suppression {
    remember: Remember,
    addresses: Map<Box<str>, Failing>,
    domains: Map<Box<str>, Failing>,
    delivered: Map<u64, Micros>,
    deliveries: u64,
    /// The first attempt and the last.
    events: Option<(Micros, Micros)>,
}

/// An address among those that mail was taken for. Lists and maps fold the case of local parts, as nearly all receivers do: a delivery to
/// `Bob@` clears `bob@`.
fn address_hash(address: &str) -> u64 {
    recipient_hash(&address.to_lowercase())
}

/// A domain among recipients: no address begins so.
fn domain_hash(domain: &str) -> u64 {
    recipient_hash(&format!("@{domain}"))
}

impl Suppression {
    /// Nothing seen yet.
    pub fn new(remember: Remember) -> Self {
        Self { remember, ..Self::default() }
    }

    /// Looks at a delivery; `verdict` is what its cause means.
    pub fn push(&mut self, delivery: &Delivery<'_>, verdict: Option<&Verdict>) {
        if !matches!(self.remember, Remember::Only(_)) {
            self.deliveries += 1;
            self.events = delivery.tries.iter().fold(self.events, |span, attempt| Some(wider(span, attempt.at)));
        }
        if let Some(at) = accepted_at(delivery) {
            return self.deliver(delivery, at);
        }
        let (Some(verdict), Some(cause)) = (verdict, &delivery.cause) else { return };
        if matches!(self.remember, Remember::Only(_)) || delivery.outcome == Outcome::Delivered {
            return;
        }
        let Some(weight) = weight(delivery.outcome, verdict) else { return };
        let Some((address, domain)) = listable(delivery.recipient) else { return };
        if weight == Weight::Domain {
            self.domains.entry(domain.into()).or_default().add(weight, cause, verdict);
        }
        self.addresses.entry(address.into()).or_default().add(weight, cause, verdict);
    }

    fn deliver(&mut self, delivery: &Delivery<'_>, at: Micros) {
        let only = match &self.remember {
            Remember::Nobody => return,
            Remember::Only(wanted) => Some(wanted.clone()),
            Remember::Everybody => None,
        };
        let Some((address, domain)) = listable(delivery.recipient) else { return };
        for hash in [address_hash(&address), domain_hash(&domain)] {
            if only.as_ref().is_none_or(|wanted| wanted.0.contains(&hash)) {
                let kept = self.delivered.entry(hash).or_insert(at);
                *kept = at.max(*kept);
            }
        }
    }

    /// Takes in what another worker, or another run, saw.
    pub fn add(&mut self, other: Suppression) {
        for (mine, theirs) in [(&mut self.addresses, other.addresses), (&mut self.domains, other.domains)] {
            for (name, failing) in theirs {
                mine.entry(name).or_default().merge(failing);
            }
        }
        self.deliveries += other.deliveries;
        let (first, last) = other.events.unzip();
        self.events = first.into_iter().chain(last).fold(self.events, |span, at| Some(wider(span, at)));
        for (hash, at) in other.delivered {
            let kept = self.delivered.entry(hash).or_insert(at);
            *kept = at.max(*kept);
        }
    }

    /// How many deliveries were looked at.
    pub fn deliveries(&self) -> u64 {
        self.deliveries
    }

    /// The first and the last attempt of them.
    pub fn events(&self) -> Option<(Micros, Micros)> {
        self.events
    }

    /// Whose deliveries the second run must look for.
    pub fn wanted(&self) -> Wanted {
        let addresses = self.addresses.keys().map(|address| address_hash(address));
        Wanted(addresses.chain(self.domains.keys().map(|domain| domain_hash(domain))).collect())
    }

    /// The table. `files` are the names of the logs, in the order of the plan.
    pub fn frame(&self, policy: &Policy, files: &[String]) -> Frame {
        let domains = self.domains.iter().filter_map(|(name, failing)| self.row(true, name, failing, policy));
        let addresses = self.addresses.iter().filter_map(|(name, failing)| self.row(false, name, failing, policy));
        let mut rows: Vec<Row<'_>> = domains.chain(addresses).collect();
        rows.sort_by(|a, b| (!a.is_domain, b.count(), a.entry).cmp(&(!b.is_domain, a.count(), b.entry)));
        let mut frame = Frame::new(&schema::SUPPRESS);
        rows.iter().for_each(|row| row.write(&mut frame, files));
        frame
    }

    /// Whether a domain is listed.
    fn is_dead(&self, domain: &str, policy: &Policy) -> bool {
        self.domains.get(domain).is_some_and(|failing| self.row(true, domain, failing, policy).is_some())
    }

    fn row<'s>(&self, is_domain: bool, entry: &'s str, failing: &'s Failing, policy: &Policy) -> Option<Row<'s>> {
        let taken = |hash: u64| self.delivered.get(&hash).copied();
        let domain = domain_hash(entry.rsplit('@').next().unwrap_or(entry));
        let by_domain = taken(domain);
        let last_delivered = if is_domain { by_domain } else { taken(address_hash(entry)) };
        let mut row = Row { is_domain, entry, last_delivered, ..Row::default() };
        let (mut soft_span, mut hard_span) = (None, None);
        let mut counts = [false; 3];
        // One failed lookup is no dead domain: what is about the domain counts against an address where the domain is listed.
        let domain_counts = is_domain || self.is_dead(entry.rsplit('@').next().unwrap_or(entry), policy);
        for &(at, weight) in failing.failures.iter().filter(|(_, weight)| domain_counts || *weight != Weight::Domain) {
            let cleared = if weight == Weight::Domain { last_delivered.max(by_domain) } else { last_delivered };
            if cleared.is_some_and(|taken| taken >= at) {
                continue;
            }
            let (count, span) = match weight {
                Weight::Hard | Weight::Domain => (&mut row.hard, &mut hard_span),
                Weight::Soft => (&mut row.soft, &mut soft_span),
            };
            counts[weight as usize] = true;
            *count += 1;
            *span = Some(wider(*span, at));
            row.span = Some(wider(row.span, at));
        }
        let enough = |count: u64, at_least: u64| at_least > 0 && count >= at_least;
        let long = |span: Option<(Micros, Micros)>, at_least: Micros| span.is_some_and(|(a, b)| b - a >= at_least);
        let soft_days = i64::try_from(policy.soft_days).unwrap_or(i64::MAX).saturating_mul(DAY);
        row.policy = if is_domain {
            (enough(row.hard, policy.domain) && (policy.domain == 1 || long(hard_span, DOMAIN_APART))).then_some("domain")?
        } else if enough(row.hard, policy.hard) {
            "hard"
        } else {
            (enough(row.soft, policy.soft) && long(soft_span, soft_days)).then_some("soft")?
        };
        let weights: &[Weight] = if row.policy == "soft" { &[Weight::Soft] } else { &[Weight::Hard, Weight::Domain] };
        let decided = weights.iter().filter(|&&w| counts[w as usize]).filter_map(|&w| failing.newest[w as usize].as_ref());
        row.newest = decided.max_by(|a, b| a.proof.cmp(&b.proof));
        Some(row)
    }
}

fn wider(span: Option<(Micros, Micros)>, at: Micros) -> (Micros, Micros) {
    span.map_or((at, at), |(a, b)| (a.min(at), b.max(at)))
}

/// An address as it is listed, and its domain; `None` for what has no domain, or one that is an address literal.
fn listable(recipient: &str) -> Option<(String, String)> {
    let at = recipient.rfind('@').filter(|&at| at > 0)?;
    let domain = address::domain(recipient.as_bytes());
    let usable = domain != address::LOCAL && !domain.starts_with('[');
    usable.then(|| (format!("{}@{domain}", &recipient[..at]), domain.into_owned()))
}

#[derive(Default)]
struct Row<'s> {
    is_domain: bool,
    entry: &'s str,
    policy: &'static str,
    hard: u64,
    soft: u64,
    span: Option<(Micros, Micros)>,
    last_delivered: Option<Micros>,
    newest: Option<&'s Newest>,
}

impl Row<'_> {
    fn count(&self) -> u64 {
        self.hard + self.soft
    }

    fn write(&self, frame: &mut Frame, files: &[String]) {
        let (Some(newest), Some((first, last))) = (self.newest, self.span) else { return };
        let proof = &newest.proof;
        let text = proof.lossy();
        let enhanced = newest.enhanced_code.map(|code| code.to_string());
        frame.push(&[
            Value::Utf8(if self.is_domain { "domain" } else { "address" }),
            Value::Utf8(self.entry),
            Value::Utf8(self.entry.rsplit('@').next().unwrap_or(self.entry)),
            Value::Utf8(newest.reason.as_str()),
            Value::Utf8(self.policy),
            Value::Int64(self.count() as i64),
            Value::Int64(self.hard as i64),
            Value::Int64(self.soft as i64),
            Value::Timestamp(first),
            Value::Timestamp(last),
            self.last_delivered.map_or(Value::Null, Value::Timestamp),
            newest.smtp_code.map_or(Value::Null, |code| Value::Int64(i64::from(code))),
            enhanced.as_deref().map_or(Value::Null, Value::Utf8),
            Value::Utf8(&newest.rule_id),
            if text.is_empty() { Value::Null } else { Value::Utf8(&text) },
            files.get(proof.file as usize).map_or(Value::Null, |file| Value::Utf8(file)),
            Value::Int64(proof.offset as i64),
        ]);
    }
}
