use std::sync::Arc;

use cardo_model::{Names, Record};
use cardo_query::{Filter, Resolved, evaluate};

use crate::caller::View;
use crate::plan::resolve;
use crate::snapshot::visible;

/// Judges entities of a log, as they are and as they were, for one who follows it: by the one
/// evaluator, and within what they may see.
pub struct Watch {
    names: Arc<Names>,
    view: View,
    filter: Filter,
    resolved: Resolved,
    /// Names that were unknown may have become known since, so the condition is made anew when
    /// there are more.
    known_names: usize,
}

impl Watch {
    pub(crate) fn new(names: Arc<Names>, view: View, filter: Filter) -> Self {
        let known_names = names.len();
        let resolved = resolve(&filter, &view, &names);
        Self { names, view, filter, resolved, known_names }
    }

    /// The entity as the one who watches sees it, where it meets the condition.
    pub fn judge(&mut self, record: &Record) -> Option<Record> {
        if self.names.len() != self.known_names {
            self.known_names = self.names.len();
            self.resolved = resolve(&self.filter, &self.view, &self.names);
        }
        let matches = evaluate(&self.resolved, &record.view());
        matches.then(|| visible(record, &self.view, &self.names))
    }
}
