//! What each operation does to the private next root, and the change records it leaves behind.

mod edit;
mod entities;
mod ingest;
mod merge;
mod temporal;

use cardo_model::{
    DocumentChange, EntityChange, EntityId, Iri, NameId, Names, Record, Revision, Seq, Timestamp,
    TwinId,
};

use crate::live::Root;
use crate::operation::{Done, Operation, OperationError};
use crate::retention::Retention;

/// The largest entity that is kept, in bytes of its record.
const MAX_RECORD_BYTES: usize = 4 << 20;

/// One revision in the making: the next root, and what has changed so far.
pub(crate) struct Revising<'a> {
    pub(crate) root: &'a mut Root,
    pub(crate) names: &'a Names,
    pub(crate) time: Timestamp,
    pub(crate) revision: Revision,
    pub(crate) changes: Vec<EntityChange>,
    /// Parallel to `changes`: the entity behind each.
    pub(crate) entities: Vec<Option<Record>>,
    pub(crate) documents: Vec<DocumentChange>,
    /// Of which twin it is, and how long the histories in it are kept.
    pub(crate) twin: &'a TwinId,
    pub(crate) retention: &'a Retention,
}

impl Revising<'_> {
    /// Applies one operation; an error leaves the root as it was.
    pub(crate) fn apply(&mut self, operation: Operation<NameId>) -> Result<Done, OperationError> {
        match operation {
            Operation::Create(entity) => self.create(entity),
            Operation::Replace(entity) => self.replace(entity),
            Operation::CreateOrReplace(entity) => self.create_or_replace(entity),
            Operation::CreateOrUpdate(entity) => self.create_or_update(entity),
            Operation::Merge { id, fragment, options } => self.merge(&id, fragment, &options),
            Operation::Append { id, types, scopes, attributes, expires_at, no_overwrite } => {
                self.append(&id, (&types, scopes, expires_at), attributes, no_overwrite)
            }
            Operation::Update { id, fragment } => self.update(&id, fragment),
            Operation::PartialUpdate { id, name, fragment } => {
                self.partial_update(&id, name, fragment)
            }
            Operation::ReplaceAttribute { id, name, instance } => {
                self.replace_attribute(&id, name, instance)
            }
            Operation::DeleteAttribute { id, name, which } => {
                self.delete_attribute(&id, name, &which)
            }
            Operation::Delete(id) => self.delete_as_asked(&id),
            Operation::Record { id, types, scopes, attributes, must_exist } => {
                self.record(id, &types, scopes, attributes, must_exist)
            }
            Operation::AmendInstance { id, name, dataset_id, line, by, .. } => {
                let by = by.map(|instance| *instance);
                self.amend_instance(id, (name, dataset_id), line, by)
            }
            Operation::ForgetAttribute { id, name, which } => {
                self.forget_attribute(id, name, which)
            }
            Operation::ForgetHistory(id) => self.forget_history(&id),
            Operation::Ingest(entity) => self.ingest(entity),
            Operation::Document(change) => Ok(self.document(change)),
            Operation::Expire(id) => self.expire(&id),
        }
    }

    fn find(&self, id: &EntityId) -> Result<(u32, Record), OperationError> {
        let slot = self.root.slot(id.as_str());
        slot.and_then(|slot| Some((slot, self.root.record(slot)?.clone())))
            .ok_or_else(|| OperationError::NotFound(id.clone()))
    }

    fn next_seq(&self) -> Seq {
        Seq::new(self.revision, u32::try_from(self.changes.len()).unwrap_or(u32::MAX))
    }

    fn name(&self, id: NameId) -> Iri {
        self.names.name(id).expect("names are learnt before operations use their ids")
    }

    fn push(&mut self, change: EntityChange, entity: Option<Record>) {
        self.changes.push(change);
        self.entities.push(entity);
    }

    fn document(&mut self, change: DocumentChange) -> Done {
        let before = self.root.document(&change.kind, &change.id);
        if before.as_deref() == change.body.as_deref() {
            return Done::Unchanged;
        }
        let done = match (&before, &change.body) {
            (None, _) => Done::Created,
            (Some(_), Some(_)) => Done::Updated { updated: Vec::new(), not_updated: Vec::new() },
            (Some(_), None) => Done::Deleted,
        };
        self.root.put_document(&change);
        self.documents.push(change);
        done
    }
}

fn check_size(record: &Record) -> Result<(), OperationError> {
    let size = record.as_bytes().len();
    if size > MAX_RECORD_BYTES {
        return Err(OperationError::TooLarge(format!(
            "entity {} would take {size} bytes, more than the {MAX_RECORD_BYTES} that are kept",
            record.view().id()
        )));
    }
    Ok(())
}
