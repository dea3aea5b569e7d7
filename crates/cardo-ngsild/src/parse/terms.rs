//! Members whose meaning the core context fixes (clause 4.5 and annex B).

use cardo_model::Kind;

/// Which value member belongs to which kind of attribute.
pub(super) const VALUE_MEMBERS: [(&str, Kind); 7] = [
    ("value", Kind::Property),
    ("object", Kind::Relationship),
    ("languageMap", Kind::LanguageProperty),
    ("vocab", Kind::VocabProperty),
    ("json", Kind::JsonProperty),
    ("valueList", Kind::ListProperty),
    ("objectList", Kind::ListRelationship),
];

/// Members that say something about a value; with one of them an object is an attribute and no
/// plain value.
pub(super) const DESCRIBING: [&str; 6] =
    ["datasetId", "observedAt", "unitCode", "valueType", "objectType", "expiresAt"];

/// Members of attributes that implementations write and never read (tables 5.2.5-2 and others).
pub(super) const OUTPUT_ONLY: [&str; 13] = [
    "createdAt",
    "modifiedAt",
    "deletedAt",
    "instanceId",
    "lang",
    "entity",
    "entityList",
    "previousValue",
    "previousObject",
    "previousLanguageMap",
    "previousVocab",
    "previousJson",
    "previousValueList",
];

/// Members of entities that implementations write and never read (table 5.2.2-1).
pub(super) const ENTITY_OUTPUT_ONLY: [&str; 3] = ["createdAt", "modifiedAt", "deletedAt"];

/// Whether a core term is non-reified, so that no attribute may have it as its name
/// (clause 4.5.1).
pub(super) fn is_reserved(name: &str) -> bool {
    DESCRIBING.contains(&name)
        || OUTPUT_ONLY.contains(&name)
        || matches!(name, "previousObjectList" | "entityIdSealed" | "entityTypeSealed" | "dataset")
}

/// The geometries of GeoJSON that a GeoProperty may hold, and the one it may not.
pub(super) fn is_geometry_type(name: &str) -> bool {
    matches!(
        name,
        "Point"
            | "MultiPoint"
            | "LineString"
            | "MultiLineString"
            | "Polygon"
            | "MultiPolygon"
            | "GeometryCollection"
    )
}
