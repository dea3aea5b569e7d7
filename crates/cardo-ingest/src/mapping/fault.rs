use cardo_model::{InvalidGeometry, InvalidIri, InvalidJson, InvalidScope};
use cardo_spatial::CrsError;

use super::template::MissingField;
use super::time::InvalidTime;

/// Why a record does not become an entity by a mapping.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum MapFault {
    #[error("the field `{0}`, which the id is made of, is missing or empty")]
    NoKey(String),
    #[error("the field `{0}`, which the scope is made of, is missing or empty")]
    NoScope(String),
    #[error("the required attribute `{0}` has no value")]
    Required(String),
    #[error("attribute `{attribute}`: `{value}` is not {wanted}")]
    Value { attribute: String, value: String, wanted: &'static str },
    #[error("attribute `{attribute}`: `{value}` is not in the table of values")]
    Unmapped { attribute: String, value: String },
    #[error("attribute `{0}`: two instances have the same dataset id")]
    SameDataset(String),
    #[error("attribute `{attribute}`: {reason}")]
    Json { attribute: String, reason: InvalidJson },
    #[error("attribute `{attribute}`: {reason}")]
    Iri { attribute: String, reason: InvalidIri },
    #[error("time of observation: {0}")]
    Time(#[from] InvalidTime),
    #[error("attribute `{attribute}`: {reason}")]
    AttributeTime { attribute: String, reason: InvalidTime },
    #[error(transparent)]
    Id(#[from] InvalidIri),
    #[error(transparent)]
    Scope(#[from] InvalidScope),
    #[error("geometry: {0}")]
    Geometry(#[from] InvalidGeometry),
    #[error("geometry: {0}; a source in a national grid needs `crs`, such as --crs EPSG:3879")]
    Unlocated(InvalidGeometry),
    #[error("geometry: {0}")]
    Crs(#[from] CrsError),
    #[error("geometry: {0}")]
    Shape(String),
    #[error("the source has more than {0} different fields; a mapping can name those that count")]
    TooManyFields(usize),
}

impl MapFault {
    pub(crate) fn value(attribute: &str, value: &str, wanted: &'static str) -> Self {
        Self::Value {
            attribute: attribute.to_owned(),
            value: value.chars().take(80).collect(),
            wanted,
        }
    }
}

impl From<MissingField> for MapFault {
    fn from(missing: MissingField) -> Self {
        Self::NoKey(missing.0)
    }
}
