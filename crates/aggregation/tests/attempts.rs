//! Attempts as columns.

use std::sync::Arc;

use bouncestat_aggregation::{AttemptBatch, Value, delivery_id, schema};
use bouncestat_record::{Action, Class, Delivery, Disposition, EnhancedCode, Level, Mta, Outcome, Reason, Stage, Try, Verdict};

fn delivery() -> Delivery<'static> {
    Delivery {
        mta: Mta::Postfix,
        log_host: "mx1",
        instance: "",
        source_ip: "",
        queue_id: "4XqABC",
        born: 1_795_348_799_000_000,
        message_id: "",
        sender: None,
        recipient: "Bob@EXAMPLE.test.",
        size: Some(2_048),
        outcome: Outcome::Bounced,
        delayed: false,
        removed: false,
        tries: &[],
        cause: None,
        delay_ms: None,
    }
}

fn verdict() -> Verdict {
    Verdict {
        smtp_code: Some(550),
        enhanced_code: EnhancedCode::parse("5.1.10"),
        reply_class: Some(5),
        stage: Some(Stage::Rcpt),
        class: Class::Hard,
        reason: Reason::UserUnknown,
        disposition: Disposition::Suppress,
        rule_id: Arc::from("text/user-unknown"),
        level: Level::Text,
        blocklist: None,
        blocklist_state: None,
        listed: None,
        provider: None,
    }
}

#[test]
fn every_column_has_its_value() {
    let attempt = Try {
        at: -1,
        action: Some(Action::Bounced),
        text: b"550 5.1.10 no \xFFuser",
        relay_host: "mx.example.test",
        delay_ms: Some(70),
        count: 2,
        offset: 99,
        ..Try::default()
    };
    let mut batch = AttemptBatch::new();
    batch.push(&delivery(), &attempt, Some(&verdict()), Some("google"), "mail.log");
    assert_eq!(batch.len(), 2, "the log repeats it");
    let row: Vec<_> = batch.frame().row(1).collect();
    let expected = [
        Value::Timestamp(-1),
        Value::Date(-1),
        Value::Utf8("b2e4196bd6f655b8"),
        Value::Utf8("postfix"),
        Value::Utf8("mx1"),
        Value::Null,
        Value::Utf8("4XqABC"),
        Value::Null,
        Value::Null,
        Value::Utf8("(unknown)"),
        Value::Utf8("Bob@EXAMPLE.test."),
        Value::Utf8("example.test"),
        Value::Utf8("google"),
        Value::Utf8("mx.example.test"),
        Value::Null,
        Value::Utf8("outbound"),
        Value::Utf8("bounced"),
        Value::Utf8("hard"),
        Value::Utf8("user_unknown"),
        Value::Utf8("suppress"),
        Value::Utf8("text/user-unknown"),
        Value::Int64(550),
        Value::Utf8("5.1.10"),
        Value::Int64(5),
        Value::Utf8("rcpt"),
        Value::Null,
        Value::Null,
        Value::Utf8("550 5.1.10 no \u{FFFD}user"),
        Value::Int64(2_048),
        Value::Int64(70),
        Value::Utf8("mail.log"),
        Value::Int64(99),
    ];
    for (i, column) in schema::ATTEMPTS.columns.iter().enumerate() {
        assert_eq!(row[i], expected[i], "{}", column.name);
    }
}

#[test]
fn a_delivered_attempt_has_codes_but_no_reason() {
    let attempt = Try { action: Some(Action::Delivered), smtp_code: Some(250), local: true, count: 1, ..Try::default() };
    let mut batch = AttemptBatch::new();
    batch.push(&delivery(), &attempt, None, None, "mail.log");
    let value = |column| batch.frame().named(0, column);
    assert_eq!((value("smtp_code"), value("reply_class")), (Value::Int64(250), Value::Int64(2)));
    assert_eq!((value("outcome"), value("direction")), (Value::Utf8("delivered"), Value::Utf8("local")));
    for column in ["class", "reason", "disposition", "rule_id", "reply_text", "provider"] {
        assert_eq!(value(column), Value::Null, "{column}");
    }
    batch.clear();
    assert!(batch.is_empty());
}

#[test]
fn ids_follow_the_delivery_and_not_its_spelling() {
    let id = delivery_id(&delivery());
    assert_eq!(id, delivery_id(&Delivery { recipient: "Bob@example.TEST", ..delivery() }));
    assert_ne!(id, delivery_id(&Delivery { recipient: "bob@example.test", ..delivery() }));
    assert_ne!(id, delivery_id(&Delivery { born: 0, ..delivery() }));
    let exchange = Delivery { mta: Mta::Exchange, ..delivery() };
    assert_eq!(delivery_id(&exchange), delivery_id(&Delivery { recipient: "bob@example.test", ..exchange.clone() }));
}
