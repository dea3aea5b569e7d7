use cardo_engine::Registration;
use cardo_model::Iri;
use cardo_query::{InvalidName, NameResolver};

use crate::operations::ContextNames;

/// Names in conditions on sources: the members of a registration have their own meaning, whatever
/// the context says (clause 4.9); all else is meant in it.
pub(crate) struct SourceNames<'a>(pub(crate) ContextNames<'a>);

impl NameResolver for SourceNames<'_> {
    fn attribute(&self, term: &str) -> Result<Iri, InvalidName> {
        if !Registration::MEMBERS.contains(&term) {
            return self.0.attribute(term);
        }
        let iri = Iri::new(format!("https://uri.etsi.org/ngsi-ld/{term}"));
        iri.map_err(|error| InvalidName::new(term, error.to_string()))
    }

    fn type_name(&self, term: &str) -> Result<Iri, InvalidName> {
        self.0.type_name(term)
    }

    fn value_key(&self, term: &str) -> Box<str> {
        self.0.value_key(term)
    }
}
