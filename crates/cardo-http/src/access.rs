use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{HeaderMap, Request};
use cardo_engine::{Principal, View};
use cardo_model::TwinId;

/// What a request wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rights {
    /// Look.
    Read,
    /// Change data.
    Write,
    /// Change how the server works.
    Admin,
}

/// A request for access to a twin.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// The headers, with the credentials.
    pub headers: &'a HeaderMap,
    /// Which twin is meant.
    pub twin: &'a TwinId,
    /// What is wanted.
    pub rights: Rights,
}

/// What was granted.
#[derive(Debug, Clone)]
pub struct Granted {
    /// Who asks.
    pub principal: Principal,
    /// What they may see.
    pub view: View,
}

/// Why a request was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// Nobody said who asks, or nobody knows them: 401.
    #[error("a valid bearer token is required")]
    Unauthenticated,
    /// They are known, but may not do this: 403.
    #[error("the token does not allow this")]
    Forbidden,
}

/// Says who asks and what they may do; the server gives it to the faces.
pub trait Authorize: Send + Sync + 'static {
    /// Grants or denies access. Called for every request, so it should be quick.
    fn authorize(&self, access: &Access<'_>) -> Result<Granted, Denied>;
}

/// Grants everything to everybody, as on loopback.
#[derive(Debug, Clone)]
pub struct AllowAll {
    granted: Granted,
}

impl Default for AllowAll {
    fn default() -> Self {
        Self { granted: Granted { principal: Principal::anonymous(), view: View::all() } }
    }
}

impl Authorize for AllowAll {
    fn authorize(&self, _: &Access<'_>) -> Result<Granted, Denied> {
        Ok(self.granted.clone())
    }
}

/// The token of an `Authorization: Bearer` header (RFC 6750, section 2.1).
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The tenant, the branch and the moment that the path of a request named; an extension of the
/// request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantPrefix {
    /// The tenant; none where the path names a branch alone.
    pub tenant: Option<Arc<str>>,
    /// The branch; none where the main one is meant.
    pub branch: Option<Arc<str>>,
    /// The moment as it stands in the path; none where the twin as it is is meant.
    pub moment: Option<Arc<str>>,
}

impl TenantPrefix {
    /// What stands before the path of the request that the face sees, such as `/tenants/a`.
    pub fn path(&self) -> String {
        let tenant = self.tenant.iter().map(|tenant| format!("/tenants/{tenant}"));
        let branch = self.branch.iter().map(|branch| format!("/branches/{branch}"));
        let moment = self.moment.iter().map(|moment| format!("/at/{moment}"));
        tenant.chain(branch).chain(moment).collect()
    }
}

/// Takes `/tenants/{tenant}`, `/branches/{branch}` and `/at/{moment}` from the front of a path and
/// leaves a [`TenantPrefix`] behind, for clients that set no headers. To be applied before a router
/// sees the request.
pub fn strip_tenant<B>(mut request: Request<B>) -> Request<B> {
    let path_and_query = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let (tenant, rest) = take_prefix(path_and_query, "/tenants/");
    let (branch, rest) = take_prefix(rest, "/branches/");
    let (moment, rest) = take_prefix(rest, "/at/");
    if tenant.is_none() && branch.is_none() && moment.is_none() {
        return request;
    }
    let prefix = TenantPrefix {
        tenant: tenant.map(Arc::from),
        branch: branch.map(Arc::from),
        moment: moment.map(Arc::from),
    };
    let stripped = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
    let Ok(path_and_query) = PathAndQuery::try_from(stripped) else { return request };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(path_and_query);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
        request.extensions_mut().insert(prefix);
    }
    request
}

/// The segment behind a prefix, and what comes behind it.
fn take_prefix<'a>(path: &'a str, prefix: &str) -> (Option<&'a str>, &'a str) {
    let Some(rest) = path.strip_prefix(prefix) else { return (None, path) };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    (Some(&rest[..end]), &rest[end..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_tenant_prefix_is_taken_from_the_path() {
        let strip = |uri: &str| {
            let request = Request::builder().uri(uri).body(()).unwrap();
            let request = strip_tenant(request);
            let prefix = request.extensions().get::<TenantPrefix>().map(TenantPrefix::path);
            (request.uri().to_string(), prefix)
        };
        assert_eq!(
            strip("/tenants/a/x/y?z=1"),
            ("/x/y?z=1".to_owned(), Some("/tenants/a".to_owned()))
        );
        assert_eq!(strip("/tenants/a"), ("/".to_owned(), Some("/tenants/a".to_owned())));
        assert_eq!(strip("/tenants/a?z=1"), ("/?z=1".to_owned(), Some("/tenants/a".to_owned())));
        let both = Some("/tenants/a/branches/urn:b".to_owned());
        assert_eq!(strip("/tenants/a/branches/urn:b/x?y"), ("/x?y".to_owned(), both));
        let branch = Some("/branches/b".to_owned());
        assert_eq!(strip("/branches/b/x"), ("/x".to_owned(), branch.clone()));
        assert_eq!(strip("/branches/b?x"), ("/?x".to_owned(), branch));
        let all = "/tenants/a/branches/b/at/2026-01-31T12:00:00Z";
        assert_eq!(strip(&format!("{all}/x")), ("/x".to_owned(), Some(all.to_owned())));
        let moment = Some("/at/2026-01-31T12%3A00%3A00Z".to_owned());
        assert_eq!(strip("/at/2026-01-31T12%3A00%3A00Z/x"), ("/x".to_owned(), moment));
        assert_eq!(strip("/x?a=/tenants/a/"), ("/x?a=/tenants/a/".to_owned(), None));
    }

    #[test]
    fn a_bearer_token_is_found() {
        let token = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            bearer_token(&headers).map(str::to_owned)
        };
        assert_eq!(token("Bearer abc"), Some("abc".to_owned()));
        assert_eq!(token("bearer  abc "), Some("abc".to_owned()));
        assert_eq!(token("Basic abc"), None);
        assert_eq!(token("Bearer "), None);
        assert_eq!(bearer_token(&HeaderMap::new()), None);
    }
}
