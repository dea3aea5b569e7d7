use std::time::Duration as StdDuration;

use cardo_model::{Geometry, Iri, JsonText, Scope, Timestamp};
use cardo_query::Pattern;
use geo_types::Geometry as Shape;
use serde_json::{Map, Value};

use super::registration::{EntityInfo, Information, Interval, Management, Mode, Registration};
use super::{Operations, SourceOperation};
use crate::history::Duration;

type Members = Map<String, Value>;
type Read<T> = Result<T, InvalidRegistration>;

/// Why a text is no registration (clauses 5.2.8 to 5.2.11 and 5.2.34).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidRegistration(Box<str>);

/// How many entities and names the information of one registration may hold.
const MAX_ELEMENTS: usize = 20_000;
/// How many of them may be patterns of ids, which take memory.
const MAX_PATTERNS: usize = 100;
/// The namespace of the members of a registration.
const CORE: &str = "https://uri.etsi.org/ngsi-ld/";

impl Registration {
    /// The members of a registration (table 5.2.9-1).
    pub const MEMBERS: &[&str] = &[
        "id",
        "type",
        "endpoint",
        "contextSourceInfo",
        "information",
        "contextSourceAlias",
        "description",
        "datasetId",
        "expiresAt",
        "location",
        "management",
        "managementInterval",
        "mode",
        "observationInterval",
        "observationSpace",
        "operations",
        "operationSpace",
        "refreshRate",
        "registrationName",
        "scope",
        "tenant",
    ];

    /// Reads a registration whose names are full ones; members that the standard does not name are
    /// properties of the source.
    pub fn read(members: &Members) -> Read<Self> {
        if text(members, "type")? != Some("ContextSourceRegistration") {
            return Err(wrong("the type is not \"ContextSourceRegistration\""));
        }
        let id = Iri::new(needed(members, "id")?.to_owned())
            .map_err(|error| wrong(format!("id: {error}")))?;
        let endpoint = needed(members, "endpoint")?;
        Iri::new(endpoint.to_owned()).map_err(|error| wrong(format!("endpoint: {error}")))?;
        if !is_web(endpoint) {
            return Err(wrong(format!("endpoint: {endpoint:?} is no URL of http or https")));
        }
        let mode = match text(members, "mode")? {
            None => Mode::default(),
            Some(name) => Mode::parse(name).ok_or_else(|| {
                wrong(format!("mode: {name:?} is not inclusive, exclusive, redirect or auxiliary"))
            })?,
        };
        let registration = Self {
            id,
            information: information(members)?,
            mode,
            operations: operations(members)?,
            endpoint: endpoint.into(),
            tenant: filled(members, "tenant")?,
            source_info: source_info(members)?,
            alias: alias(members)?,
            datasets: datasets(members)?,
            scopes: scopes(members)?,
            location: geometry(members, "location")?,
            observation_space: geometry(members, "observationSpace")?,
            operation_space: geometry(members, "operationSpace")?,
            observation_interval: interval(members, "observationInterval")?,
            management_interval: interval(members, "managementInterval")?,
            expires_at: moment(members, "expiresAt")?,
            management: management(members)?,
            properties: properties(members)?,
            progress: std::sync::Arc::default(),
        };
        filled(members, "description")?;
        filled(members, "registrationName")?;
        duration(members, "refreshRate")?;
        registration.check_mode()?;
        Ok(registration)
    }

    /// What a mode demands (clauses 4.3.6.3 and 5.9.2.4).
    fn check_mode(&self) -> Read<()> {
        if self.mode == Mode::Exclusive {
            let names_one = |info: &Information| {
                !info.has_any_attribute()
                    && !info.entities.is_empty()
                    && info.entities.iter().all(|entity| entity.id.is_some())
            };
            if !self.information.iter().all(names_one) {
                return Err(wrong(
                    "an exclusive registration names attributes and the id of an entity in each element of information",
                ));
            }
        }
        let consuming =
            Operations::of(&[SourceOperation::RetrieveEntity, SourceOperation::QueryEntity]);
        if self.mode == Mode::Auxiliary && !self.operations.is_within(consuming) {
            return Err(wrong(
                "the operations of an auxiliary registration are retrieveOps, retrieveEntity or queryEntity",
            ));
        }
        Ok(())
    }
}

fn information(members: &Members) -> Read<Vec<Information>> {
    let list = objects(members, "information")?.ok_or_else(|| missing("information"))?;
    let (mut elements, mut patterns) = (0, 0);
    let mut all = Vec::with_capacity(list.len());
    for info in list {
        let entities = objects(info, "entities")?.unwrap_or_default();
        let info = Information {
            entities: entities.into_iter().map(entity_info).collect::<Read<_>>()?,
            properties: names(info, "propertyNames")?,
            relationships: names(info, "relationshipNames")?,
        };
        if info.entities.is_empty() && info.has_any_attribute() {
            return Err(wrong("information: an element names entities or attributes"));
        }
        elements += info.entities.len() + info.attributes().count();
        patterns += info.entities.iter().filter(|entity| entity.id_pattern.is_some()).count();
        all.push(info);
    }
    if elements > MAX_ELEMENTS || patterns > MAX_PATTERNS {
        return Err(wrong(format!(
            "information: more than {MAX_ELEMENTS} entities and names or {MAX_PATTERNS} patterns"
        )));
    }
    Ok(all)
}

fn entity_info(members: &Members) -> Read<EntityInfo> {
    let types = match members.get("type") {
        Some(Value::String(name)) => vec![full_name("type", name)?],
        Some(Value::Array(_)) => names(members, "type")?,
        _ => return Err(wrong("information: an element of entities has no type")),
    };
    let id = text(members, "id")?.map(|id| full_name("id", id)).transpose()?;
    let pattern = text(members, "idPattern")?
        .map(|pattern| {
            Pattern::posix(pattern).map_err(|error| wrong(format!("idPattern: {error}")))
        })
        .transpose()?;
    let id_pattern = pattern.filter(|_| id.is_none());
    Ok(EntityInfo { types, id, id_pattern })
}

fn operations(members: &Members) -> Read<Operations> {
    let Some(names) = strings(members, "operations")? else { return Ok(Operations::FEDERATION) };
    names.into_iter().try_fold(Operations::NONE, |all, name| {
        let some = Operations::parse(name).ok_or_else(|| {
            wrong(format!("operations: {name:?} is neither an operation nor a group of them"))
        })?;
        Ok(all.and(some))
    })
}

fn source_info(members: &Members) -> Read<Vec<(Box<str>, Box<str>)>> {
    // This list may be empty (table 5.2.9-1).
    if members.get("contextSourceInfo").is_some_and(|list| *list == Value::Array(Vec::new())) {
        return Ok(Vec::new());
    }
    let pairs = objects(members, "contextSourceInfo")?.unwrap_or_default();
    let pairs = pairs.into_iter().map(|pair| {
        let (key, value) = (text(pair, "key")?, text(pair, "value")?);
        match (key, value) {
            (Some(key), Some(value)) if !key.is_empty() => Ok((key.into(), value.into())),
            _ => Err(wrong("contextSourceInfo: an element is no pair of a key and a value")),
        }
    });
    pairs.collect()
}

/// Whether requests can be sent to it: a URL of http or https with a host.
fn is_web(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':', '?', '#']))
}

/// A pseudonym of RFC 7230, section 5.7.1.
fn alias(members: &Members) -> Read<Option<Box<str>>> {
    let Some(alias) = filled(members, "contextSourceAlias")? else { return Ok(None) };
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if !alias.chars().all(is_token) {
        return Err(wrong(format!("contextSourceAlias: {alias:?} is no pseudonym")));
    }
    Ok(Some(alias))
}

fn datasets(members: &Members) -> Read<Vec<Box<str>>> {
    let ids = strings(members, "datasetId")?.unwrap_or_default();
    for id in ids.iter().filter(|id| **id != "@none") {
        full_name("datasetId", id)?;
    }
    Ok(ids.into_iter().map(Box::from).collect())
}

fn scopes(members: &Members) -> Read<Vec<Scope>> {
    let texts = match members.get("scope") {
        Some(Value::String(scope)) => vec![scope.as_str()],
        _ => strings(members, "scope")?.unwrap_or_default(),
    };
    let read = |text: &str| Scope::new(text).map_err(|error| wrong(format!("scope: {error}")));
    texts.into_iter().map(read).collect()
}

fn geometry(members: &Members, name: &str) -> Read<Option<Shape<f64>>> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let geometry = Geometry::parse(&value.to_string());
    geometry
        .map(|geometry| Some(geometry.shape()))
        .map_err(|error| wrong(format!("{name}: {error}")))
}

fn interval(members: &Members, name: &str) -> Read<Option<Interval>> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let Value::Object(bounds) = value else { return Err(wrong(format!("{name}: not an object"))) };
    let within = |error: InvalidRegistration| wrong(format!("{name}: {error}"));
    let start = moment(bounds, "startAt").map_err(within)?;
    let start = start.ok_or_else(|| wrong(format!("{name}: startAt is missing")))?;
    let end = moment(bounds, "endAt").map_err(within)?;
    if end.is_some_and(|end| end < start) {
        return Err(wrong(format!("{name}: endAt lies before startAt")));
    }
    Ok(Some(Interval { start, end }))
}

fn management(members: &Members) -> Read<Management> {
    let members = match members.get("management") {
        None => return Ok(Management::default()),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(wrong("management: not an object")),
    };
    let known = ["cacheDuration", "cooldown", "localOnly", "timeout"];
    if let Some(name) = members.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(wrong(format!("management: {name:?} is not a member of it")));
    }
    let local_only = match members.get("localOnly") {
        None => false,
        Some(Value::Bool(local_only)) => *local_only,
        Some(_) => return Err(wrong("management.localOnly: neither true nor false")),
    };
    Ok(Management {
        local_only,
        timeout: milliseconds(members, "timeout")?,
        cooldown: milliseconds(members, "cooldown")?,
        cache_duration: duration(members, "cacheDuration")?,
    })
}

/// The members that describe the source: those that are texts, and those of the registrant.
fn properties(members: &Members) -> Read<Vec<(Iri, JsonText)>> {
    let mut properties = Vec::new();
    for (name, value) in members {
        let is_own = name.contains(':');
        if !is_own && !Registration::MEMBERS.contains(&name.as_str()) {
            return Err(wrong(format!("{name:?} is not a member of a registration")));
        }
        let value = match value {
            // What looks like an attribute says its value.
            Value::Object(members) if is_own && members.contains_key("type") => {
                members.get("value").or_else(|| members.get("object")).unwrap_or(value)
            }
            Value::String(_) | Value::Array(_) if name != "id" && name != "type" => value,
            _ if is_own => value,
            _ => continue,
        };
        let name = if is_own { name.clone() } else { format!("{CORE}{name}") };
        properties.push((full_name("a property", &name)?, JsonText::from_value(value)));
    }
    Ok(properties)
}

fn wrong(what: impl Into<Box<str>>) -> InvalidRegistration {
    InvalidRegistration(what.into())
}

fn missing(name: &str) -> InvalidRegistration {
    wrong(format!("the member {name} is missing"))
}

fn full_name(what: &str, name: &str) -> Read<Iri> {
    Iri::new(name.to_owned()).map_err(|error| wrong(format!("{what}: {error}")))
}

fn text<'a>(members: &'a Members, name: &str) -> Read<Option<&'a str>> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(format!("{name}: not a text"))),
    }
}

fn needed<'a>(members: &'a Members, name: &str) -> Read<&'a str> {
    text(members, name)?.ok_or_else(|| missing(name))
}

/// A text that is not empty.
fn filled(members: &Members, name: &str) -> Read<Option<Box<str>>> {
    match text(members, name)? {
        Some("") => Err(wrong(format!("{name}: empty"))),
        text => Ok(text.map(Box::from)),
    }
}

/// A list that is not empty.
fn list<'a>(members: &'a Members, name: &str) -> Read<Option<&'a [Value]>> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::Array(items)) if !items.is_empty() => Ok(Some(items)),
        Some(_) => Err(wrong(format!("{name}: not a list of at least one element"))),
    }
}

fn objects<'a>(members: &'a Members, name: &str) -> Read<Option<Vec<&'a Members>>> {
    let Some(items) = list(members, name)? else { return Ok(None) };
    let object = |item: &'a Value| {
        item.as_object().ok_or_else(|| wrong(format!("{name}: an element is no object")))
    };
    items.iter().map(object).collect::<Read<_>>().map(Some)
}

fn strings<'a>(members: &'a Members, name: &str) -> Read<Option<Vec<&'a str>>> {
    let Some(items) = list(members, name)? else { return Ok(None) };
    let text = |item: &'a Value| {
        item.as_str().ok_or_else(|| wrong(format!("{name}: an element is no text")))
    };
    items.iter().map(text).collect::<Read<_>>().map(Some)
}

fn names(members: &Members, name: &str) -> Read<Vec<Iri>> {
    let texts = strings(members, name)?.unwrap_or_default();
    texts.into_iter().map(|text| full_name(name, text)).collect()
}

fn moment(members: &Members, name: &str) -> Read<Option<Timestamp>> {
    let Some(text) = text(members, name)? else { return Ok(None) };
    // Times are in UTC (clause 4.6.3).
    if !text.ends_with('Z') {
        return Err(wrong(format!(
            "{name}: {text:?} is no time in UTC such as 2026-01-31T12:00:00Z"
        )));
    }
    Timestamp::parse(text).map(Some).map_err(|error| wrong(format!("{name}: {error}")))
}

fn duration(members: &Members, name: &str) -> Read<Option<Duration>> {
    let Some(text) = text(members, name)? else { return Ok(None) };
    Duration::parse(text).map(Some).map_err(|error| wrong(format!("{name}: {error}")))
}

fn milliseconds(members: &Members, name: &str) -> Read<Option<StdDuration>> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let number = value.as_f64().filter(|number| *number > 0.0 && *number < 1e12);
    let number = number.ok_or_else(|| {
        wrong(format!("management.{name}: not a number of milliseconds greater than 0"))
    })?;
    Ok(Some(StdDuration::from_secs_f64(number / 1_000.0)))
}
