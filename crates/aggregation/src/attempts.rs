//! Attempts, one row each, as columns: they go to a file and are not counted here.
//!
//! A batch holds what one worker makes at a time; a sink of `bouncestat-export` takes batch after batch, so that memory never
//! holds all attempts. The rows stand in the order in which they are pushed.

use bouncestat_record::time::DAY;
use bouncestat_record::{Action, Delivery, Direction, EnhancedCode, Mta, Try, Verdict, address};

use crate::frame::{Data, Frame};
use crate::schema;

/// Rows after which a batch should be handed on; also the rows of a Parquet row group.
pub const ATTEMPTS_PER_BATCH: usize = 122_880;

/// Attempts as columns.
#[derive(Clone, Debug)]
pub struct AttemptBatch {
    frame: Frame,
}

impl Default for AttemptBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl AttemptBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self { frame: Frame::new(&schema::ATTEMPTS) }
    }

    /// The rows so far.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.frame.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.frame.is_empty()
    }

    /// Whether it is time to hand the batch on.
    pub fn is_full(&self) -> bool {
        self.len() >= ATTEMPTS_PER_BATCH
    }

    /// Forgets the rows and keeps their memory.
    pub fn clear(&mut self) {
        self.frame.clear();
    }

    /// Adds one attempt of a delivery, as often as the log says that it happened.
    ///
    /// `verdict` is that of this very try; a delivered one gives codes and stage only. `source_file` is the name to print.
    pub fn push(
        &mut self,
        delivery: &Delivery<'_>,
        attempt: &Try<'_>,
        verdict: Option<&Verdict>,
        provider: Option<&str>,
        source_file: &str,
    ) {
        let id = hex(delivery_id(delivery));
        let id = std::str::from_utf8(&id).unwrap_or_default();
        let domain = address::domain(delivery.recipient.as_bytes());
        let sender_domain = delivery.sender.map(|s| address::domain(s.as_bytes()));
        let failed = verdict.filter(|_| attempt.action != Some(Action::Delivered));
        let code = verdict.map_or(attempt.smtp_code, |v| v.smtp_code);
        let enhanced = verdict.map_or(attempt.enhanced_code, |v| v.enhanced_code);
        let mut code_text = [0; 16];
        let enhanced_text = enhanced.map(|e| enhanced_str(e, &mut code_text));
        let reply_class = match verdict {
            Some(verdict) => verdict.reply_class.map(i64::from),
            None => code.map(|c| i64::from(c / 100)).or(enhanced.map(|e| i64::from(e.class))),
        };
        let stage = verdict.map_or(attempt.stage, |v| v.stage);
        let direction = if attempt.local { Direction::Local } else { Direction::Outbound };

        for _ in 0..attempt.count.max(1) {
            let mut row = Writer { data: self.frame.data_mut().iter_mut() };
            row.time(attempt.at);
            row.date(attempt.at.div_euclid(DAY) as i32);
            row.text(Some(id));
            row.text(Some(delivery.mta.as_str()));
            row.known(delivery.log_host);
            row.known(delivery.instance);
            row.known(delivery.queue_id);
            row.known(delivery.message_id);
            row.text(delivery.sender);
            row.text(Some(sender_domain.as_deref().unwrap_or(address::UNKNOWN)));
            row.text(Some(delivery.recipient));
            row.text(Some(&domain));
            row.text(provider);
            row.known(attempt.relay_host);
            row.known(attempt.relay_ip);
            row.text(Some(direction.as_str()));
            row.text(attempt.action.map(Action::as_str));
            row.text(failed.map(|v| v.class.as_str()));
            row.text(failed.map(|v| v.reason.as_str()));
            row.text(failed.map(|v| v.disposition.as_str()));
            row.text(failed.map(|v| &*v.rule_id));
            row.int(code.map(i64::from));
            row.text(enhanced_text);
            row.int(reply_class);
            row.text(stage.map(|s| s.as_str()));
            row.text(failed.and_then(|v| v.blocklist.as_deref()));
            row.text(failed.and_then(|v| v.listed.as_deref()));
            row.lossy(attempt.text);
            row.int(delivery.size);
            row.int(attempt.delay_ms);
            row.text(Some(source_file));
            row.int(Some(attempt.offset as i64));
        }
    }
}

/// Writes one row, column after column, in the order of the column list.
struct Writer<'a> {
    data: std::slice::IterMut<'a, Data>,
}

impl Writer<'_> {
    fn text(&mut self, text: Option<&str>) {
        if let Some(Data::Utf8(texts)) = self.data.next() {
            texts.push(text);
        }
    }

    /// A text that is empty where it is not known.
    fn known(&mut self, text: &str) {
        self.text((!text.is_empty()).then_some(text));
    }

    fn lossy(&mut self, text: &[u8]) {
        if let Some(Data::Utf8(texts)) = self.data.next() {
            if text.is_empty() { texts.push(None) } else { texts.push_lossy(text) }
        }
    }

    fn int(&mut self, value: Option<i64>) {
        if let Some(Data::Int64(values)) = self.data.next() {
            values.push(value);
        }
    }

    fn time(&mut self, at: i64) {
        if let Some(Data::Timestamp(values)) = self.data.next() {
            values.push(Some(at));
        }
    }

    fn date(&mut self, day: i32) {
        if let Some(Data::Date(values)) = self.data.next() {
            values.push(Some(day));
        }
    }
}

/// The number that all attempts of one delivery share, and other deliveries do not.
///
/// FNV-1a, 64 bits (offset basis `cbf29ce484222325`, prime `100000001b3`) over: the server's name, log host, instance, queue id,
/// `born` as a decimal number of microseconds, the comparable recipient; a byte 0 after each. The comparable recipient has its
/// domain in lower case without the final dot (Exchange: all in lower case). It is printed as 16 hexadecimal digits.
pub fn delivery_id(delivery: &Delivery<'_>) -> u64 {
    let mut hash = Fnv::new();
    for part in [delivery.mta.as_str(), delivery.log_host, delivery.instance, delivery.queue_id] {
        hash.write(part.as_bytes());
        hash.write(&[0]);
    }
    // At most 20 characters, written backwards.
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = delivery.born.unsigned_abs();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if delivery.born < 0 {
        hash.write(b"-");
    }
    hash.write(&digits[start..]);
    hash.write(&[0]);
    hash.recipient(delivery.recipient, delivery.mta == Mta::Exchange);
    hash.write(&[0]);
    hash.0
}

/// Tells recipients apart.
pub(crate) fn recipient_hash(recipient: &str) -> u64 {
    let mut hash = Fnv::new();
    hash.recipient(recipient, false);
    hash.0
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>. Fixed for good: ids stand in files that people keep.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// [`address::comparable`], without its allocation.
    fn recipient(&mut self, recipient: &str, fold_local: bool) {
        let (local, domain) = match recipient.rfind('@') {
            Some(at) => recipient.split_at(at),
            None => (recipient, ""),
        };
        let mut lower = |text: &str| text.bytes().for_each(|b| self.write(&[b.to_ascii_lowercase()]));
        if fold_local {
            lower(local)
        } else {
            self.write(local.as_bytes())
        }
        let mut lower = |text: &str| text.bytes().for_each(|b| self.write(&[b.to_ascii_lowercase()]));
        lower(domain.strip_suffix('.').unwrap_or(domain));
    }
}

fn hex(value: u64) -> [u8; 16] {
    std::array::from_fn(|i| b"0123456789abcdef"[(value >> (60 - 4 * i) & 15) as usize])
}

/// The code as text, written into `buffer`.
fn enhanced_str(code: EnhancedCode, buffer: &mut [u8; 16]) -> &str {
    use std::io::Write;
    let mut rest = &mut buffer[..];
    // At most "5.999.999", or "255.65535.65535" where the code is none of RFC 3463: it fits.
    let _ = write!(rest, "{code}");
    let used = 16 - rest.len();
    std::str::from_utf8(&buffer[..used]).unwrap_or_default()
}
