//! Linked entities (clause 4.5.23): one question a level, all as of one revision.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cardo_engine::{Caller, EntityQuery, Order, PageRequest, PageStart, Snapshot};
use cardo_model::{EntityId, Record};
use cardo_query::Filter;

use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::represent::{Join, JoinStyle, Shape, targets};

/// Entities by their ids.
type Found = HashMap<Box<str>, Record>;

/// An entity and how it is written.
pub(crate) type Shaped = (Record, Shape);

impl Shape {
    /// How linked entities are wanted, where they are.
    pub(crate) fn join(&self) -> Option<&Arc<Join>> {
        self.special.as_ref()?.join.as_ref()
    }

    /// How an entity is written that stands in no other.
    pub(crate) fn outermost(&self, record: &Record) -> Option<Self> {
        self.join().filter(|join| join.style == JoinStyle::Inline)?;
        Some(self.within(&[], record.view().id()))
    }
}

impl Face {
    /// Finds what the entities of an answer lead to. Inline it is put into the join of the shape;
    /// else it is what stands behind the entities.
    pub(crate) async fn linked(
        &self,
        caller: &Caller,
        snapshot: &Snapshot,
        roots: &[Record],
        shape: &Shape,
    ) -> Result<Vec<Shaped>, Fault> {
        let Some(join) = shape.join() else { return Ok(Vec::new()) };
        let are_behind = join.style == JoinStyle::Flat;
        let (found, behind) = self.walk(caller, snapshot, roots, shape, are_behind).await?;
        join.fill(found);
        Ok(behind)
    }

    /// The linked entities by themselves, however an answer would show them.
    pub(crate) async fn linked_apart(
        &self,
        caller: &Caller,
        snapshot: &Snapshot,
        roots: &[Record],
        shape: &Shape,
    ) -> Result<Vec<Shaped>, Fault> {
        Ok(self.walk(caller, snapshot, roots, shape, true).await?.1)
    }

    /// Walks level by level: all that is found, and what is linked, where it stands apart.
    async fn walk(
        &self,
        caller: &Caller,
        snapshot: &Snapshot,
        roots: &[Record],
        shape: &Shape,
        stands_apart: bool,
    ) -> Result<(Found, Vec<Shaped>), Fault> {
        let Some(join) = shape.join() else { return Ok((Found::new(), Vec::new())) };
        let id_of = |record: &Record| Box::<str>::from(record.view().id());
        let mut found: Found = roots.iter().map(|record| (id_of(record), record.clone())).collect();
        let mut walked: HashSet<(Box<str>, usize)> = HashSet::new();
        let mut appended: HashSet<Box<str>> = found.keys().cloned().collect();
        let mut behind = Vec::new();
        let mut level: Vec<Shaped> =
            roots.iter().map(|record| (record.clone(), shape.clone())).collect();
        for _ in 0..join.levels {
            let next = next_level(&level, join, &mut walked);
            self.find(caller, snapshot, &next, &mut found, join.most).await?;
            let met = next.into_iter().filter_map(|(id, shape)| {
                let record = found.get(&id)?.clone();
                Some((record, shape))
            });
            level = met.collect();
            for (record, shape) in &level {
                if stands_apart && appended.insert(id_of(record)) {
                    if !join.has_room(record) {
                        return Err(too_many(join.most));
                    }
                    behind.push((record.clone(), shape.clone()));
                }
            }
        }
        Ok((found, behind))
    }

    /// Finds the entities of a level that are not known yet.
    async fn find(
        &self,
        caller: &Caller,
        snapshot: &Snapshot,
        wanted: &[(Box<str>, Shape)],
        found: &mut Found,
        most: usize,
    ) -> Result<(), Fault> {
        let missing: HashSet<&str> =
            wanted.iter().map(|(id, _)| &**id).filter(|id| !found.contains_key(*id)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if missing.len() + found.len() > most {
            return Err(too_many(most));
        }
        let ids: Vec<EntityId> =
            missing.into_iter().filter_map(|id| EntityId::new(id.to_owned()).ok()).collect();
        let query = EntityQuery {
            page: PageRequest { limit: ids.len(), start: PageStart::Offset(0) },
            filter: Filter::Ids(ids),
            order: Order::default(),
            count: false,
        };
        let page = self.engine.query_in(caller, snapshot, &query).await?;
        let pairs = page.entities.into_iter().map(|record| (record.view().id().into(), record));
        found.extend(pairs);
        Ok(())
    }
}

/// What the relationships lead to that are shown, each once for each way in which it is written.
fn next_level(
    level: &[Shaped],
    join: &Join,
    walked: &mut HashSet<(Box<str>, usize)>,
) -> Vec<(Box<str>, Shape)> {
    let mut next = Vec::new();
    for (record, shape) in level {
        let record = record.view();
        for attribute in record.attributes() {
            if !shape.members.has_attribute(attribute.name()) {
                continue;
            }
            let below = shape.below(attribute.name());
            let form = below.special.as_ref().map_or(0, |special| Arc::as_ptr(special) as usize);
            let shown = attribute.instances().filter(|i| shape.datasets.has(i.dataset_id()));
            for id in shown.flat_map(|instance| targets(&instance)) {
                if !join.known.contains(id) && walked.insert((id.into(), form)) {
                    next.push((id.into(), below.clone()));
                }
            }
        }
    }
    next
}

pub(crate) fn too_many(most: usize) -> Fault {
    let detail = format!(
        "the answer would hold more than {most} linked entities or 64 MB of them: ask for fewer entities, fewer \
         levels, or pick the relationships that are followed"
    );
    Fault::new(NgsildError::TooManyResults, detail)
}
