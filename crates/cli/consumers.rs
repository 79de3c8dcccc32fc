//! Where the three crates in the middle meet: deliveries are classified, then counted or written as rows.

use std::cell::RefCell;
use std::sync::Arc;

use bouncestat_aggregation::{AttemptBatch, Batch, Help, Refusal, Rejects, Remember, Suppression};
use bouncestat_classification::{Classifier, Memo, template};
use bouncestat_ingest::join::window::Window;
use bouncestat_ingest::run::{Consumer, Unrecognised};
use bouncestat_record::{Action, Blame, Delivery, Family, Outcome, Reason, Rejection, Reply, Try, Verdict, address};

use crate::domains::Domains;
use crate::redact::Redactor;
use crate::shapes::{Shapes, shape};

thread_local! {
    /// Verdicts remembered by template: replies repeat.
    static MEMO: RefCell<Memo> = RefCell::new(Memo::new());
}

/// What an attempt's reply means.
pub fn judge(rules: &Classifier, delivery: &Delivery<'_>, attempt: &Try<'_>, domain: &str) -> Arc<Verdict> {
    let reply = Reply {
        text: attempt.text,
        smtp_code: attempt.smtp_code,
        enhanced_code: attempt.enhanced_code,
        relay_host: known(attempt.relay_host),
        recipient_domain: Some(domain),
        stage: attempt.stage,
        action: attempt.action,
        mta: Some(delivery.mta),
    };
    MEMO.with_borrow_mut(|memo| memo.classify(rules, &reply))
}

/// A text that is empty where it is not known.
pub fn known(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// What the failure of a delivery means; `None` where no cause is known, or an administrator removed it.
fn verdict_of(rules: &Classifier, delivery: &Delivery<'_>, domain: &str) -> Option<Arc<Verdict>> {
    let cause = delivery.cause.filter(|_| !delivery.removed)?;
    let action = match delivery.outcome {
        Outcome::Expired => Some(Action::Expired),
        _ => cause.action,
    };
    Some(judge(rules, delivery, &Try { action, ..cause }, domain))
}

/// Hands on only deliveries to some domains.
pub struct Only<'d, C> {
    /// The domains.
    pub domains: &'d Domains,
    /// Who gets them.
    pub inner: C,
}

impl<C: Consumer> Consumer for Only<'_, C> {
    type Part = C::Part;

    fn begin(&self) -> C::Part {
        self.inner.begin()
    }

    fn delivery(&self, part: &mut C::Part, delivery: &Delivery<'_>) {
        if self.domains.is_all() || self.domains.takes(&address::domain(delivery.recipient.as_bytes())) {
            self.inner.delivery(part, delivery);
        }
    }

    fn wants_rejects(&self) -> bool {
        self.inner.wants_rejects()
    }

    fn reject(&self, part: &mut C::Part, rejection: &Rejection<'_>) {
        let to = |recipient: &str| !recipient.is_empty() && self.domains.takes(&address::domain(recipient.as_bytes()));
        if self.domains.is_all() || to(rejection.recipient) {
            self.inner.reject(part, rejection);
        }
    }
}

/// Counts deliveries.
pub struct Count<'r> {
    /// The rules.
    pub rules: &'r Classifier,
    /// What is done to addresses, once replies are judged.
    pub redact: &'r Redactor,
}

impl Consumer for Count<'_> {
    type Part = Batch;

    fn begin(&self) -> Batch {
        Batch::new()
    }

    fn delivery(&self, batch: &mut Batch, delivery: &Delivery<'_>) {
        let domain = address::domain(delivery.recipient.as_bytes());
        let relay = delivery.tries.iter().rev().find_map(|t| known(t.relay_host)).or_else(|| known(delivery.cause?.relay_host));
        let provider = self.rules.provider(relay, Some(&domain));
        let provider = provider.as_deref();
        let delivered = delivery.outcome == Outcome::Delivered;
        if delivered && delivery.tries.len() == 1 {
            return self.redact.delivery(delivery, |shown| batch.push(shown, None, provider, "", &[]));
        }
        let verdict = if delivered { None } else { verdict_of(self.rules, delivery, &domain) };
        let said = delivery.cause.filter(|_| !delivered).map(|cause| template(cause.text)).unwrap_or_default();
        let refused = refused(self.rules, delivery, verdict.as_ref(), &said, &domain);
        self.redact.delivery(delivery, |shown| {
            let refused: Vec<_> = refused.iter().filter_map(|r| r.shown(shown, delivery, self.redact)).collect();
            let helps: Vec<_> = refused.iter().map(|r| || help(self.rules, r, provider)).collect();
            let refusals: Vec<Refusal<'_>> = refused
                .iter()
                .zip(&helps)
                .map(|(r, help)| Refusal { attempt: r.attempt, verdict: &r.verdict, blame: r.blame, template: &r.template, help })
                .collect();
            let masked = match shown.cause.filter(|_| !delivered && self.redact.redacts()) {
                Some(cause) => template(cause.text),
                None => said,
            };
            let verdict = verdict.as_deref().map(|verdict| self.redact.verdict(verdict, delivery));
            batch.push(shown, verdict.as_deref(), provider, &masked, &refusals);
        });
    }
}

/// An attempt that is, or looks like, a refusal for reputation.
struct Refused<'a> {
    attempt: &'a Try<'a>,
    verdict: Arc<Verdict>,
    blame: Blame,
    template: Arc<str>,
}

/// The attempts of a delivery that are, or look like, refusals for reputation, also where it got through in the end. Where none lies in
/// the window, the cause that came before it.
fn refused<'a>(
    rules: &Classifier,
    delivery: &'a Delivery<'a>,
    verdict: Option<&Arc<Verdict>>,
    cause_template: &str,
    domain: &str,
) -> Vec<Refused<'a>> {
    let cause = delivery.cause.as_ref().filter(|_| verdict.is_some());
    let attempts = if delivery.tries.is_empty() { cause.map(std::slice::from_ref).unwrap_or_default() } else { delivery.tries };
    let mut all: Vec<Refused<'a>> = Vec::new();
    // Replies of one delivery repeat: what was judged last, and found to be no refusal for reputation.
    let mut harmless: Option<&[u8]> = None;
    for attempt in attempts.iter().filter(|t| t.action != Some(Action::Delivered)) {
        let same = |other: &Try<'_>| other.text == attempt.text && other.relay_host == attempt.relay_host;
        if harmless.is_some_and(|text| text == attempt.text) {
            continue;
        }
        if let Some(last) = all.last().filter(|last| same(last.attempt)) {
            let (verdict, template) = (last.verdict.clone(), last.template.clone());
            all.push(Refused { attempt, verdict, blame: last.blame, template });
            continue;
        }
        let (verdict, known_template) = match (verdict, cause) {
            (Some(verdict), Some(cause)) if same(cause) => (verdict.clone(), Some(cause_template)),
            _ => (judge(rules, delivery, attempt, domain), None),
        };
        let masked = || known_template.map_or_else(|| template(attempt.text).into(), Arc::from);
        let template: Option<Arc<str>> = may_blame(&verdict).then(masked);
        match template.and_then(|template| Some((rules.blame(&verdict, &template)?, template))) {
            Some((blame, template)) => all.push(Refused { attempt, verdict, blame, template }),
            None => harmless = Some(attempt.text),
        }
    }
    all
}

/// Spares most replies the question whom they blame.
fn may_blame(verdict: &Verdict) -> bool {
    verdict.blocklist_state.is_some()
        || matches!(verdict.reason.family(), Family::Reputation | Family::Unknown)
        || matches!(verdict.reason, Reason::RateLimited | Reason::SpamContent)
}

impl Refused<'_> {
    /// The same, of the delivery without its addresses.
    fn shown<'s>(&self, shown: &'s Delivery<'s>, said: &Delivery<'_>, redact: &Redactor) -> Option<Refused<'s>> {
        let place = said.tries.iter().position(|attempt| std::ptr::eq(attempt, self.attempt));
        let attempt = place.map_or(shown.cause.as_ref(), |place| shown.tries.get(place))?;
        let (verdict, template) = match redact.redacts() {
            true => (Arc::new(redact.verdict(&self.verdict, said).into_owned()), template(attempt.text).into()),
            false => (self.verdict.clone(), self.template.clone()),
        };
        Some(Refused { attempt, verdict, blame: self.blame, template })
    }
}

fn help(rules: &Classifier, refused: &Refused<'_>, provider: Option<&str>) -> Help {
    let remedy = rules.remedy(&refused.verdict, refused.blame, provider);
    Help { who: remedy.who, advice: remedy.advice, url: remedy.url.filter(|url| url.starts_with("http")) }
}

/// Does the same for a second window, the one before the window of the run.
pub struct Both<'c, C> {
    /// What is done.
    pub inner: &'c C,
    /// The window before; `None`: there is none, and nothing is done for it.
    pub before: Option<Window>,
}

impl<C: Consumer> Consumer for Both<'_, C> {
    type Part = (C::Part, C::Part);

    fn begin(&self) -> Self::Part {
        (self.inner.begin(), self.inner.begin())
    }

    fn delivery(&self, part: &mut Self::Part, delivery: &Delivery<'_>) {
        self.inner.delivery(&mut part.0, delivery);
    }

    fn window_before(&self) -> Option<Window> {
        self.before
    }

    fn before(&self, part: &mut Self::Part, delivery: &Delivery<'_>) {
        self.inner.delivery(&mut part.1, delivery);
    }
}

/// Collects who is to be mailed no more.
pub struct Stop<'r> {
    /// The rules.
    pub rules: &'r Classifier,
    /// What is done to addresses, once replies are judged.
    pub redact: &'r Redactor,
    /// Of whose deliveries the times are kept.
    pub remember: Remember,
}

impl Consumer for Stop<'_> {
    type Part = Suppression;

    fn begin(&self) -> Suppression {
        Suppression::new(self.remember.clone())
    }

    fn delivery(&self, part: &mut Suppression, delivery: &Delivery<'_>) {
        if delivery.outcome == Outcome::Delivered || matches!(self.remember, Remember::Only(_)) {
            return self.redact.delivery(delivery, |shown| part.push(shown, None));
        }
        let domain = address::domain(delivery.recipient.as_bytes());
        let verdict = verdict_of(self.rules, delivery, &domain);
        let verdict = verdict.as_deref().map(|verdict| self.redact.verdict(verdict, delivery));
        self.redact.delivery(delivery, |shown| part.push(shown, verdict.as_deref()));
    }
}

/// Makes one row an attempt.
pub struct Rows<'r> {
    /// The rules.
    pub rules: &'r Classifier,
    /// What is done to addresses, once replies are judged.
    pub redact: &'r Redactor,
    /// The names of the files, in the order of the plan.
    pub files: &'r [String],
}

impl Consumer for Rows<'_> {
    type Part = AttemptBatch;

    fn begin(&self) -> AttemptBatch {
        AttemptBatch::new()
    }

    fn delivery(&self, batch: &mut AttemptBatch, delivery: &Delivery<'_>) {
        let domain = address::domain(delivery.recipient.as_bytes());
        self.redact.delivery(delivery, |shown| {
            for (attempt, shown_attempt) in delivery.tries.iter().zip(shown.tries) {
                let provider = self.rules.provider(known(attempt.relay_host), Some(&domain));
                let verdict = judge(self.rules, delivery, attempt, &domain);
                let verdict = self.redact.verdict(&verdict, delivery);
                let file = self.files.get(attempt.file as usize).map_or("", String::as_str);
                batch.push(shown, shown_attempt, Some(&verdict), provider.as_deref(), file);
            }
        });
    }
}

/// Makes one row an attempt, and counts deliveries: what a dataset keeps beside messages.
pub struct Kept<'r> {
    /// The rows.
    pub rows: Rows<'r>,
    /// The counts.
    pub count: Count<'r>,
}

impl<'r> Kept<'r> {
    /// Of messages whose addresses were hashed before, if at all.
    pub fn new(rules: &'r Classifier, shown: &'r Redactor, files: &'r [String]) -> Self {
        Self { rows: Rows { rules, redact: shown, files }, count: Count { rules, redact: shown } }
    }
}

impl Consumer for Kept<'_> {
    type Part = (AttemptBatch, Batch);

    fn begin(&self) -> Self::Part {
        (self.rows.begin(), self.count.begin())
    }

    fn delivery(&self, part: &mut Self::Part, delivery: &Delivery<'_>) {
        self.rows.delivery(&mut part.0, delivery);
        self.count.delivery(&mut part.1, delivery);
    }
}

/// Counts what our own servers refused.
pub struct Ours<'r> {
    /// The rules.
    pub rules: &'r Classifier,
    /// What is done to addresses, once replies are judged.
    pub redact: &'r Redactor,
}

impl Consumer for Ours<'_> {
    type Part = Rejects;

    fn begin(&self) -> Rejects {
        Rejects::default()
    }

    fn delivery(&self, _: &mut Rejects, _: &Delivery<'_>) {}

    fn wants_rejects(&self) -> bool {
        true
    }

    fn reject(&self, part: &mut Rejects, rejection: &Rejection<'_>) {
        let reply = Reply {
            text: rejection.text,
            smtp_code: rejection.smtp_code,
            enhanced_code: rejection.enhanced_code,
            relay_host: None,
            recipient_domain: None,
            stage: rejection.stage,
            action: Some(if rejection.temporary { Action::Deferred } else { Action::Bounced }),
            mta: Some(rejection.mta),
        };
        let verdict = MEMO.with_borrow_mut(|memo| memo.classify(self.rules, &reply));
        self.redact.rejection(rejection, |shown| part.push(shown, &verdict, &template(shown.text)));
    }
}

/// Does something, and collects the lines that were not understood, where they are asked for.
pub struct Strange<'c, C> {
    /// What is done.
    pub inner: &'c C,
    /// Whether lines are asked for.
    pub wanted: bool,
    /// What is done to addresses.
    pub redact: &'c Redactor,
}

impl<C: Consumer> Consumer for Strange<'_, C> {
    type Part = (C::Part, Shapes);

    fn begin(&self) -> Self::Part {
        (self.inner.begin(), Shapes::default())
    }

    fn delivery(&self, part: &mut Self::Part, delivery: &Delivery<'_>) {
        self.inner.delivery(&mut part.0, delivery);
    }

    fn window_before(&self) -> Option<Window> {
        self.inner.window_before()
    }

    fn before(&self, part: &mut Self::Part, delivery: &Delivery<'_>) {
        self.inner.before(&mut part.0, delivery);
    }

    fn wants_rejects(&self) -> bool {
        self.inner.wants_rejects()
    }

    fn reject(&self, part: &mut Self::Part, rejection: &Rejection<'_>) {
        self.inner.reject(&mut part.0, rejection);
    }

    fn wants_unrecognised(&self) -> bool {
        self.wanted
    }

    fn unrecognised(&self, part: &mut Self::Part, line: Unrecognised<'_>) {
        part.1.push(&shape(line.line), line, |text| self.redact.text(text));
    }
}

/// The rule that decides about a failed delivery.
pub fn rule_of(rules: &Classifier, delivery: &Delivery<'_>) -> String {
    let domain = address::domain(delivery.recipient.as_bytes());
    verdict_of(rules, delivery, &domain).map_or_else(|| "(no cause in the log)".to_owned(), |v| v.rule_id.to_string())
}
