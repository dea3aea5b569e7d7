use axum::http::HeaderName;
use axum::http::request::Parts;
use cardo_model::{InvalidTwinName, TwinId};

use crate::access::TenantPrefix;

/// The header that names a tenant, in every face (ETSI GS CIM 009, clause 6.3.14).
pub const TENANT: HeaderName = HeaderName::from_static("ngsild-tenant");

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
    match prefix.and_then(|prefix| prefix.branch.as_deref()) {
        None => Ok(tenant),
        Some(branch) => Ok(Some(tenant.unwrap_or_default().with_branch(branch)?)),
    }
}
