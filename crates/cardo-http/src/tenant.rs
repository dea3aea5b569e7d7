use axum::http::HeaderName;
use axum::http::request::Parts;
use cardo_model::{InvalidTimestamp, InvalidTwinName, Timestamp, TwinId};

use crate::access::TenantPrefix;
use crate::path_decode;

/// The header that names a tenant, in every face (ETSI GS CIM 009, clause 6.3.14).
pub const TENANT: HeaderName = HeaderName::from_static("ngsild-tenant");

/// The header that names the moment of a past twin, in every face.
pub const AT: HeaderName = HeaderName::from_static("cardo-at");

/// Why a request is about no twin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTenant {
    /// The header is no text.
    #[error("NGSILD-Tenant is no text")]
    NoText,
    /// Path and header say different things.
    #[error("the path names the tenant {path:?}, the header NGSILD-Tenant {header:?}")]
    Contradiction {
        /// What the path says.
        path: String,
        /// What the header says.
        header: String,
    },
    /// The header for a moment is no text.
    #[error("Cardo-At is no text")]
    NoMoment,
    /// Path and header name different moments.
    #[error("the path names the moment {path}, the header Cardo-At {header}")]
    TwoMoments {
        /// What the path says.
        path: Timestamp,
        /// What the header says.
        header: Timestamp,
    },
    /// What should be a moment is none.
    #[error(transparent)]
    Moment(#[from] InvalidTimestamp),
    /// No tenant can have this name.
    #[error(transparent)]
    Name(#[from] InvalidTwinName),
}

/// The twin that a request names, by header or by the prefixes of its path; `None` where it names
/// none and means that of the default tenant.
pub fn asked_twin(parts: &Parts) -> Result<Option<TwinId>, InvalidTenant> {
    let header = match parts.headers.get(TENANT) {
        None => None,
        Some(value) => Some(value.to_str().map_err(|_| InvalidTenant::NoText)?),
    };
    let prefix = parts.extensions.get::<TenantPrefix>();
    let path = prefix.and_then(|prefix| prefix.tenant.as_deref());
    let tenant = match (header, path) {
        (Some(header), Some(path)) if header != path => {
            return Err(InvalidTenant::Contradiction {
                path: path.to_owned(),
                header: header.to_owned(),
            });
        }
        (Some(tenant), _) | (None, Some(tenant)) => Some(TwinId::of_tenant(tenant)?),
        (None, None) => None,
    };
    let twin = match prefix.and_then(|prefix| prefix.branch.as_deref()) {
        None => tenant,
        Some(branch) => Some(tenant.unwrap_or_default().with_branch(branch)?),
    };
    Ok(match asked_moment(parts, prefix)? {
        None => twin,
        Some(moment) => Some(twin.unwrap_or_default().at(moment)),
    })
}

/// The moment that is meant where a past twin is asked: an extension, and the same in every face.
fn asked_moment(
    parts: &Parts,
    prefix: Option<&TenantPrefix>,
) -> Result<Option<Timestamp>, InvalidTenant> {
    let header = match parts.headers.get(AT) {
        None => None,
        Some(value) => {
            let text = value.to_str().map_err(|_| InvalidTenant::NoMoment)?;
            Some(Timestamp::parse(text)?)
        }
    };
    let path = match prefix.and_then(|prefix| prefix.moment.as_deref()) {
        None => None,
        Some(text) => {
            let decoded = path_decode(text);
            Some(Timestamp::parse(decoded.as_deref().unwrap_or(text))?)
        }
    };
    match (path, header) {
        (Some(path), Some(header)) if path != header => {
            Err(InvalidTenant::TwoMoments { path, header })
        }
        (path, header) => Ok(path.or(header)),
    }
}
