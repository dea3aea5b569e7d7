//! Counts and figures of numbers, in all and by areas.

use std::sync::Arc;

use async_graphql::Value;
use async_graphql::dynamic::{
    Field, FieldFuture, FieldValue, InputValue, Object, ResolverContext, Type, TypeRef,
};

use super::entity::moment_of;
use super::fallible;
use super::roots::{type_iri, type_names};
use crate::fault::Fault;
use crate::model::Model;
use crate::resolve::{AreaAggregate, NumberOf, TypeAggregate, Wanted, given};

pub(super) fn types() -> Vec<Type> {
    vec![number_aggregate().into(), type_aggregate().into(), area_aggregate().into()]
}

fn number_aggregate() -> Object {
    let member = |name: &'static str, ty: TypeRef| {
        Field::new(name, ty, move |ctx| {
            let number = ctx.parent_value.downcast_ref::<NumberOf>();
            let value = number.map(|number| number.member(name));
            FieldFuture::from_value(value.filter(|value| *value != Value::Null))
        })
    };
    Object::new("NumberAggregate")
        .description("The numbers of an attribute that have the same unit.")
        .field(member("attribute", TypeRef::named_nn(TypeRef::STRING)))
        .field(member("unit", TypeRef::named(TypeRef::STRING)).description("The code of the unit."))
        .field(member("count", TypeRef::named_nn(TypeRef::INT)))
        .field(member("sum", TypeRef::named_nn(TypeRef::FLOAT)))
        .field(member("mean", TypeRef::named_nn(TypeRef::FLOAT)))
        .field(member("min", TypeRef::named_nn(TypeRef::FLOAT)))
        .field(member("max", TypeRef::named_nn(TypeRef::FLOAT)))
}

fn type_aggregate() -> Object {
    fn own<'a>(ctx: &ResolverContext<'a>) -> Option<&'a TypeAggregate> {
        ctx.parent_value.downcast_ref()
    }
    Object::new("TypeAggregate")
        .description("What entities of a type amount to.")
        .field(Field::new("type", TypeRef::named_nn(TypeRef::STRING), |ctx| {
            FieldFuture::from_value(own(&ctx).map(|own| Value::from(own.table().name.as_ref())))
        }))
        .field(Field::new("count", TypeRef::named_nn(TypeRef::INT), |ctx| {
            FieldFuture::from_value(own(&ctx).map(|own| Value::from(own.figures.count)))
        }))
        .field(Field::new("numbers", TypeRef::named_nn_list_nn("NumberAggregate"), |ctx| {
            FieldFuture::new(async move {
                Ok(own(&ctx).map(|own| {
                    let places = 0..own.figures.numbers.len();
                    let number = |at| FieldValue::owned_any(NumberOf { of: own.clone(), at });
                    FieldValue::list(places.map(number))
                }))
            })
        }))
}

fn area_aggregate() -> Object {
    fn own<'a>(ctx: &ResolverContext<'a>) -> Option<&'a AreaAggregate> {
        ctx.parent_value.downcast_ref()
    }
    Object::new("AreaAggregate")
        .description(
            "What lies in an area, borders included. An entity lies in one area at the most: where its point, or a \
             position on its line or polygon, lies in several, in the one that was created first.",
        )
        .field(Field::new("area", TypeRef::named_nn("Entity"), |ctx| {
            FieldFuture::new(async move { Ok(own(&ctx).map(|own| own.area.clone().into_any())) })
        }))
        .field(Field::new("types", TypeRef::named_nn_list_nn("TypeAggregate"), |ctx| {
            FieldFuture::new(async move { Ok(own(&ctx).map(|own| listed(own.types.clone()))) })
        }))
}

fn listed<'a>(types: Vec<TypeAggregate>) -> FieldValue<'a> {
    FieldValue::list(types.into_iter().map(FieldValue::owned_any))
}

/// The fields of the root: for a type, or for any.
pub(super) fn fields(names: [&str; 2], filter: &str, of: Option<usize>) -> [Field; 2] {
    let all = Field::new(names[0], TypeRef::named_nn_list("TypeAggregate"), move |ctx| {
        fallible(ctx, move |ctx| async move {
            let moment = moment_of(&ctx)?;
            let types = asked_types(&moment.model, &ctx, of, None)?;
            let wanted = Wanted::read(&moment, ctx.args.as_index_map(), &types, of)?;
            Ok(Some(listed(wanted.all().await?)))
        })
    });
    let all = all
        .argument(
            InputValue::new("area", TypeRef::named("Geometry"))
                .description("Only entities whose geometry shares a position with it."),
        )
        .description("How many entities there are, and the figures of their numbers.");
    let by_area = Field::new(names[1], TypeRef::named_nn_list("AreaAggregate"), move |ctx| {
        fallible(ctx, move |ctx| async move {
            let moment = moment_of(&ctx)?;
            let args = ctx.args.as_index_map();
            let areas = area_type(&moment.model, &ctx)?;
            let types = asked_types(&moment.model, &ctx, of, Some(areas))?;
            let wanted = Wanted::read(&moment, args, &types, of)?;
            let all = wanted.by_area(args, areas).await?;
            Ok(Some(FieldValue::list(all.into_iter().map(FieldValue::owned_any))))
        })
    });
    let by_area = by_area
        .argument(
            InputValue::new("areas", TypeRef::named_nn(TypeRef::STRING))
                .description("The type whose polygons are the areas."),
        )
        .argument(InputValue::new("areaFilter", TypeRef::named("EntityFilter")))
        .argument(
            InputValue::new("first", TypeRef::named(TypeRef::INT))
                .description("So many areas, in the order of their creation."),
        )
        .description("The same by areas. An entity is counted in one area at the most.");
    [all, by_area].map(|field| {
        let field = field.argument(InputValue::new("filter", TypeRef::named(filter))).argument(
            InputValue::new("attributes", TypeRef::named_nn_list(TypeRef::STRING))
                .description("The attributes with numbers that count; all where it is absent."),
        );
        if of.is_some() {
            return field;
        }
        field.argument(
            InputValue::new("type", TypeRef::named_nn_list(TypeRef::STRING))
                .description("Names of types, or their IRIs; all where it is absent."),
        )
    })
}

/// The places of the types that are asked for.
fn asked_types(
    model: &Arc<Model>,
    ctx: &ResolverContext<'_>,
    of: Option<usize>,
    areas: Option<usize>,
) -> Result<Vec<usize>, Fault> {
    if let Some(of) = of {
        return Ok(vec![of]);
    }
    if given(ctx.args.as_index_map(), "type").is_none() {
        // Areas do not lie in one another unless that is asked.
        let all = 0..model.tables.all().len();
        let can_lie = |of: &usize| areas.is_none() || model.table(*of).geometry.is_some();
        return Ok(all.filter(|of| Some(*of) != areas).filter(can_lie).collect());
    }
    let mut types = Vec::new();
    for iri in type_names(model, ctx)? {
        // A type that nobody is of has nothing to count.
        let found = model.tables.all().iter().position(|table| table.type_name == iri);
        types.extend(found.filter(|of| !types.contains(of)));
    }
    Ok(types)
}

fn area_type(model: &Arc<Model>, ctx: &ResolverContext<'_>) -> Result<usize, Fault> {
    let Some(Value::String(name)) = given(ctx.args.as_index_map(), "areas") else {
        return Err(Fault::input("areas has to name a type"));
    };
    let iri = type_iri(model, name)?;
    let found = model.tables.all().iter().position(|table| table.type_name == iri);
    let has_place = |of: &usize| model.table(*of).geometry.is_some();
    found
        .filter(has_place)
        .ok_or_else(|| Fault::input(format!("areas: there are no geometries of the type {name:?}")))
}
