//! The `event-id` of a row. Not here: what a row of it says.
//!
//! `…,SMTP,SENDEXTERNAL,…` is [`RowEvent::SendExternal`].

/// What a row is about, as far as outcomes care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowEvent {
    /// RECEIVE, SUBMIT: the message comes in.
    Arrival,
    /// DSN: the message is a notification.
    Dsn,
    Deliver,
    Send,
    SendExternal,
    Fail,
    Defer,
    Drop,
    BadMail,
    /// Documented, and never changes an outcome.
    Quiet,
}

/// Documented events that change no outcome, or that are a bucket of their own.
const QUIET: [&[u8]; 33] = [
    b"AGENTINFO",
    b"CLIENTSUBMISSION",
    b"DELIVERFAIL",
    b"DUPLICATEDELIVER",
    b"DUPLICATEEXPAND",
    b"DUPLICATEREDIRECT",
    b"EXPAND",
    b"HADISCARD",
    b"HARECEIVE",
    b"HAREDIRECT",
    b"HAREDIRECTFAIL",
    b"INITMESSAGECREATED",
    b"LOAD",
    b"MODERATIONEXPIRE",
    b"MODERATORAPPROVE",
    b"MODERATORREJECT",
    b"MODERATORSALLNDR",
    b"NOTIFYMAPI",
    b"NOTIFYSHADOW",
    b"POISONMESSAGE",
    b"PROCESS",
    b"PROCESSMEETINGMESSAGE",
    b"REDIRECT",
    b"RESOLVE",
    b"RESUBMIT",
    b"RESUBMITDEFER",
    b"RESUBMITFAIL",
    b"SUBMITDEFER",
    b"SUBMITFAIL",
    b"SUPPRESSED",
    b"SUSPEND",
    b"THROTTLE",
    b"TRANSFER",
];

impl RowEvent {
    /// Reads an event name; `None` where it is not documented.
    pub(super) fn read(name: &[u8]) -> Option<Self> {
        let mut upper = [0; 24];
        let upper = upper.get_mut(..name.len())?;
        upper.copy_from_slice(name);
        upper.make_ascii_uppercase();
        Some(match &*upper {
            b"RECEIVE" | b"SUBMIT" => Self::Arrival,
            b"DSN" => Self::Dsn,
            b"DELIVER" => Self::Deliver,
            b"SEND" => Self::Send,
            b"SENDEXTERNAL" => Self::SendExternal,
            b"FAIL" => Self::Fail,
            b"DEFER" => Self::Defer,
            b"DROP" => Self::Drop,
            b"BADMAIL" => Self::BadMail,
            other => QUIET.binary_search(&other).ok().map(|_| Self::Quiet)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case_and_unknown_ones() {
        assert!(QUIET.is_sorted());
        assert!(QUIET.iter().all(|name| RowEvent::read(name) == Some(RowEvent::Quiet)));
        assert_eq!(RowEvent::read(b"SendExternal"), Some(RowEvent::SendExternal));
        for unknown in ["", "RECIPIENTINFO", "SETROUTE", "SEND ", "A-NAME-LONGER-THAN-ANY-EVENT-HAS"] {
            assert_eq!(RowEvent::read(unknown.as_bytes()), None, "{unknown}");
        }
    }
}
