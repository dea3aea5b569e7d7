//! The dictionary at `/names`: which short names stand for which types and attributes in OGC API
//! and GraphQL, and which names more than one of them wanted.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use cardo_engine::{Caller, Collision, QueryError, Reach, Table};
use cardo_http::Rights;
use serde_json::{Value, json};

use crate::operations::Operations;
use crate::refusal::{Refusal, granted};

/// The names of the twin that the request is about, as its caller sees it.
pub(crate) async fn names(State(operations): State<Operations>, parts: Parts) -> Response {
    match dictionary(&operations, &parts).await {
        Ok(names) => {
            let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
            (headers, names.to_string()).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn dictionary(operations: &Operations, parts: &Parts) -> Result<Value, Refusal> {
    let (twin, granted) = granted(operations, parts, Rights::Read)?;
    let origin = "names".into();
    let caller = Caller {
        twin,
        principal: granted.principal,
        view: granted.view,
        origin,
        reach: Reach::Local,
    };
    let tables = operations.engine.tables(&caller).await.map_err(|error| match error {
        QueryError::UnknownTenant(_) | QueryError::UnknownBranch(_) => {
            Refusal(StatusCode::NOT_FOUND, error.to_string())
        }
        QueryError::NotOver(_) => Refusal(StatusCode::BAD_REQUEST, error.to_string()),
        QueryError::Forgotten { .. } => Refusal(StatusCode::GONE, error.to_string()),
        error => {
            tracing::error!(%error, "the names of a twin could not be told");
            let why = "the twin cannot be read now".to_owned();
            Refusal(StatusCode::SERVICE_UNAVAILABLE, why)
        }
    })?;
    let layers = operations.layers.seen_by(&caller);
    let described = || layers.iter().map(|layer| layer.description());
    let both = tables.beside(described().map(|layer| &layer.table), 0);
    let of_columns = described().flat_map(|layer| &layer.collisions);
    Ok(json!({
        "types": tables.all().iter().map(of_table).collect::<Vec<_>>(),
        "layers": described().map(|layer| of_table(&layer.table)).collect::<Vec<_>>(),
        "collisions": both.collisions().iter().chain(of_columns).map(of_collision).collect::<Vec<_>>(),
    }))
}

fn of_table(table: &Table) -> Value {
    let columns = table
        .columns
        .iter()
        .map(|column| json!({ "name": column.name, "attribute": column.attribute().as_str() }));
    json!({
        "name": table.name,
        "type": table.type_name.as_str(),
        "columns": columns.collect::<Vec<_>>(),
        "columnsLeftOut": table.left_out,
    })
}

fn of_collision(collision: &Collision) -> Value {
    let given = Some(&collision.given).filter(|given| !given.is_empty());
    json!({ "wanted": collision.wanted, "by": collision.of, "given": given })
}
