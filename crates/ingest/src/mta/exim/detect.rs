//! Which lines only Exim writes.
//!
//! `2026-11-22 13:07:01 Start queue run: pid=22760 -qff`
//!
//! A stamp alone proves nothing: IIS and many others begin lines so. A message id with one of Exim's words behind it, a word that no
//! other daemon has, or the program's name in a syslog do.

use super::frame::{self, Frame, Said};
use crate::event::Sort;
use crate::lines::lines;

/// The number of lines in `head` that only Exim writes.
pub fn detect(head: &[u8]) -> usize {
    lines(head).filter(|(_, line)| is_exim(line)).count()
}

fn is_exim(line: &[u8]) -> bool {
    let Some(frame) = Frame::of(line) else {
        return false;
    };
    if frame.tag.get(..4).is_some_and(|front| front.eq_ignore_ascii_case(b"exim")) {
        return true;
    }
    if let Some(said) = frame::said(frame.body) {
        return (said.stamp.is_some() || frame.stamp.is_some()) && is_of_message(&said);
    }
    match frame::take_stamp(frame.body) {
        (Some(_), rest) => is_daemon(frame::after_pid(rest)),
        (None, _) => false,
    }
}

/// Whether Exim's words follow a message id.
fn is_of_message(said: &Said<'_>) -> bool {
    const WORDS: [&[u8]; 10] = [
        b"(= ",
        b"Frozen",
        b"Unfrozen",
        b"frozen by ",
        b"Message is frozen",
        b"Spool file is locked",
        b"H=",
        b"SMTP error from ",
        b"no immediate delivery",
        b"DKIM: ",
    ];
    !matches!(super::flags::read(said.rest), Err(Sort::Irrelevant)) || WORDS.iter().any(|word| said.rest.starts_with(word))
}

/// Whether a line about no message is Exim's.
fn is_daemon(rest: &[u8]) -> bool {
    const FRONTS: [&[u8]; 7] = [
        b"Start queue run: pid=",
        b"End queue run: pid=",
        b"cwd=/",
        b"no host name found for IP address ",
        b"SMTP connection from ",
        b"SMTP call from ",
        b"SMTP protocol synchronization error ",
    ];
    if FRONTS.iter().any(|front| rest.starts_with(front)) {
        return true;
    }
    let has = |needle: &[u8]| memchr::memmem::find(rest, needle).is_some();
    if rest.starts_with(b"H=") {
        return has(b" [") && (has(b" rejected ") || has(b" temporarily rejected"));
    }
    rest.starts_with(b"exim ") && has(b" daemon started: pid=")
}
