//! What rows say of their recipients. Not here: layouts, headers, ids (`tests`).

use super::*;

#[test]
fn hand_overs() {
    check(
        r"
SEND: to=Bob@OK.test | over=Internet | via=mx1.ok.test | ip=203.0.113.9 | context=08DD1;250 2.6.0 <a.1@ex.test> Queued; ok;ClientSubmitTime:
    Relayed to=bob@ok.test via=mx1.ok.test ip=203.0.113.9 text=250 2.6.0 <a.1@ex.test> Queued; ok
SendExternal: to=a@b.test;c@d.test | over=Internet | status=250 2.1.5 OK;250 2.1.5 Ok
    Relayed to=a@b.test text=250 2.1.5 OK
    Relayed to=c@d.test text=250 2.1.5 Ok
SEND: to=a@b.test | over=Intra-Organization SMTP Send Connector
SEND: to=a@b.test | over=inbound proxy internal send connector 2
SEND: to=a@b.test | over=Intra-Organization SMTP Send Connector | path=<>
    About sender=<>
SEND: over=Internet
DELIVER: to=a@b.test | source=STOREDRIVER | status=250 2.0.0 Delivered
    Mailbox to=a@b.test local text=250 2.0.0 Delivered
DELIVER: to=a@b.test; ;c@b.test | source=STOREDRIVER
    Mailbox to=a@b.test local
    Mailbox to=c@b.test local
",
    );
}

#[test]
fn wrapped_statuses_with_every_trap() {
    for led in [
        "552 5.2.2 <bob@ok.test>: user's mailbox \"inbox\" is over quota, try later; size=10485760",
        "554 5.7.0 Reject, id=12345-01 - SPAM, \"score\"=9.1; see 'policy' #7",
        "550-5.7.26 no. 550 5.7.26 {x};{MSG=};{FQDN=fake};{IP=6.6.6.6};",
        "<bob@ok.test> recipient rejected",
        "",
    ] {
        for lrt in ["1/29/2025 7:07:29 PM", "11.08.2026 09:47:13", "12/03/2025 19:50:43", ""] {
            let status = format!("[{{LED={led}}};{{MSG=}};{{FQDN=mx1.ok.test}};{{IP=203.0.113.7}};{{LRT={lrt}}}]");
            let want = format!("NET Failed to=bob@ok.test via=mx1.ok.test ip=203.0.113.7 text={status}");
            // As the server writes it, and as cmdlets export it.
            for cell in [collection(&[&status]), status] {
                let set = [("event-id", "FAIL"), ("recipient-address", "bob@ok.test"), ("recipient-status", &cell)];
                assert_eq!(read(&row(30, &set)), (Sort::Used, vec![want.clone()]), "{cell}");
            }
        }
    }
}

#[test]
fn failures() {
    check(
        r"
FAIL: to='o''brien@ok.test';'M.D''Angelo;x@ok.test' | source=QUEUE | status='[{LED=550 5.1.1 X; it''s no one};{MSG=};{FQDN=mx1.ok.test};{IP=203.0.113.7};{LRT=}]';'550 4.4.7 QUEUE.Expired; message expired'
    Failed to=o'brien@ok.test via=mx1.ok.test ip=203.0.113.7 text=[{LED=550 5.1.1 X; it's no one};{MSG=};{FQDN=mx1.ok.test};{IP=203.0.113.7};{LRT=}]
    GaveUp to=m.d'angelo;x@ok.test text=550 4.4.7 QUEUE.Expired; message expired
FAIL: to=a@b.test | source=ROUTING | status=550 5.1.1 RESOLVER.ADR.RecipNotFound; not found
    Failed to=a@b.test text=550 5.1.1 RESOLVER.ADR.RecipNotFound; not found
FAIL: to=a@b.test | over=Internet | via=mx1 | ip=192.0.2.1 | status=521 No mail here; go away
    Failed to=a@b.test via=mx1 ip=192.0.2.1 text=521 No mail here; go away
FAIL: to=a@b.test | source=STOREDRIVER | status=554 5.2.2 mailbox full
    Failed to=a@b.test local text=554 5.2.2 mailbox full
FAIL: to=a@b.test;c@b.test | source=QUEUE | context=550 4.4.7 QUEUE.Expired; message expired
    GaveUp to=a@b.test text=550 4.4.7 QUEUE.Expired; message expired
    GaveUp to=c@b.test text=550 4.4.7 QUEUE.Expired; message expired
FAIL: to=a@b.test | source=QUEUE | status=550 4.3.2 QUEUE.Admin; message deleted by administrative action
    RemovedByHand to=a@b.test text=550 4.3.2 QUEUE.Admin; message deleted by administrative action
FAIL: to=a@b.test | source=ROUTING | status=250 2.1.5 RESOLVER.GRP.Expanded
    Dropped to=a@b.test text=250 2.1.5 RESOLVER.GRP.Expanded
FAIL: to=a@b.test | over=EX16A\Default Frontend EX16A | via=EX16A | status=550 5.1.1 User unknown
    Inbound to=a@b.test text=550 5.1.1 User unknown
FAIL: context=08DD9;command rejected
BADMAIL: to=a@b.test | source=PICKUP | status=550 5.1.3 bad
    Failed to=a@b.test text=550 5.1.3 bad
",
    );
}

#[test]
fn statuses_that_do_not_fit_their_recipients() {
    check(
        r"
FAIL: to=a@b.test;c@b.test;d@b.test | source=ROUTING | status=550 5.1.1 X; not found;550 5.1.1 Y; not found;550 5.1.1 Z; no
    Failed to=a@b.test text=550 5.1.1 X; not found
    Failed to=c@b.test text=550 5.1.1 Y; not found
    Failed to=d@b.test text=550 5.1.1 Z; no
FAIL: to=a@b.test;c@b.test;d@b.test | source=ROUTING | status=550 1;550 2
    Failed to=a@b.test
    Failed to=c@b.test
    Failed to=d@b.test
",
    );
}

#[test]
fn deferrals_drops_notifications_and_noise() {
    check(
        r#"
DEFER: to=a@b.test | over=Internet | status=451 4.4.0 Primary said: "421 4.2.1"; failed
    Deferred to=a@b.test text=451 4.4.0 Primary said: "421 4.2.1"; failed
DEFER: to=a@b.test | custom=S:RecipientsAlreadySmtpDeferLogged=true;S:x=1
DEFER: to=a@b.test | path=<>
    Deferred to=a@b.test sender=<>
DROP: to=a@b.test | via=own
    Dropped to=a@b.test
DSN: source=DSN | to=a@b.test | path=
    About sender=<>
BADMAIL: source=DSN | to=a@b.test
    About sender=<>
AGENTINFO: to=a@b.test
HAREDIRECT: to=a@b.test
TRANSFER: path=<>
    About sender=<>
RECEIVE: to=a@b.test
    Born
RECEIVE: path=<>
    Born sender=<>
RECEIVE: path= | from=b@c.test
    Born sender=<b@c.test>
SUBMIT: path= | from=
    Born
"#,
    );
}

#[test]
fn health_probes() {
    check(
        r"
RECEIVE: from=HealthMailboxDEADBEEF@contoso.test
    Health
AGENTINFO: from=Extest_1@x.test
    Health
DELIVER: to=HealthMailboxDEADBEEF@contoso.test;a@b.test
    Health to=healthmailboxdeadbeef@contoso.test
    Health to=a@b.test
DROP: to=a@b.test | custom=S:IsProbe=true
    Health to=a@b.test
SEND: to=inboundproxy@contoso.test | over=Mailbox Delivery X
    Health
DSN: from=HealthMailboxDEADBEEF@contoso.test
    Health sender=<>
",
    );
}
