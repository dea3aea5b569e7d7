use super::{InvalidName, MAX_NESTING, MAX_TERMS, MAX_TEXT_BYTES};
use crate::InvalidPattern;

/// Why a text of the languages of clauses 4.9, 4.17 and 4.19 was refused.
///
/// Positions count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QError {
    /// Something else should stand there.
    #[error("at character {position}: expected {expected}, found {found}")]
    Syntax {
        /// Where.
        position: usize,
        /// What may stand there.
        expected: &'static str,
        /// What stands there, in quotes and cut where it is long; or that nothing does.
        found: String,
    },
    /// A part of the language that this version does not know.
    #[error("at character {position}: {construct} is not implemented yet")]
    NotImplemented {
        /// Where.
        position: usize,
        /// What it is.
        construct: &'static str,
    },
    /// A name that does not expand, or may not stand where it does.
    #[error("at character {position}: {source}")]
    Name {
        /// Where.
        position: usize,
        /// Why.
        source: InvalidName,
    },
    /// A regular expression that is none, or one too large.
    #[error("at character {position}: {source}")]
    Pattern {
        /// Where.
        position: usize,
        /// Why.
        source: InvalidPattern,
    },
    /// Longer than [`MAX_TEXT_BYTES`].
    #[error("a text of {0} bytes is longer than the {MAX_TEXT_BYTES} that are accepted")]
    TooLong(usize),
    /// More terms and constants than [`MAX_TERMS`].
    #[error("more than the {MAX_TERMS} terms and constants that are accepted")]
    TooManyTerms,
    /// Parentheses nested deeper than [`MAX_NESTING`].
    #[error(
        "at character {position}: nested deeper than the {MAX_NESTING} levels that are accepted"
    )]
    TooDeep {
        /// Where.
        position: usize,
    },
}
