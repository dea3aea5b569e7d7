//! What the languages share: terms joined by `;` and `|`, in parentheses where need be.

use super::QError;
use super::cursor::Cursor;
use crate::Filter;

/// How a language reads its terms.
pub(super) trait Terms {
    /// The characters that stand for "or".
    const OR: &'static [char];
    /// What a message says should stand where a term begins.
    const EXPECTED: &'static str;

    /// Reads one term.
    fn term(&self, cursor: &mut Cursor<'_>) -> Result<Filter, QError>;
}

/// Reads a whole text.
pub(super) fn parse(text: &str, terms: &impl Terms) -> Result<Filter, QError> {
    let mut cursor = Cursor::new(text)?;
    let filter = disjunction(&mut cursor, terms, 0)?;
    if cursor.rest().is_empty() {
        return Ok(filter);
    }
    Err(cursor.expected("a logical operator or the end"))
}

fn disjunction<T: Terms>(
    cursor: &mut Cursor<'_>,
    terms: &T,
    depth: usize,
) -> Result<Filter, QError> {
    let mut parts = vec![conjunction(cursor, terms, depth)?];
    while cursor.eat_any(T::OR) {
        parts.push(conjunction(cursor, terms, depth)?);
    }
    Ok(join(parts, Filter::Or, |part| match part {
        Filter::Or(inner) => Some(inner),
        _ => None,
    }))
}

/// "And" takes precedence over "or" (clause 4.9).
fn conjunction<T: Terms>(
    cursor: &mut Cursor<'_>,
    terms: &T,
    depth: usize,
) -> Result<Filter, QError> {
    let mut parts = vec![factor(cursor, terms, depth)?];
    while cursor.eat_any(&[';']) {
        parts.push(factor(cursor, terms, depth)?);
    }
    Ok(join(parts, Filter::And, |part| match part {
        Filter::And(inner) => Some(inner),
        _ => None,
    }))
}

fn factor<T: Terms>(cursor: &mut Cursor<'_>, terms: &T, depth: usize) -> Result<Filter, QError> {
    cursor.skip_spaces();
    let filter = if cursor.eat("(") {
        cursor.check_depth(depth + 1)?;
        let inner = disjunction(cursor, terms, depth + 1)?;
        if !cursor.eat(")") {
            return Err(cursor.expected("a logical operator or ')'"));
        }
        inner
    } else if cursor.rest().is_empty() {
        return Err(cursor.expected(T::EXPECTED));
    } else {
        cursor.count_term()?;
        terms.term(cursor)?
    };
    cursor.skip_spaces();
    Ok(filter)
}

/// Joins parts into one level; a single part stays what it is.
fn join(
    mut parts: Vec<Filter>,
    whole: fn(Vec<Filter>) -> Filter,
    inner_parts: fn(&mut Filter) -> Option<&mut Vec<Filter>>,
) -> Filter {
    if parts.len() == 1 {
        return parts.swap_remove(0);
    }
    let mut joined = Vec::with_capacity(parts.len());
    for mut part in parts {
        match inner_parts(&mut part) {
            Some(inner) => joined.append(inner),
            None => joined.push(part),
        }
    }
    whole(joined)
}
