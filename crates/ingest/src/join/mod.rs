//! From events to deliveries: `scan` gathers what one piece of a log says of each message, `stitch` puts the pieces of a message
//! together in order, `fold` makes deliveries of a whole message.
//!
//! A fragment is the list of its events. Putting two together is putting one list behind the other, which is associative: any way of
//! cutting a log gives the same messages. Nothing is decided before a message is whole.

pub mod fold;
mod receive;
pub mod remarks;
pub mod scan;
mod sessions;
pub mod stitch;
pub mod store;
mod unended;
pub mod window;

use std::hash::{BuildHasherDefault, Hasher};

use bouncestat_record::Mta;

/// XXH3, 64 bits, seed 0: the same in every run, on every machine and in every version, because hashes of ids are kept on disks.
/// <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>
pub fn hash_bytes(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// The state of hashers with fixed keys.
pub(crate) fn fixed_hasher() -> ahash::RandomState {
    ahash::RandomState::with_seeds(0x5bd1_e995, 0x1234_5678_9abc_def0, 0x0f1e_2d3c_4b5a_6978, 0x8796_a5b4_c3d2_e1f0)
}

/// The hash of a message's key.
pub(crate) fn hash_key(mta: Mta, host: &[u8], id: &[u8]) -> u64 {
    hash_bytes(id) ^ hash_bytes(host).rotate_left(17) ^ (mta as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A hasher for keys that are hashes already.
#[derive(Clone, Copy, Default)]
pub struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("only u64 keys are hashed");
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A map whose keys are hashes.
pub(crate) type ByHash<V> = std::collections::HashMap<u64, V, BuildHasherDefault<AlreadyHashed>>;
/// A set of hashes.
pub type HashSet64 = std::collections::HashSet<u64, BuildHasherDefault<AlreadyHashed>>;
