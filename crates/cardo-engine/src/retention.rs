//! How long history is kept, by tenant and by type.

use std::sync::Arc;
use std::time::Duration;

use cardo_model::{InvalidIri, Iri, NameId, Names, Timestamp, TwinId};

use crate::engine::Inner;
use crate::live::Root;
use crate::ports::Cuts;
use crate::query::QueryError;

/// How long history is kept: the first rule that fits an entity holds for it; where none does, its
/// history stays for ever and outlives it.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    /// The rules.
    pub rules: Vec<RetentionRule>,
}

/// A rule for the histories of some entities.
#[derive(Clone, Debug, Default)]
pub struct RetentionRule {
    /// Only of this tenant.
    pub tenant: Option<Box<str>>,
    /// Only of entities with this type.
    pub type_name: Option<Iri>,
    /// How long what was stays; for ever where not given.
    pub keep: Option<Duration>,
    /// Whether the history of an entity is deleted with it.
    pub with_entity: bool,
}

impl RetentionRule {
    /// The same for entities of one type alone, by its full name.
    pub fn of_type(self, name: &str) -> Result<Self, InvalidIri> {
        Ok(Self { type_name: Some(Iri::new(name.to_owned())?), ..self })
    }
}

impl Retention {
    fn of_tenant(&self, twin: &TwinId) -> impl Iterator<Item = &RetentionRule> {
        self.rules
            .iter()
            .filter(|rule| rule.tenant.as_deref().is_none_or(|tenant| tenant == twin.tenant()))
    }

    /// Whether the history of an entity of these types is deleted with it.
    pub(crate) fn is_deleted_with(&self, twin: &TwinId, names: &Names, types: &[NameId]) -> bool {
        let fits = |rule: &&RetentionRule| {
            let id = |name: &Iri| names.id_or_unknown(name.as_str());
            rule.type_name.as_ref().is_none_or(|name| types.contains(&id(name)))
        };
        self.of_tenant(twin).find(fits).is_some_and(|rule| rule.with_entity)
    }

    fn cuts_any(&self, twin: &TwinId) -> bool {
        self.of_tenant(twin).any(|rule| rule.keep.is_some())
    }
}

/// The cuts of one twin at one moment.
pub(crate) struct CutsOf {
    root: Arc<Root>,
    rules: Vec<(Option<NameId>, Option<Timestamp>)>,
}

impl CutsOf {
    /// Where the history of an entity is cut off, and the type that the rule names.
    pub(crate) fn cut(&self, entity: &str) -> Option<(Timestamp, Option<NameId>)> {
        let types = self.types(entity);
        let fits = |name: &Option<NameId>| name.is_none_or(|name| types.contains(&name));
        let (name, cut) = self.rules.iter().find(|(name, _)| fits(name))?;
        Some(((*cut)?, *name))
    }

    /// The types of an entity, or those that it had when it was deleted.
    pub(crate) fn types(&self, entity: &str) -> Vec<NameId> {
        let record = self.root.slot(entity).and_then(|slot| self.root.record(slot));
        match record {
            Some(record) => record.view().types().collect(),
            None => self.root.pasts.get(entity).map_or(Vec::new(), |past| past.types.clone()),
        }
    }
}

impl Cuts for CutsOf {
    fn latest(&self) -> Timestamp {
        let all = self.rules.iter().filter_map(|(_, cut)| *cut);
        all.max().unwrap_or(Timestamp::from_micros(i64::MIN))
    }

    fn of(&self, entity: &str) -> Option<Timestamp> {
        self.cut(entity).map(|(cut, _)| cut)
    }
}

impl Inner {
    /// Drops from all histories what is older than it is to be kept.
    pub(crate) async fn prune(self: &Arc<Self>) -> Result<(), QueryError> {
        let retention = &self.options.retention;
        for id in self.store.twins().await? {
            // A snapshot keeps what it was made of for as long as it lives.
            if self.is_closed() || !id.is_main() || !retention.cuts_any(&id) {
                continue;
            }
            let twin = self.twin(&id).await?;
            let now = (self.options.clock)();
            let Some(cuts) = self.cuts_of(&id, &twin.root.load_full()) else { continue };
            self.store.prune(&id, now, Arc::new(cuts)).await?;
        }
        Ok(())
    }

    /// Where the histories of a twin are cut off by now; none where they never are.
    pub(crate) fn cuts_of(&self, twin: &TwinId, root: &Arc<Root>) -> Option<CutsOf> {
        let retention = &self.options.retention;
        if !retention.cuts_any(twin) {
            return None;
        }
        let now = (self.options.clock)();
        let cut = |keep: Duration| {
            let micros = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
            now.plus_micros(micros.saturating_neg())
        };
        let rules = retention.of_tenant(twin).map(|rule| {
            let name = rule.type_name.as_ref();
            (name.map(|name| self.names.id_or_unknown(name.as_str())), rule.keep.map(cut))
        });
        Some(CutsOf { root: root.clone(), rules: rules.collect() })
    }
}
