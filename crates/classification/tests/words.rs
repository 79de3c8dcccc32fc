//! Tables of what must be right whatever else changes: local errors, Exchange's tokens, blocklists, liars, states and stages.

use bouncestat_classification::Classifier;
use bouncestat_record::{Action, BlocklistState, Class, Disposition, EnhancedCode, Level, Mta, Reason, Reply, Stage};

fn classify(text: &str) -> bouncestat_record::Verdict {
    Classifier::builtin().classify(&Reply { text: text.as_bytes(), ..Reply::default() })
}

#[track_caller]
fn all(table: &[(&str, Reason)]) {
    let wrong: Vec<String> = table
        .iter()
        .map(|(text, reason)| (text, *reason, classify(text)))
        .filter(|(_, reason, verdict)| verdict.reason != *reason)
        .map(|(text, reason, verdict)| format!("{text}: {} by {}, not {reason}", verdict.reason, verdict.rule_id))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn postfix_local_errors() {
    use Reason as R;
    all(&[
        ("connect to mx.a.test[192.0.2.1]:25: Connection refused", R::ConnectionFailed),
        ("connect to mx.a.test[192.0.2.1]:25: Connection timed out", R::ConnectionFailed),
        ("connect to mx.a.test[192.0.2.1]:25: No route to host", R::ConnectionFailed),
        ("connect to mx.a.test[2001:db8::1]:25: Network is unreachable", R::ConnectionFailed),
        ("delivery temporarily suspended: connect to mx.a.test[192.0.2.1]:25: Connection refused", R::ConnectionFailed),
        (
            "delivery temporarily suspended: host mx.a.test[192.0.2.1] refused to talk to me: 421 4.7.0 Too many connections",
            R::RateLimited,
        ),
        ("lost connection with mx.a.test[192.0.2.1] while sending RCPT TO", R::ConnectionFailed),
        ("conversation with mx.a.test[192.0.2.1] timed out while receiving the initial server greeting", R::ConnectionFailed),
        ("Host or domain name not found. Name service error for name=a.test type=MX: Host not found, try again", R::DnsFailure),
        ("Host or domain name not found. Name service error for name=a.test type=AAAA: Host not found", R::DomainInvalid),
        (
            "Host or domain name not found. Name service error for name=mx.a.test type=A: Host found but no data record of requested type",
            R::DomainInvalid,
        ),
        ("Domain a.test does not accept mail (nullMX)", R::DomainInvalid),
        ("unable to look up host mx.a.test: Name or service not known", R::DomainInvalid),
        ("mail for a.test loops back to myself", R::RoutingError),
        ("TLS is required, but was not offered by host mx.a.test[192.0.2.1]", R::TlsFailed),
        ("Cannot start TLS: handshake failure", R::TlsFailed),
        ("Server certificate not trusted", R::TlsFailed),
        ("SASL authentication failed; server mx.a.test[192.0.2.1] said: 535 5.7.8 bad", R::LoginRequired),
        ("message size 22000000 exceeds size limit 10240000 of server mx.a.test[192.0.2.1]", R::MessageTooLarge),
        ("unknown user: \"zoe\"", R::UserUnknown),
        ("user unknown. Command output: no such mailbox here", R::UserUnknown),
        ("bad address syntax", R::BadAddress),
        ("mail transport unavailable", R::ServerError),
        ("Command died with status 1: \"/usr/bin/x\"", R::ServerError),
        (
            "cannot update mailbox /var/mail/zoe for user zoe. unable to lock for exclusive access: Resource temporarily unavailable",
            R::ServerError,
        ),
        ("cannot append message to file /var/mail/zoe: No space left on device", R::SystemFull),
        ("unable to create lock file /var/mail/zoe.lock: Disk quota exceeded", R::MailboxFull),
        ("host mx.a.test[192.0.2.1] said: 250 2.0.0 Ok (in reply to RCPT TO command)", R::None),
    ]);
}

#[test]
fn exim_local_errors() {
    use Reason as R;
    all(&[
        ("Unrouteable address", R::DomainInvalid),
        ("Unknown user", R::UserUnknown),
        ("all relevant MX records point to non-existent hosts", R::DomainInvalid),
        ("an MX or SRV record indicated no SMTP service", R::DomainInvalid),
        ("retry timeout exceeded", R::Expired),
        ("all hosts for 'a.test' have been failing for a long time and were last tried after this message arrived", R::Expired),
        ("Connection refused", R::ConnectionFailed),
        ("Connection timed out", R::ConnectionFailed),
        ("Remote host closed connection in response to end of data", R::ConnectionFailed),
        ("SMTP timeout after RCPT TO:<zoe@a.test>: Connection timed out", R::ConnectionFailed),
        ("host lookup did not complete", R::DnsFailure),
        ("remote host address is the local host", R::RoutingError),
        ("lowest numbered MX record points to local host", R::RoutingError),
        ("mailbox is full (MTA-imposed quota exceeded while writing to file /var/mail/zoe)", R::MailboxFull),
        ("error in redirection data: bad address", R::ServerError),
        ("TLS session: (gnutls_handshake): A TLS fatal alert has been received", R::TlsFailed),
        ("message is too big (transport limit = 10M)", R::MessageTooLarge),
        ("SMTP error from remote mail server after RCPT TO:<zoe@a.test>: 550 5.1.1 No such user", R::UserUnknown),
        (
            r"SMTP error from remote mail server after end of data: 550-5.7.26 This mail is unauthenticated\n550-5.7.26 and SPF did not pass\n550 5.7.26 x - gsmtp",
            R::AuthFailed,
        ),
    ]);
}

#[test]
fn exchange_texts() {
    use Reason as R;
    all(&[
        ("550 4.4.7 QUEUE.Expired; message expired", R::Expired),
        ("550 4.3.2 QUEUE.Admin; message deleted by administrative user", R::Suppressed),
        ("550 5.2.3 QUEUE.Priority; message too large for priority", R::MessageTooLarge),
        ("550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found", R::UserUnknown),
        ("550 5.1.4 RESOLVER.ADR.Ambiguous; ambiguous address", R::BadAddress),
        ("550 5.2.0 RESOLVER.FWD.NotFound; misconfigured forwarding address", R::ServerError),
        ("550 5.4.6 RESOLVER.FWD.Loop; there is a forwarding loop configured in the directory", R::RoutingError),
        ("550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", R::RecipientRefused),
        ("550 5.7.100 RESOLVER.GRP.Blocked; blocked", R::Policy),
        ("550 5.7.1 APPROVAL.NotAuthorized; message was rejected by the moderator", R::RecipientRefused),
        ("550 5.4.4 ROUTING.NoNextHop; unable to route", R::RoutingError),
        ("554 5.4.4 SMTPSEND.DNS.NonExistentDomain; nonexistent domain", R::DomainInvalid),
        ("554 5.4.4 SMTPSEND.DNS.MxLoopback; DNS records for this domain are configured in a loop", R::RoutingError),
        ("550 5.3.4 SMTPSEND.DATAOverAdvertisedSize; message size exceeds advertised size", R::MessageTooLarge),
        (
            "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
            R::MailboxFull,
        ),
        ("432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded", R::RateLimited),
        ("432 4.3.2 STOREDRV; mailbox server is offline", R::ServerError),
        ("431 4.3.1 STOREDRV; disk is full", R::SystemFull),
        ("554 5.6.0 STOREDRV.Deliver; invalid message content", R::ContentRejected),
        ("550 5.7.9 STOREDRV.Deliver; Recipient mailbox quarantined", R::MailboxDisabled),
        ("550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy", R::Suppressed),
        ("250 2.1.5 RESOLVER.GRP.Expanded; distribution list expanded", R::None),
        (
            "[{LED=450 4.4.316 Connection refused};{MSG=Socket error code 10061};{Last attempted server name=mx.a.test}",
            R::ConnectionFailed,
        ),
        ("[{LED=};{MSG=};{FQDN=};{IP=};{LRT=}]", R::Unknown),
        ("[{LED=<zoe@a.test> recipient rejected};{MSG=};{FQDN=mx.a.test};{IP=192.0.2.1};{LRT=}]", R::Unknown),
        (
            "451 4.4.0 Primary target IP address responded with: \"421 4.7.0 Too many connections.\" Attempted failover to alternate host",
            R::RateLimited,
        ),
        ("550 5.0.350 Remote server returned an error -> 550 5.1.1 <zoe@a.test>: User unknown", R::UserUnknown),
    ]);
}

#[test]
fn liars() {
    use Reason as R;
    all(&[
        ("550 5.7.1 <zoe@a.test>: User unknown", R::UserUnknown),
        ("552 5.1.1 <zoe@a.test> mailbox is over quota", R::MailboxFull),
        ("550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [x.prod.outlook.com]", R::UserUnknown),
        ("421 4.7.30 Your mail was slowed down: DKIM did not pass - gsmtp", R::AuthFailed),
        ("550 5.1.1 Sender address rejected: user unknown", R::SenderRejected),
        (
            "550-Verification failed for <me@own.test>\n550-Sent: RCPT TO:<me@own.test>\n550-Response: 550 User unknown\n550 Sender verify failed",
            R::SenderRejected,
        ),
        ("550 5.1.1 Relay access denied", R::RelayDenied),
        ("450 4.2.0 <zoe@a.test>: Recipient address rejected: Greylisted", R::Greylisted),
        ("550 Rejected", R::Unknown),
        ("550 5.0.0 Message rejected", R::Unknown),
        ("550", R::Unknown),
        ("552", R::MailboxFull),
        ("gibberish", R::Unknown),
        ("", R::Unknown),
    ]);
    let verdict = classify("550 Rejected");
    assert_eq!((verdict.level, verdict.class, verdict.disposition), (Level::None, Class::Hard, Disposition::Review));
}

#[test]
fn blocklists_and_their_states() {
    for (text, list, state, listed) in [
        (
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            "spamhaus-zen",
            BlocklistState::Listed,
            Some("192.0.2.1"),
        ),
        (
            "550 192.0.2.1 is listed in the PBL, see https://www.spamhaus.org/pbl/",
            "spamhaus-pbl",
            BlocklistState::Policy,
            Some("192.0.2.1"),
        ),
        ("554 blocked using sbl-xbl.spamhaus.org", "spamhaus-sblxbl", BlocklistState::Listed, None),
        (
            "550 5.7.1 Blocked by SBL123456 https://www.spamhaus.org/sbl/query/SBL123456",
            "spamhaus-sbl",
            BlocklistState::Listed,
            None,
        ),
        ("550 domain bad.example blocked using dbl.spamhaus.org", "spamhaus-dbl", BlocklistState::Listed, Some("bad.example")),
        ("554 5.7.1 client [192.0.2.1] blocked using bl.spamcop.net", "spamcop", BlocklistState::Listed, Some("192.0.2.1")),
        (
            "554 5.7.1 client [192.0.2.1] blocked using b.barracudacentral.org",
            "barracuda",
            BlocklistState::Listed,
            Some("192.0.2.1"),
        ),
        ("554 5.7.1 client [192.0.2.1] blocked using dnsbl.sorbs.net", "sorbs", BlocklistState::DeadList, Some("192.0.2.1")),
        (
            "554 5.7.1 client [192.0.2.1] blocked using ix.dnsbl.manitu.net",
            "nixspam",
            BlocklistState::DeadList,
            Some("192.0.2.1"),
        ),
        (
            "554 5.7.1 client [192.0.2.1] blocked using dnsbl-1.uceprotect.net",
            "uceprotect-1",
            BlocklistState::Listed,
            Some("192.0.2.1"),
        ),
        (
            "554 5.7.1 client [192.0.2.1] blocked using dnsbl-2.uceprotect.net",
            "uceprotect-2",
            BlocklistState::Listed,
            Some("192.0.2.1"),
        ),
        (
            "554 5.7.1 client [192.0.2.1] blocked using dnsbl-3.uceprotect.net",
            "uceprotect-3",
            BlocklistState::Listed,
            Some("192.0.2.1"),
        ),
        ("554 5.7.1 client [192.0.2.1] blocked using psbl.surriel.com", "psbl", BlocklistState::Listed, Some("192.0.2.1")),
        (
            "554 5.7.1 client [192.0.2.1] blocked using black.mail.abusix.zone",
            "abusix",
            BlocklistState::Listed,
            Some("192.0.2.1"),
        ),
        (
            "554 5.7.1 client [192.0.2.1] blocked using dynamic.mail.abusix.zone",
            "abusix",
            BlocklistState::Policy,
            Some("192.0.2.1"),
        ),
        ("554 5.7.1 client [192.0.2.1] blocked using bl.mailspike.net", "mailspike", BlocklistState::Listed, Some("192.0.2.1")),
        ("554 5.7.1 client [192.0.2.1] blocked using dyna.spamrats.com", "spamrats", BlocklistState::Policy, Some("192.0.2.1")),
        ("554 5.7.1 client [192.0.2.1] blocked using bl.0spam.org", "0spam", BlocklistState::Listed, Some("192.0.2.1")),
        ("554 5.7.1 client [192.0.2.1] blocked using sip.invaluement.com", "ivmsip", BlocklistState::Listed, Some("192.0.2.1")),
        (
            "554 5.7.1 Blocked, http://bad.example/x is on multi.surbl.org",
            "surbl",
            BlocklistState::Listed,
            Some("http://bad.example/x"),
        ),
        ("554 5.7.1 bad.example listed in black.uribl.com", "uribl", BlocklistState::Listed, Some("bad.example")),
        (
            "554 5.7.1 client [192.0.2.1] blocked using ips.backscatterer.org",
            "backscatterer",
            BlocklistState::Listed,
            Some("192.0.2.1"),
        ),
        ("554 5.7.1 client [192.0.2.1] blocked using dnsbl.spfbl.net", "spfbl", BlocklistState::Listed, Some("192.0.2.1")),
        (
            "554 5.7.1 client [192.0.2.1] blocked using hostkarma.junkemailfilter.com",
            "hostkarma",
            BlocklistState::Listed,
            Some("192.0.2.1"),
        ),
        ("554 5.7.1 client [192.0.2.1] blocked using all.s5h.net", "s5h", BlocklistState::Listed, Some("192.0.2.1")),
        ("554 5.7.1 client [192.0.2.1] blocked using dnsbl.dronebl.org", "dronebl", BlocklistState::Listed, Some("192.0.2.1")),
        ("554 5.7.1 client [192.0.2.1] blocked using truncate.gbudb.net", "gbudb", BlocklistState::Listed, Some("192.0.2.1")),
        ("554 5.7.1 client [192.0.2.1] blocked using bl.blocklist.de", "blocklistde", BlocklistState::Listed, Some("192.0.2.1")),
        ("554 5.7.1 client [192.0.2.1] blocked using bl.spameatingmonkey.net", "sem", BlocklistState::Listed, Some("192.0.2.1")),
        ("554 5.7.1 client [192.0.2.1] blocked using dnsbl.cobion.com", "cobion", BlocklistState::Listed, Some("192.0.2.1")),
        ("554 5.7.1 client [192.0.2.1] blocked using cn.countries.nerd.dk", "nerd", BlocklistState::Policy, Some("192.0.2.1")),
        ("450 4.7.1 client [192.0.2.1] blocked using grey.rbl.a.test", "grey.rbl", BlocklistState::Greylist, Some("192.0.2.1")),
        (
            "554 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1",
            "proofpoint",
            BlocklistState::Listed,
            Some("192.0.2.1"),
        ),
        (
            "550 5.7.1 Service unavailable, MailFrom domain is listed in Spamhaus. (S8002)",
            "ms-spamhaus",
            BlocklistState::Listed,
            None,
        ),
        (
            "550 5.7.1 messages from [192.0.2.1] weren't sent. part of their network is on our block list (S3150).",
            "microsoft",
            BlocklistState::Listed,
            Some("192.0.2.1"),
        ),
        (
            "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
            "yahoo",
            BlocklistState::Listed,
            Some("192.0.2.1"),
        ),
        (
            "554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de)",
            "tonline",
            BlocklistState::Listed,
            Some("192.0.2.1"),
        ),
        (
            "554 5.7.1 client [192.0.2.1] blocked using zen.spamhaus.org; Error: open resolver; https://check.spamhaus.org/returnc/pub/192.0.2.53/",
            "spamhaus-zen",
            BlocklistState::ResolverError,
            Some("192.0.2.1"),
        ),
    ] {
        let verdict = classify(text);
        assert_eq!(verdict.blocklist.as_deref(), Some(list), "{text}: {} by {}", verdict.reason, verdict.rule_id);
        assert_eq!(verdict.blocklist_state, Some(state), "{text}");
        assert_eq!(verdict.listed.as_deref(), listed, "{text}");
        match state {
            BlocklistState::DeadList => {
                assert_eq!((verdict.reason, verdict.disposition), (Reason::Blocklisted, Disposition::Contact), "{text}")
            }
            BlocklistState::ResolverError => {
                assert_eq!((verdict.reason, verdict.disposition), (Reason::ServerError, Disposition::Contact), "{text}")
            }
            BlocklistState::Greylist => assert_eq!((verdict.reason, verdict.class), (Reason::Greylisted, Class::Soft), "{text}"),
            _ => {}
        }
    }
    let verdict = classify("550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550");
    assert_eq!((verdict.reason, verdict.blocklist), (Reason::UserUnknown, None), "the link alone is no listing");
}

#[test]
fn the_reply_as_sent_and_the_logs_own_action() {
    let classifier = Classifier::builtin();
    let dsn = |text: &'static str, dsn, action| {
        classifier.classify(&Reply {
            text: text.as_bytes(),
            enhanced_code: EnhancedCode::parse(dsn),
            action: Some(action),
            mta: Some(Mta::Postfix),
            ..Reply::default()
        })
    };
    let greeting = dsn("host mx.a.test[192.0.2.1] refused to talk to me: 554 5.7.1 poor reputation", "4.7.1", Action::Deferred);
    assert_eq!(
        (greeting.smtp_code, greeting.reply_class, greeting.class, greeting.stage),
        (Some(554), Some(5), Class::Soft, Some(Stage::Connect))
    );
    assert_eq!(greeting.enhanced_code, EnhancedCode::parse("5.7.1"), "the text wins over dsn=");
    let local = dsn("connect to mx.a.test[192.0.2.1]:25: Connection refused", "4.4.1", Action::Deferred);
    assert_eq!((local.smtp_code, local.reply_class, local.enhanced_code), (None, None, None));
    let expired =
        dsn("host mx.a.test[192.0.2.1] said: 450 4.1.1 User unknown (in reply to RCPT TO command)", "4.1.1", Action::Expired);
    assert_eq!((expired.reason, expired.class, expired.disposition), (Reason::UserUnknown, Class::Soft, Disposition::Retry));
    let full =
        dsn("host mx.a.test[192.0.2.1] said: 552 5.2.2 Mailbox full (in reply to RCPT TO command)", "5.2.2", Action::Bounced);
    assert_eq!((full.reason, full.class), (Reason::MailboxFull, Class::Soft));
}

#[test]
fn providers_by_host_then_domain() {
    let classifier = Classifier::builtin();
    for (host, domain, id) in [
        (Some("gmail-smtp-in.l.google.com"), Some("acme.test"), Some("google")),
        (Some("mx.acme.test"), Some("gmail.com"), Some("google")),
        (Some("ACME-test.mail.protection.outlook.com"), None, Some("microsoft")),
        (Some("mta5.am0.yahoodns.net"), Some("aol.com"), Some("yahoo")),
        (Some("mx00.t-online.de"), None, Some("t-online")),
        (Some("notgoogle.test"), None, None),
        (None, None, None),
    ] {
        assert_eq!(classifier.provider(host, domain).as_deref(), id);
    }
}
