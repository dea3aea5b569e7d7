//! A question to a context source, as a request (clauses 6.4.3.2, 6.5.3.1 and 6.23.3.1).

use std::fmt::Write as _;

use cardo_egress::{Bytes, Method};
use cardo_engine::{Registration, SourceOperation, SourceRequest, WantedEntities};
use cardo_jsonld::Context;
use cardo_model::{EntityId, Geometry, Iri};
use cardo_query::{
    Filter, GeoCondition, NamePrinter, ScopeTest, TemporalProperty, TimeRelation, print,
};
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

/// Whether a source is asked for an entity map beside entities: where it can make any, and has not
/// yet for the same question.
pub(super) fn asks_for_map(request: &SourceRequest<'_>) -> bool {
    use SourceOperation::{CreateEntityMapQueryEntity, CreateEntityMapQueryTemporal};
    let (maps, registration) = (&request.forwarding.asked.maps, request.registration);
    let can = [CreateEntityMapQueryEntity, CreateEntityMapQueryTemporal];
    maps.are_wanted
        && maps.of(registration).is_none()
        && can.iter().any(|operation| registration.operations.contains(*operation))
}

/// A request in the making.
pub(super) struct Written {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Bytes,
}

/// A query string in the making.
pub(super) struct Query(String);

impl Query {
    pub(super) fn of(path: &str) -> Self {
        Self(path.to_owned())
    }

    pub(super) fn add(&mut self, name: &str, value: &str) {
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

    pub(super) fn add_if(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.add(name, &value);
        }
    }

    /// Which entities, which attributes of them, and what they have to meet.
    fn add_selection(&mut self, request: &SourceRequest<'_>, context: &Context) {
        self.add_question(request, context);
        self.add_if("attrs", attributes(&request.attributes, context));
    }

    /// Which entities are meant, as far as that can be told; whether all of it could.
    pub(super) fn add_question(&mut self, request: &SourceRequest<'_>, context: &Context) -> bool {
        let WantedEntities { types, ids, id_pattern } = &request.entities;
        let conditions = Conditions::of(&request.filter, context);
        let selection = types.as_ref().and_then(|types| selection(types, context));
        let is_whole = conditions.is_whole && types.is_some() == selection.is_some();
        self.add_if("type", selection);
        self.add_if("id", list(ids.iter().map(Iri::as_str)));
        self.add_if("idPattern", id_pattern.as_ref().map(|pattern| pattern.as_str().to_owned()));
        self.add_if("q", conditions.q);
        self.add_if("scopeQ", conditions.scope);
        for (name, value) in conditions.geo.iter().flatten() {
            self.add(name, value);
        }
        is_whole
    }

    /// The range of time (clause 4.11); a question for many needs one.
    fn add_time(&mut self, request: &SourceRequest<'_>, is_needed: bool) {
        let asked = &request.forwarding.asked;
        let (relation, moments) = match asked.time.map(|range| range.relation) {
            None if !is_needed => return self.add_last(asked.last),
            None => ("after", [Some("1900-01-01T00:00:00Z".to_owned()), None]),
            Some(TimeRelation::Before(end)) => ("before", [Some(end.to_string()), None]),
            Some(TimeRelation::After(start)) => ("after", [Some(start.to_string()), None]),
            Some(TimeRelation::Between(start, end)) => {
                ("between", [Some(start.to_string()), Some(end.to_string())])
            }
        };
        let property = match asked.time.map(|range| range.property) {
            None | Some(TemporalProperty::ObservedAt) => None,
            Some(TemporalProperty::CreatedAt) => Some("createdAt"),
            Some(TemporalProperty::ModifiedAt) => Some("modifiedAt"),
            Some(TemporalProperty::DeletedAt) => Some("deletedAt"),
        };
        let [time_at, end_time_at] = moments;
        self.add("timerel", relation);
        self.add_if("timeAt", time_at);
        self.add_if("endTimeAt", end_time_at);
        self.add_if("timeproperty", property.map(str::to_owned));
        self.add_last(asked.last);
    }

    fn add_last(&mut self, last: Option<usize>) {
        self.add_if("lastN", last.map(|last| last.to_string()));
    }

    /// That the source is to make an entity map, where it can (clause 5.5.14).
    fn add_map(&mut self, request: &SourceRequest<'_>) {
        if asks_for_map(request) {
            self.add("entityMap", "true");
            self.add_lifetime(request);
        }
    }

    fn add_lifetime(&mut self, request: &SourceRequest<'_>) {
        let lifetime = &request.forwarding.asked.maps.lifetime;
        self.add_if("entityMapLifetime", lifetime.as_deref().map(str::to_owned));
    }

    /// What every read has: the moments by which parts are merged, and that the source goes no
    /// farther where it is not to.
    fn finish(mut self, request: &SourceRequest<'_>) -> String {
        self.add("options", "sysAttrs");
        self.limited(request.registration)
    }

    /// What every request has (clause 5.2.34).
    pub(super) fn limited(mut self, registration: &Registration) -> String {
        if registration.management.local_only {
            self.add("local", "true");
        }
        self.0
    }
}

impl Written {
    pub(super) fn retrieve(request: &SourceRequest<'_>, naming: &Naming, id: &EntityId) -> Self {
        let mut query = Query::of(&format!("/entities/{}", encode(id.as_str())));
        query.add_if("attrs", attributes(&request.attributes, naming.context()));
        query.add_map(request);
        Self { method: Method::GET, path: query.finish(request), body: Bytes::new() }
    }

    pub(super) fn query(request: &SourceRequest<'_>, naming: &Naming, page: Page) -> Self {
        let mut query = Query::of("/entities");
        query.add_selection(request, naming.context());
        page.add(&mut query);
        Self { method: Method::GET, path: query.finish(request), body: Bytes::new() }
    }

    /// What is to be asked to know the types of a source and their attributes, or one of them alone
    /// (clauses 6.25 to 6.28): descriptions where it gives them, else lists.
    pub(super) fn discovery(request: &SourceRequest<'_>, naming: &Naming) -> Vec<Self> {
        use SourceOperation as Op;
        let knows = |operation| request.registration.operations.contains(operation);
        let segment = |name: &Iri| encode(&naming.context().compact_iri(name.as_str()));
        let mut paths = Vec::new();
        match &request.filter {
            Filter::Type(name) if knows(Op::RetrieveEntityTypeInfo) => {
                paths.push(format!("/types/{}", segment(name)));
            }
            Filter::HasAttribute(name) if knows(Op::RetrieveAttrTypeInfo) => {
                paths.push(format!("/attributes/{}", segment(name)));
            }
            _ => {
                if knows(Op::RetrieveEntityTypeDetails) {
                    paths.push("/types?details=true".to_owned());
                } else if knows(Op::RetrieveEntityTypes) {
                    paths.push("/types".to_owned());
                }
                if knows(Op::RetrieveAttrTypeDetails) && !knows(Op::RetrieveEntityTypeDetails) {
                    paths.push("/attributes?details=true".to_owned());
                }
            }
        }
        let local = request.registration.management.local_only;
        let written = |path: String| {
            let mut query = Query::of(&path);
            query.add_if("local", local.then(|| "true".to_owned()));
            Self { method: Method::GET, path: query.0, body: Bytes::new() }
        };
        paths.into_iter().map(written).collect()
    }

    /// The past of one entity (clause 6.19.3.1).
    pub(super) fn retrieve_past(
        request: &SourceRequest<'_>,
        naming: &Naming,
        id: &EntityId,
    ) -> Self {
        let mut query = Query::of(&format!("/temporal/entities/{}", encode(id.as_str())));
        query.add_if("attrs", attributes(&request.attributes, naming.context()));
        query.add_time(request, false);
        query.add_map(request);
        Self { method: Method::GET, path: query.finish(request), body: Bytes::new() }
    }

    /// A map of which entities there are, or were (clauses 6.34.3.1 and 6.35.3.1).
    pub(super) fn map(request: &SourceRequest<'_>, naming: &Naming, is_past: bool) -> Self {
        let mut query = Query::of(if is_past { "/temporal/entityMaps" } else { "/entityMaps" });
        query.add_selection(request, naming.context());
        if is_past {
            query.add_time(request, true);
        }
        query.add_lifetime(request);
        let path = query.limited(request.registration);
        Self { method: Method::GET, path, body: Bytes::new() }
    }

    /// The past of entities (clause 6.18.3.2).
    pub(super) fn query_past(request: &SourceRequest<'_>, naming: &Naming, page: Page) -> Self {
        let mut query = Query::of("/temporal/entities");
        query.add_selection(request, naming.context());
        query.add_time(request, true);
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

pub(super) fn attributes(names: &[Iri], context: &Context) -> Option<String> {
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
    /// Whether nothing is left out.
    is_whole: bool,
}

impl Conditions {
    fn of(filter: &Filter, context: &Context) -> Self {
        let mut conditions = Self { is_whole: true, ..Self::default() };
        let mut told = Filter::True;
        let one = [filter.clone()];
        let parts = if let Filter::And(parts) = filter { &parts[..] } else { &one };
        for part in parts {
            match part {
                Filter::Geo(condition) if conditions.geo.is_none() => {
                    conditions.geo = geoquery(condition, context);
                    conditions.is_whole &= conditions.geo.is_some();
                }
                part => {
                    if conditions.scope.is_none()
                        && let Some(text) = scopes(part)
                    {
                        conditions.scope = Some(text);
                    } else if print(part, &ContextNames(context)).is_some() {
                        told = told.and(part.clone());
                    } else {
                        conditions.is_whole &= matches!(part, Filter::True);
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
