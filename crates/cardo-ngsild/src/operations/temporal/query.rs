use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CONTENT_RANGE;
use axum::http::{HeaderValue, Response, StatusCode};
use cardo_engine::{EntityHistory, EvolutionQuery, IdOrder};
use cardo_jsonld::Context;
use cardo_model::{EntityId, Iri};
use cardo_query::{
    Collation, Filter, parse_geo, parse_geo_query, parse_id_pattern, parse_ids, parse_q,
    parse_scope_q, parse_type_selection,
};

use super::asked::{Asked, PARAMS, TemporalText};
use crate::face::Face;
use crate::fault::Fault;
use crate::operations::query::Paging;
use crate::operations::{ContextNames, QuestionText, check_source_filter, question};
use crate::represent::Naming;
use crate::request::{Ask, JSON_TYPES, Media, flag};
use crate::respond::context_in_body;

const SELECTORS: [&str; 18] = [
    "type",
    "id",
    "idPattern",
    "q",
    "georel",
    "geometry",
    "coordinates",
    "geoproperty",
    "scopeQ",
    "expandValues",
    "jsonKeys",
    "orderBy",
    "collation",
    "splitEntities",
    "csf",
    "limit",
    "offset",
    "count",
];
const UNBUILT: [&str; 2] = ["entityMap", "entityMapLifetime"];

/// Query the temporal evolution of entities by GET (clause 5.7.4).
pub(crate) async fn query(
    face: &Arc<Face>,
    ask: &Ask<'_>,
    _: Body,
) -> Result<Response<Body>, Fault> {
    let known: Vec<&'static str> = PARAMS.into_iter().chain(SELECTORS).collect();
    let params = ask.params(&known, &UNBUILT)?;
    let media = ask.media(&JSON_TYPES)?;
    let naming = face.link_naming(ask).await?;
    let asked = Asked::read(face, ask, &TemporalText::of(&params), naming.context())?;
    let text = QuestionText::of(&params)?;
    let selection = Selection::read(&text, asked.attrs.as_deref(), naming.context())?;
    check_source_filter(params.get("csf"), naming.context())?;
    flag(&params, "splitEntities")?;
    let by_id = order(params.get("orderBy"), params.get("collation"))?;
    let paging = face.paging(&params)?;
    face.answer_evolution(ask, media, &naming, &asked, selection, (by_id, paging)).await
}

/// Which entities, and what their instances have to meet.
pub(super) struct Selection {
    pub(super) entities: Filter,
    pub(super) values: Filter,
    pub(super) scopes: Filter,
}

impl Selection {
    pub(super) fn read(
        text: &QuestionText<'_>,
        attrs: Option<&[Iri]>,
        context: &Context,
    ) -> Result<Self, Fault> {
        text.q.map_or(Ok(()), refuse_linked)?;
        // Refuses what is too wide or broken.
        question(text, attrs, context, 0)?;
        let names = ContextNames(context);
        let mut entities = Filter::True;
        if let Some(types) = text.types {
            entities = entities.and(parse_type_selection(types, &names)?);
        }
        match (text.ids, text.id_pattern) {
            (Some(ids), _) => entities = entities.and(parse_ids(ids)?),
            (None, Some(pattern)) => entities = entities.and(parse_id_pattern(pattern)?),
            (None, None) => {}
        }
        let mut values = Filter::True;
        if let Some(q) = text.q {
            values = values.and(parse_q(q, &names, text.q_options)?);
        }
        let geo = match text.geo_object {
            Some(json) => Some(parse_geo_query(json, &names)?),
            None => parse_geo(text.geo, &names)?,
        };
        if let Some(geo) = geo {
            values = values.and(geo);
        }
        let scopes = match text.scope_q {
            Some(scope_q) => parse_scope_q(scope_q)?,
            None => Filter::True,
        };
        Ok(Self { entities, values, scopes })
    }
}

/// Clause 5.7.4.4: conditions on linked entities are an error here.
fn refuse_linked(q: &str) -> Result<(), Fault> {
    let mut is_quoted = false;
    for c in q.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            '{' if !is_quoted => {
                return Err(Fault::bad_data(format!("q={q:?} names linked entities")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Clause 5.7.4.4: histories may be ordered by `id` alone.
pub(super) fn order(by: Option<&str>, collation: Option<&str>) -> Result<Option<IdOrder>, Fault> {
    let collation = collation.map(str::parse::<Collation>).transpose()?;
    let descending = match by {
        None => return Ok(None),
        Some("id" | "id;asc") => false,
        Some("id;desc") => true,
        Some(other) => {
            return Err(Fault::bad_data(format!("orderBy={other:?}: only id orders histories")));
        }
    };
    let collation = Arc::new(collation.unwrap_or_else(Collation::root));
    Ok(Some(IdOrder { descending, collation }))
}

impl Face {
    /// Puts a question for histories to the engine and writes the page that comes back.
    pub(super) async fn answer_evolution(
        &self,
        ask: &Ask<'_>,
        media: Media,
        naming: &Naming,
        asked: &Asked,
        selection: Selection,
        (by_id, paging): (Option<IdOrder>, Paging),
    ) -> Result<Response<Body>, Fault> {
        if asked.range.is_none() {
            return Err(Fault::bad_data(
                "timerel and timeAt are missing: a temporal query is needed",
            ));
        }
        let query = EvolutionQuery {
            entities: selection.entities,
            values: selection.values,
            scopes: selection.scopes,
            history: asked.request(self, EntityId::new("urn:any")?),
            by_id,
            limit: paging.limit,
            offset: paging.offset,
            count: paging.count,
        };
        let page = self.engine.evolution(&ask.caller, &query).await?;
        asked.check_whole(page.is_cut)?;
        let in_body = context_in_body(ask, media);
        let written = asked.write(self, naming, &page.histories, in_body, true);
        let mut response = self.answer_written(ask, media, naming, written, page.revision);
        paging.tell(ask, media, page.count, page.has_more, &mut response);
        Ok(if page.is_cut { partial(response, asked, &page.histories) } else { response })
    }
}

/// Says that an answer is a part, and of which range of time (clause 6.3.10).
pub(super) fn partial(
    mut response: Response<Body>,
    asked: &Asked,
    histories: &[EntityHistory],
) -> Response<Body> {
    let is_whole = [StatusCode::OK, StatusCode::NON_AUTHORITATIVE_INFORMATION];
    if !is_whole.contains(&response.status()) {
        return response;
    }
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let range = asked.content_range(histories).and_then(|range| HeaderValue::try_from(range).ok());
    response.headers_mut().extend(range.map(|range| (CONTENT_RANGE, range)));
    response
}
