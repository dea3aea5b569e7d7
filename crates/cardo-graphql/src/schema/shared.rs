//! Types that every twin has.

use std::sync::Arc;

use async_graphql::Value;
use async_graphql::dynamic::{
    Enum, Field, FieldFuture, InputObject, InputValue, Interface, InterfaceField, Object, Scalar,
    Type, TypeRef,
};

use super::entity::{change_type, connection_types, member_fields};
use crate::model::{MEMBERS, Model};
use crate::mutate::{Deleted, VALUES};
use crate::resolve::{Connection, UNLISTED};

pub(super) fn types(model: &Arc<Model>) -> Vec<Type> {
    let mut types = scalars();
    types.extend(interfaces());
    types.extend(filters());
    types.extend(connection_types("Entity", "EntityConnection", "EntityEdge"));
    types.push(change_type("EntityChange", "Entity").into());
    types.push(entity_filter().into());
    types.push(entity_input().into());
    types.push(attribute_input().into());
    types.push(entity_order().into());
    types.push(enumeration("EntityField", &["id", "createdAt", "modifiedAt", "expiresAt"]).into());
    types.push(enumeration("Direction", &["ASC", "DESC"]).into());
    types.push(enumeration("ChangeKind", &["CREATED", "UPDATED", "DELETED"]).into());
    types.push(enumeration("FenceEventKind", &["ENTER", "LEAVE", "INSIDE"]).into());
    types.push(page_info().into());
    types.push(deleted().into());
    let unlisted = Object::new(UNLISTED)
        .description("An entity of none but types that came into the twin just now.")
        .implement("Node")
        .implement("Entity");
    types.push(member_fields(unlisted).into());
    let _ = model;
    types
}

fn scalars() -> Vec<Type> {
    vec![
        Scalar::new("DateTime")
            .description("A moment in UTC, such as 2026-11-27T10:00:00Z.")
            .specified_by_url("https://scalars.graphql.org/andimarek/date-time.html")
            .validator(|value| matches!(value, Value::String(_)))
            .into(),
        Scalar::new("JSON").description("Any JSON value.").into(),
        Scalar::new("Geometry")
            .description("A GeoJSON geometry in WGS 84, as an object or as text (RFC 7946).")
            .specified_by_url("https://www.rfc-editor.org/rfc/rfc7946")
            .validator(|value| matches!(value, Value::Object(_) | Value::String(_)))
            .into(),
        Scalar::new("Revision").description("A revision of the twin, a whole number.").into(),
    ]
}

fn interfaces() -> Vec<Type> {
    let id = || InterfaceField::new("id", TypeRef::named_nn(TypeRef::ID));
    let entity = Interface::new("Entity")
        .description("What every entity of the twin has.")
        .implement("Node")
        .field(id())
        .field(InterfaceField::new("type", TypeRef::named_nn_list_nn(TypeRef::STRING)))
        .field(InterfaceField::new("scope", TypeRef::named_nn_list_nn(TypeRef::STRING)))
        .field(InterfaceField::new("createdAt", TypeRef::named_nn("DateTime")))
        .field(InterfaceField::new("modifiedAt", TypeRef::named_nn("DateTime")))
        .field(InterfaceField::new("expiresAt", TypeRef::named("DateTime")));
    let node = Interface::new("Node").description("What has an id (Relay).").field(id());
    vec![node.into(), entity.into()]
}

pub(super) fn enumeration(name: &str, items: &[&str]) -> Enum {
    Enum::new(name).items(items.iter().copied())
}

/// Filters of fields, by what the field holds.
fn filters() -> Vec<Type> {
    let compare = ["eq", "ne", "lt", "le", "gt", "ge"];
    let text = ["like", "matches"];
    let filter = |name: &str, ty: &str, conditions: &[&[&str]], has_list: bool| {
        let mut object = InputObject::new(name);
        for condition in conditions.iter().copied().flatten() {
            let input = InputValue::new(*condition, TypeRef::named(ty));
            object = object.field(match *condition {
                "ne" => input.description("There is a value, and it is another."),
                "like" => input.description("% stands for any characters, _ for one."),
                "matches" => input.description("A regular expression is found in the text."),
                _ => input,
            });
        }
        if has_list {
            object = object.field(InputValue::new("in", TypeRef::named_nn_list(ty)));
        }
        Type::from(object.field(InputValue::new("exists", TypeRef::named(TypeRef::BOOLEAN))))
    };
    let id = InputObject::new("IDFilter")
        .field(InputValue::new("eq", TypeRef::named(TypeRef::ID)))
        .field(InputValue::new("ne", TypeRef::named(TypeRef::ID)))
        .field(InputValue::new("in", TypeRef::named_nn_list(TypeRef::ID)))
        .field(InputValue::new("matches", TypeRef::named(TypeRef::STRING)))
        .field(InputValue::new("exists", TypeRef::named(TypeRef::BOOLEAN)));
    let scope = InputObject::new("ScopeFilter")
        .field(InputValue::new("eq", TypeRef::named(TypeRef::STRING)))
        .field(InputValue::new("below", TypeRef::named(TypeRef::STRING)))
        .field(InputValue::new("exists", TypeRef::named(TypeRef::BOOLEAN)));
    vec![
        filter("StringFilter", TypeRef::STRING, &[&compare, &text], true),
        filter("FloatFilter", TypeRef::FLOAT, &[&compare], true),
        filter("BooleanFilter", TypeRef::BOOLEAN, &[&["eq", "ne"]], false),
        filter("DateTimeFilter", "DateTime", &[&compare], false),
        filter("JSONFilter", "JSON", &[&compare], true),
        id.into(),
        scope.into(),
        geometry_filter().into(),
        near_filter().into(),
    ]
}

fn geometry_filter() -> InputObject {
    let mut object = InputObject::new("GeometryFilter")
        .field(InputValue::new("near", TypeRef::named("NearFilter")))
        .field(
            InputValue::new("bbox", TypeRef::named_nn_list(TypeRef::FLOAT))
                .description("[west, south, east, north]; west may lie east of east."),
        );
    for relation in ["within", "intersects", "contains", "disjoint", "overlaps", "equals"] {
        object = object.field(InputValue::new(relation, TypeRef::named("Geometry")));
    }
    object.field(InputValue::new("exists", TypeRef::named(TypeRef::BOOLEAN)))
}

fn near_filter() -> InputObject {
    let float = |name: &str| InputValue::new(name, TypeRef::named(TypeRef::FLOAT));
    InputObject::new("NearFilter")
        .description("How far from a position, or from a geometry, in metres along the ground.")
        .field(float("lon"))
        .field(float("lat"))
        .field(InputValue::new("geometry", TypeRef::named("Geometry")))
        .field(float("maxDistance"))
        .field(float("minDistance"))
}

/// Conditions on members, and all that join conditions.
pub(super) fn member_filters(object: InputObject, own: &str, members: &[&str]) -> InputObject {
    let object = object
        .field(InputValue::new("and", TypeRef::named_nn_list(own)))
        .field(InputValue::new("or", TypeRef::named_nn_list(own)))
        .field(InputValue::new("not", TypeRef::named(own)));
    members.iter().fold(object, |object, member| {
        let conditions = match *member {
            "id" => "IDFilter",
            "scope" => "ScopeFilter",
            // The types of an entity are asked for beside its filter.
            "type" => return object,
            _ => "DateTimeFilter",
        };
        object.field(InputValue::new(*member, TypeRef::named(conditions)))
    })
}

fn entity_filter() -> InputObject {
    let place = InputValue::new("location", TypeRef::named("GeometryFilter"))
        .description("Of each type its geometry: the location, else the first there is.");
    member_filters(InputObject::new("EntityFilter"), "EntityFilter", &MEMBERS).field(place)
}

fn entity_input() -> InputObject {
    InputObject::new("EntityInput")
        .description(
            "An entity of any type. Types and attributes may be new to the twin: names are those of \
             its types and attributes, terms of the configured context, or IRIs. In a merge, what \
             is absent stays, and null deletes.",
        )
        .field(
            InputValue::new("type", TypeRef::named_nn_list(TypeRef::STRING))
                .description("At least one, unless it is merged."),
        )
        .field(InputValue::new("scope", TypeRef::named_nn_list(TypeRef::STRING)))
        .field(InputValue::new("expiresAt", TypeRef::named("DateTime")))
        .field(InputValue::new("attributes", TypeRef::named_nn_list("AttributeInput")))
}

fn attribute_input() -> InputObject {
    let says = [
        "The value of a property.",
        "The value of a geometry property.",
        "The ids that a relationship leads to.",
        "A text for each language, as an object.",
        "Names of a vocabulary.",
    ];
    let types = [
        TypeRef::named("JSON"),
        TypeRef::named("Geometry"),
        TypeRef::named_nn_list(TypeRef::ID),
        TypeRef::named("JSON"),
        TypeRef::named_nn_list(TypeRef::STRING),
    ];
    let mut object = InputObject::new("AttributeInput")
        .description("An attribute with one value, of which the member says what kind it is.")
        .field(InputValue::new("name", TypeRef::named_nn(TypeRef::STRING)))
        .field(
            InputValue::new("datasetId", TypeRef::named(TypeRef::ID))
                .description("Which of several values it is."),
        );
    for (((name, _), ty), says) in VALUES.iter().zip(types).zip(says) {
        object = object.field(InputValue::new(*name, ty).description(says));
    }
    object
        .field(InputValue::new("observedAt", TypeRef::named("DateTime")))
        .field(InputValue::new("unitCode", TypeRef::named(TypeRef::STRING)))
        .field(InputValue::new("attributes", TypeRef::named_nn_list("AttributeInput")))
}

fn entity_order() -> InputObject {
    order_input("EntityOrder", "EntityField")
}

pub(super) fn order_input(name: &str, fields: &str) -> InputObject {
    InputObject::new(name).field(InputValue::new("field", TypeRef::named_nn(fields))).field(
        InputValue::new("direction", TypeRef::named("Direction"))
            .default_value(Value::Enum(async_graphql::Name::new("ASC"))),
    )
}

fn page_info() -> Object {
    let part = |name: &'static str, ty: TypeRef| {
        Field::new(name, ty, move |ctx| {
            let page = ctx.parent_value.downcast_ref::<PageInfo>();
            FieldFuture::from_value(page.map(|page| match name {
                "hasNextPage" => Value::Boolean(page.has_next),
                "hasPreviousPage" => Value::Boolean(page.has_previous),
                "startCursor" => page.start.clone().map_or(Value::Null, Value::String),
                _ => page.end.clone().map_or(Value::Null, Value::String),
            }))
        })
    };
    Object::new("PageInfo")
        .field(part("hasNextPage", TypeRef::named_nn(TypeRef::BOOLEAN)))
        .field(part("hasPreviousPage", TypeRef::named_nn(TypeRef::BOOLEAN)))
        .field(part("startCursor", TypeRef::named(TypeRef::STRING)))
        .field(part("endCursor", TypeRef::named(TypeRef::STRING)))
}

/// What is told of a page.
pub(super) struct PageInfo {
    has_next: bool,
    has_previous: bool,
    start: Option<String>,
    end: Option<String>,
}

impl PageInfo {
    pub(super) fn of(page: &Connection) -> Self {
        let (start, end) = page.ends();
        Self { has_next: page.has_next, has_previous: page.has_previous, start, end }
    }
}

fn deleted() -> Object {
    Object::new("DeletedEntity")
        .field(Field::new("id", TypeRef::named_nn(TypeRef::ID), |ctx| {
            let deleted = ctx.parent_value.downcast_ref::<Deleted>();
            FieldFuture::from_value(deleted.map(|deleted| Value::String(deleted.id.clone())))
        }))
        .field(Field::new("revision", TypeRef::named_nn("Revision"), |ctx| {
            let deleted = ctx.parent_value.downcast_ref::<Deleted>();
            FieldFuture::from_value(deleted.map(|deleted| Value::from(deleted.revision.0)))
        }))
}
