use std::fmt;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

/// A compiled regular expression of bounded size; matching takes time linear in the text.
#[derive(Clone)]
pub struct Pattern(Arc<Regex>);

/// The longest pattern that is accepted, in bytes.
const MAX_PATTERN_BYTES: usize = 1_024;
/// The most memory a compiled pattern may take, so that nested repetitions are refused.
const MAX_COMPILED_BYTES: usize = 256 * 1024;

/// A text that is no regular expression, or one too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} is not an accepted regular expression: {reason}")]
pub struct InvalidPattern {
    pattern: String,
    reason: String,
}

impl Pattern {
    /// Compiles a pattern that is looked for anywhere in a text.
    pub fn new(pattern: &str) -> Result<Self, InvalidPattern> {
        let invalid = |reason: String| InvalidPattern {
            pattern: pattern.chars().take(120).collect(),
            reason,
        };
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(invalid(format!("it is longer than {MAX_PATTERN_BYTES} bytes")));
        }
        RegexBuilder::new(pattern)
            .size_limit(MAX_COMPILED_BYTES)
            .dfa_size_limit(MAX_COMPILED_BYTES)
            .build()
            .map(|regex| Self(Arc::new(regex)))
            .map_err(|error| invalid(error.to_string()))
    }

    /// The same for a pattern that has to have a meaning in POSIX, which gives none to an empty
    /// one and to a repetition of a repetition such as `a**` (IEEE 1003.1, section 9.4.6).
    pub fn posix(pattern: &str) -> Result<Self, InvalidPattern> {
        let invalid = |reason: &str| InvalidPattern {
            pattern: pattern.chars().take(120).collect(),
            reason: reason.to_owned(),
        };
        if pattern.is_empty() {
            return Err(invalid("it is empty"));
        }
        if repeats_a_repetition(pattern) {
            return Err(invalid("it repeats a repetition"));
        }
        Self::new(pattern)
    }

    /// Whether the text matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Whether `*` or `+` stands behind `*` or `+`, outside of brackets and not escaped.
fn repeats_a_repetition(pattern: &str) -> bool {
    let (mut in_brackets, mut is_repeated) = (false, false);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let repeats = !in_brackets && matches!(c, '*' | '+');
        if repeats && is_repeated {
            return true;
        }
        is_repeated = repeats;
        match c {
            '\\' => {
                chars.next();
            }
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            _ => {}
        }
    }
    false
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_meaning_in_posix_is_refused() {
        for pattern in ["", "a**", "a+*", "urn:(a|b)*+", "[a]**"] {
            assert!(Pattern::posix(pattern).is_err(), "{pattern:?}");
        }
        for pattern in ["a*", "(a+)+$", "[*+]*", r"\*\**", "a*b*", ".*"] {
            assert!(Pattern::posix(pattern).is_ok(), "{pattern:?}");
        }
    }
}
