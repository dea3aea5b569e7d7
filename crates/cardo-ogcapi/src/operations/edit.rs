//! Features are created, replaced, changed and deleted (OGC 20-002), by the same operations of the
//! engine as every other write: an answer is sent when the change is durable and visible.

use axum::body::Body;
use axum::http::header::{ALLOW, ETAG, HeaderName, LAST_MODIFIED, LOCATION};
use axum::http::{HeaderValue, Response, StatusCode};
use cardo_engine::{Batch, Operation, Outcome, Table, Unchanged, WriteError};
use cardo_http::{Access, REVISION, Rights, revision_header};
use cardo_model::{Entity, EntityId, Fragment, Iri, Kind, Record, Revision, Timestamp};

use super::features::find;
use crate::documents::{GEOJSON, encode_segment};
use crate::face::{Face, collection_of};
use crate::fault::Fault;
use crate::receive::{
    ACCEPT_PATCH, ACCEPT_POST, Conditions, Draft, Sent, Shape, State, given_id, last_modified,
};
use crate::request::Ask;

/// How often a change is judged anew because others change the same entity.
const TRIES: usize = 8;

/// Adds a feature (clause 6.2).
pub(crate) async fn create(
    face: &Face,
    ask: &Ask<'_>,
    body: Body,
) -> Result<Response<Body>, Fault> {
    ask.query.only(&[])?;
    let tables = face.tables(ask).await?;
    let table = writable(face, ask, collection_of(&tables, ask)?)?;
    let sent = Sent::feature(face, ask.parts, body).await?;
    let id = given_id(table, &sent)?;
    created(face, ask, table, &id, &sent).await
}

/// Puts a feature in the place of the one that is there (clause 6.3), or where none is.
pub(crate) async fn replace(
    face: &Face,
    ask: &Ask<'_>,
    body: Body,
) -> Result<Response<Body>, Fault> {
    ask.query.only(&[])?;
    let sent = Sent::feature(face, ask.parts, body).await?;
    change(face, ask, &sent, How::Replace).await
}

/// Changes a part of a feature (clause 7).
pub(crate) async fn update(
    face: &Face,
    ask: &Ask<'_>,
    body: Body,
) -> Result<Response<Body>, Fault> {
    ask.query.only(&[])?;
    let sent = Sent::patch(face, ask.parts, body).await?;
    change(face, ask, &sent, How::Patch).await
}

/// Removes a feature (clause 6.4), which is the whole entity with all its types.
pub(crate) async fn delete(face: &Face, ask: &Ask<'_>, _: Body) -> Result<Response<Body>, Fault> {
    ask.query.only(&[])?;
    let conditions = Conditions::of(ask.parts)?;
    let tables = face.tables(ask).await?;
    let table = writable(face, ask, collection_of(&tables, ask)?)?;
    let id = ask.behind(2)?;
    for _ in 0..TRIES {
        let (_, record) = find(face, ask, table, &id).await?;
        let state = record.as_ref().map(|record| State::of(face, ask, record));
        conditions.check(state.as_ref())?;
        let Some(record) = record else { return Err(missing(&id, table)) };
        let judged = conditions.is_locking().then_some(&record);
        if let Some(outcome) = apply(face, ask, Operation::Delete(record.id()), judged).await? {
            return Ok(done(StatusCode::NO_CONTENT, outcome.revision));
        }
    }
    Err(restless(&id))
}

/// What can be done with the features of a collection, or with one, by who asks now (clause 6.5).
pub(crate) async fn options(face: &Face, ask: &Ask<'_>, _: Body) -> Result<Response<Body>, Fault> {
    let tables = face.tables(ask).await?;
    let table = collection_of(&tables, ask)?;
    let headers = &ask.parts.headers;
    let access = Access { headers, twin: &ask.caller.twin, rights: Rights::Write };
    let may_write = ask.caller.twin.moment().is_none()
        && face.layer_of(ask, table).is_none()
        && face.options.authorize.authorize(&access).is_ok();
    let id = ask.behind(2)?;
    let (allowed, accepted): (_, &[(&str, &str)]) = match (id.is_empty(), may_write) {
        (_, false) => ("GET, HEAD, OPTIONS", &[]),
        (true, true) => (ITEMS_METHODS, &[("accept-post", ACCEPT_POST)]),
        (false, true) if find(face, ask, table, &id).await?.1.is_none() => ("OPTIONS, PUT", &[]),
        (false, true) => (ITEM_METHODS, &[("accept-patch", ACCEPT_PATCH)]),
    };
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    for (name, value) in accepted {
        let name = HeaderName::from_static(name);
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// The methods of the features of a collection, and of a feature.
pub(crate) const ITEMS_METHODS: &str = "GET, HEAD, OPTIONS, POST";
pub(crate) const ITEM_METHODS: &str = "GET, HEAD, OPTIONS, PUT, PATCH, DELETE";

/// How a feature is changed: it becomes the one that was sent, or a part of it does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Replace,
    Patch,
}

/// Changes a feature by what of it differs from what was sent.
async fn change(
    face: &Face,
    ask: &Ask<'_>,
    sent: &Sent,
    how: How,
) -> Result<Response<Body>, Fault> {
    let conditions = Conditions::of(ask.parts)?;
    let id = ask.behind(2)?;
    for _ in 0..TRIES {
        let tables = face.tables(ask).await?;
        let table = writable(face, ask, collection_of(&tables, ask)?)?;
        let (snapshot, record) = find(face, ask, table, &id).await?;
        let state = record.as_ref().map(|record| State::of(face, ask, record));
        conditions.check(state.as_ref())?;
        let Some(record) = record else {
            if how == How::Patch {
                return Err(missing(&id, table));
            }
            let id = EntityId::new(id.as_ref()).map_err(|error| {
                Fault::unprocessable(format!("{id:?} cannot be the id of a feature: {error}"))
            })?;
            return created(face, ask, table, &id, sent).await;
        };
        let shape = Shape::of(table, face.engine.terms(), &id, (Some(&record), &sent.system));
        let changes = match how {
            How::Replace => shape.replaced(sent)?,
            How::Patch => shape.patched(sent)?,
        };
        let root = ask.root();
        let mut draft =
            Draft::new(face.engine.names(), table, &root, (Some(&record), &sent.system));
        draft.apply(&changes, &|name| usual_kind(&snapshot, table, name))?;
        let attributes = draft.into_fragments();
        let view = record.view();
        if attributes.is_empty() {
            let same = Written { id: view.id(), revision: view.revision(), at: view.modified_at() };
            return changed(face, ask, &same, snapshot.revision()).await;
        }
        let at = Timestamp::now();
        let fragment = Fragment { attributes, ..Fragment::default() };
        let update = Operation::Update { id: record.id(), fragment };
        if let Some(outcome) = apply(face, ask, update, Some(&record)).await? {
            let now = Written { id: view.id(), revision: outcome.revision, at };
            return changed(face, ask, &now, outcome.revision).await;
        }
    }
    Err(restless(&id))
}

/// Refuses to write what is read from a file.
fn writable<'t>(face: &Face, ask: &Ask<'_>, table: &'t Table) -> Result<&'t Table, Fault> {
    match face.layer_of(ask, table) {
        Some(_) => Err(Fault::wrong_method(&ask.parts.method, "GET, HEAD, OPTIONS")),
        None => Ok(table),
    }
}

async fn created(
    face: &Face,
    ask: &Ask<'_>,
    table: &Table,
    id: &EntityId,
    sent: &Sent,
) -> Result<Response<Body>, Fault> {
    let shape = Shape::of(table, face.engine.terms(), id.as_str(), (None, &sent.system));
    let changes = shape.replaced(sent)?;
    let snapshot = face.snapshot(ask).await?;
    let root = ask.root();
    let mut draft = Draft::new(face.engine.names(), table, &root, (None, &sent.system));
    draft.apply(&changes, &|name| usual_kind(&snapshot, table, name))?;
    let mut entity = Entity::new(id.clone(), table.type_name.clone());
    entity.attributes = draft.into_attributes();
    let at = Timestamp::now();
    let outcome = apply(face, ask, Operation::Create(entity), None).await?;
    let revision = outcome.map_or(snapshot.revision(), |outcome| outcome.revision);
    let mut response = done(StatusCode::CREATED, revision);
    let path = format!("/collections/{}/items/{}", table.name, encode_segment(id.as_str()));
    if let Ok(url) = HeaderValue::try_from(ask.url(&path)) {
        response.headers_mut().insert(LOCATION, url);
    }
    stamp(face, ask, &Written { id: id.as_str(), revision, at }, &mut response).await?;
    Ok(response)
}

/// The kind that an attribute has in every entity of a table, where it is one.
fn usual_kind(snapshot: &cardo_engine::Snapshot, table: &Table, name: &Iri) -> Option<Kind> {
    let info = snapshot.type_info(table.type_name.as_str())?;
    let attribute = info.attributes.into_iter().find(|attribute| attribute.name == *name)?;
    <[Kind; 1]>::try_from(attribute.kinds).ok().map(|[kind]| kind)
}

/// Applies an operation; nothing, where the entity is not as it was judged any more.
async fn apply(
    face: &Face,
    ask: &Ask<'_>,
    operation: Operation,
    judged: Option<&Record>,
) -> Result<Option<Outcome>, Fault> {
    // What context sources have is not the twin's to lock.
    let judged = judged.filter(|_| !ask.caller.reach.is_far());
    let if_unchanged =
        judged.map(|record| Unchanged { id: record.id(), since: record.view().revision() });
    let batch = Batch { operations: vec![operation], if_unchanged, ..Batch::default() };
    let mut outcome = match face.engine.apply(&ask.caller, batch).await {
        Err(WriteError::EntityConflict(_)) => return Ok(None),
        outcome => outcome?,
    };
    match outcome.results.pop() {
        Some(Err(error)) => Err(error.into()),
        _ => Ok(Some(outcome)),
    }
}

fn done(status: StatusCode, revision: Revision) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(REVISION, revision_header(revision));
    response
}

/// The feature as a change has left it.
struct Written<'a> {
    id: &'a str,
    revision: Revision,
    /// A time that is not behind that of the change.
    at: Timestamp,
}

async fn changed(
    face: &Face,
    ask: &Ask<'_>,
    written: &Written<'_>,
    revision: Revision,
) -> Result<Response<Body>, Fault> {
    let mut response = done(StatusCode::NO_CONTENT, revision);
    stamp(face, ask, written, &mut response).await?;
    Ok(response)
}

/// The tag that the feature has as GeoJSON from now on, and when it was changed
/// (/req/optimistic-locking-etags/put-etag-response, /req/optimistic-locking-timestamps/put-last-modified-response).
async fn stamp(
    face: &Face,
    ask: &Ask<'_>,
    written: &Written<'_>,
    response: &mut Response<Body>,
) -> Result<(), Fault> {
    if ask.caller.reach.is_far() {
        return Ok(());
    }
    let Written { id, revision, at } = *written;
    let shape = face.with_layers(ask, face.engine.tables(&ask.caller).await?).version();
    let tag = face.feature_tag(ask, (id, revision), (GEOJSON, None, Some(shape)));
    response.headers_mut().insert(ETAG, tag);
    // What others have changed since is not what this client knows.
    let record = face.snapshot(ask).await?.retrieve(id);
    let own = record.filter(|record| record.view().revision() == revision);
    if let Some(time) = last_modified(own.map_or(at, |record| record.view().modified_at())) {
        response.headers_mut().insert(LAST_MODIFIED, time);
    }
    Ok(())
}

fn missing(id: &str, table: &Table) -> Fault {
    Fault::not_found(format!("there is no feature {id:?} in the collection {:?}", table.name))
}

fn restless(id: &str) -> Fault {
    Fault::conflict(format!("the feature {id:?} was changed by others all the while; try again"))
}
