//! Records that a source has at hand become one batch.

use std::collections::HashSet;

use cardo_engine::{Batch, Operation, WhichInstances};
use cardo_formats::{Format, Record, RecordError};
use cardo_model::{DocumentChange, Entity, EntityId, Iri, SourceOffset};

use super::Source;
use crate::clock::too_far_ahead;
use crate::contexts;
use crate::error::IngestError;
use crate::feed::{BATCH, is_gone};
use crate::mapping::{Identity, Mapping, Plan};
use crate::options::JobOptions;
use crate::quarantine::{Keeper, Quarantined};
use crate::report::Report;
use crate::run::{apply, count, keep, plan};

/// Something that a source has read.
pub(super) enum Item {
    /// A record to be mapped.
    Record(Record),
    /// A record that could not be read.
    Error(RecordError),
    /// An entity that is complete, what of its attributes is gone, and the text it was made of.
    Entity(Box<Entity>, Vec<(Iri, WhichInstances)>, String),
    /// What goes to the quarantine as it is.
    Faulty(Quarantined),
    /// An entity that is no longer.
    Gone(EntityId),
}

/// What the items of one source go through.
pub(super) struct Intake {
    plan: Option<Plan>,
    format: Format,
    keeper: Keeper,
    /// How often the quarantine had been changed by others when the keeper learned what it holds.
    changes: u64,
    /// The entities of this round, where gone ones are to be taken away.
    met: Option<HashSet<EntityId>>,
}

/// How an intake treats its source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habit {
    /// The format that the records are of.
    pub(super) format: Format,
    /// Whether the source tells the same faults again and again.
    pub(super) repeats_faults: bool,
    /// Whether it works without a type, where it brings entities that are complete.
    pub(super) may_lack_type: bool,
}

/// An operation, and what goes to the quarantine where the engine refuses it.
type Step = (Operation, Option<Origin>);

enum Origin {
    Record(Record),
    Text(String),
    /// A deletion; what it would have deleted may not be there.
    Nothing,
}

impl Intake {
    pub(super) async fn new(
        source: &Source,
        options: &JobOptions,
        habit: Habit,
    ) -> Result<Self, IngestError> {
        let of_mapping = options.mapping.as_ref().and_then(|mapping| mapping.context());
        let context = options.context.clone().or(of_mapping);
        let context = contexts::find(context.as_deref(), source.ingestor.contexts()).await?;
        let mapping = match &options.mapping {
            Some(mapping) => Mapping::clone(mapping),
            None => Mapping::automatic(habit.format),
        };
        let identity = match &options.id_column {
            Some(column) => Identity::Field(column.clone()),
            None => Identity::Own,
        };
        let name = &source.config.name;
        let changes = source.quarantine_changes();
        let has_type = options.type_name.is_some() || mapping.type_name().is_some();
        let plan = if has_type || !habit.may_lack_type {
            Some(plan(name, options, &mapping, identity, context, habit.format, None)?)
        } else {
            None
        };
        let snapshot = source.ingestor.snapshot(&source.caller).await?;
        let keeper = Keeper::new(snapshot.as_ref(), name, habit.repeats_faults);
        Ok(Self { plan, format: habit.format, keeper, changes, met: None })
    }

    /// Takes in everything that a source holds at a moment: what its quarantine holds beside leaves
    /// it.
    pub(super) async fn take_whole(
        &mut self,
        source: &Source,
        items: Vec<Item>,
    ) -> Result<Report, IngestError> {
        self.keeper.forget_touched();
        let mut report = self.take(source, items, None).await?;
        let released = self.keeper.release_untouched(0, u64::MAX);
        report.released += released.len() as u64;
        let silent = &mut Report::default();
        self.write(source, Vec::new(), released, None, silent).await?;
        Ok(report)
    }

    /// The same where entities that are no longer listed are deleted. Which were listed is durable,
    /// so that those are found too that went while the server was away.
    pub(super) async fn take_listed(
        &mut self,
        source: &Source,
        items: Vec<Item>,
    ) -> Result<Report, IngestError> {
        let name = &source.config.name;
        let before = self.listed(source).await?;
        self.met = Some(HashSet::new());
        let report = self.take_whole(source, items).await?;
        let met = self.met.take().unwrap_or_default();
        let mut deletions: Vec<Step> = Vec::new();
        for id in before.difference(&met) {
            deletions.push((Operation::Document(listed(name, id, false)), None));
            deletions.push((Operation::Delete(id.clone()), None));
        }
        let added = met.difference(&before).map(|id| listed(name, id, true)).collect();
        self.write(source, deletions, added, None, &mut Report::default()).await?;
        Ok(report)
    }

    async fn listed(&self, source: &Source) -> Result<HashSet<EntityId>, IngestError> {
        let snapshot = source.ingestor.snapshot(&source.caller).await?;
        let documents = snapshot.map(|snapshot| snapshot.documents(LISTED)).unwrap_or_default();
        let ids = documents.iter().filter_map(|(key, _)| {
            let (name, id) = key.split_once('\n')?;
            EntityId::new(id.to_owned()).ok().filter(|_| name == source.config.name)
        });
        Ok(ids.collect())
    }

    /// Takes items in; when this returns they are durable, with the offset behind them.
    pub(super) async fn take(
        &mut self,
        source: &Source,
        items: Vec<Item>,
        offset: Option<String>,
    ) -> Result<Report, IngestError> {
        self.reload(source).await?;
        let mut report = Report { records: items.len() as u64, ..Report::default() };
        let (mut steps, mut documents) = (Vec::with_capacity(items.len()), Vec::new());
        for item in items {
            let deletions = deletions(&item);
            match self.step(source, item) {
                Ok(Some(step)) => {
                    steps.push(step);
                    steps.extend(deletions);
                }
                Ok(None) => report.skipped += 1,
                Err(entry) => keep(&mut self.keeper, &mut report, *entry, &mut documents),
            }
        }
        self.write(source, steps, documents, offset, &mut report).await?;
        source.status.count(&report);
        Ok(report)
    }

    fn step(&mut self, source: &Source, item: Item) -> Result<Option<Step>, Box<Quarantined>> {
        let name = &source.config.name;
        let ahead = |entity: &Entity| too_far_ahead(entity, source.config.clock_ahead());
        match item {
            Item::Record(record) if self.format == Format::GtfsRealtime && is_gone(&record) => {
                Ok(None)
            }
            Item::Record(record) => {
                let Some(plan) = &mut self.plan else {
                    let why = "no type is configured for records of plain JSON".to_owned();
                    return Err(Box::new(Quarantined::of_record(name, None, &record, why)));
                };
                let mapped = plan.entity(&record).map_err(|fault| fault.to_string());
                let entity = mapped.and_then(|mapped| match ahead(&mapped.entity) {
                    Some(why) => Err(why),
                    None => Ok(mapped.entity),
                });
                match entity {
                    Ok(entity) => {
                        if let Some(met) = &mut self.met {
                            met.insert(entity.id.clone());
                        }
                        Ok(Some((Operation::Ingest(entity), Some(Origin::Record(record)))))
                    }
                    Err(why) => Err(Box::new(Quarantined::of_record(name, None, &record, why))),
                }
            }
            Item::Error(error) => Err(Box::new(Quarantined::of_error(name, None, &error))),
            Item::Entity(entity, _, text) => match ahead(&entity) {
                Some(why) => Err(Box::new(Quarantined::of_text(name, why, text.as_bytes()))),
                None => Ok(Some((Operation::Ingest(*entity), Some(Origin::Text(text))))),
            },
            Item::Faulty(entry) => Err(Box::new(entry)),
            Item::Gone(id) => Ok(Some((Operation::Delete(id), Some(Origin::Nothing)))),
        }
    }

    async fn write(
        &mut self,
        source: &Source,
        steps: Vec<Step>,
        documents: Vec<DocumentChange>,
        offset: Option<String>,
        report: &mut Report,
    ) -> Result<(), IngestError> {
        let puts = documents.into_iter().map(|document| (Operation::Document(document), None));
        let mut left: Vec<Step> = steps.into_iter().chain(puts).collect();
        let mut offset = offset.map(|offset| SourceOffset {
            source: source.config.name.as_str().into(),
            offset: offset.into(),
        });
        while !left.is_empty() || offset.is_some() {
            let rest = left.split_off(left.len().min(BATCH));
            let (operations, origins): (Vec<_>, Vec<_>) = left.into_iter().unzip();
            let offsets = if rest.is_empty() { offset.take() } else { None };
            let batch =
                Batch { operations, offsets: offsets.into_iter().collect(), ..Batch::default() };
            left = rest;
            let outcome = apply(source.ingestor.engine(), &source.caller, batch).await?;
            let mut refused = Vec::new();
            for (origin, result) in origins.into_iter().zip(outcome.results) {
                let Some(origin) = origin else { continue };
                match result {
                    Ok(done) => count(report, &done),
                    Err(error) => match origin.refused(&source.config.name, error.to_string()) {
                        Some(entry) => keep(&mut self.keeper, report, entry, &mut refused),
                        None => report.unchanged += 1,
                    },
                }
            }
            left.extend(refused.into_iter().map(|document| (Operation::Document(document), None)));
        }
        Ok(())
    }

    /// Learns anew what the quarantine holds, where somebody else has changed it.
    async fn reload(&mut self, source: &Source) -> Result<(), IngestError> {
        let changes = source.quarantine_changes();
        if changes != self.changes {
            let snapshot = source.ingestor.snapshot(&source.caller).await?;
            self.keeper.reload(snapshot.as_ref());
            self.changes = changes;
        }
        Ok(())
    }
}

/// What takes away the attributes that an entity has lost; it may not have had them here.
fn deletions(item: &Item) -> Vec<Step> {
    let Item::Entity(entity, gone, _) = item else { return Vec::new() };
    let delete = |(name, which): &(Iri, WhichInstances)| {
        let (id, name, which) = (entity.id.clone(), name.clone(), which.clone());
        (Operation::DeleteAttribute { id, name, which }, None)
    };
    gone.iter().map(delete).collect()
}

impl Origin {
    /// What goes to the quarantine where the engine has refused it.
    fn refused(&self, source: &str, why: String) -> Option<Quarantined> {
        match self {
            Self::Record(record) => Some(Quarantined::of_record(source, None, record, why)),
            Self::Text(text) => Some(Quarantined::of_text(source, why, text.as_bytes())),
            Self::Nothing => None,
        }
    }
}

/// The sort of document that says which entities a source has listed.
const LISTED: &str = "listed";

fn listed(source: &str, id: &EntityId, is_listed: bool) -> DocumentChange {
    let body = is_listed.then(|| "1".into());
    DocumentChange { kind: LISTED.into(), id: format!("{source}\n{id}").into(), body }
}
