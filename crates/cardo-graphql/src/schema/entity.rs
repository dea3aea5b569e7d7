//! The objects of a type: the entity itself, pages of it, news of it.

use std::sync::Arc;

use async_graphql::Value;
use async_graphql::dynamic::{
    Field, FieldFuture, FieldValue, InputValue, Object, ResolverContext, Type, TypeRef,
};
use cardo_engine::ColumnType;

use super::shared::PageInfo;
use super::{fallible, page_arguments, session};
use crate::fault::Fault;
use crate::model::{Model, Target};
use crate::resolve::{self, Asked, Connection, Edge, Node, PageArgs, Reverse};
use crate::subscribe::News;

pub(super) fn types(model: &Arc<Model>, of: usize) -> Vec<Type> {
    let ty = &model.types[of];
    let mut types = vec![Type::from(object(model, of))];
    types.extend(connection_types(&ty.name, &ty.names.connection, &ty.names.edge));
    if let Some(live) = &ty.live {
        types.push(change_type(&live.change, &ty.name).into());
        types.push(fence_type(&live.fence, &ty.name).into());
    }
    types
}

fn object(model: &Arc<Model>, of: usize) -> Object {
    let (ty, table) = (&model.types[of], model.table(of));
    let object = Object::new(&ty.name).description(says(model, of)).implement("Node");
    let mut object = match model.layer(of) {
        Some(_) => id_field(object),
        None => member_fields(object.implement("Entity")),
    };
    for (at, (column, field)) in table.columns.iter().zip(&ty.fields).enumerate() {
        let says = column.attribute().as_str().to_owned();
        match (field.target, &field.ids) {
            (Some(target), Some(ids)) => {
                let nested = nested(model, of, at, target);
                object = object.field(nested.description(says)).field(id_list(ids, of, at));
            }
            _ => {
                object = object.field(cell(&field.name, of, at, column.datatype).description(says));
            }
        }
    }
    for reverse in &ty.reverse {
        object = object.field(way_back(model, &reverse.name, reverse.of, reverse.column));
    }
    object
}

/// What the objects are, and why they are called otherwise than what they are of.
fn says(model: &Model, of: usize) -> String {
    let (name, table) = (&model.types[of].name, model.table(of));
    if model.layer(of).is_none() {
        return format!("Entities of the type {}.", table.type_name.as_str());
    }
    let mut says = format!("Features of the layer {}, which is a file.", table.name);
    if **name != *table.name {
        says += " Its name is taken, or none of GraphQL.";
    }
    says
}

fn member(name: &'static str, ty: TypeRef) -> Field {
    Field::new(name, ty, move |ctx| {
        FieldFuture::from_value(node(&ctx).map(|node| node.member(name)).filter(is_there))
    })
}

fn id_field(object: Object) -> Object {
    object.field(member("id", TypeRef::named_nn(TypeRef::ID)))
}

/// The fields of the interface.
pub(super) fn member_fields(object: Object) -> Object {
    id_field(object)
        .field(member("type", TypeRef::named_nn_list_nn(TypeRef::STRING)))
        .field(member("scope", TypeRef::named_nn_list_nn(TypeRef::STRING)))
        .field(member("createdAt", TypeRef::named_nn("DateTime")))
        .field(member("modifiedAt", TypeRef::named_nn("DateTime")))
        .field(member("expiresAt", TypeRef::named("DateTime")))
}

fn node<'a>(ctx: &ResolverContext<'a>) -> Option<&'a Node> {
    ctx.parent_value.downcast_ref::<Node>()
}

/// Scalars that are checked are null where there is no value, and refuse a value that is null.
fn is_there(value: &Value) -> bool {
    *value != Value::Null
}

fn cell(name: &str, of: usize, at: usize, datatype: ColumnType) -> Field {
    Field::new(name, output(datatype), move |ctx| {
        FieldFuture::from_value(node(&ctx).map(|node| node.cell(of, at)).filter(is_there))
    })
}

fn output(datatype: ColumnType) -> TypeRef {
    match datatype {
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

fn id_list(name: &str, of: usize, at: usize) -> Field {
    Field::new(name, TypeRef::named_nn_list_nn(TypeRef::ID), move |ctx| {
        let ids = node(&ctx).map(|node| node.ids(of, at)).unwrap_or_default();
        FieldFuture::from_value(Some(Value::List(ids.into_iter().map(Value::String).collect())))
    })
}

/// What a relationship leads to.
fn nested(model: &Arc<Model>, of: usize, at: usize, target: Target) -> Field {
    let (column, field) = (model.column(of, at), &model.types[of].fields[at]);
    let (name, target) = match target {
        Target::One(target) => (model.types[target].name.as_str(), Some(target)),
        Target::Any => ("Entity", None),
    };
    let is_one = column.datatype == ColumnType::Relationship;
    let ty = if is_one { TypeRef::named(name) } else { TypeRef::named_nn_list(name) };
    Field::new(&field.name, ty, move |ctx| {
        fallible(ctx, move |ctx| async move {
            let Some(node) = node(&ctx) else { return Ok(None) };
            let found = resolve::forward(node, of, at).await?;
            let mut values = found.into_iter().map(|node| node.into_value(target));
            Ok(if is_one { values.next() } else { Some(FieldValue::list(values)) })
        })
    })
}

fn way_back(model: &Arc<Model>, name: &str, of: usize, column: usize) -> Field {
    let ty = &model.types[of];
    let says = format!("{} whose {} leads here.", ty.name, model.column(of, column).name);
    let field = Field::new(name, TypeRef::named(&ty.names.connection), move |ctx| {
        fallible(ctx, move |ctx| async move {
            let Some(node) = node(&ctx) else { return Ok(None) };
            let asked = reverse_of(&ctx, node, of, column)?;
            Ok(Some(FieldValue::owned_any(resolve::reverse(node, asked).await?)))
        })
    });
    filtered(page_arguments(field), &ty.names.filter, &ty.names.order).description(says)
}

fn reverse_of(
    ctx: &ResolverContext<'_>,
    node: &Node,
    of: usize,
    column: usize,
) -> Result<Reverse, Fault> {
    let moment = &node.group.moment;
    let given = ctx.args.as_index_map();
    let asked = Asked::read(given, &moment.model, Some(of))?;
    let args = PageArgs::read(given, &moment.face.options.limits)?;
    let table = moment.model.table(of);
    let question = resolve::question_of(moment, &format!("{}/{column}", table.name), given);
    let count = wants_count(ctx);
    Ok(Reverse { of, column, filter: asked.filter, order: asked.order, args, question, count })
}

pub(super) fn wants_count(ctx: &ResolverContext<'_>) -> bool {
    ctx.ctx.look_ahead().field("totalCount").exists()
}

pub(super) fn filtered(field: Field, filter: &str, order: &str) -> Field {
    field
        .argument(InputValue::new("filter", TypeRef::named(filter)))
        .argument(InputValue::new("orderBy", TypeRef::named_nn_list(order)))
}

/// A page of entities and its edges.
pub(super) fn connection_types(node: &str, connection: &str, edge: &str) -> Vec<Type> {
    fn page<'a>(ctx: &ResolverContext<'a>) -> Option<&'a Connection> {
        ctx.parent_value.downcast_ref::<Connection>()
    }
    let page_object = Object::new(connection)
        .field(Field::new("edges", TypeRef::named_nn_list_nn(edge), |ctx| {
            let edges =
                page(&ctx).map(|page| FieldValue::list(page.edges().map(FieldValue::owned_any)));
            FieldFuture::Value(edges)
        }))
        .field(Field::new("nodes", TypeRef::named_nn_list_nn(node), |ctx| {
            let nodes = page(&ctx).map(|page| {
                FieldValue::list(page.nodes.iter().map(|node| node.clone().into_value(page.of)))
            });
            FieldFuture::Value(nodes)
        }))
        .field(Field::new("pageInfo", TypeRef::named_nn("PageInfo"), |ctx| {
            FieldFuture::Value(page(&ctx).map(|page| FieldValue::owned_any(PageInfo::of(page))))
        }))
        .field(
            Field::new("totalCount", TypeRef::named_nn(TypeRef::INT), |ctx| {
                FieldFuture::from_value(page(&ctx).map(|page| Value::from(page.count.unwrap_or(0))))
            })
            .description("How many there are in all; counted only where it is asked for."),
        );
    let edge_object = Object::new(edge)
        .field(Field::new("cursor", TypeRef::named_nn(TypeRef::STRING), |ctx| {
            let edge = ctx.parent_value.downcast_ref::<Edge>();
            FieldFuture::from_value(edge.map(|edge| Value::String(edge.cursor.clone())))
        }))
        .field(Field::new("node", TypeRef::named_nn(node), |ctx| {
            let edge = ctx.parent_value.downcast_ref::<Edge>();
            FieldFuture::Value(edge.map(|edge| edge.node.clone().into_value(edge.of)))
        }));
    vec![page_object.into(), edge_object.into()]
}

/// News of an entity.
pub(super) fn change_type(name: &str, entity: &str) -> Object {
    let object = Object::new(name)
        .field(Field::new("change", TypeRef::named_nn("ChangeKind"), |ctx| {
            FieldFuture::from_value(news(&ctx).map(|news| Value::String(news.kind.to_owned())))
        }))
        .field(
            Field::new("matches", TypeRef::named_nn(TypeRef::BOOLEAN), |ctx| {
                FieldFuture::from_value(news(&ctx).map(|news| Value::Boolean(news.matches)))
            })
            .description("Whether it meets the filter as it is now."),
        )
        .field(
            Field::new("matched", TypeRef::named_nn(TypeRef::BOOLEAN), |ctx| {
                FieldFuture::from_value(news(&ctx).map(|news| Value::Boolean(news.matched)))
            })
            .description("Whether it met the filter before the change."),
        );
    news_fields(object, entity)
}

fn fence_type(name: &str, entity: &str) -> Object {
    let object =
        Object::new(name).field(Field::new("event", TypeRef::named_nn("FenceEventKind"), |ctx| {
            FieldFuture::from_value(news(&ctx).map(|news| Value::String(news.kind.to_owned())))
        }));
    news_fields(object, entity)
}

fn news<'a>(ctx: &ResolverContext<'a>) -> Option<&'a News> {
    ctx.parent_value.downcast_ref::<News>()
}

fn news_fields(object: Object, entity: &str) -> Object {
    object
        .field(
            Field::new("entity", TypeRef::named_nn(entity), |ctx| {
                FieldFuture::Value(news(&ctx).map(|news| news.node.clone().into_value(news.of)))
            })
            .description("The entity as it is, or as it was where it is gone."),
        )
        .field(
            Field::new("changed", TypeRef::named_nn_list_nn(TypeRef::STRING), |ctx| {
                let names = news(&ctx).map(|news| news.changed.iter().cloned());
                FieldFuture::from_value(names.map(|n| Value::List(n.map(Value::String).collect())))
            })
            .description("The attributes that changed."),
        )
        .field(Field::new("revision", TypeRef::named_nn("Revision"), |ctx| {
            FieldFuture::from_value(news(&ctx).map(|news| Value::from(news.revision.0)))
        }))
        .field(Field::new("time", TypeRef::named_nn("DateTime"), |ctx| {
            FieldFuture::from_value(news(&ctx).map(|news| crate::value::of_time(news.time)))
        }))
}

/// The place of the session's model, for fields of the roots.
pub(super) fn moment_of(ctx: &ResolverContext<'_>) -> Result<Arc<resolve::Moment>, Fault> {
    Ok(session(ctx)?.moment())
}
