use cardo_engine::{Column, ColumnPart, ColumnType, Table, Tables};
use serde_json::{Map, Value, json};

use super::units::ucum;
use crate::params::{SORTABLE_MEMBERS, is_sortable};
use crate::represent::is_reference;
use crate::survey::Survey;

/// Which properties a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    /// Those that filters and parameters may name.
    Queryables,
    /// Those that features can be sorted by.
    Sortables,
    /// Those that features have and take: returnables and receivables in one, because a feature is
    /// written as it is read.
    Returnables,
    /// The GeoJSON feature that takes the place of one (OGC 20-002,
    /// /req/features/representation-geojson-replace).
    Replacement,
    /// The GeoJSON feature that is given out, from which GDAL takes fields and their types.
    Feature,
}

/// What a schema is made of beside the table.
pub(crate) struct About<'a> {
    /// Where it stands.
    pub(crate) url: String,
    /// The root of the API.
    pub(crate) root: String,
    pub(crate) survey: &'a Survey,
    pub(crate) tables: &'a Tables,
}

impl Schema {
    /// Whether a column is one of them.
    pub(crate) fn has(self, column: &Column) -> bool {
        self != Self::Sortables || is_sortable(column.datatype)
    }

    /// The JSON Schema (2020-12) of a table.
    pub(crate) fn of(self, table: &Table, about: &About<'_>) -> Value {
        let url = &about.url;
        let mut properties = self.properties(table, about);
        for (at, (_, schema)) in properties.iter_mut().enumerate() {
            schema["x-ogc-propertySeq"] = (at + 1).into();
        }
        match self {
            Self::Replacement => return replacement(properties, table, url),
            Self::Feature => return feature(properties, table, url),
            _ => {}
        }
        json!({
            "$schema": DRAFT,
            "$id": url,
            "type": "object",
            "title": table.name,
            "properties": properties,
            // What is new becomes an attribute; what is not there cannot be asked for.
            "additionalProperties": self == Self::Returnables,
        })
    }

    fn properties(self, table: &Table, about: &About<'_>) -> Map<String, Value> {
        let mut properties = Map::new();
        let id = json!({ "type": "string", "title": "id", "x-ogc-role": "id", "readOnly": true });
        properties.insert("id".into(), id);
        for (at, column) in table.columns.iter().enumerate().filter(|(_, c)| self.has(c)) {
            let is_placing = table.geometry == Some(at);
            // The primary geometry is the member of the feature, whatever the attribute is called.
            let name = if is_placing { "geometry" } else { column.name.as_ref() };
            let mut schema = type_of(column.datatype);
            if column.datatype == ColumnType::Json {
                // Every property has a type (/req/schemas/properties).
                schema["type"] = json!(["string", "number", "boolean", "array", "object"]);
            }
            schema["title"] = column.name.as_ref().into();
            if column.part == ColumnPart::Value && column.path.attributes.is_empty() {
                schema["x-ogc-definition"] = column.attribute().as_str().into();
            }
            if let Some(unit) = column.unit.as_deref().and_then(ucum) {
                schema["x-ogc-unit"] = unit.into();
                schema["x-ogc-unitLang"] = "UCUM".into();
            }
            about.survey.constrain(at, table, &mut schema);
            if is_placing && self == Self::Queryables {
                properties.insert(column.name.as_ref().into(), schema.clone());
            }
            if is_placing {
                schema["x-ogc-role"] = "primary-geometry".into();
            } else if table.instant == Some(at) {
                schema["x-ogc-role"] = "primary-instant".into();
            } else if column.datatype == ColumnType::Relationship && is_reference(column) {
                schema["x-ogc-role"] = "reference".into();
                about.refer(at, &mut schema);
            }
            properties.insert(name.into(), schema);
        }
        if matches!(self, Self::Queryables | Self::Sortables) {
            for name in SORTABLE_MEMBERS.into_iter().filter(|name| *name != "id") {
                let moment = json!({ "type": "string", "format": "date-time", "title": name });
                properties.insert(name.into(), moment);
            }
        }
        if self == Self::Queryables {
            let scope = json!({ "type": "array", "items": { "type": "string" }, "title": "scope" });
            properties.insert("scope".into(), scope);
        }
        properties
    }
}

impl About<'_> {
    /// Says where the references of a column lead (/req/references/role-reference).
    fn refer(&self, at: usize, schema: &mut Value) {
        if let Some(table) = self.survey.collection(at, self.tables) {
            schema["x-ogc-collectionId"] = table.name.as_ref().into();
        } else {
            let template = format!("{}/features/{{resourceId}}", self.root);
            schema["x-ogc-uriTemplate"] = template.into();
        }
    }
}

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A GeoJSON feature whose properties are those of a table; those that the server makes are left out.
fn replacement(mut properties: Map<String, Value>, table: &Table, url: &str) -> Value {
    let geometry = properties
        .shift_remove("geometry")
        .unwrap_or_else(|| json!({ "format": "geometry-any", "x-ogc-role": "primary-geometry" }));
    properties.retain(|_, schema| schema["readOnly"] != true);
    json!({
        "$schema": DRAFT,
        "$id": url,
        "type": "object",
        "title": table.name,
        "required": ["type", "geometry", "properties"],
        "properties": {
            "type": { "type": "string", "enum": ["Feature"] },
            "geometry": geometry,
            "properties": {
                "type": ["object", "null"],
                "properties": properties,
                "additionalProperties": true,
            },
        },
        "additionalProperties": true,
    })
}

/// A GeoJSON feature as it is shown. Lists of other things than texts stand apart from all other properties: GDAL
/// takes them as texts where it is told of them, so it, which reads `allOf` alone where there is one, shall take them
/// from features.
fn feature(mut properties: Map<String, Value>, table: &Table, url: &str) -> Value {
    let id = properties.shift_remove("id");
    let geometry = properties.shift_remove("geometry").unwrap_or_else(|| json!({ "type": "null" }));
    let is_list = |schema: &Value| schema["type"] == "array" && schema["items"]["type"] != "string";
    let (lists, others): (Map<_, _>, Map<_, _>) =
        properties.into_iter().partition(|(_, schema)| is_list(schema));
    json!({
        "$schema": DRAFT,
        "$id": format!("{url}?type=feature"),
        "type": "object",
        "title": table.name,
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": { "type": "string", "enum": ["Feature"] },
            "id": id,
            "geometry": geometry,
            "properties": {
                "type": "object",
                "allOf": [{ "type": "object", "properties": others }],
                "properties": lists,
            },
        },
    })
}

/// The schema of the cells of a column.
pub(crate) fn type_of(datatype: ColumnType) -> Value {
    match datatype {
        ColumnType::Number => json!({ "type": "number" }),
        ColumnType::Text | ColumnType::Vocab => json!({ "type": "string" }),
        ColumnType::Boolean => json!({ "type": "boolean" }),
        ColumnType::Date => json!({ "type": "string", "format": "date" }),
        ColumnType::DateTime => json!({ "type": "string", "format": "date-time" }),
        ColumnType::List => json!({ "type": "array" }),
        ColumnType::Relationship => json!({ "type": "string", "format": "uri" }),
        ColumnType::Relationships => {
            json!({ "type": "array", "items": { "type": "string", "format": "uri" } })
        }
        ColumnType::Geometry => json!({ "format": "geometry-any" }),
        ColumnType::Json => json!({}),
    }
}
