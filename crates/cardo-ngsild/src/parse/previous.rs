use cardo_jsonld::Context;
use cardo_model::{Kind, Value};

use super::attribute::is_geometry;
use super::members::{Members, as_string};
use super::value::{Nulls, value};

/// The members that tell what an attribute was before (clause 5.2.5 and the like).
const PREVIOUS: [(&str, Kind); 7] = [
    ("previousValue", Kind::Property),
    ("previousObject", Kind::Relationship),
    ("previousLanguageMap", Kind::LanguageProperty),
    ("previousVocab", Kind::VocabProperty),
    ("previousJson", Kind::JsonProperty),
    ("previousValueList", Kind::ListProperty),
    ("previousObjectList", Kind::ListRelationship),
];

/// What an instance was before, where that is told and can be read.
pub(crate) fn previous_value(members: &Members<'_>, context: &Context) -> Option<Value> {
    let of = |(member, kind)| Some((members.get(member).ok()??, kind));
    let (raw, kind) = PREVIOUS.into_iter().find_map(of)?;
    let named = members.keyword("type", "@type").ok()?.and_then(as_string);
    let is_place = match named.as_deref() {
        Some(name) => name == Kind::GeoProperty.as_str(),
        None => is_geometry(raw),
    };
    let kind = if kind == Kind::Property && is_place { Kind::GeoProperty } else { kind };
    value(kind, raw, context, Nulls::Refused).ok()
}
