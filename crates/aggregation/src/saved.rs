//! The sums of some deliveries, as bytes: a dataset keeps them beside what they are sums of, and spares counting it again.
//!
//! They are a shortcut and nothing else: bytes of another version are not understood, and then everything is counted anew.

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::aggregator::Aggregator;
use crate::causes::Causes;
use crate::cells::Keys;
use crate::failures::Failures;
use crate::refusals::Refusals;
use crate::sums::Group;
use crate::timeline::Timeline;

/// The form of the bytes. It changes with whatever is counted.
const FORM: u32 = 1;

#[derive(Serialize)]
struct Saving<'a> {
    form: u32,
    keys: &'a Keys,
    cells: &'a [Group],
    senders: &'a [Group],
    failures: &'a Failures,
    refusals: &'a Refusals,
    causes: &'a Causes,
    timeline: &'a Timeline,
}

#[derive(Deserialize)]
struct Saved {
    form: u32,
    keys: Keys,
    cells: Vec<Group>,
    senders: Vec<Group>,
    failures: Failures,
    refusals: Refusals,
    causes: Causes,
    timeline: Timeline,
}

/// Sums that were read again.
pub struct Sums(Box<Saved>);

impl Sums {
    /// Reads what [`Aggregator::save`] wrote; `None` where a version wrote it that counted otherwise, or it is damaged.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (form, _) = postcard::take_from_bytes::<u32>(bytes).ok()?;
        let saved: Saved = (form == FORM).then(|| postcard::from_bytes(bytes).ok()).flatten()?;
        let keys = &saved.keys;
        let fits = saved.form == FORM && saved.cells.len() == keys.cells.len() && saved.senders.len() == keys.senders.len();
        fits.then(|| Self(Box::new(saved)))
    }
}

impl Aggregator {
    /// Everything that was counted so far, as bytes.
    pub fn save(&mut self) -> Result<Vec<u8>> {
        self.sum()?;
        let saving = Saving {
            form: FORM,
            keys: &self.keys,
            cells: &self.cells,
            senders: &self.senders,
            failures: &self.failures,
            refusals: &self.refusals,
            causes: &self.causes,
            timeline: &self.timeline,
        };
        Ok(postcard::to_stdvec(&saving).expect("memory takes it"))
    }

    /// Counts what others counted, as if their deliveries had been given to this one.
    pub fn add_sums(&mut self, sums: Sums) -> Result<()> {
        let saved = *sums.0;
        let to = self.keys.merge(&saved.keys);
        let templates = self.failures.templates.merge(&saved.failures.templates);
        self.causes.merge(saved.causes, &to, &templates, &self.failures.templates);
        self.failures.merge(saved.failures, &to);
        self.refusals.merge(saved.refusals, &to);
        self.timeline.merge(saved.timeline);
        self.cells.resize_with(self.keys.cells.len(), Group::default);
        self.senders.resize_with(self.keys.senders.len(), Group::default);
        for (group, number) in saved.cells.iter().zip(&to.cells) {
            self.cells[*number as usize].add(group);
        }
        for (group, number) in saved.senders.iter().zip(&to.senders) {
            self.senders[*number as usize].add(group);
        }
        Ok(())
    }
}

/// Writes values of the record by their stable names.
macro_rules! by_name {
    ($module:ident, $type:ty) => {
        pub(crate) mod $module {
            use serde::{Deserialize, Deserializer, Serializer, de::Error};

            pub fn serialize<S: Serializer>(value: &$type, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(value.as_str())
            }

            pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<$type, D::Error> {
                let name = <&str>::deserialize(from)?;
                <$type>::from_name(name).ok_or_else(|| D::Error::custom(name))
            }
        }
    };
}

by_name!(reason, bouncestat_record::Reason);
by_name!(class, bouncestat_record::Class);
by_name!(disposition, bouncestat_record::Disposition);

pub(crate) mod blame {
    use bouncestat_record::Blame;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &Option<Blame>, to: S) -> Result<S::Ok, S::Error> {
        value.map(Blame::as_str).serialize(to)
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Option<Blame>, D::Error> {
        let name = Option::<&str>::deserialize(from)?;
        name.map(|name| Blame::from_name(name).ok_or_else(|| D::Error::custom(name))).transpose()
    }
}
