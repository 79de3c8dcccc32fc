//! What the engine promises whatever the rules say.

use bouncestat_classification::{Classifier, lint};
use bouncestat_record::{Action, Class, Level, Mta, Reason, Reply};

#[test]
fn a_failure_is_never_without_a_reason() {
    let table = [
        ("host mx.a.test[192.0.2.1] said: 354 what? (in reply to RCPT TO command)", Reason::ProtocolError),
        ("host mx.a.test[192.0.2.1] said: 250 2.1.5 Ok (in reply to RCPT TO command)", Reason::ProtocolError),
        ("220 mx.a.test", Reason::ProtocolError),
        ("2.0.0", Reason::ProtocolError),
        ("host mx.a.test[192.0.2.1] said: 250 <zoe@a.test>: User unknown (in reply to RCPT TO command)", Reason::UserUnknown),
    ];
    for action in [Action::Bounced, Action::Deferred, Action::Expired] {
        for (text, reason) in table {
            let reply = Reply { text: text.as_bytes(), action: Some(action), mta: Some(Mta::Postfix), ..Reply::default() };
            let verdict = Classifier::builtin().classify(&reply);
            let hard = action == Action::Bounced && !reason.passes();
            assert_eq!((verdict.reason, verdict.class), (reason, if hard { Class::Hard } else { Class::Soft }), "{text}");
            if reason == Reason::ProtocolError {
                assert_eq!((&*verdict.rule_id, verdict.level), ("basic.unexpected", Level::Basic), "{text}");
            }
            for code in [200, 250, 354] {
                let bare =
                    Classifier::builtin().classify(&Reply { text: b"", smtp_code: Some(code), action: Some(action), ..reply });
                assert_eq!(bare.reason, Reason::ProtocolError);
            }
        }
    }
    for action in [None, Some(Action::Delivered)] {
        let reply = Reply { text: b"250 2.0.0 Ok: queued as 4XyzAb", action, ..Reply::default() };
        let verdict = Classifier::builtin().classify(&reply);
        assert_eq!((verdict.reason, verdict.class), (Reason::None, Class::None));
    }
}

#[test]
fn rules_that_can_never_win_are_found() {
    let file = r#"
[[rule]]
id = "acme.wide"
reason = "policy"
rank = 90
match = ["acme"]
examples = ["550 Acme says no"]

[[rule]]
id = "acme.narrow"
reason = "mailbox_full"
match = ["acme .. (box|tray) full", "tray of acme"]
examples = ["552 Acme says that the tray full of paper is closed"]

[[rule]]
id = "acme.half"
reason = "mailbox_full"
match = ["acme quota", "no room in tray"]
examples = ["552 There is no room in tray 5"]
"#;
    let unreachable: Vec<String> = lint(file, "my.toml")
        .into_iter()
        .filter(|f| f.message.contains("unreachable"))
        .map(|f| f.rule + ": " + &f.message)
        .collect();
    assert_eq!(unreachable, ["acme.narrow: unreachable: whatever it matches is won by `acme.wide`"]);
}
