use std::fmt;
use std::sync::Arc;

use crate::Timestamp;

/// Which twin is meant: a tenant, one of its branches, and where a past one is meant, the moment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TwinId {
    tenant: Arc<str>,
    branch: Arc<str>,
    moment: Option<Timestamp>,
}

/// A text that names no tenant or branch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a name of letters, digits, _ and -, up to 128 long")]
pub struct InvalidTwinName(String);

/// The tenant of requests that name none.
const DEFAULT_TENANT: &str = "";
const MAIN_BRANCH: &str = "main";

impl TwinId {
    /// The main branch of a tenant.
    pub fn of_tenant(tenant: &str) -> Result<Self, InvalidTwinName> {
        check(tenant)?;
        Ok(Self { tenant: tenant.into(), ..Self::default() })
    }

    /// Another branch of the same tenant.
    pub fn with_branch(&self, branch: &str) -> Result<Self, InvalidTwinName> {
        check(branch)?;
        Ok(Self { branch: branch.into(), ..self.clone() })
    }

    /// The same branch as it was at a moment.
    #[must_use]
    pub fn at(&self, moment: Timestamp) -> Self {
        Self { moment: Some(moment), ..self.clone() }
    }

    /// The same branch as it is.
    #[must_use]
    pub fn now(&self) -> Self {
        Self { moment: None, ..self.clone() }
    }

    /// Of which moment it is; none where it is the twin as it is.
    pub fn moment(&self) -> Option<Timestamp> {
        self.moment
    }

    /// The main branch of the same tenant, as it is.
    #[must_use]
    pub fn main(&self) -> Self {
        Self { tenant: self.tenant.clone(), ..Self::default() }
    }

    /// Whether this is the main branch of its tenant, as it is or was.
    pub fn is_main(&self) -> bool {
        &*self.branch == MAIN_BRANCH
    }

    /// The tenant's name; empty for the default tenant.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The branch's name.
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// Whether this is the twin of requests that name no tenant, branch and moment.
    pub fn is_default(&self) -> bool {
        self.tenant.is_empty() && &*self.branch == MAIN_BRANCH && self.moment.is_none()
    }
}

impl Default for TwinId {
    fn default() -> Self {
        Self { tenant: DEFAULT_TENANT.into(), branch: MAIN_BRANCH.into(), moment: None }
    }
}

fn check(name: &str) -> Result<(), InvalidTwinName> {
    let is_valid = (1..=128).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':'));
    if is_valid { Ok(()) } else { Err(InvalidTwinName(name.chars().take(140).collect())) }
}

impl fmt::Display for TwinId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.branch)?;
        self.moment.map_or(Ok(()), |moment| write!(f, "@{moment}"))
    }
}

impl fmt::Debug for TwinId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
