//! The ground that every room stands on: plain types with the words of the product, no I/O, no polars, no serialization.
//!
//! Words: an **attempt** is one try to hand one message to one next hop for one recipient; a **delivery** is all attempts for
//! one recipient of one message; its **outcome** is where it stands at the end of the window.
//!
//! What is not here: reading logs (`bouncestat-ingest`), deciding why a reply refuses (`bouncestat-classification`), counting
//! (`bouncestat-aggregation`) and formats (`bouncestat-export`).

pub mod address;
pub mod blame;
pub mod delivery;
pub mod rejection;
pub mod smtp;
pub mod time;
pub mod verdict;

pub use blame::Blame;
pub use delivery::{Action, Delivery, Direction, Mta, Outcome, Try};
pub use rejection::Rejection;
pub use smtp::{EnhancedCode, Stage};
pub use verdict::{BlocklistState, Class, Disposition, Family, Level, Reason, Reply, Verdict};

/// Declares an enum whose variants have one stable name each, used in every output.
#[macro_export]
macro_rules! named_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// Every value, in the order of its declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The stable name of the value, as outputs print it.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }

            /// The value that has this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some($name::$variant),)+ _ => None }
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
