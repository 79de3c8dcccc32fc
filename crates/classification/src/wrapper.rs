//! Where the texts stand that servers write around another server's reply.
//!
//! One look at each place of a text, at its next four bytes. What is taken off is [`crate::isolate`]'s.
//!
//! `host mx.a.test[192.0.2.1] said: 550 No` has ` said: ` at 26.

/// Kinds of wrappers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapper {
    Said,
    Talk,
    Exim,
    Led,
    Prose,
    Quoted,
    Arrow,
    DidNotLike,
}

/// Wrappers as the servers write them: Postfix smtp_proto.c ("said:", "refused to talk to me:"), Exim smtp.c, Exchange's
/// recipient-status, Exchange's and qmail's bounce texts.
const WRAPPERS: &[(&str, Wrapper)] = &[
    (" said: ", Wrapper::Said),
    (" refused to talk to me: ", Wrapper::Talk),
    ("SMTP error from remote mail server after ", Wrapper::Exim),
    ("SMTP error from remote mailer after ", Wrapper::Exim),
    ("LMTP error from remote mail server after ", Wrapper::Exim),
    ("LMTP error after ", Wrapper::Exim),
    ("{LED=", Wrapper::Led),
    ("Remote host said:", Wrapper::Prose),
    ("Remote SMTP server has rejected address", Wrapper::Prose),
    ("Server rejected MAIL FROM address", Wrapper::Prose),
    ("failed with: ", Wrapper::Prose),
    ("error message: [", Wrapper::Prose),
    ("error message: ", Wrapper::Prose),
    ("error that the other server returned was: ", Wrapper::Prose),
    ("Reported error: ", Wrapper::Prose),
    ("Unknown address error ", Wrapper::Prose),
    ("<<< ", Wrapper::Prose),
    ("did not like our ", Wrapper::DidNotLike),
    ("responded with: \"", Wrapper::Quoted),
    ("returned '", Wrapper::Quoted),
    ("returned an error -> ", Wrapper::Arrow),
    ("Message expired -> ", Wrapper::Arrow),
];

/// The first four bytes in one case, near enough: what differs in case alone is equal.
const fn folded(bytes: [u8; 4]) -> u32 {
    u32::from_le_bytes(bytes) | 0x2020_2020
}

const fn place(folded: u32) -> usize {
    (folded.wrapping_mul(0x9e37_79b1) >> 21) as usize
}

/// Which places have a wrapper's beginning, one bit each.
const BEGINNINGS: [u64; 32] = {
    let mut bits = [0; 32];
    let mut number = 0;
    while number < WRAPPERS.len() {
        let text = WRAPPERS[number].0.as_bytes();
        let at = place(folded([text[0], text[1], text[2], text[3]]));
        bits[at / 64] |= 1 << (at % 64);
        number += 1;
    }
    bits
};

/// The first wrapper in `text` in any case, of two at one place the earlier of [`WRAPPERS`]; and where it begins and ends.
pub(crate) fn find(text: &[u8]) -> Option<(Wrapper, usize, usize)> {
    (0..text.len().saturating_sub(3)).find_map(|at| {
        let place = place(folded(*text[at..].first_chunk()?));
        if BEGINNINGS[place / 64] >> (place % 64) & 1 == 0 {
            return None;
        }
        let stands = |wrapper: &&(&str, Wrapper)| {
            let end = at + wrapper.0.len();
            end <= text.len() && text[at..end].eq_ignore_ascii_case(wrapper.0.as_bytes())
        };
        WRAPPERS.iter().find(stands).map(|(wrapper, kind)| (*kind, at, at + wrapper.len()))
    })
}
