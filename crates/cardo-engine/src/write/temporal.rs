use cardo_model::{
    Amendment, Attribute, Entity, EntityChange, EntityId, Instance, InstanceChange, Iri, NameId,
    Record, RecordHeader, Revision, Scope, Seq, Timestamp, encode_instance,
};

use super::edit::{stamp, stamp_all};
use super::{Revising, check_size};
use crate::live::Past;
use crate::operation::{Done, OperationError, WhichInstances};

impl Revising<'_> {
    /// Clauses 5.6.11 and 5.6.12.
    pub(super) fn record(
        &mut self,
        id: EntityId,
        types: &[NameId],
        scopes: Vec<(Option<Timestamp>, Vec<Scope>)>,
        attributes: Vec<Attribute<NameId>>,
        must_exist: bool,
    ) -> Result<Done, OperationError> {
        let known = self.known(&id);
        if known.is_none() && must_exist {
            return Err(OperationError::NotFound(id));
        }
        let (seq, known_types) = known.clone().unwrap_or_else(|| (self.next_seq(), Vec::new()));
        let all_types = union(&known_types, types);
        if all_types.is_empty() {
            return Err(OperationError::NoType(id));
        }
        let mut heads = Vec::with_capacity(scopes.len());
        for (since, scopes) in scopes {
            heads.push(self.head(&id, seq, &all_types, since, scopes)?);
        }
        if heads.is_empty() && all_types.len() > known_types.len() {
            heads.push(self.head(&id, seq, &all_types, None, Vec::new())?);
        }
        self.note_types(&id, seq, all_types);
        let instances: Vec<InstanceChange> =
            attributes.into_iter().flat_map(|attribute| self.readings(attribute)).collect();
        let entity = self.current(&id);
        for head in heads {
            self.push(head, entity.clone());
        }
        if !instances.is_empty() {
            self.push(EntityChange::Observed { seq, id, instances }, entity);
        }
        Ok(if known.is_none() { Done::Created } else { Done::HistoryOnly })
    }

    /// Clauses 5.6.14 and 5.6.15.
    pub(super) fn amend_instance(
        &mut self,
        id: EntityId,
        (name, dataset_id): (NameId, Option<Iri>),
        (revision, ordinal): (Revision, u32),
        by: Option<Instance<NameId>>,
    ) -> Result<Done, OperationError> {
        let is = by.map(|mut instance| {
            instance.modified_at = self.time;
            stamp_all(&mut instance.attributes, self.time);
            encode_instance(&instance)
        });
        self.amend(id, Amendment::Instance { name, dataset_id, revision, ordinal, is })
    }

    /// Clause 5.6.13.
    pub(super) fn forget_attribute(
        &mut self,
        id: EntityId,
        name: NameId,
        which: WhichInstances,
    ) -> Result<Done, OperationError> {
        let amendment = match which {
            WhichInstances::All => Amendment::Attribute(name),
            WhichInstances::Default => Amendment::Dataset { name, dataset_id: None },
            WhichInstances::Dataset(id) => Amendment::Dataset { name, dataset_id: Some(id) },
        };
        self.amend(id, amendment)
    }

    /// Clause 5.6.16.
    pub(super) fn forget_history(&mut self, id: &EntityId) -> Result<Done, OperationError> {
        self.amend(id.clone(), Amendment::Everything)?;
        self.forget_past(id);
        Ok(Done::Deleted)
    }

    fn amend(&mut self, id: EntityId, amendment: Amendment) -> Result<Done, OperationError> {
        let Some((seq, _)) = self.known(&id) else { return Err(OperationError::NotFound(id)) };
        let entity = self.current(&id);
        self.push(EntityChange::Amended { seq, id, amendment }, entity);
        Ok(Done::HistoryOnly)
    }

    /// The place and the types of an entity of which something is known.
    fn known(&self, id: &EntityId) -> Option<(Seq, Vec<NameId>)> {
        if let Some(record) = self.current(id) {
            return Some((record.view().seq(), record.view().types().collect()));
        }
        self.root.pasts.get(id.as_str()).map(|past| (past.seq, past.types.clone()))
    }

    fn current(&self, id: &EntityId) -> Option<Record> {
        self.root.record(self.root.slot(id.as_str())?).cloned()
    }

    fn head(
        &self,
        id: &EntityId,
        seq: Seq,
        types: &[NameId],
        since: Option<Timestamp>,
        scopes: Vec<Scope>,
    ) -> Result<EntityChange, OperationError> {
        let entity = Entity {
            id: id.clone(),
            types: types.to_vec(),
            scopes,
            attributes: Vec::new(),
            expires_at: None,
        };
        let (time, revision) = (self.time, self.revision);
        let header = RecordHeader { seq, created_at: time, modified_at: time, revision };
        let head = Record::encode(&entity, header);
        check_size(&head)?;
        Ok(EntityChange::Recorded { head, since: since.unwrap_or(time) })
    }

    /// Keeps the types of an entity that is not in the twin.
    fn note_types(&mut self, id: &EntityId, seq: Seq, types: Vec<NameId>) {
        if self.root.slot(id.as_str()).is_some() {
            return;
        }
        let before = self.root.pasts.get(id.as_str());
        let past = Past { seq, types };
        if before != Some(&past) {
            self.put_past(id, &past);
        }
    }

    pub(super) fn put_past(&mut self, id: &EntityId, past: &Past) {
        let document = past.document(id.as_str());
        self.root.put_document(&document);
        self.documents.push(document);
    }

    pub(super) fn forget_past(&mut self, id: &EntityId) {
        if self.root.pasts.get(id.as_str()).is_some() {
            let document = Past::no_document(id.as_str());
            self.root.put_document(&document);
            self.documents.push(document);
        }
    }

    fn readings(&self, attribute: Attribute<NameId>) -> Vec<InstanceChange> {
        let time = self.time;
        let reading = |mut instance: Instance<NameId>| {
            stamp(&mut instance, time);
            let is = Some(encode_instance(&instance));
            InstanceChange { name: attribute.name, was: None, is }
        };
        attribute.instances.into_iter().map(reading).collect()
    }
}

fn union(known: &[NameId], given: &[NameId]) -> Vec<NameId> {
    let mut all = known.to_vec();
    for name in given {
        if !all.contains(name) {
            all.push(*name);
        }
    }
    all
}
