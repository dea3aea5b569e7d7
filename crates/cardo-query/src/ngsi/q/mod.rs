//! The query language of clause 4.9.

mod literal;
mod path;
mod print;

pub use print::print;

use cardo_model::{EntityId, Iri};

use super::boolean::{self, Terms};
use super::cursor::Cursor;
use super::{InvalidName, NameResolver, QError, parse_attributes};
use crate::{
    Comparison, Filter, Key, Link, LinkTarget, Literal, Member, Operand, Operator, Path, Pattern,
    Root,
};

/// What accompanies the parameter `q`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QOptions<'a> {
    /// `expandValues`: attributes, with commas between them, whose constants a context expands.
    pub expand_values: Option<&'a str>,
    /// `jsonKeys`: attributes whose keys no context expands. Those of a JsonProperty never are,
    /// with or without it.
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
/// A condition on linked entities (`attr{...}`) becomes a [`Filter::Link`].
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
    let list = |text: Option<&str>| {
        let name = |source| QError::Name { position: 1, source };
        text.map_or(Ok(Vec::new()), |text| parse_attributes(text, names).map_err(name))
    };
    let expanded = list(options.expand_values)?;
    let plain_keys = list(options.json_keys)?;
    boolean::parse(text, &QueryTerms { names, expanded, plain_keys })
}

/// Reads a path alone, such as `address[city]` or `name.observedAt`.
pub fn parse_path(text: &str, names: &impl NameResolver) -> Result<Path, QError> {
    let mut cursor = Cursor::new(text)?;
    let path = path::read(&mut cursor, names)?;
    if cursor.rest().is_empty() {
        return Ok(path);
    }
    Err(cursor.expected("the end of the path"))
}

struct QueryTerms<'a, R> {
    names: &'a R,
    /// Attributes whose constants are expanded.
    expanded: Vec<Iri>,
    /// Attributes whose keys are not.
    plain_keys: Vec<Iri>,
}

/// A relationship on the way to linked entities, and the types that they are to have.
struct Step {
    relationship: Iri,
    types: Vec<Iri>,
}

impl<R: NameResolver> Terms for QueryTerms<'_, R> {
    const OR: &'static [char] = &['|'];
    const EXPECTED: &'static str = "an attribute or '('";

    fn term(&self, cursor: &mut Cursor<'_>) -> Result<Filter, QError> {
        let is_absence = cursor.eat("!");
        let start = cursor.at();
        let (steps, path) = self.way(cursor)?;
        if is_absence {
            return Ok(Filter::Not(Box::new(linked(steps, presence(path)))));
        }
        Ok(linked(steps, self.condition(cursor, start, path)?))
    }
}

impl<R: NameResolver> QueryTerms<'_, R> {
    /// Reads a path, and the relationships before it: `attr{Type:attr{path}}`.
    fn way(&self, cursor: &mut Cursor<'_>) -> Result<(Vec<Step>, Path), QError> {
        let mut steps: Vec<Step> = Vec::new();
        let mut path = path::read(cursor, self.names)?;
        while cursor.rest().starts_with('{') {
            if !path::is_relation(&path) {
                return Err(cursor.expected("an operator, since only a name leads to entities"));
            }
            cursor.check_depth(steps.len() + 1)?;
            cursor.count_term()?;
            cursor.skip(1);
            let types = path::read_types(cursor, self.names)?;
            let next = path::read(cursor, self.names)?;
            if let Root::Attribute(relationship) = std::mem::replace(&mut path, next).root {
                steps.push(Step { relationship, types });
            }
        }
        for _ in &steps {
            if !cursor.eat("}") {
                return Err(cursor.expected("'}'"));
            }
        }
        if let Root::Attribute(name) = &path.root
            && self.plain_keys.contains(name)
        {
            for key in &mut path.keys {
                if let Key::Member { term, .. } = key {
                    *key = Key::plain(term.clone());
                }
            }
        }
        Ok((steps, path))
    }

    fn condition(
        &self,
        cursor: &mut Cursor<'_>,
        start: usize,
        path: Path,
    ) -> Result<Filter, QError> {
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
        let operand = match &path.root {
            Root::Attribute(name) if self.expanded.contains(name) => self.expand(operand),
            _ => operand,
        };
        match path.root {
            Root::Type => self.type_condition(cursor, at, operator, operand),
            Root::Id => Ok(id_condition(path, operator, operand)),
            _ => Ok(Filter::Compare(Comparison { path, operator, operand })),
        }
    }

    /// Texts by the names that they stand for (EXAMPLE 12).
    fn expand(&self, operand: Operand) -> Operand {
        let expand = |literal| match literal {
            Literal::Text(text) => match self.names.attribute(&text) {
                Ok(name) => Literal::Text(name.as_str().into()),
                Err(_) => Literal::Text(text),
            },
            other => other,
        };
        match operand {
            Operand::One(literal) => Operand::One(expand(literal)),
            Operand::List(literals) => Operand::List(literals.into_iter().map(expand).collect()),
            other => other,
        }
    }

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

/// A condition on what the steps lead to.
fn linked(steps: Vec<Step>, condition: Filter) -> Filter {
    steps.into_iter().rev().fold(condition, |condition, step| {
        let of_type = step.types.into_iter().map(Filter::Type);
        let types: Vec<Filter> = of_type.collect();
        let types = if types.is_empty() { Filter::True } else { Filter::any(types) };
        let target = LinkTarget::Matching(Box::new(types.and(condition)));
        Filter::Link(Link { relationship: step.relationship, target })
    })
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
