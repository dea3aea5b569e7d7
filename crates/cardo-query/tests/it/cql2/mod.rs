//! CQL2 (OGC 21-065r2). Names such as T-5 are those of the requirements in `conformance/ogc`.

mod encodings;
mod refusals;
mod sample;
mod semantics;
mod tree;

use std::collections::BTreeMap;

use cardo_model::{Attribute, Entity, Kind, Record};
use cardo_query::cql2::{
    Cql2Error, Queryable, Queryables, compile, parse_json, parse_text, write_json,
};
use cardo_query::{Datasets, Filter, Path, Sort, evaluate};

use crate::common::{VOCAB, id_of, instance, iri, record};

/// Properties by name, each an attribute of the same name.
pub(crate) struct Properties(pub(crate) BTreeMap<&'static str, Sort>);

impl Properties {
    pub(crate) fn of(sorts: &[(&'static str, Sort)]) -> Self {
        Self(sorts.iter().copied().collect())
    }
}

impl Queryables for Properties {
    fn queryable(&self, name: &str) -> Option<Queryable> {
        let sort = *self.0.get(name)?;
        let mut path = Path::of_attribute(iri(&format!("{VOCAB}{name}")));
        path.datasets = Datasets::Preferred;
        Some(Queryable { path, sort })
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().map(ToString::to_string).collect()
    }
}

/// The filter of a text, which has to be that of its JSON as well.
pub(crate) fn filter(text: &str, properties: &Properties) -> Result<Filter, Cql2Error> {
    let expression = parse_text(text)?;
    let json = write_json(&expression).to_string();
    let again = parse_json(&json).unwrap_or_else(|error| panic!("{text}: {json}: {error}"));
    let filter = compile(&expression, properties);
    assert_eq!(filter.is_ok(), compile(&again, properties).is_ok(), "{text}: {json}");
    if let (Ok(one), Ok(other)) = (&filter, compile(&again, properties)) {
        assert_eq!(*one, other, "{text}: {json}");
    }
    filter
}

/// An entity out of attributes by name, kind and JSON of the value.
pub(crate) fn entity(attributes: &[(&str, Kind, &str)]) -> Record {
    let mut entity = Entity::new(iri("urn:ngsi-ld:Test:1"), iri(&format!("{VOCAB}Test")));
    for (name, kind, json) in attributes {
        let mut instance = instance(*kind, json);
        if json.ends_with("Z\"") {
            instance.value_type = Some("DateTime".into());
        }
        let name = iri(&format!("{VOCAB}{name}"));
        entity.attributes.push(Attribute { name, instances: vec![instance] });
    }
    record(entity)
}

pub(crate) fn matches(text: &str, properties: &Properties, record: &Record) -> bool {
    let filter = filter(text, properties).unwrap_or_else(|error| panic!("{text}: {error}"));
    evaluate(&filter.map_names(&mut id_of).simplify(), &record.view())
}
