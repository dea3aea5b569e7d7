//! From JSON text to the write types of the model: normalized, concise and simplified input, read
//! member by member without a tree in between.

mod attribute;
mod complete;
mod elements;
mod entity;
mod error;
mod evolution;
mod members;
mod names;
mod previous;
mod terms;
mod value;

pub(crate) use attribute::date;
pub(crate) use complete::{complete_attributes, complete_instance};
pub(crate) use elements::{Element, Elements};
pub(crate) use entity::{Document, EntityReader};
pub(crate) use error::{DataFault, InvalidInput, shorten};
pub(crate) use evolution::Evolution;
pub(crate) use members::{Items, Members, as_string, string, strings};
pub(crate) use names::{at_most, expand_name};
pub(crate) use previous::{previous_member, previous_value};
pub(crate) use value::{Nulls, utc};

/// How a document is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub(crate) struct Reading {
    /// What `urn:ngsi-ld:null` may do.
    pub(crate) nulls: Nulls,
    /// Whether instances may come without a value (clause 5.4, Fragment).
    pub(crate) is_fragment: bool,
    /// Whether the document is in simplified representation (clause 4.5.4).
    pub(crate) is_simplified: bool,
    /// Whether an attribute may have several instances of one dataset (clause 4.5.7).
    pub(crate) is_evolution: bool,
    /// Whether another server is believed about when something was written.
    pub(crate) keeps_dates: bool,
}

impl Reading {
    /// A whole element.
    pub(crate) const WHOLE: Self = Self {
        nulls: Nulls::Refused,
        is_fragment: false,
        is_simplified: false,
        is_evolution: false,
        keeps_dates: false,
    };
    /// A fragment that updates attribute by attribute (clause 5.5.8).
    pub(crate) const UPDATE: Self = Self {
        nulls: Nulls::Attributes,
        is_fragment: true,
        is_simplified: false,
        is_evolution: false,
        keeps_dates: false,
    };
    /// A fragment that is merged into what is there (clause 5.5.12).
    pub(crate) const MERGE: Self = Self {
        nulls: Nulls::Everywhere,
        is_fragment: true,
        is_simplified: false,
        is_evolution: false,
        keeps_dates: false,
    };

    /// Instances over time, which may say that there was none (clause 5.5.4).
    pub(crate) const EVOLUTION: Self = Self {
        nulls: Nulls::Attributes,
        is_fragment: false,
        is_simplified: false,
        is_evolution: true,
        keeps_dates: false,
    };

    /// An entity as a context source gives it.
    pub(crate) const OF_SOURCE: Self = Self { keeps_dates: true, ..Self::WHOLE };

    /// An entity of a notification, whose deleted attributes are null (clause 5.8.6).
    pub(crate) const NOTIFIED: Self = Self { nulls: Nulls::Attributes, ..Self::OF_SOURCE };

    /// What a notification tells of an entity that was deleted.
    pub(crate) const NOTIFIED_END: Self = Self { keeps_dates: true, ..Self::MERGE };

    /// The past of an entity as a context source gives it.
    pub(crate) const PAST_OF_SOURCE: Self = Self { keeps_dates: true, ..Self::EVOLUTION };

    /// The same, in simplified representation or not.
    pub(crate) fn simplified(self, is_simplified: bool) -> Self {
        Self { is_simplified, ..self }
    }
}
