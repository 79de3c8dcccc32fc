//! `bouncestat explain`: what a code, a reply or a log line means.

use crate::common::run;

#[track_caller]
fn explains(text: &str, words: &[&str]) {
    let ran = run(&["explain", text]).exits(0);
    for word in words {
        assert!(ran.text().contains(word), "{word:?} is not in:\n{}", ran.text());
    }
}

#[test]
fn codes() {
    explains("5.7.26", &["Multiple authentication checks failed", "auth_failed", "hard", "fix_config"]);
    explains("5.1.1", &["Bad destination mailbox address", "user_unknown", "suppress"]);
    explains("452", &["452", "soft"]);
}

#[test]
fn codes_that_say_little_or_nothing() {
    explains("5.9.99", &["registry     not registered", "reason       unknown"]);
    let text = run(&["explain", "421"]).exits(0).text().to_owned();
    assert!(!text.contains(": \n"), "{text}");
    run(&["explain", "9.9.9"]).exits(2).says(&["9.9.9 is no reply code"]);
}

#[test]
fn reasons() {
    explains("user_unknown", &["means", "hard at 5xx, soft at 4xx", "suppress at 5xx", "rules"]);
}

#[test]
fn a_line_without_an_attempt() {
    explains(
        "Nov 22 13:42:06 mx1 postfix/qmgr[1]: 4jXVcG2tc6z1XXTY: from=<a@example.com>, size=1, nrcpt=1 (queue active)",
        &["line of Postfix's log", "no reply to explain"],
    );
}

#[test]
fn replies() {
    explains("550 frobnication", &["decided by   nothing"]);
    explains("450 4.2.0 Greylisted, try again in 300 seconds", &["asks to wait 300 seconds"]);
    explains("550 5.1.1 User unknown", &["reason       user_unknown", "class        hard", "decided by"]);
}

#[test]
fn log_lines_of_every_server() {
    let postfix = "Nov 22 13:42:06 mx1 postfix/smtp[1]: 4jXVcG2tc6z1XXTY: to=<a@example.com>, relay=mx.example.com[192.0.2.1]:25, delay=1, \
        delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.com[192.0.2.1] said: 550 5.1.1 User unknown (in reply to RCPT TO command))";
    explains(postfix, &["user_unknown", "hard"]);
    let exim = "2026-11-22 13:06:09 1xV7Gj-0005mI-1Q ** a@example.com R=remote T=remote_smtp H=mx.example.com [192.0.2.1]: SMTP error from \
        remote mail server after RCPT TO:<a@example.com>: 550 5.1.1 User unknown";
    explains(exim, &["user_unknown", "hard"]);
}

#[test]
fn what_the_server_did_counts_before_the_code() {
    let deferred = "Nov 22 13:42:06 mx1 postfix/smtp[1]: 4jXVcG2tc6z1XXTY: to=<a@example.com>, relay=mx.example.com[192.0.2.1]:25, delay=1, \
        delays=0/0/0/1, dsn=4.7.1, status=deferred (host mx.example.com[192.0.2.1] refused to talk to me: 554 5.7.1 go away)";
    explains(deferred, &["class        soft"]);
}

#[test]
fn unknown_words_come_with_the_beginning_of_a_rule() {
    explains("550 frobnication of the gnarl was insufficient", &["unknown", "[[rule]]", "--rules FILE"]);
}

#[test]
fn as_json() {
    let verdict = run(&["explain", "--format", "json", "550 5.1.1 User unknown"]).exits(0).json();
    assert_eq!(verdict["reason"], "user_unknown");
}

#[test]
fn nothing_to_explain() {
    run(&["explain"]).exits(2).says(&["TEXT"]);
}
