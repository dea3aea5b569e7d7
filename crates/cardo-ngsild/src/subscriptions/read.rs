//! From the JSON of a subscription to its meaning (clauses 5.2.12, 5.2.13, 5.2.15 and 5.2.33).

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use cardo_egress::mqtt::{Quality, Version};
use cardo_jsonld::Context;
use cardo_model::{Iri, Names, Timestamp};
use cardo_query::{Filter, QOptions, parse_attributes, parse_geo_query, parse_q, parse_scope_q};
use serde_json::{Map, Value};

use super::model::{Endpoint, Subscription, Topic, Triggers};
use super::params::notification;
use super::port::MqttParameters;
use crate::fault::Fault;
use crate::operations::post_query::MAX_SELECTORS;
use crate::operations::{ContextNames, QuestionText, check_source_filter, question};
use crate::options::NgsildLimits;
use crate::represent::Naming;
use crate::request::Media;

pub(super) type Members = Map<String, Value>;

/// Members that are understood, and those that are written by the server and never read.
const KNOWN: &[&str] = &[
    "id",
    "type",
    "entities",
    "notification",
    "notificationTrigger",
    "watchedAttributes",
    "q",
    "geoQ",
    "scopeQ",
    "csf",
    "datasetId",
    "description",
    "expandValues",
    "expiresAt",
    "isActive",
    "jsonKeys",
    "jsonldContext",
    "lang",
    "localOnly",
    "ngsildConformance",
    "splitEntities",
    "subscriptionName",
    "throttling",
    "timeInterval",
    "status",
    "createdAt",
    "modifiedAt",
    "deletedAt",
    "@context",
    "origin",
];

/// What a subscription is read with.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    /// The context of its `q` and `csf`.
    pub(crate) q_context: &'a Context,
    pub(crate) limits: &'a NgsildLimits,
    pub(crate) names: &'a Names,
    /// Whether the one who asks stays connected, so that no receiver has to be named.
    pub(crate) is_followed: bool,
}

/// Reads a subscription with full names; `naming` is the context of its notifications.
pub(crate) fn subscription(
    members: &Members,
    naming: Arc<Naming>,
    reading: Reading<'_>,
) -> Result<Subscription, Fault> {
    check_members(members)?;
    let id = text(members, "id")?.ok_or_else(|| missing("id"))?;
    let core = Context::core();
    let context = ContextNames(&core);
    let time_interval = seconds(members, "timeInterval")?;
    let throttling = seconds(members, "throttling")?;
    let watched = watched(members, context)?;
    let entities = members.get("entities");
    let is_local = flag(members, "localOnly")?.unwrap_or(false);
    if time_interval.is_some()
        && (throttling.is_some() || members.contains_key("watchedAttributes"))
    {
        return Err(Fault::bad_data("timeInterval excludes throttling and watchedAttributes"));
    }
    if entities.is_none() && !is_local && (watched.is_empty() || time_interval.is_some()) {
        return Err(Fault::bad_data("one of entities and watchedAttributes is needed"));
    }
    let expires_at = moment(members, "expiresAt")?;
    Ok(Subscription {
        id: Iri::new(id.to_owned())?,
        filter: filter(members, &core, reading)?,
        watched,
        triggers: triggers(members)?,
        is_active: flag(members, "isActive")?.unwrap_or(true),
        expires_at,
        throttling,
        time_interval,
        notification: notification(members, reading)?,
        naming,
    })
}

fn check_members(members: &Members) -> Result<(), Fault> {
    for name in members.keys() {
        if name == "temporalQ" {
            let detail = "temporalQ is for subscriptions to registrations alone (table 5.2.12-1)";
            return Err(Fault::bad_data(detail));
        }
        if !KNOWN.contains(&name.as_str()) {
            return Err(Fault::bad_data(format!("{name:?} is not a member of a subscription")));
        }
    }
    if text(members, "type")? != Some("Subscription") {
        return Err(Fault::bad_data("the type of a subscription is \"Subscription\""));
    }
    for name in ["description", "subscriptionName", "jsonldContext"] {
        text(members, name)?;
    }
    flag(members, "splitEntities")?;
    Ok(())
}

fn filter(members: &Members, core: &Context, reading: Reading<'_>) -> Result<Filter, Fault> {
    let local = flag(members, "localOnly")?;
    let mut filter = match members.get("entities") {
        None => Filter::True,
        Some(Value::Array(list)) if list.len() > MAX_SELECTORS => {
            let detail = format!("entities: more than the {MAX_SELECTORS} selectors accepted");
            return Err(Fault::bad_data(detail));
        }
        Some(Value::Array(list)) if !list.is_empty() => {
            let selectors = list.iter().map(|selector| entity_selector(selector, core, local));
            let mut selectors = selectors.collect::<Result<Vec<_>, _>>()?;
            if selectors.len() == 1 { selectors.remove(0) } else { Filter::Or(selectors) }
        }
        Some(_) => return Err(Fault::bad_data("entities: not a list of at least one selector")),
    };
    let names = ContextNames(reading.q_context);
    let options = QOptions {
        expand_values: text(members, "expandValues")?,
        json_keys: text(members, "jsonKeys")?,
    };
    if let Some(q) = text(members, "q")? {
        let q = parse_q(q, &names, options)?;
        let most = reading.limits.join_levels;
        if q.link_levels() > most {
            return Err(Fault::bad_data(format!("q: more than {most} relationships deep")));
        }
        filter = filter.and(q);
    }
    check_source_filter(text(members, "csf")?, reading.q_context)?;
    if let Some(geo) = members.get("geoQ") {
        filter = filter.and(parse_geo_query(&geo.to_string(), &ContextNames(core))?);
    }
    if let Some(scope_q) = text(members, "scopeQ")? {
        filter = filter.and(parse_scope_q(scope_q)?);
    }
    Ok(filter)
}

fn entity_selector(selector: &Value, core: &Context, local: Option<bool>) -> Result<Filter, Fault> {
    let Value::Object(members) = selector else {
        return Err(Fault::bad_data("entities: a selector is an object"));
    };
    if let Some(name) =
        members.keys().find(|name| !["type", "id", "idPattern"].contains(&name.as_str()))
    {
        return Err(Fault::bad_data(format!("entities: {name:?} is not a member of a selector")));
    }
    let ids = match members.get("id") {
        None => None,
        Some(Value::String(id)) => Some(id.clone()),
        Some(_) => Some(strings(members, "id")?.unwrap_or_default().join(",")),
    };
    let types = text(members, "type")?.ok_or_else(|| missing("entities: type"))?;
    let question_text = QuestionText {
        types: Some(types),
        ids: ids.as_deref(),
        id_pattern: text(members, "idPattern")?,
        local,
        ..QuestionText::default()
    };
    question(&question_text, None, core, 0)
}

fn watched(members: &Members, context: ContextNames<'_>) -> Result<Vec<Iri>, Fault> {
    let Some(names) = strings(members, "watchedAttributes")? else { return Ok(Vec::new()) };
    if names.is_empty() {
        return Err(Fault::bad_data("watchedAttributes: the list is empty"));
    }
    Ok(parse_attributes(&names.join(","), &context)?)
}

fn triggers(members: &Members) -> Result<Triggers, Fault> {
    let Some(names) = strings(members, "notificationTrigger")? else {
        return Ok(Triggers::DEFAULT);
    };
    if names.is_empty() {
        return Err(Fault::bad_data("notificationTrigger: the list is empty"));
    }
    names.iter().try_fold(Triggers::NONE, |all, name| {
        let trigger = Triggers::parse(name).ok_or_else(|| {
            Fault::bad_data(format!("notificationTrigger: {name:?} is no trigger"))
        })?;
        Ok(all.with(trigger))
    })
}

/// What may stand there.
const KNOWN_MEMBERS: [&str; 6] =
    ["uri", "accept", "cooldown", "notifierInfo", "receiverInfo", "timeout"];

pub(super) fn endpoint(params: &Members, is_followed: bool) -> Result<Endpoint, Fault> {
    let none = Members::new();
    let members = match params.get("endpoint") {
        Some(Value::Object(members)) => members,
        None if is_followed => &none,
        _ => return Err(Fault::bad_data("notification.endpoint: an object is needed")),
    };
    if let Some(name) = members.keys().find(|name| !KNOWN_MEMBERS.contains(&name.as_str())) {
        return Err(Fault::bad_data(format!(
            "notification.endpoint: {name:?} is not a member of it"
        )));
    }
    let (uri, mut mqtt) = match text(members, "uri")? {
        Some(uri) => (uri, broker(members, uri)?),
        None if is_followed => ("", None),
        None => return Err(missing("notification.endpoint.uri")),
    };
    let accept = match text(members, "accept")? {
        None | Some("application/json") => Media::Json,
        Some("application/ld+json") => Media::JsonLd,
        Some("application/geo+json") => Media::GeoJson,
        Some(other) => {
            return Err(Fault::bad_data(format!(
                "notification.endpoint.accept: {other:?} is not offered"
            )));
        }
    };
    if mqtt.is_some() && accept == Media::GeoJson {
        return Err(Fault::bad_data(
            "notification.endpoint.accept: a broker takes no \"application/geo+json\" (table 7.2-2)",
        ));
    }
    pairs(members, "notifierInfo")?;
    let mut headers = Vec::new();
    for (key, value) in pairs(members, "receiverInfo")? {
        if let Some(topic) = &mut mqtt {
            topic.metadata.push((key, value));
            continue;
        }
        let name = HeaderName::try_from(key.as_str());
        let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value.as_str())) else {
            return Err(Fault::bad_data(format!(
                "receiverInfo: {key:?} and its value make no header"
            )));
        };
        headers.push((name, value));
    }
    Ok(Endpoint {
        uri: uri.to_owned(),
        accept,
        headers,
        mqtt,
        timeout: milliseconds(members, "timeout")?,
        cooldown: milliseconds(members, "cooldown")?,
    })
}

/// The topic that an address leads to, where it is one of a broker.
fn broker(members: &Members, uri: &str) -> Result<Option<Topic>, Fault> {
    let iri = Iri::new(uri.to_owned())?;
    match iri.as_str().split(':').next().unwrap_or("") {
        "http" | "https" => match cardo_egress::Url::parse(uri) {
            Ok(_) => Ok(None),
            Err(error) => Err(Fault::bad_data(format!("notification.endpoint.uri: {error}"))),
        },
        "mqtt" | "mqtts" => topic(members, uri).map(Some),
        other => Err(Fault::bad_data(format!(
            "notification.endpoint.uri: {other:?} is none of http, https, mqtt and mqtts"
        ))),
    }
}

/// What a topic of a broker is told by (clause 7.2).
fn topic(members: &Members, uri: &str) -> Result<Topic, Fault> {
    if let Err(error) = cardo_egress::mqtt::Endpoint::parse(uri) {
        return Err(Fault::bad_data(format!("notification.endpoint.uri: {error}")));
    }
    let mut parameters = MqttParameters::default();
    for (key, value) in pairs(members, "notifierInfo")? {
        match (key.as_str(), value.as_str()) {
            ("MQTT-QoS", "0") => parameters.quality = Quality::AtMostOnce,
            ("MQTT-QoS", "1") => parameters.quality = Quality::AtLeastOnce,
            ("MQTT-QoS", "2") => parameters.quality = Quality::ExactlyOnce,
            ("MQTT-Version", "mqtt3.1.1") => parameters.version = Version::V3,
            ("MQTT-Version", "mqtt5.0") => parameters.version = Version::V5,
            ("MQTT-QoS" | "MQTT-Version", other) => {
                return Err(Fault::bad_data(format!(
                    "notifierInfo: {other:?} is no value of {key} (table 7.2-1)"
                )));
            }
            _ => {}
        }
    }
    Ok(Topic { parameters, metadata: Vec::new() })
}

/// An array of `{key, value}` (clause 5.2.22).
fn pairs(members: &Members, name: &str) -> Result<Vec<(String, String)>, Fault> {
    let wrong = || Fault::bad_data(format!("{name}: not an array of objects with key and value"));
    match members.get(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| match (item.get("key"), item.get("value")) {
                (Some(Value::String(key)), Some(Value::String(value))) => {
                    Ok((key.clone(), value.clone()))
                }
                _ => Err(wrong()),
            })
            .collect(),
        Some(_) => Err(wrong()),
    }
}

fn missing(name: &str) -> Fault {
    Fault::bad_data(format!("the member {name} is missing"))
}

pub(crate) fn text<'a>(members: &'a Members, name: &str) -> Result<Option<&'a str>, Fault> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Fault::bad_data(format!("{name}: not a text"))),
    }
}

pub(super) fn strings(members: &Members, name: &str) -> Result<Option<Vec<String>>, Fault> {
    let wrong = || Fault::bad_data(format!("{name}: not an array of texts"));
    match members.get(name) {
        None => Ok(None),
        Some(Value::Array(items)) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong));
            texts.collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(wrong()),
    }
}

pub(super) fn flag(members: &Members, name: &str) -> Result<Option<bool>, Fault> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::Bool(is_set)) => Ok(Some(*is_set)),
        Some(_) => Err(Fault::bad_data(format!("{name}: neither true nor false"))),
    }
}

fn moment(members: &Members, name: &str) -> Result<Option<Timestamp>, Fault> {
    match text(members, name)? {
        None => Ok(None),
        Some(text) => match Timestamp::parse(text) {
            Ok(moment) => Ok(Some(moment)),
            Err(error) => Err(Fault::bad_data(format!("{name}: {error}"))),
        },
    }
}

fn positive(members: &Members, name: &str) -> Result<Option<f64>, Fault> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => match number.as_f64() {
            Some(number) if number > 0.0 && number < 1e10 => Ok(Some(number)),
            _ => Err(Fault::bad_data(format!("{name}: not a number greater than 0"))),
        },
        Some(_) => Err(Fault::bad_data(format!("{name}: not a number greater than 0"))),
    }
}

fn seconds(members: &Members, name: &str) -> Result<Option<Duration>, Fault> {
    // A timer needs some time.
    let time = positive(members, name)?.map(Duration::from_secs_f64);
    Ok(time.map(|time| time.max(Duration::from_millis(10))))
}

fn milliseconds(members: &Members, name: &str) -> Result<Option<Duration>, Fault> {
    Ok(positive(members, name)?.map(|number| Duration::from_secs_f64(number / 1_000.0)))
}
