//! The id under which a message goes on, as the next hop's positive reply names it.
//!
//! `250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 02F12E00001`, `250 OK id=1xV7FX-0005B2-1H`.

use std::sync::LazyLock;

use memchr::memmem;

/// The new id in a positive reply: the last `queued as ID`, else `forwarded as ID`, else `id=ID`.
pub fn next_id(text: &[u8]) -> Option<&[u8]> {
    // Most positive replies name no id at all.
    static MARKERS: LazyLock<[memmem::FinderRev<'static>; 2]> =
        LazyLock::new(|| [memmem::FinderRev::new("queued as "), memmem::FinderRev::new("forwarded as ")]);
    static ID: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("id="));
    let ends = MARKERS.iter().filter_map(|marker| Some(marker.rfind(text)? + marker.needle().len()));
    ends.chain(ID.find(text).map(|at| at + b"id=".len())).find_map(|start| {
        let id = &text[start..];
        let end = id.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'-')).unwrap_or(id.len());
        (end >= 5).then(|| &id[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_replies() {
        let id = |text: &str| next_id(text.as_bytes()).map(|id| String::from_utf8(id.to_vec()).unwrap());
        assert_eq!(
            id("250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 02F12E00001").as_deref(),
            Some("02F12E00001")
        );
        assert_eq!(id("forwarded as 02F12E00001").as_deref(), Some("02F12E00001"));
        assert_eq!(id("250 OK id=1xV7FX-0005B2-1H").as_deref(), Some("1xV7FX-0005B2-1H"));
        assert_eq!(id("250 2.0.0 Ok").as_deref(), None);
    }
}
