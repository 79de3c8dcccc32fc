//! What a server of ours refused: a client, a sender, a recipient or a message that it did not take.
//!
//! No delivery and no bounce of ours. `NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <a@b.example>: Relay access denied; …`

use crate::time::Micros;
use crate::{EnhancedCode, Mta, Stage};

/// One refusal. Texts are as logged, undecodable bytes replaced; empty where the log does not say it.
#[derive(Clone, Copy, Debug)]
pub struct Rejection<'a> {
    /// When, UTC.
    pub at: Micros,
    /// Whose log.
    pub mta: Mta,
    /// The host that refused.
    pub log_host: &'a str,
    /// Where in the session.
    pub stage: Option<Stage>,
    /// Whether the client was asked to try again: a 4xx reply.
    pub temporary: bool,
    /// The client's name as the server found it in DNS; empty where it found none.
    pub client_name: &'a str,
    /// The client's IP; empty for mail from this machine.
    pub client_ip: &'a str,
    /// What the client called itself.
    pub helo: &'a str,
    /// The envelope sender; `None` where it was not given yet, empty for the null sender.
    pub sender: Option<&'a str>,
    /// The recipient that was refused, or the last one.
    pub recipient: &'a str,
    /// The reply, or the reason as the server logs it.
    pub text: &'a [u8],
    /// The basic code, where the text does not hold it.
    pub smtp_code: Option<u16>,
    /// The enhanced code, where the text does not hold it.
    pub enhanced_code: Option<EnhancedCode>,
    /// How often the log says it happened; at least 1.
    pub count: u32,
    /// Index of the file in the run's list of files.
    pub file: u32,
    /// Offset of the line's first byte in the unpacked file.
    pub offset: u64,
}
