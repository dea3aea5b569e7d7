//! Which snapshots a query is about (clause 5.16.7.4).

use cardo_model::{
    Attribute, Entity, Instance, Iri, JsonText, NameId, Record, RecordHeader, Revision, Seq, Value,
};
use cardo_query::{QOptions, evaluate, parse_q};

use super::Stored;
use crate::fault::Fault;
use crate::operations::ContextNames;
use crate::represent::Naming;

/// The members that a query may be about, but for the dates.
const MEMBERS: [&str; 5] =
    ["snapshotLifetime", "snapshotPriority", "snapshotStatus", "endpoint", "lastUsedAt"];

/// The snapshots that meet a query on their members.
pub(crate) fn matching(q: &str, naming: &Naming, all: Vec<Stored>) -> Result<Vec<Stored>, Fault> {
    let names = ContextNames(naming.context());
    let filter = parse_q(q, &names, QOptions::default())?;
    let known: Vec<Iri> = MEMBERS.iter().map(|name| names.name(name)).collect::<Result<_, _>>()?;
    let mut other = None;
    let filter = filter.map_names(&mut |name: &Iri| {
        if let Some(place) = known.iter().position(|one| one == name) {
            NameId::new(u32::try_from(place).unwrap_or(u32::MAX))
        } else {
            other = Some(name.clone());
            NameId::UNKNOWN
        }
    });
    if let Some(other) = other {
        return Err(Fault::bad_data(format!("q: {other} is no member of a snapshot")));
    }
    let mut found = Vec::new();
    for stored in all {
        if evaluate(&filter, &record(&stored)?.view()) {
            found.push(stored);
        }
    }
    Ok(found)
}

/// A snapshot as an entity, for the evaluator.
fn record(stored: &Stored) -> Result<Record, Fault> {
    let shown = stored.show(None);
    let id = Iri::new(stored.id.to_string())?;
    let mut entity: Entity<NameId> = Entity::new(id, NameId::new(0));
    entity.expires_at = Some(stored.expires_at);
    for (place, name) in (0..).zip(MEMBERS) {
        if let Some(value) = shown.get(name) {
            let value = Value::property(JsonText::from_canonical(value.to_string()), false);
            entity.attributes.push(Attribute::new(NameId::new(place), Instance::new(value)));
        }
    }
    let header = RecordHeader {
        seq: Seq::default(),
        created_at: stored.created_at,
        modified_at: stored.modified_at,
        revision: Revision(1),
    };
    Ok(Record::encode(&entity, header))
}
