//! Late readings that the history holds already, so that taking a source twice changes nothing.

use std::collections::HashMap;
use std::sync::Arc;

use cardo_model::{
    EntityId, Instance, InstanceRef, Iri, NameId, Record, Timestamp, decode_instance,
};

use crate::caller::{Caller, View};
use crate::engine::Engine;
use crate::history::HistoryRequest;
use crate::operation::{Operation, WriteError};
use crate::ports::HistoryEvent;
use crate::query::QueryError;
use crate::twin::Twin;

/// Where in a batch a late reading stands: operation, attribute, instance.
type Place = (usize, usize, usize);

/// How many lines of one series are looked through for the readings of one batch.
const MOST_LINES: usize = 1_000_000;

/// Takes out of a batch the readings that are late and known.
pub(crate) async fn without_known_readings(
    engine: &Engine,
    caller: &Caller,
    twin: &Arc<Twin>,
    mut operations: Vec<Operation<NameId>>,
) -> Result<Vec<Operation<NameId>>, WriteError> {
    let late = late_readings(twin, &operations);
    let mut known: Vec<Place> = Vec::new();
    for ((id, name), places) in late {
        let moments = places.iter().map(|(_, moment)| *moment);
        let (Some(from), Some(to)) = (moments.clone().min(), moments.max()) else { continue };
        let series = series(engine, caller, id, name, from, to).await?;
        known.extend(
            places
                .into_iter()
                .filter(|(place, moment)| {
                    let reading = instance_at(&operations, *place);
                    let there = series.get(moment).into_iter().flatten();
                    reading
                        .is_some_and(|reading| there.into_iter().any(|t| t.same_content(reading)))
                })
                .map(|(place, _)| place),
        );
    }
    // From behind, so that the places before stay what they are.
    known.sort_unstable_by(|a, b| b.cmp(a));
    for (operation, attribute, instance) in known {
        if let Operation::Ingest(entity) = &mut operations[operation] {
            entity.attributes[attribute].instances.remove(instance);
        }
    }
    for operation in &mut operations {
        if let Operation::Ingest(entity) = operation {
            entity.attributes.retain(|attribute| !attribute.instances.is_empty());
        }
    }
    Ok(operations)
}

type Late = HashMap<(EntityId, NameId), Vec<(Place, Timestamp)>>;

/// Readings that are not newer than what the twin holds now and differ from it.
fn late_readings(twin: &Twin, operations: &[Operation<NameId>]) -> Late {
    let root = twin.root.load();
    let mut late = Late::new();
    for (at, operation) in operations.iter().enumerate() {
        let Operation::Ingest(entity) = operation else { continue };
        let record = root.slot(entity.id.as_str()).and_then(|slot| root.record(slot));
        let Some(record) = record else { continue };
        for (place, attribute) in entity.attributes.iter().enumerate() {
            for (nth, instance) in attribute.instances.iter().enumerate() {
                if let Some(moment) = late_at(record, attribute.name, instance) {
                    let series = late.entry((entity.id.clone(), attribute.name)).or_default();
                    series.push(((at, place, nth), moment));
                }
            }
        }
    }
    late
}

fn late_at(record: &Record, name: NameId, reading: &Instance<NameId>) -> Option<Timestamp> {
    let moment = reading.observed_at?;
    let there = record.view().attribute(name)?;
    let there = there.instance(reading.dataset_id.as_ref().map(Iri::as_str))?;
    // The reading of now is left to the sequencer, which sees that it is the same.
    let is_now = moment == there.observed_at()? && decode_instance(&there).same_content(reading);
    (moment <= there.observed_at()? && !is_now).then_some(moment)
}

fn instance_at(
    operations: &[Operation<NameId>],
    (operation, attribute, instance): Place,
) -> Option<&Instance<NameId>> {
    match operations.get(operation)? {
        Operation::Ingest(entity) => entity.attributes.get(attribute)?.instances.get(instance),
        _ => None,
    }
}

/// What the history holds of one attribute between two moments.
async fn series(
    engine: &Engine,
    caller: &Caller,
    entity: EntityId,
    name: NameId,
    from: Timestamp,
    to: Timestamp,
) -> Result<HashMap<Timestamp, Vec<Instance<NameId>>>, WriteError> {
    let mut series: HashMap<Timestamp, Vec<Instance<NameId>>> = HashMap::new();
    let Some(name) = engine.names().name(name) else { return Ok(series) };
    let request = HistoryRequest {
        entity,
        attributes: vec![name],
        omitted: Vec::new(),
        property: None,
        datasets: None,
        from: Some(from),
        until: Some(Timestamp::from_micros(to.as_micros().saturating_add(1))),
        last: None,
        limit: MOST_LINES,
    };
    let all_seeing = Caller { view: View::all(), ..caller.clone() };
    let history = match engine.history(&all_seeing, &request).await {
        Ok(history) => history,
        Err(QueryError::Store(error)) => return Err(WriteError::Store(error)),
        Err(_) => None,
    };
    for row in history.into_iter().flat_map(|history| history.rows) {
        if let HistoryEvent::Instance { instance, .. } = &row.event
            && let Some(instance) = InstanceRef::from_bytes(instance)
        {
            series.entry(row.time).or_default().push(decode_instance(&instance));
        }
    }
    Ok(series)
}
