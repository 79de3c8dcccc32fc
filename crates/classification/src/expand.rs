//! Groups of alternatives in patterns: making nested ones flat, and finding those that must become patterns of their own.
//!
//! It works on the text of a pattern only; matching is [`crate::pattern`]'s. What a pattern stands for is bounded.
//!
//! `no such (user|mail(box|drop))` is `no such (user|mailbox|maildrop)`.

/// Most texts that one group may stand for; a pattern beyond it is refused when it is read.
const MOST: usize = 400;

/// The end of the group that opens at `open`, and its alternatives.
fn group(text: &str, open: usize) -> Option<(usize, Vec<&str>)> {
    let (mut depth, mut from, mut skip) = (0, open + 1, false);
    let mut alternatives = Vec::new();
    for (at, byte) in text.bytes().enumerate().skip(open) {
        match byte {
            _ if skip => skip = false,
            b'\\' => skip = true,
            b'(' => depth += 1,
            b'|' if depth == 1 => {
                alternatives.push(&text[from..at]);
                from = at + 1;
            }
            b')' if depth == 1 => {
                alternatives.push(&text[from..at]);
                return Some((at, alternatives));
            }
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The first group in `text`, if any.
fn first_group(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len()).find(|&at| bytes[at] == b'(' && (at == 0 || bytes[at - 1] != b'\\'))
}

/// Every text that `text` stands for.
fn expand(text: &str) -> Vec<String> {
    let Some(open) = first_group(text) else { return vec![text.to_owned()] };
    let Some((close, alternatives)) = group(text, open) else { return vec![text.to_owned()] };
    let rest = expand(&text[close + 1..]);
    let fronts = alternatives.into_iter().flat_map(expand);
    fronts
        .flat_map(|front| rest.iter().map(move |tail| format!("{front}{tail}")))
        .map(|tail| format!("{}{tail}", &text[..open]))
        .take(MOST + 1)
        .collect()
}

/// Makes nested groups flat: `(a|b(c|d))` is `(a|bc|bd)`.
/// [`None`] where it stands for too many texts.
pub(crate) fn flatten(text: &str) -> Option<String> {
    let Some(open) = first_group(text) else { return Some(text.to_owned()) };
    let Some((close, alternatives)) = group(text, open) else { return Some(text.to_owned()) };
    let flat: Vec<String> = alternatives.into_iter().flat_map(expand).take(MOST + 1).collect();
    if flat.len() > MOST {
        return None;
    }
    Some(format!("{}({}){}", &text[..open], flat.join("|"), flatten(&text[close + 1..])?))
}

/// The first group of alternatives that holds `..`, or `*` elsewhere than at an alternative's end (there too, if `trailing`).
pub(crate) fn open_group(text: &str, trailing: bool) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'(' => {
                let close = at + text[at..].find(')')?;
                let odd = |a: &str| {
                    a.contains("..") || a.strip_suffix('*').unwrap_or(a).contains('*') || (trailing && a.ends_with('*'))
                };
                if text[at + 1..close].split('|').any(odd) {
                    return Some((at, close));
                }
                at = close;
            }
            _ => {}
        }
        at += 1;
    }
    None
}
