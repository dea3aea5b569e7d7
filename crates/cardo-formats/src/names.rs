//! Field names, shared between the records of a source.

use std::{collections::HashSet, sync::Arc};

/// Distinct names kept; a source with more gets its names unshared.
const CAPACITY: usize = 4096;

/// The field names met so far.
#[derive(Debug, Default)]
pub(crate) struct Names(HashSet<Arc<str>>);

impl Names {
    pub(crate) fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        if self.0.len() < CAPACITY {
            self.0.insert(Arc::clone(&name));
        }
        name
    }
}
