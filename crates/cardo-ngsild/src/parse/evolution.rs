use cardo_model::{Attribute, EntityId, Instance, Iri, NGSI_LD_NULL, Scope, Timestamp};
use serde_json::value::RawValue;

use super::Reading;
use super::complete::{complete_attributes, complete_instance};
use super::entity::{Document, EntityReader};
use super::error::{DataFault, InvalidInput};
use super::members::{Items, Members, as_string, string};
use super::names::scopes;
use super::terms::VALUE_MEMBERS;
use super::value::utc;

/// Scopes, and since when they are valid where that is said.
type TimedScopes = (Option<Timestamp>, Vec<Scope>);

/// The temporal representation of an entity as it is written (clause 5.2.20).
pub(crate) struct Evolution {
    pub(crate) id: EntityId,
    pub(crate) types: Vec<Iri>,
    /// Scopes, each since a moment where one is given.
    pub(crate) scopes: Vec<TimedScopes>,
    pub(crate) attributes: Vec<Attribute>,
}

impl EntityReader<'_> {
    /// The temporal evolution of an entity, or what is added to it.
    pub(crate) fn evolution(
        &self,
        document: &Document<'_>,
        path_id: Option<&EntityId>,
    ) -> Result<Evolution, InvalidInput> {
        self.evolution_as(document, path_id, Reading::EVOLUTION)
    }

    /// The same as it is read in another way.
    pub(crate) fn evolution_as(
        &self,
        document: &Document<'_>,
        path_id: Option<&EntityId>,
        reading: Reading,
    ) -> Result<Evolution, InvalidInput> {
        let members = document.members();
        // Clause 5.5.4: null may stand for the value of an instance, and nowhere else.
        for (name, raw) in members.iter() {
            if as_string(raw).as_deref() == Some(NGSI_LD_NULL) {
                return Err(InvalidInput::from(DataFault::Null).within(name));
            }
        }
        let scopes = match members.get("scope")? {
            Some(raw) => evolved_scopes(raw).map_err(|error| error.within("scope"))?,
            None => Vec::new(),
        };
        let rest = members.without("scope");
        let (id, types, attributes) = self.timed_parts(&rest, path_id, reading)?;
        Ok(Evolution { id, types, scopes, attributes: complete_attributes(attributes)? })
    }

    /// The instance that takes the place of another one (clause 5.6.14): by itself, or as the only
    /// one of its attribute.
    pub(crate) fn evolved_instance(
        &self,
        document: &Document<'_>,
        name: &Iri,
    ) -> Result<Instance, InvalidInput> {
        let members = document.members();
        let is_instance = VALUE_MEMBERS.iter().any(|(member, _)| members.has(member));
        if is_instance {
            return complete_instance(self.instance(document, Reading::EVOLUTION)?);
        }
        let id = EntityId::new("urn:any")?;
        let (_, _, attributes) = self.timed_parts(members, Some(&id), Reading::EVOLUTION)?;
        let wrong = || DataFault::Missing("one instance of the addressed attribute, and no other");
        let attributes = complete_attributes(attributes)?;
        let [attribute] = <[Attribute; 1]>::try_from(attributes).map_err(|_| wrong())?;
        let [instance] = <[Instance; 1]>::try_from(attribute.instances).map_err(|_| wrong())?;
        if attribute.name != *name {
            return Err(wrong().into());
        }
        Ok(instance)
    }
}

/// Scopes by themselves, or as instances of a Property with the time since which they are valid
/// (clause 4.5.6).
fn evolved_scopes(raw: &RawValue) -> Result<Vec<TimedScopes>, InvalidInput> {
    if raw.get().starts_with('{') {
        return Ok(vec![scope_instance(raw)?]);
    }
    if raw.get().starts_with('[') {
        let items = Items::of(raw)?.0;
        if items.first().is_some_and(|item| item.get().starts_with('{')) {
            return items.into_iter().map(scope_instance).collect();
        }
    }
    Ok(vec![(None, scopes(raw)?)])
}

fn scope_instance(raw: &RawValue) -> Result<TimedScopes, InvalidInput> {
    let members = Members::of(raw)?;
    let value = members.get("value")?.ok_or(DataFault::Missing("value"))?;
    let since = match members.get("observedAt")? {
        Some(raw) => Some(utc(&string(raw, "a date and time")?)?),
        None => None,
    };
    Ok((since, scopes(value)?))
}
