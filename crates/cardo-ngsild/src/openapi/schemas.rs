use serde_json::{Value, json};

/// An entity that examples create, change and delete.
pub(super) fn example_entity() -> Value {
    json!({
        "id": "urn:ngsi-ld:ParkingSite:example",
        "type": "ParkingSite",
        "availableSpots": { "type": "Property", "value": 12, "observedAt": "2026-11-01T12:00:00Z" },
        "location": { "type": "GeoProperty", "value": { "type": "Point", "coordinates": [24.9414, 60.1719] } },
    })
}

pub(super) fn example_subscription() -> Value {
    json!({
        "id": "urn:ngsi-ld:Subscription:example",
        "type": "Subscription",
        "entities": [{ "type": "ParkingSite" }],
        "q": "availableSpots<5",
        "notification": { "endpoint": { "uri": "http://127.0.0.1:9000/told", "accept": "application/json" } },
    })
}

pub(super) fn example_source_subscription() -> Value {
    json!({
        "id": "urn:ngsi-ld:Subscription:example",
        "type": "Subscription",
        "entities": [{ "type": "Tree" }],
        "notification": { "endpoint": { "uri": "http://127.0.0.1:9000/told", "accept": "application/json" } },
    })
}

pub(super) fn example_registration() -> Value {
    json!({
        "id": "urn:ngsi-ld:ContextSourceRegistration:example",
        "type": "ContextSourceRegistration",
        "endpoint": "https://trees.example.org/ngsi-ld/v1",
        "information": [{ "entities": [{ "type": "Tree" }], "propertyNames": ["height"] }],
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn text(says: &str) -> Value {
    json!({ "type": "string", "description": says })
}

fn names() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

/// Every schema that the document refers to.
pub(super) fn all() -> Value {
    let id = json!({ "type": "string", "format": "uri" });
    let one_or_many = json!({ "oneOf": [{ "type": "string" }, names()] });
    let context = json!({ "description": "The @context: a URL, an object, or a list of them." });
    let mut schemas = entities(&id, &one_or_many, &context);
    let more =
        [answers(&id), subscriptions(&id, &context), sources(&id, &context), contexts(&context)];
    for group in more {
        if let (Value::Object(all), Value::Object(group)) = (&mut schemas, group) {
            all.extend(group);
        }
    }
    schemas
}

fn entities(id: &Value, one_or_many: &Value, context: &Value) -> Value {
    let attribute =
        json!({ "description": "An attribute, its instances by datasetId, or its value alone." });
    let members =
        json!({ "id": id, "type": one_or_many, "scope": one_or_many, "@context": context });
    let feature = json!({
        "type": "object",
        "required": ["id", "type", "geometry", "properties"],
        "properties": {
            "id": id, "type": { "const": "Feature" },
            "geometry": { "oneOf": [reference("Geometry"), { "type": "null" }] },
            "properties": { "type": "object" },
        },
    });
    json!({
        "Attribute": {
            "type": "object",
            "description": "One instance of an attribute. Its members depend on its type; other members are attributes of it.",
            "properties": {
                "type": { "type": "string", "enum": ["Property", "Relationship", "GeoProperty", "LanguageProperty", "VocabProperty", "JsonProperty", "ListProperty", "ListRelationship"] },
                "value": { "description": "The value of a Property or GeoProperty." },
                "object": one_or_many, "languageMap": { "type": "object" }, "vocab": one_or_many, "json": {},
                "valueList": { "type": "array" }, "objectList": { "type": "array" },
                "observedAt": { "type": "string", "format": "date-time" },
                "unitCode": text("A unit by its UN/CEFACT code."),
                "datasetId": id,
            },
        },
        "Entity": {
            "type": "object", "required": ["id", "type"],
            "description": "Members beside these are attributes.",
            "properties": members, "additionalProperties": attribute,
        },
        "EntityFragment": {
            "type": "object", "description": "Attributes, and what else is to be changed.",
            "properties": { "type": one_or_many, "scope": one_or_many, "@context": context },
            "additionalProperties": attribute,
        },
        "Entities": { "type": "array", "items": reference("Entity") },
        "Ids": { "type": "array", "items": id },
        "Geometry": {
            "type": "object", "required": ["type", "coordinates"],
            "properties": {
                "type": { "type": "string", "enum": ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"] },
                "coordinates": { "type": "array" },
            },
        },
        "Feature": feature,
        "FeatureCollection": {
            "type": "object", "required": ["type", "features"],
            "properties": { "type": { "const": "FeatureCollection" }, "features": { "type": "array", "items": reference("Feature") } },
        },
        "TemporalEntity": {
            "type": "object", "required": ["id", "type"],
            "description": "An entity whose attributes are lists of instances.",
            "properties": { "id": id, "type": one_or_many },
            "additionalProperties": { "description": "Instances, or with temporalValues their values and times." },
        },
        "TemporalEntities": { "type": "array", "items": reference("TemporalEntity") },
        "TemporalFragment": {
            "type": "object", "description": "Attributes, each a list of instances.",
            "additionalProperties": true,
        },
        "TemporalQuery": {
            "allOf": [reference("Query")],
            "properties": {
                "temporalQ": {
                    "type": "object", "required": ["timerel", "timeAt"],
                    "properties": {
                        "timerel": text("before, after or between."), "timeAt": text("A time."), "endTimeAt": text("The end, for between."),
                        "timeproperty": text("The temporal property."), "lastN": { "type": "integer", "minimum": 1 },
                    },
                },
                "aggrParams": {
                    "type": "object",
                    "properties": { "aggrMethods": names(), "aggrPeriodDuration": text("A duration of ISO 8601.") },
                },
            },
        },
        "Query": {
            "type": "object", "required": ["type"],
            "properties": {
                "type": { "const": "Query" }, "entities": { "type": "array", "items": reference("Selector") },
                "attrs": names(), "pick": names(), "omit": names(), "datasetId": names(),
                "q": text("A condition on attributes."), "scopeQ": text("A condition on scopes."),
                "geoQ": reference("GeoQuery"), "local": { "type": "boolean" }, "splitEntities": { "type": "boolean" },
                "lang": text("The languages of texts."), "join": text("inline, flat or @none."),
                "joinLevel": { "type": "integer", "minimum": 1 }, "containedBy": names(),
                "expandValues": text("Attributes whose constants in q are expanded."),
                "jsonKeys": text("Attributes whose keys in q are not."),
                "csf": text("A condition on other servers that are asked."),
                "ordering": reference("Ordering"), "entityMap": { "type": "boolean" },
                "entityMapLifetime": text("A duration of ISO 8601."), "@context": context,
            },
        },
        "EntityMap": {
            "type": "object", "required": ["id", "type", "expiresAt"],
            "properties": {
                "id": id, "type": { "const": "EntityMap" }, "expiresAt": { "type": "string", "format": "date-time" },
                "entityMap": { "type": "object", "additionalProperties": names(),
                    "description": "Ids of entities, each with the registrations of those who hold it; @none is this server." },
                "linkedMaps": { "type": "object", "additionalProperties": id, "description": "The entity maps of other servers, by their registrations." },
                "@context": context,
            },
        },
        "EntityMapFragment": {
            "type": "object",
            "properties": { "id": id, "type": { "const": "EntityMap" }, "expiresAt": { "type": "string", "format": "date-time" }, "@context": context },
        },
        "SnapshotFragment": {
            "type": "object",
            "properties": {
                "id": id, "type": { "const": "Snapshot" }, "snapshotLifetime": text("A duration of ISO 8601; at most a week."),
                "snapshotPriority": { "type": "integer", "minimum": 1, "maximum": 10 },
                "endpoint": text("Who is told when it is ready, or changes."),
                "receiverInfo": { "type": "array", "items": { "type": "object",
                    "properties": { "key": { "type": "string" }, "value": { "type": "string" } } } },
                "@context": context,
            },
        },
        "Snapshot": {
            "allOf": [reference("SnapshotFragment")], "required": ["type"],
            "properties": {
                "snapshotQueries": { "type": "array", "items": reference("Query") },
                "snapshotTemporalQueries": { "type": "array", "items": reference("TemporalQuery") },
                "snapshotStatus": { "enum": ["preparing", "success", "partial", "empty", "failure"], "readOnly": true },
            },
        },
        "Ordering": {
            "type": "object", "required": ["orderBy"],
            "properties": {
                "orderBy": names(), "collation": text("The collation of texts."),
                "coordinates": { "type": "array" }, "geometry": text("The type of the geometry from which distances are taken."),
            },
        },
        "Selector": {
            "type": "object", "required": ["type"],
            "properties": { "type": text("A selection of types."), "id": { "oneOf": [id, { "type": "array", "items": id }] }, "idPattern": text("A regular expression.") },
        },
        "GeoQuery": {
            "type": "object", "required": ["georel", "geometry", "coordinates"],
            "properties": {
                "georel": text("A relation, such as near;maxDistance==1000."), "geometry": text("The type of the geometry."),
                "coordinates": { "type": "array" }, "geoproperty": text("The attribute that is compared."),
            },
        },
    })
}

fn answers(id: &Value) -> Value {
    json!({
        "Problem": {
            "type": "object", "required": ["type", "title", "status"],
            "properties": {
                "type": { "type": "string", "format": "uri-reference" }, "title": { "type": "string" },
                "status": { "type": "integer" }, "detail": text("What is wrong, with the offending value."), "instance": { "type": "string" },
            },
        },
        "UpdateResult": {
            "type": "object", "required": ["updated", "notUpdated"],
            "properties": {
                "updated": names(),
                "notUpdated": { "type": "array", "items": { "type": "object", "properties": { "attributeName": { "type": "string" }, "reason": { "type": "string" } } } },
            },
        },
        "BatchResult": {
            "type": "object", "required": ["success", "errors"],
            "properties": {
                "success": names(),
                "errors": { "type": "array", "items": { "type": "object", "properties": { "entityId": { "type": "string" }, "error": reference("Problem") } } },
            },
        },
        "Listing": {
            "description": "An object with the names, or with details=true a list of what is known of each.",
            "oneOf": [
                { "type": "object", "required": ["id", "type"], "properties": { "id": id, "type": { "type": "string" }, "typeList": names(), "attributeList": names() } },
                { "type": "array", "items": { "type": "object" } },
            ],
        },
        "TypeInfo": {
            "type": "object", "required": ["id", "type", "typeName", "entityCount", "attributeDetails"],
            "properties": {
                "id": id, "type": { "const": "EntityTypeInfo" }, "typeName": { "type": "string" },
                "entityCount": { "type": "integer" }, "attributeDetails": { "type": "array", "items": { "type": "object" } },
            },
        },
        "AttributeInfo": {
            "type": "object", "required": ["id", "type", "attributeName", "attributeCount", "typeNames", "attributeTypes"],
            "properties": {
                "id": id, "type": { "const": "Attribute" }, "attributeName": { "type": "string" },
                "attributeCount": { "type": "integer" }, "typeNames": names(), "attributeTypes": names(),
            },
        },
    })
}

fn contexts(context: &Value) -> Value {
    let moment = json!({ "type": "string", "format": "date-time" });
    json!({
        "Context": { "type": "object", "required": ["@context"], "properties": { "@context": context } },
        "ContextDetails": {
            "type": "object", "required": ["URL", "localId", "kind", "createdAt"],
            "properties": {
                "URL": { "type": "string", "format": "uri", "description": "Where the context is found; of a copy, where it is from." },
                "localId": { "type": "string", "format": "uri" },
                "kind": { "type": "string", "enum": ["Cached", "Hosted", "ImplicitlyCreated"] },
                "createdAt": moment,
                "expiresAt": { "type": "string", "format": "date-time", "description": "When a copy is downloaded again." },
                "lastUsage": { "type": "string", "format": "date-time", "description": "Since the server was started." },
                "numberOfHits": { "type": "integer", "description": "How often it was found since the server was started." },
            },
        },
        "ContextOrDetails": { "oneOf": [reference("Context"), reference("ContextDetails")] },
        "Contexts": {
            "type": "array",
            "items": { "oneOf": [{ "type": "string", "format": "uri" }, reference("ContextDetails")] },
        },
    })
}

fn sources(id: &Value, context: &Value) -> Value {
    let moment = json!({ "type": "string", "format": "date-time" });
    let interval = json!({ "type": "object", "required": ["startAt"], "properties": { "startAt": moment, "endAt": moment } });
    let name_or_names = json!({ "oneOf": [{ "type": "string" }, names()] });
    let members = json!({
        "id": id, "type": { "const": "ContextSourceRegistration" },
        "registrationName": { "type": "string" }, "description": { "type": "string" },
        "endpoint": { "type": "string", "format": "uri", "description": "Where the NGSI-LD interface of the source is." },
        "information": { "type": "array", "items": reference("RegistrationInfo") },
        "mode": { "type": "string", "enum": ["inclusive", "exclusive", "redirect", "auxiliary"] },
        "operations": { "type": "array", "items": { "type": "string" }, "description": "Operations, or groups of them, that the source takes." },
        "tenant": { "type": "string" }, "contextSourceAlias": { "type": "string" },
        "contextSourceInfo": { "type": "array", "items": { "type": "object", "required": ["key", "value"], "properties": { "key": { "type": "string" }, "value": { "type": "string" } } } },
        "datasetId": names(), "scope": name_or_names, "expiresAt": moment, "refreshRate": { "type": "string" },
        "location": reference("Geometry"), "observationSpace": reference("Geometry"), "operationSpace": reference("Geometry"),
        "observationInterval": interval, "managementInterval": interval,
        "management": {
            "type": "object",
            "properties": {
                "localOnly": { "type": "boolean" }, "cacheDuration": { "type": "string" },
                "timeout": { "type": "number", "description": "In milliseconds." }, "cooldown": { "type": "number", "description": "In milliseconds." },
            },
        },
        "@context": context,
        "status": { "type": "string", "enum": ["ok", "failed"], "readOnly": true },
        "timesSent": { "type": "integer", "readOnly": true }, "timesFailed": { "type": "integer", "readOnly": true },
    });
    json!({
        "Registration": { "type": "object", "required": ["type", "endpoint", "information"], "properties": members },
        "RegistrationFragment": { "type": "object", "properties": members },
        "Registrations": { "type": "array", "items": reference("Registration") },
        "SourceSubscription": {
            "description": "A subscription whose conditions are put to registrations.",
            "allOf": [reference("Subscription")],
            "properties": {
                "csf": text("A condition on what describes a source."),
                "temporalQ": { "type": "object", "properties": {
                    "timerel": { "type": "string", "enum": ["before", "after", "between"] },
                    "timeAt": moment, "endTimeAt": moment, "timeproperty": { "type": "string" },
                } },
            },
        },
        "SourceSubscriptions": { "type": "array", "items": reference("SourceSubscription") },
        "SourceIdentity": {
            "type": "object", "required": ["id", "type", "contextSourceAlias", "contextSourceUptime", "contextSourceTimeAt"],
            "properties": {
                "id": id, "type": { "const": "ContextSourceIdentity" }, "contextSourceAlias": { "type": "string" },
                "contextSourceUptime": text("A duration of ISO 8601."), "contextSourceTimeAt": moment,
            },
        },
        "RegistrationInfo": {
            "type": "object",
            "properties": {
                "entities": { "type": "array", "items": {
                    "type": "object", "required": ["type"],
                    "properties": { "type": name_or_names, "id": id, "idPattern": text("A regular expression.") },
                } },
                "propertyNames": names(), "relationshipNames": names(),
            },
        },
    })
}

fn subscriptions(id: &Value, context: &Value) -> Value {
    let members = json!({
        "id": id, "type": { "const": "Subscription" },
        "subscriptionName": { "type": "string" }, "description": { "type": "string" },
        "entities": { "type": "array", "items": reference("Selector") },
        "watchedAttributes": names(), "notificationTrigger": names(),
        "q": text("A condition on attributes."), "geoQ": reference("GeoQuery"), "scopeQ": text("A condition on scopes."),
        "throttling": { "type": "number", "description": "Seconds between two notifications at least." },
        "timeInterval": { "type": "number", "description": "Tell every so many seconds, not on changes." },
        "expiresAt": { "type": "string", "format": "date-time" }, "isActive": { "type": "boolean" },
        "lang": { "type": "string", "description": "The languages of texts in notifications." },
        "jsonldContext": { "type": "string", "format": "uri" }, "localOnly": { "type": "boolean" },
        "expandValues": text("Attributes whose values in q are terms of the @context, with commas between them."),
        "jsonKeys": text("Attributes whose values have keys that are no terms."), "csf": text("A condition on context sources."),
        "ngsildConformance": text("The version of the specification that notifications conform to, such as 1.6."),
        "splitEntities": { "type": "boolean" }, "datasetId": names(), "notification": reference("Notification"), "@context": context,
        "status": { "type": "string", "readOnly": true },
    });
    json!({
        "Subscription": { "type": "object", "required": ["type", "notification"], "properties": members },
        "SubscriptionFragment": { "type": "object", "properties": members },
        "Subscriptions": { "type": "array", "items": reference("Subscription") },
        "DeadLetters": { "type": "array", "items": {
            "type": "object", "required": ["revision", "part", "attempts", "reason", "at"],
            "properties": {
                "revision": { "type": "integer", "description": "Of the change that was to be told." },
                "part": { "type": "integer", "description": "Which of the notifications about it." },
                "attempts": { "type": "integer" }, "reason": { "type": "string" },
                "at": { "type": "string", "format": "date-time" },
            },
        } },
        "Parcels": { "type": "array", "items": {
            "type": "object", "required": ["notification", "attempts", "reason", "at"],
            "properties": {
                "notification": { "type": "object", "description": "As it was to be sent." },
                "attempts": { "type": "integer" }, "reason": { "type": "string" },
                "at": { "type": "string", "format": "date-time" },
            },
        } },
        "Again": { "type": "object" },
        "Replay": {
            "type": "object",
            "properties": { "from": { "type": "integer", "minimum": 1, "description": "A revision." } },
        },
        "Notification": {
            "type": "object", "required": ["endpoint"],
            "properties": {
                "attributes": names(), "pick": names(), "omit": names(),
                "format": { "type": "string", "enum": ["normalized", "concise", "keyValues", "simplified"] },
                "sysAttrs": { "type": "boolean" }, "showChanges": { "type": "boolean" },
                "join": { "type": "string", "enum": ["flat", "inline", "@none"] }, "joinLevel": { "type": "integer", "minimum": 1 },
                "lastFailureReason": { "type": "string", "readOnly": true, "description": "Why the last attempt that failed did (an extension)." },
                "deadLettersDropped": { "type": "integer", "readOnly": true, "description": "Dead letters that had to make room (an extension)." },
                "endpoint": {
                    "type": "object", "required": ["uri"],
                    "properties": {
                        "uri": { "type": "string", "format": "uri", "description": "An http or https address that takes a POST, or a topic of a broker: mqtt[s]://[user][:password]@host[:port]/topic." },
                        "accept": { "type": "string", "enum": ["application/json", "application/ld+json", "application/geo+json"] },
                        "timeout": { "type": "number" }, "cooldown": { "type": "number" },
                        "notifierInfo": { "type": "array", "description": "MQTT-Version (mqtt3.1.1, mqtt5.0) and MQTT-QoS (0, 1, 2).", "items": { "type": "object", "required": ["key", "value"], "properties": { "key": { "type": "string" }, "value": { "type": "string" } } } },
                        "receiverInfo": { "type": "array", "items": { "type": "object", "required": ["key", "value"], "properties": { "key": { "type": "string" }, "value": { "type": "string" } } } },
                    },
                },
            },
        },
    })
}
