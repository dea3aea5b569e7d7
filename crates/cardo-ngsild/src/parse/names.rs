use cardo_jsonld::Context;
use cardo_model::{Iri, NGSI_LD_NULL, Scope};
use serde_json::value::RawValue;

use super::error::{DataFault, InvalidInput, shorten};
use super::members::{Members, string, strings};
use super::terms::is_reserved;

/// Expands the name of an attribute (clause 5.5.7).
pub(crate) fn attribute_name(name: &str, context: &Context) -> Result<Iri, InvalidInput> {
    if is_reserved(name) {
        return Err(DataFault::ReservedName(shorten(name)).into());
    }
    expand_name(name, context)
}

/// Expands the name of a type or an attribute.
pub(crate) fn expand_name(name: &str, context: &Context) -> Result<Iri, InvalidInput> {
    let invalid = |why| InvalidInput::data(DataFault::InvalidName(shorten(name), why));
    if let Some(found) = name.chars().find(|c| is_forbidden(*c)) {
        let _ = found;
        return Err(invalid("it holds a character that names may not hold (clause 4.6.2)"));
    }
    // In a URI or behind a prefix more may stand.
    let is_start = |c: char| c.is_alphabetic() || matches!(c, '_' | '@');
    if !name.contains(':') && !name.starts_with(is_start) {
        return Err(invalid("it does not begin with a letter (clause 4.6.2)"));
    }
    let iri =
        context.expand_term(name).ok_or_else(|| invalid("the @context gives it no meaning"))?;
    if iri.starts_with('@') {
        return Err(invalid("it is a keyword of JSON-LD"));
    }
    Iri::new(iri).map_err(InvalidInput::from)
}

/// Characters that have a meaning in queries or may not stand in URIs. Clause 4.6.2 would also
/// exclude marks such as `-` and `.`, which published data models use.
fn is_forbidden(c: char) -> bool {
    c <= ' '
        || c.is_control()
        || c.is_whitespace()
        || matches!(
            c,
            '"' | '\''
                | '<'
                | '>'
                | '('
                | ')'
                | '{'
                | '}'
                | '['
                | ']'
                | '|'
                | ';'
                | '\\'
                | '^'
                | '`'
                | ','
        )
}

/// How many types an entity may have.
const MAX_TYPES: usize = 100;
/// How many scopes an entity may have.
const MAX_SCOPES: usize = 1_000;

/// Refuses what has more parts than are looked through one by one.
pub(crate) fn at_most(what: &'static str, count: usize, limit: usize) -> Result<(), InvalidInput> {
    if count > limit {
        return Err(DataFault::TooMany(what, limit).into());
    }
    Ok(())
}

/// The types of an entity.
pub(super) fn types(raw: &RawValue, context: &Context) -> Result<Vec<Iri>, InvalidInput> {
    let names = strings(raw, "the name of a type or an array of them")?;
    if names.is_empty() {
        return Err(DataFault::Expected("[]".to_owned(), "a list of at least one type").into());
    }
    at_most("types of one entity", names.len(), MAX_TYPES)?;
    let mut types: Vec<Iri> = Vec::with_capacity(names.len());
    for name in names {
        let name = expand_name(&name, context)?;
        if !types.contains(&name) {
            types.push(name);
        }
    }
    Ok(types)
}

/// The scopes of an entity (clause 4.18).
pub(super) fn scopes(raw: &RawValue) -> Result<Vec<Scope>, InvalidInput> {
    let mut scopes = Vec::new();
    let texts = strings(raw, "a scope or an array of them")?;
    at_most("scopes of one entity", texts.len(), MAX_SCOPES)?;
    for text in texts {
        let scope = Scope::new(&text)?;
        if !scope.as_str().split('/').skip(1).all(is_scope_level) {
            return Err(DataFault::Expected(format!("{text:?}"), SCOPE).into());
        }
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes)
}

const SCOPE: &str =
    "a scope, whose levels begin with a letter and go on with letters, numbers and _";

/// Clause 4.18: `ScopeLevel`.
fn is_scope_level(level: &str) -> bool {
    level.starts_with(char::is_alphabetic)
        && level.chars().all(|c| c.is_alphabetic() || c.is_numeric() || c == '_')
}

/// The id of an entity, if it is given.
pub(super) fn id(members: &Members<'_>) -> Result<Option<Iri>, InvalidInput> {
    let Some(raw) = members.keyword("id", "@id")? else { return Ok(None) };
    let read = || {
        let text = string(raw, "a URI")?;
        if text == NGSI_LD_NULL {
            return Err(InvalidInput::from(DataFault::Null));
        }
        Ok(Iri::new(&*text)?)
    };
    read().map(Some).map_err(|error| error.within("id"))
}
