//! From a reason and the codes to class and disposition: CONTRACT's "How class and reason are decided".
//!
//! A 554 greeting that Postfix defers is soft, with reply class 5; a full mailbox is soft even when it was bounced.

use bouncestat_record::{Action, Class, Disposition, Reason, Stage};

/// Choices that are the user's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which class a full mailbox has at 5xx.
    pub quota_class: QuotaClass,
}

/// Which class a full mailbox has when the reply is 5xx.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QuotaClass {
    /// Soft: mailboxes are emptied (the default).
    #[default]
    Soft,
    /// Hard, as the textbook says of 552.
    Hard,
}

/// The class of a failure. `digit` is the reply's first digit where there is one.
pub(crate) fn class(reason: Reason, digit: Option<u8>, action: Option<Action>, options: Options) -> Class {
    if reason == Reason::None {
        return Class::None;
    }
    let passes = reason.passes() && !(reason == Reason::MailboxFull && options.quota_class == QuotaClass::Hard);
    let by_reason = if passes { Class::Soft } else { Class::Hard };
    match (action, digit) {
        (Some(Action::Deferred | Action::Expired), _) => Class::Soft,
        // Nothing is hard at 4xx, not even what the server gave up: it must never suppress a living address.
        (_, Some(4)) => Class::Soft,
        (Some(Action::Bounced), Some(_)) | (_, Some(5)) => by_reason,
        // Without any code nothing but the reason says that it will not pass, also where a server gave up.
        _ if matches!(reason, Reason::MailboxFull | Reason::TlsFailed | Reason::ServerError | Reason::Unknown) => Class::Soft,
        _ => by_reason,
    }
}

/// What a reason means before a recipient was named (RFC 5321, section 3.3): whoever is refused then is the client or the sender, and
/// no recipient may be suppressed for it. A host that takes no mail at all says so in its greeting (RFC 7504).
pub(crate) fn before_the_recipient(reason: Reason, stage: Option<Stage>) -> Reason {
    use Reason as R;
    let recipient = matches!(reason, R::UserUnknown | R::MailboxDisabled | R::MailboxMoved | R::BadAddress | R::DomainInvalid);
    match stage {
        Some(Stage::Mail) if recipient => R::SenderRejected,
        Some(Stage::Helo) if matches!(reason, R::BadAddress | R::DomainInvalid) => R::RdnsFailed,
        Some(Stage::Helo) if recipient => R::Policy,
        Some(Stage::Connect) if recipient && reason != R::DomainInvalid => R::Policy,
        _ => reason,
    }
}

/// What to do, from reasons' own disposition; never to suppress for something that may pass.
pub(crate) fn disposition(reason: Reason, class: Class) -> Disposition {
    use Disposition as D;
    use Reason as R;
    match reason {
        R::UserUnknown | R::DomainInvalid | R::BadAddress | R::MailboxDisabled | R::MailboxMoved => {
            if class == Class::Hard {
                D::Suppress
            } else {
                D::Retry
            }
        }
        R::MailboxFull | R::Greylisted | R::ConnectionFailed | R::DnsFailure | R::ServerError | R::SystemFull | R::Expired => {
            D::Retry
        }
        R::RecipientRefused | R::Policy => D::Contact,
        R::MessageTooLarge | R::SpamContent | R::Virus | R::ContentRejected | R::TooManyRecipients => D::FixMessage,
        R::AuthFailed
        | R::RdnsFailed
        | R::SenderRejected
        | R::RelayDenied
        | R::LoginRequired
        | R::TlsFailed
        | R::RoutingError
        | R::ProtocolError => D::FixConfig,
        R::Blocklisted => D::Delist,
        R::Reputation | R::RateLimited => D::SlowDown,
        R::Suppressed | R::None => D::None,
        R::Unknown => D::Review,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_rcpt_nobody_is_suppressed() {
        let at = before_the_recipient;
        assert_eq!(at(Reason::UserUnknown, Some(Stage::Mail)), Reason::SenderRejected);
        assert_eq!(at(Reason::MailboxDisabled, Some(Stage::Connect)), Reason::Policy);
        assert_eq!(at(Reason::DomainInvalid, Some(Stage::Helo)), Reason::RdnsFailed);
        assert_eq!(at(Reason::DomainInvalid, Some(Stage::Connect)), Reason::DomainInvalid, "a 521 greeting");
        assert_eq!(at(Reason::UserUnknown, Some(Stage::Rcpt)), Reason::UserUnknown);
        assert_eq!(at(Reason::UserUnknown, None), Reason::UserUnknown);
    }

    #[test]
    fn the_logging_servers_action_counts_first() {
        let soft = Options::default();
        assert_eq!(class(Reason::Reputation, Some(5), Some(Action::Deferred), soft), Class::Soft);
        assert_eq!(class(Reason::UserUnknown, Some(4), Some(Action::Bounced), soft), Class::Soft);
        assert_eq!(class(Reason::MailboxFull, Some(5), Some(Action::Bounced), soft), Class::Soft);
        assert_eq!(
            class(Reason::MailboxFull, Some(5), Some(Action::Bounced), Options { quota_class: QuotaClass::Hard }),
            Class::Hard
        );
        assert_eq!(class(Reason::MailboxFull, Some(4), None, Options { quota_class: QuotaClass::Hard }), Class::Soft);
        assert_eq!(class(Reason::ServerError, Some(5), None, soft), Class::Hard);
        assert_eq!(class(Reason::TlsFailed, None, None, soft), Class::Soft);
        assert_eq!(class(Reason::Unknown, None, Some(Action::Bounced), soft), Class::Soft);
        assert_eq!(class(Reason::UserUnknown, None, Some(Action::Bounced), soft), Class::Hard);
        assert_eq!(class(Reason::Unknown, Some(5), Some(Action::Bounced), soft), Class::Hard);
    }
}
