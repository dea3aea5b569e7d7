//! Tables of what context sources have, so that faces that show a twin as tables show it all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cardo_model::Iri;
use cardo_query::Filter;

use super::index::Registrations;
use crate::caller::Caller;
use crate::engine::Inner;
use crate::query::QueryError;
use crate::snapshot::Snapshot;
use crate::tables::Tables;
use crate::twin::Twin;

/// So many entities of a source tell which attributes its types have.
const SAMPLE: usize = 200;
/// How long sources are not asked again for that.
const FRESH: Duration = Duration::from_secs(30);

/// Tables that were made with what sources have.
pub(crate) struct FarTables {
    registrations: Arc<Registrations>,
    shape: u64,
    lineage: u64,
    since: Instant,
    tables: Arc<Tables>,
}

impl Inner {
    /// The tables of a twin together with its sources; `None` where it has none, or the caller sees a
    /// part only.
    pub(crate) async fn far_tables(
        self: &std::sync::Arc<Self>,
        caller: &Caller,
        twin: &Twin,
        snapshot: &Snapshot,
    ) -> Result<Option<Arc<Tables>>, QueryError> {
        if !caller.reach.is_far() || caller.view.restriction().is_some() {
            return Ok(None);
        }
        let registrations = twin.registrations();
        if registrations.is_empty() {
            return Ok(None);
        }
        let (shape, lineage) = (snapshot.root.shape, snapshot.root.lineage);
        if let Some(made) = &*twin.far_tables.load()
            && (made.shape, made.lineage) == (shape, lineage)
            && Arc::ptr_eq(&made.registrations, &registrations)
            && made.since.elapsed() < FRESH
        {
            return Ok(Some(made.tables.clone()));
        }
        let Some(gathered) = self.gather(caller, &any_of(&registrations), SAMPLE).await? else {
            return Ok(None);
        };
        let completed = self.with_gathered(snapshot, gathered).await?;
        let tables = Arc::new(Tables::of(&completed.root, &self.names, &self.options.terms));
        let since = Instant::now();
        let made = FarTables { registrations, shape, lineage, since, tables: tables.clone() };
        twin.far_tables.store(Some(Arc::new(made)));
        Ok(Some(tables))
    }
}

/// Entities of any type that is registered.
fn any_of(registrations: &Registrations) -> Filter {
    let mut types: Vec<&Iri> = registrations
        .iter()
        .flat_map(|registration| &registration.information)
        .flat_map(|information| &information.entities)
        .flat_map(|entity| &entity.types)
        .collect();
    types.sort_unstable();
    types.dedup();
    Filter::Or(types.into_iter().cloned().map(Filter::Type).collect())
}
