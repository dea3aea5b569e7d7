use cardo_jsonld::Context;
use cardo_model::{Kind, Value};

use super::attribute::is_geometry;
use super::members::{Members, as_string};
use super::value::{Nulls, value};

/// Kinds whose previous values have members of their own; those of geometries are told like those of properties.
const KINDS: [Kind; 7] = [
    Kind::Property,
    Kind::Relationship,
    Kind::LanguageProperty,
    Kind::VocabProperty,
    Kind::JsonProperty,
    Kind::ListProperty,
    Kind::ListRelationship,
];

/// The member that tells what an attribute of a kind was before (clause 5.2.5 and the like).
pub(crate) fn previous_member(kind: Kind) -> &'static str {
    match kind {
        Kind::Property | Kind::GeoProperty => "previousValue",
        Kind::Relationship => "previousObject",
        Kind::LanguageProperty => "previousLanguageMap",
        Kind::VocabProperty => "previousVocab",
        Kind::JsonProperty => "previousJson",
        Kind::ListProperty => "previousValueList",
        Kind::ListRelationship => "previousObjectList",
    }
}

/// What an instance was before, where that is told and can be read.
pub(crate) fn previous_value(members: &Members<'_>, context: &Context) -> Option<Value> {
    let of = |kind| Some((members.get(previous_member(kind)).ok()??, kind));
    let (raw, kind) = KINDS.into_iter().find_map(of)?;
    let named = members.keyword("type", "@type").ok()?.and_then(as_string);
    let is_place = match named.as_deref() {
        Some(name) => name == Kind::GeoProperty.as_str(),
        None => is_geometry(raw),
    };
    let kind = if kind == Kind::Property && is_place { Kind::GeoProperty } else { kind };
    value(kind, raw, context, Nulls::Refused).ok()
}
