//! Snapshots (clauses 5.16 and 6.36 to 6.38).

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, Response, StatusCode};
use cardo_http::BaseUrl;
use cardo_model::{Iri, Revision};
use serde_json::{Map, Value};

use super::discovery::add_context;
use crate::face::{BASE, Face};
use crate::fault::{Fault, NgsildError};
use crate::parse::Document;
use crate::represent::Naming;
use crate::request::{Ask, JSON_TYPES};
use crate::respond::{answer, context_in_body, empty, encode};
use crate::snapshots::{
    Given, Mode, Source, Stored, Work, branch_of, matching, new_id, notify, unknown,
};

type Answer = Result<Response<Body>, Fault>;

/// Create snapshot (clause 5.16.1).
pub(crate) async fn create(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&[], &[])?;
    let (given, naming) = face.given_snapshot(ask, body, Mode::Create).await?;
    face.check_queries(ask, &naming, &given).await?;
    let parts = Box::new(ask.parts.clone());
    face.new_snapshot(ask, given, Source::Queries { parts, naming }).await
}

/// Clone snapshot (clause 5.16.2).
pub(crate) async fn clone(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&[], &[])?;
    let id = ask.id(1)?;
    let (given, _) = face.given_snapshot(ask, body, Mode::Clone).await?;
    face.found(ask, &id).await?;
    let from = branch_of(&ask.caller.twin, id.as_str()).ok_or_else(|| unknown(id.as_str()))?;
    face.new_snapshot(ask, given, Source::Branch(from)).await
}

/// Retrieve snapshot status (clause 5.16.3).
pub(crate) async fn retrieve(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    ask.params(&[], &[])?;
    let id = ask.id(1)?;
    let naming = face.link_naming(ask).await?;
    let stored = face.found(ask, &id).await?;
    let revision = face.engine.snapshot(&Face::on_main(ask)).await?.revision();
    face.show_snapshot(ask, &naming, &stored, revision)
}

/// Update snapshot status (clause 5.16.4).
pub(crate) async fn update(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&[], &[])?;
    let id = ask.id(1)?;
    let (given, naming) = face.given_snapshot(ask, body, Mode::Update).await?;
    if given.id.is_some_and(|given| given != id) {
        return Err(Fault::bad_data("the id of a snapshot stays"));
    }
    let longest = face.options.limits.snapshot_lifetime;
    let now = face.engine.now();
    let merge = |stored: &mut Stored| stored.merge(given.members, now, longest);
    let changed = face.change_snapshot(&Face::on_main(ask), id.as_str(), merge).await?;
    let (stored, revision) = changed.ok_or_else(|| unknown(id.as_str()))?;
    notify(face, &Face::on_main(ask), &stored, stored.expires_at).await;
    face.show_snapshot(ask, &naming, &stored, revision)
}

/// Delete snapshot (clause 5.16.5).
pub(crate) async fn delete(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    ask.params(&[], &[])?;
    let id = ask.id(1)?;
    face.found(ask, &id).await?;
    let revision = face.delete_snapshot(&Face::on_main(ask), id.as_str()).await?;
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

/// Purge snapshots (clause 5.16.7).
pub(crate) async fn purge(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&["q"], &[])?;
    let Some(q) = params.get("q") else {
        return Err(Fault::bad_data("q is missing: a query on members of snapshots is needed"));
    };
    let naming = face.link_naming(ask).await?;
    let main = Face::on_main(ask);
    let found = matching(q, &naming, face.all_snapshots(&main).await?)?;
    if found.is_empty() {
        return Err(Fault::not_found("no snapshot matches"));
    }
    let mut revision = Revision(0);
    for stored in found {
        revision = face.delete_snapshot(&main, &stored.id).await?;
    }
    Ok(empty(StatusCode::NO_CONTENT, revision))
}

impl Face {
    async fn given_snapshot(
        &self,
        ask: &Ask<'_>,
        body: Body,
        mode: Mode,
    ) -> Result<(Given, Arc<Naming>), Fault> {
        let payload = self.payload(ask, body).await?;
        let document = Document::from_body(&payload.bytes)?;
        let naming = self.document_naming(&payload, document.context()?).await?;
        let members: Map<String, Value> = serde_json::from_slice(&payload.bytes)
            .map_err(|error| Fault::invalid(format!("the body is not JSON: {error}")))?;
        Ok((Given::read(members, mode)?, naming))
    }

    /// Refuses queries that could not be answered at any time.
    async fn check_queries(
        &self,
        ask: &Ask<'_>,
        naming: &Arc<Naming>,
        given: &Given,
    ) -> Result<(), Fault> {
        let list = |name: &str| match given.members.get(name) {
            Some(Value::Array(queries)) => queries.clone(),
            _ => Vec::new(),
        };
        for query in list("snapshotQueries") {
            self.query_document(ask, naming, &query).await?;
        }
        for query in list("snapshotTemporalQueries") {
            self.evolution_document(ask, naming, &query)?;
        }
        Ok(())
    }

    async fn new_snapshot(self: &Arc<Self>, ask: &Ask<'_>, given: Given, source: Source) -> Answer {
        let id = given.id.unwrap_or_else(new_id);
        let main = Face::on_main(ask);
        let Some(branch) = branch_of(&main.twin, id.as_str()) else {
            return Err(Fault::bad_data(format!("id: {id} is longer than the 128 that are kept")));
        };
        let stored = Stored::new(
            id.as_str(),
            given.members,
            self.engine.now(),
            self.options.limits.snapshot_lifetime,
        );
        let begun = self.begin_snapshot(&main, &branch, &stored).await?;
        let Some((revision, preparing)) = begun else {
            let detail = format!("snapshot {id} exists already");
            return Err(Fault::new(NgsildError::AlreadyExists, detail));
        };
        self.prepare(Work { branch, stored, main, source, preparing });
        let mut response = empty(StatusCode::CREATED, revision);
        // Table 6.36.3.1-1: a relative path.
        let base = BaseUrl::of(ask.parts);
        let path = format!("{}{BASE}/snapshots/{}", base.path(), encode(id.as_str()));
        if let Ok(location) = HeaderValue::try_from(path) {
            response.headers_mut().insert(LOCATION, location);
        }
        Ok(response)
    }

    async fn found(&self, ask: &Ask<'_>, id: &Iri) -> Result<Stored, Fault> {
        let stored = self.stored_snapshot(&Face::on_main(ask), id.as_str()).await?;
        stored.ok_or_else(|| unknown(id.as_str()))
    }

    fn show_snapshot(
        &self,
        ask: &Ask<'_>,
        naming: &Naming,
        stored: &Stored,
        revision: Revision,
    ) -> Answer {
        let media = ask.media(&JSON_TYPES)?;
        let branch = branch_of(&ask.caller.twin, &stored.id);
        let used = branch.and_then(|branch| self.snapshots.last_use(&branch));
        let mut body = Value::Object(stored.show(used));
        if context_in_body(ask, media) {
            add_context(&mut body, naming);
        }
        Ok(answer(ask, media, naming, body.to_string().into_bytes(), revision))
    }
}
