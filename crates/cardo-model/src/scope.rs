use std::fmt;
use std::sync::Arc;

/// A place in a hierarchy of scopes, such as `/Helsinki/Kallio`
/// (ETSI GS CIM 009, clause 4.18).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Arc<str>);

/// A text that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a scope such as /City/District: levels are letters, digits and _, each but the first behind a /"
)]
pub struct InvalidScope(String);

impl Scope {
    /// Checks a scope; a missing `/` at its start is added, one at its end is dropped.
    pub fn new(text: &str) -> Result<Self, InvalidScope> {
        let invalid = || InvalidScope(text.chars().take(120).collect());
        let inner = text.strip_prefix('/').unwrap_or(text);
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let is_valid_level = |level: &str| {
            !level.is_empty()
                && level.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        };
        if text.len() > 1_024 || !inner.split('/').all(is_valid_level) {
            return Err(invalid());
        }
        Ok(Self(format!("/{inner}").into()))
    }

    /// The scope as text, with `/` at its start.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_a_path() {
        assert_eq!(Scope::new("/Helsinki/Kallio").unwrap().as_str(), "/Helsinki/Kallio");
        assert_eq!(Scope::new("Helsinki/").unwrap().as_str(), "/Helsinki");
        for text in ["", "/", "//", "/a//b", "/a b", "/a/#"] {
            assert!(Scope::new(text).is_err(), "{text:?} was accepted");
        }
    }
}
