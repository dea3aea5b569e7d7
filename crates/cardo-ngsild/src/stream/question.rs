//! What is followed: a subscription without a receiver, as a body or as parameters.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use cardo_http::Params;
use cardo_jsonld::CORE_CONTEXT_URL;
use cardo_model::{Iri, Timestamp};
use serde_json::{Map, Value, json};

use super::cursor::Cursor;
use crate::contexts::{Place, link_context};
use crate::face::Face;
use crate::fault::Fault;
use crate::operations::subscriptions::Given;
use crate::request::flag;
use crate::subscriptions::{Stored, Subscription, expand_names};

/// Parameters, with the names that the members of a subscription have.
pub(crate) const PARAMS: [&str; 33] = [
    "type",
    "id",
    "idPattern",
    "watchedAttributes",
    "notificationTrigger",
    "q",
    "georel",
    "geometry",
    "coordinates",
    "geoproperty",
    "scopeQ",
    "expandValues",
    "jsonKeys",
    "csf",
    "local",
    "datasetId",
    "lang",
    "jsonldContext",
    "ngsildConformance",
    "throttling",
    "timeInterval",
    "expiresAt",
    "accept",
    "format",
    "options",
    "pick",
    "omit",
    "join",
    "joinLevel",
    "showChanges",
    "splitEntities",
    "cursor",
    "limit",
];

type Members = Map<String, Value>;

/// What is followed, from where, and how many notifications are wanted.
pub(crate) struct Question {
    pub(crate) subscription: Subscription,
    pub(crate) cursor: Option<Cursor>,
    pub(crate) limit: Option<u64>,
}

/// How far somebody has read and how much they want, as it was said.
pub(crate) struct Extent {
    pub(crate) cursor: Option<Cursor>,
    pub(crate) limit: Option<u64>,
}

impl Extent {
    pub(crate) fn of(
        headers: &HeaderMap,
        params: &Params<'_>,
        member: Option<&Value>,
    ) -> Result<Self, Fault> {
        let member = match member {
            None => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        let given = params.get("cursor").or(member.as_deref());
        let limit = match params.get("limit") {
            None => None,
            Some(text) => match text.parse::<u64>() {
                Ok(limit) if limit > 0 => Some(limit),
                _ => return Err(Fault::bad_data(format!("limit={text:?} is no number above 0"))),
            },
        };
        Ok(Self { cursor: Cursor::of(headers, given)?, limit })
    }
}

impl Face {
    /// The question in the parameters of a request.
    pub(crate) async fn question_of(
        &self,
        parts: &Parts,
        place: Place<'_>,
        params: &Params<'_>,
    ) -> Result<Question, Fault> {
        let extent = Extent::of(&parts.headers, params, None)?;
        let mut members = members_of(params)?;
        let link = link_context(&parts.headers)?;
        let context = params.get("jsonldContext").or(link.as_deref()).unwrap_or(CORE_CONTEXT_URL);
        let naming = self.contexts.used(place, context).await?.0;
        expand_names(&mut members, naming.context());
        self.question(place, members, context.to_owned(), extent).await
    }

    /// The question in a body.
    pub(crate) async fn question_in(
        &self,
        place: Place<'_>,
        given: Given,
        extent: Extent,
    ) -> Result<Question, Fault> {
        self.question(place, given.members, given.context, extent).await
    }

    async fn question(
        &self,
        place: Place<'_>,
        mut members: Members,
        context: String,
        extent: Extent,
    ) -> Result<Question, Fault> {
        let id = match members.get("id") {
            None => format!("urn:ngsi-ld:Subscription:{}", uuid::Uuid::new_v4()),
            Some(Value::String(id)) => id.clone(),
            Some(other) => return Err(Fault::bad_data(format!("id: {other} is not a URI"))),
        };
        members.insert("id".to_owned(), Iri::new(id)?.as_str().into());
        let now = Timestamp::now();
        let stored = Stored {
            members,
            q_context: context.clone(),
            context,
            created_at: now,
            modified_at: now,
        };
        let (limits, names) = (&self.options.limits, self.engine.names());
        let subscription = stored.compile_followed(&self.contexts, place, limits, names).await?;
        if subscription.expires_at.is_some_and(|end| end <= now) {
            return Err(Fault::bad_data("expiresAt lies in the past"));
        }
        Ok(Question { subscription, cursor: extent.cursor, limit: extent.limit })
    }
}

/// Parameters as the members of a subscription.
fn members_of(params: &Params<'_>) -> Result<Members, Fault> {
    let mut members = Members::new();
    let mut notification = Members::new();
    members.insert("type".to_owned(), "Subscription".into());
    let texts = [
        "q",
        "scopeQ",
        "expandValues",
        "jsonKeys",
        "csf",
        "lang",
        "jsonldContext",
        "ngsildConformance",
        "expiresAt",
    ];
    copy(params, &texts, &mut members, |text| Ok(text.into()))?;
    let lists = ["watchedAttributes", "notificationTrigger", "datasetId"];
    copy(params, &lists, &mut members, |text| Ok(list(text)))?;
    copy(params, &["throttling", "timeInterval"], &mut members, number)?;
    for (name, member) in [("local", "localOnly"), ("splitEntities", "splitEntities")] {
        if let Some(value) = flag(params, name)? {
            members.insert(member.to_owned(), value.into());
        }
    }
    if let Some(selector) = selector(params) {
        members.insert("entities".to_owned(), json!([selector]));
    }
    if let Some(geo) = geo(params)? {
        members.insert("geoQ".to_owned(), geo);
    }
    copy(params, &["format", "join"], &mut notification, |text| Ok(text.into()))?;
    // A projection may hold commas within braces, so it stays in one piece.
    copy(params, &["pick", "omit"], &mut notification, |text| Ok(json!([text])))?;
    copy(params, &["joinLevel"], &mut notification, number)?;
    if let Some(shows) = flag(params, "showChanges")? {
        notification.insert("showChanges".to_owned(), shows.into());
    }
    if let Some(media_type) = params.get("accept") {
        notification.insert("endpoint".to_owned(), json!({ "accept": media_type }));
    }
    options(params, &mut notification);
    members.insert("notification".to_owned(), Value::Object(notification));
    Ok(members)
}

/// `options` names a format and `sysAttrs` (clause 6.3.11); `format` goes before it.
fn options(params: &Params<'_>, notification: &mut Members) {
    let options = params.get("options").unwrap_or("").split(',').map(str::trim);
    for option in options.filter(|option| !option.is_empty()) {
        if option == "sysAttrs" {
            notification.insert("sysAttrs".to_owned(), true.into());
        } else {
            notification.entry("format").or_insert_with(|| option.into());
        }
    }
}

fn copy(
    params: &Params<'_>,
    names: &[&str],
    members: &mut Members,
    value: impl Fn(&str) -> Result<Value, Fault>,
) -> Result<(), Fault> {
    for name in names {
        if let Some(text) = params.get(name) {
            members.insert((*name).to_owned(), value(text)?);
        }
    }
    Ok(())
}

fn list(text: &str) -> Value {
    text.split(',').map(str::trim).collect()
}

fn number(text: &str) -> Result<Value, Fault> {
    serde_json::from_str::<serde_json::Number>(text)
        .map(Value::Number)
        .map_err(|_| Fault::bad_data(format!("{text:?} is not a number")))
}

fn selector(params: &Params<'_>) -> Option<Value> {
    if !["type", "id", "idPattern"].iter().any(|name| params.has(name)) {
        return None;
    }
    let mut selector = Members::new();
    selector.insert("type".to_owned(), params.get("type").unwrap_or("*").into());
    if let Some(ids) = params.get("id") {
        selector.insert("id".to_owned(), list(ids));
    }
    if let Some(pattern) = params.get("idPattern") {
        selector.insert("idPattern".to_owned(), pattern.into());
    }
    Some(Value::Object(selector))
}

fn geo(params: &Params<'_>) -> Result<Option<Value>, Fault> {
    let mut geo = Members::new();
    let names = ["georel", "geometry", "coordinates", "geoproperty"];
    copy(params, &names, &mut geo, |text| Ok(text.into()))?;
    Ok((!geo.is_empty()).then_some(Value::Object(geo)))
}
