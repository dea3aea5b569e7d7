use cardo_model::Scope;

use super::QError;
use super::boolean::{self, Terms};
use super::cursor::Cursor;
use crate::{Filter, ScopeTest};

/// Reads a scope query (clause 4.19), such as `(/Madrid/Districts;/CompanyA)|/CompanyB`.
///
/// As in EXAMPLE 5 of the clause, the `/` in front of a scope may be missing. Beyond the clause,
/// parentheses may stand around any part, and levels may hold `-`, as scopes may.
pub fn parse_scope_q(text: &str) -> Result<Filter, QError> {
    boolean::parse(text, &Scopes)
}

struct Scopes;

impl Terms for Scopes {
    const OR: &'static [char] = &['|', ','];
    const EXPECTED: &'static str = "a scope such as /City/District, /City/+ or /City/#";

    fn term(&self, cursor: &mut Cursor<'_>) -> Result<Filter, QError> {
        let start = cursor.at();
        let mut levels = Vec::new();
        cursor.eat("/");
        loop {
            if cursor.eat("#") {
                let test =
                    if levels.is_empty() { ScopeTest::Any } else { ScopeTest::Below(levels) };
                return Ok(Filter::Scope(test));
            }
            levels.push(level(cursor)?);
            if !cursor.eat("/") {
                break;
            }
        }
        let is_plain = levels.iter().all(Option::is_some);
        if !is_plain {
            return Ok(Filter::Scope(ScopeTest::Levels(levels)));
        }
        let text: Vec<&str> = levels.iter().flatten().map(AsRef::as_ref).collect();
        Scope::new(&text.join("/"))
            .map(|scope| Filter::Scope(ScopeTest::Exactly(scope)))
            .map_err(|_| cursor.expected_at(start, Self::EXPECTED))
    }
}

fn level(cursor: &mut Cursor<'_>) -> Result<Option<Box<str>>, QError> {
    if cursor.eat("+") {
        return Ok(None);
    }
    let name = cursor.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    if name.is_empty() {
        return Err(cursor.expected("a level of a scope: a name, + or, at its end, #"));
    }
    Ok(Some(name.into()))
}
