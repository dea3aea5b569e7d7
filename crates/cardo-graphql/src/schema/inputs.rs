//! What may be asked and given of a type.

use std::sync::Arc;

use async_graphql::dynamic::{InputObject, InputValue, Type, TypeRef};
use cardo_engine::{Column, ColumnType};

use super::shared::{enumeration, member_filters, order_input};
use crate::model::{ColumnExt, LiveNames, Model};

pub(super) fn types(model: &Arc<Model>, of: usize) -> Vec<Type> {
    let ty = &model.types[of];
    let mut types = vec![
        filter(model, of).into(),
        order_input(&ty.names.order, &ty.names.field_enum).into(),
        fields(model, of).into(),
    ];
    types.extend(ty.live.as_ref().map(|names| input(model, of, names).into()));
    types
}

fn filter(model: &Arc<Model>, of: usize) -> InputObject {
    let ty = &model.types[of];
    let object = InputObject::new(&ty.names.filter);
    let mut object = member_filters(object, &ty.names.filter, model.members(of));
    for (column, field) in model.table(of).columns.iter().zip(&ty.fields) {
        let conditions = match column.datatype {
            ColumnType::Number => "FloatFilter",
            ColumnType::Text | ColumnType::Date | ColumnType::Vocab => "StringFilter",
            ColumnType::Boolean => "BooleanFilter",
            ColumnType::DateTime => "DateTimeFilter",
            ColumnType::Json | ColumnType::List => "JSONFilter",
            ColumnType::Geometry => "GeometryFilter",
            ColumnType::Relationship | ColumnType::Relationships => "IDFilter",
        };
        object = object.field(InputValue::new(&field.filter, TypeRef::named(conditions)));
    }
    object
}

fn fields(model: &Arc<Model>, of: usize) -> async_graphql::dynamic::Enum {
    let is_single = |name: &&str| !["type", "scope"].contains(name);
    let mut names: Vec<&str> = model.members(of).iter().copied().filter(is_single).collect();
    let columns = model.table(of).columns.iter().filter(|column| column.has_order());
    // These three are no names of an enumeration (GraphQL, section 2.9.6).
    let is_name = |name: &&str| !["true", "false", "null"].contains(name);
    names.extend(columns.map(|column| column.name.as_ref()).filter(is_name));
    enumeration(&model.types[of].names.field_enum, &names)
}

fn input(model: &Arc<Model>, of: usize, names: &LiveNames) -> InputObject {
    let mut object = InputObject::new(&names.input)
        .description(
            "What is given of an entity. In a merge, what is absent stays, and null deletes.",
        )
        .field(
            InputValue::new("type", TypeRef::named_nn_list(TypeRef::STRING))
                .description("Further types."),
        )
        .field(InputValue::new("scope", TypeRef::named_nn_list(TypeRef::STRING)))
        .field(InputValue::new("expiresAt", TypeRef::named("DateTime")));
    for column in &model.table(of).columns {
        object = object.field(InputValue::new(column.name.as_ref(), given(column)));
    }
    object
}

fn given(column: &Column) -> TypeRef {
    match column.datatype {
        ColumnType::Number => TypeRef::named(TypeRef::FLOAT),
        ColumnType::Text | ColumnType::Date | ColumnType::Vocab => TypeRef::named(TypeRef::STRING),
        ColumnType::Boolean => TypeRef::named(TypeRef::BOOLEAN),
        ColumnType::DateTime => TypeRef::named("DateTime"),
        ColumnType::Json | ColumnType::List => TypeRef::named("JSON"),
        ColumnType::Geometry => TypeRef::named("Geometry"),
        ColumnType::Relationship => TypeRef::named(TypeRef::ID),
        ColumnType::Relationships => TypeRef::named_nn_list(TypeRef::ID),
    }
}
