use std::fmt;

use super::{MAX_FILTER_BYTES, MAX_FILTER_NESTING, MAX_FILTER_TERMS};

/// Where in a filter something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a text: characters, counted from 1.
    Character(usize),
    /// In JSON: a pointer (RFC 6901), empty for the whole.
    Pointer(Box<str>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character(at) => write!(f, "at character {at}"),
            Self::Pointer(pointer) if pointer.is_empty() => f.write_str("at the top"),
            Self::Pointer(pointer) => write!(f, "at {pointer}"),
        }
    }
}

/// Why a filter was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cql2Error {
    /// Something else should stand there.
    #[error("{place}: expected {expected}, found {found}")]
    Syntax {
        /// Where.
        place: Place,
        /// What may stand there.
        expected: &'static str,
        /// What stands there, in quotes and cut where it is long; or that nothing does.
        found: String,
    },
    /// Something that can be read, but means nothing.
    #[error("{place}: {reason}")]
    Meaning {
        /// Where.
        place: Place,
        /// Why.
        reason: String,
    },
    /// No JSON.
    #[error("it is no JSON: {0}")]
    Json(String),
    /// Longer than [`MAX_FILTER_BYTES`].
    #[error("a filter of {0} bytes is longer than the {MAX_FILTER_BYTES} that are accepted")]
    TooLong(usize),
    /// More terms than [`MAX_FILTER_TERMS`].
    #[error("{0}: more than the {MAX_FILTER_TERMS} terms that are accepted")]
    TooManyTerms(Place),
    /// Nested deeper than [`MAX_FILTER_NESTING`].
    #[error("{0}: nested deeper than the {MAX_FILTER_NESTING} levels that are accepted")]
    TooDeep(Place),
}

impl Cql2Error {
    pub(super) fn meaning(place: &Place, reason: impl Into<String>) -> Self {
        Self::Meaning { place: place.clone(), reason: reason.into() }
    }
}

/// What of an offending text is quoted.
pub(super) fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}
