//! What registrations and subscriptions of both kinds have in common: they are documents of the twin,
//! written whole and shown under the reader's context.

use axum::body::Body;
use axum::http::Response;
use cardo_engine::{Operation, Snapshot};
use cardo_model::{DocumentChange, Iri, Revision};
use serde_json::Value;

use super::discovery::add_context;
use super::query::Paging;
use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::represent::Naming;
use crate::request::{Ask, Media};
use crate::respond::answer;
use crate::subscriptions::Stored;

/// Writes a document, or deletes it where there is no text.
pub(super) fn put(kind: &str, id: &Iri, text: Option<String>) -> Operation {
    Operation::Document(DocumentChange {
        kind: kind.into(),
        id: id.as_str().into(),
        body: text.map(String::into_boxed_str),
    })
}

/// `options` of operations that show documents.
pub(super) fn sys_attrs(options: Option<&str>) -> Result<bool, Fault> {
    match options {
        None | Some("") => Ok(false),
        Some("sysAttrs") => Ok(true),
        Some(other) => Err(Fault::invalid(format!("{other:?} is not an option of this operation"))),
    }
}

/// An answer that shows one document, or a list of them.
pub(super) fn shown(
    ask: &Ask<'_>,
    media: Media,
    naming: &Naming,
    mut shown: Value,
    revision: Revision,
) -> Response<Body> {
    if media == Media::JsonLd {
        add_context(&mut shown, naming);
    }
    answer(ask, media, naming, shown.to_string().into_bytes(), revision)
}

/// An answer that shows a page of documents, of so many in all.
pub(super) fn page(
    ask: &Ask<'_>,
    media: Media,
    naming: &Naming,
    page: (Vec<Value>, Paging, usize),
    revision: Revision,
) -> Response<Body> {
    let (list, paging, total) = page;
    let mut response = shown(ask, media, naming, Value::Array(list), revision);
    paging.tell_of(ask, media, total, &mut response);
    response
}

impl Face {
    /// Refuses a subscription of an id that is taken, and one too many.
    pub(super) fn check_new_subscription(
        &self,
        snapshot: &Snapshot,
        kind: &str,
        id: &Iri,
    ) -> Result<(), Fault> {
        if snapshot.document(kind, id.as_str()).is_some() {
            let detail = format!("subscription {id} exists already");
            return Err(Fault::new(NgsildError::AlreadyExists, detail));
        }
        let most = self.options.limits.subscriptions;
        if snapshot.documents(kind).len() >= most {
            let detail = format!("the tenant has {most} subscriptions, the most that are accepted");
            return Err(Fault::new(NgsildError::Forbidden, detail));
        }
        Ok(())
    }

    /// A subscription of a kind, and the twin in which it was found.
    pub(super) async fn subscription_of(
        &self,
        ask: &Ask<'_>,
        kind: &str,
        id: &Iri,
    ) -> Result<(Stored, Snapshot), Fault> {
        let snapshot = self.snapshot(ask).await?;
        let text = snapshot.document(kind, id.as_str());
        let stored = text.and_then(|text| Stored::from_text(&text));
        let stored =
            stored.ok_or_else(|| Fault::not_found(format!("subscription {id} not found")))?;
        Ok((stored, snapshot))
    }
}
