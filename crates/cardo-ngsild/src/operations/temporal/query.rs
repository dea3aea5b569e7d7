use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CONTENT_RANGE;
use axum::http::{HeaderValue, Response, StatusCode};
use cardo_engine::{AskedBy, AskedSources, Caller, EntityHistory, EvolutionQuery, IdOrder};
use cardo_http::Params;
use cardo_jsonld::Context;
use cardo_model::{EntityId, Iri};
use cardo_query::{
    Collation, Filter, parse_geo, parse_geo_query, parse_id_pattern, parse_ids, parse_q,
    parse_scope_q, parse_type_selection,
};

use super::asked::{Asked, PARAMS, TemporalText};
use crate::face::Face;
use crate::fault::Fault;
use crate::federation::warned;
use crate::operations::entity_maps::{MapWish, UsedMap, show_map, tell_map};
use crate::operations::query::Paging;
use crate::operations::{ContextNames, QuestionText, question, source_filter};
use crate::represent::Naming;
use crate::request::{Ask, JSON_TYPES, Media, flag};
use crate::respond::{answer, context_in_body};

const SELECTORS: [&str; 20] = [
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
    "entityMap",
    "entityMapLifetime",
];

/// Query the temporal evolution of entities by GET (clause 5.7.4).
pub(crate) async fn query(
    face: &Arc<Face>,
    ask: &Ask<'_>,
    _: Body,
) -> Result<Response<Body>, Fault> {
    let params = ask.params(&known(), &[])?;
    let media = ask.media(&JSON_TYPES)?;
    let wish = MapWish::of(ask, &params)?;
    let evolved = face.read_evolution(ask, &params).await?;
    face.answer_evolution(ask, media, evolved, &wish).await
}

/// Create entity map for query temporal evolution, by GET (clauses 5.14.5 and 6.35.3.1).
pub(crate) async fn create_map(
    face: &Arc<Face>,
    ask: &Ask<'_>,
    _: Body,
) -> Result<Response<Body>, Fault> {
    let params = ask.params(&known(), &[])?;
    let media = ask.media(&JSON_TYPES)?;
    let wish = MapWish::of(ask, &params)?;
    let evolved = face.read_evolution(ask, &params).await?;
    face.answer_evolution_map(ask, media, &evolved, &wish).await
}

fn known() -> Vec<&'static str> {
    PARAMS.into_iter().chain(SELECTORS).collect()
}

/// A question for histories, and the context that it was read in.
pub(super) struct Evolved {
    pub(super) naming: Arc<Naming>,
    pub(super) asked: Asked,
    pub(super) selection: Selection,
    pub(super) by_id: Option<IdOrder>,
    pub(super) paging: Paging,
    /// On whose behalf, and how far it reaches.
    pub(super) caller: Caller,
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
    async fn read_evolution(&self, ask: &Ask<'_>, params: &Params<'_>) -> Result<Evolved, Fault> {
        let naming = self.link_naming(ask).await?;
        let temporal = TemporalText::of(params);
        temporal.learn(self, ask, &naming).await?;
        let asked = Asked::read(self, ask, &temporal, naming.context())?;
        let text = QuestionText::of(params)?;
        let selection = Selection::read(&text, asked.attrs.as_deref(), naming.context())?;
        let sources = AskedSources {
            sources: source_filter(params.get("csf"), naming.context())?,
            split: flag(params, "splitEntities")?.unwrap_or(self.options.split_entities),
            ..asked.sources(AskedBy::Query, params.get("datasetId"))
        };
        let by_id = order(params.get("orderBy"), params.get("collation"))?;
        let paging = self.paging(params)?;
        let caller = ask.caller_to(&naming, sources);
        Ok(Evolved { naming, asked, selection, by_id, paging, caller })
    }

    /// Puts a question for histories to the engine and writes the page that comes back.
    pub(super) async fn answer_evolution(
        &self,
        ask: &Ask<'_>,
        media: Media,
        evolved: Evolved,
        wish: &MapWish,
    ) -> Result<Response<Body>, Fault> {
        let mut query = self.evolution_query(&evolved)?;
        // Clause 5.7.4.4.
        if query.by_id.is_some()
            && self.engine.is_past_distributed(&evolved.caller, &query.entities).await?
        {
            return Err(Fault::bad_data(
                "an order needs local=true where context sources are registered for what is asked for",
            ));
        }
        let used = match self.given_map(ask, wish) {
            None if wish.is_none() => None,
            None => Some(self.make_evolution_map(ask, &evolved.caller, &query, wish).await?),
            given => given,
        };
        if let Some(used) = &used {
            query.entities = query.entities.and(used.map.filter());
        }
        let Evolved { naming, asked, paging, caller, .. } = &evolved;
        let mapped = used.as_ref().map(|used| used.map.caller(caller));
        let page = self.engine.evolution(mapped.as_ref().unwrap_or(caller), &query).await?;
        asked.check_whole(page.is_cut)?;
        let in_body = context_in_body(ask, media);
        let aggregates = asked.aggregates(&page.histories)?;
        asked.check_eligible(self.engine.names(), &aggregates)?;
        let written = asked.write(self, naming, (&page.histories, &aggregates), in_body, true);
        let mut response = match used {
            None => self.answer_written(ask, media, naming, written, page.revision),
            Some(_) => answer(ask, media, naming, written.body, page.revision),
        };
        paging.tell(ask, media, page.count, page.has_more, &mut response);
        if page.is_cut {
            response = partial(response, asked, &page.histories);
        }
        if let Some(used) = used {
            self.note_linked(ask, &used, page.contributions.as_deref());
            tell_map(ask, &used, &mut response);
        }
        warned(Ok(response), page.contributions.as_deref(), &ask.caller)
    }

    pub(super) fn evolution_query(&self, evolved: &Evolved) -> Result<EvolutionQuery, Fault> {
        let Evolved { asked, selection, by_id, paging, .. } = evolved;
        if asked.range.is_none() {
            return Err(Fault::bad_data(
                "timerel and timeAt are missing: a temporal query is needed",
            ));
        }
        Ok(EvolutionQuery {
            entities: selection.entities.clone(),
            values: selection.values.clone(),
            scopes: selection.scopes.clone(),
            history: asked.request(self, EntityId::new("urn:any")?),
            by_id: by_id.clone(),
            limit: paging.limit,
            offset: paging.offset,
            count: paging.count,
        })
    }

    /// Makes an entity map of those that match a question for histories (clause 5.14.5.4).
    async fn make_evolution_map(
        &self,
        ask: &Ask<'_>,
        caller: &Caller,
        query: &EvolutionQuery,
        wish: &MapWish,
    ) -> Result<UsedMap, Fault> {
        let ids = self.engine.evolved_ids(&wish.caller(caller), query).await?;
        let question = query.entities.clone().and(query.values.clone()).and(query.scopes.clone());
        self.make_map(ask, wish, question, ids, true).await
    }

    pub(super) async fn answer_evolution_map(
        &self,
        ask: &Ask<'_>,
        media: Media,
        evolved: &Evolved,
        wish: &MapWish,
    ) -> Result<Response<Body>, Fault> {
        let query = self.evolution_query(evolved)?;
        let revision = self.snapshot(ask).await?.revision();
        let used = self.make_evolution_map(ask, &evolved.caller, &query, wish).await?;
        Ok(show_map(ask, media, &evolved.naming, &used, revision))
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
