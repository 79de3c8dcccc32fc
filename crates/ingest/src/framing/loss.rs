//! What syslogs say when they lose lines. Such a line is about no message, but every number is too low then.
//!
//! | who | says |
//! |---|---|
//! | journald | `Suppressed 1234 messages from postfix.service` |
//! | rsyslog | `imuxsock lost 87 messages from pid 294 due to rate-limiting`, `imuxsock[pid 294]: begin to drop messages due to rate-limiting`, `imjournal: 5 messages lost due to rate-limiting` |
//! | syslog-ng | `Log statistics; … dropped='dst.file(d_mail#0,/var/log/mail.log)=17'` |

use memchr::memmem;

use super::Frame;

/// How many lines a syslog says it lost, or 0 where it does not say how many; `None` where the line is about something else.
pub fn lost(frame: &Frame<'_>) -> Option<u64> {
    let is = |names: &[&[u8]]| names.iter().any(|name| frame.tag.starts_with(name));
    if is(&[b"systemd-journal", b"journal"]) {
        let rest = frame.text.strip_prefix(b"Suppressed ")?;
        memmem::find(rest, b" messages from ")?;
        return Some(number(rest).unwrap_or(0));
    }
    if is(&[b"rsyslogd", b"imuxsock", b"imjournal"]) {
        let has = |words: &[u8]| memmem::find(frame.text, words);
        if has(b"begin to drop messages").is_some() {
            return Some(0);
        }
        if let Some(at) = has(b" lost ")
            && has(b"rate-limiting").is_some()
        {
            return number(&frame.text[at + 6..]).or_else(|| number_before(&frame.text[..at])).or(Some(0));
        }
        return None;
    }
    if is(&[b"syslog-ng"]) {
        const DROPPED: &[u8] = b"dropped='";
        // Its counters run on from its start, so the lines that say so cannot be added up.
        let mut ends = memmem::find_iter(frame.text, DROPPED).filter_map(|at| {
            let value = &frame.text[at + DROPPED.len()..];
            let value = &value[..memchr::memchr(b'\'', value)?];
            number(&value[memchr::memrchr(b'=', value)? + 1..])
        });
        return ends.any(|n| n > 0).then_some(0);
    }
    None
}

/// The number that a text begins with.
fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take(18).take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(&text[..digits]).ok()?.parse().ok()
}

/// The number in `… 5 messages`.
fn number_before(text: &[u8]) -> Option<u64> {
    let text = text.strip_suffix(b" messages")?;
    number(&text[memchr::memrchr(b' ', text).map_or(0, |i| i + 1)..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_what() {
        for (line, want) in [
            ("systemd-journald[33]: Suppressed 1234 messages from postfix.service", Some(1234)),
            ("systemd-journal[33]: Suppressed 7 messages from /system.slice/postfix.service", Some(7)),
            ("rsyslogd-2177: imuxsock lost 87 messages from pid 294 due to rate-limiting", Some(87)),
            ("rsyslogd: imuxsock[pid 294]: begin to drop messages due to rate-limiting", Some(0)),
            (
                "rsyslogd: imuxsock[pid: 294, name: /usr/lib/postfix/smtp]: 5 messages lost due to rate-limiting (200 allowed within 5 seconds)",
                Some(5),
            ),
            ("rsyslogd: imjournal: 12 messages lost due to rate-limiting", Some(12)),
            ("syslog-ng[1]: Log statistics; processed='src.internal(s#0)=1', dropped='dst.file(d_mail#0,/x)=17'", Some(0)),
            ("syslog-ng[1]: Log statistics; dropped='dst.file(d_mail#0,/x)=0', dropped='dst.tcp(d)=0'", None),
            ("systemd-journald[33]: Vacuuming done", None),
            ("postfix/smtp[1]: Suppressed 1234 messages from x", None),
            ("rsyslogd: action 'a' lost its way", None),
        ] {
            let line = format!("Nov 22 13:42:06 lab {line}");
            assert_eq!(lost(&super::super::syslog(line.as_bytes()).unwrap()), want, "{line}");
        }
    }
}
