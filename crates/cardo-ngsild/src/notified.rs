//! Notifications that are received (clause 5.3.1), for those who take a twin's changes into theirs.

use cardo_jsonld::Context;
use cardo_model::{Entity, EntityId, Iri};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::options::NgsildLimits;
use crate::parse::{Document, EntityReader, InvalidInput, Items, Reading};

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
}

/// What is told of an entity.
#[derive(Debug)]
pub enum Notice {
    /// How it is.
    Entity(Box<Entity>),
    /// That it was deleted (clause 5.8.6), and of which types it was, as far as that is told.
    Deleted(EntityId, Vec<Iri>),
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
            let told = notice(&reader, raw.get().as_bytes());
            NotifiedEntity { text: raw.get().to_owned(), told: told.map_err(|e| e.to_string()) }
        };
        self.data.iter().map(read).collect()
    }
}

fn notice(reader: &EntityReader<'_>, text: &[u8]) -> Result<Notice, InvalidInput> {
    let document = Document::from_body(text)?;
    if document.members().has("deletedAt") {
        let (id, fragment) = reader.fragment(&document, None, Reading::MERGE)?;
        return Ok(Notice::Deleted(id, fragment.types));
    }
    let entity = reader.entity(&document, None, Reading::WHOLE)?;
    Ok(Notice::Entity(Box::new(entity)))
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
              {"id":"urn:x:3","type":"T","deletedAt":"2026-01-01T00:00:00Z"}]}"#;
        let notified = Notified::read(body).unwrap();
        assert!(notified.context().is_none());
        let entities = notified.entities(&Context::core());
        let entity = |at: usize| match entities[at].told.as_ref().unwrap() {
            Notice::Entity(entity) => entity,
            Notice::Deleted(id, _) => panic!("{id} is not deleted"),
        };
        assert!(entity(0).attributes[0].instances[0].observed_at.is_some());
        assert_eq!(entity(1).id.as_str(), "urn:x:2");
        assert!(entities[2].told.is_err() && entities[2].text.contains("nothing"));
        assert!(matches!(entities[3].told, Ok(Notice::Deleted(..))));
    }

    #[test]
    fn what_is_no_notification_is_refused() {
        for body in ["[]", "{}", "{\"data\":5}", "{\"data\":{\"type\":\"FeatureCollection\"}}", "<"]
        {
            assert!(Notified::read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
