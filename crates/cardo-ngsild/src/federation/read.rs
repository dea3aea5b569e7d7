//! A question to a context source, as a request (clauses 6.4.3.2, 6.5.3.1 and 6.23.3.1).

use std::fmt::Write as _;

use cardo_egress::{Bytes, Method};
use cardo_engine::{SourceRequest, WantedEntities};
use cardo_jsonld::Context;
use cardo_model::{EntityId, Geometry, Iri};
use cardo_query::{Filter, GeoCondition, NamePrinter, ScopeTest, print};
use cardo_spatial::GeoRelation;
use serde_json::{Map, Value, json};

use crate::operations::ContextNames;
use crate::represent::Naming;
use crate::respond::encode;

/// The largest page that is asked for.
const LARGEST: usize = 1_000;
/// The page that everybody answers with.
const SMALL: usize = 20;

/// A page of a source.
#[derive(Clone, Copy)]
pub(super) struct Page {
    pub(super) limit: usize,
    pub(super) offset: usize,
}

impl Page {
    pub(super) fn first(most: usize) -> Self {
        Self { limit: most.clamp(1, LARGEST), offset: 0 }
    }

    pub(super) fn can_shrink(self) -> bool {
        self.limit > SMALL && self.offset == 0
    }

    pub(super) fn shrink(&mut self) {
        self.limit = SMALL;
    }
}

/// A request in the making.
pub(super) struct Written {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Bytes,
}

/// A query string in the making.
struct Query(String);

impl Query {
    fn of(path: &str) -> Self {
        Self(path.to_owned())
    }

    fn add(&mut self, name: &str, value: &str) {
        let separator = if self.0.contains('?') { '&' } else { '?' };
        let _ = write!(self.0, "{separator}{name}=");
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~:,/".contains(&byte) {
                self.0.push(char::from(byte));
            } else {
                let _ = write!(self.0, "%{byte:02X}");
            }
        }
    }

    fn add_if(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.add(name, &value);
        }
    }

    /// What every read has: the moments by which parts are merged, and that the source goes no
    /// farther where it is not to.
    fn finish(mut self, request: &SourceRequest<'_>) -> String {
        self.add("options", "sysAttrs");
        if request.registration.management.local_only {
            self.add("local", "true");
        }
        self.0
    }
}

impl Written {
    pub(super) fn retrieve(request: &SourceRequest<'_>, naming: &Naming, id: &EntityId) -> Self {
        let mut query = Query::of(&format!("/entities/{}", encode(id.as_str())));
        query.add_if("attrs", attributes(&request.attributes, naming.context()));
        Self { method: Method::GET, path: query.finish(request), body: Bytes::new() }
    }

    pub(super) fn query(request: &SourceRequest<'_>, naming: &Naming, page: Page) -> Self {
        let context = naming.context();
        let WantedEntities { types, ids, id_pattern } = &request.entities;
        let conditions = Conditions::of(&request.filter, context);
        let mut query = Query::of("/entities");
        query.add_if("type", types.as_ref().and_then(|types| selection(types, context)));
        query.add_if("id", list(ids.iter().map(Iri::as_str)));
        query.add_if("idPattern", id_pattern.as_ref().map(|pattern| pattern.as_str().to_owned()));
        query.add_if("attrs", attributes(&request.attributes, context));
        query.add_if("q", conditions.q);
        query.add_if("scopeQ", conditions.scope);
        if let Some(geo) = &conditions.geo {
            for (name, value) in geo {
                query.add(name, value);
            }
        }
        page.add(&mut query);
        Self { method: Method::GET, path: query.finish(request), body: Bytes::new() }
    }

    pub(super) fn batch(request: &SourceRequest<'_>, naming: &Naming, page: Page) -> Self {
        let context = naming.context();
        let WantedEntities { types, ids, id_pattern } = &request.entities;
        let mut selector = Map::new();
        if let Some(types) = types.as_ref().and_then(|types| selection(types, context)) {
            selector.insert("type".to_owned(), types.into());
        }
        match &ids[..] {
            [] => {}
            [one] => {
                selector.insert("id".to_owned(), one.as_str().into());
            }
            several => {
                let ids: Vec<&str> = several.iter().map(Iri::as_str).collect();
                selector.insert("id".to_owned(), json!(ids));
            }
        }
        if let Some(pattern) = id_pattern {
            selector.insert("idPattern".to_owned(), pattern.as_str().into());
        }
        let mut body = json!({ "type": "Query" });
        if selector.contains_key("type") {
            body["entities"] = json!([selector]);
        }
        if let Some(names) = terms(&request.attributes, context) {
            body["attrs"] = json!(names);
        }
        let conditions = Conditions::of(&request.filter, context);
        for (name, text) in [("q", conditions.q), ("scopeQ", conditions.scope)] {
            if let Some(text) = text {
                body[name] = text.into();
            }
        }
        if let Some(geo) = conditions.geo {
            let members = geo.into_iter().map(|(name, text)| (name.to_owned(), text.into()));
            body["geoQ"] = Value::Object(members.collect());
        }
        let mut query = Query::of("/entityOperations/query");
        page.add(&mut query);
        Self {
            method: Method::POST,
            path: query.finish(request),
            body: body.to_string().into_bytes().into(),
        }
    }
}

impl Page {
    fn add(self, query: &mut Query) {
        query.add("limit", &self.limit.to_string());
        if self.offset > 0 {
            query.add("offset", &self.offset.to_string());
        }
    }
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> Option<String> {
    let items: Vec<&str> = items.collect();
    (!items.is_empty()).then(|| items.join(","))
}

fn terms(names: &[Iri], context: &Context) -> Option<Vec<String>> {
    let terms = names.iter().map(|name| context.compact_iri(name.as_str()).into_owned());
    (!names.is_empty()).then(|| terms.collect())
}

fn attributes(names: &[Iri], context: &Context) -> Option<String> {
    Some(terms(names, context)?.join(","))
}

/// A selection of types (clause 4.17), where it can be said.
fn selection(types: &Filter, context: &Context) -> Option<String> {
    let joined = |parts: &[Filter], separator: &str| {
        let parts: Option<Vec<String>> = parts
            .iter()
            .map(|part| match part {
                Filter::And(_) | Filter::Or(_) => Some(format!("({})", selection(part, context)?)),
                part => selection(part, context),
            })
            .collect();
        Some(parts?.join(separator))
    };
    match types {
        Filter::Type(name) => ContextNames(context).type_term(name),
        Filter::Or(parts) => joined(parts, ","),
        Filter::And(parts) => joined(parts, ";"),
        _ => None,
    }
}

/// The conditions of a question that a source can be told; what it cannot be told is judged here,
/// like all of them.
#[derive(Default)]
struct Conditions {
    q: Option<String>,
    scope: Option<String>,
    geo: Option<Vec<(&'static str, String)>>,
}

impl Conditions {
    fn of(filter: &Filter, context: &Context) -> Self {
        let mut conditions = Self::default();
        let mut told = Filter::True;
        let one = [filter.clone()];
        let parts = if let Filter::And(parts) = filter { &parts[..] } else { &one };
        for part in parts {
            match part {
                Filter::Geo(condition) if conditions.geo.is_none() => {
                    conditions.geo = geoquery(condition, context);
                }
                part => {
                    if conditions.scope.is_none()
                        && let Some(text) = scopes(part)
                    {
                        conditions.scope = Some(text);
                    } else if print(part, &ContextNames(context)).is_some() {
                        told = told.and(part.clone());
                    }
                }
            }
        }
        conditions.q = print(&told, &ContextNames(context));
        conditions
    }
}

/// A geoquery (clause 4.10).
fn geoquery(condition: &GeoCondition, context: &Context) -> Option<Vec<(&'static str, String)>> {
    if condition.missing_matches {
        return None;
    }
    let relation = match condition.test.relation() {
        GeoRelation::Near { min: None, max: Some(metres) } => {
            format!("near;maxDistance=={metres}")
        }
        GeoRelation::Near { min: Some(metres), max: None } => {
            format!("near;minDistance=={metres}")
        }
        GeoRelation::Within => "within".to_owned(),
        GeoRelation::Contains => "contains".to_owned(),
        GeoRelation::Overlaps => "overlaps".to_owned(),
        GeoRelation::Intersects => "intersects".to_owned(),
        GeoRelation::Equals => "equals".to_owned(),
        GeoRelation::Disjoint => "disjoint".to_owned(),
        GeoRelation::Near { .. } | GeoRelation::Touches | GeoRelation::Crosses => return None,
    };
    let geometry = Geometry::from_shape(condition.test.reference()).ok()?;
    let geometry: Value = serde_json::from_str(geometry.as_str()).ok()?;
    let (kind, coordinates) = (geometry["type"].as_str()?, geometry["coordinates"].to_string());
    let property = context.compact_iri(condition.property.as_str()).into_owned();
    Some(vec![
        ("georel", relation),
        ("geometry", kind.to_owned()),
        ("coordinates", coordinates),
        ("geoproperty", property),
    ])
}

/// A scope query (clause 4.19), where the condition is one.
fn scopes(filter: &Filter) -> Option<String> {
    let joined = |parts: &[Filter], separator: &str| {
        let parts: Option<Vec<String>> = parts
            .iter()
            .map(|part| match part {
                Filter::And(_) | Filter::Or(_) => Some(format!("({})", scopes(part)?)),
                part => scopes(part),
            })
            .collect();
        Some(parts?.join(separator))
    };
    let levels = |levels: &[Option<Box<str>>]| {
        levels.iter().fold(String::new(), |mut text, level| {
            text.push('/');
            text.push_str(level.as_deref().unwrap_or("+"));
            text
        })
    };
    match filter {
        Filter::Scope(ScopeTest::Exactly(scope)) => Some(scope.as_str().to_owned()),
        Filter::Scope(ScopeTest::Levels(names)) => Some(levels(names)),
        Filter::Scope(ScopeTest::Below(names)) => Some(format!("{}/#", levels(names))),
        Filter::Scope(ScopeTest::Any) => Some("/#".to_owned()),
        Filter::Or(parts) => joined(parts, ","),
        Filter::And(parts) => joined(parts, ";"),
        _ => None,
    }
}
