use cardo_model::{
    Attribute, EntityChange, Fragment, Instance, InstanceChange, Iri, NameId, Record, RecordHeader,
    Scope, Timestamp, decode_instance, encode_instance,
};

use super::{Revising, check_size};
use crate::operation::{Done, NotUpdated, OperationError};

/// What one operation changes of an entity that exists.
pub(super) struct Edit {
    slot: u32,
    old: Record,
    instances: Vec<(NameId, Option<Iri>, Option<Instance<NameId>>)>,
    types: Option<Vec<NameId>>,
    scopes: Option<Vec<Scope>>,
    #[expect(clippy::option_option, reason = "left alone, removed, or set")]
    expires_at: Option<Option<Timestamp>>,
    not_updated: Vec<(NameId, NotUpdated)>,
}

impl Edit {
    pub(super) fn new(slot: u32, old: Record) -> Self {
        Self {
            slot,
            old,
            instances: Vec::new(),
            types: None,
            scopes: None,
            expires_at: None,
            not_updated: Vec::new(),
        }
    }

    /// The instance as it stands after the edits so far.
    pub(super) fn instance(&self, name: NameId, dataset: Option<&Iri>) -> Option<Instance<NameId>> {
        let edited = self.instances.iter().rfind(|(n, d, _)| *n == name && d.as_ref() == dataset);
        if let Some((_, _, instance)) = edited {
            return instance.clone();
        }
        let view = self.old.view();
        let instance = view.attribute(name)?.instance(dataset.map(Iri::as_str))?;
        Some(decode_instance(&instance))
    }

    /// Puts an instance in the place of the one with the same dataset id; its creation date stays.
    pub(super) fn put(&mut self, name: NameId, mut instance: Instance<NameId>, time: Timestamp) {
        stamp(&mut instance, time);
        if let Some(before) = self.instance(name, instance.dataset_id.as_ref()) {
            instance.created_at = before.created_at;
        }
        self.set(name, instance.dataset_id.clone(), Some(instance));
    }

    /// Puts an instance as it is, dates included, or takes it out.
    pub(super) fn set(
        &mut self,
        name: NameId,
        dataset: Option<Iri>,
        instance: Option<Instance<NameId>>,
    ) {
        let known = self.instances.iter_mut().find(|(n, d, _)| *n == name && *d == dataset);
        match known {
            Some((_, _, known)) => *known = instance,
            None => self.instances.push((name, dataset, instance)),
        }
    }

    pub(super) fn refuse(&mut self, name: NameId, reason: NotUpdated) {
        self.not_updated.push((name, reason));
    }

    /// Adds types that are not there yet.
    pub(super) fn add_types(&mut self, types: &[NameId]) {
        let mut all: Vec<NameId> = self.old.view().types().collect();
        let before = all.len();
        for name in types {
            if !all.contains(name) {
                all.push(*name);
            }
        }
        if all.len() > before {
            self.types = Some(all);
        }
    }

    pub(super) fn has_scopes(&self) -> bool {
        self.old.view().scopes().next().is_some()
    }

    pub(super) fn set_scopes(&mut self, scopes: Vec<Scope>) {
        if !self.old.view().scopes().eq(scopes.iter().map(Scope::as_str)) {
            self.scopes = Some(scopes);
        }
    }

    /// Adds scopes that are not there yet.
    pub(super) fn add_scopes(&mut self, scopes: Vec<Scope>) {
        let mut all = self.old.view().decode().scopes;
        for scope in scopes {
            if !all.contains(&scope) {
                all.push(scope);
            }
        }
        self.set_scopes(all);
    }

    pub(super) fn has_expiry(&self) -> bool {
        self.old.view().expires_at().is_some()
    }

    /// Sets or removes the end of the entity as a fragment says.
    pub(super) fn update_expiry(&mut self, fragment: &Fragment<NameId>) {
        if fragment.expires_at.is_some() || fragment.without_expires_at {
            self.set_expiry(fragment.expires_at);
        }
    }

    pub(super) fn set_expiry(&mut self, moment: Option<Timestamp>) {
        if self.old.view().expires_at() != moment {
            self.expires_at = Some(moment);
        }
    }

    fn changes_head(&self) -> bool {
        self.types.is_some() || self.scopes.is_some() || self.expires_at.is_some()
    }

    fn is_empty(&self) -> bool {
        self.instances.is_empty() && !self.changes_head()
    }

    fn instance_changes(&self) -> Vec<InstanceChange> {
        let view = self.old.view();
        let mut changes = Vec::with_capacity(self.instances.len());
        for (name, dataset, instance) in &self.instances {
            let was = view
                .attribute(*name)
                .and_then(|a| a.instance(dataset.as_ref().map(Iri::as_str)))
                .map(|i| i.to_bytes());
            let is = instance.as_ref().map(encode_instance);
            if was.is_some() || is.is_some() {
                changes.push(InstanceChange { name: *name, was, is });
            }
        }
        changes
    }
}

impl Revising<'_> {
    /// Brings an edit into the root and notes the change.
    pub(super) fn commit(&mut self, edit: Edit) -> Result<Done, OperationError> {
        let done = Done::Updated {
            updated: self.updated_names(&edit),
            not_updated: edit
                .not_updated
                .iter()
                .map(|(n, why)| (self.name(*n), why.clone()))
                .collect(),
        };
        if edit.is_empty() {
            return Ok(done);
        }
        let updated = EntityChange::Updated {
            seq: edit.old.view().seq(),
            id: edit.old.id(),
            instances: edit.instance_changes(),
        };
        let mut record = updated
            .apply(Some(&edit.old), self.revision, self.time)
            .expect("an update leaves an entity");
        let change = if edit.changes_head() {
            record = with_head(&record, &edit);
            EntityChange::Replaced { was: edit.old, is: record.clone() }
        } else {
            updated
        };
        check_size(&record)?;
        self.root.replace(edit.slot, record.clone());
        self.push(change, Some(record));
        Ok(done)
    }

    fn updated_names(&self, edit: &Edit) -> Vec<Iri> {
        let mut names: Vec<NameId> = edit.instances.iter().map(|(name, ..)| *name).collect();
        names.dedup();
        names.into_iter().map(|name| self.name(name)).collect()
    }
}

/// The same record with other types, scopes or expiry.
fn with_head(record: &Record, edit: &Edit) -> Record {
    let view = record.view();
    let mut entity = view.decode();
    if let Some(types) = &edit.types {
        entity.types.clone_from(types);
    }
    if let Some(scopes) = &edit.scopes {
        entity.scopes.clone_from(scopes);
    }
    if let Some(moment) = edit.expires_at {
        entity.expires_at = moment;
    }
    Record::encode(&entity, RecordHeader { ..view.header() })
}

/// Sets the dates of an instance that comes into being now, and of all within it.
pub(super) fn stamp(instance: &mut Instance<NameId>, time: Timestamp) {
    instance.created_at = time;
    instance.modified_at = time;
    stamp_all(&mut instance.attributes, time);
}

pub(super) fn stamp_all(attributes: &mut [Attribute<NameId>], time: Timestamp) {
    for instance in attributes.iter_mut().flat_map(|a| &mut a.instances) {
        stamp(instance, time);
    }
}
