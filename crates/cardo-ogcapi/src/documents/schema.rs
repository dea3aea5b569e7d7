use cardo_engine::{Column, ColumnPart, ColumnType, Table};
use serde_json::{Map, Value, json};

use crate::params::{SORTABLE_MEMBERS, is_sortable};

/// Which properties a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    /// Those that filters and parameters may name.
    Queryables,
    /// Those that features can be sorted by.
    Sortables,
    /// Those that features have.
    Returnables,
}

impl Schema {
    /// Whether a column is one of them.
    pub(crate) fn has(self, column: &Column) -> bool {
        self != Self::Sortables || is_sortable(column.datatype)
    }

    /// The JSON Schema (2020-12) of a table; `url` is where it stands.
    pub(crate) fn of(self, table: &Table, url: &str) -> Value {
        let mut properties = Map::new();
        let id = json!({ "type": "string", "title": "id", "x-ogc-role": "id", "readOnly": true });
        properties.insert("id".into(), id);
        for (at, column) in table.columns.iter().enumerate().filter(|(_, c)| self.has(c)) {
            let is_placing = table.geometry == Some(at);
            // The primary geometry is the member of the feature, whatever the attribute is called.
            let name = if is_placing { "geometry" } else { column.name.as_ref() };
            let mut schema = type_of(column.datatype);
            if self == Self::Queryables && column.datatype == ColumnType::Json {
                // Every queryable has a type (OGC 21-065r2, /conf/basic-cql2/basic-test).
                schema["type"] = json!(["string", "number", "boolean", "array", "object"]);
            }
            schema["title"] = column.name.as_ref().into();
            if column.part == ColumnPart::Value && column.path.attributes.is_empty() {
                schema["x-ogc-definition"] = column.attribute().as_str().into();
            }
            if is_placing && self == Self::Queryables {
                properties.insert(column.name.as_ref().into(), schema.clone());
            }
            if is_placing {
                schema["x-ogc-role"] = "primary-geometry".into();
            }
            properties.insert(name.into(), schema);
        }
        if self != Self::Returnables {
            for name in SORTABLE_MEMBERS.into_iter().filter(|name| *name != "id") {
                let moment = json!({ "type": "string", "format": "date-time", "title": name });
                properties.insert(name.into(), moment);
            }
        }
        if self == Self::Queryables {
            let scope = json!({ "type": "array", "items": { "type": "string" }, "title": "scope" });
            properties.insert("scope".into(), scope);
        }
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": url,
            "type": "object",
            "title": table.name,
            "properties": properties,
            "additionalProperties": false,
        })
    }
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
