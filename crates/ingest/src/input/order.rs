//! The order of sources, which no order of PATHs can change: natural, set by set, the oldest first.
//!
//! Not here: what a rotation mark means (`names`), and the true order of events, which only the lines tell.
//!
//! ```text
//! node2/mail.log.10.gz  node2/mail.log.2.gz  node2/mail.log  node10/mail.log
//! ```

use std::cmp::Ordering;
use std::path::Path;

use super::names::{Rotation, rotation_rank};

/// Compares texts with the numbers in them as numbers: `node2` before `node10`. A total order.
pub fn natural_cmp(a: &str, b: &str) -> Ordering {
    let (mut x, mut y) = (a.as_bytes(), b.as_bytes());
    while let (Some(p), Some(q)) = (x.first(), y.first()) {
        if p.is_ascii_digit() && q.is_ascii_digit() {
            let (n, m) = (digits(&mut x), digits(&mut y));
            let order = n.len().cmp(&m.len()).then_with(|| n.cmp(m));
            if order.is_ne() {
                return order;
            }
        } else if p == q {
            (x, y) = (&x[1..], &y[1..]);
        } else {
            return p.cmp(q);
        }
    }
    x.len().cmp(&y.len()).then_with(|| a.cmp(b))
}

/// Takes a number off the front, without its leading zeros.
fn digits<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    *text = rest;
    let zeros = number.iter().take_while(|b| **b == b'0').count();
    &number[zeros..]
}

/// The order of sources: folder by folder, set by set, the oldest file first, at last by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SortKey {
    folders: Vec<String>,
    rotation: Rotation,
    name: String,
}

impl SortKey {
    /// The key of a path that is already absolute.
    pub(super) fn new(located: &Path) -> Self {
        let text = |c: &std::ffi::OsStr| c.to_string_lossy().into_owned();
        let mut folders: Vec<_> = located.components().map(|c| text(c.as_os_str())).collect();
        let name = folders.pop().unwrap_or_default();
        let rotation = rotation_rank(&name);
        Self { folders, rotation, name }
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let mut pairs = self.folders.iter().zip(&other.folders);
        pairs
            .find_map(|(a, b)| Some(natural_cmp(a, b)).filter(|order| order.is_ne()))
            .unwrap_or(Ordering::Equal)
            .then(self.folders.len().cmp(&other.folders.len()))
            .then_with(|| natural_cmp(&self.rotation.set, &other.rotation.set))
            .then_with(|| self.rotation.age.cmp(&other.rotation.age))
            .then_with(|| natural_cmp(&self.name, &other.name))
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_numbers() {
        assert_eq!(natural_cmp("node2", "node10"), Ordering::Less);
        assert_eq!(natural_cmp("node02", "node2"), Ordering::Less);
        assert_eq!(natural_cmp("a", "a1"), Ordering::Less);
        assert_eq!(natural_cmp("x99999999999999999999", "x100000000000000000000"), Ordering::Less);
        assert_eq!(natural_cmp("same", "same"), Ordering::Equal);
    }

    #[test]
    fn folders_then_sets_then_age() {
        let names = [
            "/a/mail.log",
            "/n2/mail.log.10.gz",
            "/n2/mail.log.2.gz",
            "/n2/mail.log.1",
            "/n2/mail.log.1.gz",
            "/n2/mail.log",
            "/n2/mainlog.1",
            "/n2/mainlog",
            "/n10/mail.log",
            "/n2/sub/mail.log",
        ];
        let mut keys = names.map(|n| SortKey::new(Path::new(n)));
        let expected = keys.clone();
        keys.reverse();
        keys.sort();
        assert_eq!(keys[..8], expected[..8]);
        assert_eq!(keys[8], expected[9]);
    }

    proptest::proptest! {
        #[test]
        fn the_natural_order_is_total(a in "[a0-2.]{0,6}", b in "[a0-2.]{0,6}", c in "[a0-2.]{0,6}") {
            proptest::prop_assert_eq!(natural_cmp(&a, &b), natural_cmp(&b, &a).reverse());
            if natural_cmp(&a, &b).is_le() && natural_cmp(&b, &c).is_le() {
                proptest::prop_assert!(natural_cmp(&a, &c).is_le());
            }
            proptest::prop_assert_eq!(natural_cmp(&a, &b).is_eq(), a == b);
        }
    }
}
