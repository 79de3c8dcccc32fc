//! Deliveries in, rows out: what each column counts.

use std::sync::Arc;

use bouncestat_aggregation::{Aggregator, Batch, Coverage, ErrorKind, Help, Meta, Refusal, Report, Value};
use bouncestat_record::{Action, Blame, BlocklistState, Class, Delivery, Disposition, Level, Mta, Outcome, Reason, Try, Verdict};

fn delivery<'a>(recipient: &'a str, outcome: Outcome, tries: &'a [Try<'a>]) -> Delivery<'a> {
    let cause = if outcome == Outcome::Delivered { None } else { tries.last().copied() };
    Delivery {
        mta: Mta::Postfix,
        log_host: "mx1",
        instance: "postfix-out",
        source_ip: "",
        queue_id: "4Xq",
        born: 5,
        message_id: "",
        sender: Some("news@Shop.Example"),
        recipient,
        size: None,
        outcome,
        delayed: false,
        removed: false,
        tries,
        cause,
        delay_ms: (outcome == Outcome::Delivered).then_some(1_500),
    }
}

fn attempt(at: i64, action: Action, text: &str) -> Try<'_> {
    Try { at, action: Some(action), text: text.as_bytes(), count: 1, ..Try::default() }
}

fn verdict(class: Class, reason: Reason, disposition: Disposition) -> Verdict {
    Verdict {
        smtp_code: Some(550),
        enhanced_code: None,
        reply_class: Some(5),
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

fn report(batch: Batch) -> Report {
    let mut aggregator = Aggregator::new();
    aggregator.add(batch).unwrap();
    aggregator.finish(Meta::default()).unwrap()
}

fn get<'a>(report: &'a Report, table: &str, row: usize, column: &str) -> Value<'a> {
    report.table(table).unwrap().frame.named(row, column)
}

fn int(report: &Report, table: &str, row: usize, column: &str) -> i64 {
    match get(report, table, row, column) {
        Value::Int64(n) => n,
        other => panic!("{table}.{column}[{row}] is {other:?}"),
    }
}

#[test]
fn outcomes_and_classes() {
    let ok = [attempt(10, Action::Delivered, "250 ok")];
    let refused = [attempt(20, Action::Bounced, "550 no such user")];
    let waiting = [attempt(30, Action::Deferred, "451 later"), Try { count: 3, ..attempt(40, Action::Deferred, "451 later") }];
    let hard = verdict(Class::Hard, Reason::UserUnknown, Disposition::Suppress);
    let full = verdict(Class::Soft, Reason::MailboxFull, Disposition::Retry);
    let mut batch = Batch::new();
    batch.push(&delivery("a@good.example", Outcome::Delivered, &ok), None, Some("google"), "", &[]);
    batch.push(&Delivery { delayed: true, ..delivery("b@Good.Example", Outcome::Delivered, &ok) }, None, Some("google"), "", &[]);
    batch.push(&delivery("c@good.example", Outcome::Bounced, &refused), Some(&hard), None, "no such user", &[]);
    batch.push(&delivery("d@good.example", Outcome::Bounced, &refused), Some(&full), None, "full", &[]);
    // What the server gave up or keeps is soft, whatever the reply says.
    batch.push(&delivery("e@good.example", Outcome::Expired, &waiting), Some(&hard), None, "later", &[]);
    batch.push(&delivery("f@good.example", Outcome::Deferred, &waiting), None, None, "", &[]);
    // Refused for good, and nobody knows why: hard.
    batch.push(&delivery("root", Outcome::Bounced, &[]), None, None, "", &[]);
    let report = report(batch);

    let row = |column| int(&report, "totals", 0, column);
    assert_eq!(["deliveries", "delivered", "delayed", "bounced", "expired", "deferred"].map(row), [7, 2, 1, 3, 1, 1]);
    assert_eq!(["hard", "soft", "attempts", "reputation"].map(row), [2, 3, 2 + 2 + 4 + 4, 0]);
    assert_eq!((row("delay_p50_ms"), row("delay_p95_ms")), (1_500, 1_500));
    assert_eq!(get(&report, "totals", 0, "first_event"), Value::Timestamp(10));
    assert_eq!(get(&report, "totals", 0, "last_event"), Value::Timestamp(40));
    assert_eq!((report.meta.window.first_event, report.meta.window.last_event), (Some(10), Some(40)));

    // 4 of 6 failed is more certain than 1 of 1.
    assert_eq!(get(&report, "domains", 0, "domain"), Value::Utf8("good.example"));
    assert_eq!(get(&report, "domains", 0, "provider"), Value::Utf8("google"));
    assert_eq!(get(&report, "domains", 1, "domain"), Value::Utf8("(local)"));
    assert_eq!(get(&report, "domains", 1, "provider"), Value::Null);
    assert_eq!(get(&report, "domains", 1, "first_event"), Value::Null, "it has no attempt");
    assert_eq!(get(&report, "providers", 0, "provider"), Value::Utf8("(other)"));
    assert_eq!(get(&report, "sources", 0, "source"), Value::Utf8("mx1/postfix-out"));
    assert_eq!(get(&report, "sender_domains", 0, "sender_domain"), Value::Utf8("shop.example"));
    assert_eq!(get(&report, "domains", 0, "hard_rate"), Value::Float64(1.0 / 6.0));
}

#[test]
fn nothing_is_zeros_and_nulls() {
    let report = report(Batch::new());
    assert_eq!(report.table("totals").unwrap().frame.len(), 1);
    assert_eq!(int(&report, "totals", 0, "deliveries"), 0);
    for column in ["hard_rate", "soft_rate_high", "delay_p50_ms", "first_event"] {
        assert_eq!(get(&report, "totals", 0, column), Value::Null, "{column}");
    }
    assert!(report.tables.iter().filter(|t| t.name != "totals").all(|t| t.frame.is_empty()));
}

#[test]
fn the_most_frequent_provider_wins_and_ties_go_by_name() {
    let ok = [attempt(10, Action::Delivered, "")];
    let mut batch = Batch::new();
    for (domain, providers) in [("a@one.example", ["yahoo", "google", "yahoo"]), ("a@tie.example", ["yahoo", "google", ""])] {
        for provider in providers {
            let provider = (!provider.is_empty()).then_some(provider);
            batch.push(&delivery(domain, Outcome::Delivered, &ok), None, provider, "", &[]);
        }
    }
    let report = report(batch);
    assert_eq!(get(&report, "domains", 0, "provider"), Value::Utf8("yahoo"));
    assert_eq!(get(&report, "domains", 1, "provider"), Value::Utf8("google"));
}

#[test]
fn sources_name_what_is_known() {
    let mut batch = Batch::new();
    for (log_host, instance, source_ip) in
        [("mx1", "", ""), ("mx1", "", "192.0.2.1"), ("mx1", "out", "192.0.2.1"), ("", "", "192.0.2.1")]
    {
        let d = Delivery { log_host, instance, source_ip, sender: None, ..delivery("a@b.example", Outcome::Delivered, &[]) };
        batch.push(&d, None, None, "", &[]);
    }
    let report = report(batch);
    let names: Vec<_> = (0..4).map(|i| get(&report, "sources", i, "source")).collect();
    assert_eq!(names, ["[192.0.2.1]", "mx1", "mx1 [192.0.2.1]", "mx1/out [192.0.2.1]"].map(Value::Utf8));
    assert_eq!(get(&report, "sender_domains", 0, "sender_domain"), Value::Utf8("(unknown)"));
}

#[test]
fn reasons_keep_the_commonest_template_and_the_oldest_reply() {
    let unknown = verdict(Class::Hard, Reason::Unknown, Disposition::Review);
    let hard = verdict(Class::Hard, Reason::UserUnknown, Disposition::Suppress);
    let mut aggregator = Aggregator::new();
    for (at, recipient, text, template, verdict) in [
        (30, "a@x.example", "550 <a@x.example> gone", "550 <*> gone", &hard),
        (20, "b@y.example", "550 <b@y.example> gone", "550 <*> gone", &hard),
        (10, "c@y.example", "550 nobody here", "550 nobody here", &hard),
        (10, "d@y.example", "550 rejected", "550 rejected", &unknown),
        (9, "e@y.example", "554 go away 17", "554 go away #", &unknown),
        (8, "f@y.example", "554 go away 16", "554 go away #", &unknown),
    ] {
        let tries = [attempt(at, Action::Bounced, text)];
        let mut batch = Batch::new();
        batch.push(&delivery(recipient, Outcome::Bounced, &tries), Some(verdict), None, template, &[]);
        aggregator.add(batch).unwrap();
    }
    let templates = aggregator.unknown_templates(10);
    let found: Vec<_> = templates.iter().map(|t| (t.template.as_str(), t.deliveries, t.example.as_str())).collect();
    assert_eq!(found, [("554 go away #", 2, "554 go away 16"), ("550 rejected", 1, "550 rejected")]);
    assert_eq!(aggregator.unknown_templates(1).len(), 1);

    let report = aggregator.finish(Meta::default()).unwrap();
    assert_eq!(get(&report, "reasons", 1, "reason"), Value::Utf8("user_unknown"));
    assert_eq!((int(&report, "reasons", 1, "deliveries"), int(&report, "reasons", 1, "domains")), (3, 2));
    assert_eq!(get(&report, "reasons", 1, "template"), Value::Utf8("550 <*> gone"));
    assert_eq!(get(&report, "reasons", 1, "example"), Value::Utf8("550 nobody here"));
    assert_eq!(get(&report, "reasons", 0, "reason"), Value::Utf8("unknown"), "ties go by reason");
}

/// A push with one refusal: (recipient, verdict, blame, provider).
type Push<'a> = (&'a str, &'a Verdict, Blame, Option<&'a str>);

#[test]
fn suspects_need_two_recipients_and_an_accusation() {
    let listed = Verdict {
        blocklist: Some(Arc::from("spamhaus_sbl")),
        blocklist_state: Some(BlocklistState::Listed),
        listed: Some("192.0.2.1".to_owned()),
        ..verdict(Class::Hard, Reason::Blocklisted, Disposition::Delist)
    };
    let policy = Verdict { blocklist_state: Some(BlocklistState::Policy), ..listed.clone() };
    let words = verdict(Class::Soft, Reason::Reputation, Disposition::SlowDown);
    let tries = [attempt(70, Action::Bounced, "554 listed"), attempt(60, Action::Bounced, "554 also listed")];
    let url = || Help { url: Some("https://list.example/".to_owned()), ..Help::default() };
    let run = |pushes: &[Push<'_>]| {
        let mut batch = Batch::new();
        for (i, (recipient, verdict, blame, provider)) in pushes.iter().enumerate() {
            let tries = &tries[i % 2..i % 2 + 1];
            let template = if i % 2 == 0 { "t" } else { "s" };
            let d = delivery(recipient, Outcome::Bounced, tries);
            let refusal = Refusal { attempt: &tries[0], verdict, blame: *blame, template, help: &url };
            batch.push(&d, Some(verdict), *provider, template, &[refusal]);
        }
        let ok = delivery("other@a.example", Outcome::Delivered, &[]);
        batch.push(&ok, None, Some("google"), "", &[]);
        report(batch)
    };
    let none = |pushes: &[Push<'_>]| run(pushes).table("suspects").unwrap().frame.is_empty();
    let (is_listed, is_policy) = (Blame::Listed, Blame::PolicyList);
    assert!(none(&[("a@a.example", &listed, is_listed, None)]), "one refusal");
    assert!(none(&[("a@a.example", &listed, is_listed, None), ("a@A.example", &listed, is_listed, None)]), "one recipient twice");
    assert!(none(&[("a@a.example", &policy, is_policy, None), ("b@b.example", &policy, is_policy, None)]), "nobody is accused");

    let report = run(&[
        ("a@b.example", &listed, is_listed, Some("google")),
        ("b@a.example", &listed, is_listed, Some("google")),
        ("c@c.example", &words, Blame::Reputation, None),
    ]);
    let suspects = &report.table("suspects").unwrap().frame;
    assert_eq!(suspects.len(), 1);
    let value = |column| suspects.named(0, column);
    assert_eq!((value("deliveries"), value("refused")), (Value::Int64(3), Value::Int64(2)));
    assert_eq!((value("listed"), value("blocklist")), (Value::Utf8("192.0.2.1"), Value::Utf8("spamhaus_sbl")));
    assert_eq!((value("provider"), value("receivers")), (Value::Utf8("google"), Value::Int64(1)));
    assert_eq!((value("first_seen"), value("last_seen")), (Value::Timestamp(60), Value::Timestamp(70)));
    assert_eq!(value("domains"), Value::Utf8List(&["a.example".to_owned(), "b.example".to_owned()]));
    assert_eq!(value("evidence"), Value::Utf8List(&["554 also listed".to_owned(), "554 listed".to_owned()]));
    assert_eq!(value("delist_url"), Value::Utf8("https://list.example/"));
    assert_eq!((value("trend"), value("deliveries_before")), (Value::Null, Value::Null), "no window before was looked at");
    // The parts make the score.
    let number = |column| match value(column) {
        Value::Float64(n) => n,
        other => panic!("{column} is {other:?}"),
    };
    let parts = 0.4 * number("score_share")
        + 0.25 * number("score_receivers")
        + 0.2 * number("score_explicit")
        + 0.15 * number("score_onset");
    assert!((number("score") - parts).abs() < 1e-4 && number("share_low") == number("score_share"), "{parts}");

    let report = run(&[("a@b.example", &words, Blame::Reputation, None), ("b@a.example", &words, Blame::Reputation, None)]);
    assert_eq!(int(&report, "suspects", 0, "deliveries"), 3, "without a provider: deliveries to the refusing domains");
}

#[test]
fn a_removed_delivery_without_a_cause_is_our_own_decision() {
    let mut batch = Batch::new();
    batch.push(&Delivery { removed: true, ..delivery("a@b.example", Outcome::Expired, &[]) }, None, None, "", &[]);
    batch.push(&delivery("a@b.example", Outcome::Expired, &[]), None, None, "", &[]);
    let report = report(batch);
    assert_eq!(get(&report, "reasons", 0, "reason"), Value::Utf8("expired"));
    assert_eq!(get(&report, "reasons", 1, "reason"), Value::Utf8("suppressed"));
}

#[test]
fn lines_must_add_up() {
    let coverage = Coverage { lines: 10, used: 4, irrelevant: 5, ..Coverage::default() };
    let error = Aggregator::new().finish(Meta { coverage, ..Meta::default() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Identity);
    assert!(error.to_string().contains("10 lines are not 4 used + 5 irrelevant + 0 unrecognised"), "{error}");
}
