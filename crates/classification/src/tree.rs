//! The tree of the texts that are looked for: reached by a hash of a text's first bytes, then one node a branch.
//!
//! Texts are tried where a word begins (or at any byte that is no letter or digit), a few of them inside words too. No failure
//! links are needed: replies have far fewer places to begin than bytes.
//!
//! `mailbox full` and `mailbox is full` share the nodes of `mailbox `.

use crate::tables::{Built, NONE, Node, Slot, pair};

/// A text to plant.
#[derive(Clone, Copy)]
pub(crate) struct Leaf<'a> {
    pub text: &'a [u8],
    /// Where it stands in `bytes`.
    pub at: u32,
    /// Its atoms: anywhere, and only at a word's end.
    pub numbers: [u16; 2],
    /// Whether it may begin inside a word.
    pub inner: bool,
}

/// Writes the tree of `leaves` (sorted, all different); tells whether it fits.
pub(crate) fn plant(built: &mut Built, leaves: &[Leaf<'_>]) -> bool {
    let mut starts = vec![0u8; 256];
    for leaf in leaves {
        let bit = if leaf.text.len() < 4 { 2 } else { 1 };
        starts[usize::from(leaf.text[0])] |= if leaf.inner { bit | bit << 2 } else { bit };
    }
    built.starts = starts;
    let inner = leaves.iter().filter(|l| l.inner).fold(0, |bits, leaf| bits | 1 << pair(leaf.text[0], leaf.text[1]));
    built.inner = vec![inner];
    let select = |long: bool, inner: bool| -> Vec<Leaf<'_>> {
        leaves.iter().filter(|l| (l.text.len() >= 4) == long && (l.inner || !inner)).copied().collect()
    };
    built.long = roots(built, &select(true, false), 4);
    built.short = roots(built, &select(false, false), 2);
    built.inner_long = roots(built, &select(true, true), 4);
    built.inner_short = roots(built, &select(false, true), 2);
    built.nodes.len() < usize::from(NONE)
}

/// The first four bytes, or two, as a number.
fn prefix(text: &[u8], depth: usize) -> u32 {
    text[..depth].iter().rev().fold(0, |n, b| n << 8 | u32::from(*b))
}

fn roots(built: &mut Built, leaves: &[Leaf<'_>], depth: usize) -> Vec<Slot> {
    let groups: Vec<&[Leaf<'_>]> = leaves.chunk_by(|a, b| a.text[..depth] == b.text[..depth]).collect();
    let mut slots = vec![Slot { prefix: 0, node: NONE }; (groups.len() * 2).next_power_of_two().max(2)];
    for group in groups {
        let node = built.nodes.len();
        grow(built, 1);
        fill(built, node, group, depth, (0, 0));
        let prefix = prefix(group[0].text, depth);
        let mut at = Slot::home(prefix, slots.len());
        while slots[at].node != NONE {
            at = (at + 1) % slots.len();
        }
        slots[at] = Slot { prefix, node: node.min(usize::from(NONE) - 1) as u16 };
    }
    slots
}

fn grow(built: &mut Built, count: usize) {
    let empty = Node { label: 0, len: 0, count: 0, child: 0, ends: [NONE; 2] };
    built.nodes.resize(built.nodes.len() + count, empty);
    built.firsts.resize(built.nodes.len(), 0);
}

/// Fills the node of the leaves that agree in their first `depth` bytes, and makes those below it.
fn fill(built: &mut Built, node: usize, mut leaves: &[Leaf<'_>], depth: usize, (label, len): (u32, usize)) {
    let mut ends = [NONE; 2];
    if leaves[0].text.len() == depth {
        ends = leaves[0].numbers;
        leaves = &leaves[1..];
    }
    let branches: Vec<&[Leaf<'_>]> = leaves.chunk_by(|a, b| a.text[depth] == b.text[depth]).collect();
    let child = built.nodes.len();
    grow(built, branches.len());
    built.nodes[node] =
        Node { label, len: len as u8, count: branches.len() as u8, child: child.min(usize::from(NONE)) as u16, ends };
    for (index, branch) in branches.into_iter().enumerate() {
        // Sorted: what the first and the last have in common, all have. A label has up to 255 bytes.
        let (one, other) = (branch[0], branch[branch.len() - 1]);
        let common = one.text[depth..].iter().zip(&other.text[depth..]).take_while(|(a, b)| a == b).count().min(255);
        built.firsts[child + index] = one.text[depth];
        fill(built, child + index, branch, depth + common, (one.at + depth as u32, common));
    }
}
