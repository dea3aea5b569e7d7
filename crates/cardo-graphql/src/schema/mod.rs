//! The schema of a twin: the same for every type, from the model.

mod aggregate;
mod entity;
mod inputs;
mod roots;
mod shared;

use std::sync::Arc;

use async_graphql::dynamic::{
    FieldFuture, FieldValue, InputValue, ResolverContext, Schema, SchemaError, TypeRef,
};

use crate::fault::Fault;
use crate::model::Model;
use crate::session::Session;

pub(crate) use roots::type_iri;

/// Builds the schema; names are free of collisions by then, so that it succeeds.
pub(crate) fn build(model: &Arc<Model>) -> Result<Schema, SchemaError> {
    let mut builder = Schema::build("Query", Some("Mutation"), Some("Subscription"))
        .limit_recursive_depth(64)
        .limit_directives(16);
    for ty in shared::types(model) {
        builder = builder.register(ty);
    }
    for ty in aggregate::types() {
        builder = builder.register(ty);
    }
    for of in 0..model.types.len() {
        for ty in entity::types(model, of) {
            builder = builder.register(ty);
        }
        for ty in inputs::types(model, of) {
            builder = builder.register(ty);
        }
    }
    builder
        .register(roots::query(model))
        .register(roots::mutation(model))
        .register(roots::subscription(model))
        .finish()
}

/// The session of a request.
fn session(ctx: &ResolverContext<'_>) -> Result<Arc<Session>, Fault> {
    let session = ctx.data::<Arc<Session>>();
    session.cloned().map_err(|error| Fault::new(crate::fault::Code::Internal, error.message))
}

/// A field that may fail alone: its error stands in `errors` with its path, the field is null, and
/// all others are answered.
fn fallible<'a, F>(
    ctx: ResolverContext<'a>,
    answer: impl FnOnce(ResolverContext<'a>) -> F + Send + 'a,
) -> FieldFuture<'a>
where
    F: Future<Output = Result<Option<FieldValue<'a>>, Fault>> + Send + 'a,
{
    let context = ctx.ctx;
    FieldFuture::new(async move {
        match answer(ctx).await {
            Ok(value) => Ok(value),
            Err(fault) => {
                context.add_error(context.set_error_path(fault.to_error(Some(context.item.pos))));
                Ok(None)
            }
        }
    })
}

/// The arguments of a page.
fn page_arguments(mut field: async_graphql::dynamic::Field) -> async_graphql::dynamic::Field {
    for (name, ty, says) in [
        ("first", TypeRef::INT, "So many from the start of the page."),
        ("after", TypeRef::STRING, "Behind this cursor."),
        ("last", TypeRef::INT, "So many from the end of the page."),
        ("before", TypeRef::STRING, "Before this cursor."),
    ] {
        field = field.argument(InputValue::new(name, TypeRef::named(ty)).description(says));
    }
    field
}
