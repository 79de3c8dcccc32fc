//! Synthetic deliveries with known truth, for the tests of this folder.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::sync::Arc;

use bouncestat_aggregation::{Aggregator, AttemptBatch, Batch, Coverage, Excluded, Help, Meta, Refusal, Report, Window};
use bouncestat_record::{Action, Blame, BlocklistState, Class, Delivery, Disposition, Level, Mta, Outcome, Reason, Try, Verdict};

pub const START: i64 = 1_795_305_600_000_000;
pub const SECOND: i64 = 1_000_000;

/// A small generator of numbers (Knuth's MMIX constants): the same in each run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// A delivery that owns its texts.
pub struct Case {
    pub recipient: String,
    pub sender: Option<String>,
    pub host: &'static str,
    pub ip: &'static str,
    pub queue_id: String,
    pub outcome: Outcome,
    pub tries: Vec<(i64, Action, String)>,
    pub delay_ms: Option<i64>,
    pub verdict: Option<Verdict>,
    pub provider: Option<&'static str>,
    pub template: &'static str,
    pub delist_url: Option<&'static str>,
}

impl Case {
    /// Shows the delivery with its borrowed parts.
    pub fn with<R>(&self, see: impl FnOnce(&Delivery<'_>) -> R) -> R {
        let tries: Vec<Try<'_>> = self
            .tries
            .iter()
            .enumerate()
            .map(|(i, (at, action, text))| Try {
                at: *at,
                action: Some(*action),
                text: text.as_bytes(),
                relay_host: "mx.example",
                relay_ip: "198.51.100.7",
                delay_ms: Some(1_000 * (i as i64 + 1)),
                count: 1,
                offset: at.unsigned_abs() % 100_000,
                ..Try::default()
            })
            .collect();
        see(&Delivery {
            mta: Mta::Postfix,
            log_host: self.host,
            instance: "",
            source_ip: self.ip,
            queue_id: &self.queue_id,
            born: self.tries.first().map_or(START, |t| t.0 - SECOND),
            message_id: "",
            sender: self.sender.as_deref(),
            recipient: &self.recipient,
            size: Some(1_234),
            outcome: self.outcome,
            delayed: self.outcome == Outcome::Delivered && self.tries.len() > 1,
            removed: false,
            tries: &tries,
            cause: if self.outcome == Outcome::Delivered { None } else { tries.last().copied() },
            delay_ms: self.delay_ms,
        })
    }

    pub fn push(&self, batch: &mut Batch) {
        self.with(|d| {
            let help = || Help { url: self.delist_url.map(str::to_owned), ..Help::default() };
            let listed = self.verdict.as_ref().filter(|v| v.reason == Reason::Blocklisted);
            let last = d.tries.last().zip(listed).map(|(attempt, verdict)| Refusal {
                attempt,
                verdict,
                blame: Blame::Listed,
                template: self.template,
                help: &help,
            });
            batch.push(d, self.verdict.as_ref(), self.provider, self.template, last.as_slice());
        });
    }
}

fn verdict(class: Class, reason: Reason, disposition: Disposition) -> Verdict {
    Verdict {
        smtp_code: Some(if class == Class::Hard { 550 } else { 451 }),
        enhanced_code: None,
        reply_class: Some(if class == Class::Hard { 5 } else { 4 }),
        stage: None,
        class,
        reason,
        disposition,
        rule_id: Arc::from("rule"),
        level: Level::Text,
        blocklist: None,
        blocklist_state: None,
        listed: None,
        provider: None,
    }
}

/// `n` deliveries to `domains` domains; one in ten fails.
pub fn cases(n: usize, domains: u64, seed: u64) -> Vec<Case> {
    let mut dice = Dice(seed);
    (0..n)
        .map(|i| {
            let domain = dice.below(domains).min(dice.below(domains));
            let provider = [Some("google"), Some("microsoft"), None][(domain % 3) as usize];
            let at = START + (i as i64) * SECOND / 8;
            let recipient = format!("user{}@domain{domain}.example", dice.below(1_000));
            let (mut outcome, mut verdict_, mut template, mut delist_url) = (Outcome::Delivered, None, "", None);
            let mut tries = Vec::new();
            if dice.below(20) == 0 {
                tries.push((at, Action::Deferred, "451 4.7.1 try again later".to_owned()));
            }
            let failed = dice.below(10) == 0;
            if failed {
                let kind = dice.below(5);
                let (text, action);
                (outcome, action, text, template, verdict_) = match kind {
                    0 => (
                        Outcome::Deferred,
                        Action::Deferred,
                        "451 4.7.1 greylisted".to_owned(),
                        "451 4.7.1 greylisted",
                        Some(verdict(Class::Soft, Reason::Greylisted, Disposition::Retry)),
                    ),
                    1 => (
                        Outcome::Expired,
                        Action::Deferred,
                        "Connection timed out".to_owned(),
                        "Connection timed out",
                        Some(verdict(Class::Soft, Reason::ConnectionFailed, Disposition::Retry)),
                    ),
                    2 => {
                        delist_url = Some("https://check.spamhaus.org/");
                        (
                            Outcome::Bounced,
                            Action::Bounced,
                            format!("554 5.7.1 192.0.2.{} listed, {recipient}", dice.below(2)),
                            "554 5.7.1 <ip> listed, <address>",
                            Some(Verdict {
                                blocklist: Some(Arc::from("spamhaus_sbl")),
                                blocklist_state: Some(BlocklistState::Listed),
                                listed: Some("192.0.2.1".to_owned()),
                                ..verdict(Class::Hard, Reason::Blocklisted, Disposition::Delist)
                            }),
                        )
                    }
                    3 => (
                        Outcome::Bounced,
                        Action::Bounced,
                        "550 =cmd|' /C calc'!A0 \"no\", way".to_owned(),
                        "550 =cmd|' /C calc'!A0 \"no\", way",
                        Some(verdict(Class::Hard, Reason::Unknown, Disposition::Review)),
                    ),
                    _ => (
                        Outcome::Bounced,
                        Action::Bounced,
                        format!("550 5.1.1 <{recipient}>: unknown"),
                        "550 5.1.1 <address>: unknown",
                        Some(verdict(Class::Hard, Reason::UserUnknown, Disposition::Suppress)),
                    ),
                };
                tries.push((at + 1, action, text));
            } else {
                tries.push((at + 1, Action::Delivered, "250 2.0.0 Ok: queued".to_owned()));
            }
            Case {
                sender: (dice.below(50) != 0).then(|| format!("news@sender{}.example", dice.below(20))),
                host: ["mx1", "mx2"][dice.below(2) as usize],
                ip: ["", "192.0.2.1"][dice.below(2) as usize],
                queue_id: format!("4Xq{i:05}"),
                outcome,
                tries,
                delay_ms: (outcome == Outcome::Delivered).then(|| (dice.below(100) * dice.below(5_000)) as i64),
                verdict: verdict_,
                provider,
                template,
                delist_url,
                recipient,
            }
        })
        .collect()
}

pub fn meta() -> Meta {
    Meta {
        version: "0.1.0".into(),
        rules: "test".into(),
        window: Window { since: Some(START), ..Window::default() },
        coverage: Coverage {
            files: 2,
            bytes: 1_000,
            lines: 600,
            used: 500,
            irrelevant: 99,
            unrecognised: 1,
            lost: 3,
            ..Coverage::default()
        },
        excluded: Excluded { hops: 4, duplicates: 7, ..Excluded::default() },
    }
}

/// A report of these deliveries in batches of `size`.
pub fn report<'a>(cases: impl IntoIterator<Item = &'a Case>, size: usize) -> Report {
    let mut aggregator = Aggregator::new();
    let mut batch = Batch::new();
    for case in cases {
        case.push(&mut batch);
        if batch.len() == size {
            aggregator.add(std::mem::take(&mut batch)).unwrap();
        }
    }
    aggregator.add(batch).unwrap();
    aggregator.finish(meta()).unwrap()
}

/// The attempts of these deliveries in batches of about `size`.
pub fn attempts(cases: &[Case], size: usize) -> Vec<AttemptBatch> {
    let mut batches = vec![AttemptBatch::new()];
    for case in cases {
        case.with(|d| {
            for attempt in d.tries {
                if batches[batches.len() - 1].len() >= size {
                    batches.push(AttemptBatch::new());
                }
                let last = batches.len() - 1;
                batches[last].push(d, attempt, case.verdict.as_ref(), case.provider, "mail.log");
            }
        });
    }
    batches
}
