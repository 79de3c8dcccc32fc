//! What a reply means: reason, class, disposition, and the rule that says so.
//!
//! `550 5.1.1 <a@b>: Recipient address rejected: User unknown` gives `user_unknown`, hard, suppress.

use std::sync::Arc;

use crate::{Action, EnhancedCode, Mta, Stage, named_enum};

named_enum! {
    /// Why a delivery failed.
    pub enum Reason {
        /// The mailbox does not exist.
        UserUnknown = "user_unknown",
        /// The recipient's domain does not exist or takes no mail.
        DomainInvalid = "domain_invalid",
        /// The address is syntactically invalid, not allowed or ambiguous.
        BadAddress = "bad_address",
        /// The mailbox exists but is suspended, inactive or closed.
        MailboxDisabled = "mailbox_disabled",
        /// The mailbox is over its quota.
        MailboxFull = "mailbox_full",
        /// The user has moved.
        MailboxMoved = "mailbox_moved",
        /// This recipient or list refuses this sender.
        RecipientRefused = "recipient_refused",
        /// The message exceeds a size limit.
        MessageTooLarge = "message_too_large",
        /// The content is judged spam.
        SpamContent = "spam_content",
        /// Malware or a forbidden attachment.
        Virus = "virus",
        /// The message is malformed.
        ContentRejected = "content_rejected",
        /// SPF, DKIM, DMARC or ARC failed or is missing.
        AuthFailed = "auth_failed",
        /// No reverse name, a mismatch, or a bad HELO name.
        RdnsFailed = "rdns_failed",
        /// The envelope or header sender is refused.
        SenderRejected = "sender_rejected",
        /// The server does not take mail for that domain from us.
        RelayDenied = "relay_denied",
        /// SMTP AUTH is missing or failed.
        LoginRequired = "login_required",
        /// TLS is required, not offered, or its handshake or certificate failed.
        TlsFailed = "tls_failed",
        /// An IP, domain or URL is on a blocklist.
        Blocklisted = "blocklisted",
        /// A provider's own reputation or complaint block.
        Reputation = "reputation",
        /// A local, organisational or geographic policy whose cause is not stated.
        Policy = "policy",
        /// Too many messages or connections.
        RateLimited = "rate_limited",
        /// Too many recipients in one transaction.
        TooManyRecipients = "too_many_recipients",
        /// A first-contact deferral, or an address verification in progress.
        Greylisted = "greylisted",
        /// Timeout, refusal, reset, lost connection, no route.
        ConnectionFailed = "connection_failed",
        /// A temporary DNS failure.
        DnsFailure = "dns_failure",
        /// A temporary or internal error of the remote or own server.
        ServerError = "server_error",
        /// The server is out of storage or resources.
        SystemFull = "system_full",
        /// A mail loop, too many hops, an MX that points to itself.
        RoutingError = "routing_error",
        /// The queue lifetime is exceeded, and no cause is known.
        Expired = "expired",
        /// SMTP syntax, sequence or an unsupported parameter.
        ProtocolError = "protocol_error",
        /// Not sent by our own side's decision.
        Suppressed = "suppressed",
        /// No evidence.
        Unknown = "unknown",
        /// No failure: the reply is positive.
        None = "none",
    }
}

named_enum! {
    /// What a reason is about.
    pub enum Family {
        /// The recipient.
        Recipient = "recipient",
        /// The message.
        Message = "message",
        /// Who we say we are.
        Identity = "identity",
        /// What is thought of us.
        Reputation = "reputation",
        /// How fast we send.
        Rate = "rate",
        /// Machines and networks.
        Infrastructure = "infrastructure",
        /// Our own side's decision.
        Local = "local",
        /// Not known.
        Unknown = "unknown",
    }
}

named_enum! {
    /// How lasting a failure is.
    pub enum Class {
        /// Trying again will not help.
        Hard = "hard",
        /// Trying again may help.
        Soft = "soft",
        /// No failure.
        None = "none",
    }
}

named_enum! {
    /// What to do about a failure.
    pub enum Disposition {
        /// Stop mailing the address or domain.
        Suppress = "suppress",
        /// Try again later.
        Retry = "retry",
        /// Send less, and more slowly.
        SlowDown = "slow_down",
        /// Mend our own configuration.
        FixConfig = "fix_config",
        /// Mend the message.
        FixMessage = "fix_message",
        /// Ask a list to remove us.
        Delist = "delist",
        /// Ask the receiving side.
        Contact = "contact",
        /// Read the reply and decide.
        Review = "review",
        /// Nothing to do.
        None = "none",
    }
}

named_enum! {
    /// Which kind of evidence decided a verdict, strongest first.
    pub enum Level {
        /// A rule of the receiving provider.
        Provider = "provider",
        /// A rule about the text.
        Text = "text",
        /// The enhanced status code.
        Enhanced = "enhanced",
        /// The basic code.
        Basic = "basic",
        /// Nothing.
        None = "none",
    }
}

named_enum! {
    /// What the citing of a blocklist proves.
    pub enum BlocklistState {
        /// The object is listed.
        Listed = "listed",
        /// A policy or dynamic-range list: no accusation.
        Policy = "policy",
        /// The list is used for greylisting.
        Greylist = "greylist",
        /// The list is dead: the receiver is misconfigured.
        DeadList = "dead_list",
        /// The receiver's resolver is refused by the list: no listing.
        ResolverError = "resolver_error",
    }
}

impl Reason {
    /// What the reason is about.
    pub const fn family(self) -> Family {
        use Reason as R;
        match self {
            R::UserUnknown
            | R::DomainInvalid
            | R::BadAddress
            | R::MailboxDisabled
            | R::MailboxFull
            | R::MailboxMoved
            | R::RecipientRefused => Family::Recipient,
            R::MessageTooLarge | R::SpamContent | R::Virus | R::ContentRejected => Family::Message,
            R::AuthFailed | R::RdnsFailed | R::SenderRejected | R::RelayDenied | R::LoginRequired | R::TlsFailed => {
                Family::Identity
            }
            R::Blocklisted | R::Reputation | R::Policy => Family::Reputation,
            R::RateLimited | R::TooManyRecipients | R::Greylisted => Family::Rate,
            R::ConnectionFailed
            | R::DnsFailure
            | R::ServerError
            | R::SystemFull
            | R::RoutingError
            | R::Expired
            | R::ProtocolError => Family::Infrastructure,
            R::Suppressed => Family::Local,
            R::Unknown | R::None => Family::Unknown,
        }
    }

    /// Whether a refusal for this reason is soft even when the reply is 5xx: it passes by itself.
    pub const fn passes(self) -> bool {
        use Reason as R;
        matches!(
            self,
            R::MailboxFull
                | R::RateLimited
                | R::TooManyRecipients
                | R::Greylisted
                | R::ConnectionFailed
                | R::DnsFailure
                | R::SystemFull
                | R::Expired
        )
    }
}

/// One reply, or one local error, as a log gives it, with what is known around it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reply<'a> {
    /// The text as logged: wrappers (`host X said: …`, `SMTP error from remote mail server after …: …`) may be on or off.
    pub text: &'a [u8],
    /// The basic code, where it is known apart from the text.
    pub smtp_code: Option<u16>,
    /// The enhanced code, where it is known apart from the text (Postfix `dsn=`).
    pub enhanced_code: Option<EnhancedCode>,
    /// The name of the host that said it.
    pub relay_host: Option<&'a str>,
    /// The recipient's domain, as [`crate::address::domain`] gives it.
    pub recipient_domain: Option<&'a str>,
    /// Where in the session it was said, where the log says so apart from the text.
    pub stage: Option<Stage>,
    /// What the logging server did about it; [`None`] for a bare reply.
    pub action: Option<Action>,
    /// Whose log it stands in.
    pub mta: Option<Mta>,
}

/// What a reply means.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The basic code of this hop's reply.
    pub smtp_code: Option<u16>,
    /// The enhanced code of this hop's reply, as the remote server sent it.
    pub enhanced_code: Option<EnhancedCode>,
    /// First digit of the reply as sent.
    pub reply_class: Option<u8>,
    /// Where in the session the reply came, as the text or the log says.
    pub stage: Option<Stage>,
    /// Hard or soft.
    pub class: Class,
    /// Why.
    pub reason: Reason,
    /// What to do.
    pub disposition: Disposition,
    /// The rule that decided.
    pub rule_id: Arc<str>,
    /// The kind of evidence that decided.
    pub level: Level,
    /// The most specific blocklist that the reply proves.
    pub blocklist: Option<Arc<str>>,
    /// What citing it proves.
    pub blocklist_state: Option<BlocklistState>,
    /// The listed object that the reply names: IP, network, domain or URL.
    pub listed: Option<String>,
    /// Who runs the recipient's mail.
    pub provider: Option<Arc<str>>,
}
