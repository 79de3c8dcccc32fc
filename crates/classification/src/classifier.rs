//! The classifier: one reply in, one verdict out.
//!
//! isolate (wrappers off) > mask > engine (which rules hold) > rank against the codes > class and disposition. It remembers
//! nothing: that is [`crate::memo`]. It explains nothing: that is [`crate::explain`].
//!
//! `550 5.7.1 <a@b.test>: Recipient address rejected: User unknown` is `user_unknown` by its words, although 5.7.1 says policy.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use bouncestat_record::{Action, BlocklistState, Class, Disposition, EnhancedCode, Family, Level, Reason, Reply, Stage, Verdict};

use crate::blocklist::{self, Lists};
use crate::codes::{Codes, Evidence};
use crate::decide::{self, Options};
use crate::engine::{Context, Engine, Found};
use crate::isolate::{Isolated, isolate};
use crate::provider::Providers;
use crate::rule::{self, Error, ErrorKind, Rule};
use crate::text;

/// Score of a code, on the scale of [`crate::engine`]: rank 25 for a specific enhanced code, 12 for a weak one, 14 and 5 for basic ones.
const SPECIFIC: u32 = 25 * 10_000;
const QUOTA_552: u32 = 14 * 10_000;
const WEAK: u32 = 12 * 10_000;
const BASIC: u32 = 5 * 10_000;
/// Below this, words are weaker than the citing of a blocklist.
const NAMED_LIST: u32 = 30 * 10_000;

/// Rules, lists, providers and the automaton over them. Cheap to share, costly (about two milliseconds) to build.
pub struct Classifier {
    pub(crate) rules: Vec<Rule>,
    pub(crate) lists: Lists,
    pub(crate) providers: Providers,
    pub(crate) codes: &'static Codes,
    engine: Engine,
    options: Options,
    version: String,
    named_list: Arc<str>,
    unexpected: Arc<str>,
    no_rule: Arc<str>,
}

/// What decides a verdict, before what depends on the unmasked text is added.
#[derive(Debug)]
pub(crate) struct Decision {
    pub reason: Reason,
    pub rule: Arc<str>,
    pub level: Level,
    pub index: Option<usize>,
    pub disposition: Option<Disposition>,
    pub list: Option<Arc<str>>,
    pub state: Option<BlocklistState>,
    pub entity: Option<String>,
    pub provider: Option<Arc<str>>,
    pub runner_up: Option<Arc<str>>,
    pub span: Option<(usize, usize)>,
}

/// A reply with its wrappers off and its codes read.
#[derive(Clone, Copy)]
pub(crate) struct Prepared<'a> {
    pub isolated: Isolated<'a>,
    pub context: Context,
    /// Codes of the reply as sent, for the verdict.
    pub smtp_code: Option<u16>,
    pub enhanced: Option<EnhancedCode>,
    pub reply_class: Option<u8>,
    pub action: Option<Action>,
}

thread_local! {
    static SCRATCH: RefCell<(Vec<u8>, Found)> = RefCell::new((Vec::new(), Found::default()));
}

impl Classifier {
    /// The classifier with the crate's own rules, built on first use.
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Classifier> = OnceLock::new();
        BUILTIN.get_or_init(|| Self::build(Vec::new(), "").expect("the crate's own rules are checked by tests"))
    }

    /// A classifier whose first rules are the user's.
    pub fn with_user_rules(toml_text: &str, file_name: &str) -> Result<Self, Error> {
        Self::build(rule::read(toml_text, file_name, true)?, toml_text)
    }

    /// The same with other options.
    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// A classifier with the crate's own rules and other options.
    pub fn with(options: Options) -> Self {
        Self::build(Vec::new(), "").expect("the crate's own rules are checked by tests").with_options(options)
    }

    fn build(user: Vec<Rule>, user_text: &str) -> Result<Self, Error> {
        let mut rules = user;
        for (file, text) in rule::BUILTIN {
            rules.extend(rule::read(text, file, false)?);
        }
        let mut seen = ahash::AHashSet::new();
        if let Some(twice) = rules.iter().rev().find(|r| !seen.insert(r.id.clone())) {
            return Err(Error {
                kind: ErrorKind::Duplicate,
                place: twice.file.to_string(),
                message: format!("rule id `{}` is already used", twice.id),
            });
        }
        let lists = Lists::builtin();
        let providers = Providers::builtin();
        for rule in &rules {
            let place = || format!("{}: rule `{}`", rule.file, rule.id);
            if let Some(unknown) = rule.providers.iter().find(|p| providers.number(p).is_none()) {
                return Err(Error { kind: ErrorKind::Value, place: place(), message: format!("unknown provider `{unknown}`") });
            }
            if let Some(unknown) = rule.blocklist.as_ref().filter(|l| lists.get(l).is_none()) {
                return Err(Error { kind: ErrorKind::Value, place: place(), message: format!("unknown blocklist `{unknown}`") });
            }
        }
        let engine = Engine::build(&rules, &lists, &providers);
        Ok(Self {
            version: version(user_text),
            rules,
            lists,
            providers,
            codes: Codes::builtin(),
            engine,
            options: Options::default(),
            named_list: "blocklist.named".into(),
            unexpected: "basic.unexpected".into(),
            no_rule: "none".into(),
        })
    }

    /// The rules' version: the crate's version and a short hash of every rule and table.
    pub fn rules_version(&self) -> &str {
        &self.version
    }

    /// The rules, the user's first, in the order that decides ties.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Who runs the recipient's mail.
    pub fn provider(&self, relay_host: Option<&str>, recipient_domain: Option<&str>) -> Option<Arc<str>> {
        let number = relay_host
            .and_then(|h| self.providers.by_host(h))
            .or_else(|| recipient_domain.and_then(|d| self.providers.by_domain(d)))?;
        Some(self.providers.id(number))
    }

    /// A host name of a provider, for trying its rules.
    pub fn sample_host(&self, provider: &str) -> Option<&str> {
        self.providers.sample_host(provider)
    }

    /// Says what a reply means. Nothing is remembered; see [`crate::Memo`].
    pub fn classify(&self, reply: &Reply<'_>) -> Verdict {
        SCRATCH.with_borrow_mut(|(masked, found)| {
            let prepared = self.prepare(reply, masked);
            let decision = self.decide(&prepared, masked, found);
            self.verdict(&prepared, &decision)
        })
    }

    /// Takes the wrappers off, masks into `masked`, and reads what stands beside the text.
    pub(crate) fn prepare<'a>(&self, reply: &Reply<'a>, masked: &mut Vec<u8>) -> Prepared<'a> {
        let isolated = isolate(reply.text);
        let mut codes = text::mask(isolated.text, masked);
        if let Some(reply) = isolated.quoted {
            codes = text::mask(reply, &mut Vec::new());
        }
        let host = reply.relay_host.filter(|h| !h.is_empty()).or_else(|| isolated.host.and_then(|h| std::str::from_utf8(h).ok()));
        let smtp_code = codes.basic.or(reply.smtp_code);
        let remote = smtp_code.is_some() || isolated.remote || (codes.enhanced.is_some() && reply.mta.is_none());
        let digit =
            smtp_code.map(|code| (code / 100) as u8).or(codes.enhanced.map(|e| e.class)).or(reply.enhanced_code.map(|e| e.class));
        let enhanced_evidence = codes.enhanced.or(reply.enhanced_code);
        // A `dsn=` that Postfix made up for a code-less or disagreeing reply is `x.0.0`: it says nothing.
        let enhanced = codes.enhanced.or(if remote {
            reply.enhanced_code.filter(|e| (e.subject, e.detail) != (0, 0) || codes.basic.is_none())
        } else {
            None
        });
        Prepared {
            isolated,
            context: Context {
                basic: smtp_code,
                enhanced: enhanced_evidence,
                digit,
                stage: isolated.stage.or(reply.stage),
                provider: [
                    host.and_then(|h| self.providers.by_host(h)),
                    reply.recipient_domain.and_then(|d| self.providers.by_domain(d)),
                ],
            },
            smtp_code,
            enhanced,
            reply_class: if remote { digit } else { None },
            action: reply.action,
        }
    }

    /// Ranks what the text and the codes say.
    pub(crate) fn decide(&self, prepared: &Prepared<'_>, masked: &[u8], found: &mut Found) -> Decision {
        let context = &prepared.context;
        let mut decision = Decision {
            reason: Reason::None,
            rule: self.no_rule.clone(),
            level: Level::None,
            index: None,
            disposition: None,
            list: None,
            state: None,
            entity: None,
            provider: None,
            runner_up: None,
            span: None,
        };
        let positive = matches!(context.digit, Some(1..=3));
        // What the logging server counted as a failure is one, whatever digit the other server sent.
        let failed = matches!(prepared.action, Some(Action::Bounced | Action::Deferred | Action::Expired));
        if (positive && !failed) || matches!(prepared.action, Some(Action::Delivered)) {
            let number = context.provider[0].or(context.provider[1]);
            decision.provider = number.map(|n| self.providers.id(n));
            return decision;
        }
        self.engine.run(&self.rules, masked, context, found);
        let number = context.provider[0].or(context.provider[1]).or(found.signs.iter().copied().min());
        decision.provider = number.map(|n| self.providers.id(n));
        let mut candidates: Vec<(u32, Candidate)> = Vec::with_capacity(5);
        for hit in [found.best, found.second].into_iter().flatten() {
            candidates.push((hit.score, Candidate::Rule(hit.rule, hit.span)));
        }
        if let Some(code) = context.enhanced.filter(|code| !(positive && code.class == 2))
            && let Some(evidence) = self.codes.enhanced(code)
        {
            candidates.push((if evidence.weak { WEAK } else { SPECIFIC }, Candidate::Code(evidence, Level::Enhanced)));
        }
        if let Some(code) = context.basic
            && let Some(evidence) = self.codes.basic(code)
        {
            candidates.push((if code == 552 { QUOTA_552 } else { BASIC }, Candidate::Code(evidence, Level::Basic)));
        }
        if positive {
            let evidence = Evidence { reason: Reason::ProtocolError, weak: true, rule: self.unexpected.clone() };
            candidates.push((BASIC, Candidate::Code(evidence, Level::Basic)));
        }
        let list = self.lists.pick(&found.lists);
        if let Some(list) = list
            && list.rank >= 30
        {
            candidates.push((NAMED_LIST, Candidate::List));
        }
        // Stable: of equals the earlier stays first.
        candidates.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let mut candidates = candidates.into_iter().map(|(_, candidate)| candidate);
        decision.reason = Reason::Unknown;
        if let Some(first) = candidates.next() {
            let level = |rule: &Rule| if rule.providers.is_empty() { Level::Text } else { Level::Provider };
            match first {
                Candidate::Rule(index, span) => {
                    let rule = &self.rules[index];
                    decision.reason = rule.reason;
                    decision.rule = rule.id.clone();
                    decision.level = level(rule);
                    decision.index = Some(index);
                    decision.disposition = rule.disposition;
                    decision.span = span;
                    decision.list = rule.blocklist.clone();
                }
                Candidate::Code(evidence, level) => {
                    decision.reason = evidence.reason;
                    decision.rule = evidence.rule;
                    decision.level = level;
                }
                Candidate::List => {
                    decision.reason = Reason::Blocklisted;
                    decision.rule = self.named_list.clone();
                    decision.level = Level::Text;
                }
            }
            decision.runner_up = candidates.next().map(|c| match c {
                Candidate::Rule(index, _) => self.rules[index].id.clone(),
                Candidate::Code(evidence, _) => evidence.rule,
                Candidate::List => self.named_list.clone(),
            });
        }
        self.name_list(&mut decision, list.map(|l| l.id.clone()), found);
        decision
    }

    /// Names the blocklist, where the reason is one that a list can have caused.
    fn name_list(&self, decision: &mut Decision, named: Option<Arc<str>>, found: &Found) {
        let state = blocklist::state_of(&found.states);
        let resolver = state == Some(BlocklistState::ResolverError);
        let may = decision.reason.family() == Family::Reputation
            || matches!(decision.reason, Reason::Greylisted | Reason::RateLimited | Reason::SpamContent)
            || (decision.reason == Reason::ServerError && resolver);
        if !may {
            decision.list = None;
            return;
        }
        let rank = |id: &Arc<str>| self.lists.get(id).map_or(0, |l| l.rank);
        decision.list = match (decision.list.take(), named) {
            (Some(own), Some(other)) => Some(if rank(&other) > rank(&own) { other } else { own }),
            (own, other) => own.or(other),
        };
        let list = decision.list.as_ref().and_then(|id| self.lists.get(id));
        let reputation = decision.reason.family() == Family::Reputation;
        decision.entity =
            if list.is_some() || reputation { Some(list.map_or_else(String::new, |l| l.entity.clone())) } else { None };
        let Some(list) = list else { return };
        decision.state = Some(match state {
            Some(BlocklistState::Greylist) if decision.reason != Reason::Greylisted => list.state,
            Some(BlocklistState::ResolverError) if decision.reason != Reason::ServerError => list.state,
            Some(state) if list.state == BlocklistState::Listed => state,
            Some(BlocklistState::ResolverError) => BlocklistState::ResolverError,
            _ if decision.reason == Reason::Greylisted => BlocklistState::Greylist,
            _ => list.state,
        });
        if decision.state == Some(BlocklistState::DeadList) && decision.reason == Reason::Blocklisted {
            decision.disposition = Some(Disposition::Contact);
        }
    }

    /// Makes the verdict of a decision: class, disposition, and what depends on the unmasked text.
    pub(crate) fn verdict(&self, prepared: &Prepared<'_>, decision: &Decision) -> Verdict {
        let class = decide::class(decision.reason, prepared.context.digit, prepared.action, self.options);
        let own = decide::disposition(decision.reason, class);
        let disposition = match decision.disposition {
            Some(Disposition::Suppress) if class != Class::Hard => Disposition::Retry,
            Some(other) => other,
            None => own,
        };
        Verdict {
            smtp_code: prepared.smtp_code,
            enhanced_code: prepared.enhanced,
            reply_class: prepared.reply_class,
            stage: prepared.context.stage.or(None::<Stage>),
            class,
            reason: decision.reason,
            disposition,
            rule_id: decision.rule.clone(),
            level: decision.level,
            blocklist: decision.list.clone(),
            blocklist_state: decision.state,
            listed: decision.entity.as_ref().and_then(|entity| blocklist::listed(prepared.isolated.text, entity)),
            provider: decision.provider.clone(),
        }
    }
}

enum Candidate {
    Rule(usize, Option<(usize, usize)>),
    Code(Evidence, Level),
    List,
}

/// FNV-1a over all rules and tables: stable over builds, machines and versions of Rust.
fn version(user_text: &str) -> String {
    let tables = [
        include_str!("../data/enhanced.tsv"),
        include_str!("../data/basic.tsv"),
        include_str!("../data/providers.toml"),
        include_str!("../data/blocklists.toml"),
        user_text,
    ];
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for text in rule::BUILTIN.iter().map(|(_, text)| *text).chain(tables) {
        for byte in text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{}+{:08x}", env!("CARGO_PKG_VERSION"), (hash >> 32) as u32 ^ hash as u32)
}
