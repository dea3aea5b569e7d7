//! The patterns of LIKE.

use super::{Compiler, Condition};
use crate::Pattern;
use crate::cql2::{Cql2Error, Expression};
use crate::predicate::{Datum, Order, Predicate, Term};

impl Compiler<'_> {
    pub(super) fn like(&self, text: &Expression, pattern: &Expression) -> Condition {
        let left = self.text(text)?;
        let wrong = |reason: String| Cql2Error::meaning(&pattern.place, reason);
        let Term::Constant(Some(Datum::Text(like))) = self.text(pattern)? else {
            return Err(wrong("a pattern is a text in quotes".to_owned()));
        };
        match expression_of(&like) {
            Like::Text(text) => Ok(Predicate::Compare {
                order: Order::Equal,
                left,
                right: Term::Constant(Some(Datum::Text(text.into()))),
            }),
            Like::Pattern(regex) => {
                let compiled = Pattern::new(&regex);
                let compiled = compiled.map_err(|_| wrong("the pattern is too long".to_owned()))?;
                Ok(Predicate::Like(left, compiled))
            }
        }
    }
}

enum Like {
    /// There are no wildcards: the text has to be this one.
    Text(String),
    /// The regular expression that says the same.
    Pattern(String),
}

/// `%` stands for any characters, `_` for one; a backslash takes their meaning away (requirement
/// /req/advanced-comparison-operators/like-predicate).
fn expression_of(like: &str) -> Like {
    let mut text = String::with_capacity(like.len());
    let mut regex = String::from("(?s)^");
    let mut has_wildcards = false;
    let mut chars = like.chars();
    while let Some(c) = chars.next() {
        let literal = match c {
            '%' => {
                regex.push_str(".*");
                has_wildcards = true;
                continue;
            }
            '_' => {
                regex.push('.');
                has_wildcards = true;
                continue;
            }
            '\\' => chars.next().unwrap_or('\\'),
            c => c,
        };
        text.push(literal);
        if literal.is_ascii_punctuation() {
            regex.push('\\');
        }
        regex.push(literal);
    }
    regex.push('$');
    if has_wildcards { Like::Pattern(regex) } else { Like::Text(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(like: &str, text: &str) -> bool {
        match expression_of(like) {
            Like::Text(wanted) => wanted == text,
            Like::Pattern(regex) => Pattern::new(&regex).unwrap().is_match(text),
        }
    }

    #[test]
    fn wildcards_stand_for_characters_and_a_backslash_takes_their_meaning() {
        for (like, text, expected) in [
            ("B_r%", "Bern", true),
            ("B_r%", "Br", false),
            ("B_r%", "bern", false),
            ("%", "", true),
            ("_", "", false),
            ("_", "ø", true),
            ("a%", "a\nb", true),
            (r"100\%", "100%", true),
            (r"100\%", "1000", false),
            (r"\_%", "_x", true),
            (r"\_%", "ax", false),
            (r"a\\%", r"a\b", true),
            ("a.c%", "abc", false),
            ("(a|b)*%", "(a|b)*c", true),
            ("plain", "plain", true),
            ("plain", "plainer", false),
        ] {
            assert_eq!(matches(like, text), expected, "{text:?} LIKE {like:?}");
        }
    }
}
