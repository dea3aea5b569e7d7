use super::instance::{
    HAS_ATTRIBUTES, HAS_DATASET, HAS_EXPIRES, HAS_OBJECT_TYPES, HAS_OBSERVED, HAS_UNIT,
    HAS_VALUE_TYPE, IS_COERCED, flags, put_times,
};
use super::view::{ATTRIBUTES_AT, FLAG_CHANGED, FLAG_EXPIRES, head_bytes};
use super::{EntityRef, InstanceRef, Record, Revision, Seq, VERSION};
use crate::codec::{put_block, put_bytes, put_len, put_varint};
use crate::{Attribute, Entity, Instance, Iri, JsonText, NameId, Timestamp, Value};

/// What a record says beside the entity itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// The place in the order of creation.
    pub seq: Seq,
    /// When the entity came into being.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
    /// The revision that last changed it.
    pub revision: Revision,
}

impl Record {
    /// Encodes an entity.
    pub fn encode(entity: &Entity<NameId>, header: RecordHeader) -> Self {
        let mut out = Vec::with_capacity(128 + entity.attributes.len() * 64);
        put_header(&mut out, header, entity.expires_at);
        put_bytes(&mut out, entity.id.as_str().as_bytes());
        put_len(&mut out, entity.types.len());
        for name in &entity.types {
            put_varint(&mut out, u64::from(name.as_u32()));
        }
        put_len(&mut out, entity.scopes.len());
        for scope in &entity.scopes {
            put_bytes(&mut out, scope.as_str().as_bytes());
        }
        note_attributes(&mut out);
        put_attributes(&mut out, &entity.attributes, Some(header.created_at));
        Self(out.into())
    }
}

pub(super) fn put_header(out: &mut Vec<u8>, header: RecordHeader, expires_at: Option<Timestamp>) {
    let is_changed =
        header.modified_at != header.created_at || header.revision != header.seq.revision();
    out.push(VERSION);
    out.push(flags([(is_changed, FLAG_CHANGED), (expires_at.is_some(), FLAG_EXPIRES)]));
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&header.seq.as_u64().to_le_bytes());
    put_time(out, header.created_at);
    if is_changed {
        put_time(out, header.modified_at);
        out.extend_from_slice(&header.revision.0.to_le_bytes());
    }
    if let Some(moment) = expires_at {
        put_time(out, moment);
    }
}

/// Notes that the attributes begin here.
pub(super) fn note_attributes(out: &mut [u8]) {
    let at = u32::try_from(out.len()).expect("an entity has far fewer types and scopes");
    out[ATTRIBUTES_AT..ATTRIBUTES_AT + 4].copy_from_slice(&at.to_le_bytes());
}

/// Attributes of an entity that came into being then, or of an attribute.
fn put_attributes(
    out: &mut Vec<u8>,
    attributes: &[Attribute<NameId>],
    entity_created: Option<Timestamp>,
) {
    put_len(out, attributes.len());
    for attribute in attributes {
        let put = |out: &mut Vec<u8>, one: &_| put_instance(out, one, entity_created);
        put_attribute(out, attribute.name, attribute.instances.iter(), put);
    }
}

/// Encodes an instance that stands alone, as a change record holds it.
pub fn encode_instance(instance: &Instance<NameId>) -> Box<[u8]> {
    let mut out = Vec::with_capacity(64);
    put_instance(&mut out, instance, None);
    out.into()
}

fn put_instance(out: &mut Vec<u8>, instance: &Instance<NameId>, entity_created: Option<Timestamp>) {
    let flags = flags([
        (instance.dataset_id.is_some(), HAS_DATASET),
        (instance.observed_at.is_some(), HAS_OBSERVED),
        (instance.unit_code.is_some(), HAS_UNIT),
        (instance.value_type.is_some(), HAS_VALUE_TYPE),
        (!instance.object_types.is_empty(), HAS_OBJECT_TYPES),
        (instance.expires_at.is_some(), HAS_EXPIRES),
        (instance.value.is_coerced(), IS_COERCED),
        (!instance.attributes.is_empty(), HAS_ATTRIBUTES),
    ]);
    let times = (instance.created_at, instance.modified_at);
    put_times(out, (instance.value.kind(), flags), times, entity_created);
    if let Some(dataset_id) = &instance.dataset_id {
        put_bytes(out, dataset_id.as_str().as_bytes());
    }
    if let Some(moment) = instance.observed_at {
        put_time(out, moment);
    }
    if let Some(unit) = &instance.unit_code {
        put_bytes(out, unit.as_bytes());
    }
    if let Some(value_type) = &instance.value_type {
        put_bytes(out, value_type.as_bytes());
    }
    if !instance.object_types.is_empty() {
        put_block(out, |out| {
            put_len(out, instance.object_types.len());
            for name in &instance.object_types {
                put_varint(out, u64::from(name.as_u32()));
            }
        });
    }
    if let Some(moment) = instance.expires_at {
        put_time(out, moment);
    }
    put_bytes(out, instance.value.as_json().as_bytes());
    if !instance.attributes.is_empty() {
        put_attributes(out, &instance.attributes, None);
    }
}

fn put_time(out: &mut Vec<u8>, moment: Timestamp) {
    out.extend_from_slice(&moment.to_bits().to_le_bytes());
}

/// Makes a record out of another one with some attributes changed: each changed attribute is given
/// whole as its instances, an empty list removes it, an unknown one is added at the end. Types,
/// scopes and expiry stay. Untouched attributes are copied as bytes.
pub fn splice(
    old: &Record,
    header: RecordHeader,
    changed: &[(NameId, Vec<InstanceRef<'_>>)],
) -> Record {
    let view = old.view();
    let mut out = Vec::with_capacity(old.as_bytes().len() + 64);
    put_header(&mut out, header, view.expires_at());
    let attributes = view.attributes();
    out.extend_from_slice(head_bytes(old.as_bytes()));
    note_attributes(&mut out);
    let is_changed = |name: NameId| changed.iter().any(|(changed, _)| *changed == name);
    let kept = attributes.filter(|attribute| !is_changed(attribute.name())).count();
    let added = changed.iter().filter(|(_, instances)| !instances.is_empty()).count();
    put_len(&mut out, kept + added);
    let created = header.created_at;
    let put = |out: &mut Vec<u8>, one: InstanceRef<'_>| one.put(out, Some(created));
    let put_changed = |out: &mut Vec<u8>, name: NameId, instances: &[InstanceRef<'_>]| {
        if !instances.is_empty() {
            put_attribute(out, name, instances.iter().copied(), put);
        }
    };
    for attribute in attributes {
        let name = attribute.name();
        match changed.iter().find(|(changed, _)| *changed == name) {
            None if created == view.created_at() => {
                put_varint(&mut out, u64::from(name.as_u32()));
                put_bytes(&mut out, attribute.as_bytes());
            }
            None => put_attribute(&mut out, name, attribute.instances(), put),
            Some((_, instances)) => put_changed(&mut out, name, instances),
        }
    }
    for (name, instances) in changed {
        if view.attribute(*name).is_none() {
            put_changed(&mut out, *name, instances);
        }
    }
    Record(out.into())
}

/// The same record without some attributes; `None` where it has none of them.
pub fn without(record: &Record, is_gone: impl Fn(NameId) -> bool) -> Option<Record> {
    let gone: Vec<(NameId, Vec<InstanceRef<'_>>)> = record
        .attribute_names()
        .filter(|name| is_gone(*name))
        .map(|name| (name, Vec::new()))
        .collect();
    (!gone.is_empty()).then(|| splice(record, record.view().header(), &gone))
}

/// Writes an attribute of which each instance is written by `put`.
pub(super) fn put_attribute<I: ExactSizeIterator>(
    out: &mut Vec<u8>,
    name: NameId,
    instances: I,
    put: impl Fn(&mut Vec<u8>, I::Item),
) {
    put_varint(out, u64::from(name.as_u32()));
    put_block(out, |out| {
        put_len(out, instances.len());
        for instance in instances {
            put_block(out, |out| put(out, instance));
        }
    });
}

/// Takes an instance out of a record to change it.
pub fn decode_instance(instance: &InstanceRef<'_>) -> Instance<NameId> {
    let json = JsonText::from_canonical(instance.value());
    Instance {
        value: Value::from_parts(instance.kind(), json, instance.is_coerced()),
        dataset_id: instance.dataset_id().map(iri),
        observed_at: instance.observed_at(),
        unit_code: instance.unit_code().map(Box::from),
        value_type: instance.value_type().map(Box::from),
        object_types: instance.object_types().map(Iterator::collect).unwrap_or_default(),
        expires_at: instance.expires_at(),
        created_at: instance.created_at(),
        modified_at: instance.modified_at(),
        attributes: decode_attributes(instance.attributes()),
    }
}

fn decode_attributes<'a>(
    attributes: impl Iterator<Item = super::AttributeRef<'a>>,
) -> Vec<Attribute<NameId>> {
    attributes
        .map(|attribute| Attribute {
            name: attribute.name(),
            instances: attribute.instances().map(|i| decode_instance(&i)).collect(),
        })
        .collect()
}

fn iri(text: &str) -> Iri {
    Iri::new(text).expect("a record holds the IRIs it was made with")
}

impl EntityRef<'_> {
    /// Takes the whole entity out of the record to change it.
    pub fn decode(&self) -> Entity<NameId> {
        Entity {
            id: iri(self.id()),
            types: self.types().collect(),
            scopes: self
                .scopes()
                .map(|s| crate::Scope::new(s).expect("a record holds checked scopes"))
                .collect(),
            attributes: decode_attributes(self.attributes()),
            expires_at: self.expires_at(),
        }
    }

    /// What the record says beside the entity.
    pub fn header(&self) -> RecordHeader {
        RecordHeader {
            seq: self.seq(),
            created_at: self.created_at(),
            modified_at: self.modified_at(),
            revision: self.revision(),
        }
    }
}
