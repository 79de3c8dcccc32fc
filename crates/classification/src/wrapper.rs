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
    StartTls,
    Exim,
    Lmtp,
    Ehlo,
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
    (" refused to start TLS: ", Wrapper::StartTls),
    ("(EHLO response was: ", Wrapper::Ehlo),
    ("SMTP error from remote mail server after ", Wrapper::Exim),
    ("SMTP error from remote mailer after ", Wrapper::Exim),
    ("LMTP error from remote mail server after ", Wrapper::Lmtp),
    ("LMTP error after ", Wrapper::Lmtp),
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
    let (mut from, stands) = (0, |at: usize, wrapper: &str| {
        text.get(at..at + wrapper.len()).is_some_and(|there| there.eq_ignore_ascii_case(wrapper.as_bytes()))
    });
    loop {
        let begins = |four: &[u8]| {
            let place = place(folded([four[0], four[1], four[2], four[3]]));
            BEGINNINGS[place / 64] >> (place % 64) & 1 != 0
        };
        let at = from + text[from..].windows(4).position(begins)?;
        if let Some((wrapper, kind)) = WRAPPERS.iter().find(|(wrapper, _)| stands(at, wrapper)) {
            return Some((*kind, at, at + wrapper.len()));
        }
        from = at + 1;
    }
}
