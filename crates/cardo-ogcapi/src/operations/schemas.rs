use axum::body::Body;
use axum::http::Response;

use crate::answer::link_headers;
use crate::documents::{About, Link, SCHEMA, Schema, own_links};
use crate::face::{Face, collection_of};
use crate::fault::Fault;
use crate::html;
use crate::params::{ParamFault, SchemaProfiles, profile_uri, shorten};
use crate::request::{Ask, Format, HTML};
use crate::respond;

/// What can be asked for (OGC 19-079r2, clause 6.2).
pub(crate) async fn queryables(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    answer(face, ask, Schema::Queryables).await
}

/// By what features can be sorted (OGC 23-058r2, clause 12).
pub(crate) async fn sortables(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    answer(face, ask, Schema::Sortables).await
}

/// What features have and take (OGC 23-058r2, clause 10), the GeoJSON that one is or that takes its place.
pub(crate) async fn schema(face: &Face, ask: &Ask<'_>) -> Result<Response<Body>, Fault> {
    let schema = match ask.query.get("type") {
        None => Schema::Returnables,
        Some("replace") => Schema::Replacement,
        Some("feature") => Schema::Feature,
        Some(other) => return Err(ParamFault::SchemaType(shorten(other)).into()),
    };
    answer(face, ask, schema).await
}

async fn answer(face: &Face, ask: &Ask<'_>, schema: Schema) -> Result<Response<Body>, Fault> {
    let known: &[&str] = match schema {
        Schema::Queryables | Schema::Sortables => &["f", "profile"],
        Schema::Returnables | Schema::Replacement | Schema::Feature => &["f", "profile", "type"],
    };
    ask.query.only(known)?;
    let format = ask.format(SCHEMA)?;
    let tables = face.tables(ask).await?;
    let table = collection_of(&tables, ask)?;
    let asked = SchemaProfiles::parse(&ask.query)?;
    let revision = face.snapshot(ask).await?.revision();
    if format == Format::Html {
        return Ok(respond::page(html::schema_page(ask, table, schema), revision));
    }
    // What may be written does not depend on what is there.
    let profiles = if schema == Schema::Replacement { SchemaProfiles::default() } else { asked };
    let survey = face.survey(ask, &tables, table, profiles, schema).await?;
    let about = About { url: ask.path_url(), root: ask.root(), survey: &survey, tables: &tables };
    let mut response = respond::json(SCHEMA, &schema.of(table, &about), revision);
    let mut links = own_links(ask, format, SCHEMA);
    links.extend(
        survey.profiles.names().map(|name| {
            Link::new(profile_uri(name), "profile", HTML, "Which values properties have")
        }),
    );
    link_headers(&links, response.headers_mut());
    Ok(response)
}
