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

fn instance(depth: u32) -> BoxedStrategy<Instance<NameId>> {
    let attributes = if depth == 0 { Just(Vec::new()).boxed() } else { attributes(depth - 1) };
    (
        (0_u8..8, prop_oneof![4 => "[a-z\u{e4}]{0,12}", 1 => "[a-z]{90,300}"], any::<bool>()),
        proptest::option::of(0_u32..3),
        proptest::option::of(0_i64..4_000_000_000),
        proptest::option::of("[A-Z]{1,3}"),
        proptest::collection::vec(0_u32..500, 0..3),
        attributes,
    )
        .prop_map(|((kind, text, coerced), dataset, observed, unit, objects, attributes)| {
            let kind = Kind::from_u8(kind).unwrap();
            let mut instance =
                Instance::new(Value::from_parts(kind, JsonText::string(&text), coerced));
            instance.dataset_id =
                dataset.map(|n| Iri::new(format!("urn:ngsi-ld:Dataset:{n}")).unwrap());
            instance.observed_at = observed.map(Timestamp::from_seconds);
            instance.expires_at = instance.observed_at;
            instance.unit_code = unit.map(Into::into);
            instance.value_type = instance.unit_code.clone();
            instance.object_types = objects.into_iter().map(NameId::new).collect();
            instance.attributes = attributes;
            instance
        })
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
    fn an_entity_survives_its_record(entity in entity()) {
        let record = Record::encode(&entity, header());
        prop_assert_eq!(record.view().decode(), entity.clone());
        prop_assert_eq!(record.view().header(), header());
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
    fn splicing_is_the_same_as_encoding_the_changed_entity(before in entity(), after in attributes(1)) {
        let record = Record::encode(&before, header());
        let mut expected = before.clone();
        let mut changed = Vec::new();
        let encoded: Vec<Vec<Box<[u8]>>> = after
            .iter()
            .map(|a| a.instances.iter().map(encode_instance).collect())
            .collect();
        for (attribute, instances) in after.iter().zip(&encoded) {
            changed.push((attribute.name, instances.iter().map(AsRef::as_ref).collect()));
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
        let spliced = splice(&record, header(), &changed);
        prop_assert_eq!(spliced.view().decode(), expected.clone());
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

/// What is on disks of this version has to be read by every later one.
#[test]
fn a_record_of_version_1_is_still_read() {
    let mut temperature = Instance::new(Value::property(JsonText::from_canonical("21.5"), false));
    temperature.unit_code = Some("CEL".into());
    temperature.observed_at = Some(Timestamp::from_seconds(1_700_000_000));
    let mut entity: Entity<NameId> = Entity::new(Iri::new("urn:x:1").unwrap(), NameId::new(3));
    entity.scopes.push(Scope::new("/A").unwrap());
    entity.attributes.push(Attribute::new(NameId::new(300), temperature));
    let record = Record::encode(&entity, header());
    let bytes = record.as_bytes().iter();
    let hex = bytes.fold(String::new(), |out, byte| out + &format!("{byte:02x}"));
    assert_eq!(hex, SAMPLE_OF_VERSION_1);
    assert_eq!(record.view().decode(), entity);
}

const SAMPLE_OF_VERSION_1: &str = "0100030070000000000000127a00000000000024f400000000000900000000000000340000000775726e3a783a31010301022f4101ac022501230006000048b7f21919f9000048b7f21919f90000f2c0205130000343454c0432312e35";

#[test]
fn a_value_comes_with_its_attribute_where_lengths_take_one_byte_or_two() {
    for len in (0..400).chain(16_300..16_400) {
        let value = JsonText::string(&"a".repeat(len - len.min(2)));
        let value = Value::from_parts(Kind::Property, value, false);
        let attribute = Attribute { name: NameId::new(5), instances: vec![Instance::new(value)] };
        let entity = Entity {
            id: Iri::new("urn:ngsi-ld:Thing:1").unwrap(),
            types: vec![NameId::new(1)],
            scopes: Vec::new(),
            attributes: vec![attribute],
            expires_at: None,
        };
        let record = Record::encode(&entity, header());
        let (_, value) = record.view().attributes().next_with_value().unwrap();
        let is_told = value.is_some_and(|value| value.len() == len.max(2));
        // An attribute is 21 or 23 bytes longer than its value.
        assert_eq!(is_told, len < 128 - 21 || (128..=16_383 - 23).contains(&len), "{len}");
    }
}
