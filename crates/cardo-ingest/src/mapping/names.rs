//! Short names in full.

use std::collections::BTreeMap;
use std::sync::Arc;

use cardo_jsonld::{Context, DEFAULT_VOCAB, expand_vocab};
use cardo_model::{Iri, JsonText};
use serde_json::value::RawValue;

use super::MappingError;
use super::file::FullName;
use crate::naming;

/// The terms of a mapping and, behind them, a context.
#[derive(Clone, Debug)]
pub(crate) struct NameSpace {
    terms: BTreeMap<String, FullName>,
    context: Arc<Context>,
}

impl NameSpace {
    pub(crate) fn new(terms: BTreeMap<String, FullName>, context: Arc<Context>) -> Self {
        Self { terms, context }
    }

    /// The full name of a type.
    pub(crate) fn type_name(&self, name: &str) -> Result<Iri, MappingError> {
        self.expand(name).ok_or_else(|| MappingError::Name(name.to_owned()))
    }

    /// The full name of an attribute; members of entities and attributes are none.
    pub(crate) fn attribute(&self, name: &str) -> Result<Iri, MappingError> {
        let iri = self.expand(name).filter(|_| naming::reserved(name).is_none());
        iri.ok_or_else(|| MappingError::Name(name.to_owned()))
    }

    /// The terms of a vocabulary, one or a list, in full.
    pub(crate) fn vocab(&self, json: &JsonText) -> Result<JsonText, String> {
        let raw: &RawValue = serde_json::from_str(json.as_str()).map_err(|e| e.to_string())?;
        expand_vocab(raw, &self.context).map_err(|error| error.to_string())
    }

    fn expand(&self, name: &str) -> Option<Iri> {
        if let Some(FullName(iri)) = self.terms.get(name) {
            return Some(iri.clone());
        }
        let iri = self.context.expand_term(name)?;
        if iri.starts_with('@') {
            return None;
        }
        Iri::new(iri).ok()
    }
}

/// The name of a type as it stands in ids: the last part of a full name.
pub(crate) fn short_type(name: &str) -> &str {
    let name = name.strip_prefix(DEFAULT_VOCAB).unwrap_or(name);
    name.rsplit(['/', '#', ':']).find(|part| !part.is_empty()).unwrap_or(name)
}
