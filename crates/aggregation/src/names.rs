//! A dictionary of texts: each different one gets the next number. Numbers are local to one dictionary and never printed.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Texts and their numbers.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub(crate) struct Names {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32, ahash::RandomState>,
}

impl Names {
    /// The number of `text`, a new one where it is new.
    pub(crate) fn number(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        self.insert(Arc::from(text))
    }

    /// The same for a text that is already shared.
    fn shared(&mut self, text: &Arc<str>) -> u32 {
        match self.numbers.get(&**text) {
            Some(&number) => number,
            None => self.insert(Arc::clone(text)),
        }
    }

    fn insert(&mut self, text: Arc<str>) -> u32 {
        // 2^32 different texts would need over 100 GB before this cast could wrap.
        let number = self.texts.len() as u32;
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    /// The number of a text that is known.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    /// The text of a number.
    pub(crate) fn text(&self, number: u32) -> &str {
        &self.texts[number as usize]
    }

    /// How many different texts there are.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// Takes in another dictionary; gives this one's number for each of its numbers.
    pub(crate) fn merge(&mut self, other: &Names) -> Vec<u32> {
        other.texts.iter().map(|text| self.shared(text)).collect()
    }
}

impl From<Vec<String>> for Names {
    fn from(texts: Vec<String>) -> Self {
        let mut names = Self::default();
        texts.iter().for_each(|text| _ = names.insert(Arc::from(text.as_str())));
        names
    }
}

impl From<Names> for Vec<String> {
    fn from(names: Names) -> Self {
        names.texts.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_gives_the_numbers_of_the_receiver() {
        let (mut a, mut b) = (Names::default(), Names::default());
        assert_eq!((a.number("x"), a.number("y"), a.number("x")), (0, 1, 0));
        b.number("y");
        b.number("z");
        assert_eq!(a.merge(&b), [1, 2]);
        assert_eq!((a.text(2), a.len()), ("z", 3));
    }
}
