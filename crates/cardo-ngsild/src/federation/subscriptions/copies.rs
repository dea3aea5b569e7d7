use std::collections::BTreeMap;
use std::sync::Arc;

use cardo_egress::Method;
use cardo_engine::{
    Batch, Caller, Forwarding, Operation, REGISTRATION_KIND, Registration, Snapshot,
    SourceOperation,
};
use cardo_jsonld::CORE_CONTEXT_URL;
use cardo_model::{DocumentChange, NGSI_LD_NULL, Timestamp};
use serde_json::{Map, Value, json};

use super::reduced::reduced;
use super::{COPY_KIND, NOTIFIED, OF_SUBSCRIPTION, PASSED_KIND};
use crate::contexts::Place;
use crate::face::Face;
use crate::federation::{Sending, Sent};
use crate::registrations::{self, Subscribed};
use crate::subscriptions::{Deliveries, SUBSCRIPTION_KIND, Stored};

/// A copy of a subscription at a source.
pub(super) struct Copy {
    /// The id of the copy, which only the source is told.
    pub(super) id: Box<str>,
    /// The subscription that it is a copy of.
    pub(super) subscription: Box<str>,
    /// The registration by which the source was found, as it was then.
    registration: Map<String, Value>,
    /// What the source was told.
    told: Value,
}

impl Copy {
    /// All copies of a twin, or those of one subscription.
    pub(super) fn all(snapshot: &Snapshot, of: Option<&str>) -> Vec<Self> {
        let all = snapshot.documents(COPY_KIND);
        let read = |(id, text): &(Arc<str>, Arc<str>)| Self::read(id, text);
        let all = all.iter().filter_map(read);
        all.filter(|copy| of.is_none_or(|id| &*copy.subscription == id)).collect()
    }

    pub(super) fn read(id: &str, text: &str) -> Option<Self> {
        let document: Value = serde_json::from_str(text).ok()?;
        Some(Self {
            id: id.into(),
            subscription: document["subscription"].as_str()?.into(),
            registration: document["registration"].as_object()?.clone(),
            told: document["told"].clone(),
        })
    }

    fn to_text(&self) -> String {
        json!({
            "subscription": self.subscription,
            "registration": self.registration,
            "told": self.told,
        })
        .to_string()
    }

    pub(super) fn registration_id(&self) -> &str {
        self.registration.get("id").and_then(Value::as_str).unwrap_or("")
    }
}

/// Brings the copies of one subscription to where they have to be; whether all could be done.
pub(super) async fn bring(face: &Face, caller: &Caller, id: &str) -> bool {
    let Ok(snapshot) = face.engine.snapshot(caller).await else { return false };
    let mut before: BTreeMap<String, Copy> = Copy::all(&snapshot, Some(id))
        .into_iter()
        .map(|copy| (copy.registration_id().to_owned(), copy))
        .collect();
    let Some(wanted) = Wanted::of(face, caller, &snapshot, id).await else { return false };
    let passed = passed(&snapshot, id);
    let bringing = Bringing { face, caller, snapshot: &snapshot, id, passed };
    bringing.note_interest(!wanted.copies.is_empty()).await;
    let mut is_done = true;
    for (registration, told) in wanted.copies {
        let known = before.remove(registration.id.as_str());
        is_done &= bringing.put(wanted.context.as_deref(), &registration, told, known).await;
    }
    for copy in before.into_values() {
        is_done &= bringing.withdraw(copy).await;
    }
    is_done
}

/// The copies that there are to be.
struct Wanted {
    context: Option<Box<str>>,
    copies: Vec<(Arc<Registration>, Value)>,
}

impl Wanted {
    /// None where it cannot be said now.
    async fn of(face: &Face, caller: &Caller, snapshot: &Snapshot, id: &str) -> Option<Self> {
        let none = Some(Self { context: None, copies: Vec::new() });
        let Some(stored) = snapshot.document(SUBSCRIPTION_KIND, id) else { return none };
        let stored = Stored::from_text(&stored)?;
        let registrations = face.engine.registrations(caller).await.ok()?;
        if stored.members.get("localOnly") == Some(&Value::Bool(true)) || registrations.is_empty() {
            return none;
        }
        let place = Place { twin: &caller.twin, parts: None };
        let subscribed = Subscribed::compile(face, &stored, place).await.ok()?;
        let url = stored.members.get("jsonldContext").and_then(Value::as_str);
        let naming = face.contexts.naming(place, url.unwrap_or(CORE_CONTEXT_URL)).await.ok()?;
        let q_context = face.contexts.context(place, &stored.q_context).await.ok()?;
        let shown = stored.show(Some(&q_context), naming.context(), &Deliveries::default(), false);
        let shown = shown.as_object()?;
        let splits = stored.splits(face.options.split_entities);
        let mut encountered = passed(snapshot, id);
        encountered.push(face.engine.alias(&caller.twin));
        let found = subscribed.sources(&registrations, Timestamp::now(), encountered);
        let copies = found.into_iter().map(|found| {
            let copy = reduced(shown, &found, naming.context(), splits);
            (found.registration, copy.into())
        });
        let context = naming.context().link().map(|url| url.as_ref().into());
        Some(Self { context, copies: copies.collect() })
    }
}

/// The servers through which a subscription has come here.
fn passed(snapshot: &Snapshot, id: &str) -> Vec<Box<str>> {
    let text = snapshot.document(PASSED_KIND, id);
    let names = text.and_then(|text| serde_json::from_str::<Vec<Box<str>>>(&text).ok());
    names.unwrap_or_default()
}

/// The work on the copies of one subscription.
struct Bringing<'a> {
    face: &'a Face,
    caller: &'a Caller,
    snapshot: &'a Snapshot,
    id: &'a str,
    passed: Vec<Box<str>>,
}

impl Bringing<'_> {
    fn forwarding(&self, context: Option<&str>) -> Forwarding {
        Forwarding {
            alias: self.face.engine.alias(&self.caller.twin),
            passed: self.passed.clone(),
            context: context.map(Arc::from),
            ..Forwarding::default()
        }
    }

    /// Creates or updates a copy; whether that is decided.
    async fn put(
        &self,
        context: Option<&str>,
        registration: &Arc<Registration>,
        told: Value,
        known: Option<Copy>,
    ) -> bool {
        let operation = match &known {
            None => SourceOperation::CreateSubscription,
            Some(_) => SourceOperation::UpdateSubscription,
        };
        let is_same = known.as_ref().is_some_and(|known| known.told == told);
        let (Some(sources), Some(base)) =
            (&self.face.sources, self.face.copies.base(&self.caller.twin))
        else {
            return true;
        };
        if is_same || !registration.operations.contains(operation) {
            return true;
        }
        let id: Box<str> = match &known {
            Some(known) => known.id.clone(),
            None => format!("urn:ngsi-ld:Subscription:distsub-{}", uuid::Uuid::new_v4()).into(),
        };
        let (method, path, body) = request(&id, &told, known.as_ref(), &base);
        let own = self.snapshot.document(REGISTRATION_KIND, registration.id.as_str());
        let own = own.and_then(|text| registrations::Stored::from_text(&text));
        let copy = Copy {
            id,
            subscription: self.id.into(),
            registration: own.map(|stored| stored.members).unwrap_or_default(),
            told,
        };
        if known.is_none() {
            // Noted first: the source may notify before its answer has come.
            self.keep(COPY_KIND, &copy.id, Some(copy.to_text())).await;
        }
        let body = body.to_string().into_bytes().into();
        let context = context.map(Box::from);
        let forwarding = self.forwarding(context.as_deref());
        let sending = Sending { method, path, body, context, is_inline: false };
        let sent = sources.send(registration, &forwarding, sending).await;
        match (sent, &known) {
            (Sent::Done, Some(_)) => self.keep(COPY_KIND, &copy.id, Some(copy.to_text())).await,
            (Sent::Done, None) | (Sent::Later, Some(_)) => {}
            // What was refused is not there, or no longer, and then another copy is made.
            (Sent::Refused, _) | (Sent::Later, None) => self.keep(COPY_KIND, &copy.id, None).await,
        }
        sent == Sent::Done || (sent == Sent::Refused && known.is_none())
    }

    /// Deletes a copy at its source, by the registration as it was.
    async fn withdraw(&self, copy: Copy) -> bool {
        let registration = Registration::read(&copy.registration).ok();
        let registration =
            registration.filter(|one| one.operations.contains(SourceOperation::DeleteSubscription));
        if let (Some(registration), Some(sources)) = (registration, &self.face.sources) {
            let sending = Sending {
                method: Method::DELETE,
                path: format!("/subscriptions/{}", copy.id),
                body: Vec::new().into(),
                context: None,
                is_inline: false,
            };
            if sources.send(&registration, &self.forwarding(None), sending).await == Sent::Later {
                return false;
            }
        }
        self.keep(COPY_KIND, &copy.id, None).await;
        true
    }

    /// Keeps the subscription to registrations that clause 5.8.1.4 sees behind a subscription.
    async fn note_interest(&self, has_sources: bool) {
        let id = format!("{}{OF_SUBSCRIPTION}", self.id);
        let known = self.snapshot.document(registrations::SUBSCRIPTION_KIND, &id);
        let stored = self.snapshot.document(SUBSCRIPTION_KIND, self.id);
        let stored = stored.and_then(|text| Stored::from_text(&text)).filter(|_| has_sources);
        let text = stored.and_then(|mut stored| {
            let base = self.face.copies.base(&self.caller.twin)?;
            let of_sources = ["type", "entities", "watchedAttributes", "geoQ", "scopeQ", "csf"];
            let attributes = stored.members.get("notification").and_then(|n| n.get("attributes"));
            let mut notification = json!({ "endpoint": { "uri": format!("{base}{NOTIFIED}") } });
            if let Some(attributes) = attributes {
                notification["attributes"] = attributes.clone();
            }
            stored.members.retain(|name, _| of_sources.contains(&name.as_str()));
            stored.members.insert("id".to_owned(), id.as_str().into());
            stored.members.insert("notification".to_owned(), notification);
            Some(stored.to_text())
        });
        if text.as_deref() != known.as_deref() {
            self.keep(registrations::SUBSCRIPTION_KIND, &id, text).await;
        }
    }

    async fn keep(&self, kind: &str, id: &str, text: Option<String>) {
        let body = text.map(String::into_boxed_str);
        let change = DocumentChange { kind: kind.into(), id: id.into(), body };
        let batch = Batch { operations: vec![Operation::Document(change)], ..Batch::default() };
        if let Err(error) = self.face.engine.apply(self.caller, batch).await {
            tracing::warn!(id, error = %error, "a copy of a subscription was not noted");
        }
    }
}

/// What a source is to be asked to do.
fn request(id: &str, told: &Value, known: Option<&Copy>, base: &str) -> (Method, String, Value) {
    let mut body = told.clone();
    // A feature collection is passed on as it comes; what is merged here comes as entities.
    let is_merged = told["splitEntities"] == true;
    let accept = match told["notification"]["endpoint"]["accept"].as_str() {
        Some("application/geo+json") if !is_merged => "application/geo+json",
        _ => "application/json",
    };
    let endpoint = json!({ "uri": format!("{base}{NOTIFIED}"), "accept": accept });
    body["notification"]["endpoint"] = endpoint;
    let Some(known) = known else {
        body["id"] = id.into();
        return (Method::POST, "/subscriptions".to_owned(), body);
    };
    let before = known.told.as_object().into_iter().flatten().map(|(name, _)| name);
    for name in before.filter(|name| told.get(name.as_str()).is_none()) {
        body[name.as_str()] = NGSI_LD_NULL.into();
    }
    (Method::PATCH, format!("/subscriptions/{id}"), body)
}
