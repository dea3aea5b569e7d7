use std::net::IpAddr;
use std::sync::Arc;

use axum::http::Uri;

use super::authority;
use super::network::Network;

/// How the server is reached from outside, as its operator said.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    public_url: Option<Arc<str>>,
    trusted: Arc<[Network]>,
}

/// Why it cannot be reached like that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidReach {
    /// The public URL is none.
    #[error(
        "{0:?} is no public URL; it looks like https://twin.city.example or https://city.example/twin"
    )]
    PublicUrl(String),
    /// A proxy is neither an address nor a network.
    #[error("{0:?} is neither an address nor a network such as 10.0.0.0/8")]
    Proxy(String),
}

/// How the requests of one connection have come, where that matters to links; an extension of them.
#[derive(Debug, Clone)]
pub struct Via(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Public(Arc<str>),
    Proxy(Arc<[Network]>),
}

impl Reach {
    /// Reads a URL, and addresses or networks of proxies whose word is taken.
    pub fn new(public_url: Option<&str>, trusted: &[String]) -> Result<Self, InvalidReach> {
        let public_url = match public_url {
            Some(url) => Some(checked(url).ok_or_else(|| InvalidReach::PublicUrl(url.to_owned()))?),
            None => None,
        };
        let trusted = trusted
            .iter()
            .map(|text| text.trim().parse().map_err(|()| InvalidReach::Proxy(text.clone())))
            .collect::<Result<_, _>>()?;
        Ok(Self { public_url, trusted })
    }

    /// What the requests of a connection with this peer are to carry; nothing where they speak for
    /// themselves.
    pub fn via(&self, peer: IpAddr) -> Option<Via> {
        if let Some(url) = &self.public_url {
            return Some(Via(Kind::Public(url.clone())));
        }
        let is_trusted = self.trusted.iter().any(|network| network.contains(peer));
        is_trusted.then(|| Via(Kind::Proxy(self.trusted.clone())))
    }
}

impl Via {
    pub(super) fn public_url(&self) -> Option<&str> {
        match &self.0 {
            Kind::Public(url) => Some(url),
            Kind::Proxy(_) => None,
        }
    }

    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        match &self.0 {
            Kind::Public(_) => false,
            Kind::Proxy(trusted) => trusted.iter().any(|network| network.contains(address)),
        }
    }
}

/// A URL of scheme, host and path alone, without a slash at its end.
fn checked(url: &str) -> Option<Arc<str>> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let host = uri
        .authority()
        .map(axum::http::uri::Authority::as_str)
        .filter(|host| authority::is_valid(host))?;
    let path = uri.path().trim_end_matches('/');
    let is_plain = uri.query().is_none() && !url.contains('#') && is_prefix(path);
    is_plain.then(|| format!("{scheme}://{host}{path}").into())
}

/// Whether a text is nothing or a path of plain segments, without a slash at its end.
pub(super) fn is_prefix(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@".contains(&byte);
    path.is_empty()
        || path.strip_prefix('/').is_some_and(|rest| {
            rest.split('/')
                .all(|segment| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain))
        })
}
