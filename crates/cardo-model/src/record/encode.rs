use super::view::{
    ATTRIBUTES_AT, FIXED, FLAG_EXPIRES, HAS_ATTRIBUTES, HAS_DATASET, HAS_EXPIRES, HAS_OBJECT_TYPES,
    HAS_OBSERVED, HAS_UNIT, HAS_VALUE_TYPE, IS_COERCED, attributes_at,
};
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
        put_attributes(&mut out, &entity.attributes);
        Self(out.into())
    }
}

fn put_header(out: &mut Vec<u8>, header: RecordHeader, expires_at: Option<Timestamp>) {
    out.push(VERSION);
    out.push(if expires_at.is_some() { FLAG_EXPIRES } else { 0 });
    out.extend_from_slice(&header.seq.as_u64().to_le_bytes());
    out.extend_from_slice(&header.created_at.to_bits().to_le_bytes());
    out.extend_from_slice(&header.modified_at.to_bits().to_le_bytes());
    out.extend_from_slice(&header.revision.0.to_le_bytes());
    out.extend_from_slice(&[0; FIXED - ATTRIBUTES_AT]);
    if let Some(moment) = expires_at {
        out.extend_from_slice(&moment.to_bits().to_le_bytes());
    }
}

/// Notes that the attributes begin here.
fn note_attributes(out: &mut [u8]) {
    let at = u32::try_from(out.len()).expect("an entity has far fewer types and scopes");
    out[ATTRIBUTES_AT..FIXED].copy_from_slice(&at.to_le_bytes());
}

fn put_attributes(out: &mut Vec<u8>, attributes: &[Attribute<NameId>]) {
    put_len(out, attributes.len());
    for attribute in attributes {
        put_varint(out, u64::from(attribute.name.as_u32()));
        put_block(out, |out| {
            put_len(out, attribute.instances.len());
            for instance in &attribute.instances {
                put_block(out, |out| put_instance(out, instance));
            }
        });
    }
}

/// Encodes an instance that stands alone, as a change record holds it.
pub fn encode_instance(instance: &Instance<NameId>) -> Box<[u8]> {
    let mut out = Vec::with_capacity(64);
    put_instance(&mut out, instance);
    out.into()
}

fn put_instance(out: &mut Vec<u8>, instance: &Instance<NameId>) {
    let flags = [
        (instance.dataset_id.is_some(), HAS_DATASET),
        (instance.observed_at.is_some(), HAS_OBSERVED),
        (instance.unit_code.is_some(), HAS_UNIT),
        (instance.value_type.is_some(), HAS_VALUE_TYPE),
        (!instance.object_types.is_empty(), HAS_OBJECT_TYPES),
        (instance.expires_at.is_some(), HAS_EXPIRES),
        (instance.value.is_coerced(), IS_COERCED),
        (!instance.attributes.is_empty(), HAS_ATTRIBUTES),
    ];
    out.push(instance.value.kind() as u8);
    out.push(flags.iter().filter(|(is_set, _)| *is_set).fold(0, |all, (_, flag)| all | flag));
    put_time(out, instance.created_at);
    put_time(out, instance.modified_at);
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
        put_attributes(out, &instance.attributes);
    }
}

fn put_time(out: &mut Vec<u8>, moment: Timestamp) {
    out.extend_from_slice(&moment.to_bits().to_le_bytes());
}

/// Makes a record out of another one with some attributes changed: each changed attribute is given
/// whole as its instances, an empty list removes it, an unknown one is added at the end. Types,
/// scopes and expiry stay. Untouched attributes are copied as bytes.
pub fn splice(old: &Record, header: RecordHeader, changed: &[(NameId, Vec<&[u8]>)]) -> Record {
    let view = old.view();
    let mut out = Vec::with_capacity(old.as_bytes().len() + 64);
    put_header(&mut out, header, view.expires_at());
    let attributes = view.attributes();
    out.extend_from_slice(head_bytes(old, view));
    note_attributes(&mut out);
    let is_changed = |name: NameId| changed.iter().any(|(changed, _)| *changed == name);
    let kept = attributes.filter(|attribute| !is_changed(attribute.name())).count();
    let added = changed.iter().filter(|(_, instances)| !instances.is_empty()).count();
    put_len(&mut out, kept + added);
    for attribute in attributes {
        match changed.iter().find(|(name, _)| *name == attribute.name()) {
            None => {
                put_varint(&mut out, u64::from(attribute.name().as_u32()));
                put_bytes(&mut out, attribute.as_bytes());
            }
            Some((name, instances)) => put_encoded_attribute(&mut out, *name, instances),
        }
    }
    for (name, instances) in changed {
        if view.attribute(*name).is_none() {
            put_encoded_attribute(&mut out, *name, instances);
        }
    }
    Record(out.into())
}

/// The bytes between the header and the attributes: id, types, scopes.
fn head_bytes<'a>(record: &'a Record, view: EntityRef<'a>) -> &'a [u8] {
    let bytes = record.as_bytes();
    let start = if view.expires_at().is_some() { FIXED + 8 } else { FIXED };
    let end = attributes_at(bytes).expect("records are checked when they are made");
    &bytes[start..end]
}

fn put_encoded_attribute(out: &mut Vec<u8>, name: NameId, instances: &[&[u8]]) {
    if instances.is_empty() {
        return;
    }
    put_varint(out, u64::from(name.as_u32()));
    put_block(out, |out| {
        put_len(out, instances.len());
        for instance in instances {
            put_bytes(out, instance);
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
