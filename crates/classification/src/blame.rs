//! Whether a refusal accuses the sender's reputation, who is to be asked about it, and where.
//!
//! It judges no reply anew: it reads a verdict. What it does not do: count. One refusal is no suspect yet.
//!
//! `421-4.7.28 … an unusual rate of unsolicited mail originating from your IP address … rate limited` is a rate limit that
//! accuses; `421 4.7.0 Too many connections` is one that does not.

use bouncestat_record::{Blame, BlocklistState, Reason, Stage, Verdict};

use crate::classifier::Classifier;
use crate::explain::{reason_words, sentence};

/// Words by which a rate limit says that it is about reputation. They are looked for in the masked reply.
const ACCUSING: &[&str] = &["unsolicited", "reputation", "complaint", "spam", "abuse", "abusive", "suspicious"];

/// Who can lift a refusal, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// Who is to be asked.
    pub who: String,
    /// What to do.
    pub advice: String,
    /// Where to look it up or to ask for removal.
    pub url: Option<String>,
}

/// Where providers that run no list of their own are asked. From their postmaster pages.
const POSTMASTERS: &[(&str, &str)] = &[
    ("google", "https://support.google.com/mail/contact/gmail_bulk_sender_escalation"),
    ("gmx", "https://postmaster.gmx.net/"),
    ("microsoft", "https://sender.office.com/"),
    ("yahoo", "https://senders.yahooinc.com/"),
];

const RECEIVER: &str = "the receiver's postmaster";

/// Whether only the receiver can mend it.
fn tells_the_receiver(blame: Blame) -> bool {
    matches!(blame, Blame::DeadList | Blame::ResolverError)
}

/// What to do about what accuses nobody, where that is not the list's own advice.
fn own_advice(blame: Blame) -> Option<&'static str> {
    Some(match blame {
        Blame::Neighbourhood => "Your network is listed, not you: ask your provider, or send from another network.",
        Blame::DeadList => "The list is shut down: tell the receiver's postmaster; nothing is listed.",
        Blame::ResolverError => "The list refuses the receiver's DNS resolver: tell its postmaster; nothing is listed.",
        Blame::Greylist => "A delay, no listing: retry.",
        Blame::Unexplained => {
            "Refused before a recipient was named, without a reason: ask the receiver whether it blocks your IP."
        }
        _ => return None,
    })
}

impl Classifier {
    /// What a failed attempt says about the sender's reputation; `None` where it is about something else. `template` is the masked
    /// reply, see [`crate::template`].
    pub fn blame(&self, verdict: &Verdict, template: &str) -> Option<Blame> {
        match verdict.blocklist_state {
            Some(BlocklistState::Policy) => return Some(Blame::PolicyList),
            Some(BlocklistState::Greylist) => return Some(Blame::Greylist),
            Some(BlocklistState::DeadList) => return Some(Blame::DeadList),
            Some(BlocklistState::ResolverError) => return Some(Blame::ResolverError),
            Some(BlocklistState::Listed) | None => {}
        }
        let listed = verdict.blocklist_state.is_some();
        match verdict.reason {
            Reason::SpamContent => Some(Blame::Content),
            Reason::Blocklisted | Reason::Reputation if self.is_neighbourhood(verdict) => Some(Blame::Neighbourhood),
            Reason::Blocklisted => Some(Blame::Listed),
            Reason::Reputation => Some(Blame::Reputation),
            Reason::Policy if listed => Some(Blame::Reputation),
            Reason::RateLimited if listed || ACCUSING.iter().any(|word| template.contains(word)) => Some(Blame::RateLimit),
            // Before a recipient is named, a refusal is about who connects (RFC 5321, section 3.1).
            Reason::Policy | Reason::Unknown if matches!(verdict.stage, Some(Stage::Connect | Stage::Helo)) => {
                Some(Blame::Unexplained)
            }
            _ => None,
        }
    }

    /// A list of networks, or a network named as the listed object.
    fn is_neighbourhood(&self, verdict: &Verdict) -> bool {
        let by_list = verdict.blocklist.as_ref().and_then(|id| self.blocklist(id)).is_some_and(|list| list.neighbourhood);
        let network = |listed: &str| match listed.split_once('/') {
            // A single host written as a network, or the /64 that one IPv6 host has, is no neighbourhood.
            Some((ip, bits)) => bits.parse::<u8>().is_ok_and(|bits| bits < if ip.contains(':') { 64 } else { 32 }),
            None => false,
        };
        by_list || verdict.listed.as_deref().is_some_and(|l| l.parse::<std::net::IpAddr>().is_err() && network(l))
    }

    /// Who can lift a refusal for reputation. `provider` runs the recipient's mail. Not cheap: for what is printed, not for each reply.
    pub fn remedy(&self, verdict: &Verdict, blame: Blame, provider: Option<&str>) -> Remedy {
        let rule = self.rules().find(|rule| rule.id == verdict.rule_id);
        let advice = own_advice(blame).or(rule.and_then(|rule| rule.advice.as_deref()));
        let url = self.delist_url(verdict);
        match verdict.blocklist.as_ref().and_then(|id| self.blocklist(id)) {
            Some(list) => {
                let who = match list.who.as_str() {
                    "" | "-" | "none" => list.name.clone(),
                    who => format!("{}: {who}", list.name),
                };
                let who = if tells_the_receiver(blame) { RECEIVER.to_owned() } else { who };
                Remedy { who, advice: advice.map_or_else(|| sentence(&list.advice), str::to_owned), url }
            }
            None => {
                let known = provider.or(verdict.provider.as_deref());
                let page = POSTMASTERS.iter().find(|(id, _)| Some(*id) == known).map(|(_, url)| (*url).to_owned());
                let who = known.map_or_else(|| RECEIVER.to_owned(), |id| format!("{id}: postmaster"));
                let advice = advice.unwrap_or(reason_words(verdict.reason).0).to_owned();
                Remedy { who, advice, url: url.or(page) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bouncestat_record::Reply;

    use super::*;

    #[track_caller]
    fn check(text: &str, host: Option<&str>, want: Option<Blame>) {
        let rules = Classifier::builtin();
        let verdict = rules.classify(&Reply { text: text.as_bytes(), relay_host: host, ..Reply::default() });
        assert_eq!(rules.blame(&verdict, &crate::template(text.as_bytes())), want, "{text}: {verdict:?}");
    }

    #[test]
    fn what_accuses_and_what_only_looks_so() {
        let google = Some("gmail-smtp-in.l.google.com");
        for (text, host, want) in [
            ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", None, Some(Blame::Listed)),
            (
                "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using pbl.spamhaus.org",
                None,
                Some(Blame::PolicyList),
            ),
            ("550 client [192.0.2.1] blocked using dnsbl-3.uceprotect.net", None, Some(Blame::Neighbourhood)),
            ("550 5.7.1 The network 192.0.2.0/24 is listed in bl.acme.test", None, Some(Blame::Neighbourhood)),
            ("550 client [192.0.2.1] blocked using dnsbl.sorbs.net", None, Some(Blame::DeadList)),
            ("550 [192.0.2.1] blocked using zen.spamhaus.org; Error: open resolver", None, Some(Blame::ResolverError)),
            ("450 4.7.1 Service unavailable; client [192.0.2.1] blocked using grey.rbl.acme.test", None, Some(Blame::Greylist)),
            ("550 5.7.1 Message rejected as spam by content filtering", None, Some(Blame::Content)),
            ("554 5.7.1 Rejected: poor sender reputation", None, Some(Blame::Reputation)),
            (
                "421-4.7.28 an unusual rate of unsolicited mail from your IP address, rate limited - gsmtp",
                google,
                Some(Blame::RateLimit),
            ),
            ("421 4.7.0 Too many connections", None, None),
            ("host mx.acme.test[192.0.2.9] refused to talk to me: 554 Access denied", None, Some(Blame::Unexplained)),
            ("550 5.1.1 User unknown", None, None),
            ("450 4.7.1 Greylisted, try again later", None, None),
        ] {
            check(text, host, want);
        }
    }

    #[test]
    fn who_is_asked_and_where() {
        let rules = Classifier::builtin();
        let text = b"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.spamcop.net";
        let remedy = rules.remedy(&rules.classify(&Reply { text, ..Reply::default() }), Blame::Listed, None);
        assert!(remedy.who.starts_with("SpamCop") && remedy.url.is_some(), "{remedy:?}");
        let text = b"554 5.7.1 Rejected: poor sender reputation";
        let remedy = rules.remedy(&rules.classify(&Reply { text, ..Reply::default() }), Blame::Reputation, Some("google"));
        assert!(remedy.who == "google: postmaster" && remedy.url.unwrap().contains("google.com"));
    }
}
