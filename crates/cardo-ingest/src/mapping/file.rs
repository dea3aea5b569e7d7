//! The mapping as it stands in its file.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use cardo_formats::Format;
use cardo_model::{Iri, JsonText};
use cardo_spatial::Crs;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use super::field::FieldRef;
use super::template::Template;
use super::time::{TimeFormat, Zone};

#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MappingFile {
    #[serde(rename = "type")]
    pub(crate) types: Many<String>,
    pub(crate) id: Option<Template>,
    pub(crate) key: Option<FieldRef>,
    pub(crate) scope: Many<Template>,
    pub(crate) context: Option<String>,
    pub(crate) crs: Option<CrsName>,
    pub(crate) format: Option<FormatName>,
    pub(crate) layer: Option<String>,
    pub(crate) other_fields: OtherFields,
    pub(crate) skip: Vec<String>,
    pub(crate) terms: BTreeMap<String, FullName>,
    pub(crate) csv: CsvSection,
    pub(crate) geometry: GeometrySection,
    pub(crate) observed_at: Option<TimeSection>,
    pub(crate) attributes: Ordered<AttributeSection>,
}

/// What becomes of fields that no attribute names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OtherFields {
    #[default]
    Drop,
    Keep,
}

#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CsvSection {
    pub(crate) delimiter: Option<char>,
    pub(crate) decimal_comma: bool,
}

/// Where a geometry stands in a record.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct GeometrySection {
    pub(crate) attribute: Option<String>,
    pub(crate) x: Option<String>,
    pub(crate) y: Option<String>,
    pub(crate) z: Option<String>,
    pub(crate) wkt: Option<String>,
    pub(crate) none: bool,
}

/// When something was observed: the name of a field, or a table.
#[derive(Clone, Debug)]
pub(crate) struct TimeSection {
    pub(crate) source: Template,
    pub(crate) whole_field: Option<FieldRef>,
    pub(crate) format: TimeFormat,
    pub(crate) zone: Zone,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeTable {
    from: Option<FieldRef>,
    template: Option<Template>,
    #[serde(default)]
    format: TimeFormat,
    #[serde(default)]
    zone: Zone,
}

/// An attribute: the name of a field, or a table.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AttributeTable {
    pub(crate) name: Option<String>,
    pub(crate) kind: KindName,
    pub(crate) from: Many<FieldRef>,
    pub(crate) template: Option<Template>,
    pub(crate) value: Option<Constant>,
    #[serde(rename = "type")]
    pub(crate) value_type: ValueType,
    pub(crate) unit: Option<String>,
    pub(crate) scale: Option<f64>,
    pub(crate) offset: Option<f64>,
    pub(crate) decimals: Option<u8>,
    pub(crate) values: BTreeMap<String, Constant>,
    pub(crate) unmapped: Unmapped,
    pub(crate) skip: Vec<String>,
    pub(crate) required: bool,
    pub(crate) timeless: bool,
    pub(crate) observed_at: Option<TimeSection>,
    pub(crate) time_format: TimeFormat,
    pub(crate) zone: Zone,
    pub(crate) dataset: Option<Template>,
    pub(crate) target: Option<Template>,
    pub(crate) object_type: Many<String>,
    pub(crate) split: Option<String>,
    pub(crate) languages: BTreeMap<String, FieldRef>,
    pub(crate) x: Option<FieldRef>,
    pub(crate) y: Option<FieldRef>,
    pub(crate) z: Option<FieldRef>,
    pub(crate) wkt: Option<FieldRef>,
    pub(crate) attributes: Ordered<AttributeSection>,
}

#[derive(Clone, Debug)]
pub(crate) struct AttributeSection(pub(crate) Box<AttributeTable>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KindName {
    #[default]
    Property,
    Relationship,
    Language,
    Vocab,
    Geo,
    Json,
    List,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ValueType {
    #[default]
    Auto,
    Number,
    Integer,
    Text,
    Boolean,
    DateTime,
    Json,
}

/// What becomes of a value that the table of values lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unmapped {
    #[default]
    Keep,
    Skip,
    Refuse,
}

impl AttributeTable {
    /// Finds what contradicts itself, so that the message can point at the place in the file.
    fn check(&self) -> Result<(), String> {
        let has_geometry = self.x.is_some() || self.y.is_some() || self.wkt.is_some();
        let sources = [
            ("from", !self.from.0.is_empty()),
            ("template", self.template.is_some()),
            ("value", self.value.is_some()),
            ("languages", !self.languages.is_empty()),
            ("target", self.target.is_some() && self.split.is_none()),
            ("x and y, or wkt", has_geometry),
        ];
        let given: Vec<&str> =
            sources.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
        match given.as_slice() {
            [] => return Err("an attribute needs one of `from`, `template`, `value`".into()),
            [_] => {}
            more => return Err(format!("only one of {} can give the value", more.join(" and "))),
        }
        let only_for = |member: &str, is_given: bool, kind: KindName, called: &str| {
            if is_given && self.kind != kind {
                return Err(format!("`{member}` is for attributes of kind = \"{called}\""));
            }
            Ok(())
        };
        only_for("target", self.target.is_some(), KindName::Relationship, "relationship")?;
        let has_type = !self.object_type.0.is_empty();
        only_for("object_type", has_type, KindName::Relationship, "relationship")?;
        only_for("languages", !self.languages.is_empty(), KindName::Language, "language")?;
        only_for("x, y or wkt", has_geometry || self.z.is_some(), KindName::Geo, "geo")?;
        if self.kind == KindName::Language && self.languages.is_empty() && self.value.is_none() {
            return Err("a language attribute needs `languages` or `value`".into());
        }
        if self.x.is_some() != self.y.is_some() || (self.z.is_some() && self.x.is_none()) {
            return Err("`x` and `y` belong together".into());
        }
        if self.x.is_some() && self.wkt.is_some() {
            return Err("only one of `x` and `y` and `wkt` can give the geometry".into());
        }
        if self.split.as_deref() == Some("") || (self.split.is_some() && self.from.0.is_empty()) {
            return Err("`split` needs a text to split at, and `from`".into());
        }
        let numbers = [self.scale, self.offset];
        if numbers.into_iter().flatten().any(|number| !number.is_finite()) {
            return Err("`scale` and `offset` are finite numbers".into());
        }
        if self.decimals.is_some_and(|decimals| decimals > 15) {
            return Err("`decimals` is at most 15".into());
        }
        Ok(())
    }

    /// Whether the value is calculated with.
    pub(crate) fn is_scaled(&self) -> bool {
        self.scale.is_some() || self.offset.is_some() || self.decimals.is_some()
    }
}

/// One value, or a list of them.
#[derive(Clone, Debug)]
pub(crate) struct Many<T>(pub(crate) Vec<T>);

/// A table in the order of its file.
#[derive(Clone, Debug)]
pub(crate) struct Ordered<T>(pub(crate) Vec<(String, T)>);

/// A constant in canonical JSON.
#[derive(Clone, Debug)]
pub(crate) struct Constant(pub(crate) JsonText);

/// A full name.
#[derive(Clone, Debug)]
pub(crate) struct FullName(pub(crate) Iri);

/// A known reference system.
#[derive(Clone, Debug)]
pub(crate) struct CrsName(pub(crate) Crs);

/// A known format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FormatName(pub(crate) Format);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
            type Value = Many<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Many<T>, E> {
                let one = T::deserialize(de::value::StrDeserializer::new(text))?;
                Ok(Many(vec![one]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Many<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = seq.next_element()? {
                    list.push(item);
                }
                Ok(Many(list))
            }
        }
        deserializer.deserialize_any(OneOrMany(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    list.push(entry);
                }
                Ok(Ordered(list))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl<'de> Deserialize<'de> for AttributeSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldOrTable;
        impl<'de> Visitor<'de> for FieldOrTable {
            type Value = AttributeSection;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field, a list of such names, or a table")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<AttributeSection, E> {
                let from = Many(vec![FieldRef::parse(text).map_err(E::custom)?]);
                Ok(AttributeSection(Box::new(AttributeTable { from, ..AttributeTable::default() })))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(
                self,
                seq: A,
            ) -> Result<AttributeSection, A::Error> {
                let from = Many::deserialize(de::value::SeqAccessDeserializer::new(seq))?;
                Ok(AttributeSection(Box::new(AttributeTable { from, ..AttributeTable::default() })))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AttributeSection, A::Error> {
                let table =
                    AttributeTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
                table.check().map_err(de::Error::custom)?;
                Ok(AttributeSection(Box::new(table)))
            }
        }
        deserializer.deserialize_any(FieldOrTable)
    }
}

impl<'de> Deserialize<'de> for TimeSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldOrTable;
        impl<'de> Visitor<'de> for FieldOrTable {
            type Value = TimeSection;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field or a table")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TimeSection, E> {
                TimeSection::of_field(text).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TimeSection, A::Error> {
                let table = TimeTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let (source, whole_field) = match (table.from, table.template) {
                    (Some(field), None) => (Template::of(field.clone()), Some(field)),
                    (None, Some(template)) => (template, None),
                    _ => {
                        return Err(de::Error::custom(
                            "a time needs either `from` or `template`, and not both",
                        ));
                    }
                };
                let (format, zone) = (table.format, table.zone);
                Ok(TimeSection { source, whole_field, format, zone })
            }
        }
        deserializer.deserialize_any(FieldOrTable)
    }
}

impl TimeSection {
    /// ISO text in a field.
    pub(crate) fn of_field(name: &str) -> Result<Self, String> {
        let field = FieldRef::parse(name).map_err(|error| error.to_string())?;
        Ok(Self {
            source: Template::of(field.clone()),
            whole_field: Some(field),
            format: TimeFormat::default(),
            zone: Zone::default(),
        })
    }
}

impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let json = to_json(value).map_err(de::Error::custom)?;
        JsonText::parse(&json.to_string()).map(Self).map_err(de::Error::custom)
    }
}

fn to_json(value: toml::Value) -> Result<serde_json::Value, String> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)
            .ok_or_else(|| format!("{number} is not a finite number"))?
            .into(),
        toml::Value::Datetime(moment) => moment.to_string().into(),
        toml::Value::Array(items) => {
            items.into_iter().map(to_json).collect::<Result<Vec<_>, _>>()?.into()
        }
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| Ok((key, to_json(value)?)));
            serde_json::Value::Object(entries.collect::<Result<_, String>>()?)
        }
    })
}

/// Reads a text and turns it into `T`, or points at it.
fn from_text<'de, D: Deserializer<'de>, T, E: fmt::Display>(
    deserializer: D,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    read(&text).map_err(de::Error::custom)
}

impl<'de> Deserialize<'de> for FullName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, |text| Iri::new(text).map(Self))
    }
}

impl<'de> Deserialize<'de> for CrsName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, |text| Crs::from_user(text).map(Self))
    }
}

impl<'de> Deserialize<'de> for FormatName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, |text| text.parse().map(Self))
    }
}
