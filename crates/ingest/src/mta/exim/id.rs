//! Exim's message ids, and the clock inside them.
//!
//! `1xV7Gp-0005rN-2i` (to 4.96) and `1xV7Lb-000000007gV-2qQP` (from 4.97): the first six characters are the second of arrival in base 62.
//! Both forms stand in one file after an upgrade. Not told apart here: ids of Darwin and Cygwin, which count in base 36.

/// Length of an id up to 4.96.
const SHORT: usize = 16;
/// Length of an id from 4.97 on.
const LONG: usize = 23;

/// Whether `id` has the form of an Exim message id, old or new.
pub fn is_message_id(id: &[u8]) -> bool {
    let second_dash = match id.len() {
        SHORT => 13,
        LONG => 18,
        _ => return false,
    };
    id.iter().enumerate().all(|(n, b)| match n {
        6 => *b == b'-',
        n if n == second_dash => *b == b'-',
        _ => b.is_ascii_alphanumeric(),
    })
}

/// The second of arrival, UTC, that the first six characters of a message id name; `None` where they are no base-62 digits.
///
/// This is evidence for the year and the zone of a log's stamps. Ids in base 36 give a second far in the past or future.
pub fn id_epoch(id: &[u8]) -> Option<i64> {
    if id.get(6).is_some_and(|&b| b != b'-') {
        return None;
    }
    id.get(..6)?.iter().try_fold(0i64, |epoch, b| {
        let digit = match b {
            b'0'..=b'9' => b - b'0',
            b'A'..=b'Z' => b - b'A' + 10,
            b'a'..=b'z' => b - b'a' + 36,
            _ => return None,
        };
        Some(epoch * 62 + i64::from(digit))
    })
}

/// Takes a message id and the space after it off the front of `text`.
pub(super) fn take(text: &[u8]) -> Option<(&[u8], &[u8])> {
    // The byte after the first field's six tells ids from nearly everything else.
    if text.get(6) != Some(&b'-') {
        return None;
    }
    let length = if text.get(13) == Some(&b'-') { SHORT } else { LONG };
    let id = text.get(..length).filter(|id| is_message_id(id))?;
    match text.get(length) {
        Some(b' ') => Some((id, &text[length + 1..])),
        None => Some((id, b"")),
        Some(_) => None,
    }
}
