//! GraphQL over HTTP: questions by GET and POST, answers by the media type that is accepted.

use std::sync::Arc;
use std::time::Instant;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, Variables};
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, WebSocketUpgrade};
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER, UPGRADE, VARY, WWW_AUTHENTICATE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response as Answer, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use cardo_http::{
    BaseUrl, ForeignPage, Params, REVISION, Rights, TENANT, best_media_type, media_type_of,
    min_revision, read_body, revision_header, tagged,
};
use cardo_model::{Revision, TwinId};

use crate::face::{BASE, Face};
use crate::fault::{Code, Fault};
use crate::graphiql;
use crate::run::{self, Allowed};
use crate::websocket;

const JSON: &str = "application/json";
const RESPONSE: &str = "application/graphql-response+json";

pub(crate) fn routes(face: &Arc<Face>) -> Router {
    let shared = face.clone();
    let face = face.clone();
    let handler = move |request: axum::extract::Request| {
        let face = face.clone();
        async move { answer(&face, request).await }
    };
    let schema = move |request: axum::extract::Request| {
        let face = shared.clone();
        async move { schema_text(&face, &request.into_parts().0).await }
    };
    Router::new()
        .route(&format!("{BASE}/schema.graphql"), get(schema).fallback(only_read))
        .route(BASE, any(handler.clone()))
        .route(&format!("{BASE}/"), any(handler))
        .route(&format!("{BASE}/assets/{{name}}"), get(asset).fallback(only_read))
}

async fn asset(request: axum::extract::Request) -> Answer<Body> {
    let name = request.uri().path().rsplit('/').next().unwrap_or("");
    graphiql::asset(name).unwrap_or_else(|| {
        let fault = Fault::new(Code::NotFound, format!("GraphiQL has no file {name:?}"));
        written(Err(fault), Media::Json, request.headers()).0
    })
}

/// What answers at an address that takes no questions.
async fn only_read(request: axum::extract::Request) -> Answer<Body> {
    let message = format!("{} cannot be done here; GET and HEAD can", request.method());
    let fault = Fault::new(Code::OperationNotAllowed, message);
    let mut answer = written(Err(fault), Media::Json, request.headers()).0;
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    answer
}

/// The schema of the twin in the schema language.
async fn schema_text(face: &Arc<Face>, parts: &Parts) -> Answer<Body> {
    let sdl = async {
        let twin = face.twin(parts)?;
        let caller = face.caller(&parts.headers, &twin, Rights::Read).await?;
        Ok::<String, Fault>(face.built(&caller).await?.schema.sdl())
    };
    match sdl.await {
        Ok(sdl) => {
            let text = HeaderValue::from_static("text/plain; charset=utf-8");
            ([(CONTENT_TYPE, text)], sdl).into_response()
        }
        Err(fault) => written(Err(fault), Media::Json, &parts.headers).0,
    }
}

/// The media type of an answer, which decides what its status means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    Json,
    Response,
}

/// What a request has come to.
struct Outcome {
    body: Vec<u8>,
    status: StatusCode,
    revision: Option<Revision>,
    label: &'static str,
    /// Where only a new revision, or another schema, changes the answer.
    tag: Option<HeaderValue>,
}

/// What tagged answers depend on, beside the twin.
const VARY_ON: &str = "Accept, NGSILD-Tenant, Cardo-At, Authorization, Accept-Encoding";

async fn answer(face: &Arc<Face>, request: axum::extract::Request) -> Answer<Body> {
    let (mut parts, body) = request.into_parts();
    if is_upgrade(&parts.headers) {
        return upgrade(face, &mut parts).await;
    }
    let at = face.options.observer.is_some().then(Instant::now);
    if wants_page(&parts) {
        return graphiql::page(BaseUrl::of(&parts).path());
    }
    let media = media(&parts.headers);
    let shown = *media.as_ref().unwrap_or(&Media::Json);
    let mut outcome = match media {
        Ok(media) => match parts.method.as_str() {
            "GET" | "HEAD" => by_get(face, &parts, media).await,
            "POST" => by_post(face, &parts, body, media).await,
            other => Err(Fault::new(
                Code::OperationNotAllowed,
                format!("the method {other} is not one of GraphQL: GET, HEAD and POST are"),
            )),
        },
        Err(fault) => Err(fault),
    };
    let tag = outcome.as_mut().ok().and_then(|outcome| outcome.tag.take());
    let mut response = written(outcome, shown, &parts.headers);
    if let Some(tag) = tag {
        response.0 = tagged(&parts, tag, VARY_ON, response.0);
    }
    if let (Some(observer), Some(at)) = (&face.options.observer, at) {
        observer.answered(response.1, response.0.status(), at.elapsed());
    }
    response.0
}

/// The answer, and by which name it is counted.
fn written(
    outcome: Result<Outcome, Fault>,
    media: Media,
    asked: &HeaderMap,
) -> (Answer<Body>, &'static str) {
    let refused = |fault: Fault| {
        let refusal = run::refusal(&fault);
        let body = run::to_bytes(&refusal);
        (
            Outcome { body, status: fault.code.status(), revision: None, label: LABEL, tag: None },
            Some(fault.code),
        )
    };
    let (outcome, code) = match outcome {
        Ok(outcome) => (outcome, None),
        Err(fault) => refused(fault),
    };
    let mut answer = Answer::new(Body::from(outcome.body));
    *answer.status_mut() = outcome.status;
    let headers = answer.headers_mut();
    let media = match media {
        Media::Json => "application/json; charset=utf-8",
        Media::Response => "application/graphql-response+json; charset=utf-8",
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    if let Some(revision) = outcome.revision {
        headers.insert(REVISION, revision_header(revision));
    }
    if let Some(tenant) = asked.get(TENANT) {
        headers.insert(TENANT, tenant.clone());
    }
    match code {
        Some(Code::Unauthenticated) => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Some(Code::OperationNotAllowed) => {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        Some(Code::UnsupportedCoding) => {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Some(Code::Unavailable) => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    (answer, outcome.label)
}

const LABEL: &str = "graphql";

fn label(operation: OperationType) -> &'static str {
    match operation {
        OperationType::Query => "graphql-query",
        OperationType::Mutation => "graphql-mutation",
        OperationType::Subscription => LABEL,
    }
}

fn media(headers: &HeaderMap) -> Result<Media, Fault> {
    let accept = headers.get(ACCEPT).map(|value| value.to_str().unwrap_or(""));
    match best_media_type(accept, &[JSON, RESPONSE]) {
        Some(0) => Ok(Media::Json),
        Some(_) => Ok(Media::Response),
        None => Err(Fault::new(
            Code::NotAcceptable,
            format!("answers are {RESPONSE} or {JSON}; the request accepts neither"),
        )),
    }
}

/// A browser that comes without a question.
fn wants_page(parts: &Parts) -> bool {
    let accept = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let is_html = accept.is_some_and(|accept| {
        best_media_type(Some(accept), &["text/html", JSON, RESPONSE]) == Some(0)
            && accept.contains("text/html")
    });
    let has_query = parts.uri.query().is_some_and(|query| query.contains("query="));
    matches!(parts.method, Method::GET | Method::HEAD) && is_html && !has_query
}

fn bad(message: impl Into<String>) -> Fault {
    Fault::new(Code::BadRequest, message)
}

async fn by_get(face: &Arc<Face>, parts: &Parts, media: Media) -> Result<Outcome, Fault> {
    let known = ["query", "operationName", "variables", "extensions"];
    let params =
        Params::parse(parts.uri.query(), &known, &[]).map_err(|error| bad(error.to_string()))?;
    let query = params.get("query").ok_or_else(|| bad("the parameter query is missing"))?;
    let mut request = Request::new(query);
    request.operation_name = params.get("operationName").map(str::to_owned);
    if let Some(text) = params.get("variables") {
        request.variables = Variables::from_json(object(text, "variables")?);
    }
    if let Some(text) = params.get("extensions") {
        request.extensions = serde_json::from_value(object(text, "extensions")?)
            .map_err(|error| bad(format!("extensions: {error}")))?;
    }
    let twin = face.twin(parts)?;
    one(face, parts, &twin, request, Allowed::Query, media).await
}

fn object(text: &str, name: &str) -> Result<serde_json::Value, Fault> {
    match serde_json::from_str(text) {
        Ok(value @ (serde_json::Value::Object(_) | serde_json::Value::Null)) => Ok(value),
        Ok(_) => Err(bad(format!("{name} has to be a JSON object"))),
        Err(error) => Err(bad(format!("{name}: {error}"))),
    }
}

async fn by_post(
    face: &Arc<Face>,
    parts: &Parts,
    body: Body,
    media: Media,
) -> Result<Outcome, Fault> {
    let content = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content = media_type_of(content.unwrap_or(""));
    if !content.eq_ignore_ascii_case(JSON) {
        let message = format!("the body has to be {JSON}, and is {content:?}");
        return Err(Fault::new(Code::UnsupportedMediaType, message));
    }
    let limits = &face.options.limits;
    let bytes = read_body(&parts.headers, body, limits.body_bytes).await?;
    let twin = face.twin(parts)?;
    let allowed = match parts.extensions.get::<ForeignPage>() {
        None => Allowed::QueryOrMutation,
        Some(ForeignPage) => Allowed::QueryOfForeignPage,
    };
    let is_batch = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    if !is_batch {
        let request = request_of(&bytes)?;
        return one(face, parts, &twin, request, allowed, media).await;
    }
    let requests: Vec<&serde_json::value::RawValue> =
        serde_json::from_slice(&bytes).map_err(|error| bad(format!("the body: {error}")))?;
    if requests.is_empty() || requests.len() > limits.batch {
        let message = format!(
            "a batch of {} requests is not accepted: it has to have from 1 to {}",
            requests.len(),
            limits.batch
        );
        return Err(Fault::new(Code::TooLarge, message).with("limit", limits.batch));
    }
    let mut all = Outcome {
        body: b"[".to_vec(),
        status: StatusCode::OK,
        revision: None,
        label: "graphql-batch",
        tag: None,
    };
    for request in requests {
        let request = request_of(request.get().as_bytes())?;
        let outcome = one(face, parts, &twin, request, allowed, media).await;
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(fault) if is_of_whole(fault.code) => return Err(fault),
            Err(fault) => refused(&fault, media),
        };
        if all.body.len() > 1 {
            all.body.push(b',');
        }
        all.body.extend(outcome.body);
        all.revision = all.revision.max(outcome.revision);
    }
    all.body.push(b']');
    Ok(all)
}

/// Reads the members of a request, of which unknown ones are ignored (GraphQL over HTTP, section
/// 5.1).
fn request_of(bytes: &[u8]) -> Result<Request, Fault> {
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| bad(format!("the body: {error}")))?;
    let Some(members) = value.as_object() else {
        return Err(bad("the body has to be a JSON object"));
    };
    match members.get("query") {
        Some(serde_json::Value::String(_)) => {}
        Some(_) => return Err(bad("query has to be a text")),
        None => return Err(bad("the member query is missing")),
    }
    for name in ["variables", "extensions"] {
        if members.get(name).is_some_and(|value| !value.is_object() && !value.is_null()) {
            return Err(bad(format!("{name} has to be an object")));
        }
    }
    let mut value = value;
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    serde_json::from_value(value).map_err(|error| bad(format!("the body: {error}")))
}

async fn one(
    face: &Arc<Face>,
    parts: &Parts,
    twin: &TwinId,
    request: Request,
    allowed: Allowed,
    media: Media,
) -> Result<Outcome, Fault> {
    let least = min_revision(&parts.headers)
        .map_err(|text| bad(format!("Cardo-Min-Revision: {text:?} is no revision")))?;
    let prepared = run::prepare(face, request, &parts.headers, twin, least, allowed).await;
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(fault) if is_of_whole(fault.code) => return Err(fault),
        Err(fault) => return Ok(refused(&fault, media)),
    };
    let label = label(prepared.operation);
    let session = prepared.session.clone();
    // What sources have may change while the revision here stays.
    let is_told_again = allowed == Allowed::Query && !session.caller.reach.is_far();
    let tag = is_told_again.then(|| {
        face.tags.tag(
            &session.caller,
            prepared.incarnation,
            session.revision(),
            (media as u8, prepared.built.serial),
        )
    });
    if let Some(body) = prepared.by_plan().await {
        let revision = Some(session.revision());
        return Ok(Outcome { body, status: StatusCode::OK, revision, label, tag });
    }
    let response = prepared.execute().await;
    let status = status_of(&response, media);
    let revision = Some(session.revision());
    let tag = tag.filter(|_| response.errors.is_empty());
    Ok(Outcome { body: run::to_bytes(&response), status, revision, label, tag })
}

/// Errors that are of HTTP whatever the media type of the answer.
fn is_of_whole(code: Code) -> bool {
    !matches!(
        code,
        Code::BadUserInput
            | Code::FragmentCycle
            | Code::ParseFailed
            | Code::TooComplex
            | Code::TooDeep
            | Code::ValidationFailed
    )
}

/// A well-formed request that did not run: 200 under `application/json`, a client error under the
/// media type that was made to tell (GraphQL over HTTP, section 6.4).
fn refused(fault: &Fault, media: Media) -> Outcome {
    let status = match media {
        Media::Json => StatusCode::OK,
        Media::Response => fault.code.status(),
    };
    let body = run::to_bytes(&run::refusal(fault));
    Outcome { body, status, revision: None, label: LABEL, tag: None }
}

fn status_of(response: &Response, media: Media) -> StatusCode {
    if !run::is_request_error(response) {
        return StatusCode::OK;
    }
    let code = |name: &str| {
        response.errors.iter().any(|error| {
            let code = error.extensions.as_ref().and_then(|values| values.get("code"));
            matches!(code, Some(async_graphql::Value::String(code)) if code == name)
        })
    };
    if code(Code::Timeout.as_str()) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    match media {
        Media::Json => StatusCode::OK,
        Media::Response => StatusCode::BAD_REQUEST,
    }
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
}

async fn upgrade(face: &Arc<Face>, parts: &mut Parts) -> Answer<Body> {
    let twin = match face.twin(parts) {
        Ok(twin) => twin,
        Err(fault) => return written(Err(fault), Media::Json, &parts.headers).0,
    };
    let headers = parts.headers.clone();
    match WebSocketUpgrade::from_request_parts(parts, &()).await {
        Ok(upgrade) => {
            let kept = parts.extensions.clone();
            websocket::accept(face.clone(), upgrade, headers, twin, kept)
        }
        Err(rejection) => {
            let fault = bad(rejection.body_text());
            written(Err(fault), Media::Json, &parts.headers).0
        }
    }
}
