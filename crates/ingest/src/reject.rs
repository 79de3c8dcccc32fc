//! What a line says of a reject of ours, as a reader gives it: [`Reject`], borrowed from the line wherever the line holds the text as
//! it is. Readers look for rejects only where a run asks for them.

use std::borrow::Cow;

use bouncestat_record::time::Micros;
use bouncestat_record::{Mta, Rejection, Stage};

/// One reject. Empty means that the line does not say it, but for `sender`, where `Some(empty)` is the null sender.
#[derive(Clone, Debug, Default)]
pub struct Reject<'a> {
    /// When, UTC.
    pub at: Micros,
    /// The host that logged it.
    pub host: Cow<'a, [u8]>,
    /// Where in the session.
    pub stage: Option<Stage>,
    /// Whether the client may try again.
    pub temporary: bool,
    /// The client's name.
    pub client_name: Cow<'a, [u8]>,
    /// The client's IP.
    pub client_ip: Cow<'a, [u8]>,
    /// What the client called itself.
    pub helo: Cow<'a, [u8]>,
    /// The envelope sender.
    pub sender: Option<Cow<'a, [u8]>>,
    /// The recipient.
    pub recipient: Cow<'a, [u8]>,
    /// The reply or reason.
    pub text: Cow<'a, [u8]>,
    /// The basic code, where the text does not hold it.
    pub smtp_code: Option<u16>,
    /// How often it happened; at least 1.
    pub count: u32,
}

impl Reject<'_> {
    /// The same with texts of its own.
    pub fn into_owned(self) -> Reject<'static> {
        let own = |text: Cow<'_, [u8]>| Cow::Owned(text.into_owned());
        Reject {
            host: own(self.host),
            client_name: own(self.client_name),
            client_ip: own(self.client_ip),
            helo: own(self.helo),
            sender: self.sender.map(own),
            recipient: own(self.recipient),
            text: own(self.text),
            at: self.at,
            stage: self.stage,
            temporary: self.temporary,
            smtp_code: self.smtp_code,
            count: self.count,
        }
    }
}

/// A reject that outlives its piece of a log.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What its line says.
    pub reject: Reject<'static>,
    /// Where its line stands.
    pub offset: u64,
}

impl Kept {
    /// Gives it to `out` in the words of the record.
    pub fn tell(&self, mta: Mta, file: u32, out: &mut dyn FnMut(&Rejection<'_>)) {
        let r = &self.reject;
        let text = |bytes| String::from_utf8_lossy(bytes);
        let (host, name, ip) = (text(&r.host), text(&r.client_name), text(&r.client_ip));
        let (helo, recipient) = (text(&r.helo), text(&r.recipient));
        let sender = r.sender.as_ref().map(|s| text(s));
        out(&Rejection {
            at: r.at,
            mta,
            log_host: &host,
            stage: r.stage,
            temporary: r.temporary,
            client_name: &name,
            client_ip: &ip,
            helo: &helo,
            sender: sender.as_deref(),
            recipient: &recipient,
            text: &r.text,
            smtp_code: r.smtp_code,
            enhanced_code: None,
            count: r.count.max(1),
            file,
            offset: self.offset,
        });
    }
}
