//! Where the client of a request thinks that this server is, so that links lead back to it.

mod authority;
mod forwarded;
mod network;
mod reach;

use std::convert::Infallible;
use std::future::{Ready, ready};

use axum::extract::FromRequestParts;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Uri};

use crate::TenantPrefix;
use forwarded::Forwarded;
use reach::is_prefix;

pub(crate) use authority::is_valid as is_host;
pub use reach::{InvalidReach, Reach, Via};

/// That a request has come over TLS; an extension of it.
#[derive(Debug, Clone, Copy)]
pub struct Secure;

/// Scheme, host and path before a face, as the client of a request addresses them; the prefix
/// `/tenants/{tenant}` is part of it where the request came by one.
///
/// It is the configured public URL; else what a trusted proxy says; else the host that the request
/// names. A request that names no host, or one that cannot be, has an empty scheme and host: its
/// links are then paths, which every client resolves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BaseUrl {
    text: String,
    path_start: usize,
}

impl BaseUrl {
    /// The base for the links of an answer to this request.
    pub fn of(parts: &Parts) -> Self {
        Self::of_request(&parts.uri, &parts.headers, &parts.extensions)
    }

    /// The same for a request that is not taken apart.
    pub fn of_request(uri: &Uri, headers: &HeaderMap, extensions: &Extensions) -> Self {
        let scheme = if extensions.get::<Secure>().is_some() { "https" } else { "http" };
        let mut base = match extensions.get::<Via>() {
            Some(via) => match via.public_url() {
                Some(url) => Self::parse_public(url),
                None => Self::proxied(scheme, uri, headers, via),
            },
            None => Self::new(scheme, named_host(uri, headers), ""),
        };
        let tenant = extensions.get::<TenantPrefix>().map(TenantPrefix::path);
        // What is no name of a tenant is refused by the face, and reflected by none.
        base.text.extend(tenant.filter(|path| is_prefix(path)));
        base
    }

    /// The whole of it, without a slash at its end: nothing, `https://host`, or with a path.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme and host, such as `https://city.example`; empty where they are not known.
    pub fn origin(&self) -> &str {
        &self.text[..self.path_start]
    }

    /// The path before a face, without a slash at its end.
    pub fn path(&self) -> &str {
        &self.text[self.path_start..]
    }

    /// The address of a path that begins with a slash.
    pub fn to(&self, path: &str) -> String {
        let mut url = String::with_capacity(self.text.len() + path.len());
        url.push_str(&self.text);
        url.push_str(path);
        url
    }

    fn new(scheme: &str, host: Option<&str>, prefix: &str) -> Self {
        let mut text = String::with_capacity(96);
        if let Some(host) = host {
            text.push_str(scheme);
            text.push_str("://");
            text.push_str(host);
        }
        let path_start = text.len();
        text.push_str(prefix);
        Self { text, path_start }
    }

    /// A URL that was checked when it was configured.
    fn parse_public(url: &str) -> Self {
        let authority = url.find("://").map_or(0, |at| at + 3);
        let path_start = url[authority..].find('/').map_or(url.len(), |at| authority + at);
        Self { text: url.to_owned(), path_start }
    }

    fn proxied(scheme: &str, uri: &Uri, headers: &HeaderMap, via: &Via) -> Self {
        let said = Forwarded::read(headers, |address| via.trusts(address));
        let host = said.host.as_deref().or_else(|| named_host(uri, headers));
        Self::new(said.scheme.unwrap_or(scheme), host, said.prefix.unwrap_or(""))
    }
}

/// The host that a request names (RFC 9112, section 3.2): that of its target, or of its one `Host`.
fn named_host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    if let Some(authority) = uri.authority() {
        return Some(authority.as_str()).filter(|text| authority::is_valid(text));
    }
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    (hosts.next().is_none() && authority::is_valid(host)).then_some(host)
}

impl<S: Sync> FromRequestParts<S> for BaseUrl {
    type Rejection = Infallible;

    fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> impl Future<Output = Result<Self, Infallible>> + Send {
        let base: Ready<_> = ready(Ok(Self::of(parts)));
        base
    }
}

#[cfg(test)]
mod tests;
