use std::net::{IpAddr, SocketAddr};

use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};

use super::authority;
use super::reach::is_prefix;

const X_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// The longest path before a face that a proxy may name.
const MAX_PREFIX: usize = 256;

/// What a trusted proxy says of the request that it was sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Forwarded<'a> {
    pub(super) scheme: Option<&'static str>,
    pub(super) host: Option<String>,
    pub(super) prefix: Option<&'a str>,
}

/// One proxy's word (RFC 7239, section 4).
#[derive(Debug, Default, PartialEq, Eq)]
struct Hop {
    address: Option<IpAddr>,
    host: Option<String>,
    scheme: Option<&'static str>,
}

impl<'a> Forwarded<'a> {
    /// Reads `Forwarded` and the `X-Forwarded-*` headers.
    ///
    /// A proxy writes one family and may pass on what a client has written in the other. So, where
    /// a request has both, only what both say counts.
    pub(super) fn read(headers: &'a HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> Self {
        let has_x = [&X_FOR, &X_HOST, &X_PROTO].iter().any(|name| headers.contains_key(*name));
        let by_x = || {
            let host = last(headers, &X_HOST).filter(|host| authority::is_valid(host));
            (last(headers, &X_PROTO).and_then(scheme), host.map(str::to_owned))
        };
        let (scheme, host) = match (headers.contains_key(FORWARDED), has_x) {
            (false, false) => (None, None),
            (false, true) => by_x(),
            (true, false) => by_forwarded(headers, is_trusted),
            (true, true) => {
                let (one, other) = (by_x(), by_forwarded(headers, is_trusted));
                (
                    one.0.filter(|_| one.0 == other.0),
                    one.1.filter(|host| other.1.as_ref() == Some(host)),
                )
            }
        };
        let prefix = last(headers, &X_PREFIX).map(|prefix| prefix.trim_end_matches('/'));
        let prefix = prefix.filter(|prefix| prefix.len() <= MAX_PREFIX && is_prefix(prefix));
        Self { scheme, host, prefix }
    }
}

/// The last proxy is the one that we are connected to; the one before it is believed where the
/// last was sent the request by a trusted address, and so on.
fn by_forwarded(
    headers: &HeaderMap,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> (Option<&'static str>, Option<String>) {
    let mut hops = Vec::new();
    for header in headers.get_all(FORWARDED) {
        match header.to_str().ok().and_then(parse) {
            Some(more) => hops.extend(more),
            None => return (None, None),
        }
    }
    let mut first = hops.len().saturating_sub(1);
    while first > 0 && hops[first].address.is_some_and(&is_trusted) {
        first -= 1;
    }
    let mut believed = hops.drain(first..).collect::<Vec<_>>();
    let scheme = believed.iter().find_map(|hop| hop.scheme);
    let host = believed.iter_mut().find_map(|hop| hop.host.take());
    (scheme, host)
}

/// The elements of a `Forwarded` header; `None` where it is malformed.
fn parse(header: &str) -> Option<Vec<Hop>> {
    let mut hops = vec![Hop::default()];
    let mut rest = header.trim();
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix(',') {
            hops.push(Hop::default());
            rest = behind.trim_start();
            continue;
        }
        if let Some(behind) = rest.strip_prefix(';') {
            rest = behind.trim_start();
            continue;
        }
        let (name, behind) = rest.split_once('=')?;
        let (value, behind) = value(behind)?;
        hops.last_mut()?.set(name.trim(), value);
        rest = behind.trim_start();
        if !(rest.is_empty() || rest.starts_with([',', ';'])) {
            return None;
        }
    }
    Some(hops)
}

/// A token or a quoted string (RFC 9110, section 5.6).
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',', ' ', '\t']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

impl Hop {
    fn set(&mut self, name: &str, value: String) {
        if name.eq_ignore_ascii_case("for") {
            self.address = node(&value);
        } else if name.eq_ignore_ascii_case("proto") {
            self.scheme = scheme(&value);
        } else if name.eq_ignore_ascii_case("host") {
            self.host = Some(value).filter(|host| authority::is_valid(host));
        }
    }
}

/// The address of a node, with or without a port (RFC 7239, section 6).
fn node(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    text.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn scheme(text: &str) -> Option<&'static str> {
    ["https", "http"].into_iter().find(|scheme| scheme.eq_ignore_ascii_case(text))
}

/// The last item of a list header: that of the proxy we are connected to.
fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let header = headers.get_all(name).iter().next_back()?;
    Some(header.to_str().ok()?.rsplit(',').next()?.trim())
}
