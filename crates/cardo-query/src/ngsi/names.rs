use cardo_model::Iri;

/// A name that cannot be expanded, or not used where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the name {name:?} {reason}")]
pub struct InvalidName {
    name: String,
    reason: String,
}

impl InvalidName {
    /// The name is quoted in front of the reason, which goes on from it: "is not an IRI".
    pub fn new(name: &str, reason: impl Into<String>) -> Self {
        Self { name: name.chars().take(120).collect(), reason: reason.into() }
    }
}

/// Expands the short names of a request with its `@context` (clause 5.5.7).
pub trait NameResolver {
    /// The full name of an attribute.
    fn attribute(&self, term: &str) -> Result<Iri, InvalidName>;

    /// The full name of an entity type.
    fn type_name(&self, term: &str) -> Result<Iri, InvalidName>;

    /// The key under which a member of a compound value is held: the same expansion that values go
    /// through when they are taken in.
    fn value_key(&self, term: &str) -> Box<str>;
}

/// Compacts full names with the `@context` of a request: the inverse of [`NameResolver`].
pub trait NamePrinter {
    /// A term that expands to the attribute, where there is one.
    fn attribute_term(&self, name: &Iri) -> Option<String>;

    /// A term that expands to the entity type, where there is one.
    fn type_term(&self, name: &Iri) -> Option<String>;
}
