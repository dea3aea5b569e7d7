//! What the tests of this crate share: a context that maps terms and back, and entities out of
//! short tables.

use cardo_model::{
    Attribute, Entity, Geometry, Instance, Iri, JsonText, Kind, NameId, Record, RecordHeader,
    Revision, Scope, Seq, Timestamp, Value,
};
use cardo_query::{
    Filter, InvalidName, NamePrinter, NameResolver, QError, QOptions, evaluate, parse_q,
};

pub(crate) const VOCAB: &str = "https://uri.etsi.org/ngsi-ld/default-context/";

/// Expands every term into the default vocabulary.
pub(crate) struct Terms;

impl NameResolver for Terms {
    fn attribute(&self, term: &str) -> Result<Iri, InvalidName> {
        Iri::new(format!("{VOCAB}{term}")).map_err(|e| InvalidName::new(term, e.to_string()))
    }

    fn type_name(&self, term: &str) -> Result<Iri, InvalidName> {
        self.attribute(term)
    }

    fn value_key(&self, term: &str) -> Box<str> {
        format!("{VOCAB}{term}").into()
    }
}

impl NamePrinter for Terms {
    fn attribute_term(&self, name: &Iri) -> Option<String> {
        name.as_str().strip_prefix(VOCAB).map(str::to_owned)
    }

    fn type_term(&self, name: &Iri) -> Option<String> {
        self.attribute_term(name)
    }
}

pub(crate) fn q(text: &str) -> Result<Filter, QError> {
    parse_q(text, &Terms, QOptions::default())
}

/// A stable id for a name: as good as a table where names are few.
pub(crate) fn id_of(name: &Iri) -> NameId {
    let hash = name.as_str().bytes().fold(5381_u32, |h, b| h.wrapping_mul(33) ^ u32::from(b));
    NameId::new(hash % 1_000_003)
}

pub(crate) fn iri(text: &str) -> Iri {
    Iri::new(text).unwrap()
}

pub(crate) fn instance(kind: Kind, json: &str) -> Instance {
    let value = match kind {
        Kind::GeoProperty => Value::geo(&Geometry::parse(json).unwrap()),
        _ => Value::from_parts(kind, JsonText::parse(json).unwrap(), false),
    };
    Instance {
        created_at: Timestamp::parse("2020-01-01T00:00:00Z").unwrap(),
        modified_at: Timestamp::parse("2021-01-01T00:00:00Z").unwrap(),
        ..Instance::new(value)
    }
}

pub(crate) fn attribute(name: &str, instances: Vec<Instance>) -> Attribute {
    Attribute { name: iri(&format!("{VOCAB}{name}")), instances }
}

/// An entity with one attribute of one instance.
pub(crate) fn with(name: &str, kind: Kind, json: &str) -> Entity {
    with_instances(name, vec![instance(kind, json)])
}

pub(crate) fn with_instances(name: &str, instances: Vec<Instance>) -> Entity {
    let mut entity = Entity::new(iri("urn:ngsi-ld:Test:1"), iri(&format!("{VOCAB}Test")));
    entity.attributes.push(attribute(name, instances));
    entity
}

pub(crate) fn scoped(scopes: &[&str]) -> Entity {
    let mut entity = Entity::new(iri("urn:ngsi-ld:Test:1"), iri(&format!("{VOCAB}Test")));
    entity.scopes = scopes.iter().map(|s| Scope::new(s).unwrap()).collect();
    entity
}

pub(crate) fn record(entity: Entity) -> Record {
    let header = RecordHeader {
        seq: Seq::new(Revision(1), 0),
        created_at: Timestamp::parse("2020-01-01T00:00:00Z").unwrap(),
        modified_at: Timestamp::parse("2021-01-01T00:00:00Z").unwrap(),
        revision: Revision(1),
    };
    Record::encode(&entity.map_names(&mut |name| id_of(&name)), header)
}

pub(crate) fn holds(filter: &Filter, entity: &Entity) -> bool {
    let resolved = filter.map_names(&mut id_of);
    evaluate(&resolved, &record(entity.clone()).view())
}

/// Whether the entity meets the query.
pub(crate) fn matches(query: &str, entity: &Entity) -> bool {
    let filter = q(query).unwrap_or_else(|error| panic!("{query:?}: {error}"));
    holds(&filter, entity)
}

/// Checks rows of (value, query, whether it matches).
pub(crate) fn check(kind: Kind, rows: &[(&str, &str, bool)]) {
    for (json, query, expected) in rows {
        let entity = with("a", kind, json);
        assert_eq!(matches(query, &entity), *expected, "{json} {query}");
    }
}
