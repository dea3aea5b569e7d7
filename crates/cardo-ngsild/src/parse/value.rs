use std::borrow::Cow;

use cardo_jsonld::{Context, expand_value, expand_vocab};
use cardo_model::{Geometry, Iri, JsonText, Kind, NGSI_LD_NULL, Timestamp, Value};
use serde_json::value::RawValue;

use super::error::{DataFault, InvalidInput, shorten};
use super::members::{Items, Members, as_string, string};

/// What `urn:ngsi-ld:null` may do (clause 5.5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Nulls {
    /// Nothing: it is an error.
    Refused,
    /// Delete an attribute or an instance of it.
    Attributes,
    /// Delete that, and members of compound values (clause 5.5.12).
    Everywhere,
}

/// Reads the value of an attribute of a known kind.
pub(super) fn value(
    kind: Kind,
    raw: &RawValue,
    context: &Context,
    nulls: Nulls,
) -> Result<Value, InvalidInput> {
    if raw.get() == "null" {
        return Err(
            DataFault::Expected("null".to_owned(), "a value; urn:ngsi-ld:null deletes").into()
        );
    }
    if is_null(kind, raw) {
        return if nulls == Nulls::Refused {
            Err(DataFault::Null.into())
        } else {
            Ok(Value::null(kind))
        };
    }
    match kind {
        Kind::Property => {
            let expanded = expand_value(raw, context)?;
            refuse_inner_nulls(expanded.text.as_str(), nulls)?;
            Ok(Value::property(expanded.text, expanded.coerced))
        }
        Kind::Relationship => relationship(raw),
        Kind::GeoProperty => geometry(raw).map(|geometry| Value::geo(&geometry)),
        Kind::LanguageProperty => language_map(raw, nulls),
        Kind::VocabProperty => {
            let vocab = expand_vocab(raw, context)?;
            if vocab.as_str() == "[]" {
                return Err(
                    DataFault::Expected("[]".to_owned(), "a term or an array of them").into()
                );
            }
            Ok(Value::vocab(vocab))
        }
        Kind::JsonProperty => {
            if !raw.get().starts_with(['{', '[']) {
                return Err(
                    DataFault::Expected(shorten(raw.get()), "a JSON object or an array").into()
                );
            }
            let json = JsonText::from_raw(raw)?;
            refuse_inner_nulls(json.as_str(), nulls)?;
            Ok(Value::json(json))
        }
        Kind::ListProperty => {
            if !raw.get().starts_with('[') {
                return Err(DataFault::Expected(shorten(raw.get()), "an array").into());
            }
            let expanded = expand_value(raw, context)?;
            refuse_inner_nulls(expanded.text.as_str(), nulls)?;
            Ok(Value::list(expanded.text, expanded.coerced))
        }
        Kind::ListRelationship => list_relationship(raw),
    }
}

fn is_null(kind: Kind, raw: &RawValue) -> bool {
    let is_the_word = |raw: &RawValue| as_string(raw).as_deref() == Some(NGSI_LD_NULL);
    match kind {
        Kind::LanguageProperty => {
            is_the_word(raw)
                || Members::of(raw).is_ok_and(|map| {
                    map.len() == 1
                        && map.iter().all(|(tag, text)| tag == "@none" && is_the_word(text))
                })
        }
        Kind::ListProperty | Kind::ListRelationship => {
            is_the_word(raw)
                || Items::of(raw).is_ok_and(|items| items.0.len() == 1 && is_the_word(items.0[0]))
        }
        _ => is_the_word(raw),
    }
}

/// Clause 5.5.4, last paragraph: null as the value of a member of a compound value.
fn refuse_inner_nulls(text: &str, nulls: Nulls) -> Result<(), InvalidInput> {
    if nulls < Nulls::Everywhere && text.contains(":\"urn:ngsi-ld:null\"") {
        return Err(DataFault::Null.into());
    }
    Ok(())
}

fn object(raw: &RawValue) -> Result<Iri, InvalidInput> {
    let text = string(raw, "the URI of an entity")?;
    if text == NGSI_LD_NULL {
        return Err(DataFault::Null.into());
    }
    Ok(Iri::new(&*text)?)
}

fn relationship(raw: &RawValue) -> Result<Value, InvalidInput> {
    if !raw.get().starts_with('[') {
        return Ok(Value::relationship(&object(raw)?));
    }
    let objects: Vec<Iri> = Items::of(raw)?.0.into_iter().map(object).collect::<Result<_, _>>()?;
    if objects.is_empty() {
        return Err(DataFault::Expected("[]".to_owned(), "a URI or an array of them").into());
    }
    Ok(Value::relationships(&objects))
}

fn list_relationship(raw: &RawValue) -> Result<Value, InvalidInput> {
    let objects = Items::of(raw)?.0.into_iter().map(|item| {
        if !item.get().starts_with('{') {
            return object(item);
        }
        let members = Members::of(item)?;
        let inner = members.get("object")?.ok_or(DataFault::Missing("object"))?;
        if let Some((name, _)) = members.iter().find(|(name, _)| *name != "object") {
            let name = shorten(name);
            return Err(DataFault::Prohibited(
                name,
                "an item of objectList holds its object alone",
            )
            .into());
        }
        object(inner)
    });
    let objects: Vec<Iri> = objects.collect::<Result<_, _>>()?;
    Ok(Value::list_relationship(&objects))
}

/// A GeoJSON geometry, or a text that holds one (clause 4.7.1).
pub(super) fn geometry(raw: &RawValue) -> Result<Geometry, InvalidInput> {
    let text: Cow<'_, str> = match as_string(raw) {
        Some(text) => text,
        None => Cow::Borrowed(raw.get()),
    };
    Ok(Geometry::parse(&text)?)
}

fn language_map(raw: &RawValue, nulls: Nulls) -> Result<Value, InvalidInput> {
    const WHAT: &str = "a text or an array of texts";
    let map = Members::of(raw)?;
    for (tag, texts) in map.iter() {
        if !is_language_tag(tag) {
            let tag = shorten(tag);
            return Err(DataFault::Expected(format!("{tag:?}"), "a language tag or @none").into());
        }
        if texts.get().starts_with('[') {
            for text in Items::of(texts)?.0 {
                string(text, WHAT).map_err(|error| error.within(tag))?;
            }
        } else {
            let text = string(texts, WHAT).map_err(|error| error.within(tag))?;
            if text == NGSI_LD_NULL && nulls < Nulls::Everywhere {
                return Err(InvalidInput::from(DataFault::Null).within(tag));
            }
        }
    }
    if let Some(tag) = map.repeated() {
        return Err(DataFault::Twice(shorten(tag)).into());
    }
    if map.len() == 0 {
        return Err(DataFault::Expected("{}".to_owned(), "a map with at least one language").into());
    }
    Ok(Value::language_map(JsonText::from_raw(raw)?))
}

/// The shape of a language tag (RFC 5646, section 2.1): subtags of one to eight letters or digits.
fn is_language_tag(tag: &str) -> bool {
    let is_subtag = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    tag == "@none"
        || (tag.split('-').all(is_subtag) && tag.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// A moment in UTC (clause 4.6.3), which has no other way to say it than `Z`.
pub(crate) fn utc(text: &str) -> Result<Timestamp, DataFault> {
    if text.ends_with('Z') {
        return Ok(Timestamp::parse(text)?);
    }
    Err(DataFault::Expected(shorten(text), "a time in UTC such as 2026-01-31T12:00:00Z"))
}
