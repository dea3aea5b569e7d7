//! Subscriptions as the twin keeps them, and as clients see them again.

use std::sync::Arc;

use cardo_jsonld::Context;
use cardo_model::{Iri, Names, Timestamp};
use cardo_query::{NamePrinter, QOptions, parse_q, print};
use serde_json::{Map, Value, json};

use super::model::Subscription;
use super::read::{self, Reading};
use crate::contexts::{ContextFault, Contexts, Place, local_id};
use crate::fault::Fault;
use crate::operations::ContextNames;
use crate::options::NgsildLimits;

/// A subscription's document in the twin.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    /// What the client gave, with full names of types and attributes; `q` is as it was given.
    pub(crate) members: Map<String, Value>,
    /// The context it came with: a URL or the JSON text of an `@context`.
    pub(crate) context: String,
    /// The context in which the names of `q` are meant.
    pub(crate) q_context: String,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
}

/// What has come of a subscription so far (clause 5.2.14.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Deliveries {
    pub(crate) times_sent: u64,
    pub(crate) times_failed: u64,
    pub(crate) last_notification: Option<Timestamp>,
    pub(crate) last_success: Option<Timestamp>,
    pub(crate) last_failure: Option<Timestamp>,
    /// Why the last attempt that failed did (an extension).
    pub(crate) failure_reason: Option<Box<str>>,
    /// How many dead letters had to make room (an extension).
    pub(crate) dead_letters_dropped: u64,
}

const VERSION: u64 = 1;

impl Deliveries {
    /// Counts an attempt (clause 5.8.6); a notification counts as sent once, however often it is tried.
    pub(crate) fn count(&mut self, at: Timestamp, is_first: bool, outcome: Result<(), &str>) {
        self.times_sent += u64::from(is_first);
        self.last_notification = Some(at);
        match outcome {
            Ok(()) => self.last_success = Some(at),
            Err(reason) => {
                self.times_failed += 1;
                self.last_failure = Some(at);
                self.failure_reason = Some(reason.into());
            }
        }
    }
}

/// Members of `notification` that the specification does not know.
pub(crate) const FAILURE_REASON: &str = "lastFailureReason";
pub(crate) const LETTERS_DROPPED: &str = "deadLettersDropped";

impl Stored {
    /// The document's text.
    pub(crate) fn to_text(&self) -> String {
        json!({
            "version": VERSION,
            "subscription": self.members,
            "context": self.context,
            "qContext": self.q_context,
            "createdAt": self.created_at.to_string(),
            "modifiedAt": self.modified_at.to_string(),
        })
        .to_string()
    }

    /// Reads a document; none where it is not one of a version that is known.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let Ok(Value::Object(mut document)) = serde_json::from_str(text) else { return None };
        if document.get("version")?.as_u64()? != VERSION {
            return None;
        }
        let moment = |name: &str| Timestamp::parse(document.get(name)?.as_str()?).ok();
        let (created_at, modified_at) = (moment("createdAt")?, moment("modifiedAt")?);
        let context = document.get("context")?.as_str()?.to_owned();
        let q_context = document.get("qContext")?.as_str()?.to_owned();
        let Value::Object(members) = document.remove("subscription")? else { return None };
        Some(Self { members, context, q_context, created_at, modified_at })
    }

    /// Whether parts of one entity may be in several places; `usual` where it does not say.
    pub(crate) fn splits(&self, usual: bool) -> bool {
        self.members.get("splitEntities").and_then(Value::as_bool).unwrap_or(usual)
    }

    /// What the subscription means. Its contexts are fetched where they are not known.
    pub(crate) async fn compile(
        &self,
        contexts: &Arc<Contexts>,
        place: Place<'_>,
        limits: &NgsildLimits,
        names: &Names,
    ) -> Result<Subscription, Fault> {
        self.read(contexts, place, limits, names, false).await
    }

    /// The same for one that has no receiver.
    pub(crate) async fn compile_followed(
        &self,
        contexts: &Arc<Contexts>,
        place: Place<'_>,
        limits: &NgsildLimits,
        names: &Names,
    ) -> Result<Subscription, Fault> {
        self.read(contexts, place, limits, names, true).await
    }

    async fn read(
        &self,
        contexts: &Arc<Contexts>,
        place: Place<'_>,
        limits: &NgsildLimits,
        names: &Names,
        is_followed: bool,
    ) -> Result<Subscription, Fault> {
        let url = read::text(&self.members, "jsonldContext")?;
        let naming = match contexts.naming(place, url.unwrap_or(&self.context)).await {
            // What was created for it can be deleted, and what it was made of is still there.
            Err(ContextFault::Unavailable { url, .. }) if local_id(&url).is_some() => {
                contexts.naming(place, &self.context).await?
            }
            naming => naming?,
        };
        let q_context = if self.members.contains_key("q") || self.members.contains_key("csf") {
            contexts.context(place, &self.q_context).await?
        } else {
            Context::core()
        };
        let reading = Reading { q_context: &q_context, limits, names, is_followed };
        read::subscription(&self.members, naming, reading)
    }

    /// The subscription as a client sees it under its own context (clause 5.5.7); `q` is as it was
    /// given where its context cannot be had.
    pub(crate) fn show(
        &self,
        q_context: Option<&Context>,
        reader: &Context,
        deliveries: &Deliveries,
        sys_attrs: bool,
    ) -> Value {
        let mut members = self.members.clone();
        rename(&mut members, &|name| reader.compact_iri(name).into_owned());
        if let Some(from) = q_context.filter(|from| from.member() != reader.member()) {
            rename_q(&mut members, from, reader);
        }
        members.insert("status".to_owned(), self.status(Timestamp::now()).into());
        if !members.contains_key("notificationTrigger") && !members.contains_key("timeInterval") {
            // What holds where nothing was said (table 5.2.12-1).
            let triggers = vec!["attributeCreated", "attributeUpdated"];
            members.insert("notificationTrigger".to_owned(), triggers.into());
        }
        if let Some(Value::Object(notification)) = members.get_mut("notification") {
            deliveries.add_to(notification);
        }
        if sys_attrs {
            members.insert("createdAt".to_owned(), self.created_at.to_string().into());
            members.insert("modifiedAt".to_owned(), self.modified_at.to_string().into());
        }
        Value::Object(members)
    }

    /// `active`, `paused` or `expired` at a moment.
    pub(crate) fn status(&self, now: Timestamp) -> &'static str {
        let end = self.members.get("expiresAt").and_then(Value::as_str);
        let end = end.and_then(|text| Timestamp::parse(text).ok());
        let is_active = self.members.get("isActive") != Some(&Value::Bool(false));
        status(is_active, end, now)
    }
}

/// The status of a subscription (clauses 5.8.1.4 and 5.2.12).
pub(crate) fn status(
    is_active: bool,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> &'static str {
    if expires_at.is_some_and(|end| end <= now) {
        "expired"
    } else if is_active {
        "active"
    } else {
        "paused"
    }
}

impl Deliveries {
    fn add_to(&self, notification: &mut Map<String, Value>) {
        for (name, moment) in [
            ("lastNotification", self.last_notification),
            ("lastSuccess", self.last_success),
            ("lastFailure", self.last_failure),
        ] {
            notification.remove(name);
            if let Some(moment) = moment {
                notification.insert(name.to_owned(), moment.to_string().into());
            }
        }
        notification.remove(FAILURE_REASON);
        if let Some(reason) = &self.failure_reason {
            notification.insert(FAILURE_REASON.to_owned(), (**reason).into());
        }
        for (name, number) in [
            ("timesSent", self.times_sent),
            ("timesFailed", self.times_failed),
            (LETTERS_DROPPED, self.dead_letters_dropped),
        ] {
            notification.remove(name);
            if number > 0 {
                notification.insert(name.to_owned(), number.into());
            }
        }
        notification.remove("status");
        if self.last_notification.is_some() {
            let status = if self.last_failure > self.last_success { "failed" } else { "ok" };
            notification.insert("status".to_owned(), status.into());
        }
    }

    /// The text under which they are kept.
    pub(crate) fn to_text(&self) -> String {
        let mut members = Map::new();
        self.add_to(&mut members);
        Value::Object(members).to_string()
    }

    /// Reads that text again; what cannot be read counts as nothing.
    pub(crate) fn from_text(text: &str) -> Self {
        let Ok(members) = serde_json::from_str::<Map<String, Value>>(text) else {
            return Self::default();
        };
        let number = |name: &str| members.get(name).and_then(Value::as_u64).unwrap_or(0);
        let moment = |name: &str| Timestamp::parse(members.get(name)?.as_str()?).ok();
        Self {
            times_sent: number("timesSent"),
            times_failed: number("timesFailed"),
            last_notification: moment("lastNotification"),
            last_success: moment("lastSuccess"),
            last_failure: moment("lastFailure"),
            failure_reason: members.get(FAILURE_REASON).and_then(Value::as_str).map(Into::into),
            dead_letters_dropped: number(LETTERS_DROPPED),
        }
    }
}

/// Writes names with the terms of another context.
struct Terms<'a>(&'a Context);

impl NamePrinter for Terms<'_> {
    fn attribute_term(&self, name: &Iri) -> Option<String> {
        Some(self.0.compact_iri(name.as_str()).into_owned())
    }

    fn type_term(&self, name: &Iri) -> Option<String> {
        Some(self.0.compact_iri(name.as_str()).into_owned())
    }
}

/// Expands the names of types and attributes (clause 5.5.7), but for those in `q`. What is no name
/// stays as it is, so that it is refused where it is read.
pub(crate) fn expand_names(members: &mut Map<String, Value>, context: &Context) {
    rename(members, &|name| {
        let expanded = ContextNames(context).name(name);
        expanded.map_or_else(|_| name.to_owned(), |iri| iri.as_str().to_owned())
    });
}

fn rename(members: &mut Map<String, Value>, name: &dyn Fn(&str) -> String) {
    if let Some(list) = members.get_mut("watchedAttributes") {
        rename_list(list, name);
    }
    if let Some(Value::Object(notification)) = members.get_mut("notification") {
        for member in ["attributes", "pick", "omit"] {
            if let Some(list) = notification.get_mut(member) {
                rename_list(list, name);
            }
        }
    }
    for member in ["expandValues", "jsonKeys"] {
        if let Some(Value::String(list)) = members.get_mut(member) {
            *list = rename_terms(list, name);
        }
    }
    if let Some(Value::Array(selectors)) = members.get_mut("entities") {
        for selector in selectors {
            if let Some(Value::String(types)) = selector.get_mut("type") {
                *types = rename_terms(types, name);
            }
        }
    }
    if let Some(Value::String(property)) =
        members.get_mut("geoQ").and_then(|geo| geo.get_mut("geoproperty"))
    {
        *property = name(property);
    }
}

fn rename_list(list: &mut Value, name: &dyn Fn(&str) -> String) {
    let Value::Array(names) = list else { return };
    for item in names {
        match item {
            Value::String(text) if text.contains(['{', ',']) => {
                *text = rename_terms(text, &|term| rename_member(term, name));
            }
            Value::String(text) => *text = rename_member(text, name),
            _ => {}
        }
    }
}

/// Renames what may be chosen of an entity: a member of its own keeps its name.
fn rename_member(term: &str, name: &dyn Fn(&str) -> String) -> String {
    match term {
        "id" | "type" | "scope" => term.to_owned(),
        term => name(term),
    }
}

/// Renames what stands between the operators of a selection of types (clause 4.17), or of a
/// projection (clause 4.21).
fn rename_terms(text: &str, name: &dyn Fn(&str) -> String) -> String {
    let is_operator = |c: char| matches!(c, ',' | '|' | ';' | '(' | ')' | '{' | '}' | '*');
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(is_operator) {
        let end =
            part.len() - part.chars().last().filter(|c| is_operator(*c)).map_or(0, char::len_utf8);
        let (term, operator) = part.split_at(end);
        if term.trim().is_empty() {
            out.push_str(term);
        } else {
            out.push_str(&name(term.trim()));
        }
        out.push_str(operator);
    }
    out
}

/// Writes `q` with the names of another context, as far as it has names for all in it.
fn rename_q(members: &mut Map<String, Value>, from: &Context, to: &Context) {
    if let Some(Value::String(q)) = members.get_mut("q") {
        let filter = parse_q(q, &ContextNames(from), QOptions::default()).ok();
        if let Some(text) = filter.and_then(|filter| print(&filter, &Terms(to))) {
            *q = text;
        }
    }
}
