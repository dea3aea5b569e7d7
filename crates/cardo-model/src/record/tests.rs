use proptest::prelude::*;

use super::*;
use crate::{Attribute, Entity, Instance, Iri, JsonText, Kind, Scope, Timestamp, Value};

fn header() -> RecordHeader {
    RecordHeader {
        seq: Seq::new(Revision(7), 3),
        created_at: Timestamp::from_seconds(1),
        modified_at: Timestamp::from_seconds(2),
        revision: Revision(9),
    }
}

/// Of an entity that has changed since it was created, in its time or its revision, or has not.
fn headers() -> impl Strategy<Value = RecordHeader> {
    (1_i64..3, 7_u64..9).prop_map(|(modified, revision)| RecordHeader {
        modified_at: Timestamp::from_seconds(modified),
        revision: Revision(revision),
        ..header()
    })
}

fn instance(depth: u32) -> BoxedStrategy<Instance<NameId>> {
    let attributes = if depth == 0 { Just(Vec::new()).boxed() } else { attributes(depth - 1) };
    (
        (0_u8..8, prop_oneof![4 => "[a-z\u{e4}]{0,12}", 1 => "[a-z]{90,300}"], any::<bool>()),
        (proptest::option::of(0_u32..3), 0_i64..3, 0_i64..3),
        proptest::option::of(0_i64..4_000_000_000),
        proptest::option::of("[A-Z]{1,3}"),
        proptest::collection::vec(0_u32..500, 0..3),
        attributes,
    )
        .prop_map(
            |(
                (kind, text, coerced),
                (dataset, created, modified),
                observed,
                unit,
                objects,
                attributes,
            )| {
                let kind = Kind::from_u8(kind).unwrap();
                let mut instance =
                    Instance::new(Value::from_parts(kind, JsonText::string(&text), coerced));
                // The time of the entity, the same twice, or others.
                instance.created_at = Timestamp::from_seconds(created);
                instance.modified_at = Timestamp::from_seconds(modified);
                instance.dataset_id =
                    dataset.map(|n| Iri::new(format!("urn:ngsi-ld:Dataset:{n}")).unwrap());
                instance.observed_at = observed.map(Timestamp::from_seconds);
                instance.expires_at = instance.observed_at;
                instance.unit_code = unit.map(Into::into);
                instance.value_type = instance.unit_code.clone();
                instance.object_types = objects.into_iter().map(NameId::new).collect();
                instance.attributes = attributes;
                instance
            },
        )
        .boxed()
}

fn attributes(depth: u32) -> BoxedStrategy<Vec<Attribute<NameId>>> {
    proptest::collection::vec((0_u32..300, proptest::collection::vec(instance(depth), 1..3)), 0..5)
        .prop_map(|list| {
            let mut attributes: Vec<Attribute<NameId>> = Vec::new();
            for (name, instances) in list {
                if attributes.iter().all(|a| a.name != NameId::new(name)) {
                    attributes.push(Attribute { name: NameId::new(name), instances });
                }
            }
            attributes
        })
        .boxed()
}

fn entity() -> impl Strategy<Value = Entity<NameId>> {
    (0_u32..1_000, proptest::collection::vec(0_u32..9, 1..3), attributes(2), any::<bool>())
        .prop_map(|(id, types, attributes, extra)| Entity {
            id: Iri::new(format!("urn:ngsi-ld:Thing:{id}")).unwrap(),
            types: types.into_iter().map(NameId::new).collect(),
            scopes: if extra { vec![Scope::new("/A/B").unwrap()] } else { Vec::new() },
            attributes,
            expires_at: extra.then(|| Timestamp::from_seconds(99)),
        })
}

proptest! {
    #[test]
    fn an_entity_survives_its_record(entity in entity(), header in headers()) {
        let record = Record::encode(&entity, header);
        prop_assert_eq!(record.view().decode(), entity.clone());
        prop_assert_eq!(record.view().header(), header);
        prop_assert_eq!(record.id(), entity.id);
        let read = Record::from_bytes(record.as_bytes()).unwrap();
        prop_assert_eq!(read, record);
    }

    #[test]
    fn attributes_come_with_the_values_that_they_have(entity in entity()) {
        let record = Record::encode(&entity, header());
        let mut attributes = record.view().attributes();
        for plain in record.view().attributes() {
            let (attribute, value) = attributes.next_with_value().unwrap();
            prop_assert_eq!(attribute.name(), plain.name());
            prop_assert_eq!(attribute.as_bytes(), plain.as_bytes());
            if let Some(value) = value {
                let single = plain.single().unwrap();
                prop_assert_eq!(value.bytes(), single.value.bytes());
                prop_assert_eq!((single.unit_code, single.observed_at), (None, None));
            }
        }
        prop_assert!(attributes.next_with_value().is_none());
    }

    #[test]
    fn an_instance_taken_out_of_its_record_is_as_one_that_stood_alone(entity in entity(), header in headers()) {
        let record = Record::encode(&entity, header);
        for (read, attribute) in record.view().attributes().zip(&entity.attributes) {
            prop_assert_eq!(read.instances().len(), attribute.instances.len());
            for (read, instance) in read.instances().zip(&attribute.instances) {
                let alone = read.to_bytes();
                prop_assert_eq!(&alone, &encode_instance(instance));
                let again = InstanceRef::from_bytes(&alone).unwrap();
                prop_assert_eq!(&decode_instance(&again), instance);
            }
        }
    }

    #[test]
    fn an_instance_that_leans_on_its_entity_does_not_stand_alone(instance in instance(1)) {
        let mut alone = encode_instance(&instance);
        alone[0] |= instance::CAME_WITH_ENTITY;
        prop_assert!(InstanceRef::from_bytes(&alone).is_none());
    }

    #[test]
    fn a_damaged_record_is_refused_or_read_without_panic(entity in entity(), at in any::<prop::sample::Index>(), bits in 1_u8..) {
        let mut bytes = Record::encode(&entity, header()).as_bytes().to_vec();
        let at = at.index(bytes.len());
        prop_assert!(Record::from_bytes(&bytes[..at]).is_err());
        bytes[at] ^= bits;
        if let Ok(record) = Record::from_bytes(bytes) {
            for attribute in record.view().attributes() {
                let _ = attribute.instances().map(|i| i.value().len()).sum::<usize>();
            }
        }
    }

    #[test]
    fn splicing_is_the_same_as_encoding_the_changed_entity(
        before in entity(), after in attributes(1), was in headers(), is in headers(), is_other in any::<bool>(),
    ) {
        let created_at = if is_other { Timestamp::from_seconds(2) } else { is.created_at };
        let is = RecordHeader { created_at, ..is };
        let record = Record::encode(&before, was);
        let mut expected = before.clone();
        let mut changed = Vec::new();
        let encoded: Vec<Vec<Box<[u8]>>> = after
            .iter()
            .map(|a| a.instances.iter().map(encode_instance).collect())
            .collect();
        for (attribute, instances) in after.iter().zip(&encoded) {
            let read = instances.iter().map(|bytes| InstanceRef::from_bytes(bytes).unwrap());
            changed.push((attribute.name, read.collect()));
            match expected.attributes.iter_mut().find(|a| a.name == attribute.name) {
                Some(existing) => *existing = attribute.clone(),
                None => expected.attributes.push(attribute.clone()),
            }
        }
        if let Some(first) = before.attributes.first()
            && after.iter().all(|a| a.name != first.name)
        {
            changed.push((first.name, Vec::new()));
            expected.attributes.retain(|a| a.name != first.name);
        }
        let spliced = splice(&record, is, &changed);
        prop_assert_eq!(&spliced, &Record::encode(&expected, is));
        prop_assert_eq!(spliced.view().decode(), expected);
        prop_assert!(Record::from_bytes(spliced.as_bytes()).is_ok());
    }
}

#[test]
fn a_newer_record_is_named_as_such() {
    let entity: Entity<NameId> = Entity::new(Iri::new("urn:x:1").unwrap(), NameId::new(0));
    let mut bytes = Record::encode(&entity, header()).as_bytes().to_vec();
    bytes[0] = 9;
    assert_eq!(Record::from_bytes(bytes), Err(InvalidRecord::Version(9)));
}

fn sample() -> Entity<NameId> {
    let mut temperature = Instance::new(Value::property(JsonText::from_canonical("21.5"), false));
    temperature.unit_code = Some("CEL".into());
    temperature.observed_at = Some(Timestamp::from_seconds(1_700_000_000));
    let mut entity: Entity<NameId> = Entity::new(Iri::new("urn:x:1").unwrap(), NameId::new(3));
    entity.scopes.push(Scope::new("/A").unwrap());
    entity.attributes.push(Attribute::new(NameId::new(300), temperature));
    entity
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// What is on disks of a version has to be read by every later one.
#[test]
fn records_of_all_versions_are_read() {
    for of_version in [SAMPLE_OF_VERSION_1, SAMPLE_OF_VERSION_2] {
        let record = Record::from_bytes(bytes(of_version)).unwrap();
        assert_eq!(record.view().decode(), sample());
        assert_eq!(record.view().header(), header());
        assert_eq!(record.as_bytes(), bytes(SAMPLE_OF_VERSION_2));
    }
    for end in 0..bytes(SAMPLE_OF_VERSION_1).len() {
        assert!(Record::from_bytes(&bytes(SAMPLE_OF_VERSION_1)[..end]).is_err());
    }
}

const SAMPLE_OF_VERSION_1: &str = "0100030070000000000000127a00000000000024f400000000000900000000000000340000000775726e3a783a31010301022f4101ac022501230006000048b7f21919f9000048b7f21919f90000f2c0205130000343454c0432312e35";

const SAMPLE_OF_VERSION_2: &str = "020234000000030070000000000000127a00000000000024f4000000000009000000000000000775726e3a783a31010301022f4101ac021d011b4006000048b7f21919f90000f2c0205130000343454c0432312e35";

#[test]
fn a_value_comes_with_its_attribute_where_lengths_take_one_byte_or_two() {
    for len in (0..400).chain(16_300..16_400) {
        let value = JsonText::string(&"a".repeat(len - len.min(2)));
        let value = Value::from_parts(Kind::Property, value, false);
        let time = Timestamp::from_seconds(0);
        let instance = Instance { created_at: time, modified_at: time, ..Instance::new(value) };
        let attribute = Attribute { name: NameId::new(5), instances: vec![instance] };
        let entity = Entity {
            id: Iri::new("urn:ngsi-ld:Thing:1").unwrap(),
            types: vec![NameId::new(1)],
            scopes: Vec::new(),
            attributes: vec![attribute],
            expires_at: None,
        };
        for created in [0, 1] {
            let created_at = Timestamp::from_seconds(created);
            let record = Record::encode(&entity, RecordHeader { created_at, ..header() });
            let (_, value) = record.view().attributes().next_with_value().unwrap();
            let is_told = value.is_some_and(|value| value.len() == len.max(2));
            // An attribute is 5 or 7 bytes longer than its value, and 8 more where it did not come with its entity.
            let more = if created == 0 { 0 } else { 8 };
            let two = 128..=16_383 - 7 - more;
            assert_eq!(is_told, len < 128 - 5 - more || two.contains(&len), "{len}");
        }
    }
}
