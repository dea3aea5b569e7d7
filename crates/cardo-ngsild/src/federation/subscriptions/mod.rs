//! Subscriptions across context sources (clauses 5.8.1.4, 5.8.2.4, 5.8.5.4 and 5.8.6): copies of them at
//! sources, reduced to what is registered, and what these copies notify.

mod copies;
mod notified;
mod reduced;
mod run;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use tokio::sync::Notify;

use axum::http::header::VIA;
use cardo_engine::{Operation, Reach};
use cardo_http::{BaseUrl, TenantPrefix};
use cardo_model::{DocumentChange, TwinId};

use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::request::Ask;
use crate::respond::encode;

pub(crate) use notified::{NOTIFIED, notified};
pub(crate) use run::run;

/// The kind of document that says which copy of a subscription is at which source, by the id of the
/// copy.
pub(crate) const COPY_KIND: &str = "subscription-copy";
/// The kind of document that says through which servers a subscription came here, by its id.
pub(crate) const PASSED_KIND: &str = "subscription-passed";

/// Behind the id of a subscription: the id of the subscription to registrations that belongs to it.
pub(crate) const OF_SUBSCRIPTION: &str = ":sources";

/// A subscription of a twin, or all of them.
type Work = (TwinId, Option<Box<str>>);

/// What the operations on subscriptions and registrations tell those who keep copies.
#[derive(Default)]
pub(crate) struct Copies {
    /// Where sources find a twin, as clients have found it.
    bases: Mutex<HashMap<TwinId, String, RandomState>>,
    work: Mutex<HashSet<Work, RandomState>>,
    wake: Notify,
}

impl Copies {
    /// Says that a subscription, or a registration, was written.
    pub(crate) fn tell(&self, twin: &TwinId, subscription: Option<&str>, base: Option<String>) {
        if let Some(base) = base {
            self.bases.lock().insert(twin.clone(), base);
        }
        self.work.lock().insert((twin.clone(), subscription.map(Box::from)));
        self.wake.notify_one();
    }

    async fn next(&self) -> Vec<Work> {
        loop {
            let work: Vec<Work> = self.work.lock().drain().collect();
            if !work.is_empty() {
                return work;
            }
            self.wake.notified().await;
        }
    }

    fn base(&self, twin: &TwinId) -> Option<String> {
        self.bases.lock().get(twin).cloned()
    }
}

impl Face {
    /// Says that a subscription was written; where no source can be registered that is all.
    pub(crate) fn subscription_written(&self, ask: &Ask<'_>, id: &str) {
        if self.sources.is_some() && self.engine.may_have_sources(&ask.caller.twin) {
            self.copies.tell(&ask.caller.twin, Some(id), base_of(ask));
        }
    }

    /// Says that a registration was written.
    pub(crate) fn registration_written(&self, ask: &Ask<'_>) {
        if self.sources.is_some() {
            self.copies.tell(&ask.caller.twin, None, base_of(ask));
        }
    }

    /// What keeps through which servers a subscription has come here, so that no copy goes back
    /// (clause 6.3.18).
    pub(crate) fn note_passed(&self, ask: &Ask<'_>, id: &str) -> Result<Option<Operation>, Fault> {
        if !ask.parts.headers.contains_key(VIA) {
            return Ok(None);
        }
        let passed = match cardo_http::far(&self.engine, &ask.parts.headers, &ask.caller.twin) {
            Reach::Sources(forwarding) if forwarding.is_loop() => {
                let detail = "the subscription has come through this server already";
                return Err(Fault::new(NgsildError::NotSupported, detail));
            }
            Reach::Sources(forwarding) => forwarding.passed.clone(),
            Reach::Local => Vec::new(),
        };
        let body: serde_json::Value = passed.iter().map(AsRef::<str>::as_ref).collect();
        Ok(Some(Operation::Document(DocumentChange {
            kind: PASSED_KIND.into(),
            id: id.into(),
            body: Some(body.to_string().into()),
        })))
    }
}

/// Where sources find the twin of a request: a tenant is part of the path.
fn base_of(ask: &Ask<'_>) -> Option<String> {
    let (base, twin) = (BaseUrl::of(ask.parts), &ask.caller.twin);
    if base.origin().is_empty() {
        return None;
    }
    if twin.is_default() || ask.parts.extensions.get::<TenantPrefix>().is_some() {
        return Some(base.as_str().to_owned());
    }
    Some(base.to(&format!("/tenants/{}", encode(twin.tenant()))))
}
