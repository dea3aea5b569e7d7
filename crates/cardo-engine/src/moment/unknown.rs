//! What of a past twin nobody knows any more: entities that may have been others at the moment than
//! what their histories, cut off behind it, still tell. They are left out, and who asks for them or for
//! their types is refused; everything else is answered.
//!
//! An entity counts as of the types that it has now, or had when it was deleted.

use std::collections::HashSet;
use std::sync::Arc;

use cardo_model::{Iri, NameId, Names, Record, Timestamp};
use cardo_query::Filter;
use hashbrown::HashMap;

use crate::live::{Root, TypeIndex};
use crate::query::QueryError;
use crate::snapshot::Snapshot;

/// What is not known of a moment.
#[derive(Debug)]
pub(crate) struct Unknown {
    moment: Timestamp,
    rules: Vec<ByRule>,
}

/// What is not known by one rule of retention.
#[derive(Debug)]
struct ByRule {
    /// The type that the rule names.
    type_name: Option<Iri>,
    since: Timestamp,
    ids: HashSet<Box<str>>,
    types: HashSet<NameId>,
}

impl Unknown {
    pub(super) fn of(moment: Timestamp) -> Self {
        Self { moment, rules: Vec::new() }
    }

    /// Takes in an entity that is known since a time only, by the rule that names a type.
    pub(super) fn take(
        &mut self,
        id: &str,
        types: Vec<NameId>,
        (since, type_name): (Timestamp, Option<Iri>),
    ) {
        let is_same = |rule: &ByRule| rule.since == since && rule.type_name == type_name;
        let at = self.rules.iter().position(is_same);
        let at = at.unwrap_or_else(|| {
            let (ids, types) = (HashSet::new(), HashSet::new());
            self.rules.push(ByRule { type_name, since, ids, types });
            self.rules.len() - 1
        });
        self.rules[at].ids.insert(id.into());
        self.rules[at].types.extend(types);
    }

    /// This where there is anything.
    pub(super) fn any(self) -> Option<Arc<Self>> {
        (!self.rules.is_empty()).then(|| Arc::new(self))
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        const BESIDE: usize = 32;
        let ids = self.rules.iter().flat_map(|rule| &rule.ids);
        ids.map(|id| id.len() + BESIDE).sum()
    }

    fn error(&self, rule: &ByRule) -> QueryError {
        let type_name = rule.type_name.clone();
        QueryError::Forgotten { moment: self.moment, since: rule.since, type_name }
    }

    fn check(&self, filter: &Filter, names: &Names) -> Result<(), QueryError> {
        let found = self.rules.iter().find(|rule| rule.may_match(filter, names));
        found.map_or(Ok(()), |rule| Err(self.error(rule)))
    }

    fn check_id(&self, id: &str) -> Result<(), QueryError> {
        let found = self.rules.iter().find(|rule| rule.ids.contains(id));
        found.map_or(Ok(()), |rule| Err(self.error(rule)))
    }

    /// The indexes of types of which a past twin has nothing that is known, as they are now, so that it
    /// is known that there are such types and how they look.
    pub(super) fn types(&self, now: &Root, past: &Root) -> HashMap<NameId, Arc<TypeIndex>> {
        let names = self.rules.iter().flat_map(|rule| &rule.types);
        let missing = names.filter(|name| !past.types.contains_key(*name));
        missing.filter_map(|name| Some((*name, now.types.get(name)?.clone()))).collect()
    }
}

impl ByRule {
    /// Whether something that is not known may meet a condition.
    fn may_match(&self, filter: &Filter, names: &Names) -> bool {
        match filter {
            Filter::False => false,
            Filter::Type(name) => {
                names.id(name.as_str()).is_some_and(|id| self.types.contains(&id))
            }
            Filter::Ids(ids) => ids.iter().any(|id| self.ids.contains(id.as_str())),
            Filter::And(parts) => parts.iter().all(|part| self.may_match(part, names)),
            Filter::Or(parts) => parts.iter().any(|part| self.may_match(part, names)),
            _ => true,
        }
    }
}

impl Snapshot {
    /// Refuses a question for entities of which nobody knows any more what they were at the moment of a
    /// past twin. Questions that the engine answers are judged by it anyway.
    pub fn check(&self, filter: &Filter) -> Result<(), QueryError> {
        self.unknown.as_ref().map_or(Ok(()), |unknown| unknown.check(filter, &self.names))
    }

    /// The entity of this id as [`Snapshot::retrieve`] gives it, or why nobody knows it any more.
    pub fn look_up(&self, id: &str) -> Result<Option<Record>, QueryError> {
        if let Some(unknown) = &self.unknown {
            unknown.check_id(id)?;
        }
        Ok(self.retrieve(id))
    }
}
