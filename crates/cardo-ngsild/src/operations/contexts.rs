//! Storing, managing and serving contexts (clause 5.13).

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use cardo_engine::Snapshot;
use cardo_jsonld::{CORE_CONTEXT_URL, ContextError, CoreVersion};
use cardo_model::{Revision, Timestamp};
use serde_json::{Map, Value};

use crate::contexts::{
    CONTEXTS, Cached, ContextFault, Hosted, Stored, StoredKind, local_id, removal, url_of,
};
use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::request::{Ask, JSON_TYPES, flag};
use crate::respond::{created, empty, plain_json};

type Answer = Result<Response<Body>, Fault>;

/// What an identifier stands for.
enum Found {
    /// Built in: a copy that never ages and cannot be deleted.
    Core(CoreVersion),
    Copy(Arc<Cached>),
    Own(Hosted),
}

/// Add @context (clause 5.13.2).
pub(crate) async fn add(face: &Arc<Face>, ask: &Ask<'_>, body: Body) -> Answer {
    ask.params(&[], &[])?;
    let payload = face.payload(ask, body).await?;
    let mut hosted = Hosted::new(StoredKind::Hosted, Value::Null);
    let url = url_of(ask.parts, &ask.caller.twin, &hosted.id);
    hosted.context = face.contexts.check(&url, &payload.bytes).map_err(|error| match error {
        ContextError::NotJson { reason, .. } => {
            Fault::invalid(format!("the body is not JSON: {reason}"))
        }
        ContextError::NoContext(_) => Fault::invalid("the body has no member @context"),
        error => ContextFault::from(error).into(),
    })?;
    if let Some(snapshot) = face.contexts.twin(&ask.caller.twin).await? {
        face.check_room(&snapshot)?;
    }
    let (_, revision) = face.apply_one(ask, hosted.put()).await?;
    Ok(created(ask, CONTEXTS, &hosted.id, revision))
}

/// List @contexts (clause 5.13.3).
pub(crate) async fn list(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&["details", "kind"], &[])?;
    let details = flag(&params, "details")?.unwrap_or(false);
    let kind = match params.get("kind") {
        None => None,
        Some(name) => Some(StoredKind::parse(name).ok_or_else(|| {
            Fault::bad_data(format!(
                "kind={name:?} is none of Cached, Hosted and ImplicitlyCreated"
            ))
        })?),
    };
    let snapshot = face.contexts.twin(&ask.caller.twin).await?;
    let mut found: Vec<Found> = Vec::new();
    if kind.is_none_or(|kind| kind == StoredKind::Cached) {
        found.push(Found::Core(CoreVersion::LATEST));
        found.extend(face.contexts.copies().await.into_iter().map(Found::Copy));
    }
    if let Some(snapshot) = &snapshot {
        let own = Hosted::all(snapshot).into_iter();
        found.extend(own.filter(|one| kind.is_none_or(|kind| one.kind == kind)).map(Found::Own));
    }
    // The core stays first.
    let built_in = usize::from(matches!(found.first(), Some(Found::Core(_))));
    found[built_in..].sort_by_cached_key(|one| (one.created_at(face).as_micros(), one.url(ask)));
    let shown = found
        .iter()
        .map(|one| if details { face.metadata(ask, one, false) } else { one.url(ask).into() });
    json(ask, &shown.collect(), revision(snapshot.as_ref()))
}

/// Serve @context (clause 5.13.4).
pub(crate) async fn serve(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&["details"], &[])?;
    let details = flag(&params, "details")?.unwrap_or(false);
    let id = ask.segment(1)?;
    let snapshot = face.contexts.twin(&ask.caller.twin).await?;
    let found = face.find_context(snapshot.as_ref(), &id).await.ok_or_else(|| unknown(&id))?;
    let shown = face.metadata(ask, &found, true);
    let shown = match (found, details) {
        (_, true) => shown,
        (Found::Own(hosted), false) => {
            let context = hosted.context;
            Map::from_iter([("@context".to_owned(), context)]).into()
        }
        (found, false) => {
            let url = found.url(ask);
            let detail = format!("{url} is a copy, and copies are not served; it is found there");
            return Err(Fault::new(NgsildError::NotSupported, detail));
        }
    };
    json(ask, &shown, revision(snapshot.as_ref()))
}

/// Delete and Reload @context (clause 5.13.5).
pub(crate) async fn delete(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let params = ask.params(&["reload"], &[])?;
    let reload = flag(&params, "reload")?.unwrap_or(false);
    let id = ask.segment(1)?;
    let snapshot = face.contexts.twin(&ask.caller.twin).await?;
    let found = face.find_context(snapshot.as_ref(), &id).await;
    let mut after = revision(snapshot.as_ref());
    match (found, reload) {
        (Some(Found::Copy(cached)), true) => face.contexts.reload(&cached).await?,
        // What is built in is as new as it gets.
        (Some(Found::Core(_)), true) => {}
        (_, true) => {
            return Err(Fault::bad_data(format!("{id:?} is no copy that could be loaded again")));
        }
        (Some(Found::Core(_)), false) => {
            return Err(Fault::bad_data("the core context is built in and cannot be deleted"));
        }
        (Some(Found::Copy(cached)), false) => face.contexts.delete_copy(&cached).await,
        (Some(Found::Own(hosted)), false) => {
            (_, after) = face.apply_one(ask, removal(&hosted.id)).await?;
            face.contexts.deleted(&ask.caller.twin, &hosted.id);
        }
        (None, false) => return Err(unknown(&id)),
    }
    Ok(empty(StatusCode::NO_CONTENT, after))
}

fn unknown(id: &str) -> Fault {
    Fault::not_found(format!("context {id} not found"))
}

fn revision(snapshot: Option<&Snapshot>) -> Revision {
    snapshot.map(Snapshot::revision).unwrap_or_default()
}

fn json(ask: &Ask<'_>, shown: &Value, revision: Revision) -> Answer {
    let media = ask.media(&JSON_TYPES)?;
    let mut response = plain_json(StatusCode::OK, shown, revision);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media.as_str()));
    Ok(response)
}

impl Face {
    /// What a local id, or the URL of a copy, stands for in a tenant.
    async fn find_context(&self, snapshot: Option<&Snapshot>, id: &str) -> Option<Found> {
        // Who gives the URL of a hosted context means that one too.
        let own = local_id(id);
        let own = own.as_deref().unwrap_or(id);
        if let Some(hosted) = snapshot.and_then(|snapshot| Hosted::find(snapshot, own)) {
            return Some(Found::Own(hosted));
        }
        if let Some(version) = CoreVersion::from_url(id) {
            return Some(Found::Core(version));
        }
        self.contexts.find_copy(id).await.map(Found::Copy)
    }

    /// What is known of a context (clause 5.13.3.5). Looking at one finds it once more.
    fn metadata(&self, ask: &Ask<'_>, found: &Found, is_found: bool) -> Value {
        let url = found.url(ask);
        let (local_id, kind) = match found {
            Found::Core(_) => (url.clone(), StoredKind::Cached),
            Found::Copy(cached) => (cached.local_id.to_string(), StoredKind::Cached),
            Found::Own(hosted) => (hosted.id.to_string(), hosted.kind),
        };
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("URL", url.into());
        put("localId", local_id.into());
        put("kind", kind.as_str().into());
        put("createdAt", found.created_at(self).to_string().into());
        if let Found::Copy(cached) = found
            && let Some(moment) = cached.expires_at
        {
            put("expiresAt", moment.to_string().into());
        }
        let stored = match found {
            // Every request leans on the core, so it is not counted.
            Found::Core(_) => return members.into(),
            Found::Copy(cached) => Stored::Copy(cached),
            Found::Own(hosted) => Stored::Own(hosted),
        };
        let (hits, last) = self.contexts.usage(&ask.caller.twin, stored, is_found);
        if let Some(moment) = last {
            put("lastUsage", moment.to_string().into());
        }
        put("numberOfHits", hits.into());
        members.into()
    }

    /// Whether the tenant may host one context more.
    pub(crate) fn check_room(&self, snapshot: &Snapshot) -> Result<(), Fault> {
        let most = self.options.limits.contexts;
        if Hosted::count(snapshot) < most {
            return Ok(());
        }
        let detail = format!("the tenant hosts {most} contexts, the most that are accepted");
        Err(Fault::new(NgsildError::Forbidden, detail))
    }
}

impl Found {
    /// Where it is found: a copy where it was fetched from.
    fn url(&self, ask: &Ask<'_>) -> String {
        match self {
            Self::Core(CoreVersion::LATEST) => CORE_CONTEXT_URL.to_owned(),
            Self::Core(version) => version.url(),
            Self::Copy(cached) => cached.url.to_string(),
            Self::Own(hosted) => url_of(ask.parts, &ask.caller.twin, &hosted.id),
        }
    }

    fn created_at(&self, face: &Face) -> Timestamp {
        match self {
            Self::Core(_) => face.contexts.began_at(),
            Self::Copy(cached) => cached.created_at,
            Self::Own(hosted) => hosted.created_at,
        }
    }
}
