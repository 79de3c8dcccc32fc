//! Attempts and deliveries, joined and ready to be classified, borrowed from the log they stand in.

use crate::time::Micros;
use crate::{EnhancedCode, Stage, named_enum};

named_enum! {
    /// Which server wrote a log.
    pub enum Mta {
        /// Postfix.
        Postfix = "postfix",
        /// Exim.
        Exim = "exim",
        /// Microsoft Exchange.
        Exchange = "exchange",
    }
}

named_enum! {
    /// What the logging server did about an attempt.
    pub enum Action {
        /// It handed the message over.
        Delivered = "delivered",
        /// It gave the recipient up because of a refusal.
        Bounced = "bounced",
        /// It keeps the recipient for another try.
        Deferred = "deferred",
        /// It gave the recipient up because its time was over.
        Expired = "expired",
    }
}

named_enum! {
    /// Where a delivery stands at the end of the window.
    pub enum Outcome {
        /// Handed over.
        Delivered = "delivered",
        /// Refused for good.
        Bounced = "bounced",
        /// Given up after temporary failures.
        Expired = "expired",
        /// Still in the queue.
        Deferred = "deferred",
    }
}

named_enum! {
    /// Whether a delivery leaves this system.
    pub enum Direction {
        /// To another system.
        Outbound = "outbound",
        /// To a mailbox, pipe or file here.
        Local = "local",
    }
}

/// One attempt of a delivery. Texts are as logged, undecodable bytes replaced.
#[derive(Clone, Copy, Debug, Default)]
pub struct Try<'a> {
    /// When, UTC.
    pub at: Micros,
    /// What the server did about it; an attempt is never `Expired`.
    pub action: Option<Action>,
    /// The reply or local error as logged, wrappers included; empty where the log has none.
    pub text: &'a [u8],
    /// The basic code, where the log gives it apart from the text.
    pub smtp_code: Option<u16>,
    /// The enhanced code, where the log gives it apart from the text (Postfix `dsn=`).
    pub enhanced_code: Option<EnhancedCode>,
    /// Where in the session, where the log gives it apart from the text.
    pub stage: Option<Stage>,
    /// The next hop's name; empty where none was reached.
    pub relay_host: &'a str,
    /// The next hop's IP; empty where none was reached.
    pub relay_ip: &'a str,
    /// Whether the next hop is this system itself.
    pub local: bool,
    /// Milliseconds from the arrival of the message to the end of this attempt.
    pub delay_ms: Option<i64>,
    /// How often the log says it happened (`message repeated N times`); at least 1.
    pub count: u32,
    /// Index of the file in the run's list of files.
    pub file: u32,
    /// Offset of the line's first byte in the unpacked file.
    pub offset: u64,
}

/// One recipient of one message, all its attempts inside the window, and what became of it.
#[derive(Clone, Debug)]
pub struct Delivery<'a> {
    /// Whose log.
    pub mta: Mta,
    /// The host that logged it.
    pub log_host: &'a str,
    /// The queue's name on that host; empty where servers have none.
    pub instance: &'a str,
    /// The IP it was sent from, where the log tells; otherwise empty.
    pub source_ip: &'a str,
    /// The server's own id of the message.
    pub queue_id: &'a str,
    /// The moment of the first line about the message: tells two messages apart that had the same id.
    pub born: Micros,
    /// The `Message-ID:` header; empty where unknown.
    pub message_id: &'a str,
    /// The envelope sender; `None` where no line names it. Never empty: such mail is excluded as a notification.
    pub sender: Option<&'a str>,
    /// The final recipient address as written.
    pub recipient: &'a str,
    /// Bytes of the message.
    pub size: Option<i64>,
    /// Where it stands.
    pub outcome: Outcome,
    /// Delivered, after at least one temporary failure inside the window.
    pub delayed: bool,
    /// Given up by an administrator's hand.
    pub removed: bool,
    /// The attempts inside the window, oldest first.
    pub tries: &'a [Try<'a>],
    /// The failure that explains an outcome other than delivered: the last real cause, which may lie before the window.
    pub cause: Option<Try<'a>>,
    /// Milliseconds from arrival to the delivery, where it was delivered and the log tells.
    pub delay_ms: Option<i64>,
}
