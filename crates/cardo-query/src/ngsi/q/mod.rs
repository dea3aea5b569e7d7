//! The query language of clause 4.9.

mod literal;
mod path;
mod print;

pub use print::print;

use cardo_model::{EntityId, Iri};

use super::boolean::{self, Terms};
use super::cursor::Cursor;
use super::{InvalidName, NameResolver, QError};
use crate::{Comparison, Filter, Literal, Member, Operand, Operator, Path, Pattern, Root};

/// What accompanies the parameter `q`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QOptions<'a> {
    /// `expandValues`: attributes whose constants a context expands. Not implemented yet: refused
    /// where it is given.
    pub expand_values: Option<&'a str>,
    /// `jsonKeys`: attributes whose keys no context expands. Not implemented yet: refused where it
    /// is given. Keys of a JsonProperty are never expanded, with or without it.
    pub json_keys: Option<&'a str>,
}

/// Reads a query (clause 4.9), such as `temperature>30;brandName!="Mercedes"`.
///
/// Beyond the grammar of the clause:
/// - the names `id`, `type` and `scope`, and the moments `createdAt`, `modifiedAt` and `expiresAt`,
///   stand for the members of the entity itself;
/// - `!temperature` asks for entities without the target element;
/// - parentheses may nest, as in EXAMPLE 6;
/// - a constant that is a bare word, as in EXAMPLE 12, is a text;
/// - a regular expression may stand in quotes, in which only `\"` is an escape;
/// - spaces may stand between the parts, keys in brackets may hold `-`.
///
/// Linked entities (`attr{...}`) are refused with [`QError::NotImplemented`].
///
/// ```
/// use cardo_model::Iri;
/// use cardo_query::{Filter, InvalidName, NameResolver, QOptions, parse_q};
///
/// struct Example;
///
/// impl NameResolver for Example {
///     fn attribute(&self, term: &str) -> Result<Iri, InvalidName> {
///         Iri::new(format!("https://example.org/{term}"))
///             .map_err(|error| InvalidName::new(term, error.to_string()))
///     }
///
///     fn type_name(&self, term: &str) -> Result<Iri, InvalidName> {
///         self.attribute(term)
///     }
///
///     fn value_key(&self, term: &str) -> Box<str> {
///         term.into()
///     }
/// }
///
/// let filter = parse_q("temperature>30;humidity", &Example, QOptions::default()).unwrap();
/// assert!(matches!(filter, Filter::And(parts) if parts.len() == 2));
/// let error = parse_q("temperature>", &Example, QOptions::default()).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "at character 13: expected a number, a text in quotes, a date or a time, found the end"
/// );
/// ```
pub fn parse_q(
    text: &str,
    names: &impl NameResolver,
    options: QOptions<'_>,
) -> Result<Filter, QError> {
    let unbuilt = [
        (options.expand_values, "the parameter expandValues"),
        (options.json_keys, "the parameter jsonKeys"),
    ];
    for (parameter, construct) in unbuilt {
        if parameter.is_some() {
            return Err(QError::NotImplemented { position: 1, construct });
        }
    }
    boolean::parse(text, &QueryTerms { names })
}

struct QueryTerms<'a, R> {
    names: &'a R,
}

impl<R: NameResolver> Terms for QueryTerms<'_, R> {
    const OR: &'static [char] = &['|'];
    const EXPECTED: &'static str = "an attribute or '('";

    fn term(&self, cursor: &mut Cursor<'_>) -> Result<Filter, QError> {
        if cursor.eat("!") {
            let path = path::read(cursor, self.names)?;
            return Ok(Filter::Not(Box::new(presence(path))));
        }
        let start = cursor.at();
        let path = path::read(cursor, self.names)?;
        cursor.skip_spaces();
        let Some(operator) = read_operator(cursor) else { return Ok(presence(path)) };
        if path.member == Member::ObjectType {
            let construct = "a comparison with objectType";
            return Err(QError::NotImplemented { position: cursor.position(start), construct });
        }
        cursor.skip_spaces();
        let at = cursor.at();
        let operand = match operator {
            Operator::Matches | Operator::MatchesNot => read_pattern(cursor)?,
            Operator::Equal | Operator::Unequal => literal::read_for_equality(cursor)?,
            _ => Operand::One(literal::read_comparable(cursor)?),
        };
        match path.root {
            Root::Type => self.type_condition(cursor, at, operator, operand),
            Root::Id => Ok(id_condition(path, operator, operand)),
            _ => Ok(Filter::Compare(Comparison { path, operator, operand })),
        }
    }
}

impl<R: NameResolver> QueryTerms<'_, R> {
    /// Types are names, so they are looked up by name and not compared as texts.
    fn type_condition(
        &self,
        cursor: &Cursor<'_>,
        at: usize,
        operator: Operator,
        operand: Operand,
    ) -> Result<Filter, QError> {
        let constants = match operand {
            Operand::One(constant) => vec![constant],
            Operand::List(constants) => constants,
            _ => Vec::new(),
        };
        let mut types = Vec::new();
        for constant in &constants {
            let Literal::Text(term) = constant else { continue };
            let name = self.names.type_name(term);
            let name =
                name.map_err(|source| QError::Name { position: cursor.position(at), source })?;
            types.push(Filter::Type(name));
        }
        let reason = "can be compared with == and != to names of types only";
        if types.is_empty() || types.len() < constants.len() {
            let source = InvalidName::new("type", reason);
            return Err(QError::Name { position: cursor.position(at), source });
        }
        match operator {
            Operator::Equal => Ok(Filter::any(types)),
            Operator::Unequal => Ok(Filter::all(types.into_iter().map(|t| Filter::Not(t.into())))),
            _ => {
                let source = InvalidName::new("type", reason);
                Err(QError::Name { position: cursor.position(at), source })
            }
        }
    }
}

/// The forms for which there are indexes.
fn id_condition(path: Path, operator: Operator, operand: Operand) -> Filter {
    let ids = |constants: &[Literal]| -> Option<Vec<EntityId>> {
        constants
            .iter()
            .map(|constant| match constant {
                Literal::Text(text) => EntityId::new(text.as_ref()).ok(),
                _ => None,
            })
            .collect()
    };
    match (operator, operand) {
        (Operator::Matches, Operand::Pattern(pattern)) => Filter::IdPattern(pattern),
        (Operator::Equal, operand) => {
            let found = match &operand {
                Operand::One(constant) => ids(std::slice::from_ref(constant)),
                Operand::List(constants) => ids(constants),
                _ => None,
            };
            found.map_or_else(
                || Filter::Compare(Comparison { path, operator, operand }),
                Filter::Ids,
            )
        }
        (operator, operand) => Filter::Compare(Comparison { path, operator, operand }),
    }
}

/// A path alone asks whether it leads to anything.
fn presence(path: Path<Iri>) -> Filter {
    Filter::Exists(path).simplify()
}

fn read_operator(cursor: &mut Cursor<'_>) -> Option<Operator> {
    const OPERATORS: [(&str, Operator); 8] = [
        ("==", Operator::Equal),
        ("!=", Operator::Unequal),
        (">=", Operator::GreaterOrEqual),
        (">", Operator::Greater),
        ("<=", Operator::LessOrEqual),
        ("<", Operator::Less),
        ("~=", Operator::Matches),
        ("!~=", Operator::MatchesNot),
    ];
    OPERATORS.into_iter().find(|(token, _)| cursor.eat(token)).map(|(_, operator)| operator)
}

fn read_pattern(cursor: &mut Cursor<'_>) -> Result<Operand, QError> {
    let at = cursor.at();
    let text = if cursor.peek() == Some('"') {
        quoted_pattern(cursor)?
    } else {
        bare_pattern(cursor).to_owned()
    };
    if text.is_empty() {
        return Err(cursor.expected_at(at, "a regular expression"));
    }
    Pattern::new(&text)
        .map(Operand::Pattern)
        .map_err(|source| QError::Pattern { position: cursor.position(at), source })
}

/// A pattern in quotes; a backslash is the pattern's own but in front of a quote.
fn quoted_pattern(cursor: &mut Cursor<'_>) -> Result<String, QError> {
    let start = cursor.at();
    cursor.skip(1);
    let mut text = String::new();
    let mut characters = cursor.rest().char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                cursor.skip(at + 1);
                return Ok(text);
            }
            '\\' => match characters.next() {
                Some((_, '"')) => text.push('"'),
                Some((_, other)) => text.extend(['\\', other]),
                None => break,
            },
            other => text.push(other),
        }
    }
    Err(cursor.expected_at(start, "a regular expression with a quote at its end"))
}

/// A pattern without quotes ends at an operator outside of its own brackets.
fn bare_pattern<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    let rest = cursor.rest();
    let (mut groups, mut in_class, mut is_escaped) = (0_usize, false, false);
    let end = rest.find(|character| {
        if std::mem::take(&mut is_escaped) {
            return false;
        }
        match character {
            '\\' => is_escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => groups += 1,
            ')' if !in_class && groups > 0 => groups -= 1,
            ')' | ';' | '|' if !in_class && groups == 0 => return true,
            _ => {}
        }
        false
    });
    cursor.skip(end.unwrap_or(rest.len()))
}
