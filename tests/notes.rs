//! What is said on standard error of logs that leave something open.

use crate::common::{Folder, run, sample};

#[test]
fn messages_without_an_end_are_a_sign_of_loss() {
    let said = run(&["--tz", "UTC", &sample("postfix/lines-lost")]).exits(0).says(&["3 messages have attempts and no end"]);
    assert!(!said.err.contains("gone from the queue"), "{}", said.err);
    for whole in ["postfix/lab-long", "postfix/queue-life", "exim/4.96-default", "rotated/postfix"] {
        let said = run(&["--tz", "UTC", &sample(whole)]).exits(0);
        let reuse = whole == "postfix/queue-life";
        assert_eq!(said.err.contains("no end"), reuse, "{whole}: {}", said.err);
    }
}

#[test]
fn statuses_that_fit_no_recipient_are_said() {
    run(&["--tz", "UTC", &sample("exchange/statuses")]).exits(0).says(&["2 rows with more or fewer statuses than recipients"]);
}

#[test]
fn a_line_that_is_not_understood_is_shown_without_its_addresses() {
    let said = run(&["--tz", "UTC", &sample("postfix/cuts")]).exits(0);
    let said = said.says(&["1 line looks", "--unrecognised FILE", "samples/postfix/cuts/maillog at byte 15,416: postfix/smtp: "]);
    assert!(!said.err.contains("early.test") && said.err.contains("to=<address>"), "{}", said.err);
    let quiet = run(&["--quiet", "--tz", "UTC", &sample("postfix/cuts")]).exits(0);
    assert_eq!(quiet.err, "");
}

#[test]
fn the_hour_that_autumn_repeats_is_told_or_said_to_be_a_guess() {
    let line = |stamp: &str, n: u32| {
        format!(
            "{stamp} mx postfix/smtp[3]: AAAAA000000{n}: to=<r{n}@a.test>, relay=h[192.0.2.1]:25, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 ok)\n"
        )
    };
    let folder = Folder::new();
    let told = folder.file("mx/maillog-20261025", line("Oct 25 02:50:00", 1) + &line("Oct 25 02:10:00", 2));
    let args = ["attempts", "--tz", "Europe/Berlin", "--format", "csv"];
    let said = run(&[&args[..], &[&told]].concat()).exits(0).says(&["2 lines of the hour that autumn repeats: told apart"]);
    for moment in ["2026-10-25T00:50:00Z", "2026-10-25T01:10:00Z"] {
        assert!(said.text().contains(moment), "{}", said.text());
    }
    let guessed = folder.file("my/maillog-20261025", line("Oct 25 02:10:00", 1) + &line("Oct 25 02:50:00", 2));
    let said = run(&[&args[..], &[&guessed]].concat()).exits(0).says(&["a guess; delays across it may be an hour off"]);
    assert!(said.text().contains("2026-10-25T00:50:00Z"), "{}", said.text());
}
