use cardo_jsonld::Context;
use cardo_model::Iri;
use cardo_query::{InvalidName, NamePrinter, NameResolver};

use crate::parse::expand_name;

/// Names in queries mean what the context of the request says (clause 5.5.7).
#[derive(Clone, Copy)]
pub(crate) struct ContextNames<'a>(pub(crate) &'a Context);

impl ContextNames<'_> {
    pub(crate) fn name(self, term: &str) -> Result<Iri, InvalidName> {
        expand_name(term, self.0).map_err(|error| InvalidName::new(term, error.to_string()))
    }
}

impl NameResolver for ContextNames<'_> {
    fn attribute(&self, term: &str) -> Result<Iri, InvalidName> {
        self.name(term)
    }

    fn type_name(&self, term: &str) -> Result<Iri, InvalidName> {
        self.name(term)
    }

    fn value_key(&self, term: &str) -> Box<str> {
        self.0.expand_member(term).into()
    }
}

impl NamePrinter for ContextNames<'_> {
    /// Names without a term hold characters that divide a query.
    fn attribute_term(&self, name: &Iri) -> Option<String> {
        let term = self.0.compact_iri(name.as_str());
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        (!term.is_empty() && term.chars().all(is_plain)).then(|| term.into_owned())
    }

    fn type_term(&self, name: &Iri) -> Option<String> {
        Some(self.0.compact_iri(name.as_str()).into_owned())
    }
}
