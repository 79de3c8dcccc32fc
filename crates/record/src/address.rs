//! Addresses: the domain that a delivery is counted under, and the form in which recipients are compared.
//!
//! `user@Bücher.Example.` is counted under `xn--bcher-kva.example`; `bob` under `(local)`.

use std::borrow::Cow;

/// The domain of a delivery whose address has none.
pub const LOCAL: &str = "(local)";
/// The domain of a sender that no line names.
pub const UNKNOWN: &str = "(unknown)";

/// The domain of `address` in the form in which domains are counted: lower case, A-labels (RFC 5890), no final dot;
/// an address literal as it is; [`LOCAL`] where there is none. Undecodable bytes become U+FFFD.
pub fn domain(address: &[u8]) -> Cow<'_, str> {
    let address = address.strip_suffix(b">").unwrap_or(address);
    match address.iter().rposition(|&b| b == b'@') {
        Some(at) => normal_domain(&address[at + 1..]),
        None => Cow::Borrowed(LOCAL),
    }
}

/// The same for a bare domain.
pub fn normal_domain(domain: &[u8]) -> Cow<'_, str> {
    let domain = domain.trim_ascii();
    let domain = domain.strip_suffix(b".").unwrap_or(domain);
    if domain.is_empty() {
        return Cow::Borrowed(LOCAL);
    }
    let plain = domain.iter().all(|b| b.is_ascii() && !b.is_ascii_uppercase());
    if plain || domain[0] == b'[' {
        return String::from_utf8_lossy(domain);
    }
    let text = String::from_utf8_lossy(domain);
    if domain.is_ascii() {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    match idna::domain_to_ascii(&text) {
        Ok(ascii) => Cow::Owned(ascii),
        Err(_) => Cow::Owned(text.to_lowercase()),
    }
}

/// The form in which two recipients of one message are compared: the domain as [`domain`] gives it, the local part as written.
pub fn comparable(address: &[u8]) -> Vec<u8> {
    match address.iter().rposition(|&b| b == b'@') {
        Some(at) => {
            let mut key = address[..=at].to_vec();
            if !address[at..].is_ascii() {
                key.extend_from_slice(normal_domain(&address[at + 1..]).as_bytes());
                return key;
            }
            key.extend(address[at + 1..].iter().map(u8::to_ascii_lowercase));
            if key.last() == Some(&b'.') {
                key.pop();
            }
            key
        }
        None => address.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_lower_case_a_labels_without_a_final_dot() {
        assert_eq!(domain("user@Bücher.Example.".as_bytes()), "xn--bcher-kva.example");
        assert_eq!(domain(b"a@UPPER.Example"), "upper.example");
        assert_eq!(domain(b"\"odd@local\"@ok.test"), "ok.test");
        assert_eq!(domain(b"a@[192.0.2.1]"), "[192.0.2.1]");
        assert_eq!(domain(b"root"), LOCAL);
        assert_eq!(domain(b"root@"), LOCAL);
    }

    #[test]
    fn recipients_differ_by_local_part_case_only() {
        assert_eq!(comparable(b"A@EX.test"), comparable(b"A@ex.TEST"));
        assert_ne!(comparable(b"a@ex.test"), comparable(b"A@ex.test"));
        assert_eq!(comparable("a@BÜCHER.example.".as_bytes()), comparable(b"a@xn--bcher-kva.example"));
    }
}
