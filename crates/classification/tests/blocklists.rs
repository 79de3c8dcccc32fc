//! Every blocklist by every name that replies give it, in every form in which it is cited: the list, its state and the object.

use bouncestat_classification::Classifier;
use bouncestat_record::{BlocklistState, Reason, Reply};

const FORMS: &[&str] = &[
    "554 5.7.1 Service unavailable; Client host [203.0.113.5] blocked using {}",
    "550 203.0.113.5 is listed in {}",
    "550 5.7.1 203.0.113.5 found in {}",
    "554 5.7.1 rejected: 203.0.113.5 listed at {} (A record)",
    "554 Your IP is blacklisted by {}: 203.0.113.5",
    "550-host 203.0.113.5 is in a black list at {}\n550 bye",
    "550 5.7.1 Blocked by {} (203.0.113.5)",
    "550 RBL Restriction: {} 203.0.113.5",
    "554 DNSBL {} says that 203.0.113.5 is bad",
    "550 Mail from 203.0.113.5 refused, see {}",
    "554 5.7.1 You are on {}: 203.0.113.5",
    "450 4.7.1 Client host [203.0.113.5] blocked using {}; see http://www.example.test/?ip=203.0.113.5",
    "550 5.7.0 Your server IP address is in the {} database, 203.0.113.5, bye",
    "571 Email from 203.0.113.5 is currently blocked by {}.",
    "554 203.0.113.5 rejected using {} DNSBL",
];

const DOMAIN_FORMS: &[&str] = &[
    "554 5.7.1 Service unavailable; Sender address [me@bad.test] blocked using {}",
    "554 5.7.1 Service unavailable; Helo command [bad.test] blocked using {}",
    "550 5.7.1 The domain bad.test is listed in {}",
    "554 5.7.1 Message contains bad.test, which is listed on {}",
    "550 Your message contains a URL (bad.test) blacklisted by {}",
    "550 Blocked: bad.test found in {}",
    "554 5.7.1 bad.test in body is on {}",
];

/// Lists of addresses and their names.
const LISTS: &[(&str, &[&str])] = &[
    ("spamhaus-zen", &["zen.spamhaus.org", "abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net"]),
    ("spamhaus-sbl", &["sbl.spamhaus.org", "k3y4567890abcdefghijklmnop.sbl.dq.spamhaus.net"]),
    ("spamhaus-css", &["css.spamhaus.org", "Spamhaus CSS"]),
    ("spamhaus-xbl", &["xbl.spamhaus.org", "cbl.abuseat.org", "k3y4567890abcdefghijklmnop.xbl.dq.spamhaus.net"]),
    ("spamhaus-pbl", &["pbl.spamhaus.org", "k3y4567890abcdefghijklmnop.pbl.dq.spamhaus.net"]),
    ("spamhaus-sblxbl", &["sbl-xbl.spamhaus.org"]),
    ("spamhaus", &["Spamhaus", "spamhaus.org", "the Spamhaus project"]),
    ("spamcop", &["bl.spamcop.net", "SpamCop"]),
    ("barracuda", &["b.barracudacentral.org", "bb.barracudacentral.org", "Barracuda Reputation", "Barracuda Central"]),
    (
        "sorbs",
        &[
            "dnsbl.sorbs.net",
            "spam.dnsbl.sorbs.net",
            "SORBS",
            "safe.dnsbl.sorbs.net",
            "dul.dnsbl.sorbs.net",
            "web.dnsbl.sorbs.net",
        ],
    ),
    ("uceprotect-1", &["dnsbl-1.uceprotect.net", "UCEPROTECT-Level 1", "UCEPROTECT Level 1", "UCEProtect1"]),
    ("uceprotect-2", &["dnsbl-2.uceprotect.net", "UCEPROTECT Level 2", "UCEPROTECT-Level2"]),
    ("uceprotect-3", &["dnsbl-3.uceprotect.net", "UCEPROTECT-Level 3", "UCEPROTECTL3"]),
    ("psbl", &["psbl.surriel.com", "PSBL"]),
    (
        "abusix",
        &[
            "combined.mail.abusix.zone",
            "key123abc.combined.mail.abusix.zone",
            "black.mail.abusix.zone",
            "exploit.mail.abusix.zone",
            "Abusix Mail Intelligence",
        ],
    ),
    ("mailspike", &["bl.mailspike.net", "z.mailspike.net", "rep.mailspike.net"]),
    ("spamrats", &["spam.spamrats.com", "all.spamrats.com", "auth.spamrats.com", "dyna.spamrats.com", "noptr.spamrats.com"]),
    ("nixspam", &["ix.dnsbl.manitu.net", "NiX Spam", "nixspam"]),
    ("0spam", &["bl.0spam.org", "rbl.0spam.org", "nbl.0spam.org"]),
    ("ivmsip", &["sip.invaluement.com", "sip24.invaluement.com", "ivmSIP.dnsbl.invaluement.com", "ivmSIP24", "ivmSIP/24"]),
    ("backscatterer", &["ips.backscatterer.org"]),
    ("spfbl", &["dnsbl.spfbl.net"]),
    ("hostkarma", &["hostkarma.junkemailfilter.com"]),
    ("s5h", &["all.s5h.net"]),
    ("dronebl", &["dnsbl.dronebl.org"]),
    ("gbudb", &["truncate.gbudb.net"]),
    ("blocklistde", &["bl.blocklist.de"]),
    ("sem", &["bl.spameatingmonkey.net", "backscatter.spameatingmonkey.net", "netbl.spameatingmonkey.net"]),
    ("cobion", &["dnsbl.cobion.com"]),
    ("nerd", &["cn.countries.nerd.dk", "zz.countries.nerd.dk"]),
    ("trendmicro", &["Trend Micro RBL+", "Trend Micro Email Reputation Service"]),
];

/// Lists of domains and their names.
const DOMAIN_LISTS: &[(&str, &[&str])] = &[
    ("spamhaus-dbl", &["dbl.spamhaus.org", "k3y4567890abcdefghijklmnop.dbl.dq.spamhaus.net", "Spamhaus DBL"]),
    ("spamhaus-zrd", &["k3y4567890abcdefghijklmnop.zrd.dq.spamhaus.net"]),
    ("ivmuri", &["uri.invaluement.com", "ivmURI"]),
    ("surbl", &["multi.surbl.org", "SURBL"]),
    ("uribl", &["multi.uribl.com", "black.uribl.com", "URIBL", "URIBL_BLACK"]),
    ("0spam", &["dbl.0spam.org"]),
    ("abusix", &["dblack.mail.abusix.zone"]),
    ("sem", &["uribl.spameatingmonkey.net", "fresh.spameatingmonkey.net"]),
];

/// Names whose citation is no accusation, or whose list is gone.
fn state(list: &str, name: &str) -> BlocklistState {
    match (list, name) {
        ("sorbs" | "nixspam", _) => BlocklistState::DeadList,
        ("spamhaus-pbl" | "spamhaus-zrd" | "nerd", _) | (_, "dyna.spamrats.com" | "noptr.spamrats.com") => BlocklistState::Policy,
        _ => BlocklistState::Listed,
    }
}

fn check(lists: &[(&str, &[&str])], forms: &[&str], object: &str) {
    let classifier = Classifier::builtin();
    let mut wrong = Vec::new();
    for (list, names) in lists {
        for name in *names {
            for form in forms {
                let text = form.replace("{}", name);
                // ZEN is several lists: its answer tells which.
                let list = if *list == "spamhaus-zen" && form.contains("127.0.0.2") { &"spamhaus-sbl" } else { list };
                let verdict = classifier.classify(&Reply { text: text.as_bytes(), ..Reply::default() });
                let right = verdict.reason == Reason::Blocklisted
                    && verdict.blocklist.as_deref() == Some(list)
                    && verdict.blocklist_state == Some(state(list, name))
                    && verdict.listed.as_deref() == Some(object);
                if !right {
                    wrong.push(format!(
                        "{text}: {} {:?} {:?} {:?}, not {list}",
                        verdict.reason, verdict.blocklist, verdict.blocklist_state, verdict.listed
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn lists_of_addresses() {
    check(LISTS, FORMS, "203.0.113.5");
}

#[test]
fn lists_of_domains() {
    check(DOMAIN_LISTS, DOMAIN_FORMS, "bad.test");
}

#[test]
fn the_answer_tells_which_part_of_zen() {
    for (answer, list, state) in [
        ("127.0.0.2", "spamhaus-sbl", BlocklistState::Listed),
        ("127.0.0.3", "spamhaus-css", BlocklistState::Listed),
        ("127.0.0.4", "spamhaus-xbl", BlocklistState::Listed),
        ("127.0.0.10", "spamhaus-pbl", BlocklistState::Policy),
        ("127.0.0.11", "spamhaus-pbl", BlocklistState::Policy),
    ] {
        let text = format!("554 5.7.1 rejected: 203.0.113.5 listed at zen.spamhaus.org ({answer})");
        let verdict = Classifier::builtin().classify(&Reply { text: text.as_bytes(), ..Reply::default() });
        assert_eq!(verdict.reason, Reason::Blocklisted, "{text}");
        assert_eq!((verdict.blocklist.as_deref(), verdict.blocklist_state), (Some(list), Some(state)), "{text}");
    }
    let refused = b"554 5.7.1 Service unavailable; Client host [203.0.113.5] blocked using zen.spamhaus.org; 127.255.255.254";
    let verdict = Classifier::builtin().classify(&Reply { text: refused, ..Reply::default() });
    assert_eq!((verdict.reason, verdict.blocklist_state), (Reason::ServerError, Some(BlocklistState::ResolverError)));
}
