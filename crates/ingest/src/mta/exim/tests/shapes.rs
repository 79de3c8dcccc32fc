//! Arrivals, addresses that are none, state lines, and lines that only look like deliveries.

use super::{check, words};

#[test]
fn arrivals() {
    check("<= sender@local.test U=root P=local S=350", "Born from=sender@local.test size=350");
    check("<= <> R=1xV7FX-0005B2-1H U=Debian-exim P=local S=1797", "Born from=<> size=1797");
    check(
        r#"<= s@local.test H=(h S=1 [x]) [192.0.2.9]:4711 I=[192.0.2.1]:25 P=esmtps X=TLS1.3:A:256 CV=no DN="a S=2 b" A=plain:x S=350 M8S=0 RT=0.005s id*=E1xV7H9-00060W-1p@mta.test T="S=7 id=no@no => \"x\" == ** y" from <sender@local.test> for ok1@remote.test"#,
        "Born from=s@local.test size=350 message-id=E1xV7H9-00060W-1p@mta.test",
    );
    check(
        r#"<= "two words"@local.test U=x P=local S=9 id=a@b for S=1@c.test id=2@c.test"#,
        r#"Born from="two words"@local.test size=9 message-id=a@b"#,
    );
    check("<= sender@local.test", "Born from=sender@local.test");
    check("(= caller@myhost.test U=caller P=local-smtp S=12", "Irrelevant");
    check("<= ", "Unrecognised");
}

#[test]
fn addresses_with_spaces() {
    check(
        r#"=> with space@remote.test <"with space"@remote.test> R=remote T=remote_smtp H=h [192.0.2.7] C="250 Ok""#,
        r#"Sent to="with space"@remote.test original="with space"@remote.test relay=h ip=192.0.2.7 text=250 Ok"#,
    );
    check(
        r#"== with space@remote.test <"with space"@remote.test> R=remote T=t defer (111): Connection refused"#,
        r#"Deferred to="with space"@remote.test original="with space"@remote.test text=Connection refused"#,
    );
    check(
        r#"** "with space"@remote.test: retry timeout exceeded"#,
        r#"GaveUp to="with space"@remote.test text=retry timeout exceeded"#,
    );
    check("** two words@a.test: Unrouteable address", "Bounced to=two words@a.test text=Unrouteable address");
}

#[test]
fn parents_and_originals() {
    check(
        "** x@gmail.test (info@o.test) <info@o.test> R=dkim_lookuphost T=dkim_remote_smtp: gone",
        "Bounced to=x@gmail.test original=info@o.test text=gone",
    );
    check(
        "=> c@c.test (b@b.test, b2@b.test) <a@a.test> F=<s@s.test> R=r T=t H=h [192.0.2.7]",
        "Sent to=c@c.test original=a@a.test from=s@s.test relay=h ip=192.0.2.7",
    );
    check("=> c@c.test (b@b.test, a@a.test) R=r T=t", "Sent to=c@c.test original=a@a.test local=yes");
    check(
        "** r550@d.test <list@local.test>: retry timeout exceeded",
        "GaveUp to=r550@d.test original=list@local.test text=retry timeout exceeded",
    );
    // Angle brackets that a site put around the address.
    check("== <a@b.test> R=r T=t defer (-53): later", "Deferred to=a@b.test text=later");
}

#[test]
fn commands_files_and_replies() {
    check(
        "** |/bin/false -x: T=1 <pipe@local.test> R=alias T=address_pipe: Child process of address_pipe transport returned 1 from command: /bin/false",
        "Bounced to=pipe@local.test original=pipe@local.test local=yes text=Child process of address_pipe transport returned 1 from command: /bin/false",
    );
    check(
        "** |/bin/echo some output <pipeout@local.test> R=alias T=address_pipe : return message generated",
        "Bounced to=pipeout@local.test original=pipeout@local.test local=yes text=return message generated",
    );
    check(
        "=> sales+spam |/usr/local/cpanel/bin/autorespond s@a.test /home (s@a.test) <s@a.test> R=virtual T=cagefs_virtual_address_pipe",
        "Sent to=s@a.test original=s@a.test local=yes",
    );
    check("=> /home/x/Mail box/ <x@a.test> R=u T=address_file", "Sent to=x@a.test original=x@a.test local=yes");
    check("=> >reply@far.test <vac@a.test> R=u T=vacation", "Sent to=vac@a.test original=vac@a.test local=yes");
    check("=> save inbox <x@a.test> R=u T=address_file", "Sent to=x@a.test original=x@a.test local=yes");
    check("=> |cmd (p@a.test) R=u T=t", "Sent to=p@a.test original=p@a.test local=yes");
    // An address of X.400 is no file, and the reply's brackets are no original.
    check(
        "** /C=US/O=x@gw.test R=dns T=smtp H=h [192.0.2.7]: SMTP error from remote mail server after RCPT TO:</C=US/O=x@gw.test>: 550 5.1.1 <y@gw.test>: gone",
        "Bounced to=/C=US/O=x@gw.test relay=h ip=192.0.2.7 stage=rcpt text=SMTP error from remote mail server after RCPT TO:</C=US/O=x@gw.test>: 550 5.1.1 <y@gw.test>: gone",
    );
}

#[test]
fn thrown_away_and_suppressed() {
    check("=> :blackhole: <b@local.test> R=blackhole", "Discarded to=b@local.test original=b@local.test local=yes");
    check(
        "=> /dev/null <vac@local.test> R=alias T=**bypassed**",
        "Discarded to=vac@local.test original=vac@local.test local=yes",
    );
    check("=> /dev/null R=filter T=**bypassed**", "Discarded to=/dev/null local=yes");
    check("=> discarded (system filter)", "Discarded text=discarded (system filter)");
    check("=> blackhole (DATA ACL discarded recipients)", "Discarded text=blackhole (DATA ACL discarded recipients)");
    check("=> discarded@a.test R=r T=t", "Sent to=discarded@a.test local=yes");
    check("*> accept <accept@y.test> R=accept T=appendfile", "Suppressed to=accept@y.test original=accept@y.test local=yes");
}

#[test]
fn the_message_ends() {
    check("Completed", "Removed");
    check("Completed QT=0.091s", "Removed");
    check("cancelled by root", "RemovedByHand text=cancelled by root");
    check("cancelled by timeout_frozen_after", "RemovedByHand text=cancelled by timeout_frozen_after");
    check("removed by root", "RemovedByHand text=removed by root");
}

#[test]
fn what_says_nothing_of_a_delivery() {
    for rest in [
        "Frozen (delivery error message)",
        "Unfrozen by forced delivery",
        "frozen by root",
        "Message is frozen",
        "Spool file is locked (another process is handling this message)",
        "a@b.test: error ignored",
        "H=127.0.0.1 [127.0.0.1]: SMTP error from remote mail server after end of data: 451 => no",
        "H=127.0.0.1 [127.0.0.1] Connection refused",
        "127.0.0.1 [127.0.0.1] Connection refused",
        "H=(x) [192.0.2.9] F=<a@b.test> rejected after DATA: => a@b.test ** c@d.test",
        "Subject: x == y@z.test R=a defer (-44): b",
        "Completed2",
        "=>a@b.test",
        "",
    ] {
        check(rest, "Irrelevant");
    }
    for line in [
        "",
        "2026-11-22 13:07:01 Start queue run: pid=22760 -qff",
        "2026-11-22 13:06:35.563 +0000 [23096] cwd=/ 7 args: exim4 -odi -f s@local.test a@b.test",
        "2026-11-22 13:07:02 H=(c.test) [127.0.0.1] F=<x@c.test> rejected RCPT <a@r.test>: => relay not permitted",
        " Suggested action: => a@b.test",
        "1xV7Gp-0005rN-2i => a@b.test R=r T=t",
        "2026-11-22 13:07:01 1xV7Gp-0005rN => a@b.test",
        "2026-11-22 13:07:01 a => b 1xV7Gp-0005rN-2i => a@b.test",
        "*** 1xV7Gp-0005rN-2i ** a@b.test: no",
    ] {
        assert_eq!(words(line), "Irrelevant", "{line}");
    }
}

#[test]
fn what_is_not_understood_is_told() {
    for rest in ["=> ", "** : no", "==  R=r T=t defer (-1): no", "->  "] {
        check(rest, "Unrecognised");
    }
    assert_eq!(words("2026-11-31 13:06:15 1xV7Gp-0005rN-2i => a@b.test R=r T=t"), "Unrecognised");
}
