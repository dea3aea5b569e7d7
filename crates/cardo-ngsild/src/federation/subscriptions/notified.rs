//! What the copies of a subscription notify is told to its subscriber (clause 5.8.6).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use cardo_engine::{
    AskedSources, Caller, EntityQuery, Forwarding, Order, PageRequest, PageStart, Reach, Snapshot,
    SourceEntity,
};
use cardo_http::{asked_twin, read_body};
use cardo_jsonld::Context;
use cardo_model::{
    Entity, EntityId, Instance, InstanceChange, Iri, Kind, NameId, Record, Timestamp, Value,
    decode_instance, encode_instance,
};
use cardo_query::Filter;
use serde_json::json;

use super::COPY_KIND;
use super::copies::Copy;
use crate::contexts::{Place, link_context};
use crate::face::Face;
use crate::fault::Fault;
use crate::notified::{Notice, Notified, Told};
use crate::operations::add_context;
use crate::outbox::{Owner, OwnerKind};
use crate::request::Media;
use crate::subscriptions::{
    Message, News, Rendering, SUBSCRIPTION_KIND, Stored, Subscription, envelope,
};

/// Where sources notify. It is no resource of the standard; only who knows the id of a copy, which is
/// random, is listened to.
pub(crate) const NOTIFIED: &str = "/ngsi-ld/ex/remote-notify";

/// Takes a notification of a source.
pub(crate) async fn notified(face: Arc<Face>, request: Request) -> Response<Body> {
    match take(face, request).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(fault) => fault.into_response(),
    }
}

async fn take(face: Arc<Face>, request: Request) -> Result<(), Fault> {
    let (parts, body) = request.into_parts();
    let twin = asked_twin(&parts)?.unwrap_or_else(|| face.default_twin.clone());
    let bytes = read_body(&parts.headers, body, face.options.limits.body_bytes).await?;
    let notification: serde_json::Value = serde_json::from_slice(&bytes)
        .map_err(|error| Fault::invalid(format!("the body is not JSON: {error}")))?;
    let id = notification.get("subscriptionId").and_then(serde_json::Value::as_str).unwrap_or("");
    let caller = Caller { twin, ..Caller::local("subscriptions") };
    let snapshot = face.engine.snapshot(&caller).await?;
    let unknown = || Fault::not_found("there is no subscription behind the notification");
    let copy = snapshot.document(COPY_KIND, id).and_then(|text| Copy::read(id, &text));
    let copy = copy.ok_or_else(unknown)?;
    let stored = snapshot.document(SUBSCRIPTION_KIND, &copy.subscription);
    let stored = stored.and_then(|text| Stored::from_text(&text)).ok_or_else(unknown)?;
    let place = Place { twin: &caller.twin, parts: None };
    let limits = &face.options.limits;
    let subscription = stored.compile(&face.contexts, place, limits, face.engine.names()).await?;
    let now = Timestamp::now();
    if !subscription.is_active_at(now) {
        return Ok(());
    }
    let message = if stored.splits(face.options.split_entities) {
        let whole = Whole { face: &face, caller: &caller, subscription: &subscription };
        whole.message(&parts.headers, &bytes, copy.registration_id(), snapshot, now).await?
    } else {
        passed_on(&caller, &subscription, &notification["data"], now)?
    };
    let Some(message) = message else { return Ok(()) };
    let owner = Owner::new(OwnerKind::Subscription, subscription.id.as_str());
    let snapshot = face.engine.snapshot(&caller).await?;
    let cooldown = subscription.notification.endpoint.cooldown;
    // Where there is no room, the source keeps it and comes again.
    let posted = face.posting(&snapshot, &owner, &message, cooldown)?;
    face.post(&caller, &owner, vec![posted]).await
}

/// The notification as it came, by the id of the subscriber's own subscription.
fn passed_on(
    caller: &Caller,
    subscription: &Subscription,
    data: &serde_json::Value,
    now: Timestamp,
) -> Result<Option<Message>, Fault> {
    match data {
        serde_json::Value::Array(entities) if entities.is_empty() => return Ok(None),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => {}
        _ => return Err(Fault::bad_data("data: neither entities nor a feature collection")),
    }
    let media = subscription.notification.endpoint.accept;
    let in_body = media == Media::JsonLd;
    let body = told(subscription, data, now).to_string().into_bytes();
    Ok(Some(envelope(subscription, &caller.twin, media, in_body, body)))
}

/// Entities of which a source notifies a part.
struct Whole<'a> {
    face: &'a Face,
    caller: &'a Caller,
    subscription: &'a Subscription,
}

impl Whole<'_> {
    /// What is to be told of entities when they are whole: merged with what the twin and the other
    /// sources have of them, and as far as they meet the conditions then.
    async fn message(
        &self,
        headers: &HeaderMap,
        bytes: &[u8],
        registration: &str,
        snapshot: Snapshot,
        now: Timestamp,
    ) -> Result<Option<Message>, Fault> {
        let Parts { there, mut gone, changed } = self.parts(headers, bytes, now).await?;
        let id_of = |part: &SourceEntity| part.entity.id.clone();
        let ids: Vec<EntityId> = there.iter().chain(&gone).map(id_of).collect();
        if ids.is_empty() {
            return Ok(None);
        }
        let engine = &self.face.engine;
        let mut not_again = None;
        if let Ok(id) = EntityId::new(registration.to_owned()) {
            not_again = Some(Filter::Not(Box::new(Filter::Ids(vec![id]))));
        }
        let forwarding = Forwarding {
            alias: engine.alias(&self.caller.twin),
            asked: AskedSources { sources: not_again, ..AskedSources::default() },
            ..Forwarding::default()
        };
        let reach = Reach::Sources(Arc::new(forwarding));
        let caller = Caller { reach, ..self.caller.clone() };
        let mut others = snapshot;
        if !gone.is_empty() {
            // What others have of an entity stays when one source has deleted its part.
            let gone_ids = Filter::Ids(gone.iter().map(id_of).collect());
            others = engine.completed(&caller, others, &gone_ids).await?;
            gone.retain(|part| others.retrieve(part.entity.id.as_str()).is_none());
        }
        let gone_ids: Vec<EntityId> = gone.iter().map(id_of).collect();
        let parts = there.into_iter().chain(gone).collect();
        let whole = engine.completed_with(&caller, others, parts).await?;
        let page = whole.query(&EntityQuery {
            filter: self.subscription.filter.clone().and(Filter::Ids(ids)),
            order: Order::default(),
            page: PageRequest { limit: MOST_ENTITIES, start: PageStart::Offset(0) },
            count: false,
        });
        let names: Vec<Iri> = changed.iter().map(|change| change.told.name.clone()).collect();
        engine.learn(&names).await?;
        let news = |record: Record| {
            let is_deleted = gone_ids.contains(&record.id());
            let changes = self.changes(&whole, &record, is_deleted, &changed);
            let attributes_are_told = is_deleted && !changes.is_empty();
            let unchanged = News::of_unchanged(record);
            News { is_deleted, attributes_are_told, changes, at: now, ..unchanged }
        };
        let news: Vec<News> = page.entities.into_iter().map(news).collect();
        if news.is_empty() {
            return Ok(None);
        }
        let rendering =
            Rendering { face: self.face, caller: self.caller, subscription: self.subscription };
        Ok(Some(rendering.message(&news, now, uuid::Uuid::new_v4()).await))
    }

    /// What a source has deleted of an entity and nobody else has, and what was before of that which
    /// is as the source tells it.
    fn changes(
        &self,
        known: &Snapshot,
        whole: &Record,
        is_deleted: bool,
        changed: &[Change],
    ) -> Vec<InstanceChange> {
        let mut changes = Vec::new();
        for Change { told, is, .. } in changed.iter().filter(|change| change.id == whole.id()) {
            let name = self.face.engine.names().id_or_unknown(told.name.as_str());
            if name == NameId::UNKNOWN {
                continue;
            }
            let view = whole.view();
            let attribute = view.attribute(name).filter(|_| !is_deleted);
            let dataset = told.dataset_id.as_ref().map(Iri::as_str);
            let there = attribute.and_then(|attribute| attribute.instance(dataset));
            let there = there.map(|instance| decode_instance(&instance));
            if there.as_ref().map(|instance| &instance.value) != is.as_ref() {
                continue;
            }
            let kind = || told.kind.or_else(|| self.kind_of(name, known, whole));
            let was =
                told.was.clone().unwrap_or_else(|| Value::null(kind().unwrap_or(Kind::Property)));
            let mut was: Instance<NameId> = Instance::new(was);
            was.dataset_id.clone_from(&told.dataset_id);
            let [created_at, modified_at] = told.dates;
            was.created_at = created_at.unwrap_or(was.created_at);
            was.modified_at = modified_at.unwrap_or(was.modified_at);
            let (was, is) = (encode_instance(&was), there.as_ref().map(encode_instance));
            changes.push(InstanceChange { name, was: Some(was), is });
        }
        changes
    }

    /// The kind that an attribute has, which bare NGSI-LD null does not tell.
    fn kind_of(&self, name: NameId, known: &Snapshot, whole: &Record) -> Option<Kind> {
        let view = whole.view();
        if let Some(instance) = view.attribute(name).and_then(|one| one.instances().next()) {
            return Some(instance.kind());
        }
        let names = self.face.engine.names();
        let text = names.name(name);
        view.types().find_map(|of_type| {
            let info = known.type_info(names.name(of_type)?.as_str())?;
            let mut attributes = info.attributes.into_iter();
            let attribute = attributes.find(|one| Some(&one.name) == text.as_ref())?;
            attribute.kinds.first().copied()
        })
    }

    /// The entities of a notification, as their source has them now.
    async fn parts(
        &self,
        headers: &HeaderMap,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Parts, Fault> {
        let notified = Notified::read(bytes).map_err(Fault::bad_data)?;
        let place = Place { twin: &self.caller.twin, parts: None };
        let own = notified.context().map(serde_json::Value::to_string);
        let context = match (own, link_context(headers)?) {
            (Some(own), _) => self.face.contexts.context(place, &own).await?,
            (None, Some(url)) => self.face.contexts.context(place, &url).await?,
            (None, None) => Context::core(),
        };
        let mut parts = Parts::default();
        for one in notified.entities(&context).into_iter().take(MOST_ENTITIES) {
            let [created_at, modified_at] = one.dates;
            let modified_at = modified_at.or(Some(now));
            let part = |entity| SourceEntity { entity, created_at, modified_at };
            match one.told {
                Ok(Notice::Entity(entity, told)) => {
                    let change = |told: Told| {
                        let id = entity.id.clone();
                        Change { id, is: value_in(&entity, &told).cloned(), told }
                    };
                    parts.changed.extend(told.into_iter().map(change));
                    parts.there.push(part(*entity));
                }
                Ok(Notice::Deleted(id, types, told)) => {
                    let change = |told| Change { id: id.clone(), is: None, told };
                    parts.changed.extend(told.into_iter().map(change));
                    let bare = Entity {
                        id,
                        types,
                        scopes: Vec::new(),
                        attributes: Vec::new(),
                        expires_at: None,
                    };
                    parts.gone.push(part(bare));
                }
                Err(_) => {}
            }
        }
        Ok(parts)
    }
}

/// What a source tells of entities.
#[derive(Default)]
struct Parts {
    /// Of those that it has.
    there: Vec<SourceEntity>,
    /// Of those that it has deleted: nothing but their types.
    gone: Vec<SourceEntity>,
    /// What became of instances of attributes of either.
    changed: Vec<Change>,
}

/// What is told of an instance of an attribute of an entity.
struct Change {
    id: EntityId,
    told: Told,
    /// The value that it has at the source, where it is there.
    is: Option<Value>,
}

fn value_in<'a>(entity: &'a Entity, told: &Told) -> Option<&'a Value> {
    let attribute = entity.attributes.iter().find(|attribute| attribute.name == told.name)?;
    let instances = &mut attribute.instances.iter();
    Some(&instances.find(|instance| instance.dataset_id == told.dataset_id)?.value)
}

/// How many entities of one notification are looked at.
const MOST_ENTITIES: usize = 1_000;

/// The notification as the subscriber gets it: by the id of their own subscription.
fn told(
    subscription: &Subscription,
    data: &serde_json::Value,
    now: Timestamp,
) -> serde_json::Value {
    let mut body = json!({
        "id": format!("urn:ngsi-ld:Notification:{}", uuid::Uuid::new_v4()),
        "type": "Notification",
        "subscriptionId": subscription.id.as_str(),
        "notifiedAt": now.to_string(),
        "data": data,
    });
    if subscription.notification.endpoint.accept == Media::JsonLd {
        add_context(&mut body, &subscription.naming);
        if let Some(data) = body.get_mut("data").filter(|data| data.is_array()) {
            add_context(data, &subscription.naming);
        }
    }
    body
}
