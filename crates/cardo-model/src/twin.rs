use std::fmt;
use std::sync::Arc;

/// Which twin is meant: a tenant, and one of its branches.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TwinId {
    tenant: Arc<str>,
    branch: Arc<str>,
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
        Ok(Self { tenant: tenant.into(), branch: MAIN_BRANCH.into() })
    }

    /// Another branch of the same tenant.
    pub fn with_branch(&self, branch: &str) -> Result<Self, InvalidTwinName> {
        check(branch)?;
        Ok(Self { tenant: self.tenant.clone(), branch: branch.into() })
    }

    /// The main branch of the same tenant.
    #[must_use]
    pub fn main(&self) -> Self {
        Self { tenant: self.tenant.clone(), branch: MAIN_BRANCH.into() }
    }

    /// Whether this is the main branch of its tenant.
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

    /// Whether this is the twin of requests that name no tenant.
    pub fn is_default(&self) -> bool {
        self.tenant.is_empty() && &*self.branch == MAIN_BRANCH
    }
}

impl Default for TwinId {
    fn default() -> Self {
        Self { tenant: DEFAULT_TENANT.into(), branch: MAIN_BRANCH.into() }
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
        write!(f, "{}/{}", self.tenant, self.branch)
    }
}

impl fmt::Debug for TwinId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
