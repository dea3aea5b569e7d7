use axum::body::Body;
use axum::http::Response;

use crate::documents::{SCHEMA, Schema};
use crate::face::{Face, collection_of};
use crate::fault::Fault;
use crate::html;
use crate::params::{ParamFault, shorten};
use crate::request::{Ask, Format};
use crate::respond;

/// What can be asked for (OGC 19-079r2, clause 6.2).
pub(crate) async fn queryables(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    answer(face, ask, Schema::Queryables).await
}

/// By what features can be sorted (OGC 23-058r2, clause 12).
pub(crate) async fn sortables(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    answer(face, ask, Schema::Sortables).await
}

/// What features have and take (OGC 23-058r2, clause 10), or the GeoJSON that takes the place of one.
pub(crate) async fn schema(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    let schema = match ask.query.get("type") {
        None => Schema::Returnables,
        Some("replace") => Schema::Replacement,
        Some(other) => return Err(ParamFault::SchemaType(shorten(other)).into()),
    };
    answer(face, ask, schema).await
}

async fn answer(face: &Face, ask: &Ask<'_>, schema: Schema) -> Result<Response<Body>, Fault> {
    let known: &[&str] = match schema {
        Schema::Queryables | Schema::Sortables => &["f"],
        Schema::Returnables | Schema::Replacement => &["f", "type"],
    };
    ask.query.only(known)?;
    let format = ask.format(SCHEMA)?;
    let tables = face.tables(ask).await?;
    let table = collection_of(&tables, ask)?;
    let revision = face.snapshot(ask).await?.revision();
    if format == Format::Html {
        return Ok(respond::page(html::schema_page(ask, table, schema), revision));
    }
    Ok(respond::json(SCHEMA, &schema.of(table, &ask.path_url()), revision))
}
