use cardo_jsonld::Context;
use cardo_model::{
    AttributeFragment, InstanceFragment, Iri, JsonText, Kind, NGSI_LD_NULL, Timestamp,
};
use serde_json::value::RawValue;

use super::Reading;
use super::error::{DataFault, InvalidInput, shorten};
use super::members::{Items, Members, as_string, string, strings};
use super::names::{at_most, attribute_name, expand_name};
use super::terms::{DESCRIBING, OUTPUT_ONLY, VALUE_MEMBERS, is_geometry_type, is_reserved};
use super::value::{Nulls, geometry, utc, value};

/// Reads attributes and their instances under one context.
pub(super) struct AttributeReader<'a> {
    pub(super) context: &'a Context,
    pub(super) reading: Reading,
    /// Whether these are the members of `ngsildproof`.
    pub(super) in_proof: bool,
}

/// Attributes of attributes may nest so deep.
const MAX_DEPTH: usize = 32;
/// How many instances an attribute may have, and how many members an instance.
const MAX_INSTANCES: usize = 1_000;
/// How many instances an attribute may have over time.
const MAX_EVOLUTION: usize = 100_000;

/// What a JSON object says as an attribute.
enum Form {
    /// One instance, normalized or concise.
    Instance,
    /// A GeoJSON geometry that stands for a GeoProperty.
    Geometry,
    /// The value of a Property (clause 4.5.2.3).
    Compound,
    /// Simplified instances by datasetId (clause 4.5.4).
    Datasets,
}

impl AttributeReader<'_> {
    /// Reads a member of an entity or of an attribute.
    pub(super) fn attribute(
        &self,
        name: &str,
        raw: &RawValue,
        depth: usize,
    ) -> Result<AttributeFragment, InvalidInput> {
        let read = || {
            if depth > MAX_DEPTH {
                return Err(
                    DataFault::TooMany("levels of attributes of attributes", MAX_DEPTH).into()
                );
            }
            // Non-reified members of a proof (clause 4.5.2.2).
            let sealed = match name {
                "entityIdSealed" => Some(Kind::Property),
                "entityTypeSealed" => Some(Kind::VocabProperty),
                _ => None,
            };
            if let Some(kind) = sealed.filter(|_| self.in_proof) {
                string(raw, "a text")?;
                let instances = vec![self.plain(kind, raw)?];
                return Ok(AttributeFragment { name: expand_name(name, self.context)?, instances });
            }
            let name = attribute_name(name, self.context)?;
            let instances = self.instances(&name, raw, depth)?;
            check_core_kind(&name, &instances, depth)?;
            Ok(AttributeFragment { name, instances })
        };
        read().map_err(|error: InvalidInput| error.within(name))
    }

    fn instances(
        &self,
        name: &Iri,
        raw: &RawValue,
        depth: usize,
    ) -> Result<Vec<InstanceFragment>, InvalidInput> {
        let scoped = self.context.scoped(name.as_str());
        if let Some(context) = &scoped {
            return AttributeReader { context, in_proof: true, ..*self }.instances_here(raw, depth);
        }
        self.instances_here(raw, depth)
    }

    fn instances_here(
        &self,
        raw: &RawValue,
        depth: usize,
    ) -> Result<Vec<InstanceFragment>, InvalidInput> {
        match raw.get().as_bytes().first() {
            Some(b'[') => self.array(raw, depth),
            Some(b'{') => self.object(raw, depth),
            _ => Ok(vec![self.plain(Kind::Property, raw)?]),
        }
    }

    /// An array is a list of instances if its items are, else the value of a Property.
    fn array(&self, raw: &RawValue, depth: usize) -> Result<Vec<InstanceFragment>, InvalidInput> {
        let items = Items::of(raw)?.0;
        // Only attributes of the entity itself have instances over time.
        let is_evolution = self.reading.is_evolution && depth == 0;
        let most = if is_evolution { MAX_EVOLUTION } else { MAX_INSTANCES };
        // More are not looked at than are accepted: each takes far more room than its text.
        let mut objects = Vec::with_capacity(items.len().min(most));
        for item in &items {
            if !item.get().starts_with('{') {
                return Ok(vec![self.plain(Kind::Property, raw)?]);
            }
            let members = Members::of(item)?;
            if !self.says_instance(&members)? {
                return Ok(vec![self.plain(Kind::Property, raw)?]);
            }
            if objects.len() < most {
                objects.push(members);
            }
        }
        if objects.is_empty() {
            return Ok(vec![self.plain(Kind::Property, raw)?]);
        }
        let mut instances: Vec<InstanceFragment> = Vec::with_capacity(objects.len());
        at_most("instances of one attribute", items.len(), most)?;
        for (place, members) in objects.iter().enumerate() {
            let instance =
                self.instance(members, depth).map_err(|error| error.within(&place.to_string()))?;
            let is_same = |other: &InstanceFragment| other.dataset_id == instance.dataset_id;
            if !is_evolution && instances.iter().any(is_same) {
                let id = instance.dataset_id.map_or("@none".to_owned(), |id| id.to_string());
                return Err(DataFault::SameDataset(id).into());
            }
            instances.push(instance);
        }
        Ok(instances)
    }

    fn object(&self, raw: &RawValue, depth: usize) -> Result<Vec<InstanceFragment>, InvalidInput> {
        let members = Members::of(raw)?;
        match self.form(&members)? {
            Form::Instance => Ok(vec![self.instance(&members, depth)?]),
            Form::Geometry => {
                let value = cardo_model::Value::geo(&geometry(raw)?);
                Ok(vec![InstanceFragment {
                    kind: Some(Kind::GeoProperty),
                    value: Some(value),
                    ..Default::default()
                }])
            }
            Form::Compound => Ok(vec![self.plain(Kind::Property, raw)?]),
            Form::Datasets => {
                let datasets = members.get("dataset")?.ok_or(DataFault::Missing("dataset"))?;
                self.datasets(&Members::of(datasets)?)
            }
        }
    }

    /// `{"dataset": {"@none": value, "urn:…": value}}` of the simplified representation.
    fn datasets(&self, datasets: &Members<'_>) -> Result<Vec<InstanceFragment>, InvalidInput> {
        at_most("instances of one attribute", datasets.len(), MAX_INSTANCES)?;
        let mut instances: Vec<InstanceFragment> = Vec::with_capacity(datasets.len());
        for (dataset, raw) in datasets.iter() {
            let dataset_id =
                if dataset == "@none" { None } else { Some(Iri::new(dataset.to_owned())?) };
            let mut one = self.instances_here(raw, 0).map_err(|error| error.within(dataset))?;
            let (Some(mut instance), true) = (one.pop(), one.is_empty()) else {
                return Err(DataFault::Expected(shorten(raw.get()), "one simplified value").into());
            };
            if instances.iter().any(|other| other.dataset_id == dataset_id) {
                return Err(DataFault::SameDataset(dataset.to_owned()).into());
            }
            instance.dataset_id = dataset_id;
            instances.push(instance);
        }
        if instances.is_empty() {
            return Err(DataFault::NoInstance.into());
        }
        Ok(instances)
    }

    fn form(&self, members: &Members<'_>) -> Result<Form, InvalidInput> {
        let is_geometry = match members.keyword("type", "@type")?.and_then(as_string) {
            Some(name) => is_geometry_type(&name) && members.has("coordinates"),
            None => false,
        };
        if is_geometry && !members.has("value") {
            return Ok(Form::Geometry);
        }
        let is_datasets = members.len() == 1 && members.has("dataset");
        if self.reading.is_simplified && is_datasets {
            return Ok(Form::Datasets);
        }
        if self.says_instance(members)? {
            return Ok(Form::Instance);
        }
        // Clause 4.5.2.3: an object with a type is meant to be normalized.
        let has_type = members.has("type") || members.has("@type");
        Ok(if has_type && !self.reading.is_simplified { Form::Instance } else { Form::Compound })
    }

    /// Whether an object is an instance of an attribute: by its type or by the members it has.
    fn says_instance(&self, members: &Members<'_>) -> Result<bool, InvalidInput> {
        let kind = members.keyword("type", "@type")?.and_then(as_string);
        if self.reading.is_simplified {
            // Only what the simplified representation itself writes as an object.
            return Ok(members.len() == 1
                && ["languageMap", "vocab", "json", "objectList"].iter().any(|m| members.has(m)));
        }
        // Mostly the type says it, and nothing else has to be looked for.
        Ok(kind.is_some_and(|name| name.parse::<Kind>().is_ok())
            || VALUE_MEMBERS.iter().any(|(member, _)| members.has(member))
            || DESCRIBING.iter().any(|member| members.has(member)))
    }

    /// A value that stands alone (concise or simplified).
    fn plain(&self, kind: Kind, raw: &RawValue) -> Result<InstanceFragment, InvalidInput> {
        let is_null = as_string(raw).as_deref() == Some(NGSI_LD_NULL);
        let value = value(kind, raw, self.context, self.reading.nulls)?;
        // A bare null deletes an attribute of whatever kind it is (clause 4.5.18.3).
        // A simplified value takes over the type of what it is merged into (clause 5.6.17.4).
        let takes_over = self.reading.is_simplified && self.reading.is_fragment;
        let kind = if is_null || takes_over { None } else { Some(kind) };
        let is_expanded = takes_over && value.is_coerced();
        let as_sent = is_expanded.then(|| JsonText::from_raw(raw)).transpose();
        let simplified = as_sent.map_err(DataFault::from)?;
        Ok(InstanceFragment { kind, value: Some(value), simplified, ..Default::default() })
    }

    /// Reads an object that is an instance.
    pub(super) fn instance(
        &self,
        members: &Members<'_>,
        depth: usize,
    ) -> Result<InstanceFragment, InvalidInput> {
        let kind = kind_of(members)?;
        at_most("members of one attribute", members.len(), MAX_INSTANCES)?;
        let mut instance = InstanceFragment { kind, ..Default::default() };
        for (place, (name, raw)) in members.iter().enumerate() {
            if members.iter().take(place).any(|(other, _)| other == name) {
                return Err(DataFault::Twice(shorten(name)).into());
            }
            self.member(&mut instance, name, raw, depth)?;
        }
        if instance.value.is_none() && !self.reading.is_fragment {
            let member = kind.unwrap_or(Kind::Property).value_member();
            return Err(DataFault::Missing(member).into());
        }
        Ok(instance)
    }

    fn member(
        &self,
        instance: &mut InstanceFragment,
        name: &str,
        raw: &RawValue,
        depth: usize,
    ) -> Result<(), InvalidInput> {
        let kind = instance.kind.unwrap_or(Kind::Property);
        let within = |error: InvalidInput| error.within(name);
        match name {
            "type" | "@type" => {}
            "@context" => return Err(DataFault::UnexpectedContext.into()),
            "@id" | "id" => {
                return Err(DataFault::Prohibited(name.to_owned(), "an attribute has no id").into());
            }
            "datasetId" => instance.dataset_id = dataset_id(raw).map_err(within)?,
            "observedAt" => {
                instance.observed_at = self.moment(raw).map_err(within)?;
                instance.without_observed_at = instance.observed_at.is_none();
            }
            "expiresAt" => {
                instance.expires_at = self.moment(raw).map_err(within)?;
                instance.without_expires_at = instance.expires_at.is_none();
            }
            "unitCode" => {
                if !matches!(kind, Kind::Property | Kind::ListProperty) {
                    let why = "only a Property or a ListProperty has a unit";
                    return Err(DataFault::Prohibited(name.to_owned(), why).into());
                }
                instance.unit_code = Some(self.code(raw).map_err(within)?);
            }
            "valueType" => {
                let text = self.code(raw).map_err(within)?;
                // Table 5.2.32-1.
                if kind == Kind::LanguageProperty && !matches!(&*text, "langString" | NGSI_LD_NULL)
                {
                    return Err(within(
                        DataFault::Expected(shorten(&text), "langString, the only type of a map")
                            .into(),
                    ));
                }
                instance.value_type = Some(match &*text {
                    NGSI_LD_NULL => text,
                    name => expand_name(name, self.context).map_err(within)?.as_str().into(),
                });
            }
            "objectType" => {
                if !matches!(kind, Kind::Relationship | Kind::ListRelationship) {
                    let why = "only a Relationship or a ListRelationship has objects";
                    return Err(DataFault::Prohibited(name.to_owned(), why).into());
                }
                for text in strings(raw, "the name of a type").map_err(within)? {
                    instance.object_types.push(expand_name(&text, self.context).map_err(within)?);
                }
            }
            _ if name == kind.value_member() => {
                let read = value(kind, raw, self.context, self.reading.nulls).map_err(within)?;
                instance.value = Some(read);
            }
            _ if VALUE_MEMBERS.iter().any(|(member, _)| *member == name) => {
                let why = match instance.kind {
                    Some(kind) => kind.as_str(),
                    None => "an attribute with another value",
                };
                let reason = "the value of another type of attribute";
                return Err(
                    InvalidInput::from(DataFault::Prohibited(name.to_owned(), reason)).within(why)
                );
            }
            _ if name.starts_with("previous") && is_reserved(name) && self.reading.keeps_dates => {}
            _ if name.starts_with("previous") && is_reserved(name) => {
                let why = "only notifications tell what was before";
                return Err(DataFault::Prohibited(name.to_owned(), why).into());
            }
            "createdAt" if self.reading.keeps_dates => instance.created_at = date(raw),
            // The last change of what was deleted is its deletion.
            "modifiedAt" | "deletedAt" if self.reading.keeps_dates => {
                instance.modified_at = instance.modified_at.max(date(raw));
            }
            _ if OUTPUT_ONLY.contains(&name) => {}
            _ => instance.attributes.push(self.sub_attribute(name, raw, depth, instance)?),
        }
        Ok(())
    }

    fn sub_attribute(
        &self,
        name: &str,
        raw: &RawValue,
        depth: usize,
        instance: &InstanceFragment,
    ) -> Result<AttributeFragment, InvalidInput> {
        let attribute = self.attribute(name, raw, depth + 1)?;
        if instance.attributes.iter().any(|other| other.name == attribute.name) {
            return Err(DataFault::Twice(shorten(name)).into());
        }
        Ok(attribute)
    }

    /// A moment, or none where the fragment removes it (clause 5.5.8).
    fn moment(&self, raw: &RawValue) -> Result<Option<Timestamp>, InvalidInput> {
        let text = string(raw, "a date and time")?;
        if text == NGSI_LD_NULL {
            return if self.reading.nulls == Nulls::Refused {
                Err(DataFault::Null.into())
            } else {
                Ok(None)
            };
        }
        Ok(Some(utc(&text)?))
    }

    fn code(&self, raw: &RawValue) -> Result<Box<str>, InvalidInput> {
        let text = string(raw, "a text")?;
        if text == NGSI_LD_NULL && self.reading.nulls == Nulls::Refused {
            return Err(DataFault::Null.into());
        }
        Ok(text.into())
    }
}

/// A moment that another server tells.
pub(crate) fn date(raw: &RawValue) -> Option<Timestamp> {
    Timestamp::parse(&as_string(raw)?).ok()
}

/// What kinds the core prescribes for attributes that it names (table 5.2.4-1, clause 4.5.2.2).
fn check_core_kind(
    name: &Iri,
    instances: &[InstanceFragment],
    depth: usize,
) -> Result<(), InvalidInput> {
    let Some(core) = name.as_str().strip_prefix("https://uri.etsi.org/ngsi-ld/") else {
        return Ok(());
    };
    let is_place = depth == 0 && matches!(core, "location" | "observationSpace" | "operationSpace");
    for instance in instances {
        let kind = instance.kind.filter(|_| is_place);
        if let Some(other) = kind.filter(|kind| *kind != Kind::GeoProperty) {
            return Err(DataFault::Expected(other.as_str().to_owned(), "a GeoProperty").into());
        }
        let value =
            instance.value.as_ref().filter(|value| core == "ngsildproof" && !value.is_null());
        if let Some(value) = value.filter(|value| !value.as_json().starts_with('{')) {
            return Err(DataFault::Expected(
                shorten(value.as_json()),
                "a proof, which is an object",
            )
            .into());
        }
    }
    Ok(())
}

/// Clause 4.5.2.3: a value that is a geometry makes a GeoProperty of what has no type.
pub(super) fn is_geometry(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
        && Members::of(raw).is_ok_and(|members| {
            let kind = members.get("type").ok().flatten().and_then(as_string);
            kind.is_some_and(|name| is_geometry_type(&name)) && members.has("coordinates")
        })
}

/// The kind that an instance names, or that its value member tells.
fn kind_of(members: &Members<'_>) -> Result<Option<Kind>, InvalidInput> {
    if let Some(raw) = members.keyword("type", "@type")? {
        let name = string(raw, "the type of an attribute")?;
        let kind = name.parse().map_err(|()| DataFault::UnknownKind(shorten(&name)))?;
        return Ok(Some(kind));
    }
    for (member, kind) in VALUE_MEMBERS {
        let Some(raw) = members.get(member)? else { continue };
        let is_null = as_string(raw).as_deref() == Some(NGSI_LD_NULL);
        if kind == Kind::Property && is_null {
            return Ok(None);
        }
        return Ok(Some(if kind == Kind::Property && is_geometry(raw) {
            Kind::GeoProperty
        } else {
            kind
        }));
    }
    Ok(None)
}

/// Clause 5.5.8: a datasetId cannot be deleted. `@none` names the default instance.
fn dataset_id(raw: &RawValue) -> Result<Option<Iri>, InvalidInput> {
    let text = string(raw, "a URI")?;
    match text.as_ref() {
        NGSI_LD_NULL => Err(DataFault::Null.into()),
        "@none" => Ok(None),
        _ => Ok(Some(Iri::new(&*text)?)),
    }
}
