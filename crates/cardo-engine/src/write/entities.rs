use cardo_model::{
    Attribute, Entity, EntityChange, EntityId, Fragment, Instance, InstanceFragment, Iri, NameId,
    Record, RecordHeader, Scope, Timestamp,
};

use super::edit::{Edit, stamp_all};
use super::merge::{complete, update_instance};
use super::{Revising, check_size};
use crate::live::Past;
use crate::operation::{Done, NotUpdated, OperationError, WhichInstances};

/// The name of the scope of an entity among attributes.
const SCOPE: &str = "https://uri.etsi.org/ngsi-ld/scope";

impl Revising<'_> {
    /// Clause 5.6.1.
    pub(super) fn create(&mut self, entity: Entity<NameId>) -> Result<Done, OperationError> {
        if self.root.slot(entity.id.as_str()).is_some() {
            return Err(OperationError::AlreadyExists(entity.id));
        }
        self.insert(entity)
    }

    fn insert(&mut self, mut entity: Entity<NameId>) -> Result<Done, OperationError> {
        if entity.types.is_empty() {
            return Err(OperationError::NoType(entity.id));
        }
        stamp_all(&mut entity.attributes, self.time);
        let header = RecordHeader {
            seq: self.next_seq(),
            created_at: self.time,
            modified_at: self.time,
            revision: self.revision,
        };
        let record = Record::encode(&entity, header);
        check_size(&record)?;
        self.root.create(record.clone());
        self.forget_past(&entity.id);
        self.push(EntityChange::Created(record.clone()), Some(record));
        Ok(Done::Created)
    }

    /// Clause 5.6.18.
    pub(super) fn replace(&mut self, entity: Entity<NameId>) -> Result<Done, OperationError> {
        let (slot, old) = self.find(&entity.id)?;
        self.overwrite(slot, old, entity)
    }

    fn overwrite(
        &mut self,
        slot: u32,
        old: Record,
        mut entity: Entity<NameId>,
    ) -> Result<Done, OperationError> {
        if entity.types.is_empty() {
            entity.types = old.view().types().collect();
        }
        stamp_all(&mut entity.attributes, self.time);
        let updated = entity.attributes.iter().map(|a| self.name(a.name)).collect();
        let header =
            RecordHeader { modified_at: self.time, revision: self.revision, ..old.view().header() };
        let record = Record::encode(&entity, header);
        check_size(&record)?;
        self.root.replace(slot, record.clone());
        self.push(EntityChange::Replaced { was: old, is: record.clone() }, Some(record));
        Ok(Done::Updated { updated, not_updated: Vec::new() })
    }

    /// Clause 5.6.8 with the option replace.
    pub(super) fn create_or_replace(
        &mut self,
        entity: Entity<NameId>,
    ) -> Result<Done, OperationError> {
        match self.find(&entity.id) {
            Ok((slot, old)) => self.overwrite(slot, old, entity),
            Err(_) => self.insert(entity),
        }
    }

    /// Clause 5.6.8 with the option update.
    pub(super) fn create_or_update(
        &mut self,
        entity: Entity<NameId>,
    ) -> Result<Done, OperationError> {
        if self.root.slot(entity.id.as_str()).is_none() {
            return self.insert(entity);
        }
        let scopes = (!entity.scopes.is_empty()).then_some(entity.scopes);
        let head = (&*entity.types, scopes, entity.expires_at);
        self.append(&entity.id, head, entity.attributes, false)
    }

    /// Clause 5.6.3.
    pub(super) fn append(
        &mut self,
        id: &EntityId,
        (types, scopes, expires_at): (&[NameId], Option<Vec<Scope>>, Option<Timestamp>),
        attributes: Vec<Attribute<NameId>>,
        no_overwrite: bool,
    ) -> Result<Done, OperationError> {
        let (slot, old) = self.find(id)?;
        let mut edit = Edit::new(slot, old);
        for attribute in attributes {
            for instance in attribute.instances {
                let exists = edit.instance(attribute.name, instance.dataset_id.as_ref()).is_some();
                if exists && no_overwrite {
                    edit.refuse(attribute.name, NotUpdated::Exists);
                } else {
                    edit.put(attribute.name, instance, self.time);
                }
            }
        }
        edit.add_types(types);
        match scopes {
            Some(scopes) if no_overwrite => edit.add_scopes(scopes),
            Some(scopes) => edit.set_scopes(scopes),
            None => {}
        }
        if expires_at.is_some() && !(no_overwrite && edit.has_expiry()) {
            edit.set_expiry(expires_at);
        }
        self.commit(edit)
    }

    /// Clause 5.6.2.
    pub(super) fn update(
        &mut self,
        id: &EntityId,
        fragment: Fragment<NameId>,
    ) -> Result<Done, OperationError> {
        let (slot, old) = self.find(id)?;
        let mut edit = Edit::new(slot, old);
        edit.update_expiry(&fragment);
        for attribute in fragment.attributes {
            for fragment in attribute.instances {
                self.update_one(&mut edit, attribute.name, fragment)?;
            }
        }
        edit.add_types(&fragment.types);
        if let Some(scopes) = fragment.scopes
            && edit.has_scopes()
        {
            edit.set_scopes(scopes);
        }
        self.commit(edit)
    }

    fn update_one(
        &self,
        edit: &mut Edit,
        name: NameId,
        fragment: InstanceFragment<NameId>,
    ) -> Result<(), OperationError> {
        let exists = edit.instance(name, fragment.dataset_id.as_ref()).is_some();
        if fragment.value.as_ref().is_some_and(cardo_model::Value::is_null) {
            if exists {
                edit.set(name, fragment.dataset_id, None);
            } else {
                edit.refuse(name, NotUpdated::Missing);
            }
            return Ok(());
        }
        let instance =
            complete(fragment).ok_or_else(|| OperationError::Incomplete(self.name(name)))?;
        edit.put(name, instance, self.time);
        Ok(())
    }

    fn attribute_not_found(&self, id: &EntityId, name: NameId) -> OperationError {
        OperationError::AttributeNotFound { id: id.clone(), name: self.name(name) }
    }

    /// Clause 5.6.4.
    pub(super) fn partial_update(
        &mut self,
        id: &EntityId,
        name: NameId,
        fragment: InstanceFragment<NameId>,
    ) -> Result<Done, OperationError> {
        let (slot, old) = self.find(id)?;
        let mut edit = Edit::new(slot, old);
        let dataset = fragment.dataset_id.clone();
        let Some(before) = edit.instance(name, dataset.as_ref()) else {
            return Err(self.attribute_not_found(id, name));
        };
        let stored = before.value.kind();
        let given = fragment.kind.unwrap_or(stored);
        if given != stored {
            return Err(OperationError::OtherKind {
                name: self.name(name),
                stored: stored.as_str(),
                given: given.as_str(),
            });
        }
        let after = update_instance(before, fragment, self.time);
        edit.set(name, dataset, after);
        self.commit(edit)
    }

    /// Clause 5.6.19.
    pub(super) fn replace_attribute(
        &mut self,
        id: &EntityId,
        name: NameId,
        instance: Instance<NameId>,
    ) -> Result<Done, OperationError> {
        let (slot, old) = self.find(id)?;
        let mut edit = Edit::new(slot, old);
        if edit.instance(name, instance.dataset_id.as_ref()).is_none() {
            return Err(self.attribute_not_found(id, name));
        }
        edit.put(name, instance, self.time);
        self.commit(edit)
    }

    /// Clause 5.6.5.
    pub(super) fn delete_attribute(
        &mut self,
        id: &EntityId,
        name: NameId,
        which: &WhichInstances,
    ) -> Result<Done, OperationError> {
        let (slot, old) = self.find(id)?;
        if self.name(name).as_str() == SCOPE {
            return self.delete_scopes(slot, old);
        }
        let is_meant = |dataset: &Option<Iri>| match which {
            WhichInstances::All => true,
            WhichInstances::Default => dataset.is_none(),
            WhichInstances::Dataset(wanted) => dataset.as_ref() == Some(wanted),
        };
        let view = old.view();
        let instances = view.attribute(name).into_iter().flat_map(|a| a.instances());
        let datasets: Vec<Option<Iri>> = instances
            .map(|i| i.dataset_id().map(|d| Iri::new(d).expect("a record holds checked ids")))
            .filter(is_meant)
            .collect();
        if datasets.is_empty() {
            return Err(self.attribute_not_found(id, name));
        }
        let mut edit = Edit::new(slot, old);
        for dataset in datasets {
            edit.set(name, dataset, None);
        }
        self.commit(edit)?;
        Ok(Done::Deleted)
    }

    /// Clause 5.6.5.4: the scopes go as an attribute does.
    fn delete_scopes(&mut self, slot: u32, old: Record) -> Result<Done, OperationError> {
        let id = old.id();
        let mut edit = Edit::new(slot, old);
        if !edit.has_scopes() {
            let name = Iri::new(SCOPE).expect("a core term");
            return Err(OperationError::AttributeNotFound { id, name });
        }
        edit.set_scopes(Vec::new());
        self.commit(edit)?;
        Ok(Done::Deleted)
    }

    /// Clause 5.6.6; with its history where that is wanted.
    pub(super) fn delete_as_asked(&mut self, id: &EntityId) -> Result<Done, OperationError> {
        let (_, old) = self.find(id)?;
        let types: Vec<NameId> = old.view().types().collect();
        self.delete(id)?;
        if self.retention.is_deleted_with(self.twin, self.names, &types) {
            self.forget_history(id)?;
        }
        Ok(Done::Deleted)
    }

    pub(super) fn delete(&mut self, id: &EntityId) -> Result<Done, OperationError> {
        let (slot, old) = self.find(id)?;
        self.root.delete(slot);
        let view = old.view();
        self.put_past(id, &Past { seq: view.seq(), types: view.types().collect() });
        self.push(EntityChange::Deleted(old), None);
        Ok(Done::Deleted)
    }

    /// Clause 4.5.26: what has expired is no longer part of the entity.
    pub(super) fn expire(&mut self, id: &EntityId) -> Result<Done, OperationError> {
        let (slot, old) = self.find(id)?;
        let is_over =
            |moment: Option<cardo_model::Timestamp>| moment.is_some_and(|m| m <= self.time);
        if is_over(old.view().expires_at()) {
            return self.delete(id);
        }
        let mut edit = Edit::new(slot, old.clone());
        for attribute in old.view().attributes() {
            for instance in attribute.instances().filter(|i| is_over(i.expires_at())) {
                let dataset = instance.dataset_id();
                let dataset = dataset.map(|d| Iri::new(d).expect("a record holds checked ids"));
                edit.set(attribute.name(), dataset, None);
            }
        }
        self.commit(edit)
    }
}
