//! Notifications that are received (clause 5.3.1), for those who take a twin's changes into theirs.

use cardo_jsonld::Context;
use cardo_model::{
    AttributeFragment, Entity, EntityId, InstanceFragment, Iri, Kind, Timestamp, Value,
};
use serde_json::value::RawValue;

use crate::federation::dates;
use crate::options::NgsildLimits;
use crate::parse::{
    DataFault, Document, EntityReader, InvalidInput, Items, Members, Reading, as_string,
    complete_attributes, expand_name, previous_value,
};

/// A notification whose entities are still to be read.
pub struct Notified<'a> {
    context: Option<serde_json::Value>,
    data: Vec<&'a RawValue>,
}

/// An entity of a notification.
#[derive(Debug)]
pub struct NotifiedEntity {
    /// What is said.
    pub text: String,
    /// What is told, or why it cannot be read.
    pub told: Result<Notice, String>,
    /// When it was created and last changed there, where that is told.
    pub dates: [Option<Timestamp>; 2],
}

/// What is told of an entity.
#[derive(Debug)]
pub enum Notice {
    /// How it is, and what became of instances of its attributes, as far as that is told.
    Entity(Box<Entity>, Vec<Told>),
    /// That it was deleted (clause 5.8.6), and of which types it was and what it had, as far as that
    /// is told.
    Deleted(EntityId, Vec<Iri>, Vec<Told>),
}

/// What is told of an instance of an attribute beside how it is: that it was deleted, which NGSI-LD
/// null as its value says, or what it was before.
#[derive(Debug)]
pub struct Told {
    /// The attribute.
    pub name: Iri,
    /// The dataset of the instance.
    pub dataset_id: Option<Iri>,
    /// Whether it was deleted.
    pub is_gone: bool,
    /// Its kind, where that is told.
    pub kind: Option<Kind>,
    /// The value that it had before, where that is told (`showChanges`).
    pub was: Option<Value>,
    /// When it came into being and when it changed last, where that is told.
    pub dates: [Option<Timestamp>; 2],
}

impl<'a> Notified<'a> {
    /// Reads the frame of a notification; an error where it is none.
    pub fn read(body: &'a [u8]) -> Result<Self, String> {
        let document = Document::from_body(body).map_err(|error| error.to_string())?;
        let members = document.members();
        let context = document.context().map_err(|error| error.to_string())?;
        let context = context.map(|raw| serde_json::from_str(raw.get()));
        let context = context.transpose().map_err(|error| error.to_string())?;
        let data = members.get("data").map_err(|error| error.to_string())?;
        let data = data.ok_or("a notification without `data`")?;
        if data.get().trim_start().starts_with('{') {
            return Err("a notification in GeoJSON; ask for application/json".to_owned());
        }
        let data = Items::of(data).map_err(|error| error.to_string())?;
        Ok(Self { context, data: data.0 })
    }

    /// The `@context` that it carries.
    pub fn context(&self) -> Option<&serde_json::Value> {
        self.context.as_ref()
    }

    /// Its entities, whichever of the representations they are in.
    pub fn entities(&self, context: &Context) -> Vec<NotifiedEntity> {
        let reader = EntityReader { context, max_attributes: NgsildLimits::default().attributes };
        let read = |raw: &&RawValue| {
            let document = Document::from_body(raw.get().as_bytes());
            let dates = document.as_ref().map(dates).unwrap_or_default();
            let told = document.and_then(|document| notice(&reader, &document));
            let told = told.map_err(|error| error.to_string());
            NotifiedEntity { text: raw.get().to_owned(), told, dates }
        };
        self.data.iter().map(read).collect()
    }
}

fn notice(reader: &EntityReader<'_>, document: &Document<'_>) -> Result<Notice, InvalidInput> {
    let before = before(document, reader.context);
    if document.members().has("deletedAt") {
        let (id, mut fragment) = reader.fragment(document, None, Reading::NOTIFIED_END)?;
        let told = told(&mut fragment.attributes, before);
        return Ok(Notice::Deleted(id, fragment.types, told));
    }
    let (id, mut fragment) = reader.fragment(document, None, Reading::NOTIFIED)?;
    if fragment.types.is_empty() {
        return Err(DataFault::Missing("type").into());
    }
    let told = told(&mut fragment.attributes, before);
    let entity = Entity {
        id,
        types: fragment.types,
        scopes: fragment.scopes.unwrap_or_default(),
        attributes: complete_attributes(fragment.attributes)?,
        expires_at: fragment.expires_at,
    };
    Ok(Notice::Entity(Box::new(entity), told))
}

/// The value that an instance had before.
struct Before {
    name: Iri,
    dataset_id: Option<Iri>,
    was: Value,
}

/// Takes out of attributes what is told of as deleted.
fn told(attributes: &mut Vec<AttributeFragment>, before: Vec<Before>) -> Vec<Told> {
    let mut told = Vec::new();
    for AttributeFragment { name, instances } in take_deleted(attributes) {
        told.extend(instances.into_iter().map(|instance| Told {
            name: name.clone(),
            dataset_id: instance.dataset_id,
            is_gone: true,
            kind: instance.kind,
            was: None,
            dates: [instance.created_at, instance.modified_at],
        }));
    }
    for Before { name, dataset_id, was } in before {
        let is_same = |one: &&mut Told| one.name == name && one.dataset_id == dataset_id;
        let kind = Some(was.kind());
        if let Some(one) = told.iter_mut().find(is_same) {
            (one.kind, one.was) = (kind, Some(was));
        } else {
            let (was, dates) = (Some(was), [None; 2]);
            told.push(Told { name, dataset_id, is_gone: false, kind, was, dates });
        }
    }
    told
}

fn take_deleted(attributes: &mut Vec<AttributeFragment>) -> Vec<AttributeFragment> {
    let mut deleted = Vec::new();
    for attribute in &mut *attributes {
        let is_null =
            |instance: &InstanceFragment| instance.value.as_ref().is_some_and(Value::is_null);
        let all = std::mem::take(&mut attribute.instances);
        let (instances, mut there): (Vec<_>, Vec<_>) = all.into_iter().partition(is_null);
        for instance in &mut there {
            // What has lost an attribute of its own has changed, and is as it is without it.
            take_deleted(&mut instance.attributes);
        }
        attribute.instances = there;
        if !instances.is_empty() {
            deleted.push(AttributeFragment { name: attribute.name.clone(), instances });
        }
    }
    attributes.retain(|attribute| !attribute.instances.is_empty());
    deleted
}

/// What instances were before, as far as it is told and can be read.
fn before(document: &Document<'_>, context: &Context) -> Vec<Before> {
    let mut all = Vec::new();
    for (name, raw) in document.members().iter() {
        if !raw.get().contains("\"previous") {
            continue;
        }
        let Ok(name) = expand_name(name, context) else { continue };
        let instances = match Items::of(raw) {
            Ok(items) => items.0,
            Err(_) => vec![raw],
        };
        for instance in instances {
            let Ok(members) = Members::of(instance) else { continue };
            let Some(was) = previous_value(&members, context) else { continue };
            let dataset_id = members.get("datasetId").ok().flatten().and_then(as_string);
            let dataset_id = dataset_id.filter(|id| *id != "@none");
            let dataset_id = dataset_id.map(|id| Iri::new(&*id)).transpose();
            let Ok(dataset_id) = dataset_id else { continue };
            all.push(Before { name: name.clone(), dataset_id, was });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_of_a_notification_are_read_each_by_itself() {
        let body = br#"{"id":"urn:n:1","type":"Notification","subscriptionId":"urn:s:1",
            "notifiedAt":"2026-01-01T00:00:00Z","data":[
              {"id":"urn:x:1","type":"T","t":{"type":"Property","value":1,"observedAt":"2026-01-01T00:00:00Z"}},
              {"id":"urn:x:2","type":"T","t":21.5},
              {"id":"nothing"},
              {"id":"urn:x:3","type":"T","deletedAt":"2026-01-01T00:00:00Z"},
              {"id":"urn:x:4","type":"T","t":"urn:ngsi-ld:null","n":{"languageMap":{"@none":"urn:ngsi-ld:null"}},
                "o":[{"type":"Property","value":1},{"type":"Property","value":"urn:ngsi-ld:null","datasetId":"urn:d:1"}]}]}"#;
        let notified = Notified::read(body).unwrap();
        assert!(notified.context().is_none());
        let entities = notified.entities(&Context::core());
        let entity = |at: usize| match entities[at].told.as_ref().unwrap() {
            Notice::Entity(entity, deleted) => (entity, deleted),
            Notice::Deleted(id, ..) => panic!("{id} is not deleted"),
        };
        assert!(entity(0).0.attributes[0].instances[0].observed_at.is_some());
        assert_eq!(entity(1).0.id.as_str(), "urn:x:2");
        assert!(entities[2].told.is_err() && entities[2].text.contains("nothing"));
        assert!(matches!(entities[3].told, Ok(Notice::Deleted(..))));
        let (there, gone) = entity(4);
        let last = |name: &Iri| name.as_str().rsplit('/').next().unwrap().to_owned();
        let names: Vec<_> = gone.iter().map(|one| (last(&one.name), one.kind)).collect();
        let kinds = [None, Some(Kind::LanguageProperty), Some(Kind::Property)];
        assert_eq!(
            names,
            ["t", "n", "o"].map(str::to_owned).into_iter().zip(kinds).collect::<Vec<_>>()
        );
        let there = &there.attributes;
        assert_eq!(
            (there.len(), last(&there[0].name), there[0].instances.len()),
            (1, "o".into(), 1)
        );
        assert_eq!(gone[2].dataset_id.as_ref().unwrap().as_str(), "urn:d:1");
    }

    #[test]
    fn what_was_before_is_read_of_what_is_there_and_of_what_is_gone() {
        let body = br#"{"type":"Notification","data":[
              {"id":"urn:x:1","type":"T","t":{"type":"Property","value":2,"previousValue":1},
                "n":{"languageMap":{"@none":"urn:ngsi-ld:null"},"previousLanguageMap":{"fi":"moi"}},
                "p":{"type":"GeoProperty","value":"urn:ngsi-ld:null",
                  "previousValue":{"type":"Point","coordinates":[1,2]}},
                "o":[{"object":"urn:x:2"},{"object":"urn:ngsi-ld:null","datasetId":"urn:d:1",
                  "previousObject":"urn:x:3"}]},
              {"id":"urn:x:2","type":"T","deletedAt":"2026-01-01T00:00:00Z",
                "t":{"type":"Property","value":"urn:ngsi-ld:null","previousValue":[1,2]}}]}"#;
        let entities = Notified::read(body).unwrap().entities(&Context::core());
        let seen = |told: &[Told]| -> Vec<String> {
            let seen = |one: &Told| {
                let kind = one.kind.unwrap().as_str();
                format!("{kind} {} {}", one.is_gone, one.was.as_ref().unwrap().as_json())
            };
            told.iter().map(seen).collect()
        };
        let Ok(Notice::Entity(entity, told)) = &entities[0].told else { panic!("{entities:?}") };
        assert_eq!(entity.attributes.len(), 2);
        let expected = [
            r#"LanguageProperty true {"fi":"moi"}"#,
            r#"GeoProperty true {"type":"Point","coordinates":[1,2]}"#,
            r#"Relationship true "urn:x:3""#,
            "Property false 1",
        ];
        assert_eq!(seen(told), expected);
        let Ok(Notice::Deleted(_, _, told)) = &entities[1].told else { panic!("{entities:?}") };
        assert_eq!(seen(told), ["Property true [1,2]"]);
    }

    #[test]
    fn what_is_no_notification_is_refused() {
        for body in ["[]", "{}", "{\"data\":5}", "{\"data\":{\"type\":\"FeatureCollection\"}}", "<"]
        {
            assert!(Notified::read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
