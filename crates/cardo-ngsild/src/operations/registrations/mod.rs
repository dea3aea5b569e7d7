//! Registrations of context sources: provision (clause 5.9) and discovery (clause 5.10).

mod discovery;
mod provision;

pub(crate) use discovery::{query, retrieve};
pub(crate) use provision::{create, delete, update};

use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use cardo_engine::{REGISTRATION_KIND, Registration, SourceState};
use cardo_model::{Iri, Timestamp};
use serde_json::{Map, Value};

use crate::face::Face;
use crate::fault::Fault;
use crate::parse::Document;
use crate::registrations::{Given, Stored};
use crate::request::Ask;

type Answer = Result<Response<Body>, Fault>;

impl Face {
    /// Reads the body of an operation on registrations.
    async fn given_registration(&self, ask: &Ask<'_>, body: Body) -> Result<Given, Fault> {
        let payload = self.payload(ask, body).await?;
        let document = Document::from_body(&payload.bytes)?;
        let naming = self.document_naming(&payload, document.context()?).await?;
        let members: Map<String, Value> = serde_json::from_slice(&payload.bytes)
            .map_err(|error| Fault::invalid(format!("the body is not JSON: {error}")))?;
        Given::new(members, naming.context())
    }

    /// A registration that has not expired, with its document.
    async fn stored_registration(
        &self,
        ask: &Ask<'_>,
        id: &Iri,
    ) -> Result<(Stored, Arc<Registration>), Fault> {
        let snapshot = self.snapshot(ask).await?;
        let all = self.engine.registrations(&ask.caller).await?;
        let found = snapshot.document(REGISTRATION_KIND, id.as_str()).zip(all.get(id.as_str()));
        let found = found.filter(|(_, registration)| !registration.is_expired(Timestamp::now()));
        let found = found.and_then(|(text, registration)| {
            Some((Stored::from_text(&text)?, registration.clone()))
        });
        found.ok_or_else(|| Fault::not_found(format!("registration {id} not found")))
    }
}

/// What has come of a source, where something has been sent to it.
fn state(registration: &Registration) -> SourceState {
    registration.progress.state()
}
