use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use cardo_engine::{
    AskedBy, AskedMaps, AskedSources, Batch, Contributions, Done, Mapped, Operation, Snapshot,
};
use cardo_http::Params;
use cardo_model::{EntityId, Iri, NameId, Record, Revision};
use cardo_query::Filter;

use super::distributed::Applied;
use super::entity_maps::{MapWish, UsedMap, name_map};
use super::query::Asked;
use super::{ShapeText, selects};
use crate::face::Face;
use crate::fault::Fault;
use crate::federation::{datasets_of, warned};
use crate::parse::{Document, EntityReader, Reading};
use crate::represent::{EntityWriter, Format, JoinStyle, Naming};
use crate::request::{Ask, ENTITY_TYPES, Media, flag};
use crate::respond::{context_in_body, created, located};

type Answer = Result<Response<Body>, Fault>;

const RETRIEVE: [&str; 15] = [
    "attrs",
    "pick",
    "omit",
    "options",
    "format",
    "type",
    "datasetId",
    "geometryProperty",
    "local",
    "lang",
    "join",
    "joinLevel",
    "containedBy",
    "entityMap",
    "entityMapLifetime",
];

/// `format` and `options` (clauses 6.3.7 and 6.3.11).
pub(crate) fn format_of(params: &Params<'_>) -> Result<(Format, bool), Fault> {
    let mut format = Format::default();
    let mut sys_attrs = false;
    for option in params.get("options").unwrap_or("").split(',').map(str::trim) {
        match option {
            "" => {}
            "sysAttrs" => sys_attrs = true,
            other => {
                format = other.parse().map_err(|()| {
                    Fault::invalid(format!("{other:?} is not an option of this operation"))
                })?;
            }
        }
    }
    if let Some(name) = params.get("format") {
        format = name
            .parse()
            .map_err(|()| Fault::invalid(format!("{name:?} is not a format of this operation")))?;
    }
    Ok((format, sys_attrs))
}

/// The GeoProperty that becomes the geometry of features (clause 6.3.15); none where no features
/// are asked for.
pub(crate) fn geometry_property(
    params: &Params<'_>,
    media: Media,
    naming: &Naming,
) -> Result<Option<Iri>, Fault> {
    let name = params.get("geometryProperty");
    if name.is_some() && media != Media::GeoJson {
        return Err(Fault::bad_data("geometryProperty needs Accept: application/geo+json"));
    }
    if media != Media::GeoJson {
        return Ok(None);
    }
    let name = super::ContextNames(naming.context()).name(name.unwrap_or("location"))?;
    Ok(Some(name))
}

/// Retrieve entity (clause 5.7.1).
pub(crate) async fn retrieve(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&RETRIEVE, &[])?;
    let media = ask.media(&ENTITY_TYPES)?;
    let wish = MapWish::of(ask, &params)?;
    let given = face.given_map(ask, &wish);
    let maps = wish.for_sources(given.as_ref());
    let (mut response, contributions) =
        face.retrieve_one(ask, &params, media, (given.as_ref(), maps)).await?;
    if !wish.is_none() {
        let used = if let Some(used) = given {
            face.note_linked(ask, &used, contributions.as_deref());
            used
        } else {
            let id = ask.id(1)?;
            let mapped = Mapped { ids: vec![id.clone()], contributions };
            face.make_map(ask, &wish, Filter::Ids(vec![id]), mapped, false).await?
        };
        // Table 6.5.3.1-3: retrieving has no 201.
        name_map(ask, &used.map.id, &mut response);
    }
    Ok(response)
}

impl Face {
    async fn retrieve_one(
        &self,
        ask: &Ask<'_>,
        params: &Params<'_>,
        media: Media,
        (map, maps): (Option<&UsedMap>, AskedMaps),
    ) -> Result<(Response<Body>, Option<Contributions>), Fault> {
        let naming = self.link_naming(ask).await?;
        let geometry = geometry_property(params, media, &naming)?;
        flag(params, "local")?;
        let text = ShapeText::of(params);
        text.learn(self, ask, &naming).await?;
        let (shape, attrs) = text.shape(self, ask, &naming, format_of(params)?)?;
        let id = ask.segment(1)?;
        let mut snapshot = self.snapshot(ask).await?;
        if ask.caller.reach.is_far() {
            let asked = AskedSources {
                by: AskedBy::Id,
                attributes: attrs.clone().unwrap_or_default(),
                datasets: datasets_of(params.get("datasetId")),
                maps,
                only: map.map(|used| used.map.registrations_of(&id)),
                ..AskedSources::default()
            };
            snapshot = self.completed(ask, &naming, asked, snapshot, &id).await?;
        }
        let asked = Asked { shape, geometry, media };
        let wanted = Wanted { id: &id, types: params.get("type"), attrs: attrs.as_deref() };
        let answer = self.answer_retrieve(ask, &naming, asked, &wanted, &snapshot).await;
        let contributions = snapshot.contributions().cloned();
        let response = warned(answer, contributions.as_deref(), &ask.caller)?;
        Ok((response, contributions))
    }
}

/// Which entity is wanted, and what it has to be and to have.
struct Wanted<'a> {
    id: &'a str,
    types: Option<&'a str>,
    attrs: Option<&'a [Iri]>,
}

impl Face {
    async fn answer_retrieve(
        &self,
        ask: &Ask<'_>,
        naming: &Naming,
        asked: Asked,
        wanted: &Wanted<'_>,
        snapshot: &Snapshot,
    ) -> Answer {
        let (id, names) = (wanted.id, self.engine.names());
        let Some(record) = snapshot.look_up(id)? else { return Err(not_found(id)) };
        if !selects(wanted.types, &record, naming.context(), names)? {
            return Err(not_found(id));
        }
        let has =
            |name: &Iri| record.view().attribute(names.id_or_unknown(name.as_str())).is_some();
        if wanted.attrs.is_some_and(|attrs| !attrs.iter().any(has)) {
            return Err(Fault::not_found(format!(
                "entity {id} has none of the attributes asked for"
            )));
        }
        if asked.shape.special.is_some() {
            return self.retrieve_specially(ask, naming, &asked, record, snapshot).await;
        }
        let Asked { shape, geometry, media } = asked;
        let in_body = context_in_body(ask, media);
        let geometry = geometry.map_or(NameId::UNKNOWN, |name| names.id_or_unknown(name.as_str()));
        let capacity = record.as_bytes().len() * 2 + 256;
        let body = naming.write(names, capacity, |out, table| {
            let mut writer = EntityWriter::new(out, table, naming.context(), &shape);
            match media {
                Media::GeoJson => writer.feature(record.view(), geometry, in_body),
                Media::Json | Media::JsonLd => {
                    writer.entity(record.view(), in_body);
                }
            }
        });
        if body.is_empty() {
            return Err(nothing_of(id));
        }
        Ok(self.answer_tagged(ask, media, naming, body, snapshot.revision()))
    }
}

fn nothing_of(id: &str) -> Fault {
    Fault::not_found(format!("entity {id} has none of the members asked for"))
}

impl Face {
    /// The same with linked entities, in one language, or by an older version.
    async fn retrieve_specially(
        &self,
        ask: &Ask<'_>,
        naming: &Naming,
        asked: &Asked,
        record: Record,
        snapshot: &Snapshot,
    ) -> Answer {
        let roots = [record];
        let linked = self.linked(&ask.caller, snapshot, &roots, &asked.shape).await?;
        let is_flat = asked.shape.join().is_some_and(|join| join.style == JoinStyle::Flat);
        let in_body = context_in_body(ask, asked.media);
        let written = self.written(naming, asked, &roots, &linked, in_body, is_flat)?;
        if written.body.is_empty() || (is_flat && written.body == b"[]") {
            return Err(nothing_of(roots[0].view().id()));
        }
        Ok(self.answer_written(ask, asked.media, naming, written, snapshot.revision()))
    }
}

/// The answer where an entity is not there: of the id, if that is what is wrong.
pub(crate) fn not_found(id: &str) -> Fault {
    match EntityId::new(id.to_owned()) {
        Ok(_) => Fault::not_found(format!("entity {id} not found")),
        Err(error) => error.into(),
    }
}

/// Create entity (clause 5.6.1).
pub(crate) async fn create(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&["local"], &[])?;
    let payload = face.payload(ask, body).await?;
    if is_empty_array(&payload.bytes) {
        return Err(Fault::invalid("the body is an empty array"));
    }
    let document = Document::from_body(&payload.bytes)?;
    if document.members().len() == 0 {
        return Err(Fault::invalid("the body is an empty object"));
    }
    let naming = face.document_naming(&payload, document.context()?).await?;
    let reader = face.reader(&naming);
    let entity = reader.entity(&document, None, Reading::WHOLE)?;
    let id = entity.id.clone();
    Ok(match face.apply_far(ask, &naming, Operation::Create(entity)).await? {
        Applied::Whole(_, revision) => created(ask, "entities", id.as_str(), revision),
        Applied::Mixed(mixed) => located(ask, "entities", id.as_str(), mixed.batch_result()),
    })
}

fn is_empty_array(body: &[u8]) -> bool {
    let inside = body.trim_ascii().strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    inside.is_some_and(|inside| inside.trim_ascii().is_empty())
}

/// Replace entity (clause 5.6.18).
pub(crate) async fn replace(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    let params = ask.params(&["local", "type"], &[])?;
    let id = ask.id(1)?;
    let payload = face.payload(ask, body).await?;
    face.target(ask, &id, params.get("type")).await?;
    let document = Document::from_body(&payload.bytes)?;
    let naming = face.document_naming(&payload, document.context()?).await?;
    let entity = face.reader(&naming).entity(&document, Some(&id), Reading::WHOLE)?;
    Ok(face.apply_far(ask, &naming, Operation::Replace(entity)).await?.no_content())
}

/// Delete entity (clause 5.6.6).
pub(crate) async fn delete(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&["local", "type"], &[])?;
    let id = ask.id(1)?;
    face.target(ask, &id, params.get("type")).await?;
    let naming = face.naming_for_sources(ask).await?;
    Ok(face.apply_far(ask, &naming, Operation::Delete(id)).await?.no_content())
}

/// An operation on one entity whose path names none (clauses 5.6.17.4 and 5.6.18.4).
pub(crate) async fn without_id(_: &Arc<Face>, _: &Ask<'_>, _: Body) -> Answer {
    Err(Fault::bad_data("the path holds no id of an entity"))
}

impl Face {
    /// Reads documents under a context within the limits.
    pub(crate) fn reader<'a>(&self, naming: &'a Naming) -> EntityReader<'a> {
        EntityReader { context: naming.context(), max_attributes: self.options.limits.attributes }
    }

    /// Applies one operation, which succeeds or is the error.
    pub(crate) async fn apply_one(
        &self,
        ask: &Ask<'_>,
        operation: Operation,
    ) -> Result<(Done, Revision), Fault> {
        let batch = Batch { operations: vec![operation], ..Batch::default() };
        let mut outcome = self.engine.apply(&ask.caller, batch).await?;
        match outcome.results.pop() {
            Some(Err(error)) => Err(error.into()),
            Some(Ok(done)) => Ok((done, outcome.revision)),
            None => Err(Fault::invalid("there is nothing to do")),
        }
    }

    /// An entity that has to exist, of the selected types where types are selected. Also tells an
    /// unknown tenant, which only creations make (clause 5.5.10).
    pub(crate) async fn must_exist(
        &self,
        ask: &Ask<'_>,
        id: &EntityId,
        types: Option<&str>,
    ) -> Result<(Record, Snapshot), Fault> {
        let snapshot = self.snapshot(ask).await?;
        let record = snapshot.look_up(id.as_str())?.ok_or_else(|| not_found(id.as_str()))?;
        if types.is_some() {
            let naming = self.link_naming(ask).await?;
            if !selects(types, &record, naming.context(), self.engine.names())? {
                return Err(not_found(id.as_str()));
            }
        }
        Ok((record, snapshot))
    }
}
