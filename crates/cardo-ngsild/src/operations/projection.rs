//! Which members of entities an answer has (clauses 4.21 and 6.4.3.2).

use cardo_jsonld::Context;
use cardo_model::{Iri, Names};
use cardo_query::parse_attributes;

use super::ContextNames;
use crate::fault::Fault;
use crate::represent::{Datasets, Members, Picked};

/// The texts that make a projection.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ProjectionText<'a> {
    pub(crate) attrs: Option<&'a str>,
    pub(crate) pick: Option<&'a str>,
    pub(crate) omit: Option<&'a str>,
}

/// Members by full name.
#[derive(PartialEq, Eq)]
enum Member {
    Id,
    Type,
    Scope,
    Attribute(Iri),
}

/// The members that are wanted, and the attributes of `attrs`, of which an entity needs one.
pub(crate) fn members(
    text: ProjectionText<'_>,
    context: &Context,
    names: &Names,
) -> Result<(Members, Option<Vec<Iri>>), Fault> {
    let attrs = match text.attrs {
        Some(attrs) => Some(parse_attributes(attrs, &ContextNames(context))?),
        None => None,
    };
    let picked = text.pick.map(|pick| parse("pick", pick, context)).transpose()?;
    let omitted = text.omit.map(|omit| parse("omit", omit, context)).transpose()?;
    if attrs.is_some() && (picked.is_some() || omitted.is_some()) {
        return Err(Fault::bad_data("attrs excludes pick and omit"));
    }
    if let (Some(picked), Some(omitted)) = (&picked, &omitted)
        && picked.iter().any(|member| omitted.contains(member))
    {
        return Err(Fault::bad_data("pick and omit name the same member"));
    }
    let pick = |list: &[Member]| collect(list, names);
    let members = match (&picked, &omitted, &attrs) {
        (None, None, None) => Members::All,
        (None, None, Some(attrs)) => Members::attributes(
            attrs.iter().map(|name| names.id_or_unknown(name.as_str())).collect(),
        ),
        (Some(picked), _, _) => Members::Only(pick(picked)),
        (None, Some(omitted), _) => Members::Without(pick(omitted)),
    };
    Ok((members, attrs))
}

fn parse(parameter: &str, text: &str, context: &Context) -> Result<Vec<Member>, Fault> {
    if text.contains(['{', '}']) {
        return Err(Fault::bad_data(format!(
            "{parameter}={text:?} names members of linked entities, but no join is asked for"
        )));
    }
    let mut members = Vec::new();
    for name in text.split([',', '|']).map(str::trim) {
        if members.len() >= cardo_query::MAX_LIST_ITEMS {
            return Err(Fault::bad_data(format!("{parameter} names too many members")));
        }
        members.push(match name {
            "" => return Err(Fault::bad_data(format!("{parameter}={text:?} holds an empty name"))),
            "id" | "@id" => Member::Id,
            "type" | "@type" => Member::Type,
            "scope" => Member::Scope,
            name => Member::Attribute(ContextNames(context).name(name)?),
        });
    }
    Ok(members)
}

fn collect(list: &[Member], names: &Names) -> Picked {
    let mut picked = Picked::default();
    for member in list {
        match member {
            Member::Id => picked.id = true,
            Member::Type => picked.types = true,
            Member::Scope => picked.scope = true,
            Member::Attribute(name) => picked.attributes.push(names.id_or_unknown(name.as_str())),
        }
    }
    picked
}

/// The parameter `datasetId`: URIs, and `@none` for the default instance (clause 4.5.5).
pub(crate) fn dataset_ids(text: Option<&str>) -> Result<Datasets, Fault> {
    let Some(text) = text else { return Ok(Datasets::All) };
    let ids = text.split(',').map(str::trim).map(|id| match id {
        "@none" => Ok(None),
        id => Iri::new(id.to_owned()).map(Some),
    });
    Ok(Datasets::Only(ids.collect::<Result<_, _>>()?))
}
