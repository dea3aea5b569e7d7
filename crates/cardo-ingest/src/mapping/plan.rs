//! A mapping made ready for one source.

use std::borrow::Cow;
use std::sync::Arc;

use cardo_formats::{Record, RecordGeometry};
use cardo_model::{Attribute, Entity, EntityId, Instance, Iri, JsonText, Scope, Value};
use cardo_spatial::Crs;

use super::attribute::{AttributePlan, Setting, add};
use super::fault::MapFault;
use super::field::{FieldRef, Scene, content_hash, named};
use super::file::{MappingFile, OtherFields, TimeSection};
use super::geometry::{Placement, point};
use super::names::{NameSpace, short_type};
use super::rest::Rest;
use super::template::{Template, encode_for_iri, plain_text};
use super::value::Reading;
use super::{Mapping, MappingError};

/// Turns the records of one source into entities.
#[derive(Debug)]
pub(crate) struct Plan {
    source: String,
    types: Vec<Iri>,
    id: Id,
    scopes: Vec<Template>,
    skip: Vec<String>,
    observed_at: Option<TimeSection>,
    /// The attribute that the geometry of a record becomes.
    location: Option<Iri>,
    attributes: Vec<AttributePlan>,
    rest: Option<Rest>,
    simulated: Option<Iri>,
    names: NameSpace,
    reading: Reading,
    placement: Placement,
    /// Where coordinates stand in records that bring no geometry.
    coordinates: Option<Coordinates>,
    /// Fields that the mapping names and no record has had yet.
    unseen: Vec<Arc<str>>,
}

/// The fields of coordinates.
#[derive(Debug)]
struct Coordinates {
    x: FieldRef,
    y: FieldRef,
    z: Option<FieldRef>,
}

#[derive(Debug)]
enum Id {
    Template(Template),
    Urn { start: String, identity: Identity },
}

/// What the last part of an id is made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Identity {
    /// What the format calls the record.
    Own,
    /// A field.
    Field(String),
    /// All of the content.
    Hash,
}

/// What a plan is made of beside the mapping.
pub(crate) struct PlanOptions<'a> {
    pub(crate) source: &'a str,
    pub(crate) type_name: Option<&'a str>,
    pub(crate) identity: Identity,
    /// The reference system that the user names.
    pub(crate) crs: Option<&'a str>,
    /// The reference system that the source names.
    pub(crate) source_crs: Option<&'a str>,
    pub(crate) names: NameSpace,
    /// Whether values come as text, as in CSV.
    pub(crate) is_text_only: bool,
    pub(crate) simulated: bool,
}

/// An entity made of a record.
pub(crate) struct Mapped {
    pub(crate) entity: Entity,
    pub(crate) self_crossing: bool,
}

impl Plan {
    pub(crate) fn new(mapping: &Mapping, options: PlanOptions<'_>) -> Result<Self, MappingError> {
        let file = &mapping.file;
        let names = options.names;
        let short: Vec<&str> = match (options.type_name, file.types.0.as_slice()) {
            (Some(name), _) => vec![name],
            (None, []) => return Err(MappingError::NoType),
            (None, list) => list.iter().map(String::as_str).collect(),
        };
        let types = short.iter().map(|name| names.type_name(name)).collect::<Result<_, _>>()?;
        let attributes = AttributePlan::all(&file.attributes, &names)?;
        check_datasets(&attributes)?;
        let location_name = file.geometry.attribute.as_deref().unwrap_or("location");
        let location =
            if file.geometry.none { None } else { Some(names.attribute(location_name)?) };
        let location = location.filter(|name| attributes.iter().all(|a| a.name != *name));
        let id = match (&file.id, &file.key) {
            (Some(template), _) => Id::Template(template.clone()),
            (None, Some(field)) => Id::urn(short[0], of_field(field)),
            (None, None) => Id::urn(short[0], options.identity),
        };
        let rest = (file.other_fields == OtherFields::Keep).then(|| {
            let time = file.observed_at.iter().flat_map(|time| time.source.fields());
            let consumed = time.filter_map(FieldRef::field).cloned();
            Rest::new(&attributes, location.as_ref().map(|_| location_name), consumed)
        });
        let simulated = options.simulated.then(|| names.attribute("simulated")).transpose()?;
        Ok(Self {
            source: options.source.to_owned(),
            unseen: named_fields(file, &id, &attributes),
            types,
            id,
            scopes: file.scope.0.clone(),
            skip: file.skip.clone(),
            observed_at: file.observed_at.clone(),
            location,
            attributes,
            rest,
            simulated,
            names,
            reading: Reading {
                is_text_only: options.is_text_only,
                decimal_comma: file.csv.decimal_comma,
            },
            placement: placement(file, options.crs, options.source_crs)?,
            // In CSV the reader has found them already.
            coordinates: if options.is_text_only { None } else { Coordinates::of(file) },
        })
    }

    /// The entity that a record tells of.
    pub(crate) fn entity(&mut self, record: &Record) -> Result<Mapped, MapFault> {
        self.unseen.retain(|field| named(record, field).is_none());
        let scene = Scene::new(record, &self.source, &self.skip);
        let observed_at = match &self.observed_at {
            Some(time) => time.read(&scene)?,
            None => None,
        };
        let mut self_crossing = false;
        let mut entity = Entity {
            id: self.id.of(&scene)?,
            types: self.types.clone(),
            scopes: scopes(&self.scopes, &scene)?,
            attributes: Vec::with_capacity(self.attributes.len() + record.fields.len() + 1),
            expires_at: None,
        };
        let setting = Setting {
            scene,
            reading: self.reading,
            placement: &self.placement,
            names: &self.names,
            observed_at,
        };
        for plan in &self.attributes {
            if let Some(instance) = plan.fill(&setting, &mut self_crossing)? {
                add(&mut entity.attributes, plan, instance)?;
            }
        }
        let point = match &self.coordinates {
            Some(coordinates) => coordinates.point(&scene, self.reading)?.map(Cow::Owned),
            None => None,
        };
        let own = point.or(record.geometry.as_ref().map(Cow::Borrowed));
        if let (Some(name), Some(geometry)) = (&self.location, own) {
            let placed = self.placement.place(&geometry)?;
            self_crossing |= placed.self_crossing;
            let mut instance = Instance::new(Value::geo(&placed.geometry));
            instance.observed_at = observed_at;
            entity.attributes.push(Attribute::new(name.clone(), instance));
        }
        if let Some(rest) = &mut self.rest {
            let reading = (self.reading, &self.names);
            rest.fill(record, &scene, reading, observed_at, &mut entity.attributes)?;
        }
        if let Some(name) = &self.simulated
            && entity.attributes.iter().all(|attribute| attribute.name != *name)
        {
            let value = Value::property(JsonText::from_canonical("true"), false);
            entity.attributes.push(Attribute::new(name.clone(), Instance::new(value)));
        }
        Ok(Mapped { entity, self_crossing })
    }

    /// The field that ids are made of, where it is one.
    pub(crate) fn key(&self) -> Option<&str> {
        match &self.id {
            Id::Urn { identity: Identity::Field(name), .. } => Some(name),
            Id::Urn { .. } | Id::Template(_) => None,
        }
    }

    /// What a user should know about how records became entities.
    pub(crate) fn notes(&self) -> Vec<String> {
        let unseen = self
            .unseen
            .iter()
            .map(|field| format!("the mapping names the field `{field}`, which no record has"));
        let renamed = self.rest.iter().flat_map(|rest| rest.notes().iter().cloned());
        let id = match &self.id {
            Id::Urn { identity: Identity::Hash, .. } => {
                Some("no field is a key: ids are made of the content of each record".to_owned())
            }
            Id::Urn { identity: Identity::Field(name), .. } => {
                Some(format!("ids are made of the field `{name}`"))
            }
            Id::Urn { .. } | Id::Template(_) => None,
        };
        id.into_iter().chain(renamed).chain(unseen).collect()
    }
}

impl Coordinates {
    fn of(file: &MappingFile) -> Option<Self> {
        let field = |name: &Option<String>| FieldRef::parse(name.as_ref()?).ok();
        let section = &file.geometry;
        Some(Self { x: field(&section.x)?, y: field(&section.y)?, z: field(&section.z) })
    }

    /// The point of a record; none where it lacks a coordinate.
    fn point(
        &self,
        scene: &Scene<'_>,
        reading: Reading,
    ) -> Result<Option<RecordGeometry>, MapFault> {
        let (Some(x), Some(y)) = (scene.value(&self.x), scene.value(&self.y)) else {
            return Ok(None);
        };
        let z = self.z.as_ref().and_then(|z| scene.value(z));
        point(&x, &y, z.as_deref(), |value| reading.number(value)).map(Some)
    }
}

impl Id {
    fn urn(type_name: &str, identity: Identity) -> Self {
        let mut start = "urn:ngsi-ld:".to_owned();
        encode_for_iri(short_type(type_name), &mut start);
        start.push(':');
        Self::Urn { start, identity }
    }

    fn of(&self, scene: &Scene<'_>) -> Result<EntityId, MapFault> {
        let text = match self {
            Self::Template(template) => template.render(scene, encode_for_iri)?,
            Self::Urn { start, identity } => {
                let mut text = start.clone();
                encode_for_iri(&identity.of(scene)?, &mut text);
                text
            }
        };
        Ok(EntityId::new(text)?)
    }
}

impl Identity {
    fn of(&self, scene: &Scene<'_>) -> Result<String, MapFault> {
        let record = scene.record;
        let (name, text) = match self {
            Self::Hash => return Ok(content_hash(record)),
            Self::Own => ("id", record.id.clone()),
            Self::Field(name) => {
                let value = named(record, name).filter(|value| !scene.is_absent(value));
                let text = value.and_then(|value| plain_text(&value).map(Cow::into_owned));
                (name.as_str(), text)
            }
        };
        text.ok_or_else(|| MapFault::NoKey(name.to_owned()))
    }

    /// The text that tells a record from others; none where it lacks it.
    pub(crate) fn key(&self, record: &Record) -> Option<String> {
        let text = match self {
            Self::Hash => Some(content_hash(record)),
            Self::Own => record.id.clone(),
            Self::Field(name) => {
                let value = named(record, name).filter(|value| !value.is_null());
                value.and_then(|value| plain_text(&value).map(Cow::into_owned))
            }
        };
        text.filter(|text| !text.trim().is_empty())
    }
}

fn of_field(field: &FieldRef) -> Identity {
    match field {
        FieldRef::Id => Identity::Own,
        FieldRef::Hash => Identity::Hash,
        other => Identity::Field(other.to_string()),
    }
}

fn scopes(templates: &[Template], scene: &Scene<'_>) -> Result<Vec<Scope>, MapFault> {
    let mut scopes = Vec::with_capacity(templates.len());
    for template in templates {
        let text = template.render(scene, |text, out| {
            let plain =
                |c: char| if c.is_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
            out.extend(text.trim().chars().map(plain));
        });
        scopes.push(Scope::new(&text.map_err(|missing| MapFault::NoScope(missing.0))?)?);
    }
    Ok(scopes)
}

fn named_fields(file: &MappingFile, id: &Id, attributes: &[AttributePlan]) -> Vec<Arc<str>> {
    let mut fields: Vec<Arc<str>> = attributes.iter().flat_map(AttributePlan::fields).collect();
    let time = file.observed_at.iter().flat_map(|time| time.source.fields());
    let scopes = file.scope.0.iter().flat_map(Template::fields);
    fields.extend(time.chain(scopes).filter_map(FieldRef::field).cloned());
    match id {
        Id::Template(template) => {
            fields.extend(template.fields().filter_map(FieldRef::field).cloned());
        }
        Id::Urn { identity: Identity::Field(name), .. } => fields.push(name.as_str().into()),
        Id::Urn { .. } => {}
    }
    fields.sort_unstable();
    fields.dedup();
    fields
}

/// Two attributes of one name need different datasets.
fn check_datasets(attributes: &[AttributePlan]) -> Result<(), MappingError> {
    for (at, plan) in attributes.iter().enumerate() {
        if let Some(twin) = attributes[..at].iter().find(|other| plan.is_same_instance(other)) {
            return Err(MappingError::Attribute {
                name: plan.label.clone(),
                reason: format!("`{}` is of the same name and dataset", twin.label),
            });
        }
    }
    Ok(())
}

fn placement(
    file: &MappingFile,
    given: Option<&str>,
    of_source: Option<&str>,
) -> Result<Placement, MappingError> {
    if let Some(name) = given {
        return Ok(Placement { crs: Crs::from_user(name)?, is_stated: true });
    }
    if let Some(name) = &file.crs {
        return Ok(Placement { crs: name.0.clone(), is_stated: true });
    }
    match of_source {
        Some(name) => {
            let crs = Crs::from_user(name)
                .map_err(|_| MappingError::SourceCrs(name.chars().take(120).collect()))?;
            Ok(Placement { crs, is_stated: true })
        }
        None => Ok(Placement { crs: Crs::CRS84, is_stated: false }),
    }
}
