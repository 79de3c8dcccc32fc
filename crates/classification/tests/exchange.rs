//! Every token that Exchange writes itself, and the meaning we give it. Facts: Microsoft's pages on non-delivery reports.

use bouncestat_classification::Classifier;
use bouncestat_record::{Class, Reason, Reply};

fn check(table: &[(&str, Reason, Class)]) {
    let wrong: Vec<String> = table
        .iter()
        .filter_map(|(text, reason, class)| {
            let verdict = Classifier::builtin().classify(&Reply { text: text.as_bytes(), ..Reply::default() });
            (verdict.reason != *reason || verdict.class != *class).then(|| {
                format!(
                    "{text}: {} {} by {}, not {reason} {}",
                    verdict.reason,
                    verdict.class.as_str(),
                    verdict.rule_id,
                    class.as_str()
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn tokens_of_categorizer_and_store() {
    use Class::{Hard, Soft};
    use Reason as R;
    check(&[
        ("550 4.4.7 QUEUE.Expired; message expired", R::Expired, Soft),
        ("550 4.3.2 QUEUE.Admin; message deleted by administrative action", R::Suppressed, Hard),
        ("550 4.3.2 QUEUE.DDAdmin; message deleted", R::Suppressed, Hard),
        ("550 4.3.2 QUEUE.PoisonAdmin; message deleted", R::Suppressed, Hard),
        ("550 4.3.2 QUEUE.TransportAgent; message deleted by transport agent", R::Suppressed, Hard),
        ("550 5.2.3 QUEUE.Priority; message too large for its priority", R::MessageTooLarge, Hard),
        ("550 5.1.1 RESOLVER.ADR.RecipNotFound; not found", R::UserUnknown, Hard),
        ("550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found", R::UserUnknown, Hard),
        ("550 5.1.1 RESOLVER.ADR.X400RecipNotFound; not found", R::UserUnknown, Hard),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", R::UserUnknown, Hard),
        ("550 5.1.4 RESOLVER.ADR.Ambiguous; ambiguous address", R::BadAddress, Hard),
        ("550 5.2.0 RESOLVER.ADR.BadPrimary; recipient misconfigured", R::ServerError, Hard),
        ("550 5.2.0 RESOLVER.ADR.Invalid; misconfigured", R::ServerError, Hard),
        ("550 5.2.0 RESOLVER.ADR.InvalidResult; misconfigured", R::ServerError, Hard),
        ("550 5.1.0 RESOLVER.ADR.SmtpInSmtp; encapsulated SMTP address inside an SMTP address", R::BadAddress, Hard),
        ("550 5.1.0 RESOLVER.ADR.X500InSmtp; encapsulated", R::BadAddress, Hard),
        ("550 5.1.0 RESOLVER.ADR.InvalidInSmtp; encapsulated invalid address", R::BadAddress, Hard),
        ("550 5.5.3 RESOLVER.ADR.RecipLimit; too many recipients", R::TooManyRecipients, Soft),
        ("250 2.1.5 RESOLVER.ADR.RecipOverLimit; handled", R::None, Class::None),
        ("250 2.1.5 RESOLVER.ADR.AlreadyExpanded; handled", R::None, Class::None),
        ("550 5.2.0 RESOLVER.CON.UnencapTarget; target cannot be used", R::ServerError, Hard),
        ("550 5.2.0 RESOLVER.CON.ChainDisabled; chained contacts", R::ServerError, Hard),
        ("550 5.2.0 RESOLVER.CON.Ambiguous; contact", R::ServerError, Hard),
        ("420 4.2.0 RESOLVER.CON.Ambiguous; contact", R::ServerError, Soft),
        ("550 5.2.0 RESOLVER.CON.ChainInvalid; contact", R::ServerError, Hard),
        ("550 5.2.0 RESOLVER.CON.InvalidTarget; contact", R::ServerError, Hard),
        ("550 5.2.0 RESOLVER.CON.NoTarget; contact", R::ServerError, Hard),
        ("250 2.1.5 RESOLVER.CON.Chained; handled", R::None, Class::None),
        ("250 2.1.5 RESOLVER.FWD.Forwarded; recipient forwarded", R::None, Class::None),
        ("550 5.2.0 RESOLVER.FWD.Invalid; misconfigured forwarding address", R::ServerError, Hard),
        ("550 5.2.0 RESOLVER.FWD.NotFound; misconfigured forwarding address", R::ServerError, Hard),
        ("550 5.7.300 RESOLVER.FWD.Blocked; blocked forwarding", R::Policy, Hard),
        ("550 5.4.6 RESOLVER.FWD.Loop; there is a forwarding loop", R::RoutingError, Hard),
        ("550 5.2.4 RESOLVER.GRP.DDLQuery; the query of the group failed", R::ServerError, Hard),
        ("550 5.7.100 RESOLVER.GRP.Blocked; blocked", R::Policy, Hard),
        ("550 5.7.1 RESOLVER.GRP.Blocked.NeedsSenderRestrictions; blocked", R::RecipientRefused, Hard),
        ("550 5.2.0 RESOLVER.GRP.InvalidObject; invalid", R::ServerError, Hard),
        ("250 2.1.5 RESOLVER.GRP.Expanded; distribution list expanded", R::None, Class::None),
        ("250 2.1.5 RESOLVER.OOF.IntToExt; handled internal OOF addressed to external recipient", R::None, Class::None),
        ("250 2.1.5 RESOLVER.MSGTYPE.RN; handled", R::None, Class::None),
        ("250 2.1.5 RESOLVER.MER.Suppressed; handled", R::None, Class::None),
        ("250 2.1.5 CAT.DuplicateRecipient; handled", R::None, Class::None),
        ("550 5.2.0 RESOLVER.PF.Invalid; public folder", R::ServerError, Hard),
        ("550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized", R::RecipientRefused, Hard),
        ("550 5.7.1 RESOLVER.RST.NotAuthorizedToGroup; not authorized", R::RecipientRefused, Hard),
        ("550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", R::RecipientRefused, Hard),
        ("550 5.7.1 RESOLVER.RST.JournalReportFromUnauthorizedSender; refused", R::Policy, Hard),
        ("550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient", R::MessageTooLarge, Hard),
        ("550 5.2.3 RESOLVER.RST.RecipSizeLimit.DL; message too large for this distribution list", R::MessageTooLarge, Hard),
        ("550 5.2.3 RESOLVER.RST.SendSizeLimit.Sender; message too large for this sender", R::MessageTooLarge, Hard),
        ("550 5.2.3 RESOLVER.RST.SendSizeLimit.Org; message too large for this organization", R::MessageTooLarge, Hard),
        ("550 5.2.0 RESOLVER.RST.InvalidObjectForRestrictionCheck; misconfigured", R::ServerError, Hard),
        ("550 5.2.0 Resolver.MT.NoArbitrationAddress; moderation", R::ServerError, Hard),
        ("550 5.2.0 Resolver.MT.NoModeratorAddresses; moderation", R::ServerError, Hard),
        ("550 5.2.0 Resolver.MT.ModerationLoop; moderation loop", R::RoutingError, Hard),
        ("554 5.6.0 Resolver.MT.CannotStartModeration; moderation", R::ContentRejected, Hard),
        ("250 2.1.5 Resolver.MT.StartModeration; handled", R::None, Class::None),
        ("550 5.7.1 APPROVAL.NotAuthorized; message cannot be delivered", R::RecipientRefused, Hard),
        ("550 5.1.2 ROUTING.InvalidAddress; invalid address", R::BadAddress, Hard),
        ("550 5.4.4 ROUTING.NoNextHop; unable to route", R::RoutingError, Hard),
        ("550 5.4.4 ROUTING.NoConnectorForAddressType; unable to route for address type", R::RoutingError, Hard),
        ("550 5.3.4 ROUTING.SizeLimit; message size exceeds limit", R::MessageTooLarge, Hard),
        ("250 2.1.6 ROUTING.ProbeMessageDropped; handled", R::None, Class::None),
        ("554 5.4.4 SMTPSEND.DNS.NonExistentDomain; nonexistent domain", R::DomainInvalid, Hard),
        ("554 5.4.4 SMTPSEND.DNS.MxLoopback; DNS records for this domain are configured in a loop", R::RoutingError, Hard),
        ("554 5.4.4 SMTPSEND.DNS.InvalidData; DNS returned an invalid response for this domain", R::DnsFailure, Soft),
        ("451 4.4.0 SMTPSEND.DNS.NoOutboundFrontendServers; no outbound frontend servers", R::RoutingError, Soft),
        (
            "451 4.4.0 SMTPSEND.SuspiciousRemoteServerError; remote server disconnected abruptly; retry will be delayed",
            R::ConnectionFailed,
            Soft,
        ),
        ("451 4.4.0 SMTPSEND.SendingError; error while sending", R::ConnectionFailed, Soft),
        ("550 5.5.0 SMTPSEND.PoisonForRemote; message might be poison for the remote server", R::ContentRejected, Hard),
        ("550 5.6.2 SMTPSEND.BareLinefeedsAreIllegal; message contains bare linefeeds", R::ContentRejected, Hard),
        ("550 5.3.4 SMTPSEND.OverAdvertisedSize; message size exceeds fixed maximum size", R::MessageTooLarge, Hard),
        ("550 5.3.4 SMTPSEND.BDATOverAdvertisedSize; message size exceeds fixed maximum size", R::MessageTooLarge, Hard),
        ("550 5.1.2 SMTPSEND.InvalidLongRecipientAddress; long address", R::BadAddress, Hard),
        ("550 5.1.7 SMTPSEND.LongSenderAddress; long address", R::SenderRejected, Hard),
        ("550 5.1.8 SMTPSEND.Utf8RecipientAddress; UTF-8 recipient address not supported", R::BadAddress, Hard),
        ("550 5.1.9 SMTPSEND.Utf8SenderAddress; UTF-8 sender address not supported", R::SenderRejected, Hard),
        ("554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException", R::MailboxFull, Soft),
        ("550 5.2.2 STOREDRV.Deliver; mailbox full", R::MailboxFull, Soft),
        ("550 5.1.3 STOREDRV.Submit; invalid recipient address", R::BadAddress, Hard),
        ("432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded", R::RateLimited, Soft),
        ("432 4.3.2 STOREDRV; mailbox server is offline", R::ServerError, Soft),
        ("432 4.3.2 STOREDRV; mailbox database is offline", R::ServerError, Soft),
        ("432 4.3.2 STOREDRV.Storage; mailbox server is too busy", R::ServerError, Soft),
        ("431 4.3.1 STOREDRV; disk is full", R::SystemFull, Soft),
        ("431 4.3.1 STOREDRV; mailbox disk is full", R::SystemFull, Soft),
        ("430 4.2.0 STOREDRV; mailbox logon failure", R::ServerError, Soft),
        ("420 4.2.0 STOREDRV.Deliver; no replica of the public folder", R::ServerError, Soft),
        ("421 4.2.1 STOREDRV.Deliver; mailbox database has moved", R::ServerError, Soft),
        ("550 5.2.0 STOREDRV.Deliver; directory misconfiguration", R::ServerError, Hard),
        ("532 5.3.2 STOREDRV.Deliver; Missing or bad StoreDriver MDB properties", R::ServerError, Hard),
        ("554 5.6.0 STOREDRV.Deliver; invalid message content", R::ContentRejected, Hard),
        ("550 5.7.0 STOREDRV.Deliver; message is treated as poison", R::ContentRejected, Hard),
        ("550 5.7.9 STOREDRV.Deliver; Recipient mailbox quarantined", R::MailboxDisabled, Hard),
        ("550 5.7.10 STOREDRV.Submit; Sender mailbox quarantined", R::SenderRejected, Hard),
        ("550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy", R::Suppressed, Hard),
        ("550 5.7.1 TRA: Policy processing failed", R::Suppressed, Hard),
        ("550 5.2.1 Message deleted by the transport rules agent", R::Suppressed, Hard),
        ("550 5.2.1 DSNGENERATION.Quarantine; quarantined", R::Suppressed, Hard),
        ("550 5.3.4 PICKUP.MessageSize; message too large", R::MessageTooLarge, Hard),
        ("550 5.3.4 PICKUP.HeaderSize; header too large", R::MessageTooLarge, Hard),
        ("550 5.3.4 REPLAY.MessageSize; message too large", R::MessageTooLarge, Hard),
        ("550 5.5.3 PICKUP.RecipLimit; too many recipients", R::TooManyRecipients, Soft),
        ("444 4.4.4 NONSMTPGW.Failure; foreign connector", R::RoutingError, Soft),
        ("444 4.4.4 DELIVERYAGENT.Failure; foreign connector", R::RoutingError, Soft),
        ("554 5.6.5 UMPMSG.Deliver; cannot be converted", R::ContentRejected, Hard),
        ("450 4.5.0 Message rejected. Excessive message rate from sender to recipient.", R::RateLimited, Soft),
        ("550 4.4.7 Message dropped. Message too old", R::Expired, Soft),
        ("550 4.4.7 Message dropped. Not active", R::Expired, Soft),
        ("550 4.4.7 Poison message too old", R::Expired, Soft),
    ]);
}

#[test]
fn codes_that_only_microsoft_uses() {
    use Class::{Hard, Soft};
    use Reason as R;
    check(&[
        ("550 5.7.124 Sender not in allowed-senders list", R::RecipientRefused, Hard),
        ("550 5.7.133 Sender not authenticated for group", R::RecipientRefused, Hard),
        ("550 5.7.501 Access denied, spam abuse detected", R::Reputation, Hard),
        ("550 5.7.505 Access denied, banned recipient", R::UserUnknown, Hard),
        ("550 5.7.506 Access Denied, Bad HELO", R::RdnsFailed, Hard),
        ("550 5.7.508 Access denied, 2001:db8::1 has exceeded permitted limits within /64 range", R::RateLimited, Soft),
        ("550 5.7.509 Access denied, sending domain own.test does not pass DMARC verification", R::AuthFailed, Hard),
        ("550 5.7.510 Access denied, acme.test does not accept email over IPv6", R::Policy, Hard),
        ("550 5.7.511 Access denied, banned sender", R::Reputation, Hard),
        ("550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant", R::ContentRejected, Hard),
        ("550 5.7.606 Access denied, banned sending IP [192.0.2.1]", R::Blocklisted, Hard),
        ("550 5.7.705 Access denied, tenant has exceeded threshold", R::Reputation, Hard),
        ("550 5.7.708 Access denied, traffic not accepted from this IP", R::Reputation, Hard),
        ("451 4.7.850 Access denied, please try again later", R::Reputation, Soft),
        ("550 5.2.1 Content Filter agent quarantined this message", R::SpamContent, Hard),
        ("450 4.3.2 Service not active", R::ServerError, Soft),
        ("550 5.2.122 The recipient has exceeded their limit for messages per hour", R::RateLimited, Soft),
    ]);
}
