use serde_json::{Map, Value, json};

use crate::options::NgsildLimits;

/// A parameter of a query string: its key here, its name, what it means, its schema, an example.
type Row = (&'static str, &'static str, &'static str, Shape, &'static str);

enum Shape {
    Text,
    Flag,
    Count,
    Moment,
    Iri,
    One(&'static [&'static str]),
}

use Shape::{Count, Flag, Iri, Moment, One, Text};

const FORMATS: &[&str] = &["normalized", "concise", "keyValues", "simplified"];

const IN_QUERY: [Row; 51] = [
    (
        "type",
        "type",
        "Types of the entities: one, a list with commas, or an expression with | ; ( ). * is any.",
        Text,
        "Building",
    ),
    ("id", "id", "Ids, with commas between them.", Text, "urn:ngsi-ld:ParkingSite:example"),
    (
        "idPattern",
        "idPattern",
        "A regular expression that the id matches.",
        Text,
        "^urn:ngsi-ld:Building:",
    ),
    (
        "q",
        "q",
        "A condition on attributes, such as height>20;name==\"x\".",
        Text,
        "floorsAboveGround>=7",
    ),
    (
        "attrs",
        "attrs",
        "Attributes that are shown, of which an entity needs one.",
        Text,
        "name,location",
    ),
    ("pick", "pick", "Members that are shown; nothing else is.", Text, "id,name"),
    ("omit", "omit", "Members that are not shown.", Text, "location"),
    (
        "georel",
        "georel",
        "The relation to the geometry of the request.",
        Text,
        "near;maxDistance==1000",
    ),
    (
        "geometry",
        "geometry",
        "The type of that geometry.",
        One(&["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"]),
        "Point",
    ),
    (
        "coordinates",
        "coordinates",
        "Its coordinates in WGS 84, longitude first.",
        Text,
        "[24.9414,60.1719]",
    ),
    ("geoproperty", "geoproperty", "The attribute whose geometry is compared.", Text, "location"),
    (
        "geometryProperty",
        "geometryProperty",
        "The attribute that becomes the geometry of GeoJSON features.",
        Text,
        "location",
    ),
    ("scopeQ", "scopeQ", "A condition on scopes.", Text, "/Helsinki/#"),
    ("limit", "limit", "How many are shown at most.", Count, "20"),
    ("offset", "offset", "How many are left out before.", Count, "0"),
    ("count", "count", "Whether NGSILD-Results-Count says how many there are.", Flag, "true"),
    (
        "options",
        "options",
        "A form of entities and sysAttrs, with commas between them; format takes precedence.",
        Text,
        "keyValues",
    ),
    ("format", "format", "The form of the entities.", One(FORMATS), "concise"),
    (
        "datasetId",
        "datasetId",
        "Instances of these datasets alone, @none being the default instance.",
        Text,
        "@none",
    ),
    (
        "local",
        "local",
        "true: what this server has itself. It is the same for a server that knows no others.",
        Flag,
        "true",
    ),
    (
        "observedAt",
        "observedAt",
        "A time of observation for attributes that were observed before.",
        Moment,
        "2026-11-01T12:00:00Z",
    ),
    (
        "languages",
        "lang",
        "The languages of texts, the most welcome first or with weights: each LanguageProperty becomes a Property with one text.",
        Text,
        "fi,en;q=0.5",
    ),
    (
        "join",
        "join",
        "Where linked entities stand: inline in the relationships, or flat behind the others.",
        One(&["inline", "flat", "@none"]),
        "inline",
    ),
    (
        "joinLevel",
        "joinLevel",
        "How many relationships are followed one after the other.",
        Count,
        "1",
    ),
    (
        "containedBy",
        "containedBy",
        "Ids of entities that the client has met; they are not linked again.",
        Text,
        "urn:ngsi-ld:City:example",
    ),
    (
        "orderBy",
        "orderBy",
        "Members and paths by which entities are ordered, each with ;asc, ;desc, ;dist-asc or ;dist-desc.",
        Text,
        "name;desc",
    ),
    (
        "orderFrom",
        "orderFrom",
        "The coordinates from which distances are taken.",
        Text,
        "[24.9414,60.1719]",
    ),
    (
        "orderGeometry",
        "orderGeometry",
        "The type of the geometry from which distances are taken.",
        One(&["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"]),
        "Point",
    ),
    ("collation", "collation", "The collation by which texts are ordered (RFC 6067).", Text, "fi"),
    (
        "expandValues",
        "expandValues",
        "Attributes whose constants in q the @context expands.",
        Text,
        "category",
    ),
    (
        "jsonKeys",
        "jsonKeys",
        "Attributes whose keys in q the @context does not expand.",
        Text,
        "json",
    ),
    (
        "splitEntities",
        "splitEntities",
        "Whether parts of one entity may be on several servers. It is the same for a server that knows no others.",
        Flag,
        "true",
    ),
    (
        "csf",
        "csf",
        "A condition on other servers that are asked. It is the same for a server that knows no others.",
        Text,
        "name",
    ),
    (
        "entityMap",
        "entityMap",
        "Whether an entity map is made, by which further pages are about the same entities.",
        Flag,
        "true",
    ),
    (
        "entityMapLifetime",
        "entityMapLifetime",
        "How long the entity map is wanted, a duration of ISO 8601; at most a day.",
        Text,
        "PT10M",
    ),
    ("drop", "drop", "Attributes that are deleted; the entities stay.", Text, "name"),
    (
        "keep",
        "keep",
        "Attributes that stay; all others are deleted, the entities stay.",
        Text,
        "name",
    ),
    ("lang", "lang", "The language of a text that is merged into a LanguageProperty.", Text, "fi"),
    ("deleteAll", "deleteAll", "Whether all instances are deleted.", Flag, "true"),
    (
        "writeOptions",
        "options",
        "noOverwrite leaves attributes that exist alone.",
        One(&["noOverwrite"]),
        "noOverwrite",
    ),
    (
        "upsertOptions",
        "options",
        "What happens to entities that exist.",
        One(&["replace", "update"]),
        "update",
    ),
    (
        "temporalOptions",
        "options",
        "temporalValues or aggregatedValues, sysAttrs, or both with a comma.",
        Text,
        "temporalValues",
    ),
    (
        "temporalFormat",
        "format",
        "The form of the history.",
        One(&["temporalValues", "aggregatedValues"]),
        "temporalValues",
    ),
    (
        "timerel",
        "timerel",
        "The relation to the times of the request.",
        One(&["before", "after", "between"]),
        "after",
    ),
    ("timeAt", "timeAt", "A time.", Moment, "2020-01-01T00:00:00Z"),
    ("endTimeAt", "endTimeAt", "The end, for between.", Moment, "2030-01-01T00:00:00Z"),
    (
        "timeproperty",
        "timeproperty",
        "Which time is meant.",
        One(&["observedAt", "createdAt", "modifiedAt", "deletedAt"]),
        "observedAt",
    ),
    ("lastN", "lastN", "Only so many of the newest instances of each attribute.", Count, "3"),
    (
        "aggrMethods",
        "aggrMethods",
        "What aggregatedValues makes of values: totalCount, distinctCount, sum, avg, min, max, stddev, sumsq.",
        Text,
        "avg,max",
    ),
    (
        "aggrPeriodDuration",
        "aggrPeriodDuration",
        "How long a period of aggregatedValues is; the whole range of time where it is not given.",
        Text,
        "PT1H",
    ),
    ("orderById", "orderBy", "The order of the answer: id, or id;desc.", Text, "id"),
];

const MORE: [Row; 15] = [
    ("snapshotQ", "q", "A query on members of snapshots.", Text, "snapshotPriority==1"),
    ("details", "details", "Whether each is shown with what belongs to it.", Flag, "true"),
    (
        "sysOptions",
        "options",
        "sysAttrs shows when it was created and changed.",
        One(&["sysAttrs"]),
        "sysAttrs",
    ),
    (
        "kind",
        "kind",
        "Only those of one kind.",
        One(&["Cached", "Hosted", "ImplicitlyCreated"]),
        "Hosted",
    ),
    ("reload", "reload", "Whether a copy is downloaded again instead.", Flag, "true"),
    (
        "watchedAttributes",
        "watchedAttributes",
        "Only changes of these attributes count.",
        Text,
        "availableSpots",
    ),
    (
        "notificationTrigger",
        "notificationTrigger",
        "Which changes count: entityCreated, entityUpdated, entityDeleted, attributeCreated, attributeUpdated, attributeDeleted.",
        Text,
        "entityUpdated",
    ),
    ("showChanges", "showChanges", "Whether previous values are told.", Flag, "true"),
    (
        "jsonldContext",
        "jsonldContext",
        "The URL of the @context of the question and of what is told, for clients that send no Link header.",
        Iri,
        cardo_jsonld::CORE_CONTEXT_URL,
    ),
    (
        "throttling",
        "throttling",
        "Seconds between two notifications at least; what happens sooner is not told.",
        Count,
        "5",
    ),
    (
        "timeInterval",
        "timeInterval",
        "Tell of all that match every so many seconds, not of changes.",
        Count,
        "1",
    ),
    ("expiresAt", "expiresAt", "When the stream ends.", Moment, "2099-01-01T00:00:00Z"),
    (
        "accept",
        "accept",
        "The media type of the notifications.",
        One(&["application/json", "application/ld+json", "application/geo+json"]),
        "application/geo+json",
    ),
    (
        "cursor",
        "cursor",
        "Where to go on: the id of the last event, or the Cardo-Revision of an answer. Last-Event-ID goes before it.",
        Text,
        "0",
    ),
    (
        "notifications",
        "limit",
        "How many notifications are wanted; the stream ends behind the last.",
        Count,
        "1",
    ),
];

const IN_PATH: [Row; 10] = [
    ("snapshotId", "id", "The id of the snapshot, a URI.", Iri, "urn:ngsi-ld:Snapshot:example"),
    ("entityId", "id", "The id of the entity, a URI.", Iri, "urn:ngsi-ld:ParkingSite:example"),
    (
        "subscriptionId",
        "id",
        "The id of the subscription, a URI.",
        Iri,
        "urn:ngsi-ld:Subscription:example",
    ),
    (
        "registrationId",
        "id",
        "The id of the registration, a URI.",
        Iri,
        "urn:ngsi-ld:ContextSourceRegistration:example",
    ),
    (
        "entityMapId",
        "id",
        "The id of the entity map, which the server has made.",
        Iri,
        "urn:ngsi-ld:EntityMap:example",
    ),
    (
        "contextId",
        "id",
        "The local id of the context, or the URL of which it is a copy.",
        Iri,
        cardo_jsonld::CORE_CONTEXT_URL,
    ),
    ("attribute", "attribute", "The name of the attribute.", Text, "availableSpots"),
    ("attributeName", "attribute", "The name of the attribute.", Text, "name"),
    ("typeName", "type", "The name of the type.", Text, "Building"),
    (
        "instance",
        "instance",
        "The instanceId, as the history tells it; put the one in that you mean.",
        Iri,
        "urn:ngsi-ld:instance:1-0-1",
    ),
];

const IN_HEADERS: [Row; 6] = [
    (
        "tenant",
        "NGSILD-Tenant",
        "Which tenant is meant; a prefix /tenants/{tenant} of the path says it as well.",
        Text,
        "",
    ),
    (
        "at",
        "Cardo-At",
        "Ask the twin as it was at a moment, which has to be over; a prefix /at/{moment} of the path says it as well. An extension.",
        Moment,
        "",
    ),
    (
        "minRevision",
        "Cardo-Min-Revision",
        "Wait until the twin has reached this revision.",
        Count,
        "",
    ),
    (
        "link",
        "Link",
        "The @context: <URL>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\".",
        Text,
        "",
    ),
    (
        "inEntityMap",
        "NGSILD-EntityMap",
        "The entity map whose entities alone are asked for: its address, or its id.",
        Text,
        "",
    ),
    (
        "ifNoneMatch",
        "If-None-Match",
        "Tags of answers that the client has; it gets 304 where one of them is still right.",
        Text,
        "",
    ),
];

/// What is meant where a parameter is left out and that is not plain from its words.
const DEFAULTS: [(&str, &str); 14] = [
    ("geoproperty", "location"),
    ("geometryProperty", "location"),
    ("offset", "0"),
    ("count", "false"),
    ("format", "normalized"),
    ("deleteAll", "false"),
    ("upsertOptions", "replace"),
    ("timeproperty", "observedAt"),
    ("details", "false"),
    ("reload", "false"),
    ("join", "@none"),
    ("joinLevel", "1"),
    ("orderGeometry", "Point"),
    ("collation", "und"),
];

impl Shape {
    fn schema(&self) -> Value {
        match self {
            Text => json!({ "type": "string" }),
            Flag => json!({ "type": "boolean" }),
            Count => json!({ "type": "integer", "minimum": 0 }),
            Moment => json!({ "type": "string", "format": "date-time" }),
            Iri => json!({ "type": "string", "format": "uri" }),
            One(values) => json!({ "type": "string", "enum": values }),
        }
    }

    fn example(&self, text: &str) -> Value {
        match self {
            Flag => (text == "true").into(),
            Count => text.parse::<u64>().unwrap_or(0).into(),
            _ => text.into(),
        }
    }
}

/// The example that gives these parameters: the name of each with its own example.
pub(super) fn example(keys: &[&str]) -> Value {
    let row_of = |key: &&str| IN_QUERY.iter().chain(&MORE).find(|row| row.0 == *key);
    let rows = keys.iter().filter_map(row_of);
    rows.map(|(_, name, _, shape, text)| ((*name).to_owned(), shape.example(text))).collect()
}

/// Every parameter under the key by which operations name it.
pub(super) fn all(limits: &NgsildLimits) -> Value {
    let mut parameters = Map::new();
    let rows = IN_QUERY.iter().chain(&MORE).map(|row| ("query", row));
    let rows = rows.chain(IN_PATH.iter().map(|row| ("path", row)));
    for (place, (key, name, says, shape, example)) in
        rows.chain(IN_HEADERS.iter().map(|row| ("header", row)))
    {
        let mut parameter =
            json!({ "name": name, "in": place, "description": says, "schema": shape.schema() });
        if let Some((_, default)) = DEFAULTS.iter().find(|(known, _)| known == key) {
            parameter["schema"]["default"] = shape.example(default);
        }
        if place == "path" {
            parameter["required"] = true.into();
        }
        if !example.is_empty() {
            parameter["example"] = shape.example(example);
        }
        parameters.insert((*key).to_owned(), parameter);
    }
    let limit = &mut parameters["limit"]["schema"];
    limit["default"] = limits.default_page.into();
    limit["maximum"] = limits.max_page.into();
    parameters.into()
}
