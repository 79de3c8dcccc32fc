//! The classifier: one reply in, one verdict out.
//!
//! isolate (wrappers off) > mask > engine (which rules hold) > rank against the codes > class and disposition. It remembers
//! nothing: that is [`crate::memo`]. It explains nothing: that is [`crate::explain`].
//!
//! `550 5.7.1 <a@b.test>: Recipient address rejected: User unknown` is `user_unknown` by its words, although 5.7.1 says policy.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use bouncestat_record::{Action, BlocklistState, Class, Disposition, EnhancedCode, Family, Level, Reason, Reply, Verdict};

use crate::blocklist::{self, Lists};
use crate::builtin::{self, HASH, RULE_IDS};
use crate::codes::{Codes, Evidence};
use crate::compile::{Names, compile};
use crate::decide::{self, Options};
use crate::engine::{self, Context, Found, Hit, Layer, LazyRegex};
use crate::isolate::{Isolated, isolate};
use crate::provider::Providers;
use crate::rule::{self, Error, ErrorKind, Rule};
use crate::tables::NONE;
use crate::text;

/// Score of a code, on the scale of [`crate::engine`]: rank 25 for a specific enhanced code, 12 for a weak one, 14 and 5 for basic ones.
const SPECIFIC: u32 = 25 * 10_000;
const QUOTA_552: u32 = 14 * 10_000;
const WEAK: u32 = 12 * 10_000;
const BASIC: u32 = 5 * 10_000;
/// Below this, words are weaker than the citing of a blocklist.
const NAMED_LIST: u32 = 30 * 10_000;

/// Rules, lists and providers, ready to judge. Cheap to share; the crate's own rules cost nothing to build.
pub struct Classifier {
    pub(crate) layers: Vec<Layer>,
    pub(crate) user: Vec<Rule>,
    pub(crate) lists: Lists,
    pub(crate) providers: Providers,
    pub(crate) codes: &'static Codes,
    options: Options,
    version: String,
    named_list: Arc<str>,
    unexpected: Arc<str>,
    no_rule: Arc<str>,
}

/// What decided.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Winner {
    /// Nothing: there is no failure, or no evidence.
    Nothing,
    /// A rule.
    Rule(Hit),
    /// An enhanced code.
    Enhanced(Evidence),
    /// A basic code.
    Basic(Evidence),
    /// The citing of a blocklist.
    List,
    /// A positive code where the logging server saw a failure.
    Unexpected,
}

/// What decides a verdict, before what depends on the unmasked text is added.
#[derive(Debug)]
pub(crate) struct Decision {
    pub reason: Reason,
    pub winner: Winner,
    pub second: Winner,
    pub disposition: Option<Disposition>,
    /// Number of the blocklist; [`NONE`] where there is none.
    pub list: u16,
    pub state: Option<BlocklistState>,
    /// The list whose kind of object is looked for in the unmasked text; [`NONE`] for any.
    pub entity: Option<u16>,
    pub provider: Option<u16>,
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
        let user = rule::read(toml_text, file_name, true)?;
        for rule in &user {
            if let Some(Err(error)) = rule.regex.as_deref().map(LazyRegex::build) {
                let place = format!("{file_name}: rule `{}`", rule.id);
                return Err(Error { kind: ErrorKind::Pattern, place, message: format!("regex: {error}") });
            }
        }
        Self::build(user, toml_text)
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
        let mut all = Self {
            layers: Vec::with_capacity(2),
            user: Vec::new(),
            lists: Lists::builtin(),
            providers: Providers::builtin(),
            codes: Codes::builtin(),
            options: Options::default(),
            version: version(user_text),
            named_list: "blocklist.named".into(),
            unexpected: "basic.unexpected".into(),
            no_rule: "none".into(),
        };
        if !user.is_empty() {
            rule::unique(&user, |id| RULE_IDS.contains(&id))?;
            let built = compile(&user, &[], &all, &|text| builtin::frequency(text))?;
            all.layers.push(Layer::own(&user, built));
        }
        all.layers.push(Layer::builtin(user.len()));
        all.user = user;
        Ok(all)
    }

    /// The rules' version: the crate's version and a short hash of every rule and table.
    pub fn rules_version(&self) -> &str {
        &self.version
    }

    /// The rules, the user's first, in the order that decides ties.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.user.iter().chain(builtin::rules())
    }

    /// What a rule advises, where it says something of its own.
    pub(crate) fn advice(&self, rule: usize) -> Option<&str> {
        match rule.checked_sub(self.user.len()) {
            None => self.user[rule].advice.as_deref(),
            Some(builtin) => builtin::advice(builtin),
        }
    }

    /// The layer of a rule, and its number there.
    fn layer(&self, rule: usize) -> (&Layer, usize) {
        let layer = self.layers.iter().rev().find(|l| l.before <= rule).expect("the first layer begins at 0");
        (layer, rule - layer.before)
    }

    /// The name under which something decides.
    pub(crate) fn name(&self, winner: Winner) -> &Arc<str> {
        match winner {
            Winner::Nothing => &self.no_rule,
            Winner::Rule(hit) => {
                let (layer, rule) = self.layer(hit.rule);
                &layer.ids[rule]
            }
            Winner::Enhanced(evidence) | Winner::Basic(evidence) => self.codes.name(evidence),
            Winner::List => &self.named_list,
            Winner::Unexpected => &self.unexpected,
        }
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
            winner: Winner::Nothing,
            second: Winner::Nothing,
            disposition: None,
            list: NONE,
            state: None,
            entity: None,
            provider: context.provider[0].or(context.provider[1]),
        };
        if prepared.succeeded() {
            return decision;
        }
        engine::run(&self.layers, masked, context, found);
        decision.provider = decision.provider.or(found.signs.iter().copied().min());
        let positive = matches!(context.digit, Some(1..=3));
        let mut candidates = [(0, Winner::Nothing); 6];
        let mut count = 0;
        let mut add = |score: u32, winner: Winner| {
            candidates[count] = (score, winner);
            count += 1;
        };
        for hit in [found.best, found.second].into_iter().flatten() {
            add(hit.score, Winner::Rule(hit));
        }
        if let Some(code) = context.enhanced.filter(|code| !(positive && code.class == 2))
            && let Some(evidence) = self.codes.enhanced(code)
        {
            add(if evidence.weak { WEAK } else { SPECIFIC }, Winner::Enhanced(evidence));
        }
        if let Some(code) = context.basic
            && let Some(evidence) = self.codes.basic(code)
        {
            add(if code == 552 { QUOTA_552 } else { BASIC }, Winner::Basic(evidence));
        }
        if positive {
            add(BASIC, Winner::Unexpected);
        }
        let named = self.lists.pick(&found.lists).unwrap_or(NONE);
        if self.lists.at(named).is_some_and(|list| list.rank >= 30) {
            add(NAMED_LIST, Winner::List);
        }
        // Stable: of equals the earlier stays first.
        candidates[..count].sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        (decision.winner, decision.second) = (candidates[0].1, candidates[1].1);
        decision.reason = match decision.winner {
            Winner::Nothing => Reason::Unknown,
            Winner::Rule(hit) => {
                let (layer, rule) = self.layer(hit.rule);
                let row = &layer.rules()[rule];
                decision.disposition = Disposition::ALL.get(usize::from(row.disposition)).copied();
                decision.list = row.list;
                Reason::ALL[usize::from(row.reason)]
            }
            Winner::Enhanced(evidence) | Winner::Basic(evidence) => evidence.reason,
            Winner::List => Reason::Blocklisted,
            Winner::Unexpected => Reason::ProtocolError,
        };
        let about = decide::before_the_recipient(decision.reason, context.stage);
        if about != decision.reason {
            (decision.reason, decision.disposition) = (about, None);
        }
        self.name_list(&mut decision, named, found);
        decision
    }

    /// Names the blocklist, where the reason is one that a list can have caused.
    fn name_list(&self, decision: &mut Decision, named: u16, found: &Found) {
        let state = blocklist::state_of(&found.states);
        let resolver = state == Some(BlocklistState::ResolverError);
        let reputation = decision.reason.family() == Family::Reputation;
        let may = reputation
            || matches!(decision.reason, Reason::Greylisted | Reason::RateLimited | Reason::SpamContent)
            || (decision.reason == Reason::ServerError && resolver);
        if !may {
            decision.list = NONE;
            return;
        }
        // Of the rule's own and the most specific one named, the more specific; the rule's own if neither is.
        if decision.list == NONE
            || self.lists.at(named).is_some_and(|other| self.lists.at(decision.list).is_some_and(|own| other.rank > own.rank))
        {
            decision.list = named;
        }
        let Some(list) = self.lists.at(decision.list) else {
            decision.entity = reputation.then_some(NONE);
            return;
        };
        decision.entity = Some(decision.list);
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

    /// The object that a reply names, of the kind that the list of this number lists.
    pub(crate) fn listed(&self, text: &[u8], entity: u16) -> Option<String> {
        blocklist::listed(text, self.lists.at(entity).map_or("", |l| &l.entity))
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
        let level = match decision.winner {
            Winner::Nothing => Level::None,
            Winner::Rule(hit) => {
                let (layer, rule) = self.layer(hit.rule);
                if layer.rules()[rule].bound { Level::Provider } else { Level::Text }
            }
            Winner::Enhanced(_) => Level::Enhanced,
            Winner::Basic(_) | Winner::Unexpected => Level::Basic,
            Winner::List => Level::Text,
        };
        Verdict {
            smtp_code: prepared.smtp_code,
            enhanced_code: prepared.enhanced,
            reply_class: prepared.reply_class,
            stage: prepared.context.stage,
            class,
            reason: decision.reason,
            disposition,
            rule_id: self.name(decision.winner).clone(),
            level,
            blocklist: self.lists.at(decision.list).map(|l| l.id.clone()),
            blocklist_state: decision.state,
            listed: decision.entity.and_then(|entity| self.listed(prepared.isolated.text, entity)),
            provider: decision.provider.map(|n| self.providers.id(n)),
        }
    }
}

impl Prepared<'_> {
    /// Whether there is no failure. What the logging server counted as one is one, whatever digit the other server sent.
    pub(crate) fn succeeded(&self) -> bool {
        match self.action {
            Some(Action::Delivered) => true,
            Some(Action::Bounced | Action::Deferred | Action::Expired) => false,
            None => matches!(self.context.digit, Some(1..=3)),
        }
    }
}

impl Names for Classifier {
    fn provider(&self, id: &str) -> Option<u16> {
        self.providers.number(id)
    }

    fn list(&self, id: &str) -> Option<u16> {
        self.lists.number(id)
    }
}

/// FNV-1a over all rules and tables: stable over builds, machines and versions of Rust.
fn version(user_text: &str) -> String {
    let hash = user_text.bytes().fold(HASH, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{}+{:08x}", env!("CARGO_PKG_VERSION"), (hash >> 32) as u32 ^ hash as u32)
}
