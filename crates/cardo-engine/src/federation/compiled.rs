use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::index::Registrations;
use super::registration::Registration;

type Documents = Arc<BTreeMap<Arc<str>, Arc<str>>>;

/// The registrations of a twin with the documents that they were made of.
pub(crate) struct Compiled {
    documents: Documents,
    pub(crate) registrations: Arc<Registrations>,
}

impl Compiled {
    /// Whether it is made of these documents.
    pub(crate) fn is_of(&self, documents: &Documents) -> bool {
        Arc::ptr_eq(&self.documents, documents)
    }

    /// Reads the documents; what was read before of the same text is taken over.
    pub(crate) fn new(documents: &Documents, before: Option<&Self>) -> Self {
        let all = documents.iter().filter_map(|(id, text)| {
            let known = before.and_then(|before| {
                Some((before.documents.get(id)?, before.registrations.get(id)?))
            });
            if let Some((_, known)) = known.filter(|(known_text, _)| Arc::ptr_eq(known_text, text))
            {
                return Some(known.clone());
            }
            let mut registration = read(id, text)?;
            if let Some((_, known)) = known {
                registration.progress = known.progress.clone();
            }
            Some(Arc::new(registration))
        });
        let registrations = Arc::new(Registrations::new(all.collect()));
        Self { documents: documents.clone(), registrations }
    }
}

fn read(id: &str, text: &str) -> Option<Registration> {
    let members: Map<String, Value> = serde_json::from_str(text).ok()?;
    let members = members.get("registration")?.as_object()?;
    Registration::read(members)
        .inspect_err(|error| tracing::warn!(id, %error, "a registration cannot be read"))
        .ok()
}
