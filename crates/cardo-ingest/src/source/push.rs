//! What others push: plain JSON, or NGSI-LD notifications.

use async_trait::async_trait;
use cardo_engine::WhichInstances;
use cardo_formats::{Format, Limits, json};
use cardo_model::{Entity, EntityId, Iri};
use serde_json::Value;
use tokio::sync::{Mutex, Semaphore};

use super::Source;
use super::intake::{Habit, Intake, Item};
use crate::error::IngestError;
use crate::options::JobOptions;
use crate::quarantine::{Quarantined, number_of};
use crate::report::Report;

/// So many pushes of one source are waited with; more are sent away.
const WAITING: usize = 64;

/// A body that was pushed.
#[derive(Clone, Copy, Debug)]
pub struct Pushed<'a> {
    /// The body.
    pub body: &'a [u8],
    /// The context that a header names.
    pub context: Option<&'a str>,
}

/// An entity of a notification, with the text that it stood as.
#[derive(Debug)]
pub struct PushedEntity {
    /// What is said.
    pub text: String,
    /// What is told, or why it cannot be read.
    pub told: Result<Told, String>,
}

/// What a notification tells of an entity.
#[derive(Debug)]
pub enum Told {
    /// How it is, and which instances of its attributes were deleted.
    Entity(Box<Entity>, Vec<(Iri, WhichInstances)>),
    /// That it is no longer.
    Deleted(EntityId),
}

/// Reads notifications of NGSI-LD. The face that knows their language implements it.
#[async_trait]
pub trait ReadEntities: Send + Sync {
    /// The entities of a notification; an error where it is none, or its context cannot be had.
    async fn notification(&self, pushed: Pushed<'_>) -> Result<Vec<PushedEntity>, String>;
}

/// Why a push was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The source takes no pushes.
    #[error("nothing can be pushed to the source {0:?}")]
    NotPushed(String),
    /// The body is no JSON, or no notification that can be read.
    #[error("{0}")]
    Body(String),
    /// Too many pushes wait already.
    #[error("too many pushes wait already")]
    Busy,
    /// The source or the twin takes nothing now.
    #[error(transparent)]
    Failed(#[from] IngestError),
}

/// Where pushes come in, one after the other.
pub(super) struct Door {
    intake: Mutex<Option<Intake>>,
    places: Semaphore,
}

impl Default for Door {
    fn default() -> Self {
        Self { intake: Mutex::default(), places: Semaphore::new(WAITING) }
    }
}

const HABIT: Habit = Habit { format: Format::Json, repeats_faults: false, may_lack_type: true };

impl Source {
    /// Makes ready for pushes, and leaves the rest to them.
    pub(super) async fn open_door(&self, options: &JobOptions) -> Result<(), IngestError> {
        let intake = Intake::new(self, options, HABIT).await?;
        *self.door.intake.lock().await = Some(intake);
        self.status.running();
        std::future::pending().await
    }

    pub(super) async fn push(&self, pushed: Pushed<'_>) -> Result<Report, PushError> {
        if !self.config.push {
            return Err(PushError::NotPushed(self.config.name.clone()));
        }
        let _place = self.door.places.try_acquire().map_err(|_| PushError::Busy)?;
        let items = self.items(pushed).await.map_err(PushError::Body)?;
        let mut door = self.door.intake.lock().await;
        let intake = match &mut *door {
            Some(intake) => intake,
            empty => {
                let options = self.config.options().map_err(IngestError::from)?;
                let intake = Intake::new(self, &options, HABIT).await?;
                self.status.running();
                empty.insert(intake)
            }
        };
        Ok(intake.take(self, items, None).await?)
    }

    async fn items(&self, pushed: Pushed<'_>) -> Result<Vec<Item>, String> {
        if is_notification(pushed.body) {
            let reader = self.entities.as_ref();
            let reader = reader.ok_or("notifications are not read here")?;
            let entities = reader.notification(pushed).await?;
            return Ok(entities.into_iter().map(|one| self.entity(one)).collect());
        }
        let records = json::records(pushed.body, &Limits::default());
        let records = records.map_err(|fault| fault.to_string())?;
        let numbered = (number_of(&[pushed.body])..).zip(records);
        let item = |(number, record)| match record {
            Ok(record) => Item::Record(cardo_formats::Record { ordinal: number, ..record }),
            Err(error) => Item::Error(cardo_formats::RecordError { ordinal: number, ..error }),
        };
        Ok(numbered.map(item).collect())
    }

    fn entity(&self, pushed: PushedEntity) -> Item {
        match pushed.told {
            Ok(Told::Entity(entity, gone)) => Item::Entity(entity, gone, pushed.text),
            Ok(Told::Deleted(id)) => Item::Gone(id),
            Err(why) => {
                Item::Faulty(Quarantined::of_text(&self.config.name, why, pushed.text.as_bytes()))
            }
        }
    }
}

/// Whether a body is a notification (ETSI GS CIM 009, clause 5.3.1).
fn is_notification(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Head<'a> {
        #[serde(rename = "type")]
        kind: Option<Value>,
        #[serde(borrow)]
        data: Option<&'a serde_json::value::RawValue>,
    }
    let head = serde_json::from_slice::<Head<'_>>(body);
    head.is_ok_and(|head| head.data.is_some() && head.kind == Some("Notification".into()))
}
