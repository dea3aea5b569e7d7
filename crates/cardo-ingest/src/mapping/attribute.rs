//! One attribute of a mapping, ready to be filled.

use std::borrow::Cow;
use std::sync::Arc;

use cardo_formats::FieldValue;
use cardo_model::{Attribute, Geometry, Instance, Iri, JsonText, Kind, Timestamp, Value};

use super::MappingError;
use super::fault::MapFault;
use super::field::{FieldRef, Scene};
use super::file::{AttributeSection, AttributeTable, KindName, Ordered, TimeSection, ValueType};
use super::geometry::{Placement, from_field, point};
use super::names::NameSpace;
use super::template::{Template, encode_for_iri, encode_for_json, plain_text};
use super::value::Reading;

/// An attribute with its names in full.
#[derive(Clone, Debug)]
pub(crate) struct AttributePlan {
    pub(crate) name: Iri,
    /// The key in the mapping, for messages.
    pub(crate) label: String,
    table: AttributeTable,
    constant: Option<Value>,
    object_types: Vec<Iri>,
    children: Vec<AttributePlan>,
}

/// What filling an attribute needs beside the record.
pub(crate) struct Setting<'a> {
    pub(crate) scene: Scene<'a>,
    pub(crate) reading: Reading,
    pub(crate) placement: &'a Placement,
    pub(crate) names: &'a NameSpace,
    /// When the record was observed.
    pub(crate) observed_at: Option<Timestamp>,
}

impl AttributePlan {
    /// Expands the names of the attributes of a mapping.
    pub(crate) fn all(
        sections: &Ordered<AttributeSection>,
        names: &NameSpace,
    ) -> Result<Vec<Self>, MappingError> {
        sections.0.iter().map(|(key, section)| Self::new(key, &section.0, names)).collect()
    }

    fn new(key: &str, table: &AttributeTable, names: &NameSpace) -> Result<Self, MappingError> {
        let name = names.attribute(table.name.as_deref().unwrap_or(key))?;
        let refused = |reason: String| MappingError::Attribute { name: key.to_owned(), reason };
        let constant = match &table.value {
            Some(value) => Some(constant(table.kind, &value.0, names).map_err(refused)?),
            None => None,
        };
        for language in table.languages.keys() {
            if !is_language(language) {
                return Err(refused(format!("{language:?} is not a language tag")));
            }
        }
        let object_types = table.object_type.0.iter().map(|name| names.type_name(name));
        Ok(Self {
            name,
            label: key.to_owned(),
            constant,
            object_types: object_types.collect::<Result<_, _>>()?,
            children: Self::all(&table.attributes, names)?,
            table: table.clone(),
        })
    }

    /// The fields of the record that it names.
    pub(crate) fn fields(&self) -> Vec<Arc<str>> {
        let table = &self.table;
        let mut fields: Vec<&FieldRef> = table.from.0.iter().collect();
        fields.extend(table.languages.values());
        fields.extend([&table.x, &table.y, &table.z, &table.wkt].into_iter().flatten());
        let templates = [&table.template, &table.target, &table.dataset];
        fields.extend(templates.into_iter().flatten().flat_map(Template::fields));
        fields.extend(table.observed_at.iter().flat_map(|time| time.source.fields()));
        let mut names: Vec<Arc<str>> =
            fields.into_iter().filter_map(FieldRef::field).cloned().collect();
        names.extend(self.children.iter().flat_map(Self::fields));
        names
    }

    /// Whether every record would have both as the same instance.
    pub(crate) fn is_same_instance(&self, other: &Self) -> bool {
        let is_fixed = |template: &Template| template.fields().next().is_none();
        let same_dataset = match (&self.table.dataset, &other.table.dataset) {
            (None, None) => true,
            (Some(own), Some(theirs)) => own == theirs && is_fixed(own),
            _ => false,
        };
        self.name == other.name && same_dataset
    }

    /// The instance for a record; none where the record has no value for it.
    pub(crate) fn fill(
        &self,
        setting: &Setting<'_>,
        self_crossing: &mut bool,
    ) -> Result<Option<Instance>, MapFault> {
        let value = match &self.constant {
            Some(constant) => Some(constant.clone()),
            None => self.value(setting, self_crossing)?,
        };
        let Some(value) = value else {
            if self.table.required {
                return Err(MapFault::Required(self.label.clone()));
            }
            return Ok(None);
        };
        let mut instance = Instance::new(value);
        instance.observed_at = self.observed_at(setting)?;
        instance.unit_code = self.table.unit.as_deref().map(Box::from);
        instance.object_types.clone_from(&self.object_types);
        if let Some(dataset) = &self.table.dataset {
            match dataset.render(&setting.scene, encode_for_iri) {
                Ok(text) => instance.dataset_id = Some(self.iri(text)?),
                Err(_) => return Ok(None),
            }
        }
        let inner = Setting { observed_at: None, ..*setting };
        for child in &self.children {
            if let Some(filled) = child.fill(&inner, self_crossing)? {
                add(&mut instance.attributes, child, filled)?;
            }
        }
        Ok(Some(instance))
    }

    fn observed_at(&self, setting: &Setting<'_>) -> Result<Option<Timestamp>, MapFault> {
        if let Some(time) = &self.table.observed_at {
            return time.read(&setting.scene).map_err(|reason| MapFault::AttributeTime {
                attribute: self.label.clone(),
                reason,
            });
        }
        let is_timeless = self.table.timeless || self.constant.is_some();
        Ok(if is_timeless { None } else { setting.observed_at })
    }

    fn value(&self, setting: &Setting<'_>, crossing: &mut bool) -> Result<Option<Value>, MapFault> {
        match self.table.kind {
            KindName::Relationship => self.relationship(setting),
            KindName::Language => Ok(self.language_map(setting)),
            KindName::Geo => self.geometry(setting, crossing),
            KindName::Property | KindName::Vocab | KindName::Json | KindName::List => {
                let Some(field) = self.field(&setting.scene) else { return Ok(None) };
                let json = match &self.table.split {
                    Some(separator) => Some(self.parts(setting, &field, separator)?),
                    None => setting.reading.convert(&self.label, &self.table, &field)?,
                };
                json.map(|json| self.of_json(json, setting)).transpose()
            }
        }
    }

    fn of_json(&self, json: JsonText, setting: &Setting<'_>) -> Result<Value, MapFault> {
        Ok(match self.table.kind {
            KindName::Json => Value::json(json),
            KindName::Vocab => Value::vocab(setting.names.vocab(&json).map_err(|_| {
                MapFault::value(&self.label, json.as_str(), "a term or a list of terms")
            })?),
            KindName::List if json.as_str().starts_with('[') => Value::list(json, false),
            KindName::List => {
                Value::list(JsonText::from_canonical(format!("[{}]", json.as_str())), false)
            }
            _ => Value::property(json, false),
        })
    }

    /// The parts of a text, each converted, as a JSON array.
    fn parts(
        &self,
        setting: &Setting<'_>,
        field: &FieldValue,
        separator: &str,
    ) -> Result<JsonText, MapFault> {
        let mut list = Vec::new();
        for part in field.to_text().split(separator).map(str::trim).filter(|p| !p.is_empty()) {
            let value = FieldValue::Text(part.to_owned());
            if let Some(json) = setting.reading.convert(&self.label, &self.table, &value)? {
                list.push(json.as_str().to_owned());
            }
        }
        Ok(JsonText::from_canonical(format!("[{}]", list.join(","))))
    }

    /// The value of the first field that has one, or of the template.
    fn field<'a>(&self, scene: &Scene<'a>) -> Option<Cow<'a, FieldValue>> {
        if let Some(template) = &self.table.template {
            let text = if self.table.value_type == ValueType::Json {
                template.render(scene, encode_for_json)
            } else {
                template.render_plain(scene)
            };
            return Some(Cow::Owned(FieldValue::Text(text.ok()?)));
        }
        self.table.from.0.iter().find_map(|field| scene.value(field))
    }

    fn relationship(&self, setting: &Setting<'_>) -> Result<Option<Value>, MapFault> {
        let scene = &setting.scene;
        if let (Some(target), None) = (&self.table.target, &self.table.split) {
            return match target.render(scene, encode_for_iri) {
                Ok(text) => Ok(Some(Value::relationship(&self.iri(text)?))),
                Err(_) => Ok(None),
            };
        }
        let Some(field) = self.field(scene) else { return Ok(None) };
        let Some(text) = plain_text(&field) else { return Ok(None) };
        if self.table.skip.iter().any(|skip| *skip == text.trim()) {
            return Ok(None);
        }
        let Some(separator) = &self.table.split else {
            return Ok(Some(Value::relationship(&self.iri(text.trim().to_owned())?)));
        };
        let mut objects = Vec::new();
        for part in text.split(separator.as_str()).map(str::trim).filter(|p| !p.is_empty()) {
            let object = match &self.table.target {
                Some(target) => target.render(&scene.with_value(part), encode_for_iri).ok(),
                None => Some(part.to_owned()),
            };
            objects.extend(object.map(|text| self.iri(text)).transpose()?);
        }
        Ok(match objects.as_slice() {
            [] => None,
            [one] => Some(Value::relationship(one)),
            many => Some(Value::relationships(many)),
        })
    }

    fn language_map(&self, setting: &Setting<'_>) -> Option<Value> {
        let mut map = serde_json::Map::new();
        for (language, field) in &self.table.languages {
            if let Some(text) = setting.scene.text(field) {
                map.insert(language.clone(), text.trim().into());
            }
        }
        let json = serde_json::Value::Object(map);
        (json != serde_json::json!({})).then(|| Value::language_map(JsonText::from_value(&json)))
    }

    fn geometry(
        &self,
        setting: &Setting<'_>,
        self_crossing: &mut bool,
    ) -> Result<Option<Value>, MapFault> {
        let (scene, table) = (&setting.scene, &self.table);
        let geometry = if let (Some(x), Some(y)) = (&table.x, &table.y) {
            let (Some(x), Some(y)) = (scene.value(x), scene.value(y)) else { return Ok(None) };
            let z = table.z.as_ref().and_then(|z| scene.value(z));
            Some(point(&x, &y, z.as_deref(), |value| setting.reading.number(value))?)
        } else {
            let field = match &table.wkt {
                Some(wkt) => scene.value(wkt),
                None => self.field(scene),
            };
            let Some(field) = field else { return Ok(None) };
            from_field(&field)?
        };
        let Some(geometry) = geometry else { return Ok(None) };
        let placed = setting.placement.place(&geometry)?;
        *self_crossing |= placed.self_crossing;
        Ok(Some(Value::geo(&placed.geometry)))
    }

    fn iri(&self, text: String) -> Result<Iri, MapFault> {
        Iri::new(text).map_err(|reason| MapFault::Iri { attribute: self.label.clone(), reason })
    }
}

/// Adds an instance to the attribute of its name.
pub(crate) fn add(
    attributes: &mut Vec<Attribute>,
    plan: &AttributePlan,
    instance: Instance,
) -> Result<(), MapFault> {
    match attributes.iter_mut().find(|attribute| attribute.name == plan.name) {
        None => attributes.push(Attribute::new(plan.name.clone(), instance)),
        Some(attribute) => {
            if attribute.instances.iter().any(|other| other.dataset_id == instance.dataset_id) {
                return Err(MapFault::SameDataset(plan.label.clone()));
            }
            attribute.instances.push(instance);
        }
    }
    Ok(())
}

fn constant(kind: KindName, json: &JsonText, names: &NameSpace) -> Result<Value, String> {
    let text = json.as_str();
    Ok(match kind {
        KindName::Property => Value::property(json.clone(), false),
        KindName::Json => Value::json(json.clone()),
        KindName::List if text.starts_with('[') => Value::list(json.clone(), false),
        KindName::List => return Err(format!("{text} is not a list")),
        KindName::Vocab => Value::vocab(names.vocab(json)?),
        KindName::Geo => {
            let geometry = Geometry::parse(text).map_err(|error| error.to_string())?;
            Value::geo(&geometry)
        }
        KindName::Language if text.starts_with('{') => Value::language_map(json.clone()),
        KindName::Language => return Err(format!("{text} is not a table of languages")),
        KindName::Relationship => {
            let iri = |text: &str| Iri::new(text).map_err(|error| error.to_string());
            match serde_json::from_str(text) {
                Ok(serde_json::Value::String(one)) => Value::relationship(&iri(&one)?),
                Ok(serde_json::Value::Array(list)) => {
                    let objects = list.iter().map(|item| iri(item.as_str().unwrap_or_default()));
                    Value::relationships(&objects.collect::<Result<Vec<_>, _>>()?)
                }
                _ => return Err(format!("{text} is not an id or a list of ids")),
            }
        }
    })
}

/// Letters, digits and hyphens (RFC 5646), or `@none`.
fn is_language(tag: &str) -> bool {
    tag == "@none"
        || (!tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

impl TimeSection {
    /// The moment of a record; none where the fields have no value.
    pub(crate) fn read(
        &self,
        scene: &Scene<'_>,
    ) -> Result<Option<Timestamp>, super::time::InvalidTime> {
        let value = match &self.whole_field {
            Some(field) => scene.value(field).map(Cow::into_owned),
            None => self.source.render_plain(scene).ok().map(FieldValue::Text),
        };
        value.map(|value| self.format.read(&value, &self.zone)).transpose()
    }
}

/// The value is a property whatever the kind; used where fields name themselves.
pub(crate) fn plain_property(
    reading: Reading,
    field: &str,
    value: &FieldValue,
) -> Result<Option<Value>, MapFault> {
    Ok(reading.guess(field, value)?.map(|json| Value::from_parts(Kind::Property, json, false)))
}
