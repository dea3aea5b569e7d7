use std::borrow::Cow;
use std::collections::HashMap;

use cardo_model::{InstanceRef, Kind, NameId, Timestamp};
use serde_json::value::RawValue;

use super::scalar::Scalar;
use crate::{Comparison, Key, Member, Operand, Operator, Path};

/// Whether one instance of the root attribute meets a comparison; the path's
/// [`Datasets`](crate::Datasets) are the caller's to heed.
#[inline]
pub fn instance_matches(comparison: &Comparison<NameId>, instance: &InstanceRef<'_>) -> bool {
    let Comparison { path, operator, operand } = comparison;
    descend(&path.attributes, instance, &mut |target| {
        if path.member != Member::Value {
            return member_matches(path.member, *operator, operand, target);
        }
        if !path.keys.is_empty() {
            return item_matches(&path.keys, *operator, operand, target);
        }
        value_matches(*operator, operand, target)
    })
}

/// Whether the path, of which the instance is one of its root attribute, leads to something.
pub fn instance_has(path: &Path<NameId>, instance: &InstanceRef<'_>) -> bool {
    descend(&path.attributes, instance, &mut |target| match path.member {
        Member::Value => path.keys.is_empty() || has_item(&path.keys, target),
        Member::UnitCode => target.unit_code().is_some(),
        Member::DatasetId => target.dataset_id().is_some(),
        Member::ObjectType => target.object_types().is_some(),
        time => time_of(time, target).is_some(),
    })
}

/// Follows attributes of attributes to the instances at their end.
fn descend(
    attributes: &[NameId],
    instance: &InstanceRef<'_>,
    test: &mut dyn FnMut(&InstanceRef<'_>) -> bool,
) -> bool {
    let Some((name, rest)) = attributes.split_first() else { return test(instance) };
    instance
        .attribute(*name)
        .is_some_and(|attribute| attribute.instances().any(|inner| descend(rest, &inner, test)))
}

/// The one value that a path leads to in an instance, `None` where it leads nowhere. Of a language
/// map it is the text that a client sees who asks for no language.
pub(super) fn instance_scalar<'a>(
    path: &Path<NameId>,
    instance: &InstanceRef<'a>,
) -> Option<Scalar<'a>> {
    let mut target = *instance;
    for name in &path.attributes {
        target = target.attribute(*name)?.instances().next()?;
    }
    match path.member {
        Member::Value if path.keys.is_empty() => Some(value_scalar(&target)),
        Member::Value if target.kind() == Kind::LanguageProperty => match path.keys.as_slice() {
            [Key::Member { term, .. }] => text_in(target.value_bytes(), term).map(Scalar::read),
            _ => Some(preferred_text(target.value_bytes())),
        },
        Member::Value => item(&path.keys, &target).map(single),
        Member::UnitCode => target.unit_code().map(Scalar::text),
        Member::DatasetId => target.dataset_id().map(Scalar::text),
        Member::ObjectType => None,
        time => time_of(time, &target).map(Scalar::Time),
    }
}

/// The JSON that a path leads to in an instance, where it is a value.
pub(super) fn instance_json<'a>(
    path: &Path<NameId>,
    instance: &InstanceRef<'a>,
) -> Option<&'a [u8]> {
    let mut target = *instance;
    for name in &path.attributes {
        target = target.attribute(*name)?.instances().next()?;
    }
    match path.member {
        Member::Value if path.keys.is_empty() => Some(target.value_bytes()),
        Member::Value => item(&path.keys, &target),
        _ => None,
    }
}

fn value_scalar<'a>(instance: &InstanceRef<'a>) -> Scalar<'a> {
    let json = instance.value_bytes();
    match instance.kind() {
        Kind::LanguageProperty => preferred_text(json),
        Kind::Property if instance.value_type().is_some_and(is_date_time) => moment(json),
        _ => single(json),
    }
}

fn single(json: &[u8]) -> Scalar<'_> {
    match json.first() {
        Some(b'{') => typed_value(json),
        Some(b'[') => Scalar::Other,
        _ => Scalar::read(json),
    }
}

/// The text without a language, else the English one, else the first by its tag.
fn preferred_text(language_map: &[u8]) -> Scalar<'_> {
    let texts = members(language_map);
    let first = || texts.iter().min_by(|a, b| a.0.cmp(b.0)).map(|(_, text)| text);
    let text = texts.get("@none").or_else(|| texts.get("en")).or_else(first);
    text.map_or(Scalar::Other, |text| single(text.get().as_bytes()))
}

fn time_of(member: Member, instance: &InstanceRef<'_>) -> Option<Timestamp> {
    match member {
        Member::ObservedAt => instance.observed_at(),
        Member::CreatedAt => Some(instance.created_at()),
        Member::ModifiedAt => Some(instance.modified_at()),
        Member::ExpiresAt => instance.expires_at(),
        Member::Value | Member::UnitCode | Member::DatasetId | Member::ObjectType => None,
    }
}

fn member_matches(
    member: Member,
    operator: Operator,
    operand: &Operand,
    instance: &InstanceRef<'_>,
) -> bool {
    let target = match member {
        Member::UnitCode => instance.unit_code().map(Scalar::text),
        Member::DatasetId => instance.dataset_id().map(Scalar::text),
        Member::Value | Member::ObjectType => None,
        time => time_of(time, instance).map(Scalar::Time),
    };
    target.is_some_and(|scalar| scalar.matches(operator, operand))
}

#[inline]
fn value_matches(operator: Operator, operand: &Operand, instance: &InstanceRef<'_>) -> bool {
    let json = instance.value_bytes();
    match instance.kind() {
        // With a relationship all operators but these two result in not matching.
        Kind::Relationship | Kind::ListRelationship => {
            matches!(operator, Operator::Equal | Operator::Unequal)
                && json_matches(operator, operand, json)
        }
        Kind::LanguageProperty => any_language_matches(operator, operand, json),
        Kind::Property if instance.value_type().is_some_and(is_date_time) => {
            moment(json).matches(operator, operand)
        }
        _ => json_matches(operator, operand, json),
    }
}

/// The text that a value is compared as, `None` where it is no single text, is a moment, or has
/// escapes in its JSON.
///
/// An engine may answer equality of a plain path with a text from an index of these, in place of
/// [`instance_matches`]. Instances without such a text have to be judged by themselves.
pub fn scalar_text<'a>(instance: &InstanceRef<'a>) -> Option<&'a str> {
    let is_comparable = match instance.kind() {
        Kind::Relationship | Kind::VocabProperty | Kind::JsonProperty => true,
        Kind::Property => !instance.value_type().is_some_and(is_date_time),
        _ => false,
    };
    let text = instance.value_bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if !is_comparable || text.contains(&b'\\') {
        return None;
    }
    std::str::from_utf8(text).ok()
}

/// Whether an instance is a property whose value is a date and time: by its `valueType`, or as a
/// JSON-LD typed value.
pub fn is_moment(instance: &InstanceRef<'_>) -> bool {
    if instance.kind() != Kind::Property {
        return false;
    }
    if let Some(datatype) = instance.value_type() {
        return is_date_time(datatype);
    }
    let json = instance.value_bytes();
    json.first() == Some(&b'{') && matches!(typed_value(json), Scalar::Time(_))
}

/// Whether an instance is a property whose value is a date by its datatype, as for [`is_moment`].
pub fn is_dated(instance: &InstanceRef<'_>) -> bool {
    if instance.kind() != Kind::Property {
        return false;
    }
    if let Some(datatype) = instance.value_type() {
        return datatype.ends_with("Date");
    }
    let json = instance.value_bytes();
    if json.first() != Some(&b'{') || !json.windows(5).any(|window| window == b"Date\"") {
        return false;
    }
    let datatype = members(json).get("@type").map(|datatype| datatype.get());
    datatype.is_some_and(|datatype| datatype.ends_with("Date\""))
}

/// Whether a datatype, by term or full name, is that of moments (clause 4.6.3).
fn is_date_time(datatype: &str) -> bool {
    datatype.ends_with("DateTime") || datatype.ends_with("dateTime")
}

/// A text that is known to be a moment, so that its order is that of time.
fn moment(json: &[u8]) -> Scalar<'_> {
    match Scalar::read(json) {
        Scalar::Text(text) => Timestamp::parse(&text).map_or(Scalar::Text(text), Scalar::Time),
        other => other,
    }
}

/// Judges a target value: a scalar, a list or an object.
#[inline]
fn json_matches(operator: Operator, operand: &Operand, json: &[u8]) -> bool {
    match json.first() {
        Some(b'[' | b'{') => compound_matches(operator, operand, json),
        _ => Scalar::read(json).matches(operator, operand),
    }
}

fn compound_matches(operator: Operator, operand: &Operand, json: &[u8]) -> bool {
    match (json.first(), operator) {
        (Some(b'['), Operator::Equal) => includes(operand, json),
        (Some(b'['), Operator::Unequal) => !includes(operand, json),
        (Some(b'['), _) => false,
        _ => typed_value(json).matches(operator, operand),
    }
}

/// Whether a list includes a constant; a range speaks of the value itself, not of items.
fn includes(operand: &Operand, json: &[u8]) -> bool {
    if matches!(operand, Operand::Range(..)) {
        return false;
    }
    let items: Vec<&RawValue> = serde_json::from_slice(json).unwrap_or_default();
    items.iter().any(|item| {
        let item = item.get().as_bytes();
        let scalar = match item.first() {
            Some(b'{') => typed_value(item),
            _ => Scalar::read(item),
        };
        scalar.equals_any(operand)
    })
}

/// What a JSON-LD typed value such as `{"@type":"DateTime","@value":"…"}` holds.
fn typed_value(json: &[u8]) -> Scalar<'_> {
    // Most objects are no typed values, and this is cheaper than to read their members.
    if !json.windows(8).any(|window| window == b"\"@value\"") {
        return Scalar::Other;
    }
    let members = members(json);
    let member = |name| members.get(name).map(|value: &&RawValue| value.get().as_bytes());
    let datatype = member("@type").map(Scalar::read);
    match (datatype, member("@value")) {
        (Some(Scalar::Text(datatype)), Some(value)) if is_date_time(&datatype) => moment(value),
        (_, Some(value)) => Scalar::read(value),
        (_, None) => Scalar::Other,
    }
}

fn members(json: &[u8]) -> HashMap<Cow<'_, str>, &RawValue> {
    serde_json::from_slice(json).unwrap_or_default()
}

/// A language property without a language: the target is a value of any of its pairs, and for the
/// negative operators none of them may say the contrary.
fn any_language_matches(operator: Operator, operand: &Operand, json: &[u8]) -> bool {
    let texts = members(json);
    let mut texts = texts.values().map(|text| text.get().as_bytes()).peekable();
    let exists = texts.peek().is_some();
    match operator {
        Operator::Unequal => exists && texts.all(|text| any_text_matches(operator, operand, text)),
        Operator::MatchesNot => {
            exists && texts.all(|text| !any_text_matches(Operator::Matches, operand, text))
        }
        _ => texts.any(|text| any_text_matches(operator, operand, text)),
    }
}

/// The texts of one language are one text or a list of them.
fn any_text_matches(operator: Operator, operand: &Operand, json: &[u8]) -> bool {
    if json.first() != Some(&b'[') {
        return json_matches(operator, operand, json);
    }
    let texts: Vec<&RawValue> = serde_json::from_slice(json).unwrap_or_default();
    let mut matches =
        texts.iter().map(|text| Scalar::read(text.get().as_bytes()).matches(operator, operand));
    match operator {
        Operator::Unequal | Operator::MatchesNot => matches.all(|matches| matches),
        _ => matches.any(|matches| matches),
    }
}

fn item_matches(
    keys: &[Key],
    operator: Operator,
    operand: &Operand,
    instance: &InstanceRef<'_>,
) -> bool {
    let json = instance.value_bytes();
    if instance.kind() != Kind::LanguageProperty {
        return item(keys, instance).is_some_and(|found| json_matches(operator, operand, found));
    }
    match keys {
        [Key::AnyLanguage] => any_language_matches(operator, operand, json),
        [Key::Member { term, .. }] => {
            text_in(json, term).is_some_and(|text| any_text_matches(operator, operand, text))
        }
        _ => false,
    }
}

fn has_item(keys: &[Key], instance: &InstanceRef<'_>) -> bool {
    if instance.kind() != Kind::LanguageProperty {
        return item(keys, instance).is_some();
    }
    match keys {
        [Key::AnyLanguage] => !members(instance.value_bytes()).is_empty(),
        [Key::Member { term, .. }] => text_in(instance.value_bytes(), term).is_some(),
        _ => false,
    }
}

/// The texts in a language; tags compare without regard to case (RFC 5646, section 2.1.1).
fn text_in<'a>(language_map: &'a [u8], tag: &str) -> Option<&'a [u8]> {
    let texts = members(language_map);
    let (_, text) = texts.iter().find(|(key, _)| key.eq_ignore_ascii_case(tag))?;
    Some(text.get().as_bytes())
}

/// The item that keys lead to, as a member expression of ECMA 262 does.
fn item<'a>(keys: &[Key], instance: &InstanceRef<'a>) -> Option<&'a [u8]> {
    let has_plain_keys = match instance.kind() {
        Kind::JsonProperty | Kind::GeoProperty => true,
        Kind::Property | Kind::ListProperty => false,
        _ => return None,
    };
    let mut json = instance.value_bytes();
    for key in keys {
        let Key::Member { term, name } = key else { return None };
        if json.first() != Some(&b'{') {
            return None;
        }
        let members = members(json);
        // Within a value there are parts whose keys no context expands: JSON, language maps.
        let expanded = if has_plain_keys { None } else { members.get(name.as_ref()) };
        json = expanded.or_else(|| members.get(term.as_ref()))?.get().as_bytes();
    }
    Some(json)
}
