//! One attempt, or one recipient given up, as it comes from the log: owned, judged, ready to be shown.
//!
//! Not here: reading and joining (`bouncestat-ingest`), and what a day's report counts: a delivery has many attempts.

use std::sync::Arc;

use bouncestat_classification::{Classifier, template};
use bouncestat_record::time::Micros;
use bouncestat_record::{Action, Blame, Delivery, Mta, Reason, Try, Verdict, address};

/// One attempt, or one recipient that was given up (`Action::Expired`, which is no attempt).
///
/// Texts are empty where the log has none, as in [`Delivery`] and [`Try`].
#[derive(Clone, Debug)]
pub struct Seen {
    /// When, UTC.
    pub at: Micros,
    /// Whose log.
    pub mta: Mta,
    /// The host that logged it.
    pub log_host: String,
    /// The queue's name on that host.
    pub instance: String,
    /// The server's own id of the message.
    pub queue_id: String,
    /// The moment of the first line about the message; part of the delivery's id.
    pub born: Micros,
    /// The `Message-ID:` header.
    pub message_id: String,
    /// The envelope sender; `None` where no line names it.
    pub sender: Option<String>,
    /// The final recipient address as written.
    pub recipient: String,
    /// Its domain, as deliveries are counted.
    pub domain: String,
    /// Who runs the recipient's mail.
    pub provider: Option<String>,
    /// The next hop's name.
    pub relay_host: String,
    /// The next hop's IP.
    pub relay_ip: String,
    /// Whether the next hop is this system itself.
    pub local: bool,
    /// The IP it was sent from.
    pub source_ip: String,
    /// What the server did.
    pub action: Action,
    /// What the reply means; `None` where there is none to judge.
    pub verdict: Option<Arc<Verdict>>,
    /// What a failure says of our reputation; `None` where it is about something else.
    pub blame: Option<Blame>,
    /// The reply or local error as logged.
    pub text: String,
    /// Bytes of the message.
    pub size: Option<i64>,
    /// Milliseconds from the arrival of the message to the end of this attempt.
    pub delay_ms: Option<i64>,
    /// How often the log says it happened; at least 1.
    pub count: u32,
    /// The log it stands in.
    pub file: String,
    /// Offset of the line in the unpacked log.
    pub offset: u64,
}

impl Seen {
    /// An attempt of a delivery. Both may be redacted already, as may the verdict. For a recipient that is given up, the attempt is the
    /// moment of that, with the text of the last cause, and `action` is [`Action::Expired`].
    pub fn new(
        rules: &Classifier,
        delivery: &Delivery<'_>,
        attempt: &Try<'_>,
        action: Action,
        verdict: Option<Arc<Verdict>>,
        provider: Option<&str>,
        file: &str,
    ) -> Self {
        let text = String::from_utf8_lossy(attempt.text).into_owned();
        let blame = verdict.as_deref().filter(|_| action != Action::Delivered).and_then(|verdict| {
            // Only a rate limit is judged by its words: others need no mask.
            let words = if verdict.reason == Reason::RateLimited { template(attempt.text) } else { String::new() };
            rules.blame(verdict, &words)
        });
        Self {
            at: attempt.at,
            mta: delivery.mta,
            log_host: delivery.log_host.to_owned(),
            instance: delivery.instance.to_owned(),
            queue_id: delivery.queue_id.to_owned(),
            born: delivery.born,
            message_id: delivery.message_id.to_owned(),
            sender: delivery.sender.map(str::to_owned),
            recipient: delivery.recipient.to_owned(),
            domain: address::domain(delivery.recipient.as_bytes()).into_owned(),
            provider: provider.map(str::to_owned),
            relay_host: attempt.relay_host.to_owned(),
            relay_ip: attempt.relay_ip.to_owned(),
            local: attempt.local,
            source_ip: delivery.source_ip.to_owned(),
            action,
            verdict,
            blame,
            text,
            size: delivery.size,
            delay_ms: attempt.delay_ms,
            count: attempt.count.max(1),
            file: file.to_owned(),
            offset: attempt.offset,
        }
    }

    /// Whether it failed, for now or for good.
    pub fn is_failure(&self) -> bool {
        self.action != Action::Delivered
    }

    /// The verdict of a failure.
    pub fn failure(&self) -> Option<&Verdict> {
        self.verdict.as_deref().filter(|_| self.is_failure())
    }

    /// The reason of a failure; where no cause is known, that.
    pub fn reason(&self) -> &'static str {
        self.failure().map_or("no_cause_known", |verdict| verdict.reason.as_str())
    }

    /// Who runs the recipient's mail, else the domain.
    pub fn receiver(&self) -> &str {
        self.provider.as_deref().unwrap_or(&self.domain)
    }
}
