//! Entity maps (clauses 5.14 and 6.32 to 6.35), and what questions have to do with them.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use cardo_engine::{
    AskedMaps, Caller, Contribution, Duration, EntityMap, Forwarding, Mapped, Reach,
};
use cardo_http::{BaseUrl, Params};
use cardo_model::{Iri, Revision, Timestamp};
use cardo_query::Filter;
use serde_json::{Map, Value, json};

use super::discovery::add_context;
use super::query::{PARAMS, Question};
use crate::face::{BASE, Face};
use crate::fault::Fault;
use crate::parse::{Document, string};
use crate::represent::Naming;
use crate::request::{Ask, JSON_TYPES, Media, flag};
use crate::respond::{answer, context_in_body, empty, encode};

type Answer = Result<Response<Body>, Fault>;

/// The header with the address of the entity map that was used, or is to be (table 6.4.3.2-2).
pub(crate) const ENTITY_MAP: HeaderName = HeaderName::from_static("ngsild-entitymap");

/// An entity map lasts so long where nobody says how long.
const USUAL_MICROS: i64 = 3_600 * 1_000_000;

/// What a request says about entity maps.
#[derive(Debug, Default)]
pub(crate) struct MapWish {
    is_wanted: bool,
    lifetime: Option<Duration>,
    /// The same as it was said.
    said: Option<Box<str>>,
    given: Option<Iri>,
}

/// The entity map that an answer is made by.
pub(crate) struct UsedMap {
    pub(crate) map: Arc<EntityMap>,
    /// Whether it was made for this answer.
    pub(crate) is_new: bool,
}

impl MapWish {
    /// The parameters that say it.
    pub(crate) const PARAMS: [&str; 2] = ["entityMap", "entityMapLifetime"];

    /// What the query string and the headers say.
    pub(crate) fn of(ask: &Ask<'_>, params: &Params<'_>) -> Result<Self, Fault> {
        let is_wanted = flag(params, "entityMap")?.unwrap_or(false);
        Self::read(ask, is_wanted, params.get("entityMapLifetime"))
    }

    /// The same of a body.
    pub(crate) fn read(
        ask: &Ask<'_>,
        is_wanted: bool,
        lifetime: Option<&str>,
    ) -> Result<Self, Fault> {
        let said = lifetime.map(Box::from);
        let lifetime = lifetime.map(Duration::parse).transpose();
        let lifetime =
            lifetime.map_err(|error| Fault::bad_data(format!("entityMapLifetime: {error}")))?;
        // Whatever stands there and is none is like one that cannot be found.
        let header = ask.parts.headers.get(ENTITY_MAP);
        let given = header.map(|value| {
            let last = value.to_str().unwrap_or("").rsplit('/').next().unwrap_or("");
            let id = cardo_http::path_decode(last).unwrap_or_default();
            Iri::new(id.into_owned()).unwrap_or_else(|_| new_id())
        });
        Ok(Self { is_wanted, lifetime, said, given })
    }

    /// What sources are told of it: about a map that there is, or one that is to be made.
    pub(crate) fn for_sources(&self, used: Option<&UsedMap>) -> AskedMaps {
        let linked = used.map(|used| used.map.linked.clone()).unwrap_or_default();
        AskedMaps { are_wanted: !self.is_none(), lifetime: self.said.clone(), linked }
    }

    /// The caller, who tells sources of it.
    pub(crate) fn caller(&self, caller: &Caller) -> Caller {
        let Some(forwarding) = caller.reach.forwarding() else { return caller.clone() };
        let mut forwarding = Forwarding::clone(forwarding);
        forwarding.asked.maps = self.for_sources(None);
        Caller { reach: Reach::Sources(Arc::new(forwarding)), ..caller.clone() }
    }

    /// Whether entity maps have nothing to do with the request.
    pub(crate) fn is_none(&self) -> bool {
        !self.is_wanted && self.given.is_none()
    }
}

fn new_id() -> Iri {
    Iri::new(format!("urn:ngsi-ld:EntityMap:{}", uuid::Uuid::new_v4())).expect("a URN is an IRI")
}

impl Face {
    /// The entity map that a request names, where there still is one (clause 5.5.14).
    pub(crate) fn given_map(&self, ask: &Ask<'_>, wish: &MapWish) -> Option<UsedMap> {
        let map = self.engine.entity_map(&ask.caller, wish.given.as_ref()?)?;
        Some(UsedMap { map, is_new: false })
    }

    /// Makes an entity map; entities that this server has no part of have no source yet.
    pub(crate) async fn make_map(
        &self,
        ask: &Ask<'_>,
        wish: &MapWish,
        question: Filter,
        entities: Mapped,
        is_history: bool,
    ) -> Result<UsedMap, Fault> {
        let now = self.engine.now();
        let end = match wish.lifetime {
            Some(lifetime) => lifetime.after(now),
            None => now.plus_micros(USUAL_MICROS),
        };
        let Mapped { ids, contributions } = entities;
        let mut map = EntityMap::new(new_id(), self.engine.entity_map_end(end), question, ids);
        if let Some(contributions) = contributions {
            map.note_sources(&contributions);
            let snapshot = self.snapshot(ask).await?;
            for entity in &mut map.entities {
                // Of the past alone the twin says nothing here that the sources do not.
                entity.is_local = snapshot.retrieve(entity.id.as_str()).is_some()
                    || (is_history && entity.registrations.is_empty());
            }
        }
        Ok(UsedMap { map: self.engine.keep_entity_map(&ask.caller, map), is_new: true })
    }
}

impl Face {
    /// Notes which maps sources have used (clauses 5.7.1.4 and 5.7.3.4).
    pub(crate) fn note_linked(
        &self,
        ask: &Ask<'_>,
        used: &UsedMap,
        contributions: Option<&[Contribution]>,
    ) {
        let Some(contributions) = contributions else { return };
        if EntityMap::clone(&used.map).link(contributions) {
            self.engine.change_entity_map(&ask.caller, &used.map.id, |map| {
                map.link(contributions);
            });
        }
    }
}

/// Says in an answer which entity map it was made by.
pub(crate) fn tell_map(ask: &Ask<'_>, used: &UsedMap, response: &mut Response<Body>) {
    if used.is_new && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::CREATED;
    }
    name_map(ask, &used.map.id, response);
}

/// Puts the address of an entity map into an answer.
pub(crate) fn name_map(ask: &Ask<'_>, id: &Iri, response: &mut Response<Body>) {
    let address = BaseUrl::of(ask.parts).to(&format!("{BASE}/entityMaps/{}", encode(id.as_str())));
    if let Ok(address) = HeaderValue::try_from(address) {
        response.headers_mut().insert(ENTITY_MAP, address);
    }
}

/// Create entity map for query entities, by GET (clauses 5.14.4 and 6.34.3.1).
pub(crate) async fn create(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&PARAMS, &[])?;
    let media = ask.media(&JSON_TYPES)?;
    let wish = MapWish::of(ask, &params)?;
    let (naming, question) = face.read_question(ask, &params, media).await?;
    face.answer_map(ask, media, &naming, &wish, &question).await
}

/// The same by POST (clause 6.34.3.2).
pub(crate) async fn create_by_post(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    let media = ask.media(&JSON_TYPES)?;
    let (naming, question, wish) = face.read_posted(ask, body, media).await?;
    face.answer_map(ask, media, &naming, &wish, &question).await
}

impl Face {
    async fn answer_map(
        &self,
        ask: &Ask<'_>,
        media: Media,
        naming: &Naming,
        wish: &MapWish,
        question: &Question,
    ) -> Answer {
        let revision = self.snapshot(ask).await?.revision();
        let entities = self.engine.ids_of(&wish.caller(&question.caller), &question.filter).await?;
        let used = self.make_map(ask, wish, question.filter.clone(), entities, false).await?;
        Ok(show_map(ask, media, naming, &used, revision))
    }
}

/// Answers with an entity map.
pub(crate) fn show_map(
    ask: &Ask<'_>,
    media: Media,
    naming: &Naming,
    used: &UsedMap,
    revision: Revision,
) -> Response<Body> {
    let mut body = document(&used.map);
    if context_in_body(ask, media) {
        add_context(&mut body, naming);
    }
    let mut response = answer(ask, media, naming, body.to_string().into_bytes(), revision);
    if used.is_new {
        tell_map(ask, used, &mut response);
    }
    response
}

/// An entity map as clause 5.2.39 has it.
fn document(map: &EntityMap) -> Value {
    let mut entities = Map::with_capacity(map.entities.len());
    for entity in &map.entities {
        let local = entity.is_local.then_some("@none");
        let others = entity.registrations.iter().map(AsRef::as_ref);
        let sources: Vec<Value> = local.into_iter().chain(others).map(Value::from).collect();
        entities.insert(entity.id.as_str().to_owned(), sources.into());
    }
    let linked: Map<String, Value> =
        map.linked.iter().map(|(source, id)| (source.to_string(), json!(id))).collect();
    json!({
        "id": map.id.as_str(),
        "type": "EntityMap",
        "expiresAt": map.expires_at.to_string(),
        "entityMap": entities,
        "linkedMaps": linked,
    })
}

fn unknown(id: &Iri) -> Fault {
    Fault::not_found(format!("entity map {id} not found"))
}

/// Retrieve entity map (clause 5.14.1).
pub(crate) async fn retrieve(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    ask.params(&[], &[])?;
    let media = ask.media(&JSON_TYPES)?;
    let id = ask.id(1)?;
    let naming = face.link_naming(ask).await?;
    let revision = face.snapshot(ask).await?.revision();
    let map = face.engine.entity_map(&ask.caller, &id).ok_or_else(|| unknown(&id))?;
    Ok(show_map(ask, media, &naming, &UsedMap { map, is_new: false }, revision))
}

/// Update entity map (clause 5.14.2): only when it ends can be changed (clause 5.5.14).
pub(crate) async fn update(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&[], &[])?;
    let id = ask.id(1)?;
    let payload = face.payload(ask, body).await?;
    let document = Document::from_body(&payload.bytes)?;
    face.document_naming(&payload, document.context()?).await?;
    let end = new_end(&document, &id)?;
    let revision = face.snapshot(ask).await?.revision();
    let is_known = face.engine.change_entity_map(&ask.caller, &id, |map| {
        if let Some(end) = end {
            map.expires_at = face.engine.entity_map_end(end);
        }
    });
    if !is_known {
        return Err(unknown(&id));
    }
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

/// Reads a fragment of an entity map; output only members are passed over.
fn new_end(document: &Document<'_>, id: &Iri) -> Result<Option<Timestamp>, Fault> {
    let mut end = None;
    for (name, raw) in document.members().iter() {
        let text = |what| string(raw, what).map_err(|error| Fault::from(error.within(name)));
        match name {
            "@context" | "entityMap" | "linkedMaps" => {}
            "id" | "@id" if *text("the id of the entity map")? == *id.as_str() => {}
            "id" | "@id" => return Err(Fault::bad_data("the id of an entity map stays")),
            "type" | "@type" if text("the type EntityMap")? == "EntityMap" => {}
            "type" | "@type" => return Err(Fault::bad_data("the type is EntityMap")),
            "expiresAt" => {
                let given = text("a DateTime")?;
                let moment = Timestamp::parse(&given)
                    .map_err(|error| Fault::bad_data(format!("expiresAt: {error}")))?;
                end = Some(moment);
            }
            _ => return Err(Fault::bad_data(format!("{name:?} is no member of an entity map"))),
        }
    }
    Ok(end)
}

/// Delete entity map (clause 5.14.3).
pub(crate) async fn delete(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    ask.params(&[], &[])?;
    let id = ask.id(1)?;
    let revision = face.snapshot(ask).await?.revision();
    if !face.engine.forget_entity_map(&ask.caller, &id) {
        return Err(unknown(&id));
    }
    Ok(empty(StatusCode::NO_CONTENT, revision))
}
