use std::borrow::Cow;

use axum::http::request::Parts;
use cardo_http::{BaseUrl, TenantPrefix, path_decode};
use cardo_model::TwinId;

use crate::face::BASE;
use crate::respond::encode;

/// The resource below [`BASE`] (clause 6.29).
pub(crate) const CONTEXTS: &str = "jsonldContexts";

/// For whom a context is looked for: those that a tenant hosts are of no other tenant.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) twin: &'a TwinId,
    /// The request that names it; none where the server goes on by itself.
    pub(crate) parts: Option<&'a Parts>,
}

impl Place<'_> {
    /// Whether a URL with a local id is one of this server, as its clients address it.
    pub(super) fn is_here(&self, url: &str) -> bool {
        let Some(parts) = self.parts else { return false };
        let base = BaseUrl::of(parts);
        let origin = base.origin();
        !origin.is_empty() && url.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// The local id in the URL of a hosted context. The ids are random, so that nothing else of the URL
/// has to be known: a server is called by many names.
pub(crate) fn local_id(url: &str) -> Option<Cow<'_, str>> {
    let (before, rest) = url.rsplit_once('/')?;
    let (before, segment) = match rest {
        "" => before.rsplit_once('/')?,
        segment => (before, segment),
    };
    let before = before.strip_suffix(CONTEXTS)?.strip_suffix('/')?;
    (before.ends_with(BASE) && !segment.contains(['?', '#'])).then(|| path_decode(segment))?
}

/// The path of a hosted context, without what stands before the face.
fn path_of(id: &str) -> String {
    format!("{BASE}/{CONTEXTS}/{}", encode(id))
}

/// The URL of a hosted context for those who send no header: a tenant is part of the path.
pub(crate) fn url_of(parts: &Parts, twin: &TwinId, id: &str) -> String {
    let base = BaseUrl::of(parts);
    if twin.is_default() || parts.extensions.get::<TenantPrefix>().is_some() {
        return base.to(&path_of(id));
    }
    base.to(&format!("/tenants/{}{}", encode(twin.tenant()), path_of(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_id_is_the_last_segment_behind_the_resource() {
        let id = |url: &'static str| local_id(url).map(Cow::into_owned);
        let found = Some("urn:x:1".to_owned());
        assert_eq!(id("http://a.example:9/ngsi-ld/v1/jsonldContexts/urn:x:1"), found);
        assert_eq!(id("https://a/b/tenants/c/ngsi-ld/v1/jsonldContexts/urn%3Ax%3A1/"), found);
        for other in [
            "https://a.example/context.jsonld",
            "https://a.example/jsonldContexts/urn:x:1",
            "https://a.example/ngsi-ld/v1/jsonldContexts/a/b",
            "https://a.example/ngsi-ld/v1/jsonldContexts/a?b",
            "https://a.example/ngsi-ld/v1/jsonldContexts/%FF",
            "",
        ] {
            assert_eq!(id(other), None, "{other}");
        }
    }
}
