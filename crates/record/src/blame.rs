//! Whether a refusal accuses the sender's reputation, and what it is where it only looks so.
//!
//! `Client host [192.0.2.1] blocked using zen.spamhaus.org` accuses; `blocked using pbl.spamhaus.org` does not: that list holds
//! ranges that should not send at all, whoever uses them.

use crate::named_enum;

named_enum! {
    /// What a refusal says about the sender's reputation. The first three accuse; the others only look like it.
    pub enum Blame {
        /// An IP, domain or URL of ours is on a blocklist.
        Listed = "listed",
        /// The receiver's own judgement: reputation, complaints.
        Reputation = "reputation",
        /// A rate limit that its words explain by reputation or complaints.
        RateLimit = "rate_limit",
        /// A list of whole networks: the neighbours are accused.
        Neighbourhood = "neighbourhood",
        /// A policy or dynamic-range list: nobody is accused.
        PolicyList = "policy_list",
        /// A list that is shut down: the receiver must mend that.
        DeadList = "dead_list",
        /// The list refuses the receiver's resolver: nothing is listed.
        ResolverError = "resolver_error",
        /// A list used for greylisting: a delay.
        Greylist = "greylist",
        /// This message's content is refused.
        Content = "content",
        /// Refused before any recipient was named, and no reason given.
        Unexplained = "unexplained",
    }
}

impl Blame {
    /// Whether it accuses the sender.
    pub const fn accuses(self) -> bool {
        matches!(self, Blame::Listed | Blame::Reputation | Blame::RateLimit)
    }
}
