//! `follow` where nobody looks at a screen, or lines are wanted: one line a failure, as it comes.
//!
//! `2026-11-22 13:42:06  bounced   dora@widget.example  blocklisted hard  widget.example  554 5.7.1  [spamhaus-zen: 192.0.2.1]  host …`
//!
//! Texts of a log never reach the terminal as they are: control characters become U+FFFD. Not here: JSON (`json`).

use std::io::{self, BufWriter, Write};

use bouncestat_export::{printable, shorten};
use bouncestat_ingest::clock::Zone;
use bouncestat_record::Action;
use bouncestat_record::time::Micros;
use unicode_width::UnicodeWidthStr;

use super::seen::Seen;

/// How lines look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The zone of the times.
    pub zone: Zone,
    /// Columns of the terminal; `None`: lines are as long as they are.
    pub width: Option<usize>,
    /// Whether colours may be used.
    pub color: bool,
    /// Whether delivered ones are shown too.
    pub delivered: bool,
}

/// From this width on, there is room for the date and a column of recipients.
const WIDE: usize = 120;
/// Columns of the recipients, where lines are wide; longer ones are not cut.
const RECIPIENT: usize = 30;

/// Writes failures as lines.
pub struct Lines<W: Write> {
    out: BufWriter<W>,
    look: Look,
}

impl<W: Write> Lines<W> {
    /// Writes to `out`.
    pub fn new(out: W, look: Look) -> Self {
        Self { out: BufWriter::new(out), look }
    }

    /// Writes what is new, and hands it on at once.
    ///
    /// # Errors
    /// Where nothing can be written; a reader that went away is `BrokenPipe`.
    pub fn write<'s>(&mut self, seen: impl IntoIterator<Item = &'s Seen>) -> io::Result<()> {
        for seen in seen {
            if self.look.delivered || seen.is_failure() {
                writeln!(self.out, "{}", line(seen, &self.look))?;
            }
        }
        self.out.flush()
    }
}

/// The parts of a line, safe for a terminal.
pub struct Parts {
    /// When.
    pub time: String,
    /// What the server did.
    pub action: Action,
    /// Everything behind it, without the recipient in front.
    pub rest: String,
    /// The recipient.
    pub recipient: String,
}

/// What is said of one attempt.
pub fn parts(seen: &Seen, zone: Zone, date: bool) -> Parts {
    let verdict = seen.failure();
    let mut rest = Vec::new();
    if seen.is_failure() {
        rest.push(match verdict {
            Some(verdict) => format!("{} {}", seen.reason(), verdict.class),
            None => seen.reason().to_owned(),
        });
    }
    rest.push(printable(seen.receiver()).into_owned());
    let codes = seen.verdict.as_deref().map(|verdict| {
        let basic = verdict.smtp_code.map(|code| code.to_string());
        let enhanced = verdict.enhanced_code.map(|code| code.to_string());
        [basic, enhanced].into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    rest.push(codes.filter(|codes| !codes.is_empty()).unwrap_or_else(|| "no code".to_owned()));
    let list = verdict.and_then(|verdict| verdict.blocklist.as_deref());
    let listed = verdict.and_then(|verdict| verdict.listed.as_deref());
    match (list, listed) {
        (Some(list), Some(listed)) => rest.push(format!("[{list}: {}]", printable(listed))),
        (Some(one), None) | (None, Some(one)) => rest.push(format!("[{}]", printable(one))),
        (None, None) => {}
    }
    if seen.count > 1 {
        rest.push(format!("{} times", seen.count));
    }
    // What is empty for the eye must not look like a missing column.
    let text = printable(seen.text.trim());
    rest.push(if text.is_empty() { "(no reply logged)".to_owned() } else { text.into_owned() });
    Parts {
        time: time(seen.at, zone, date),
        action: seen.action,
        rest: rest.join("  "),
        recipient: printable(&seen.recipient).into_owned(),
    }
}

/// A moment in a zone, with its date or without.
pub fn time(at: Micros, zone: Zone, date: bool) -> String {
    zone.to_wall(at).format(if date { "%Y-%m-%d %H:%M:%S" } else { "%H:%M:%S" }).to_string()
}

/// One line, no wider than the look says.
fn line(seen: &Seen, look: &Look) -> String {
    let width = look.width.unwrap_or(usize::MAX);
    let wide = width >= WIDE;
    let parts = parts(seen, look.zone, wide);
    let pad = if wide { RECIPIENT.saturating_sub(parts.recipient.width()) } else { 0 };
    let text = format!("{}  {:9}  {}{:pad$}  {}", parts.time, parts.action.as_str(), parts.recipient, "", parts.rest);
    let text = shorten(&text, width);
    let word = parts.time.len() + 2;
    let end = word + parts.action.as_str().len();
    // Coloured behind the cut: escapes have no width, and half of one would be none.
    match (look.color, text.get(..word), text.get(word..end), text.get(end..)) {
        (true, Some(before), Some(action), Some(after)) => format!("{before}{}{action}\x1b[0m{after}", colour(parts.action)),
        _ => text,
    }
}

fn colour(action: Action) -> &'static str {
    match action {
        Action::Delivered => "\x1b[32m",
        Action::Deferred => "\x1b[33m",
        Action::Bounced => "\x1b[31m",
        Action::Expired => "\x1b[1;31m",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    const LOOK: Look = Look { zone: Zone::UTC, width: None, color: false, delivered: false };

    #[track_caller]
    fn check(seen: &Seen, look: Look, want: &str) {
        let mut out = Vec::new();
        Lines::new(&mut out, look).write([seen]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }

    #[test]
    fn one_line_says_it_all() {
        check(
            &samples::listed(6),
            LOOK,
            "2026-11-22 12:00:06  bounced    dora@widget.example             blocklisted hard  widget.example  554 5.7.1  \
             [spamhaus-zen: 192.0.2.1]  host mx.widget.example[198.51.100.7] said: 554 5.7.1 Service unavailable; Client host \
             [192.0.2.1] blocked using zen.spamhaus.org (in reply to RCPT TO command)\n",
        );
        check(
            &samples::deferred(0, "acme.test"),
            Look { zone: Zone::parse("+01:00").unwrap(), width: Some(80), ..LOOK },
            "13:00:00  deferred   bob@acme.test  connection_failed soft  acme.test  no code …\n",
        );
        let nothing = Seen { text: "  ".into(), verdict: None, count: 2, ..samples::expired(0) };
        check(
            &nothing,
            Look { width: Some(110), ..LOOK },
            "12:00:00  expired    eve@gone.test  no_cause_known  gone.test  no code  2 times  (no reply logged)\n",
        );
    }

    #[test]
    fn delivered_ones_are_asked_for() {
        check(&samples::delivered(0), LOOK, "");
        let look = Look { delivered: true, width: Some(80), ..LOOK };
        check(&samples::delivered(0), look, "12:00:00  delivered  ann@gmail.com  google  250 2.0.0  250 2.0.0 OK  1795348800…\n");
    }

    #[test]
    fn the_word_is_coloured_and_nothing_else_drives_the_terminal() {
        let look = Look { color: true, width: Some(60), ..LOOK };
        let seen = Seen {
            recipient: "a\x1b[2J\u{202e}@x.test".into(),
            text: "\x07\x1b]0;t\x07".into(),
            ..samples::deferred(0, "x.test")
        };
        let mut out = Vec::new();
        Lines::new(&mut out, look).write([&seen]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("12:00:00  \x1b[33mdeferred\x1b[0m   a\u{FFFD}[2J\u{FFFD}@x.test"), "{text:?}");
        assert_eq!(text.matches('\x1b').count(), 2, "{text:?}");
        assert!(!text.contains('\x07'));
    }

    #[test]
    fn no_width_panics() {
        for width in 0..200 {
            let look = Look { color: true, width: Some(width), ..LOOK };
            let seen = Seen { recipient: "你好@例え.test".into(), ..samples::listed(0) };
            let line = line(&seen, &look).replace("\x1b[31m", "").replace("\x1b[0m", "");
            assert!(line.width() <= width.max(1), "{width}: {line}");
        }
    }
}
