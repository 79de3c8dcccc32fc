//! `follow --format jsonl`: one object a line, with the columns of an attempt, byte for byte as `attempts --format jsonl` writes them.
//!
//! A recipient that is given up has a row too, with the outcome `expired`.

use std::io::Write;

use bouncestat_aggregation::{AttemptBatch, Meta};
use bouncestat_export::{Options, Result};
use bouncestat_record::{Delivery, Outcome, Try};

use super::seen::Seen;

/// Writes batches of what is seen, each flushed as a whole.
pub struct JsonLines<W> {
    out: W,
    batch: AttemptBatch,
    /// Whether delivered ones are written too.
    delivered: bool,
}

impl<W: Write + Send> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W, delivered: bool) -> Self {
        Self { out, batch: AttemptBatch::new(), delivered }
    }

    /// Writes what is new, and hands it on at once.
    ///
    /// # Errors
    /// Where nothing can be written; a reader that went away is `is_broken_pipe`.
    pub fn write<'s>(&mut self, seen: impl IntoIterator<Item = &'s Seen>) -> Result<()> {
        self.batch.clear();
        seen.into_iter().filter(|seen| self.delivered || seen.is_failure()).for_each(|seen| push(&mut self.batch, seen));
        if self.batch.is_empty() {
            return Ok(());
        }
        let format = bouncestat_export::by_name("jsonl").expect("it is in the registry");
        let mut sink = format.attempts(Box::new(&mut self.out), &Options::default())?;
        sink.write(self.batch.frame())?;
        // Flushes; the metadata is for formats that have some.
        sink.finish(&Meta::default())
    }
}

/// Adds the row of one attempt, as often as the log says that it happened.
fn push(batch: &mut AttemptBatch, seen: &Seen) {
    let attempt = Try {
        at: seen.at,
        action: Some(seen.action),
        text: seen.text.as_bytes(),
        relay_host: &seen.relay_host,
        relay_ip: &seen.relay_ip,
        local: seen.local,
        delay_ms: seen.delay_ms,
        count: seen.count,
        offset: seen.offset,
        ..Try::default()
    };
    let delivery = Delivery {
        mta: seen.mta,
        log_host: &seen.log_host,
        instance: &seen.instance,
        source_ip: &seen.source_ip,
        queue_id: &seen.queue_id,
        born: seen.born,
        message_id: &seen.message_id,
        sender: seen.sender.as_deref(),
        recipient: &seen.recipient,
        size: seen.size,
        // No column says where the delivery stands.
        outcome: Outcome::Deferred,
        delayed: false,
        removed: false,
        tries: &[],
        cause: None,
        delay_ms: None,
    };
    batch.push(&delivery, &attempt, seen.verdict.as_deref(), seen.provider.as_deref(), &seen.file);
}

#[cfg(test)]
mod tests {
    use bouncestat_aggregation::schema;
    use serde_json::Value;

    use super::super::samples;
    use super::*;

    fn written(seen: &[Seen], delivered: bool) -> Vec<Value> {
        let mut out = Vec::new();
        JsonLines::new(&mut out, delivered).write(seen).unwrap();
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_has_the_columns_of_the_contract() {
        let rows = written(&[samples::listed(0), samples::delivered(1)], true);
        let names: Vec<&str> = rows[0].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, schema::ATTEMPTS.columns.iter().map(|column| column.name).collect::<Vec<_>>());
        let row = &rows[0];
        assert_eq!(row["event_time"], "2026-11-22T12:00:00Z");
        assert_eq!((&row["outcome"], &row["reason"], &row["class"]), (&"bounced".into(), &"blocklisted".into(), &"hard".into()));
        assert_eq!(
            (&row["smtp_code"], &row["enhanced_code"], &row["listed"]),
            (&554.into(), &"5.7.1".into(), &"192.0.2.1".into())
        );
        assert_eq!((&row["sender"], &row["instance"], &row["size_bytes"]), (&Value::Null, &Value::Null, &Value::Null));
        assert_eq!((&rows[1]["reason"], &rows[1]["outcome"]), (&Value::Null, &"delivered".into()));
    }

    #[test]
    fn delivered_ones_are_asked_for_and_repeats_are_rows() {
        let mut thrice = samples::deferred(0, "a.test");
        thrice.count = 3;
        assert_eq!(written(&[thrice, samples::delivered(1)], false).len(), 3);
    }

    #[test]
    fn each_batch_is_flushed_and_a_closed_pipe_is_known() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let error = JsonLines::new(Closed, false).write(&[samples::listed(0)]).unwrap_err();
        assert!(error.is_broken_pipe(), "{error}");
        assert!(JsonLines::new(Closed, false).write(&[]).is_ok(), "nothing is written where nothing is new");
    }
}
