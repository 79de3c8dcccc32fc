//! Deliveries, failures and deferrals of every era, and what their texts say.

use super::check;

#[test]
fn delivered_to_another_host() {
    check(
        r#"=> ok1@remote.test R=remote T=remote_smtp H=127.0.0.1 [127.0.0.1] C="250 2.0.0 Ok: queued as SINK000001""#,
        "Sent to=ok1@remote.test relay=127.0.0.1 ip=127.0.0.1 next=SINK000001 text=250 2.0.0 Ok: queued as SINK000001",
    );
    check(
        r#"-> ok2@remote.test F=<a@b.test> P=<a@b.test> R=remote T=remote_smtp S=365 H=mx.test DS [2001:db8::7]:2525* I=[192.0.2.1]:35264 TFO* X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=dane DN="/C=DE/CN=\"mx\" one" A=plain:user L* PRDR K DSN C="250 OK id=1RwtKH-0001DM-JP" QT=1m3.084s DT=0.011s"#,
        "Sent to=ok2@remote.test from=a@b.test relay=mx.test ip=2001:db8::7 source=192.0.2.1 delay=63084 next=1RwtKH-0001DM-JP text=250 OK id=1RwtKH-0001DM-JP",
    );
    // Cut-through, before the arrival's own line.
    check(
        r#">> userx@domain.test P=<> R=all T=smtp H=127.0.0.1 [127.0.0.1] C="250 OK""#,
        "Sent to=userx@domain.test relay=127.0.0.1 ip=127.0.0.1 text=250 OK",
    );
    // Quotes, backslashes and words that look like fields stay inside the reply.
    check(
        r#"=> a@b.test R=r T=t H=h [192.0.2.7] C="250 \"H=x [10.0.0.1]\" QT=9s \\n end" QT=2d4h5s"#,
        r#"Sent to=a@b.test relay=h ip=192.0.2.7 delay=187205000 text=250 "H=x [10.0.0.1]" QT=9s \n end"#,
    );
    // A line that was cut has no closing quote.
    check(
        r#"=> a@b.test R=r T=t H=h [192.0.2.7] C="250 2.0.0 Ok: que"#,
        "Sent to=a@b.test relay=h ip=192.0.2.7 text=250 2.0.0 Ok: que",
    );
}

#[test]
fn delivered_on_this_machine() {
    check("=> bob <bob@local.test> R=localuser T=local_delivery", "Sent to=bob@local.test original=bob@local.test local=yes");
    check(
        "=> info@a.test R=virtual T=dovecot_lmtp H=localhost C=\"250 2.0.0 Saved\"",
        "Sent to=info@a.test relay=localhost local=yes text=250 2.0.0 Saved",
    );
    // One of several behind an alias: its deferral would have read `second@a.test <first@a.test>`.
    check("=> second <first@a.test> R=deliver T=appendfile", "Sent to=second@a.test original=first@a.test local=yes");
}

#[test]
fn failed_in_every_era() {
    let text = "SMTP error from remote mail server after RCPT TO:<x@d.test>: 550 5.1.1 No such user";
    let want = format!("Bounced to=x@d.test relay=mx.d.test ip=192.0.2.7 stage=rcpt text={text}");
    check(&format!("** x@d.test R=remote T=remote_smtp H=mx.d.test [192.0.2.7]: {text}"), &want);
    check(
        &format!("** x@d.test R=remote T=remote_smtp H=mx.d.test [192.0.2.7]:25* X=TLS1.2:ECDHE:256 CV=yes: {text} DT=0.003s"),
        &want,
    );
    check(&format!("** x@d.test R=remote T=remote_smtp H=mx.d.test [192.0.2.7] CV=no DN=\"CN=a: b\" : {text} DT=1s"), &want);
    // To 4.84 the host stood inside the text.
    check(
        "** x@d.test R=dnslookup T=remote_smtp: SMTP error from remote mail server after end of data: host mx.d.test [192.0.2.7]: 554 5.7.1 No",
        "Bounced to=x@d.test relay=mx.d.test ip=192.0.2.7 stage=end_of_data text=SMTP error from remote mail server after end of data: host mx.d.test [192.0.2.7]: 554 5.7.1 No",
    );
    check("** a@b.test: Unrouteable address", "Bounced to=a@b.test text=Unrouteable address");
    check("** a@b.test R=nx : unknown mail domain", "Bounced to=a@b.test text=unknown mail domain");
    check("** a@b.test R=r T=t", "Bounced to=a@b.test");
    check(
        "** x@d.test F=<> R=r T=t H=h [192.0.2.7] : Connection refused",
        "Bounced to=x@d.test from=<> relay=h ip=192.0.2.7 text=Connection refused",
    );
    // `DT=` inside a text is text.
    check("** a@b.test: odd DT=soon", "Bounced to=a@b.test text=odd DT=soon");
}

#[test]
fn failed_with_no_address_of_its_own() {
    check("** x@y.test routing yielded a local delivery", "Bounced to=x@y.test text=routing yielded a local delivery");
    check(
        "** x@y.test mua_wrapper forced failure for deferred delivery",
        "GaveUp to=x@y.test text=mua_wrapper forced failure for deferred delivery",
    );
    check(
        "** mua_wrapper is set but the recipients need two transports",
        "Bounced text=mua_wrapper is set but the recipients need two transports",
    );
}

#[test]
fn stages() {
    let stages = [
        ("SMTP error from remote mail server after initial connection: 554 no", "connect"),
        ("SMTP error from remote mail server after EHLO mx.test: 550 no", "helo"),
        ("SMTP error from remote mail server after pipelined MAIL FROM:<a@b> SIZE=9: 550 no", "mail"),
        ("SMTP error from remote mail server after pipelined RCPT TO:<a@b>: 550 no", "rcpt"),
        ("SMTP error from remote mail server after DATA: 550 no", "data"),
        ("SMTP error from remote mail server after pipelined end of data: 550 no", "end_of_data"),
        ("SMTP error from remote mailer after MAIL FROM:<>: host h [192.0.2.7]: 550 no", "mail"),
        ("SMTP timeout while connected to h [192.0.2.7] after end of data", "end_of_data"),
        ("Remote host h [192.0.2.7] closed connection in response to EHLO mx.test", "helo"),
        ("Remote host closed connection in response to sending data block", "end_of_data"),
        ("Malformed SMTP reply in response to MAIL FROM:<a@b>: nonsense", "mail"),
        ("LMTP error after RCPT TO:<a@b>: 550 no", "rcpt"),
    ];
    for (text, stage) in stages {
        let host = if text.contains("[192") { " relay=h ip=192.0.2.7" } else { "" };
        check(&format!("** a@b.test R=r T=t: {text}"), &format!("Bounced to=a@b.test{host} stage={stage} text={text}"));
    }
    for text in ["LMTP error after DATA: 550 no", "Unknown user", "after RCPT TO:<a@b>: 550 no"] {
        check(&format!("** a@b.test R=r T=t: {text}"), &format!("Bounced to=a@b.test text={text}"));
    }
}

#[test]
fn given_up() {
    check("** a@b.test: retry timeout exceeded", "GaveUp to=a@b.test text=retry timeout exceeded");
    check(
        "** a@b.test <c@d.test> : retry timeout exceeded DT=0s",
        "GaveUp to=a@b.test original=c@d.test text=retry timeout exceeded",
    );
    for text in [
        "Connection timed out: retry timeout exceeded",
        "Connection timed out : retry timeout exceeded",
        "all hosts for 'b.test' have been failing for a long time (and retry time not reached)",
        "all hosts have been failing for a long time and were last tried after this message arrived",
        "retry time not reached for any host after a long failure period",
    ] {
        check(&format!("** a@b.test R=r T=t: {text}"), &format!("GaveUp to=a@b.test text={text}"));
    }
    // Another server's words about its own next hop.
    for text in [
        "SMTP error from remote mail server after RCPT TO:<a@b.test>: 550 lost: retry timeout exceeded",
        "SMTP error from remote mail server after RCPT TO:<a@b.test>: 550 hosts have been failing for a long time",
    ] {
        check(&format!("** a@b.test R=r T=t: {text}"), &format!("Bounced to=a@b.test stage=rcpt text={text}"));
    }
}

#[test]
fn deferred_in_every_era() {
    let text = "SMTP error from remote mail server after RCPT TO:<x@d.test>: 451 4.7.1 Later";
    let want = format!("Deferred to=x@d.test relay=mx.d.test ip=192.0.2.7 stage=rcpt text={text}");
    for middle in [
        "defer (-44) H=mx.d.test [192.0.2.7]",
        "defer (-44) H=mx.d.test [192.0.2.7]:2525* I=[192.0.2.1]:35300 DT=0.000s",
        "defer H=mx.d.test [192.0.2.7]*",
    ] {
        let want = if middle.contains("I=") { want.replace(" stage", " source=192.0.2.1 stage") } else { want.clone() };
        check(&format!("== x@d.test R=remote T=remote_smtp {middle}: {text}"), &want);
    }
    check(
        "== x@d.test R=dnslookup T=remote_smtp defer (-44): SMTP error from remote mail server after RCPT TO:<x@d.test>: host mx.d.test [192.0.2.7]: 450 Later",
        "Deferred to=x@d.test relay=mx.d.test ip=192.0.2.7 stage=rcpt text=SMTP error from remote mail server after RCPT TO:<x@d.test>: host mx.d.test [192.0.2.7]: 450 Later",
    );
}

#[test]
fn deferred_by_the_system() {
    for (rest, text) in [
        ("R=r T=t defer (111): Connection refused", "Connection refused"),
        ("R=r T=t defer (60): Operation timed out DT=2m", "Operation timed out"),
        ("R=r T=t defer (Connection refused)", "Connection refused"),
        ("R=r T=t defer (Connection refused) DT=0s", "Connection refused"),
        ("R=deferdns defer (-1): host lookup did not complete", "host lookup did not complete"),
        ("R=deferdns defer: host lookup did not complete", "host lookup did not complete"),
        (
            "R=r T=t defer (13): Permission denied: stat() error for /home/x (euid=1)",
            "Permission denied: stat() error for /home/x (euid=1)",
        ),
        ("R=r T=t defer (0)", ""),
    ] {
        let want = if text.is_empty() { String::new() } else { format!(" text={text}") };
        check(&format!("== a@b.test {rest}"), &format!("Deferred to=a@b.test{want}"));
    }
    let timeout = "relay=h ip=192.0.2.7 stage=rcpt text=Connection timed out: SMTP timeout after RCPT TO:<a@b.test>";
    for rest in ["defer (110): Connection timed out", "defer (Connection timed out)"] {
        check(
            &format!("== a@b.test R=r T=t {rest} H=h [192.0.2.7] DT=5s: SMTP timeout after RCPT TO:<a@b.test>"),
            &format!("Deferred to=a@b.test {timeout}"),
        );
    }
}

#[test]
fn waiting_is_no_attempt() {
    for (rest, text) in [
        ("R=r T=t defer (-53): ", "retry time not reached for any host"),
        ("R=r T=t defer (-54): ", "retry time not reached for any host for 'b.test'"),
        ("R=r T=t defer: ", "retry time not reached for any host for 'b.test'"),
        ("routing defer (-52): ", "retry time not reached"),
        ("routing defer: ", "retry time not reached"),
        ("defer (-1): ", "domain is held"),
        ("R=r T=t defer (-1): ", "Retry time not yet reached"),
        ("R=r T=t defer (-1): ", "concurrency limit reached for transport t"),
        ("R=r T=t defer (-55): ", "domain matches queue_smtp_domains, or -odqs set"),
        ("R=r T=t defer (-55): ", "SMTP delivery explicitly queued"),
        ("R=r T=t defer (-1): ", "reusing SMTP connection skips previous routing defer"),
    ] {
        check(&format!("== a@b.test {rest}{text}"), &format!("Waiting to=a@b.test text={text}"));
    }
    let text = "SMTP error from remote mail server after RCPT TO:<a@b.test>: 451 retry time not reached";
    check(
        &format!("== a@b.test R=r T=t defer (-44) H=h [192.0.2.7]: {text}"),
        &format!("Deferred to=a@b.test relay=h ip=192.0.2.7 stage=rcpt text={text}"),
    );
}
