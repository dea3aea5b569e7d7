use std::sync::Arc;

use axum::body::Body;
use axum::http::header::LINK;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use cardo_engine::{
    AskedBy, AskedSources, Caller, EntityQuery, MappedPage, Order, PageRequest, PageStart,
};
use cardo_http::{BaseUrl, PageLinks, Params};
use cardo_model::{Iri, NameId, Record, Revision};
use cardo_query::Filter;

use super::entities::{format_of, geometry_property};
use super::entity_maps::{MapWish, tell_map};
use super::join::{Shaped, too_many};
use super::ordering::OrderText;
use super::{QuestionText, ShapeText, question, source_filter};
use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::federation::{datasets_of, warned};
use crate::represent::{EntityWriter, Naming, Shape};
use crate::request::{Ask, ENTITY_TYPES, Media, flag};
use crate::respond::{answer, context_in_body};

/// The header with the number of all results (clause 6.3.13).
pub(crate) const RESULTS_COUNT: HeaderName = HeaderName::from_static("ngsild-results-count");

/// The parameters of a question for entities (table 6.4.3.2-1).
pub(crate) const PARAMS: [&str; 34] = [
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
    "lang",
    "join",
    "joinLevel",
    "containedBy",
    "orderBy",
    "orderFrom",
    "orderGeometry",
    "collation",
    "expandValues",
    "jsonKeys",
    "splitEntities",
    "csf",
    "entityMap",
    "entityMapLifetime",
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
    pub(crate) order: Order,
    pub(crate) paging: Paging,
    pub(crate) asked: Asked,
    /// On whose behalf, and how far it reaches.
    pub(crate) caller: Caller,
}

/// How entities are to be written.
pub(crate) struct Asked {
    pub(crate) shape: Shape,
    pub(crate) geometry: Option<Iri>,
    pub(crate) media: Media,
}

/// A body, and whether an older version of the specification made it another.
pub(crate) struct Written {
    pub(crate) body: Vec<u8>,
    pub(crate) is_altered: bool,
}

/// Query entities by GET (clause 5.7.2).
pub(crate) async fn query_entities(
    face: &Arc<Face>,
    ask: &Ask<'_>,
    _: Body,
) -> Result<Response<Body>, Fault> {
    let params = ask.params(&PARAMS, &[])?;
    let media = ask.media(&ENTITY_TYPES)?;
    let wish = MapWish::of(ask, &params)?;
    let (naming, question) = face.read_question(ask, &params, media).await?;
    face.answer_question(ask, &naming, &question, &wish).await
}

impl Face {
    /// The question in a query string, and the context that it was read in.
    pub(crate) async fn read_question(
        &self,
        ask: &Ask<'_>,
        params: &Params<'_>,
        media: Media,
    ) -> Result<(Arc<Naming>, Question), Fault> {
        let naming = self.link_naming(ask).await?;
        let text = QuestionText::of(params)?;
        let shape_text = ShapeText::of(params);
        shape_text.learn(self, ask, &naming).await?;
        let (shape, attrs) = shape_text.shape(self, ask, &naming, format_of(params)?)?;
        let levels = shape.join().map_or(0, |join| join.levels);
        let filter = question(&text, attrs.as_deref(), naming.context(), levels)?;
        let sources = AskedSources {
            split: flag(params, "splitEntities")?.unwrap_or(self.options.split_entities),
            sources: source_filter(params.get("csf"), naming.context())?,
            datasets: datasets_of(params.get("datasetId")),
            attributes: attrs.unwrap_or_default(),
            by: AskedBy::Query,
            ..AskedSources::default()
        };
        let order = OrderText {
            by: params.get("orderBy"),
            from: params.get("orderFrom"),
            geometry: params.get("orderGeometry"),
            collation: params.get("collation"),
        };
        let geometry = geometry_property(params, media, &naming)?;
        let caller = ask.caller_to(&naming, sources);
        let question = Question {
            filter,
            order: order.read(naming.context())?,
            paging: self.paging(params)?,
            asked: Asked { shape, geometry, media },
            caller,
        };
        Ok((naming, question))
    }
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
        naming: &Naming,
        question: &Question,
        wish: &MapWish,
    ) -> Result<Response<Body>, Fault> {
        let (paging, asked, caller) = (question.paging, &question.asked, &question.caller);
        // Clause 5.7.2.4.
        if !question.order.by.is_empty()
            && self.engine.is_distributed(caller, &question.filter).await?
        {
            return Err(Fault::bad_data(
                "an order needs local=true where context sources are registered for what is asked for",
            ));
        }
        let query = EntityQuery {
            filter: question.filter.clone(),
            order: question.order.clone(),
            page: PageRequest { limit: paging.limit, start: PageStart::Offset(paging.offset) },
            count: paging.count,
        };
        if !wish.is_none() {
            return self.answer_mapped(ask, naming, question, &query, wish).await;
        }
        let (page, linked) = if asked.shape.join().is_some() {
            let snapshot = self.snapshot(ask).await?;
            let page = self.engine.query_in(caller, &snapshot, &query).await?;
            let linked =
                self.linked(&caller.beside(), &snapshot, &page.entities, &asked.shape).await?;
            (page, linked)
        } else {
            (self.engine.query(caller, &query).await?, Vec::new())
        };
        let in_body = context_in_body(ask, asked.media);
        let written = self.written(naming, asked, &page.entities, &linked, in_body, true)?;
        let mut response = self.answer_written(ask, asked.media, naming, written, page.revision);
        paging.tell(ask, asked.media, page.count, page.has_more, &mut response);
        warned(Ok(response), page.contributions.as_deref(), &ask.caller)
    }

    /// The same from the entities of a map alone (clause 5.5.9.3).
    async fn answer_mapped(
        &self,
        ask: &Ask<'_>,
        naming: &Naming,
        question: &Question,
        query: &EntityQuery,
        wish: &MapWish,
    ) -> Result<Response<Body>, Fault> {
        let asked = &question.asked;
        let used = if let Some(used) = self.given_map(ask, wish) {
            used
        } else {
            let entities =
                self.engine.ids_of(&wish.caller(&question.caller), &query.filter).await?;
            self.make_map(ask, wish, query.filter.clone(), entities, false).await?
        };
        let MappedPage { page, gone } =
            self.engine.query_mapped(&question.caller, &used.map, query).await?;
        self.note_linked(ask, &used, page.contributions.as_deref());
        if !gone.is_empty() && used.map.question == query.filter {
            self.engine.change_entity_map(&ask.caller, &used.map.id, |map| {
                map.entities.retain(|entity| !gone.contains(&entity.id));
            });
        }
        let linked = if asked.shape.join().is_some() {
            let snapshot = self.snapshot(ask).await?;
            let caller = question.caller.beside();
            self.linked(&caller, &snapshot, &page.entities, &asked.shape).await?
        } else {
            Vec::new()
        };
        let in_body = context_in_body(ask, asked.media);
        let written = self.written(naming, asked, &page.entities, &linked, in_body, true)?;
        // What the map says is no function of the revision, so that there is no tag.
        let mut response = answer(ask, asked.media, naming, written.body, page.revision);
        tell_map(ask, &used, &mut response);
        if written.is_altered {
            *response.status_mut() = StatusCode::NON_AUTHORITATIVE_INFORMATION;
        }
        question.paging.tell(ask, asked.media, page.count, page.has_more, &mut response);
        warned(Ok(response), page.contributions.as_deref(), &ask.caller)
    }

    /// Writes entities and those that they lead to: as a list, or the one there is by itself.
    pub(crate) fn written(
        &self,
        naming: &Naming,
        asked: &Asked,
        entities: &[Record],
        linked: &[Shaped],
        in_body: bool,
        is_list: bool,
    ) -> Result<Written, Fault> {
        let write = |asked: &Asked| match (is_list, entities) {
            (false, [one]) => self.write_one(naming, asked, one, in_body),
            _ => self.write_page(naming, asked, entities, linked, in_body),
        };
        let body = write(asked);
        if let Some(join) = asked.shape.join().filter(|join| join.is_too_much()) {
            return Err(too_many(join.most));
        }
        let newest = asked.shape.newest().map(|shape| Asked {
            shape,
            geometry: asked.geometry.clone(),
            media: asked.media,
        });
        let is_altered = newest.is_some_and(|newest| write(&newest) != body);
        Ok(Written { body, is_altered })
    }

    /// Answers with what was written: 203 where it was altered (clause 6.5.3.1).
    pub(crate) fn answer_written(
        &self,
        ask: &Ask<'_>,
        media: Media,
        naming: &Naming,
        written: Written,
        revision: Revision,
    ) -> Response<Body> {
        let mut response = self.answer_tagged(ask, media, naming, written.body, revision);
        if written.is_altered && response.status() == StatusCode::OK {
            *response.status_mut() = StatusCode::NON_AUTHORITATIVE_INFORMATION;
        }
        response
    }

    fn geometry_id(&self, asked: &Asked) -> NameId {
        let id = |name: &Iri| self.engine.names().id_or_unknown(name.as_str());
        asked.geometry.as_ref().map_or(NameId::UNKNOWN, id)
    }

    fn write_one(&self, naming: &Naming, asked: &Asked, record: &Record, in_body: bool) -> Vec<u8> {
        let geometry = self.geometry_id(asked);
        let capacity = record.as_bytes().len() * 2 + 256;
        naming.write(self.engine.names(), capacity, |out, table| {
            if let Some(join) = asked.shape.join() {
                join.begin();
            }
            let outermost = asked.shape.outermost(record);
            let shape = outermost.as_ref().unwrap_or(&asked.shape);
            let mut writer = EntityWriter::new(out, table, naming.context(), shape);
            match asked.media {
                Media::GeoJson => writer.feature(record.view(), geometry, in_body),
                Media::Json | Media::JsonLd => {
                    writer.entity(record.view(), in_body);
                }
            }
        })
    }

    /// Writes entities as an array or a feature collection.
    fn write_page(
        &self,
        naming: &Naming,
        asked: &Asked,
        entities: &[Record],
        linked: &[Shaped],
        in_body: bool,
    ) -> Vec<u8> {
        let geometry = self.geometry_id(asked);
        let context_bytes = if in_body { naming.context().member().len() } else { 0 };
        let bytes: usize = entities.iter().map(|record| record.as_bytes().len() * 2).sum();
        let capacity = 128 + bytes + entities.len() * (64 + context_bytes);
        let is_collection = asked.media == Media::GeoJson;
        naming.write(self.engine.names(), capacity, |out, table| {
            if is_collection {
                out.extend_from_slice(b"{\"type\":\"FeatureCollection\",\"features\":");
            }
            out.push(b'[');
            if let Some(join) = asked.shape.join() {
                join.begin();
            }
            for record in entities {
                let outermost = asked.shape.outermost(record);
                let shape = outermost.as_ref().unwrap_or(&asked.shape);
                let mut writer = EntityWriter::new(out, table, naming.context(), shape);
                writer.listed(record, is_collection.then_some(geometry), in_body);
            }
            for (record, shape) in linked {
                let mut writer = EntityWriter::new(out, table, naming.context(), shape);
                writer.listed(record, is_collection.then_some(geometry), in_body);
            }
            let mut writer = EntityWriter::new(out, table, naming.context(), &asked.shape);
            writer.close(b']');
            if is_collection {
                writer.out.push(b',');
                if in_body {
                    writer.context_member();
                }
                writer.close(b'}');
            }
        })
    }
}

impl Paging {
    /// Says in the headers how many there are in all, and where the pages beside this one are
    /// (clauses 6.3.10 and 6.3.13).
    pub(crate) fn tell(
        self,
        ask: &Ask<'_>,
        media: Media,
        count: Option<usize>,
        has_more: bool,
        response: &mut Response<Body>,
    ) {
        let headers = response.headers_mut();
        if let Some(count) = count {
            headers.insert(RESULTS_COUNT, HeaderValue::from(count));
        }
        if self.limit == 0 || !(has_more || self.offset > 0) {
            return;
        }
        let path =
            [BaseUrl::of(ask.parts).path(), ask.parts.uri.path().trim_end_matches('/')].concat();
        let links = PageLinks {
            path: &path,
            query: ask.parts.uri.query(),
            limit: self.limit,
            media_type: media.as_str(),
        };
        if has_more {
            let next = links.to_offset(self.offset + self.limit, "next");
            headers.extend(next.map(|link| (LINK, link)));
        }
        if self.offset > 0 {
            let before = links.to_offset(self.offset.saturating_sub(self.limit), "prev");
            headers.extend(before.map(|link| (LINK, link)));
        }
    }

    /// The same where it is known how many there are in all.
    pub(crate) fn tell_of(
        self,
        ask: &Ask<'_>,
        media: Media,
        total: usize,
        response: &mut Response<Body>,
    ) {
        let has_more = self.offset.saturating_add(self.limit) < total;
        self.tell(ask, media, self.count.then_some(total), has_more, response);
    }
}

impl EntityWriter<'_, '_> {
    /// Writes an entity of a list with a comma behind it, as a feature where there is a geometry.
    #[inline]
    pub(crate) fn listed(&mut self, record: &Record, geometry: Option<NameId>, in_body: bool) {
        match geometry {
            Some(geometry) => self.feature(record.view(), geometry, false),
            None if !self.entity(record.view(), in_body) => return,
            None => {}
        }
        self.out.push(b',');
    }
}
