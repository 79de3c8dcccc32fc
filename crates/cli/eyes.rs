//! Attempts as soon as their lines are read, judged, for those who look on.
//!
//! What is not known yet is not shown: the sender of a message whose first lines were read long ago, say. A hop is not told from a delivery.

use std::sync::atomic::{AtomicU64, Ordering};

use bouncestat_classification::Classifier;
use bouncestat_ingest::event::Kind;
use bouncestat_ingest::join::fold::View;
use bouncestat_ingest::join::store::{Event, Part};
use bouncestat_record::time::Micros;
use bouncestat_record::{Action, Delivery, Outcome, Try, address};
use bouncestat_store::Watcher;

use crate::consumers::{judge, known};
use crate::domains::Domains;
use crate::live::seen::Seen;
use crate::redact::Redactor;

/// Makes [`Seen`] of events.
pub struct Eyes<'r> {
    /// The rules.
    pub rules: &'r Classifier,
    /// What is done to addresses, once replies are judged.
    pub redact: &'r Redactor,
    /// The domains that are asked for.
    pub domains: &'r Domains,
    /// The names of the files, by number.
    pub files: &'r [String],
    /// What is older is not shown.
    pub from: Micros,
    /// How much was older.
    pub older: &'r AtomicU64,
}

impl Watcher for Eyes<'_> {
    type Part = Vec<Seen>;

    fn begin(&self) -> Vec<Seen> {
        Vec::new()
    }

    fn seen(&self, part: &mut Vec<Seen>, message: View<'_>, event: &Event) {
        if is_notification(&message) {
            return;
        }
        if event.at < self.from {
            self.older.fetch_add(u64::from(event.kind.is_attempt()), Ordering::Relaxed);
            return;
        }
        let action = match event.kind {
            Kind::Sent | Kind::Mailbox | Kind::Relayed => Action::Delivered,
            Kind::Bounced | Kind::Failed => Action::Bounced,
            Kind::Deferred => Action::Deferred,
            Kind::GaveUp => Action::Expired,
            _ => return,
        };
        let recipient = message.text.get(event.span(Part::Recipient));
        if !recipient.is_empty() {
            part.extend(self.one(&message, event, event, recipient, action));
            return;
        }
        // The server gives up all that still wait: those that the same lines name.
        for waiting in waiting(&message, event) {
            let recipient = message.text.get(waiting.span(Part::Recipient));
            part.extend(self.one(&message, event, waiting, recipient, action));
        }
    }
}

/// The last deferrals before an event, one a recipient.
fn waiting<'v>(message: &View<'v>, event: &Event) -> Vec<&'v Event> {
    let mut last: Vec<&Event> = Vec::new();
    let before = message.events.iter().take_while(|other| !std::ptr::eq(*other, event));
    for other in before.filter(|other| other.kind.is_attempt()) {
        let recipient = |event: &Event| message.text.get(event.span(Part::Recipient));
        match last.iter().position(|known| recipient(known) == recipient(other)) {
            Some(at) => last[at] = other,
            None => last.push(other),
        }
    }
    last.retain(|event| event.kind == Kind::Deferred);
    last
}

fn is_notification(message: &View<'_>) -> bool {
    message.events.iter().any(|event| event.has_sender && event.span(Part::Sender).is_empty())
}

impl Eyes<'_> {
    /// What became of one recipient at `event`, because of what `cause` says.
    fn one(&self, message: &View<'_>, event: &Event, cause: &Event, recipient: &[u8], action: Action) -> Option<Seen> {
        let text = |event: &Event, part| String::from_utf8_lossy(message.text.get(event.span(part))).into_owned();
        let first = |part| message.events.iter().map(|event| text(event, part)).find(|text| !text.is_empty()).unwrap_or_default();
        let recipient = String::from_utf8_lossy(recipient).into_owned();
        let domain = address::domain(recipient.as_bytes());
        if !self.domains.is_all() && !self.domains.takes(&domain) {
            return None;
        }
        let sender = message.events.iter().find(|event| event.has_sender).map(|event| text(event, Part::Sender));
        let (relay_host, relay_ip) = (text(cause, Part::RelayHost), text(cause, Part::RelayIp));
        let attempt = Try {
            at: event.at,
            action: Some(action),
            text: message.text.get(cause.span(Part::Reply)),
            smtp_code: cause.smtp_code,
            enhanced_code: cause.enhanced_code,
            stage: cause.stage,
            relay_host: &relay_host,
            relay_ip: &relay_ip,
            local: cause.local,
            delay_ms: event.delay_ms,
            count: event.count,
            file: event.file,
            offset: event.offset,
        };
        let (log_host, id) = (String::from_utf8_lossy(message.host), String::from_utf8_lossy(message.id));
        let (instance, source_ip, message_id) = (first(Part::Instance), first(Part::SourceIp), first(Part::MessageId));
        let tries = [attempt];
        let delivery = Delivery {
            mta: message.mta,
            log_host: &log_host,
            instance: instance.split('/').next().unwrap_or_default(),
            source_ip: &source_ip,
            queue_id: &id,
            born: message.events.iter().map(|event| event.at).min().unwrap_or(event.at),
            message_id: &message_id,
            sender: sender.as_deref().filter(|sender| !sender.is_empty()),
            recipient: &recipient,
            size: message.events.iter().find_map(|event| event.size),
            outcome: match action {
                Action::Delivered => Outcome::Delivered,
                Action::Bounced => Outcome::Bounced,
                Action::Expired => Outcome::Expired,
                Action::Deferred => Outcome::Deferred,
            },
            delayed: false,
            removed: false,
            tries: &tries,
            cause: None,
            delay_ms: None,
        };
        let provider = self.rules.provider(known(&relay_host), Some(&domain));
        let verdict = (action != Action::Delivered).then(|| judge(self.rules, &delivery, &attempt, &domain));
        let file = self.files.get(event.file as usize).map_or("", String::as_str);
        Some(self.redact.delivery(&delivery, |shown| {
            let verdict = verdict.map(|verdict| match self.redact.redacts() {
                true => std::sync::Arc::new(self.redact.verdict(&verdict, &delivery).into_owned()),
                false => verdict,
            });
            Seen::new(self.rules, shown, &shown.tries[0], action, verdict, provider.as_deref(), file)
        }))
    }
}
