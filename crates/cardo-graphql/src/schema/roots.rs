//! Where questions, changes and subscriptions begin.

use std::sync::Arc;

use async_graphql::Value;
use async_graphql::dynamic::{
    Field, FieldFuture, FieldValue, InputValue, Object, ResolverContext, Subscription,
    SubscriptionField, SubscriptionFieldFuture, TypeRef,
};
use cardo_model::Iri;
use cardo_query::Filter;
use futures_util::{Stream, StreamExt};

use super::entity::{filtered, moment_of, wants_count};
use super::{aggregate, fallible, page_arguments, session};
use crate::fault::Fault;
use crate::filter;
use crate::model::{LiveNames, Model};
use crate::mutate::{self, Write};
use crate::resolve::{self, Asked, Group, Node, PageArgs, given};
use crate::session::Session;
use crate::subscribe::{self, Wanted};

fn id_argument() -> InputValue {
    InputValue::new("id", TypeRef::named_nn(TypeRef::ID))
}

fn id_of<'a>(ctx: &'a ResolverContext<'_>) -> Result<&'a str, Fault> {
    let value = ctx.args.get("id").ok_or_else(|| Fault::input("id is missing"))?;
    match value.as_value() {
        Value::String(id) => Ok(id),
        other => Err(Fault::input(format!("id is {other}, and has to be a text"))),
    }
}

/// One entity, where it exists and is of the type.
async fn one(ctx: &ResolverContext<'_>, of: Option<usize>) -> Result<Option<Node>, Fault> {
    let moment = moment_of(ctx)?;
    let id = id_of(ctx)?;
    if let Some(layer) = of.and_then(|of| moment.model.layer(of)) {
        let feature = moment.feature(layer, id).await?;
        return Ok(feature.map(|record| Group::of_one(moment.clone(), record)));
    }
    let Some(record) = moment.one(id).await? else { return Ok(None) };
    if let Some(of) = of
        && record.view().types().all(|id| id != moment.model.table(of).id)
    {
        return Ok(None);
    }
    Ok(Some(Group::of_one(moment, record)))
}

pub(super) fn query(model: &Arc<Model>) -> Object {
    let single = |name: &str, ty: &str, of: Option<usize>| {
        Field::new(name, TypeRef::named(ty), move |ctx| {
            fallible(ctx, move |ctx| async move {
                Ok(one(&ctx, of).await?.map(|node| node.into_value(of)))
            })
        })
        .argument(id_argument())
    };
    let mut object = Object::new("Query")
        .field(any_node())
        .field(single("entity", "Entity", None).description("An entity by its id."))
        .field(entities());
    for field in aggregate::fields(["aggregate", "aggregateByArea"], "EntityFilter", None) {
        object = object.field(field);
    }
    object = object.field(
        Field::new("revision", TypeRef::named_nn("Revision"), |ctx| {
            let revision = session(&ctx).map_or(0, |session| session.revision().0);
            FieldFuture::from_value(Some(Value::from(revision)))
        })
        .description("The revision of the twin that answers."),
    );
    for (of, ty) in model.types.iter().enumerate() {
        object = object.field(single(&ty.names.one, &ty.name, Some(of))).field(many(
            &ty.names.list,
            &ty.names.connection,
            &ty.names.filter,
            &ty.names.order,
            of,
        ));
        let Some(live) = &ty.live else { continue };
        let names = [live.aggregate.as_str(), &live.aggregate_by_area];
        for field in aggregate::fields(names, &ty.names.filter, Some(of)) {
            object = object.field(field);
        }
    }
    object
}

/// An entity, or a feature of a layer.
fn any_node() -> Field {
    Field::new("node", TypeRef::named("Node"), |ctx| {
        fallible(ctx, |ctx| async move {
            if let Some(node) = one(&ctx, None).await? {
                return Ok(Some(node.into_any()));
            }
            let (moment, id) = (moment_of(&ctx)?, id_of(&ctx)?);
            for of in moment.model.layers() {
                let Some(layer) = moment.model.layer(of) else { continue };
                if let Some(record) = moment.feature(layer, id).await? {
                    let name = moment.model.types[of].name.clone();
                    let node = Group::of_one(moment.clone(), record);
                    return Ok(Some(FieldValue::owned_any(node).with_type(name)));
                }
            }
            Ok(None)
        })
    })
    .argument(id_argument())
    .description("An entity, or a feature of a layer, by its id (Relay).")
}

fn many(name: &str, connection: &str, filter: &str, order: &str, of: usize) -> Field {
    let field = Field::new(name, TypeRef::named(connection), move |ctx| {
        fallible(ctx, move |ctx| async move {
            let moment = moment_of(&ctx)?;
            let typed = filter::of_type(&moment.model, Some(of));
            list(&ctx, Some(of), typed).await
        })
    });
    filtered(page_arguments(field), filter, order)
}

fn entities() -> Field {
    let field = Field::new("entities", TypeRef::named("EntityConnection"), |ctx| {
        fallible(ctx, |ctx| async move {
            let moment = moment_of(&ctx)?;
            let types = type_filter(&moment.model, &ctx)?;
            list(&ctx, None, types).await
        })
    });
    filtered(page_arguments(field), "EntityFilter", "EntityOrder")
        .argument(
            InputValue::new("type", TypeRef::named_nn_list(TypeRef::STRING))
                .description("Names of types, or their IRIs; any of them."),
        )
        .description("Entities of any type.")
}

/// Entities of any of the types that `type` names.
fn type_filter(model: &Model, ctx: &ResolverContext<'_>) -> Result<Filter, Fault> {
    if given(ctx.args.as_index_map(), "type").is_none() {
        return Ok(Filter::True);
    }
    Ok(Filter::Or(type_names(model, ctx)?.into_iter().map(Filter::Type).collect()))
}

/// The types that `type` names.
pub(super) fn type_names(model: &Model, ctx: &ResolverContext<'_>) -> Result<Vec<Iri>, Fault> {
    let names = match given(ctx.args.as_index_map(), "type") {
        None => Vec::new(),
        Some(Value::List(names)) => names.clone(),
        Some(one) => vec![one.clone()],
    };
    let ty = |name: &Value| match name {
        Value::String(name) => type_iri(model, name),
        other => Err(Fault::input(format!("type holds {other}, which is no text"))),
    };
    names.iter().map(ty).collect()
}

/// The type of a short name or an IRI.
pub(crate) fn type_iri(model: &Model, name: &str) -> Result<Iri, Fault> {
    if let Some(table) = model.tables.get(name) {
        return Ok(table.type_name.clone());
    }
    if let Some(of) = model.named(name) {
        return Ok(model.table(of).type_name.clone());
    }
    let iri = name.contains(':').then(|| Iri::new(name.to_owned()).ok()).flatten();
    iri.ok_or_else(|| Fault::input(format!("type {name:?} is no type of the twin and no IRI")))
}

async fn list<'a>(
    ctx: &ResolverContext<'a>,
    of: Option<usize>,
    types: Filter,
) -> Result<Option<FieldValue<'a>>, Fault> {
    let moment = moment_of(ctx)?;
    let given = ctx.args.as_index_map();
    let asked = Asked::read(given, &moment.model, of)?;
    let args = PageArgs::read(given, &moment.face.options.limits)?;
    let name = of.map_or("Entity", |of| moment.model.table(of).name.as_ref());
    let question = resolve::question_of(&moment, name, given);
    let filter = types.and(asked.filter);
    let count = wants_count(ctx);
    let page = resolve::list(&moment, of, filter, asked.order, &args, question, count).await?;
    Ok(Some(FieldValue::owned_any(page)))
}

pub(super) fn mutation(model: &Arc<Model>) -> Object {
    let mut object = Object::new("Mutation").field(
        Field::new("deleteEntity", TypeRef::named("DeletedEntity"), |ctx| {
            fallible(ctx, |ctx| async move {
                let deleted = mutate::delete(&*session(&ctx)?, id_of(&ctx)?).await?;
                Ok(Some(FieldValue::owned_any(deleted)))
            })
        })
        .argument(id_argument())
        .description("Deletes an entity."),
    );
    let any = ["createEntity", "mergeEntity", "replaceEntity"].map(str::to_owned);
    object = writes(object, &any, "Entity", "EntityInput", None);
    for (of, ty) in model.types.iter().enumerate() {
        let Some(LiveNames { create, merge, replace, input, .. }) = &ty.live else { continue };
        let names = [create, merge, replace].map(String::clone);
        object = writes(object, &names, &ty.name, input, Some(of));
    }
    object
}

fn writes(object: Object, names: &[String; 3], ty: &str, input: &str, of: Option<usize>) -> Object {
    let ways = [Write::Create, Write::Merge, Write::Replace];
    let fields = names.iter().zip(ways).map(|(name, how)| write(name, ty, input, of, how));
    fields.fold(object, Object::field)
}

fn write(name: &str, ty: &str, input: &str, of: Option<usize>, how: Write) -> Field {
    let says = match how {
        Write::Create => "Creates an entity; it must not exist.",
        Write::Merge => "Changes what is given of an entity, and leaves the rest.",
        Write::Replace => "Replaces all of an entity that exists.",
    };
    Field::new(name, TypeRef::named(ty), move |ctx| {
        fallible(ctx, move |ctx| async move {
            let session = session(&ctx)?;
            let input = ctx.args.get("input").ok_or_else(|| Fault::input("input is missing"))?;
            let node = mutate::write(&session, of, id_of(&ctx)?, input.as_value(), how).await?;
            Ok(node.map(|node| node.into_value(of)))
        })
    })
    .argument(id_argument())
    .argument(InputValue::new("input", TypeRef::named_nn(input)))
    .description(says)
}

pub(super) fn subscription(model: &Arc<Model>) -> Subscription {
    let mut object = Subscription::new("Subscription").field(
        news("entityChanged", "EntityChange", "EntityFilter", None)
            .argument(InputValue::new("type", TypeRef::named_nn_list(TypeRef::STRING)))
            .description("Changes of entities of any type."),
    );
    for (of, ty) in model.types.iter().enumerate() {
        let Some(live) = &ty.live else { continue };
        let filter = &ty.names.filter;
        object = object.field(news(&live.changed, &live.change, filter, Some(of))).field(fence(
            &live.fenced,
            &live.fence,
            filter,
            of,
        ));
    }
    object
}

fn news(name: &str, ty: &str, filter: &str, of: Option<usize>) -> SubscriptionField {
    SubscriptionField::new(name, TypeRef::named_nn(ty), move |ctx| {
        SubscriptionFieldFuture::new(async move {
            let session = session(&ctx)?;
            let types = match of {
                Some(_) => filter::of_type(&session.model, of),
                None => type_filter(&session.model, &ctx)?,
            };
            let asked = Asked::read(ctx.args.as_index_map(), &session.model, of)?;
            let wanted = Wanted::changes(of, types.and(asked.filter), kinds(&ctx));
            told(session, wanted).await
        })
    })
    .argument(InputValue::new("filter", TypeRef::named(filter)))
    .argument(InputValue::new("on", TypeRef::named_nn_list("ChangeKind")))
}

fn fence(name: &str, ty: &str, filter: &str, of: usize) -> SubscriptionField {
    SubscriptionField::new(name, TypeRef::named_nn(ty), move |ctx| {
        SubscriptionFieldFuture::new(async move {
            let session = session(&ctx)?;
            let model = &session.model;
            let args = ctx.args.as_index_map();
            let asked = Asked::read(args, model, Some(of))?;
            let area = match (given(args, "area"), given(args, "near")) {
                (Some(area), None) => filter::area(model, of, area, false)?,
                (None, Some(near)) => filter::area(model, of, near, true)?,
                _ => return Err(Fault::input("a fence is either an area, or near a position").into()),
            };
            let filter = filter::of_type(model, Some(of)).and(asked.filter).and(area);
            let wanted = Wanted::fence(of, filter, kinds(&ctx));
            told(session, wanted).await
        })
    })
    .argument(InputValue::new("area", TypeRef::named("Geometry")))
    .argument(InputValue::new("near", TypeRef::named("NearFilter")))
    .argument(InputValue::new("filter", TypeRef::named(filter)))
    .argument(InputValue::new("on", TypeRef::named_nn_list("FenceEventKind")))
    .description("Who enters an area, leaves it, or changes within it.")
}

async fn told<'a>(
    session: Arc<Session>,
    wanted: Wanted,
) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<FieldValue<'a>>> + Send> {
    let news = subscribe::follow(session, wanted).await?;
    Ok(news.map(|news| Ok(FieldValue::owned_any(news?))))
}

/// The kinds of news that are wanted; all where none is named.
fn kinds(ctx: &ResolverContext<'_>) -> Vec<String> {
    let Some(value) = given(ctx.args.as_index_map(), "on") else { return Vec::new() };
    let name = |value: &Value| match value {
        Value::Enum(name) => Some(name.to_string()),
        Value::String(name) => Some(name.clone()),
        _ => None,
    };
    match value {
        Value::List(items) => items.iter().filter_map(name).collect(),
        one => name(one).into_iter().collect(),
    }
}
