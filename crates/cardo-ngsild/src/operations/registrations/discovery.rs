//! Finding context sources (clause 5.10).

use std::sync::Arc;

use axum::body::Body;
use cardo_engine::{REGISTRATION_KIND, Wanted, WantedEntities};
use cardo_http::Params;
use cardo_jsonld::Context;
use cardo_model::{Iri, Timestamp};
use cardo_query::{
    Filter, QOptions, TemporalParameters, parse_attributes, parse_geo, parse_id_pattern, parse_ids,
    parse_q, parse_scope_q, parse_temporal, parse_type_selection,
};

use super::{Answer, state};
use crate::face::Face;
use crate::fault::Fault;
use crate::operations::documents::{page, shown, sys_attrs};
use crate::operations::{ContextNames, ProjectionText, QuestionText, dataset_ids, members};
use crate::registrations::{SourceNames, Stored};
use crate::request::{Ask, JSON_TYPES};

const QUERY: [&str; 25] = [
    "type",
    "id",
    "idPattern",
    "q",
    "attrs",
    "pick",
    "omit",
    "georel",
    "geometry",
    "coordinates",
    "geoproperty",
    "geometryProperty",
    "scopeQ",
    "csf",
    "lang",
    "timerel",
    "timeAt",
    "endTimeAt",
    "timeproperty",
    "datasetId",
    "limit",
    "offset",
    "count",
    "options",
    "local",
];

/// Retrieve context source registration (clause 5.10.1).
pub(crate) async fn retrieve(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&["options", "local"], &[])?;
    let sys_attrs = sys_attrs(params.get("options"))?;
    let media = ask.media(&JSON_TYPES)?;
    let naming = face.link_naming(ask).await?;
    let id = ask.id(1)?;
    let (stored, registration) = face.stored_registration(ask, &id).await?;
    let revision = face.snapshot(ask).await?.revision();
    let registration = stored.show(naming.context(), state(&registration), None, sys_attrs);
    Ok(shown(ask, media, &naming, registration, revision))
}

/// Query context source registrations (clause 5.10.2).
pub(crate) async fn query(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&QUERY, &[])?;
    let sys_attrs = sys_attrs(params.get("options"))?;
    let paging = face.paging(&params)?;
    let media = ask.media(&JSON_TYPES)?;
    let naming = face.link_naming(ask).await?;
    let wanted = face.wanted(&params, naming.context())?;
    let snapshot = face.snapshot(ask).await?;
    let registrations = face.engine.registrations(&ask.caller).await?;
    let found = registrations.matching(&wanted);
    let list = found.iter().skip(paging.offset).take(paging.limit).filter_map(|one| {
        let text = snapshot.document(REGISTRATION_KIND, one.registration.id.as_str())?;
        let stored = Stored::from_text(&text)?;
        Some(stored.show(naming.context(), state(&one.registration), Some(one), sys_attrs))
    });
    let list = (list.collect(), paging, found.len());
    Ok(page(ask, media, &naming, list, snapshot.revision()))
}

impl Face {
    /// What the parameters ask for (clauses 5.10.2.3 and 5.10.2.4).
    fn wanted(&self, params: &Params<'_>, context: &Context) -> Result<Wanted, Fault> {
        let names = ContextNames(context);
        let text = QuestionText::of(params)?;
        let mut attributes: Vec<Iri> = match params.get("attrs") {
            Some(attrs) => parse_attributes(attrs, &names)?,
            None => Vec::new(),
        };
        let projection = ProjectionText::of(params);
        members(projection, context, self.engine.names())?;
        attributes.extend(projection.picked(context)?);
        let mut name = |name: &Iri| {
            if !attributes.contains(name) {
                attributes.push(name.clone());
            }
        };
        if let Some(q) = text.q {
            parse_q(q, &names, text.q_options)?.visit_attributes(&mut name);
        }
        let geo = parse_geo(text.geo, &names)?;
        if let Some(geo) = &geo {
            geo.visit_attributes(&mut name);
        }
        let is_narrow = text.types.is_some()
            || params.get("attrs").is_some()
            || text.q.is_some()
            || geo.is_some();
        if !is_narrow {
            return Err(Fault::bad_data(
                "the question is too wide: it needs one of type, attrs, q or georel",
            ));
        }
        Ok(Wanted {
            entities: wanted_entities(&text, context)?,
            attributes,
            datasets: datasets(params.get("datasetId"))?,
            time: parse_temporal(TemporalParameters {
                relation: filled(params.get("timerel")),
                time_at: filled(params.get("timeAt")),
                end_time_at: filled(params.get("endTimeAt")),
                property: filled(params.get("timeproperty")),
            })?,
            geo: geo.and_then(|geo| match geo {
                Filter::Geo(condition) => Some(condition),
                _ => None,
            }),
            scope: text.scope_q.map(parse_scope_q).transpose()?,
            source: params
                .get("csf")
                .map(|csf| parse_q(csf, &SourceNames(names), QOptions::default()))
                .transpose()?,
            ..Wanted::registrations(Timestamp::now())
        })
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn datasets(text: Option<&str>) -> Result<Vec<Box<str>>, Fault> {
    dataset_ids(text)?;
    Ok(text.unwrap_or("").split(',').filter(|id| !id.is_empty()).map(Box::from).collect())
}

/// The specification of entities (clause 5.12); none where nothing is said of them.
fn wanted_entities(
    text: &QuestionText<'_>,
    context: &Context,
) -> Result<Vec<WantedEntities>, Fault> {
    let types = text.types.map(|types| parse_type_selection(types, &ContextNames(context)));
    let mut wanted = WantedEntities { types: types.transpose()?, ..WantedEntities::default() };
    if let Some(ids) = text.ids
        && let Filter::Ids(ids) = parse_ids(ids)?
    {
        wanted.ids = ids;
    }
    if let (Some(pattern), None) = (text.id_pattern, text.ids)
        && let Filter::IdPattern(pattern) = parse_id_pattern(pattern)?
    {
        wanted.id_pattern = Some(pattern);
    }
    let is_silent = wanted.types.is_none() && wanted.ids.is_empty() && wanted.id_pattern.is_none();
    Ok(if is_silent { Vec::new() } else { vec![wanted] })
}
