use std::sync::Arc;

use axum::body::Body;
use axum::http::header::LINK;
use axum::http::{HeaderName, HeaderValue, Response};
use cardo_engine::{EntityQuery, Order, Page, PageRequest, PageStart};
use cardo_http::{BaseUrl, PageLinks, Params};
use cardo_model::{Iri, NameId, Record};
use cardo_query::{Filter, GeoParameters, QOptions};

use super::entities::{SHAPE_UNBUILT, format_of, geometry_property};
use super::{ProjectionText, QuestionText, dataset_ids, members, question};
use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::represent::{EntityWriter, Naming, Shape};
use crate::request::{Ask, ENTITY_TYPES, Media, flag};
use crate::respond::context_in_body;

/// The header with the number of all results (clause 6.3.13).
pub(crate) const RESULTS_COUNT: HeaderName = HeaderName::from_static("ngsild-results-count");

const QUERY: [&str; 20] = [
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
    "limit",
    "offset",
    "count",
    "options",
    "format",
    "datasetId",
    "local",
];
const QUERY_UNBUILT: [&str; 14] = [
    SHAPE_UNBUILT[0],
    SHAPE_UNBUILT[1],
    SHAPE_UNBUILT[2],
    SHAPE_UNBUILT[3],
    SHAPE_UNBUILT[4],
    SHAPE_UNBUILT[5],
    SHAPE_UNBUILT[6],
    "csf",
    "expandValues",
    "jsonKeys",
    "orderBy",
    "orderFrom",
    "orderGeometry",
    "collation",
];

/// A page of a result (clauses 5.5.9 and 6.3.10).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paging {
    pub(crate) limit: usize,
    pub(crate) offset: usize,
    pub(crate) count: bool,
}

/// A question for entities and how they are to be written.
pub(crate) struct Question {
    pub(crate) filter: Filter,
    pub(crate) shape: Shape,
    pub(crate) paging: Paging,
    pub(crate) geometry: Option<Iri>,
}

/// Query entities by GET (clause 5.7.2).
pub(crate) async fn query_entities(
    face: &Arc<Face>,
    ask: &Ask<'_>,
    _: Body,
) -> Result<Response<Body>, Fault> {
    let params = ask.params(&QUERY, &QUERY_UNBUILT)?;
    let media = ask.media(&ENTITY_TYPES)?;
    let naming = face.link_naming(ask).await?;
    let text = QuestionText {
        types: params.get("type"),
        ids: params.get("id"),
        id_pattern: params.get("idPattern"),
        q: params.get("q"),
        q_options: QOptions::default(),
        geo: GeoParameters {
            relation: params.get("georel"),
            geometry: params.get("geometry"),
            coordinates: params.get("coordinates"),
            property: params.get("geoproperty"),
        },
        geo_object: None,
        scope_q: params.get("scopeQ"),
        local: flag(&params, "local")?,
    };
    let projection = ProjectionText {
        attrs: params.get("attrs"),
        pick: params.get("pick"),
        omit: params.get("omit"),
    };
    let (members, attrs) = members(projection, naming.context(), face.engine.names())?;
    let filter = question(&text, attrs.as_deref(), naming.context())?;
    let (format, sys_attrs) = format_of(&params)?;
    let shape =
        Shape { format, sys_attrs, members, datasets: dataset_ids(params.get("datasetId"))? };
    let question = Question {
        filter,
        shape,
        paging: face.paging(&params)?,
        geometry: geometry_property(&params, media, &naming)?,
    };
    face.answer_question(ask, media, &naming, &question).await
}

impl Face {
    /// `limit`, `offset` and `count`.
    pub(crate) fn paging(&self, params: &Params<'_>) -> Result<Paging, Fault> {
        let limits = &self.options.limits;
        let number = |name: &str| match params.get(name) {
            None => Ok(None),
            Some(text) => text.parse::<usize>().map(Some).map_err(|_| {
                Fault::bad_data(format!("{name}={text:?} is not a number of 0 or more"))
            }),
        };
        let limit = number("limit")?.unwrap_or(limits.default_page);
        let count = flag(params, "count")?.unwrap_or(false);
        if limit == 0 && !count {
            return Err(Fault::bad_data("limit=0 asks for nothing unless count=true"));
        }
        if limit > limits.max_page {
            let detail = format!(
                "a page of {limit} is larger than the {} that are answered",
                limits.max_page
            );
            return Err(Fault::new(NgsildError::TooManyResults, detail));
        }
        Ok(Paging { limit, offset: number("offset")?.unwrap_or(0), count })
    }

    /// Puts a question to the engine and writes the page that comes back.
    pub(crate) async fn answer_question(
        &self,
        ask: &Ask<'_>,
        media: Media,
        naming: &Naming,
        question: &Question,
    ) -> Result<Response<Body>, Fault> {
        let paging = question.paging;
        let query = EntityQuery {
            filter: question.filter.clone(),
            order: Order::default(),
            page: PageRequest { limit: paging.limit, start: PageStart::Offset(paging.offset) },
            count: paging.count,
        };
        let page = self.engine.query(&ask.caller, &query).await?;
        let in_body = context_in_body(ask, media);
        let body = self.write_page(&page.entities, media, naming, question, in_body);
        let mut response = self.answer_tagged(ask, media, naming, body, page.revision);
        add_page_headers(ask, media, paging, &page, &mut response);
        Ok(response)
    }

    /// Writes entities as an array or a feature collection.
    pub(crate) fn write_page(
        &self,
        entities: &[Record],
        media: Media,
        naming: &Naming,
        question: &Question,
        in_body: bool,
    ) -> Vec<u8> {
        let names = self.engine.names();
        let geometry = question.geometry.as_ref();
        let geometry = geometry.map_or(NameId::UNKNOWN, |name| names.id_or_unknown(name.as_str()));
        let context_bytes = if in_body { naming.context().member().len() } else { 0 };
        let bytes: usize = entities.iter().map(|record| record.as_bytes().len() * 2).sum();
        let capacity = 128 + bytes + entities.len() * (64 + context_bytes);
        naming.write(names, capacity, |out, table| {
            let shape = &question.shape;
            let mut writer = EntityWriter { out, names: table, context: naming.context(), shape };
            if media != Media::GeoJson {
                writer.out.push(b'[');
                for record in entities {
                    if writer.entity(record.view(), in_body) {
                        writer.out.push(b',');
                    }
                }
                return writer.close(b']');
            }
            writer.out.extend_from_slice(b"{\"type\":\"FeatureCollection\",\"features\":[");
            for record in entities {
                writer.feature(record.view(), geometry, false);
                writer.out.push(b',');
            }
            writer.close(b']');
            writer.out.push(b',');
            if in_body {
                writer.context_member();
            }
            writer.close(b'}');
        })
    }
}

fn add_page_headers(
    ask: &Ask<'_>,
    media: Media,
    paging: Paging,
    page: &Page,
    response: &mut Response<Body>,
) {
    let headers = response.headers_mut();
    if let Some(count) = page.count {
        headers.insert(RESULTS_COUNT, HeaderValue::from(count));
    }
    if paging.limit == 0 || !(page.has_more || paging.offset > 0) {
        return;
    }
    let links = PageLinks {
        path: &BaseUrl::of(ask.parts).to(ask.parts.uri.path().trim_end_matches('/')),
        query: ask.parts.uri.query(),
        limit: paging.limit,
        media_type: media.as_str(),
    };
    if page.has_more {
        headers
            .extend(links.to_offset(paging.offset + paging.limit, "next").map(|link| (LINK, link)));
    }
    if paging.offset > 0 {
        let before = paging.offset.saturating_sub(paging.limit);
        headers.extend(links.to_offset(before, "prev").map(|link| (LINK, link)));
    }
}
