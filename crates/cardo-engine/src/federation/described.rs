use cardo_model::{
    Attribute, Entity, Instance, Iri, NameId, Names, Record, RecordHeader, Revision, Seq,
    Timestamp, Value,
};
use cardo_query::{Filter, evaluate};

use super::Registration;

/// Whether what describes a source meets a condition (clause 4.9): its members are put to it as an
/// entity's properties are.
pub(super) fn meets(registration: &Registration, filter: &Filter) -> bool {
    let own = registration.properties.iter().map(|(name, _)| name.clone());
    let names = Names::default();
    names.learn((1..).map(NameId::new).zip(own));
    let id_of = |name: &Iri| names.id_or_unknown(name.as_str());
    let mut entity = Entity::new(registration.id.clone(), NameId::new(0));
    entity.scopes.clone_from(&registration.scopes);
    for (name, value) in &registration.properties {
        let instance = Instance::new(Value::property(value.clone(), false));
        entity.attributes.push(Attribute::new(id_of(name), instance));
    }
    let header = RecordHeader {
        seq: Seq::new(Revision(0), 0),
        created_at: Timestamp::from_seconds(0),
        modified_at: Timestamp::from_seconds(0),
        revision: Revision(0),
    };
    let record = Record::encode(&entity, header);
    evaluate(&filter.map_names(&mut |name: &Iri| id_of(name)), &record.view())
}
