//! Which entities a question is about (clause 5.7.2.4).

use cardo_http::Params;
use cardo_jsonld::Context;
use cardo_model::{Iri, Names, Record};
use cardo_query::{
    Filter, GeoParameters, QOptions, Root, attributes_filter, evaluate, parse_geo, parse_geo_query,
    parse_id_pattern, parse_ids, parse_q, parse_scope_q, parse_type_selection,
};

use super::ContextNames;
use crate::fault::Fault;
use crate::request::flag;

/// The texts that make a question.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct QuestionText<'a> {
    pub(crate) types: Option<&'a str>,
    pub(crate) ids: Option<&'a str>,
    pub(crate) id_pattern: Option<&'a str>,
    pub(crate) q: Option<&'a str>,
    pub(crate) q_options: QOptions<'a>,
    pub(crate) geo: GeoParameters<'a>,
    /// A geoquery as a JSON object (table 5.2.13-1), in place of `geo`.
    pub(crate) geo_object: Option<&'a str>,
    pub(crate) scope_q: Option<&'a str>,
    pub(crate) local: Option<bool>,
}

impl<'a> QuestionText<'a> {
    /// Those in the query string; an operation that does not take one of them has refused it.
    pub(crate) fn of(params: &'a Params<'_>) -> Result<Self, Fault> {
        Ok(Self {
            types: params.get("type"),
            ids: params.get("id"),
            id_pattern: params.get("idPattern"),
            q: params.get("q"),
            q_options: QOptions {
                expand_values: params.get("expandValues"),
                json_keys: params.get("jsonKeys"),
            },
            geo: GeoParameters {
                relation: params.get("georel"),
                geometry: params.get("geometry"),
                coordinates: params.get("coordinates"),
                property: params.get("geoproperty"),
            },
            geo_object: None,
            scope_q: params.get("scopeQ"),
            local: flag(params, "local")?,
        })
    }
}

/// The filter of a question; refuses one that is too wide, or looks at linked entities through more
/// than `levels` relationships. `attrs` are those of the parameter.
pub(crate) fn question(
    text: &QuestionText<'_>,
    attrs: Option<&[Iri]>,
    context: &Context,
    levels: usize,
) -> Result<Filter, Fault> {
    let names = ContextNames(context);
    let asks_for_all = text.types.is_some_and(|types| types.trim() == "*");
    if asks_for_all && text.local == Some(false) {
        return Err(Fault::bad_data("type=* is answered locally; local may not be false"));
    }
    let mut filter = Filter::True;
    let mut is_narrow = asks_for_all || text.local == Some(true);
    if let Some(types) = text.types {
        filter = filter.and(parse_type_selection(types, &names)?);
        is_narrow = true;
    }
    if let Some(ids) = text.ids {
        filter = filter.and(parse_ids(ids)?);
    }
    // Table 5.2.33-1: an id takes precedence over a pattern.
    if let (Some(pattern), None) = (text.id_pattern, text.ids) {
        filter = filter.and(parse_id_pattern(pattern)?);
    }
    if let Some(attrs) = attrs {
        filter = filter.and(attributes_filter(attrs));
        is_narrow |= attrs.iter().any(|name| !is_system(name));
    }
    if let Some(q) = text.q {
        let q = parse_q(q, &names, text.q_options)?;
        is_narrow |= asks_for_attribute(&q);
        if q.link_levels() > levels {
            return Err(Fault::bad_data(format!(
                "q looks at linked entities through {} relationships, but join and joinLevel allow \
                 {levels}",
                q.link_levels()
            )));
        }
        filter = filter.and(q);
    }
    let geo = match text.geo_object {
        Some(json) => Some(parse_geo_query(json, &names)?),
        None => parse_geo(text.geo, &names)?,
    };
    if let Some(geo) = geo {
        filter = filter.and(geo);
        is_narrow = true;
    }
    if let Some(scope_q) = text.scope_q {
        filter = filter.and(parse_scope_q(scope_q)?);
    }
    if !is_narrow {
        return Err(Fault::bad_data(
            "the question is too wide: it needs one of type, attrs, q, georel, or local=true",
        ));
    }
    Ok(filter)
}

/// A filter of context sources (clause 5.7.2.4) has to be a query.
pub(crate) fn check_source_filter(csf: Option<&str>, context: &Context) -> Result<(), Fault> {
    source_filter(csf, context)?;
    Ok(())
}

/// The filter of context sources itself.
pub(crate) fn source_filter(csf: Option<&str>, context: &Context) -> Result<Option<Filter>, Fault> {
    let parse = |csf| parse_q(csf, &ContextNames(context), QOptions::default());
    Ok(csf.map(parse).transpose()?)
}

fn is_system(name: &Iri) -> bool {
    const SYSTEM: [&str; 4] = [
        "https://uri.etsi.org/ngsi-ld/createdAt",
        "https://uri.etsi.org/ngsi-ld/modifiedAt",
        "https://uri.etsi.org/ngsi-ld/deletedAt",
        "https://uri.etsi.org/ngsi-ld/expiresAt",
    ];
    SYSTEM.contains(&name.as_str())
}

fn asks_for_attribute(filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(asks_for_attribute),
        Filter::Not(part) => asks_for_attribute(part),
        Filter::HasAttribute(name) => !is_system(name),
        Filter::Exists(path) => matches!(path.root, Root::Attribute(_)),
        Filter::Compare(comparison) => matches!(comparison.path.root, Root::Attribute(_)),
        Filter::Holds(predicate) => {
            let mut asks = false;
            predicate.visit_attributes(&mut |_| asks = true);
            asks
        }
        Filter::Type(_) | Filter::Geo(_) | Filter::Height(_) | Filter::Link(_) => true,
        Filter::True
        | Filter::False
        | Filter::Ids(_)
        | Filter::IdPattern(_)
        | Filter::Scope(_)
        | Filter::Time(_) => false,
    }
}

/// Whether a record is of the selected types (clause 4.17), where types are selected at all.
pub(crate) fn selects(
    types: Option<&str>,
    record: &Record,
    context: &Context,
    names: &Names,
) -> Result<bool, Fault> {
    let Some(types) = types else { return Ok(true) };
    let filter = parse_type_selection(types, &ContextNames(context))?;
    let filter = filter.map_names(&mut |name| names.id_or_unknown(name.as_str()));
    Ok(evaluate(&filter, &record.view()))
}
