//! Where the three crates in the middle meet: deliveries are classified, then counted or written as rows.

use std::cell::RefCell;
use std::sync::Arc;

use bouncestat_aggregation::{AttemptBatch, Batch};
use bouncestat_classification::{Classifier, Memo, template};
use bouncestat_ingest::run::Consumer;
use bouncestat_record::{Action, Delivery, Outcome, Reply, Try, Verdict, address};

use crate::domains::Domains;
use crate::redact::Redactor;

thread_local! {
    /// Verdicts remembered by template: replies repeat.
    static MEMO: RefCell<Memo> = RefCell::new(Memo::new());
}

/// What an attempt's reply means.
fn judge(rules: &Classifier, delivery: &Delivery<'_>, attempt: &Try<'_>, domain: &str) -> Arc<Verdict> {
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

fn known(text: &str) -> Option<&str> {
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
        if delivery.outcome == Outcome::Delivered {
            return self.redact.delivery(delivery, |shown| batch.push(shown, None, provider.as_deref(), "", None));
        }
        let verdict = verdict_of(self.rules, delivery, &domain);
        let url = verdict
            .as_ref()
            .and_then(|v| v.blocklist.as_deref())
            .and_then(|id| self.rules.blocklist(id))
            .map(|list| list.url.as_str());
        let url = url.filter(|url| url.starts_with("http"));
        let verdict = verdict.as_deref().map(|verdict| self.redact.verdict(verdict, delivery));
        self.redact.delivery(delivery, |shown| {
            let template = shown.cause.map(|cause| template(cause.text)).unwrap_or_default();
            batch.push(shown, verdict.as_deref(), provider.as_deref(), &template, url);
        });
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

/// The rule that decides about a failed delivery.
pub fn rule_of(rules: &Classifier, delivery: &Delivery<'_>) -> String {
    let domain = address::domain(delivery.recipient.as_bytes());
    verdict_of(rules, delivery, &domain).map_or_else(|| "(no cause in the log)".to_owned(), |v| v.rule_id.to_string())
}
