//! Context source identity information (clause 5.15).

use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use cardo_model::{Revision, Timestamp};
use serde_json::json;

use super::discovery::add_context;
use crate::face::Face;
use crate::fault::Fault;
use crate::request::{Ask, JSON_TYPES, Media};
use crate::respond::answer;

/// Retrieve context source identity information (clause 5.15.1). A tenant that is yet to be made has
/// an identity already, under which it can be registered elsewhere.
pub(crate) async fn retrieve(
    face: &Arc<Face>,
    ask: &Ask<'_>,
    _: Body,
) -> Result<Response<Body>, Fault> {
    ask.params(&["local"], &[])?;
    let media = ask.media(&JSON_TYPES)?;
    let naming = face.link_naming(ask).await?;
    let twin = &ask.caller.twin;
    let alias = face.engine.alias(twin);
    let mut identity = json!({
        "id": format!("urn:ngsi-ld:ContextSource:{alias}"),
        "type": "ContextSourceIdentity",
        "contextSourceAlias": alias,
        "contextSourceUptime": format!("PT{}S", face.started.elapsed().as_secs()),
        "contextSourceTimeAt": Timestamp::now().to_string(),
    });
    if media == Media::JsonLd {
        add_context(&mut identity, &naming);
    }
    let revision = face.contexts.twin(twin).await?.map_or(Revision(0), |twin| twin.revision());
    Ok(answer(ask, media, &naming, identity.to_string().into_bytes(), revision))
}
