//! Queue ids: their shape, and the clock that long ones hold.
//!
//! Short: five or more hex digits of microseconds, then the inode in hex. Long: at least six base-52 digits of seconds, four of
//! microseconds, `z`, the inode in base 51 (`mail_queue.h`, `safe_ultostr.c` of Postfix).

use chrono::NaiveDate;

/// The digits of long ids, in the order of their values.
const DIGITS: &[u8; 52] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";

/// Whether `id` has the shape of a queue id: 5 to 30 letters and digits, at least one digit or a long id.
pub fn is_queue_id(id: &[u8]) -> bool {
    if !(5..=30).contains(&id.len()) || !id.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    is_short(id) || long_id_clock(id).is_some()
}

/// Upper-case hex, as `%05X%lX` writes it.
fn is_short(id: &[u8]) -> bool {
    id.len() >= 6 && id.iter().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'))
}

/// The second at which a long id was made, since 1970. `None` where it is no long id, or one of no plausible time: long ids came in 2011.
pub fn long_id_seconds(id: &[u8]) -> Option<i64> {
    long_id_clock(id).filter(|seconds| (1_262_304_000..7_258_118_400).contains(seconds))
}

/// The clock of whatever has the shape of a long id.
fn long_id_clock(id: &[u8]) -> Option<i64> {
    let z = memchr::memrchr(b'z', id)?;
    if z < 10 || z + 1 >= id.len() {
        return None;
    }
    let inode_ok = id[z + 1..].iter().all(|b| *b != b'z' && DIGITS.contains(b));
    let mut seconds: i64 = 0;
    for b in &id[..z - 4] {
        let digit = DIGITS.iter().position(|d| d == b)? as i64;
        seconds = seconds.checked_mul(52)?.checked_add(digit)?;
    }
    let micros_ok = id[z - 4..z].iter().all(|b| DIGITS.contains(b));
    (inode_ok && micros_ok).then_some(seconds)
}

/// The moment in a message id that Postfix made itself, `<YYYYMMDDhhmmss.QUEUEID@host>` (UTC), in seconds since 1970.
pub fn message_id_moment(message_id: &[u8], queue_id: &[u8]) -> Option<i64> {
    let rest = message_id.strip_prefix(b"<")?;
    let stamp = rest.get(..14)?;
    let after = rest.get(14..)?.strip_prefix(b".")?;
    if !after.starts_with(queue_id) || !stamp.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |from: usize, to: usize| stamp[from..to].iter().fold(0, |n, b| n * 10 + u32::from(b - b'0'));
    let date = NaiveDate::from_ymd_opt(number(0, 4) as i32, number(4, 6), number(6, 8))?;
    Some(date.and_hms_opt(number(8, 10), number(10, 12), number(12, 14))?.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_tell_their_second() {
        let at = chrono::DateTime::parse_from_rfc3339("2026-11-22T13:42:06Z").unwrap().timestamp();
        assert_eq!(long_id_seconds(b"4jXVcG2tc6z1XXTY"), Some(at));
        assert_eq!(long_id_seconds(b"E26A2998B7E"), None);
    }

    #[test]
    fn shapes() {
        for yes in ["E26A2998B7E", "4jXVcG2tc6z1XXTY", "0ADD5998B82"] {
            assert!(is_queue_id(yes.as_bytes()), "{yes}");
        }
        for no in ["NOQUEUE", "warning", "connect", "fatal", "statistics", "1xV7FX-0005B2-1H", ""] {
            assert!(!is_queue_id(no.as_bytes()), "{no}");
        }
    }

    #[test]
    fn own_message_ids_tell_their_second() {
        let at = chrono::DateTime::parse_from_rfc3339("2026-11-22T13:13:40Z").unwrap().timestamp();
        assert_eq!(message_id_moment(b"<20261122131340.E26A2998B7E@mta.test>", b"E26A2998B7E"), Some(at));
        assert_eq!(message_id_moment(b"<20261122131340.AAAA@mta.test>", b"E26A2998B7E"), None);
    }
}
