//! Types and attributes as a source lists or describes them (clauses 5.2.24 to 5.2.28).

use std::collections::BTreeMap;

use cardo_engine::{AttributeInfo, SourceFault, TypeInfo};
use cardo_jsonld::Context;
use cardo_model::{Iri, Kind};
use serde_json::Value;

use crate::parse::expand_name;

/// So many types of one source are taken.
const MOST_TYPES: usize = 10_000;
/// So many attributes of one type are taken.
const MOST_ATTRIBUTES: usize = 1_000;

/// The types of an answer: a list of names, or descriptions of types or of attributes.
pub(super) fn discovered(body: &[u8], context: &Context) -> Result<Vec<TypeInfo>, SourceFault> {
    let answer: Value = serde_json::from_slice(body)
        .map_err(|error| SourceFault::Invalid(format!("it is no JSON: {error}")))?;
    let items = match answer {
        Value::Array(items) => items,
        Value::Object(_) if answer.get("typeName").is_some() => {
            return Ok(described_type(&answer, context).into_iter().collect());
        }
        Value::Object(_) if answer.get("attributeName").is_some() => {
            return Ok(described_attribute(&answer, context));
        }
        Value::Object(_) => {
            let names = strings(&answer["typeList"]);
            let types = names.filter_map(|name| expand_name(name, context).ok());
            return Ok(types.take(MOST_TYPES).map(bare).collect());
        }
        _ => return Err(SourceFault::Invalid("it is no list of types".to_owned())),
    };
    let mut all: BTreeMap<Iri, TypeInfo> = BTreeMap::new();
    for item in items.iter().take(MOST_TYPES) {
        let name = |member: &str| expand_name(item[member].as_str()?, context).ok();
        if let Some(type_name) = name("typeName") {
            let info = all.entry(type_name.clone()).or_insert_with(|| bare(type_name));
            let names = strings(&item["attributeNames"]);
            let names = names.filter_map(|name| expand_name(name, context).ok());
            let attributes = names.take(MOST_ATTRIBUTES).map(|name| attribute(name, Vec::new()));
            info.attributes.extend(attributes);
        } else if let Some(attribute_name) = name("attributeName") {
            let kinds = kinds(item);
            for type_name in strings(&item["typeNames"]) {
                let Ok(type_name) = expand_name(type_name, context) else { continue };
                let info = all.entry(type_name.clone()).or_insert_with(|| bare(type_name));
                if info.attributes.len() < MOST_ATTRIBUTES {
                    info.attributes.push(attribute(attribute_name.clone(), kinds.clone()));
                }
            }
        }
    }
    Ok(all.into_values().collect())
}

/// A type as it is described alone (clause 5.2.26).
fn described_type(item: &Value, context: &Context) -> Option<TypeInfo> {
    let mut info = bare(expand_name(item["typeName"].as_str()?, context).ok()?);
    info.count = count(&item["entityCount"]);
    let details = item["attributeDetails"].as_array().into_iter().flatten();
    info.attributes.extend(details.take(MOST_ATTRIBUTES).filter_map(|detail| {
        let name = expand_name(detail["attributeName"].as_str()?, context).ok()?;
        Some(attribute(name, kinds(detail)))
    }));
    Some(info)
}

/// An attribute as it is described alone (clause 5.2.28). How many entities of which type have it is
/// not told, only how many all of them are.
fn described_attribute(item: &Value, context: &Context) -> Vec<TypeInfo> {
    let name = item["attributeName"].as_str().and_then(|name| expand_name(name, context).ok());
    let Some(name) = name else { return Vec::new() };
    let mut count = count(&item["attributeCount"]);
    let types = strings(&item["typeNames"]).filter_map(|name| expand_name(name, context).ok());
    let with_attribute = |of_type: Iri| {
        let mut info = bare(of_type);
        let count = std::mem::take(&mut count);
        info.attributes.push(AttributeInfo { count, ..attribute(name.clone(), kinds(item)) });
        info
    };
    types.take(MOST_TYPES).map(with_attribute).collect()
}

fn kinds(item: &Value) -> Vec<Kind> {
    strings(&item["attributeTypes"]).filter_map(|kind| kind.parse().ok()).collect()
}

fn count(told: &Value) -> usize {
    told.as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(0)
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// How many entities there are is not told by lists.
fn bare(name: Iri) -> TypeInfo {
    TypeInfo { name, count: 0, attributes: Vec::new(), time: None }
}

fn attribute(name: Iri, kinds: Vec<Kind>) -> AttributeInfo {
    AttributeInfo {
        name,
        count: 0,
        kinds,
        datatypes: Vec::new(),
        languages: Vec::new(),
        extent: None,
    }
}
