use cardo_engine::Operation;
use cardo_jsonld::Context;
use cardo_model::{
    AttributeFragment, Entity, EntityId, Fragment, InstanceFragment, Iri, NGSI_LD_NULL, Scope,
    Timestamp,
};
use serde_json::value::RawValue;

use super::Reading;
use super::attribute::AttributeReader;
use super::complete::complete_attributes;
use super::elements::Element;
use super::error::{DataFault, InvalidInput, shorten};
use super::members::{Members, as_string, string};
use super::names::{id, scopes, types};
use super::terms::ENTITY_OUTPUT_ONLY;
use super::value::{Nulls, utc};

/// A document at the top of a body: an entity, a fragment of one, an attribute, a subscription.
pub(crate) struct Document<'a> {
    members: Members<'a>,
}

impl<'a> Document<'a> {
    /// Reads a body that is one JSON object.
    pub(crate) fn from_body(body: &'a [u8]) -> Result<Self, InvalidInput> {
        Ok(Self { members: Members::from_body(body)? })
    }

    /// Takes an element of a batch.
    pub(crate) fn of(element: Element<'a>) -> Result<Self, InvalidInput> {
        match element {
            Element::Object(members) => Ok(Self { members }),
            Element::Other(shown) => Err(DataFault::Expected(shown, "a JSON object").into()),
            Element::Null => Err(DataFault::Expected("null".to_owned(), "a JSON object").into()),
        }
    }

    /// The members.
    pub(crate) fn members(&self) -> &Members<'a> {
        &self.members
    }

    /// The `@context` that the document carries.
    pub(crate) fn context(&self) -> Result<Option<&'a RawValue>, InvalidInput> {
        self.members.get("@context")
    }

    /// The id as far as it is a text, for reports of errors.
    pub(crate) fn id_text(&self) -> Option<String> {
        let raw = self.members.keyword("id", "@id").ok().flatten()?;
        as_string(raw).map(|text| shorten(&text))
    }
}

/// Reads documents under one context.
#[derive(Clone, Copy)]
pub(crate) struct EntityReader<'a> {
    /// The context of the request (clause 5.5.7).
    pub(crate) context: &'a Context,
    /// How many attributes an entity may have.
    pub(crate) max_attributes: usize,
}

/// The members of an entity or of a fragment of it.
struct Parts {
    id: Option<EntityId>,
    types: Vec<Iri>,
    scopes: Option<Vec<Scope>>,
    attributes: Vec<AttributeFragment>,
    expires_at: Option<Timestamp>,
    without_expires_at: bool,
}

impl EntityReader<'_> {
    /// A whole entity, as for creation. `path_id` is the id in the address, if there is one.
    pub(crate) fn entity(
        &self,
        document: &Document<'_>,
        path_id: Option<&EntityId>,
        reading: Reading,
    ) -> Result<Entity, InvalidInput> {
        let parts = self.parts(&document.members, reading)?;
        let id = check_id(parts.id, path_id)?.ok_or(DataFault::Missing("id"))?;
        if parts.types.is_empty() {
            return Err(DataFault::Missing("type").into());
        }
        Ok(Entity {
            id,
            types: parts.types,
            scopes: parts.scopes.unwrap_or_default(),
            attributes: complete_attributes(parts.attributes)?,
            expires_at: parts.expires_at,
        })
    }

    /// What is appended: a fragment whose attributes are whole (clause 5.6.3).
    pub(crate) fn appended(
        &self,
        document: &Document<'_>,
        path_id: Option<&EntityId>,
        no_overwrite: bool,
    ) -> Result<Operation, InvalidInput> {
        let parts = self.parts(&document.members, Reading::WHOLE)?;
        let id = check_id(parts.id, path_id)?.ok_or(DataFault::Missing("id"))?;
        Ok(Operation::Append {
            id,
            types: parts.types,
            scopes: parts.scopes,
            attributes: complete_attributes(parts.attributes)?,
            expires_at: parts.expires_at,
            no_overwrite,
        })
    }

    /// A fragment that updates or merges.
    pub(crate) fn fragment(
        &self,
        document: &Document<'_>,
        path_id: Option<&EntityId>,
        reading: Reading,
    ) -> Result<(EntityId, Fragment), InvalidInput> {
        let parts = self.parts(&document.members, reading)?;
        let id = check_id(parts.id, path_id)?.ok_or(DataFault::Missing("id"))?;
        let fragment = Fragment {
            types: parts.types,
            scopes: parts.scopes,
            attributes: parts.attributes,
            expires_at: parts.expires_at,
            without_expires_at: parts.without_expires_at,
        };
        Ok((id, fragment))
    }

    /// The body of an operation on one attribute (clauses 5.6.4 and 5.6.19): the instance itself,
    /// or an object that holds nothing but the attribute by its name.
    pub(crate) fn instance(
        &self,
        document: &Document<'_>,
        reading: Reading,
    ) -> Result<InstanceFragment, InvalidInput> {
        let reader = AttributeReader { context: self.context, reading, in_proof: false };
        // The @context was taken from the document before.
        let members = document.members.without("@context");
        reader.instance(&members, 0)
    }

    /// The id, the types and the attributes of an entity over time.
    pub(super) fn timed_parts(
        &self,
        members: &Members<'_>,
        path_id: Option<&EntityId>,
        reading: Reading,
    ) -> Result<(EntityId, Vec<Iri>, Vec<AttributeFragment>), InvalidInput> {
        let parts = self.parts(members, reading)?;
        let id = check_id(parts.id, path_id)?.ok_or(DataFault::Missing("id"))?;
        Ok((id, parts.types, parts.attributes))
    }

    fn parts(&self, members: &Members<'_>, reading: Reading) -> Result<Parts, InvalidInput> {
        let reader = AttributeReader { context: self.context, reading, in_proof: false };
        // Beside attributes there are a few members of the entity itself.
        if members.len() > self.max_attributes + 16 {
            return Err(DataFault::TooMany("attributes of one entity", self.max_attributes).into());
        }
        let mut parts = Parts {
            id: id(members)?,
            types: Vec::new(),
            scopes: None,
            attributes: Vec::with_capacity(members.len()),
            expires_at: None,
            without_expires_at: false,
        };
        if let Some(raw) = members.keyword("type", "@type")? {
            parts.types = types(raw, self.context).map_err(|error| error.within("type"))?;
        }
        for (place, (name, raw)) in members.iter().enumerate() {
            if members.iter().take(place).any(|(other, _)| other == name) {
                return Err(DataFault::Twice(shorten(name)).into());
            }
            match name {
                "id" | "@id" | "type" | "@type" | "@context" => {}
                "scope" => parts.scopes = Some(read_scopes(raw, reading.nulls)?),
                "expiresAt" if is_null(raw) && reading.nulls != Nulls::Refused => {
                    parts.without_expires_at = true;
                }
                "expiresAt" => {
                    let read = || Ok(utc(&string(raw, "a date and time")?)?);
                    parts.expires_at =
                        Some(read().map_err(|error: InvalidInput| error.within(name))?);
                }
                _ if ENTITY_OUTPUT_ONLY.contains(&name) => {}
                _ => {
                    let attribute = reader.attribute(name, raw, 0)?;
                    if parts.attributes.iter().any(|other| other.name == attribute.name) {
                        return Err(DataFault::Twice(shorten(name)).into());
                    }
                    if parts.attributes.len() == self.max_attributes {
                        let fault =
                            DataFault::TooMany("attributes of one entity", self.max_attributes);
                        return Err(fault.into());
                    }
                    parts.attributes.push(attribute);
                }
            }
        }
        Ok(parts)
    }
}

fn check_id(
    given: Option<EntityId>,
    path_id: Option<&EntityId>,
) -> Result<Option<EntityId>, InvalidInput> {
    match (given, path_id) {
        (Some(given), Some(path_id)) if given != *path_id => {
            Err(DataFault::OtherId(given.to_string()).into())
        }
        (given, path_id) => Ok(given.or_else(|| path_id.cloned())),
    }
}

fn is_null(raw: &RawValue) -> bool {
    as_string(raw).as_deref() == Some(NGSI_LD_NULL)
}

/// NGSI-LD null removes all scopes (clause 4.18).
fn read_scopes(raw: &RawValue, nulls: Nulls) -> Result<Vec<Scope>, InvalidInput> {
    if is_null(raw) {
        if nulls == Nulls::Refused {
            return Err(InvalidInput::from(DataFault::Null).within("scope"));
        }
        return Ok(Vec::new());
    }
    scopes(raw).map_err(|error| error.within("scope"))
}
