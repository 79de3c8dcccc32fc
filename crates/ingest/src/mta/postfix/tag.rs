//! Postfix's tags: `postfix/smtp`, `postfix-out/qmgr`, `postfix/submission/smtpd`, `anything/smtp`.

/// A tag in its parts.
pub(super) struct Tag<'a> {
    /// What stands before the last slash: the name of the instance, perhaps with a service (`postfix/submission`).
    pub instance: &'a [u8],
    /// The program.
    pub daemon: &'a [u8],
}

/// The programs of Postfix that log about queue ids.
const DAEMONS: &[&[u8]] = &[
    b"smtp",
    b"lmtp",
    b"local",
    b"virtual",
    b"pipe",
    b"error",
    b"retry",
    b"discard",
    b"qmgr",
    b"oqmgr",
    b"cleanup",
    b"bounce",
    b"defer",
    b"trace",
    b"smtpd",
    b"pickup",
    b"postsuper",
    b"verify",
    b"nqmgr",
    b"relay",
    b"smtp-amavis",
];

/// The instance whose unit stands in place of the program (`journalctl -o with-unit`): `postfix.service`, `postfix@-.service`,
/// `postfix@postfix-out.service`.
fn unit(tag: &[u8]) -> Option<&[u8]> {
    let name = tag.strip_suffix(b".service")?;
    let rest = name.strip_prefix(b"postfix")?;
    match rest.strip_prefix(b"@") {
        None | Some(b"-" | b"") => Some(&name[..7]),
        Some(instance) => Some(instance),
    }
}

impl<'a> Tag<'a> {
    /// Cuts a tag.
    pub fn read(tag: &'a [u8]) -> Self {
        match memchr::memrchr(b'/', tag) {
            Some(slash) => Self { instance: &tag[..slash], daemon: &tag[slash + 1..] },
            None => match unit(tag) {
                Some(instance) => Self { instance, daemon: b"" },
                None => Self { instance: b"", daemon: tag },
            },
        }
    }

    /// Whether a line does not tell its program.
    pub fn is_without_daemon(&self) -> bool {
        self.daemon.is_empty()
    }

    /// Whether the program manages the queue, so that its instance is the queue's name.
    pub fn is_queue_manager(&self) -> bool {
        matches!(self.daemon, b"qmgr" | b"oqmgr" | b"nqmgr")
    }

    /// Whether it is a program of Postfix.
    pub fn is_known_daemon(&self) -> bool {
        DAEMONS.contains(&self.daemon)
    }

    /// Whether the program delivers to this system itself.
    pub fn is_local(&self) -> bool {
        matches!(self.daemon, b"local" | b"virtual" | b"pipe" | b"lmtp")
    }
}
