use super::super::QError;
use super::super::cursor::Cursor;
use crate::time_text::{is_date, time_of_day, utc};
use crate::{Literal, Operand};

const COMPARABLE: &str = "a number, a text in quotes, a date or a time";
const VALUE: &str = "a number, a text in quotes, a date, a time, true, false or a URI";

/// Reads what may stand behind `==` and `!=`: a constant, a list of them, or a range.
pub(super) fn read_for_equality(cursor: &mut Cursor<'_>) -> Result<Operand, QError> {
    let start = cursor.at();
    let first = read_value(cursor)?;
    cursor.skip_spaces();
    if cursor.eat("..") {
        if matches!(first, Value::Other(_)) {
            return Err(cursor.expected_at(start, COMPARABLE));
        }
        cursor.skip_spaces();
        let last = read_comparable(cursor)?;
        return Ok(Operand::Range(first.into_literal(), last));
    }
    if !cursor.rest().starts_with(',') {
        return Ok(Operand::One(first.into_literal()));
    }
    let mut list = vec![first.into_literal()];
    while cursor.eat(",") {
        cursor.skip_spaces();
        cursor.count_term()?;
        list.push(read_value(cursor)?.into_literal());
        cursor.skip_spaces();
    }
    Ok(Operand::List(list))
}

/// Reads what may stand behind the other operators and in a range.
pub(super) fn read_comparable(cursor: &mut Cursor<'_>) -> Result<Literal, QError> {
    let start = cursor.at();
    if cursor.rest().is_empty() {
        return Err(cursor.expected(COMPARABLE));
    }
    match read_value(cursor)? {
        Value::Comparable(literal) => Ok(literal),
        Value::Other(_) => Err(cursor.expected_at(start, COMPARABLE)),
    }
}

enum Value {
    /// `ComparableValue` of the grammar.
    Comparable(Literal),
    /// `OtherValue` or `URI` of the grammar.
    Other(Literal),
}

impl Value {
    fn into_literal(self) -> Literal {
        match self {
            Self::Comparable(literal) | Self::Other(literal) => literal,
        }
    }
}

fn read_value(cursor: &mut Cursor<'_>) -> Result<Value, QError> {
    match cursor.peek() {
        Some('"') => read_quoted(cursor),
        Some('-' | '0'..='9') => read_numeric(cursor),
        Some(c) if c.is_alphabetic() => read_word(cursor),
        _ => Err(cursor.expected(VALUE)),
    }
}

/// A JSON string.
fn read_quoted(cursor: &mut Cursor<'_>) -> Result<Value, QError> {
    let start = cursor.at();
    let mut is_escaped = false;
    let end = cursor.rest()[1..].find(|c| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    });
    let Some(end) = end else {
        return Err(cursor.expected("a text with a quote at its end"));
    };
    let quoted = cursor.skip(end + 2);
    let text: String = serde_json::from_str(quoted)
        .map_err(|_| cursor.expected_at(start, "a text by the rules of JSON"))?;
    Ok(Value::Comparable(Literal::Text(text.into())))
}

/// A number, a date, a time or a date with a time.
fn read_numeric(cursor: &mut Cursor<'_>) -> Result<Value, QError> {
    let start = cursor.at();
    let rest = cursor.rest();
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '+');
    let mut end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    if let Some(dots) = rest[..end].find("..") {
        end = dots;
    }
    end += length_of_comma_fraction(&rest[..end], &rest[end..]);
    let token = &rest[..end];
    let literal = number(token).or_else(|| moment(token));
    match literal {
        Some(literal) => {
            cursor.skip(end);
            Ok(Value::Comparable(literal))
        }
        None => Err(cursor.expected_at(start, VALUE)),
    }
}

/// For compatibility, the fraction of a second may stand behind a comma (clause 4.6.3): how much
/// of what follows belongs to the seconds before it.
fn length_of_comma_fraction(before: &str, after: &str) -> usize {
    let bytes = before.as_bytes();
    let ends_with_seconds = bytes.len() >= 8 && bytes[bytes.len() - 3] == b':';
    let Some(fraction) = after.strip_prefix(',').filter(|_| ends_with_seconds) else { return 0 };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let is_fraction = digits > 0 && fraction[digits..].starts_with('Z');
    if is_fraction { digits + 2 } else { 0 }
}

/// A number by the grammar of RFC 8259, section 6, that is finite.
fn number(token: &str) -> Option<Literal> {
    let parsed: serde_json::Number = serde_json::from_str(token).ok()?;
    let value = parsed.as_f64()?;
    value.is_finite().then_some(Literal::Number(value))
}

fn moment(token: &str) -> Option<Literal> {
    if let Some(Ok(moment)) = utc(token) {
        return Some(Literal::DateTime(moment));
    }
    if is_date(token) {
        return Some(Literal::Date(token.into()));
    }
    time_of_day(token).map(|_| Literal::Time(token.replace(',', ".").into()))
}

/// `true`, `false`, a URI, or a word that is taken as a text.
///
/// Operators end it, so a URI that holds `;`, `,` or `|` has to stand in quotes.
fn read_word(cursor: &mut Cursor<'_>) -> Result<Value, QError> {
    let start = cursor.at();
    let rest = cursor.rest();
    let mut groups = 0_usize;
    let end = rest.find(|c: char| match c {
        '(' => {
            groups += 1;
            false
        }
        ')' if groups > 0 => {
            groups -= 1;
            false
        }
        ')' | ';' | ',' | '|' => true,
        other => other.is_whitespace(),
    });
    let word = &rest[..end.unwrap_or(rest.len())];
    let is_forbidden =
        |c: char| c.is_control() || matches!(c, '"' | '<' | '>' | '{' | '}' | '\\' | '^' | '`');
    // Two dots may stand in a URI, but no range begins with a word.
    let is_range = word.contains("..") && !word.contains(':');
    if is_range || word.contains(is_forbidden) {
        return Err(cursor.expected_at(start, VALUE));
    }
    cursor.skip(word.len());
    Ok(Value::Other(match word {
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        other => Literal::Text(other.into()),
    }))
}
