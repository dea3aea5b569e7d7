//! Inputs of entities of any type, also of types and attributes that are new to the twin.

use async_graphql::Value as Given;
use cardo_model::{Iri, JsonText, Kind, Scope, Value};
use cardo_query::Datasets;

use super::{
    AttributeDraft, Draft, InstanceDraft, Said, instance, json_text, moment, optional_text, texts,
};
use crate::fault::Fault;
use crate::filter::geometry;
use crate::schema::type_iri;
use crate::session::Session;

/// The members of an attribute of which one says its value, and what it is then.
pub(crate) const VALUES: [(&str, Kind); 5] = [
    ("value", Kind::Property),
    ("geometry", Kind::GeoProperty),
    ("relationship", Kind::Relationship),
    ("texts", Kind::LanguageProperty),
    ("vocab", Kind::VocabProperty),
];

pub(super) fn read(session: &Session, input: &Given) -> Result<Draft, Fault> {
    let mut draft = Draft::default();
    for (name, given) in members(input, "input")? {
        match name.as_str() {
            "type" => {
                for name in texts(given, "type")? {
                    draft.types.push(type_name(session, name)?);
                }
            }
            "scope" => {
                let scopes = texts(given, "scope")?.into_iter().map(Scope::new);
                draft.scopes = Some(scopes.collect::<Result<_, _>>()?);
            }
            "expiresAt" => draft.expires_at = moment(given, "expiresAt")?.into(),
            _ => attributes(session, given, &mut draft.attributes)?,
        }
    }
    Ok(draft)
}

fn members<'a>(
    given: &'a Given,
    name: &str,
) -> Result<&'a async_graphql::indexmap::IndexMap<async_graphql::Name, Given>, Fault> {
    match given {
        Given::Object(members) => Ok(members),
        other => Err(Fault::input(format!("{name} is {other}, and has to be an object"))),
    }
}

fn attributes(
    session: &Session,
    given: &Given,
    into: &mut Vec<AttributeDraft>,
) -> Result<(), Fault> {
    let items = match given {
        Given::Null => return Ok(()),
        Given::List(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    for item in items {
        let item = members(item, "attributes")?;
        let text = |name: &str| match item.get(name) {
            None => Ok(None),
            Some(given) => optional_text(given, name),
        };
        let short = text("name")?.ok_or_else(|| Fault::input("an attribute has no name"))?;
        let name = attribute_name(session, &short)?;
        let dataset = text("datasetId")?.map(Iri::new).transpose()?;
        let draft = instance(into, &name, dataset);
        for (member, given) in item {
            draft.take(session, &short, member, given)?;
        }
    }
    Ok(())
}

impl InstanceDraft {
    fn take(
        &mut self,
        session: &Session,
        name: &str,
        member: &str,
        given: &Given,
    ) -> Result<(), Fault> {
        match member {
            "observedAt" => self.observed_at = moment(given, member)?.into(),
            "unitCode" => self.unit_code = optional_text(given, member)?.map(Into::into).into(),
            "attributes" => attributes(session, given, &mut self.attributes)?,
            "name" | "datasetId" => {}
            _ => {
                if self.kind.is_some() {
                    let message = format!("attribute {name:?} is given more than one value");
                    return Err(Fault::input(message));
                }
                self.kind = VALUES.iter().find(|(value, _)| *value == member).map(|(_, k)| *k);
                self.value = match given {
                    Given::Null => Said::Gone,
                    given => Said::This(value(session, member, given)?),
                };
            }
        }
        Ok(())
    }
}

fn value(session: &Session, member: &str, given: &Given) -> Result<Value, Fault> {
    Ok(match member {
        "geometry" => Value::geo(&geometry(given, member)?),
        "relationship" => {
            let ids = texts(given, member)?.into_iter().map(|id| Iri::new(id.to_owned()));
            match ids.collect::<Result<Vec<_>, _>>()?.as_slice() {
                [one] => Value::relationship(one),
                several => Value::relationships(several),
            }
        }
        "texts" => {
            for (language, text) in members(given, member)? {
                texts(text, language)?;
            }
            Value::language_map(json_text(given, member)?)
        }
        "vocab" => {
            let terms = session.face.engine.terms();
            let names: Vec<_> = texts(given, member)?.into_iter().map(|n| terms.full(n)).collect();
            Value::vocab(match names.as_slice() {
                [one] => JsonText::string(one),
                several => JsonText::strings(several.iter().map(AsRef::as_ref)),
            })
        }
        _ => Value::property(json_text(given, member)?, false),
    })
}

/// The type of a short name, which may be new, or of an IRI.
fn type_name(session: &Session, name: &str) -> Result<Iri, Fault> {
    type_iri(&session.model, name).or_else(|fault| new_name(session, name).ok_or(fault))
}

/// The attribute of a short name, which may be new, or of an IRI.
fn attribute_name(session: &Session, name: &str) -> Result<Iri, Fault> {
    let columns = session.model.tables.all().iter().filter_map(|table| table.column(name));
    let is_whole = |column: &&cardo_engine::Column| {
        column.path.attributes.is_empty() && !matches!(column.path.datasets, Datasets::Only(_))
    };
    if let Some(known) = columns.into_iter().find(is_whole) {
        return Ok(known.attribute().clone());
    }
    new_name(session, name).ok_or_else(|| {
        Fault::input(format!("{name:?} is no attribute of the twin, no term and no IRI"))
    })
}

fn new_name(session: &Session, name: &str) -> Option<Iri> {
    let full = session.face.engine.terms().full(name).into_owned();
    full.contains(':').then(|| Iri::new(full).ok()).flatten()
}
