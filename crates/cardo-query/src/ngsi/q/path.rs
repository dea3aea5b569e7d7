use cardo_model::Iri;

use super::super::cursor::Cursor;
use super::super::{InvalidName, NameResolver, QError};
use crate::{Key, Member, Path, Root};

/// Reads an attribute path: `name.name[key.key]`.
pub(super) fn read(cursor: &mut Cursor<'_>, names: &impl NameResolver) -> Result<Path, QError> {
    let at = cursor.at();
    let mut terms = vec![read_name(cursor)?];
    while cursor.rest().starts_with('.') {
        cursor.skip(1);
        terms.push(read_name(cursor)?);
    }
    let name_error = |source| QError::Name { position: cursor.position(at), source };
    let mut path = resolve(&terms, names).map_err(name_error)?;
    if cursor.rest().starts_with('[') {
        if path.member != Member::Value || !matches!(path.root, Root::Attribute(_)) {
            return Err(cursor.expected("an operator, since this member has no keys"));
        }
        cursor.skip(1);
        path.keys = read_keys(cursor, names)?;
    }
    Ok(path)
}

/// Whether a path may lead to other entities: it is the name of an attribute and no more.
pub(super) fn is_relation(path: &Path) -> bool {
    matches!(path.root, Root::Attribute(_))
        && path.attributes.is_empty()
        && path.keys.is_empty()
        && path.member == Member::Value
}

/// Reads the types that stand before an attribute of linked entities: `Device,Sensor:`.
pub(super) fn read_types(
    cursor: &mut Cursor<'_>,
    names: &impl NameResolver,
) -> Result<Vec<Iri>, QError> {
    let rest = cursor.rest();
    let end = rest.find(['{', '}', '.', '[']).unwrap_or(rest.len());
    let Some(length) = rest[..end].rfind(':') else { return Ok(Vec::new()) };
    let at = cursor.at();
    let mut types = Vec::new();
    for term in cursor.skip(length).split(',') {
        cursor.count_term()?;
        let name = names.type_name(term.trim());
        types.push(name.map_err(|source| QError::Name { position: cursor.position(at), source })?);
    }
    cursor.skip(1);
    Ok(types)
}

fn read_name<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, QError> {
    let rest = cursor.rest();
    if !rest.starts_with(char::is_alphabetic) {
        return Err(cursor.expected("the name of an attribute"));
    }
    let mut end = 0;
    let mut characters = rest.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, c)| *c);
        // A prefix (clause 4.6.2) has a letter behind its colon.
        let is_colon = character == ':' && next.is_some_and(char::is_alphabetic);
        if !is_colon && !character.is_alphanumeric() && character != '_' {
            break;
        }
        end = at + character.len_utf8();
    }
    Ok(cursor.skip(end))
}

fn resolve(terms: &[&str], names: &impl NameResolver) -> Result<Path, InvalidName> {
    let (first, rest) = terms.split_first().expect("a path has a first name");
    let root = root_of(first, names)?;
    let mut path = Path::of_root(root);
    if !matches!(path.root, Root::Attribute(_)) && !rest.is_empty() {
        return Err(InvalidName::new(first, "is a member of the entity and has no attributes"));
    }
    for (at, term) in rest.iter().enumerate() {
        match member_of(term) {
            Some(member) if at + 1 == rest.len() => path.member = member,
            _ if *term == "deletedAt" => return Err(deleted_at()),
            _ => path.attributes.push(names.attribute(term)?),
        }
    }
    Ok(path)
}

fn root_of(term: &str, names: &impl NameResolver) -> Result<Root<Iri>, InvalidName> {
    Ok(match term {
        "id" => Root::Id,
        "type" => Root::Type,
        "scope" => Root::Scope,
        "createdAt" => Root::CreatedAt,
        "modifiedAt" => Root::ModifiedAt,
        "expiresAt" => Root::ExpiresAt,
        "deletedAt" => return Err(deleted_at()),
        other => Root::Attribute(names.attribute(other)?),
    })
}

fn deleted_at() -> InvalidName {
    InvalidName::new("deletedAt", "stands in the temporal evolution of entities only")
}

/// The members of an instance that are no attributes (clause 4.5.2).
fn member_of(term: &str) -> Option<Member> {
    Some(match term {
        "observedAt" => Member::ObservedAt,
        "createdAt" => Member::CreatedAt,
        "modifiedAt" => Member::ModifiedAt,
        "expiresAt" => Member::ExpiresAt,
        "unitCode" => Member::UnitCode,
        "datasetId" => Member::DatasetId,
        "objectType" => Member::ObjectType,
        _ => return None,
    })
}

fn read_keys(cursor: &mut Cursor<'_>, names: &impl NameResolver) -> Result<Vec<Key>, QError> {
    if cursor.eat("*]") {
        return Ok(vec![Key::AnyLanguage]);
    }
    let mut keys = Vec::new();
    loop {
        let term = cursor.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '@'));
        if term.is_empty() {
            return Err(cursor.expected("the name of a key"));
        }
        keys.push(Key::Member { term: term.into(), name: names.value_key(term) });
        if cursor.eat("]") {
            return Ok(keys);
        }
        if !cursor.eat(".") {
            return Err(cursor.expected("'.' or ']'"));
        }
    }
}
