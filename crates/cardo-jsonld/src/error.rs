use std::sync::Arc;

/// Why a context cannot be used.
///
/// All of these are faults of the context itself; a document that cannot be fetched is the
/// matter of the caller, who fetches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// A document is not JSON.
    #[error("the context document {url} is not JSON: {reason}")]
    NotJson {
        /// Where the document came from.
        url: Arc<str>,
        /// What the parser says.
        reason: String,
    },
    /// A document has no `@context` member.
    #[error("the document {0} has no @context member")]
    NoContext(Arc<str>),
    /// Neither URL, object, array of these nor null.
    #[error("{0} is not a context: a URL, an object or an array of these is expected")]
    NotAContext(String),
    /// The address of a context is no absolute HTTP URL.
    #[error("{0:?} is not the address of a context: an http or https URL is expected")]
    InvalidUrl(String),
    /// A context that includes itself.
    #[error("the context {0} includes itself")]
    Cyclic(Arc<str>),
    /// More than a limit allows.
    #[error("{what}: more than the {limit} that are accepted")]
    TooLarge {
        /// What there is too much of, naming the URL where there is one.
        what: String,
        /// The limit.
        limit: usize,
    },
    /// A keyword of the context with a value it may not have.
    #[error("{keyword} may not be {value} in a context")]
    InvalidKeyword {
        /// Such as `@vocab`.
        keyword: String,
        /// The value found.
        value: String,
    },
    /// A keyword defined as a term.
    #[error("the keyword {0:?} may not be redefined")]
    KeywordRedefinition(String),
    /// Terms that are defined by one another.
    #[error("the term {0:?} is defined by itself")]
    CyclicDefinition(String),
    /// A definition that JSON-LD does not allow.
    #[error("the definition of the term {term:?} is invalid: {reason}")]
    InvalidTerm {
        /// The term.
        term: String,
        /// What is wrong.
        reason: String,
    },
    /// A term with a context of its own (clause 5.5.7).
    #[error("the term {0:?} has a scoped context, which a user context may not contain")]
    ScopedContext(String),
    /// A term that an earlier context protects.
    #[error("the term {0:?} is protected and may not be redefined")]
    Protected(String),
}

/// Cuts a value that an error quotes.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 120;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
