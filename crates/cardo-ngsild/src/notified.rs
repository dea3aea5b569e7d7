//! Notifications that are received (clause 5.3.1), for those who take a twin's changes into theirs.

use cardo_jsonld::Context;
use cardo_model::{Attribute, Entity, EntityId, Iri, Timestamp};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::federation::dates;
use crate::options::NgsildLimits;
use crate::parse::{Document, EntityReader, InvalidInput, Items, Reading, complete_attributes};

/// A notification whose entities are still to be read.
pub struct Notified<'a> {
    context: Option<Value>,
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
    /// How it is, and which of its attributes were deleted: instances whose value is NGSI-LD null.
    Entity(Box<Entity>, Vec<Attribute>),
    /// That it was deleted (clause 5.8.6), and of which types it was and what it had, as far as that
    /// is told.
    Deleted(EntityId, Vec<Iri>, Vec<Attribute>),
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
    pub fn context(&self) -> Option<&Value> {
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
    if document.members().has("deletedAt") {
        let (id, fragment) = reader.fragment(document, None, Reading::MERGE)?;
        let mut attributes = complete_attributes(fragment.attributes).unwrap_or_default();
        return Ok(Notice::Deleted(id, fragment.types, take_deleted(&mut attributes)));
    }
    let mut entity = reader.entity(document, None, Reading::NOTIFIED)?;
    let deleted = take_deleted(&mut entity.attributes);
    Ok(Notice::Entity(Box::new(entity), deleted))
}

/// Takes out of attributes what is told of as deleted.
fn take_deleted(attributes: &mut Vec<Attribute>) -> Vec<Attribute> {
    let mut deleted = Vec::new();
    for attribute in &mut *attributes {
        let all = std::mem::take(&mut attribute.instances);
        let (gone, mut there): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|instance| instance.value.is_null());
        for instance in &mut there {
            // What has lost an attribute of its own has changed, and is as it is without it.
            take_deleted(&mut instance.attributes);
        }
        attribute.instances = there;
        if !gone.is_empty() {
            deleted.push(Attribute { name: attribute.name.clone(), instances: gone });
        }
    }
    attributes.retain(|attribute| !attribute.instances.is_empty());
    deleted
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
        let names = |all: &[Attribute]| {
            let last = |a: &Attribute| a.name.as_str().rsplit('/').next().unwrap().to_owned();
            all.iter().map(last).collect::<Vec<_>>()
        };
        assert_eq!(
            (names(&there.attributes), names(gone)),
            (vec!["o".into()], vec!["t".into(), "n".into(), "o".into()])
        );
        assert_eq!(there.attributes[0].instances.len(), 1);
        assert_eq!(gone[2].instances[0].dataset_id.as_ref().unwrap().as_str(), "urn:d:1");
    }

    #[test]
    fn what_is_no_notification_is_refused() {
        for body in ["[]", "{}", "{\"data\":5}", "{\"data\":{\"type\":\"FeatureCollection\"}}", "<"]
        {
            assert!(Notified::read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
