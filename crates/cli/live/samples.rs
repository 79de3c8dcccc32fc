//! What the tests of this folder look at: attempts as the engine would give them.

use std::sync::Arc;

use bouncestat_classification::Classifier;
use bouncestat_record::time::{Micros, SECOND};
use bouncestat_record::{Action, Delivery, Mta, Outcome, Reply, Try};

use super::seen::Seen;

/// 2026-11-22T12:00:00Z.
pub const NOON: Micros = 1_795_348_800 * SECOND;

/// An attempt so many seconds after noon, judged by the built-in rules.
pub fn seen(after: i64, recipient: &str, action: Action, text: &str, relay: &str) -> Seen {
    let rules = Classifier::builtin();
    let domain = recipient.rsplit('@').next().unwrap();
    let reply = Reply {
        text: text.as_bytes(),
        relay_host: Some(relay).filter(|relay| !relay.is_empty()),
        recipient_domain: Some(domain),
        action: Some(action),
        mta: Some(Mta::Postfix),
        ..Reply::default()
    };
    let attempt = Try {
        at: NOON + after * SECOND,
        action: Some(action),
        text: text.as_bytes(),
        relay_host: relay,
        count: 1,
        offset: 4711,
        ..Try::default()
    };
    let delivery = Delivery {
        mta: Mta::Postfix,
        log_host: "mx1",
        instance: "",
        source_ip: "",
        queue_id: "4cZ8Kx1",
        born: NOON,
        message_id: "",
        sender: None,
        recipient,
        size: None,
        outcome: Outcome::Deferred,
        delayed: false,
        removed: false,
        tries: &[],
        cause: None,
        delay_ms: None,
    };
    let provider = rules.provider(reply.relay_host, Some(domain));
    let verdict = Arc::new(rules.classify(&reply));
    Seen::new(rules, &delivery, &attempt, action, Some(verdict), provider.as_deref(), "mail.log")
}

/// Handed over to Google.
pub fn delivered(after: i64) -> Seen {
    seen(after, "ann@gmail.com", Action::Delivered, "250 2.0.0 OK  1795348800 x1-2 - gsmtp", "gmail-smtp-in.l.google.com")
}

/// Put off, at a domain that is no one's known.
pub fn deferred(after: i64, domain: &str) -> Seen {
    let text = "connect to mx.acme.test[192.0.2.9]:25: Connection timed out";
    seen(after, &format!("bob@{domain}"), Action::Deferred, text, "")
}

/// Refused for good.
pub fn unknown_user(after: i64) -> Seen {
    let text = "host mx.acme.test[192.0.2.9] said: 550 5.1.1 <cy@acme.test>: User unknown (in reply to RCPT TO command)";
    seen(after, "cy@acme.test", Action::Bounced, text, "mx.acme.test")
}

/// Refused by a list.
pub fn listed(after: i64) -> Seen {
    listed_for(after, "dora@widget.example")
}

/// Refused by a list, for a recipient.
pub fn listed_for(after: i64, recipient: &str) -> Seen {
    let text = "host mx.widget.example[198.51.100.7] said: 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using \
                zen.spamhaus.org (in reply to RCPT TO command)";
    seen(after, recipient, Action::Bounced, text, "mx.widget.example")
}

/// Given up after days.
pub fn expired(after: i64) -> Seen {
    let text = "connect to mx.gone.test[203.0.113.5]:25: No route to host";
    seen(after, "eve@gone.test", Action::Expired, text, "")
}
