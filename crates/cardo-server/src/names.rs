//! The dictionary at `/names`: which short names stand for which types and attributes in OGC API
//! and GraphQL, and which names more than one of them wanted.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use cardo_engine::{Caller, Collision, QueryError, Table};
use cardo_http::{Access, Denied, Rights, asked_twin};
use serde_json::{Value, json};

use crate::operations::Operations;

/// A status, and what the client is told.
type Refusal = (StatusCode, String);

/// The names of the twin that the request is about, as its caller sees it.
pub(crate) async fn names(State(operations): State<Operations>, parts: Parts) -> Response {
    match dictionary(&operations, &parts).await {
        Ok(names) => {
            let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
            (headers, names.to_string()).into_response()
        }
        Err((status, detail)) => problem(status, &detail),
    }
}

async fn dictionary(operations: &Operations, parts: &Parts) -> Result<Value, Refusal> {
    let twin = asked_twin(parts).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let twin = twin.unwrap_or_default();
    let access = Access { headers: &parts.headers, twin: &twin, rights: Rights::Read };
    let granted = operations.authorizer.authorize(&access).map_err(|denied| {
        let status = match denied {
            Denied::Unauthenticated => StatusCode::UNAUTHORIZED,
            _ => StatusCode::FORBIDDEN,
        };
        (status, denied.to_string())
    })?;
    let origin = "names".into();
    let caller = Caller { twin, principal: granted.principal, view: granted.view, origin };
    let tables = operations.engine.tables(&caller).await.map_err(|error| match error {
        QueryError::UnknownTenant(_) => (StatusCode::NOT_FOUND, error.to_string()),
        error => {
            tracing::error!(%error, "the names of a twin could not be told");
            (StatusCode::SERVICE_UNAVAILABLE, "the twin cannot be read now".to_owned())
        }
    })?;
    Ok(json!({
        "types": tables.all().iter().map(of_table).collect::<Vec<_>>(),
        "collisions": tables.collisions().iter().map(of_collision).collect::<Vec<_>>(),
    }))
}

fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason();
    let body = json!({ "title": title, "status": status.as_u16(), "detail": detail });
    let media = [(CONTENT_TYPE, "application/problem+json")];
    let mut response = (status, media, body.to_string()).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
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
    json!({ "wanted": collision.wanted, "by": collision.of, "given": collision.given })
}
