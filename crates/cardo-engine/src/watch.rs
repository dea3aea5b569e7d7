use std::sync::Arc;

use cardo_model::Record;
use cardo_query::{Filter, Resolved, evaluate};

use crate::caller::Caller;
use crate::engine::Inner;
use crate::links::Looks;
use crate::plan::resolve;
use crate::snapshot::visible;

/// Judges entities of a log, as they are and as they were, for one who follows it: by the one
/// evaluator, and within what they may see. Entities that they lead to are looked at as they are now.
pub struct Watch {
    inner: Arc<Inner>,
    caller: Caller,
    /// What can be decided by the entity itself.
    own: Filter,
    /// What needs others.
    linked: Option<Filter>,
    resolved: Resolved,
    /// Names that were unknown may have become known since, so the condition is made anew when
    /// there are more.
    known_names: usize,
}

impl Watch {
    pub(crate) fn new(inner: Arc<Inner>, caller: Caller, filter: Filter) -> Self {
        let (own, linked) = divide(filter);
        let known_names = inner.names.len();
        let resolved = resolve(&own, &caller.view, &inner.names);
        Self { inner, caller, own, linked, resolved, known_names }
    }

    /// The entity as the one who watches sees it, where it meets the condition.
    pub fn judge(&mut self, record: &Record) -> Option<Record> {
        let (names, view) = (&self.inner.names, &self.caller.view);
        if names.len() != self.known_names {
            self.known_names = names.len();
            self.resolved = resolve(&self.own, view, names);
        }
        if !evaluate(&self.resolved, &record.view()) {
            return None;
        }
        let visible = visible(record, view, names);
        let is_met = self.linked.as_ref().is_none_or(|linked| self.leads(linked, &visible));
        is_met.then_some(visible)
    }

    fn leads(&self, linked: &Filter, record: &Record) -> bool {
        let Some(twin) = self.inner.loaded(&self.caller.twin) else { return false };
        let snapshot = self.inner.snapshot_of(&twin, &self.caller);
        Looks::default().meets(&snapshot, linked, record)
    }
}

/// The parts of a condition that look at the entity alone, and those that look at others.
fn divide(filter: Filter) -> (Filter, Option<Filter>) {
    if !filter.has_links() {
        return (filter, None);
    }
    let Filter::And(parts) = filter else { return (Filter::True, Some(filter)) };
    let (linked, own): (Vec<_>, Vec<_>) = parts.into_iter().partition(Filter::has_links);
    (Filter::And(own), Some(Filter::And(linked)))
}
