//! Says what a mail server's reply means: reason, class, what to do, and which rule says so.
//!
//! A reply goes through [`isolate`] (this hop's reply without its wrappers), [`text`] (masked form), the rules of `rules/*.toml`
//! and the code tables, to a [`Verdict`](bouncestat_record::Verdict). Not here: reading logs, counting, printing; and no network:
//! blocklists are known, never asked.
//!
//! ```
//! use bouncestat_classification::Classifier;
//! use bouncestat_record::{Class, Reason, Reply};
//!
//! let text = b"host mx.example.test[192.0.2.1] said: 550 5.7.1 <bob@example.test>: User unknown (in reply to RCPT TO command)";
//! let verdict = Classifier::builtin().classify(&Reply { text, ..Reply::default() });
//! assert_eq!((verdict.reason, verdict.class), (Reason::UserUnknown, Class::Hard));
//! ```

mod blame;
mod blocklist;
mod builtin;
mod classifier;
mod codes;
mod compile;
mod decide;
mod engine;
mod expand;
mod explain;
mod frequency;
pub mod isolate;
mod lint;
mod matcher;
mod memo;
mod pattern;
mod provider;
mod rule;
mod scan;
mod tables;
pub mod text;
mod token;
mod tree;
mod wrapper;

pub use blame::Remedy;
pub use blocklist::Blocklist;
pub use classifier::Classifier;
pub use codes::Meaning;
pub use decide::{Options, QuotaClass};
pub use explain::{CodeExplanation, Explanation, ReasonExplanation, reason_words};
pub use lint::{LintFinding, lint};
pub use memo::Memo;
pub use rule::{Error, ErrorKind, Rule};
pub use text::template;
