//! The OpenAPI 3.1 document of the face, made from its table of routes and a description of each
//! operation.

mod operations;
mod parameters;
mod schemas;

use cardo_http::BaseUrl;
use serde_json::{Map, Value, json};

use crate::face::{BASE, Route};
use crate::options::NgsildLimits;
use operations::{Answers, Body, DESCRIPTIONS, Description};

#[cfg(test)]
pub(crate) use tests::check;

/// Routes that answer with nothing but a refusal: clause 6 has them, the server has no such operation.
const REFUSALS: [(&str, &str); 2] = [("put", "entities"), ("patch", "entities")];

/// The document for a server that is found at `base`.
pub(crate) fn document(routes: &[Route], base: &BaseUrl, limits: &NgsildLimits) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes.iter().filter(|route| !REFUSALS.contains(&(route.method, route.path))) {
        let description = DESCRIPTIONS.iter().find(|description| description.id == route.operation);
        let description = description.expect("a test finds every operation described");
        let path = paths.entry(format!("/{}", route.path)).or_insert_with(|| json!({}));
        path[route.method] = operation(description, route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Cardo: NGSI-LD",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Entities of a city, their history and subscriptions to them.",
            "description": "The operations of ETSI GS CIM 009 v1.9.1 that this server has. Names are short \
                            names of the @context of a request, or full IRIs.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": base.to(BASE) }],
        "security": [{}, { "bearer": [] }],
        "tags": operations::TAGS.iter().map(|(name, says)| json!({ "name": name, "description": says })).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "securitySchemes": { "bearer": {
                "type": "http", "scheme": "bearer",
                "description": "A token of the server's configuration; `cardo token` makes one. Whether it is \
                                needed is for the operator to say.",
            } },
            "parameters": parameters::all(limits),
            "headers": headers(),
            "responses": problems(),
            "schemas": schemas::all(),
        },
    })
}

fn operation(description: &Description, route: &Route) -> Value {
    let mut members = json!({
        "operationId": description.id,
        "tags": [description.tag],
        "summary": description.summary,
        "description": description.says,
        "parameters": parameters_of(description, route),
        "responses": responses(description, route),
    });
    if !description.example.is_empty() {
        members["x-example"] = json!({ "query": parameters::example(description.example) });
    }
    if let Some(body) = request_body(description.body) {
        members["requestBody"] = body;
    }
    members
}

fn parameters_of(description: &Description, route: &Route) -> Vec<Value> {
    let in_path =
        route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| match (name, route.path.split('/').next()) {
        ("id", Some("subscriptions" | "csourceSubscriptions")) => "subscriptionId",
        ("id", Some("csourceRegistrations")) => "registrationId",
        ("id", Some("jsonldContexts")) => "contextId",
        ("id", Some("entityMaps")) => "entityMapId",
        ("id", Some("snapshots")) => "snapshotId",
        ("id", _) => "entityId",
        ("attribute", Some("attributes")) => "attributeName",
        (other, _) => other,
    });
    let in_path = in_path.map(|name| if name == "type" { "typeName" } else { name });
    let common = ["tenant", "minRevision"].into_iter();
    let resource = route.path.split('/').next();
    let has_past = matches!(resource, Some("entities" | "types" | "attributes"));
    let at = (route.method == "get" && has_past).then_some("at");
    let has_names = !matches!(description.body, Body::Ids) && description.tag != "Contexts";
    let link = has_names.then_some("link");
    let accept =
        (route.method == "get").then_some("ifNoneMatch").filter(|_| description.is_tagged());
    in_path
        .chain(description.parameters.iter().copied())
        .chain(common)
        .chain(at)
        .chain(link)
        .chain(accept)
        .map(|name| json!({ "$ref": format!("#/components/parameters/{name}") }))
        .collect()
}

fn request_body(body: Body) -> Option<Value> {
    let (schema, example) = match body {
        Body::None => return None,
        Body::Entity => ("Entity", schemas::example_entity()),
        Body::Fragment => {
            ("EntityFragment", json!({ "availableSpots": { "type": "Property", "value": 17 } }))
        }
        Body::Attribute => ("Attribute", json!({ "type": "Property", "value": 17 })),
        Body::Entities => ("Entities", json!([schemas::example_entity()])),
        Body::Ids => ("Ids", json!(["urn:ngsi-ld:ParkingSite:example"])),
        Body::Query => (
            "Query",
            json!({ "type": "Query", "entities": [{ "type": "Building" }], "q": "floorsAboveGround>=7" }),
        ),
        Body::TemporalEntity => {
            let instance = |value: u8, hour: u8| json!({ "type": "Property", "value": value, "observedAt": format!("2026-11-01T{hour}:00:00Z") });
            let example = json!({ "id": "urn:ngsi-ld:ParkingSite:example", "type": "ParkingSite",
                "availableSpots": [instance(12, 12), instance(9, 13)] });
            ("TemporalEntity", example)
        }
        Body::TemporalFragment => (
            "TemporalFragment",
            json!({ "availableSpots": [{ "type": "Property", "value": 17, "observedAt": "2026-11-01T14:00:00Z" }] }),
        ),
        Body::TemporalQuery => (
            "TemporalQuery",
            json!({ "type": "Query", "entities": [{ "type": "ParkingSite" }],
                "temporalQ": { "timerel": "after", "timeAt": "2020-01-01T00:00:00Z", "lastN": 3 } }),
        ),
        Body::Snapshot => (
            "Snapshot",
            json!({ "id": "urn:ngsi-ld:Snapshot:example", "type": "Snapshot",
                "snapshotQueries": [{ "type": "Query", "entities": [{ "type": "Building" }], "q": "floorsAboveGround>=7" }],
                "snapshotLifetime": "PT1H" }),
        ),
        Body::SnapshotClone => (
            "SnapshotFragment",
            json!({ "id": "urn:ngsi-ld:Snapshot:copy", "type": "Snapshot", "snapshotPriority": 1 }),
        ),
        Body::SnapshotFragment => ("SnapshotFragment", json!({ "snapshotPriority": 7 })),
        Body::EntityMapFragment => (
            "EntityMapFragment",
            json!({ "type": "EntityMap", "expiresAt": "2030-01-01T00:00:00Z" }),
        ),
        Body::Subscription => ("Subscription", schemas::example_subscription()),
        Body::FollowedSubscription => (
            "SubscriptionFragment",
            json!({ "type": "Subscription", "entities": [{ "type": "Building" }], "timeInterval": 1,
                "notification": { "pick": ["id", "name"] } }),
        ),
        Body::SubscriptionFragment => ("SubscriptionFragment", json!({ "isActive": false })),
        Body::SourceSubscription => ("SourceSubscription", schemas::example_source_subscription()),
        Body::Registration => ("Registration", schemas::example_registration()),
        Body::RegistrationFragment => {
            ("RegistrationFragment", json!({ "description": "Trees of the parks" }))
        }
        Body::Replay => ("Replay", json!({})),
        Body::Again => ("Again", json!({})),
        Body::Context => {
            let names = json!({ "availableSpots": "https://example.org/availableSpots" });
            ("Context", json!({ "@context": names }))
        }
    };
    let reference = json!({ "$ref": format!("#/components/schemas/{schema}") });
    let mut with_context = example.clone();
    if let Value::Object(members) = &mut with_context
        && !members.contains_key("@context")
    {
        let core = cardo_jsonld::CORE_CONTEXT_URL;
        members.insert("@context".to_owned(), core.into());
    }
    let mut content = json!({ "application/json": { "schema": reference, "example": example } });
    if with_context.is_object() {
        content["application/ld+json"] = json!({ "schema": reference, "example": with_context });
    }
    Some(json!({ "required": true, "content": content }))
}

fn responses(description: &Description, route: &Route) -> Value {
    let mut responses = Map::new();
    let revision = json!({ "Cardo-Revision": { "$ref": "#/components/headers/Cardo-Revision" } });
    for &(status, says, schema) in description.answers.list() {
        let mut headers = revision.clone();
        let mut response = json!({ "description": says });
        if let Some(schema) = schema {
            let reference =
                json!({ "schema": { "$ref": format!("#/components/schemas/{schema}") } });
            response["content"] = json!({ "application/json": reference });
            if description.has_context_answer() {
                response["content"]["application/ld+json"] = reference.clone();
            }
            if description.has_features() {
                let feature = if schema == "Entities" { "FeatureCollection" } else { "Feature" };
                let reference = format!("#/components/schemas/{feature}");
                response["content"]["application/geo+json"] =
                    json!({ "schema": { "$ref": reference } });
            }
        }
        if matches!(description.answers, Answers::Events) {
            response["content"] =
                json!({ "text/event-stream": { "schema": { "type": "string" } } });
        }
        let own = description.headers(status);
        for name in own {
            headers[name] = json!({ "$ref": format!("#/components/headers/{name}") });
        }
        response["headers"] = headers;
        responses.insert(status.to_owned(), response);
    }
    if description.is_tagged() && route.method == "get" {
        responses.insert(
            "304".to_owned(),
            json!({ "description": "The client has this answer already." }),
        );
    }
    for name in description.problems(route) {
        responses
            .insert(name.to_owned(), json!({ "$ref": format!("#/components/responses/{name}") }));
    }
    responses.sort_keys();
    Value::Object(responses)
}

fn headers() -> Value {
    let text = |says: &str| json!({ "description": says, "schema": { "type": "string" } });
    json!({
        "Cardo-Revision": { "description": "The revision of the twin that the answer shows.", "schema": { "type": "integer", "minimum": 0 } },
        "ETag": text("Weak tag of this answer, for If-None-Match."),
        "Link": text("The @context of the answer, and for lists the pages `next` and `prev`."),
        "Location": text("The address of what was created."),
        "NGSILD-Results-Count": { "description": "How many there are in all; with count=true.", "schema": { "type": "integer", "minimum": 0 } },
        "NGSILD-EntityMap": text("The address of the entity map by which the answer was made."),
        "Content-Range": text("Which range of time an answer shows that was cut."),
    })
}

fn problems() -> Value {
    const PROBLEMS: [(&str, &str); 13] = [
        ("400", "The request is wrong; the detail quotes what is."),
        ("401", "A token is needed, or the one given is not known."),
        ("403", "The token does not allow this, or the question asks for too much."),
        ("404", "There is no such thing, or no such tenant."),
        ("406", "No media type that is accepted can be given; the body lists those that can."),
        ("409", "It exists already."),
        ("410", "The log no longer reaches back so far; the detail names the oldest cursor."),
        ("411", "The length of the body is missing."),
        ("413", "The request is larger than what is accepted."),
        ("415", "The media type or coding of the body is not understood."),
        ("422", "A copy of what others publish is not served."),
        ("503", "Not now; try again in a moment."),
        ("504", "It could not be downloaded."),
    ];
    let mut responses = Map::new();
    for (status, says) in PROBLEMS {
        let schema = if status == "406" {
            json!({ "type": "array", "items": { "type": "string" } })
        } else {
            json!({ "$ref": "#/components/schemas/Problem" })
        };
        let mut response = json!({ "description": says });
        if status != "411" {
            response["content"] = json!({ "application/json": { "schema": schema } });
        }
        responses.insert(status.to_owned(), response);
    }
    Value::Object(responses)
}

impl Description {
    fn has_features(&self) -> bool {
        matches!(self.answers, Answers::Entity | Answers::Entities)
    }

    fn has_context_answer(&self) -> bool {
        !matches!(
            self.answers,
            Answers::Created
                | Answers::Events
                | Answers::Done
                | Answers::Updated
                | Answers::BatchCreated
                | Answers::BatchDone
        )
    }

    fn is_tagged(&self) -> bool {
        self.has_context_answer()
            && !matches!(
                self.answers,
                Answers::Subscription
                    | Answers::Subscriptions
                    | Answers::Registration
                    | Answers::Registrations
                    | Answers::EntityMap
                    | Answers::Snapshot
                    | Answers::EntityMapCreated
                    | Answers::SourceSubscription
                    | Answers::SourceSubscriptions
                    | Answers::Identity
                    | Answers::Letters
                    | Answers::Parcels
                    | Answers::Context
                    | Answers::Contexts
            )
    }

    fn headers(&self, status: &str) -> Vec<&'static str> {
        let mut names = match (self.answers, status) {
            (Answers::Created, _) => vec!["Location"],
            (
                Answers::Entities
                | Answers::Subscriptions
                | Answers::Registrations
                | Answers::SourceSubscriptions
                | Answers::Letters
                | Answers::Parcels,
                _,
            ) => vec!["Link", "NGSILD-Results-Count"],
            (_, "206") => vec!["Link", "Content-Range"],
            (Answers::EntityMapCreated, _) => vec!["Link", "NGSILD-EntityMap"],
            (Answers::Context | Answers::Contexts, _) => Vec::new(),
            _ if self.has_context_answer() => vec!["Link"],
            _ => Vec::new(),
        };
        if status == "201" && matches!(self.answers, Answers::Entities | Answers::Histories) {
            names.push("NGSILD-EntityMap");
        }
        if self.is_tagged()
            && status == "200"
            && !matches!(self.id, "post-query" | "post-temporal-query")
        {
            names.push("ETag");
        }
        names
    }

    fn problems(&self, route: &Route) -> Vec<&'static str> {
        let mut names = vec!["400", "401", "403", "404", "503"];
        if self.has_context_answer() {
            names.push("406");
        }
        if !matches!(self.body, Body::None) {
            names.extend(["411", "413", "415"]);
        }
        let has_own_id = !matches!(self.body, Body::Context);
        if route.method == "post" && matches!(self.answers, Answers::Created) && has_own_id {
            names.push("409");
        }
        match self.id {
            "serve-context" => names.push("422"),
            "delete-context" => names.push("504"),
            "follow" | "follow-by-body" => names.push("410"),
            _ => {}
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every route that is an operation is described once, and nothing else is.
    pub(crate) fn check(table: &[Route]) {
        let routes: Vec<&Route> =
            table.iter().filter(|route| !REFUSALS.contains(&(route.method, route.path))).collect();
        for route in &routes {
            let described = DESCRIPTIONS.iter().filter(|one| one.id == route.operation).count();
            assert_eq!(described, 1, "{route:?}");
        }
        for description in DESCRIPTIONS {
            let routed = routes.iter().filter(|route| route.operation == description.id).count();
            assert_eq!(routed, 1, "{}", description.id);
        }
    }
}
