use std::collections::BTreeMap;
use std::sync::Arc;

use cardo_engine::{Match, REGISTRATION_KIND, Registration, Snapshot, SourceState};
use cardo_jsonld::Context;
use cardo_model::Timestamp;
use serde_json::{Map, Value, json};

use super::stored::Stored;

/// Why a notification is sent (clause 5.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    NewlyMatching,
    Updated,
    NoLongerMatching,
}

impl Reason {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NewlyMatching => "newlyMatching",
            Self::Updated => "updated",
            Self::NoLongerMatching => "noLongerMatching",
        }
    }
}

/// The registrations of which a subscriber knows, each with the version it was told.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeMap<Box<str>, Version>);

#[derive(Debug)]
struct Version {
    modified_at: Timestamp,
    /// The document; none where an earlier run has told of it.
    text: Option<Arc<str>>,
}

/// A registration that matches now, with its document.
pub(super) struct Found {
    matching: Match,
    stored: Stored,
    text: Arc<str>,
}

/// Registrations of which is told for one reason, as the subscriber sees them.
pub(super) struct News {
    pub(super) reason: Reason,
    pub(super) data: Vec<Value>,
}

/// How registrations are shown.
#[derive(Clone, Copy)]
pub(super) struct Form<'a> {
    pub(super) context: &'a Context,
    pub(super) sys_attrs: bool,
}

impl Found {
    /// Reads the documents of what matches.
    pub(super) fn all(matching: Vec<Match>, snapshot: &Snapshot) -> Vec<Self> {
        let read = |matching: Match| {
            let text = snapshot.document(REGISTRATION_KIND, matching.registration.id.as_str())?;
            Some(Self { matching, stored: Stored::from_text(&text)?, text })
        };
        matching.into_iter().filter_map(read).collect()
    }

    fn registration(&self) -> &Registration {
        &self.matching.registration
    }

    fn show(&self, form: Form<'_>) -> Value {
        let state = self.registration().progress.state();
        self.stored.show(form.context, state, Some(&self.matching), form.sys_attrs)
    }
}

impl Told {
    /// What is new to the subscriber (clause 5.11.7).
    pub(super) fn news(&mut self, found: &[Found], form: Form<'_>) -> Vec<News> {
        let mut news = [Reason::NewlyMatching, Reason::Updated, Reason::NoLongerMatching]
            .map(|reason| News { reason, data: Vec::new() });
        let mut before = std::mem::take(&mut self.0);
        for one in found {
            let known = before.remove(one.registration().id.as_str());
            match known.map(|known| known.is_of(one)) {
                None => news[0].data.push(one.show(form)),
                Some(false) => news[1].data.push(one.show(form)),
                Some(true) => {}
            }
            self.add(one);
        }
        news[2].data.extend(before.into_iter().map(|(id, gone)| gone.show(&id, form)));
        news.into_iter().filter(|news| !news.data.is_empty()).collect()
    }

    /// All that matches, whether the subscriber knows of it or not.
    pub(super) fn everything(&mut self, found: &[Found], form: Form<'_>) -> Vec<News> {
        let is_first = self.0.is_empty();
        self.0.clear();
        for one in found {
            self.add(one);
        }
        let reason = if is_first { Reason::NewlyMatching } else { Reason::Updated };
        let data: Vec<Value> = found.iter().map(|one| one.show(form)).collect();
        if data.is_empty() { Vec::new() } else { vec![News { reason, data }] }
    }

    fn add(&mut self, one: &Found) {
        let version = Version { modified_at: one.stored.modified_at, text: Some(one.text.clone()) };
        self.0.insert(one.registration().id.as_str().into(), version);
    }

    /// The document that keeps it for one version of the subscription, by a number made of its text.
    pub(super) fn to_text(&self, subscription: u64) -> String {
        let told: Map<String, Value> = self
            .0
            .iter()
            .map(|(id, version)| (id.to_string(), version.modified_at.to_string().into()))
            .collect();
        json!({ "subscription": subscription, "told": told }).to_string()
    }

    /// Reads that document again; nothing was told of another version of the subscription.
    pub(super) fn from_text(text: &str, subscription: u64) -> Self {
        let document: Value = serde_json::from_str(text).unwrap_or_default();
        if document["subscription"] != subscription {
            return Self::default();
        }
        let told = document["told"].as_object().into_iter().flatten();
        let version = |(id, at): (&String, &Value)| {
            let modified_at = Timestamp::parse(at.as_str()?).ok()?;
            Some((id.as_str().into(), Version { modified_at, text: None }))
        };
        Self(told.filter_map(version).collect())
    }
}

impl Version {
    /// Whether it is what the subscriber was told. Moments alone are not fine enough for that.
    fn is_of(&self, one: &Found) -> bool {
        match &self.text {
            Some(text) => **text == *one.text,
            None => self.modified_at == one.stored.modified_at,
        }
    }

    /// What no longer matches, as it was.
    fn show(&self, id: &str, form: Form<'_>) -> Value {
        match self.text.as_deref().and_then(Stored::from_text) {
            Some(stored) => stored.show(form.context, SourceState::default(), None, form.sys_attrs),
            None => json!({ "id": id, "type": "ContextSourceRegistration" }),
        }
    }
}

/// The body of a notification (clause 5.3.2).
pub(super) fn body(news: &News, subscription: &str, now: Timestamp) -> Value {
    json!({
        "id": format!("urn:ngsi-ld:Notification:{}", uuid::Uuid::new_v4()),
        "type": "ContextSourceNotification",
        "subscriptionId": subscription,
        "notifiedAt": now.to_string(),
        "triggerReason": news.reason.as_str(),
        "data": news.data,
    })
}
